"""The user's preferences: choices made in the explorer, kept in a small private file.

A choice made in the explorer comes before the settings file, which is never written.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, TypedDict, TypeVar, Unpack

import msgspec
from msgspec.structs import replace

from oh_tui.settings.paths import read_small, update_private

VERSION = 1
"""Of the file: one with another version is ignored, and replaced by the next choice."""

LARGEST = 64_000
"""Bytes above which the file is not read."""

SIZES = 40
"""Terminal widths for which the divider's position is kept; the longest unused go first."""

SERVERS = 40
"""Servers for which order and columns are kept; the longest unused go first."""

COLUMNS = 32
"""Columns that are kept for a pane."""

Name = Annotated[str, msgspec.Meta(max_length=64)]

Cells = Annotated[int, msgspec.Meta(ge=1, le=10_000)]

LONGEST = 300
"""Characters of an address for which choices are kept."""

Address = Annotated[str, msgspec.Meta(max_length=LONGEST)]

Columns = Annotated[dict[Name, bool], msgspec.Meta(max_length=COLUMNS)]

FILES = "files"
"""What the choices for files are kept by; it was "" once."""

K = TypeVar("K")
V = TypeVar("V")


class OfServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The choices for one server."""

    sort: Name = ""
    """The order of its conversations."""
    back: bool = False
    """The order is back to front."""
    columns: Columns = {}
    """Column of the list -> whether it is shown; the others follow the room."""
    step_columns: Columns = {}
    """The same of the timeline."""


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """The choices; "" and {} leave the choice to the settings file and the defaults."""

    theme: Name = ""
    time: Name = ""
    """The clock of the time column."""
    wrap: bool = True
    """Long lines wrap."""
    left: dict[Cells, Cells] = {}
    """Columns of a terminal -> columns of the left side."""
    servers: dict[Address, OfServer] = {}
    """By address, or "files", "demo" and "local"."""
    greeted: bool = False
    """Not a choice: whether the user has been told how to get help."""


class Changes(TypedDict, total=False):
    """Fields of `Choices` with other values; of `left` and `servers` those that changed."""

    theme: str
    time: str
    wrap: bool
    left: dict[int, int]
    servers: dict[str, OfServer]
    greeted: bool


class _File(Choices, frozen=True, kw_only=True):
    version: int


class Preferences:
    """The choices, and the file that keeps them; without a file they last for the session.

    The constructor reads the file and `write` writes it. Neither raises for the state of the disk.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.chosen = _read(file) if file else Choices()
        self._changes: Changes = {}

    def change(self, **changes: Unpack[Changes]) -> None:
        """Chooses something else, to be written later."""
        self.chosen = _changed(self.chosen, changes)
        self._changes = _joined(self._changes, changes)

    def of(self, server: str) -> OfServer:
        return self.chosen.servers.get(server, OfServer())

    def change_for(self, server: str, **fields: Any) -> None:
        """Chooses something else for a server."""
        if len(server) <= LONGEST:
            self.change(servers={server: replace(self.of(server), **fields)})

    @property
    def has_changes(self) -> bool:
        """There is something to write."""
        return bool(self._changes and self._file)

    def greet(self) -> bool:
        """Whether this is the first start of oh-tui according to the file; True once."""
        if self._file is None or self.chosen.greeted:
            return False
        self.change(greeted=True)
        return True

    def theme(self, known: Collection[str], otherwise: str) -> str:
        """The chosen theme if it exists, else the other one."""
        return self.chosen.theme if self.chosen.theme in known else otherwise

    def take_changes(self) -> Changes:
        """The changes since the last call, for `write`."""
        changes, self._changes = self._changes, {}
        return changes

    def put_back(self, changes: Changes) -> None:
        """Puts back changes that could not be written, unless there are newer ones."""
        self._changes = _joined(changes, self._changes)

    def write(self, changes: Changes) -> bool:
        """Adds the changes to the file, which another oh-tui may have changed; False if that
        fails."""
        file = self._file
        if not changes or not file:
            return True
        return update_private(file, lambda: _encoded(_changed(_read(file), changes)))


def _joined(before: Changes, after: Changes) -> Changes:
    joined: Changes = {**before, **after}
    if left := {**before.get("left", {}), **after.get("left", {})}:
        joined["left"] = left
    if servers := {**before.get("servers", {}), **after.get("servers", {})}:
        joined["servers"] = servers
    return joined


def _changed(chosen: Choices, changes: Changes) -> Choices:
    """A width of 0 removes the choice for this terminal."""
    left = _latest(chosen.left, changes.get("left", {}), SIZES)
    servers = _latest(chosen.servers, changes.get("servers", {}), SERVERS)
    return replace(chosen, **{**changes, "left": left, "servers": servers})


def _latest(before: dict[K, V], changes: dict[K, V], most: int) -> dict[K, V]:
    """The latest choices at the end; without those that are nothing any more."""
    kept = {key: value for key, value in before.items() if key not in changes}
    kept |= {key: value for key, value in changes.items() if value and value != OfServer()}
    return dict(list(kept.items())[-most:])


def _read(file: Path) -> Choices:
    """The choices in the file; none when it is missing, broken, too large or of another version."""
    try:
        read = msgspec.json.decode(read_small(file, LARGEST), type=_File)
    except (OSError, ValueError, RecursionError):
        return Choices()
    if read.version != VERSION:
        return Choices()
    servers = dict(read.servers)
    if (of_files := servers.pop("", None)) and FILES not in servers:
        servers[FILES] = of_files
    return _changed(
        Choices(read.theme, read.time, read.wrap, greeted=read.greeted),
        {"left": read.left, "servers": servers},
    )


def _encoded(chosen: Choices) -> bytes:
    fields = {name: getattr(chosen, name) for name in Choices.__struct_fields__}
    return msgspec.json.encode(_File(**fields, version=VERSION))

"""The user's preferences: choices made in the explorer, kept in a small private file.

A choice made in the explorer comes before the settings file, which is never written.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, TypedDict, TypeVar, Unpack

import msgspec
from msgspec.structs import asdict, replace

from oh_tui.settings.private_store import PrivateStore

VERSION = 1
"""Of the file: one with another version is ignored, and put aside by the next choice."""

LARGEST = 64_000
"""Bytes above which the file is not read."""

SIZES = 40
"""Terminal widths for which the divider's position is kept; the longest unused go first."""

SERVERS = 40
"""Servers for which order and columns are kept; the longest unused go first."""

Name = Annotated[str, msgspec.Meta(max_length=64)]

Cells = Annotated[int, msgspec.Meta(ge=1, le=10_000)]

LONGEST = 300
"""Characters of an address for which choices are kept."""

Columns = Annotated[dict[Name, bool], msgspec.Meta(max_length=32)]

FILES = "files"
"""What the choices for files are kept by; it was "" once."""

K = TypeVar("K")
V = TypeVar("V")


class OfServer(msgspec.Struct, frozen=True, omit_defaults=True):
    sort: Name = ""
    back: bool = False
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
    left: dict[Cells, Cells] = {}
    """Columns of a terminal -> columns of the left side."""
    servers: dict[Annotated[str, msgspec.Meta(max_length=LONGEST)], OfServer] = {}
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


class Preferences(PrivateStore[Choices, Changes]):
    def __init__(self, file: Path | None = None) -> None:
        super().__init__(file, LARGEST, Choices)
        self.chosen = self.read() or Choices()

    def change(self, **changes: Unpack[Changes]) -> None:
        """Chooses something else, to be written later."""
        self.chosen = self.changed(self.chosen, changes)
        self.to_write(changes)

    def of(self, server: str) -> OfServer:
        return self.chosen.servers.get(server, OfServer())

    def change_for(self, server: str, **fields: object) -> None:
        if len(server) <= LONGEST:
            self.change(servers={server: replace(self.of(server), **fields)})

    def greet(self) -> bool:
        """Whether this is the first start of oh-tui according to the file; True once."""
        if self._file is None or self.chosen.greeted:
            return False
        self.change(greeted=True)
        return True

    def theme(self, known: Collection[str], otherwise: str) -> str:
        return self.chosen.theme if self.chosen.theme in known else otherwise

    def changed(self, held: Choices, change: Changes) -> Choices:
        """A width of 0 removes the choice for this terminal."""
        left = _latest(held.left, change.get("left", {}), SIZES)
        servers = _latest(held.servers, change.get("servers", {}), SERVERS)
        return replace(held, **{**change, "left": left, "servers": servers})

    def decoded(self, data: bytes) -> Choices:
        read = msgspec.json.decode(data, type=_File)
        if read.version != VERSION:
            raise ValueError
        servers = dict(read.servers)
        if (of_files := servers.pop("", None)) and FILES not in servers:
            servers[FILES] = of_files
        choices = Choices(read.theme, read.time, read.wrap, greeted=read.greeted)
        return self.changed(choices, {"left": read.left, "servers": servers})

    def encoded(self, held: Choices) -> bytes:
        return msgspec.json.encode(_File(**asdict(held), version=VERSION))


def _latest(before: dict[K, V], changes: dict[K, V], most: int) -> dict[K, V]:
    """The latest choices at the end; without those that are nothing any more."""
    kept = {key: value for key, value in before.items() if key not in changes}
    kept |= {key: value for key, value in changes.items() if value and value != OfServer()}
    return dict(list(kept.items())[-most:])

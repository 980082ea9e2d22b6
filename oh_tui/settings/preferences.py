"""The user's preferences: choices made in the explorer, kept in a small private file.

A choice made in the explorer comes before the settings file, which is never written.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from oh_tui.settings.paths import read_small, update_private

VERSION = 1
"""Of the file: one with another version is ignored, and replaced by the next choice."""

LARGEST = 64_000
"""Bytes above which the file is not read."""

SIZES = 40
"""Terminal widths for which the divider's position is kept; the longest unused go first."""

Name = Annotated[str, msgspec.Meta(max_length=64)]

Cells = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """The choices; "" and {} leave the choice to the settings file and the defaults."""

    theme: Name = ""
    time: Name = ""
    """The clock of the time column."""
    wrap: bool = True
    """Long lines wrap."""
    left: dict[Cells, Cells] = {}
    """Columns of a terminal -> columns of the left side."""
    greeted: bool = False
    """Not a choice: whether the user has been told how to get help."""


class Changes(TypedDict, total=False):
    """Fields of `Choices` with other values; of `left` those of the terminals that changed."""

    theme: str
    time: str
    wrap: bool
    left: dict[int, int]
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
    return joined


def _changed(chosen: Choices, changes: Changes) -> Choices:
    """A width of 0 removes the choice for this terminal."""
    left = dict(chosen.left)
    for columns, width in changes.get("left", {}).items():
        left.pop(columns, None)  # the latest choice goes to the end
        if width:
            left[columns] = width
    kept = dict(list(left.items())[-SIZES:])
    return replace(chosen, **{**changes, "left": kept})


def _read(file: Path) -> Choices:
    """The choices in the file; none when it is missing, broken, too large or of another version."""
    try:
        read = msgspec.json.decode(read_small(file, LARGEST), type=_File)
    except (OSError, ValueError, RecursionError):
        return Choices()
    if read.version != VERSION:
        return Choices()
    left = dict(list(read.left.items())[-SIZES:])
    return Choices(read.theme, read.time, read.wrap, left, read.greeted)


def _encoded(chosen: Choices) -> bytes:
    return msgspec.json.encode(
        _File(chosen.theme, chosen.time, chosen.wrap, chosen.left, chosen.greeted, version=VERSION)
    )

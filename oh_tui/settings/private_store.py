"""Small private files that several oh-tui read and change at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Generic, TypeVar

from oh_tui.settings.paths import locked, make_private, read_small, replace_private
from oh_tui.text.redact import safe_line

H = TypeVar("H")
C = TypeVar("C")


class PrivateStore(ABC, Generic[H, C]):
    """One such file; without a path its store lasts for the session.

    Changes are kept one by one until `write` makes them in what the file holds by then, so that no
    program undoes what another has written. Nothing raises for the state of the disk.
    """

    def __init__(self, file: Path | None, largest: int, nothing: Callable[[], H]) -> None:
        """A file of more than `largest` bytes is not read."""
        self._file, self._largest, self._nothing = file, largest, nothing
        self._changes: list[C] = []
        self.trouble = ""
        """The folder that could not be written to, and why."""

    @abstractmethod
    def decoded(self, data: bytes) -> H:
        """Raises ValueError or RecursionError for a damaged file, and for another version."""

    @abstractmethod
    def encoded(self, held: H) -> bytes: ...

    @abstractmethod
    def changed(self, held: H, change: C) -> H:
        """`held` with the change; may be `held` itself."""

    def read(self) -> H | None:
        if self._file is None:
            return self._nothing()
        try:
            return self.decoded(read_small(self._file, self._largest))
        except FileNotFoundError:
            return self._nothing()
        except (OSError, ValueError, RecursionError):
            return None

    def to_write(self, *changes: C) -> None:
        if self._file:
            self._changes += changes

    @property
    def lasts(self) -> bool:
        """Whether it is saved beyond this program."""
        return self._file is not None

    @property
    def for_now(self) -> str:
        return "" if self.lasts else ", until oh-tui ends"

    @property
    def has_changes(self) -> bool:
        return bool(self._changes)

    def take_changes(self) -> list[C]:
        """The changes since the last call, for `write`."""
        changes, self._changes = self._changes, []
        return changes

    def put_back(self, changes: list[C]) -> None:
        """Puts back changes that could not be written, before newer ones."""
        self._changes = [*changes, *self._changes]

    def save(self) -> bool:
        return self.write(self.take_changes())

    def write(self, changes: list[C]) -> bool:
        """Makes the changes in the file; False if that fails, and for a pipe or a device in its
        place. A file that cannot be understood is kept beside the new one."""
        if not (changes and self._file):
            return True
        try:
            make_private(self._file.parent)
            if self._file.exists() and not self._file.is_file():
                raise OSError(0, "what has its name is no file")
            with locked(self._file.parent):
                replace_private(self._file, self._with(self._file, changes))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self.trouble = f"{safe_line(str(self._file.parent))}: {why}"
            return False
        return True

    def _with(self, file: Path, changes: list[C]) -> bytes:
        held = self.read()
        if held is None:
            file.replace(aside(file))
            held = self._nothing()
        data = self.encoded(reduce(self.changed, changes, held))
        if len(data) > self._largest:
            raise OSError(0, "it is too large")
        return data


def aside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.old{file.suffix}")

"""Writes the files of a run, as they were at a step, into a folder of the user."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.git_patch import relative
from oh_tui.trajectory.changes.history import FileState


class Written(NamedTuple):
    state: FileState
    name: str
    """Where it is in the folder, with `/`; "" if nothing was written."""
    why_not: str = ""
    is_masked: bool = False
    """Secrets in it were hidden, so that it is not as it was."""

    @property
    def words(self) -> str:
        """Such as "certain", or why nothing was written."""
        told = self.why_not or self.state.words
        return f"{told}; secrets in it are hidden" if self.is_masked else told


def prepare(folder: Path) -> None:
    """Makes the folder. Raises Problem if it holds something, is a link or cannot be made."""
    shown = safe_line(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not folder.is_symlink() and not any(folder.iterdir())
    except OSError as error:
        why = error.strerror or "it is not a folder"
        raise Problem(f"{shown} cannot be written to: {why}", "name a new folder") from error
    if not is_empty:
        raise Problem(f"{shown} is not empty: nothing is written over", "name a new folder")


def check_out(
    states: Iterable[FileState], root: str, folder: Path, hide: Callable[[str], str]
) -> Iterator[Written]:
    """Writes each file whose text is known into a folder that `prepare` has made. `root` is the
    working folder of the run, `hide` hides secrets in a text.

    Nothing is written outside the folder or over another file, whatever the paths are. Line ends
    are those that the editor reports, and every file can be read and written: its mode is not
    known.
    """
    names = _Names(folder)
    for state in states:
        path = relative(state.path, root) or f"_outside/{state.path}"
        parts = [name for name in path.split("/") if name]
        text = None
        if state.exists is False:
            why = "not there then"
        elif state.version is None:
            why = "its text is not known"
        else:
            why = names.refuse(parts)
            text = None if why else state.text()
            why = why or ("its text cannot be read again" if text is None else "")
        hidden = text if text is None else hide(text)
        if hidden is not None:
            why = _write(folder, parts, hidden)
        if not why:
            names.take(parts)
        yield Written(state, "" if why else "/".join(parts), why, not why and hidden != text)


def summary(written: Sequence[Written]) -> str:
    """Such as "3 files written, 1 of them certain; 2 not written"."""
    done = [one for one in written if one.name]
    certain = sum(one.state.certain and not one.is_masked for one in done)
    rest = f"; {len(written) - len(done)} not written" if len(done) < len(written) else ""
    return f"{plural(len(done), 'file')} written, {certain or 'none'} of them certain{rest}"


class _Names:
    """The names that are taken, as the file system compares them that tells the fewest apart."""

    def __init__(self, folder: Path) -> None:
        self._room = 4_000 - len(os.fsencode(folder.absolute()))  # bytes, on the usual file systems
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def refuse(self, parts: list[str]) -> str:
        """Why nothing is written to a path, or ""."""
        for name in parts:
            if name in (".", "..") or "\0" in name or os.sep in name:
                return "its path leaves the folder"
            if len(_bytes(name)) > 255:
                return "its name is too long"
            if _folded([name]) in (".git", "git~1"):
                return "files of git itself are not written"
        if len(_bytes("/".join(parts))) > self._room:
            return "its path is too long"
        above = {_folded(parts[:n]) for n in range(1, len(parts))}
        if _folded(parts) in self._files | self._folders or above & self._files:
            return "another file has this name, or one that differs in case alone"
        return ""

    def take(self, parts: list[str]) -> None:
        self._files.add(_folded(parts))
        self._folders |= {_folded(parts[:n]) for n in range(1, len(parts))}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _folded(parts: list[str]) -> str:
    """Without case, ways to write an accent, and characters that have no width."""
    text = unicodedata.normalize("NFKD", "/".join(parts)).casefold()
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFC", shown)


def _write(folder: Path, parts: list[str], text: str) -> str:
    try:
        with contextlib.ExitStack() as stack:
            place = _opened(stack, folder, None)
            for name in parts[:-1]:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=place)
                place = _opened(stack, name, place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            file = os.open(parts[-1], flags, 0o666, dir_fd=place)
            try:
                with os.fdopen(file, "wb") as stream:
                    stream.write(text.encode("utf-8", "replace"))
            except OSError:
                os.unlink(parts[-1], dir_fd=place)
                raise
    except (OSError, ValueError) as error:
        return f"it cannot be written: {getattr(error, 'strerror', None) or 'odd name'}"
    return ""


def _opened(stack: contextlib.ExitStack, name: str | Path, above: int | None) -> int:
    place = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    stack.callback(os.close, place)
    return place

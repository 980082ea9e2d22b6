"""The changed files of a run beside those that git or the patch of the run lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from oh_tui.trajectory.analysis.changes import ChangeLog, FileChange
from oh_tui.trajectory.analysis.patch import PatchedFile
from oh_tui.trajectory.files.at_step import FileThen
from oh_tui.trajectory.files.touched import shown_path

Lister: TypeAlias = Literal["", "git", "patch"]
"""What else lists changed files."""


class FileRow(NamedTuple):
    """`file` is None if only git or the patch has it, or with `then`."""

    path: str
    file: FileChange | None
    letter: str = ""
    """M, A, D or R by git or the patch; "" if it has no change of the file."""
    patched: PatchedFile | None = None
    then: FileThen | None = None
    """The file as of a step, in a list of those."""

    @property
    def key(self) -> str:
        """The key of the file; "" if no edit of it is known."""
        if self.then:
            return self.then.file.path
        return self.file.path if self.file else ""

    def remark(self, lister: Lister) -> str:
        if self.then:
            return ", ".join(filter(None, (self.then.fate, self.then.state.brief)))
        if self.file is None:
            return "changed outside the editor"
        parts = [self.file.fate]
        if self.file.edits and not self.file.whole and not self.file.deleted:
            parts.append("pieces")
        if lister and not self.letter and self.file.edits and not self.file.same:
            parts.append("not in git" if lister == "git" else "not in the patch")
        return ", ".join(filter(None, parts))


def lister_of(log: ChangeLog, git: Iterable[object] | None) -> Lister:
    """What lists changed files beside the run. An empty list of git may mean no repository."""
    return "git" if git else "patch" if log.patch else ""


def rows(log: ChangeLog, git: Iterable[tuple[str, str]] | None) -> list[FileRow]:
    """The changed files by path; `git` has pairs of a letter and a path."""
    if lister_of(log, git) == "patch":
        found = _with_patch(log)
    else:
        letters = {log.key(path): letter for letter, path in git or ()}
        found = [FileRow(file.shown, file, letters.pop(file.path, "")) for file in log.files]
        found += [FileRow(shown_path(path), None, letter) for path, letter in letters.items()]
    return sorted(found, key=lambda row: row.path)


def _with_patch(log: ChangeLog) -> list[FileRow]:
    """A patch has the paths in the repository, calls those in the sandbox."""
    by_end: dict[str, list[FileChange]] = {}
    for file in log.files:
        parts = file.path.split("/")
        for start in range(1, len(parts)):
            by_end.setdefault("/".join(parts[start:]), []).append(file)
    found: list[FileRow] = []
    met: set[str] = set()
    for patched in log.patch:
        files = by_end.get(patched.path, [])
        edited = files[0] if len(files) == 1 else None
        shown = edited.shown if edited else shown_path(patched.path)
        met |= {edited.path} if edited else set()
        found.append(FileRow(shown, edited, patched.letter, patched))
    return found + [FileRow(file.shown, file) for file in log.files if file.path not in met]

"""The changed files of a run beside those that git or the patch of the run lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes.at_step import FileThen
from oh_tui.trajectory.changes.changes import ChangeLog, FileChange
from oh_tui.trajectory.changes.churn import Lines
from oh_tui.trajectory.changes.order_in_time import Label
from oh_tui.trajectory.changes.patch import PatchedFile
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.findings.review_hints.hint import Reason

Lister: TypeAlias = Literal["", "git", "patch"]
"""What else lists changed files."""


_OF_SERVER = pattern(
    r"(?:^|/)(?:\.openhands-agent-server\.log$|bash_events/\d{14,}_Bash\w+$"
    r"|conversations/[0-9a-f]{32}/)"
)
"""What an agent server writes below its folder, which is that of a process sandbox, where git lists
it: its log, commands, events (measured, 1.34.0)."""


class FileRow(NamedTuple):
    """`file` is None if only git or the patch has it, or with `then`."""

    path: str
    file: FileChange | None
    letter: str = ""
    """M, A, D or R by git or the patch; "" if it has no change of the file."""
    patched: PatchedFile | None = None
    then: FileThen | None = None
    """The file as of a step, in a list of those."""
    agent: str = ""
    """The path of the sub-agent whose edits these are, such as "12"; "" for the run's own."""
    log: ChangeLog | None = None
    """Whose file it is."""
    looks: tuple[tuple[Label, Reason], ...] = ()
    """What is worth a look in its edits, with the steps, as far as that is read."""

    @property
    def key(self) -> str:
        """The key of the file; "" if no edit of it is known."""
        if self.then:
            return self.then.file.path
        return self.file.path if self.file else ""

    @property
    def churn(self) -> Lines | None:
        """The lines that the edits wrote; None where that is not known. Reads all edits."""
        return self.log.churn.of_file(self.key) if self.log else None

    @property
    def is_own(self) -> bool:
        """A step of the run itself touched it: a filter looks at no others."""
        if self.then:
            return any(isinstance(step, int) for step in self.then.steps)
        return self.file is not None and not self.agent

    def label(self, step: int) -> Label:
        """A step of `file`."""
        return f"{self.agent}.{step}" if self.agent else step

    def remark(self, lister: Lister) -> str:
        if self.then:
            return ", ".join(filter(None, (self.then.fate, self.then.state.brief)))
        if self.file is None:
            return "changed outside the editor"
        parts = [f"by sub-agent {self.agent}" if self.agent else "", self.file.fate]
        if self.file.edits and not self.file.whole and not self.file.deleted:
            parts.append("pieces")
        if lister and not self.letter and self.file.edits and not self.file.same:
            parts.append("not in git" if lister == "git" else "not in the patch")
        parts += dict.fromkeys(str(reason.hint) for _, reason in self.looks)
        return ", ".join(filter(None, parts))


def lister_of(log: ChangeLog, git: Iterable[object] | None) -> Lister:
    """What lists changed files beside the run. An empty list of git may mean no repository."""
    return "git" if git else "patch" if log.patch else ""


def without_servers(git: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], int]:
    """What git lists, without the server's own files, and how many these are."""
    listed = list(git)
    kept = [one for one in listed if not _OF_SERVER.search(one[1])]
    return kept, len(listed) - len(kept)


def left_out(servers: int) -> str:
    """What to say of the server's own files; "" for none."""
    return f"{servers:,} of the server's own files left out" if servers else ""


def rows(
    log: ChangeLog,
    git: Iterable[tuple[str, str]] | None,
    below: Mapping[str, ChangeLog] = MappingProxyType({}),
) -> list[FileRow]:
    """The changed files by path; `git` has pairs of a letter and a path. `below` are the files of
    sub-agents, by what the numbers of their steps begin with."""
    edited = [FileRow(file.shown, file, log=log) for file in log.files]
    for prefix, other in below.items():
        edited += [FileRow(file.shown, file, agent=prefix[:-1], log=other) for file in other.files]
    if lister_of(log, git) == "patch":
        found = _with_patch(edited, log.patch)
    else:
        letters = {log.key(path): letter for letter, path in git or ()}
        found = [row._replace(letter=letters.get(row.key, "")) for row in edited]
        others = letters.keys() - {row.key for row in edited}
        found += [FileRow(shown_path(path), None, letters[path]) for path in others]
    return sorted(found, key=lambda row: (row.path, row.agent))


def _with_patch(edited: list[FileRow], patch: list[PatchedFile]) -> list[FileRow]:
    """A patch has the paths in the repository, calls those in the sandbox."""
    by_end: dict[str, set[str]] = {}
    for path in {row.key for row in edited}:
        parts = path.split("/")
        for start in range(1, len(parts)):
            by_end.setdefault("/".join(parts[start:]), set()).add(path)
    patched: dict[str, PatchedFile] = {}
    found: list[FileRow] = []
    for one in patch:
        keys = by_end.get(one.path, set())
        if len(keys) == 1:
            patched.update(dict.fromkeys(keys, one))
        else:
            found.append(FileRow(shown_path(one.path), None, one.letter, one))
    for row in edited:
        one_of = patched.get(row.key)
        found.append(row._replace(letter=one_of.letter, patched=one_of) if one_of else row)
    return found

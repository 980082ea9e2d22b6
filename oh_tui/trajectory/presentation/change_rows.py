"""The changed files of a run beside those that git or a patch lists, and the change of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.at_step import FileThen
from oh_tui.trajectory.changes.changes import ChangeLog, FileChange
from oh_tui.trajectory.changes.churn import Lines
from oh_tui.trajectory.changes.patch import PatchedFile
from oh_tui.trajectory.changes.touched_files import Label, shown_path
from oh_tui.trajectory.findings.review_hints.hint import Reason
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note

Lister: TypeAlias = Literal["", "git", "patch"]
"""What else lists changed files."""


_OF_SERVER = pattern(
    r"(?:^|/)(?:\.openhands-agent-server\.log$|bash_events/\d{14,}_Bash\w+$"
    r"|conversations/[0-9a-f]{32}/)"
)
"""What an agent server writes below its folder, where git of a process sandbox lists it."""


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
        return f"{self.agent}.{step}" if self.agent else step

    def remark(self, lister: Lister) -> str:
        if self.then:
            return ", ".join(filter(None, (self.then.fate, self.then.state.brief)))
        if self.file is None:
            return "outside the editor"
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


PIECES = 200
"""The most edits that are shown of a file whose text is not known whole; the last ones are."""


def edited_steps(row: FileRow) -> str:
    """Such as "1 edit, step 12", "7 edits, steps 9-49" or "2 edits, steps 12.3-12.7"."""
    assert row.file is not None
    steps = row.file.steps
    first, last = step_words(row.label(steps[0])), step_words(row.label(steps[-1]))
    if len(steps) == 1:
        return f"1 edit, step {first}"
    return f"{len(steps):,} edits, steps {first}-{last}"


def step_words(step: Label) -> str:
    return f"{step:,}" if isinstance(step, int) else step


def change_blocks(log: ChangeLog, row: FileRow, pieces: int = PIECES) -> list[Block]:
    """The change of a file in the patch, then as the calls made it."""
    if row.patched is None:
        return _call_blocks(log, row, pieces)
    hunks = safe(row.patched.hunks)
    no_lines = Note("the patch shows none of its lines: it is binary, empty or only renamed")
    blocks: list[Block] = [Heading("in the patch")]
    blocks.append(Diff(hunks, row.path) if hunks else no_lines)
    if row.file and row.file.edits:
        blocks += [Heading("by editor and patch calls"), *_call_blocks(log, row, pieces)]
    return blocks


def _call_blocks(log: ChangeLog, row: FileRow, pieces: int) -> list[Block]:
    """The whole change of a file, or those parts of it that the events hold."""
    file = row.file
    if file is None:
        return [
            Note("git lists it as changed, but no editor or patch call of this run touched it:"),
            Note("a command changed it, or it was changed before the run"),
        ]
    if not file.edits:
        steps = ", ".join(str(step.number) for step in file.reads[:20])
        more = ", …" if len(file.reads) > 20 else ""
        return [Note(f"only read, in step {steps}{more}")]
    whole = log.whole_change(file.path)
    if whole is not None:
        return [_difference(file, *whole)]
    blocks: list[Block] = [Note("only parts of this file are known; its edits, one by one:")]
    hidden = len(file.edits) - pieces
    if hidden > 0:
        blocks.append(Note(f"the first {plural(hidden, 'edit')} are not shown here"))
    for step, hunk in log.hunks(file.path, pieces):
        blocks.append(Heading(f"step {row.label(step)}"))
        blocks.append(
            Diff(safe(hunk), file.shown) if hunk else Note("this call does not say which lines")
        )
    return blocks


def _difference(file: FileChange, old: str, new: str) -> Block:
    text = unified(safe(old), safe(new))
    if text:
        return Diff(text, file.shown)
    if file.created and file.deleted:
        return Note("created and deleted in this run")
    if file.same:
        return Note("its last edit restored the text from before the first one")
    if file.created or file.deleted:
        return Note(f"an empty file, {'new' if file.created else 'deleted'}")
    return Note("only invisible characters differ, such as line ends")

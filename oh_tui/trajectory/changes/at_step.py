"""The files that a run had edited by a step: as they were after it, what of them is not so now, and
the last versions beside what git in a sandbox shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.history import FileHistory, FileState
from oh_tui.trajectory.changes.touched_files import END, START, Label, Moment
from oh_tui.trajectory.model.difference import change, count_changes, count_lines, unified

NOTE = "from editor and patch calls; what commands wrote is known only where a later edit found it"


class FileThen(NamedTuple):
    """A file that was edited before a step, as it was after it."""

    file: FileHistory
    state: FileState
    steps: tuple[Label, ...]
    """Those that edited it."""
    created: bool
    """It was not there before the run."""
    lines: tuple[int, int] | None
    """Added and removed since the run began; None where a text is not known."""

    @property
    def fate(self) -> str:
        """What is to be said of it beside its state, or ""."""
        if self.state.exists is False:
            return "not there then"
        if self.lines is None:
            return "its text is not known"
        return "new" if self.created else ""


def files_then(files: Iterable[FileHistory], moment: Moment) -> Iterator[FileThen]:
    for file in files:
        edits = [edit for edit in file.edits if edit.ended <= moment]
        if not edits:
            continue
        before, state = file.at(START), file.at(moment)
        old, new = text_of(before), text_of(state)
        lines = None if old is None or new is None else count_lines(old, new)
        steps = tuple(edit.part.label(edit.step) for edit in edits)
        yield FileThen(file, state, steps, before.exists is False, lines)


def text_of(state: FileState) -> str | None:
    """The text of a state, "" where there was no file; None if it is not known."""
    return "" if state.exists is False else state.text()


def sums(found: Iterable[FileThen]) -> tuple[int, int]:
    """Lines added and removed, where they are known."""
    known = [one.lines for one in found if one.lines]
    return sum(added for added, _ in known), sum(removed for _, removed in known)


class BesideGit(NamedTuple):
    step: Label | None = None
    """The step whose edit left the version."""
    same: bool | None = None
    """Git has the same text; None where that cannot be told."""
    diff: str = ""
    """The lines that differ, safe to show; "" where only invisible characters or secrets do."""
    why: str = ""
    """Why it cannot be told, or why lines may differ here that are the same in the file."""

    @property
    def words(self) -> str:
        """Such as "git has the same" or "git differs +2 -1"."""
        if self.same is None:
            return f"git: {self.why}"
        if self.same:
            return "git has the same"
        size = f" {change(*count_changes(self.diff))}" if self.diff else ""
        return f"git differs{size}"


def beside_git(file: FileHistory, shown: str | None) -> BesideGit:
    """`shown` is git's text, without the last newline, with LF alone; None without a repository."""
    state = file.at(END)
    step, text = state.edit.part.label(state.edit.step), text_of(state)
    if shown is None:
        return BesideGit(step, None, why="there is no repository")
    if text is None:
        return BesideGit(step, None, why="the text of the last version is not known")
    told = "\n".join(text.splitlines())
    if told == shown:
        return BesideGit(step, True)
    if not shown:
        return BesideGit(step, None, why="no text: the file is empty, or is no UTF-8")
    is_exact = state.version is None or state.version.side.is_exact
    why = "" if is_exact else "parts of that version are hidden or replaced in the events"
    return BesideGit(step, False, unified(safe(_ended(told)), safe(_ended(shown))), why)


def _ended(text: str) -> str:
    return f"{text}\n" if text else ""


_NAMED = 3


class Differs(NamedTuple):
    """A file that has another text now, or may have."""

    file: FileHistory
    certain: bool
    edited: bool
    """An edit since then left another text, or one that is not known."""


def differing(files: Iterable[FileHistory], moment: Moment) -> list[Differs]:
    """The files that a run edited and that differ at its end from a moment in it, by path."""
    found = []
    for file in files:
        then, now = file.at(moment), file.at(END)
        if now.edit.ended <= moment:
            if len(now.since) > len(then.since):
                found.append(Differs(file, certain=False, edited=False))
            continue
        old, new = text_of(then), text_of(now)
        is_sure, is_same = _is_sure(then) and _is_sure(now), old is not None and old == new
        if not (is_sure and is_same):
            found.append(Differs(file, certain=is_sure, edited=not is_same))
    return found


def differing_words(found: Sequence[Differs]) -> str:
    """Such as `parse.py differs; commands may have changed 4 others`, "" for none."""
    certain = [one.file.shown for one in found if one.certain]
    edited = [one.file.shown for one in found if one.edited and not one.certain]
    rest = len(found) - len(certain) - len(edited)
    told = []
    if certain:
        told.append(f"{names(certain)} {'differs' if len(certain) == 1 else 'differ'}")
    if edited:
        told.append(f"{names(edited)} {'was' if len(edited) == 1 else 'were'} edited")
    if rest:
        others = plural(rest, "other file" if told else "file")
        told.append(f"commands may have changed {others}")
    return "; ".join(told)


def names(paths: Sequence[str]) -> str:
    more = len(paths) - _NAMED
    if more > 1:
        return f"{', '.join(paths[:_NAMED])} and {more:,} others"
    *first, last = paths
    return f"{', '.join(first)} and {last}" if first else last


def _is_sure(state: FileState) -> bool:
    """Whether the text is that of an edit, and nothing may have written between it and then."""
    if state.certain or state.since:
        return state.certain
    is_told = state.version is not None and state.version.side.is_exact
    return is_told or state.exists is False

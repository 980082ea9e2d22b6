"""The last version of a file beside what git in a sandbox shows of the file now."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.at_step import text_of
from oh_tui.trajectory.changes.history import FileHistory
from oh_tui.trajectory.changes.order_in_time import END, Label
from oh_tui.trajectory.model.difference import change, count_changes, unified


class BesideGit(NamedTuple):
    """What comparing the two tells."""

    step: Label | None = None
    """The step whose edit left the version."""
    same: bool | None = None
    """Git has the same text; None where that cannot be told."""
    diff: str = ""
    """The lines that differ, from the version to git's, safe to show; "" too where no more than
    invisible characters or hidden secrets do."""
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
    """`shown` is the text that git has now, in which the last newline is left out and all line ends
    are newlines; None without a repository. A last newline alone is no difference."""
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

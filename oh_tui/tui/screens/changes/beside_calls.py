"""What commits and git tell of a file, to stand above the calls that changed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis.change_rows import FileRow
from oh_tui.trajectory.files.beside_git import BesideGit
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note

if TYPE_CHECKING:
    from oh_tui.sources.actions.workspaces import Committed


def commit_notes(commits: Sequence[Committed], row: FileRow) -> list[Block]:
    """The commits that changed a file."""
    return [
        Note(f"in the commit {safe_line(commit.short_sha)} {safe_line(commit.subject)}")
        for commit, changes in commits
        if any(
            one.path == row.file.path if row.file else one.path.endswith(f"/{row.path}")
            for one in changes
        )
    ]


MOST_LOOKS = 5
"""Reasons that stand above a file; the others are counted."""


def look_notes(row: FileRow) -> list[Block]:
    """What is worth a look in the edits of a file."""
    notes: list[Block] = [
        Note(f"worth a look, step {label}: {reason.why}")
        for label, reason in row.looks[:MOST_LOOKS]
    ]
    if more := len(row.looks) - MOST_LOOKS:
        notes += [Note(f"and {more:,} more: & with look:any")] if more > 0 else []
    return notes


def git_blocks(beside: BesideGit, path: str) -> list[Block]:
    """The lines in which git now differs from the last version of a file, to stand before what the
    run changed."""
    if beside.same is None:
        return [Note(safe_line(beside.words))]
    if beside.same:
        return []
    only = Note("only invisible characters or hidden secrets differ")
    lines = Diff(beside.diff, path) if beside.diff else only
    notes = [Note(beside.why)] if beside.why else []
    head = Heading(f"git now, against what step {beside.step} left")
    return [head, *notes, lines, Heading("by editor and patch calls")]

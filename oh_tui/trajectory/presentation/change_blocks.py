"""The whole change of a file, as the calls of the run made it and as a patch has it."""

from __future__ import annotations

from oh_tui.text.human import plural
from oh_tui.text.redact import safe
from oh_tui.trajectory.changes.changes import ChangeLog, FileChange
from oh_tui.trajectory.changes.order_in_time import Label
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note
from oh_tui.trajectory.presentation.change_rows import FileRow

PIECES = 200
"""Edits shown of a file that is not known whole, unless fewer are asked for: the last ones."""


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

"""The files that a run and its sub-agents changed, with what they did to them."""

from __future__ import annotations

from collections.abc import Container, Iterator

from oh_tui.sharing.html.blocks import blocks_html
from oh_tui.sharing.html.escaping import text
from oh_tui.sharing.sink import Sink
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.change_rows import (
    FileRow,
    Lister,
    change_blocks,
    lister_of,
    rows,
)

_PIECES = 1
"""Edits shown of a file that is not known whole: each stands with its step too."""

_MOST_LINKS = 20


def changed_files_html(study: Study, sink: Sink, here: Container[int]) -> Iterator[str]:
    """`here` are the numbers of the steps in the page."""
    log, below = study.changes, study.changes_below
    lister, found = lister_of(log, None), rows(log, None, below)
    if not found:
        return
    by_others = sum(bool(row.agent) for row in found)
    notes = (
        log.note,
        f"the patch that it handed in changes {log.patch_size}" if log.patch else "",
        f"sub-agents changed {plural(by_others, 'file')} in the same folder" if by_others else "",
    )
    yield (
        '<section aria-labelledby="files"><h2 id="files">Changed files</h2>\n'
        f'<p class="note">{text("; ".join(filter(None, notes)))}</p>\n'
    )
    for row in found:
        blocks = change_blocks(below[f"{row.agent}."] if row.agent else log, row, _PIECES)
        sink.hides(row.path, plain_text(blocks))
        if row.letter in ("A", "D") and row.patched and row.patched.hunks:
            sink.file(row.path)
        yield (
            f'<details class="file"><summary><span class="what">{text(row.path)}</span>'
            f'<span class="came">{text(_remark(row, lister))}</span>'
            f'<span class="ran">{_size(row)}</span></summary><div class="body">'
            f"{_edits(row, here)}\n{blocks_html(blocks, iter(()), sink)}\n"
            "</div></details>\n"
        )
    yield "</section>\n"


_LETTERS = {"M": "changed", "A": "added", "D": "deleted", "R": "renamed"}


def _remark(row: FileRow, lister: Lister) -> str:
    in_patch = f"{_LETTERS[row.letter]} in the patch" if row.letter else ""
    return ", ".join(filter(None, (in_patch, row.remark(lister))))


def _size(row: FileRow) -> str:
    """The lines by the calls, or by the patch if no call is known."""
    counted = row.file or row.patched
    assert counted is not None
    return " ".join(
        f'<span class="h-{hue}-sign">{sign}{count}</span>'
        for hue, sign, count in (("add", "+", counted.added), ("del", "-", counted.removed))
        if count
    )


def _edits(row: FileRow, here: Container[int]) -> str:
    if row.file is None:
        return ""
    steps = row.file.steps
    links = ", ".join(step_link(row.label(step), here) for step in steps[-_MOST_LINKS:])
    return f'<p class="about">changed by {plural(len(steps), "step")}: {links}</p>'


_STARTED_AT = pattern(r"\d+")


def step_link(label: Label, here: Container[int]) -> str:
    """The number of a step, with a link if the step is in the page: one of a sub-agent is with the
    step that started it."""
    started_at = _STARTED_AT.match(str(label))
    if started_at and int(started_at[0]) not in here:
        return str(label)
    return f'<a href="#step-{label}">{label}</a>'

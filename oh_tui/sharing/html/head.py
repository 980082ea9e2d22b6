"""What stands above the steps: how the run ended, its numbers, its strip as SVG, what was asked,
and the files that it and its sub-agents changed."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from datetime import UTC, datetime

from oh_tui import __version__
from oh_tui.catalog.tags import tag_words
from oh_tui.sharing.html.blocks import blocks_html, line, text
from oh_tui.sharing.html.steps import time_html
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.text.human import compact, duration, moment, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.changes.touched_files import Label
from oh_tui.trajectory.context.sdk_versions import told_version
from oh_tui.trajectory.findings.strip import Column, Strip
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import FAMILY_HUES, UNICODE, strip_mark, verdict_mark
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.change_rows import (
    FileRow,
    Lister,
    change_blocks,
    lister_of,
    rows,
)
from oh_tui.trajectory.reading.describe import describe


def head_html(run: SharedRun, here: Container[int]) -> Iterator[str]:
    """`here` are the numbers of the steps in the page."""
    yield f"<header>\n<h1>{text(run.title)}</h1>\n{_verdict(run, here)}"
    if run.note:
        yield f'<p class="missing">{line(run.note)}</p>\n'
    if len(run.steps) < len(run.study.trajectory):
        total = plural(len(run.study.trajectory), "step")
        yield f'<p class="missing">{len(run.steps):,} of {total} are in this page</p>\n'
    yield _facts(run)
    yield _own(run)
    yield strip_html(run.study.strip, here)
    yield "</header>\n"
    yield _turns(run)
    yield _phases(run, here)
    yield _looks(run, here)


def _verdict(run: SharedRun, here: Container[int]) -> str:
    verdict = run.study.verdict
    if verdict.cut_off or not verdict.word:
        told = verdict.cause or "these events do not say how it ended"
        return f'<p class="verdict h-{"warn" if verdict.cut_off else "dim"}">{text(told)}</p>\n'
    glyph, hue = verdict_mark(UNICODE, verdict.word)
    label = run.study.trajectory.recorded.label
    said = f' <span class="label">{text(label.words)}</span>' if label else ""
    return (
        f'<p class="verdict"><strong class="h-{hue}">{glyph} {text(verdict.word)}</strong>{said} '
        f"{_with_links(verdict.cause, here)}</p>\n"
    )


_STEPS = pattern(r"\b[Ss]teps? \d[\d,]*(?:(?:-|, | and | to )\d[\d,]*)*")
_NUMBER = pattern(r"\d+(?:,\d{3})*")


def _with_links(cause: str, here: Container[int]) -> str:

    def linked(found: re.Match[str]) -> str:
        number = int(found[0].replace(",", ""))
        return f'<a href="#step-{number}">{found[0]}</a>' if number in here else found[0]

    return _STEPS.sub(lambda found: _NUMBER.sub(linked, found[0]), text(cause))


def _facts(run: SharedRun) -> str:
    one, study = run.conversation, run.study
    accounts, spent = study.accounts, study.sub_runs.total
    waited = f" + {duration(accounts.waited)} waiting" if accounts.waited >= 30 else ""
    cost = study.sub_runs.cost(one.price).words
    tokens = spent.tokens or one.tokens
    plan = study.verdict.plan
    facts = (
        ("Cost", text(cost)),
        ("Time", text(f"{duration(accounts.active)}{waited}" if accounts.active >= 0.5 else "")),
        ("Tokens", text(compact(tokens)) if tokens else ""),
        ("Steps", f"{len(study.trajectory):,}"),
        ("Changed", text(study.changes.size) if study.changes.changed else ""),
        ("Plan", f"{plan[0]} of {plan[1]}" if plan else ""),
        ("Model", line(one.llm_model or "")),
        ("Repository", line(one.selected_repository or "")),
        ("Branch", line(one.selected_branch or "")),
        ("Began", _began(study.trajectory)),
        ("Agent", line(study.trajectory.recorded.agent)),
        ("Version", text(told_version(study.trajectory))),
        ("Written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC <b>by oh-tui {text(__version__)}</b>"),
    )
    rows = "".join(
        f"<div><dt>{label}</dt><dd>{value}</dd></div>\n" for label, value in facts if value
    )
    return f'<dl class="facts">\n{rows}</dl>\n'


def _began(run: Trajectory) -> str:
    """Of a run whose clock is not known without a zone."""
    if run.began is None:
        return ""
    return f"{moment(run.began, UTC):%Y-%m-%d %H:%M}{' UTC' if run.knows_zone else ''}"


def _own(run: SharedRun) -> str:
    """Tags and note of the user, if they are to be written."""
    words = " ".join(tag_words(run.kept.tags))
    note = safe(run.kept.note).strip()
    tags = f"<strong>{line(words)}</strong> " if words else ""
    return f'<p class="own">{tags}{text(note)}</p>\n' if tags or note else ""


def _nav(id: str, title: str, rows: list[str], classes: str = "turns", rest: str = "") -> str:
    """A list of places in the page; "" for none."""
    if not rows:
        return ""
    return (
        f'<nav aria-labelledby="{id}"><h2 id="{id}">{title}</h2>\n'
        f'<ol class="{classes}">\n{"".join(rows)}</ol>{rest}</nav>\n'
    )


def _turns(run: SharedRun) -> str:
    rows: list[str] = []
    for step in (step for step in run.steps if step.event.is_by_user):
        about = describe(step, run.study.trajectory.outcome(step))
        when = time_html(step.event, run.study.trajectory.began)
        rows.append(
            f'<li><span class="n">{step.number}</span> <a href="#step-{step.number}">'
            f"{text(safe_line(about.result) or about.what)}</a> {when}</li>\n"
        )
    return _nav("turns", "What was asked", rows)


def _looks(run: SharedRun, here: Container[int]) -> str:
    found, more = run.looks()
    rows = [
        f'<li><span class="n">{step_link(label, here)}</span> {text(reason.why)}</li>\n'
        for label, reason in found
    ]
    rest = f'<p class="note">{more:,} more</p>\n' if more else ""
    return _nav("look", "Worth a look", rows, rest=f"\n{rest}")


def _phases(run: SharedRun, here: Container[int]) -> str:
    rows: list[str] = []
    for one in run.phases:
        name = text(one.name)
        if one.first in here:
            name = f'<a href="#step-{one.first}">{name}</a>'
        rows.append(
            f'<li><span class="n">{one.steps}</span> <span>{name} '
            f"{text(run.phase_words(one))}</span></li>\n"
        )
    return _nav("phases", "Phases", rows, "turns phases")


COLUMNS = 100

_CELL, _LEFT = 10, 36
"""Width of a column, and of the names of the lanes."""

_LANE, _AXIS, _MARKS = 26, 16, 22
"""Heights."""

_GAP = 6
_LLM = _AXIS + _LANE
_TOOL = _LLM + _GAP + _LANE
"""The lines on which the lanes stand."""
_HEIGHT = _TOOL + _MARKS
_WIDTH = _LEFT + COLUMNS * _CELL


def strip_html(strip: Strip, here: Container[int]) -> str:
    """ "" for a run without steps. Marks of steps that are not `here` have no link."""
    picture = strip.picture(COLUMNS)
    if not picture.columns:
        return ""
    parts = [
        f'<text class="h-dim" x="0" y="{y - 4}">{name}</text>'
        for name, y in (("llm", _LLM), ("tool", _TOOL))
    ]
    for at, told in picture.axis:
        parts.append(f'<text class="h-dim" x="{_x(at)}" y="11">{text(told)}</text>')
    for place, column in enumerate(picture.columns):
        parts += _column(place, column)
    for place, column in enumerate(picture.columns):
        if column.mark:
            parts.append(_mark(place, column, strip.step_at(place, COLUMNS), here))
    return (
        '<div class="strip" tabindex="0" role="group" aria-label="The run over time">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" '
        f'aria-label="The model, its tools, and what happened">{"".join(parts)}</svg></div>\n'
    )


def _x(column: int) -> int:
    return _LEFT + column * _CELL


def _column(number: int, column: Column) -> Iterator[str]:
    if column.idle:
        yield (
            f'<line class="h-dim" x1="{_x(number) + 5}" x2="{_x(number) + 5}" y1="{_AXIS}" '
            f'y2="{_TOOL}" stroke-dasharray="2 3"/>'
        )
        return
    if column.happened_llm:
        yield _bar(number, _LLM, column.llm, "llm")
    hue = FAMILY_HUES.get(column.family or "", "")
    if column.open:
        yield _bar(number, _TOOL, 1.0, hue or "dim", ' fill-opacity="0.3"')
    elif column.happened_tool:
        yield _bar(number, _TOOL, column.tool, hue)


def _bar(number: int, foot: int, share: float, hue: str, more: str = "") -> str:
    height = max(2.0, round(_LANE * share, 1))
    look = f' class="h-{hue}"' if hue else ""
    return (
        f'<rect{look} x="{_x(number) + 1}" y="{foot - height:g}" width="{_CELL - 2}" '
        f'height="{height:g}"{more}/>'
    )


def _mark(number: int, column: Column, step: int, here: Container[int]) -> str:
    glyph, hue = strip_mark(UNICODE, column.mark)
    place = f'x="{_x(number) + _CELL // 2}" y="{_HEIGHT - 5}"'
    drawn = f'<text class="mark h-{hue}" {place}>{glyph}</text>'
    if step not in here:
        return drawn
    # the whole column is the link, which is easier to hit
    area = f'<rect class="area" x="{_x(number)}" y="0" width="{_CELL}" height="{_HEIGHT}"/>'
    told = f"step {step:,}: {column.mark}"
    return f'<a href="#step-{step}" aria-label="{told}"><title>{told}</title>{area}{drawn}</a>'


_PIECES = 1
"""Edits shown of a file that is not known whole: each stands with its step too."""

_MOST_LINKS = 20


def changed_files_html(study: Study, sink: Sink, here: Container[int]) -> Iterator[str]:
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
    """The number of a step, as a link if it, or the step that started its sub-agent, is `here`."""
    started_at = _STARTED_AT.match(str(label))
    if started_at and int(started_at[0]) not in here:
        return str(label)
    return f'<a href="#step-{label}">{label}</a>'

"""The strip of a run as SVG: who worked when, and a mark with a link where something happened."""

from __future__ import annotations

from collections.abc import Container, Iterator

from oh_tui.sharing.html.escaping import text
from oh_tui.trajectory.findings.strip import Column, Strip
from oh_tui.trajectory.glyphs import FAMILY_HUES, UNICODE, strip_mark

COLUMNS = 100
"""Columns of time."""

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

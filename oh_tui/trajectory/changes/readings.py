"""What a run read of a file: evidence for lines, and never a version."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes.order_in_time import Label, Moment, Part
from oh_tui.trajectory.model.bodies import CLIPPED, text_field
from oh_tui.trajectory.model.steps import Step

_NUMBERED = pattern(r" {0,12}(\d{1,9})(?:\t|  )(.*)")
"""A line of `cat -n`, or of the Gemini tool that reads."""


class Shown(NamedTuple):
    """The lines of a file that a reading showed."""

    first: int
    """The number of the first one."""
    lines: tuple[str, ...]
    is_whole: bool
    """They are the whole file. Its line ends and last newline are not shown."""

    def agrees(self, text: str) -> bool:
        """Whether a text has these lines in this place."""
        lines = text.removesuffix("\n").split("\n") if text else []
        start = self.first - 1
        is_there = tuple(lines[start : start + len(self.lines)]) == self.lines
        return is_there and (not self.is_whole or len(lines) == len(self.lines))


class Reading(NamedTuple):
    """A step that read a file."""

    part: Part
    step: Step

    @property
    def label(self) -> Label:
        return self.part.label(self.step)

    @property
    def ended(self) -> Moment:
        return self.part.ended(self.step)

    def shown(self) -> Shown | None:
        """What its result shows, read again; None if that is no numbered lines. Of a clipped one
        the lines before the cut: those behind it have other numbers than in the file."""
        if self.step.result is None:
            return None
        call = self.step.call
        text = text_field(call.answer, "file_content") or call.output()
        is_part = bool(call.input.get("view_range") or call.input.get("offset"))
        is_part |= call.answer.get("is_truncated") is True
        before, cut, _ = text.partition(CLIPPED)
        rows = before.split("\n")[: -1 if cut else None]
        first, lines = 0, list[str]()
        for row in rows:
            match = _NUMBERED.fullmatch(row)
            number = int(match[1]) if match else 0
            if match is None or (lines and number != first + len(lines)):
                if lines:
                    break
                continue
            first = first or number
            lines.append(match[2])
        return Shown(first, tuple(lines), not (is_part or cut)) if lines else None

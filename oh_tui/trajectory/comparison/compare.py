"""Compares two runs step by step: where they part, and what two steps differ in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.text.redact import redact_json, safe
from oh_tui.trajectory.findings.failure_signatures.call_signatures import (
    CallSignature,
    call_signatures,
)
from oh_tui.trajectory.model.alignment import Pairs, common
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Diff, Heading, Note
from oh_tui.trajectory.presentation.blocks import output_text


class Kind(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    """The same tool on the same file or program, with other arguments or another outcome."""
    ONLY_A = "only_a"
    ONLY_B = "only_b"


SIGNS = {Kind.SAME: "=", Kind.CHANGED: "~", Kind.ONLY_A: "<", Kind.ONLY_B: ">"}
"""What stands between two steps."""

_COUNTED = {
    Kind.SAME: "same",
    Kind.CHANGED: "different",
    Kind.ONLY_A: "only A",
    Kind.ONLY_B: "only B",
}


class StepPair(NamedTuple):
    """A step of A, of B, or one of each side by side."""

    kind: Kind
    a: Step | None
    b: Step | None


class Parting(NamedTuple):
    """The next step of each run where they part; None for a run that has ended."""

    a: int | None
    b: int | None


class Comparison:
    """Takes time in proportion to the steps for runs that are alike, and well under a second for
    5,000 steps that are not."""

    def __init__(self, a: Trajectory, b: Trajectory) -> None:
        self.a, self.b = a, b
        self.rows = list(_rows(a, b))
        self.differences = [n for n, row in enumerate(self.rows) if row.kind is not Kind.SAME]
        self.counts = dict.fromkeys(Kind, 0)
        for row in self.rows:
            self.counts[row.kind] += 1

    @property
    def first(self) -> Parting | None:
        """None when nothing differs."""
        if not self.differences:
            return None
        rest = self.rows[self.differences[0] :]
        a = next((row.a.number for row in rest if row.a), None)
        b = next((row.b.number for row in rest if row.b), None)
        return Parting(a, b)

    @property
    def same_before(self) -> int:
        """How many steps are the same before the first difference."""
        return self.differences[0] if self.differences else len(self.rows)


def parting_words(comparison: Comparison) -> str:
    parting, same = comparison.first, comparison.same_before
    if parting is None:
        return f"the same for all {plural(same, 'step')}" if same else "neither has any steps"
    if parting.a is None or parting.b is None:
        ended, began = ("A", "B") if parting.a is None else ("B", "A")
        if same:
            return f"the same for {plural(same, 'step')}, then {ended} ends"
        return f"{ended} has no steps, {began} has"
    if not same:
        return "they part at step 1"
    return f"the same for {plural(same, 'step')}, then they part at step {parting.a}"


def counts_words(comparison: Comparison, dot: str = "·") -> str:
    """How many steps are of each kind, with its sign, without those of which there is none."""
    counts = ((SIGNS[kind], comparison.counts[kind], name) for kind, name in _COUNTED.items())
    return f" {dot} ".join(f"{sign} {count:,} {name}" for sign, count, name in counts if count)


def _rows(a: Trajectory, b: Trajectory) -> Iterator[StepPair]:
    done_a = done_b = 0
    ends = (len(a.steps), len(b.steps), False)
    for place_a, place_b, is_equal in [*_aligned(call_signatures(a), call_signatures(b)), ends]:
        for step in a.steps[done_a:place_a]:
            yield StepPair(Kind.ONLY_A, step, None)
        for step in b.steps[done_b:place_b]:
            yield StepPair(Kind.ONLY_B, None, step)
        if place_a < len(a.steps):
            one, other = a.steps[place_a], b.steps[place_b]
            same = is_equal and _ended_alike(a.outcome(one), b.outcome(other))
            yield StepPair(Kind.SAME if same else Kind.CHANGED, one, other)
        done_a, done_b = place_a + 1, place_b + 1


_ENDED = {Outcome.OK, Outcome.COMMAND_FAILED, Outcome.ERROR}


def _ended_alike(one: Outcome, other: Outcome) -> bool:
    """Whether nothing tells that two calls ended differently; WITH_RESULT does not tell."""
    both = {one, other}
    return len(both) == 1 or (Outcome.WITH_RESULT in both and len(both & _ENDED) == 1)


def _aligned(
    a: Sequence[CallSignature], b: Sequence[CallSignature]
) -> Iterator[tuple[int, int, bool]]:
    """Steps side by side, and whether they do the same: first those, then the alike between."""
    done_a = done_b = 0
    exact = _mirrored([one.exact for one in a], [one.exact for one in b])
    for place_a, place_b in [*exact, (len(a), len(b))]:
        alike = _mirrored(
            [one.like for one in a[done_a:place_a]], [one.like for one in b[done_b:place_b]]
        )
        yield from ((one + done_a, other + done_b, False) for one, other in alike)
        if place_a < len(a):
            yield place_a, place_b, True
        done_a, done_b = place_a + 1, place_b + 1


def _mirrored(a: list[bytes], b: list[bytes]) -> Pairs:
    """As `common`, with the same pairs for (b, a) where several sequences are longest."""
    return common(a, b) if a <= b else [(one, other) for other, one in common(b, a)]


CONTEXT = 10
"""Equal lines around a change."""


def difference_blocks(a: Step, b: Step) -> list[Block]:
    """Lines with - are those of A, with + those of B."""
    if not (a.is_call or b.is_call):  # a message, which is all there is
        return _diff("", output_text(a), output_text(b))
    return [
        *_diff("call", call_text(a), call_text(b)),
        *_diff("result", output_text(a), output_text(b)),
    ]


def _diff(name: str, a: str, b: str) -> list[Block]:
    heading: list[Block] = [Heading(name)] if name else []
    if a == b:
        return [*heading, Note("the same in both" if a else "nothing in both")]
    return [*heading, Diff(unified(a, b, context=CONTEXT))]


def call_text(step: Step) -> str:
    """A call in lines, safe to show: its command, or each argument with its name."""
    if command := step.call.command:
        return safe(command)
    found = redact_json(step.call.given)
    if not isinstance(found, dict):
        return safe(found if isinstance(found, str) else _json(found)) if found else ""
    return "\n".join(_lines(found))


def _lines(found: dict[str, object]) -> Iterator[str]:
    for name, value in found.items():
        if name == "kind" or value in (None, "", [], {}):
            continue
        text = safe(value if isinstance(value, str) else _json(value))
        yield f"{safe(name)}:\n{text}" if "\n" in text else f"{safe(name)}: {text}"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return "(nested too deep to show)"

"""A comparison in words, for people."""

from __future__ import annotations

from collections.abc import Callable

from oh_tui.text.human import dollars, duration, plural
from oh_tui.trajectory.comparison.compare import Comparison, Kind
from oh_tui.trajectory.comparison.figures import Gap

SIGNS = {Kind.SAME: "=", Kind.CHANGED: "~", Kind.ONLY_A: "<", Kind.ONLY_B: ">"}
"""What stands between two steps."""

_COUNTED = {
    Kind.SAME: "same",
    Kind.CHANGED: "different",
    Kind.ONLY_A: "only A",
    Kind.ONLY_B: "only B",
}


def parting_words(comparison: Comparison) -> str:
    """From where on the runs differ."""
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
    """How many steps are of each kind, without list the tags none of."""
    counts = ((comparison.counts[kind], name) for kind, name in _COUNTED.items())
    return f" {dot} ".join(f"{count:,} {name}" for count, name in counts if count)


def gap_words(gap: Gap) -> tuple[str, str, str]:
    """Steps, time and cost that a run took more than another, with their signs; "" for no
    difference or an unknown one."""
    return (
        f"{gap.steps:+,}" if gap.steps else "",
        _signed(gap.work, duration, 0.05),
        _signed(gap.cost, dollars, 0.005),
    )


def _signed(value: float | None, word: Callable[[float], str], least: float) -> str:
    if value is None or abs(value) < least:
        return ""
    return f"{'-' if value < 0 else '+'}{word(abs(value))}"

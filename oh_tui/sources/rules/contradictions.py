"""Questions that nothing can match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from oh_tui.trajectory.analysis.search.step_filter import Term
from oh_tui.trajectory.analysis.search.values import Bound, Span

_ONE = frozenset({"rejected", "noresult", "waiting", "running"})
"""Outcomes of which a step has one, and then is not failed."""

_FAILED = frozenset({"failed", "error"})


def contradiction(terms: Sequence[Term]) -> str:
    """Why these words match nothing, "" where something may match them."""
    asked = {(term.field, term.value) for term in terms if not term.negated}
    for term in terms:
        if term.negated and (term.field, term.value) in asked:
            return "it asks for something and for all but that"
        if isinstance(term.value, Span) and term.value.last < max(1, term.value.first):
            return "no step has such a number"
    if any(term.negated and term == Term("is", "failed", True) for term in terms) and (
        ("is", "error") in asked
    ):
        return "an error has failed"
    outcomes = {value for name, value in asked if name == "is" and value in _ONE | _FAILED}
    if len(outcomes & _ONE) > 1 or (outcomes & _ONE and outcomes & _FAILED):
        return f"a step has one outcome, not {' and '.join(sorted(outcomes))}"
    for name in {term.field for term in terms}:
        values = [term.value for term in terms if term.field == name and not term.negated]
        if _is_empty(values):
            return f"no {name}: is in all of these bounds"
    return ""


def _is_empty(values: Sequence[Any]) -> bool:
    """Whether no number is within all bounds or spans. Rounding is not looked at: `=5` is a span of
    its own width."""
    spans = [value for value in values if isinstance(value, Span)]
    if spans and max(one.first for one in spans) > min(one.last for one in spans):
        return True
    bounds = [value for value in values if isinstance(value, Bound) and value.sign != "="]
    low, high, is_open = -math.inf, math.inf, False
    for one in bounds:
        if one.sign in (">", ">="):
            is_open = is_open or (one.sign == ">" and one.number >= low)
            low = max(low, one.number)
        else:
            is_open = is_open or (one.sign == "<" and one.number <= high)
            high = min(high, one.number)
    return low > high or (low == high and is_open)

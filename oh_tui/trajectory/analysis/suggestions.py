"""What the words of a filter that finds nothing were meant to be: names that the run does have."""

from __future__ import annotations

from difflib import get_close_matches

from oh_tui.trajectory.analysis.fields import FIELDS
from oh_tui.trajectory.analysis.query import Query
from oh_tui.trajectory.model.steps import Trajectory

NAMES = ("tool", "kind", "source")
"""Fields that take any name; the others with few values refuse what they do not know."""


def meant(query: Query, trajectory: Trajectory) -> str:
    """`did you mean tool:terminal?`, for the first name that is near one of the run's and is none
    itself; "" when there is no such."""
    for term in query.terms:
        if term.field not in NAMES or term.negated:
            continue
        there = {value.lower(): value for value in FIELDS[term.field].values(trajectory)}
        known = {*there, *map(str.lower, FIELDS[term.field].values(None))}
        if any(term.value in name for name in known):
            continue
        near = get_close_matches(term.value, there, 1, 0.6)
        if near:
            return f"did you mean {term.field}:{there[near[0]]}?"
    return ""

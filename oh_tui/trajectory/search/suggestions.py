"""Suggestions for a filter without matches: similar names that the run has."""

from __future__ import annotations

from difflib import get_close_matches

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.fields import FIELDS
from oh_tui.trajectory.search.step_filter import Query

NAMES = ("tool", "kind", "source")
"""Fields that accept any name."""


def suggest(query: Query, trajectory: Trajectory) -> str:
    """Such as `did you mean tool:terminal?`, for the first unknown name that is similar to one of
    the run; else ""."""
    for term in query.terms:
        if term.field not in NAMES or term.negated:
            continue
        names = {value.lower(): value for value in FIELDS[term.field].values(trajectory)}
        known = {*names, *map(str.lower, FIELDS[term.field].values(None))}
        if any(term.value in name for name in known):
            continue
        near = get_close_matches(term.value, names, 1, 0.6)
        if near:
            return f"did you mean {term.field}:{names[near[0]]}?"
    return ""

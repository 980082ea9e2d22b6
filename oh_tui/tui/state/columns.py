"""The columns of list and timeline: as many as there is room for, unless the user chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from oh_tui.tables.column import Column, Columns
from oh_tui.trajectory.search.step_attributes import STEP_ATTRIBUTES

Choice = Mapping[str, bool]
"""Name of a column -> whether the user wants it; the others follow the room."""


PHASE = "phase"
LOOK = "look"

AT = Column[Any, Any](name="at", key="a", label="time")

STEPS: Columns = (
    AT,
    Column(name=PHASE, key="p", label="phase"),
    Column(name=LOOK, key="w", label="worth a look"),
    *STEP_ATTRIBUTES,
)


def fitting(
    cells: Mapping[str, int], usual: Collection[str], choice: Choice, room: int
) -> frozenset[str]:
    """The wanted columns that fit, chosen ones first; `cells` are widths, by importance."""
    kept: set[str] = set()
    for name, width in sorted(cells.items(), key=lambda one: one[0] not in choice):
        if choice.get(name, name in usual) and width <= room:
            room -= width
            kept.add(name)
    return frozenset(kept)

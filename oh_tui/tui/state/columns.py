"""The columns of list and timeline: as many as there is room for, unless the user chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from oh_tui.sources.lists.attributes import COLUMNS
from oh_tui.trajectory.analysis.step_attributes import STEP_ATTRIBUTES

Choice = Mapping[str, bool]
"""Name of a column -> whether the user wants it; the others follow the room."""


class Column(NamedTuple):
    """A column that can be hidden. `key` toggles it in the chooser."""

    name: str
    key: str
    label: str


LIST = tuple(Column(one.name, one.key, one.label) for one in COLUMNS)

PHASE = "phase"
LOOK = "look"

STEPS = (
    Column("at", "a", "time"),
    Column(PHASE, "p", "phase"),
    Column(LOOK, "w", "worth a look"),
    *(Column(one.name, one.key, one.label) for one in STEP_ATTRIBUTES),
)


def fitting(
    cells: Mapping[str, int], usual: Collection[str], choice: Choice, room: int
) -> frozenset[str]:
    """The wanted columns that fit, first those that were chosen; `cells` are their widths, the most
    important first."""
    kept: set[str] = set()
    for name, width in sorted(cells.items(), key=lambda one: one[0] not in choice):
        if choice.get(name, name in usual) and width <= room:
            room -= width
            kept.add(name)
    return frozenset(kept)

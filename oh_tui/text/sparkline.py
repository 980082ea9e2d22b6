"""Numbers as a line of blocks."""

from __future__ import annotations

from collections.abc import Sequence


def sparkline(values: Sequence[float | None], levels: str, full: float | None = None) -> str:
    """A block a value, of `levels` from the lowest to the highest, which stands for `full` or for
    the largest value. Only 0 has the lowest, and an unknown value is a gap."""
    top = full or max((value for value in values if value is not None), default=0.0)
    return "".join(" " if value is None else _block(value, top, levels) for value in values)


def _block(value: float, top: float, levels: str) -> str:
    if value <= 0:
        return levels[0]
    return levels[max(1, round((len(levels) - 1) * min(1.0, value / top)))]

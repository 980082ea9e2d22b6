"""Fills Textual's caches of rectangles and sizes, so that later growth of memory means a leak.

Each of these caches is bounded, and together they hold 10 MB. Use reaches that after an hour or
more, at 0.6 MB a minute (measured), which looks like a leak in a soak of ten minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from textual.css.scalar import Scalar, Unit
from textual.geometry import Offset, Region, Size, Spacing


def fill_caches() -> None:
    """Fill them with plausible rectangles, more than they hold."""
    made = random.Random(1)

    def region() -> Region:
        return Region(*(made.randrange(300) for _ in range(4)))

    def spacing() -> Spacing:
        return Spacing(*(made.randrange(300) for _ in range(4)))

    def size() -> Size:
        return Size(made.randrange(300), made.randrange(300))

    asked: list[tuple[Any, Callable[[], object]]] = [
        (Region.overlaps, lambda: region().overlaps(region())),
        (Region.intersection, lambda: region().intersection(region())),
        (Region.union, lambda: region().union(region())),
        (Region.contains_region, lambda: region().contains_region(region())),
        (Region.__contains__, lambda: region().__contains__(region())),
        (Region.translate, lambda: region().translate(Offset(*size()))),
        (Region.grow, lambda: region().grow(spacing())),
        (Region.shrink, lambda: region().shrink(spacing())),
        (Scalar.resolve, lambda: Scalar(1.0, Unit.FRACTION, Unit.WIDTH).resolve(
            size(), size(), Fraction(made.randrange(300)))),
    ]  # fmt: skip
    for method, ask in asked:
        room = method.cache_info().maxsize
        while method.cache_info().currsize < room:
            ask()

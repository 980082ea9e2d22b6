"""Which panes are on the screen: by its size, by zoom, and on a narrow screen by view."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

NARROW = 100
"""With fewer columns, list and run are two views."""

WIDE, ROOMY = 140, 160
"""Columns from which the left side has 40, and from which it gets half of each further column."""

LEFT, RIGHT = (20, 72), 60
"""The minimum and the default maximum width of the left side; the minimum width of the run."""

LEAST = (60, 16)
"""Minimum columns and rows of a usable screen."""

PLACES: tuple[str, ...] = ("sandboxes", "automations")
"""The parts of pane 2."""

PANES: tuple[str, ...] = ("conversations", *PLACES, "timeline", "detail")


class Arrangement(msgspec.Struct, frozen=True):
    """What determines the layout."""

    width: int = 0
    height: int = 0
    view: str = "list"
    """"list" or "run": the view of a narrow screen."""
    sandboxes: bool = True
    """Whether the source has sandboxes: files have none."""
    automations: bool = False
    """Whether it has automations, or tells why they cannot be read."""
    zoom: str = ""
    """The pane that has the whole screen, or ""."""
    left: int = 0
    """The width of the left side set by the user for this screen width; 0 for the default."""

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def too_small(self) -> bool:
        return self.width < LEAST[0] or self.height < LEAST[1]

    @property
    def split(self) -> bool:
        """Whether left side and run are both on the screen, with the divider between them."""
        return not (self.narrow or self.zoom or self.too_small)

    @property
    def left_width(self) -> int:
        return self._within(self.left or self._usual)

    @property
    def _usual(self) -> int:
        usual = 30 if self.width < WIDE else 40 + max(0, self.width - ROOMY) // 2
        return min(usual, LEFT[1])

    def _within(self, columns: int) -> int:
        return max(LEFT[0], min(columns, self.width - RIGHT - 1))

    def divided(self, columns: int) -> Arrangement:
        """With the divider at this column, or as near as both sides allow."""
        within = self._within(columns)
        return replace(self, left=0 if within == self._usual else within)

    def sized(self, size: tuple[int, int], left: int = 0) -> Arrangement:
        """On a screen of this size, with the width that the user set for the left side."""
        return replace(self, width=size[0], height=size[1], left=left)

    def showing(self, pane: str) -> Arrangement:
        """With this pane on the screen; a different zoomed pane loses its zoom. The wall always has
        the whole screen."""
        zoom = pane if pane in (self.zoom, "wall") else ""
        return replace(self, zoom=zoom, view="run" if pane in PANES[-2:] else "list")

    def zoomed(self, pane: str) -> Arrangement:
        """Zoomed to this pane; unzoomed if a pane was zoomed."""
        return replace(self, zoom="" if self.zoom else pane)

    def after(self, pane: str, by: int) -> str:
        """The pane `by` places after this one."""
        panes = self.visible()
        at = panes.index(pane) if pane in panes else 0
        return panes[(at + by) % len(panes)]

    def visible(self) -> tuple[str, ...]:
        """The panes on the screen, in the order that tab walks them."""
        if self.zoom:
            return (self.zoom,)
        panes = PANES
        if self.narrow:
            panes = PANES[:-2] if self.view == "list" else PANES[-2:]
        return tuple(p for p in panes if p not in PLACES or p in self.places)

    @property
    def places(self) -> tuple[str, ...]:
        """The parts of pane 2 that there are."""
        return tuple(
            p for p, has in zip(PLACES, (self.sandboxes, self.automations), strict=True) if has
        )

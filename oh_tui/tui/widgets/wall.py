"""The wall: what waits and runs, in tiles that fill the screen; those that wait have a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.batch.reports import wall
from oh_tui.catalog.names import title
from oh_tui.conversation import same_id
from oh_tui.text.human import age, ago
from oh_tui.trajectory.glyphs import status_mark
from oh_tui.tui.rendering.cells import chopped, head, total_width
from oh_tui.tui.widgets.drawing import Drawn, PaneMessage, Piece, cut, fit

if TYPE_CHECKING:
    from oh_tui.batch.reports.wall import Tile

LEAST = (38, 6)
"""Columns and lines of a tile; where not all have as many lines, only some are shown."""

BESIDE = {2: 2, 3: 3, 4: 2, 5: 3, 6: 3}
"""How many tiles stand beside each other where there is room, by how many there are."""


class Wall(Drawn, can_focus=True):
    DEFAULT_CSS = "Wall { width: 1fr; height: 1fr; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pick({number - 1})") for number in range(1, 7)),
        *(Binding("right,l,tab", "step(1)"), Binding("left,h,shift+tab", "step(-1)")),
        *(Binding("down,j", "row(1)"), Binding("up,k", "row(-1)"), Binding("enter", "open")),
    ]
    ALLOW_SELECT = False

    tiles: reactive[Sequence[Tile]] = reactive((), init=False)
    at: reactive[int] = reactive(0, init=False)
    now: reactive[float] = reactive(0.0, init=False)
    """By the clock of the servers, in seconds since 1970."""

    class Moved(PaneMessage):
        """Another tile has the focus."""

    class Opened(PaneMessage):
        """Enter, or a second click on a tile."""

    def show(self, tiles: Sequence[Tile], now: float) -> None:
        """The focus stays with its conversation."""
        here, self.now = self.current, now
        ids = [tile.row.conversation.id for tile in tiles]
        found = (n for n, one in enumerate(ids) if here and same_id(one, here.row.conversation.id))
        self.tiles, self.at = tiles, next(found, max(0, min(self.at, len(tiles) - 1)))

    @property
    def current(self) -> Tile | None:
        return self.tiles[self.at] if self.at < len(self.tiles) else None

    def watch_at(self) -> None:
        self.post_message(self.Moved(self))

    # Keys and the mouse

    def action_pick(self, number: int) -> None:
        if 0 <= number < len(self.tiles):
            self.at = number

    def action_step(self, by: int) -> None:
        self.action_pick((self.at + by) % max(1, len(self.tiles)))

    def action_row(self, by: int) -> None:
        self.action_pick(self.at + by * self._grid[0])

    def action_open(self) -> None:
        if self.current:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        columns, _, first, height = self._grid
        row, place = first + event.y // height, event.x * columns // self.size.width
        self.action_pick(row * columns + place)
        if event.chain == 2:
            self.action_open()

    # Drawing

    @property
    def _grid(self) -> tuple[int, int, int, int]:
        """Tiles beside each other; rows in sight, the first of them, and the lines of each."""
        columns = max(1, min(BESIDE.get(len(self.tiles), 1), self.size.width // LEAST[0]))
        rows = max(1, min(-(-len(self.tiles) // columns), self.size.height // LEAST[1]))
        return columns, rows, max(0, self.at // columns - rows + 1), self.size.height // rows

    def render_line(self, y: int) -> Strip:
        width, (columns, rows, first, height) = self.size.width, self._grid
        row, line = divmod(y, height)
        pieces: list[Piece] = []
        for place in range(columns if row < rows else 0):
            room = width * (place + 1) // columns - width * place // columns
            number = (first + row) * columns + place
            if number < len(self.tiles):
                pieces += self._line(number, line, height - 1, room)
        nothing = " nothing waits and nothing runs now" if not (self.tiles or y) else ""
        return self.strip(pieces or [(nothing, "dim")], width)

    def _line(self, number: int, y: int, last: int, width: int) -> Iterator[Piece]:
        """One line of a tile, in exactly so many cells."""
        tile, glyphs, is_here = self.tiles[number], self.glyphs, number == self.at
        waits = tile.row.group == "waiting"
        hue = "warn" if waits else "" if is_here else "rule"
        rule = glyphs.heavy if is_here else glyphs.rule
        if y == 0:
            one = tile.row.conversation
            sign, of = status_mark(glyphs, tile.row.word)
            on = f"  {one.server}" if one.server else ""
            name: list[Piece] = [(f" {number + 1} ", "key"), (f"{sign} {tile.row.word}  ", of)]
            name = cut([*name, (title(one), "title"), (on, "dim")], width - 5, glyphs.more)
            yield from ((rule, hue), *name, (" ", ""))
            yield rule * (width - 3 - total_width(name)), hue
        elif waits and y == last:
            yield rule * (width - 1), hue
        else:
            side = glyphs.divider if waits else " "
            text, of = self._text(tile, y - 1, last - 1, width - 5)
            yield from ((f"{side} ", hue), (fit(text, width - 5, glyphs.more), of))
            yield f" {side}", hue
        yield " ", ""

    def _text(self, tile: Tile, y: int, room: int, width: int) -> Piece:
        """A line of a tile: its facts, each in at most two lines, then the last lines that the
        agent said, as many as fit, with a sign where earlier ones are left out."""
        lines: list[Piece] = []
        heard = "" if tile.heard is None else ago(age(tile.heard, self.now))
        for text, hue in wall.facts_of(tile, heard):
            first = head(text, width, words=True)
            rest = text[len(first) :].strip()
            lines += [(one.rstrip(), hue) for one in (first, rest) if one]
        said = [one.rstrip() for text in tile.says for one in chopped(text, width - 2, words=True)]
        if len(said) > (room := max(1, room - len(lines))):
            said[-room] = f"{self.glyphs.more} {said[-room]}"
        lines += [(one, "read") for one in said[-room:]]
        return lines[y] if y < len(lines) else ("", "")

"""What oh-tui is measured against on a screen: an empty Textual app, and a DataTable."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

READY = "readytoread"


def row_mark(row: int) -> str:
    return f"row{row:06}"


class Empty(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(READY)


class Table(App[None]):
    """1,000 rows of six columns, the cursor on the last one."""

    ROWS = 1000

    def compose(self) -> ComposeResult:
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable[str])
        table.add_columns("row", "time", "took", "kind", "what", "result")
        for n in range(self.ROWS):
            what = f"grep -rn thing{n} src"
            table.add_row(row_mark(n), f"{n}:00", "1.2", "terminal", what, "src/f1.py:3: x")
        table.move_cursor(row=self.ROWS - 1)
        table.focus()


if __name__ == "__main__":
    (Table if sys.argv[1:] == ["table"] else Empty)().run()

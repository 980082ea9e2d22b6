"""Several sets of runs for people: the grid of tasks and settings, and what follows from it; also
as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.batch.reports.grid import MEASURES, Grid, Setting
from oh_tui.batch.reports.grid_words import LABELS, code, flip_words, plain, spread_words, sums
from oh_tui.batch.run_stats import resolved_of
from oh_tui.commands.framework.printing import Hue, Style, print_rows
from oh_tui.tables.column import Cell, Column
from oh_tui.text.redact import safe_line

_HUES: dict[str, Hue] = {"✓": "green", "✗": "red", "–": "dim"}


def print_grid(style: Style, grid: Grid, *, as_markdown: bool) -> None:
    said = [*sums(grid), *flip_words(grid)]
    if not as_markdown:
        rows = [(task, *grid.cells(task)) for task in grid.tasks]
        print_rows(
            style, [_task, *map(_of_setting, range(len(grid.settings)), grid.settings)], rows
        )
        print(*map(plain, said), sep="\n")
        return
    names = [code(one.name) for one in grid.settings]
    print(_line(["task", *names]), _line(["---", *[":-:"] * len(names)]), sep="\n")
    for task in grid.tasks:
        print(_line([code(task), *grid.cells(task)]))
    print()
    print(_line(["setting", "resolved", *_heads()]), _line(["---"] * (2 + len(MEASURES))), sep="\n")
    for one, name in zip(grid.settings, names, strict=True):
        resolved, labelled = resolved_of(one.labels)
        told = f"{resolved:,} of {labelled:,}" if labelled else ""
        print(_line([name, told, *(spread_words(one, measure) for measure in MEASURES)]))
    print("\ncost, tokens, requests, time: mean / median / P90 of a task\n")
    for text in said:
        print(f"- {text}")


def _heads() -> list[str]:
    return [LABELS.get(name, name) for name in MEASURES]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_task: Column[tuple[str, ...], Style] = Column("task", lambda row, _: row[0], share=2, least=16)


def _of_setting(place: int, one: Setting) -> Column[tuple[str, ...], Style]:
    def cell(row: tuple[str, ...], style: Style) -> Cell:
        told = row[place + 1]
        shown = told.replace("✓", "yes").replace("✗", "no").replace("–", "-")
        return Cell(shown if style.ascii else told, _HUES.get(told, ""))

    return Column(safe_line(one.name), cell, share=1, least=4)

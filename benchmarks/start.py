"""From the start of the process to what a person waits for, in a pty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import made
from benchmarks.plain_apps import READY
from benchmarks.result import OH_TUI, PYTHON, Result, interleaved, result
from benchmarks.terminal import Terminal

EMPTY = (PYTHON, Path(__file__).with_name("plain_apps.py"))

PAINTED = "3 Timeline"
"""The name of a pane: they are in the first frame, whatever is read by then."""


def starter(home: Path, text: str, *command: str | Path) -> Callable[[], float]:
    """Milliseconds until a whole frame has the text."""

    def run() -> float:
        with Terminal(command, home) as terminal:
            return (terminal.until_text(text) - terminal.began) * 1000

    return run


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    empty = starter(home, READY, *EMPTY)
    demo, opened, base = interleaved(
        7,
        starter(home, PAINTED, OH_TUI, "--demo"),
        starter(home, PAINTED, OH_TUI, "open", zips[1000]),
        empty,
    )
    first = "start to first paint"
    found = [
        result(f"{first}, --demo", "ms", demo, base, ratio=1.25),
        result(f"{first}, open FILE", "ms", opened, base, ratio=1.25),
    ]
    # On 29 November the first two took 1.65 and 1.71. Of the processor's time until the rows 43 %
    # passed until Textual was loaded, 37 from there to the first frame, 20 from there to the rows.
    # 26 % went to finding, reading and executing our 219 modules, of which none takes 2.
    sizes = {1_000: 1.45, 10_000: 1.6, 100_000: 4.0}
    starters = []
    for size in sizes:
        last = made.row_mark(made.steps_of(size) - 1)
        starters.append(starter(home, last, OH_TUI, "open", zips[size]))
    *times, base = interleaved(5, *starters, empty)
    for (size, ratio), took in zip(sizes.items(), times, strict=True):
        name = f"first screen of a zip of {size:,} events"
        found.append(result(name, "ms", took, base, ratio=ratio))
    return found

"""Pictures of the explorer on the embedded server, for the README: three sizes, dark and light, and
a recorded minute."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from oh_tui.cli.opening import demo_source
from oh_tui.settings.startup import Settings
from oh_tui.tui.app import OhTui
from scripts.recording import MINUTE, Frame, Recording

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
"""A clock that stands still, so that a picture changes only when the program does."""

RECORDING = "minute"
"""The name of the recorded minute."""

NAMES = {"/": "slash", "&": "ampersand", ":": "colon", "?": "question_mark", " ": "space",
         "=": "equals_sign", "*": "asterisk"}  # fmt: skip
"""Textual's names of characters that are typed."""

os.environ["COLORTERM"] = "truecolor"  # the pictures have our colours, wherever they are made


@dataclass(frozen=True)
class Picture:
    name: str
    size: tuple[int, int]
    keys: Sequence[str] = ()
    theme: str = "oh-dark"
    demo: str = "plain"


PICTURES = (
    Picture("main-160x48", (160, 48), ("enter",)),
    Picture("main-160x48-light", (160, 48), ("enter",), "oh-light"),
    Picture("main-120x36", (120, 36), ("enter",)),
    Picture("main-120x36-light", (120, 36), ("enter",), "oh-light"),
    Picture("list-80x24", (80, 24)),
    Picture("run-80x24", (80, 24), ("enter",)),
    Picture("run-80x24-light", (80, 24), ("enter",), "oh-light"),
    Picture("where-120x36", (120, 36), ("enter", "T")),
    Picture("changes-120x36", (120, 36), ("enter", "c")),
    Picture("context-160x48", (160, 48), ("enter", "V", "x", "g")),
    Picture("context-120x36", (120, 36), ("enter", "V")),
    Picture("context-80x24-light", (80, 24), ("enter", "V"), "oh-light"),
    Picture("blame-160x48", (160, 48), ("enter", "c", "j", "j", "b", "G", "K")),
    Picture("blame-120x36", (120, 36), ("enter", "c", "j", "j", "b", "G", "K")),
    Picture("blame-80x24-light", (80, 24), ("enter", "c", "j", "j", "b", "G", "K"), "oh-light"),
    Picture("fork-120x36", (120, 36), ("enter", "k", "F")),
    Picture("share-120x36", (120, 36), ("enter", "S", "j", "j", "j", " ")),
    Picture("ask-120x36", (120, 36), ("enter", "A", *"why not week 52?", "enter")),
    Picture("start-120x36", (120, 36), ("ctrl+n",)),
    Picture("answer-120x36", (120, 36), ("k", "a")),
    Picture("wall-160x48", (160, 48), ("W",)),
    Picture("automations-120x36", (120, 36), ("2", "2", "enter"), demo="canvas"),
    Picture(
        "search-120x36", (120, 36), ("*", *"ValueError", "enter", *["j"] * 3, "k", "k", "k", "tab")
    ),
    Picture("board-120x36", (120, 36), ("B", "b", "j", "k", "j", "k", "j", "k")),
    Picture("days-120x36", (120, 36), ("B", *["j", "k"] * 2, "2", "j", "k")),
    Picture("failures-120x36", (120, 36), ("B", "f", *["j", "k"] * 4, "g")),
    Picture("failures-80x24-light", (80, 24), ("B", "f", *["j", "k"] * 4, "g"), "oh-light"),
    Picture("rules-120x36", (120, 36), ("enter", "C", *["j", "k"] * 3)),
    Picture("rules-80x24-light", (80, 24), ("enter", "C", *["j", "k"] * 3), "oh-light"),
    Picture("compare-160x48", (160, 48), (" ", "/", *"ERP", "enter", "=", "j", "k")),
)


@asynccontextmanager
async def explorer(
    size: tuple[int, int], theme: str = "oh-dark", demo: str = "plain"
) -> AsyncIterator[Pilot[int]]:
    app = OhTui(lambda: demo_source(kind=demo, now=NOW), Settings(), clock=NOW.timestamp)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.5)
        yield pilot


async def press(pilot: Pilot[int], keys: Sequence[str]) -> None:
    for key in keys:
        await pilot.press(NAMES.get(key, key))
        await pilot.pause(0.5)


async def take(picture: Picture) -> str:
    async with explorer(picture.size, picture.theme, picture.demo) as pilot:
        await press(pilot, picture.keys)
        return pilot.app.export_screenshot(title="oh-tui")


async def record(frames: Sequence[Frame]) -> str:
    """The animated SVG of these frames."""
    recording = Recording()
    async with explorer((120, 32)) as pilot:
        for frame in frames:
            await press(pilot, frame.keys)
            await pilot.pause(1.5)  # a run that was not read before
            recording.add(pilot.app.export_screenshot(title="oh-tui"), frame)
    return recording.svg()


async def main(names: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as home:  # pictures name the folder that files are written into
        os.environ["HOME"] = home
        (runs := Path(home, "runs")).mkdir()
        os.chdir(runs)
        await take_all(names)


async def take_all(names: Sequence[str]) -> None:
    for picture in PICTURES:
        if not names or picture.name in names:
            write(picture.name, await take(picture))
    if not names or RECORDING in names:
        write(RECORDING, await record(MINUTE))


def write(name: str, svg: str) -> None:
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

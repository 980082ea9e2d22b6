"""Pictures of the explorer on the embedded server, for the README: three sizes, dark and light."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from oh_tui.api import AppServer
from oh_tui.cli import DEMO
from oh_tui.demo import make_demo
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.tui.app import OhTui

FOLDER = Path(__file__).parent.parent / "screenshots"

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
"""A clock that stands still, so that a picture changes only when the program does."""


@dataclass(frozen=True)
class Picture:
    name: str
    size: tuple[int, int]
    keys: Sequence[str] = ()
    theme: str = "oh-dark"


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
    Picture("answer-120x36", (120, 36), ("k", "a")),
)


async def take(picture: Picture) -> None:
    demo = make_demo(NOW)
    demo.rate_limited = False
    app = OhTui(
        lambda: ServerSource(
            AppServer(demo.base_url, app=demo.app), DEMO, demo.opening, last_known=demo.last_known
        ),
        Settings(),
        clock=NOW.timestamp,
    )
    app.theme = picture.theme
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause(1.5)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(0.5)
        svg = app.export_screenshot(title="oh-tui")
    (FOLDER / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
    print(picture.name)


async def main(names: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        if not names or picture.name in names:
            await take(picture)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

"""The views of many runs say which runs could not be read: none of these is counted as empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.screen import Screen

from oh_tui.sources.file_source import FileSource
from oh_tui.tui.widgets.drawing import Drawn
from tests.trajectory.evaluation_files import row, write
from tests.tui.explorer import Explorer, explore

KEYS = {"board": ("B",), "failures": ("B", "f"), "search": ("asterisk",)}


def folder_of(tmp_path: Path, *, readable: bool) -> Path:
    """A run whose events cannot be read, beside one that can."""
    lost = row("acme-1") | {"history": "no list of events"}
    write(tmp_path / "output.jsonl", [lost, row("acme-2")] if readable else [lost])
    return tmp_path


@asynccontextmanager
async def opened(folder: Path, view: str) -> AsyncIterator[tuple[Explorer, Screen[object]]]:
    async with explore(source=lambda: FileSource([folder]), size=(160, 40)) as it:
        await it.press(*KEYS[view])
        if view == "search":
            await it.type("zzqx")
            await it.press("enter")
        yield it, it.app.screen


def shown(it: Explorer, screen: Screen[object]) -> str:
    return "\n".join(it.text_of(one) for one in screen.query(Drawn) if one.region)


@pytest.mark.parametrize("view", KEYS)
async def test_a_run_that_cannot_be_read_is_counted_as_such(view: str, tmp_path: Path) -> None:
    async with opened(folder_of(tmp_path, readable=True), view) as (it, screen):
        await it.until(lambda: "1 run could not be read" in shown(it, screen))
        rule = it.text_of(screen.query_one(f"#{view}-rule"))
        assert "1 run could not be read" in rule and "2 runs" not in rule


@pytest.mark.parametrize("view", KEYS)
async def test_where_none_can_be_read_nothing_is_claimed_of_any(view: str, tmp_path: Path) -> None:
    async with opened(folder_of(tmp_path, readable=False), view) as (it, screen):
        await it.until(lambda: "1 run could not be read" in shown(it, screen))
        rule = it.text_of(screen.query_one(f"#{view}-rule"))
        assert "1 run ·" not in rule and "nothing in" not in rule and "0 fail" not in rule

"""Every action that starts with a call: pressed twice, and left before the response."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from oh_tui.api import Conversation
from oh_tui.demo.servers.network import Network
from oh_tui.settings.startup import Settings
from tests.tui.explorer import Between, Explorer, case, explore

SLOW = Network(waits=(0.0, 0.02), fails=0.0, rows=100)


class Action(NamedTuple):
    name: str
    conversation: str
    key: str
    asks: bool = True
    """It ends in a question, a line to type in, an editor or a view; else in news."""


ACTIONS = (
    Action("answer", "Add OAuth login", "a"),
    Action("stop", "Flaky CI on main", "P"),
    Action("pause", "Flaky CI on main", "p"),
    Action("shell", "Add OAuth login", "exclamation_mark"),
    Action("get", "Add OAuth login", "workspaces.get"),
    Action("put", "Add OAuth login", "workspaces.put"),
    Action("read all", "Fuzz the parser over night", "L"),
)


def asking(it: Explorer) -> int:
    """How many things ask: a question, a line, an editor, a view."""
    asking = it.screen.asking
    return sum((asking.is_questioning, asking.is_typing, asking.editor is not None,
                len(it.app.screen_stack) - 1))  # fmt: skip


def changes(between: Between) -> int:
    return sum(not call.startswith("GET") for call in between.asked)


def is_listed(it: Explorer, conversation: Conversation) -> bool:
    """Whether the cursor of the list is on it."""
    return it.screen.sidebar.list.current == conversation


def is_shown(it: Explorer, conversation: Conversation) -> bool:
    current = it.screen.session.current
    return current is not None and current.id == conversation.id


@asynccontextmanager
async def exploring(tmp_path: Path) -> AsyncIterator[tuple[Explorer, Between]]:
    between = Between()
    settings = replace(Settings(), download_folder=tmp_path)
    async with explore(settings=settings, wrap=lambda app: between(SLOW.over(app, seed=1))) as it:
        yield it, between


@asynccontextmanager
async def pressed(
    it: Explorer, between: Between, action: Action, times: int = 1
) -> AsyncIterator[None]:
    """The action was begun in the run of its conversation, and no call of it is answered; in the
    end nothing asks any more."""
    with case(action.name):
        await it.open(action.conversation)
        await it.until(lambda: it.screen.timeline.row_count() > 0)
        await it.settle()
        await it.press("3")
        between.asked.clear()
        between.hold("*")
        for _ in range(times):
            if "." in action.key:
                await it.screen.run_action(action.key)
                await it.pilot.pause(0)
            else:
                await it.send(action.key)
        await it.until(lambda: it.screen.ui.preparations.active and between.asked)
        assert "esc stops" in it.footer
        yield
        if asking(it):
            await it.press("escape")
        await it.until(lambda: asking(it) == 0)


async def answered(it: Explorer, between: Between) -> None:
    """Let the calls that are held go on, and wait for all that comes of them."""
    held = list(between.held.values())
    between.held.clear()
    for event in held:
        event.set()
    for _ in range(3):
        await it.settle()
    assert not it.app.crashed
    assert not it.screen.ui.preparations.active


async def test_pressed_twice_it_asks_once(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action, times=2):
                assert len(between.asked) == len(set(between.asked))
                await answered(it, between)
                await it.until(lambda: asking(it) == 1)
                await it.press("escape")
                await it.until(lambda: asking(it) == 0)
                assert changes(between) == 0


async def test_esc_while_it_waits_drops_it(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action):
                await it.send("escape")
                assert it.screen.session.pane == "timeline", "and nothing else is left by that key"
                await answered(it, between)
                assert asking(it) == 0
                assert changes(between) == 0
                assert "Could not" not in it.footer


async def test_another_conversation_clicked_while_it_waits_drops_it(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action):
                it.screen.ui.focus_pane("conversations")
                shown = it.screen.sidebar.conversations
                other = next(c for c in shown if c.title == "Cache the docker layers")
                it.screen.sidebar.highlight(other.id)
                await it.until(partial(is_listed, it, other))
                await answered(it, between)
                assert asking(it) == 0
                assert changes(between) == 0
                at = it.screen.sidebar.list.current
                assert at == other or it.screen.session.pane == "conversations"
                await it.until(partial(is_shown, it, other))


async def test_another_pane_clicked_while_it_waits_leaves_it_be(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action):
                it.screen.ui.focus_pane("detail")
                await answered(it, between)
                await it.until(lambda: asking(it) == 1)
                assert it.screen.session.current is not None
                assert it.screen.session.current.title == action.conversation
                await it.press("escape")
                await it.until(lambda: asking(it) == 0)
                assert it.screen.session.pane == "detail", "the focus is where it was"
                assert changes(between) == 0


async def test_what_is_asked_for_last_counts(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action):
                other = "p" if action.key != "p" else "P"
                await it.send(other)
                await answered(it, between)
                await it.until(lambda: asking(it) <= 1)
                assert changes(between) == 0 or other == "p"


@pytest.mark.parametrize("conversation", ["Cache the docker layers", "Fuzz the parser over night"])
async def test_enter_twice_reads_a_run_once(conversation: str) -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SLOW.over(app, seed=1))) as it:
        chosen = next(c for c in it.screen.sidebar.conversations if c.title == conversation)
        it.screen.sidebar.highlight(chosen.id)
        between.asked.clear()
        between.hold("*")
        await it.send("enter")
        await it.until(lambda: it.screen.session.is_reading and between.asked)
        asked = len(between.asked)
        await it.send("enter", "enter", "1", "enter")
        assert len(between.asked) == asked, "nothing is begun anew"
        await answered(it, between)
        await it.until(lambda: it.screen.timeline.row_count() > 0)


async def test_keys_meanwhile_are_for_what_opens(tmp_path: Path) -> None:
    async with exploring(tmp_path) as (it, between):
        for action in ACTIONS:
            async with pressed(it, between, action):
                await it.send("1", "j")
                assert it.screen.session.pane == "timeline"
                await answered(it, between)
                await it.until(lambda: asking(it) == 1)
                assert it.screen.session.current is not None
                assert it.screen.session.current.title == action.conversation
                assert changes(between) == 0

"""Snapshots of the screen: each pane, three sizes, questions, errors."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from oh_tui.api import AppServer
from oh_tui.demo import Demo
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.tui.app import OhTui
from tests.tui.explorer import NOW, Explorer

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def app(
    *,
    ascii: bool = False,
    theme: str = "oh-dark",
    refuses: bool = False,
    shows: str = "showcase",
) -> OhTui:
    demo = Demo(NOW, shows)
    demo.rate_limited = False

    def make() -> Source:
        url = "http://127.0.0.1:9" if refuses else demo.base_url
        api = AppServer(url, app=None if refuses else demo.app)
        return ServerSource(api, "demo", demo.opening, last_known=demo.last_known)

    made = OhTui(make, Settings(ascii=ascii), demo=make, clock=NOW.timestamp)
    made.theme = theme
    return made


def pressing(*keys: str) -> Callable[[Pilot[int]], object]:
    async def press(pilot: Pilot[int]) -> None:
        running = pilot.app
        assert isinstance(running, OhTui)
        it = Explorer(running, pilot, Demo(NOW))
        main = running.main
        await it.until(
            lambda: main.is_mounted and main.session.source is not None and main.footer.hints
        )
        await it.settle()
        for key in keys:
            await it.press(key)
            await it.settle()
            if main.focused is main.sidebar.list and not main.session.arrangement.narrow:
                await it.until(
                    lambda: main.session.current is main.sidebar.list.current
                )  # by itself
                await it.settle()
        for field in (*running.screen.query(Input), *running.screen.query(TextArea)):
            field.cursor_blink = False

    return press


@pytest.mark.parametrize(
    ("size", "keys"),
    [
        pytest.param((160, 48), ("enter",), id="160x48"),
        pytest.param((120, 36), ("enter",), id="120x36"),
        pytest.param((80, 24), (), id="list-80x24"),
        pytest.param((80, 24), ("enter",), id="run-80x24"),
        pytest.param((120, 36), ("g", "enter"), id="nothing-yet"),
        pytest.param((120, 36), ("enter", *"kkkkkk"), id="edit-as-diff"),
        pytest.param((120, 36), ("enter", "g"), id="message"),
        pytest.param((120, 36), ("enter", "E", "x"), id="every-event"),
        pytest.param((120, 36), ("2", "j", "p"), id="pause-question"),
        pytest.param((120, 36), ("enter", "y"), id="copy-menu"),
        pytest.param((120, 36), ("question_mark",), id="help"),
        pytest.param((120, 36), ("W",), id="wall"),
        pytest.param((80, 24), ("W", "a"), id="wall-asking-80x24"),
        pytest.param((120, 36), ("enter", "v", "k", "k", "ampersand"), id="filter"),
        pytest.param((120, 36), ("enter", "v", "k", "k"), id="range"),
        pytest.param((100, 30), ("enter", "T"), id="where-it-went"),
        pytest.param((100, 30), ("enter", "c"), id="changed-files"),
        pytest.param((120, 36), ("enter", "c", "j", "j", "b", "G", "K"), id="blame"),
        pytest.param((120, 36), ("enter", "V", "x", "g"), id="context"),
        pytest.param((80, 24), ("enter", "V"), id="context-80x24"),
        pytest.param((120, 36), ("enter", "C", "j"), id="rules"),
        pytest.param((120, 36), ("g", "a"), id="answer"),
        pytest.param((80, 24), ("g", "m", "x", "ctrl+s"), id="message-80x24"),
        pytest.param((80, 24), ("g", "j", "j", "j", "P"), id="stop-80x24"),
        pytest.param((80, 24), ("ctrl+n",), id="start-80x24"),
        pytest.param((80, 24), ("exclamation_mark",), id="shell-80x24"),
        pytest.param((120, 36), ("space", "space", "p"), id="marked"),
        pytest.param((120, 36), ("space", "slash", *"ERP", "enter", "equals_sign"), id="compare"),
        pytest.param((120, 36), ("B", "f", "j"), id="failures"),
    ],
)
def test_the_screen(snap_compare: Compare, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=pressing(*keys))


def test_light(snap_compare: Compare) -> None:
    assert snap_compare(
        app(theme="oh-light"), terminal_size=(120, 36), run_before=pressing("enter")
    )


def test_ascii(snap_compare: Compare) -> None:
    assert snap_compare(app(ascii=True), terminal_size=(120, 36), run_before=pressing("enter"))


def test_hostile_titles(snap_compare: Compare) -> None:
    assert snap_compare(
        app(shows="odd"), terminal_size=(120, 36), run_before=pressing("g", "j", "j", "enter")
    )


def test_a_server_that_is_not_there(snap_compare: Compare) -> None:
    async def wait(pilot: Pilot[int]) -> None:
        running = pilot.app
        assert isinstance(running, OhTui)
        it = Explorer(running, pilot, Demo(NOW))
        await it.until(lambda: running.main.is_mounted and running.main.footer.news)
        await it.settle()

    assert snap_compare(app(refuses=True), terminal_size=(120, 36), run_before=wait)

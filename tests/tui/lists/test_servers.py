"""Switching servers, keys and appearance from the settings file, servers without some features."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.demo import Demo
from oh_tui.settings.config import LOCAL, Config, ServerEntry, parse_config
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.sources.this_machine import ThisMachine
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.run.step_moves import FAILED
from oh_tui.tui.controllers.servers import Servers as ServersController
from oh_tui.tui.keys import known
from oh_tui.tui.screens.help import HelpScreen
from oh_tui.tui.session import Session
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, explore
from tests.tui.fake_ui import FakeUi

CONFIG = Config(
    servers={
        "lab": ServerEntry("lab", "http://lab.example", read_only=True),
        "work": ServerEntry("work", "http://work.example", key_env="NO_SUCH_VARIABLE"),
        "cloud": ServerEntry("cloud", "https://app.all-hands.dev"),
    }
)

OPEN = Config(servers={"lab": ServerEntry("lab", "http://lab.example")})
"""One that may be changed."""


class Closing(ServerSource):
    closed = False

    async def close(self) -> None:
        self.closed = True
        await super().close()


class Servers:
    """Makes a source of the demo for each server that is gone to."""

    def __init__(self) -> None:
        self.made: list[Closing | ThisMachine] = []
        self.fails: Problem | None = None
        self.between: dict[str, Between] = {}

    def __call__(self, settings: Settings) -> Source:
        if self.fails:
            raise self.fails
        if settings.server == LOCAL:
            source: Closing | ThisMachine = ThisMachine(settings.own_runs)
        else:
            demo = Demo(NOW, "everything")
            demo.rate_limited = False
            between = self.between.setdefault(settings.server, Between())
            api = AppServer(demo.base_url, app=between(demo.app), retries=AT_ONCE)
            source = Closing(api, settings.label)
        self.made.append(source)
        return source


@asynccontextmanager
async def two(settings: Settings | None = None) -> AsyncIterator[tuple[Explorer, Servers]]:
    servers = Servers()
    first = replace(settings or Settings(config=CONFIG), server="first")
    async with explore(settings=first, source=lambda: servers(first), connect=servers) as it:
        yield it, servers


async def go(it: Explorer, name: str) -> None:
    """As the palette does it; its search is looked at in a test of its own."""
    it.screen.run_worker(it.screen.controllers.servers.switch(name), group="ask")
    await it.settle()


async def test_the_palette_goes_to_another_server() -> None:
    async with two() as (it, servers):
        await it.open("Parse ISO week dates")
        await it.press("slash")
        await it.type("pytest")
        await it.press("enter")
        await it.press("ctrl+p")
        await it.find_command("server lab", "lab")
        await it.press("enter")
        await it.until(lambda: len(servers.made) == 2)
        await it.settle()
        first, second = servers.made
        assert isinstance(first, Closing) and first.closed
        assert it.screen.session.source is second
        assert "lab  lab.example  read-only" in it.text("#header")
        assert len(it.screen.sidebar.conversations) > 20
        assert it.screen.session.find_text == "" and it.screen.session.pane == "conversations"
        await it.press("p")
        assert "read-only" in it.footer


async def test_nothing_of_the_old_server_stays_and_nothing_is_read_from_it() -> None:
    async with two() as (it, servers):
        await it.open("Migrate to pydantic 2")  # it runs, so it is followed
        servers.between["lab"] = Between()
        held = servers.between["lab"].hold("GET /api/v1/app-conversations/search")
        await go_without_waiting(it, "lab")
        await it.until(lambda: len(servers.made) == 2)
        assert it.screen.session.current is None and not it.screen.sidebar.conversations
        assert it.screen.timeline.row_count() == 0 and "pydantic" not in it.text("#run-rule")
        asked = len(servers.between["first"].asked)
        await it.send("enter", "p", "j", "f", "y", "c", "escape")  # with nothing there
        await asyncio.sleep(0.3)
        assert len(servers.between["first"].asked) == asked
        held.set()
        await it.settle()
        assert it.screen.sidebar.conversations


async def go_without_waiting(it: Explorer, name: str) -> None:
    it.screen.run_worker(it.screen.controllers.servers.switch(name), group="ask")
    for _ in range(5):
        await it.pilot.pause(0)


async def test_a_server_without_its_key_is_refused_and_the_old_one_stays_open() -> None:
    async with two() as (it, servers):
        await go(it, "work")
        assert "NO_SUCH_VARIABLE, which is not set" in it.footer
        await it.press("escape")
        await go(it, "cloud")
        assert "There is no key for cloud" in it.footer
        assert len(servers.made) == 1 and it.screen.session.settings.server == "first"
        assert it.screen.sidebar.conversations


async def test_a_server_that_cannot_be_opened_says_why_and_r_tries_again() -> None:
    async with two() as (it, servers):
        servers.fails = Problem("pass ended with code 1: locked", "unlock it")
        await go(it, "lab")
        assert "lab  lab.example" in it.text("#header")
        assert "pass ended with code 1" in it.text("#conversations")
        assert "failed" not in it.text("#header"), "nor any other count of the server before"
        assert "no run to show" in it.text("#timeline")
        servers.fails = None
        await it.press("escape", "r")
        assert len(it.screen.sidebar.conversations) > 20


async def test_while_something_is_written_going_away_asks_first() -> None:
    async with two() as (it, servers):
        with it.screen.session.writes.doing("pausing a sandbox"):
            await go(it, "lab")
            assert "Still pausing a sandbox" in it.text("#question")
            await it.press("escape")
            assert len(servers.made) == 1
            await go(it, "lab")
            await it.press("enter")
            assert len(servers.made) == 2


async def test_of_two_writes_with_the_same_words_the_second_is_asked_about_still() -> None:
    async with explore() as it:
        with it.screen.session.writes.doing("downloading a trajectory"):
            with it.screen.session.writes.doing("downloading a trajectory"):
                pass
            await it.press("q")
            assert "Still downloading a trajectory. A change" in it.text("#question")
            await it.press("escape")
        assert it.screen.session.writes.words == ""


async def test_what_is_being_written_asks_first_and_is_kept() -> None:
    async with two() as (it, servers):
        await it.open("Parse ISO week dates")
        await it.send("m")
        await it.until(lambda: it.screen.asking.editor)
        await it.type("not yet")
        await go_without_waiting(it, "lab")
        await it.until(lambda: it.screen.asking.question_bar.question)
        assert "Still writing to an agent" in it.text("#question")
        await it.send("enter")
        await it.until(lambda: len(servers.made) == 2)
        await it.settle()
        assert it.screen.asking.editor is None and "not yet" in it.screen.session.drafts.values()


def keep(home: Path, name: str, text: str) -> None:
    events = home / name / "events"
    events.mkdir(parents=True, exist_ok=True)
    (home / name / "base_state.json").write_text(json.dumps({"id": name * 8}))
    said = {"role": "user", "content": [{"type": "text", "text": text}]}
    event = {"id": f"e-{name}", "kind": "MessageEvent", "source": "user", "llm_message": said,
             "timestamp": "2026-03-01T10:00:00"}  # fmt: skip
    number = len(list(events.iterdir()))
    (events / f"event-{number:05}-e{number}.json").write_text(json.dumps(event))


async def test_this_machine_is_a_server_whose_runs_are_found_as_they_come(tmp_path: Path) -> None:
    settings = Settings(config=CONFIG, own_runs=tmp_path)
    async with two(settings) as (it, _):
        await go(it, LOCAL)
        assert "There are no runs on this machine yet" in it.footer
        keep(tmp_path, "aaaa", "sort the list")
        await it.press("escape", "r")
        assert [c.id for c in it.screen.sidebar.conversations] == ["aaaa" * 8]
        await it.press("enter")
        assert "sort the list" in it.text("#timeline")
        await asyncio.sleep(0.02)
        keep(tmp_path, "bbbb", "another")
        await it.press("1", "r")
        assert {c.id for c in it.screen.sidebar.conversations} == {"aaaa" * 8, "bbbb" * 8}
        assert "local  ~/.openhands/conversations" in it.text("#header")
        await go(it, "lab")
        assert len(it.screen.sidebar.conversations) > 20


async def test_the_newest_run_of_this_machine_is_the_first_and_goes_on(tmp_path: Path) -> None:
    for name in ("aaaa", "bbbb"):
        keep(tmp_path, name, "hi")
        await asyncio.sleep(0.02)
    source = ThisMachine(tmp_path)
    assert [c.id[:4] for c in (await source.newest()).items] == ["bbbb", "aaaa"]
    keep(tmp_path, "aaaa", "more")
    newest = (await source.newest()).items
    assert [c.id[:4] for c in newest] == ["aaaa", "bbbb"]
    assert (await source.runs.count_events(newest[0]))[0] == 2
    with pytest.raises(Problem, match="There is no folder"):
        await ThisMachine(tmp_path / "none").newest()


# Keys and looks


KEYS = """
[keys]
quit = "Q"
"find.next" = "ctrl+g"
"error.next" = "u"
"user.next" = "e"
"move.down" = "down,ctrl+j"
palette = "f6"
"""


async def test_keys_are_rebound_in_footer_help_and_palette() -> None:
    settings = Settings(config=parse_config(KEYS, known())[0])
    async with explore(settings=settings) as it:
        assert "Q quit" in it.footer
        before = it.screen.sidebar.list.cursor
        await it.press("j")
        assert it.screen.sidebar.list.cursor == before
        await it.press("ctrl+j")
        assert it.screen.sidebar.list.cursor > before
        await it.press("q")
        assert it.app.is_running and not it.app._exit
        await it.press("question_mark")
        assert isinstance(it.app.screen, HelpScreen)
        shown = str(it.app.screen.query("Static").first().render())
        assert "Q           close this view" in shown
        await it.press("escape")
        await it.press("slash")
        await it.type("que")  # keys of actions, typed into a line
        assert it.screen.asking.find_input.value == "que"
        await it.press("escape")
        await it.press("ctrl+p")
        assert len(it.app.screen_stack) == 1
        await it.press("f6")
        assert len(it.app.screen_stack) == 2


async def test_two_actions_exchange_their_keys() -> None:
    settings = Settings(config=parse_config(KEYS, known())[0])
    async with explore(settings=settings) as it:
        await it.open("Nightly dependency bump")
        timeline = it.screen.timeline
        await it.press("g")
        await it.press("u")
        assert timeline.current and timeline.current[0] and timeline.trajectory
        assert timeline.trajectory.outcome(timeline.current[0]) in FAILED


@pytest.mark.parametrize(
    ("theme", "name"), [("oh-light", "oh-light"), ("nord", "nord"), ("ansi", "ansi-dark")]
)
async def test_a_theme_is_chosen_in_the_file(theme: str, name: str) -> None:
    async with explore(settings=Settings(config=Config(theme=theme))) as it:
        assert it.app.theme == name
        assert it.text("#header")
    async with explore(settings=Settings(config=Config(theme=theme), no_color=True)) as it:
        assert it.app.theme == "ansi-dark"


async def test_the_palette_changes_the_theme() -> None:
    async with explore() as it:
        await it.press("ctrl+p")
        await it.find_command("theme oh-light", "oh-light")
        await it.press("enter")
        await it.until(lambda: it.app.theme == "oh-light")


async def test_what_is_to_be_said_of_the_key_is_said_once_at_the_start() -> None:
    settings = Settings(cautions=("others can read the key in ~/k: chmod 600 ~/k",))
    async with explore(settings=settings) as it:
        assert "others can read the key" in it.footer


# A server that lacks a call


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_that_lacks_a_call_loses_that_alone(status: int) -> None:
    between = Between()
    for call in (
        "GET /runtime/*/git/*",
        "GET /api/v1/sandboxes/search",
        "GET /api/v1/app-conversations/count",
    ):
        between.answer(call, status, '{"detail":"Not Found"}', "application/json")
    async with explore(wrap=between) as it:
        assert len(it.screen.sidebar.conversations) > 20
        assert "This server does not support" in it.footer
        await it.press("escape")
        await it.open("Parse ISO week dates")
        assert it.screen.timeline.row_count() > 20
        await it.press("c")
        await it.settle()
        assert len(it.app.screen_stack) == 2
        await it.press("q")
        asked = between.count("GET /api/v1/app-conversations/search")
        it.screen.footer.clear()
        await it.press("r")
        assert between.count("GET /api/v1/app-conversations/search") == asked + 1
        assert between.count("GET /api/v1/sandboxes/search") == 1
        assert "This server" not in it.footer and not it.app.crashed


async def test_what_a_resume_brought_about_is_asked_of_the_server_that_did_it() -> None:
    here, there = Between(), Between()
    async with explore(wrap=here) as it:
        demo = Demo(NOW, "everything")
        demo.rate_limited = False
        other = ServerSource(
            AppServer(demo.base_url, app=there(demo.app), retries=AT_ONCE), "other"
        )
        paused = next(s.id for s in await other.sandboxes.all() if s.status == "PAUSED")
        change = it.screen.controllers.sandboxes.change(other.sandboxes, paused)
        it.screen.run_worker(change, group="write")
        await it.until(lambda: it.screen.asking.question_bar.display)
        asked = len(here.asked)
        await it.send("enter")
        await it.until(lambda: "running again" in it.footer)
        assert there.count("POST */resume") == 1
        assert there.asked[-1] == "GET /api/v1/sandboxes/search"
        assert "GET /api/v1/sandboxes/search" not in here.asked[asked:]
        await other.close()


async def test_a_message_whose_server_is_left_is_kept_and_not_offered_on_the_next_one() -> None:
    async with two(Settings(config=OPEN)) as (it, servers):
        first = servers.between["first"]
        held = first.hold("POST /api/v1/sandboxes/*/resume")
        await it.open("Raise the coverage of billing")
        await it.send("m")
        await it.until(lambda: it.screen.asking.editor)
        await it.type("more tests")
        await it.send("ctrl+s")
        await it.until(lambda: "resume it, then send" in it.text("#question"))
        await it.send("enter")
        await it.until(lambda: first.count("POST *"))
        await leave(it, servers)
        held.set()
        await it.until(lambda: not it.screen.ui.at_work("write"))
        assert it.screen.asking.editor is None
        assert not [text for text, _ in it.screen.footer.history if "m continues" in text]
        assert "more tests" in it.screen.session.drafts.values()
        assert servers.between["lab"].count("POST *") == 0


async def test_a_shell_whose_server_is_left_while_its_sandbox_wakes_says_one_thing_alone() -> None:
    async with two(Settings(config=OPEN)) as (it, servers):
        first = servers.between["first"]
        held = first.hold("POST /api/v1/sandboxes/*/resume")
        await it.open("Raise the coverage of billing")
        await it.send("exclamation_mark")
        await it.until(lambda: "Resume sandbox" in it.text("#question"))
        await it.send("enter")
        await it.until(lambda: first.count("POST *"))
        await leave(it, servers)
        held.set()
        await it.until(lambda: not it.screen.session.writes.words)
        await it.settle()
        assert it.app.screen is it.screen
        closed = [text for text, _ in it.screen.footer.history if "closed here" in text]
        assert len(closed) == 1


async def leave(it: Explorer, servers: Servers) -> None:
    """Go to the other server although something goes on at this one."""
    await go_without_waiting(it, "lab")
    await it.until(lambda: "go to lab anyway" in it.text("#question"))
    await it.send("enter")
    await it.until(lambda: len(servers.made) == 2 and it.screen.sidebar.conversations)


async def test_a_server_without_a_way_to_it_is_not_gone_to() -> None:
    ui = FakeUi()
    controller = ServersController(Session(Settings(config=OPEN)), ui, None, None, None)
    assert controller.others() == []
    await controller.switch("lab")
    assert not ui.posted

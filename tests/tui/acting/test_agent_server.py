"""The explorer on an agent server that is the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import ASGIApp
from textual.widgets import OptionList, Static

from oh_tui.actions.start_draft import Draft
from oh_tui.api import ApiError, AppServer, BareAgentServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.settings.startup import Settings
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.tui.hints import idle_keys
from oh_tui.tui.keys import ALL_KEYS, MORE
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.widgets.drawing import Rule
from tests.api.servers import AT_ONCE
from tests.tui.explorer import NOW, Between, explore

TITLE = "Add OAuth login"
"""Its agent waits for an answer."""


def unknown_kind(app: ASGIApp, *, is_set: bool = False) -> Callable[[], Source]:
    """An agent server of which nothing is known but its address."""

    def alone() -> BareAgentServer:
        return BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE)

    def make() -> Source:
        api = AppServer("http://demo.invalid", app=app, retries=AT_ONCE)
        return ServerSource(api, "here", alone=None if is_set else alone)

    return make


def an_agent_server() -> ASGIApp:
    return make_alone(Demo(NOW).world)


async def test_what_turns_out_to_be_an_agent_server_is_opened_as_one() -> None:
    between = Between()
    async with explore(source=unknown_kind(between(an_agent_server()))) as it:
        assert isinstance(it.screen.session.source, AgentServerSource)
        assert "here  agent server" in it.text("#header")
        assert between.asked[:3] == [
            "GET /api/v1/app-conversations/search",
            "GET /server_info",
            "GET /api/conversations/search",
        ]
        assert "sandboxes" not in it.screen.session.arrangement.visible()
        await it.open(TITLE)
        await it.until(lambda: it.screen.session.has_events)


async def test_with_the_kind_in_the_settings_the_wrong_one_is_said() -> None:
    async with explore(source=unknown_kind(an_agent_server(), is_set=True)) as it:
        await it.until(lambda: "is an agent server, not an app server" in it.footer)


def known_kind(between: Between | None = None) -> Callable[[], Source]:
    app = an_agent_server()

    def make() -> Source:
        served = between(app) if between else app
        api = BareAgentServer("http://demo.invalid", app=served, retries=AT_ONCE)
        return AgentServerSource(api, "here", address="http://demo.invalid")

    return make


async def test_there_is_no_sandbox_to_pause_and_no_page_to_open() -> None:
    async with explore(source=known_kind()) as it:
        await it.open(TITLE)
        await it.send("p")
        assert "this is an agent server: there is no sandbox" in it.footer
        await it.send("o")
        assert "no web pages" in it.footer


async def test_help_and_palette_leave_out_what_can_do_nothing_there() -> None:
    async with explore(source=known_kind()) as it:
        await it.open(TITLE)
        await it.pilot.press("ctrl+p")
        await it.until(lambda: len(it.app.screen.query("CommandList")) > 0)
        listed = it.app.screen.query_one("CommandList", OptionList)
        await it.until(lambda: any("search all runs" in str(o.prompt) for o in listed.options))
        prompts = " | ".join(str(option.prompt) for option in listed.options)
        assert "shell" in prompts and "new conversation" in prompts
        assert "sandbox" not in prompts and "web page" not in prompts
        await it.type("pause the sandbox")
        await it.until(lambda: listed.option_count == 1)
        await it.press("escape", "question_mark")
        await it.type("sandbox")
        screen = it.app.screen
        await it.until(lambda: "found" in it.text_of(screen.query_one(Rule)))
        found = str(screen.query_one("#help-left", Static).content)
        assert "go to the sandboxes" not in found and "pause the sandbox" not in found


AUTOMATION = {"run automation now", "its automation"}


@pytest.mark.parametrize(
    ("lacks", "idle"),
    [
        ("sandboxes automations", {"pane.2", "sandbox.pause", *AUTOMATION}),
        ("automations", AUTOMATION),
        ("sandboxes", set()),
        (
            "agents",
            {
                "answer",
                "message",
                "agent.stop",
                "budget",
                "start",
                "start anew",
                "ask",
                "fork",
                "agent setup",
                "replay this run",
                "switch profile",
            },
        ),
        ("workspaces", {"shell", "get a file", "put a file"}),
        ("remote", {"download", "load.all"}),
        ("records", {"rename"}),
        ("web", {"open.page"}),
    ],
)
def test_what_a_source_lacks_takes_its_keys_along(lacks: str, idle: set[str]) -> None:
    parts = ("sandboxes", "automations", "agents", "workspaces", "remote", "records", "web")
    zips = SimpleNamespace(gives_zips=True, are_there=True)
    source: Any = SimpleNamespace(
        **{part: zips if part not in lacks.split() else None for part in parts}
    )
    assert idle_keys(source) == idle
    assert idle <= {key.id for key in ALL_KEYS} | {label for label, *_ in MORE}
    assert idle_keys(None) == frozenset()


async def test_what_works_on_the_server_is_not_said_to_work_in_a_sandbox() -> None:
    async with explore(source=known_kind()) as it:
        await it.open(TITLE)
        await it.send("2")
        assert "this is an agent server: there is no sandbox" in it.footer
        await it.send("exclamation_mark")
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        assert isinstance(shell := it.app.screen, ShellScreen)
        assert "A command runs on the server" in shell.output.plain_text()
        await it.send("escape")
        for what, asked in (("get", "from the server"), ("put", "on the server")):
            await it.screen.run_action(f"workspaces.{what}")
            await it.until(lambda: it.screen.asking.find_input.display)
            assert asked in it.text("#asked-rule")
            assert "sandbox" not in it.text("#asked-rule") + it.text("#asked")
            await it.send("escape")


async def test_errors_of_git_and_files_name_the_server() -> None:
    between = Between()
    app = between(an_agent_server())
    async with BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE) as api:
        (listed,) = (await api.search_conversations(limit=1)).items
        agent = api.agent_server(listed)
        between.answer("GET /api/*", 500)
        for ask in (
            partial(agent.git_changes, "/w"),
            agent.search_events,
            partial(agent.sandbox.file_size, "/w"),
        ):
            with pytest.raises(ApiError) as caught:
                await ask()
            assert "the server" in caught.value.sentence
            assert "sandbox" not in f"{caught.value.sentence} {caught.value.hint}"


async def test_a_waiting_call_is_answered() -> None:
    between = Between()
    async with explore(source=known_kind(between)) as it:
        await it.open(TITLE)
        await it.until(lambda: it.screen.session.has_events)
        await it.send("a")
        await it.until(lambda: it.screen.asking.question_bar.question)
        await it.send("y", "enter")
        await it.until(lambda: between.count("POST *run"))


async def test_read_only_holds() -> None:
    between = Between()
    settings = Settings(read_only=True)
    async with explore(source=known_kind(between), settings=settings) as it:
        await it.open(TITLE)
        for key in ("a", "m", "P", "p", "ctrl+n", "exclamation_mark"):
            await it.send(key)
        assert between.count("POST *") == 0


async def test_a_start_asks_for_what_the_server_takes() -> None:
    between = Between()
    async with explore(source=known_kind(between)) as it:
        it.screen.session.draft = Draft("Look around", repository="acme/dates")
        await it.send("ctrl+n")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        form = it.app.screen
        assert isinstance(form, StartScreen)
        assert [*form.fields][:4] == ["folder", "worktree", "title", "profile"]
        assert not form.rows["worktree"].display
        assert "sandbox" not in form.message
        await it.send("ctrl+s")
        await it.until(lambda: between.count("POST /api/conversations"))
        await it.until(lambda: not isinstance(it.app.screen, StartScreen))

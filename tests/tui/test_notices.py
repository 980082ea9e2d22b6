"""An error lives as long as its cause: a later success of the same kind takes it away, no other."""

from __future__ import annotations

import ast
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import oh_tui.tui
from oh_tui.actions import starting as source_starting
from oh_tui.conversation import bare_id
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.state import Clock
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.agent import agents, compose
from oh_tui.tui.controllers.lists import conversations
from oh_tui.tui.screens.board import BoardScreen
from oh_tui.tui.screens.search import SearchScreen
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.widgets.bars import Footer
from tests.hostile.kinds import write_zip
from tests.tui.acting.test_answering import FLAKY, OAUTH
from tests.tui.explorer import Between, Explorer, case, explore
from tests.tui.lists.test_several import listed

TUI = Path(oh_tui.tui.__file__).parent
IDS = {entry.title: entry.id for entry in ENTRIES}

SEARCH = "GET /api/v1/app-conversations/search"
RECORDS = "GET /api/v1/app-conversations"
RUNTIME = "* /runtime/*"
BROKEN = "Backfill invoice numbers"
WEEK = "Parse ISO week dates"

Do = Callable[[Explorer], Coroutine[Any, Any, None]]


@dataclass
class Kind:
    """A kind of call that fails while `pattern` is answered with 500, and what does it again."""

    pattern: str
    do: Do
    about: str
    """What its error is about."""


async def refresh(it: Explorer) -> None:
    it.screen.controllers.conversations.schedule.ask()
    await it.settle()


async def read(it: Explorer) -> None:
    await it.open(BROKEN)
    await it.press("r")


async def message(it: Explorer) -> None:
    await it.open(FLAKY)
    await it.press("m", "ctrl+u")
    await it.type("Look at the last test too.")
    await it.press("ctrl+s")
    if it.screen.asking.editor is not None:  # it was not sent: the text is offered again
        await it.press("escape")


async def download(it: Explorer) -> None:
    await it.open(BROKEN)
    await it.press("d")


def pressed(title: str, *keys: str) -> Do:
    """Keys on a run, then the way out of what they opened."""

    async def do(it: Explorer) -> None:
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[title])
        await it.settle()
        await it.press(*keys)
        for _ in range(2):
            asking = it.screen.asking
            if asking.is_asking or asking.editor or it.app.screen is not it.screen:
                await it.press("escape")

    return do


async def pause_marked(it: Explorer) -> None:
    it.screen.session.keep_marks(frozenset({bare_id(IDS[FLAKY])}))
    await pressed(FLAKY, "p")(it)


def acted(title: str, controller: str, action: str, *keys: str) -> Do:
    """The same for a command of the palette."""

    async def do(it: Explorer) -> None:
        await pressed(title)(it)
        getattr(getattr(it.screen.controllers, controller), f"action_{action}")()
        await it.settle()
        await pressed(title, *keys)(it)

    return do


KINDS = {
    "lists": Kind(SEARCH, refresh, conversations.LISTS),
    "sandboxes": Kind("GET /api/v1/sandboxes/search", refresh, "sandboxes"),
    "run": Kind("GET /api/v1/conversation/*/events/*", read, f"run {IDS[BROKEN]}"),
    "agent": Kind("POST /runtime/*", message, agents.AGENT),
    "answer": Kind(RECORDS, pressed(OAUTH, "a"), agents.AGENT),
    "stop": Kind(RECORDS, pressed(FLAKY, "P"), agents.AGENT),
    "read": Kind(RECORDS, pressed(FLAKY, "m"), compose.READING),
    "ask": Kind(RECORDS, pressed(FLAKY, "A"), "AgentSetups.action_ask"),
    "setup": Kind(RECORDS, acted(FLAKY, "agent_setups", "open"), "AgentSetups.action_open"),
    "switch": Kind(RECORDS, acted(FLAKY, "agent_setups", "switch"), "AgentSetups.action_switch"),
    "fork": Kind(RECORDS, pressed(WEEK, "F"), "Forking.action_fork"),
    "pause": Kind("GET /api/v1/sandboxes*", pressed(FLAKY, "p"), "SandboxActions.action_pause"),
    "pause marked": Kind("GET /api/v1/sandboxes*", pause_marked, "SandboxActions.action_pause"),
    "shell": Kind(
        "GET /runtime/*", pressed(FLAKY, "exclamation_mark"), "WorkspaceActions.action_shell"
    ),
    "get": Kind("GET /runtime/*", acted(FLAKY, "workspaces", "get"), "WorkspaceActions.action_get"),
    "put": Kind("GET /runtime/*", acted(FLAKY, "workspaces", "put"), "WorkspaceActions.action_put"),
    "download": Kind("GET /api/v1/app-conversations/*/download", download, "download"),
}

BY_WITH = "what is within `with ui.reporting` settles when it comes to its end"

SITES = {
    "controllers/agent/agents.py::AgentActions.action_answer": "answer",
    "controllers/agent/agents.py::AgentActions.action_stop_or_continue": "stop",
    "controllers/lists/conversations.py::Conversations._hear": "test_a_server_of_several",
    "controllers/controller.py::Controller.save_annotations": "test_a_disk_that_takes_again",
    "controllers/agent/budgets.py::Budgets._stop_unless_told": BY_WITH,
    "controllers/agent/attempts.py::AttemptActions.action_verify": BY_WITH,
    "controllers/agent/attempts.py::AttemptActions.action_accept": BY_WITH,
    "controllers/agent/attempts.py::AttemptActions.action_drop": BY_WITH,
    "controllers/automations.py::AutomationActions.action_open_run": BY_WITH,
    "controllers/automations.py::AutomationActions.switch": BY_WITH,
    "controllers/automations.py::AutomationActions.action_run": BY_WITH,
    "controllers/automations.py::AutomationActions._stop": BY_WITH,
    "controllers/agent/compose.py::Composer.action_write": "agent",
    "controllers/agent/compose.py::Composer._show_when_read": "read",
    "controllers/agent/compose.py::Composer._send": "test_a_message_of_which_no_more",
    "controllers/agent/start.py::Forking.action_fork": "fork",
    "controllers/agent/start.py::Forking._tell_of": "test_an_error_of_a_fork_ends_when_it_runs",
    "controllers/agent/replays.py::Replays.action_run": BY_WITH,
    "controllers/agent/replays.py::Replays._replay": BY_WITH,
    "controllers/agent/setup.py::AgentSetups.action_ask": "ask",
    "controllers/agent/setup.py::AgentSetups.action_open": "setup",
    "controllers/agent/setup.py::AgentSetups.action_switch": "switch",
    "controllers/run/annotate.py::AnnotationActions.action_undo": BY_WITH,
    "controllers/agent/start.py::NewConversations._watch": "test_a_start_that_works",
    "controllers/lists/conversations.py::Conversations._open": "lists",
    "controllers/lists/conversations.py::Conversations._show_problems": "test_a_file_that_is_whole",
    "controllers/lists/conversations.py::Conversations._read_more": "lists",
    "controllers/lists/conversations.py::Conversations.refresh": "lists",
    "controllers/lists/conversations.py::Conversations._optional": "sandboxes",
    "controllers/lists/filter_and_sort.py::ListActions._reporting": BY_WITH,
    "controllers/run/annotate.py::AnnotationActions._bookmark": BY_WITH,
    "controllers/run/annotate.py::AnnotationActions._write_there": BY_WITH,
    "controllers/run/sub_conversations.py::BranchActions._tells_branches": BY_WITH,
    "controllers/run/older.py::OlderEvents._load_all": BY_WITH,
    "controllers/run/older.py::OlderEvents._read": BY_WITH,
    "controllers/run/reader.py::RunReader._load": "run",
    "controllers/run/reader.py::RunReader.take": "test_a_place_that_is_not_there",
    "controllers/run/reader.py::RunReader._follow": BY_WITH,
    "controllers/run/rules.py::RulesOfRun._agree": BY_WITH,
    "controllers/run/sub_conversations.py::SubConversations.enter": BY_WITH,
    "controllers/run/sub_conversations.py::SubConversations._read_below": BY_WITH,
    "controllers/sandbox/workspaces.py::WorkspaceActions.action_get": "get",
    "controllers/sandbox/workspaces.py::WorkspaceActions.action_put": "put",
    "controllers/sandbox/sandboxes.py::SandboxActions.change": "pause",
    "controllers/sandbox/sandboxes.py::SandboxActions._pause_marked": "pause marked",
    "controllers/sandbox/workspaces.py::WorkspaceActions.action_shell": "shell",
    "controllers/servers.py::Servers.switch": BY_WITH,
    "controllers/system/downloads.py::Downloads.action_download": "download",
    "controllers/system/downloads.py::Downloads._download_marked": "test_a_download_of_several",
    "controllers/system/external.py::ExternalPrograms.page": BY_WITH,
    "controllers/system/external.py::ExternalPrograms.edit": BY_WITH,
    "controllers/system/external.py::ExternalPrograms._hand_over": "within `page` and `edit`",
    "controllers/system/external.py::Images._save": BY_WITH,
    "screens/board.py::BoardScreen.action_rules": "test_rules_that_can_be_read",
    "screens/pass_screen.py::PassScreen.read": "test_words_that_can_be_read",
    "screens/share.py::ShareScreen._write": "test_a_folder_that_is_there_now",
    "screens/shell.py::ShellScreen._end": "test_a_command_that_can_be_stopped",
}
"""Each place that can put an error into a footer -> the kind of `KINDS` or the test of this file by
which it ends with its cause."""


def places() -> dict[str, set[str]]:
    """Those places as the code has them, with the names of the calls that do it."""
    found: dict[str, set[str]] = {}
    for path in sorted(TUI.rglob("*.py")):
        if path.name not in ("ui.py", "bars.py"):  # they own it
            for names, call in _calls(ast.parse(path.read_text()), ()):
                place = f"{path.relative_to(TUI).as_posix()}::{'.'.join(names)}"
                found.setdefault(place, set()).add(call)
    return found


def _calls(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for child in ast.iter_child_nodes(node):
        inner = names
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = (*names, child.name)
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            owner, name = ast.unparse(child.func.value), child.func.attr
            is_error = any(
                word.arg == "error" and ast.unparse(word.value) != "False"
                for word in child.keywords
            )
            if (name in ("report", "reporting") and owner.endswith("ui")) or (
                name == "tell" and is_error
            ):
                yield names, name
        yield from _calls(child, inner)


def test_each_place_that_can_put_an_error_into_a_footer_is_in_the_table() -> None:
    found = places()
    assert found.keys() == SITES.keys(), "say here how its error ends, and show it by a test"
    tests = [name for name in globals() if name.startswith("test_")]
    for place, by in SITES.items():
        if by == BY_WITH:
            assert "reporting" in found[place], place
        elif not by.startswith("within"):
            assert by in KINDS or any(name.startswith(by) for name in tests), by


def test_each_key_has_errors_of_its_own() -> None:
    """What an error is about is the name of the work: two that share it would end each other."""
    names = Counter(place.partition("::")[2] for place in SITES)
    assert max(names.values()) == 1


@pytest.fixture(autouse=True)
def fast_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that an agent takes half a minute later is taken within a second."""
    monkeypatch.setattr(Clock, "ticks", lambda clock: 30 * time.monotonic())


def errors(it: Explorer) -> str:
    return " ".join(error.text for error in it.screen.footer.errors.values())


@pytest.mark.parametrize("name", KINDS)
async def test_an_error_ends_when_the_same_works(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    between, kind = Between(), KINDS[name]
    async with explore(wrap=between, size=(200, 40)) as it:
        stands = it.screen.footer.errors
        between.answer(kind.pattern, 500, '{"detail": "disk on fire"}', "application/json")
        await kind.do(it)
        assert "disk on fire" in stands[kind.about].text
        for other in ("run", "agent") if name in ("lists", "download", "shell") else ():
            with case(f"{other} works"):
                await KINDS[other].do(it)
                assert kind.about in stands, "another kind has nothing to do with it"
        between.answers.clear()
        await kind.do(it)
        assert kind.about not in stands


async def test_a_message_that_arrived_after_all_is_told_as_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server was stopped, and continued: nobody pressed esc."""
    between = Between()
    async with explore(wrap=between, size=(200, 40)) as it:
        between.answer("GET /api/v1/app-conversations*", 503)
        await message(it)
        assert "Could not" in errors(it)
        between.answers.clear()
        await message(it)
        assert "sent · " in it.footer and not errors(it)


async def test_what_was_covered_shows_again_and_esc_takes_all() -> None:
    async with explore(size=(200, 40)) as it:
        footer = it.screen.footer
        footer.tell("the list failed", error=True, about="lists")
        footer.tell("the message failed", error=True, about="agent")
        assert "the message failed" in it.footer
        footer.settle("agent")
        assert "the list failed" in it.footer
        footer.tell("long lines wrap")
        assert "long lines wrap" in it.footer, "what answers a key covers an error"
        footer.drop_remark()
        footer._show_under()
        assert "the list failed" in it.footer, "and it shows again"
        footer.tell("3 of 5 read", log=False)
        assert "the list failed" in it.footer, "progress covers nothing"
        footer.tell("the message failed", error=True, about="agent")
        await it.press("escape")
        assert "failed" not in it.footer and not footer.errors


async def test_an_error_of_a_fork_ends_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with explore(size=(200, 40)) as it:
        await it.open(FLAKY)
        current = it.screen.session.current
        assert current
        row = it.screen.session.loaded.row(current.id)
        assert row
        idle = type(row.conversation)(
            **{n: getattr(row.conversation, n) for n in row.conversation.__struct_fields__}
            | {"execution_status": "idle"}
        )
        it.screen.session.loaded.settled(idle, 0.0)
        it.screen.controllers.forks._tell_of(idle, "left the key out", error=True)
        await refresh_without_reading(it)
        assert "left the key out" in it.footer
        it.screen.session.loaded.settled(row.conversation, 0.0)
        await refresh_without_reading(it)
        assert "left the key out" not in it.footer


async def refresh_without_reading(it: Explorer) -> None:
    from oh_tui.tui.messages import ListsChanged

    it.screen.post_message(ListsChanged())
    await it.settle()


async def test_news_of_an_act_end_when_they_are_no_longer_true() -> None:
    async with explore(size=(200, 40)) as it:
        it.screen.session.clock = it.demo.world.clock.now
        await it.open(OAUTH)
        await it.press("a", "y", "enter")
        await it.until(lambda: "approved · " in it.footer)
        it.demo.advance(600)
        await refresh(it)
        await it.until(lambda: "✓ finished" in it.text("#summary"))
        assert "the agent works" not in it.footer


async def test_without_a_success_an_error_stays() -> None:
    async with explore(size=(200, 40)) as it:
        ui = it.screen.ui
        with ui.reporting(about=agents.AGENT):
            raise Problem("The server did not tell")
        with pytest.raises(ZeroDivisionError), ui.reporting(about=agents.AGENT):
            raise ZeroDivisionError
        assert "did not tell" in it.footer
        with ui.reporting(about=agents.AGENT):
            ui.tell("it failed anew", error=True, about=agents.AGENT)
        assert "it failed anew" in it.footer, "what is told within is no older error"


async def test_a_message_of_which_no_more_is_known_is_followed_by_one_that_is() -> None:
    between = Between()
    async with explore(wrap=between, size=(200, 40)) as it:
        between.after(
            "POST /runtime/*",
            lambda: between.answer(RECORDS, 500, '{"detail": "disk on fire"}', "application/json"),
        )
        await message(it)
        assert agents.AGENT in it.screen.footer.errors
        between.answers.clear()
        await message(it)
        assert agents.AGENT not in it.screen.footer.errors


async def test_a_disk_that_takes_again_what_is_kept_ends_its_error(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("a file in the place of the folder")
    settings = Settings(annotations_file=state / "annotations.json")
    async with explore(settings=settings) as it:
        await it.open(WEEK)
        await it.press("b")
        await it.until(lambda: "disk" in it.screen.footer.errors)
        state.unlink()
        await it.press("b")
        await it.until(lambda: "disk" not in it.screen.footer.errors)


async def test_a_start_that_works_ends_the_error_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_starting.start, "__defaults__", ((0.02,),))
    async with explore() as it:

        async def start(repository: str) -> None:
            await it.send("ctrl+n")
            await it.until(lambda: isinstance(it.app.screen, StartScreen))
            form = it.app.screen
            assert isinstance(form, StartScreen)
            form.text.text, form.fields["repository"].value = "Add a test", repository
            await it.pilot.pause(0)
            await it.send("ctrl+s")

        await start("acme/nope")
        await it.send("escape")
        it.demo.advance(30)
        await it.until(lambda: "start" in it.screen.footer.errors)
        await start("acme/dates")
        it.demo.advance(30)
        await it.until(lambda: it.app.screen is it.screen)
        assert "start" not in it.screen.footer.errors


async def test_a_file_that_is_whole_after_all_ends_its_error(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", [{"id": "1", "kind": "MessageEvent", "source": "user"}])
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(b"no zip")
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        assert "b.zip" in errors(it)
        (tmp_path / "b.zip").write_bytes(whole)
        await it.press("r")
        assert not errors(it)


async def test_words_that_can_be_read_end_the_error_of_those_before() -> None:
    async with explore(size=(160, 40)) as it:
        await it.press("ampersand")
        await it.type("is:odd")
        await it.press("enter")
        assert "is:odd is not known: one of " in it.text_of(it.screen.asking.asked)
        assert "enter filter" in it.footer and it.screen.asking.find_input.value == "is:odd"
        await it.press("ctrl+u")
        await it.type("is:failed")
        await it.press("enter")
        assert not it.screen.asking.asked.display
        for key, done in (("asterisk", SearchScreen), ("B", BoardScreen)):
            await it.press(key)
            assert isinstance(it.app.screen, done)
            if key == "B":
                await it.press("f")
                await it.press("ampersand")
            shown = it.app.screen.query_one(Footer)
            await it.type("is:odd")
            await it.press("enter")
            assert shown.errors
            await it.press("ctrl+u")
            await it.type("is:failed")
            await it.press("enter")
            assert not shown.errors
            while isinstance(it.app.screen, SearchScreen):
                await it.press("escape")


async def test_a_place_that_is_not_there_is_no_news_of_another_run() -> None:
    async with explore(at="9999", size=(200, 40)) as it:
        await it.until(lambda: "no step or event 9999" in errors(it))
        await it.open(WEEK)
        await refresh(it)
        assert not errors(it)


async def test_a_download_of_several_ends_its_error_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    between = Between()
    async with explore(wrap=between, size=(200, 40)) as it:
        between.answer("*/download", 500)
        it.screen.session.keep_marks(frozenset({bare_id(IDS[BROKEN]), bare_id(IDS[WEEK])}))
        await it.press("d", "enter")
        await it.until(lambda: "download" in it.screen.footer.errors)
        between.answers.clear()
        await it.press("d", "enter")
        await it.until(lambda: "download" not in it.screen.footer.errors)


async def test_a_folder_that_is_there_now_ends_the_error_of_the_view(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    async with explore(settings=Settings(download_folder=folder)) as it:
        await it.open(WEEK)
        await it.press("S")
        shown = it.app.screen.query_one(Footer)
        await it.press("enter")
        await it.until(lambda: "share" in shown.errors)
        folder.mkdir()
        await it.press("enter")
        await it.until(lambda: any(folder.iterdir()) and "share" not in shown.errors)


async def test_a_command_that_can_be_stopped_after_all_ends_the_error() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.world.agent_version = AgentVersion.NEW
        await pressed(FLAKY)(it)
        await it.send("exclamation_mark")
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        shown = it.app.screen
        assert isinstance(shown, ShellScreen)
        shown.line.put("sleep 60")
        await it.send("enter")
        await it.until(lambda: shown._stop)
        between.answer("POST *stop*", 500)
        await it.send("ctrl+c")
        await it.until(lambda: "stop" in shown.footer.errors)
        between.answers.clear()
        await it.send("ctrl+c")
        await it.until(lambda: "stop" not in shown.footer.errors)


async def test_rules_that_can_be_read_end_the_error_of_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "oh-tui" / "rules.toml"
    rules.parent.mkdir()
    rules.write_text("no rule")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    async with explore(size=(160, 40)) as it:
        await it.press("B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.found.runs and not view.found.is_running)
        await view.action_rules()
        assert "rules" in view.footer.errors
        rules.unlink()
        await view.action_rules()
        assert "rules" not in view.footer.errors


async def test_a_server_of_several_is_away_until_it_answers() -> None:
    async with listed() as at:
        it = at.it
        at.here["canvas"].is_dead = True
        await it.press("r")
        await it.until(lambda: "canvas is away" in errors(it))
        at.here["canvas"].is_dead = False
        await it.press("r")
        await it.until(lambda: "canvas is away" not in errors(it))

"""What the form of `ctrl+n` offers: suggested tasks, completion while typing, profiles, secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from starlette.responses import Response

from oh_tui.actions.start_draft import Choices
from oh_tui.api.requests import StartRequest
from oh_tui.tui.controllers.run.target import TargetRun
from oh_tui.tui.screens.start import screen as start_screen
from oh_tui.tui.screens.start.parts import TaskScreen
from oh_tui.tui.screens.start.screen import StartScreen
from tests.tui.explorer import Between, Explorer, explore

TASKS = "GET /api/v1/git/suggested-tasks/search"
REPOSITORIES = "GET /api/v1/git/repositories/search"
BRANCHES = "GET /api/v1/git/branches/search"
START = "POST /api/v1/app-conversations"
NO_TOKEN = '{"detail": "Git provider token required (such as GitHub)."}'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_screen, "PAUSE", 0.05)


async def opened(it: Explorer) -> StartScreen:
    await it.send("ctrl+n")
    await it.until(lambda: isinstance(it.app.screen, StartScreen))
    assert isinstance(it.app.screen, StartScreen)
    return it.app.screen


async def tasks_of(it: Explorer) -> TaskScreen:
    await it.send("ctrl+t")
    await it.until(lambda: isinstance(it.app.screen, TaskScreen) and it.app.screen.is_mounted)
    assert isinstance(it.app.screen, TaskScreen)
    return it.app.screen


def offered(form: StartScreen) -> str:
    return "".join(text for line in form.offered.lines for text, _ in line)


def begun(form: StartScreen) -> list[StartRequest]:
    """The requests that the form makes, none of which is sent."""
    made: list[StartRequest] = []
    form.begin = made.append
    return made


def focus(it: Explorer, form: StartScreen, name: str) -> None:
    it.app.screen.set_focus(form.fields[name])


def page(rows: Sequence[object], after: str | None = None) -> Callable[[], Response]:
    body = json.dumps({"items": rows, "next_page_id": after})
    return lambda: Response(body, media_type="application/json")


async def test_a_task_fills_the_form_and_the_server_writes_its_prompt() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        form = await opened(it)
        tasks = await tasks_of(it)
        await it.until(tasks.list.row_count)
        lines = it.text_of(tasks.list).splitlines()
        assert lines[0].split()[:2] == ["▌acme/dates", "#53"]
        assert lines[1].split()[0] == "#61", "the repository stands once"
        await it.send("down", "down", "enter")
        await it.until(lambda: it.app.screen is form)
        assert form.fields["repository"].value == "acme/storefront"
        assert "acme/storefront#412  merge conflicts" in it.text_of(form.rule)
        assert "the server writes the prompt" in str(form.text.placeholder)
        assert between.count(START) == 0
        made = begun(form)
        await it.send("ctrl+s")
        assert made[0].message == "" and made[0].suggested_task
        assert made[0].suggested_task.issue_number == 412
        assert made[0].git_provider == "github"
        form.starting = False
        await tasks_of(it)
        assert between.count(TASKS) == 1, "asked once"


async def test_words_of_ones_own_and_another_repository_let_the_task_go() -> None:
    async with explore() as it:
        form = await opened(it)
        made = begun(form)
        tasks = await tasks_of(it)
        await it.until(tasks.list.row_count)
        await it.send("enter")
        await it.until(lambda: it.app.screen is form)
        form.text.text = "Only add a test"
        await it.until(lambda: "in your own words" in it.text_of(form.rule))
        await it.send("ctrl+s")
        assert made[0].message == "Only add a test" and made[0].suggested_task is None
        form.starting = False
        form.text.text = ""
        form.fields["repository"].value = "acme/docs"
        await it.until(lambda: form.suggested is None)
        await it.send("ctrl+s")
        assert "There is no task" in form.message and len(made) == 1


async def test_without_a_token_the_list_says_where_one_goes_and_asks_again() -> None:
    between = Between()
    between.answer(TASKS, 403, NO_TOKEN, "application/json")
    async with explore(wrap=between) as it:
        form = await opened(it)
        form.text.text = "Kept"
        tasks = await tasks_of(it)
        await it.until(lambda: "no token of a git provider" in it.text_of(tasks.list))
        assert "Settings, Integrations" in it.text_of(tasks.list)
        del between.answers[TASKS]
        await it.send("r")
        await it.until(tasks.list.row_count)
        await it.send("escape")
        await it.until(lambda: it.app.screen is form)
        assert form.text.text == "Kept"


async def test_ten_thousand_tasks_with_hostile_titles_are_a_list() -> None:
    between = Between()
    row = {
        "repo": "acme/a",
        "issue_number": 1,
        "title": "x\x1b]0;t\x07\u202e[red]",
        "task_type": "\x1b[31mODD_KIND",
    }
    between.answers[TASKS] = page([row, {**row, "repo": "a b/\x1b"}] * 5_000, "Mg")
    async with explore(wrap=between) as it:
        await opened(it)
        tasks = await tasks_of(it)
        await it.until(tasks.list.row_count)
        assert tasks.list.row_count() == 5_000
        shown = it.text_of(tasks.list)
        assert "\x1b" not in shown and "\u202e" not in shown and "[red]" in shown
        assert "odd kind" in shown
        assert "5,000 tasks and more" in it.text_of(tasks.rule)


async def test_a_repository_is_found_while_one_types_with_one_call_for_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await pauses.wait()

    monkeypatch.setattr(start_screen, "asyncio", SimpleNamespace(sleep=sleep))
    between = Between()
    async with explore(wrap=between) as it:
        form = await opened(it)
        await it.settle()
        assert between.count("GET /api/v1/git/*") == 0, "nothing is asked before there is a field"
        focus(it, form, "repository")
        await it.send(*"notes")
        assert between.count(REPOSITORIES) == 0
        pauses.set()
        await it.until(lambda: "ada/notes" in offered(form))
        assert between.count(REPOSITORIES) == 1
        await it.send("down")
        assert form.fields["repository"].value == "ada/notes"
        await it.send("tab")
        assert form.focused is form.fields["branch"], "a whole value is left at once"
        await it.until(lambda: "empty: main   1" in offered(form) or between.count(BRANCHES))
        assert "empty: main" in offered(form)
        made = begun(form)
        form.text.text = "Fix it"
        await it.send("ctrl+s")
        assert (made[0].selected_repository, made[0].git_provider) == ("ada/notes", "github")


async def test_a_slow_server_blocks_no_key_and_its_late_answer_is_dropped() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        form = await opened(it)
        gate = between.hold(REPOSITORIES)
        focus(it, form, "repository")
        await it.until(lambda: between.count(REPOSITORIES) == 1)
        await it.until(lambda: "asking the server" in offered(form))
        await it.send(*"shop")
        assert form.fields["repository"].value == "shop"
        assert "acme/shop" in offered(form), "what was used before is there at once"
        await it.until(lambda: between.count(REPOSITORIES) >= 2)
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        gate.set()
        again = await opened(it)
        assert again.fields["repository"].value == "shop"
        assert not it.app.crashed


async def test_what_is_not_found_and_a_failure_are_told_and_asked_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        form = await opened(it)
        between.answer(REPOSITORIES, 500, "no")
        focus(it, form, "repository")
        await it.until(lambda: "Could not search repositories" in offered(form))
        del between.answers[REPOSITORIES]
        await it.send(*"zzz")
        await it.until(lambda: "finds nothing that fits" in offered(form))


async def test_a_refusal_is_told_once_and_stops_the_questions() -> None:
    between = Between()
    between.answer(REPOSITORIES, 403, NO_TOKEN, "application/json")
    async with explore(wrap=between, size=(80, 24)) as it:
        form = await opened(it)
        focus(it, form, "repository")
        await it.until(lambda: "no token of a git provider" in offered(form))
        shown = it.text_of(form.offered)
        assert "Integrations" in shown and form.said.region.bottom < 24
        await it.send(*"dates")
        await it.settle()
        assert between.count(REPOSITORIES) == 1
        assert "no token of a git provider" in offered(form)
        made = begun(form)
        form.text.text = "Fix it"
        form.fields["repository"].value = "acme/dates"
        await it.send("ctrl+s")
        assert made[0].selected_repository == "acme/dates", "a name still does"


async def test_hostile_names_are_offered_nowhere() -> None:
    between = Between()
    names = ["a b/c", "acme/\x1b[31mred", "../..", "acme/ok", "acme/" + "x" * 10_000]
    between.answers[REPOSITORIES] = page(
        [{"full_name": name, "main_branch": "m\x1b n"} for name in names] * 2_000, "Mg"
    )
    between.answers[BRANCHES] = page([{"name": "a b"}, {"name": "x\x07y"}, {"name": "fine"}], "Mg")
    async with explore(wrap=between) as it:
        form = await opened(it)
        focus(it, form, "repository")
        await it.until(lambda: "acme/ok" in form.fields["repository"].known())
        assert not set(names) & set(form.fields["repository"].known()) - {"acme/ok"}
        form.fields["repository"].value = "acme/ok"
        focus(it, form, "branch")
        await it.until(lambda: form.fields["branch"].known())
        assert tuple(form.fields["branch"].known()) == ("fine",)
        assert between.count(REPOSITORIES) == 1, "a list without an end is asked for one page"


async def test_profile_mode_and_secrets_go_with_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_A_TEST", "only-the-server-sees-this")
    async with explore() as it:
        form = await opened(it)
        made = begun(form)
        form.text.text = "Fix it"
        focus(it, form, "profile")
        await it.until(lambda: "careful" in offered(form))
        form.fields["profile"].value = "fast"
        form.fields["mode"].value = "plan"
        focus(it, form, "secrets")
        await it.until(lambda: "the server adds its own: NPM_TOKEN" in offered(form))
        form.fields["secrets"].value = "OF_A_TEST, NO_SUCH_VARIABLE"
        await it.settle()
        await it.send("ctrl+s")
        assert "no variable NO_SUCH_VARIABLE" in form.message
        assert form.focused is form.fields["secrets"]
        form.fields["secrets"].value = "OF_A_TEST"
        await it.settle()
        await it.send("ctrl+s")
        assert (made[0].profile, made[0].agent_type) == ("fast", "plan")
        assert made[0].secrets and "only" not in repr(made[0])


async def test_the_sandboxes_that_a_start_may_pause_are_named_before_it() -> None:
    async with explore() as it:
        form = await opened(it)
        cost, limit, names = form.message.split("\n")
        assert cost.endswith("may cost money") and names.startswith("Rename Store to Ledger, ")
        assert limit == "8 sandboxes run; above its limit the server pauses the oldest first:"
        assert [[hue for _, hue in line] for line in form.said.lines] == [["warn"], [""], [""]]


async def test_start_anew_fills_the_form_from_the_run_on_screen() -> None:
    async with explore() as it:
        await it.open("Parse ISO week dates")
        await it.send("ctrl+p")
        await it.find_command("start anew", "like this one")
        await it.send("enter")
        await it.until(lambda: isinstance(it.app.screen, StartScreen))
        form = it.app.screen
        assert isinstance(form, StartScreen)
        assert form.fields["repository"].value == "acme/dates"
        assert form.fields["model"].value == "anthropic/claude-sonnet-4-5"
        assert "ISO week" in form.text.text
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        await it.send("ctrl+p")
        await it.find_command("start anew", "like this one")
        await it.send("enter")
        await it.until(lambda: "a text that was not sent" in it.footer)


async def test_start_anew_says_that_the_first_message_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TargetRun, "study_of", lambda *_: None)
    async with explore() as it:
        await it.open("Parse ISO week dates")
        it.screen.controllers.new_conversations.action_like()
        await it.until(lambda: isinstance(it.app.screen, StartScreen) and it.app.screen.is_mounted)
        form = it.app.screen
        assert isinstance(form, StartScreen)
        assert form.text.text == "" and form.fields["repository"].value == "acme/dates"
        assert form.message.startswith("The first message of that run is not read")


async def test_the_editor_of_the_user_gets_the_text_and_gives_it_back() -> None:
    async with explore() as it:
        form = await opened(it)
        form.text.text = "Fix"
        form._edit = lambda text: f"{text} it\nand test it"
        await it.send("f4")
        assert form.text.text == "Fix it\nand test it"
        form = await opened(it) if it.app.screen is not form else form
        await it.send("escape")


async def test_a_terminal_that_cannot_be_given_away_keeps_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    async with explore() as it:
        form = await opened(it)
        form.text.text = "Fix"
        await it.send("f4")
        assert "cannot be given to another program" in form.message
        assert form.text.text == "Fix"


async def test_the_provider_of_the_last_conversation_is_asked_first() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        form = await opened(it)
        form.known = Choices(("acme/x",), providers={"acme/x": "gitlab"})
        form.offers.providers["ada/y"] = "github"
        assert form._known().provider_of("ada/y") == "github"
        assert form._known().provider_of("ada/new") == "gitlab"
        focus(it, form, "repository")
        await it.until(lambda: "acme/dates" in form.fields["repository"].known())
        assert between.count(REPOSITORIES) == 2, "gitlab, which has none, then github"

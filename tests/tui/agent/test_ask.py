"""`A`: questions to the agent, their answers, and what is done with them."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse

from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.tui.screens.ask import AskScreen
from tests.tui.explorer import Between, Explorer, explore

WEEKS, WORKS, PAUSED = "Parse ISO week dates", "Flaky CI on main", "Port the CLI to click"
IDS = {entry.title: entry.id for entry in ENTRIES}
ASK = "POST */ask_agent"


def view(it: Explorer) -> AskScreen:
    assert isinstance(it.app.screen, AskScreen)
    return it.app.screen


async def open_view(it: Explorer, title: str = WEEKS) -> AskScreen:
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])
    await it.pilot.pause(0)
    await it.send("A")
    await it.until(lambda: isinstance(it.app.screen, AskScreen) and view(it).line.has_focus)
    return view(it)


def news(it: Explorer) -> str:
    """What the footer of the view says."""
    return "".join(text for text, _ in view(it).footer.news)


async def ask(it: Explorer, question: str) -> str:
    """Ask, and wait for what comes of it; all that the view shows then."""
    view(it).line.value = question
    await it.send("enter")
    await it.until(lambda: not view(it).waiting)
    return view(it).output.plain_text()


async def closed(it: Explorer) -> None:
    await it.send("escape")
    await it.until(lambda: it.app.screen is it.screen)


async def test_a_question_and_its_answer_stay_while_oh_tui_runs() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_view(it)
        facts = "".join(text for text, _ in shown.line_rule.facts)
        assert "one call of the model" in facts and "about $0.0" in facts
        assert between.count(ASK) == 0, "opening asks nothing"
        told = await ask(it, "why four times?")
        assert "why four times?" in told and "You asked: “why four times?”" in told
        before = it.demo.world.agent_events(it.demo.world.conversations[IDS[WEEKS]])
        assert "why four times?" not in str([event.raw for event in before])
        view(it).line.value = "half"
        await closed(it)
        shown = await open_view(it)
        assert "You asked: “why four times?”" in shown.output.plain_text()
        assert shown.line.value == "half"
        await closed(it)
        shown = await open_view(it, WORKS)
        assert "why four times?" not in shown.output.plain_text(), "each conversation has its own"
        assert "what now?" in await ask(it, "what now?"), "an agent at work is asked too"


async def test_an_answer_is_copied_and_kept_as_a_note() -> None:
    async with explore() as it:
        await open_view(it)
        await ask(it, "why?")
        await it.send("tab", "y")
        assert it.app.clipboard.startswith("> why?\n\nNo model answers in the demo.")
        await it.send("semicolon")
        assert "added to the note on the run" in news(it)
        conversation = it.screen.session.loaded.row(IDS[WEEKS])
        assert conversation is not None
        note = it.screen.session.annotations.of(conversation.conversation).note
        assert note.startswith("> why?\n\nNo model answers")
        await it.send("semicolon")
        assert it.screen.session.annotations.of(conversation.conversation).note.count("> why?") == 2


async def test_esc_stops_waiting_first_and_nothing_is_asked_twice() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_view(it)
        answers = between.hold(ASK)
        shown.line.value = "why?"
        await it.send("enter")
        await it.until(lambda: between.count(ASK) == 1)
        shown.line.value = "and why?"
        await it.send("enter")
        assert between.count(ASK) == 1 and "one question at a time" in news(it)
        await it.send("escape")  # what the footer says goes first
        await it.send("escape")
        await it.until(lambda: not shown.waiting)
        assert "no longer waited for" in shown.output.plain_text()
        assert it.app.screen is shown
        answers.set()
        await closed(it)


async def test_a_refusal_is_shown_and_the_question_comes_back() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_view(it)
        why = json.dumps({"exception": "litellm.AuthenticationError: no such key"})
        between.answer(ASK, 500, why, "application/json")
        assert "litellm.AuthenticationError: no such key" in await ask(it, "why?")
        assert shown.line.value == "why?"
        del it.demo.world.conversations[IDS[WEEKS]]
        assert "not on the server any more" in await ask(it, "why?")


async def test_an_answer_is_never_markup_and_never_a_control_sequence() -> None:
    between = Between()
    key = f"sk-ant-api03-{'aB3' * 12}"
    text = f"\x1b]52;c;aGk=\x07[bold]x[/bold] \x1b[31mred\u202e {key}\n\n# A head"
    between.answers[ASK] = lambda: JSONResponse({"response": text})
    async with explore(wrap=between) as it:
        await open_view(it)
        told = await ask(it, "[red]why?[/red]")
        assert "[red]why?[/red]" in told and "[bold]x[/bold] red [hidden]" in told
        assert "\x1b" not in told and key not in told and "52;c" not in told


async def test_a_huge_answer_is_cut_and_says_so() -> None:
    between = Between()
    between.answers[ASK] = lambda: JSONResponse({"response": "word " * 200_000})
    async with explore(wrap=between) as it:
        await open_view(it)
        assert "more are not kept" in await ask(it, "why?")


async def test_keys_typed_ahead_fill_the_line_and_send_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[WEEKS])
        await it.pilot.pause(0)
        held = between.hold("GET *server_info")
        for key in ("A", "w", "h", "y", "enter"):
            it.key(key)
        await it.pilot.pause(0)
        held.set()
        await it.until(lambda: isinstance(it.app.screen, AskScreen))
        await it.until(lambda: view(it).line.value == "why")
        await it.until(lambda: view(it).line.is_seen)
        assert between.count(ASK) == 0


async def test_no_question_and_one_of_a_megabyte_are_not_sent() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_view(it)
        await it.send("enter")
        assert "The question is empty" in news(it)
        shown.line.value = "x" * 1_000_000
        await it.send("enter")
        assert "at most 100,000 characters" in news(it)
        assert between.count(ASK) == 0


async def test_where_nothing_can_be_asked_it_is_said() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        await it.press("A")
        assert "read-only" in it.footer and it.app.screen is it.screen
        assert between.count("POST *") == 0
    async with explore() as it:
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[PAUSED])
        await it.press("A")
        await it.until(lambda: "sandbox" in it.footer)
        assert it.app.screen is it.screen


async def test_an_old_server_that_cannot_answer_says_since_when() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.world.agent_version = AgentVersion.OLD
        await open_view(it)
        between.answer(ASK, 404, '{"detail": "Not Found"}', "application/json")
        between.answer("GET *server_info", 200, '{"version": "1.2.0"}', "application/json")
        assert "cannot answer a question about a run: servers since 1.3 can" in await ask(it, "?")

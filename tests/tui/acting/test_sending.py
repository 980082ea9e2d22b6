"""Messages to an agent: written, kept, and sent after checking its current state."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from oh_tui.tui.widgets.question_bar import Answer, Question
from tests.tui.acting.test_answering import (
    COVERAGE,
    FLAKY,
    GONE,
    IDS,
    LEDGER,
    OAUTH,
    RESPOND,
    SEND,
    SPLIT,
    TELL,
    asked,
    opened,
    results,
    said,
    told,
    writing,
)
from tests.tui.explorer import Between, Explorer, case, explore

RESUME = "POST /api/v1/sandboxes/*/resume"


def editor_text(it: Explorer) -> str:
    assert it.screen.asking.editor is not None
    return it.screen.asking.editor.text


async def written(it: Explorer, title: str, text: str) -> None:
    """A message to the agent of this conversation, not sent yet."""
    await opened(it, title)
    await writing(it)
    await it.type(text)


async def sent(it: Explorer, *keys: str) -> None:
    """The message, by the key that sends it or those that answer what is asked before."""
    await it.send(*keys or ("ctrl+s",))
    await it.until(lambda: "sent · " in told(it))


async def test_a_message_of_several_lines_goes_on_with_a_finished_run() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, LEDGER, "first line")
        await it.press("enter")
        await it.type("second q line")
        await sent(it)
        assert between.count(SEND) == 1
        assert r"first line\nsecond q line" in said(it, LEDGER).replace("\\\\", "\\")
        assert it.screen.session.drafts == {}
        assert it.screen.asking.editor is None
        await it.until(lambda: "first line" in it.text("#timeline"))


async def test_while_the_state_is_asked_before_it_is_sent_the_footer_says_so() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, LEDGER, "go on")
        held = between.hold("GET *")
        await it.send("ctrl+s")
        await it.until(lambda: "asking for the agent's state" in it.footer)
        between.held.clear()
        held.set()
        await it.until(lambda: "sent · " in told(it))
        assert "asking" not in it.footer


async def test_an_empty_message_is_refused_in_place() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, LEDGER, "  ")
        await it.press("enter", "ctrl+s")
        assert it.screen.asking.editor is not None
        assert "There is nothing to send yet." in it.text("EditorKeys")
        await it.type("x")
        assert "nothing to send" not in it.text("EditorKeys")
        assert between.count("POST *") == 0
        await it.press("escape")


async def test_esc_keeps_the_text_of_each_conversation_and_quitting_asks() -> None:
    async with explore() as it:
        await written(it, LEDGER, "for the ledger")
        await it.press("escape")
        assert "draft kept: m continues it" in it.footer
        await opened(it, SPLIT)
        await writing(it)
        assert editor_text(it) == ""
        await it.press("escape")
        await opened(it, LEDGER)
        await writing(it)
        assert editor_text(it) == "for the ledger"
        await it.press("escape")
        await it.press("q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        assert "1 unsent message" in it.text("#question")
        await it.press("escape")


async def test_quitting_asks_also_from_a_view_and_out_of_the_editor() -> None:
    async with explore() as it:
        await written(it, LEDGER, "for the ledger")
        for keys in (("escape", "question_mark", "ctrl+q"), ("ctrl+q",), ("ctrl+q",), ("tab", "q")):
            with case(keys):
                await it.press(*keys)
                await it.until(lambda: it.screen.asking.question_bar.display)
                assert it.app.screen is it.screen
                assert "1 unsent message" in it.text("#question")
                await it.press("escape")
                assert it.app.is_running
                await writing(it)
                assert editor_text(it) == "for the ledger"
        await it.press("ctrl+q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.press("ctrl+q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("enter")
        await it.until(lambda: it.app.return_value == 0)


async def test_tab_goes_to_the_run_and_m_comes_back() -> None:
    async with explore() as it:
        await written(it, LEDGER, "half a")
        await it.press("tab")
        assert it.screen.asking.editor is not None
        assert not it.screen.asking.editor.has_focus_within
        assert it.footer.strip(), "the keys of the run are told again"
        row = it.screen.timeline.cursor
        await it.press("3", "k")
        assert it.screen.timeline.cursor == row - 1
        await it.press("m")
        await it.type(" thought")
        assert editor_text(it) == "half a thought"
        await it.press("3", "escape")
        assert it.screen.asking.editor is None


async def test_what_a_paste_holds_beside_text_never_reaches_the_terminal() -> None:
    from textual import events

    async with explore() as it:
        await opened(it, LEDGER)
        await writing(it)
        assert it.screen.asking.editor is not None
        it.app.post_message(events.Paste("a\x1b]0;x\x07b\r\nc\x9b31m"))
        await it.until(lambda: editor_text(it))
        assert editor_text(it) == "a]0;xb\nc31m"
        await it.press("escape")


async def test_on_a_run_that_waits_a_message_rejects_first() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        before = results(it, OAUTH)
        await writing(it)
        assert "you answer the pending calls first" in it.text("Editor > Rule")
        await it.type("open a pull request")
        question = await asked(it, "ctrl+s")
        assert "$ git push --force origin auth" in question
        assert "reject 1 call, then send" in question
        await sent(it, "enter")
        await it.settle()
        it.demo.advance(600)
        assert results(it, OAUTH)[len(before)] == "UserRejectObservation"
        assert results(it, OAUTH)[len(before) :].count("ObservationEvent") == 0
        assert next(c for c in between.asked if c.startswith("POST")).endswith("confirmation")
        assert between.count(SEND) == 1


async def test_at_80_columns_every_answer_is_there_whole() -> None:
    async with explore(size=(80, 24)) as it:
        it.screen.sidebar.highlight(IDS[OAUTH])
        await writing(it)
        assert it.text("Editor > Rule").endswith("you answer the pending calls first ━")
        await it.type("open a pull request")
        question = await asked(it, "ctrl+s")
        assert question.endswith("n or esc  back to the text")


async def test_what_is_at_stake_is_there_whole_at_80_columns() -> None:
    line = "If this goes over its limit, the server pauses the oldest without asking: " * 3
    async with explore(size=(80, 24)) as it:
        question = Question(
            "Resume", [[(line, "")], [("a  ", "key"), ("b", "")]], [Answer("yes", "y")]
        )
        asking = asyncio.create_task(it.screen.ui.ask(question))
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.pilot.pause()
        shown = it.text("#question").split("\n")
        assert " ".join(" ".join(shown[1:-2]).split()) == line.strip()
        assert shown[-2:] == [" a  b", " y or enter  yes   n or esc  no"]
        await it.send("y")
        assert await asking == "y"


async def test_on_a_run_that_waits_a_message_may_approve_or_be_taken_back() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, OAUTH, "go")
        await asked(it, "ctrl+s")
        await it.send("escape")
        await it.until(lambda: it.screen.asking.editor and it.screen.asking.editor.has_focus_within)
        assert editor_text(it) == "go"
        assert between.count("POST *") == 0
        await asked(it, "ctrl+s")
        await sent(it, "a", "y", "enter")
        assert (between.count(RESPOND), between.count(SEND)) == (0, 1)


async def test_to_a_run_that_works_it_says_when_it_is_read() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        await writing(it)
        assert "it reads this when its step is over" in it.text("Editor > Rule")
        await it.type("and a changelog")
        it.demo.advance(27)
        await sent(it)
        assert "it arrives when this step ends" in told(it)
        assert (between.count(TELL), between.count(SEND)) == (1, 0)
        assert "and a changelog" in said(it, FLAKY)


@pytest.mark.slow
async def test_a_paused_sandbox_is_resumed_first_if_one_wants() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, COVERAGE, "more tests")
        question = await asked(it, "ctrl+s")
        assert "The agent reads messages only while its sandbox runs" in question
        assert "the server pauses the oldest without asking" in question
        await it.send("escape")
        await it.until(lambda: it.screen.asking.editor)
        assert between.count("POST *") == 0
        await asked(it, "ctrl+s")
        await sent(it, "enter")
        posts = [call.rpartition("/")[2] for call in between.asked if call.startswith("POST")]
        assert posts == ["resume", "send-message", "run"]
        assert "more tests" in said(it, COVERAGE)
        await it.settle()


@pytest.mark.slow
async def test_a_sandbox_that_p_resumes_is_not_resumed_once_more_for_a_message() -> None:
    between = Between()
    held = between.hold(RESUME)
    async with explore(wrap=between) as it:
        await opened(it, COVERAGE)
        await asked(it, "p")
        await it.send("enter")
        await it.until(lambda: between.count(RESUME) == 1)
        await writing(it)
        await it.type("more tests")
        await it.send("ctrl+s")
        await it.until(lambda: "the sandbox is still being resumed" in told(it))
        assert "The message was not sent" in told(it)
        await it.until(lambda: it.screen.asking.editor and editor_text(it) == "more tests")
        held.set()
        await it.until(lambda: not it.screen.session.changing)
        assert "running again" in told(it)
        assert between.count("POST *") == 1


async def test_to_one_that_is_gone_nothing_can_be_written() -> None:
    async with explore() as it:
        await opened(it, GONE)
        assert "m message" not in it.footer
        await it.press("m")
        assert it.screen.asking.editor is None and not it.screen.footer.errors
        assert "the sandbox is gone: the run stays readable" in told(it)


async def test_what_is_typed_goes_on_into_the_text_when_the_agent_cannot_be_asked() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, LEDGER)
        held = between.hold("GET *")
        await writing(it)
        await it.type("scri")
        between.held.clear()
        between.answer("GET *", 503, '{"detail": "no"}', "application/json")
        held.set()
        await it.until(lambda: "(503)" in it.footer)
        await it.type("pt: q")
        assert editor_text(it) == "script: q"
        between.answers.clear()
        await sent(it)


def is_offered_after(it: Explorer, status: int) -> bool:
    editor = it.screen.asking.editor
    return f"({status})" in it.footer and editor is not None and editor.has_focus_within


@pytest.mark.slow
async def test_a_message_that_fails_is_offered_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, LEDGER, "keep me")
        for status in (400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 502, 503):
            with case(status):
                between.answer(SEND, status, '{"detail": "no"}', "application/json")
                await it.send("ctrl+s")
                await it.until(partial(is_offered_after, it, status))
                assert editor_text(it) == "keep me"
        between.answers.clear()
        await sent(it)
        assert it.screen.session.drafts == {}


async def test_m_while_the_server_is_silent_after_ctrl_s_offers_the_text_no_second_time() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await written(it, LEDGER, "only once")
        held = between.hold("GET *")
        await it.send("ctrl+s")
        await it.until(lambda: it.screen.asking.editor is None)
        await it.send("m")
        await it.until(lambda: "the previous message is still being sent" in told(it))
        assert it.screen.asking.editor is None
        between.held.clear()
        held.set()
        await it.until(lambda: "sent · " in told(it))
        await it.settle()
        assert between.count(SEND) == 1

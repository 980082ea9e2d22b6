"""`a` and `P`: the question before, the request, and the display after."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from oh_tui.actions import agent_actions
from oh_tui.actions.agent_state import AgentState
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.model.event_kinds import RESULT_KINDS
from oh_tui.tui.controllers.agent import agents
from oh_tui.tui.state.work import Wait
from oh_tui.tui.widgets.question_bar import Answer, Question
from tests.tui.explorer import Between, Explorer, case, explore

OAUTH = "Add OAuth login"
FLAKY = "Flaky CI on main"
SPLIT = "Split the settings module"
LEDGER = "Rename Store to Ledger"
COVERAGE = "Raise the coverage of billing"
GONE = "Fix the add function"

IDS = {entry.title: entry.id for entry in ENTRIES}
RESPOND = "POST /runtime/*/events/respond_to_confirmation"
RUN = "POST /runtime/*/run"
STOP = "POST /runtime/*/pause"
CUT = "POST /runtime/*/interrupt"
TELL = "POST /runtime/*/events"
SEND = "POST /api/v1/app-conversations/*/send-message"


def results(it: Explorer, title: str) -> list[str]:
    """The kinds of all results that the sandbox has, in order."""
    conversation = it.demo.world.conversation(IDS[title])
    assert conversation is not None
    events = it.demo.world.agent_events(conversation)
    return [event.kind for event in events if event.kind in RESULT_KINDS]


def said(it: Explorer, title: str) -> str:
    conversation = it.demo.world.conversation(IDS[title])
    assert conversation is not None
    return str([event.raw for event in it.demo.world.agent_events(conversation)])


def told(it: Explorer) -> str:
    return "\n".join(text for text, _ in it.screen.footer.history)


async def opened(it: Explorer, title: str) -> None:
    await it.open(title)
    await it.until(lambda: it.screen.timeline.row_count())


async def asked(it: Explorer, key: str) -> str:
    """Press a key and give the question that it leads to."""
    await it.press(key)
    await it.until(lambda: it.screen.asking.question_bar.display)
    await it.pilot.pause()
    asked_of = it.text("#asked-rule") + it.text("#asked") if it.screen.asking.asked.display else ""
    return asked_of + it.text("#question")


async def writing(it: Explorer, key: str = "m") -> None:
    await it.press(key)
    await it.until(lambda: it.screen.asking.editor and it.screen.asking.editor.has_focus_within)


# Answering


async def test_a_shows_the_call_whole_with_its_risk_and_enter_alone_does_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        assert "a answer" in it.footer
        question = await asked(it, "a")
        for part in ("1 call waits for your answer", "risk HIGH", "$ git push --force origin auth"):
            assert part in question
        await it.press("enter")
        assert it.screen.asking.question_bar.display
        await it.press("escape")
        assert not it.screen.asking.question_bar.display
        assert not it.screen.asking.asked.display
        assert between.count("POST *") == 0


async def test_y_approves_and_the_run_goes_on_on_the_screen() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        before = results(it, OAUTH)
        await asked(it, "a")
        await it.send("y", "enter")
        await it.until(lambda: "approved · " in it.footer)
        assert between.count(RUN) == 1
        it.demo.advance(60)
        await it.until(lambda: results(it, OAUTH)[len(before) :])
        assert results(it, OAUTH)[len(before)] == "ObservationEvent"
        await it.press("r")
        await it.until(lambda: "◆" not in it.text("#timeline"))
        assert "a answer" not in it.footer


async def test_n_rejects_with_a_reason_and_the_call_never_runs() -> None:
    async with explore() as it:
        await opened(it, OAUTH)
        before = results(it, OAUTH)
        await asked(it, "a")
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        await it.type("not on")
        await it.press("enter")
        await it.type("a Friday")
        await it.send("ctrl+s")
        await it.until(lambda: "rejected · the agent is idle: P continues it" in it.footer)
        await it.settle()
        it.demo.advance(600)
        assert results(it, OAUTH)[len(before) :] == ["UserRejectObservation"]
        assert r"not on\na Friday" in said(it, OAUTH).replace("\\\\", "\\")
        await it.until(lambda: "rejected by you" in it.text("#result"))


async def test_without_a_reason_ctrl_s_rejects_and_esc_leaves_the_call_waiting() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await asked(it, "a")
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        await it.press("escape")
        await it.until(lambda: "not answered: a asks again" in it.footer)
        assert between.count("POST *") == 0
        await asked(it, "a")
        await it.send("n")
        await it.until(lambda: it.screen.asking.editor)
        assert "ctrl+s  reject" in it.text("EditorKeys")
        await it.send("ctrl+s")
        await it.until(lambda: "rejected · " in it.footer)
        assert agent_actions.REASON in said(it, OAUTH)


async def test_where_nothing_waits_a_says_so_and_names_who_waits() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        for title, words in (
            (FLAKY, "the agent works"),
            (LEDGER, "the agent has finished: m sends it another message"),
            (COVERAGE, "the sandbox is paused"),
            (GONE, "the sandbox is gone"),
        ):
            with case(title):
                await opened(it, title)
                assert "a answer" not in it.footer
                question = await asked(it, "a")
                assert f"Nothing waits for your answer here: {words}" in question
                assert OAUTH in question
                await it.press("n")
                assert between.count("POST *") == 0


async def test_a_call_longer_than_the_room_scrolls_below_the_run() -> None:
    async with explore(size=(80, 24)) as it:
        await opened(it, OAUTH)
        conversation = it.screen.session.current
        assert conversation is not None
        source = it.screen.session.source
        assert source is not None and source.agents is not None
        standing = await source.agents.state(conversation.id)
        many = replace(standing, calls=standing.calls * 9)
        assert agents._one_answer(many) == [[("One answer covers all 9 calls.", "")]]
        blocks = agents._calls_blocks(standing.calls * 9)
        it.screen.run_worker(
            it.screen.ui.ask_about(blocks, Question("", [], [Answer("yes", "y")]), (("all", ""),)),
            group="ask",
        )
        await it.until(lambda: it.screen.asking.asked.display)
        await it.until(lambda: "rows 1-" in it.text("#asked-rule"))
        assert it.screen.asking.asked.size.height == 24 // 3
        assert "1 of 9" in it.text("#asked")
        assert it.text("#timeline").strip()
        await it.press("pagedown", "j")
        await it.until(lambda: "rows 9-" in it.text("#asked-rule"))
        await it.press("escape")


async def test_an_answer_that_somebody_else_gave_meanwhile_is_not_given_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await asked(it, "a")
        world = it.demo.world
        conversation = world.conversation(IDS[OAUTH])
        assert conversation is not None
        world.show(conversation, world.shows(conversation, world.act(conversation, "reject", "no")))
        await it.send("y", "enter")
        await it.until(lambda: "Answered by somebody else: the agent is idle" in it.footer)
        assert between.count("POST *") == 0


async def test_what_is_being_answered_is_not_answered_twice() -> None:
    """The second `run` could hit another pending call."""
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await asked(it, "a")
        held = between.hold(RUN)
        await it.send("y", "enter")
        await it.until(lambda: between.count(RUN) == 1)
        await it.send("a")
        await it.until(lambda: "not yet: still telling an agent what to do" in told(it))
        assert not it.screen.asking.question_bar.display
        await writing(it)
        await it.type("and then the docs")
        await it.send("ctrl+s")
        await it.until(lambda: told(it).count("not yet: still telling") == 2)
        assert it.screen.session.drafts == {IDS[OAUTH]: "and then the docs"}
        held.set()
        await it.until(lambda: "approved" in told(it))
        assert between.count(RUN) == 1
        assert between.count(SEND) == 0
        assert "somebody else" not in told(it)


# Stopping and going on


async def test_after_this_step_waits_for_it_and_then_says_that_it_is_stopped() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        assert "P stop agent" in it.footer
        it.demo.advance(27)
        question = await asked(it, "P")
        assert "into $ npm test -- --runInBand" in question
        assert "now, cutting npm test -- --runInBand off" in question
        await it.send("enter")
        await it.until(lambda: "the agent is stopped: P continues it" in it.footer)
        await it.settle()
        assert (between.count(STOP), between.count(CUT)) == (1, 0)
        assert results(it, FLAKY)[-1] == "ObservationEvent"
        await it.press("escape")
        await it.until(lambda: "P continue agent" in it.footer)


async def test_the_wait_for_a_step_is_told_in_seconds_and_esc_ends_only_the_telling() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        gate = between.hold(STOP)
        await asked(it, "P")
        await it.send("enter")
        await it.until(lambda: " s: the agent stops after this step · esc" in it.footer)
        assert it.screen.session.writes.words == "telling an agent to stop"
        await it.send("escape")
        assert "the outcome appears here" in it.footer
        assert not it.screen.session.waits
        it.demo.advance(27)
        gate.set()
        await it.until(lambda: "the agent is stopped: P continues it" in it.footer)
        assert between.count(STOP) == 1


async def test_what_is_told_meanwhile_is_not_counted_away() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        gate = between.hold(TELL)
        await writing(it)
        await it.type("hurry")
        await it.send("ctrl+s")
        await it.until(lambda: it.screen.session.waits)
        (sending,) = it.screen.session.waits
        tell = it.screen.controllers.agents.show_wait
        tell(sending)
        assert " s: sending: it arrives when this step ends" in it.footer
        await it.send("o")
        await it.until(lambda: "the demo has none" in it.footer)
        tell(sending)
        assert "the demo has none" in it.footer
        it.screen.footer.clear()
        tell(sending)
        assert " s: sending" in it.footer

        later = Wait("stopping", time.monotonic())  # of two the last begun is told
        it.screen.session.waits.append(later)
        tell(later)
        tell(sending)
        assert " s: stopping" in it.footer
        it.screen.session.waits.remove(later)
        tell(sending)
        assert " s: sending" in it.footer
        gate.set()
        it.screen.footer.clear()

        def sent() -> bool:
            it.demo.advance(1)
            return "sent · " in it.footer

        await it.until(sent)


async def test_what_a_question_has_no_room_for_wraps() -> None:
    async with explore(size=(80, 24)) as it:
        await opened(it, FLAKY)
        it.demo.advance(70)
        await asked(it, "P")
        lines = it.text("#question").splitlines()[1:3]
        assert " ".join(line.strip() for line in lines).endswith("do npx jest test/cart.tes…")


async def test_now_cuts_the_call_off() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        await asked(it, "P")
        await it.send("f", "enter")
        await it.until(lambda: "the agent is stopped: P continues it" in it.footer)
        assert (between.count(STOP), between.count(CUT)) == (0, 1)
        assert results(it, FLAKY)[-1] == "AgentErrorEvent"


async def test_a_stopped_agent_goes_on_after_a_question_that_says_what_it_costs() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, SPLIT)
        assert "P continue agent" in it.footer
        assert "The agent goes on with its task, which costs money." in await asked(it, "P")
        await it.press("escape")
        assert between.count("POST *") == 0
        await it.press("P", "enter")
        await it.until(lambda: between.count(RUN) == 1)
        await it.settle()
        assert "the agent goes on" in told(it)


async def test_P_twice_lets_a_stopped_agent_go_on_once() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, SPLIT)
        held = between.hold(RUN)
        await asked(it, "P")
        await it.send("enter")
        await it.until(lambda: between.count(RUN) == 1)
        await it.send("P")
        await it.until(lambda: "not yet: still telling an agent what to do" in told(it))
        held.set()
        await it.settle()
        assert between.count(RUN) == 1
        assert "409" not in told(it)


async def test_going_on_never_repeats_a_call_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped run with a call without a result; the demo has no such run, so the test fakes the
    state."""
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        question = await asked_of_stopped(it, monkeypatch)
        assert "1 call has no result" in question
        assert "$ git push --force origin auth" in question
        assert "Continuing runs it again." in question
        await it.press("enter")
        assert it.screen.asking.question_bar.display, "enter alone does not run it"
        await it.press("escape")
        assert between.count("POST *") == 0
        await asked(it, "P")
        await it.send("y", "enter")
        await it.until(lambda: between.count(RUN) == 1)


async def asked_of_stopped(it: Explorer, monkeypatch: pytest.MonkeyPatch) -> str:
    real = agent_actions.Agents._state

    async def stopped(agents: agent_actions.Agents, name: str) -> AgentState:
        standing = await real(agents, name)
        return replace(standing, status="paused") if standing.calls else standing

    monkeypatch.setattr(agent_actions.Agents, "_state", stopped)
    return await asked(it, "P")


async def test_where_there_is_nothing_to_stop_P_names_the_key_that_helps() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        for title, words in (
            (LEDGER, "the agent has finished: m sends it another message"),
            (OAUTH, "the agent waits for your answer: a"),
            (COVERAGE, "the sandbox is paused: p resumes it"),
        ):
            with case(title):
                await opened(it, title)
                assert words not in told(it)
                await it.press("P")
                assert words in told(it)
                assert between.count("POST *") == 0


# Servers and places that do not let one


@pytest.mark.parametrize("key", ["a", "m", "P"])
async def test_a_frozen_agent_server_is_a_sentence(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "PATIENCE", 0.3)
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        gate = between.hold("GET /runtime/*")
        await it.send(key)
        await it.until(lambda: "did not tell within" in it.footer)
        # a message can be written on; when it is sent, the server is asked again
        assert (it.screen.asking.editor is not None) == (key == "m")
        gate.set()


async def test_read_only_changes_nothing_and_says_so() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        await opened(it, OAUTH)
        for label in ("a answer", "m message", "stop agent", "continue agent"):
            assert label not in it.footer
        for key in ("a", "m", "P"):
            await it.press(key)
            assert "read-only: nothing is changed from here" in it.footer
            it.screen.footer.clear()
        assert between.count("POST *") == 0


async def test_in_files_there_is_nobody_to_talk_to() -> None:
    async with explore() as it:
        conversation = it.demo.world.conversation(IDS[LEDGER])
        assert conversation is not None
        it.screen.session.source = FileSource([])
        for key in ("a", "m", "P"):
            await it.press(key)
            assert "these are files" in it.footer
            it.screen.footer.clear()

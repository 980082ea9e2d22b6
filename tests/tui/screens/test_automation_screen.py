"""The view of an automation: its runs, what came of each, and where its keys lead."""

from __future__ import annotations

import json
from typing import Any

from oh_tui.api.automation_models import AutomationRun, StatusDetail
from oh_tui.catalog.automations import took
from oh_tui.conversation import Conversation
from oh_tui.trajectory.presentation.block import Failure, Fields, Markdown
from oh_tui.tui.screens.automation import AutomationScreen, RunRow, blocks
from tests.tui.explorer import Explorer, explore
from tests.tui.lists.test_automations import (
    CANCEL,
    FLAKY,
    INTERRUPT,
    LIST,
    RUNS,
    SWEEP,
    Canvas,
    there,
)
from tests.tui.screens.test_help import signs_here
from tests.tui.test_keys import shown as help_shown

TRIAGE, LINKS, HEALTH = "Triage new issues", "Weekly link check", "Health of the relay"


async def shown(it: Explorer) -> AutomationScreen:
    await it.until(lambda: isinstance(it.app.screen, AutomationScreen))
    await it.settle()
    view = it.app.screen
    assert isinstance(view, AutomationScreen)
    return view


async def opened(it: Explorer, name: str) -> AutomationScreen:
    await there(it, name)
    await it.press("enter")
    return await shown(it)


def footer(it: Explorer, view: AutomationScreen) -> str:
    return it.text_of(view.footer)


async def test_its_help_tells_what_the_signs_mean_of_its_runs() -> None:
    async with explore(source=Canvas().source, size=(160, 48)) as it:
        await opened(it, SWEEP)
        here = signs_here(it)
        assert any("was skipped" in one for one in here)
        assert not any("rejected" in one or "not opened yet" in one for one in here)


async def test_it_shows_what_it_is_its_runs_and_what_came_of_one() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, SWEEP)
        assert "still imports pydantic.v1" in it.text_of(view.about)
        assert "weekdays at 08:30 Europe/Berlin · the active model" in it.text_of(view.about)
        assert "an agent works on · on" in it.text_of(view.rule)
        assert "1 of 3 failed · 1 blocked or in part" in it.text_of(view.list_rule)
        rows = it.text_of(view.list).split("\n")
        assert "timed out" in rows[0] and "its agent works on" in rows[0]
        assert "Migrate to pydantic 2" in rows[0] and "10m00s" in rows[0]
        assert rows[1].split()[:2] == ["✓", "finished"] and "$0.42" in rows[1]
        assert rows[2].split()[:3] == ["!", "in", "part"]
        told = view.body.plain_text()
        assert "its agent works on, which costs money" in told
        assert "command timed out or was killed" in told and "timeout" not in told
        assert "enter open run" in footer(it, view) and "P stop agent" in footer(it, view)
        await it.press("j", "P")
        await it.until(lambda: "this run is over, and no agent of it works" in footer(it, view))


async def test_what_is_too_long_is_cut_with_a_sign_and_what_is_not_told_says_so() -> None:
    canvas = Canvas()
    trigger = {"type": "event", "source": "github", "on": "push", "filter": "a == 'b' && " * 20}
    row = {"id": "a", "name": "a long name " * 9, "prompt": "do it " * 90, "trigger": trigger,
           "enabled": False, "disabled_reason": "it failed for a reason " * 20}  # fmt: skip
    body = json.dumps({"automations": [row], "total": 1})
    canvas.between.answer(LIST, 200, body, "application/json")
    run = {"id": "b", "status": "COMPLETED", "created_at": "2026-11-24T15:00:00Z"}
    body = json.dumps({"runs": [run], "total": 1})
    canvas.between.answer(RUNS, 200, body, "application/json")
    async with explore(source=canvas.source, size=(80, 24)) as it:
        view = await opened(it, "a long name " * 9)
        assert "a long name a long name" in it.text_of(view.rule) and "…" in it.text_of(view.rule)
        prompt, _, event, _, _, why = it.text_of(view.about).split("\n")
        assert all(line.endswith("…") for line in (prompt, event, why))
        assert it.text_of(view.list).split("\n")[0].split()[1:] == [
            "ended",
            "1h",
            "–",
            "–",
            "not",
            "known",
        ]


async def test_a_run_without_a_conversation_shows_what_its_script_printed() -> None:
    canvas, log = Canvas(), "GET /api/bash/bash_events/search"
    async with explore(source=canvas.source, size=(120, 36)) as it:
        view = await opened(it, LINKS)
        await it.until(lambda: "no network here" in view.body.plain_text())
        told = view.body.plain_text()
        assert "what its script printed, exit code 7" in told and "Starting automation" in told
        assert told.count("no network here") == 1 and "went wrong" not in told, "once"
        assert "execution" not in told and "not known" in told
        assert canvas.between.count(log) == 1
        await it.press("enter")
        await it.until(lambda: "no conversation of it is known" in footer(it, view))
        await it.press("j", "k")
        await it.settle()
        assert canvas.between.count(log) == 1, "kept"
        await it.press("escape", "k", "k")
        view = await opened(it, HEALTH)
        await it.until(lambda: "uv: command not found" in view.body.plain_text())
        assert canvas.between.count(log) == 2
        await it.press("r")
        await it.until(lambda: canvas.between.count(log) == 3)
        assert "probably dead" in it.text_of(view.list)
        assert "Nothing has been heard of it" in view.body.plain_text()
        assert "P stop run" in footer(it, view)


async def test_enter_opens_the_conversation_and_esc_comes_back_to_the_run() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, TRIAGE)
        await it.press("j", "j", "enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        assert it.screen.session.pane == "timeline"
        assert f"automation {TRIAGE}" in it.text("#run-rule")
        await it.press("escape")
        view = await shown(it)
        assert view.list.cursor == 2
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_a_conversation_leads_to_the_run_that_made_it() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        await it.open("Migrate to pydantic 2")
        await it.screen.run_action("automations.of_conversation")
        view = await shown(it)
        assert SWEEP in it.text_of(view.rule) and view.list.cursor == 0
        await it.press("escape")
        await it.open("Parse ISO week dates")
        await it.screen.run_action("automations.of_conversation")
        await it.settle()
        assert "no automation made this conversation" in it.footer


def asked(it: Explorer, view: AutomationScreen) -> str:
    return it.text_of(view.asking.question_bar) if view.asking.is_questioning else ""


async def test_it_asks_and_acts_where_it_is_and_shows_what_came_of_it() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, SWEEP)
        await it.press("P")
        await it.until(lambda: "the run is over (timed out)" in asked(it, view))
        assert "stop run" not in footer(it, view), "the keys are those of the question"
        await it.press("f1")
        assert len(it.app.screen_stack) == 3
        assert help_shown(it).startswith("To answer the question")
        await it.press("escape", "escape")
        assert it.app.screen is view and not asked(it, view) and not canvas.between.count(INTERRUPT)
        await it.press("P")
        await it.until(lambda: asked(it, view))
        view.list.focus()  # as a click on a row does
        await it.press("P", "escape")
        assert it.app.screen is view and not asked(it, view) and not canvas.between.count(INTERRUPT)
        await it.press("P")
        await it.until(lambda: asked(it, view))
        await it.press("enter")
        await it.until(lambda: "its agent is stopped" in footer(it, view))
        await it.until(lambda: "works on" not in it.text_of(view.list))
        assert canvas.between.count(INTERRUPT) == 1 and not canvas.between.count(CANCEL)
        await it.press("j", "p")
        await it.until(lambda: "is off" in footer(it, view))
        assert "off" in it.text_of(view.rule) and "p switch on" in footer(it, view)
        assert it.app.screen is view and view.list.cursor == 1 and view.list.has_focus
        canvas.between.answer("PATCH *", 500, '{"detail": "disk on fire"}', "application/json")
        await it.press("p")
        await it.until(lambda: asked(it, view))
        await it.press("enter")
        await it.until(lambda: "disk on fire" in footer(it, view))
        await it.press("escape", "escape")
        assert len(it.app.screen_stack) == 1 and "disk on fire" not in it.footer, "esc put it away"


async def test_what_is_read_for_a_question_is_dropped_by_esc_and_with_the_view() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, SWEEP)
        held = canvas.between.hold(RUNS)
        await it.send("P")
        await it.until(lambda: "asking how the run stands" in footer(it, view))
        await it.send("escape")
        assert it.app.screen is view and "asking how" not in footer(it, view)
        await it.send("P")
        await it.until(lambda: "asking how the run stands" in footer(it, view))
        view.dismiss(None)
        await it.until(lambda: it.app.screen is it.screen)
        held.set()
        await it.settle()
        assert not it.screen.asking.is_asking and not it.screen.ui.preparations.active


async def test_a_view_that_is_taken_away_answers_its_question_with_no() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, SWEEP)
        await it.press("P")
        await it.until(lambda: asked(it, view))
        await it.press("ctrl+p")
        await it.find_command("costs", "costs")
        await it.press("enter")
        await it.until(lambda: "a question waits" in footer(it, view))
        it.app.pop_screen()
        await it.until(lambda: not it.screen.ui.at_work("write"))
        assert not canvas.between.count(INTERRUPT)


async def test_what_cannot_be_read_is_said_with_the_key_that_helps() -> None:
    canvas = Canvas()
    canvas.between.answer(RUNS, 502, "Bad Gateway")
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await it.until(lambda: it.screen.sidebar.automation_list.rows)
        await it.settle()
        await it.press("2", "enter")
        view = await shown(it)
        assert "its runs could not be read" in it.text_of(view.list)
        assert "r tries again" in it.text_of(view.list)
        canvas.between.answers.clear()
        await it.press("r")
        await it.until(lambda: "failed" in it.text_of(view.list))
        canvas.between.answer(RUNS, 200, '{"runs": [], "total": 0}', "application/json")
        await it.press("r")
        await it.until(lambda: "it has not run yet" in it.text_of(view.list))
        assert canvas.between.count(LIST) >= 3


def test_nothing_of_a_run_need_be_told_and_all_may_be_hostile() -> None:
    (fields,) = blocks(RunRow(AutomationRun("r"), None, False), "", 0.0)
    assert fields == Fields((("conversation", "not known"),))
    bad = "\x1b[31mred\u202e sk-ant-" + "a" * 60
    detail = StatusDetail(phase=bad, kind=bad, detail=bad, code=bad)
    said: Any = {"finish_tool_response": {"message": bad, "status": bad}}
    run = AutomationRun(
        bad, status="FAILED", trigger_source=bad, error_detail=bad, status_detail=detail,
        current_phase=bad, run_metadata=said, cost=float("nan"), started_at=bad, timeout_at=bad,
    )  # fmt: skip
    found = blocks(RunRow(run, Conversation(id="1", title=bad), True), bad, 0.0)
    assert any(isinstance(one, Markdown) for one in found)
    assert sum(isinstance(one, Failure) for one in found) == 2
    shown = json.dumps([repr(one) for one in found[:-1]])
    assert "x1b" not in shown and "202e" not in shown and "a" * 60 not in shown
    assert took(run, 5.0) == ""


async def test_quitting_and_staying_leaves_no_view_that_is_still_renewed() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await opened(it, FLAKY)
        with it.screen.session.writes.doing("something"):  # so that it asks
            await it.send("ctrl+q")
            await it.until(lambda: it.screen.asking.question_bar.is_seen)
            assert it.screen.controllers.automations.view is None
            await it.press("escape")


async def test_a_run_under_way_is_followed_at_each_refresh() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        view = await opened(it, FLAKY)
        assert "running" in it.text_of(view.list) and "P stop run" in footer(it, view)
        before, run = canvas.between.count(RUNS), view.list.rows[0].run
        ended = {"id": run.id, "status": "COMPLETED", "started_at": run.started_at}
        body = {"runs": [ended], "total": 1, "status_counts": {"COMPLETED": 1}}
        canvas.between.answer(RUNS, 200, json.dumps(body), "application/json")
        it.screen.controllers.conversations.schedule.ask()  # as time does
        await it.until(lambda: "ended" in it.text_of(view.list))
        await it.settle()
        assert "P stop" not in footer(it, view) or view.list.rows[0].works_on
        asked = canvas.between.count(RUNS) - before
        assert asked <= 3, "of those that have a run under way alone"

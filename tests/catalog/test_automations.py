"""Words for automations: when they run, how a run ended, and why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from oh_tui.api.automation_models import Automation, AutomationRun, StatusDetail, Trigger
from oh_tui.catalog.automations import (
    automation_name,
    cause,
    conversation_of,
    failed_share,
    made_by,
    outcome,
    phase,
    took,
    trigger_words,
    why_off,
    works_on,
)
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.model.clock import seconds
from tests.automation_samples import sample
from tests.hostile.texts import CORPUS


def runs(name: str, version: str = "1.26.0") -> list[AutomationRun]:
    return msgspec.convert(sample(name, version)["runs"], list[AutomationRun])


def cron(line: str, zone: str | None = "UTC") -> str:
    return trigger_words(Trigger("cron", line, zone))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 3 * * *", "every day at 03:00 UTC"),
        ("0 3 * * 1", "every Monday at 03:00 UTC"),
        ("30 18 * * 7", "every Sunday at 18:30 UTC"),
        ("30 18 * * FRI", "every Friday at 18:30 UTC"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("5 * * * *", "each hour at :05"),
        ("0 9 * * 1-5", "weekdays at 09:00 UTC"),
        ("0 9 1 * *", "on the 1st of each month at 09:00 UTC"),
        ("0 9 22 * *", "on the 22nd of each month at 09:00 UTC"),
        ("0 9 11 * *", "on the 11th of each month at 09:00 UTC"),
        ("0 3 1 1 *", "every 1 January at 03:00 UTC"),
        ("30 18 24 12 *", "every 24 December at 18:30 UTC"),
        # none of them, or not exactly
        ("0 3 * 1 *", "0 3 * 1 * UTC"),
        ("0 3 1 1 1", "0 3 1 1 1 UTC"),
        ("0 3 1 13 *", "0 3 1 13 * UTC"),
        ("5 * 1 1 *", "5 * 1 1 * UTC"),
        ("*/7 * * * *", "*/7 * * * * UTC"),
        ("*/0 * * * *", "*/0 * * * * UTC"),
        ("0 9 31 * *", "0 9 31 * * UTC"),
        ("0 9 1 * 1", "0 9 1 * 1 UTC"),
        ("0 9,17 * * *", "0 9,17 * * * UTC"),
        ("0 0 3 * * *", "0 0 3 * * * UTC"),
        # wrong ones
        ("61 3 * * *", "61 3 * * * UTC"),
        ("0 24 * * *", "0 24 * * * UTC"),
        ("0 3 0 * *", "0 3 0 * * UTC"),
        ("0 3 * * 8", "0 3 * * 8 UTC"),
        ("0 ³ * * *", "0 ³ * * * UTC"),
        ("every day", "every day UTC"),
        ("-1 3 * * *", "-1 3 * * * UTC"),
    ],
)
def test_seven_forms_of_cron_in_words(line: str, words: str) -> None:
    assert cron(line) == words


def test_a_schedule_names_its_zone_where_it_has_one() -> None:
    assert cron("0 3 * * *", "Europe/Berlin") == "every day at 03:00 Europe/Berlin"
    assert cron("0 3 * * *", None) == "every day at 03:00"


def test_what_an_event_trigger_waits_for() -> None:
    trigger = msgspec.convert(sample("one-event-trigger"), Automation).trigger
    told = "on pull_request.opened of github, if repository.full_name == 'acme/site'"
    assert trigger_words(trigger) == told
    assert trigger_words(Trigger("event", on=("push", "release"))) == "on push or release"
    assert trigger_words(Trigger("event")) == "on events"
    assert trigger_words(Trigger("moon")) == "moon"
    assert trigger_words(Trigger()) == trigger_words(None) == "not known"


def test_completed_is_green_only_where_the_agent_says_success() -> None:
    (blocked,) = runs("runs-blocked-triage")
    assert outcome(blocked)[:] == ("blocked", "failed", "warn")
    assert cause(blocked) == "The repository needs a token that I have not got."
    cancelled, partial = runs("runs-partial-docs")
    assert outcome(partial)[:] == ("in part", "failed", "warn")
    assert outcome(cancelled).word == "stopped" and cause(cancelled) == "Cancelled by user"
    (done,) = runs("runs", "1.13.1")
    assert outcome(done)[:] == ("finished", "finished", "good") and cause(done) == ""
    told_nothing = AutomationRun("r", status="COMPLETED")
    assert outcome(told_nothing)[:] == ("ended", "unknown", "")
    odd: Any = {"finish_tool_response": {"status": ["x"]}}
    assert outcome(AutomationRun("r", status="COMPLETED", run_metadata=odd)).word == "ended"


def test_the_cause_is_its_first_telling_line() -> None:
    (setup,) = runs("runs-breaks-before-a-conversation")
    assert cause(setup) == "[setup] no network here (exit code 7)"
    assert outcome(setup).word == "failed" and phase(setup) == "Starting automation"
    told = [(outcome(one).word, cause(one)) for one in runs("runs-slow-sweep")]
    killed = ("timed out", "command timed out or was killed")
    assert told == [("stopped", "Cancelled by user"), killed, killed]
    key = runs("runs-bad-key")[0]
    assert cause(key) == "Your LLM API key appears to be invalid or has expired."
    (away,) = runs("runs-agent-server-not-reachable")
    assert cause(away) == "All connection attempts failed"
    only_code = AutomationRun("r", status="FAILED", error_detail="exit_code=2\n")
    assert cause(only_code) == "exit code 2"
    only_kind = AutomationRun("r", status="FAILED", status_detail=StatusDetail(kind="no_disk"))
    assert cause(only_kind) == "no disk"


def test_a_run_past_its_time_is_probably_dead() -> None:
    run = AutomationRun("r", status="RUNNING", timeout_at="2026-12-01T04:30:00Z")
    over = 1_796_099_400.0
    assert outcome(run, over - 1).word == "running" == outcome(run).word
    assert outcome(run, over + 1).word == "probably dead"
    assert outcome(run, over - 1, script_ended=True).word == "probably dead"
    assert outcome(AutomationRun("r", status="RUNNING", timeout_at="soon"), over).word == "running"


def test_statuses_that_nobody_knows_are_told_as_they_are() -> None:
    assert outcome(AutomationRun("r", status="ON_HOLD")).word == "on hold"
    assert outcome(AutomationRun("r")).word == "not known"
    assert cause(AutomationRun("r")) == "" == phase(AutomationRun("r"))
    every = [outcome(AutomationRun("r", status=text)).word for text in CORPUS.values()]
    assert all("\x1b" not in word and "\n" not in word and len(word) <= 20 for word in every)
    glyphs = Glyphs()
    assert [one.mark(glyphs) for one in map(outcome, runs("runs-partial-docs"))] == [
        ("║", "dim"),
        ("!", "warn"),
    ]


@pytest.mark.parametrize("text", CORPUS.values())
def test_hostile_texts_stay_on_one_clean_line(text: str) -> None:
    detail = {"kind": text, "detail": text}
    run = msgspec.convert(
        {"id": text, "status": "FAILED", "current_phase": text, "status_detail": detail},
        AutomationRun,
    )
    reason = Automation("a", enabled=False, disabled_reason=text)
    event = Trigger("event", source=text, on=text, filter=text)
    told = [cause(run), phase(run), why_off(reason), trigger_words(event), cron(text, text)]
    for line in told:
        assert line == clean_line(line)
        assert len(line) < 1000


def test_how_many_failed_of_those_that_ended() -> None:
    assert failed_share({"COMPLETED": 5, "FAILED": 3, "CANCELLED": 2, "RUNNING": 1}) == "3 of 8"
    assert failed_share({"COMPLETED": 2}) == "0 of 2"
    assert failed_share({"RUNNING": 1}) == failed_share({}) == failed_share(None) == ""


def test_why_it_is_off() -> None:
    automatic = msgspec.convert(sample("one-paused-automatically"), Automation)
    why = "Your LLM API key appears to be invalid or has expired."
    assert why_off(automatic) == f"off by itself, after 3 failed runs: {why}"
    told = runs("runs-bad-key")
    assert why_off(automatic, "14:00", told) == "off by itself since 14:00, after 3 failed runs"
    others = runs("runs-slow-sweep")
    assert why_off(automatic, "14:00", others).endswith(why), "none of these says it"
    by_hand = msgspec.convert(sample("one-paused-by-hand"), Automation)
    assert why_off(by_hand) == "off by hand"
    assert why_off(by_hand, "14:00") == "off by hand since 14:00"
    assert why_off(msgspec.convert(sample("one", "1.13.1"), Automation)) == ""
    assert why_off(Automation("a")) == ""
    assert why_off(Automation("a", enabled=False)) == "off"
    assert why_off(Automation("a", enabled=True, state="INACTIVE"), "14:00") == "off since 14:00"
    blank = Automation("a", enabled=False, disabled_reason="\x00")
    assert why_off(blank) == "off by itself"


def conversation(**fields: Any) -> Conversation:
    return msgspec.convert(fields, Conversation)


def test_a_conversation_and_its_run_find_each_other() -> None:
    made = conversation(**sample("conversation"))
    (run,) = runs("runs-blocked-triage")
    found = made_by(made)
    assert found and found.run_id == run.id and found.automation_id == run.automation_id
    assert automation_name(made) == "Blocked triage"
    while_it_runs = msgspec.structs.replace(run, conversation_id=None)
    for one in (run, while_it_runs):
        assert conversation_of(one, [conversation(id="other"), made]) is made
    # without its tags the id is left, and only of a run that has ended
    bare = conversation(id=made.id.replace("-", ""))
    assert conversation_of(run, [bare]) is bare
    assert conversation_of(while_it_runs, [bare]) is None
    assert made_by(bare) is None and automation_name(bare) is None


def test_a_fork_is_not_the_conversation_of_the_run() -> None:
    made = conversation(**sample("conversation"))
    fork = msgspec.structs.replace(made, id="fork", forked_from_conversation_id=made.id)
    (run,) = runs("runs-blocked-triage")
    assert conversation_of(run, [fork, made]) is made
    while_it_runs = msgspec.structs.replace(run, conversation_id=None)
    assert conversation_of(while_it_runs, [fork]) is fork


def test_the_agent_of_a_run_that_is_over_may_work_on() -> None:
    works = conversation(id="c", execution_status="running")
    timed_out = runs("runs-slow-sweep")[1]
    assert works_on(timed_out, works)
    assert not works_on(AutomationRun("r", status="RUNNING"), works)
    assert not works_on(timed_out, None)
    assert not works_on(timed_out, conversation(id="c", execution_status="finished"))
    assert not works_on(timed_out, msgspec.structs.replace(works, parent_conversation_id="p"))
    assert not works_on(timed_out, msgspec.structs.replace(works, tags={"forkedfrom": "p"}))


def test_how_long_a_run_took_or_takes() -> None:
    run = AutomationRun("r", status="RUNNING", started_at="2026-01-01T00:00:10Z")
    began = seconds(run.started_at or "") or 0.0
    assert (took(run), took(run, began + 5), took(run, began - 5)) == ("", "5.0 s", "<0.1 s")
    ended = msgspec.structs.replace(run, status="COMPLETED", completed_at="2026-01-01T00:00:30Z")
    assert took(ended) == took(ended, began + 99) == "20 s"
    assert took(msgspec.structs.replace(ended, completed_at=None), began + 5) == ""

"""Silent runs: when one is, what its verdict says, and that a record alone never tells it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.api.models import Sandbox
from oh_tui.catalog import silence
from oh_tui.catalog.run_status import RunStatus, conversation_state, status_word
from oh_tui.catalog.silence import Silence
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates
from oh_tui.conversation import Conversation
from oh_tui.sources.server_runs.loading import ServerRuns
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC).timestamp()
AFTER = 600.0
ONE = Conversation(
    "1" * 32, sandbox_id="box", sandbox_status="RUNNING", execution_status="running",
    updated_at="2026-11-24T15:20:00Z",
)  # fmt: skip
TOLD = Silence("15:40", "P stops it", "sandbox up")


def status(word: str, when: str) -> dict[str, object]:
    return {
        "id": f"s {when}", "kind": "ConversationStateUpdateEvent", "source": "environment",
        "key": "execution_status", "value": word, "timestamp": when,
    }  # fmt: skip


def call(when: str) -> dict[str, object]:
    return {
        "id": f"a {when}", "kind": "ActionEvent", "source": "agent", "tool_name": "terminal",
        "tool_call_id": "c1", "llm_response_id": "r1", "timestamp": when,
        "action": {"kind": "TerminalAction", "command": "pytest -q"},
    }  # fmt: skip


def event(fields: dict[str, object]) -> Event:
    return parse_event(json.dumps(fields).encode())


def run(*events: dict[str, object], live: bool = True, clock: str = "") -> Trajectory:
    made = Trajectory(live=live, clock=clock)
    made.extend(map(event, events))
    return made


def works(last: str = "2026-11-24T15:40:00", clock: str = "+00:00") -> Trajectory:
    return run(status("running", "2026-11-24T15:00:00"), call(last), clock=clock)


@pytest.mark.parametrize(
    ("made", "since"),
    [
        (works(), NOW - 1200),
        (works("2026-11-24T15:50:00"), NOW - 600),
        (works("2026-11-24T15:50:01"), None),
        (works("2026-11-24T18:40:00", clock="+03:00"), NOW - 1200),
        (works(clock=""), None),  # nobody knows whose clock wrote it
        (works("2026-11-24T17:40:00"), None),  # a clock that is ahead
        (run(status("paused", "2026-11-24T15:00:09"), clock="+00:00"), None),
        (run(status("running", "2026-11-24T15:00:00"), live=False, clock="+00:00"), None),
        (Trajectory(live=True), None),
        (run(status("running", "0001-01-01T00:00:00"), clock="+00:00"), None),
        (run(status("running", "no time"), clock="+00:00"), None),
    ],
)  # fmt: skip
def test_a_run_is_silent_by_its_events_and_their_clock(
    made: Trajectory, since: float | None
) -> None:
    assert silence.since(made, NOW, AFTER) == since


def test_a_clock_of_this_machine_that_is_ahead_makes_no_run_silent() -> None:
    server = AppServer("http://app.test")
    runs = ServerRuns(server)
    assert runs.now(NOW) == NOW
    server._http.ahead = 3600.0
    assert silence.since(works(), runs.now(NOW), AFTER) is None
    assert silence.since(works(), runs.now(NOW + 3600), AFTER) == NOW - 1200


def test_an_event_that_comes_late_under_an_older_time_does_not_hide_the_newest() -> None:
    made = works("2026-11-24T15:55:00")
    made.extend([event(status("running", "2026-11-24T15:01:00"))])
    assert silence.last_event(made) == NOW - 300


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"updated_at": "2026-11-24T15:55:00Z"}, False),
        ({"execution_status": "paused"}, False),
        ({"execution_status": None}, False),
        ({"sandbox_status": "PAUSED"}, False),
    ],
)
def test_only_a_run_that_works_and_whose_record_is_old_is_looked_into(
    changes: dict[str, object], may: bool
) -> None:
    assert silence.may_be(replace(ONE, **changes), NOW, AFTER) is may


def test_its_verdict_says_since_when_at_which_call_and_what_helps() -> None:
    told = silence.judged(judge(works()), works(), "RUNNING", TOLD)
    assert told.word == "silent" and told.steps == (1,)
    assert told.cause == "No event since 15:40, in step 1: $ pytest -q, sandbox up (P stops it)"
    assert told.short == "no event since 15:40: in step 1: $ pytest -q"


def test_a_long_call_does_not_hide_what_helps() -> None:
    long = run(status("running", "2026-11-24T15:00:00"), clock="+00:00")
    made = call("2026-11-24T15:40:00") | {
        "action": {"kind": "TerminalAction", "command": "pytest " + 99 * "tests/test_dates.py "}
    }
    long.extend([event(made)])
    assert silence.judged(judge(long), long, "RUNNING", TOLD).cause.endswith("(P stops it)")


def test_without_a_silence_or_when_it_is_over_the_verdict_is_that_of_the_events() -> None:
    assert silence.judged(judge(works()), works(), "RUNNING", None) == judge(works())
    stopped = works()
    stopped.extend([event(status("paused", "2026-11-24T15:41:00"))])
    assert silence.judged(judge(stopped), stopped, "RUNNING", TOLD).word == "stopped"


def test_a_sandbox_that_was_paused_or_is_gone_is_said_as_such() -> None:
    ended = run(status("running", "2026-11-24T15:00:00"), call("2026-11-24T15:40:00"), live=False)
    words = {
        box: silence.judged(judge(ended), ended, box, None).word for box in ("PAUSED", "MISSING")
    }
    assert words == {"PAUSED": "stopped", "MISSING": "error"}


def test_what_is_known_of_the_sandbox() -> None:
    heard = NOW - 1200
    box = Sandbox("box", "RUNNING", created_at="2026-11-24T15:50:00Z")
    old = replace(box, created_at="2026-11-24T15:00:00Z")
    assert silence.sandbox_words(ONE, box, heard) == "sandbox restarted since"
    assert silence.sandbox_words(ONE, old, heard) == "sandbox up"
    assert silence.sandbox_words(replace(ONE, sandbox_id=None), None, heard) == ""
    paused = replace(ONE, sandbox_status="PAUSED", execution_status=None)
    assert silence.moved_words(paused, ONE) == "sandbox paused meanwhile"
    moved = replace(ONE, conversation_url="http://elsewhere")
    assert silence.moved_words(ONE, moved) == "sandbox restarted meanwhile"
    assert silence.moved_words(ONE, ONE) == silence.moved_words(ONE, paused) == ""


def test_the_status_is_silent_only_while_the_server_says_that_it_runs() -> None:
    known = LastKnown("running", silent=NOW - 1200)
    state = conversation_state(ONE, known)
    assert (state.status, status_word(ONE, state), state.silent) == (
        RunStatus.SILENT, "silent", NOW - 1200,
    )  # fmt: skip
    paused = replace(ONE, sandbox_status="PAUSED", execution_status=None)
    assert conversation_state(paused, known).status is RunStatus.STOPPED
    finished = replace(ONE, execution_status="finished")
    assert conversation_state(finished, known).status is RunStatus.FINISHED


def test_another_status_forgets_it_and_it_is_not_read_from_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    states = LastKnownStates("here", file)
    states.record_outcome("1", "running", 5.0)
    states.record_silent("1", NOW)
    states.record_opened("1", 5.0)
    assert states.save() and LastKnownStates("here", file).get("1").silent is None
    assert states.get("1").silent == NOW
    states.record_outcome("1", "finished", 6.0)
    assert states.get("1").silent is None

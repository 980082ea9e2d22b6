"""Verdicts: how runs of every shape ended, the runs of the demo among them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.ending import spans
from oh_tui.trajectory.findings.loops import loop_steps
from oh_tui.trajectory.findings.verdict import Verdict, judge, with_sandbox
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, event, failure, message, output, result, shell, state
from tests.work import counted

ASKED = message("m", "Tidy up", second=0)


def run(*events: Event, live: bool = False, complete: bool = True, clock: str = "") -> Trajectory:
    trajectory = Trajectory(live=live, complete=complete, clock=clock)
    trajectory.extend(events)
    return trajectory


def pairs(*ids: str, command: str = "ls", text: str = "a", **more: Any) -> list[Event]:
    return [e for id in ids for e in (shell(id, command, **more), output(id, text))]


def failed(code: str, detail: str = "", id: str = "err") -> Event:
    return event("ConversationErrorEvent", id, 30, source="environment", code=code, detail=detail)


def finish(id: str, words: str) -> list[Event]:
    action = {"kind": "FinishAction", "message": words}
    seen = {"kind": "FinishObservation", "content": [{"type": "text", "text": words}]}
    return [call(id, action, tool="finish"), result(id, seen, tool="finish")]


def plan(id: str, *statuses: str) -> list[Event]:
    items = [{"title": f"item {n}", "status": s} for n, s in enumerate(statuses)]
    action = {"kind": "TaskTrackerAction", "command": "plan", "task_list": items}
    seen = {"kind": "TaskTrackerObservation", "command": "plan", "task_list": items}
    return [call(id, action, tool="task_tracker"), result(id, seen, tool="task_tracker")]


# the demo's runs, each checked by hand against what its scenario says it is about

AT_REST = {
    "flaky-ci": ("saved", "Saved while"),
    "dark-mode": ("", ""),
    "pydantic": ("saved", "Saved while"),
    "pydantic-notes": ("finished", "Four things reach the API: …"),
    "oauth": ("waiting", "Asks: git push --force origin auth (risk HIGH)"),
    "week-dates": (
        "stuck",
        "Steps 58-61 made the same call and got the same result, so OpenHands stopped the run.",
    ),
    "erp-dates": (
        "finished",
        "`2021-W53-1` is read as `2022-W01-1`, and `--explain` says `rolled over to 2022-W01`. "
        "A year that has 53 weeks keeps them: `2020-W53-5` is 1 January 2021.",
    ),
    "dep-bump": ("error", "The model's key was rejected at the first step."),
    "settings-split": ("stopped", "By you at 1:46, after step 11."),
    "docker-followup": ("idle", "Nothing was asked yet."),
    "docker-cache": (
        "finished",
        "A build after a change of one file takes 7 seconds; it took 3 minutes 58. Pull request "
        "482 has both numbers.",
    ),
    "ledger": (
        "finished",
        "`Store` is `Ledger` in 37 files; the translations, where it means the App Store, are "
        "untouched. `from books.store import Store` still works and warns. 403 tests pass.",
    ),
    "crashed": (
        "saved",
        "Saved while step 4 was running: $ valgrind --leak-check=no build/pngcrush-lite "
        "test/huge.png /tmp/out.png",
    ),
    "max-iterations": ("error", "The run hit its limit of 20 iterations, so OpenHands stopped it."),
    "coverage": ("finished", "Coverage is 90.2 %; 364 test files, all pass."),
    "fuzzing": (
        "finished",
        "3987 seeds, 20,000 inputs each; every 97th found a crash, all the same one.",
    ),
    # the last item, notes for users, was handed to a conversation of its own
    "click": (
        "finished",
        "All five commands run on click, with the options and exit codes they had; 118 tests pass. "
        "The notes for users are in a conversation of their own. (plan 5/6)",
    ),
    "click-notes": ("finished", "The notes are in docs/click.md."),
    "fix-add": ("finished", "`add` adds again. 8 tests pass."),
    "eslint": ("finished", "eslint 10 finds nothing new: 0 errors, 0 warnings in 214 files."),
    "retry": (
        "finished",
        "Both use `delays` in `client/retry.py`: doubled each time, full jitter, never over 30 s.",
    ),
    "signup": (
        "finished",
        "The page loads the password meter with the word lists of all languages: 5.9 MB, before "
        "anything is shown. The privacy page, without it, needs 0.4 s.",
    ),
    # its business is the plan: none of it but the measuring is to be carried out
    "storage-plan": (
        "finished",
        "The plan is in PLAN.md: four steps, none of which needs a window. (plan 1/5)",
    ),
    "gemini": (
        "finished",
        "`@acme/units` is an ES module now. `require` of it needs Node 22.12 or newer.",
    ),
    "acp": (
        "finished",
        "Tab and Shift+Tab now close the picker and move on; Escape still closes it. 23 tests "
        "pass.",
    ),
    "team": (
        "finished",
        "Ten of 61 endpoints answer without a login. Nine are meant to. `GET /v1/export.csv` is "
        "not: the guard compares `/v1/export` before the suffix is cut off.",
    ),
    "export-guard": (
        "finished",
        "`/v1/export.csv` asks for a login now, and so does `.json`. 19 tests pass.",
    ),
    "broken": (
        "finished",
        "The dry run is clean: 4,131 numbers, no gaps. Nothing is written yet.",
    ),
    "csv-bom": (
        "finished",
        "The byte order mark is skipped now; files without one read as before.",
    ),
    "handbook": (
        "finished",
        "The summary is in on-call/SUMMARY.md: 60 services with their alerts.",
    ),
    "n-plus-1": ("finished", "/orders makes 4 queries for any number of orders."),
    "go-leak": ("finished", "`pump` ends with its client. Five runs of the leak test pass."),
    "dst": ("finished", "Weekly events keep their local time across the change of the clocks."),
    "readme-links": ("finished", "One link was wrong, in the name of the file. Both work."),
    "unicode-slug": (
        "finished",
        "Slugs keep the letters of any script; the addresses of old posts stay as they are.",
    ),
    "timeout": ("finished", "A silent server is given up after 10 s."),
    "hostile": ("finished", "مرحبا بالعالم — done [/b]"),
    "escapes": ("finished", "Hello."),
    "rtl": ("finished", "Hello."),
    "emoji": ("finished", "Hello."),
    "long-title": ("finished", "Hello."),
    "untitled": ("", ""),
}

BY_THE_AGENT_SERVER = {"docker-followup": ("", "")}
"""Where it has other events: a state that it only has in its record of the conversation."""


@pytest.mark.parametrize("via", ["app", "agent"])
@pytest.mark.parametrize("slug", SLUGS)
def test_verdict_of_the_demo(slug: str, via: str) -> None:
    word, cause = (BY_THE_AGENT_SERVER if via == "agent" else {}).get(slug, AT_REST[slug])
    verdict = judge(demo_run(slug, via))
    assert verdict.word == word
    # of a run that goes on, each server is at another event
    assert verdict.cause.startswith(cause) if cause == "Saved while" else verdict.cause == cause


def test_live_runs_of_the_demo() -> None:
    told = [judge(demo_run(slug, "agent", live=True)) for slug in ("flaky-ci", "pydantic")]
    assert [(v.word, v.short) for v in told] == [
        ("running", "$ npm test -- --runInBand"),
        ("running", "$ pytest -q"),
    ]
    assert [v.landing for v in told] == [7, 26]


# errors

CODES = {
    "MaxIterationsReached": "The run hit its limit of 1,500 iterations, so OpenHands stopped it.",
    "MaxBudgetReached": "The run hit its budget of $2.50, so OpenHands stopped it.",
    "LLMAuthenticationError": "The model's key was rejected after step 2.",
    "RateLimitError": "The model took no more calls, its rate limit was hit after step 2.",
    "LLMContextWindowExceedError": "The history outgrew the model's context window after step 2.",
    "LLMServiceUnavailableError": "The model's service was not available after step 2.",
    "LLMTimeoutError": "The model did not answer in time after step 2.",
    "LLMBadRequestError": "The model's service refused the request after step 2: ",
    "OSError": "OSError: ",
}


@pytest.mark.parametrize("code", CODES)
def test_known_codes_in_plain_words(code: str) -> None:
    detail = {
        "MaxIterationsReached": "Agent reached maximum iterations limit (1500).",
        "MaxBudgetReached": "Agent reached maximum budget limit ($2.5000); accumulated cost $2.51.",
    }.get(code, "no more\nTraceback")
    told = CODES[code] + ("no more" if CODES[code].endswith(": ") else "")
    verdict = judge(run(ASKED, *pairs("a"), state("s", "error"), failed(code, detail)))
    assert (verdict.word, verdict.cause) == ("error", told)
    assert (verdict.steps, verdict.landing) == ((3,), 3)


@pytest.mark.parametrize(
    ("again", "action", "told"),
    [
        (False, "settings", " Trying again helps only after a change of the settings."),
        (True, "retry", " Trying again may help."),
        (False, "none", ""),
        (True, "settings", ""),
        ("yes", "retry", ""),
    ],
)
def test_what_can_be_done_is_said_when_the_server_says_it(
    again: object, action: str, told: str
) -> None:
    said = {"kind": "auth", "retryable": again, "user_action": action}
    error = event("ConversationErrorEvent", "e", code="LLMAuthenticationError", classification=said)
    cause = judge(run(ASKED, *pairs("a"), state("s", "error"), error)).cause
    assert cause == f"The model's key was rejected after step 2.{told}"


def test_an_error_without_its_event() -> None:
    verdict = judge(run(ASKED, state("r", "running"), *pairs("a"), state("s", "error")))
    assert verdict.cause == "The run failed; the server does not say why."
    assert verdict.landing == 2
    # that of an earlier turn explains nothing
    again = [state("r2", "running"), *pairs("b"), state("s2", "error")]
    first = [ASKED, state("r", "running"), state("s", "error"), failed("OSError", "x")]
    assert "does not say why" in judge(run(*first, *again)).cause


def test_the_error_of_the_run_goes_before_one_of_the_server() -> None:
    late = event("ServerErrorEvent", "e2", code="MCPError", detail="closed")
    trajectory = run(ASKED, state("s", "error"), failed("LLMTimeoutError"), late)
    assert judge(trajectory).cause == "The model did not answer in time at the first step."


# waiting, running, saved


def test_several_calls_that_wait() -> None:
    calls = [shell(f"a{n}", f"rm {n}", llm_response_id="one") for n in range(3)]
    verdict = judge(run(ASKED, *calls, state("s", "waiting_for_confirmation")))
    assert (verdict.word, verdict.short) == ("waiting", "asks: rm 0 +2 more")
    assert (verdict.steps, verdict.landing) == ((2, 3, 4), 2)


def test_a_running_run() -> None:
    working = state("s", "running")
    verdict = judge(run(ASKED, working, *pairs("a"), shell("b", "pytest -q"), live=True))
    assert (verdict.word, verdict.cause, verdict.landing) == ("running", "$ pytest -q", 3)
    verdict = judge(run(ASKED, working, *pairs("a"), live=True))
    assert (verdict.short, verdict.landing) == ("thinks, after $ ls", 2)
    assert judge(run(ASKED, working, live=True)).short == "thinks about your message"


def test_a_file_that_ends_while_running() -> None:
    verdict = judge(run(ASKED, state("s", "running"), *pairs("a"), shell("b", "pytest -q")))
    assert verdict.word == "saved"
    assert verdict.cause == "Saved while step 3 was running: $ pytest -q"
    assert verdict.steps == (3,)
    verdict = judge(run(ASKED, state("s", "running"), *pairs("a")))
    assert verdict.cause == "Saved while the model was at work after step 2."
    # the answer is there, only the last word of the server is not
    assert judge(run(ASKED, state("s", "running"), *finish("f", "Done."))).word == "finished"


def test_of_a_sandbox_that_starts_nothing_is_said_to_be_saved() -> None:
    verdict = judge(run(ASKED, state("s", "running"), *pairs("a")))
    now = with_sandbox(verdict, "STARTING")
    said = "The sandbox starts; the events end while the model was at work after step 2."
    assert (now.word, now.cause) == ("starting", said)
    assert with_sandbox(verdict, "RUNNING") == verdict


# stopped


def test_stopped_by_you() -> None:
    stop = event("PauseEvent", "p", 50, source="user")
    events = [ASKED, state("r", "running"), *pairs("a"), stop, state("s", "paused")]
    assert judge(run(*events)).cause == "By you at 0:50, after step 2."
    tail = judge(run(*events, complete=False))
    assert tail.cause == "By you at ~10:00:50."
    stop = event("PauseEvent", "p", 50, source="user")
    tail = judge(run(*pairs("a"), stop, state("s", "paused"), complete=False, clock="-05:00"))
    assert tail.cause == "By you at 15:00:50 UTC."


@pytest.mark.parametrize("first", ["state", "event"])
def test_an_interrupt_names_what_it_cut_off(first: str) -> None:
    """Measured: the error of the call, the state, the InterruptEvent, in this order."""
    said = "Tool call interrupted before completion. The conversation was paused."
    stop = event("InterruptEvent", "i", 9, source="user")
    ends = [state("s", "paused"), stop] if first == "state" else [stop, state("s", "paused")]
    cut = [shell("b", "make", second=3), failure("b", said, second=9)]
    verdict = judge(run(ASKED, state("r", "running"), *pairs("a"), *cut, *ends))
    assert verdict.cause == "Interrupted by you at 0:09, which cut off step 3: $ make"
    assert verdict.short == "interrupted by you, cut off $ make"
    assert (verdict.steps, verdict.landing) == ((3, 4), 3)
    # an error that came before the stop is no cut
    wrong = [shell("b", "make", second=3), failure("b", "no such tool", second=4)]
    verdict = judge(run(ASKED, state("r", "running"), *wrong, *ends))
    assert verdict.cause == "Interrupted by you at 0:09, after step 2."


@pytest.mark.parametrize("when", [None, "yesterday", "1970-01-01T00:00:00", "9999-01-01T00:00:00"])
def test_a_time_that_lies_is_not_told(when: str | None) -> None:
    stop = event("PauseEvent", "p", source="user", timestamp=when)
    verdict = judge(run(ASKED, *pairs("a"), stop, state("s", "paused")))
    assert verdict.cause == "By you, after step 2."


def test_a_pause_of_an_earlier_turn_is_not_this_one() -> None:
    stop = event("PauseEvent", "p", 5, source="user")
    first = [ASKED, state("r", "running"), stop, state("s", "paused")]
    verdict = judge(run(*first, state("r2", "running"), *pairs("a"), state("s2", "paused")))
    assert verdict.cause == "Stopped, by whom is not told in these events."


# finished, idle, and runs without a status


def test_the_answer_is_the_first_line() -> None:
    done = state("s", "finished")
    verdict = judge(run(ASKED, *finish("f", "## All **done**\n\nMore below."), done))
    assert (verdict.cause, verdict.steps, verdict.landing) == ("All done", (2,), 2)
    verdict = judge(run(ASKED, message("t", "Hello.", "agent"), done))
    assert (verdict.cause, verdict.landing) == ("Hello.", 2)
    assert judge(run(ASKED, *pairs("a"), done)).cause == "Finished without an answer."


def test_what_is_left_of_the_plan() -> None:
    events = [ASKED, *plan("p", "done", "in_progress"), *finish("f", "Done. " * 60)]
    verdict = judge(run(*events, state("s", "finished")))
    assert (verdict.plan, verdict.undone) == ((1, 2), "plan 1/2")
    assert verdict.cause.endswith("… (plan 1/2)") and len(verdict.cause) <= 200
    assert verdict.short.endswith("… (plan 1/2)") and len(verdict.short) <= 60
    # a plan that was refused or is done does not count
    events = [ASKED, *plan("p", "done", "done"), call("q", {"kind": "TaskTrackerAction"})]
    verdict = judge(run(*events, failure("q", "no"), *finish("f", "Ok."), state("s", "finished")))
    assert (verdict.plan, verdict.cause) == ((2, 2), "Ok.")


def test_idle() -> None:
    assert judge(run(state("s", "idle"))).short == "nothing was asked yet"
    verdict = judge(run(state("s", "idle"), ASKED))
    assert (verdict.word, verdict.cause) == ("idle", "The last message has not been answered yet.")
    rejected = event("UserRejectObservation", "u", 4, action_id="a", tool_call_id="call-a")
    verdict = judge(run(ASKED, shell("a", "rm x"), rejected, state("s", "idle")))
    assert verdict.cause == "Nothing runs since step 2 was rejected: $ rm x"


def test_runs_that_tell_no_status() -> None:
    assert judge(run()) == Verdict("", "", "")
    assert judge(run(ASKED, *pairs("a"))).word == ""
    hook = event("HookExecutionEvent", "h", hook_event_type="Stop", success=True)
    assert judge(run(ASKED, *finish("f", "Done."), hook)).word == "finished"
    assert judge(run(ASKED, failed("LLMTimeoutError"))).word == "error"
    assert judge(run(ASKED, *finish("f", "Done."), state("s", "deleting"))).word == "finished"


def test_a_tail_names_no_numbers() -> None:
    stuck = run(*pairs("a", "b", "c", "d"), state("s", "stuck"), complete=False)
    assert judge(stuck).cause.startswith("The last 4 steps made the same call")
    tails = [
        stuck,
        run(*pairs("a"), shell("b"), state("s", "running"), complete=False),
        run(*pairs("a"), state("s", "error"), failed("LLMTimeoutError"), complete=False),
        run(*pairs("a"), state("s", "idle"), complete=False),
    ]
    assert not any("step 1" in judge(t).cause or "step 2" in judge(t).cause for t in tails)


def test_spans() -> None:
    assert spans([58, 59, 60, 61]) == "58-61"
    assert spans([3, 5, 6]) == "3, 5-6"
    assert spans([1, 3, 5, 7, 9]) == "5 from 1 to 9"
    assert spans([]) == ""


# hostile and large


KEY = "sk-ant-api03-" + "a1B2" * 12


def test_foreign_texts_are_clean_and_redacted() -> None:
    words = f"\x1b[2Jred \u202e {KEY}\nsecond"
    for trajectory in (
        run(ASKED, *finish("f", words), state("s", "finished")),
        run(ASKED, failed(words, words), state("s", "error")),
        run(ASKED, shell("a", words), state("s", "waiting_for_confirmation")),
    ):
        verdict = judge(trajectory)
        assert KEY not in verdict.cause + verdict.short
        assert (verdict.cause + verdict.short).isprintable()
        assert "red" in verdict.cause


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_KINDS = st.sampled_from(
    [
        "ActionEvent",
        "ObservationEvent",
        "AgentErrorEvent",
        "UserRejectObservation",
        "MessageEvent",
        "PauseEvent",
        "InterruptEvent",
        "ConversationErrorEvent",
        "ServerErrorEvent",
        "ConversationStateUpdateEvent",
        "Condensation",
        "ACPToolCallEvent",
        "HookExecutionEvent",
        "Odd",
    ]
)
_STATUSES = st.sampled_from(
    [
        "idle",
        "running",
        "paused",
        "waiting_for_confirmation",
        "finished",
        "error",
        "stuck",
        "deleting",
        "x",
    ]
)
_HALVES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["TerminalAction", "FinishAction", "TaskTrackerAction"]),
        "command": _VALUES,
        "message": st.text() | _VALUES,
        "task_list": st.lists(st.dictionaries(st.just("status"), _VALUES)) | _VALUES,
        "content": _VALUES,
    }
)
_EVENTS = st.fixed_dictionaries(
    {"kind": _KINDS},
    optional={
        "id": st.sampled_from("abcdefghij"),
        "timestamp": st.sampled_from(["", "x", "1600-01-01", "2026-03-01T10:00:00"]) | _VALUES,
        "source": st.sampled_from(["user", "agent", "environment", "\x1b[1m"]) | _VALUES,
        "key": st.just("execution_status"),
        "value": _STATUSES | _VALUES,
        "action": _HALVES | _VALUES,
        "observation": _HALVES | _VALUES,
        "action_id": st.sampled_from("abcdefghij"),
        "tool_call_id": st.sampled_from("abc"),
        "llm_response_id": st.sampled_from("ab"),
        "code": st.sampled_from(["MaxIterationsReached", "MaxBudgetReached"]) | _VALUES,
        "detail": st.text() | _VALUES,
        "llm_message": _VALUES,
        "error": st.text() | _VALUES,
        "security_risk": st.sampled_from(["HIGH", "LOW"]) | _VALUES,
    },
)


@given(st.lists(_EVENTS, max_size=25), _STATUSES, st.booleans(), st.booleans())
def test_any_events_have_a_verdict(
    bodies: list[dict[str, Any]], status: str, live: bool, complete: bool
) -> None:
    trajectory = run(
        *(parse_event(json.dumps(body).encode()) for body in bodies),
        state("last", status),
        live=live,
        complete=complete,
    )
    verdict = judge(trajectory)
    known = {
        "",
        *[
            "error",
            "stuck",
            "waiting",
            "running",
            "stopped",
            "finished",
            "idle",
            "saved",
            "unfinished",
        ],
    }
    assert verdict.word in known
    for text, limit in ((verdict.cause, 200), (verdict.short, 60)):
        assert len(text) <= limit
        assert "\n" not in text and "\x1b" not in text
    numbers = {step.number for step in trajectory.steps}
    assert set(verdict.steps) <= numbers and list(verdict.steps) == sorted(verdict.steps)
    assert verdict.landing is None or verdict.landing in numbers
    assert loop_steps(trajectory) <= numbers


def test_a_long_run_is_judged_by_its_end() -> None:
    """Only the bodies of a few dozen steps are read."""
    reads = 0

    class Counted:
        def read(self, place: int) -> bytes:
            nonlocal reads
            reads += 1
            return held[place]

        original = read

    held = [e.raw() for n in range(3_000) for e in (shell(f"a{n}"), output(f"a{n}", "a"))]
    store = Counted()
    steps = [parse_event(raw, store=store, place=place) for place, raw in enumerate(held)]
    for status in ("stuck", "finished", "paused", "error", "running", "idle"):
        reads = 0
        judge(run(*steps, state(status, status)))
        # the loop of this run is as long as the run, and looked at so far
        assert reads <= (1_100 if status == "stuck" else 20)
    with counted() as work:
        judge(run(*steps[-100:], state("s", "finished")))
    assert work.lines < 20_000

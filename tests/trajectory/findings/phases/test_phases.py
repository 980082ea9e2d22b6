"""Phases: what a reader would call consecutive steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.demo.catalog import ENTRIES
from oh_tui.trajectory.findings.phases.phases import Phase, Phases, sentence
from oh_tui.trajectory.findings.phases.work import MOST_NAMES, Change, Facts, Name, Work, work_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.test_results import RunOfTests
from tests.demo_runs import demo_run
from tests.trajectory.edited import edit, patch
from tests.trajectory.made import call, event, message, output, result, shell

from .by_hand import BY_HAND

SLUGS = {entry.title: entry.slug for entry in ENTRIES}

NEAR = 2
"""Steps by which a bound may differ from one by hand."""


def test_phases_agree_with_those_of_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    same_steps = all_steps = same_bounds = all_bounds = 0
    with capsys.disabled():
        print()
        for title, by_hand in BY_HAND.items():
            run = demo_run(SLUGS[title])
            found = Phases(run, KnownIntents()).all
            hand = [(last, name) for last, name, _ in by_hand]
            count = hand[-1][0]
            same = sum(_name(found, n) == _by_hand(hand, n) for n in range(1, count + 1))
            bounds = [last for last, _ in hand[:-1]]
            ours = [phase.last for phase in found]
            near = sum(any(abs(bound - one) <= NEAR for one in ours) for bound in bounds)
            print(f"{title:32} steps {same}/{count}  bounds {near}/{len(bounds)}")
            same_steps, all_steps = same_steps + same, all_steps + count
            same_bounds, all_bounds = same_bounds + near, all_bounds + len(bounds)
        print(f"all: steps {same_steps}/{all_steps}, bounds {same_bounds}/{all_bounds}")
    assert same_steps >= 0.9 * all_steps
    assert same_bounds >= 0.8 * all_bounds


def _name(found: list[Phase], number: int) -> str:
    return next(phase.name for phase in found if phase.first <= number <= phase.last)


def _by_hand(hand: list[tuple[int, str]], number: int) -> str:
    return next(name for last, name in hand if number <= last)


def _phases(*events: Event) -> list[tuple[int, int, str]]:
    run = Trajectory()
    run.extend(events)
    return [(one.first, one.last, one.name.value) for one in Phases(run, KnownIntents()).all]


def test_a_test_that_fails_begins_a_phase_until_one_passes() -> None:
    run = Trajectory()
    run.extend([
        message("m", "Fix it"),
        *(event for n in range(4) for event in (shell(f"l{n}", "ls"), output(f"l{n}"))),
        *edit("e", "/w/a.py", "a\n", "b\n"),
        shell("t", "pytest"), output("t", "2 failed in 0.1s", 1),
        shell("g", "grep -n x a.py"), output("g"),
        *edit("f", "/w/a.py", "b\n", "c\n"),
        shell("u", "pytest | tail -1"), output("u", "45 passed in 0.1s"),
        shell("p", "git commit -qm x && git push"), output("p"),
        message("z", "Done", "agent"),
    ])  # fmt: skip
    assert [
        (p.first, p.last, p.name.value, p.summary) for p in Phases(run, KnownIntents()).all
    ] == [
        (1, 5, "look", "looked around 4 times"),
        (6, 6, "edit", "edited a.py"),
        (7, 10, "debug", "edited a.py until 45 tests passed"),
        (11, 11, "commit", "committed, pushed"),
        (12, 12, "answer", "answered"),
    ]


def test_what_is_small_belongs_to_what_is_around_it() -> None:
    edits = [event for n in range(4) for event in edit(f"e{n}", f"/w/{n}.py", "a\n", "b\n")]
    looks = [event for n in range(2) for event in (shell(f"l{n}", "ls"), output(f"l{n}"))]
    passed = [shell("t", "pytest"), output("t", "1 passed in 0.1s")]
    assert _phases(*edits[:4], *looks, *edits[4:], *passed) == [(1, 7, "edit")]


def test_a_message_of_the_user_begins_a_phase() -> None:
    edits = [event for n in range(2) for event in edit(f"e{n}", f"/w/{n}.py", "a\n", "b\n")]
    pause = event("PauseEvent", "p", source="user")
    bounds = _phases(message("a", "x"), *edits[:2], pause, message("b", "y"), *edits[2:])
    assert bounds == [(1, 3, "edit"), (4, 5, "edit")]
    assert _phases(message("a", "x")) == [(1, 1, "ask")]
    assert _phases() == []


def test_a_sentence_tells_only_what_is_known() -> None:
    def said(*events: Event) -> str:
        run = Trajectory()
        run.extend(events)
        return Phases(run, KnownIntents()).all[-1].summary

    assert said(shell("a", "pytest | tail"), output("a", "killed")) == "ran tests"
    assert said(shell("a", "pytest"), output("a", "1 failed, 2 passed in 1s", 1)) == (
        "1 test failed and 2 passed"
    )
    assert said(shell("a", "pip install -q 'httpx>=1' -r x.txt"), output("a")) == "installed httpx"
    assert said(shell("a", "pip install httpx"), output("a", "", 1)) == ("1 call failed")
    assert said(shell("a", "git push"), output("a", "no", 1)) == "1 call failed"
    for command in ("git commit -m x && git push", "pip install httpx", "pytest", "python a.py"):
        no = event(
            "UserRejectObservation", "no", source="user", action_id="a", tool_call_id="call-a",
            tool_name="terminal", rejection_reason="no",
        )  # fmt: skip
        assert said(shell("a", command), no) == "nothing was done"
        assert said(shell("b", "ls"), output("b"), shell("a", command), no) == "looked around"
    for command in ("git commit -m x && git push", "pip install httpx", "sed -i s/a/b/ x.py"):
        assert said(shell("a", command)) == "what was done is not known"
    hostile = "/w/[red]\x1b[31m\n" + "x" * 500
    text = said(*edit("e", hostile, "a\n", "b\n"))
    assert len(text) < 60 and "\x1b" not in text and "\n" not in text
    secret = said(*edit("e", "/w/sk-ant-api03-" + "a1B2" * 20, "a\n", "b\n"))
    assert "a1B2" not in secret


DONE = {
    "rm try.py": "deleted try.py",
    "rm a.py b.py": "deleted 2 files",
    "mv a.py b.py": "moved a.py",
    "mv a.py b.py lib": "moved 2 files",
    "sed -i s/a/b/ a.py": "edited a.py",
    "cat > try.py": "wrote try.py",
    "touch a.py && rm b.py": "wrote a.py, deleted b.py",
}


@pytest.mark.parametrize("command", DONE)
def test_what_is_done_to_a_file_has_a_word_of_its_own(command: str) -> None:
    run = Trajectory()
    run.extend([shell("a", command), output("a"), *edit("e", "/w/c.py", None, "a", "create")])
    changes = "*** Update File: d.py\n*** Move to: e.py\n@@\n-a\n+b\n*** Delete File: f.py\n"
    run.extend(patch("p", f"*** Begin Patch\n{changes}*** End Patch"))
    one, two, three = (work_of(step, KnownIntents(), run) for step in run.steps)
    facts = Facts()
    facts.add(one)
    assert sentence(Name.EDIT, facts) == DONE[command]
    assert two.changed == ((Change.CREATED, "/w/c.py"),)
    assert three.changed == ((Change.MOVED, "d.py"), (Change.DELETED, "f.py"))


def test_errors_are_no_tests_that_failed() -> None:
    facts = Facts()
    facts.add(Work(Name.TEST, tests=RunOfTests(False, 3, 0, 4)))
    assert sentence(Name.TEST, facts) == "4 errors and 3 passed"
    facts.add(Work(Name.TEST, tests=RunOfTests(False, None, 1, 1)))
    assert sentence(Name.TEST, facts).startswith("1 test failed, 1 error in the last of 2")


def test_names_are_kept_as_far_as_they_are_told() -> None:
    facts = Facts()
    for place in range(MOST_NAMES + 5):
        facts.add(Work(Name.EDIT, changed=((Change.EDITED, f"/w/{place}/" + "x" * 5_000),)))
    edited = facts.changed[Change.EDITED]
    assert len(edited) == 1 and edited.total() == MOST_NAMES + 5
    for place in range(MOST_NAMES + 5):
        facts.add(Work(Name.EDIT, changed=((Change.EDITED, str(place)),)))
    assert len(edited) == MOST_NAMES
    assert sentence(Name.EDIT, facts) == "edited 2,000 or more files"


def test_many_files_are_told_by_their_folder_and_many_test_runs_by_those_that_failed() -> None:
    facts = Facts()
    for n in range(12):
        facts.add(Work(Name.EDIT, changed=((Change.EDITED, f"/w/tests/{n % 3}/test_{n}.py"),)))
        facts.add(Work(Name.TEST, tests=RunOfTests(n % 4 != 0)))
    facts.add(Work(Name.TEST, tests=RunOfTests(None)))
    told = sentence(Name.EDIT, facts)
    assert told == "edited 12 files in tests, ran tests 13 times, 3 of them failed"
    facts.add(Work(Name.EDIT, changed=((Change.EDITED, "a.py"),)))
    assert sentence(Name.EDIT, facts).startswith("edited 13 files, ")


def test_two_debugs_with_little_between_are_one_until_its_last_test_passes() -> None:
    names = ["ask", "fails", "edit", "passes", "edit", "fails", "edit", "look", "passes", "commit"]
    bounds = _phases(*_events(names))
    assert bounds == [(1, 9, "debug"), (10, 10, "commit")]


STEPS: dict[str, Callable[[str], Iterable[Event]]] = {
    "look": lambda id: [shell(id, "ls"), output(id)],
    "edit": lambda id: edit(id, f"/w/{id}.py", "a\n", "b\n"),
    "passes": lambda id: [shell(id, "pytest"), output(id, "1 passed in 1s")],
    "fails": lambda id: [shell(id, "pytest"), output(id, "1 failed in 1s", 1)],
    "unknown": lambda id: [shell(id, "pytest | tail"), output(id, "killed")],
    "install": lambda id: [shell(id, "pip install x"), output(id)],
    "commit": lambda id: [shell(id, "git commit -m x"), output(id)],
    "run": lambda id: [shell(id, "python a.py"), output(id, "", 1)],
    "plan": lambda id: [call(id, {"kind": "TaskTrackerAction", "command": "plan"}, tool="plan"),
                        result(id, {"kind": "TaskTrackerObservation"}, tool="plan")],
    "think": lambda id: [call(id, {"kind": "ThinkAction", "thought": "x"}, tool="think")],
    "answer": lambda id: [message(id, "Done", "agent")],
    "ask": lambda id: [message(id, "Do it")],
}  # fmt: skip


def _events(names: list[str]) -> list[Event]:
    return [event for n, name in enumerate(names) for event in STEPS[name](f"{name}{n}")]


@given(st.lists(st.sampled_from(list(STEPS)), max_size=60), st.data())
def test_a_growing_run_has_the_phases_of_the_whole(names: list[str], data: st.DataObject) -> None:
    events = _events(names)
    # results may come late, after further calls
    for place in data.draw(st.lists(st.integers(0, max(0, len(events) - 3)), max_size=5)):
        if place < len(events) - 2 and events[place].kind == "ObservationEvent":
            events.insert(place + 2, events.pop(place))
    whole = Trajectory()
    whole.extend(events)
    growing = Trajectory()
    phases = Phases(growing, KnownIntents())
    while events:
        count = data.draw(st.integers(1, 9))
        growing.extend(events[:count])
        del events[:count]
        is_done = phases.update(data.draw(st.sampled_from([None, 0.0])))
        known = list(phases.known or ())
        _check(known, len(growing.steps) if is_done else known[-1].last if known else 0)
    while not phases.update(0.0):
        pass
    assert phases.known == Phases(whole, KnownIntents()).all


@pytest.mark.parametrize("slug", sorted(SLUGS.values()))
def test_times_and_costs_of_phases_sum_to_those_of_the_run(slug: str) -> None:
    study = Study(demo_run(slug))
    spent = [study.spent(phase) for phase in study.phases.all]
    activity = study.strip.activity
    worked = sum(activity.spent(activity.end))
    assert sum(one.seconds or 0 for one in spent) == pytest.approx(worked)
    charged = (study.accounts.of(step) for step in study.trajectory.steps)
    cost = sum(charge.cost for charge in charged if charge)
    assert sum(one.cost or 0 for one in spent) == pytest.approx(cost)
    assert all(one.seconds is None or one.seconds >= 0 for one in spent)


def test_without_times_and_prices_none_are_told() -> None:
    bare = [event("MessageEvent", "m", source="user", timestamp=None)]
    study = Study(Trajectory())
    study.trajectory.extend(bare)
    assert [study.spent(phase) for phase in study.phases.all] == [(None, None)]


@given(st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=250))
def test_phases_have_each_step_once_and_are_few(names: list[str]) -> None:
    run = Trajectory()
    run.extend(_events(names))
    found = Phases(run, KnownIntents()).all
    _check(found, len(run.steps))
    assert len(found) <= 12


def _check(found: list[Phase], last: int) -> None:
    assert [one.first for one in found[:1]] == [1] * bool(last)
    assert [one.last for one in found[-1:]] == [last] * bool(last)
    assert all(one.last + 1 == two.first for one, two in pairwise(found))
    assert all(one.summary for one in found)

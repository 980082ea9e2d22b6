"""What forks took themselves: nothing of it is their origin's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.branches import shown
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.trajectory import ALL, Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE
from oh_tui.trajectory.table_rows import rows_of
from tests.trajectory import forked, made

OWN_STEPS = {
    "origin": 7,
    "whole": 4,
    "at a step": 3,
    "with its stats": 3,
    "at a step with its stats": 3,
    "not used": 0,
    "of a fork": 5,
}
TAKEN = {"whole": 7, "at a step": 2, "with its stats": 7, "at a step with its stats": 2}


def read(folder: Path, name: str, *, zoned: bool = True) -> tuple[Conversation, Trajectory]:
    run = forked.family()[name]
    source = FileSource([run.write(folder, zoned=zoned)])
    (row,) = source.conversations()
    return row, source.runs.read(row)


@pytest.mark.parametrize("zoned", [True, False], ids=["zoned", "bare"])
@pytest.mark.parametrize("name", OWN_STEPS)
def test_a_fork_took_what_its_own_answers_took(name: str, zoned: bool, tmp_path: Path) -> None:
    own = forked.family()[name]
    row, run = read(tmp_path, name, zoned=zoned)
    accounts = Accounts(run)
    assert accounts.total.cost == pytest.approx(own.cost)
    assert accounts.total.tokens == own.tokens
    assert accounts.other.cost == pytest.approx(0, abs=1e-9)
    assert (row.cost or 0.0) == pytest.approx(own.cost)
    assert row.tokens == own.tokens
    assert sum(used.cost for step in run.steps if (used := accounts.of(step))) == pytest.approx(
        own.cost
    )


@pytest.mark.parametrize("name", OWN_STEPS)
def test_what_it_took_of_its_origin_is_told_apart(name: str, tmp_path: Path) -> None:
    _, run = read(tmp_path, name)
    accounts = Accounts(run)
    own = [step for step in run.steps if not accounts.is_inherited(step)]
    assert len(own) == OWN_STEPS[name]
    assert accounts.taken[0] == len(run.steps) - len(own)
    assert all(accounts.of(step) is None for step in run.steps if step not in own)
    spent = spending(run, accounts)
    assert {step.number for step in spent.slowest} <= {step.number for step in own}
    # two seconds for each answer, three for each call: the minutes between are its rest
    answers = sum(accounts.of(step) is not None for step in own)
    calls = sum(step.is_call for step in own)
    assert accounts.worked == (2 * answers + 3 * calls if own else None)
    if name in TAKEN:
        assert accounts.taken[0] == TAKEN[name]


def test_steps_of_the_origin_have_their_cost_where_it_is_known(tmp_path: Path) -> None:
    origin = Accounts(read(tmp_path / "a", "origin")[1])
    costs = {step.event.id: used for step in origin.trajectory.steps if (used := origin.of(step))}
    for name in ("whole", "with its stats"):
        _, run = read(tmp_path / name, name)
        accounts = Accounts(run)
        found = [accounts.inherited(step) for step in run.steps if step.event.id in costs]
        assert [used and used.cost for used in found] == [one.cost for one in costs.values()]
    # no state is in a fork at a step, and its record begins anew
    _, run = read(tmp_path / "slice", "at a step")
    assert Accounts(run).taken[1].cost == 0


@pytest.mark.parametrize("tells", [True, False], ids=["told", "not told"])
def test_what_an_answer_of_a_fork_of_a_fork_cost_is_right_or_not_known(
    tells: bool, tmp_path: Path
) -> None:
    family, costs = forked.family(), dict[str, float]()
    for name in ("origin", "whole"):
        one = Accounts(read(tmp_path / name, name)[1])
        costs |= {step.event.id: u.cost for step in one.trajectory.steps if (u := one.of(step))}
    run = family["of a fork"]
    for event in run.events:
        if event.get("key") == "stats" and not tells:
            for used in event["value"]["usage_to_metrics"].values():
                used["accumulated_token_usage"].pop("per_turn_token")
    source = FileSource([run.write(tmp_path / "run")])
    (row,) = source.conversations()
    accounts = Accounts(source.runs.read(row))
    steps = [step for step in accounts.trajectory.steps if accounts.is_inherited(step)]
    told = {step.event.id: u.cost for step in steps if (u := accounts.inherited(step))}
    assert told == {name: pytest.approx(costs[name]) for name in told}
    # the totals of the fork began anew, and its first answer may be their growth
    assert len(told) == (7 if tells else 0) < len(costs)
    assert accounts.taken == (len(steps), NO_USAGE), "the sum is not known then"
    assert accounts.total.cost == pytest.approx(run.cost)


WAITED = {"whole": 600.0, "at a step": 600.0, "with its stats": 600.0, "of a fork": 300.0}


@pytest.mark.parametrize("name", ["whole", "at a step", "at a step with its stats", "of a fork"])
def test_a_fork_waits_for_its_first_message_from_when_it_was_made(
    name: str, tmp_path: Path
) -> None:
    _, run = read(tmp_path, name)
    row = rows_of(Study(run)).runs[0]
    assert (row.waited_s or 0.0) == WAITED.get(name, 0.0)
    assert row.began == pytest.approx(seconds(run.fork.made if run.fork else ""))
    assert row.ended == pytest.approx((row.began or 0) + (row.waited_s or 0) + (row.work_s or 0))


def test_what_a_fork_changed_is_what_its_own_edits_changed(tmp_path: Path) -> None:
    run = Trajectory(clock="+00:00")
    edit = {"kind": "FileEditorAction", "command": "create", "path": "/w/a.py"}
    made_it = {"kind": "FileEditorObservation", "path": "/w/a.py", "prev_exist": False}
    for name, second, text in (("a", 1, "1\n2\n"), ("b", 9, "3\n")):
        path = f"/w/{name}.py"
        call = {**edit, "path": path, "file_text": text}
        result = {**made_it, "path": path, "old_content": None, "new_content": text}
        run.extend([made.call(name, call, second=second), made.result(name, result, second=second)])
    assert [row.path for row in rows_of(Study(run)).files] == ["/w/a.py", "/w/b.py"]
    run.fork = Fork(run.steps[0].results[0].id)
    tables = rows_of(Study(run))
    assert [(row.path, row.last_step) for row in tables.files] == [("/w/b.py", 2)]
    assert (tables.runs[0].files_changed, tables.runs[0].added) == (1, 1)


def test_without_a_zone_the_answers_of_its_record_tell_its_own_part(tmp_path: Path) -> None:
    _, run = read(tmp_path, "whole", zoned=False)
    accounts = Accounts(run)
    assert (accounts.taken[0], accounts.worked) == (7, 12.0)
    assert accounts.known_waited == 0.0, "when it was made is told by another clock"


def test_without_a_zone_and_a_list_of_answers_only_its_record_counts(tmp_path: Path) -> None:
    _, run = read(tmp_path, "whole", zoned=False)
    usages = json.loads(run.stats)["usage_to_metrics"]
    for metrics in usages.values():
        metrics.update(token_usages=[], costs=[], response_latencies=[])
    run.stats = json.dumps({"usage_to_metrics": usages}).encode()
    accounts = Accounts(run)
    assert accounts.worked is None and accounts.taken[0] == len(run)
    assert accounts.total == accounts.other
    assert accounts.total.cost == pytest.approx(forked.family()["whole"].cost)


@pytest.mark.parametrize("name", OWN_STEPS)
def test_a_fork_that_grows_takes_the_same(name: str, tmp_path: Path) -> None:
    _, run = read(tmp_path, name)
    growing = Trajectory(clock=run.clock)
    growing.fork = run.fork
    accounts = Accounts(growing)
    for event in run.events:
        growing.extend([event])
        accounts.update()
    growing.stats = run.stats
    accounts.update()
    whole = Accounts(run)
    assert accounts.total == whole.total
    assert (accounts.taken, accounts.worked) == (whole.taken, whole.worked)
    assert accounts.context == whole.context


def test_that_it_is_a_fork_may_be_told_last(tmp_path: Path) -> None:
    _, run = read(tmp_path, "whole")
    late = Trajectory(clock=run.clock)
    late.extend(run.events)
    accounts = Accounts(late)
    late.stats, late.fork = run.stats, run.fork
    accounts.update()
    assert accounts.total == Accounts(run).total


def test_a_branch_of_a_fork_has_what_was_paid_on_it(tmp_path: Path) -> None:
    fork = forked.family()["whole"]
    back = next(one["id"] for one in reversed(fork.events) if one["kind"] == "ObservationEvent")
    before = fork.cost
    place = len(fork.events)
    fork.wait(30).ask("again", 0)
    fork.events[place]["parent_id"] = back
    source = FileSource([fork.write(tmp_path)])
    (row,) = source.conversations()
    run = source.runs.read(row)
    whole = Accounts(shown(run, ALL))
    assert whole.total.cost == pytest.approx(fork.cost)
    branch = Accounts(shown(run), whole)
    assert 0 < branch.total.cost < fork.cost
    assert branch.total.cost > fork.cost - before
    assert branch.taken[0] == 7


def test_where_a_fork_begins() -> None:
    events = [
        made.event("MessageEvent", name, second)
        for name, second in zip("abcd", (1, 5, 5, 9), strict=True)
    ]
    zoned = [made.event("MessageEvent", e.id, timestamp=f"{e.timestamp}+00:00") for e in events]
    at = "2026-03-01T10:00:05Z"
    assert Fork("b").taken(events) == 2
    assert Fork("gone").taken(events) == 0, "only the end is read"
    assert Fork("", at).taken(events) == 4, "its record knows no answer"
    assert Fork("", at).taken(zoned) == 1
    assert Fork("", "2026-03-01T10:01:00Z").taken(zoned) == 4
    assert Fork("", "soon").taken(zoned) == 4
    assert Fork("b", "2026-03-01T10:01:00Z").taken(zoned) == 2

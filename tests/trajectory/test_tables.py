"""The rows of a run: their sums are those of the other views, and the document has each column."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from oh_tui.conversation import Conversation
from oh_tui.documents.changed_files import report as changes_report
from oh_tui.documents.run import step_json, totals_json
from oh_tui.documents.why import report
from oh_tui.sources.file_runs import run_of
from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.changes.changes import changes
from oh_tui.trajectory.findings.study import Study, SubRuns
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Cost, ReportedFields, Usage
from oh_tui.trajectory.presentation import change_rows
from oh_tui.trajectory.table_rows import About, rows
from oh_tui.trajectory.tables import SCHEMAS
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, message, output, shell
from tests.trajectory.sub_agent_files import run_files, zip_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "tables.md"


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", SLUGS)
def test_the_sums_are_those_of_why_and_steps(slug: str) -> None:
    found = rows(demo_run(slug), About(run="r"))
    told = report(Conversation("c"), Study(demo_run(slug)))
    (run,) = found.runs
    assert run.verdict == told["verdict"]["word"]
    assert run.cause == told["verdict"]["cause"]
    cost = told["conversation"]["cost"]
    assert run.cost == (cost and pytest.approx(cost, abs=1e-6))
    assert run.cost_is_partial is told["conversation"]["cost_is_partial"]
    llm_s = told["conversation"]["llm_s"]
    assert run.llm_s == (llm_s and pytest.approx(llm_s, abs=1e-3))
    names = ("prompt", "completion", "cache_read", "cache_write", "reasoning")
    tokens = told["conversation"]["tokens"] or dict.fromkeys(names)
    assert {name: getattr(run, name) for name in names} == tokens
    assert {name: getattr(run, name) for name in told["counts"]} == told["counts"]
    assert run.work_s == pytest.approx(told["conversation"]["work_seconds"], abs=1e-3)
    assert sum(step.cost or 0 for step in found.steps) + (run.other_cost or 0) == pytest.approx(
        run.cost or 0, abs=1e-9
    )
    assert len(found.steps) == run.steps
    assert len(found.calls) == run.calls
    assert sum(step.loop for step in found.steps) == run.loop_steps
    facts = Study(demo_run(slug))
    for step, row in zip(facts.trajectory.steps[:100], found.steps, strict=False):
        said = step_json(facts, step)
        assert (row.step, row.what, row.result) == (said["index"], said["what"], said["result"])
        assert (row.family, row.outcome) == (said["family"], said["outcome"])
        assert row.cost == (said["cost"] and pytest.approx(said["cost"], abs=1e-6))


def test_one_event_tells_no_time_of_work() -> None:
    run = Trajectory()
    run.extend([message("a", "x")])
    (row,) = rows(run, About(run="r")).runs
    assert run.began is not None
    assert report(Conversation("c"), Study(run))["conversation"]["work_seconds"] is None
    assert row.work_s is None


@pytest.mark.parametrize("slug", ["week-dates", "coverage", "acp"])
def test_files_are_those_of_changes(slug: str) -> None:
    found = rows(demo_run(slug))
    log = changes(demo_run(slug))
    told = changes_report(log, change_rows.rows(log, None))
    changed = {one["path"]: one for one in told["files"]}
    assert {file.path for file in found.files} == {*changed, *told["only_read"]}
    for file in found.files:
        unread = {"added": 0, "removed": 0, "edits": 0}
        known = changed.get(
            file.path, unread | {"lines_written": None, "lines_removed_later": None}
        )
        assert (file.added, file.removed) == (known["added"], known["removed"])
        assert file.lines_written == known["lines_written"]
        assert file.lines_removed_later == known["lines_removed_later"]
        assert file.edits == known["edits"]
    (run,) = found.runs
    numbers = (run.files_changed, run.added, run.removed)
    assert numbers == (told["changed"], told["added"], told["removed"])
    assert run.lines_written == told["lines_written"]
    assert run.lines_removed_later == told["lines_removed_later"]


def test_sub_agents_are_rows_of_their_own_and_counted_once(tmp_path: Path) -> None:
    archive = open_archive(zip_of(tmp_path / "run.zip", run_files()))
    found = rows(run_of(archive, archive.events()))
    (run,) = found.runs
    own = [step for step in found.steps if not step.sub_agent]
    assert len(own) == run.steps < len(found.steps)
    assert run.sub_agents == len({step.sub_agent for step in found.steps}) - 1
    paths = [step.path for step in found.steps]
    assert len(set(paths)) == len(paths)
    assert {call.path for call in found.calls} <= set(paths)
    spent = sum(step.cost or 0 for step in found.steps) + (run.other_cost or 0)
    assert run.cost == pytest.approx(spent, abs=1e-9)
    archive.close()


def test_a_price_from_beside_the_events_belongs_to_no_step() -> None:
    (run,) = rows(Trajectory(), About(cost=Cost(0.25, False))).runs
    assert (run.cost, run.other_cost, run.priced) == (0.25, 0.25, True)
    (run,) = rows(Trajectory()).runs
    assert (run.cost, run.verdict, run.began, run.llm_s) == (None, "", None, None)


@pytest.mark.parametrize(
    ("began", "ended", "worked"),
    [
        ("0001-01-02T10:00:00Z", "9999-12-30T10:00:00Z", None),
        ("2026-01-02T10:00:00Z", "2036-01-02T10:00:00Z", None),
        ("2026-01-02T10:00:00Z", "2026-01-02T09:00:00Z", None),
        ("2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z", None),
        ("2026-01-02T10:00:00Z", "2026-01-02T10:00:05Z", 5.0),
    ],
)
def test_the_time_of_work_is_known_where_a_clock_may_be_true(
    began: str, ended: str, worked: float | None
) -> None:
    made = call("a", {"kind": "TerminalAction", "command": "ls"}).body() | {"timestamp": began}
    done = output("a").body() | {"timestamp": ended}
    run = Trajectory()
    run.extend(parse_event(json.dumps(one).encode()) for one in (made, done))
    (row,) = rows(run).runs
    told = report(Conversation("c"), Study(run))["conversation"]["work_seconds"]
    assert row.work_s == told == totals_json(Study(run))["work_s"] == worked
    assert (row.waited_s is None) is (worked is None)


def test_numbers_that_no_table_holds_are_left_out() -> None:
    run = Trajectory()
    for number, code in enumerate((10**30, -(2**63) - 1, 2**63, 2**63 - 1, 1)):
        run.extend([shell(f"c{number}", "x"), output(f"c{number}", "done", code)])
    assert [one.exit_code for one in rows(run).calls] == [None, None, None, 2**63 - 1, 1]


def test_sums_that_no_table_holds_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ReportedFields(
        frozenset({"prompt", "completion"}), cost=False, calls=True, answered=True
    )
    monkeypatch.setattr(SubRuns, "total", Usage(prompt=2**63, completion=7))
    monkeypatch.setattr(SubRuns, "reported", told)
    (run,) = rows(Trajectory()).runs
    assert (run.prompt, run.completion, run.cache_read) == (None, 7, None)


def test_no_text_has_a_secret_or_an_escape() -> None:
    key = "sk-ant-" + "a1" * 20
    arguments = json.dumps({"api_key": "hunter2hunter2", "text": f"\ud800{key}"})
    made = call("a", {"kind": "TerminalAction", "command": f"curl -H {key}\x1b[2J"}, tool=key)
    made = parse_event(json.dumps(made.body() | {"tool_call": {"arguments": arguments}}).encode())
    run = Trajectory()
    run.extend([made])
    bad = f"{key}\x1b[2J\n"
    about = About(run=bad, source=bad, title=bad, model=bad, repository=bad, note=bad)
    text = json.dumps([[msgspec.to_builtins(row) for row in table] for table in rows(run, about)])
    assert key not in text
    assert "hunter2" not in text
    assert "\\u001b" not in text
    assert HIDDEN in text


KEY = "sk-ant-" + "a1" * 20


@pytest.mark.parametrize(
    ("bad", "shown"),
    [("an\x1b[2J\nid", "an id"), (f"{KEY[:12]}\x1b[0m{KEY[12:]}", HIDDEN)],
    ids=["escape", "a secret that one splits"],
)
def test_ids_are_lines_without_secrets(bad: str, shown: str) -> None:
    made, done = call("a", {"kind": "TerminalAction", "command": "ls"}), output("a")
    run = Trajectory()
    for event, name in ((made, "a"), (done, "r")):
        ids = dict.fromkeys(("tool_call_id", "llm_response_id"), bad)
        body = event.body() | ids | {"id": f"{name} {bad}", "action_id": f"a {bad}"}
        run.extend([parse_event(json.dumps(body).encode())])
    (step,), (row,) = rows(run).steps, rows(run).calls
    assert (step.event_id, row.event_id, row.result_id) == (
        f"a {shown}",
        f"a {shown}",
        f"r {shown}",
    )
    assert (row.call_id, row.answer_id) == (shown, shown)


def test_the_document_has_each_column_in_its_order() -> None:
    text = DOCUMENT.read_text("utf-8")
    for name, row in SCHEMAS.items():
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        assert re.findall(r"(?m)^\| `(\w+)` \|", section) == list(row.__struct_fields__)

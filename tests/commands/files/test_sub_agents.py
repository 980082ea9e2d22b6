"""Sub-agents of a run in a file, as the commands tell them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.schemas import check
from tests.demo.wire import IDS
from tests.processes import oh_tui
from tests.trajectory.sub_agent_files import (
    CHECK,
    DEEP,
    PROBE,
    REPORTED,
    ROUTES,
    STRAY,
    run_files,
    zip_of,
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/", REPORTED))


AUDIT, GUARD, CLICK = (IDS[slug] for slug in ("team", "export-guard", "click"))


def document(*words: str | Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(oh_tui(*words, "--json").stdout)
    check(str(words[words[0] == "--demo"]), told)
    return told


def paths(steps: list[dict[str, Any]]) -> list[str]:
    """The numbers of all steps, with those of sub-agents after the step that started them."""
    found = []
    for step in steps:
        assert isinstance(step["index"], int)
        found.append(step.get("path", str(step["index"])))
        found += paths(step.get("children", []))
    return found


def test_steps_have_those_of_sub_agents_as_children(run: Path) -> None:
    told = document("steps", run)
    assert paths(told["steps"]) == [
        "1", "2", "2.1", "2.2", "2.3", "2.3.1", "2.3.2", "2.3.3", "3", "3.1", "3.2", "3b.1",
        "3b.2", "4",
    ]  # fmt: skip
    assert paths(told["children"]) == ["a.1", "a.2"]
    assert [one["id"] for one in told["sub_agents"]] == [STRAY]
    second, third = told["steps"][1:3]
    assert [(one["id"], one["path"], one["steps"]) for one in second["sub_agents"]] == [
        (CHECK, "2", 3)
    ]
    assert [(one["id"], one["path"]) for one in third["sub_agents"]] == [
        (ROUTES, "3"),
        (PROBE, "3b"),
    ]
    assert told["counts"]["steps"] == 4


def test_the_text_indents_them_and_says_what_cannot_be_told(run: Path) -> None:
    done = oh_tui("steps", run)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    told = {row[0]: row for row in rows}
    assert list(told)[:8] == ["1", "2", "2.1", "2.2", "2.3", "2.3.1", "2.3.2", "2.3.3"]
    assert list(told)[-2:] == ["a.1", "a.2"]
    assert told["2.2"][5] == "  $ ls" and told["2.3.2"][5] == "    $ ls"
    assert "1 sub-agent at the end: no step tells the start" in done.stderr
    assert "not shown" not in done.stderr


def test_totals_include_sub_agents_and_own_leaves_them_out(run: Path) -> None:
    told = document("steps", run)
    totals = told["totals"]
    assert (totals["cost"], totals["own"]["cost"]) == (1.13, 0.75)
    assert [(s["cost"], s.get("with_sub_agents", {}).get("cost")) for s in told["steps"]] == [
        (None, None),
        (0.25, 0.6),
        (0.5, 0.53),
        (None, None),
    ]
    charged = sum(step["cost"] or 0 for step in told["steps"])
    assert round(charged + totals["other"]["cost"], 9) == 1.13
    (agent,) = told["steps"][1]["sub_agents"]
    assert (agent["cost"], agent["own"]["cost"]) == (0.35, 0.3)
    why = document("why", run)
    assert why["conversation"]["cost"] == 1.13
    assert ", $1.13" in oh_tui("why", run).stdout


def test_a_row_has_the_cost_of_sub_agents_beside_its_own(run: Path) -> None:
    rows = [line.split("\t") for line in oh_tui("steps", run).stdout.splitlines()]
    costs = {row[0]: row[7] for row in rows if row[7]}
    assert (costs["2"], costs["3"]) == ("$0.25 +$0.35", "$0.50 +$0.03")


def test_a_filter_is_for_the_steps_of_the_run(run: Path) -> None:
    done = oh_tui("steps", run, "tool:terminal")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["4"]
    assert "the filter does not look at the steps of 5 sub-agents" in done.stderr


def test_compare_counts_what_sub_agents_used_and_their_steps_as_one(run: Path) -> None:
    told, why = document("compare", run, run), document("why", run)
    for side in (told["a"], told["b"]):
        assert side["cost"] == why["conversation"]["cost"] == pytest.approx(1.13)
        assert side["tokens"] == why["conversation"]["tokens"]
        assert side["work_s"] == why["conversation"]["work_seconds"]
        assert side["steps"] == why["counts"]["steps"]
    assert told["differences"] == []
    assert told["totals"]["same"] == why["counts"]["steps"]


def test_why_names_a_sub_agent_that_failed(run: Path) -> None:
    (failed,) = document("why", run)["failed_sub_agents"]
    assert (failed["id"], failed["path"], failed["verdict"]["word"]) == (DEEP, "2.3", "error")
    assert "agent    2.3  sub-agent error: LLMError: no such model\n" in oh_tui("why", run).stdout


@pytest.mark.parametrize("command", ["check", "export", "events"])
def test_the_others_say_that_they_leave_them_out(run: Path, command: str) -> None:
    done = oh_tui(command, run)
    assert "has 4 sub-agents, whose steps are not shown" in done.stdout + done.stderr


# conversations that a conversation of a server started


def test_sub_conversations_of_a_server_are_sub_agents() -> None:
    told = document("--demo", "steps", AUDIT)
    (started,) = [step for step in told["steps"] if "sub_agents" in step]
    assert started["sub_agents"][0]["id"] == GUARD
    alone = document("--demo", "steps", GUARD)
    assert [one["path"] for one in started["children"]] == [
        f"{started['index']}.{n}" for n in range(1, len(alone["steps"]) + 1)
    ]
    totals = told["totals"]
    assert totals["cost"] == totals["own"]["cost"]
    assert totals["sub_conversations"]["cost"] == alone["totals"]["cost"]
    assert document("--demo", "why", AUDIT)["conversation"]["cost"] == round(totals["cost"], 6)


def test_a_sub_conversation_that_no_step_started_is_at_the_end() -> None:
    done = oh_tui("--demo", "steps", CLICK)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()][-1] == "a.4"
    assert "1 sub-agent at the end: no step tells the start" in done.stderr


def test_an_export_as_atif_has_the_sub_conversations_of_a_server(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    assert oh_tui("--demo", "export", AUDIT, "--to", "atif", "-o", target).returncode == 0
    before, after = document("--demo", "steps", AUDIT), document("steps", target)
    (started,) = [step for step in before["steps"] if "sub_agents" in step]
    (read,) = [step for step in after["steps"] if "sub_agents" in step]
    assert [one["path"] for one in read["children"]] == [one["path"] for one in started["children"]]
    for part in ("cost", "tokens", "own", "sub_conversations"):
        assert after["totals"][part] == before["totals"][part]

"""The scenarios: their content, and that files, numbers and lists in them agree."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from oh_tui.demo.catalog import BOXES, ENTRIES, sandbox_id
from oh_tui.demo.runs.meter import combined
from oh_tui.demo.servers.app_server import DOWNLOAD_LIMIT
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.demo.wire import IDS, NOW, at_rest, talk

EXPECTED: dict[str, tuple[object, ...]] = {
    "flaky-ci": ("finished", 96, 25, 24, 1, 0, 0),
    "dark-mode": ("finished", 39, 10, 9, 0, 0, 0),
    "pydantic": ("finished", 123, 36, 35, 3, 0, 0),
    "pydantic-notes": ("finished", 19, 3, 1, 0, 0, 0),
    "oauth": ("waiting_for_confirmation", 73, 18, 17, 3, 0, 1),
    "week-dates": ("stuck", 226, 61, 58, 12, 3, 0),
    "dep-bump": ("error", 8, 2, 0, 0, 1, 0),
    "settings-split": ("paused", 36, 12, 8, 0, 1, 0),
    "docker-followup": ("idle", 1, 0, 0, 0, 0, 0),
    "docker-cache": ("finished", 51, 15, 11, 0, 1, 0),
    "ledger": ("finished", 61, 16, 15, 2, 0, 0),
    "crashed": ("running", 15, 4, 3, 1, 0, 1),
    "max-iterations": ("error", 81, 22, 20, 0, 1, 0),
    "coverage": ("finished", 3000, 843, 834, 52, 0, 0),
    "fuzzing": ("finished", 12000, 3998, 3988, 41, 0, 0),
    "erp-dates": ("finished", 113, 31, 29, 2, 0, 0),
    "click": ("finished", 98, 32, 31, 1, 0, 0),
    "click-notes": ("finished", 17, 4, 3, 0, 0, 0),
    "fix-add": ("finished", 25, 6, 5, 1, 0, 0),
    "eslint": ("finished", 25, 6, 5, 0, 0, 0),
    "retry": ("finished", 29, 7, 5, 0, 0, 0),
    "signup": ("finished", 65, 18, 17, 0, 1, 0),
    "storage-plan": ("finished", 37, 10, 9, 0, 0, 0),
    "gemini": ("finished", 26, 7, 6, 0, 0, 0),
    "acp": ("finished", 25, 8, 6, 0, 1, 0),
    "team": ("finished", 52, 15, 12, 0, 1, 0),
    "export-guard": ("finished", 25, 6, 5, 1, 0, 0),
    "broken": ("finished", 38, 12, 9, 0, 3, 0),
    "csv-bom": ("finished", 25, 6, 5, 1, 0, 0),
    "handbook": ("finished", 93, 29, 27, 0, 0, 0),
    "n-plus-1": ("finished", 25, 6, 5, 1, 0, 0),
    "go-leak": ("finished", 25, 6, 5, 1, 0, 0),
    "dst": ("finished", 25, 6, 5, 1, 0, 0),
    "readme-links": ("finished", 24, 6, 5, 1, 0, 0),
    "unicode-slug": ("finished", 31, 7, 4, 1, 0, 0),
    "timeout": ("finished", 25, 6, 5, 1, 0, 0),
    "hostile": ("finished", 25, 6, 5, 0, 1, 0),
    "escapes": ("finished", 11, 2, 0, 0, 0, 0),
    "rtl": ("finished", 11, 2, 0, 0, 0, 0),
    "emoji": ("finished", 11, 2, 0, 0, 0, 0),
    "long-title": ("finished", 11, 2, 0, 0, 0, 0),
    "untitled": ("", 0, 0, 0, 0, 0, 0),
}
"""Last status, events, steps, calls, failed commands, errors, calls without a result."""

LARGE = ("coverage", "fuzzing")


@cache
def trajectory(slug: str) -> Trajectory:
    """The whole run as the app server tells it, live ones to their end."""
    demo = at_rest()
    demo.advance(2_000)
    run = Trajectory()
    run.extend(parse_event(event.raw) for event in demo.world.app_events(talk(demo, slug)))
    return run


@cache
def bodies(slug: str) -> list[dict[str, Any]]:
    return [event.body() for event in trajectory(slug).events]


def row(slug: str) -> tuple[object, ...]:
    run = trajectory(slug)
    counts = run.counts
    return (
        run.status,
        counts.events,
        len(run.steps),
        counts.calls,
        counts.failed_commands,
        counts.errors,
        counts.open,
    )


@pytest.mark.parametrize("slug", IDS)
def test_the_run_has_the_steps_that_others_count_on(slug: str) -> None:
    assert row(slug) == EXPECTED[slug]
    assert trajectory(slug).counts.unreadable == 0


def test_one_run_holds_a_second_result_and_a_result_without_a_call() -> None:
    odd = [
        slug
        for slug in IDS
        if trajectory(slug).counts.second_results or trajectory(slug).counts.stray_results
    ]
    assert odd == ["broken"]
    counts = trajectory("broken").counts
    assert (counts.second_results, counts.stray_results) == (1, 1)


def test_the_stuck_run_ends_in_the_same_call_four_times() -> None:
    last = trajectory("week-dates").steps[-4:]
    assert [step.number for step in last] == [58, 59, 60, 61]
    results = [step.result.body()["observation"] for step in last if step.result]
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert {step.event.body()["action"]["command"] for step in last} == {
        "python -m dates 2021-W53-1 --explain"
    }
    before = trajectory("week-dates").steps[-5]
    assert before.event.body()["action"]["command"] != "python -m dates 2021-W53-1 --explain"


def test_the_traceback_names_the_line_that_the_file_has_there() -> None:
    edits = [
        body["observation"]
        for body in bodies("week-dates")
        if body["kind"] == "ObservationEvent" and body["observation"].get("new_content")
    ]
    parse = [edit for edit in edits if edit["path"].endswith("parse.py")][-1]["new_content"]
    (result,) = trajectory("week-dates").steps[-1].results
    trace = result.body()["observation"]["content"][0]["text"].splitlines()
    place = next(n for n, line in enumerate(trace) if "parse.py" in line)
    number = int(trace[place].split("line ")[1].split(",")[0])
    assert parse.splitlines()[number - 1].strip() == trace[place + 1].strip()


def test_the_pending_call_is_a_risky_push() -> None:
    last = trajectory("oauth").steps[-1]
    assert trajectory("oauth").outcome(last) is Outcome.WAITING
    assert (last.event.risk, last.event.body()["action"]["command"]) == (
        "HIGH",
        "git push --force origin auth",
    )


@pytest.mark.parametrize("slug", [slug for slug in IDS if slug not in LARGE])
def test_edits_apply_to_what_was_there_and_follow_each_other(slug: str) -> None:
    """Each edit's old content is what the last edit of that file left, and its text occurs once."""
    calls = {body["id"]: body for body in bodies(slug) if body["kind"] == "ActionEvent"}
    files: dict[str, str] = {}
    for body in bodies(slug):
        seen = body.get("observation") or {}
        if seen.get("new_content") is None:
            continue
        path, old, new = (
            seen.get("path") or seen["file_path"],
            seen["old_content"],
            seen["new_content"],
        )
        if path in files:
            assert old == files[path], path
        files[path] = new
        action = calls[body["action_id"]]["action"]
        if action.get("command") == "str_replace":
            assert old.count(action["old_str"]) == 1
            assert old.replace(action["old_str"], action["new_str"]) == new
        if action.get("command") == "create":
            assert action["file_text"] == new


@pytest.mark.parametrize("slug", [slug for slug in IDS if slug not in LARGE])
def test_a_view_shows_what_the_edits_left(slug: str) -> None:
    files: dict[str, str] = {}
    for body in bodies(slug):
        seen = body.get("observation") or {}
        if seen.get("new_content") is not None and "path" in seen:
            files[seen["path"]] = seen["new_content"]
        if seen.get("command") == "view" and seen.get("path") in files:
            shown = seen["content"][0]["text"].splitlines()[1:]
            lines = files[seen["path"]].splitlines()
            for line in shown:
                number, _, text = line.partition("\t")
                assert lines[int(number) - 1] == text


@pytest.mark.parametrize("slug", [slug for slug in IDS if slug not in LARGE])
def test_the_stats_grow_and_the_full_state_accounts_for_every_answer(slug: str) -> None:
    spent = 0.0
    full: dict[str, Any] | None = None
    for body in bodies(slug):
        if body.get("key") == "stats":
            now = combined(body["value"])["accumulated_cost"]
            assert now >= spent
            spent = now
        if body.get("key") == "full_state":
            full = body["value"]
    answers = {body["llm_response_id"] for body in bodies(slug) if body.get("llm_response_id")}
    if full is None or trajectory(slug).status in ("running", ""):
        return
    metrics = full["stats"]["usage_to_metrics"]
    told = {
        latency["response_id"]
        for part in metrics.values()
        for latency in part["response_latencies"]
    }
    assert answers <= told
    assert len(told - answers) <= 1, "only the call that finds the title belongs to no event"
    assert combined(full["stats"])["accumulated_cost"] == spent


def test_a_step_costs_cents_and_a_model_without_a_price_nothing() -> None:
    for slug in ("week-dates", "oauth", "pydantic"):
        metrics = _last_stats(slug)["agent"]
        per_step = metrics["accumulated_cost"] / trajectory(slug).counts.calls
        assert 0.01 < per_step < 0.05, slug
    for slug in ("handbook", "fuzzing"):
        metrics = talk(at_rest(), slug).entry.usages["agent"]
        assert metrics["accumulated_cost"] == 0.0
        assert metrics["accumulated_token_usage"]["prompt_tokens"] > 0


def test_only_the_overnight_run_is_too_large_to_download() -> None:
    large = [slug for slug in IDS if trajectory(slug).counts.events > DOWNLOAD_LIMIT]
    assert large == ["fuzzing"]
    assert trajectory("fuzzing").counts.events == 12_000
    assert trajectory("coverage").counts.events == 3_000


def test_parallel_calls_share_an_answer_and_only_the_first_has_the_thought() -> None:
    run = trajectory("pydantic")
    groups = {tuple(run.group(step)) for step in run.steps if len(run.group(step)) > 1}
    assert (2, 3, 4) in groups
    second = run.steps[2].event.body()
    assert (second["thought"], second["reasoning_content"]) == ([], None)


def test_slugs_ids_and_titles_are_distinct_and_sandboxes_exist() -> None:
    assert len(set(IDS)) == len(set(IDS.values())) == len(ENTRIES)
    titles = [entry.title for entry in ENTRIES]
    assert len(set(titles)) == len(titles)
    assert {entry.sandbox for entry in ENTRIES} - {""} == {box.slug for box in BOXES}
    assert {len(sandbox_id(box.slug)) for box in BOXES} <= {21, 22}


def test_ids_and_events_are_the_same_in_every_process() -> None:
    code = (
        "import sys, hashlib; from datetime import datetime\n"
        "from oh_tui.demo import Demo\n"
        f"demo = Demo(datetime.fromisoformat({NOW.isoformat()!r}), 'everything')\n"
        "digest = hashlib.sha256()\n"
        "for one in demo.world.conversations.values():\n"
        "    if one.entry.slug != 'fuzzing':\n"
        "        for event in demo.world.app_events(one):\n"
        "            digest.update(event.raw)\n"
        "print(digest.hexdigest(), *demo.world.conversations)\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert runs.pop().split()[1:] == list(IDS.values())


def _last_stats(slug: str) -> dict[str, Any]:
    value: dict[str, Any] = [b for b in bodies(slug) if b.get("key") == "stats"][-1]["value"]
    metrics: dict[str, Any] = value["usage_to_metrics"]
    return metrics

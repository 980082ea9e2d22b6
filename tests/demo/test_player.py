"""The player: scenarios are read when their run is requested, and play as written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oh_tui.demo.__main__ import index
from oh_tui.demo.catalog import ENTRIES, FILE
from oh_tui.demo.runs import player
from oh_tui.demo.runs.long_runs import LONG_RUNS
from oh_tui.demo.runs.meter import SONNET
from oh_tui.demo.runs.run import Run
from tests.demo.wire import at_rest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where scenarios are looked for."""
    monkeypatch.setattr(player, "FOLDER", tmp_path)
    monkeypatch.setattr(player, "load_scenario", player.load_scenario.__wrapped__)
    return tmp_path


def performed(folder: Path, text: str) -> list[dict[str, Any]]:
    """The events of the scenario written so, its full states and its settings left out."""
    folder.joinpath("written.toml").write_text(text, "utf-8")
    run = Run("written", datetime(2026, 3, 9, tzinfo=UTC), SONNET)
    player.perform(run, "written")
    bodies = [msgspec.json.decode(event.raw) for event in run.events if not event.app_only]
    return [body for body in bodies if body["kind"] != "ConversationStateUpdateEvent"]


def test_the_catalog_is_what_the_scenarios_say_and_their_runs_add_up_to() -> None:
    """If this fails, run `python -m oh_tui.demo` and look at the difference."""
    assert FILE.read_text("utf-8") == index()


def test_a_long_run_has_no_steps_in_its_file_and_every_other_one_is_written_there() -> None:
    for entry in ENTRIES:
        folder = "odd" if entry.odd else "showcase"
        steps = player.load_scenario(f"{folder}/{entry.slug}").get("step")
        assert (entry.slug in LONG_RUNS or entry.slug == "untitled") == (steps is None)


def test_the_lists_are_told_without_reading_the_scenarios_of_runs_that_are_over() -> None:
    player.load_scenario.cache_clear()
    world = at_rest().world
    for conversation in world.conversations.values():
        world.metrics(conversation)
        world.execution_status(conversation)
        world.updated(conversation)
    live = [entry for entry in ENTRIES if entry.live]
    assert player.load_scenario.cache_info().currsize <= len(live) < 10


def test_a_range_is_a_number_in_between_and_the_string_null_is_null(folder: Path) -> None:
    first, second = (
        performed(
            folder,
            """
            [[step]]
            llm = [20, 30]
            tool = "delegate"
            kind = "Delegate"
            out = "done"
            action = { command = "spawn", ids = ["null", "a"], tasks = "null" }
            """,
        )
        for _ in range(2)
    )
    assert first == second
    call = first[0]
    assert call["action"] == {
        "command": "spawn", "ids": [None, "a"], "tasks": None, "kind": "DelegateAction",
    }  # fmt: skip
    seconds = datetime.fromisoformat(call["timestamp"]) - datetime(2026, 3, 9)
    assert 20 <= seconds.total_seconds() < 30.5


def test_a_hook_and_a_late_result_belong_to_the_call_before_them(folder: Path) -> None:
    call, before, result, after = performed(
        folder,
        """
        [[step]]
        shell = "git push"
        unanswered = true

        [[step]]
        hook = "PreToolUse"
        command = "check.sh"

        [[step]]
        result = true

        [[step]]
        hook = "Stop"
        command = "bye.sh"
        """,
    )
    assert before["action_id"] == result["action_id"] == call["id"]
    assert after["action_id"] is None


def test_an_undo_restores_what_the_last_edit_changed(folder: Path) -> None:
    events = performed(
        folder,
        """
        root = "/w"
        files = { "a" = "1", "b" = "2" }

        [[step]]
        edit = "a"
        old = "1"
        new = "3"

        [[step]]
        edit = "b"
        old = "2"
        new = "4"

        [[step]]
        undo = "a"
        """,
    )
    last = events[-1]["observation"]
    assert (last["path"], last["old_content"], last["new_content"]) == ("/w/a", "3", "1")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ('user = "Hello"\ncolour = "red"', "colour"),
        ('shell = "ls"\ncolour = "red"', "colour"),
        ('shel = "ls"', "no step and no tool has the keys shel"),
        ("", "no step and no tool has the keys none"),
        ('edit = "gone.py"\nold = "a"\nnew = "b"', "gone.py"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_with_its_step(folder: Path, step: str, told: str) -> None:
    with pytest.raises((TypeError, ValueError, KeyError), match=told) as caught:
        performed(folder, f"files = {{}}\n[[step]]\nwait = 1\n[[step]]\n{step}\n")
    assert caught.value.__notes__ == ["in step 2 of the scenario written"]

"""The status of an agent and that of its sandbox are two things, in all commands and the list."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.catalog import conversation_query
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.run_status import conversation_state
from oh_tui.catalog.status_cache import UNSEEN, LastKnown
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json
from oh_tui.sources.server_runs.run_cache import RunCache, zip_of_events
from tests.commands.conftest import IDS, Served
from tests.commands.test_outputs import demo
from tests.demo_runs import demo_events
from tests.processes import oh_tui

AWAY = Conversation(
    "a" * 32, sandbox_id="s", sandbox_status="PAUSED", updated_at="2026-11-24T12:00:00Z"
)
SINCE = 1_900_000_000.0


@pytest.mark.parametrize(
    ("status", "sandbox", "known", "word"),
    [
        ("paused", "RUNNING", "", "stopped"),
        ("waiting_for_confirmation", "RUNNING", "", "waiting"),
        ("finished", "RUNNING", "error", "finished"),
        ("flying", "RUNNING", "", "flying"),
        (None, "RUNNING", "", "starting"),
        (None, "PAUSED", "finished", "finished"),
        (None, "PAUSED", "paused", "stopped"),  # as an earlier version kept it
        (None, "PAUSED", "running", "stopped"),
        (None, "MISSING", "running", "not known"),
        (None, "PAUSED", "", "not known"),
        (None, "MISSING", "", "not known"),
        (None, "ERROR", "", "not known"),
        (None, "ERROR", "error", "error"),
        (None, None, "", None),
    ],
)
def test_a_word(status: str | None, sandbox: str | None, known: str, word: str | None) -> None:
    one = replace(AWAY, execution_status=status, sandbox_status=sandbox)
    found = conversation_json(one, last_known=LastKnown(known, SINCE) if known else UNSEEN)
    assert (found["status"], found["sandbox_status"]) == (word, sandbox)


def test_a_filter_asks_for_the_agent_or_for_the_sandbox() -> None:
    def holds(words: str, one: Conversation) -> bool:
        state = conversation_state(one, LastKnown("finished", SINCE))
        return bool(conversation_query.parse(words).matches(Subject(one, state, 0.0)))

    stopped = replace(AWAY, execution_status="paused", sandbox_status="RUNNING")
    assert holds("is:stopped", stopped) and not holds("is:paused", stopped)
    assert holds("is:paused is:finished", AWAY) and not holds("is:stopped", AWAY)


def test_of_the_demo() -> None:
    found = json.loads(demo("conversations", "--all", "--json").stdout)["conversations"]
    told = {one["title"]: (one["status"], one["sandbox_status"]) for one in found}
    assert told["Raise the coverage of billing"] == ("finished", "PAUSED")
    assert told["Split the settings module"] == ("stopped", "RUNNING")
    assert told["Bump eslint to 10"] == ("not known", "MISSING")
    shown = demo("show", "59e0").stdout
    assert "state\tstopped" in shown
    assert demo("why", "59e0").stdout.startswith("stopped after ")


def test_the_cache_tells_how_a_run_ended(tmp_path: Path) -> None:
    cache = RunCache(tmp_path / "cache", "https://one.example", 10**9)
    events = demo_events("week-dates")
    file = io.BytesIO()
    zip_of_events(file, events)
    assert zipfile.is_zipfile(file)
    cache.keep(AWAY, file, len(events))
    assert [one.id for one in cache.end(AWAY)] == [one.id for one in events[-60:]]
    assert cache.end(replace(AWAY, updated_at="2026-11-25T12:00:00Z")) == []


def test_what_a_command_read_is_known_to_the_next(served: Served, tmp_path: Path) -> None:
    """The server tells no status of a run whose sandbox is paused or gone."""
    environment = {"XDG_CACHE_HOME": str(tmp_path / "c"), "XDG_STATE_HOME": str(tmp_path / "s")}

    def status() -> str:
        told = oh_tui("show", IDS["coverage"], "--server", served.url, "--json", **environment)
        found: str = json.loads(told.stdout)["conversation"]["status"]
        return found

    assert status() == "not known"
    assert oh_tui("why", IDS["coverage"], "--server", served.url, **environment).returncode == 0
    assert status() == "finished"
    for file in (tmp_path / "s").rglob("*.json"):
        file.unlink()
    assert status() == "finished", "the cache still has the run"

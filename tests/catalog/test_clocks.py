"""Whose clock wrote the times of a run, by what each source tells."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oh_tui.catalog.clocks import clock_of_file, clock_of_record
from oh_tui.cli import main
from oh_tui.conversation import Conversation
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.clock import IN_UTC, LOCAL
from oh_tui.trajectory.model.events import Event
from tests.trajectory.made import event

BEGAN = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


def events(zone: str, count: int = 5) -> list[Event]:
    """Messages at 15:00:00 UTC and each second later, as an agent in a zone writes them."""
    shown = [BEGAN.astimezone(ZoneInfo(zone)).replace(tzinfo=None)]
    shown += [shown[0] + timedelta(seconds=n) for n in range(1, count)]
    return [
        event("MessageEvent", f"e{n}", timestamp=at.isoformat(), source="user", llm_message={
            "role": "user", "content": [{"type": "text", "text": "Hi"}]})
        for n, at in enumerate(shown)
    ]  # fmt: skip


def run_folder(
    folder: Path, zone: str, *, meta: dict[str, Any] | None = None, copied: bool = False
) -> Path:
    """The folder of an agent server or, without `meta`, of the CLI."""
    (folder / "events").mkdir(parents=True)
    (folder / "base_state.json").write_text(json.dumps({"execution_status": "finished"}))
    if meta is not None:
        (folder / "meta.json").write_text(json.dumps(meta))
    for n, one in enumerate(events(zone)):
        file = folder / "events" / f"event-{n:05}-{one.id}.json"
        file.write_bytes(one.raw())
        wrote = BEGAN.timestamp() + (86_400 if copied else n)
        os.utime(file, (wrote, wrote))
    return folder


def stamp(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def record(created: float, updated: float, sandbox: str | None = "s") -> Conversation:
    return Conversation(
        "c", sandbox_id=sandbox, created_at=stamp(created), updated_at=stamp(updated)
    )


@pytest.mark.parametrize(
    ("zone", "clock"),
    [("UTC", IN_UTC), ("America/New_York", "-05:00"), ("Asia/Kolkata", "+05:30")],
)
@pytest.mark.parametrize(
    ("created", "updated"),
    [
        (0.4, 30.0),  # measured on an app server
        (7000.0, 4.1),  # it makes its record anew when the agent is stopped
        (-0.2, 90_000.0),  # renamed the day after
    ],
)
@pytest.mark.parametrize("sandbox", ["s", None])
def test_a_record_tells_the_clock_of_its_agent(
    zone: str, clock: str, created: float, updated: float, sandbox: str | None
) -> None:
    assert clock_of_record(record(created, updated, sandbox), events(zone), True) == clock


def test_without_evidence_a_sandbox_is_in_utc_and_a_bare_agent_server_is_not_known() -> None:
    late = (1200.0, 90_000.0)
    assert clock_of_record(record(*late), events("Asia/Kolkata"), True) == IN_UTC
    assert clock_of_record(record(*late, sandbox=None), events("Asia/Kolkata"), True) == ""


def test_a_change_an_hour_later_by_chance_does_not_move_a_sandbox() -> None:
    assert clock_of_record(record(3600.0, 4.0), events("UTC"), True) == IN_UTC


@pytest.mark.usefixtures("in_new_york")
def test_folders_and_zips(tmp_path: Path) -> None:
    def clock(name: str, zone: str, **more: Any) -> str:
        return clock_of_file(open_archive(run_folder(tmp_path / name, zone, **more)))

    assert clock("server", "Asia/Kolkata", meta={"created_at": stamp(-0.2)}) == "+05:30"
    assert clock("files", "Asia/Kolkata") == "+05:30"
    assert clock("local", "America/New_York") == LOCAL
    assert clock("copied", "Asia/Kolkata", copied=True) == ""
    assert clock("no time", "UTC", meta={"created_at": 5}, copied=True) == ""
    own = Path.home() / ".openhands" / "conversations"
    assert clock(str(own / "copied"), "America/New_York", copied=True) == LOCAL
    assert clock(str(own / "container"), "UTC") == IN_UTC


def only_run(path: Path) -> RunFile:
    return next(iter(open_runs(path).entries())).open()


@pytest.mark.parametrize("made", [1_772_377_201, 1_772_377_201.5, None, True, "x", 1e300, -5])
def test_v0_has_the_answers_of_the_model(tmp_path: Path, made: Any) -> None:
    answer = {"tool_call_metadata": {"function_name": "f", "model_response": {"created": made}}}
    history = [
        {"id": 0, "timestamp": "2026-03-01T10:00:00", "source": "user", "action": "message",
         "args": {"content": "Hi"}, "message": "Hi"},
        {"id": 1, "timestamp": "2026-03-01T10:00:03", "source": "agent", "action": "run",
         "args": {"command": "ls"}, "message": "ls", **answer},
        {"id": 2, "timestamp": "2026-03-01T10:00:04", "source": "agent", "observation": "run",
         "cause": 1, "content": "a", "extras": {"command": "ls"}, "message": "ran"},
    ]  # fmt: skip
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(history))
    known = isinstance(made, int | float) and made not in (True, 1e300, -5)
    assert clock_of_file(only_run(path)) == ("-05:00" if known else "")


@pytest.mark.parametrize(
    ("meta", "written", "shown"),
    [
        ({"created_at": stamp(-0.2)}, "2026-03-01T15:00:01.000Z", True),
        ({}, "2026-03-01T20:30:01.000", False),
    ],
)
def test_one_moment_in_every_zone_of_the_reader(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    zone: str,
    meta: dict[str, Any],
    written: str,
    shown: bool,
) -> None:
    """An agent in Kolkata wrote 20:30:01. With a record that is 15:00:01 UTC wherever it is read;
    without one nobody knows, and it stays as it is."""
    path = str(run_folder(tmp_path / "run", "Asia/Kolkata", meta=meta, copied=True))

    def said(*words: str) -> str:
        assert main([*words]) == 0
        return capsys.readouterr().out

    steps = json.loads(said("steps", path, "--json"))["steps"]
    assert steps[1]["started"] == written
    assert json.loads(said("conversations", path, "--json"))["conversations"][0]["updated"] == (
        written.replace("01.000", "04.000")
    )
    there = BEGAN.astimezone(ZoneInfo(zone)) + timedelta(seconds=1)
    local = f"{there:%Y-%m-%d %H:%M:%S}" if shown else "~2026-03-01 20:30:01"
    assert f"\t{local}\t" in said("steps", path, "--time", "absolute")
    in_utc = "2026-03-01T15:00:01Z" if shown else "2026-03-01T20:30:01"
    assert f"\t{in_utc}\t" in said("steps", path, "--time", "utc")
    typed = f"{there:%H:%M:%S}" if shown else "20:30:01"
    later = json.loads(said("steps", path, "--json", f"after:{typed}"))
    assert len(later["steps"]) == 4
    exported = json.loads(said("export", path, "--to", "atif"))
    assert exported["steps"][1]["timestamp"] == (
        "2026-03-01T20:30:01" + ("+05:30" if shown else "")
    )

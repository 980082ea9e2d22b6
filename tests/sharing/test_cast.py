"""A run as a recording: what a player makes of it, and what never gets into it."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from oh_tui.conversation import Conversation
from oh_tui.sharing.cast import CHARS, IDLE, cast, shortened
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.commands.conftest import IDS
from tests.demo_runs import demo_run
from tests.hostile.kinds import run as every_kind
from tests.hostile.texts import CORPUS, HOSTILE
from tests.processes import oh_tui
from tests.trajectory.made import failure, message, output, shell

ALLOWED = re.compile(r"\x1b\[[\d;:]*m|[^\x00-\x1f\x7f-\x9f]|\r\n|\t")
"""Colours, text and line ends."""


def recorded(run: Trajectory, **more: Any) -> list[list[Any]]:
    """The events of the recording of a run, the head left out."""
    return recording(run, **more)[1]


def recording(run: Trajectory, **more: Any) -> tuple[dict[str, Any], list[list[Any]]]:
    shared = SharedRun(Conversation("a" * 32, title="Fix dates"), Study(run), run.steps, **more)
    head, *events = map(json.loads, cast(shared, Sink(shared)))
    return head, events


def made(*events: Event) -> Trajectory:
    run = Trajectory()
    run.extend(events)
    return run


def printed(events: list[list[Any]]) -> str:
    return "".join(data for _, kind, data in events if kind == "o")


def markers(events: list[list[Any]]) -> list[str]:
    return [data for _, kind, data in events if kind == "m"]


def test_commands_are_typed_and_outputs_come_at_their_time() -> None:
    run = made(
        message("1", "Fix it."),
        shell("2", "pytest -q", second=10),
        output("2", "\x1b[31m1 failed\x1b[0m\r\n", 1, second=10.5),
        shell("3", "ls", second=50),
        output("3", "a  b", second=51.5),
    )
    events = recorded(run)
    text = printed(events)
    assert "\x1b[32m$\x1b[0m pytest -q\x1b[0m\r\n\x1b[31m1 failed\x1b[0m" in text
    assert "[exit code 1]" in text and "you:\x1b[0m Fix it." in text
    assert markers(events) == ["1 you wrote", "2 $ pytest -q", "3 $ ls"]
    at = {data: when for when, kind, data in events if kind == "m"}
    shown = next(when for when, _, data in events if "a  b" in data)
    assert shown - at["3 $ ls"] == pytest.approx(1.5)
    assert at["2 $ pytest -q"] - at["1 you wrote"] == pytest.approx(IDLE), "10 s of waiting"


def test_times_never_go_back_and_nothing_waits_longer_than_two_seconds() -> None:
    for slug in ("week-dates", "oauth", "timeout"):
        head, events = recording(demo_run(slug))
        assert head["idle_time_limit"] == IDLE and head["version"] == 2
        times = [when for when, _, _ in events]
        assert all(0 <= later - before <= IDLE + 0.001 for before, later in pairwise(times))


def test_without_times_the_pace_is_even_and_the_title_says_so() -> None:
    head, events = recording(made(*(message(str(n), "Hi", timestamp=None) for n in range(4))))
    assert head["title"] == "Fix dates (its times are not known)" and "timestamp" not in head
    assert "times are not known" in printed(events)
    times = [when for when, kind, _ in events if kind == "m"]
    assert times == [0.5, 1.0, 1.5, 2.0]


def test_a_time_whose_zone_is_not_known_is_no_time_of_the_recording() -> None:
    bare = made(message("1", "Hi"))
    assert "timestamp" not in recording(bare)[0]
    zoned = made(message("1", "Hi", timestamp="2026-03-01T10:00:00Z"))
    assert recording(zoned)[0]["timestamp"] == 1772359200


def test_errors_and_calls_that_did_not_run_are_told() -> None:
    text = printed(recorded(made(shell("1", "boom"), failure("1", "No such tool\nat all"))))
    assert "\x1b[31mNo such tool\r\nat all\x1b[0m" in text


@pytest.mark.parametrize("name", CORPUS)
def test_only_colours_and_line_ends_of_foreign_texts_pass(name: str) -> None:
    say = itertools.repeat(CORPUS[name]).__next__
    run = made(*(parse_event(json.dumps(event).encode()) for event in every_kind(say)))
    only_allowed(recorded(run))


@given(HOSTILE, HOSTILE)
def test_no_other_sequence_is_in_any_recording(first: str, second: str) -> None:
    texts = (shell("1", first), output("1", second + first), message("2", second + "\x1b[" + first))
    events = recorded(made(*texts))
    only_allowed(events)


def only_allowed(events: list[list[Any]]) -> None:
    for _, kind, data in events:
        rest = ALLOWED.sub("", data)
        assert rest == "", (kind, data)
        if kind == "m":
            assert "\x1b" not in data and "\n" not in data


def test_what_is_long_is_cut_with_how_much_is_missing() -> None:
    lines = [f"line {number}" for number in range(5_000)]
    run = made(shell("1", "seq"), output("1", "\n".join(lines)))
    text = printed(recorded(run))
    assert "line 99\r\n" in text and "line 100\r\n" not in text and "line 4999" in text
    assert "… 4,800 lines, 47 kB, left out here …" in text
    assert "line 2500\r\n" in printed(recorded(run, whole=True))


def test_no_line_of_a_recording_is_long() -> None:
    run = made(shell("1", "x" * 10_000), output("1", "\x1b[31mö" * 200_000))
    for whole in (False, True):
        shared = SharedRun(Conversation("a"), Study(run), run.steps, whole=whole)
        sizes = [len(line) for line in cast(shared, Sink(shared))]
        assert max(sizes) < 150_000
        assert whole or sum(sizes) < 300_000


@given(HOSTILE)
def test_a_text_that_fits_stays_as_it_is(text: str) -> None:
    assert shortened(text) == text
    assert len(shortened(text * 10_000)) < 2 * CHARS


def test_asciinema_plays_it(tmp_path: Path) -> None:
    pytest.importorskip("asciinema")
    target = tmp_path / "run.cast"
    done = oh_tui("export", "--demo", IDS["week-dates"], "--to", "cast", "-o", target)
    assert done.returncode == 0 and done.stderr.endswith(f"wrote 61 steps to {target}\n")
    played = subprocess.run(
        [sys.executable, "-m", "asciinema", "cat", str(target)],
        capture_output=True,
        timeout=60,
        env={"LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "PATH": "/usr/bin"},
        check=True,
    )
    events = [json.loads(line) for line in target.read_text().splitlines()[1:]]
    assert played.stdout.decode() == printed(events)
    assert "pytest" in played.stdout.decode()

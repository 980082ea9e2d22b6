"""Sub-agents in the same folder take part in the order of time."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from tests.trajectory.edited import A, edit, run
from tests.trajectory.made import message, output, shell
from tests.trajectory.sub_agent_files import task


def timed(events: Iterable[Event], *seconds: float | None) -> list[Event]:
    """The events at these seconds; None for no time."""
    found = list(events)
    for event, second in zip(found, seconds, strict=True):
        event.timestamp = "" if second is None else f"2026-03-01T10:00:{second:06.3f}"
    return found


def files_of(parent: list[Event], *agents: tuple[str, list[Event], str]) -> Files:
    """Each agent is a name, its events and what cannot be read of it."""
    trajectory = run(*parent)
    made: list[SubAgent] = []
    for name, events, note in agents:
        below = Trajectory()
        below.extend(events)
        made.append(SubAgent(name, lambda below=below, note=note: (below, note)))  # type: ignore[misc]
    trajectory.sub_agents = made
    return Study(trajectory).files


def parent(times: bool = True) -> list[Event]:
    events = [*edit("1", A, "a", "b"), *task("t", "go", 0, 1), *edit("2", A, "c", "d"),
              shell("3", "ls"), output("3")]  # fmt: skip
    return timed(events, *((0, 1, 2, 8, 9, 10, 11, 12) if times else (None,) * 8))


def child(times: bool = True, command: str = "ls") -> list[Event]:
    events = [message("m", "go"), shell("x", command), output("x"), *edit("e", A, "b", "c")]
    return timed(events, *((2.5, 3, 4, 5, 6) if times else (None,) * 5))


@pytest.mark.parametrize("times", [True, False], ids=["with times", "without"])
def test_the_edits_of_a_sub_agent_are_versions_between_those_of_the_run(times: bool) -> None:
    files = files_of(parent(times), ("agent", child(times), ""))
    file = files.named(A)
    assert [(one.kind, one.label) for one in file.versions] == [
        ("before", 1), ("edit", 1), ("edit", "2.3"), ("edit", 3),
    ]  # fmt: skip
    assert [files.at_file(file, step).certain for step in (1, 2, 3)] == [True, True, True]
    assert files.at_file(file, "2.2").text() == "b"
    assert files.at_file(file, "2.3").text() == files.at_file(file, 2).text() == "c"
    (line,) = blame(files, file, files.at_file(file, 2)).lines
    assert (line.origin, line.step) == ("edit", "2.3")


def test_its_commands_may_write() -> None:
    files = files_of(parent(), ("agent", child(command="make"), ""))
    file = files.named(A)
    state = files.at_file(file, "2.2")
    assert [writer.label for writer in state.since] == ["2.2"]
    assert files.at_file(file, 2).certain


def test_a_sub_agent_that_is_not_here_or_not_whole_may_have_written() -> None:
    files = files_of(parent())
    found = files.named(A).versions[2]
    assert (found.kind, [writer.label for writer in found.between]) == ("elsewhere", [2])
    assert not files.at_file(files.named(A), 2).certain
    files = files_of(parent(), ("agent", child(), "part of it cannot be read"))
    assert [writer.label for writer in files.at_file(files.named(A), "2.3").since] == [2]


def test_one_whose_start_and_times_are_not_known_may_have_written_at_any_time() -> None:
    untimed = timed([message("m", "other"), shell("x", "ls"), output("x")], None, None, None)
    events = timed([*edit("1", A, "a", "b"), shell("2", "ls"), output("2")], 0, 1, 2, 3)
    files = files_of(events, ("agent", untimed, ""))
    assert not files.at_file(files.named(A), 1).certain

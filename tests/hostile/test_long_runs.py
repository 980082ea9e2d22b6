"""Runs shaped to take more than linear time."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory, build
from tests.hostile.bounds import used_by
from tests.processes import oh_tui
from tests.work import counted

Row = dict[str, Any]


def call(number: int, call_id: str = "c", response: str = "r") -> Row:
    return {
        "id": f"call-{number}", "kind": "ActionEvent", "source": "agent",
        "tool_name": "terminal", "tool_call_id": call_id, "llm_response_id": response,
        "action": {"kind": "TerminalAction", "command": "ls"},
    }  # fmt: skip


def result(number: int, of: str = "", call_id: str = "c") -> Row:
    return {
        "id": f"result-{number}", "kind": "ObservationEvent", "source": "environment",
        "tool_name": "terminal", "tool_call_id": call_id, "action_id": of,
        "observation": {"kind": "TerminalObservation", "exit_code": 0,
                        "content": [{"type": "text", "text": "x"}]},
    }  # fmt: skip


def status(number: int) -> Row:
    return {
        "id": f"status-{number}", "kind": "ConversationStateUpdateEvent", "source": "environment",
        "key": "execution_status", "value": "running" if number % 2 else "paused",
    }  # fmt: skip


def one_call(count: int) -> Iterator[Row]:
    yield call(0)
    yield from (result(n, "call-0") for n in range(count))


def results_first(count: int) -> Iterator[Row]:
    yield from (result(n, "call-0") for n in range(count))
    yield call(0)


def one_name(count: int) -> Iterator[Row]:
    """All calls have one tool_call_id."""
    yield from (call(n, response=str(n)) for n in range(count // 2))
    yield from (result(n) for n in range(count // 2))


def one_answer(count: int) -> Iterator[Row]:
    """All calls are of one answer of the model."""
    yield from (call(n, f"c{n}") for n in range(count // 2))
    yield from (result(n, f"call-{n}", f"c{n}") for n in range(count // 2))


def backwards(count: int) -> Iterator[Row]:
    """Results, each followed by another status, before their calls."""
    for n in range(count // 3):
        yield result(n, f"call-{n}", f"c{n}")
        yield status(n)
    yield from (call(n, f"c{n}", str(n)) for n in range(count // 3))


def one_report(count: int) -> Iterator[Row]:
    for n in range(count):
        yield {
            "id": f"report-{n}", "kind": "ACPToolCallEvent", "source": "agent",
            "tool_call_id": "c", "title": "x", "status": "running",
        }  # fmt: skip


SHAPES: list[Callable[[int], Iterator[Row]]] = [
    one_call, results_first, one_name, one_answer, backwards, one_report,
]  # fmt: skip


def events(make: Callable[[int], Iterator[Row]], count: int) -> list[Event]:
    return [parse_event(json.dumps(row).encode()) for row in make(count)]


def work_on(made: list[Event]) -> int:
    with counted() as work:
        build(made)
    return work.lines


@pytest.mark.parametrize("make", SHAPES)
def test_steps_are_made_in_linear_time(make: Callable[[int], Iterator[Row]]) -> None:
    small, large = (work_on(events(make, count)) for count in (1_000, 8_000))
    assert large < 2 * 8 * small


def condensation(number: int, *gone: str) -> Row:
    return {
        "id": f"cut-{number}", "kind": "Condensation", "source": "environment",
        "forgotten_event_ids": list(gone), "summary": "so", "summary_offset": 1,
        "llm_response_id": "k",
    }  # fmt: skip


def summaries(count: int) -> Iterator[Row]:
    """Condensations alone, of which every other forgets a summary from long before."""
    for n in range(count):
        yield condensation(n, *([f"cut-{n // 2}-summary"] if n % 2 else ()))


def forgotten_calls(count: int) -> Iterator[Row]:
    """After each call a condensation, every other of which forgets a call from long before."""
    for n in range(count // 3):
        yield call(n, f"c{n}", str(n))
        yield result(n, f"call-{n}", f"c{n}")
        yield condensation(n, *([f"call-{n // 2}", f"result-{n // 2}"] if n % 2 else ()))


def work_on_context(made: list[Event]) -> int:
    run = Trajectory()
    run.extend([*made, parse_event(json.dumps(call(-1, "last", "last")).encode())])
    contexts = Contexts(run)
    with counted() as work:
        assert len(contexts.at(contexts.answers[-1]).messages)
    return work.lines


@pytest.mark.parametrize("make", [summaries, forgotten_calls])
def test_a_context_after_condensations_is_made_in_linear_time(
    make: Callable[[int], Iterator[Row]],
) -> None:
    small, large = (work_on_context(events(make, count)) for count in (750, 6_000))
    assert large < 2 * 8 * small


@pytest.mark.slow  # 128,000 events
def test_why_of_a_call_with_128_000_results_takes_seconds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as made:
        for number, row in enumerate(one_call(128_000)):
            made.writestr(f"event_{number:06}_x.json", json.dumps(row))
    began = time.process_time()  # what others do on the machine does not count
    told = oh_tui("why", tmp_path / "run.zip")
    assert told.returncode == 0, told.stderr
    assert time.process_time() - began < 60


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    "event",
    [
        '{"kind":"FooEvent","x":PARTS}',
        '{"kind":"FooEvent","id":7,"x":PARTS}',
        '{"kind":"ObservationEvent","observation":'
        '{"kind":"MCPToolObservation","content":[{"type":"text","text":"PARTS"}]}}',
    ],
)
def test_an_event_of_millions_of_parts_takes_no_more_memory_than_its_text(
    event: str, tmp_path: Path
) -> None:
    used = used_by(
        f"""
        from oh_tui.trajectory.presentation.block import plain_text
        from oh_tui.trajectory.presentation.blocks import event_blocks
        from oh_tui.trajectory.model.events import parse_event
        raw = {event!r}.encode().replace(b"PARTS", b"[" + b"{{}}," * 6_000_000 + b"{{}}]")
        def act():
            return plain_text(event_blocks(parse_event(raw))).count("{{}}")
        """,
        tmp_path,
    )
    assert used.told == 6_000_001
    assert used.mib < 400


def test_an_event_with_a_million_commas_in_its_text_is_read() -> None:
    text = "a,b\\n" * 1_200_000
    event = parse_event(b'{"kind":"FooEvent","x":"%s"}' % text.encode())
    assert event.body()["kind"] == "FooEvent"

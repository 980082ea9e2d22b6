"""What the model saw, in processor time: a run of 7,000 events with 15 condensations."""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from benchmarks import made
from benchmarks.result import Result, interleaved, result
from oh_tui.trajectory.context.context import Context
from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.context.message_order import Arrangement
from oh_tui.trajectory.context.whole import whole
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory

EVENTS = 7_000
CONDENSATIONS = 15
ROUNDS = 5

_HALF = EVENTS // 2


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    run = _run(EVENTS)
    found = Contexts(run)
    answers = found.answers
    middle, before = answers[len(answers) // 2], answers[len(answers) // 2 - 1]

    def one_pass() -> None:
        for event in run.events:
            event.body()

    def anywhere() -> None:
        _listed(Contexts(run).at(middle))

    def neighbours() -> None:
        _ = [part.chars for part in found.difference(before, middle).came]

    def all_contexts() -> None:
        anew = Contexts(run)
        for answer in anew.answers:
            _ = list(anew.at(answer).messages)

    def each_from_scratch() -> None:
        for answer in answers:
            _scratch(found.at(answer))

    context, passed = interleaved(ROUNDS, _timed(anywhere), _timed(one_pass))
    difference, again = interleaved(ROUNDS, _timed(neighbours, 20), _timed(anywhere))
    together, apart = interleaved(1, _timed(all_contexts), _timed(each_from_scratch))
    small, large = _held(_HALF), _held(EVENTS)
    name = f"contexts of {EVENTS:,} events"
    return [
        result(f"{name}: one, against one pass", "ms", context, passed, ratio=2),
        result(f"{name}: two neighbours, against one", "ms", difference, again, ratio=0.1),
        result(f"{name}: all, against each from scratch", "ms", together, apart, ratio=0.125),
        result(f"{name}: all held, against half of them", "kB", large, small, ratio=2.2),
    ]


def _run(count: int) -> Trajectory:
    run = Trajectory()
    events = made.condensed(count, CONDENSATIONS)
    run.extend(parse_event(json.dumps(event).encode()) for event in events)
    return run


def _listed(context: Context) -> list[int]:
    """What a view shows of each message."""
    return [len(message.kind) + message.chars for message in context.messages]


def _scratch(context: Context) -> None:
    """All that a context takes without those around it, its `Message`s too."""
    material = context._material
    path = material.tree.path(context.end)
    items = whole(path, material.peeks, material.rules)
    arranged = Arrangement(material.peeks, material.rules, items)
    _ = arranged.messages(range(len(arranged.starts)), len(items))


def _timed(do: Callable[[], None], times: int = 1) -> Callable[[], float]:
    def timed() -> float:
        gc.collect()
        began = time.process_time()
        for _ in range(times):
            do()
        return (time.process_time() - began) * 1000 / times

    return timed


def _held(count: int) -> float:
    """kB of all contexts of a run, with the sizes of all messages."""
    run = _run(count)
    gc.collect()
    tracemalloc.start()
    found = Contexts(run)
    contexts = [found.at(answer) for answer in found.answers]
    for context in contexts:
        _listed(context)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1000

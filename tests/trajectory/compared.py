"""Runs made of commands, and two runs with known differences, for tests of the comparison."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from oh_tui.trajectory.comparison.compare import Kind
from oh_tui.trajectory.model.trajectory import Trajectory

from .made import call, output, result, shell

Difference = tuple[str, int | None, int | None]


def run(commands: Iterable[str | tuple[str, int]]) -> Trajectory:
    """A run of commands; one that fails with its exit code."""
    trajectory = Trajectory()
    for number, given in enumerate(commands):
        command, code = given if isinstance(given, tuple) else (given, 0)
        trajectory.extend([shell(f"c{number}", command), output(f"c{number}", "done", code)])
    return trajectory


def one_call(arguments: dict[str, Any], tool: str = "file_editor") -> Trajectory:
    trajectory = Trajectory()
    trajectory.extend([call("c", arguments, tool=tool), result("c", {}, tool=tool)])
    return trajectory


def planted(seed: int, length: int) -> tuple[list[str], list[str], list[Difference]]:
    """The commands of two runs, and their differences. No two steps call the same program, so that
    there is one right answer."""
    rng = random.Random(seed)
    a, b, differences = list[str](), list[str](), list[Difference]()
    for number in range(length):
        command = f"tool{number} --fast src/{number % 7}.py"
        kind = rng.choices((*Kind, "same"), (0, 1, 1, 1, 6))[0]
        if kind != Kind.ONLY_B:
            a.append(command)
        if kind != Kind.ONLY_A:
            b.append(command.replace("--fast", "--slow") if kind == Kind.CHANGED else command)
        if kind != "same":
            number_a = len(a) if kind != Kind.ONLY_B else None
            number_b = len(b) if kind != Kind.ONLY_A else None
            differences.append((kind, number_a, number_b))
    return a, b, differences

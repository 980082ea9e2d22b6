"""Makes many runs, the same for the same seed: outputs of an evaluation and zips.

    python -m scripts.many_runs FOLDER --runs 10000 --seed 1

writes FOLDER/part-000/output.jsonl and so on, of 500 runs each. Each run has about 100 events of
about 1 kB, in which texts, failures and loops are planted that `Made` tells.
"""

from __future__ import annotations

import argparse
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]

START = datetime(2026, 3, 1)
PART = 500
"""Runs of one output."""

MODELS = ("claude-sonnet-4-5", "gpt-5.1", "gemini-3-pro")
REPOSITORIES = ("acme/dates", "acme/etl", "acme/relay", "initech/forms", "hooli/search")
COMMON = "IndexError"
"""Planted in each second run."""

_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ji", "ke", "lo", "mu", "na", "pe", "qui", "ra")


class Made(NamedTuple):
    """What is planted in a run, so that tests know without reading it."""

    name: str
    model: str
    repository: str
    commands: int
    failed: int
    is_stuck: bool
    has_common: bool
    cost: float
    """US dollars."""
    rare: str
    """A word that stands in this run alone, in an output."""


@cache
def _texts(seed: int) -> tuple[list[str], list[str]]:
    """The paths and the lines of outputs that runs are made of."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(4000)]
    paths = [f"src/{'/'.join(chance.choices(words, k=2))}.py" for _ in range(2000)]
    return paths, [_line(chance, words, paths) for _ in range(40_000)]


def _line(chance: random.Random, words: Sequence[str], paths: Sequence[str]) -> str:
    said = chance.choices(words, k=5)
    match chance.randint(0, 4):
        case 0:
            return f"    {said[0]}_{said[1]} = {said[2]}({said[3]}, {chance.randint(0, 9999)})"
        case 1:
            return f"{chance.choice(paths)}:{chance.randint(1, 900)}: {' '.join(said)}"
        case 2:
            return f"tests/test_{said[0]}.py::test_{said[1]}_{said[2]} PASSED"
        case 3:
            return f"-rw-r--r-- 1 root root {chance.randint(10, 99999):6} {said[0]}.{said[1]}"
    return " ".join(said)


class Maker:
    """Runs by number. Each depends on the seed and its number alone."""

    def __init__(self, seed: int = 1, events: int = 100) -> None:
        self.seed, self.events = seed, events

    @property
    def _paths(self) -> list[str]:
        return _texts(self.seed)[0]

    @property
    def _lines(self) -> list[str]:
        return _texts(self.seed)[1]

    def made(self, number: int) -> Made:
        chance = random.Random(f"{self.seed}/{number}")
        calls = max(1, (self.events - 2) // 2 + chance.randint(-5, 5))
        repository = chance.choice(REPOSITORIES)
        return Made(
            name=f"{repository.replace('/', '__')}-{number:06}",
            model=chance.choice(MODELS),
            repository=repository,
            commands=calls,
            failed=chance.randint(0, calls // 4),
            is_stuck=number % 11 == 7,
            has_common=number % 2 == 0,
            cost=chance.randint(1, 300) / 100,
            rare="".join(chance.choices("bcdfghjklmnpqrstvwxz", k=12)),
        )

    def history(self, number: int) -> Iterator[Json]:
        """A task, commands with their outputs and edits, and an answer, or a loop in its place."""
        made, chance = self.made(number), random.Random(f"{self.seed}/{number}/events")
        clock = START + timedelta(minutes=number)
        failing = set(chance.sample(range(made.commands), made.failed))
        common = chance.randrange(made.commands) if made.has_common else -1
        rare = chance.randrange(made.commands)
        yield _message(clock, "user", f"Fix {chance.choice(self._paths)}: {self._text(chance, 3)}")
        for n in range(made.commands):
            clock += timedelta(seconds=chance.uniform(2, 30))
            output = self._text(chance, chance.randint(3, 40))
            if n == common:
                output += f"\nTraceback (most recent call last):\n{COMMON}: list index out of range"
            if n == rare:
                output += f"\n{made.rare} here"
            path = chance.choice(self._paths)
            yield from _call(clock, n, path, output, n in failing, chance)
        if made.is_stuck:
            for n in range(4):
                yield from _call(
                    clock, made.commands + n, "src/loop.py", "again", True, random.Random(0)
                )
        else:
            yield _message(clock, "agent", "All done.")

    def row(self, number: int) -> Json:
        """As in an output.jsonl."""
        made, answers = self.made(number), self.made(number).commands
        cost = made.cost / answers
        usages = [
            {"response_id": f"answer{n}", "prompt_tokens": 900 + n, "completion_tokens": 80}
            for n in range(answers)
        ]
        return {
            "instance_id": made.name,
            "test_result": {"git_patch": ""},
            "instruction": "Fix it.",
            "metadata": {"llm": {"model": made.model}, "max_iterations": 500, "dataset": "made"},
            "history": list(self.history(number)),
            "metrics": {
                "accumulated_cost": made.cost,
                "costs": [{"cost": cost}] * answers,
                "token_usages": usages,
            },
            "error": "AgentStuckInLoopError: stuck in a loop" if made.is_stuck else None,
            "instance": {"instance_id": made.name, "repo": made.repository},
        }

    def _text(self, chance: random.Random, lines: int) -> str:
        start = chance.randrange(len(self._lines) - lines)
        return "\n".join((*self._lines[start : start + lines], *chance.choices(self._lines, k=2)))


def _head(kind: str, name: str, clock: datetime) -> Json:
    return {"id": name, "kind": kind, "timestamp": clock.isoformat()}


def _message(clock: datetime, source: str, text: str) -> Json:
    content = [{"type": "text", "text": text}]
    return {
        **_head("MessageEvent", f"m-{source}", clock),
        "source": source,
        "llm_message": {"role": source, "content": content},
    }


def _call(
    clock: datetime, n: int, path: str, output: str, failed: bool, chance: random.Random
) -> Iterator[Json]:
    edits = chance.random() < 0.2 and not failed
    tool = "file_editor" if edits else "terminal"
    action: Json = {"kind": "TerminalAction", "command": f"python -m pytest -q {path}"}
    content = [{"type": "text", "text": output}]
    result: Json = {"kind": "TerminalObservation", "content": content, "exit_code": int(failed)}
    if edits:
        old, new = output, output.replace("_", "-", 3) + "\nmore"
        action = {"kind": "FileEditorAction", "command": "str_replace", "path": f"/w/{path}"}
        action |= {"old_str": old[:200], "new_str": new[:200]}
        result = {"kind": "FileEditorObservation", "command": "str_replace", "path": f"/w/{path}"}
        result |= {"old_content": old, "new_content": new, "content": []}
    yield {
        **_head("ActionEvent", f"a{n}", clock),
        "source": "agent",
        "thought": [{"type": "text", "text": f"Now {path}."}],
        "tool_name": tool,
        "tool_call_id": f"c{n}",
        "llm_response_id": f"answer{n}",
        "action": action,
    }
    yield {
        **_head("ObservationEvent", f"o{n}", clock + timedelta(seconds=chance.uniform(0.1, 2))),
        "source": "environment",
        "tool_name": tool,
        "tool_call_id": f"c{n}",
        "action_id": f"a{n}",
        "observation": result,
    }


def write_outputs(folder: Path, runs: int, maker: Maker, part: int = PART) -> list[Path]:
    """Outputs of `part` runs each, in folders of their own."""
    written = []
    for first in range(0, runs, part):
        path = folder / f"part-{first // part:03}" / "output.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            for number in range(first, min(runs, first + part)):
                file.write(json.dumps(maker.row(number)) + "\n")
        written.append(path)
    return written


def write_zip(path: Path, maker: Maker, number: int) -> Path:
    """One run as the app server's download has it."""
    made = maker.made(number)
    meta = {
        "id": f"{number:032x}",
        "title": made.name,
        "llm_model": made.model,
        "selected_repository": made.repository,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("meta.json", json.dumps(meta))
        for place, event in enumerate(maker.history(number)):
            archive.writestr(f"event_{place:06}_{event['id']}.json", json.dumps(event))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for path in write_outputs(args.folder, args.runs, Maker(args.seed, args.events)):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

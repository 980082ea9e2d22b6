"""Made-up runs in files, and the slowest way to search them: every text, read and compared."""

from __future__ import annotations

import atexit
import json
import random
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from oh_tui.text.clean import clean
from oh_tui.text.redact import redact
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.search.searchable_text import texts_of
from tests.trajectory.made import call, event, failure, message, output, result, shell

WORDS = [
    "error",
    "ValueError",
    "no",
    "such",
    "file",
    "exit",
    "1",
    "tests/test_a.py",
    "src/dates/parse.py",
    "needle",
    "hay",
    "café",
    "ÄRGER",
    "[b]bold[/b]",
    "a\\b",
    '"quoted"',
    "tab\there",
    "K\u212a",
    "\u0130",
    "x=1",
    "don't",
    "-flag",
    "re:/x/",
    "100%",
    "\x1b[31mred\x1b[0m",
]

TOKEN = "ghp_" + "a1b2c3d4e5" * 3


def lasting_folder() -> Path:
    """For several tests: it is removed as the process ends."""
    folder = Path(mkdtemp(prefix="oh-tui-many-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _text(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(0, 12))]
    if chance.random() < 0.05:
        words.append(TOKEN)
    return "".join(word + chance.choice(" \n ") for word in words)


def _step(chance: random.Random, n: int) -> Iterator[Event]:
    kind = chance.randint(0, 5)
    if kind == 0:
        yield message(f"m{n}", _text(chance))
    elif kind == 1:
        yield shell(f"a{n}", _text(chance), tool="nonesuch")
        yield failure(f"a{n}", _text(chance))
    elif kind == 2:
        path = f"/workspace/{chance.choice(['src/dates/parse.py', 'b.py'])}"
        action = {"kind": "FileEditorAction", "command": "str_replace", "path": path}
        seen = {"kind": "FileEditorObservation", "command": "str_replace", "path": path}
        texts = {"old_content": _text(chance), "new_content": _text(chance)}
        yield call(f"a{n}", action, tool="file_editor")
        yield result(f"a{n}", seen | texts, tool="file_editor")
    elif kind == 3:
        yield event("ConversationErrorEvent", f"x{n}", code="Odd", detail=_text(chance))
    else:
        thought = [{"type": "text", "text": _text(chance)}]
        yield shell(f"a{n}", _text(chance), thought=thought)
        yield output(f"a{n}", _text(chance), chance.choice([0, 0, 1]))


def make_runs(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Zips of runs, each with up to 12 steps."""
    chance = random.Random(seed)
    paths = []
    for number in range(count):
        identifier = f"{chance.getrandbits(128):032x}"
        path = folder / f"{identifier}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            meta = {"id": identifier, "title": f"Run {number}", "llm_model": f"m{number % 3}"}
            archive.writestr("meta.json", json.dumps(meta))
            steps = [one for n in range(chance.randint(0, 12)) for one in _step(chance, n)]
            for place, one in enumerate(steps):
                archive.writestr(f"event_{place:06}_{one.id}.json", one.raw())
        paths.append(path)
    return paths


Test = Callable[[Trajectory, Step], bool]


@cache
def _texts(run: Trajectory) -> list[list[tuple[str, str]]]:
    """Of each step the texts as they are read, and without secrets."""
    return [[(clean(text), redact(clean(text))) for text in _of(run, step)] for step in run.steps]


def _of(run: Trajectory, step: Step) -> Iterator[str]:
    about = describe(step, run.outcome(step))
    yield f"{about.what} {about.result}".strip()
    for one in (step.event, *step.results):
        yield from texts_of(one)


def says(test: Callable[[str], bool]) -> Test:
    """Whether a text of the step passes, as it is read and without secrets."""

    def holds(run: Trajectory, step: Step) -> bool:
        return any(test(text) and test(told) for text, told in _texts(run)[step.number - 1])

    return holds


def text_of(wanted: str) -> Test:
    low = wanted.lower()
    return says(lambda text: low in text.lower() or low in " ".join(text.lower().split()))


def pattern_of(source: str) -> Test:
    pattern = re.compile(source, re.IGNORECASE)
    return says(lambda text: any(pattern.search(line) for line in text.split("\n")))


TESTS: dict[str, Test] = {
    "is:failed": lambda run, step: run.outcome(step) in (Outcome.ERROR, Outcome.COMMAND_FAILED),
    "is:error": lambda run, step: run.outcome(step) is Outcome.ERROR,
    "tool:file_editor": lambda run, step: step.event.tool_name == "file_editor",
    "kind:Message": lambda run, step: step.event.kind == "MessageEvent",
    "source:user": lambda run, step: step.event.source == "user",
}
"""Words for steps, and what they mean."""


def brute_force(runs: dict[str, Trajectory], tests: list[tuple[Test, bool]]) -> Any:
    """The number of each step in each run that passes all tests, or fails the negated ones."""
    found = {}
    for name, run in runs.items():
        steps = [s.number for s in run.steps if all(t(run, s) is not no for t, no in tests)]
        if steps:
            found[name] = steps
    return found

"""The OpenHands CLI, run headless: tests read the runs that it keeps."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .model import NAME, ScriptedModel
from .server import CACHE, clean_environment, end_groups

VERSION = "1.16.0"
PROGRAM = CACHE / f"venv-cli-{VERSION}" / "bin" / "openhands"
"""What scripts/live_setup.py makes, where there is Python 3.12."""


@contextmanager
def headless(
    home: Path, model: ScriptedModel, task: str, name: str = NAME
) -> Iterator[subprocess.Popen[bytes]]:
    """The CLI at work on a task with the model of this name; it is gone in the end.

    Its run is kept below `home`, a private folder with a short path.
    """
    (home / "tmp").mkdir(exist_ok=True)
    words = ("--override-with-envs", "--headless", "--json", "-t", task)
    with (home / "cli.log").open("ab") as log:
        process = subprocess.Popen(
            [str(PROGRAM), *words],
            cwd=home,
            env=clean_environment(home)
            | {"LLM_MODEL": name, "LLM_API_KEY": "sk-scripted", "LLM_BASE_URL": model.url}
            | {"TMUX_TMPDIR": str(home / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_groups([process.pid], home / "tmp")
        process.wait()


def kept_below(home: Path) -> Path:
    """Where the CLI keeps its runs."""
    return home / ".openhands" / "conversations"


def run_headless(home: Path, model: ScriptedModel, task: str, name: str = NAME) -> str:
    """Let the CLI do a task to its end; gives the id of the run."""
    kept = kept_below(home)
    before = set(kept.glob("*"))
    with headless(home, model, task, name) as process:
        process.wait(timeout=120)
    made = set(kept.glob("*")) - before
    said = (home / "cli.log").read_text("utf-8", "replace")
    assert (process.returncode, len(made)) == (0, 1), said
    return made.pop().name

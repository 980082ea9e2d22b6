"""The OpenHands CLI, run headless: tests read the runs that it keeps."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .model import NAME, ScriptedModel
from .server import CACHE, clean_environment, end_groups

VERSION = "1.16.0"
PROGRAM = CACHE / f"venv-cli-{VERSION}" / "bin" / "openhands"
"""What scripts/live_setup.py makes, where there is Python 3.12."""


def run_headless(home: Path, model: ScriptedModel, task: str, name: str = NAME) -> str:
    """Let the CLI do a task with the model of this name; gives the id of the run.

    It is kept below `home`, a private folder with a short path.
    """
    kept = home / ".openhands" / "conversations"
    before = set(kept.glob("*"))
    (home / "tmp").mkdir(exist_ok=True)
    words = ("--override-with-envs", "--headless", "--json", "-t", task)
    process = subprocess.Popen(
        [str(PROGRAM), *words],
        cwd=home,
        env=clean_environment(home)
        | {"LLM_MODEL": name, "LLM_API_KEY": "sk-scripted", "LLM_BASE_URL": model.url}
        | {"TMUX_TMPDIR": str(home / "tmp")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=120)
    finally:
        end_groups([process.pid], home / "tmp")
        process.wait()
    made = set(kept.glob("*")) - before
    assert (process.returncode, len(made)) == (0, 1), said.decode("utf-8", "replace")
    return made.pop().name

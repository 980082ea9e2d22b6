"""Runs oh-tui as a shell would, with nothing on standard input: in this process, or in its own.

A process of its own costs eight times what most commands do, so only `forked` has one; of each
command there is a test that uses it.

Nearly all that a process costs is the start of Python and the reading of modules. So one process,
the nursery, has done both, and each run is forked off it: it has its own environment, folder, files
and end, and whatever it leaves behind goes with it.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from oh_tui import cli

STEERING = ("LANG", "LC_", "PYTHON", "TZ")
"""What the names of variables begin with that Python itself reads, at its start."""

PACKAGES = ("api", "commands", "demo", "sources", "trajectory")
"""What commands are made of; the explorer is none."""

TIMEOUT = 60.0


def oh_tui(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`oh-tui` with these words; the environment is the test's own, changed by `environment`."""
    if any(name.startswith(STEERING) for name in environment) or not _runs_commands():
        return forked(*words, **environment)
    given, before = list(map(str, words)), dict(os.environ)
    os.environ.update(environment)
    with tempfile.TemporaryDirectory() as folder:
        told = [Path(folder, name) for name in ("out", "err")]
        try:
            with _streams(*told):
                code = cli.main(given)
        finally:
            os.environ.clear()
            os.environ.update(before)
        out, err = (path.read_text("utf-8") for path in told)
    return subprocess.CompletedProcess(["oh-tui", *given], code, out, err)


def beside_what_leaves(said: str) -> str:
    """What an export says on stderr besides the list of what leaves with it."""
    heads = ("oh-tui: what leaves: ", "oh-tui:   ")
    return "".join(line for line in said.splitlines(True) if not line.startswith(heads))


def _runs_commands() -> bool:
    """Not so in other threads, which get no signals, and under an event loop."""
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


@contextmanager
def _streams(out: Path, err: Path) -> Iterator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    with (
        Path(os.devnull).open(encoding="utf-8") as sys.stdin,
        out.open("w", encoding="utf-8") as sys.stdout,
        err.open("w", encoding="utf-8", errors="backslashreplace") as sys.stderr,
    ):
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


def forked(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As `oh_tui`, in a process of its own."""
    env = {**os.environ, **environment}
    nursery = _nursery(frozenset(item for item in env.items() if item[0].startswith(STEERING)))
    assert nursery.stdin and nursery.stdout
    with tempfile.TemporaryDirectory() as folder:
        told = [Path(folder, name) for name in ("out", "err")]
        asked = {
            "words": list(map(str, words)),
            "env": env,
            "folder": str(Path.cwd()),
            "told": list(map(str, told)),
        }
        nursery.stdin.write(json.dumps(asked) + "\n")
        nursery.stdin.flush()
        if not select.select([nursery.stdout], [], [], TIMEOUT)[0]:
            os.killpg(nursery.pid, signal.SIGKILL)
            _nursery.cache_clear()
            raise subprocess.TimeoutExpired(["oh-tui", *asked["words"]], TIMEOUT)
        code = int(nursery.stdout.readline())
        out, err = (path.read_text("utf-8") for path in told)
    return subprocess.CompletedProcess(["oh-tui", *asked["words"]], code, out, err)


@cache
def _nursery(steering: frozenset[tuple[str, str]]) -> subprocess.Popen[str]:
    """One for each way to steer Python; it ends with this process."""
    nursery = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **dict(steering)},
        process_group=0,
    )
    atexit.register(nursery.communicate)
    return nursery


def _serve() -> None:
    """A line that tells a process on standard input, the line of its exit code on standard
    output; ends with its input."""
    for name in PACKAGES:
        package = import_module(f"oh_tui.{name}")
        for found in pkgutil.walk_packages(package.__path__, f"oh_tui.{name}."):
            if not found.name.endswith("__main__"):
                import_module(found.name)
    gc.freeze()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _become(json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: dict[str, Any]) -> None:
    """Be the process that is asked for; raises SystemExit at its end."""
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["folder"])
    opened = [os.open(os.devnull, os.O_RDONLY)]
    opened += [os.open(path, os.O_WRONLY | os.O_CREAT) for path in asked["told"]]
    for number, file in enumerate(opened):
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["oh-tui", *asked["words"]]
    runpy.run_module("oh_tui", run_name="__main__")


if __name__ == "__main__":
    _serve()

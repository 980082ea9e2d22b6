"""Runs commands in this process on their own embedded server, whose answers tests can replace."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from oh_tui import cli
from oh_tui.api import AppServer
from oh_tui.cli import opening
from oh_tui.demo import Demo
from oh_tui.sources.server import ServerSource
from tests.tui.explorer import AT_ONCE, NOW, Between


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """What a failed command said, checked for its form: a sentence, then at most one hint."""
        if self.err.startswith("{"):
            error = json.loads(self.err)["error"]
            return f"{error['message']}\n{error['hint']}"
        first, *hint = self.err.splitlines()
        assert self.out == "" and first.startswith("oh-tui: ") and not first.endswith(".")
        assert len(hint) <= 1 and all(line.startswith("        ") for line in hint)
        return self.err


@dataclass
class Shell:
    """`shell("approve 5f3a")` runs a command and gives what it said."""

    capture: pytest.CaptureFixture[str]
    demo: Demo = field(default_factory=lambda: Demo(NOW, "everything"))
    between: Between = field(default_factory=Between)

    def source(self, log: object = None) -> ServerSource:
        api = AppServer(self.demo.base_url, app=self.between(self.demo.app), retries=AT_ONCE)
        return ServerSource(api, "demo", self.demo.opening)

    def __call__(self, line: str) -> Said:
        code = cli.main(["--demo", *shlex.split(line)])
        return Said(code, *self.capture.readouterr())


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(capsys)
    made.demo.rate_limited = False
    monkeypatch.setattr(opening, "demo_source", made.source)
    return made


def interrupted(
    words: tuple[str, ...],
    call: str,
    folder: Path,
    number: signal.Signals = signal.SIGINT,
    times: int = 1,
) -> tuple[int, str, str]:
    """Exit code, output and errors of a process that got ctrl+c, or another signal, half a second
    after its log of calls named this one so many times."""
    log = folder / "calls.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "oh_tui", "--log", str(log), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (log.exists() and log.read_text("utf-8").count(call) >= times):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    return process.returncode, out, said

"""Fixtures for the tests of faults: the embedded server behind a socket, and commands on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.api import AppServer, Secret
from oh_tui.cli import opening
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.sources.server import ServerSource
from tests.commands.shell import Said
from tests.faults.wire import Wire, served
from tests.tui.explorer import AT_ONCE, NOW

IDS = {entry.title: entry.id.replace("-", "") for entry in ENTRIES}
BOXES = {entry.title: entry.sandbox_id for entry in ENTRIES}

KEY = "sk-oh-7Qz1vX9mKp4RtL2w"


@pytest.fixture
def demo() -> Demo:
    made = Demo(NOW, "everything")
    made.rate_limited = False
    return made


@pytest.fixture
def wire(demo: Demo) -> Iterator[Wire]:
    with served(demo.app) as made:
        yield made


def client(url: str, patience: float = 1.0) -> AppServer:
    return AppServer(
        url, key=Secret(KEY), retries=AT_ONCE, limiter=nullcontext(), patience=patience
    )


def source(wire: Wire, patience: float = 1.0) -> ServerSource:
    """`patience` is how many times as long as usual an answer is waited for."""
    return ServerSource(client(wire.url, patience), "demo")


@dataclass
class Shell:
    """`shell("steps", RUN)` runs a command in this process, on the wire."""

    wire: Wire
    capture: pytest.CaptureFixture[str]
    patience: float = 1.0

    def __call__(self, *words: str | Path) -> Said:
        code = cli.main(["--demo", *map(str, words)])
        return Said(code, *self.capture.readouterr())


@pytest.fixture
def shell(wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    made = Shell(wire, capsys)
    monkeypatch.setattr(opening, "demo_source", lambda log: source(made.wire, made.patience))
    return made

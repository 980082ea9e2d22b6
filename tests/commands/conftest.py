"""Fixtures for the tests of commands: the embedded server on a socket, and a run as a file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from tests.demo_runs import demo_events
from tests.hostile.server import serving
from tests.tui.explorer import NOW

IDS = {entry.slug: entry.id.replace("-", "") for entry in ENTRIES}
"""Slug of a conversation of the demo -> its id."""


@dataclass
class Served:
    url: str
    demo: Demo


@contextmanager
def serve(kind: str = "plain") -> Iterator[Served]:
    """An embedded server on a loopback port, at its beginning; its clock stands still."""
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    with serving(demo.app_like(kind)) as address:
        yield Served(address, demo)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """One for the whole session: what a command changes there stays changed."""
    with serve() as one:
        yield one


@pytest.fixture(scope="session")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that got stuck, as a download of it would be."""
    path = tmp_path_factory.mktemp("runs") / "dates.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        meta = {"id": IDS["week-dates"], "title": "Parse ISO week dates"}
        archive.writestr("meta.json", json.dumps(meta))
        for place, event in enumerate(demo_events("week-dates")):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return path

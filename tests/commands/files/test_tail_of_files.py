"""`oh-tui tail -f` of a run that another program writes on this machine."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import IO

import pytest

from tests.commands.test_server import start
from tests.processes import oh_tui
from tests.sources.test_written import ID, Writer


def read_line(stream: IO[str] | None) -> str:
    assert stream
    return stream.readline()


@pytest.mark.parametrize("local", [True, False])
def test_a_tail_follows_the_files_until_the_run_ends(tmp_path: Path, local: bool) -> None:
    folder = Path.home() / ".openhands" / "conversations" if local else tmp_path
    writer = Writer(folder)
    writer.add(2)
    words = ["--server", "local", "tail", ID] if local else ["tail", str(writer.home)]
    process = start(*words, "-f", "-n", "1", "--json")
    guard = threading.Timer(60, process.kill)
    guard.start()
    try:
        assert json.loads(read_line(process.stdout))["outcome"] == "running"
        writer.add()
        assert json.loads(read_line(process.stdout))["index"] == 3
        writer.add()
        writer.state("finished")
        told, said = process.communicate(timeout=60)
    finally:
        guard.cancel()
        process.kill()
    assert process.returncode == 0
    assert [json.loads(line)["index"] for line in told.splitlines()] == [4]
    assert said.startswith("oh-tui: finished")


def test_a_tail_of_a_run_that_nothing_writes_ends(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.add(2)
    writer.age(3600)
    done = oh_tui("tail", "-f", writer.home)
    assert done.returncode == 0 and "make 1" in done.stdout
    assert done.stderr.startswith("oh-tui: saved")

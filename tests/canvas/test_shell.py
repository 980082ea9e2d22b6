"""`oh-tui` beside a running Canvas, in the shell."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oh_tui import cli
from tests.canvas.here import KEY, home_with, program, running_canvas

NO_KEY = "oh-tui: There is no key for OpenHands Cloud\n        make one at "


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


def test_without_a_server_and_a_key_the_runs_of_canvas_are_listed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home_with(home)
    with running_canvas(monkeypatch) as here:
        assert cli.main(["conversations", "--json"]) == 0
        listed = json.loads(capsys.readouterr().out)
        assert len(listed["conversations"]) > 20
        assert listed["source"] == f"canvas  127.0.0.1:{here.port}  agent server"
        assert cli.main(["status", "--server", "canvas"]) == 0
        assert capsys.readouterr().err == ""


def test_whatever_else_is_there_it_is_as_before_without_a_key(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["conversations"]) == 2
    assert capsys.readouterr().err.startswith(NO_KEY)
    folder = home_with(home)
    (folder / "dev_conversations").rmdir()
    with program(monkeypatch) as here:
        assert cli.main(["conversations"]) == 2
        assert here.paths == ["/server_info"] and not here.holds(KEY)
        assert capsys.readouterr().err.startswith(NO_KEY)
        assert cli.main(["conversations", "--server", "canvas"]) == 2
        assert "Canvas does not run on this machine" in capsys.readouterr().err
    (folder / "api-key.txt").unlink()
    (folder / "api-key.txt").symlink_to("elsewhere")
    assert cli.main(["conversations"]) == 2
    assert "is not used: it is a link" in capsys.readouterr().err


def test_where_it_does_not_run_its_runs_come_from_disk_and_nothing_is_done_to_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home_with(home, runs=True)
    assert cli.main(["conversations"]) == 0
    told = capsys.readouterr()
    assert "1281a4fe" in told.out
    assert "Canvas does not run at 127.0.0.1:8000; its runs from disk, read only" in told.err
    assert cli.main(["why", "1281"]) == 0
    capsys.readouterr()
    for words in (["stop", "1281", "--now"], ["sandboxes"], ["rename", "1281", "another"]):
        assert cli.main(words) == 2
        assert "This needs a server, and canvas" in capsys.readouterr().err

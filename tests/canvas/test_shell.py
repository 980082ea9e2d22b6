"""`oh-tui` beside a running Canvas, in the shell."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.sources import listeners
from tests.canvas.here import ALL, KEY, home_with, proc, program, running_canvas
from tests.commands.conftest import Served, serve

NO_KEY = "oh-tui: There is no key for OpenHands Cloud\n        make one at "


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as one:
        yield one


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
    act = ["stop 1281 --now", "rename 1281 x", "automations stop 1281 --yes", "download 1281"]
    for words in map(str.split, (*act, "sandboxes", "automations")):
        assert cli.main(words) == 2
        assert "This needs a server, and canvas" in capsys.readouterr().err


def test_where_it_left_no_runs_it_is_not_taken_for_the_command_line_client(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home_with(home)
    assert cli.main(["conversations"]) == 2
    told = capsys.readouterr().err
    assert "There are no runs" in told and "anvas does not run at 127.0.0.1:8000" in told
    assert "OpenHands CLI" not in told


def test_whoami_tells_what_was_found_and_warns_of_a_key_that_is_given_away(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    home_with(home)
    with running_canvas(monkeypatch) as here:
        folder = proc(tmp_path / "net", (ALL, here.port, os.getuid()))
        monkeypatch.setattr(listeners, "PROC", folder)
        assert cli.main(["whoami", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["server"] == here.url
        assert told["canvas"] == {
            "address": here.url,
            "agent_server_version": "1.49.1",
            "automations": f"{here.url}/api/automation",
            "key_from": "the file ~/.openhands/agent-canvas/api-key.txt",
            "key_skipped": None,
            "gives_key_away": True,
        }
        assert cli.main(["whoami"]) == 0
        told = capsys.readouterr().out
        assert "warning\tits page hands that key to whoever opens it" in told
        assert f"automations\t{here.url}/api/automation" in told and KEY not in told


def test_whoami_of_another_server_tells_of_canvas_beside_it(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    home_with(home)
    with running_canvas(monkeypatch) as here:
        assert cli.main(["whoami", "--server", served.url]) == 0
        told = capsys.readouterr().out
        assert f"server\t{served.url}" in told and f"canvas\t{here.url}, agent server" in told
        assert set(here.paths) == {"/server_info"} and not here.holds(KEY)
        assert cli.main(["whoami", "--demo", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["canvas"] is None
        assert len(here.asked) == 1, "the demo asks nobody"


def test_whoami_where_it_does_not_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home_with(home, runs=True)
    assert cli.main(["whoami", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["canvas"] is None and told["server"].startswith("canvas  ")

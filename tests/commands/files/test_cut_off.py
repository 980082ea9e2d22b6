"""A file that lacks the end of its run: commands show all it has and give no verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import schemas
from tests.processes import beside_what_leaves, oh_tui

TOLD = "cut off: the end of this run is not in the file"
NOTE = f"oh-tui: {TOLD}\n"


@pytest.fixture(params=[20_000, 60_000, -1])
def cut(request: pytest.FixtureRequest, run_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cut.zip"
    path.write_bytes(run_file.read_bytes()[: request.param])
    return path


def test_why_gives_no_verdict(cut: Path) -> None:
    done = oh_tui("why", cut)
    assert done.returncode == 1
    assert done.stdout.startswith(TOLD)
    assert "why  " not in done.stdout
    done = oh_tui("why", cut, "--json")
    document = json.loads(done.stdout)
    schemas.check("why", document)
    assert (done.returncode, done.stderr) == (1, NOTE)
    verdict = document["verdict"]
    assert (verdict["word"], verdict["cause"], verdict["cut_off"]) == ("", TOLD, True)


@pytest.mark.parametrize("size", [3, 500])
@pytest.mark.parametrize("words", ["why", "steps", "steps --json", "events", "export"])
def test_one_without_a_whole_event_is_not_read(
    words: str, size: int, run_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(run_file.read_bytes()[:size])
    name, *more = words.split()
    done = oh_tui(name, path, *more)
    assert done.returncode == 2 and TOLD in done.stdout + done.stderr
    listed = oh_tui("conversations", path)
    assert listed.returncode == 2 and listed.stdout.split("\t")[1] == "cut off"


def test_check_does_not_call_it_clean(cut: Path) -> None:
    done = oh_tui("check", cut)
    assert done.returncode == 3
    assert f"note: {TOLD}\n" in done.stdout
    assert "clean" not in done.stdout
    done = oh_tui("check", cut, "--json")
    assert (done.returncode, done.stderr) == (3, NOTE)
    assert json.loads(done.stdout)["cut_off"] is True


@pytest.mark.parametrize(
    "words", [("steps",), ("steps", "--json"), ("events",), ("export",), ("export", "--json")]
)
def test_the_others_show_what_is_there(cut: Path, words: tuple[str, ...]) -> None:
    name, *more = words
    done = oh_tui(name, cut, *more)
    assert (done.returncode, beside_what_leaves(done.stderr)) == (0, NOTE)
    for line in done.stdout.splitlines() if more or name == "events" else ():
        document = json.loads(line) if name != "steps" else json.loads(done.stdout)
        assert document.get("verdict", {"word": ""})["word"] == ""
        break
    if name == "events":
        whole = cut.stat().st_size
        assert len(done.stdout.splitlines()) > (10 if whole > 10_000 else -1)


def test_lists_say_so(cut: Path) -> None:
    done = oh_tui("conversations", cut)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[1] == "cut off"
    assert json.loads(oh_tui("show", cut, "--json").stdout)["conversation"]["status"] == "cut off"

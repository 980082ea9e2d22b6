"""The Python in docs/scripts.md runs as written, and its table of commands is correct."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.trajectory.analysis.changes import changes
from oh_tui.trajectory.analysis.verdict import judge
from scripts.many_runs import Maker, write_outputs
from tests.demo_runs import demo_run

from .conftest import Served

DOCUMENT = Path(__file__).parents[2] / "docs" / "scripts.md"


def _run_snippet(index: int, served: Served, folder: Path) -> list[str]:
    """The lines that one of the Python snippets prints."""
    snippets = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) == 4, "the fourth goes on from the third"
    done = subprocess.run(
        [sys.executable, "-c", snippets[index]],
        cwd=folder,
        env={"OPENHANDS_BASE_URL": served.url, "OPENHANDS_API_KEY": "any", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_program_for_files_reads_a_run_and_all_of_a_folder(
    served: Served, run_file: Path, tmp_path: Path
) -> None:
    slug = "week-dates"
    shutil.copy(run_file, tmp_path / "run.zip")
    write_outputs(tmp_path / "results", 3, Maker())
    first, *files = _run_snippet(0, served, tmp_path)
    verdict, log = judge(demo_run(slug)), changes(demo_run(slug))
    assert first.startswith(f"{verdict.word} {verdict.cause} ")
    assert files[:-3] == [f"{one.shown} {one.added} {one.removed}" for one in log.files]
    assert all(re.fullmatch(r"\S+ \d+ \d+ \d+", line) for line in files[-3:])


def test_the_quick_start_lists_conversations(served: Served, tmp_path: Path) -> None:
    lines = _run_snippet(1, served, tmp_path)
    assert sum(bool(re.match(r"[0-9a-f]{32} ", line)) for line in lines) >= 35


def test_the_quick_start_without_asyncio_lists_all_titles(served: Served, tmp_path: Path) -> None:
    assert "Parse ISO week dates" in _run_snippet(2, served, tmp_path)


def _rows() -> list[tuple[str, str]]:
    """The commands of the table, and what each prints, for example."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.findall(r"^\| `oh-tui ([^`]*)` \| `([^`]*)`", text, re.MULTILINE)
    return [(words, example) for words, example in found if "run.zip" not in words]


TOLD = ("index", "query", "start", "download", "get", "cache", "config", "events", "tail")
"""Whose example has an id of its own, a path or an age of the machine that it was made on."""


@pytest.mark.parametrize(
    ("words", "example"), [row for row in _rows() if row[0].split()[0] not in TOLD]
)
def test_the_table_of_commands_is_true(
    words: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--demo", *shlex.split(words)]) in (0, 1, 3)
    said = re.sub(r"[\t ]+", " ", "".join(capsys.readouterr()))
    parts = [part.strip() for part in re.split(r" {2,}|…", example)]
    # ids are whole in a pipe, and ages and spans are times there
    telling = [part for part in parts if part and not re.fullmatch(r"\d+[smhd]|[\d:.]+", part)]
    assert telling
    for part in telling:
        assert part in said, (part, said)


def test_most_commands_of_the_table_are_held_against_what_they_print() -> None:
    held = {words.split()[0] for words, _ in _rows()} - set(TOLD)
    assert len(held) >= 14, held

"""The Python in docs/scripts.md and docs/tables.md runs as written, and the table of commands is
correct."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.trajectory.changes.changes import changes
from oh_tui.trajectory.findings.verdict import judge
from scripts.many_runs import Maker, write_outputs
from tests.demo_runs import demo_run

from .conftest import Served

DOCUMENT = Path(__file__).parents[2] / "docs" / "scripts.md"
TABLES = DOCUMENT.with_name("tables.md")


def _snippets(document: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def _run(program: str, folder: Path, url: str = "http://127.0.0.1:1") -> list[str]:
    """The lines that a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"OPENHANDS_BASE_URL": url, "OPENHANDS_API_KEY": "any", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_program_for_files_reads_a_run_and_all_of_a_folder(
    run_file: Path, tmp_path: Path
) -> None:
    slug = "week-dates"
    shutil.copy(run_file, tmp_path / "run.zip")
    write_outputs(tmp_path / "results", 3, Maker())
    first, *files = _run(_snippets(DOCUMENT)[0], tmp_path)
    verdict, log = judge(demo_run(slug)), changes(demo_run(slug))
    assert first.startswith(f"{verdict.word} {verdict.cause} ")
    assert files[:-3] == [f"{one.shown} {one.added} {one.removed}" for one in log.files]
    assert all(re.fullmatch(r"\S+ \d+ \d+ \d+", line) for line in files[-3:])


def test_the_quick_start_lists_conversations(served: Served, tmp_path: Path) -> None:
    lines = _run(_snippets(DOCUMENT)[1], tmp_path, served.url)
    assert sum(bool(re.match(r"[0-9a-f]{32} ", line)) for line in lines) >= 35


def test_the_quick_start_without_asyncio_lists_all_titles(served: Served, tmp_path: Path) -> None:
    assert "Parse ISO week dates" in _run(_snippets(DOCUMENT)[2], tmp_path, served.url)


@pytest.mark.parametrize("is_there", [True, False])
def test_the_program_for_failures_prints_what_failed_and_what_helps(
    is_there: bool, served: Served, tmp_path: Path
) -> None:
    _, _, _, failing = _snippets(DOCUMENT)
    client = "from oh_tui.api.sync import OpenHands\nwith OpenHands() as api:\n"
    program = client + textwrap.indent(failing, "    ")
    if is_there:
        assert "@" in " ".join(_run(program, tmp_path, served.url))
    else:
        sentence, hint = _run(program, tmp_path)
        assert "127.0.0.1:1" in sentence and hint


def test_the_program_for_tables_prints_a_line_for_each_run(tmp_path: Path) -> None:
    (output,) = write_outputs(tmp_path, 3, Maker())
    (program,) = _snippets(TABLES)
    lines = _run(program, output.parent)
    assert len(lines) == 3
    assert all(re.fullmatch(r"\w+ \d+(\.\d+)?(e-\d+)?", line) for line in lines), lines


def _rows() -> list[tuple[str, str]]:
    """The commands of the table, and what each prints, for example."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.findall(r"^\| `oh-tui ([^`]*)` \| `([^`]*)`", text, re.MULTILINE)
    return [(words, example) for words, example in found if "run.zip" not in words]


TOLD = (
    *("index", "query", "start", "attempts", "download", "get", "cache", "config", "events"),
    "tail",
)
"""Whose example has an id of its own, a path or an age of the machine that it was made on."""


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("words", "example"), [row for row in _rows() if row[0].split()[0] not in TOLD]
)
def test_the_table_of_commands_is_true(
    words: str,
    example: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # checkout writes there
    demo = "--demo=canvas" if words == "automations" else "--demo"
    assert cli.main([demo, *shlex.split(words)]) in (0, 1, 3)
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

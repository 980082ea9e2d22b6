"""The Python in docs/scripts.md runs as written, and its table of commands is correct."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from oh_tui import cli

from .conftest import Served

DOCUMENT = Path(__file__).parents[2] / "docs" / "scripts.md"


def _run_snippet(index: int, served: Served) -> list[str]:
    """The lines that one of the Python snippets prints."""
    snippets = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) == 3, "the third goes on from the second"
    done = subprocess.run(
        [sys.executable, "-c", snippets[index]],
        env={"OPENHANDS_BASE_URL": served.url, "OPENHANDS_API_KEY": "any", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_quick_start_lists_conversations(served: Served) -> None:
    lines = _run_snippet(0, served)
    assert sum(bool(re.match(r"[0-9a-f]{32} ", line)) for line in lines) >= 35


def test_the_quick_start_without_asyncio_lists_all_titles(served: Served) -> None:
    assert "Parse ISO week dates" in _run_snippet(1, served)


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

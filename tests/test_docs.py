"""The documents: every link leads to a file, and quoted sentences are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_quoted_errors_are_sentences_of_the_program() -> None:
    """Each part of a quoted sentence, except inserted values, occurs in the source."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    quoted = [
        q for row in re.findall(r"(?m)^\| (`.*?) \|", text) for q in re.findall("`(.*?)`", row)
    ]
    code = " ".join(path.read_text("utf-8") for path in (ROOT / "oh_tui").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    assert len(quoted) > 20
    for sentence in quoted:
        for part in re.split(r"…| \(\d.*\)|\d+ faults", sentence):
            assert part.strip(" ,") in code, sentence


def test_the_commands_that_install_can_be_pasted_from_a_checkout() -> None:
    """No word in them stands for another, such as an address that is not known yet."""
    install = (ROOT / "README.md").read_text("utf-8").split("## Install")[1].split("\n## ")[0]
    lines = re.findall(r"(?ms)^```sh\n(.*?)^```", install)[0].splitlines()
    assert lines[0].split("#")[0].split() == ["uv", "tool", "install", "."]
    assert not re.search(r"\b[A-Z]{3,}\b", " ".join(lines))
    assert (ROOT / "pyproject.toml").exists()

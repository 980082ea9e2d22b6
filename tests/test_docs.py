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

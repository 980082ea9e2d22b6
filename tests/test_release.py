"""What a release needs: one version in all places, and a source archive with what tests read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import oh_tui

ROOT = Path(__file__).parents[1]


def test_the_changelog_and_the_manual_page_have_the_version_of_the_program() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heads = re.findall(r"(?m)^## (\S+?)(?:, (\d{4}-\d\d-\d\d))?$", changelog)
    assert heads[0] == ("Unreleased", "")
    assert heads[1][0] == oh_tui.__version__ and heads[1][1]
    assert f"oh-tui {oh_tui.__version__}" in (ROOT / "docs" / "oh-tui.1").read_text("utf-8")


def test_every_section_of_the_changelog_stands_once_in_a_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for version in changelog.split("\n## ")[1:]:
        sections = re.findall(r"(?m)^### (.+)$", version)
        assert len(sections) == len(set(sections)), version.splitlines()[0]


def test_the_source_archive_holds_every_folder_that_is_read() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert all((ROOT / name.lstrip("/")).exists() for name in included)
    for folder in ("oh_tui", "tests", "scripts", "benchmarks", "docs", "screenshots"):
        assert f"/{folder}" in included

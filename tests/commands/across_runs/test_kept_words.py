"""Words about what the user keeps of runs, over many runs, with and without an index."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oh_tui.catalog.user_annotations import Annotations
from oh_tui.settings.paths import state_file
from oh_tui.sources.file_source import FileSource
from scripts.many_runs import Maker, write_outputs
from tests.processes import oh_tui

MAKER = Maker(seed=8, events=12)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, the second of which has a tag, and a bookmark at its second step."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (path,) = write_outputs(tmp_path / "runs", 3, MAKER)
    source = FileSource([path])
    rows = {row.title: row for row in source.conversations()}
    row = rows[MAKER.made(1).name]
    event = source.runs.read(row).steps[1].event.id
    source.close_files()
    kept = Annotations(state_file(os.environ, "annotations"))
    kept.tag(row, {"good": ""})
    kept.bookmark(row, event, on=True)
    assert kept.save()
    return path


@pytest.mark.parametrize("is_indexed", [False, True])
def test_tags_and_bookmarks(runs: Path, is_indexed: bool) -> None:
    if is_indexed:
        assert oh_tui("index", runs).returncode == 0
    own = MAKER.made(1).name
    for words in ("is:bookmarked", "tag:good is:bookmarked", "run.is:bookmarked is:bookmarked"):
        lines = oh_tui("grep", words, runs).stdout.splitlines()
        assert [line.split("\t")[1:3] for line in lines] == [[own, "2"]], words
    for words in ("tag:good", "run.is:bookmarked"):
        lines = oh_tui("grep", words, runs, "-l").stdout.splitlines()
        assert [line.split("\t")[1] for line in lines] == [own], words
    for words in ("tag:good", "is:bookmarked"):
        groups = oh_tui("stats", runs, words, "--csv").stdout.splitlines()
        assert len(groups) == 2 and groups[1].split(",")[1] == "1", words
    assert oh_tui("grep", "tag:bad", runs).returncode == 1

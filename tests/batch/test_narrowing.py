"""A search that asks the library finds what one without it finds, and reads fewer runs."""

from __future__ import annotations

import asyncio
import atexit
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from oh_tui.batch.cached_rows import known_misses
from oh_tui.batch.indexing import Indexing
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.library.library import Library
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.search.step_filter import quoted
from scripts.many_runs import COMMON, Maker, write_outputs
from tests.batch.made import WORDS, lasting_folder, make_runs
from tests.processes import oh_tui

MAKER = Maker(seed=9, events=20)
RUNS = 8


def indexed(cache_folder: Path, *paths: Path) -> None:
    with Library(cache_folder, writes=True) as library:
        asyncio.run(Indexing(library, find_files(paths)).run())


def found(
    source: FileSource, words: str, cache_folder: Path | None
) -> tuple[list[tuple[str, list[int]]], int]:
    """The hits, and how many runs were ruled out."""
    query = parse(words)
    narrowing = known_misses(cache_folder, source, query.steps)
    search = Search(
        RunBatch(source, SearchJob(query.steps), query.runs, Annotations(None), {}, known=narrowing)
    )
    hits = list[tuple[str, list[int]]]()

    async def collect() -> None:
        async for one in search.results():
            if one:
                hits.append((one.conversation.id, [hit.step for hit in one.hits]))

    asyncio.run(collect())
    return hits, len(narrowing(source.conversations(), None).results)


@cache
def corpus() -> tuple[FileSource, Path]:
    folder = lasting_folder()
    runs = folder / "runs"
    runs.mkdir()
    paths = make_runs(runs, 40, seed=2)
    indexed(folder / "cache", runs)
    source = FileSource(paths)
    atexit.register(source.close_files)
    return source, folder / "cache"


_PARTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
_TEXTS = _PARTS | st.tuples(_PARTS, st.integers(0, 4), st.integers(1, 12)).map(
    lambda t: t[0][t[1] :][: t[2]]
)
_WORDS = _TEXTS.filter(str.strip).map(quoted) | st.sampled_from(["re:/val.e/", "is:failed"])


@pytest.mark.slow
@settings(phases=[Phase.explicit, Phase.generate])
@given(words=st.lists(st.tuples(st.booleans(), _WORDS), min_size=1, max_size=3))
def test_the_same_is_found_with_the_library(words: list[tuple[bool, str]]) -> None:
    source, cache_folder = corpus()
    typed = " ".join(f"-{word}" if no else word for no, word in words)
    assert found(source, typed, cache_folder)[0] == found(source, typed, None)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_outputs(tmp_path / "runs", RUNS, MAKER, part=4)
    indexed(tmp_path / "cache", tmp_path / "runs")
    return tmp_path


def test_runs_that_cannot_hold_a_text_are_not_read(folder: Path) -> None:
    for number in range(RUNS):
        hits, ruled_out = found(
            FileSource([folder / "runs"]), MAKER.made(number).rare, folder / "cache"
        )
        assert (len(hits), ruled_out) == (1, RUNS - 1)
    assert found(FileSource([folder / "runs"]), COMMON, folder / "cache")[1] == RUNS // 2
    assert found(FileSource([folder / "runs"]), f"-{COMMON}", folder / "cache")[1] == 0
    assert found(FileSource([folder / "runs"]), "is:failed", folder / "cache")[1] == 0
    assert found(FileSource([folder / "runs"]), "zq", folder / "cache")[1] == 0


def test_runs_that_lack_a_part_of_a_pattern_are_not_read(folder: Path) -> None:
    for words, ruled_out in (
        (rf"re:/^{MAKER.made(3).rare.upper()} \w+$/", RUNS - 1),
        (f"re:/{COMMON}: .* range/", RUNS // 2),
        (f"re:/{COMMON}|nowhere/", 0),
        ("re:/z.q/", 0),
    ):
        assert found(FileSource([folder / "runs"]), words, folder / "cache")[1] == ruled_out


def test_runs_without_a_failure_are_not_read(folder: Path) -> None:
    with Library(folder / "cache") as library:
        told = library.select("SELECT id, count(*), sum(steps) FROM failures GROUP BY id") or []
    assert len(told) > 2
    for id, runs, steps in told:
        hits, ruled_out = found(FileSource([folder / "runs"]), f"failure:{id}", folder / "cache")
        assert sum(len(numbers) for _, numbers in hits) == steps
        assert (len(hits), ruled_out) == (runs, RUNS - runs)
        words = f"-failure:{id} is:failed"
        assert found(FileSource([folder / "runs"]), words, folder / "cache")[1] == 0


def test_a_pattern_finds_letters_that_are_apart_in_lower_case(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "output.jsonl"
    path.parent.mkdir()
    row = json.dumps(MAKER.row(1), ensure_ascii=False)
    path.write_text(row.replace("All done.", "\u0130ndexer, mo\u017ft of it, \u212aeep") + "\n")
    indexed(tmp_path / "cache", path.parent)
    for words in ("re:/indexer/", "re:/most of/", "re:/keep/"):
        hits, ruled_out = found(FileSource([path]), words, tmp_path / "cache")
        assert (len(hits), ruled_out) == (1, 0)


def test_a_file_that_has_changed_since_is_read(folder: Path) -> None:
    path = folder / "runs" / "part-001" / "output.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(MAKER.row(RUNS)) + "\n")
    hits, ruled_out = found(FileSource([folder / "runs"]), MAKER.made(RUNS).rare, folder / "cache")
    assert (len(hits), ruled_out) == (1, 4)
    hits, ruled_out = found(FileSource([folder / "runs"]), MAKER.made(5).rare, folder / "cache")
    assert (len(hits), ruled_out) == (1, 4)


def test_grep_prints_the_same_with_and_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    runs = folder / "runs"
    assert oh_tui("index", runs).returncode == 0
    for text in (MAKER.made(3).rare, COMMON, "nowhere at all"):
        with_it, without = oh_tui("grep", text, runs), oh_tui("--no-library", "grep", text, runs)
        told = (with_it.returncode, with_it.stdout, with_it.stderr)
        assert told == (without.returncode, without.stdout, without.stderr)

"""Searching many runs: what is found equals what reading every text finds."""

from __future__ import annotations

import asyncio
import atexit
import errno
import json
import re
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from oh_tui.batch import run_batch, worker
from oh_tui.batch.cached_rows import known_misses
from oh_tui.batch.indexing import Indexing
from oh_tui.batch.pool import At
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.batch.step_search import RunPart, hits
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.sources import file_runs
from oh_tui.sources.file_source import FileSource
from oh_tui.text import regex
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.run_file import RunList
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import QueryError, quoted
from tests.batch.made import (
    TESTS,
    TOKEN,
    WORDS,
    brute_force,
    lasting_folder,
    make_runs,
    pattern_of,
    text_of,
)
from tests.sources.test_files import write as zip_of_events
from tests.trajectory.made import output, shell

RUNS = 60


@cache
def corpus(count: int = RUNS) -> tuple[FileSource, dict[str, Trajectory], Path]:
    """Runs, all that is in them, and the folder of an index of them."""
    folder = lasting_folder()
    (folder / "runs").mkdir()
    source = FileSource(make_runs(folder / "runs", count))
    atexit.register(source.close_files)
    rows = source.conversations()
    with Library(folder / "cache", writes=True) as library:
        asyncio.run(Indexing(library, find_files([folder / "runs"])).run())
    return source, {row.id: source.runs.read(row) for row in rows}, folder / "cache"


def searched(
    source: FileSource, words: str, index: Path | None = None
) -> tuple[Search, dict[str, list[int]]]:
    query, found = parse(words), dict[str, list[int]]()
    known = known_misses(index, source, query.steps)
    search = Search(
        RunBatch(source, SearchJob(query.steps), query.runs, Annotations(None), {}, known=known),
        query.steps.each_word,
    )

    async def collect() -> None:
        async for one in search.results():
            if one:
                found[one.conversation.id] = [hit.step for hit in one.hits]
                for hit in one.hits:
                    assert TOKEN not in hit.line + hit.shown and "\x1b" not in hit.line + hit.shown

    asyncio.run(collect())
    return search, found


_PATTERNS = (
    r"val.e ?error", r"exit \d", r"^error", r"error$", r"no (such|more)", r"[à-ü]", r"a\\b",
    r"\bhay\b", r"x=\d|100%", r"test_.\.py", r"(?:needle|hay) \w+", r"ab?c?", r"\x65rror", "k",
)  # fmt: skip

_PARTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
_TEXTS = (
    st.sampled_from(WORDS)
    | _PARTS
    | st.tuples(_PARTS, st.integers(0, 5), st.integers(1, 9)).map(lambda t: t[0][t[1] :][: t[2]])
    | st.sampled_from([TOKEN, TOKEN[:20], "[hidden]", "exit 1", "replacement", "x" * 300, "1"])
).filter(str.strip)


def check(data: st.DataObject, count: int, has_index: bool) -> None:
    """A search with words that are drawn finds what reading every text finds."""
    source, runs, index = corpus(count)
    words, tests = list[str](), []
    for _ in range(data.draw(st.integers(1, 3))):
        kind, no = (
            data.draw(st.sampled_from(["text", "pattern", "field"])),
            data.draw(st.booleans()),
        )
        if kind == "text":
            text = data.draw(_TEXTS)
            word, test = quoted(text), text_of(text)
        elif kind == "pattern":
            source_of = data.draw(st.sampled_from(_PATTERNS))
            word, test = f"re:/{source_of}/", pattern_of(source_of)
        else:
            word = data.draw(st.sampled_from(sorted(TESTS)))
            test = TESTS[word]
        words.append(f"-{word}" if no else word)
        tests.append((test, no))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_batch, "cores", lambda: 1)  # to start others takes longer than to search
        search, found = searched(source, " ".join(words), index if has_index else None)
    assert found == brute_force(runs, tests), words
    assert search.reading.unread == []
    assert has_index or search.reading.read == count
    assert (search.hits, search.runs_hit) == (sum(map(len, found.values())), len(found))


SOME = settings(phases=[Phase.explicit, Phase.generate])


@pytest.mark.slow
@SOME
@given(st.data())
def test_equals_a_scan_of_all_texts(data: st.DataObject) -> None:
    check(data, RUNS, has_index=False)


@pytest.mark.slow
@SOME
@given(st.data())
def test_equals_a_scan_of_all_texts_with_an_index(data: st.DataObject) -> None:
    check(data, RUNS, has_index=True)


@pytest.mark.slow
@SOME
@given(st.data())
def test_equals_a_scan_of_1000_runs(data: st.DataObject) -> None:
    check(data, 1_000, has_index=False)


@pytest.mark.slow
@SOME
@given(st.data())
def test_equals_a_scan_of_1000_runs_with_an_index(data: st.DataObject) -> None:
    check(data, 1_000, has_index=True)


def test_a_text_across_two_fields_is_not_found() -> None:
    source, runs, _ = corpus()
    run = next(run for run in runs.values() if any(step.results for step in run.steps))
    ends = "".join(event.raw().decode()[-3:] for event in run.events[:2])
    assert searched(source, quoted(ends))[1] == {}


def test_processes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source, *_ = corpus()
    alone = searched(source, 'error -"no such"')
    monkeypatch.setattr(run_batch, "ALONE", 0.0)
    monkeypatch.setattr(run_batch, "WORTH_HELP", -1.0)
    monkeypatch.setattr(run_batch, "cores", lambda: 2)
    helped = searched(source, 'error -"no such"')
    assert helped[1] == alone[1] and helped[0].reading.read == 60


def test_without_other_processes_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: SpawnProcess) -> None:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    source, *_ = corpus()
    monkeypatch.setattr(run_batch, "ALONE", 0.0)
    monkeypatch.setattr(run_batch, "WORTH_HELP", -1.0)
    monkeypatch.setattr(run_batch, "cores", lambda: 2)
    monkeypatch.setattr(SpawnProcess, "start", fails)
    with pytest.raises(Problem, match="No process can be started"):
        searched(source, "error")


BUG = "That it cannot be read is a bug in oh-tui: OverflowError"


def test_a_run_that_fails_us_is_unread_and_the_others_are_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, *_ = corpus()
    bad, *others = source.conversations()
    read = source.runs.read

    def fails(row: Conversation, *words: Any) -> Trajectory:
        if row.id == bad.id:
            raise OverflowError("a text of the run")
        return read(row, *words)

    monkeypatch.setattr(source.runs, "read", fails)
    monkeypatch.setattr(run_batch, "cores", lambda: 1)  # other processes would read it unpatched
    search, _ = searched(source, "error")
    assert (search.reading.read, search.reading.unread) == (len(others), [BUG])


def test_a_file_that_fails_us_does_not_end_the_process_that_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object) -> RunList:
        raise OverflowError("a text of the run")

    monkeypatch.setattr(worker, "open_runs", fails)
    place = worker.Place(tmp_path / "x.jsonl", 1, worker.RunFacts(Conversation(id="x")))
    job = SearchJob(parse("error").steps)
    assert [*worker.Listed(job, [place]).work()] == [At(str(place)), worker.Unread(BUG)]


def test_words_for_runs_and_for_steps() -> None:
    source, runs, _ = corpus()
    titles = {row.id: row.title for row in source.conversations()}
    assert set(searched(source, "title:run run.title:5")[1]) == {
        name for name, title in titles.items() if "5" in (title or "") and runs[name].steps
    }
    _, found = searched(source, "model:m1 is:error")
    models = {row.id: row.llm_model for row in source.conversations()}
    whole = brute_force(runs, [(TESTS["is:error"], False)])
    assert found == {name: steps for name, steps in whole.items() if models[name] == "m1"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("foo:x", "There is no field foo"),
        ("run.tool:x", "There is no field run.tool"),
        ("re:/(/", "re:/(/ is not known"),
        ('re:""', "re: asks for nothing"),
    ],
)
def test_words_that_are_not_known(words: str, sentence: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(words)
    assert caught.value.sentence == sentence


def test_a_pattern_may_have_blanks_and_slashes() -> None:
    (one, text) = parse("re:/a b/c d/ e").steps.terms
    assert one.value == regex.Regex("a b/c d") and text.value.text == "e"
    assert parse("re:/src/dates/").steps.terms[0].value.typed == "src/dates"


def first_match(pattern: regex.Regex, text: str) -> tuple[str, int] | None:
    searching = pattern.search(text)
    while True:
        try:
            next(searching)
        except StopIteration as end:
            found: tuple[str, int] | None = end.value
            return found


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_pattern_that_does_not_end_is_given_up(in_thread: bool) -> None:
    def search_all() -> tuple[regex.Regex, float]:
        pattern, began = regex.Regex("(a|aa)+$"), time.thread_time()
        for _ in range(200):
            assert first_match(pattern, "a" * 60 + "!") is None
        return pattern, time.thread_time() - began

    with ThreadPoolExecutor(1) as pool:
        pattern, took = pool.submit(search_all).result() if in_thread else search_all()
    assert pattern.budget.is_spent and took < 5 * regex.IN_ALL
    assert first_match(pattern, "aaa") is None, "not searched any more"
    assert pattern.slow == 201


def test_many_texts_just_below_the_limit_end_a_pattern_too() -> None:
    pattern = regex.Regex("(a|aa)+$")
    began = time.thread_time()
    for _ in range(2_000):  # some milliseconds each
        first_match(pattern, "a" * 24 + "!")
    assert pattern.budget.is_spent and time.thread_time() - began < 5 * regex.IN_ALL


def test_work_of_other_threads_is_no_time_of_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern, left = regex.Regex("needle"), [1, 2]

    class Busy:
        """Counts what other threads do, as `regex` does."""

        def search(self, line: str, timeout: float) -> object:
            if left:
                raise TimeoutError(left.pop())
            return re.search("needle", line)

    monkeypatch.setattr(pattern, "_pattern", Busy())
    assert first_match(pattern, "a needle") == ("a needle", 2) and not pattern.slow


def test_the_lines_of_a_text_have_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex, "LIMIT", -1.0)
    pattern = regex.Regex("needle")
    assert first_match(pattern, "a\nneedle") is None and pattern.slow == 1


_LINES = [
    "ERROR: 3 failed, exit 1",
    '{"command": "a{e}", "path": "src/dates/parse.py"}',
    "the needle77 is here; val.e, and (x) [y] \\d c:\\d",
    "aaa!",
    "",
    "K k s \u017f é É",
]


@pytest.mark.parametrize(
    "typed",
    [
        *(r"exit \d", "exit (1|2)\\b", "exit [12]", "fail(ed|ure)", "src/dates", "nee.le"),
        *(r"needle\d+", "val.e", "(a+)+!$", ".", "^error", r"\w+: .* failed", "x|y", "z.q"),
        *('{"command', "a{e}", "x{e}", "(?:a){i}", r"\{e\}", "a{1,2}!", "a{,3}!", "[{]e", "{}"),
        *("k{2}", "ſ", r"\\d", "[[(]y", "(?P<n>a)(?P=n)", "(?<=exit )1", "é$", r"\bk\b s"),
    ],
)
def test_a_pattern_means_what_it_means_to_python(typed: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        of_python = re.compile(typed, re.IGNORECASE)
    for line in _LINES:
        match = of_python.search(line)
        expected = match and (line, match.start())
        assert first_match(regex.Regex(typed), line) == expected, line


@pytest.mark.slow
def test_large_outputs_do_not_end_an_innocent_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regex, "LIMIT", 0.02)  # which all lines together exceed
    lines = "".join(f"line {n} of it\n" for n in range(300_000)) + "the needle77 is here\n"
    big = [json.loads(one.raw()) for one in (shell("a1", "x"), output("a1", lines))]
    (tmp_path / "out.jsonl").write_text(
        "".join(
            json.dumps({"instance_id": f"big-{n}", "history": big, "metrics": {}}) + "\n"
            for n in range(4)
        )
    )
    source = FileSource([tmp_path / "out.jsonl"])
    search, found = searched(source, "re:/needle\\d+/")
    assert len(found) == 4 and search.gave_up == []


def test_the_end_of_a_large_output_is_found() -> None:
    lines = "".join(f"line {n} of it\n" for n in range(200_000)) + "the needle77 is here\n"
    run = Trajectory()
    run.extend([shell("a1", "x"), output("a1", lines)])
    for words in ("re:/needle\\d+/", "needle77", '"of it the needle77"'):
        (hit,) = hits(RunPart(Study(run)), parse(words).steps)
        assert "the needle77 is here" in hit.line and hit.where == "result"


@pytest.mark.parametrize("gap", ["", "x\n" * 100_000], ids=["first", "after much"])
def test_the_line_of_a_hit_has_no_secret_of_the_lines_before(gap: str) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "Ab3dEf9h" * 8 + "\n"
    key += ("Ab3dEf9h" * 8 + "\n") * 3_000 + "needle77needle77\n-----END RSA PRIVATE KEY-----\n"
    run = Trajectory()
    run.extend([shell("a1", "x"), output("a1", gap + key)])
    for words in ("needle77", "re:/needle77/"):
        for hit in hits(RunPart(Study(run)), parse(words).steps):
            assert "needle77" not in hit.line


@pytest.mark.parametrize("no", ["", "-"])
def test_where_a_match_is_not_known_a_step_passes_neither_way(no: str) -> None:
    run = Trajectory()
    run.extend([shell("a1", "x"), output("a1", "a" * 60), shell("a2", "x"), output("a2", "b")])
    query = parse(f"{no}re:/(a|aa)+[bc]$/").steps
    found = [step.number for step in run.steps if query.matches(step, run)]
    assert found == ([2] if no else []) and query.gave_up == ["(a|aa)+[bc]$"]


def test_a_long_pattern_is_refused_before_it_is_read() -> None:
    with pytest.raises(QueryError) as caught:
        parse("re:/" + "[!-\U0010ffff]" * 190 + "/")
    assert "at most 200 characters" in str(caught.value.hint)


def test_hits_name_where_and_the_line() -> None:
    source, *_ = corpus()

    async def first(words: str) -> Any:
        query = parse(words)
        search = Search(RunBatch(source, SearchJob(query.steps), query.runs, Annotations(None), {}))
        async for one in search.results():
            if one:
                return one.hits[0]
        return None

    hit = asyncio.run(first("tool:terminal needle"))
    assert "needle" in hit.line.lower() and "\n" not in hit.line
    assert hit.where in ("call", "result") and hit.event_id.startswith(("a", "r-a"))
    row = asyncio.run(first("tool:terminal"))
    assert row.where == "row" and row.line == row.shown


def test_the_row_of_a_hit_sets_the_result_apart_and_is_searched_without_the_gap() -> None:
    run = Trajectory()
    run.extend([shell("a1", "echo value "), output("a1", "error")])
    found = list(hits(RunPart(Study(run)), parse('"value error"').steps))
    assert [hit.shown for hit in found] == ["$ echo value  error"]


async def test_a_stop_ends_the_thread_that_reads_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_of_events(tmp_path / "run.zip", 60)
    read, began = [], threading.Event()

    def slowly(*words: Any, **more: Any) -> Any:
        read.append(words)
        began.set()
        time.sleep(0.01)
        return parse_event(*words, **more)

    monkeypatch.setattr(file_runs, "parse_event", slowly)
    source = FileSource([path])
    query = parse("nothing")
    search = Search(RunBatch(source, SearchJob(query.steps), query.runs, Annotations(None), {}))
    going = asyncio.ensure_future(anext(search.results()))
    await asyncio.to_thread(began.wait, 60)
    going.cancel()
    await asyncio.get_running_loop().shutdown_default_executor()  # waits for the threads
    assert len(read) < 60
    source.close_files()

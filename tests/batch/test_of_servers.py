"""What the library knows of the runs of a server is neither read nor asked for again."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec.structs import replace

from oh_tui.batch import server_indexing, step_facts
from oh_tui.batch.cached_rows import known_misses, known_rows
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.batch.stats_rows import RowJob
from oh_tui.batch.worker import Unread
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.library.library import Library
from tests.library.made import known_runs
from tests.sources.here import Here, demo_read

ADDRESS = "https://server.test"


async def indexed(here: Here, cache: Path, most: int = 3) -> server_indexing.Plan:
    here.source.address = ADDRESS
    with Library(cache, writes=True) as library:
        planned = await server_indexing.plan(here.source, library)
        planned = planned._replace(runs=planned.runs[:most])
        assert [
            left async for left in server_indexing.read(here.source, library, planned) if left
        ] == []
    here.between.asked.clear()
    return planned


async def test_their_rows_are_there_at_once(tmp_path: Path) -> None:
    async with demo_read() as here:
        planned = await indexed(here, tmp_path)
        known = known_rows(tmp_path, here.source)
        job = RowJob(here.source.label)
        reading = RunBatch(
            here.source, job, ConversationQuery(), Annotations(None), {}, known=known
        )
        rows = [one async for one in reading.results() if not isinstance(one.value, Unread)]
    assert {row.conversation.id for row in rows} == {one.id for one in planned.runs}
    assert len(reading.not_here) == reading.runs - 3 and reading.vanished == 0
    assert not any("/events" in call for call in here.between.asked)


async def test_those_that_cannot_hold_a_text_count_as_searched(tmp_path: Path) -> None:
    async with demo_read() as here:
        await indexed(here, tmp_path)
        query = parse("nosuchtextanywhere")
        narrowing = known_misses(tmp_path, here.source, query.steps)
        search = Search(
            RunBatch(
                here.source,
                SearchJob(query.steps),
                query.runs,
                Annotations(None),
                {},
                known=narrowing,
            )
        )
        assert [one async for one in search.results() if one] == []
        listed = [one async for page in here.source.pages() for one in page.items]
    with Library(tmp_path) as library:
        whole = sum(
            not one.row.sub_agents for one in known_runs(library) or () if library.has_texts
        )
    assert search.reading.read == whole
    assert len(search.reading.not_here) == len(listed) - whole


async def test_one_whose_record_changed_is_not_known(tmp_path: Path) -> None:
    async with demo_read() as here:
        planned = await indexed(here, tmp_path, 1)
        known = known_rows(tmp_path, here.source)
        (row,) = planned.runs
        assert len(known([row], None).results) == 1
        assert known([replace(row, updated_at="2026-11-24T15:59:59Z")], None).remaining


async def test_one_that_goes_on_is_not_known(tmp_path: Path) -> None:
    """Its record changes with some of its events."""
    async with demo_read() as here:
        (row,) = (await indexed(here, tmp_path, 1)).runs
        known = known_rows(tmp_path, here.source)
        for sandbox, agent in (("RUNNING", "running"), ("RUNNING", None), ("STARTING", None)):
            resumed = replace(row, sandbox_status=sandbox, execution_status=agent)
            assert known([resumed], None).remaining == [resumed]
        over = replace(row, sandbox_status="RUNNING", execution_status="finished")
        assert len(known([over], None).results) == 1


async def test_what_a_server_does_not_hear_of_is_left_while_its_sandbox_is_up(
    tmp_path: Path,
) -> None:
    """The time of its record would not change should it go on."""
    async with demo_read() as here:
        here.source.address = ADDRESS
        up = [
            one
            async for page in here.source.pages()
            for one in page.items
            if (one.sandbox_status, one.execution_status) == ("RUNNING", "finished")
        ]
        here.between.answer("GET */v1/conversation/*/events/count", 200, "0", "application/json")
        with Library(tmp_path, writes=True) as library:
            planned = await server_indexing.plan(here.source, library)
            planned = planned._replace(runs=up)
            left = [one async for one in server_indexing.read(here.source, library, planned)]
    assert up and len(left) == len(up)
    assert all(one and "gets none of its events" in one.why for one in left)


async def test_those_that_vanished_are_counted(tmp_path: Path) -> None:
    async with demo_read() as here:
        planned = await indexed(here, tmp_path)
        listed = [one async for page in here.source.pages() for one in page.items]
        known = known_rows(tmp_path, here.source)
        assert known(listed, listed).vanished == 0
        without = [one for one in listed if one.id != planned.runs[0].id]
        assert known([], without).vanished == 1
        assert known([], None).vanished == 0, "a list that was cut tells nothing"


async def test_without_a_library_nothing_is_known(tmp_path: Path) -> None:
    async with demo_read() as here:
        planned = await indexed(here, tmp_path, 1)
        shutil.rmtree(tmp_path / "library")
        for folder in (None, tmp_path):
            ahead = known_rows(folder, here.source)(planned.runs, planned.runs)
            assert (ahead.results, ahead.remaining, ahead.vanished) == ([], planned.runs, 0)


async def test_a_part_of_one_too_long_for_a_download_is_never_counted_as_all() -> None:
    """The demo gives all of it at no cost; for each page of a server that reads the whole run."""
    words = conversation_query.parse("title:Fuzz")
    async with demo_read() as here:
        rows = [one async for page in here.source.pages() for one in page.items]
        (row,) = (one for one in rows if "Fuzz" in (one.title or ""))
        run = await step_facts.load(here.source, row)
        assert run.complete and len(run.events) == 12_000
        here.source.address = ADDRESS
        reading = RunBatch(here.source, RowJob(here.source.label), words, Annotations(None), {})
        assert [one async for one in reading.results()] == []
        assert [row.id for row in reading.not_here] == [row.id]
        assert all([isinstance(one.value, Unread) async for one in reading.missing()])
    (reason,) = reading.unread
    assert "too long for a download; oh-tui why bc763f06e5c4 reads it in pages" in reason
    assert reading.read == 0


async def test_a_server_in_trouble_is_asked_for_no_more_runs_than_one_that_answers(
    tmp_path: Path,
) -> None:
    async with demo_read() as here:
        here.source.address = ADDRESS
        here.between.answer("*/events/*", 500)
        here.between.answer("*/download", 500)
        reading = RunBatch(
            here.source, RowJob(here.source.label), ConversationQuery(), Annotations(None), {},
            cache_folder=tmp_path, asks=3,
        )  # fmt: skip
        found = [one.value async for one in reading.results()]
    assert len(found) == reading.asked == 3 and all(isinstance(one, Unread) for one in found)
    assert len(reading.not_here) == reading.runs - 3

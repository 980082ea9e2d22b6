"""Tools over many runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from oh_tui.batch.reports.audit import audit_in, audit_of, rules_of
from oh_tui.batch.reports.compare import report as compare_report
from oh_tui.batch.reports.conversations import listed, not_read
from oh_tui.batch.reports.failures import failures_in
from oh_tui.batch.reports.over_runs import say_rest
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.reports.search import hit_json, search_of
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.reports.stats import sums_of
from oh_tui.batch.searching import Search
from oh_tui.batch.step_search import Hit
from oh_tui.catalog import conversation_query
from oh_tui.catalog.names import conversation_id, title
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json
from oh_tui.documents.steps import say_unjudged
from oh_tui.mcp import arguments
from oh_tui.mcp.answers import Found, Rows, paged
from oh_tui.mcp.session import Session
from oh_tui.mcp.tools import tool
from oh_tui.sources.compared import compared
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say, show_progress
from oh_tui.trajectory.comparison.compare import Comparison
from oh_tui.trajectory.comparison.parted import parting

RunHit = tuple[Conversation, Hit]

if TYPE_CHECKING:
    from oh_tui.documents.shapes import common


@tool(limit=50)
async def find_runs(
    session: Session,
    words: arguments.OfList = "",
    sort: arguments.Order = "",
    sub: Annotated[bool, Field(description="sub-conversations too")] = False,
) -> Found:
    """List runs: title, how each ended, when, model, repository, cost. Words narrow the list."""
    reader = await session.reader()
    query, source = conversation_query.parse(words), reader.source
    seen, kept = Seen(reader), reader.annotations()

    async def make(most: int) -> tuple[list[Any], bool]:
        found, more = await listed(reader, query, seen, kept, most, sort=sort, sub=sub)
        head["not_read"] = not_read(source)
        return found, not more

    def item(one: Conversation) -> dict[str, object]:
        return {"conversations": without_place(conversation_json(one, kept.of(one), seen.of(one)))}

    head: dict[str, object] = {"source": clean_line(source.label)}
    return Found(head, Rows(("conversations",), [], conversation_id, item, make))


def without_place(document: common.Conversation) -> common.Conversation:
    """The record without the path of its file, as in exports: a client names runs by ids."""
    return {**document, "source": None}


@tool(limit=50)
async def search(session: Session, words: arguments.Phrase, live: arguments.Live = False) -> Found:
    """Search the steps of all runs for words; gives the line with each match."""
    if not words.strip():
        raise Problem("There is nothing to search for", "give `words`")
    reader = await session.reader()
    source = clean_line(reader.source.label)

    def item(row: RunHit) -> dict[str, object]:
        run, hit = row
        named = {"run": conversation_id(run), "source": source, "title": title(run)}
        return {"hits": named | hit_json(hit)}

    def key(row: RunHit) -> str:
        run, hit = row
        return f"{run.id} {hit.path} {hit.event_id} {hit.where} {hit.line}"

    async def make(most: int) -> tuple[list[Any], bool]:
        return await _hits(search_of(reader, words, live=live), reader, most)

    return Found({}, Rows(("hits",), [], key, item, make))


async def _hits(found: Search, reader: Reader, most: int) -> tuple[list[RunHit], bool]:
    """Searches until there are so many hits, newest runs first; whether these are all."""
    hits: list[RunHit] = []
    async with aclosing(found.results()) as results:
        async for one in results:
            if one:
                hits += ((one.conversation, hit) for hit in one.hits)
            runs = f"{found.reading.read:,} of {plural(found.reading.runs, 'run')}"
            show_progress(f"{plural(found.hits, 'hit')}, {runs}")
            if len(hits) > most:
                break
        else:
            say_rest(reader, found.reading)
    if found.reading.no_phrase and len(hits) > most:
        say(found.reading.no_phrase)
    say_unjudged(found.gave_up, found.unknown)
    return hits, len(hits) <= most


@tool(limit=50)
async def stats(
    session: Session,
    words: arguments.AsList = "",
    by: Annotated[
        Sequence[arguments.Grouping], Field(min_length=1, description="a group for each")
    ] = ("model",),
    sort: arguments.GroupOrder = "",
    compare_before: Annotated[
        bool, Field(description="also the range before that of after: and before:, as long")
    ] = False,
    live: arguments.Live = False,
) -> Found:
    """Sums over many runs, grouped: how they ended, steps, time, cost, errors, loops."""
    reader = await session.reader()
    sums = await sums_of(reader, words, by, sort, live=live, compare_before=compare_before)
    return paged(sums.document(), lambda row: "\n".join(map(str, row["names"].values())), "groups")


@tool(limit=50)
async def failures(
    session: Session,
    words: arguments.AsList = "",
    by: Annotated[
        Sequence[arguments.Grouping], Field(description="count each failure by group too")
    ] = (),
    sort: arguments.FailureOrder = "",
    least: Annotated[int, Field(ge=1, description="only what failed in at least so many runs")] = 1,
    live: arguments.Live = False,
) -> Found:
    """What fails again and again in many runs, in how many, how many recovered and by what."""
    found = await failures_in(await session.reader(), words, by, least, sort or "runs", live=live)
    head = found.document()
    for row in head["failures"]:
        row["compare"] = None  # which has paths: a client names runs by ids
    return paged(head, lambda row: str(row["id"]), "failures")


@tool(limit=50)
async def audit(
    session: Session,
    words: arguments.AsList = "",
    run: Annotated[
        str, Field(description="id of the only run to ask, or its first characters")
    ] = "",
    live: arguments.Live = False,
) -> Found:
    """Which rules hold in runs, which are broken and by which steps, and which are not known. The
    rules come first, then the runs."""
    rules = rules_of()
    if run:
        one = await session.read(run)
        found = audit_of(one.conversation, one.study, rules)
    else:
        found = await audit_in(await session.reader(), rules, words, live=live)
    return paged(found.document(), lambda row: str(row.get("name") or row["run"]), "rules", "runs")


@tool(limit=50)
async def compare(session: Session, a: arguments.Run, b: arguments.Run) -> Found:
    """Where two runs differ, from which step on, and what the model saw there in each."""
    left, right = [
        compared(one.conversation, one.study, one.study.verdict, one.loaded.note)
        for one in [await session.read(a), await session.read(b)]
    ]
    parted = await asyncio.to_thread(parting, left.study, right.study)
    found = Comparison(left.study.trajectory, right.study.trajectory)
    head = compare_report(left, right, found, parted)
    return paged({**head}, lambda row: f"{row['a']} {row['b']}", "differences")

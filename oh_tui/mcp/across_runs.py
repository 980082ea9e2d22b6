"""Tools over many runs."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from oh_tui.batch.failure_rows import SORTS as FAILURE_SORTS
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.run_stats import GROUPINGS, SORTS
from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import ORDERS
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.across_runs.audit import audit_in, audit_of, rules_of
from oh_tui.commands.across_runs.compare import report as compare_report
from oh_tui.commands.across_runs.failures import failures_in
from oh_tui.commands.across_runs.grep import hit_json, search_of
from oh_tui.commands.across_runs.left_out import say_rest
from oh_tui.commands.across_runs.stats import sums_of
from oh_tui.commands.conversations import listed, not_read
from oh_tui.documents.run import conversation_json
from oh_tui.documents.steps import say_unjudged
from oh_tui.mcp import arguments, cursors
from oh_tui.mcp.answers import MOST, Found, Rows
from oh_tui.mcp.session import ListedRuns, RunHit, Searched, Session
from oh_tui.sources.compared import compared
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import show_progress
from oh_tui.trajectory.comparison.compare import Comparison

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.framework.command import Call

MOST_HITS = 5_000
"""Hits of a search that one can page through."""

MOST_RUNS = 20_000
"""Runs of a list that one can page through: a cursor may be forged."""


async def find_runs(session: Session, asked: arguments.FindRuns) -> Found:
    if asked.sort:
        arguments.require_one_of(asked.sort, ORDERS)
    call = await session.call()
    query = conversation_query.parse(asked.words)
    seen, kept = Seen(call), call.annotations()
    wanted = _rows_before(asked) + min(MOST, max(1, asked.limit)) + 1
    if wanted > MOST_RUNS:
        raise Problem(f"A list gives {MOST_RUNS:,} runs at most", "narrow it with `words`")
    words = (asked.words, asked.sort, asked.sub)
    last = session.listed if asked.cursor else None
    if last is None or not last.has(words, wanted, time.monotonic()):
        # twice as many as before, so that many pages take few lists
        found, more = await listed(
            call, query, seen, kept, 2 * wanted, sort=asked.sort, sub=asked.sub
        )
        last = ListedRuns(words, found, not more, time.monotonic())
    session.listed = last
    head = {"source": clean_line(call.source.label), "not_read": not_read(call.source)}

    def item(one: Conversation) -> dict[str, object]:
        return {"conversations": without_place(conversation_json(one, kept.of(one), seen.of(one)))}

    return Found(head, Rows(("conversations",), last.runs, conversation_id, item))


def _rows_before(asked: arguments.Paged) -> int:
    return cursors.place_of(asked.cursor) if asked.cursor else 0


def without_place(document: dict[str, object]) -> dict[str, object]:
    """The record of a conversation without the path of its file, as an export has it: a client
    names runs by their ids."""
    return document | {"source": None}


async def search(session: Session, asked: arguments.Search) -> Found:
    if not asked.words.strip():
        raise Problem("There is nothing to search for", "give `words`")
    call, words = await session.call(), (asked.words, asked.live)
    wanted = _rows_before(asked) + min(MOST, max(1, asked.limit)) + 1
    if wanted > MOST_HITS:
        raise Problem(f"A search gives {MOST_HITS:,} hits at most", "search for something rarer")
    kept = session.searched if asked.cursor else None
    if kept is None or kept.words != words or not (kept.is_whole or len(kept.hits) >= wanted):
        # twice as many as before, so that many pages take few searches
        kept = await _searched(call, words, 2 * wanted)
    session.searched = kept
    source = clean_line(call.source.label)

    def item(row: RunHit) -> dict[str, object]:
        run, hit = row
        named = {"run": conversation_id(run), "source": source, "title": title(run)}
        return {"hits": named | hit_json(hit)}

    def key(row: RunHit) -> str:
        run, hit = row
        return f"{run.id} {hit.path} {hit.event_id}"

    return Found({}, Rows(("hits",), kept.hits, key, item))


async def _searched(call: Call, words: tuple[str, bool], most: int) -> Searched:
    """Searches until there are so many hits, newest runs first."""
    found = search_of(call, words[0], live=words[1])
    hits: list[RunHit] = []
    is_whole = True
    async with aclosing(found.results()) as results:
        async for one in results:
            if one:
                hits += ((one.conversation, hit) for hit in one.hits)
            runs = f"{found.reading.read:,} of {plural(found.reading.runs, 'run')}"
            show_progress(f"{plural(found.hits, 'hit')}, {runs}")
            if len(hits) > most:
                is_whole = False
                break
    if is_whole:
        say_rest(call, found.reading)
    say_unjudged(found.gave_up, found.unknown)
    return Searched(words, hits, is_whole)


async def stats(session: Session, asked: arguments.Stats) -> Found:
    for name in asked.by:
        arguments.require_one_of(name, GROUPINGS)
    if asked.sort:
        arguments.require_one_of(asked.sort, ("name", *SORTS))
    call = await session.call()
    sums = await sums_of(
        call,
        asked.words,
        asked.by,
        asked.sort,
        live=asked.live,
        compare_before=asked.compare_before,
    )
    head: dict[str, Any] = sums.document()

    def key(group: dict[str, Any]) -> str:
        return "\n".join(map(str, group["names"].values()))

    return Found(head, Rows(("groups",), head.pop("groups"), key, lambda one: {"groups": one}))


async def failures(session: Session, asked: arguments.Failures) -> Found:
    for name in asked.by:
        arguments.require_one_of(name, GROUPINGS)
    if asked.sort:
        arguments.require_one_of(asked.sort, FAILURE_SORTS)
    call, sort = await session.call(), asked.sort or "runs"
    found = await failures_in(call, asked.words, asked.by, asked.least, sort, live=asked.live)
    head: dict[str, Any] = found.document()

    def item(row: dict[str, Any]) -> dict[str, object]:
        return {"failures": row | {"compare": None}}  # which has paths: a client names runs by ids

    rows = head.pop("failures")
    return Found(head, Rows(("failures",), rows, lambda row: str(row["id"]), item))


async def audit(session: Session, asked: arguments.Audit) -> Found:
    rules = rules_of()
    if asked.run:
        one = await session.read(asked.run)
        found = audit_of(one.conversation, one.study, rules)
    else:
        found = await audit_in(await session.call(), rules, asked.words, live=asked.live)
    head: dict[str, Any] = found.document()
    rows = [{name: row} for name in ("rules", "runs") for row in head.pop(name)]

    def key(row: dict[str, Any]) -> str:
        return str(row["rules"]["name"] if "rules" in row else row["runs"]["run"])

    return Found(head, Rows(("rules", "runs"), rows, key, lambda row: row))


async def compare(session: Session, asked: arguments.Compare) -> Found:
    a, b = [
        compared(one.conversation, one.study, one.study.verdict, one.loaded.note)
        for one in [await session.read(asked.a), await session.read(asked.b)]
    ]
    head = compare_report(a, b, Comparison(a.study.trajectory, b.study.trajectory))
    rows = head.pop("differences")
    assert isinstance(rows, list)

    def key(row: dict[str, Any]) -> str:
        return f"{row['a']} {row['b']}"

    return Found(head, Rows(("differences",), rows, key, lambda row: {"differences": row}))

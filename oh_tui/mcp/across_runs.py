"""Tools over many runs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.batch.reports.audit import audit_in, audit_of, rules_of
from oh_tui.batch.reports.compare import report as compare_report
from oh_tui.batch.reports.conversations import listed, not_read
from oh_tui.batch.reports.failures import failures_in
from oh_tui.batch.reports.over_runs import say_rest
from oh_tui.batch.reports.search import hit_json, search_of
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.reports.stats import sums_of
from oh_tui.catalog import conversation_query
from oh_tui.catalog.names import conversation_id, title
from oh_tui.documents.run import conversation_json
from oh_tui.documents.steps import say_unjudged
from oh_tui.mcp import arguments, cursors
from oh_tui.mcp.answers import MOST, Found, Rows, paged
from oh_tui.mcp.session import MadeRows, Session
from oh_tui.sources.compared import compared
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say, show_progress
from oh_tui.trajectory.comparison.compare import Comparison

if TYPE_CHECKING:
    from oh_tui.batch.reports.reader import Reader
    from oh_tui.batch.step_search import Hit
    from oh_tui.conversation import Conversation

    RunHit = tuple[Conversation, Hit]


class _Kind(NamedTuple):
    """A kind of rows that are made for several pages at once."""

    most: int
    """So many that one can page through: a cursor may be forged."""
    told: str
    helps: str
    old: float = float("inf")
    """Seconds after which the next page is made of new ones."""


LISTS = _Kind(20_000, "A list gives {:,} runs at most", "narrow it with `words`", 120.0)

SEARCHES = _Kind(5_000, "A search gives {:,} hits at most", "search for something rarer")

Make = Callable[[int], Awaitable[tuple[list[Any], bool]]]
"""Makes at least so many rows; whether there are no more."""


async def _rows(
    session: Session, kind: _Kind, asked: arguments.Paged, words: tuple[object, ...], make: Make
) -> list[Any]:
    """The rows before this page, on it, and more: those of the page before, if they reach so far.
    Else twice as many are made, so that many pages take few calls."""
    before = cursors.place_of(asked.cursor) if asked.cursor else 0
    wanted, now = before + min(MOST, max(1, asked.limit)) + 1, time.monotonic()
    if wanted > kind.most:
        raise Problem(kind.told.format(kind.most), kind.helps)
    made = session.made if asked.cursor else None
    if made is None or not made.has(words, wanted) or now - made.at > kind.old:
        made = MadeRows(words, *await make(2 * wanted), time.monotonic())
    session.made = made
    return made.rows


async def find_runs(session: Session, asked: arguments.FindRuns) -> Found:
    reader = await session.reader()
    query, source = conversation_query.parse(asked.words), reader.source
    seen, kept = Seen(reader), reader.annotations()

    async def make(most: int) -> tuple[list[Any], bool]:
        found, more = await listed(reader, query, seen, kept, most, sort=asked.sort, sub=asked.sub)
        return found, not more

    def item(one: Conversation) -> dict[str, object]:
        return {"conversations": without_place(conversation_json(one, kept.of(one), seen.of(one)))}

    words = "find_runs", asked.words, asked.sort, asked.sub
    found = await _rows(session, LISTS, asked, words, make)
    head = {"source": clean_line(source.label), "not_read": not_read(source)}
    return Found(head, Rows(("conversations",), found, conversation_id, item))


def without_place(document: dict[str, object]) -> dict[str, object]:
    """The record of a conversation without the path of its file, as an export has it: a client
    names runs by their ids."""
    return document | {"source": None}


async def search(session: Session, asked: arguments.Search) -> Found:
    if not asked.words.strip():
        raise Problem("There is nothing to search for", "give `words`")
    reader = await session.reader()
    source = clean_line(reader.source.label)

    def item(row: RunHit) -> dict[str, object]:
        run, hit = row
        named = {"run": conversation_id(run), "source": source, "title": title(run)}
        return {"hits": named | hit_json(hit)}

    def key(row: RunHit) -> str:
        run, hit = row
        return f"{run.id} {hit.path} {hit.event_id}"

    async def make(most: int) -> tuple[list[Any], bool]:
        return await _searched(reader, asked, most)

    found = await _rows(session, SEARCHES, asked, ("search", asked.words, asked.live), make)
    return Found({}, Rows(("hits",), found, key, item))


async def _searched(
    reader: Reader, asked: arguments.Search, most: int
) -> tuple[list[RunHit], bool]:
    """Searches until there are so many hits, newest runs first."""
    found = search_of(reader, asked.words, live=asked.live)
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


async def stats(session: Session, asked: arguments.Stats) -> Found:
    sums = await sums_of(
        await session.reader(),
        asked.words,
        asked.by,
        asked.sort,
        live=asked.live,
        compare_before=asked.compare_before,
    )
    return paged(sums.document(), lambda row: "\n".join(map(str, row["names"].values())), "groups")


async def failures(session: Session, asked: arguments.Failures) -> Found:
    reader, sort = await session.reader(), asked.sort or "runs"
    found = await failures_in(reader, asked.words, asked.by, asked.least, sort, live=asked.live)
    head = found.document()
    for row in head["failures"]:
        row["compare"] = None  # which has paths: a client names runs by ids
    return paged(head, lambda row: str(row["id"]), "failures")


async def audit(session: Session, asked: arguments.Audit) -> Found:
    rules = rules_of()
    if asked.run:
        one = await session.read(asked.run)
        found = audit_of(one.conversation, one.study, rules)
    else:
        found = await audit_in(await session.reader(), rules, asked.words, live=asked.live)
    return paged(found.document(), lambda row: str(row.get("name") or row["run"]), "rules", "runs")


async def compare(session: Session, asked: arguments.Compare) -> Found:
    a, b = [
        compared(one.conversation, one.study, one.study.verdict, one.loaded.note)
        for one in [await session.read(asked.a), await session.read(asked.b)]
    ]
    head = compare_report(a, b, Comparison(a.study.trajectory, b.study.trajectory))
    return paged(head, lambda row: f"{row['a']} {row['b']}", "differences")

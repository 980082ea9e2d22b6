"""The conversations of a source that a filter lets through, in an order."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from oh_tui.api.models import Page
from oh_tui.api.paging import cut_words
from oh_tui.batch.reports.one_run import on_server, with_state
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.step_facts import StepFactsLoader
from oh_tui.catalog.attributes import ORDERS
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.run_status import conversation_state, updated
from oh_tui.catalog.usage_cache import with_spent
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.text.human import plural
from oh_tui.text.remarks import progress, say, show_progress
from oh_tui.trajectory.search.step_filter import NO_PHRASE

MOST = 10**9

_WHY = {
    "outcome": ", a server says it only while the sandbox runs",
    "cost": ", a server may say a part; oh-tui index reads the rest",
    "changed files": ", only files say them",
}
"""Why what a filter asks for may not be known."""


def not_read(source: Source) -> int:
    return source.not_read if isinstance(source, FileSource) else 0


async def listed(
    reader: Reader,
    query: ConversationQuery,
    seen: Seen,
    annotations: Annotations,
    limit: int,
    *,
    sort: str = "",
    sub: bool = False,
) -> tuple[list[Conversation], bool]:
    """The conversations asked for, in order and up to the limit, and whether there are more. Says
    what may be missing among them. Sorting needs all of them."""
    now = time.time()
    found: list[Conversation] = []
    looked = unsure = 0
    more = False
    narrows = bool(limit == MOST or sort or query.terms)
    of_steps = StepFactsLoader(reader.settings.library_folder, reader.source, query)
    with progress():
        async for page in _pages(reader.source, query, now, 100 if narrows else limit, sub):
            await seen.find_silent(page.items)
            await of_steps.look_up(page.items)
            if page.is_cut:
                say(cut_words("conversations"))
            for one in page.items:
                one = with_state(reader.source, one)
                seen.record(one)
                one = with_spent(one, seen.of(one).spent)
                state = conversation_state(one, seen.of(one))
                if one.parent_conversation_id and not sub:
                    continue
                facts = await of_steps.of(one, annotations.of(one))
                passes = query.matches(Subject(one, state, now, annotations.of(one), facts))
                if passes:
                    found.append(one)
                unsure += passes is None
            looked += len(page.items)
            show_progress(f"{len(found):,} found in {looked:,} conversations")
            more = len(found) > limit or (len(found) == limit and bool(page.next_page_id))
            if more and not sort:
                break
    if not found and (words := query.each_word):
        found, more = await listed(reader, words, seen, annotations, limit, sort=sort, sub=sub)
        if found:
            say(NO_PHRASE)
        return found, more
    if sort:
        order = ORDERS[sort]
        found = Sorting(order).sort(
            (order.key(one, conversation_state(one, seen.of(one))), updated(one), one)
            for one in found
        )
        more = len(found) > limit
    seen.save()
    for sentence in (*reader.source.problems, *reader.source.remarks):
        say(sentence)
    if unsure:  # others that might match if their outcome were known
        others = plural(unsure, "other conversation")
        say(f"{others}: {query.may_lack} unknown{_WHY.get(query.may_lack, '')}")
    return found[:limit], more


def _pages(
    source: Source, query: ConversationQuery, now: float, size: int, sub: bool
) -> AsyncIterator[Page[Conversation]]:
    """The server filters by title and time; the query does the rest."""
    app = on_server(source)
    if app is None:
        return source.pages()
    filters = query.for_server(now)
    filters["include_sub_conversations"] = sub
    return app.api.conversations(limit=max(1, min(100, size)), **filters).pages()

"""Reading the lists onto the screen: conversations page by page, states, sandboxes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, Page, same_id
from oh_tui.problem import Problem
from oh_tui.sources import Source

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

REFRESH = 15.0
"""Seconds between two readings of the lists."""


async def open_source(screen: MainScreen, make_source: Callable[[], Source]) -> None:
    """Read a source from its beginning. It is made in a thread: that imports the service
    layer."""
    with screen.reporting(screen.sidebar.say):
        screen.sidebar.say("reading the conversations …")
        screen.reopen = partial(screen.open_source, make_source)
        former, screen.source = screen.source, None
        if former:
            await former.close()
        screen.source = await asyncio.to_thread(make_source)
        screen.tell_place()
        screen.pager = screen.source.pages()
        page = await anext(screen.pager, None)
        if page is None or not page.next_page_id:
            screen.pager = None
        take_page(screen, page)
        screen.reopen = None
        screen.arrangement = replace(screen.arrangement, sandboxes=screen.source.can_act)
        screen.set_interval(5.0, screen.tell_totals)
        if screen.source.can_act:
            screen.set_interval(REFRESH, screen.refresh_lists)
        tell_problems(screen, screen.source.problems)
        await open_named(screen)
        if screen.source.can_act:
            screen.sidebar.sandboxes = tuple(await screen.source.sandboxes())
        screen.sidebar.total = await screen.source.count()
        screen.tell_totals()


def tell_problems(screen: MainScreen, problems: Sequence[str]) -> None:
    """What could not be opened, while something else could."""
    if problems:
        more = f" · and {len(problems) - 1} more" if len(problems) > 1 else ""
        screen.footer.tell(problems[0] + more, error=True)


def take_page(screen: MainScreen, page: Page[Conversation] | None) -> None:
    screen.sidebar.has_more = screen.pager is not None
    known = {c.id for c in screen.sidebar.conversations}
    new = tuple(c for c in page.items if c.id not in known) if page else ()
    screen.sidebar.now = screen.clock()
    screen.sidebar.conversations = (*screen.sidebar.conversations, *new)
    if not screen.sidebar.conversations:
        screen.sidebar.say("no conversations yet", "start one on the web page,", "then press r")
        screen.timeline.empty = ()


async def open_named(screen: MainScreen) -> None:
    """Open the conversation that the command line names; else the first is shown."""
    assert screen.source is not None
    if not screen.open_id:
        if screen.source.opening:
            screen.sidebar.highlight(screen.source.opening)
        screen.preview()
        return
    wanted, screen.open_id = screen.open_id, ""
    (found,) = await screen.source.get([wanted])
    if found is None:
        screen.preview()
        raise Problem(f"There is no conversation {wanted} here", "choose one from the list")
    if not any(same_id(c.id, found.id) for c in screen.sidebar.conversations):
        screen.sidebar.conversations = (found, *screen.sidebar.conversations)
    screen.sidebar.highlight(found.id)
    screen.open_run(found)
    screen.focus_pane("timeline")


async def refresh(screen: MainScreen, *, sort: bool = False) -> None:
    """Read the first page, the states of those further down, and the sandboxes: three calls.
    Rows move only when asked to (`sort`) or when the pane has no focus."""
    if screen.source is None:
        return
    with screen.reporting():
        page = await screen.source.newest()
        fresh = {c.id: c for c in page.items}
        listed = screen.sidebar.conversations
        if screen.source.can_act:
            further = [c.id for c in listed if c.id not in fresh][:99]
            if further:
                fresh |= {c.id: c for c in await screen.source.get(further) if c}
            screen.sidebar.sandboxes = tuple(await screen.source.sandboxes())
        kept = [fresh.pop(c.id, c) for c in screen.sidebar.conversations]
        rows = [*fresh.values(), *kept]
        if screen.source.can_act and (sort or not screen.sidebar.list.has_focus):
            rows.sort(key=lambda c: c.created_at or "", reverse=True)
        screen.sidebar.conversations = tuple(rows)
        screen.tell_totals()
        take_state(screen)


def take_state(screen: MainScreen) -> None:
    """The conversation at the right may stand otherwise now; when its sandbox came up or
    went away its events come from elsewhere."""
    before = screen.current
    if before is None:
        return
    now = next((c for c in screen.sidebar.conversations if c.id == before.id), before)
    if now == before:
        return
    screen.current = now
    screen.run_view.show_conversation(now, screen.clock())
    screen.tell_keys()
    if now.sandbox_status != before.sandbox_status:
        screen.read_run(now)


async def read_more(screen: MainScreen) -> None:
    """The next page, when the cursor comes near the end of those read."""
    if screen.pager is None:
        return
    with screen.reporting():
        page = await anext(screen.pager, None)
        if page is None:
            screen.pager = None
            screen.sidebar.has_more = False
        else:
            if not page.next_page_id:
                screen.pager = None
            take_page(screen, page)
            screen.tell_totals()

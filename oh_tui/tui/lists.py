"""Reading the lists onto the screen: conversations page by page, how each stands, sandboxes."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.api.errors import ApiError
from oh_tui.api.models import Conversation, Page, bare_id, same_id
from oh_tui.sources import cut_words, has_moved
from oh_tui.sources.pager import Pager
from oh_tui.sources.remembered import Memory
from oh_tui.sources.source import Source
from oh_tui.text.human import cost_words, plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.tui.board import Board
from oh_tui.tui.messages import ConversationChanged
from oh_tui.tui.widgets.drawing import Piece, glyphs_of
from oh_tui.tui.widgets.rule import joined

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

ANSWER = 5.0
"""Seconds that an agent server has to tell what the list says of its run."""

FILES = 500
"""Files whose end is read to tell how their runs ended."""


async def open_source(screen: MainScreen, make_source: Callable[[], Source]) -> None:
    """Read a source from its beginning. It is made in a thread, for that imports the service
    layer, but where it is open already."""
    session = screen.session
    at_once, screen.at_once = screen.at_once, False
    with screen.reporting(screen.sidebar.say):
        screen.sidebar.say("reading the conversations …")
        screen.cancel("peek")
        screen.reopen = partial(screen.open_source, make_source)
        former, session.source = session.source, None
        screen.tell_place()
        await session.save_seen()
        if former:
            await former.close()
        session.source = make_source() if at_once else await asyncio.to_thread(make_source)
        board = await asyncio.to_thread(_board, screen, session.source)
        session.begin_lists(board)
        screen.sidebar.begin(grouped=board.grouped)
        screen.show_lists()
        screen.tell_place()
        pager = Pager(session.source.pages())
        page = await pager.next()
        session.pager = pager
        take_page(screen, page)
        screen.reopen = None
        screen.arrangement = replace(
            screen.arrangement, sandboxes=session.source.sandboxes is not None
        )
        for timer in screen.ticking:
            timer.stop()
        screen.ticking = [screen.set_interval(5.0, screen.tell_totals)]
        screen.refreshing.begin()
        tell_problems(screen, session.source.problems)
        await open_named(screen)
        session.unsupported.clear()
        await read_sandboxes(screen)
        screen.tell_totals()
        look(screen)
        with optional(screen, "count"):
            session.total = await session.source.count()
            screen.show_lists()
            screen.tell_totals()
    await screen.refreshing.read()


def _board(screen: MainScreen, source: Source) -> Board:
    """An empty board that remembers what was seen of the source's conversations."""
    file = screen.session.settings.seen_file if source.address else None
    return Board(Memory(source.address, file, source.remembered), grouped=source.remote is not None)


def tell_problems(screen: MainScreen, problems: Sequence[str]) -> None:
    """What could not be opened, while something else could."""
    if problems:
        more = f" · and {len(problems) - 1} more" if len(problems) > 1 else ""
        screen.tell(problems[0] + more, error=True)


def take_page(screen: MainScreen, page: Page[Conversation] | None, asked: float = math.inf) -> None:
    """A page of the list, as it was asked for then."""
    session = screen.session
    if page is None or not page.next_page_id:
        session.pager, session.all_listed = None, True
    session.board.take(page.items if page else (), older=True, asked=asked)
    screen.show_lists()
    if page and page.is_cut:
        tell_problems(screen, [cut_words("conversations")])
    if not session.conversations:
        screen.sidebar.say("no conversations yet", *_how_to_begin(screen))
        screen.timeline.empty = ("no run to show",)


def _how_to_begin(screen: MainScreen) -> tuple[str, ...]:
    session = screen.session
    if session.source is None or not session.source.sandboxes:
        return ("r looks again",)
    if session.settings.read_only:
        return ("start one on the web page,", "then press r")
    return ("ctrl+n starts one", "r looks again")


async def open_named(screen: MainScreen) -> None:
    """Open the conversation that the command line names; else the first is shown, and gone into
    where there is nothing to choose or a place in it is asked for."""
    session = screen.session
    assert session.source is not None
    if not screen.open_id:
        if session.source.opening:
            screen.sidebar.highlight(session.source.opening)
        first, listed = screen.sidebar.list.current, session.conversations
        alone = len(listed) == 1 and not session.source.remote
        if first and (session.open_at or (alone and screen.arrangement.narrow)):
            screen.run.open(first)
            screen.focus_pane("timeline")
        else:
            screen.preview()
        return
    wanted, screen.open_id = screen.open_id, ""
    (found,) = await session.source.get([wanted])
    if found is None:
        found = await _by_its_start(screen, session.source, wanted)
    if not any(same_id(c.id, found.id) for c in session.conversations):
        session.board.take([found])
        screen.show_lists()
    screen.sidebar.highlight(found.id)
    screen.run.open(found)
    screen.focus_pane("timeline")


async def _by_its_start(screen: MainScreen, source: Source, wanted: str) -> Conversation:
    """The conversation whose start has this id, or Problem: there is none yet, or no such start."""
    from oh_tui.sources.starting import what_became

    with contextlib.suppress(ApiError):
        task = await source.sandboxes.started(wanted) if source.sandboxes else None
        if task and task.app_conversation_id:
            (found,) = await source.get([task.app_conversation_id])
            if found:
                return found
        if task:
            screen.preview()
            raise Problem(f"There is no conversation {wanted} here", what_became(task))
    screen.preview()
    raise Problem(f"There is no conversation {wanted} here", "choose one from the list")


async def refresh(screen: MainScreen, *, sort: bool = False) -> bool | None:
    """Read the first page, the states of some further down, and the sandboxes: three calls.
    Rows move only when asked to (`sort`) or when the pane has no focus. Tells whether anything
    has changed, None when a call failed; what the others brought is taken all the same."""
    session = screen.session
    if session.source is None:
        return False
    board = session.board
    before, fresh, is_whole = _state(screen), dict[str, Conversation](), False
    asked = time.monotonic()
    with screen.reporting():
        page = await session.source.newest()
        fresh = {bare_id(c.id): c for c in page.items}
        if session.source.remote:
            further = [c.id for c in session.conversations if bare_id(c.id) not in fresh]
            further = screen.refreshing.some(further, near=under_cursor(screen))
            if further:
                found = await session.source.get(further)
                fresh |= {bare_id(c.id): c for c in found if c}
            await read_sandboxes(screen)
        is_whole = True
    changes = board.take(fresh.values(), asked=asked)
    if sort:
        board.reorder()
        screen.sidebar.reorder_sandboxes()
    elif session.pane != "conversations":
        board.reorder(keep=under_cursor(screen))
    screen.show_lists()
    screen.tell_totals()
    take_state(screen)
    screen.notices.ring(changes)
    look(screen)
    changed = _state(screen) != before
    await session.save_seen()
    return changed if is_whole else None


def _state(screen: MainScreen) -> tuple[object, ...]:
    """What a reading may change, whatever the order."""
    session = screen.session
    return {row.id: row.conversation for row in session.board.rows}, session.sandboxes.all


async def read_sandboxes(screen: MainScreen) -> None:
    session = screen.session
    assert session.source is not None
    if session.source.sandboxes and "sandboxes" not in session.unsupported:
        with optional(screen, "sandboxes"):
            told, asked = len(session.source.problems), time.monotonic()
            read = tuple(await session.source.sandboxes.all())
            tell_problems(screen, session.source.problems[told:])
            session.sandboxes.take(read, asked)
            screen.show_lists()


@contextlib.contextmanager
def optional(screen: MainScreen, what: str) -> Iterator[None]:
    """A part of the lists that others can do without. A server that does not know the call at all
    is told of once, and not asked again."""
    with screen.reporting():
        try:
            yield
        except ApiError as error:
            if error.status not in (404, 405):
                raise
            screen.session.unsupported.add(what)
            raise Problem(f"This server tells no {what}", "all else works") from error


def under_cursor(screen: MainScreen) -> str:
    current = screen.sidebar.list.current
    return current.id if current else ""


def pane_left(screen: MainScreen, before: str) -> None:
    """Out of a list its rows may move; in the run, the run is being read."""
    session = screen.session
    screen.sidebar.in_sandboxes = session.pane == "sandboxes"
    if before == "conversations":
        screen.session.board.reorder(keep=under_cursor(screen))
        screen.show_lists()
    elif before == "sandboxes":
        screen.sidebar.reorder_sandboxes()
    if session.pane in ("timeline", "detail"):
        if before == "conversations":
            screen.run.catch_up()
        if session.current:
            screen.tell_opened(session.current.id)


def look(screen: MainScreen) -> None:
    """Look into runs for what the list says of them, in the background; not while that goes on
    already: else a server that does not answer would keep all the others from being asked."""
    session = screen.session
    assert session.source is not None
    if not screen.at_work("peek"):
        read = peek if session.source.remote else read_ends
        screen.work_on("peek", read, screen, session.source)


async def peek(screen: MainScreen, source: Source) -> None:
    """What those that need somebody ask and those that run do: a few calls, to agent servers
    alone. An error changes nothing: the row says the little that the list says."""
    session = screen.session
    board = screen.session.board
    shown = session.current.id if session.current else ""
    for conversation in board.unheard(time.monotonic(), without=shown):
        before = board.row(conversation.id)
        try:
            async with asyncio.timeout(ANSWER):
                run = await source.runs.peek(conversation)
        except (Problem, TimeoutError):
            board.looked(conversation, time.monotonic(), failed=True)
            continue
        if run is not None:
            screen.tell_verdict(conversation.id, judge(run))
        news = board.row(conversation.id) != before
        board.looked(conversation, time.monotonic(), news=news)
    screen.tell_totals()


async def read_ends(screen: MainScreen, source: Source) -> None:
    """How the runs in files ended; nothing else tells it."""
    session = screen.session
    board = screen.session.board
    shown = session.current.id if session.current else ""  # which is read anyway
    for number, row in enumerate(board.rows[:FILES]):
        if not row.stand and not same_id(row.id, shown):
            with contextlib.suppress(Problem):
                if (run := await source.runs.peek(row.conversation)) is not None:
                    verdict = judge(run)
                    board.tell(row.conversation.id, verdict.word, verdict.short)
        if number % 16 == 15:
            screen.show_lists()
    screen.show_lists()
    screen.tell_totals()


def totals(screen: MainScreen) -> tuple[tuple[Piece, ...], str]:
    """What the header tells of all conversations that are loaded, and the title of the terminal's
    window: of each only what is not zero."""
    session = screen.session
    glyphs, counts = glyphs_of(screen.app), session.board.counts()
    facts: list[Piece] = []
    title = ["oh-tui"]
    for count, glyph, words, hue in (
        (counts.waiting, glyphs.waiting, "waits" if counts.waiting == 1 else "wait", "warn"),
        (counts.failed, glyphs.error, "failed", "bad"),
        (counts.running, glyphs.running, "running", "good"),
    ):
        if count:
            for_you = " for you" if glyph == glyphs.waiting else ""
            facts.append((f"{glyph} {count:,} {words}{for_you}", hue))
            title.append(f"{glyph}{count}")
    listed = session.conversations
    costs = [one.cost for one in listed if one.cost]
    total = max(session.total or 0, len(listed))
    facts.append((plural(total, "conversation") + cost_words(sum(costs), len(costs), total), "dim"))
    return joined(facts, glyphs.dot), " ".join(title)


def take_state(screen: MainScreen) -> None:
    """The conversation at the right may stand otherwise now; when its sandbox came up, went away
    or has another address its events come from elsewhere."""
    session = screen.session
    before = session.current
    if before is None:
        return
    row = session.board.row(before.id)
    now = row.conversation if row else before
    if now == before:
        return
    session.take_record(now)
    screen.post_message(ConversationChanged())
    if has_moved(before, now):
        screen.run.read(now)


async def read_more(screen: MainScreen) -> None:
    """The next page, when the cursor comes near the end of those read."""
    session = screen.session
    pager = session.pager
    if pager is None:
        return
    with screen.reporting():
        asked = time.monotonic()
        page = await pager.next()
        if session.pager is pager:  # else another source was opened meanwhile
            take_page(screen, page, asked)
            screen.tell_totals()

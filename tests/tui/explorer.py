"""The real app over the embedded server, with a frozen clock, for Pilot tests."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakSet

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from textual import events
from textual.app import App
from textual.command import CommandList
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from oh_tui.api import AppServer
from oh_tui.api.http.transport import RetryPolicy
from oh_tui.demo import Demo
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.tui.app import OhTui
from oh_tui.tui.controllers.run import reading_on
from oh_tui.tui.main_screen import MainScreen
from oh_tui.tui.platform import launch
from oh_tui.tui.rendering.lines import warm_up
from oh_tui.tui.widgets.bars import LongNews
from oh_tui.tui.widgets.drawing import Drawn

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)

NAMES = {" ": "space", "/": "slash", "?": "question_mark", "[": "left_square_bracket",
         "]": "right_square_bracket", "<": "less_than_sign", ">": "greater_than_sign"}  # fmt: skip
CHARACTERS = {name: character for character, name in NAMES.items()}

AT_ONCE = RetryPolicy(first=0, longest=0, jitter=0)

LONGEST = 60.0
"""Seconds to wait for what comes about in far under one where nothing else runs."""

TURNS = 1000
"""Turns of the event loop in which something may be left to do, one after the other."""

READS = (
    "lists",
    "more",
    "run",
    "older",
    "find",
    "filter",
    "ask",
    "copy",
    "changes",
    "change",
    "beside",
    "message",
    "write",
    "download",
    "peek",
    "bodies",
    "place",
    "below",
    "branch",
    "sift",
    "compare",
    "compared",
    "examples",
    "context",
    "context-page",
    "version",
    "forgotten",
    "share",
    "share-write",
    "failures",
    "reading-on",
    "rules",
    "rule",
)
"""Groups of workers that come to an end; following never does."""


reading_on.REST = launch.RULES = 0.0  # each test of the timeline would wait for it at each key

warm_up()  # text has its colours in the first frame


@dataclass
class Between:
    """Stands between the client and the servers: keeps what is asked, and answers in their place
    where it is told to. Calls are named "GET /api/v1/users/me", patterns are those of a shell."""

    asked: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    """Calls that wait for an event before they are answered."""
    hooks: list[tuple[str, Callable[[], None], bool]] = field(default_factory=list)
    """What happens once, before or after a call is answered: pattern, what, whether before."""

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            call = f"{scope['method']} {scope['path']}"
            self.asked.append(call)
            for pattern, event in list(self.held.items()):
                if fnmatch.fnmatch(call, pattern):
                    await event.wait()
            self._happens(call, before=True)
            made = [m for p, m in self.answers.items() if fnmatch.fnmatch(call, p)]
            await (made[0]() if made else app)(scope, receive, send)
            self._happens(call, before=False)

        return serve

    def hold(self, pattern: str) -> asyncio.Event:
        """Let calls wait until the event given back is set."""
        return self.held.setdefault(pattern, asyncio.Event())

    def first(self, pattern: str, do: Callable[[], None]) -> None:
        """Do this before the next such call is answered."""
        self.hooks.append((pattern, do, True))

    def after(self, pattern: str, do: Callable[[], None]) -> None:
        """Do this when the next such call was answered."""
        self.hooks.append((pattern, do, False))

    def _happens(self, call: str, *, before: bool) -> None:
        for hook in [h for h in self.hooks if h[2] is before and fnmatch.fnmatch(call, h[0])]:
            self.hooks.remove(hook)
            hook[1]()

    def answer(self, pattern: str, status: int, body: str = "", kind: str = "text/plain") -> None:
        self.answers[pattern] = lambda: Response(body, status, media_type=kind)

    def count(self, pattern: str) -> int:
        return len(fnmatch.filter(self.asked, pattern))


class Late:
    """The first reading of a list is answered at once, which arrives when `arrives` is set."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.arrives = asyncio.Event()
        self.arrives.set()
        self.answered = asyncio.Event()

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if self.arrives.is_set() or self.answered.is_set() or scope["path"] != self.path:
                await app(scope, receive, send)
                return
            kept: list[Message] = []

            async def keep(message: Message) -> None:
                kept.append(message)

            await app(scope, receive, keep)
            self.answered.set()
            await self.arrives.wait()
            for message in kept:
                await send(message)

        return serve


_UNPAINTED: WeakSet[App[Any]] = WeakSet()
"""Apps on their way to what a test sees. Painting each frame until then took a third of the
time."""


def _paint(
    screen: Screen[Any], paint: Callable[[Screen[Any]], None] = Screen._compositor_refresh
) -> None:
    if screen.app not in _UNPAINTED:
        paint(screen)
    else:
        screen._dirty_widgets.clear()  # the compositor keeps what is to be painted


Screen._compositor_refresh = _paint  # type: ignore[assignment, method-assign]


@dataclass
class Explorer:
    app: OhTui
    pilot: Pilot[int]
    demo: Demo
    typed_at: float = 0.0
    """When the last key was typed, by a clock of our own: one second after the one before, unless a
    test says another time."""

    @property
    def screen(self) -> MainScreen:
        return self.app.main

    async def press(self, *keys: str) -> None:
        """Keys one after the other, each with all it sets off that needs no answer. Quicker than
        the Pilot's own, which waits after each until the processor is idle."""
        for key in keys:
            await self.seen()
            self.key(key)
            await self.settle()

    async def send(self, *keys: str) -> None:
        """Keys that are handled when this returns, what they set off is not waited for. What asks
        or is typed in is seen first, as by whoever presses them."""
        for key in keys:
            await self.seen()
            self.key(key)
            for _ in range(3):
                await self.pilot.pause(0)

    def key(self, key: str, after: float = 1.0) -> None:
        """A key, so many seconds after the one before."""
        character = CHARACTERS.get(key, key if len(key) == 1 else None)
        self.input(events.Key(NAMES.get(key, key), character), after)

    def input(self, event: events.Event, after: float = 1.0) -> None:
        self.typed_at = event.time = max(self.typed_at, self.app.hands.last) + after
        self.app.post_message(event)

    async def seen(self) -> None:
        """Wait until the question or the field that has the keys is drawn."""
        end = asyncio.get_running_loop().time() + LONGEST
        while not getattr(self.app.focused, "is_seen", True):
            assert asyncio.get_running_loop().time() < end, f"{self.app.focused} was not drawn"
            await asyncio.sleep(0.002)

    async def type(self, text: str) -> None:
        for character in text:
            self.key(character, after=0.1)
        await self.settle()

    async def settle(self) -> None:
        """Wait for the reads and writes under way; with a question open they wait for us."""
        _UNPAINTED.add(self.app)
        try:
            await self._quiet()
        finally:
            _UNPAINTED.discard(self.app)
        self.app.screen._compositor_refresh()

    async def _quiet(self) -> None:
        quiet, end = 0, asyncio.get_running_loop().time() + LONGEST
        while asyncio.get_running_loop().time() < end:
            for _ in range(3):
                await self._idle()
                self.app.screen._on_timer_update()
            asking = self.screen.ui.asking
            asks = asking.question_bar.display or asking.find_input.display
            open_question = asks or asking.editor is not None
            busy = [w for w in self.app.workers if w.group in READS and w.is_running]
            typed = self.app._under_way or self.app._keys  # keys that are still to be handled
            prepares = self.screen.ui.preparations.active  # a question that is on its way
            quiet = quiet + 1 if not (typed or prepares) and (open_question or not busy) else 0
            if quiet == 2:  # once more, for what the last worker set off at its end
                return
            if not quiet:
                await asyncio.sleep(0.005)
        raise AssertionError(f"still busy: {busy}")

    async def _idle(self) -> None:
        """Wait until all that runs waits for a timer, a thread or an event. The Pilot sends each
        widget a message instead, and cannot tell when they have nothing left to do."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        for _ in range(TURNS):
            await asyncio.sleep(0)
            if not ready:
                return

    async def turn(self, node: MessagePump) -> None:
        """Wait for what the node was to call next, such as asynchronous watchers. Unlike `pause` of
        the pilot, it waits however busy the machine is."""
        called = asyncio.Event()
        node.call_next(called.set)
        await called.wait()

    async def until(self, true: Callable[[], object], seconds: float = LONGEST) -> None:
        """Wait for something that a timer or a server brings about."""
        end = asyncio.get_running_loop().time() + seconds
        while not true():
            if asyncio.get_running_loop().time() > end:
                raise AssertionError("it did not come about")
            await asyncio.sleep(0.02)
        await self.pilot.pause(0)

    async def open(self, title: str) -> None:
        """Open the conversation with this title."""
        listed = self.screen.sidebar.conversations
        conversation = next(c for c in listed if c.title == title)
        self.screen.sidebar.highlight(conversation.id)
        self.screen.focus_pane("conversations")
        await self.press("enter")

    async def find_command(self, text: str, found: str) -> None:
        """Type into the palette until what enter runs has `found` in its line: it searches aside,
        and first shows what the letters before have found."""
        await self.type(text)

        def first() -> str:
            for listed in self.app.screen.query(CommandList):
                if listed.highlighted is not None:
                    return str(listed.get_option_at_index(listed.highlighted).prompt)
            return ""

        await self.until(lambda: found in first())

    def text(self, selector: str) -> str:
        """What a drawn widget shows, line by line; "" while it is not there: a bar that asks comes
        with the first question."""
        widget = next(iter(self.screen.query(selector)), None)
        return self.text_of(widget) if widget is not None else ""

    def text_of(self, widget: Widget) -> str:
        assert isinstance(widget, Drawn) or hasattr(widget, "plain_text")
        height = widget.size.height
        return "\n".join(widget.render_line(y).text.rstrip() for y in range(height))

    @property
    def footer(self) -> str:
        """On one line: news may take several, over the panes."""
        news = next(iter(self.screen.footer.query(LongNews)), None)
        shown = "\n".join(news.lines) if news and news.lines else self.text("#footer")
        lines = [line if n == 0 else line.strip() for n, line in enumerate(shown.split("\n"))]
        return (" " if shown != self.text("#footer") else "") + " ".join(lines)

    def strips(self) -> list[Strip]:
        """Every line that is drawn now, pane by pane."""
        panes = [w for w in self.screen.query(Drawn) if w.display and w.size.height]
        return [pane.render_line(y) for pane in panes for y in range(pane.size.height)]

    def row(self) -> str:
        """The row under the timeline's cursor."""
        timeline = self.screen.timeline
        return timeline.row_text(timeline.cursor)


@contextmanager
def case(name: object) -> Iterator[None]:
    """One of several in an explorer, whose start costs more than a test; named where it fails."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"in the case of {name}")
        raise


@asynccontextmanager
async def explore(
    *,
    size: tuple[int, int] = (160, 32),
    settings: Settings | None = None,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    source: Callable[[], Source] | None = None,
    open_id: str = "",
    at: str = "",
    sort: str = "",
    filter: str = "",
    has_key: bool = True,
    connect: Callable[[Settings], Source] | None = None,
    shared: Callable[[str], Callable[[], Source]] | None = None,
) -> AsyncIterator[Explorer]:
    """The explorer on the demo (or on `source`), its lists read; `wrap` may come between the
    client and the demo's servers. Without a key nothing is read: it asks what to do."""
    demo = Demo(NOW, "everything")
    demo.rate_limited = False

    def make() -> Source:
        api = AppServer(demo.base_url, app=wrap(demo.app), retries=AT_ONCE)
        return ServerSource(api, "demo", last_known=demo.last_known)

    app = OhTui(
        (source or make) if has_key else None,
        settings or Settings(),
        open_id=open_id,
        at=at,
        sort=sort,
        filter=filter,
        demo=make,
        connect=connect,
        shared=shared,
        clock=NOW.timestamp,
    )
    _UNPAINTED.add(app)
    async with app.run_test(size=size) as pilot:
        explorer = Explorer(app, pilot, demo)
        await explorer.until(lambda: app.main.is_mounted)
        await explorer.until(
            lambda: (
                app.main.session.source
                or app.main.footer.news
                or app.main.asking.question_bar.question
            )
        )
        await explorer.settle()
        yield explorer

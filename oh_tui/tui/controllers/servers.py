"""Opening and leaving sources: at the start without a key, and from one server to another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.api.models import CLOUD
from oh_tui.catalog.links import is_shared_link, read_shared_link
from oh_tui.settings.config import CANVAS, CLOUD_NAME, DEMO, LOCAL
from oh_tui.settings.paths import expanded, split_run
from oh_tui.settings.startup import choose
from oh_tui.sources import canvas, file_source
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import ListEmpty, QuitWanted, SourceWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.state.work import save
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.tui.ui import Connect, OpenDemo, OpenShared
    from oh_tui.tui.widgets.drawing import Piece

OURS = {
    CLOUD_NAME: CLOUD,
    CANVAS: "Agent Canvas on this machine, or the runs that it left",
    LOCAL: "the runs that the OpenHands CLI keeps on this machine",
    DEMO: "made-up data: nothing leaves this machine",
}
"""Servers that always exist, with their descriptions."""


class Servers(Controller):
    _connect: Connect
    demo: OpenDemo
    _shared: OpenShared

    def others(self) -> list[tuple[str, str]]:
        """The other servers, as name and description; the open one is left out."""
        settings = self._session.settings
        if self._connect is None:
            return []
        named = {name: server.url for name, server in settings.config.servers.items()}
        if "," in (default := settings.config.default) and not settings.several:
            named[default] = "in one list"
        is_cloud = CLOUD in named.values() or (not settings.server and settings.key is not None)
        found = {name: what for name, what in OURS.items() if name not in named}
        left_out = (settings.server, CLOUD_NAME if is_cloud and CLOUD_NAME in found else "")
        return [one for one in {**named, **found}.items() if one[0] not in left_out]

    async def switch(self, name: str) -> None:
        """Go to another server. Asks if something is being written; stays without a key."""
        connect = self._connect
        if connect is None or not await self._may_leave(name):
            return
        with self._ui.reporting():
            settings = await asyncio.to_thread(choose, self._session.settings, name, os.environ)
            if not settings.has_key:
                places = (
                    f"key_env, key_file or key_command to [servers.{name}] in the settings file"
                )
                is_named = name in settings.config.servers
                add = f"add {places}" if is_named else "set OPENHANDS_API_KEY"
                raise Problem(f"There is no key for {name}", add)
            await save(self._session.loaded.last_known)
            if replay := self._session.replay:
                await replay.stop()
            self._ui.post_message(SourceWanted(partial(connect, settings), settings))

    def show_cautions(self) -> None:
        for caution in self._session.settings.cautions:
            self._ui.tell(caution)

    async def tell_canvas(self) -> None:
        """Say that Canvas runs here, to whom Cloud was opened because of its key."""
        found = await asyncio.to_thread(canvas.look)
        source = self._session.source
        if found and source and source.address == CLOUD:
            words = f"Canvas runs here too, at {found.host}: ctrl+p server canvas"
            self._ui.tell(words, remark=True)

    async def _may_leave(self, name: str) -> bool:
        """Whether the user agrees to leave. Unsent messages are kept with their conversations."""
        writing = self._session.writes.words
        if not writing:
            return True
        words = f"Still {writing}. A change sent to the server still happens; "
        lines: list[list[Piece]] = [[(f"{words}a file that is being moved may not arrive.", "")]]
        answers = (Answer(f"go to {name} anyway", "go"),)
        question = Question("Another server", lines, answers, "stay", Stake.WORK)
        return await self._ui.ask(question) == "go"

    async def open_without_key(self, beside: str = "") -> None:
        """Explain how to get the key that the server needs, and offer the demo and a file."""
        lines: list[list[Piece]] = [
            [(f"{CLOUD} needs a key, and none is set.", "")],
            [("Create one there under Settings, API Keys. Then, in this shell:", "")],
            [("  export OPENHANDS_API_KEY=KEY   and start oh-tui again", "key")],
            [("Your own server: oh-tui --server http://localhost:3000", "dim")],
        ]
        if self._session.settings.is_looked_for:
            told = beside or "Agent Canvas was not found on this machine either."
            lines.append([(told, "dim")])
        answers = [
            Answer("look around in the demo", "demo", "d"),
            Answer("open a file or a shared link", "open", "o"),
            Answer("quit", "quit", "q"),
        ]
        while True:
            answer = await self._ui.ask(Question("No API key", lines, answers, "stay"))
            if answer == "quit":
                self._ui.post_message(QuitWanted())
            elif answer == "demo" and self.demo:
                self._ui.post_message(SourceWanted(self.demo))
            elif answer == "open":
                if not await self._open_typed():
                    continue
            else:
                words = ("no API key", "q quits, then:", "export OPENHANDS_API_KEY=KEY")
                self._ui.post_message(ListEmpty(*words))
                self._ui.focus_pane("conversations")
            return

    async def _open_typed(self) -> bool:
        """Ask for a run, and open it; False for none."""
        typed, wrong = "", ""
        while True:
            answer = await self._ui.prompt(
                "path of a run (PATH#ID: one of a file), or the link of a shared conversation",
                typed,
                enter="open",
                title="Open" if wrong else "",
                wrong=wrong,
            )
            typed = (answer or "").strip()
            if not typed:
                return False
            try:
                self._ui.post_message(SourceWanted(self._source_of(typed)))
            except Problem as problem:
                wrong = words_of(problem)
            else:
                return True

    def _source_of(self, typed: str) -> Callable[[], Source]:
        """What makes the source that was typed. Raises Problem for a link that leads nowhere."""
        if self._shared and is_shared_link(typed):
            self._session.open_id = read_shared_link(typed).id
            return self._shared(typed)
        path, self._session.open_id = split_run(typed, os.environ)
        return partial(file_source.FileSource, [expanded(path, os.environ)])

    def action_switch(self, name: str) -> None:
        self._ui.work_on("ask", self.switch, name)

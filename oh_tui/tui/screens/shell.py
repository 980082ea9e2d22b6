"""The shell of `!`: runs commands in the sandbox of a conversation, one at a time.

Only what is typed is run. Neither the agent nor the events of the run know of these commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType

from oh_tui.actions.workspace import Workspaces
from oh_tui.api.models import BashOutput, CommandResult
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.human import duration, size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.presentation.block import Command, Failure, Note, Plain
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.view import KeyLabels, LineScreen
from oh_tui.tui.session import Session
from oh_tui.tui.state.shells import TIMES, Shell, ShellEntry, result_blocks
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, joined, shorten
from oh_tui.tui.widgets.prompt import SentLine

WHAT = (
    "A command runs {} with /bin/sh, beside the agent: neither the agent nor the timeline sees it."
)

_CD = pattern(r"\s*cd(?:\s+(?P<where>[^;&|<>\n]+))?\s*")


class ShellLine(SentLine):
    """The command line; ↑ ↓ walk through its history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
    ]

    def __init__(self, history: list[str], value: str) -> None:
        super().__init__(value, compact=True, select_on_focus=False)
        self._history = history
        self._place = len(history)
        """Place in the history; after its end is what was typed."""
        self._typed = ""

    def action_walk(self, by: int) -> None:
        if self._place == len(self._history):
            self._typed = self.value
        self._place = max(0, min(self._place + by, len(self._history)))
        self.put([*self._history, self._typed][self._place])

    def keep(self, command: str) -> None:
        """Add a command to the history, unless it is its last one."""
        if self._history[-1:] != [command]:
            self._history.append(command)
        self._place, self._typed = len(self._history), ""

    async def on_paste(self, event: events.Paste) -> None:
        """Textual's own silently drops all lines but the first."""
        if len(event.text.strip().splitlines()) > 1:
            event.prevent_default()
            event.stop()
            self.tell("several lines: put them in a file, send it (palette: put a file) and run it")


class ShellScreen(LineScreen):
    HELP_TITLE = "In the shell"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "run"),
        Binding("tab,shift+tab", "app.focus_next", "output", key_display="tab", priority=True),
        Binding("ctrl+c", "interrupt", "stop"),
        Binding("up,down", "app.focus_next", "history", key_display="↑↓"),
        Binding("ctrl+t", "time", "time", priority=True),
        Binding("ctrl+l", "clear", "clear", priority=True),
    ]
    WORK = "shell"
    ONE_AT_A_TIME = "one command at a time: esc stops waiting for the one that runs"

    line: ShellLine
    _stop: Callable[[], Awaitable[bool]] | None = None
    """Ends the running command, once its id is known."""

    def __init__(
        self, session: Session, places: Workspaces, conversation: Conversation, shell: Shell
    ) -> None:
        line = ShellLine(session.shell_history, shell.draft)
        super().__init__("Shell", title_of(conversation), "$", line, shell)
        self._places, self._place = places, places.workplace
        self.conversation = conversation
        self.shell = shell
        self._session = session
        self._printed = 0

    # A command

    def send(self, text: str) -> None:
        if not text.strip():
            return
        self.footer.clear()
        self.line.keep(text)
        self.line.put("")
        moves = _CD.fullmatch(text)
        if moves and not moves["where"]:
            self.shell.cwd = self.shell.home
            self.show_facts()
        else:
            self._run(text, moves["where"].strip() if moves else "")

    @work(group=WORK, exclusive=True)
    async def _run(self, command: str, to: str) -> None:
        """Run a command, or change to the folder `to`. A problem puts it back into the line."""
        shell = self.shell
        self._printed = 0
        entry = ShellEntry([Command(safe(command))])
        shell.add(entry)
        with self.carrying_out():
            try:
                with self._session.writes.doing("running a command"):
                    result = await self._result(command, to)
                if to and result.exit_code == 0:
                    shell.cwd = clean_line(result.stdout)
                    result = CommandResult(0)
                entry.blocks += await asyncio.to_thread(
                    result_blocks, result, self.seconds, shell.timeout
                )
                entry.size = len(result.stdout) + len(result.stderr)
            except asyncio.CancelledError:
                rest = max(0.0, shell.timeout - self.seconds)
                where, most = self._place.inside, duration(rest)
                told = f"no longer waiting: it goes on {where}, for at most {most}"
                entry.blocks.append(Note(told))
                raise
            except Problem as problem:
                entry.blocks.append(Failure(words_of(problem)))
                self.line.put_back(command)
            finally:
                self._stop = None

    async def _result(self, command: str, to: str) -> CommandResult:
        workspace = await self._places.open(self.conversation)

        def begun(command_id: str) -> None:
            self._stop = partial(workspace.stop, command_id)

        return await workspace.run(
            f"cd {to} && pwd" if to else command,
            # an absolute path leads out of a folder that is gone
            cwd="" if to.startswith("/") else self.shell.cwd,
            timeout=self.shell.timeout,
            progress=self._heard,
            begun=begun,
        )

    def _heard(self, part: BashOutput) -> None:
        self._printed += len(part.stdout or "") + len(part.stderr or "")

    # Drawing

    def show_output(self) -> None:
        blocks = [block for entry in self.shell.entries for block in (Plain(" "), *entry.blocks)]
        self.output.show(blocks[1:] or [Note(WHAT.format(self._place.inside))], at_end=True)

    def facts(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        folder = self.shell.cwd or f"{self._place.name}'s own folder"
        folder = shorten(folder, max(20, self.size.width // 2))
        facts = (
            (f"running {duration(self.seconds)}" if self.waiting else "", "mark"),
            (f"{size(self._printed)} so far" if self.waiting and self._printed else "", ""),
            (f"at most {TIMES[self.shell.timeout]}", "dim"),
        )
        return ((folder, "title"),), joined(facts, self.rule.glyphs.dot)

    def key_labels(self) -> KeyLabels:
        return {
            "run": self.in_field and not self.waiting,
            "output": "output" if self.in_field else "command line",
            "stop": self.waiting,
            "history": self.in_field and bool(self._session.shell_history),
            "time": f"at most {TIMES[self._next_time()]}",
            "clear": self.shell.entries and not self.waiting,
        }

    # Keys

    @property
    def can_interrupt(self) -> bool:
        """Whether ctrl+c is for the running command."""
        return self.waiting

    def action_interrupt(self) -> None:
        """ctrl+c, which copies while no command runs: end the command."""
        if self._stop is None:
            self.footer.tell("it has not begun yet: esc stops waiting")
        else:
            self._end(self._stop)

    @work(group="stop", exclusive=True)
    async def _end(self, stop: Callable[[], Awaitable[bool]]) -> None:
        try:
            is_ended = await stop()
            self.footer.settle("stop")
            if not is_ended:
                self.footer.tell("this server cannot stop a command: esc stops waiting for it")
        except Problem as problem:
            self.footer.tell(words_of(problem), error=True, about="stop")

    def action_time(self) -> None:
        self.shell.timeout = self._next_time()
        self.show_facts()

    def _next_time(self) -> int:
        times = list(TIMES)
        return times[(times.index(self.shell.timeout) + 1) % len(times)]

    def action_clear(self) -> None:
        if not self.waiting:
            self.shell.entries.clear()
            self.show_all()

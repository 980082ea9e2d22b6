"""The shell of `!`: runs commands in the sandbox of a conversation, one at a time.

Only what is typed is run. Neither the agent nor the events of the run know of these commands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import var
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input
from textual.worker import get_current_worker

from oh_tui.api.models import BashOutput, CommandResult, Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.human import duration, size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.presentation.block import Command, Failure, Note, Plain
from oh_tui.tui.keys import HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import words_of
from oh_tui.tui.state.shells import TIMES, Shell, ShellEntry, result_blocks
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Label, Piece, shorten
from oh_tui.tui.widgets.first_frame import FirstFrame
from oh_tui.tui.widgets.rule import Rule, joined

if TYPE_CHECKING:
    from oh_tui.sources.actions.workspaces import Workspaces
    from oh_tui.tui.session import Session

WHAT = (
    "A command runs {} with /bin/sh, beside the agent: neither the agent nor the timeline sees it."
)

_CD = pattern(r"\s*cd(?:\s+(?P<where>[^;&|<>\n]+))?\s*")


class Line(Input, FirstFrame):
    """The command line; ↑ ↓ walk through its history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
    ]

    def __init__(self, history: list[str], value: str) -> None:
        super().__init__(value, id="shell-line", compact=True, select_on_focus=False)
        self._history = history
        self._place = len(history)
        """Place in the history; after its end is what was typed."""
        self._typed = ""

    def render_line(self, y: int) -> Strip:
        self.drawing()
        return super().render_line(y)

    async def action_submit(self) -> None:
        if self.is_seen:
            await super().action_submit()
        else:
            self.screen.query_one(Footer).tell("enter came too early: press it again")

    def action_walk(self, by: int) -> None:
        if self._place == len(self._history):
            self._typed = self.value
        self._place = max(0, min(self._place + by, len(self._history)))
        self.put([*self._history, self._typed][self._place])

    def put(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)

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
            self.screen.query_one(Footer).tell(
                "several lines: put them in a file, send it (palette: put a file) and run it",
                error=True,
            )


class ShellScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    ShellScreen { background: $background; }
    ShellScreen BodyView { height: 1fr; }
    ShellScreen Horizontal { height: 1; width: 1fr; }
    ShellScreen Label { width: 3; height: 1; }
    ShellScreen Line { width: 1fr; background: $background; }
    """
    HELP_TITLE = "In the shell"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", show=False),
        Binding("tab,shift+tab", "other_pane", "output", show=False, priority=True),
        Binding("ctrl+t", "time", "time", show=False, priority=True),
        Binding("ctrl+l", "clear", "clear", show=False, priority=True),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]
    AUTO_FOCUS = "#shell-line"

    running: var[str] = var("")
    """The running command."""
    _stop: Callable[[], Awaitable[bool]] | None = None
    """Ends the running command, once its id is known."""

    def __init__(
        self, session: Session, places: Workspaces, conversation: Conversation, shell: Shell
    ) -> None:
        super().__init__()
        self._places, self._place = places, places.workplace
        self.conversation = conversation
        self.shell = shell
        self._session = session
        self._history = session.shell_history
        self._began = 0.0
        self._printed = 0
        self.rule = Rule(id="shell-rule")
        self.output = BodyView(id="shell-output")
        self.folder_rule = Rule(id="shell-folder")
        self.line = Line(self._history, shell.draft)
        self.footer = Footer(id="shell-footer")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.output, self.folder_rule)
        yield Horizontal(Label((" $ ", "prompt")), self.line)
        yield self.footer

    def on_mount(self) -> None:
        self._tick = self.set_interval(1.0, self._show_facts, pause=True)
        self._show()
        self._show_facts()

    # A command

    @on(Input.Submitted, "#shell-line")
    def _submit(self) -> None:
        command = self.line.value
        if not command.strip():
            return
        if self.running:
            self.footer.tell("one command at a time: esc stops waiting for the one that runs")
            return
        self.footer.clear()
        self.line.keep(command)
        self.line.put("")
        moves = _CD.fullmatch(command)
        if moves and not moves["where"]:
            self.shell.cwd = self.shell.home
            self._show_facts()
        else:
            self._run(command, moves["where"].strip() if moves else "")

    @work(group="shell", exclusive=True)
    async def _run(self, command: str, to: str) -> None:
        """Run a command, or change to the folder `to`. A problem puts the command back into the
        line."""
        shell = self.shell
        self.running, self._began, self._printed = command, time.monotonic(), 0
        self._tick.resume()
        entry = ShellEntry([Command(safe(command))])
        shell.add(entry)
        self._show()
        try:
            with self._session.writes.doing("running a command"):
                workspace = await self._places.open(self.conversation)

                def begun(command_id: str) -> None:
                    self._stop = partial(workspace.stop, command_id)

                result = await workspace.run(
                    f"cd {to} && pwd" if to else command,
                    # an absolute path leads out of a folder that is gone
                    cwd="" if to.startswith("/") else shell.cwd,
                    timeout=shell.timeout,
                    progress=self._heard,
                    begun=begun,
                )
            if to and result.exit_code == 0:
                shell.cwd = clean_line(result.stdout)
                result = CommandResult(0)
            took = time.monotonic() - self._began
            entry.blocks += await asyncio.to_thread(result_blocks, result, took, shell.timeout)
            entry.size = len(result.stdout) + len(result.stderr)
        except asyncio.CancelledError:
            rest = max(0.0, shell.timeout - (time.monotonic() - self._began))
            where, most = self._place.inside, duration(rest)
            entry.blocks.append(Note(f"no longer waiting: it goes on {where}, for at most {most}"))
            raise
        except Problem as problem:
            entry.blocks.append(Failure(words_of(problem)))
            if not self.line.value:
                self.line.put(command)
        finally:
            self._stop = None
            if not get_current_worker().is_cancelled or self.is_attached:
                self.running = ""
                self._tick.pause()
                self._show()
                self._show_facts()

    def _heard(self, part: BashOutput) -> None:
        self._printed += len(part.stdout or "") + len(part.stderr or "")

    # Drawing

    def _show(self) -> None:
        blocks = [block for entry in self.shell.entries for block in (Plain(" "), *entry.blocks)]
        self.output.show(blocks[1:] or [Note(WHAT.format(self._place.inside))], at_end=True)

    @on(BodyView.Scrolled)
    def _show_facts(self) -> None:
        shell, dot = self.shell, self.rule.glyphs.dot
        self.rule.title = (("Shell", "title"), (f"  {title_of(self.conversation)}", "dim"))
        first, last, total = self.output.position()
        more = total > last - first + 1
        self.rule.facts = ((f"lines {first:,}-{last:,} of {total:,}", "dim"),) if more else ()
        folder = shell.cwd or f"{self._place.name}'s own folder"
        folder = shorten(folder, max(20, self.size.width // 2))
        self.folder_rule.title = ((folder, "title"),)
        facts: list[Piece] = []
        if self.running:
            facts.append((f"running {duration(time.monotonic() - self._began)}", "mark"))
            if self._printed:
                facts.append((f"{size(self._printed)} so far", ""))
        facts.append((f"at most {TIMES[shell.timeout]}", "dim"))
        self.folder_rule.facts = joined(facts, dot)
        self._show_keys()

    def _show_keys(self) -> None:
        in_line = self.line.has_focus
        self.folder_rule.heavy, self.rule.heavy = in_line, not in_line
        hints = [Hint("tab", "output" if in_line else "command line", "other_pane")]
        if in_line and not self.running:
            hints.insert(0, Hint("enter", "run", "run_line"))
        if self.running:
            hints.append(Hint("ctrl+c", "stop", "interrupt"))
        if in_line and self._history:
            hints.append(Hint("↑↓", "history", "other_pane"))
        hints.append(Hint("ctrl+t", f"at most {TIMES[self._next_time()]}", "time"))
        if self.shell.entries and not self.running:
            hints.append(Hint("ctrl+l", "clear", "clear"))
        self.footer.hints = tuple(hints)
        label = "stop waiting" if self.running else "close"
        self.footer.always = (HELP_IN_FIELD, Hint("esc", label, "leave"))

    # Keys

    async def action_run_line(self) -> None:
        await self.line.action_submit()

    def action_leave(self) -> None:
        if self.footer.clear():
            return
        if self.running:
            self.workers.cancel_group(self, "shell")
        elif self.output.has_focus:
            self.set_focus(self.line)
        else:
            self.shell.draft = self.line.value
            self.dismiss(None)

    @property
    def can_interrupt(self) -> bool:
        """Whether ctrl+c is for the running command."""
        return bool(self.running)

    def action_interrupt(self) -> None:
        """ctrl+c, which copies while no command runs: end the command."""
        if self._stop is None:
            self.footer.tell("it has not begun yet: esc stops waiting")
        else:
            self._end(self._stop)

    @work(group="stop", exclusive=True)
    async def _end(self, stop: Callable[[], Awaitable[bool]]) -> None:
        try:
            if not await stop():
                self.footer.tell("this server cannot stop a command: esc stops waiting for it")
        except Problem as problem:
            self.footer.tell(words_of(problem), error=True)

    def action_other_pane(self) -> None:
        self.set_focus(self.output if self.line.has_focus else self.line)

    def action_time(self) -> None:
        """Change the time limit of the next command."""
        self.shell.timeout = self._next_time()
        self._show_facts()

    def _next_time(self) -> int:
        times = list(TIMES)
        return times[(times.index(self.shell.timeout) + 1) % len(times)]

    def action_clear(self) -> None:
        if not self.running:
            self.shell.entries.clear()
            self._show()
            self._show_facts()

    def action_page(self, pages: float) -> None:
        self.output.action_page(pages)

    @on(BodyView.Opened)
    def _back_to_line(self) -> None:
        self.set_focus(self.line)

    def on_descendant_focus(self) -> None:
        self._show_keys()

    def on_resize(self) -> None:
        self._show_facts()

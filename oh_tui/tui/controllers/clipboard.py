"""Copying to the terminal's clipboard: after `y` one more key says what, of the step under the
cursor or of the range selected; ctrl+c copies the text selected with the mouse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from oh_tui.api.models import bare_id
from oh_tui.text.clean import clean, redact
from oh_tui.text.human import plural, size
from oh_tui.trajectory.content.blocks import command_text, json_text, output_text
from oh_tui.trajectory.content.markdown import step_markdown
from oh_tui.trajectory.model.steps import Step
from oh_tui.tui.keys import COPY_KEYS
from oh_tui.tui.widgets.bars import Question

if TYPE_CHECKING:
    from textual.screen import Screen

    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.model.steps import Trajectory
    from oh_tui.tui.controllers.web_pages import WebPages
    from oh_tui.tui.panes import ShownRun, Steps
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

MOST = 1000
"""Steps copied at once; terminals refuse much more."""

PATIENCE = 0.3
"""Seconds after which it is told that the text is still being made."""

_GAPS = {"m": "\n", "j": ",\n"}
"""What stands between the texts of several steps; a new line for all others."""

_Asked = tuple[str, str]
"""The text, "" when there is no such thing, and what it is, in words."""


def copy_selection(screen: Screen[Any]) -> str:
    """Copy the text selected with the mouse on a screen. Returns what to tell of it, "" when no
    text is selected. What is shown is clean and without keys already; a selection may join what
    was looked through in parts, so it is looked through once more."""
    text = redact(clean(screen.get_selected_text() or ""))
    if not text:
        screen.clear_selection()
        return ""
    screen.app.copy_to_clipboard(text)
    lines, characters = plural(text.count("\n") + 1, "line"), plural(len(text), "character")
    return f"copied {lines}, {characters}, to the terminal's clipboard"


class Clipboard:
    def __init__(
        self, session: Session, ui: Ui, steps: Steps, run: ShownRun, web_pages: WebPages
    ) -> None:
        self._session = session
        self._ui = ui
        self._steps = steps
        self._run = run
        self._web_pages = web_pages
        self._making: asyncio.Future[_Asked] | None = None
        """The text to be copied, as a thread makes it, and what it is."""

    def action_copy(self) -> None:
        self._run.show_target()
        if self._ui.is_preparing:  # `a y` is meant for the question of `a`, if one comes
            self._ui.tell("y came too early: nothing is asked yet")
        else:
            self._ui.work_on("ask", self.copy)

    async def copy(self) -> None:
        """Ask what to copy, and copy it."""
        session, ui = self._session, self._ui
        conversation = session.target()
        selected = self._steps.range
        answers = [(key, label, key) for key, label, _ in COPY_KEYS]
        if session.saved:
            answers.append(("p", "path of the download", "p"))
        title = f"Copy {self._steps.range_words}".rstrip()
        answer = await ui.ask(Question(title, [], answers, "nothing", harmless=True))
        if not answer:
            return
        ui.cancel("copy")  # what is asked for last comes last
        if answer == "l":
            self._web_pages.copy_address(conversation)
            return
        if answer in _MAKERS and conversation and not await self._run.is_there(conversation):
            return
        if selected and selected[1] - selected[0] >= MOST:
            ui.tell(f"more than {MOST:,} steps are too many to copy: oh-tui export does it")
            return
        ui.work_on("copy", self._send, self._asked_for(answer, conversation))

    async def _send(self, make: Callable[[], _Asked]) -> None:
        """A thread makes it: a megabyte takes a part of a second, and no key is to wait for that.
        One thread at a time: those that were left would take the processor from the screen."""
        loop = asyncio.get_running_loop()
        waits = loop.call_later(PATIENCE, self._ui.tell, "making what is copied … esc stops")
        try:
            while self._making is not None and not self._making.done():
                await asyncio.wait([self._making])
            self._making = loop.run_in_executor(None, _cleaned, make)
            # Retrieve the exception; the worker may be cancelled.
            self._making.add_done_callback(lambda done: done.cancelled() or done.exception())
            text, what = await asyncio.shield(self._making)
        finally:
            waits.cancel()
        if not text:
            self._ui.tell("this step has no such thing")
            return
        self._ui.copy(text)
        self._ui.tell(f"{what} sent to the terminal's clipboard, {size(len(text))}")

    def _asked_for(self, answer: str, conversation: Conversation | None) -> Callable[[], _Asked]:
        """What makes the text, of what is selected now."""
        current, trajectory = self._steps.current, self._steps.trajectory
        if answer == "i":
            identifier = bare_id(conversation.id) if conversation else ""
            return lambda: (identifier, "the conversation's id was")
        if answer == "p":
            path = str(self._session.saved or "")
            return lambda: (path, "the path was")
        if current is None or trajectory is None:
            return lambda: ("", "")
        steps = self._selected(trajectory)
        if answer == "j" and not steps:
            return lambda: (json_text(Step(0, current[1])), "the event as JSON was")
        return partial(_text_of, steps, answer, _MAKERS[answer](trajectory))

    def _selected(self, trajectory: Trajectory) -> list[Step]:
        """The steps of the range, or the one under the cursor. Those that a filter hides are not
        copied."""
        selected, current = self._steps.range, self._steps.current
        if selected is None:
            return [current[0]] if current and current[0] else []
        filtered = self._steps.filtered
        shown = None if filtered is None else set(filtered)
        numbers = range(selected[0], min(selected[1], len(trajectory)) + 1)
        return [trajectory.steps[n - 1] for n in numbers if shown is None or n in shown]


def _cleaned(make: Callable[[], _Asked]) -> _Asked:
    text, what = make()
    return clean(text), what


def _text_of(steps: list[Step], answer: str, make: Callable[[Step], str]) -> _Asked:
    texts = [text for text in map(make, steps) if text]
    text = _GAPS.get(answer, "\n").join(texts)
    if answer == "j" and len(texts) > 1:
        text = f"[\n{text}\n]"
    name = next(label for key, label, _ in COPY_KEYS if key == answer)
    if len(texts) > 1:
        many = {"c": "the commands", "o": "the outputs"}.get(answer)
        of = f"of {plural(len(texts), 'step')}"
        return text, f"{many} {of} were" if many else f"the {name} {of} was"
    return text, f"the {name} was"


def _markdown(trajectory: Trajectory) -> Callable[[Step], str]:
    return lambda step: step_markdown(step, trajectory.outcome(step), numbered=trajectory.complete)


_MAKERS: dict[str, Callable[[Trajectory], Callable[[Step], str]]] = {
    "c": lambda _: command_text,
    "o": lambda _: output_text,
    "j": lambda _: json_text,
    "m": _markdown,
}

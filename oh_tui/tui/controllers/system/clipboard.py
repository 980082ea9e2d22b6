"""Copying to the terminal's clipboard: `y` and a second key copy a part of the step under the
cursor or of the selected range; ctrl+c copies the text selected with the mouse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.clean import clean
from oh_tui.text.human import plural, size
from oh_tui.text.redact import redact, safe
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.block import json_pretty
from oh_tui.trajectory.presentation.blocks import command_text, json_text, output_text
from oh_tui.trajectory.presentation.markdown import step_markdown
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.target import NOT_READ, TargetRun
from oh_tui.tui.keys import COPY_KEYS
from oh_tui.tui.state import context_rows
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from textual.screen import Screen

    from oh_tui.trajectory.findings.study import Study
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.controllers.system.web_pages import WebPages
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

MOST = 1000
"""Steps copied at once; terminals refuse much more."""

PATIENCE = 0.3
"""Seconds before showing that the text is still being prepared."""

_Asked = tuple[str, str]
"""The text, "" when the step has no such part, and a description of it."""


def copy_selection(screen: Screen[object]) -> str:
    """Copy the text selected with the mouse, cleaned as a whole; a message, "" without any."""
    text = safe(screen.get_selected_text() or "")
    if not text:
        screen.clear_selection()
        return ""
    screen.app.copy_to_clipboard(text)
    lines, characters = plural(text.count("\n") + 1, "line"), plural(len(text), "character")
    return f"copied {lines}, {characters}, to the terminal's clipboard"


class Clipboard(Controller):
    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun
    _web_pages: WebPages
    _making: asyncio.Future[_Asked] | None = None

    def action_copy(self) -> None:
        self._run.show_target()
        self._ask()

    def action_context(self) -> None:
        """Copy all messages that the model saw when it made the step under the cursor."""
        self._run.act(self._copy_context)

    def _copy_context(self) -> None:
        study, sub = self._steps.study, self._steps.sub_step_here
        if study is None:
            raise NotNow(NOT_READ)
        make = partial(_context_json, study, self._steps.step_here)
        if sub is not None:
            make = partial(_context_json, sub.run, sub.step.number)
        self._ui.cancel("copy")
        self._ui.work_on("copy", self._send, make)

    @in_worker("ask", opens=False)
    async def _ask(self) -> None:
        session, ui = self._session, self._ui
        conversation = session.target()
        selected = self._steps.range
        answers = [Answer(label, key, key) for key, label, _ in COPY_KEYS]
        if self._bodies.hit_line and not selected:
            answers.append(Answer("line found", "f", "f"))
        if session.saved:
            answers.append(Answer("path of the download", "p", "p"))
        title = f"Copy {self._steps.range_words}".rstrip()
        answer = await ui.ask(Question(title, [], answers, "cancel", harmless=True))
        if not answer:
            return
        ui.cancel("copy")  # the latest request wins
        if answer == "l":
            self._web_pages.copy_address(conversation)
            return
        if answer in _MAKERS and conversation and not await self._run.is_there(conversation):
            return
        if selected and selected[1] - selected[0] >= MOST:
            raise NotNow(
                f"more than {MOST:,} steps cannot be copied at once: oh-tui export writes them"
            )
        ui.work_on("copy", self._send, self._asked_for(answer, conversation))

    async def _send(self, make: Callable[[], _Asked]) -> None:
        """Prepare the text in a thread, as a megabyte takes a while; in one at a time, as abandoned
        ones would take the processor from the screen."""
        loop = asyncio.get_running_loop()
        waits = loop.call_later(PATIENCE, self._ui.tell, "preparing the text … esc stops")
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
            self._ui.tell("this step has no such part")
            return
        self._ui.copy(text)
        self._ui.tell(f"{what} sent to the terminal's clipboard, {size(len(text))}")

    def _asked_for(self, answer: str, conversation: Conversation | None) -> Callable[[], _Asked]:
        current, trajectory = self._steps.current, self._steps.trajectory
        if current and self._steps.range is None:
            trajectory = self._steps.run_of(current[0])
        if answer == "i":
            identifier = bare_id(conversation.id) if conversation else ""
            return lambda: (identifier, "the conversation's id was")
        if answer == "f":
            # shown text is without keys, but a line may join parts that were looked at alone
            line = redact(self._bodies.hit_line)
            return lambda: (line, "the line was")
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
        """The steps of the range that no filter hides, or the one under the cursor."""
        selected, current = self._steps.range, self._steps.current
        if selected is None:
            return [current[0]] if current and current[0] else []
        filtered = self._steps.filtered
        shown = None if filtered is None else set(filtered)
        numbers = range(selected[0], min(selected[1], len(trajectory)) + 1)
        return [trajectory.steps[n - 1] for n in numbers if shown is None or n in shown]


def _context_json(study: Study, step: int) -> _Asked:
    """The context of the answer that made a step, or of the nearest one."""

    def make() -> _Asked:
        contexts = study.contexts
        answer = contexts.of(step) or contexts.nearest(step)
        if answer is None:
            return "", ""
        text = json_pretty(contexts.at(answer).dump())
        return text, f"the context of step {answer.step:,} as JSON was"

    return context_rows.alone(make)


def _cleaned(make: Callable[[], _Asked]) -> _Asked:
    text, what = make()
    return clean(text), what


def _text_of(steps: list[Step], answer: str, make: Callable[[Step], str]) -> _Asked:
    texts = [text for text in map(make, steps) if text]
    text = "\n".join(texts)
    if answer == "j" and len(texts) > 1:
        text = "[\n" + ",\n".join(texts) + "\n]"
    name = next(label for key, label, _ in COPY_KEYS if key == answer)
    if len(texts) > 1:
        many = {"c": "the commands", "o": "the outputs"}.get(answer)
        of = f"of {plural(len(texts), 'step')}"
        return text, f"{many} {of} were" if many else f"the {name} {of} was"
    return text, f"the {name} was"


_MAKERS: dict[str, Callable[[Trajectory], Callable[[Step], str]]] = {
    "c": lambda _: command_text,
    "o": lambda _: output_text,
    "j": lambda _: json_text,
    "m": lambda run: lambda step: step_markdown(step, run.outcome(step), numbered=run.complete),
}

"""Copying to the terminal's clipboard: after `y` one more key says what, of the step under the
cursor or of the range selected; ctrl+c copies the text selected with the mouse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from oh_tui.api.models import bare_id
from oh_tui.human import plural, size
from oh_tui.text import clean, redact
from oh_tui.trajectory.blocks import command_text, json_text, output_text
from oh_tui.trajectory.markdown import step_markdown
from oh_tui.trajectory.steps import Step
from oh_tui.tui.keys import COPY_KEYS
from oh_tui.tui.target import run_is_there
from oh_tui.tui.widgets.bars import Question

if TYPE_CHECKING:
    from textual.screen import Screen

    from oh_tui.api.models import Conversation
    from oh_tui.tui.main_screen import MainScreen

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


async def copy(screen: MainScreen) -> None:
    session = screen.session
    conversation = session.target()
    selected = screen.timeline.range
    answers = [(key, label, key) for key, label, _ in COPY_KEYS]
    if session.saved:
        answers.append(("p", "path of the download", "p"))
    title = f"Copy {screen.timeline.range_words}".rstrip()
    answer = await screen.ask(Question(title, [], answers, "nothing", harmless=True))
    if not answer:
        return
    screen.cancel("copy")  # what is asked for last comes last
    if answer == "l":
        screen.web_pages.copy_address(conversation)
        return
    if answer in _MAKERS and conversation and not await run_is_there(screen, conversation):
        return
    if selected and selected[1] - selected[0] >= MOST:
        screen.tell(f"more than {MOST:,} steps are too many to copy: oh-tui export does it")
        return
    screen.work_on("copy", _send, screen, _asked_for(screen, answer, conversation))


async def _send(screen: MainScreen, make: Callable[[], _Asked]) -> None:
    """A thread makes it: a megabyte takes a part of a second, and no key is to wait for that. One
    thread at a time: those that were left would take the processor from the screen."""
    loop = asyncio.get_running_loop()
    waits = loop.call_later(PATIENCE, screen.footer.tell, "making what is copied … esc stops")
    try:
        while screen.copy_made is not None and not screen.copy_made.done():
            await asyncio.wait([screen.copy_made])
        screen.copy_made = loop.run_in_executor(None, _cleaned, make)
        # nobody may be left to take its error
        screen.copy_made.add_done_callback(lambda done: done.cancelled() or done.exception())
        text, what = await asyncio.shield(screen.copy_made)
    finally:
        waits.cancel()
    if not text:
        screen.tell("this step has no such thing")
        return
    screen.app.copy_to_clipboard(text)
    screen.tell(f"{what} sent to the terminal's clipboard, {size(len(text))}")


def _cleaned(make: Callable[[], _Asked]) -> _Asked:
    text, what = make()
    return clean(text), what


def _asked_for(
    screen: MainScreen, answer: str, conversation: Conversation | None
) -> Callable[[], _Asked]:
    """What makes it, of what is selected now."""
    current = screen.timeline.current
    if answer == "i":
        identifier = bare_id(conversation.id) if conversation else ""
        return lambda: (identifier, "the conversation's id was")
    if answer == "p":
        path = str(screen.session.saved or "")
        return lambda: (path, "the path was")
    if current is None:
        return lambda: ("", "")
    steps = _steps(screen)
    if answer == "j" and not steps:
        return lambda: (json_text(Step(0, current[1])), "the event as JSON was")
    return partial(_text_of, steps, answer, _MAKERS[answer](screen))


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


def _steps(screen: MainScreen) -> list[Step]:
    """The steps meant; those that a filter hides are not."""
    timeline = screen.timeline
    selected, trajectory = timeline.range, timeline.trajectory
    if trajectory is None or timeline.current is None:
        return []
    if selected is None:
        step = timeline.current[0]
        return [step] if step else []
    shown = None if timeline.filtered is None else set(timeline.filtered)
    numbers = range(selected[0], min(selected[1], len(trajectory)) + 1)
    return [trajectory.steps[n - 1] for n in numbers if shown is None or n in shown]


def _markdown(screen: MainScreen) -> Callable[[Step], str]:
    trajectory = screen.timeline.trajectory
    assert trajectory is not None
    return lambda step: step_markdown(step, trajectory.outcome(step), numbered=trajectory.complete)


_MAKERS: dict[str, Callable[[MainScreen], Callable[[Step], str]]] = {
    "c": lambda screen: command_text,
    "o": lambda screen: output_text,
    "j": lambda screen: json_text,
    "m": _markdown,
}

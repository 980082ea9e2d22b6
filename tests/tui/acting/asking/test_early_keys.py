"""A question ignores keys typed before it was drawn, and those that follow closely; a field keeps
such text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from starlette.responses import Response
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Static

from oh_tui.demo.catalog import ENTRIES
from oh_tui.tui.platform.key_queue import FrameShown
from oh_tui.tui.screens.ask import AskScreen
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.screens.start.screen import StartScreen
from oh_tui.tui.widgets.question_bar import Answer, Question
from tests.tui.acting.test_answering import (
    CUT,
    FLAKY,
    LEDGER,
    OAUTH,
    RUN,
    SEND,
    SPLIT,
    opened,
    told,
    writing,
)
from tests.tui.acting.test_key_queue import Opens, burst
from tests.tui.explorer import Between, Explorer, explore

PAUSE = "POST /api/v1/sandboxes/*/pause"
BASH = "POST /runtime/*/api/bash/*"
ASK = "POST */ask_agent"
START = "POST /api/v1/app-conversations"
RESUME = "POST /api/v1/sandboxes/*/resume"


@dataclass
class Slow:
    """A terminal that does not take frames until it is let to."""

    it: Explorer
    frames: list[FrameShown] = field(default_factory=list)

    def release(self) -> None:
        for frame in self.frames:
            self.it.app.post_message(frame)
        self.frames.clear()

    async def early(self, *keys: str) -> None:
        """Keys that are handled while the frame is on its way."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            self.it.input(events.Key(name, key if len(key) == 1 else None), after=0.1)
            for _ in range(6):
                await self.it.pilot.pause(0)


@contextmanager
def slow(it: Explorer) -> Iterator[Slow]:
    terminal = Slow(it)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(it.app, "mark_frame", terminal.frames.append)
        yield terminal


def in_field(it: Explorer) -> str:
    """What is written in the field that is open."""
    if it.screen.asking.editor:
        return it.screen.asking.editor.text
    return it.screen.asking.find_input.value if it.screen.asking.is_typing else ""


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("title", "key", "answer", "sends"),
    [
        (OAUTH, "a", ("y", "enter"), RUN),
        (FLAKY, "P", ("f", "enter"), CUT),
        (FLAKY, "p", ("f", "enter"), PAUSE),
        (FLAKY, "p", ("enter",), "POST /runtime/*/pause"),
    ],
)
async def test_what_came_before_the_question_and_what_follows_is_ignored_and_told(
    title: str, key: str, answer: tuple[str, ...], sends: str
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, title)
        with slow(it) as terminal:
            await terminal.early(key)
            await it.until(lambda: it.screen.asking.question_bar.display and terminal.frames)
            await terminal.early(*answer, *answer)
            bar, many = it.screen.asking.question_bar, 2 * len(answer)
            assert bar.display and between.count("POST *") == 0
            terminal.release()
            await it.until(lambda: bar.is_seen)
            words = f"Ignored {many} keys typed before this question"
            await it.until(lambda: words in it.text("#question"))
            await terminal.early(*answer)  # it is seen by now, but the hands have not rested
            assert bar.display and between.count("POST *") == 0
            words = f"Ignored {many + len(answer)} keys: "
            await it.until(lambda: f"{words}wait a moment, then answer" in it.text("#question"))
            await it.until(lambda: f"{words}now answer" in it.text("#question"))
        await it.send(*answer)
        await it.until(lambda: between.count(sends) == 1)
        it.demo.advance(60)
        await it.settle()


async def test_esc_refuses_what_a_terminal_too_small_does_not_show() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await it.pilot.resize_terminal(40, 10)
        notice = it.screen.query_one("#too-small", Static)
        assert str(notice.content) == "oh-tui needs 60 columns and 16 rows"
        await it.press("a")
        await it.until(lambda: it.screen.ui.is_asking)
        await it.until(lambda: str(notice.content).endswith("\na question waits · esc: later"))
        await Slow(it).early("y")
        assert it.screen.ui.is_asking and between.count("POST *") == 0
        await Slow(it).early("escape")
        await it.until(lambda: not it.screen.ui.is_asking)
        await it.until(lambda: "waits" not in str(notice.content))
        assert between.count("POST *") == 0


async def test_quitting_is_asked_like_all_else() -> None:
    async with explore() as it:
        await opened(it, LEDGER)
        await writing(it)
        await it.type("half a thought")
        await it.press("escape")
        with slow(it) as terminal:
            await terminal.early("q")
            await it.until(lambda: it.screen.asking.question_bar.display and terminal.frames)
            await terminal.early("enter")
            assert it.app._exit is False
            terminal.release()
            await it.until(lambda: "Ignored 1 key typed before this" in it.text("#question"))
        await it.press("escape")


async def test_the_question_before_a_message_takes_no_early_key_either() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await writing(it)
        await it.type("on a branch")
        await it.seen()
        with slow(it) as terminal:
            await terminal.early("ctrl+s")
            await it.until(lambda: it.screen.asking.question_bar.display and terminal.frames)
            await terminal.early("a", "y", "enter")
            assert between.count("POST *") == 0
            terminal.release()
            await it.until(lambda: "Ignored 3 keys typed before this" in it.text("#question"))
        await it.press("escape", "escape")


async def test_each_question_is_waited_for_anew() -> None:
    async with explore() as it:
        screen, given = it.screen, []

        async def ask() -> None:
            given.append(await screen.ui.ask(Question("1", [], [Answer("yes", "first")])))
            given.append(await screen.ui.ask(Question("2", [], [Answer("yes", "second")])))

        screen.run_worker(ask(), group="ask")
        await it.until(lambda: screen.asking.question_bar.is_seen)
        with slow(it) as terminal:
            await terminal.early("y")
            await it.until(lambda: given == ["first"] and terminal.frames)
            await terminal.early("y")
            assert given == ["first"]
            terminal.release()
            await it.until(lambda: "Ignored 1 key typed before this" in it.text("#question"))
        await it.send("y")
        await it.until(lambda: given == ["first", "second"])


async def test_what_is_not_drawn_for_want_of_room_is_not_answered() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await it.pilot.resize_terminal(40, 10)
        with slow(it) as terminal:
            await terminal.early("a")
            await it.until(lambda: it.screen.asking.question_bar.question)
            await terminal.early("y", "y", "y")
            assert between.count("POST *") == 0
            await it.pilot.resize_terminal(120, 36)
            terminal.release()
        await it.press("escape")


async def test_a_menu_that_only_copies_takes_its_key_at_once() -> None:
    async with explore() as it:
        await opened(it, OAUTH)
        with slow(it):
            burst(it, "y", "i")
            await it.until(lambda: "sent to the terminal's clipboard" in it.footer)


async def test_a_yes_while_the_agent_is_asked_how_it_stands_is_for_the_question() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        gate = between.hold("GET /api/v1/app-conversations*")
        await it.send("a")
        await it.until(lambda: it.screen.ui.preparations.active)
        await it.send("y")
        assert "1 key is waiting until this opens · esc stops" in it.footer
        assert not it.screen.ui.is_asking
        gate.set()
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        await it.until(lambda: "Ignored 1 key typed before this" in it.text("#question"))
        assert "approve" in it.text("#question") and between.count("POST *") == 0
        await it.press("escape")


async def test_a_yes_before_what_asks_nothing_is_dropped_beside_the_reason() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, LEDGER)
        gate = between.hold("GET /api/v1/app-conversations*")
        await it.send("P")
        await it.until(lambda: it.screen.ui.preparations.active)
        await it.send("y")
        gate.set()
        await it.until(lambda: "it did not open: ignored 1 key typed for it" in it.footer)
        assert "the agent has finished" in it.footer and not it.text("#question")
        assert not it.screen.ui.is_asking


# Fields


@pytest.mark.parametrize(("key", "lands"), [("m", "no tests yet"), ("/", "no tests yet")])
async def test_text_typed_ahead_is_in_its_field_however_slow_the_server(
    key: str, lands: str
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, LEDGER)
        gate = between.hold("GET /api/v1/app-conversations*")
        burst(it, key, *lands)

        await it.until(lambda: in_field(it) == lands)
        assert between.count("POST *") == 0
        gate.set()
        await it.press("escape")


async def test_a_message_is_sent_by_a_key_that_came_after_its_field() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, LEDGER)
        with slow(it) as terminal:
            burst(it, "m", *"go on", "ctrl+s")
            await it.until(
                lambda: it.screen.asking.editor and it.screen.asking.editor.text == "go on"
            )
            await it.until(lambda: "ctrl+s came too early" in it.text("EditorKeys"))
            assert between.count("POST *") == 0
            await it.until(lambda: terminal.frames)
            terminal.release()
        await it.send("ctrl+s")
        await it.until(lambda: between.count(SEND) == 1)
        await it.settle()


@pytest.mark.parametrize(
    ("key", "screen", "typed", "sent"),
    [("exclamation_mark", ShellScreen, "ls", BASH), ("A", AskScreen, "why", ASK)],
)
async def test_what_is_typed_ahead_is_sent_by_a_key_that_came_after_its_line(
    key: str, screen: type[ShellScreen | AskScreen], typed: str, sent: str
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        with slow(it) as terminal:
            await it.send(key)
            await it.until(lambda: isinstance(it.app.screen, screen) and terminal.frames)
            await terminal.early(*typed, "enter")
            view = it.app.screen
            assert isinstance(view, screen)
            await it.until(lambda: "enter came too early" in it.text_of(view.footer))
            assert view.line.value == typed and between.count(sent) == 0
            terminal.release()
            await it.until(lambda: view.line.is_seen)
            await terminal.early("enter")  # the hands have not rested since
            assert view.line.value == typed and between.count(sent) == 0
        await it.send("enter")
        await it.until(lambda: between.count(sent) == 1)


async def test_a_start_typed_ahead_waits_for_a_key_that_came_after_the_form() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        with slow(it) as terminal:
            await it.send("ctrl+n")
            await it.until(lambda: isinstance(it.app.screen, StartScreen) and terminal.frames)
            await terminal.early("g", "o", "ctrl+s")
            form = it.app.screen
            assert isinstance(form, StartScreen)
            assert "ctrl+s came too early" in form.message and form.text.text == "go"
            assert between.count(START) == 0
            terminal.release()
            await it.until(lambda: form.text.is_seen)
        await it.send("escape")


# Pastes


async def test_a_paste_outside_a_field_does_nothing_and_says_so() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        it.app.post_message(events.Paste("a\ny\nq\n"))
        await it.until(lambda: "pasting does nothing here" in it.footer)
        it.screen.footer.clear()
        await it.send("a")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        it.app.post_message(events.Paste("y"))
        await it.until(lambda: "pasting does nothing here" in it.footer)
        assert it.screen.asking.question_bar.display and between.count("POST *") == 0
        await it.press("escape")


@pytest.mark.parametrize("key", ["/", "m"])
async def test_a_paste_into_a_field_is_no_news(key: str) -> None:
    async with explore() as it:
        await opened(it, LEDGER)
        burst(it, key)
        it.app.post_message(events.Paste("pytest"))

        await it.until(lambda: in_field(it) == "pytest")
        assert "pasting does nothing" not in told(it)
        await it.press("escape")


# Frames among keys that are dropped


async def test_a_frame_is_told_of_though_the_keys_before_it_were_for_what_never_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oh_tui.tui.platform.key_queue.OPENS", 0.1)
    app, shown = Opens(60.0), asyncio.Event()
    async with app.run_test():
        app.post_message(events.Key("x", "x"))
        app.post_message(events.Key("p", "p"))
        app.post_message(FrameShown(shown.set))
        async with asyncio.timeout(60):
            await shown.wait()
        assert "command" not in app.done


# What opens after a call


SERVER = "GET /api/v1/app-conversations*"


async def test_what_is_typed_for_the_shell_waits_for_its_line() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        gate = between.hold(SERVER)
        burst(it, "!", *"ls")
        await it.until(lambda: "2 keys are waiting until this opens · esc stops" in it.footer)
        assert not it.screen.ui.is_asking and between.count("POST *") == 0
        gate.set()
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        shell = it.app.screen
        assert isinstance(shell, ShellScreen)
        await it.until(lambda: shell.line.value == "ls")


async def test_esc_stops_what_keys_wait_for_and_drops_them() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        between.hold(SERVER)
        burst(it, "!", *"ls")
        await it.until(lambda: "2 keys are waiting" in it.footer)
        burst(it, "escape")
        await it.until(lambda: not it.screen.ui.preparations.active)
        assert "2 keys" not in it.footer
        await it.press("s")
        await it.until(lambda: it.screen.asking.question_bar.display)
        assert len(it.app.screen_stack) == 1
        await it.press("escape")


async def test_what_was_typed_for_what_does_not_open_does_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        between.answers[SERVER] = lambda: Response("", 404)
        gate = between.hold(SERVER)
        burst(it, "!", *"ls")
        await it.until(lambda: "2 keys are waiting" in it.footer)
        gate.set()
        await it.until(lambda: "it did not open: ignored 2 keys typed for it" in told(it))
        assert not it.screen.ui.is_asking and len(it.app.screen_stack) == 1


async def test_a_key_for_a_sleeping_sandbox_does_not_resume_it() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.world.pause(next(e.sandbox_id for e in ENTRIES if e.title == SPLIT))
        it.demo.advance(5)
        await opened(it, SPLIT)
        gate = between.hold(SERVER)
        with slow(it) as terminal:
            burst(it, "!", "enter")
            await it.until(lambda: "1 key is waiting" in it.footer)
            gate.set()
            await it.until(lambda: it.screen.asking.question_bar.display and terminal.frames)
            terminal.release()
            await it.until(lambda: "Ignored 1 key typed before this" in it.text("#question"))
        assert between.count("POST *") == 0
        await it.press("escape")


async def asked_to_resume(it: Explorer) -> None:
    """`!` asks whether to resume a sandbox that sleeps, as others may be paused for it."""
    it.demo.world.pause(next(e.sandbox_id for e in ENTRIES if e.title == SPLIT))
    it.demo.advance(5)
    await opened(it, SPLIT)
    bar = it.screen.asking.question_bar
    await it.send("exclamation_mark")
    await it.until(lambda: bar.is_seen and bar.question and "Resume" in bar.question.title)


async def test_what_is_typed_while_the_sandbox_resumes_waits_for_the_shell() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await asked_to_resume(it)
        gate = between.hold(RESUME)
        burst(it, "enter", *"ls")
        await it.until(lambda: between.count(RESUME) == 1)
        assert not it.screen.ui.is_asking and len(it.app.screen_stack) == 1
        gate.set()
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        await it.until(lambda: written(it) == "ls")


async def test_esc_while_the_sandbox_resumes_gives_the_keys_back_at_once() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await asked_to_resume(it)
        gate = between.hold(RESUME)
        burst(it, "enter", *"ls")
        await it.until(lambda: between.count(RESUME) == 1)
        await it.send("escape")
        await it.until(
            lambda: "the sandbox is being resumed; the outcome appears here" in it.footer
        )
        await it.send("s")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("escape")
        gate.set()
        await it.until(lambda: not it.screen.session.changing)
        await it.settle()
        assert len(it.app.screen_stack) == 1 and not it.screen.ui.is_asking


async def test_keys_wait_for_the_question_that_the_editor_announced() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        await writing(it)
        await it.type("on a branch")
        await it.seen()
        await it.until(lambda: "you answer the pending calls first" in it.text("Editor Rule"))
        gate = between.hold(SERVER)
        burst(it, "ctrl+s", "a", "y", "enter")
        await it.until(lambda: "3 keys are waiting until this opens" in it.footer)
        assert not it.screen.ui.is_asking
        gate.set()
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        await it.until(lambda: "Ignored 3 keys typed before this" in it.text("#question"))
        assert between.count("POST *") == 0
        await it.press("escape", "escape")


async def test_a_menu_that_is_clicked_takes_the_place_of_what_is_prepared() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, OAUTH)
        gate = between.hold(SERVER)
        await it.send("a")
        await it.until(lambda: it.screen.ui.preparations.active)
        await it.screen.run_action("clipboard.copy")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        assert not it.screen.ui.preparations.active
        await it.send("i")
        await it.until(lambda: "sent to the terminal's clipboard" in it.footer)
        gate.set()
        await it.settle()
        assert not it.screen.ui.is_asking


async def test_keys_wait_for_what_the_palette_opens() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await opened(it, FLAKY)
        gate = between.hold(SERVER)
        it.screen.controllers.workspaces.action_get()
        await it.until(lambda: it.screen.ui.preparations.active)
        burst(it, *"/x")
        await it.until(lambda: "2 keys are waiting" in it.footer)
        gate.set()
        await it.until(lambda: in_field(it).endswith("/x"))
        await it.press("escape")


def written(it: Explorer) -> str:
    """What is written in the field that has the focus."""
    field = it.app.focused
    return str(getattr(field, "text", getattr(field, "value", "")))


@pytest.mark.parametrize("key", ["ctrl+n", "*"])
async def test_a_text_typed_with_the_key_that_opens_its_screen_is_in_the_field(
    key: str,
) -> None:
    async with explore() as it:
        await opened(it, LEDGER)
        burst(it, key, *"sp p")
        await it.until(lambda: written(it) == "sp p")
        assert not it.screen.asking.is_asking

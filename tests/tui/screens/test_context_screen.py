"""The view of what the model saw: its messages, what was forgotten, differences, find and copy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

import oh_tui.tui.app
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.screens.context.parts import LABEL
from oh_tui.tui.screens.context.screen import ContextScreen
from oh_tui.tui.theme import DARK, LIGHT
from oh_tui.tui.widgets.drawing import Drawn
from tests.demo_runs import demo_run
from tests.trajectory.made import event, message, output, shell
from tests.tui.explorer import LONGEST, NAMES, explore
from tests.tui.run.test_sub_agents import opened


class Small(App[None]):
    CSS_PATH = str(Path(oh_tui.tui.app.__file__).with_name("app.tcss"))

    def __init__(
        self,
        run: Trajectory,
        step: int,
        *,
        ascii: bool,
        version: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "oh-dark"
        self.set_class(ascii, "-ascii")
        event_id = run.steps[step - 1].event.id if step else ""
        self.shown = ContextScreen("Dates", event_id, version=version)
        self.study = Study(run)
        self.answers: list[int | None] = []
        self.copied: list[str] = []

    def on_mount(self) -> None:
        self.shown.show_study(self.study)
        self.push_screen(self.shown, self.answers.append)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


@dataclass
class View:
    app: Small
    pilot: Pilot[None]

    @property
    def screen(self) -> ContextScreen:
        return self.app.shown

    async def settle(self) -> None:
        async with asyncio.timeout(LONGEST):
            await self.pilot.pause(0)
            while any(worker.is_running for worker in self.app.workers):
                await self.pilot.pause(0.005)
        await self.pilot.pause(0)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(NAMES.get(key, key))
            await self.settle()

    def lines(self, widget: Drawn) -> list[str]:
        return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]

    @property
    def rows(self) -> list[str]:
        return self.lines(self.screen.list)

    @property
    def row(self) -> str:
        """The one under the cursor."""
        return next(row for row in self.rows if row[:1] in ("▌", ">"))

    @property
    def all(self) -> str:
        """Every row, also those out of sight."""
        rows = self.screen.list
        texts = (rows.pieces(row, 180) for row in range(rows.row_count()))
        return "\n".join("".join(text for text, _ in pieces).rstrip() for pieces in texts)

    @property
    def head(self) -> str:
        return self.lines(self.screen.rule)[0]

    @property
    def rule(self) -> str:
        return self.lines(self.screen.list_rule)[0]

    @property
    def text(self) -> str:
        return "\n".join(self.lines(self.screen.text.body))

    @property
    def footer(self) -> str:
        return self.lines(self.screen.footer)[0]


@asynccontextmanager
async def look(
    run: Trajectory,
    step: int = 0,
    size: tuple[int, int] = (140, 40),
    *,
    ascii: bool = False,
    version: Callable[[], Awaitable[str]] | None = None,
) -> AsyncIterator[View]:
    app = Small(run, step, ascii=ascii, version=version)
    async with app.run_test(size=size) as pilot:
        view = View(app, pilot)
        await view.settle()
        yield view


def made(*events: object) -> Trajectory:
    run = Trajectory()
    run.extend(events)  # type: ignore[arg-type]
    return run


async def test_the_messages_of_an_answer_what_is_new_and_what_was_forgotten() -> None:
    async with look(demo_run("week-dates"), 58, (160, 40)) as it:
        assert "Context  step 58  $ python -m dates 2021-W53-1 --explain" in it.head
        assert "34.4k of 200k tokens, 17% · 34.3k cached · 28 messages " in it.head
        fill = it.lines(it.screen.fill_line)[0]
        assert fill.count("≈") == 2 and "≈ condensed at 47: 83 events forgotten" in fill
        assert "2 new since step 57 · forgotten hidden (x)" in it.rule
        assert it.row.split()[:2] == ["▌+", "result"]
        assert "4 files changed, 29 insertions(+), 1 deletion(-)" in it.row
        assert it.row.endswith("step 57")
        assert " src/dates/parse.py     | 19 ++++" in it.text
        assert "[The command completed with exit code 0.]" in it.text
        assert "╎" not in it.all
        tools = next(row for row in it.all.splitlines() if row.startswith("  tools"))
        assert "terminal, file_editor" in tools and "the parameters of the tools are not" in tools
        summary = next(row for row in it.all.splitlines() if row.startswith("≈"))
        assert summary.split()[1:4] == ["user", "652", "chars"]
        assert "in place of steps 2-43" in summary

        await it.press("x")
        assert it.all.count("╎") == 82 and "forgotten at" not in it.all
        assert it.row.endswith("step 57"), "the cursor stays at the end"
        rows = it.all.splitlines()
        first = next(n for n, row in enumerate(rows) if row.startswith("╎"))
        assert rows[first - 1].startswith("≈"), "in its place"
        await it.press("escape")
        assert "╎" not in it.all and not it.app.answers

        await it.press("g")
        assert it.row.split()[1] == "system"
        assert "You are a software engineer" in it.text
        await it.press("enter")
        assert "this is no step of the run" in it.footer
        await it.press("G", "k", "enter")
        assert it.app.answers == [57]


async def test_answers_before_and_after_their_difference_and_a_marked_one() -> None:
    async with look(demo_run("week-dates"), 46) as it:
        await it.press("[")
        assert "step 45" in it.head
        await it.press("]", "]")
        assert "step 48" in it.head, "47 is a condensation"
        await it.press("d")
        assert "Difference from step 46 to 48" in it.rule
        assert "3 came · 82 went · 5 the same" in it.rule
        rows = it.all.splitlines()
        assert rows[0].startswith("≈") and rows[1].startswith("- ")
        assert sum(row.startswith("- ") for row in rows) == 82
        assert [row[0] for row in rows[-2:]] == ["+", "+"]
        await it.press("]")
        assert "Difference from step 48 to 49" in it.rule
        await it.press("escape", "space", "]", "]", "]", "d")
        assert "Difference from step 49 to 52" in it.rule
        await it.press("d", "G", "space", "]", "[", "[")
        assert "step 52 marked" in it.rule and "step 51" in it.head
        columns = len(it.screen._fill.prompts)
        await it.pilot.click(it.screen.fill_line, offset=(len(LABEL) + columns - 1, 0))
        await it.settle()
        assert "step 61" in it.head
        await it.press("]")
        assert "no answer after this one" in it.footer
        await it.pilot.click(it.screen.fill_line, offset=(len(LABEL), 0))
        await it.settle()
        assert "step 2" in it.head
        await it.press("[")
        assert "no answer before this one" in it.footer
        await it.press("d", "d", "]", "space", "space", "[", "d")
        assert "this is the first answer" in it.footer
        await it.press("x")
        assert "nothing was forgotten before" in it.footer


async def test_find_copy_and_reading_whole_in_a_small_terminal() -> None:
    async with look(demo_run("week-dates"), 58, (80, 24)) as it:
        assert len(it.rows) >= 8 and it.screen.text.body.size.height >= 5
        assert "34.4k of 200k tokens" in it.head and "17%" in it.head
        height = it.screen.text.body.size.height
        await it.press("z")
        assert it.screen.text.body.size.height > height and not it.screen.list.display
        await it.press("escape")
        assert it.screen.list.has_focus
        await it.press("tab")
        assert it.screen.text.body.has_focus
        await it.press("tab", "g", "/", *"rolled", "enter")
        assert it.row.endswith("step 46") or "rolled" in it.text
        assert "rolled" in it.text
        first = it.screen.list.cursor
        await it.press("n")
        second = it.screen.list.cursor
        assert second != first and "rolled" in it.text
        await it.press("N")
        assert it.screen.list.cursor == first
        await it.press("/", "ctrl+u", *"no such words", "enter")
        assert "no message holds that text" in it.footer
        await it.press("escape")
        assert not it.screen.list.find_text and not it.app.answers
        await it.press("/", "escape", "G", "y")
        assert it.app.copied[-1].startswith(" CHANGELOG.md")
        assert "the message was sent to the terminal's clipboard" in it.footer
        await it.press("Y")
        copied = json.loads(it.app.copied[-1])
        assert len(copied) == 28 and copied[-1]["role"] == "tool"
        await it.press("V")
        assert it.app.answers == [None]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (made(message("m", "go")), "no model has answered"),
        (Trajectory(), "no model has answered"),
        (
            made(
                message("m", "go"),
                event("ACPToolCallEvent", "a", tool_call_id="a", title="ls", status="completed"),
            ),
            "the agent keeps its context itself",
        ),
    ],
    ids=["no answer", "nothing", "own context"],
)
async def test_where_there_is_no_context_one_sentence_says_so(run: Trajectory, told: str) -> None:
    async with look(run) as it:
        assert told in " ".join(it.rows)
        await it.press("[", "]", "x", "d", "space", "enter", "y", "Y", "/", "n", "z", "tab", "J")
        assert not it.app.answers
        await it.press("escape")
        assert it.app.answers == [None]


async def test_a_step_that_no_answer_made_shows_the_nearest() -> None:
    async with look(demo_run("week-dates"), 1) as it:
        assert "step 2" in it.head
        assert "no answer made step 1: the nearest is shown" in it.rule
        await it.press("]")
        assert "nearest" not in it.rule


async def test_the_answers_of_a_run_that_grows_can_be_reached() -> None:
    run = made(message("m", "go"), shell("a"), output("a"))
    async with look(run) as it:
        assert "step 2" in it.head
        run.extend([shell("b"), output("b"), shell("c")])
        it.app.study.update()
        it.screen.grown()
        await it.settle()
        assert "step 2" in it.head, "it stays where it was"
        await it.press("]", "]")
        assert "step 4" in it.head


async def test_older_events_that_come_leave_the_answer_that_is_shown() -> None:
    events = demo_run("week-dates").events
    newest = Trajectory(complete=False)
    newest.extend(events[-40:])
    last = newest.steps[-1].number
    async with look(newest, last) as it:
        assert f"step {last}" in it.head and last < 61
        it.screen.show_study(Study(demo_run("week-dates")))
        await it.settle()
        assert "step 61" in it.head


async def test_the_mouse_shows_what_was_forgotten_and_opens_a_step() -> None:
    async with look(demo_run("week-dates"), 58) as it:
        at = it.rule.index("forgotten hidden")
        await it.pilot.click(it.screen.list_rule, offset=(at, 0))
        await it.settle()
        assert "forgotten shown" in it.rule
        await it.pilot.click(it.screen.list, offset=(20, it.screen.list.size.height - 3), times=2)
        await it.settle()
        assert it.app.answers == [56]


async def test_what_the_events_do_not_tell_stands_in_a_line() -> None:
    run = Trajectory(complete=False)
    run.extend([message("m", "go"), shell("a"), output("a", "x" * 31_000), shell("b")])
    async with look(run, 3, ascii=True) as it:
        assert "tokens not known" in it.head and "0%" not in it.head
        assert "events before the first that was read are missing" in it.all
        assert "no system prompt is in the events" in it.all
        assert it.row.startswith(">+ result")
        await it.press("/", *"clipped", "enter")
        assert "response clipped" in it.text, "where the model saw it"
        page = "\n".join((*it.rows, it.head, it.rule, it.footer, it.text))
        assert all(line.isascii() for line in page.replace("·", "").replace("…", "").splitlines())


async def test_the_server_says_whose_rules_hold_and_no_key_waits_for_it() -> None:
    answers, asked = asyncio.Event(), 0

    async def version() -> str:
        nonlocal asked
        asked += 1
        await answers.wait()
        return "1.17.0"

    run = made(message("m", "go"), message("n", "on"), shell("a"), output("a"), shell("b"))
    app = Small(run, 0, ascii=False, version=version)
    async with app.run_test(size=(140, 40)) as pilot:
        it = View(app, pilot)
        async with asyncio.timeout(LONGEST):
            while not (asked and it.screen.list.row_count()):
                await pilot.pause(0.005)
        assert "  version: " in it.all
        joined = it.all.count("  user ")
        await pilot.press("G", "k")
        row = it.row
        answers.set()
        await it.settle()
        assert "  version: " not in it.all
        assert it.row == row, "the cursor stays on its message"
        assert it.all.count("  user ") == joined + 1, "messages of the user were not joined then"
        await it.press("[", "]")
        assert asked == 1


async def test_a_server_that_does_not_say_leaves_what_is_assumed() -> None:
    async def version() -> str:
        raise Problem("the sandbox is silent")

    async with look(made(message("m", "go"), shell("a")), version=version) as it:
        assert "  version: " in it.all


async def test_hostile_texts_and_secrets_are_shown_safely() -> None:
    key = "sk-ant-api03-" + "k" * 80
    run = made(
        message("m", f"[/b] \x1b]0;title\x07 {key}\nsecond"),
        shell("a", f"curl -H 'Authorization: Bearer {key}'"),
        output("a", f"\x1b[31mred\x1b[0m {key}"),
        shell("b"),
    )
    async with look(run, 3) as it:
        await it.press("G", "y", "g", *"jjj", "Y")
        shown = "\n".join((it.all, it.head, it.text, *it.app.copied))
        assert "[/b]" in shown and "red" in shown
        assert key not in shown and key[:20] not in shown
        assert "\x1b" not in shown and "\x07" not in shown


async def test_V_opens_it_for_the_step_under_the_cursor_and_enter_goes_to_a_step() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open("Parse ISO week dates")
        await it.press("k", "V")
        view = it.app.screen
        assert isinstance(view, ContextScreen)
        await it.until(lambda: view.list.row_count())
        await it.settle()
        at = it.screen.timeline.step_here
        assert f"step {at}" in it.text_of(view.rule)
        await it.press("k", "k", "enter")
        assert it.app.screen is it.screen
        assert it.screen.timeline.step_here == at - 2
        await it.press("ctrl+p")
        await it.find_command("copy context", "what the model saw at the step")
        await it.press("enter")
        await it.until(lambda: "the context of step" in it.footer)
        assert json.loads(it.app.clipboard)[0]["role"] == "system"


async def test_the_timeline_marks_what_the_model_no_longer_saw() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Parse ISO week dates")
        assert "╎ 83 events forgotten" in it.text("#timeline-rule")
        rows = it.text("#timeline").splitlines()
        marked = [row.split("╎")[1].split()[0] for row in rows if "╎" in row]
        assert marked[-1] == "43" and marked
        await it.press("g")
        assert "forgotten" not in it.text("#timeline-rule")
        assert "╎" not in it.text("#timeline")
        await it.press("G")
        assert "╎ 83 events forgotten" in it.text("#timeline-rule")
        await it.press("1")
        await it.open("Fix the add function")
        assert not it.screen.timeline.forgotten and "╎" not in it.text("#timeline")


async def test_the_context_of_a_sub_agents_step(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j", "j", "V")
        view = it.app.screen
        assert isinstance(view, ContextScreen)
        await it.until(lambda: view.list.row_count())
        assert "step 2" in it.text_of(view.rule)
        await it.press("g", "j", "enter")
        sub = it.screen.timeline.sub_step_here
        assert sub is not None

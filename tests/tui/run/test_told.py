"""The summary of a run above its timeline, and ranges, jumps and views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from textual.events import Click

from oh_tui.sources.results import Loaded
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import build
from oh_tui.trajectory.model.usage import NO_USAGE, Usage
from oh_tui.trajectory.presentation.block import Note
from oh_tui.trajectory.search.step_filter import parse, quoted
from oh_tui.tui.screens.changes.screen import ChangesScreen
from oh_tui.tui.screens.costs import CostsScreen
from oh_tui.tui.widgets.shown import Place, of_step
from tests.trajectory.made import event, message, output, shell, used
from tests.tui.explorer import Between, explore
from tests.tui.run.test_run import FLAKY, IDS, OAUTH, WEEKS, number

FINISHED = "Cache the docker layers"
DELEGATING = "Port the CLI to click"


async def test_the_verdict_and_what_the_run_came_to_stand_above() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        verdict, totals = it.text("#summary").splitlines()
        assert verdict.startswith(" ✗ stuck  Steps 58-61 made the same call")
        assert "$1.12" in totals
        assert "waiting for you" in totals
        assert "(c)" in totals
        assert it.screen.query_one("#strip").size.height == 4


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_an_undone_plan_and_another_model_are_told_once_and_never_cut(
    size: tuple[int, int],
) -> None:
    async with explore(size=size) as it:
        await it.open("Plan the move to object storage")
        told = it.text("#summary")
        assert told.startswith(" ✓ finished, plan 1/5  The plan is in PLAN.md")
        assert told.count("1/5") == 1
        # the agent chose another model at step 5
        assert " model claude-sonnet-4-5," in it.text("#run-rule")
        await it.open(WEEKS)
        assert " model claude-sonnet-4-5 " in it.text("#run-rule")


async def test_a_low_screen_keeps_the_verdict_and_the_strip_without_its_axis() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open(WEEKS)
        assert it.screen.query_one("#summary").size.height == 1
        assert it.screen.query_one("#strip").size.height == 3
        await it.press("enter")  # the result has the whole screen
        assert not it.screen.query_one("#strip").display


async def test_a_run_in_which_nothing_worked_has_no_strip() -> None:
    async with explore() as it:
        await it.open("Nightly dependency bump")  # the key of its model was rejected
        assert not it.screen.query_one("#strip").display
        await it.open(FINISHED)
        assert it.screen.query_one("#strip").display


async def test_the_cursor_lands_where_the_verdict_points_with_what_follows_in_view() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        assert number(it) == 58
        assert "  61 " in it.text("#timeline")
        await it.open(FINISHED)
        trajectory = it.screen.timeline.trajectory
        assert trajectory is not None
        assert "finish" in it.row() or number(it) == len(trajectory)


async def test_on_a_low_screen_too_what_follows_the_landing_is_in_view() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open(WEEKS)
        assert number(it) == 58
        await it.until(lambda: "  60 " in it.text("#timeline"))


async def test_columns_of_the_model_and_of_money_come_where_there_is_room() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        head = it.text("#timeline-pane ColumnHead")
        assert head.split() == ["#", "at", "llm", "ran", "what", "result", "cost"]
        row = next(line for line in it.text("#timeline").splitlines() if " 58 " in line)
        assert row.split()[-1] == "$0.01"
        assert "∞" in row
    async with explore(size=(120, 36)) as it:
        await it.open(WEEKS)
        assert it.text("#timeline-pane ColumnHead").split() == [
            "#",
            "at",
            "ran",
            "what",
            "result",
            "cost",
        ]


async def test_the_call_says_what_the_model_took_and_the_result_its_loop() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        assert "step 58 · terminal · $0.014 · run, steps 57-61: ran" in it.text("#call-rule")
        assert "in the loop 58-61" in it.text("#result-rule")
        await it.press("4", "z")
        assert "llm 5.9 s, 34.7k tokens" in it.text("#call"), "the rest is in the body"
        assert "$0.014" not in it.text("#call"), "the title has it"


async def test_the_title_of_a_result_has_four_parts_at_most_and_the_whole_call_the_others() -> None:
    async with explore(size=(200, 48)) as it:
        await it.open(WEEKS)
        told = it.text("#result-rule").strip("─ ").removeprefix("Result").strip("─ ")
        assert told == "! exit 1 · in the loop 58-61 · rows 2-13 of 13 · blame parse.py:112 (@)"
        await it.press("4", "z")
        assert "result: 0.3 s, /workspace/dates" in it.text("#call")
        await it.press("z", "3", "slash", *"W53", "enter", "g")
        seen = set[int]()
        for _ in range(61):
            title = it.text("#result-rule").strip("─ ").removeprefix("Result").strip("─ ")
            seen.add(len(title.split(" · ")))
            await it.press("j")
        assert max(seen) == 4


async def test_the_title_of_a_call_has_four_parts_at_most() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        await it.press("g")
        seen = set[int]()
        for _ in range(61):
            title = it.text("#call-rule").strip("─ ").removeprefix("4 Call").strip("─ ")
            seen.add(len(title.split(" · ")))
            await it.press("j")
        assert seen <= {3, 4} and 4 in seen


@dataclass
class Spent:
    """Accounts of one step."""

    usage: Usage | None
    is_of_origin: bool = False

    def llm(self, step: Step) -> float:
        return 3.0

    def ran(self, step: Step) -> None:
        return None

    def of(self, step: Step) -> Usage | None:
        return None if self.is_of_origin else self.usage

    def inherited(self, step: Step) -> Usage | None:
        return self.usage

    def is_inherited(self, step: Step) -> bool:
        return self.is_of_origin


@pytest.mark.parametrize(
    ("accounts", "below", "told"),
    [
        (Spent(used(prompt=900, cost=0.5)), NO_USAGE, "step 7 · terminal · $0.50"),
        (Spent(used(prompt=900)), NO_USAGE, "step 7 · terminal · 900 tokens"),
        (Spent(None), NO_USAGE, "step 7 · terminal · llm 3.0 s"),
        (Spent(used(prompt=900, cost=0.5), True), NO_USAGE, "step 7 · terminal · inherited $0.50"),
        (
            Spent(used(prompt=900, cost=0.5)),
            used(cost=2.0),
            "step 7 · terminal · $0.50 +$2.00 by sub-agents",
        ),
    ],
)
def test_the_title_of_a_call_has_the_cost_and_the_whole_call_all(
    accounts: Any, below: Usage, told: str
) -> None:
    run = build([shell("a"), output("a")])
    show = partial(
        of_step, run.steps[0], Outcome.OK, run, None, UNICODE, Place("7", accounts, below)
    )
    assert show(whole_call=False, as_json=False).call_facts == ((told, "dim"),)
    shown = show(whole_call=True, as_json=False)
    usage = accounts.usage
    spent = ("llm 3.0 s", "900 tokens") if usage else ()
    words = ", ".join(one for one in spent if one not in told)
    assert shown.call[-1:] == [Note(words)] if words else Note not in map(type, shown.call)


async def test_e_stops_once_at_a_loop() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g", "G", "E")
        assert number(it) == 60  # each of them is a failed command of its own


async def test_a_range_is_told_copied_and_shown_alone() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        await it.press("v", "k", "k")
        assert "steps 56-58 selected" in it.text("#timeline-rule")
        hints = "j k move the end  y copy  & show alone  esc drop it"
        assert hints in it.footer
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        assert hints in it.footer
        await it.pilot.resize_terminal(160, 48)
        await it.settle()
        await it.press("y")
        assert it.screen.asking.question_bar.question
        assert "56-58" in it.screen.asking.question_bar.question.title
        await it.press("c")
        assert it.app.clipboard.splitlines() == [
            "pytest -q tests/test_weeks.py",
            "git diff --stat",
            "python -m dates 2021-W53-1 --explain",
        ]
        assert "the commands of 3 steps were sent to the terminal's clipboard" in it.footer
        await it.press("y", "m")
        assert "the Markdown of 3 steps was sent to the terminal's clipboard" in it.footer
        await it.press("ampersand")
        assert it.screen.timeline.filtered == (56, 57, 58)
        assert "filter step:56-58 · 3 of 61 steps" in it.text("#timeline-rule")
        await it.press("escape")
        assert it.screen.timeline.filtered is None
        assert number(it) == 56
        assert "show alone" not in it.footer


async def test_a_range_is_copied_as_markdown_and_as_a_list_of_json() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("v", "k", "y", "m")
        assert it.app.clipboard.count("### step 5") == 2
        await it.press("y", "j")
        assert it.app.clipboard.startswith("[\n")
        await it.press("escape")
        assert it.screen.timeline.range is None


async def test_a_click_on_the_strip_brings_the_cursor_there_also_through_a_filter() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        await it.press("v", "ampersand")
        assert it.screen.timeline.filtered == (58,)
        strip = it.screen.query_one("#strip")
        strip.post_message(Click(strip, 7, 1, 0, 0, 1, False, False, False, 7, 1))
        await it.settle()
        assert it.screen.timeline.filtered is None
        assert number(it) < 5


async def test_where_it_went_leads_to_a_step() -> None:
    from oh_tui.tui.screens.costs import CostsScreen

    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        await it.press("T")
        assert isinstance(it.app.screen, CostsScreen)
        await it.press("enter")
        assert len(it.app.screen_stack) == 1
        assert number(it) != 58


async def test_changed_files_lead_to_the_steps_of_one() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(WEEKS)
        await it.press("c")
        assert isinstance(it.app.screen, ChangesScreen)
        await it.press("ampersand")
        await it.until(lambda: it.screen.timeline.filtered)
        assert 'filter path:"dates/CHANGELOG.md"' in it.text("#timeline-rule")
        assert "CHANGELOG" in it.row()


async def test_another_run_begins_without_the_filter_of_the_one_before() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("v", "ampersand")
        await it.open(OAUTH)
        assert it.screen.session.filtering is None
        assert it.screen.timeline.filtered is None


async def test_the_right_edge_of_the_strip_moves_in_a_live_run() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(FLAKY)
        before = it.text("#strip")
        steps = len(it.screen.timeline.trajectory or ())
        it.demo.advance(60)
        await it.until(lambda: len(it.screen.timeline.trajectory or ()) > steps)
        await it.until(lambda: it.text("#strip") != before)
        study = it.screen.run_view.study
        assert study is not None
        assert study.verdict.word == "running"


async def test_enter_goes_into_a_sub_conversation_and_esc_returns_to_the_step() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open("Audit the public endpoints")
        study = it.screen.run_view.study
        assert study is not None
        starts = [s.number for s in study.trajectory.steps if "StartChild" in s.event.part]
        it.screen.jump(starts[0])
        await it.settle()
        await it.press("enter")
        assert (
            it.screen.session.current and it.screen.session.current.title == "Guard /v1/export.csv"
        )
        await it.press("escape")
        assert it.screen.session.current.title == "Audit the public endpoints"
        assert number(it) == starts[0]
        assert it.screen.session.pane == "timeline"


async def test_e_is_quick_and_walks_what_the_strip_marks() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("g")
        seen = []
        for _ in range(16):
            await it.press("e")
            seen.append(number(it))
        assert seen[:5] == [8, 12, 17, 22, 30]
        assert seen[-1] == 61
        assert "no error after this one" in it.footer
        await it.press("E")
        assert number(it) == 60


async def test_following_does_not_move_the_end_of_a_range() -> None:
    async with explore() as it:
        await it.open(FLAKY)
        await it.press("G", "v", "k")
        before = it.screen.timeline.range
        steps = it.screen.timeline.row_count()
        it.demo.advance(60)
        await it.until(lambda: it.screen.timeline.row_count() > steps)
        assert it.screen.timeline.range == before


async def test_a_followed_run_whose_steps_get_other_numbers_keeps_the_cursor() -> None:
    answers: asyncio.Queue[list[Event]] = asyncio.Queue()
    early = [
        message("m", "hi"),
        output("A", "one"),
        event("ObservationEvent", "r2", 2, action_id="A", observation={"content": []}),
        shell("B", "ls"),
    ]

    async with explore() as it:
        source = it.screen.session.source
        assert source is not None and source.remote is not None

        async def load(*_: object) -> AsyncGenerator[Loaded, None]:
            yield Loaded("agent server", build(early, live=True), 4, 4)

        async def follow(*_: object) -> AsyncGenerator[list[Event], None]:
            while True:
                yield await answers.get()

        source.remote.load, source.remote.follow = load, follow  # type: ignore[method-assign,assignment]
        await it.open(FLAKY)
        await it.press("G")
        assert (it.screen.timeline.row_count(), number(it)) == (4, 4)
        answers.put_nowait([shell("A", "pwd")])
        await it.until(lambda: it.screen.timeline.row_count() == 3)
        assert number(it) == 2
        assert "ls" in it.row()


async def test_what_is_told_of_another_run_never_stands_above_this_one() -> None:
    between = Between()
    async with explore(size=(160, 48), wrap=between) as it:
        await it.open(WEEKS)
        held = between.hold("GET /api/v1/conversation/*/events/search")
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS["Cache the docker layers"])
        await it.send("enter")
        await it.until(lambda: not it.screen.query_one("#summary").display)
        await it.send("T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        assert view.run_title == "Cache the docker layers"
        assert view.page.empty == ("reading the run …",)
        held.set()
        await it.press("q")
        await it.settle()
        assert "finished" in it.text("#summary")


@pytest.mark.parametrize("path", ["a\\", 'a"b.py', "two  spaces.py"])
def test_any_path_is_one_word_of_a_filter(path: str) -> None:
    (term,) = parse(f"path:{quoted(path)}").terms
    assert term.value == path


async def test_what_answers_a_key_goes_with_the_next_one_and_news_and_errors_stay() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("w")
        await it.until(lambda: "long lines" in it.footer)
        await it.press("j")
        assert "long lines" not in it.footer
        it.screen.ui.tell("the sandbox is paused")
        await it.press("k")
        assert "the sandbox is paused" in it.footer
        it.screen.ui.tell("the server is gone", error=True)
        await it.press("j")
        assert "the server is gone" in it.footer


async def test_a_remark_of_another_screen_goes_with_the_next_key_too() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("c")
        await it.until(lambda: isinstance(it.app.screen, ChangesScreen))
        view = it.app.screen
        assert isinstance(view, ChangesScreen)
        view.footer.tell("nothing there", remark=True)
        await it.press("j")
        assert not view.footer.news

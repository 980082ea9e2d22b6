"""Time and cost: one readable page, and steps that lead back to the timeline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.pilot import Pilot

import oh_tui.tui.app
from oh_tui.demo.world import AgentVersion
from oh_tui.text.human import percent
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.costs.spending import Spending, context_fill, spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Usage
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens import costs
from oh_tui.tui.screens.costs import WIDEST, CostsScreen
from oh_tui.tui.screens.costs_page import INDENT, Writer
from oh_tui.tui.theme import DARK, LIGHT
from tests.demo_runs import demo_run
from tests.trajectory.costs.test_accounting import build, hostile_runs, metrics, stats
from tests.trajectory.made import message, shell
from tests.tui.explorer import LONGEST, explore


class Small(App[None]):
    CSS_PATH = str(Path(oh_tui.tui.app.__file__).with_name("app.tcss"))

    def __init__(self, trajectory: Trajectory, *, ascii: bool = False) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "oh-dark"
        self.set_class(ascii, "-ascii")
        self.shown = CostsScreen("Dates")
        self.study = Study(trajectory)
        self.answers: list[int | None] = []

    def on_mount(self) -> None:
        self.shown.show_study(self.study)
        self.push_screen(self.shown, self.answers.append)


@dataclass
class View:
    app: Small
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    @property
    def lines(self) -> list[str]:
        page = self.app.shown.page
        return [page.render_line(y).text.rstrip() for y in range(page.size.height)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def row(self) -> str:
        """The line under the cursor; "" when it is out of sight."""
        return next((line for line in self.lines if line[:1] in ("▌", ">")), "")

    def words(self, start: str) -> list[str]:
        """Of the first line that begins so."""
        return next(line.split() for line in self.lines if line[1:].strip().startswith(start))


@asynccontextmanager
async def look(
    trajectory: Trajectory, size: tuple[int, int] = (120, 48), *, ascii: bool = False
) -> AsyncIterator[View]:
    app = Small(trajectory, ascii=ascii)
    async with app.run_test(size=size) as pilot:
        view = View(app, pilot)
        async with asyncio.timeout(LONGEST):
            await pilot.pause()
            while any(worker.is_running for worker in app.workers):
                await pilot.pause(0.01)
        await pilot.pause()
        yield view


async def test_the_page_of_the_week_dates_run() -> None:
    async with look(demo_run("week-dates")) as it:
        assert it.lines[0] == " Time  6m19s active + 2h10m waiting for you"
        assert it.words("llm")[1:3] == ["5m03s", "80%"]
        assert it.words("terminal")[1:3] == ["1m14s", "19%"]
        # what took next to nothing is no line of its own
        assert it.words("other")[1:4] == ["2.3", "s", "<1%"]
        assert "edit  " not in "".join(it.lines[:5])
        money = " Money  $1.12 · 59 answers · 2.0M tokens in, 95% cached · 12.5k out"
        assert money in it.lines
        assert it.words("agent") == ["agent", "58", "2.0M", "1.9M", "12.3k", "$0.96"]
        assert it.words("condenser") == ["condenser", "1", "42.9k", "208", "$0.16"]
        assert "<$0.01, 474 tokens: 1 call without a step" in it.text
        assert "at the end 35.8k of 200k tokens, 18% · most 42.3k, 21%" in it.text
        assert it.words("▅▆")[0].count("≈") == 1
        assert it.row.split()[:3] == ["▌", "41", "$"]
        assert it.row.endswith("3.7     23.1")
        assert it.words("47")[-3:] == ["42.9k", "208", "$0.164"]


async def test_bars_are_shares_of_the_active_time() -> None:
    async with look(demo_run("week-dates")) as it:
        model, terminal, other = (it.words(name)[-1] for name in ("llm", "terminal", "other"))
        assert set(model) | set(terminal) <= set("▏▎▍▌▋▊▉█")
        assert len(model) / len(terminal) == pytest.approx(303 / 74, rel=0.15)
        assert other in "▏▎▍"


@pytest.mark.parametrize("key", ["escape", "T", "q"])
async def test_it_is_left_without_a_step(key: str) -> None:
    async with look(demo_run("week-dates")) as it:
        await it.press("j", key)
        assert it.app.answers == [None]


async def test_enter_answers_with_the_step_under_the_cursor() -> None:
    async with look(demo_run("week-dates")) as it:
        await it.press("j", "j", "k")
        assert it.row.split()[1] == "23"
        await it.press("enter")
        assert it.app.answers == [23]


async def test_the_cursor_walks_steps_only_and_brings_what_stands_between() -> None:
    async with look(demo_run("week-dates"), (80, 24)) as it:
        seen = [it.row]
        for _ in range(19):
            await it.press("j")
            seen.append(it.row)
        assert len(set(seen)) == 20
        assert all(seen)
        assert "34  edit dates/src/dates/parse.py" in it.lines[-1]
        await it.press("j")
        assert it.row == seen[-1]
        await it.press(*["k"] * 9)
        assert it.row == seen[10]
        assert "Most expensive steps" in it.text
        await it.press("g")
        assert it.row == seen[0]
        assert it.lines[0].startswith(" Time")
        await it.press("G")
        assert it.row == seen[-1]
        await it.press("pageup", "pageup")
        assert it.row == seen[0]
        assert it.lines[0].startswith(" Time")
        await it.press("pagedown")
        assert it.row in seen[10:]


async def test_what_stands_above_the_first_step_can_be_reached_in_a_low_screen() -> None:
    async with look(demo_run("week-dates"), (60, 12)) as it:
        assert "Time" not in it.text
        await it.press(*["k"] * 20)
        assert it.lines[0].startswith(" Time")
        await it.press("j")
        assert it.row.split()[1] == "23"


async def test_a_double_click_on_a_step_goes_there() -> None:
    async with look(demo_run("week-dates")) as it:
        at = next(y for y, line in enumerate(it.lines) if line.split()[:1] == ["46"])
        await it.pilot.click(it.app.shown.page, offset=(20, at))
        await it.pilot.pause()
        assert it.row.split()[1] == "46"
        heading = next(y for y, line in enumerate(it.lines) if "Slowest" in line)
        await it.pilot.click(it.app.shown.page, offset=(5, heading))
        assert it.row.split()[1] == "46"
        await it.pilot.click(it.app.shown.page, offset=(20, at), times=2)
        await it.pilot.pause()
        assert it.app.answers == [46]


async def test_it_is_drawn_in_ascii() -> None:
    async with look(demo_run("week-dates"), ascii=True) as it:
        assert it.words("llm")[-1].strip("#") == ""
        assert len(it.words("llm")[-1]) > 4 * len(it.words("other")[-1])
        assert "_**%" in it.text
        assert it.row.startswith(">")
        page = "\n".join(line for line in it.lines if "$ for" not in line and "think" not in line)
        assert page.isascii()


async def test_an_unknown_price_is_said() -> None:
    async with look(demo_run("handbook")) as it:
        assert "Money  price unknown · 19 answers" in it.text
        assert "$0" not in it.text
        assert "Most tokens" in it.text
        assert "cost" not in it.text


async def test_one_usage_without_a_price_is_not_free() -> None:
    run = build(
        stats("s", 1, agent=metrics(0.5, 10, 5), condenser=metrics(0, 7, 1)),
        shell("a", second=1.1),
    ).trajectory
    async with look(run) as it:
        assert it.words("condenser")[-1] == "unknown"


async def test_a_run_of_one_answer_is_told_in_one_table_without_a_picture() -> None:
    async with look(demo_run("rtl")) as it:
        assert " ".join(it.words("Its one step")) == "Its one step llm s ran s in out cost"
        assert it.row.split()[5:] == ["1.9", "26.3k", "36", "$0.099"]
        assert "Slowest" not in it.text and "Most expensive" not in it.text
        assert "Context  at the end 26.3k of 200k tokens, 13%" in it.text
        assert "█" not in it.text.partition("Context")[2]


async def test_a_run_without_anything_says_so() -> None:
    async with look(Trajectory()) as it:
        assert "no model has answered" in it.text
        await it.press("enter", "j", "k", "G", "g", "pagedown")
        assert it.app.answers == []
        await it.press("escape")
        assert it.app.answers == [None]


async def test_money_without_steps_is_told() -> None:
    trajectory = Trajectory()
    trajectory.extend([message("m", "go"), stats("s", 1, agent=metrics(0.25, 10, 5))])
    async with look(trajectory) as it:
        assert "Money  $0.25" in it.text
        columns = next(line for line in it.lines if line.strip().startswith("answers"))
        assert it.lines[it.lines.index(columns) + 1].startswith("   agent")
        assert len(it.lines[it.lines.index(columns) + 1]) == len(columns), "in their columns"


async def test_numbers_are_not_told_while_they_are_not_final() -> None:
    whole = demo_run("week-dates")
    part = Trajectory(complete=False)
    part.extend(whole.events[100:])
    async with look(part) as it:
        assert it.row.split()[:3] == ["▌", "$", "for"]
        assert "older events are not read" in it.app.shown.rule.render_line(0).text
        await it.press("enter")
        step = part.steps[(it.app.answers[0] or 0) - 1]
        assert "for s in 1 2 3" in str(step.event.body())


@pytest.mark.parametrize("live", [False, True])
async def test_a_long_run_is_added_up_beside_the_screen(
    monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    threads: list[threading.Thread] = []

    def add_up(trajectory: Trajectory, accounts: Accounts, below: Usage) -> Spending:
        threads.append(threading.current_thread())
        return spending(trajectory, accounts, below)

    monkeypatch.setattr(costs, "LARGE", 0)
    monkeypatch.setattr(costs, "spending", add_up)
    run = Trajectory(live=live)
    run.extend(demo_run("week-dates").events)
    async with look(run) as it:
        assert it.lines[0].startswith(" Time  6m19s")
    assert threads[0] is not threading.main_thread()


async def test_another_width_is_another_page() -> None:
    async with look(demo_run("fuzzing"), (160, 48)) as it:
        wide = it.words("▅▅")[0]
        assert len(wide) == WIDEST - 3 - INDENT
        await it.pilot.resize_terminal(80, 24)
        await it.pilot.pause()
        narrow = it.words("▅")[0]
        assert len(narrow) == 80 - 3 - INDENT
        assert narrow.count("≈") == wide.count("≈") == 9


async def test_the_text_of_a_step_takes_more_where_there_is_room() -> None:
    async with look(demo_run("week-dates"), (160, 48)) as it:
        assert "--hypothesis-seed=$s; done" in it.row
        assert len(it.lines[1].rstrip()) < WIDEST


# the page of any run

RUNS = st.one_of(hostile_runs(), st.sampled_from(["hostile", "rtl", "emoji", "fuzzing"]))


@given(RUNS, st.integers(67, 97), st.booleans(), st.booleans())
def test_no_line_is_wider_than_the_page(
    run: list[Event] | str, width: int, ascii: bool, numbered: bool
) -> None:
    accounts = Accounts(demo_run(run)) if isinstance(run, str) else build(*run)
    trajectory = accounts.trajectory
    spent = spending(trajectory, accounts)
    so_far = accounts.active, accounts.waited
    writer = Writer(spent, ASCII if ascii else UNICODE, width - 10, so_far)
    writer.time()
    writer.money()
    writer.context(*context_fill(spent.prompts, width - 10 - INDENT))
    writer.steps(width, numbered=numbered)
    for line in writer.lines:
        text = "".join(part for part, _ in line)
        assert width_of(text.rstrip()) <= width
        assert "\n" not in text
        assert "\x1b" not in text
        assert "-$" not in text
    for place, number in writer.step_lines:
        assert 1 <= number <= len(trajectory)
        assert place < len(writer.lines)


def test_what_no_run_comes_to_stays_in_its_column() -> None:
    told = metrics(10.0**14, 0, 10**15 - 1)
    accounts = build(stats("s", agent=told))
    writer = Writer(spending(accounts.trajectory, accounts), ASCII, 57, (0.0, 0.0))
    writer.money()
    (line,) = ("".join(text for text, _ in line) for line in writer.lines if "agent" in line[0][0])
    assert line.split() == ["agent", "1", "1e+15", "$1e+14"]
    assert width_of(line) == 57


def test_it_is_no_wider_than_can_be_read() -> None:
    assert WIDEST <= 100


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.0004, "<1%"), (0.5, "50%"), (0.9996, "99%"), (1.0, "100%"), (1.31, "131%")],
)
def test_shares_do_not_round_to_all_or_nothing(share: float, text: str) -> None:
    assert percent(share) == text


async def test_a_server_without_stats_events_shows_what_a_run_cost() -> None:
    """As with agent server 1.17.0: only the record has the cost, also of steps that arrive while
    watching."""
    async with explore() as explorer:
        explorer.demo.world.agent_version = AgentVersion.OLD
        await explorer.open("Migrate to pydantic 2")
        study = explorer.screen.run_view.study
        assert study is not None and study.accounts.total.cost > 0
        assert "$" in explorer.text("#summary") and "$" in explorer.row()

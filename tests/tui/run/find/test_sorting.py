"""The steps in other orders than that of the run, and clicks on the names of columns."""

from __future__ import annotations

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_attributes import StepOrder, StepSorting
from oh_tui.tui.state.step_rows import StepRows
from tests.tui.explorer import Explorer, case, explore

DATES = "Parse ISO week dates"

HEAD, RULE = "#timeline-pane ColumnHead", "#timeline-rule"

LIST_HEAD = "#conversations-pane ColumnHead"


def shown(it: Explorer) -> list[int]:
    timeline = it.screen.timeline
    rows = (timeline.row(row)[0] for row in range(timeline.row_count()))
    return [step.number for step in rows if step]


def values(it: Explorer, order: StepOrder) -> list[float | None]:
    timeline = it.screen.timeline
    assert timeline.study
    assert timeline.trajectory
    accounts, steps = timeline.study.accounts, timeline.trajectory.steps

    def value(number: int) -> float | None:
        step = steps[number - 1]
        if order is StepOrder.COST:
            spent = accounts.of(step)
            return (spent.cost or None) if spent else None
        return accounts.ran(step) if order is StepOrder.RAN else accounts.llm(step)

    return [value(number) for number in shown(it)]


async def click_head(it: Explorer, head: str, name: str) -> None:
    await it.pilot.click(head, offset=(it.text(head).index(name), 0))
    await it.settle()


async def test_s_sorts_the_steps_and_esc_goes_back_to_the_step_under_the_cursor() -> None:
    async with explore() as it:
        await it.open(DATES)
        usual = shown(it)
        for key, order, head in (
            ("c", StepOrder.COST, "cost ▼"),
            ("r", StepOrder.RAN, "ran ▼"),
            ("l", StepOrder.LLM, "llm ▼"),
        ):
            with case(order):
                await it.press("s", key)
                found = values(it, order)
                known = [value for value in found if value is not None]
                assert known == sorted(known, reverse=True)
                assert set(found[len(known) :]) <= {None}, "what is not known is last"
                assert sorted(shown(it)) == usual
                assert it.screen.timeline.cursor == 0
                assert head in it.text(HEAD)
                assert "esc by time" in it.text(RULE)
                await it.press("j", "j")
                number = shown(it)[2]
                await it.press("escape")
                assert shown(it) == usual
                assert shown(it)[it.screen.timeline.cursor] == number
                assert "▼" not in it.text(HEAD)
                assert it.screen.session.pane == "timeline"


async def test_a_click_on_a_name_sorts_again_turns_round_and_a_third_goes_back() -> None:
    async with explore() as it:
        await it.open(DATES)
        usual = shown(it)
        await click_head(it, HEAD, "cost")
        falling = [value for value in values(it, StepOrder.COST) if value]
        assert falling == sorted(falling, reverse=True)
        await click_head(it, HEAD, "cost")
        assert "cost ▲" in it.text(HEAD)
        rising = values(it, StepOrder.COST)
        assert rising[: len(falling)] == falling[::-1]
        assert set(rising[len(falling) :]) <= {None}
        await click_head(it, HEAD, "cost")
        assert shown(it) == usual
        await click_head(it, HEAD, " at")
        assert shown(it) == usual[::-1]
        await click_head(it, HEAD, " at")
        assert shown(it) == usual
        await click_head(it, HEAD, "what")
        assert shown(it) == usual


async def test_a_filter_find_and_walking_go_through_the_rows_as_they_stand() -> None:
    async with explore() as it:
        await it.open(DATES)
        await it.press("s", "r")
        by_duration = shown(it)
        await it.press("ampersand")
        await it.type("tool:terminal")
        await it.press("enter")
        terminal = shown(it)
        assert 0 < len(terminal) < len(by_duration)
        assert terminal == [number for number in by_duration if number in terminal]
        await it.press("escape")
        assert shown(it) == by_duration, "esc takes the filter off first"
        await it.press("g", "e")
        marked = it.screen.timeline.study
        assert marked
        step = it.screen.timeline.current
        assert step
        assert step[0]
        rank = by_duration.index(step[0].number)
        for number in by_duration[1:rank]:
            assert marked.strip.marks.nearest(number - 1, 1, ("error", "failed", "loop")) != number
        assert it.text("#call")
        await it.press("E", "]")
        assert it.screen.session.pane == "timeline"


async def test_what_belongs_to_the_order_of_the_run_says_so() -> None:
    async with explore() as it:
        await it.open(DATES)
        await it.press("s", "c", "v")
        assert "a range needs the order of time" in it.footer
        assert it.screen.timeline.range is None
        await it.press("x")
        assert "only steps can be sorted" in it.footer
        await it.press("1", "j", "enter")
        assert it.screen.timeline.order is None, "another run begins in its own order"


async def test_a_live_run_grows_while_sorted_and_the_cursor_stays_on_its_step() -> None:
    async with explore() as it:
        await it.open("Flaky CI on main")
        timeline = it.screen.timeline
        await it.press("s", "r")
        assert timeline.current
        under, before = timeline.current[1].id, len(shown(it))
        it.demo.advance(120)
        await it.until(lambda: len(shown(it)) > before)
        assert timeline.current[1].id == under
        known = [span for span in values(it, StepOrder.RAN) if span is not None]
        assert known == sorted(known, reverse=True)
        await it.press("f", "f")
        assert timeline.order is None, "following goes by time"
        assert timeline.cursor == timeline.row_count() - 1


async def test_a_click_on_a_name_sorts_the_wide_list() -> None:
    async with explore(size=(90, 30)) as it:
        listed = it.screen.sidebar.list
        usual = [row.id for row in listed.rows]
        assert it.text(LIST_HEAD).split() == [
            *("conversation", "repository", "status", "PR", "cost", "age"),
        ]
        for sign in ("▼", "▲"):
            await click_head(it, LIST_HEAD, "cost")
            costs = [row.conversation.cost for row in listed.rows]
            known = [cost for cost in costs if cost]
            assert known == sorted(known, reverse=sign == "▼")
            assert not any(costs[len(known) :]), "what is not known is last"
            assert f"cost {sign}" in it.text(LIST_HEAD)
        await click_head(it, LIST_HEAD, "cost")
        assert [row.id for row in listed.rows] == usual
        await click_head(it, LIST_HEAD, "repository")
        names = [row.conversation.selected_repository for row in listed.rows]
        known_names = [name for name in names if name]
        assert known_names == sorted(known_names)
        await click_head(it, LIST_HEAD, "status")
        assert [row.id for row in listed.rows] == usual


async def test_the_names_of_a_list_without_room_are_cut() -> None:
    async with explore() as it:
        it.screen.sidebar.list.styles.display = "none"
        await it.until(lambda: not it.screen.sidebar.list.scrollable_content_region)
        assert it.screen.sidebar.list.head()


async def test_names_stand_above_their_columns() -> None:
    async with explore(size=(90, 30)) as it:
        head, rows = it.text(LIST_HEAD), it.text("#conversations").split("\n")
        row = next(line for line in rows if "acme/dates" in line)
        assert row.index("acme/dates") == head.index("repository")
        assert row.index("stuck") == head.index("status")
        await it.press("s", "c")
        rows = it.text("#conversations").split("\n")
        assert rows[1].index("$") + len("$1.12") == it.text(LIST_HEAD).index("cost ▼") + 6


def test_rows_without_an_order_grow_with_the_run() -> None:
    assert len(StepRows()) == 0
    assert list(StepRows(Trajectory(), (), StepSorting(StepOrder.COST)).walk(0, 1)) == []

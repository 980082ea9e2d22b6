"""The columns of the timeline follow the room that it has."""

from __future__ import annotations

from oh_tui.sources.results import Loaded
from oh_tui.trajectory.model.events import Event
from tests.trajectory.made import output, shell
from tests.tui.explorer import Explorer, explore

DATES = "Parse ISO week dates"
LOGIN = "Add OAuth login"


async def test_the_time_of_the_model_goes_before_the_cost() -> None:
    async with explore(size=(160, 36)) as it:
        await it.open(DATES)
        for columns, head in (
            (160, "# at llm ran what result cost"),
            (120, "# at ran what result cost"),
            (100, "# at ran what result"),
        ):
            await it.pilot.resize_terminal(columns, 36)
            await it.settle()
            assert " ".join(it.text("#timeline-pane ColumnHead").split()) == head, columns


async def test_results_stand_below_each_other() -> None:
    async with explore(size=(120, 36)) as it:
        await it.open(DATES)
        rows = it.text("#timeline").split("\n")
        results = ("19 lines", "6 passed in", "date 2021-01-01", "+2 -1", "exit 1  ValueError")
        starts = {row.index(text) for text in results for row in rows if text in row}
        assert len(starts) == 1


HEAD, LIST_HEAD = "#timeline-pane ColumnHead", "#conversations-pane ColumnHead"


async def test_a_column_is_shown_where_there_is_room_and_hidden_at_will() -> None:
    async with explore(size=(100, 36)) as it:
        await it.open(DATES)
        assert it.text(HEAD).split() == ["#", "at", "ran", "what", "result"]
        await it.press("vertical_line")
        assert "Columns of the timeline" in it.text("#question")
        await it.press("c", "r", "l")
        assert it.text(HEAD).split() == ["#", "at", "llm", "what", "result", "cost"]
        rows = it.text("#timeline")
        assert "$0.0" in rows
        assert "    duration" in it.text("#question")
        await it.press("u")
        assert it.text(HEAD).split() == ["#", "at", "ran", "what", "result"]
        await it.press("escape")
        assert it.screen.session.pane == "timeline"


async def test_a_column_without_room_is_named() -> None:
    async with explore(size=(110, 30)) as it:
        await it.press("vertical_line", "r", "m")
        assert "no room for repository, model" in it.text("#question")
        await it.press("r", "m", "c", "s", "escape")
        assert "$" in it.text("#conversations"), "there is room for the cost"


async def test_columns_of_the_wide_list() -> None:
    async with explore(size=(90, 30)) as it:
        await it.press("vertical_line", "r", "m", "escape")
        assert it.text(LIST_HEAD).split() == [
            "conversation",
            "model",
            "status",
            "PR",
            "cost",
            "age",
        ]
        head, rows = it.text(LIST_HEAD), it.text("#conversations").split("\n")
        row = next(line for line in rows if "claude-sonnet" in line)
        assert row.index("claude-sonnet") == head.index("model")
        await it.press("2", "vertical_line")
        assert "only the list (1) and the timeline (3) have columns" in it.footer


async def test_a_chosen_column_of_the_narrow_list_is_straight() -> None:
    async with explore(size=(160, 48)) as it:
        await it.press("1", "vertical_line", "r", "escape", *["greater_than_sign"] * 4)
        rows = it.text("#conversations").split("\n")
        places = [row.index("acme/") for row in rows if "acme/" in row]
        assert len(places) > 20
        assert len(set(places)) == 1, "also beside PR 482, 170M tok and 12:08"


async def test_titles_have_the_room_that_other_columns_do_not_need() -> None:
    async with explore(size=(80, 24)) as it:
        await it.press("G")
        head, rows = it.text(LIST_HEAD), it.text("#conversations")
        assert head.index("status") - head.index("repository") == len("acme/storefront") + 2
        assert "First column lost in Excel…" in rows
        await it.press("ampersand")
        await it.type("repo:acme/api")
        await it.press("enter")
        await it.until(lambda: len(it.screen.session.listed) < 5)
        head = it.text(LIST_HEAD)
        assert head.index("status") - head.index("repository") == len("repository") + 4


async def test_an_age_alone_leaves_its_room_to_the_title() -> None:
    async with explore(size=(120, 36)) as it:
        rows = it.text("#conversations")
        assert "Rename Store to Ledger 3h" in rows
        assert "Migrate to pydanti… 12:08" in rows


# what a step is worth a look for


def looks(it: Explorer) -> list[str]:
    """What the rows have in the column, below each other."""
    start = it.text(HEAD).index("look")
    rows = it.text("#timeline").split("\n")
    return [cell for row in rows if (cell := row[start : start + 13].strip())]


def come(it: Explorer, *events: Event) -> None:
    """New events of the run at the right."""
    conversation, run = it.screen.session.current, it.screen.session.run
    assert conversation and run
    count = len(run.trajectory.events) + len(events)
    it.screen.controllers.run.take(
        conversation, Loaded("agent server", None, count, count, news=events)
    )


async def test_what_is_worth_a_look_is_read_for_its_column_alone() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(LOGIN)
        assert it.screen.timeline.study
        assert "review_hints" not in vars(it.screen.timeline.study)
        await it.press("vertical_line", "w", "escape")
        assert looks(it) == ["config", "force"]
        marked = [row for row in it.text("#timeline").split("\n") if " force " in row]
        assert len(marked) == 1 and "git push --force" in marked[0]
        await it.press("g", "x")
        assert looks(it) == ["config"], "beside the call, not beside its result"
        await it.press("x")
        await it.open(DATES)
        assert looks(it)[-3:] == ["retry"] * 3, "of each run that is opened"
        await it.press("vertical_line", "w", "escape")
        assert "look" not in it.text(HEAD)
        await it.open("Migrate to pydantic 2")
        assert "review_hints" not in vars(it.screen.timeline.study)


async def test_a_run_that_grows_has_more_that_is_worth_a_look() -> None:
    async with explore(size=(160, 48)) as it:
        await it.open(LOGIN)
        it.screen.ui.cancel("follow")  # its server has none of these events
        await it.press("vertical_line", "w", "escape")
        come(it, shell("made-1", "sudo rm pyproject.toml"))
        await it.settle()
        assert looks(it) == ["config", "force", "delete +2"]
        come(it, output("made-1"), shell("made-2", "make"), output("made-2", code=2))
        await it.settle()
        assert looks(it) == ["config", "force", "delete +2"]
        come(it, shell("made-3", "make"), output("made-3", code=2))
        await it.settle()
        assert looks(it) == ["config", "force", "delete +2", "retry"]

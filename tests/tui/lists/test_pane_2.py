"""Pane 2 takes one line until the reader is in it or something in it is wrong."""

from __future__ import annotations

import pytest

from oh_tui.api.automation_models import Automation
from tests.tui.explorer import Explorer, explore
from tests.tui.lists.test_automations import RUNS, SWEEP, Canvas

BUMP = "Nightly dependency bump"


async def without_errors(it: Explorer, *automations: Automation) -> None:
    """The sandbox of the demo that failed is up; these automations are there."""
    it.demo.world.sandboxes["png-tools"].status = "RUNNING"
    await it.press("r")
    await it.settle()
    it.screen.session.automations.take(automations)
    it.screen.on_automations_changed()


async def switch_on(canvas: Canvas, name: str) -> None:
    automations = canvas.source().automations
    assert automations
    one = next(one for one in await automations.all() if one.name == name)
    await automations.set_enabled(one, True)


def height(it: Explorer) -> int:
    """Lines of pane 2, its rules included."""
    return sum(it.screen.query_one(f"#{name}-pane").size.height for name in PARTS)


PARTS = "sandboxes", "automations"


@pytest.mark.parametrize("size", [(160, 48), (120, 36), (80, 24)])
async def test_it_opens_for_its_reader_and_closes_behind_him(size: tuple[int, int]) -> None:
    async with explore(size=size) as it:
        assert height(it) == 2 and it.text("#sandboxes").startswith(" ✗"), "one sandbox failed"
        assert "1 error" in it.text("#sandboxes-rule")
        await it.press("2", *"jjj", "1")
        assert height(it) == 2 and it.text("#sandboxes").startswith(" ✗"), "not where one was"
        await it.press("2")
        assert height(it) > 3 and "▌" in it.text("#sandboxes"), "its place is kept"
        await it.press("g", "1")
        await without_errors(it)
        assert height(it) == 1
        assert it.text("#sandboxes-rule").strip("─ ").split(maxsplit=2)[::2] == [
            "2", "14 sandboxes · 10 up · 4 paused" if size[0] != 120 else "14 sandboxes",
        ]  # fmt: skip
        before = it.screen.sidebar.list.size.height
        await it.press("2")
        assert it.screen.focused is it.screen.sidebar.sandbox_list
        assert height(it) > 3 and it.text("#sandboxes").startswith("▌")
        await it.press("escape")
        assert height(it) == 1 and it.screen.sidebar.list.size.height == before
        rule = it.screen.query_one("#sandboxes-rule")
        await it.pilot.click(rule, offset=(rule.size.width - 4, 0))
        await it.settle()
        assert it.screen.session.pane == "sandboxes", "a click on what it tells opens it too"
        await it.press("1", "tab")
        assert it.screen.session.pane == "sandboxes" and height(it) > 3
        await it.press("tab")
        assert height(it) in (0, 1)


async def test_the_line_counts_what_both_parts_hold_as_far_as_there_is_room() -> None:
    some = [Automation(id=name, name=name, enabled=True) for name in "ab"]
    async with explore(size=(160, 48)) as it:
        await without_errors(it, *some)
        assert it.text("#sandboxes-rule").startswith("─ 2 ─")
        assert "14 sandboxes · 2 automations" in it.text("#sandboxes-rule")
        assert it.text("#automations-rule") == "" and height(it) == 1
        await it.press("2", "2")
        assert it.screen.session.pane == "automations"
        assert "2 on" in it.text("#automations-rule")
        await it.press("1", *">" * 12)
        assert "14 sandboxes · 10 up · 4 paused · 2 automations" in it.text("#sandboxes-rule")
        await it.press("x")
        assert height(it) > 3, "those gone have rows"


async def test_an_agent_that_works_on_opens_it_though_no_row_is_in_sight() -> None:
    canvas = Canvas()
    await switch_on(canvas, BUMP)
    async with explore(source=canvas.source, size=(160, 48)) as it:
        pane = it.screen.sidebar.automation_list
        await it.until(lambda: any(row.working for row in pane.rows))
        await it.settle()
        assert height(it) == 3 and "1 works on" in it.text("#automations-rule")
        assert f"! {SWEEP[:11]}" in it.text("#automations")


async def test_why_automations_cannot_be_read_takes_the_lines_that_it_needs() -> None:
    async with explore(size=(160, 48)) as it:
        await without_errors(it)
        it.screen.session.automations.take((), "Automations cannot be read: the server says no.")
        it.screen.on_automations_changed()
        await it.settle()
        pane = it.screen.sidebar.automation_list
        lines = it.text("#automations").splitlines()
        assert len(lines) == pane.size.height == 3 and lines[-1].strip().endswith("says no.")
        assert height(it) == 5, "the sandboxes are one line"


async def test_while_it_is_closed_no_runs_are_read_where_no_agent_works() -> None:
    canvas = Canvas()
    await switch_on(canvas, BUMP)
    for conversation in canvas.world.conversations.values():
        conversation.agent_tags.clear()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await it.until(lambda: it.screen.sidebar.automation_list.rows)
        await it.settle()
        assert it.text("#automations-rule").strip("─ ").startswith("2 ─")
        assert "8 automations · 7 on · 1 off" in it.text("#automations-rule")
        assert height(it) == 1 and not canvas.between.count(RUNS)
        await it.press("2")
        await it.until(lambda: canvas.between.count(RUNS) == 7)

"""The divider between the lists and the run: keys and mouse move it, and it is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from oh_tui.settings.startup import Settings
from oh_tui.tui.state.arrangement import LEFT, RIGHT, Arrangement
from tests.tui.explorer import Explorer, explore


def left(it: Explorer) -> int:
    return it.screen.sidebar.size.width


async def mouse(it: Explorer, kind: type[events.MouseEvent], x: int, *, held: bool = True) -> None:
    """The mouse does this in a column, with its first button down or not."""
    event = kind(None, x, 12, 0, 0, int(held), False, False, False, screen_x=x, screen_y=12)
    it.screen._forward_event(event)
    await it.pilot.pause()


async def press_down(it: Explorer) -> None:
    await mouse(it, events.MouseDown, left(it))


async def drag(it: Explorer, x: int) -> None:
    await mouse(it, events.MouseMove, x)


async def let_go(it: Explorer, x: int) -> None:
    await mouse(it, events.MouseUp, x)
    await mouse(it, events.MouseMove, x, held=False)


@pytest.mark.parametrize(
    ("columns", "usual"), [(100, 30), (139, 30), (140, 40), (160, 40), (200, 60), (400, LEFT[1])]
)
def test_the_lists_get_more_room_on_a_wide_screen(columns: int, usual: int) -> None:
    assert Arrangement().sized((columns, 60)).left_width == usual


def test_neither_side_gets_less_than_it_needs() -> None:
    on = Arrangement().sized((160, 48))
    assert on.divided(1).left_width == LEFT[0]
    assert on.divided(159).left_width == 160 - RIGHT - 1
    assert Arrangement().sized((100, 48), left=99).left_width == 39
    assert on.divided(50).divided(40).left == 0  # the usual place is no choice


async def test_keys_move_the_divider_and_say_where_it_ends() -> None:
    async with explore(size=(120, 36)) as it:
        assert left(it) == 30
        await it.type(">><")
        assert left(it) == 32
        assert it.screen.run_view.size.width == 120 - 33
        await it.type(">" * 15)
        assert left(it) == 120 - RIGHT - 1
        assert "the run cannot be narrower" in it.footer
        await it.type("<" * 21)
        assert left(it) == LEFT[0]
        assert "the lists cannot be narrower" in it.footer


@pytest.mark.parametrize(
    ("size", "keys", "told"),
    [((80, 24), ">", "both sides need 100 columns"), ((160, 48), "z>", "z shows both sides")],
)
async def test_where_there_is_no_divider_the_keys_say_so(
    size: tuple[int, int], keys: str, told: str
) -> None:
    async with explore(size=size) as it:
        await it.type(keys)
        assert told in it.footer
        assert it.screen.session.preferences.chosen.left == {}


async def test_the_mouse_drags_the_divider() -> None:
    async with explore(size=(160, 48)) as it:
        await press_down(it)
        await drag(it, 55)
        assert left(it) == 55
        await drag(it, 62)
        assert left(it) == 62
        await let_go(it, 62)
        await mouse(it, events.MouseMove, 30, held=False)
        assert left(it) == 62
        assert it.screen.session.preferences.chosen.left == {160: 62}


async def test_a_mouse_let_go_of_outside_the_terminal_ends_the_drag() -> None:
    async with explore(size=(160, 48)) as it:
        await press_down(it)
        await drag(it, 55)
        await mouse(it, events.MouseMove, 80, held=False)
        await drag(it, 90)
        assert left(it) == 55
        assert it.app.mouse_captured is None


async def test_a_terminal_resized_under_the_drag_keeps_both_sides() -> None:
    async with explore(size=(200, 48)) as it:
        await press_down(it)
        await drag(it, 100)
        assert left(it) == 100
        await it.pilot.resize_terminal(120, 40)
        await it.settle()
        assert left(it) == 30  # nobody moved it at this width yet
        await drag(it, 119)
        assert left(it) == 120 - RIGHT - 1
        await let_go(it, 119)
        assert it.screen.session.preferences.chosen.left == {200: 100, 120: 59}
        await it.pilot.resize_terminal(200, 48)
        await it.settle()
        assert left(it) == 100


async def test_a_terminal_that_gets_narrow_under_the_drag_ends_it() -> None:
    async with explore(size=(160, 48)) as it:
        await press_down(it)
        await drag(it, 50)
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        assert it.app.mouse_captured is None
        await drag(it, 30)
        await it.pilot.resize_terminal(160, 48)
        await it.settle()
        await drag(it, 70)
        assert left(it) == 50
        assert it.screen.session.preferences.chosen.left == {160: 50}


async def test_the_divider_is_remembered_for_each_width(tmp_path: Path) -> None:
    settings = Settings(preferences_file=tmp_path / "preferences.json")
    async with explore(size=(120, 36), settings=settings) as it:
        await it.type(">")
    async with explore(size=(120, 36), settings=settings) as it:
        assert left(it) == 32
        await it.type("<")  # back in its usual place, it is nobody's choice any more
        assert it.screen.session.preferences.chosen.left == {}
    async with explore(size=(160, 48), settings=settings) as it:
        assert left(it) == 40

"""From the first screen of the demo six keys lead to each answer; typed words are not counted."""

from __future__ import annotations

import re
from typing import Any

from textual.screen import Screen

from oh_tui.tui.screens.changes.screen import FilesThenScreen
from oh_tui.tui.screens.costs import CostsScreen
from oh_tui.tui.screens.help import drawn
from oh_tui.tui.screens.search import SearchScreen
from tests.tui.explorer import Explorer, explore

MOST = 6


class Keys:
    """Presses keys as somebody who looks at the screen, and counts them."""

    def __init__(self, it: Explorer) -> None:
        self.it, self.count = it, 0

    async def press(self, *keys: str) -> None:
        self.count += len(keys)
        assert self.count <= MOST
        await self.it.press(*keys)

    async def send(self, *keys: str) -> None:
        """Without waiting for what they set off."""
        self.count += len(keys)
        assert self.count <= MOST
        await self.it.send(*keys)


async def test_why_the_stuck_run_failed() -> None:
    async with explore() as it:
        keys = Keys(it)
        await it.until(lambda: it.screen.session.trajectory)
        await keys.press("j")  # the first row waits, the second is stuck
        await it.until(lambda: "stuck" in it.text("#summary"))
        assert "made the same call and got the same result" in it.text("#summary")


async def test_what_it_cost() -> None:
    async with explore() as it:
        keys = Keys(it)
        await keys.press("j", "T")
        await it.until(lambda: isinstance(it.app.screen, CostsScreen))
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        await it.until(lambda: re.search(r"\$0\.\d\d", text_of(view)))


def text_of(view: Screen[Any]) -> str:
    return "".join(segment.text for segment in drawn(view))


async def test_which_step_wrote_a_line() -> None:
    async with explore() as it:
        keys = Keys(it)
        await keys.press("j", "enter", "at")
        await it.until(lambda: isinstance(it.app.screen, FilesThenScreen))
        view = it.app.screen
        assert isinstance(view, FilesThenScreen)
        wanted = r"\d+ +112 +monday = date\.fromisocalendar"  # its step, then the line
        await it.until(lambda: re.search(wanted, text_of(view)))


async def test_a_phrase_in_all_runs() -> None:
    async with explore() as it:
        keys = Keys(it)
        await keys.press("asterisk")
        await it.type("exit codes")
        await keys.send("enter")
        view = it.app.screen
        assert isinstance(view, SearchScreen)
        await it.until(lambda: view.found.ended and view.hits.row_count())
        assert "exit codes" in it.text_of(view.hits)
        await keys.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        assert it.screen.session.current is not None


async def test_the_model_is_switched() -> None:
    async with explore() as it:
        keys = Keys(it)
        await keys.press("j")
        await keys.send("ctrl+p")
        await it.find_command("model", "switch profile")
        await keys.send("enter")
        await it.until(lambda: "Switch to a profile" in it.text("#question"))
        await keys.send("f")
        await it.until(lambda: "switched to fast" in it.footer)


async def test_a_tag_is_undone() -> None:
    async with explore() as it:
        keys = Keys(it)
        await keys.press("j", "number_sign")
        await it.type("bug")
        await keys.press("enter", "escape")  # only here
        await it.until(lambda: "backspace takes it back" in it.footer)
        await keys.press("backspace")
        current = it.screen.session.target()
        assert current and not it.screen.session.annotations.of(current).tags

"""A run that was left is held by nothing but the session.

Every key of the tables is used on a run, and every key of the views that they open. Then its server
is left, and nothing may refer to the run any more: one of 10,000 events takes 30 MB.
"""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest

from oh_tui.api import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.keys import ALL_KEYS, COPY_KEYS, MORE
from tests.holders import holders
from tests.tui.explorer import Explorer, explore

LEAVES = {"quit", "open.page", "open.pull", "pager", "editor", "images", "place.back"}
"""Keys that leave the program or the run, or start another program."""

CLOSE = {"escape", "q", "f1", "question_mark", "f2", "f3", "f4", "ctrl+c", "ctrl+q", "ctrl+p",
         "ctrl+z", "o", "O", "tab", "shift+tab"}  # fmt: skip
"""Keys of a view that are not asked for what they leave behind: they close it, or open what others
of the table open."""


async def close(it: Explorer) -> None:
    """Leave whatever was opened, as with `esc`."""
    for _ in range(30):
        await it.settle()
        if it.app.screen is it.screen and not it.screen.asking.is_asking:
            return
        await it.send("escape")
    raise AssertionError(f"{it.app.screen} does not close")


async def use(it: Explorer, key: str, *, deep: bool) -> None:
    """Press a key of the timeline, then every key of the view that it opened."""
    await it.send("3", key)
    await it.settle()
    view = it.app.screen
    if view is it.screen or not deep:
        return
    keys = view.active_bindings.items()
    for name in [name for name, one in keys if one.node is not it.app and name not in CLOSE]:
        await it.send(name)
        for _ in range(5):
            if it.app.screen in (view, it.screen):
                break
            await it.send("escape")
        if it.app.screen is it.screen:  # it leads to a step of the run
            await it.send("3", key)


async def use_all(it: Explorer, opened: Conversation, group: str, *, deep: bool) -> None:
    run = it.screen.controllers.run
    for key in ALL_KEYS:
        if key.group == group and key.id not in LEAVES:
            run.open(opened)
            await it.settle()
            await use(it, key.keys.split(",")[0], deep=deep)
            await close(it)
    for _, _, action in MORE if group == "The program" else ():
        run.open(opened)
        await it.settle()
        await it.app.run_action(action, it.screen)
        await close(it)
    for name, *_ in COPY_KEYS:
        await it.send("3", "y", name)
        await it.settle()


SLOW = pytest.mark.slow

LIVE, LONG = "Flaky CI on main", "Get the Windows build green"


@pytest.mark.parametrize(
    ("title", "deep"),
    [(LIVE, False), pytest.param(LIVE, True, marks=SLOW), pytest.param(LONG, True, marks=SLOW)],
)
@pytest.mark.parametrize("group", sorted({key.group for key in ALL_KEYS}))
async def test_nothing_but_the_session_holds_a_run(
    title: str, deep: bool, group: str, tmp_path: Path
) -> None:
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await it.open(title)
        session = it.screen.session
        assert session.current
        await use_all(it, session.current, group, deep=deep)
        run = session.run
        assert run and run.study and run.conversation.title == title
        held: list[object] = [run.whole, run.study, run.branches]
        left = [weakref.ref(one) for one in held]
        del held
        del run
        it.screen._leave_source(session.settings)

        def gone() -> bool:
            it.app.collector.collect()
            return not any(one() for one in left)

        try:
            await it.until(gone)
        except AssertionError:
            told = [holders(here) for one in left if (here := one())]
            raise AssertionError("held by:\n" + "\n".join(told)) from None

"""Attempts in the explorer: the form that starts them, their table, and what is done with one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from oh_tui.actions.attempt_rows import Attempt, groups_of
from oh_tui.actions.start_draft import Draft
from oh_tui.conversation import same_id
from oh_tui.demo import Demo
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.tui.screens.attempts import AttemptsScreen
from oh_tui.tui.screens.comparison.screen import CompareScreen
from oh_tui.tui.screens.start import screen as start_screen
from tests.tui.explorer import NOW, Between, Explorer, explore
from tests.tui.starting.test_worktrees import CLONE, on_version, opened

TASK = Draft("Fix the parser", folder=CLONE, times="3", verify="echo fine")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_screen, "PAUSE", 0.05)


def group(it: Explorer) -> list[Attempt]:
    found = groups_of(it.screen.session.conversations)
    return next(iter(found.values()), [])


@asynccontextmanager
async def three(folder: Path, between: Between | None = None) -> AsyncIterator[Explorer]:
    """Three attempts that the form has started: the first and the third changed the same, the
    second a test."""
    source = on_version(AgentVersion.NEW, between or Between(), Demo(NOW))
    settings = Settings(download_folder=folder)
    async with explore(size=(160, 40), source=source, settings=settings) as it:
        await opened(it, TASK)
        await it.send("ctrl+s")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: len(group(it)) == 3)
        places = it.screen.session.source
        assert places and places.workspaces
        texts = {1: "echo 1 > fixed.py", 2: "echo 7 > tests/test_fixed.py", 3: "echo 1 > fixed.py"}
        for one in group(it):
            workspace = await places.workspaces.open(one.conversation)
            await workspace.run(texts[one.number], cwd=await workspace.folder(), timeout=30)
        yield it


async def attempts(it: Explorer) -> AttemptsScreen:
    await it.screen.run_action("attempts.open")
    return await shown(it)


async def shown(it: Explorer) -> AttemptsScreen:
    await it.until(lambda: isinstance(it.app.screen, AttemptsScreen))
    view = it.app.screen
    assert isinstance(view, AttemptsScreen)
    await it.until(lambda: view.list.rows)
    return view


async def test_the_form_says_what_several_attempts_need() -> None:
    between = Between()
    async with explore(source=on_version(AgentVersion.NEW, between, Demo(NOW))) as it:
        form = await opened(it, Draft("Fix the parser", folder=CLONE))
        assert not form.rows["verify"].display
        form.fields["times"].value = "2"
        await it.until(lambda: form.rows["verify"].display and not form.rows["worktree"].display)
        await it.until(lambda: "2 of them begin, each in a place of its own" in form.message)
        await it.send("ctrl+s")
        assert form.is_wrong and "told apart by a command" in form.message
        form.fields["times"].value = "many"
        await it.settle()
        await it.send("ctrl+s")
        assert form.is_wrong and "no number of attempts" in form.message
        form.fields["times"].value, form.fields["verify"].value = "99", "true"
        await it.settle()
        await it.send("ctrl+s")
        await it.until(lambda: "99 attempts" in form.message and not form.starting)
        assert between.count("POST /api/conversations") == 0


async def test_the_table_tells_them_apart(tmp_path: Path) -> None:
    async with three(tmp_path) as it:
        view = await attempts(it)
        assert "verify: echo fine" in it.text_of(view.rule)
        lines = it.text_of(view.list).splitlines()[:3]
        assert [re.split("  +", line.partition("not run")[2])[1:4] for line in lines] == [
            ["no", "1", "+1 -0"],
            ["✗ tests/test_fixed.py", "1", "+1 -0"],
            ["no", "1", "+1 -0"],
        ]
        assert "same change as" not in "".join(lines[:2]) and "same change as 1" in lines[2]
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        narrow = it.text_of(view.list).splitlines()
        assert "/test_fixed.py  +1 -0" in narrow[1] and "same change as 1" in narrow[2]
        await it.press("down", "v")
        await it.until(lambda: "attempt 2: OK  fine" in it.text_of(view.footer))
        assert [one.row.verify_words for one in view.list.rows] == ["not run", "OK", "not run"]
        assert view.list.cursor == 1
        await it.press("equals_sign")
        assert isinstance(it.app.screen, CompareScreen)
        await it.press("escape", "space", "down", "equals_sign")
        await it.until(lambda: isinstance(it.app.screen, CompareScreen))
        assert [one.attempt.number for one in view.compared] == [2, 3]


async def test_enter_opens_the_run_and_esc_comes_back_to_its_row(tmp_path: Path) -> None:
    async with three(tmp_path) as it:
        view = await attempts(it)
        await it.press("down", "enter")
        await it.until(lambda: it.app.screen is it.screen)
        current = it.screen.session.current
        assert current and same_id(current.id, group(it)[1].conversation.id)
        await it.press("escape")
        again = await shown(it)
        assert again is not view and again.list.cursor == 1


async def test_one_is_accepted_by_a_commit_or_a_patch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"COUNT": "2", "KEY_0": "user.name", "VALUE_0": "Ada"}
    for name, value in {**told, "KEY_1": "user.email", "VALUE_1": "ada@example.org"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    async with three(tmp_path) as it:
        view = await attempts(it)
        await it.press("down", "a")
        await it.until(lambda: view.asking.question_bar.question)
        asked = it.text_of(view.asking.question_bar)
        assert "Accept attempt 2" in asked and "It has changed 1 file of tests" in asked
        assert "commit on openhands/" in asked and "patch in" in asked
        await it.press("p", "enter")
        await it.until(lambda: not view.asking.is_asking)
        (patch,) = tmp_path.glob("attempt-*-2.patch")
        assert "+7" in patch.read_text()
        await it.until(lambda: "attempt 2: " in it.text_of(view.footer))
        await it.press("a")
        await it.until(lambda: view.asking.question_bar.question)
        await it.press("c", "enter")
        await it.until(lambda: "on openhands/" in it.text_of(view.footer))

        def committed() -> bool:
            change = view.list.rows[1].row.change
            return change is not None and not change.uncommitted

        await it.until(committed)
        assert it.app.screen is view and view.list.cursor == 1


async def test_what_is_lost_is_said_before_one_is_dropped(tmp_path: Path) -> None:
    async with three(tmp_path) as it:
        await it.screen.run_action("attempts.drop")
        await it.until(lambda: it.screen.asking.question_bar.question)
        asked = it.text("#question")
        assert "Not committed, and lost with it: tests/test_fixed.py" in asked
        await it.press("escape")
        assert len(group(it)) == 3
        await it.screen.run_action("attempts.drop")
        await it.until(lambda: it.screen.asking.question_bar.question)
        await it.press("2", "y", "enter")
        await it.until(lambda: [one.number for one in group(it)] == [1, 3])


async def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    between = Between()
    async with three(tmp_path, between) as it:
        between.answer("GET /api/conversations*", 500, '{"detail": "gone"}', "application/json")
        await it.screen.run_action("attempts.open")
        await it.until(lambda: isinstance(it.app.screen, AttemptsScreen))
        view = it.app.screen
        assert isinstance(view, AttemptsScreen)
        await it.until(lambda: "r asks again" in it.text_of(view.list))
        between.answers.clear()
        await it.press("r")
        await it.until(lambda: view.list.rows)


async def test_without_attempts_it_says_how_to_start_some() -> None:
    async with explore() as it:
        await it.screen.run_action("attempts.open")
        await it.until(lambda: "ctrl+n starts several" in it.footer)

"""The form of `ctrl+n` on an agent server: whether the agent gets a git worktree of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oh_tui.actions.start_draft import Draft
from oh_tui.api import BareAgentServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.source import Source
from oh_tui.tui.screens.start import screen as start_screen
from oh_tui.tui.screens.start.screen import StartScreen
from tests.api.servers import AT_ONCE
from tests.tui.explorer import NOW, Between, Explorer, explore

START = "POST /api/conversations"
CLONE = "/workspace/dates"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_screen, "PAUSE", 0.05)


def on_version(
    version: AgentVersion, between: Between, demo: Demo | None = None
) -> Callable[[], Source]:
    demo = demo or Demo(NOW)
    demo.world.agent_version = version
    app = between(make_alone(demo.world))

    def make() -> Source:
        api = BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE)
        return AgentServerSource(api, "here", address="http://demo.invalid")

    return make


async def opened(it: Explorer, draft: Draft) -> StartScreen:
    it.screen.session.draft = draft
    await it.send("ctrl+n")
    await it.until(lambda: isinstance(it.app.screen, StartScreen))
    assert isinstance(it.app.screen, StartScreen)
    return it.app.screen


def shown(form: StartScreen) -> bool:
    return form.rows["worktree"].display


def offered(form: StartScreen) -> str:
    return "".join(text for line in form.offered.lines for text, _ in line)


async def test_a_folder_with_commits_asks_before_the_start() -> None:
    between = Between()
    async with explore(source=on_version(AgentVersion.NEW, between)) as it:
        form = await opened(it, Draft("Look around", folder=CLONE))
        assert not shown(form), "nothing is known of the folder"
        await it.send("ctrl+s")
        await it.until(lambda: form.focused is form.fields["worktree"])
        assert "The folder has commits" in form.message and shown(form)
        assert between.count(START) == 0
        await it.type("yes")
        await it.until(lambda: "The worktree starts from origin's default branch" in form.message)
        assert "CHANGELOG.md" in form.message and "3 more" in form.message
        assert "its branch stays" in form.message and not form.is_wrong
        await it.send("ctrl+s")
        await it.until(lambda: it.app.screen is it.screen)
        made = it.screen.session.current
        assert made and made.worktree and made.folder.endswith("/dates")
        await it.until(lambda: "worktree dates@openhands/" in it.text("#run-rule"))


async def test_no_works_in_the_folder_itself() -> None:
    between = Between()
    async with explore(source=on_version(AgentVersion.NEW, between)) as it:
        form = await opened(it, Draft("Look around", folder=CLONE, worktree="no"))
        await it.until(lambda: shown(form))
        assert "worktree starts" not in form.message
        await it.send("ctrl+s")
        await it.until(lambda: it.app.screen is it.screen)
        made = it.screen.session.current
        assert made and (made.folder, made.worktree) == (CLONE, "")


async def test_what_the_field_does_not_know_is_pointed_at() -> None:
    between = Between()
    async with explore(source=on_version(AgentVersion.NEW, between)) as it:
        form = await opened(it, Draft("Look around", folder=CLONE, worktree="perhaps"))
        await it.until(lambda: shown(form))
        await it.send("ctrl+s")
        assert "write no, yes, head" in form.message and form.is_wrong
        assert form.focused is form.fields["worktree"]


@pytest.mark.parametrize(
    ("version", "folder", "why"),
    [
        (AgentVersion.NEW, "/workspace/none", "no worktree: git has no commit there"),
        (AgentVersion.USUAL, CLONE, "no worktree: agent server 1.34.0 does not tell of commits"),
    ],
)
async def test_where_there_can_be_none_the_folder_says_why(
    version: AgentVersion, folder: str, why: str
) -> None:
    between = Between()
    async with explore(source=on_version(version, between)) as it:
        form = await opened(it, Draft("Look around", folder=folder, worktree="yes"))
        form.set_focus(form.fields["folder"])
        await it.until(lambda: why in offered(form))
        assert not shown(form) and form.draft.worktree == ""
        await it.send("ctrl+s")
        await it.until(lambda: between.count(START))


async def test_another_folder_takes_the_field_away_until_it_is_asked() -> None:
    between = Between()
    async with explore(source=on_version(AgentVersion.NEW, between)) as it:
        form = await opened(it, Draft("Look around", folder=CLONE, worktree="head"))
        await it.until(lambda: "where the folder stands" in form.message)
        form.fields["folder"].value = "/workspace/none"
        await it.until(lambda: not shown(form))
        assert "where the folder stands" not in form.message and form.draft.worktree == ""


async def test_a_server_that_does_not_answer_about_git_starts_all_the_same() -> None:
    between = Between()
    between.answer("GET /api/git/*", 500)
    async with explore(source=on_version(AgentVersion.NEW, between)) as it:
        form = await opened(it, Draft("Look around", folder=CLONE))
        await it.until(lambda: "folder" in form._refusals)
        await it.send("ctrl+s")
        await it.until(lambda: between.count(START))


async def test_a_fork_says_that_it_shares_the_worktree() -> None:
    demo = Demo(NOW)
    async with explore(source=on_version(AgentVersion.NEW, Between(), demo)) as it:
        await opened(it, Draft("Look around", folder=CLONE, worktree="yes"))
        await it.send("ctrl+s")
        await it.until(lambda: it.app.screen is it.screen)
        await it.send("F")
        await it.until(lambda: "Nothing has happened in this run yet" in it.footer)
        demo.advance(60)
        await it.send("r")
        await it.until(lambda: it.screen.timeline.row_count())
        await it.send("F")
        await it.until(lambda: it.screen.asking.editor)
        await it.until(
            lambda: "Both agents work in the same git worktree" in it.text("Editor Labels")
        )

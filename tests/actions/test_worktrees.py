"""What is said of a git worktree before it is made, and how a conversation in one is known."""

from __future__ import annotations

import pytest

from oh_tui.actions import worktrees
from oh_tui.actions.start_draft import Choices, Draft, Invalid, request_for
from oh_tui.actions.worktrees import Ground
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.models import GitCommit
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.text.problem import Problem, Refused
from tests.api.servers import AT_ONCE
from tests.tui.explorer import Between

COMMIT = GitCommit("9c1185a" * 5, "9c1185a", "Fix \x1b[31mred\x1b[0m\nand more")
OWN = "12035f03-5546-44fe-87a0-99cefa363a32"


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.58.2", "deletes its folder, with what is not committed; its branch stays"),
        ("1.60.0", "deletes its folder"),
        ("1.49.1", "Deleting the conversation leaves folder and branch behind"),
        ("1.52.0", "may delete its folder"),
        ("", "may delete its folder"),
    ],
)
def test_what_deleting_does_depends_on_the_version(version: str, told: str) -> None:
    assert told in Ground(version, COMMIT, ()).words("yes")


def test_files_that_are_not_committed_are_named_and_counted() -> None:
    def words(*paths: str) -> str:
        return Ground("1.58.2", COMMIT, paths).words("head")

    assert words("a.py") in words("a.py") and "not in it, is a.py." in words("a.py")
    assert "are a.py, b.py, c.py and 1,998 more." in words(
        "a.py", "b.py", "c.py", *map(str, range(1998))
    )
    assert "ot committed, so" not in words()
    assert "Git does not tell" in Ground("1.58.2", COMMIT, None).words("yes")
    assert "\x1b" not in words("\x1b[2J" * 50) and len(words("x" * 10_000)) < 500


def test_a_commit_is_named_on_one_line_without_its_colours() -> None:
    told = Ground("1.58.2", COMMIT, ()).words("head")
    assert told.startswith("The worktree starts from 9c1185a Fix red and more, where")


@pytest.mark.parametrize(("version", "choices"), [("1.57.0", 1), ("1.58.2", 2), ("odd", 1)])
def test_where_the_folder_stands_is_for_servers_that_can(version: str, choices: int) -> None:
    ground = Ground(version, COMMIT, ())
    assert len(ground.choices) == choices
    ground.require("yes")
    if choices == 1:
        with pytest.raises(Problem, match="starts no worktree from where the folder stands"):
            ground.require("head")
    with pytest.raises(Problem, match="No worktree: git has no commit there"):
        Ground(version).require("yes")


@pytest.mark.parametrize(
    ("folder", "worktree"),
    [
        (f"/tmp/conversation-worktrees/{OWN}/clean", OWN),
        (f"/tmp/conversation-worktrees/{OWN}/clean/docs", OWN),
        (f"/srv/state/conversation-worktrees/{OWN}/x", OWN),
        (f"/tmp/conversation-worktrees/{OWN}", ""),
        (f"/tmp/conversation-worktrees/{OWN}/", ""),
        ("/tmp/conversation-worktrees/mine/clean", ""),
        (f"/srv/automation-runs/{OWN}/x", ""),
        ("", ""),
    ],
)
def test_a_worktree_is_known_by_its_path(folder: str, worktree: str) -> None:
    assert Conversation("1", folder=folder).worktree == worktree


def test_a_draft_says_which_worktree() -> None:
    def made(worktree: str) -> object:
        return request_for(Draft("Fix it", worktree=worktree), Choices()).worktree

    assert [made(one) for one in ("", "no", " Yes", "HEAD")] == [None, None, "yes", "head"]
    with pytest.raises(Invalid) as caught:
        made("main")
    assert caught.value.field == "worktree"
    assert "worktree" not in request_for(Draft("Fix it", worktree="yes"), Choices()).wire()


async def test_what_git_could_not_do_is_told_and_that_nothing_was_made() -> None:
    between = Between()
    demo = Demo()
    demo.world.agent_version = AgentVersion.NEW
    app = between(make_alone(demo.world))
    why = '{"detail": "Internal Server Error", "exception": "Git command failed: git worktree add"}'
    between.answer("POST /api/conversations", 500, why, "application/json")
    request = request_for(Draft("Fix it", folder="/workspace/dates", worktree="yes"), Choices())
    async with BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE) as api:
        with pytest.raises(Refused, match="Git on the server could not make") as caught:
            async for _ in AgentServerSource(api, "test").agents.start(request):
                pass
    assert "no conversation was made" in caught.value.hint
    assert between.count("POST /api/conversations") == 1, "a start is never sent twice"


async def test_a_change_that_git_cannot_tell_leaves_the_rest_known() -> None:
    between = Between()
    demo = Demo()
    demo.world.agent_version = AgentVersion.NEW
    app = between(make_alone(demo.world))
    between.answer("GET /api/git/changes", 400)  # a file with a space in its name
    async with BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE) as api:
        ground = await worktrees.look(api, "/workspace/dates")
    assert ground.choices == ("yes", "head") and ground.uncommitted is None

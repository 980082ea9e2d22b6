"""Where agents work: the workspace of a conversation, and what git says of it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from oh_tui.actions.workspace import Workspace, open_workspace
from oh_tui.api.errors import NotFound
from oh_tui.api.server import Server, running_agent
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.clock import seconds

if TYPE_CHECKING:
    from oh_tui.api.git_models import GitChange, GitCommit
    from oh_tui.conversation import Conversation


class Committed(NamedTuple):
    """A commit, and the files that it changed, with absolute paths."""

    commit: GitCommit
    changes: list[GitChange]


class Workspaces:
    def __init__(self, api: Server) -> None:
        self._api = api
        self.workplace = api.workplace
        """Where they are, in words."""

    async def open(self, conversation: Conversation) -> Workspace:
        """The shell and files where its agent works. See `workspace.open_workspace`."""
        return await open_workspace(self._api, conversation)

    async def version(self, conversation: Conversation) -> str:
        """The version of its agent server, in one call; "" unless its sandbox is running."""
        agent = running_agent(self._api, conversation)
        return await agent.version() if agent else ""

    async def git_changes(self, conversation: Conversation) -> list[GitChange] | None:
        """The files that git in the sandbox lists as changed, with absolute paths; None unless the
        sandbox is running.

        Takes two calls to the agent server. The repository is the folder that the agent works in,
        where the app server puts it.
        """
        agent = running_agent(self._api, conversation)
        if agent is None:
            return None
        workspace = (await agent.conversation()).workspace
        folder = (workspace.working_dir if workspace else None) or "."
        return _below(folder, await agent.git_changes(folder))

    async def git_text(self, conversation: Conversation, path: str) -> str | None:
        """The text of a file now, as git in the sandbox shows it (see `GitDiff`), in one call; None
        without a repository, and unless the sandbox is running."""
        agent = running_agent(self._api, conversation)
        return (await agent.git_diff(path)).modified if agent else None

    async def commits(self, conversation: Conversation, since: float | None) -> list[Committed]:
        """The commits where the agent works, since its run began (seconds since 1970), newest
        first, at most 20. Empty on servers that cannot list them, and without a time.

        Takes two calls to the agent server, and one per commit. Git's own times count, so commits
        of others are included.
        """
        agent = running_agent(self._api, conversation)
        if agent is None or since is None:
            return []
        workspace = (await agent.conversation()).workspace
        folder = (workspace.working_dir if workspace else None) or "."
        try:
            newest = await agent.git_commits(folder, limit=20)  # each takes a call
        except NotFound:
            return []
        own = [one for one in newest if (seconds(one.timestamp) or 0.0) >= since]
        return [
            Committed(one, _below(folder, await agent.commit_changes(folder, one.sha)))
            for one in own
        ]


def _below(folder: str, changes: list[GitChange]) -> list[GitChange]:
    return [
        replace(change, path=posixpath.join(folder, _unquoted(change.path))) for change in changes
    ]


def _unquoted(path: str) -> str:
    """The path in git's quotes, where a byte that is not ASCII is written as `\303`, or as `/303`
    by agent server 1.34.0 (measured)."""
    if len(path) < 2 or not path.startswith('"') or not path.endswith('"'):
        return path
    raw = path[1:-1].encode("utf-8", "surrogatepass")
    return _GIT_BYTE.sub(lambda byte: bytes([int(byte[1], 8)]), raw).decode("utf-8", "replace")


_GIT_BYTE = pattern(rb"[\\/]([23][0-7]{2})")

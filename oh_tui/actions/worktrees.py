"""Git worktrees for agents on an agent server: whether a folder can have one, from where it starts,
and what is at stake.

Facts without another source are measured on agent servers 1.49.1 and 1.58.2.
"""

from __future__ import annotations

import asyncio

import msgspec

from oh_tui.api.bare_server import FOLDER, BareAgentServer
from oh_tui.api.errors import ApiError, NotFound
from oh_tui.api.models import GitCommit
from oh_tui.api.requests import Worktree
from oh_tui.text.human import are
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.context.sdk_versions import version_of

WORKTREES: tuple[Worktree, ...] = ("yes", "head")

NEW, OLD = (1, 58, 2), (1, 49, 1)
"""The first version that is known to start at HEAD and to delete a worktree with its conversation;
the last that is known to ignore the former and not to do the latter."""

MOST_NAMED = 3
"""Files."""


class Ground(msgspec.Struct, frozen=True):
    """A folder of an agent server, as git there sees it."""

    version: str = ""
    commit: GitCommit | None = None
    """The newest. Without any the server fails to make a worktree, with a 500."""
    uncommitted: tuple[str, ...] | None = None
    """Paths of files; None where git does not tell."""
    why_not: str = "git has no commit there, of which it could make a worktree"

    @property
    def choices(self) -> tuple[Worktree, ...]:
        """The worktrees that there can be."""
        if self.commit is None:
            return ()
        return WORKTREES if (version_of(self.version) or OLD) >= NEW else WORKTREES[:1]

    @property
    def at(self) -> str:
        """The newest commit in words."""
        one = self.commit
        return safe_line(f"{one.short_sha} {one.subject}", 60) if one else ""

    def require(self, worktree: Worktree) -> None:
        """Raises Problem where there cannot be such a worktree."""
        if not self.choices:
            raise Problem(f"No worktree: {self.why_not}", "start without one")
        if worktree not in self.choices:
            raise Problem(
                f"Agent server {self.version or 'of unknown version'} starts no worktree from "
                "where the folder stands",
                "start it from the default branch, or without one; 1.58.2 can",
            )

    def words(self, worktree: Worktree) -> str:
        """From where a worktree starts, what it lacks, and what becomes of it, in sentences."""
        base = f"from {self.at}, where the folder stands"
        if worktree != "head":
            default = "from origin's default branch, else main or master"
            base = f"{default}; the folder stands at {self.at}"
        told = [f"The worktree starts {base}"]
        if self.uncommitted is None:
            told.append("Git does not tell which files are not committed, and not in it")
        elif self.uncommitted:
            count, named = len(self.uncommitted), self.uncommitted[:MOST_NAMED]
            more = f" and {count - MOST_NAMED:,} more" if count > MOST_NAMED else ""
            files = ", ".join(safe_line(one, 60) for one in named)
            told.append(f"Not committed, so not in it, {are(count)} {files}{more}")
        version = version_of(self.version)
        if version is not None and version <= OLD:
            told.append("Deleting the conversation leaves folder and branch behind")
        else:
            may = "deletes" if version is not None and version >= NEW else "may delete"
            told.append(
                f"Deleting the conversation {may} its folder, with what is not committed; "
                "its branch stays"
            )
        return ". ".join(told)


async def look(api: BareAgentServer, folder: str) -> Ground:
    """What git says of a folder, "" for the usual one, in three calls at most. Raises Problem."""
    path = folder.strip() or FOLDER
    version, commits = await asyncio.gather(
        api.version(), api.git_commits(path, limit=1), return_exceptions=True
    )
    told = version if isinstance(version, str) else ""
    if isinstance(commits, NotFound):
        name = told or "of unknown version"
        return Ground(told, why_not=f"agent server {name} does not tell of commits (1.49.1 does)")
    if isinstance(commits, BaseException):
        raise commits
    if not commits:
        return Ground(told)
    try:
        changes = await api.git_changes(path, ref="HEAD")
    except ApiError:  # as for a name with a space (source)
        return Ground(told, commits[0])
    return Ground(told, commits[0], tuple(one.path for one in changes))

"""What git in a sandbox says, typed as in `models`."""

from __future__ import annotations

import msgspec


class GitChange(msgspec.Struct, frozen=True):
    """A file that differs from the branch on the remote. A rename comes as one file DELETED and one
    ADDED (source, agent server 1.34.0)."""

    path: str = ""
    status: str | None = None
    """ADDED, UPDATED, DELETED or MOVED."""

    @property
    def letter(self) -> str:
        """The letter that git uses for the status."""
        letters = {"ADDED": "A", "UPDATED": "M", "DELETED": "D", "MOVED": "R"}
        return letters.get(self.status or "", "?")


class GitDiff(msgspec.Struct, frozen=True):
    """The two texts of a file, both None without a repository. The last newline is left out, and
    other line ends are newlines; a text is "" too where it cannot be read as UTF-8, and where git
    has nothing to compare with (source)."""

    modified: str | None = None
    """Now; "" for a deleted file."""
    original: str | None = None
    """On the branch on the remote; before 1.58 without the space at its ends."""


class GitCommit(msgspec.Struct, frozen=True):
    """A commit of a repository (agent server 1.58.2)."""

    sha: str
    short_sha: str = ""
    subject: str = ""
    author: str = ""
    timestamp: str = ""
    """When it was written, with its zone."""


class GitCommits(msgspec.Struct, frozen=True):
    """The newest commits of a repository, the newest first."""

    commits: tuple[GitCommit, ...] = ()

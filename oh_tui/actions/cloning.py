"""A fresh clone of a repository at a revision, which the shell of an agent server makes."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

LONGEST = 600
"""Seconds of a clone."""

_KNOWN = pattern(
    r"((?:https?|ssh|git|file)://[^/\s]{0,400}/\S{1,2000}|/\S{1,2000}"
    r"|[\w.-]{1,100}@[\w.-]{1,200}:\S{1,2000})@(\w[\w./-]{0,200})"
)


class Revision(NamedTuple):
    url: str
    name: str
    """Of a commit, a tag or a branch."""


def read_revision(word: str) -> Revision:
    """Of `URL@REV`. Raises Problem."""
    if found := _KNOWN.fullmatch(word):
        return Revision(*found.groups())
    raise Problem(
        f"{safe_line(word)} does not name a repository and a revision",
        "--git https://host/owner/repository@REV, or /folder@REV",
    )


async def clone(sandbox: SandboxServer, revision: Revision, place: str) -> None:
    """Raises Problem where the server cannot, as for a folder that has files."""
    for words in (
        ["clone", "--quiet", "--no-checkout", "--", revision.url, place],
        ["-C", place, "checkout", "--quiet", revision.name, "--"],
    ):
        # the server takes a line for its shell: each word is quoted
        line = shlex.join(["env", "GIT_TERMINAL_PROMPT=0", "git", *words])
        done = await sandbox.run_command(line, timeout=LONGEST)
        if done.exit_code:
            why = safe_line(done.stderr.strip().rpartition("\n")[2]) or f"exit {done.exit_code}"
            raise Problem(
                f"There is no workspace at {safe_line(revision.name)}: {why}",
                "make it yourself, and leave --git out",
            )

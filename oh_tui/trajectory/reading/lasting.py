"""Which calls cannot be undone: those that push, delete, publish or force."""

from __future__ import annotations

import re
from itertools import islice

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.intents import purposes_of
from oh_tui.trajectory.shell.commands import Called, script
from oh_tui.trajectory.shell.git import git_words
from oh_tui.trajectory.shell.programs import purpose_of
from oh_tui.trajectory.shell.purpose import Purpose, plain
from oh_tui.trajectory.shell.reader import LONGEST, UNREAD

_LASTING = frozenset({Purpose.PUSH, Purpose.FORCE, Purpose.DELETE})

_PROGRAMS = frozenset({"dd", "shred", "truncate", "wipefs"})

_VERBS = frozenset({
    "delete", "destroy", "drop", "force", "kill", "merge", "prune", "publish", "purge", "push",
    "remove", "rm", "rmi", "uninstall", "upload", "wipe",
})  # fmt: skip
"""Words of programs and tools: `docker volume rm`, `npm publish`, `merge_pull_request`."""

_OPTIONS = ("--delete", "--discard", "--force", "--hard", "--mirror", "--prune", "--purge")

_OF_GIT = pattern(r"-[A-Za-z]{0,5}[dDf]")
"""Options of git that delete or force."""

_IN_TEXT = pattern(
    r"(?:\b(?:drop\s+(?:table|database|schema|index|view|user)|truncate\s+table|delete\s+from|rmtree)"
    r"|(?:-X|--request)[ =]?['\"]?DELETE)\b",
    re.IGNORECASE,
)
"""In the text of a command, in whatever language."""

_WORD = pattern(r"[a-z]+")


def cannot_be_undone(step: Step) -> bool:
    """Whether a call does so as far as it tells, or is too long to be read; never raises."""
    if not purposes_of(step).isdisjoint(_LASTING):
        return True
    command = step.call.shell_command
    if not command:
        return not _VERBS.isdisjoint(_WORD.findall(step.event.tool_name.lower()))
    if len(command) > LONGEST or _IN_TEXT.search(command):
        return True
    return any(map(_lasts, script(command).leaves))


def _lasts(leaf: Called) -> bool:
    name, words = leaf.base, leaf.words
    if name == "git":
        words = git_words(words)
        if any(map(_OF_GIT.fullmatch, words)):
            return True
    if name in _PROGRAMS or name.startswith(("mkfs", UNREAD)):
        return True
    if any(word.startswith(_OPTIONS) for word in words):
        return True
    does = purpose_of(leaf.name, leaf.words)
    is_idle = does is None or does is Purpose.LOOK  # `echo rm`, `grep delete`
    return not is_idle and not _VERBS.isdisjoint(islice(plain(words), 2))

"""What a step is worth a look of a person for, though it breaks no rule."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Hint(StrEnum):
    """Why a step is worth a look; a value is a word of `look:` too. Reasons stand in this order."""

    several: str
    """Several steps with it, in words."""

    def __new__(cls, name: str, several: str) -> Hint:
        one = str.__new__(cls, name)
        one._value_, one.several = name, several
        return one

    LARGE_DIFF = "large-diff", "large diffs"
    TEST_EDIT = "test-edit", "tests edited after tests failed"
    REWRITE = "rewrite", "the same lines rewritten again and again"
    DELETE = "delete", "files deleted"
    MOVE = "move", "files moved"
    CONFIG = "config", "configuration changed"
    CI = "ci", "what CI runs changed"
    LOCK = "lock", "pinned packages changed"
    FORCE = "force", "pushes by force"
    SUDO = "sudo", "commands with sudo"
    RETRY = "retry", "calls that failed made again, with no work between"
    CUT_ERROR = "cut-error", "outputs cut where an error stands"


MOST = 100
"""Reasons that a list of them has; the others are counted."""


class Reason(NamedTuple):
    hint: Hint
    why: str
    """One clean line without secrets, with its fact."""
    paths: tuple[str, ...] = ()
    """The files that it is about, as the call names them or by their keys."""

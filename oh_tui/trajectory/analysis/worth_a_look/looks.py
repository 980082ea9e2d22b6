"""What a step is worth a look for."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Look(StrEnum):
    """Why a step is worth a look; a value is a word of `look:` too."""

    LARGE_DIFF = "large-diff"
    TEST_EDIT = "test-edit"
    """Edits a test after tests failed."""
    REWRITE = "rewrite"
    """Rewrites the same lines again and again."""
    DELETE = "delete"
    MOVE = "move"
    CONFIG = "config"
    """Changes how the project is built, checked or run."""
    CI = "ci"
    LOCK = "lock"
    """Changes a file that pins packages."""
    FORCE = "force"
    """Pushes over what others may have."""
    SUDO = "sudo"
    RETRY = "retry"
    """Makes a call that failed again, with nothing done between."""
    CUT_ERROR = "cut-error"
    """The output is cut where an error stands."""


SEVERAL = {
    Look.LARGE_DIFF: "large diffs",
    Look.TEST_EDIT: "tests edited after tests failed",
    Look.REWRITE: "the same lines rewritten again and again",
    Look.DELETE: "files deleted",
    Look.MOVE: "files moved",
    Look.CONFIG: "configuration changed",
    Look.CI: "what CI runs changed",
    Look.LOCK: "pinned packages changed",
    Look.FORCE: "pushes by force",
    Look.SUDO: "commands with sudo",
    Look.RETRY: "calls that failed made again, with no work between",
    Look.CUT_ERROR: "outputs cut where an error stands",
}
"""Several steps with one look, in words."""

MOST = 100
"""Reasons that a list of them has; the others are counted."""


class Reason(NamedTuple):
    look: Look
    why: str
    """One clean line without secrets, with its fact."""
    paths: tuple[str, ...] = ()
    """The files that it is about, as the call names them or by their keys."""

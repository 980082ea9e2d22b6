"""Errors on standard error, as lines or as JSON, and exit codes. Loaded only when there is one."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Sequence

from oh_tui.commands.framework.exit_codes import REFUSED, WRONG_USE
from oh_tui.text.clean import clean_line
from oh_tui.text.display import json_line
from oh_tui.text.problem import (
    NO_THREADS,
    NO_THREADS_HINT,
    Problem,
    Refused,
    bug_words,
    is_of_threads,
)
from oh_tui.text.redact import safe
from oh_tui.trajectory.search.step_filter import QueryError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Errors of the disk, which no other use of the command avoids."""


as_json = False
"""Whether an error is told as a JSON object."""


def form_of(words: Sequence[str]) -> None:
    """Takes the form of errors from the words of the command line, which may be wrong."""
    global as_json
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)


def say(sentence: str, hint: str, code: int) -> int:
    # The texts are clean already; this makes sure.
    sentence, hint = (safe(text) for text in (sentence, hint))
    # hints of the service layer begin with a capital; names such as OPENHANDS_… keep theirs
    hint = (hint[:1].lower() if hint[1:2].islower() else hint[:1]) + hint[1:]
    with contextlib.suppress(OSError):
        if as_json:
            error = {"message": sentence, "hint": hint or None, "code": code}
            print(json_line({"error": error}), file=sys.stderr)
            return code
        print(f"oh-tui: {sentence}", file=sys.stderr)
        if hint:
            print(f"        {hint}", file=sys.stderr)
    return code


def problem(problem: Problem) -> int:
    if isinstance(problem, QueryError):
        problem.instead("steps", "oh-tui steps takes it, for one run")
    return say(problem.sentence, problem.hint, code_of(problem))


def os_error(error: OSError) -> int:
    why = (error.strerror or type(error).__name__).lower()
    subject, hint = clean_line(str(error.filename)) if error.filename else "", ""
    if error.errno in _FULL:
        hint = "make room, or write elsewhere" if subject else ""
        subject = subject or "Cannot write the output"
    return say(f"{subject}: {why}" if subject else why, hint, REFUSED)


def bug(error: Exception) -> int:
    if is_of_threads(error):
        return say(NO_THREADS, NO_THREADS_HINT, REFUSED)
    return say(
        bug_words(error),
        "run the same words with `python -X dev -m oh_tui` to see where it comes from",
        REFUSED,
    )


def code_of(problem: Problem) -> int:
    """1 for what the server or the disk refused, 2 for a wrong use."""
    cause: BaseException = problem
    seen = set[int]()  # causes may form a circle: `raise problem from problem` is one
    while isinstance(cause, Problem) and cause.__cause__ and id(cause) not in seen:
        seen.add(id(cause))
        cause = cause.__cause__
    full = isinstance(cause, OSError) and cause.errno in _FULL
    return REFUSED if full or isinstance(problem, Refused) else WRONG_USE

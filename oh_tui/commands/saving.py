"""What the commands that save files share: hints for a shell."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from oh_tui.api.errors import ApiError
from oh_tui.commands.refusals import refused
from oh_tui.problem import Problem, Refused

_HINTS = {
    "start oh-tui in": "name another folder with -o",
    "type ": "name a local file",
}
"""How the explorer's hints begin, and what a shell says in their place."""


@contextlib.contextmanager
def shell_hints() -> Iterator[None]:
    """The use cases' problems with files of this machine name keys of the explorer; what came
    broken from the server is its no."""
    try:
        yield
    except ApiError:
        raise
    except Problem as problem:
        if isinstance(problem, Refused):
            raise refused(problem) from problem
        for beginning, hint in _HINTS.items():
            if problem.hint.startswith(beginning):
                raise Problem(problem.sentence, hint) from problem
        raise

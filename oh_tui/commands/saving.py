"""What the commands that save files share: a place beside the target, and hints for a shell."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from oh_tui.api.errors import ApiError
from oh_tui.commands.refusals import refused
from oh_tui.problem import Problem
from oh_tui.sources.saving import cannot_write

_HINTS = {
    "start oh-tui in": "name another folder with -o",
    "type ": "name a local file",
}
"""How the explorer's hints begin, and what a shell says in their place."""


@contextlib.contextmanager
def part_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside the target, gone at the end whatever happens."""
    try:
        made = tempfile.TemporaryDirectory(prefix=".oh-tui-", dir=folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with made as name:
        yield Path(name)


@contextlib.contextmanager
def shell_hints() -> Iterator[None]:
    """The use cases' problems with files of this machine name keys of the explorer; what came
    broken from the server is its no."""
    try:
        yield
    except ApiError:
        raise
    except Problem as problem:
        if problem.hint.startswith("press "):
            raise refused(problem) from problem
        for beginning, hint in _HINTS.items():
            if problem.hint.startswith(beginning):
                raise Problem(problem.sentence, hint) from problem
        raise

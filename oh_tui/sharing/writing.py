"""Writes a shared run into a new file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from oh_tui.settings.part_file import part_file, publish_as
from oh_tui.text.problem import Problem, Remedy


def write(
    target: Path,
    pieces: Iterable[str] | Iterable[bytes],
    publish: Callable[[Path, Path], Path | None] = publish_as,
) -> Path:
    """Returns the path, which `publish` may make another one. Whatever ends it before, an error of
    `pieces` too, leaves nothing."""
    try:
        with part_file(target) as (file, part):
            for one in pieces:
                file.write(one if isinstance(one, bytes) else one.encode("utf-8", "replace"))
            file.flush()
            return publish(part, target) or target
    except Problem as problem:
        if problem.hint != Remedy.OTHER_FOLDER:
            raise
        raise Problem(problem.sentence, "choose another place") from problem

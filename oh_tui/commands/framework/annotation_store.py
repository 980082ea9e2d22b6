"""Bookmarks, notes and tags in commands: writing them to the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.user_annotations import Annotations
from oh_tui.text.problem import Problem, Refused

if TYPE_CHECKING:
    from oh_tui.commands.framework.command import Call


def require_disk(call: Call) -> None:
    """Raises Problem where nothing can be kept."""
    if call.settings.annotations_file is not None:
        return
    if call.args.no_state:
        raise Problem("--no-state keeps nothing", "leave it out")
    raise Problem("There is no home folder to keep it in", "set HOME")


def save(kept: Annotations) -> None:
    """Writes what was changed. Raises Problem."""
    if not kept.save():
        raise Refused(
            f"Bookmarks, notes and tags cannot be written into {kept.trouble}",
            "XDG_STATE_HOME names another folder",
        )

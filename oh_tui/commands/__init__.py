"""The headless twin: one file a family of commands; the only places that print."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from oh_tui.sources import Source

MakeSource: TypeAlias = "Callable[[], Source]"
"""Makes the source that the words on the command line mean, when a command is ready to ask it."""

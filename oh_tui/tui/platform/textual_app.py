"""Imports Textual's `App` without what only functions need that oh-tui never calls."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

UNUSED = {
    # its palette, of which `oh_tui.tui.palette` has its own, with eleven kinds of widgets
    "textual.command": (
        "CommandListItem", "CommandPalette", "DiscoveryHit", "Hit", "Hits", "Provider",
        "SimpleProvider",
    ),
    "platformdirs": ("user_downloads_path",),  # saving files and screenshots
    "rich.table": ("Table",),  # printing a theme
}  # fmt: skip
"""Module -> names that `textual.app`, and what it imports, take from it. Executing these modules
takes 25 of the 230 ms of processor time that an empty Textual app needs."""


def load() -> None:
    """Import `textual.app` with `object` in place of these names, unless it is imported already.
    Whoever imports these modules later gets them."""
    if "textual.app" in sys.modules:
        return
    left_out = UNUSED.keys() - sys.modules.keys()
    for name in left_out:
        sys.modules[name] = stand_in = ModuleType(name)
        vars(stand_in).update(dict.fromkeys(UNUSED[name], object))
    try:
        importlib.import_module("textual.app")
    finally:
        for name in left_out:
            del sys.modules[name]

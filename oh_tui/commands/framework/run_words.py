"""Which words name a file or what others share, rather than a conversation of ours."""

from __future__ import annotations

import os

from oh_tui.catalog import links
from oh_tui.catalog.names import read_id
from oh_tui.settings import paths
from oh_tui.trajectory.formats import endings

STDIN = "-"
"""The word for standard input where a path can be."""


def is_path(text: str, *, asks_server: bool = False) -> bool:
    """Whether a word names a file, or what others share, rather than a conversation of ours. A file
    or folder of that name wins over an id, but not where the command `asks_server`."""
    if not text or "://" in text:
        return is_file_address(text) or is_shared(text)
    if is_stdin(text):
        return True
    if "/" in text or text.endswith(".zip") or text in (".", ".."):
        return True
    is_id = asks_server and bool(read_id(text))
    return not is_id and (paths.exists(text, os.environ) or bool(split_run(text)[1]))


def is_address(text: str) -> bool:
    return text.lower().startswith(("https://", "http://"))


def is_file_address(text: str) -> bool:
    """Whether an address of the web names a file with runs by its ending, not a conversation."""
    path = text.partition("#")[0].partition("?")[0]
    return is_address(text) and endings.may_hold_runs(path.rpartition("/")[2])


def is_shared(text: str) -> bool:
    """Whether an address is the link of a shared conversation."""
    return is_address(text) and not is_file_address(text) and links.is_shared_link(text)


def is_stdin(text: str) -> bool:
    """Whether a word that names a file or a run in it means standard input."""
    return text == STDIN or text.startswith(f"{STDIN}#")


def split_place(text: str) -> tuple[str, str]:
    """As `split_run`, also for standard input."""
    if is_stdin(text):
        return STDIN, text[len(STDIN) + 1 :]
    return split_run(text)


def split_run(text: str) -> tuple[str, str]:
    """The path and the run in `PATH#ID`; "" for the run where none is named."""
    return paths.split_run(text, os.environ)

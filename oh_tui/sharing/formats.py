"""The formats for people: what explorer and `oh-tui export` write, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oh_tui.sharing.cast import cast
from oh_tui.sharing.html import page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.text.redact import hide_keys, masked


class Format(NamedTuple):
    label: str
    ending: str
    """Of the names of its files."""
    beyond_steps: bool
    """Of a whole run it has the steps of sub-agents, and the patch that the run handed in."""
    write: Callable[[SharedRun], Iterator[str]]
    """The text of a file in pieces, without secrets."""
    has_notes: bool = True


def _page(run: SharedRun) -> Iterator[str]:
    """Its texts are masked; a mask of the whole could take a part of a tag for a secret."""
    return map(hide_keys, page.page(run))


FORMATS = {
    "html": Format("web page", ".html", True, _page),
    "md": Format("Markdown", ".md", False, lambda run: map(masked, markdown(run))),
    "cast": Format("recording (asciinema)", ".cast", False, cast, has_notes=False),
}

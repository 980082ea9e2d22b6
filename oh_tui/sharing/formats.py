"""The formats that explorer and `oh-tui export` write of a run, by name."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.sharing.atif import atif
from oh_tui.sharing.cast import cast
from oh_tui.sharing.html.page import page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.sink import Write


class Format(NamedTuple):
    label: str
    ending: str
    """Of the names of its files."""
    write: Write
    sub_agents: bool = False
    """Of a whole run it has their steps."""
    has_notes: bool = True


FORMATS = {
    "html": Format("web page", ".html", page, sub_agents=True),
    "md": Format("Markdown", ".md", markdown),
    "cast": Format("recording (asciinema)", ".cast", cast, has_notes=False),
    "atif": Format("ATIF", ".json", atif, sub_agents=True, has_notes=False),
    "otlp": Format("traces (OTLP)", ".jsonl", otlp, sub_agents=True, has_notes=False),
}

"""The formats that explorer and `oh-tui export` write of a run, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oh_tui.sharing import read_written
from oh_tui.sharing.atif import atif
from oh_tui.sharing.cast import cast
from oh_tui.sharing.html import page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.read_events import Extent, Wanted, head_of, head_of_page, what_leaves
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.text.redact import hide_keys, masked
from oh_tui.trajectory.formats.foreign.atif_export import is_left_out


class Format(NamedTuple):
    label: str
    ending: str
    """Of the names of its files."""
    write: Callable[[SharedRun], Iterator[str]]
    """The text of a file in pieces, without secrets."""
    leaves: Callable[[SharedRun, Wanted], WhatLeaves]
    """What leaves by such a file. Raises Problem once it is not wanted any more."""
    sub_agents: bool = False
    """Of a whole run it has their steps."""
    has_notes: bool = True


def _page(run: SharedRun) -> Iterator[str]:
    """Its texts are masked; a mask of the whole could take a part of a tag for a secret."""
    return map(hide_keys, page.page(run))


def _leaves_by_page(run: SharedRun, is_wanted: Wanted) -> WhatLeaves:
    extent = Extent(sub_agents=True, patch=True, diffs=True)
    return what_leaves(run, extent, head_of_page(run), is_wanted)


def _leaves_by_markdown(run: SharedRun, is_wanted: Wanted) -> WhatLeaves:
    return what_leaves(run, Extent(diffs=True), head_of(run), is_wanted)


def _leaves_by_recording(run: SharedRun, is_wanted: Wanted) -> WhatLeaves:
    found = WhatLeaves(len(run.steps))
    return read_written.look(read_written.recording(cast(run), found), found, is_wanted)


def _leaves_by_atif(run: SharedRun, is_wanted: Wanted) -> WhatLeaves:
    head = (run.name, run.conversation.llm_model, run.note)
    return what_leaves(run, Extent(sub_agents=True, is_left_out=is_left_out), head, is_wanted)


def _traces(run: SharedRun) -> Iterator[str]:
    return otlp(run, run.name, run.read or run.study.trajectory, messages=run.messages)


def _leaves_by_traces(run: SharedRun, is_wanted: Wanted) -> WhatLeaves:
    found = WhatLeaves(len(run.steps))
    return read_written.look(read_written.traces(_traces(run), run, found), found, is_wanted)


FORMATS = {
    "html": Format("web page", ".html", _page, _leaves_by_page, sub_agents=True),
    "md": Format("Markdown", ".md", lambda run: map(masked, markdown(run)), _leaves_by_markdown),
    "cast": Format("recording (asciinema)", ".cast", cast, _leaves_by_recording, has_notes=False),
    "atif": Format("ATIF", ".json", atif, _leaves_by_atif, sub_agents=True, has_notes=False),
    "otlp": Format(
        "traces (OTLP)", ".jsonl", _traces, _leaves_by_traces, sub_agents=True, has_notes=False
    ),
}

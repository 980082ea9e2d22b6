"""The runs in a zip or folder, by the names of its files; which one is read, and its sub-agents."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from oh_tui.text.patterns import pattern

EVENT_FILE = pattern(r"(?:.*/)?event[_-](\d{1,18})(?:[_-]([^/]*))?\.json", re.DOTALL)
"""`event_000000_ID.json` of the app server's download, `events/event-00000-ID.json` of the agent
server and of `~/.openhands/conversations`."""

STATE_FILES = ("meta.json", "base_state.json")

SUB_AGENTS = "subagents"
"""The folder of a conversation in which its sub-agents keep theirs."""

_OF_A_RUN = pattern(r"[0-9a-f]{32}/.*|(?:.*/)?(?:meta|base_state)\.json", re.DOTALL)
"""Other names in a zip that OpenHands makes."""


class Layout(NamedTuple):
    """The run that is read. Indexes are those of the list of names."""

    home: str
    """The folder of its meta.json and base_state.json, without a slash at the end."""
    numbers: array[int]
    """The numbers in the names of its event files, in the order listed."""
    events: array[int]
    """The indexes of its event files."""
    others: dict[str, int]
    """The other files of the whole archive: name -> index."""
    sub_agents: int
    """How many sub-agents it has, however deep."""
    note: str
    """What is said of the other runs; "" where there are none."""


def lay_out(names: Iterable[str]) -> Layout:
    """Finds the run to read: of those outside of `subagents` the one with the most events, so that
    a parent wins over its sub-agents however few events it has."""
    runs: defaultdict[str, tuple[array[int], array[int]]] = defaultdict(_columns)
    others: dict[str, int] = {}
    homes: dict[str, str] = {}
    """Folder of event files -> home."""
    for index, file in enumerate(names):
        match = EVENT_FILE.fullmatch(file)
        if match:
            folder = file.rpartition("/")[0]
            numbers, events = runs[folder]
            numbers.append(int(match[1]))
            events.append(index)
            if folder not in homes:
                homes[folder] = _home_of(folder)
        else:
            others[file] = index
    told = {name.rpartition("/")[0] for name in others if name.rpartition("/")[2] in STATE_FILES}
    every = {*homes.values(), *told}
    parents = {home for home in every if not _is_sub_agent(home)}
    candidates = {folder: run for folder, run in runs.items() if homes[folder] in parents}
    if not candidates and not parents:
        candidates = dict(runs)  # sub-agents alone
    chosen, (numbers, events) = max(
        candidates.items(), key=lambda run: len(run[1][0]), default=(None, _columns())
    )
    home = homes[chosen] if chosen is not None else min(parents, default="")
    below = f"{home}/{SUB_AGENTS}/" if home else f"{SUB_AGENTS}/"
    sub_agents = sum(one.startswith(below) for one in every)
    note = ""
    if not parents and every:
        which = "a sub-agent" if len(runs) == 1 else f"the longest of {len(runs)} sub-agents"
        note = f"holds no run of a parent: this is {which}"
    elif len(candidates) > 1:
        note = f"holds {len(candidates)} runs: the one with the most events is shown"
    return Layout(home, numbers, events, others, sub_agents, note)


def may_be_run(names: Iterable[str]) -> bool:
    """Whether these names, perhaps of files that cannot be read, are those of a run; also when
    there are none."""
    known = list(names)
    return not known or any(_OF_A_RUN.fullmatch(n) or EVENT_FILE.fullmatch(n) for n in known)


def _home_of(folder: str) -> str:
    above, _, last = folder.rpartition("/")
    return above if last == "events" else folder


def _is_sub_agent(home: str) -> bool:
    return SUB_AGENTS in home.split("/")


def _columns() -> tuple[array[int], array[int]]:
    return array("Q"), array("L")

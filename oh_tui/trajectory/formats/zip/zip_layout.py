"""Finds the runs in a zip or folder by file names, and chooses the one to read."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from oh_tui.text.patterns import pattern

EVENT_FILE = pattern(r"(?:.*/)?event[_-](\d{1,18})(?:[_-]([^/]*))?\.json", re.DOTALL)
"""`event_000000_ID.json` in the app server's download, `events/event-00000-ID.json` in the agent
server's and in `~/.openhands/conversations`."""

STATE_FILES = ("meta.json", "base_state.json")

SUB_AGENTS = "subagents"
"""The subfolder of a conversation that has a folder for each of its sub-agents."""

_OF_A_RUN = pattern(r"[0-9a-f]{32}/.*|(?:.*/)?(?:meta|base_state)\.json", re.DOTALL)
"""Names of other files in OpenHands' zips."""

DEEPEST = 16
"""Levels of sub-agents that are read. Deeper ones are left out."""


class Columns(NamedTuple):
    """The event files of a folder, in listing order."""

    numbers: array[int]
    indexes: array[int]


def no_columns() -> Columns:
    return Columns(array("Q"), array("L"))


class Layout(NamedTuple):
    """The run to read. Indexes point into the list of names."""

    home: str
    """The folder of its meta.json and base_state.json, without a trailing slash."""
    events: Columns
    others: dict[str, int]
    """The other files of the whole archive: name -> index."""
    below: dict[str, Columns]
    """Home -> event files of each sub-agent, at any depth."""
    started: dict[str, list[str]]
    """Home of the run or of a sub-agent -> homes of the sub-agents that it started, sorted."""
    note: str
    """A remark about the other runs; "" without one."""
    runs: int
    """The number of runs, without sub-agents."""

    def name_of(self, home: str) -> str:
        """The name of a sub-agent's folder, which is its conversation id."""
        return home.rpartition(f"{SUB_AGENTS}/")[2]


def lay_out(names: Iterable[str]) -> Layout:
    """Chooses the run with the most events outside of `subagents`: a parent wins over its
    sub-agents, even with fewer events."""
    runs: defaultdict[str, Columns] = defaultdict(no_columns)
    others: dict[str, int] = {}
    homes: dict[str, str] = {}
    """Folder of event files -> home."""
    for index, file in enumerate(names):
        match = EVENT_FILE.fullmatch(file)
        if match:
            folder = file.rpartition("/")[0]
            numbers, indexes = runs[folder]
            numbers.append(int(match[1]))
            indexes.append(index)
            if folder not in homes:
                homes[folder] = home_of(folder)
        else:
            others[file] = index
    paths = (name.rpartition("/") for name in others)
    every = {*homes.values(), *(folder for folder, _, name in paths if name in STATE_FILES)}
    parents = {home for home in every if SUB_AGENTS not in home.split("/")}
    candidates = {folder: run for folder, run in runs.items() if homes[folder] in parents}
    if not candidates and not parents:
        candidates = dict(runs)  # nothing but sub-agents
    chosen, events = max(
        candidates.items(), key=lambda run: len(run[1].numbers), default=(None, no_columns())
    )
    home = homes[chosen] if chosen is not None else min(parents, default="")
    inside = [one for one in every if one.startswith(f"{home}/{SUB_AGENTS}/".lstrip("/"))]
    below = {one: no_columns() for one in inside if level_of(one) <= DEEPEST}
    for folder, run in runs.items():
        one = homes[folder]
        if one in below and len(run.numbers) > len(below[one].numbers):
            below[one] = run
    started: dict[str, list[str]] = {}
    for one in sorted(below):
        started.setdefault(_starter(one, below, home), []).append(one)
    note = ""
    if not parents and every:
        which = "a sub-agent" if len(runs) == 1 else f"the longest of {len(runs)} sub-agents"
        note = f"holds no run of a parent: this is {which}"
    elif len(candidates) > 1:
        note = f"holds {len(candidates)} runs: the one with the most events is shown"
    if len(below) < len(inside):
        note += "; " if note else ""
        note += f"sub-agents more than {DEEPEST} levels deep are left out"
    states = (name.rpartition("/") for name in others if name.endswith("base_state.json"))
    tops = {homes[folder] for folder in candidates} | parents.intersection(one[0] for one in states)
    return Layout(home, events, others, below, started, note, len(tops))


def may_be_run(names: Iterable[str]) -> bool:
    """Whether files with these names, readable or not, can belong to a run. True without names."""
    known = list(names)
    return not known or any(_OF_A_RUN.fullmatch(n) or EVENT_FILE.fullmatch(n) for n in known)


def is_state(value: object) -> bool:
    """Whether the JSON of a `base_state.json` is the state of a conversation: other programs use
    this file name too."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return False
    if isinstance(value.get("execution_status") or value.get("agent_status"), str):
        return True
    return any(isinstance(value.get(name), dict) for name in ("agent", "workspace", "stats"))


def home_of(folder: str) -> str:
    """The home of a run whose event files are in this folder."""
    above, _, last = folder.rpartition("/")
    return above if last == "events" else folder


def level_of(home: str) -> int:
    """Depth of a home among sub-agents: 0 for the run itself."""
    return f"{home}/".count(f"{SUB_AGENTS}/")


def _starter(home: str, below: dict[str, Columns], top: str) -> str:
    """The home of the nearest run above a sub-agent; `top` if no folder in between has one."""
    parts = home.split("/")
    while SUB_AGENTS in parts:
        parts = parts[: len(parts) - 1 - parts[::-1].index(SUB_AGENTS)]
        if (above := "/".join(parts)) in below:
            return above
    return top

"""Bookmarks, notes, tags, budgets: what the user keeps about runs and steps, in one private file.

A run is identified by its conversation id, so that a downloaded zip shares annotations with the run
on its server; without such an id, by its place. A step is identified by its event id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from oh_tui.catalog.tags import LONGEST_VALUE, MOST, applied, is_key
from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.private_store import PrivateStore
from oh_tui.text.clean import clean, clean_line
from oh_tui.text.human import is_budget, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem

VERSION = 1
"""Version of the file. A file of another version is set aside, and a new one is begun."""

LARGEST = 8_000_000
"""Most bytes of the file. A larger one is not read."""

MOST_RUNS = 5_000

MOST_STEPS = 500
"""Most bookmarks of a run, and most notes on its steps."""

LONGEST_NOTE = 4_000

LONGEST_NAME, LONGEST_EVENT = 4_096, 128
"""Most characters of the name of a run, and of the id of an event."""

_ID = pattern("[0-9a-f]{32}")


class RunAnnotations(msgspec.Struct, frozen=True, omit_defaults=True):
    tags: dict[str, str] = {}
    """Key -> value, "" for a tag without one."""
    note: str = ""
    bookmarks: tuple[str, ...] = ()
    """Ids of the events of the bookmarked steps."""
    step_notes: dict[str, str] = {}
    """Event id of a step -> the note on it."""
    budget: float | None = None
    """US dollars; see `oh_tui.sources.budget`."""

    @property
    def notes(self) -> list[str]:
        return [*filter(None, [self.note]), *self.step_notes.values()]


NOTHING = RunAnnotations()


_Part: TypeAlias = Literal["bookmark", "note", "tag", "budget"]


class Change(NamedTuple):
    """One change to the annotations of a run. Changes are saved one by one, so that two programs
    can change the same run."""

    run: str
    part: _Part
    key: str
    """The id of an event, "" for the whole run; the key of a tag."""
    value: str | None
    """None removes it."""


class _File(msgspec.Struct):
    version: int = 0
    runs: dict[str, msgspec.Raw] = {}
    """Decoded one by one, so that an invalid entry costs only itself."""


_Runs = Mapping[str, RunAnnotations]


class Annotations(PrivateStore[_Runs, Change]):
    def __init__(self, file: Path | None = None) -> None:
        super().__init__(file, LARGEST, dict)
        self.runs: _Runs = self.read() or {}
        """By the name of the run; replaced with each change."""
        self._size = sum(len(msgspec.json.encode(run)) for run in self.runs.values())

    def of(self, conversation: Conversation) -> RunAnnotations:
        return self.runs.get(run_name(conversation), NOTHING) if self.runs else NOTHING

    # Changing

    def bookmark(self, conversation: Conversation, event_id: str, *, on: bool) -> None:
        """Sets or removes a bookmark. Raises Problem if there are too many."""
        self._require_id(event_id)
        self._take([Change(run_name(conversation), "bookmark", event_id, "" if on else None)])

    def write_note(self, conversation: Conversation, text: str, event_id: str = "") -> None:
        """Writes the note on a step, or on the run without `event_id`. An empty text removes it.
        Raises Problem if it is too long."""
        if event_id:
            self._require_id(event_id)
        text = clean(text).strip()
        if len(text) > LONGEST_NOTE:
            raise Problem(
                f"A note has at most {LONGEST_NOTE:,} characters, and this one {len(text):,}",
                "shorten it",
            )
        self._take([Change(run_name(conversation), "note", event_id, text or None)])

    def tag(self, conversation: Conversation, changes: Mapping[str, str | None]) -> None:
        """Sets tags, and removes those whose value is None. Raises Problem for too many."""
        name = run_name(conversation)
        self._take([Change(name, "tag", key, value) for key, value in changes.items()])

    def restore(self, conversation: Conversation, before: RunAnnotations) -> None:
        """Makes those tags, notes and bookmarks of a run that differ what they were: others may
        have been changed by another program. Raises Problem for too many."""
        name, now = run_name(conversation), self.of(conversation)
        parts: tuple[tuple[_Part, Mapping[str, str], Mapping[str, str]], ...] = (
            ("tag", now.tags, before.tags),
            ("note", {**now.step_notes, "": now.note}, {**before.step_notes, "": before.note}),
            ("bookmark", dict.fromkeys(now.bookmarks, ""), dict.fromkeys(before.bookmarks, "")),
        )
        self._take(
            [
                Change(name, part, key, was.get(key))
                for part, new, was in parts
                for key in dict(new.items() ^ was.items())
            ]
        )

    def set_budget(self, conversation: Conversation, budget: float | None) -> None:
        """Sets the budget of a run, or removes it with None. Raises Problem for too many runs."""
        value = None if budget is None else str(budget)
        self._take([Change(run_name(conversation), "budget", "", value)])

    def _require_id(self, event_id: str) -> None:
        if not _is_event(event_id):
            raise Problem("This step has no id to remember it by")

    def _take(self, changes: list[Change]) -> None:
        name = changes[0].run if changes else ""
        before = self.runs.get(name, NOTHING)
        after = _changed(before, changes)
        if after == before:
            return
        size = self._size + len(msgspec.json.encode(after)) - len(msgspec.json.encode(before))
        self._require_room(name, after, size)
        self._size = size
        self.runs = _with(self.runs, name, after)
        self.to_write(*changes)

    def _require_room(self, name: str, run: RunAnnotations, size: int) -> None:
        for count, most, what in (
            (len(run.tags), MOST, "tag"),
            (len(run.bookmarks), MOST_STEPS, "bookmark"),
            (len(run.step_notes), MOST_STEPS, "note on steps"),
        ):
            if count > most:
                many = "notes on steps" if " " in what else ""
                raise Problem(f"A run has at most {plural(most, what, many)}", "remove some first")
        if name not in self.runs and len(self.runs) >= MOST_RUNS:
            raise Problem(
                f"{MOST_RUNS:,} runs have a bookmark, a note, a tag or a budget: no more are kept",
                "remove those of some runs first",
            )
        if size > LARGEST * 9 // 10:
            raise Problem("All notes and tags together are too long", "remove some first")

    # The file

    def read_again(self) -> None:
        """Reads what other programs have written since."""
        if self.lasts and (read := self.read()) is not None:
            self.runs = reduce(self.changed, self._changes, read)
            self._size = sum(len(msgspec.json.encode(run)) for run in self.runs.values())

    def changed(self, runs: _Runs, change: Change) -> _Runs:
        run = _changed(runs.get(change.run, NOTHING), [change])
        return _with(runs, change.run, run)

    def decoded(self, data: bytes) -> _Runs:
        read = msgspec.json.decode(data, type=_File)
        if read.version != VERSION:
            raise ValueError
        found: dict[str, RunAnnotations] = {}
        for name, entry in list(read.runs.items())[:MOST_RUNS]:
            with contextlib.suppress(ValueError, RecursionError):
                run = _sound(_DECODER.decode(entry))
                if len(name) <= LONGEST_NAME and run != NOTHING:
                    found[name] = run
        return found

    def encoded(self, runs: _Runs) -> bytes:
        return msgspec.json.encode({"version": VERSION, "runs": runs})


def run_name(conversation: Conversation) -> str:
    """The name of a run in our file: its bare id if no other run can have it, else its place."""
    bare = bare_id(conversation.id)
    if conversation.place and not _ID.fullmatch(bare):
        return conversation.place[:LONGEST_NAME]
    return bare[:LONGEST_NAME]


def _with(runs: _Runs, name: str, run: RunAnnotations) -> _Runs:
    others = {other: old for other, old in runs.items() if other != name}
    return others if run == NOTHING else {**others, name: run}


def _changed(run: RunAnnotations, changes: Iterable[Change]) -> RunAnnotations:
    for _, part, key, value in changes:
        if part == "tag":
            run = replace(run, tags=applied(run.tags, {key: value}))
        elif part == "note" and key:
            run = replace(run, step_notes=applied(run.step_notes, {key: value}))
        elif part == "note":
            run = replace(run, note=value or "")
        elif part == "budget":
            run = replace(run, budget=None if value is None else float(value))
        else:
            others = tuple(one for one in run.bookmarks if one != key)
            run = replace(run, bookmarks=others if value is None else (*others, key))
    return run


_DECODER = msgspec.json.Decoder(RunAnnotations)


def _sound(run: RunAnnotations) -> RunAnnotations:
    """The annotations without what nobody could have typed: the file may have been edited."""
    tags = {
        key: clean_line(value)[:LONGEST_VALUE] for key, value in run.tags.items() if is_key(key)
    }
    notes = _first(
        {key: _note(text) for key, text in run.step_notes.items() if _is_event(key)}, MOST_STEPS
    )
    bookmarks = tuple(dict.fromkeys(filter(_is_event, run.bookmarks)))[:MOST_STEPS]
    budget = run.budget if run.budget is not None and is_budget(run.budget) else None
    return RunAnnotations(_first(tags, MOST), _note(run.note), bookmarks, notes, budget)


def _first(texts: dict[str, str], most: int) -> dict[str, str]:
    return dict(list(texts.items())[:most])


def _note(text: str) -> str:
    return clean(text).strip()[:LONGEST_NOTE]


def _is_event(identifier: str) -> bool:
    return 0 < len(identifier) <= LONGEST_EVENT

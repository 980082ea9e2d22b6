"""The files that are not as they were at a step, as far as the events of a run tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.trajectory.changes.at_step import text_of
from oh_tui.trajectory.changes.history import FileHistory, FileState
from oh_tui.trajectory.changes.order_in_time import END, Moment

_NAMED = 3
"""Files of a kind that are named."""


class Differs(NamedTuple):
    """A file that has another text now, or may have."""

    file: FileHistory
    certain: bool
    edited: bool
    """An edit since then left another text, or one that is not known."""


def differing(files: Iterable[FileHistory], moment: Moment) -> list[Differs]:
    """The files that a run edited and that differ at its end from a moment in it, by path."""
    found = []
    for file in files:
        then, now = file.at(moment), file.at(END)
        if now.edit.ended <= moment:
            if len(now.since) > len(then.since):
                found.append(Differs(file, certain=False, edited=False))
            continue
        old, new = text_of(then), text_of(now)
        is_sure, is_same = _is_sure(then) and _is_sure(now), old is not None and old == new
        if not (is_sure and is_same):
            found.append(Differs(file, certain=is_sure, edited=not is_same))
    return found


def differing_words(found: Sequence[Differs]) -> str:
    """Such as `parse.py differs; weeks.py was edited; commands may have changed 4 others`,
    "" for none."""
    certain = [one.file.shown for one in found if one.certain]
    edited = [one.file.shown for one in found if one.edited and not one.certain]
    rest = len(found) - len(certain) - len(edited)
    told = []
    if certain:
        told.append(f"{names(certain)} {'differs' if len(certain) == 1 else 'differ'}")
    if edited:
        told.append(f"{names(edited)} {'was' if len(edited) == 1 else 'were'} edited")
    if rest:
        others = plural(rest, "other file" if told else "file")
        told.append(f"commands may have changed {others}")
    return "; ".join(told)


def names(paths: Sequence[str]) -> str:
    more = len(paths) - _NAMED
    if more > 1:
        return f"{', '.join(paths[:_NAMED])} and {more:,} others"
    *first, last = paths
    return f"{', '.join(first)} and {last}" if first else last


def _is_sure(state: FileState) -> bool:
    """Whether the text is that of an edit, and nothing may have written between it and then."""
    if state.certain or state.since:
        return state.certain
    is_told = state.version is not None and state.version.side.is_exact
    return is_told or state.exists is False

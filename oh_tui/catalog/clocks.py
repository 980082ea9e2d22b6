"""Whose clock wrote the times of a run: decided here, once for each run, from what the data tells.

An agent writes `datetime.now()`, which names no zone (sdk/event/base.py): the time of day where its
process runs. A record beside the events does name one. Both of the same moment give the zone.

app server    the record, made with the first event and changed with the last (1.11.0, measured);
              else UTC, in which the images of sandboxes run
agent server  its record, likewise (1.17.0, 1.34.0, 1.58.2, source); else not known
zip, folder   `created_at` and `updated_at` of meta.json; else when the files of a folder were
              written, unless they are copies; else not known
own CLI runs  when their files were written; else the zone of this machine (CLI 1.16.0)
V0            the answers of the model, whose `created` is in seconds since 1970; else not known
other         times in seconds are UTC (`foreign_run.timestamp`); texts are as they are written
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from oh_tui.conversation import Conversation, fork_of
from oh_tui.trajectory.formats import converted_run, run_file
from oh_tui.trajectory.formats.zip import archive
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.clock import IN_UTC, LOCAL, NOT_KNOWN, is_bare, measured, seconds
from oh_tui.trajectory.model.events import Event, decode_json
from oh_tui.trajectory.model.trajectory import Trajectory

ENDS = 3
"""Events at the start and at the end of a run that are searched for one with a time."""

Evidence = Iterable[tuple[str, float | None]]
"""Pairs of a time as the clock showed it and the same moment in seconds since 1970."""


def clock_of_record(
    conversation: Conversation,
    events: Sequence[Event],
    complete: bool,
    known: Trajectory | None = None,
) -> str:
    """The clock of a run on a server. `complete` means that `events` include the oldest. A clock
    that the `known` run, read before, already has stays."""
    if known is not None and known.clock:
        return known.clock
    # the first events of a fork are older than its record
    first = events[:ENDS] if complete and not conversation.origin else ()
    record = (conversation.created_at, conversation.updated_at)
    # without a sandbox there is no image with a known zone
    default = IN_UTC if conversation.sandbox_id else NOT_KNOWN
    return _clock(_ends(first, events[-ENDS:], *record), default)


def clock_of_file(run: run_file.RunFile) -> str:
    """The clock of a run in a file; for a sub-agent, that of its parent. Reads a few events."""
    if isinstance(run, archive.Archive) and run.parent is not None:
        return clock_of_file(run.parent)
    first, last = list(run.events(0, ENDS)), list(run.events(max(0, len(run) - ENDS)))
    if not any(is_bare(event.timestamp) for event in (*first, *last)):
        return NOT_KNOWN
    made = None if fork_of(run.info) else run.info.get("created_at")
    clock = _clock(_ends(first, last, made, run.info.get("updated_at")))
    if clock or not isinstance(run, archive.Archive):
        return clock or (
            _clock(_answers(run)) if isinstance(run, converted_run.ConvertedRun) else NOT_KNOWN
        )
    if run.folder is None:
        return NOT_KNOWN
    is_own = run.folder.folder.parent == Path.home() / ".openhands/conversations"
    return _clock(_written(run, first, last), LOCAL if is_own else NOT_KNOWN)


def _clock(evidence: Evidence, default: str = NOT_KNOWN) -> str:
    """The clock by the first pair that a single zone explains, unless another pair confirms the
    default: a record may have changed an hour after the run by chance."""
    found = [measured(shown, then) for shown, then in evidence if then is not None]
    found = [clock for clock in found if clock]
    return default if default in found or not found else found[0]


def _ends(
    first: Sequence[Event], last: Sequence[Event], created: object, updated: object
) -> Evidence:
    """Pairs the first event with the start of the record, and the last event with its change."""
    for events, stamp in ((first, created), (last[::-1], updated)):
        if isinstance(stamp, str) and not is_bare(stamp):
            yield first_time(events), seconds(stamp)


def first_time(events: Iterable[Event]) -> str:
    """The first valid timestamp; "" if there is none."""
    return next((event.timestamp for event in events if event.seconds() is not None), "")


def _written(run: archive.Archive, first: Sequence[Event], last: Sequence[Event]) -> Evidence:
    """Pairs the first event with the time of its file, unless the files of the run are copies."""
    begun, ended = seconds(first[0].timestamp), seconds(last[-1].timestamp)
    wrote = [run.written_at(0), run.written_at(len(run) - 1)]
    if begun is None or ended is None:
        return
    if abs((wrote[1] - wrote[0]) - (ended - begun)) <= 5.0:  # else they are copies
        yield first[0].timestamp, wrote[0]


def _answers(run: converted_run.ConvertedRun) -> Iterator[tuple[str, float | None]]:
    """Pairs V0 events with the times of the answers they were made from."""
    for place, event in enumerate(run.events(0, 20)):
        try:
            original = decode_json(run.original(place))
        except ValueError:
            continue
        made = field(original, "tool_call_metadata", "model_response", "created")
        if isinstance(made, int | float) and not isinstance(made, bool):
            yield event.timestamp, float(made)

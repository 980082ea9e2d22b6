"""Records of made-up runs for the tests of the library."""

from __future__ import annotations

import json
from collections.abc import Iterable

from oh_tui.library.records import Record, record_of
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.tables import About
from scripts.many_runs import Json, Maker

HOME = "/runs/output.jsonl"


def run_of(events: Iterable[Json]) -> Trajectory:
    run = Trajectory()
    run.extend(parse_event(json.dumps(one).encode()) for one in events)
    return run


def made_record(maker: Maker, number: int, fingerprint: str = "1") -> Record:
    made = maker.made(number)
    about = About(run=made.name, title=made.name, model=made.model, repository=made.repository)
    place = f"{HOME}#{made.name}"
    found = record_of(
        run_of(maker.history(number)), about, place=place, home=HOME, fingerprint=fingerprint
    )
    assert found is not None
    return found

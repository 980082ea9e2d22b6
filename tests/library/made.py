"""Records of made-up runs for the tests of the library."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from oh_tui.library.library import Library
from oh_tui.library.records import Record, record_of
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.table_rows import About
from oh_tui.trajectory.tables import RunRow
from scripts.many_runs import Json, Maker

HOME = "/runs/output.jsonl"


class Known(NamedTuple):
    """A run in the library."""

    place: str
    home: str
    is_gone: bool
    row: RunRow


def known_runs(library: Library, where: str = "1", *values: object) -> list[Known] | None:
    """The runs that a condition on the columns of `runs` lets through, the newest first."""
    columns = ", ".join(RunRow.__struct_fields__)
    sql = (
        f"SELECT place, home, gone, {columns} FROM runs WHERE {where} ORDER BY began DESC, id DESC"
    )
    found = library.select(sql, *values)
    return found and [Known(row[0], row[1], bool(row[2]), RunRow(*row[3:])) for row in found]


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

"""JSON of any shape in place of the documented one: everything is shown, and nothing crashes."""

from __future__ import annotations

import copy
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.commands import check as check_command
from oh_tui.conversation import Conversation
from oh_tui.documents import changed_files, why
from oh_tui.documents.run import counts_json, step_json, totals_json, verdict_json
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation import change_rows
from oh_tui.trajectory.reading.plans import tasks_of
from oh_tui.trajectory.search.searchable_text import texts_of
from oh_tui.trajectory.search.step_filter import parse
from tests.hostile.kinds import run, write_zip
from tests.trajectory.test_taint import shown

HUGE = b"123456789" * 600
DEEP = b"[" * 10_000 + b"]" * 10_000
DEEPISH = b"[" * 600 + b"]" * 600

SHAPES: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "number": b"-7",
    "fraction": b"1e308",
    "string": b'"text"',
    "blank": b'""',
    "list": b'[1, null, "a", [], {}]',
    "object": b'{"a": 1, "": null, "kind": 5, "text": []}',
}

WORSE: dict[str, bytes] = {
    "not a number": b"NaN",
    "infinite": b"-1e999",
    "huge": HUGE,
    "deep": DEEP,
    "rather deep": DEEPISH,
    "half a character": b'"\\ud800"',
}

QUERY = parse(
    "-kind:Action -tool:x -source:agent -is:failed -risk:HIGH -took:>1m -cost:>9 -path:zz -words"
)

ALL = SHAPES | WORSE

MARK = "\x00here"

Path_ = tuple[Any, ...]


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Everything inside decoded JSON, and the whole of it."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:1]):
            yield from places(inner, (*path, number))


def with_shape(value: Any, path: Path_, shape: bytes) -> bytes:
    """`value` as JSON with something else at this place."""
    value = copy.deepcopy(value)
    inside = value
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = MARK
    return json.dumps(value).encode().replace(json.dumps(MARK).encode(), shape)


def tell_all(raw: list[bytes]) -> None:
    """Everything that panes and commands tell of a run with these events."""
    events = [parse_event(one) for one in raw]
    run = Trajectory()
    run.extend(events)
    study = Study(run)
    study.strip.picture(40)
    spending(run, study.accounts)
    facts = Study(run)
    told: list[Any] = [verdict_json(facts.verdict), counts_json(facts, 0), totals_json(facts)]
    for step in run.steps:
        told.append(step_json(facts, step))
        QUERY.matches(step, run, study)
        tasks_of(step.event.body())
    told += [
        why.report(Conversation("5f3a"), Study(run)),
        check_command.report(run),
        changed_files.report(study.changes, change_rows.rows(study.changes, None)),
    ]
    json.dumps(told, allow_nan=False)
    for event in events:
        list(texts_of(event))
        event.seconds()
        for _ in shown(run, event):
            pass


def words() -> str:
    return "word"


def pairs() -> Iterator[tuple[list[dict[str, Any]], int]]:
    """The events of a run of every kind, each call with its result, and which of them to change."""
    events = list(run(words))
    while events:
        first = events.pop(0)
        whole = [first]
        if events and first["kind"] == "ActionEvent" and events[0].get("action_id") == first["id"]:
            whole.append(events.pop(0))
        for number in range(len(whole)):
            yield whole, number


def cases() -> Iterator[tuple[str, list[bytes], Path_, list[dict[str, Any]], int]]:
    """Each place of each kind of event once, with the events it stands in."""
    known: set[Any] = set()
    for whole, number in pairs():
        body = whole[number]
        inner = body.get("action") or body.get("observation")
        part = inner["kind"] if isinstance(inner, dict) else body.get("key")
        raw = [json.dumps(one).encode() for one in whole]
        for path in places(body):
            where = (body["kind"], *(part,) * (path[0] in ("action", "observation", "value")), path)
            if where not in known:
                known.add(where)
                yield str(where), raw, path, whole, number


def try_shapes(first: int, every: int, *, some: bool = False) -> int:
    """Tell all with each shape at one place of so many; with `some` one shape at each, in turn."""
    names = itertools.cycle(ALL)
    tried = 0
    for where, raw, path, whole, number in itertools.islice(cases(), first, None, every):
        for name in [next(names)] if some else ALL:
            changed = [*raw]
            changed[number] = with_shape(whole[number], path, ALL[name])
            try:
                tell_all(changed)
            except Exception as error:
                error.add_note(f"{name} at {where}")
                raise
            tried += 1
    return tried


@pytest.mark.slow
def test_one_shape_or_another_at_every_second_place_of_each_event() -> None:
    assert try_shapes(0, 2, some=True) > 350


PARTS = 8
"""So many tests, for as many processors."""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_each_shape_at_each_place_of_each_event(part: int) -> None:
    assert try_shapes(part, PARTS) > 10_000 / PARTS


ODD_FILES: dict[str, bytes] = {
    **{f"{name} alone": shape for name, shape in ALL.items()},
    "nothing": b"",
    "twice": b'{"id": "a", "id": "b", "kind": "MessageEvent", "kind": 5, "source": "user"}',
    "a byte order mark": b'\xef\xbb\xbf{"id": "c", "kind": "PauseEvent"}',
    "UTF-16": '{"id": "d", "kind": "PauseEvent"}'.encode("utf-16"),
    "not UTF-8": b'{"id": "e\xff\xfe", "kind": "\xc3("}',
    "cut": b'{"id": "f", "kind": "Mess',
    "more after it": b'{"id": "g", "kind": "PauseEvent"} x',
    "comments": b'/* x */ {"id": "h"} // y',
    "a page": b"<!doctype html><html></html>",
    "an id of an object": b'{"id": {}, "kind": [], "timestamp": {"a": 1}}',
    **{
        f"a value that is {name}": b'{"id": "v%d", "kind": "%s", "tool_call_id": "t", "value": %s, '
        b'"key": "stats", "error": %s, "action": {"kind": "TerminalAction", "command": %s}}'
        % (n, kind, shape, shape, shape)
        for kind in (b"ActionEvent", b"AgentErrorEvent", b"ConversationStateUpdateEvent")
        for n, (name, shape) in enumerate(ALL.items())
    },
}

COMMANDS = ("show", "why", "steps", "tail", "changes", "check", "count", "events", "export")


def said_by(*words: str | Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def test_commands_read_files_of_any_shape_and_print_json_that_is_json(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "odd.zip", ODD_FILES.values(), id=5, title=["x"], metrics="y")
    for name in COMMANDS:
        for more in ((), ("--json",)):
            code, out, err = said_by(name, path, *more)
            assert code in (0, 3) and "bug" not in err, (name, err)
            assert out or (name == "changes" and err), name  # no file, no rows: a remark says so
            if more or name == "events":
                lines = out.splitlines() if name in ("events", "export", "tail") else [out]
                for line in lines:
                    json.loads(line, parse_constant=no_constant)


@pytest.mark.parametrize(
    "meta", [b"", b"null", b"[]", b'"x"', b"{", HUGE, DEEP, b'{"id": "\\ud800"}']
)
def test_what_tells_of_a_run_may_be_anything(meta: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", meta)
        archive.writestr("event_000000_a.json", b'{"id": "a", "kind": "PauseEvent"}')
    code, out, _ = said_by("show", path)
    assert code == 0 and out

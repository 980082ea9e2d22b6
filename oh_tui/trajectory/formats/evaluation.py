"""A run with V1 events, as in a row of an evaluation's `output.jsonl`: an instance, its history.

The rows of OpenHands/benchmarks: `instance_id`, `attempt`, `test_result.git_patch`, `metadata`,
`history`, `metrics` and `error`. Each may be missing or null.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import overload

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.document import Converted, Document, Fields, Top, value_of
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import decode_json, read_json
from oh_tui.trajectory.model.usage_stats import COMBINED, stats_text

_NAMED = pattern(
    rb'"(?:instance_id|history|test_result|kind)"\s*:|"source"\s*:\s*"(?:agent|user|environment)"'
)

_BETWEEN = pattern(rb"[\s,\[]*")

FIRST = 20
"""Items of a list that are looked at to see what it contains."""

_PLACES = ("history", "events", "trajectory")
"""Fields of a row that may have its events."""

_OTHERS = ("action", "observation", "role")
"""Fields that have a text only in events of other formats."""

LONGEST = 4_000_000
"""Characters of a patch or an error that are kept."""


class Slices(Sequence[bytes]):
    """Parts of a text, as columns of starts and sizes. `read` gives the bytes at a start."""

    def __init__(
        self, read: Callable[[int, int], bytes], starts: array[int], sizes: array[int]
    ) -> None:
        self._read = read
        self.starts, self.sizes = starts, sizes

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        return self._read(self.starts[index], self.sizes[index])


def place_of(top: Top, names: Iterable[str], test: Callable[[object], bool]) -> str | None:
    """The field whose list has an item that passes the test; "" for the top level itself, None if
    there is none."""
    if not isinstance(top, Fields):
        return "" if _any(top, test) else None
    for name in names:
        with contextlib.suppress(ValueError):
            if _any(top.list_at(name), test):
                return name
    return None


def _any(items: Sequence[msgspec.Raw], test: Callable[[object], bool]) -> bool:
    return any(test(read_json(bytes(item))) for item in items[:FIRST])


def is_event(value: object) -> bool:
    """Whether a decoded value is a V1 event."""
    is_other = any(isinstance(field(value, name), str) for name in _OTHERS)
    return isinstance(field(value, "kind"), str) and not is_other


def _is_bare_row(top: Top) -> bool:
    """Whether it is a row of an evaluation, which need not have events."""
    if not isinstance(top, Fields) or "instance_id" not in top:
        return False
    return top.get("history") is not None or "test_result" in top


def _convert(text: bytes, top: Top) -> Converted:
    if not isinstance(top, Fields):
        return Converted(events=[bytes(item) for item in top])
    place = place_of(top, _PLACES, is_event) or "history"
    converted = Converted(events=_events(text, top.get(place), top.list_at(place)))
    if not (len(converted.events) or bytes(top.get("history", b"")).startswith(b"[")):
        converted.notes = ["it has no history of events"]
    return converted


def add_row(converted: Converted, top: Top) -> None:
    """Adds what the fields of a row say about its run, where its format does not."""
    metadata, metrics = value_of(top, "metadata"), value_of(top, "metrics")
    most = field(metadata, "max_iterations")
    patch = value_of(top, "test_result", "git_patch")
    info = {
        "id": name_in(value_of(top, "instance_id")),
        "attempt": value_of(top, "attempt"),
        "llm_model": field(metadata, "llm", "model") or field(metadata, "llm_config", "model"),
        "selected_repository": field(value_of(top, "instance"), "repo"),
        "dataset": field(metadata, "dataset"),
    }
    given = {name: value for name, value in info.items() if value}
    converted.info = given | {name: v for name, v in converted.info.items() if v}
    if metrics and not converted.stats:
        converted.stats = stats_text({"usage_to_metrics": {COMBINED: metrics}})
    known, error = converted.recorded, told_error(value_of(top, "error"))[:LONGEST]
    converted.recorded = msgspec.structs.replace(
        known,
        error=known.error or error,
        by_evaluation=bool(error) and not known.error,
        max_iterations=known.max_iterations
        or (most if isinstance(most, int) and 0 < most < 10**6 else 0),
        patch=known.patch or (patch[:LONGEST] if isinstance(patch, str) else ""),
    )


def name_in(value: object) -> str:
    """An id as text; "" without one."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def told_error(error: object) -> str:
    """The error of a row as text; "" without one."""
    if isinstance(error, str):
        return error.strip()
    said = [text_field(error, name) for name in ("type", "message")]
    return ": ".join(filter(None, said)) if said[1] else (str(error) if error else "")


def _events(
    text: bytes, history: msgspec.Raw | None, items: Sequence[msgspec.Raw]
) -> Sequence[bytes]:
    """The events of a history as slices of the text, so that none is copied."""
    if history is not None and not items and decode_json(bytes(history)):
        return [bytes(history)]  # not a list: shown as it is
    # an earlier copy of the same bytes has the same events
    place = text.find(history) if items and history is not None else -1
    if place < 0:
        return [bytes(item) for item in items]
    starts, sizes = array("Q"), array("Q")
    for item in items:
        found = _BETWEEN.match(text, place)
        start = found.end() if found else place
        if not text.startswith(bytes(item), start):
            return [bytes(item) for item in items]
        starts.append(start)
        sizes.append(len(item))
        place = start + len(item)
    return Slices(lambda start, size: text[start : start + size], starts, sizes)


V1 = Document(
    "V1 events", _NAMED, lambda top: place_of(top, _PLACES, is_event) is not None, _convert
)
ROW = Document("evaluation output", _NAMED, _is_bare_row, _convert)

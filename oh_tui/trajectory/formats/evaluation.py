"""A row of an evaluation's `output.jsonl`: one instance, with V1 events as its history.

The rows of OpenHands/benchmarks: `instance_id`, `attempt`, `test_result.git_patch`, `metadata`,
`history`, `metrics` and `error`. Each may be missing or null.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import overload

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.document import Converted, Document, Fields, Top, value_of
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.usage_stats import COMBINED, stats_text

_NAMED = pattern(rb'"(?:instance_id|history|test_result)"\s*:')

_BETWEEN = pattern(rb"[\s,\[]*")

_FIRST = 20
"""Items of a history that are looked at to see what it contains."""

_OTHERS = ("action", "observation", "role")
"""Fields that only events of other formats have."""

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


def is_row(top: Top) -> bool:
    """Whether it is a row with V1 events as history, or one without history that names an
    instance."""
    if not isinstance(top, Fields):
        return False
    history = top.get("history")
    try:
        items = (decode_json(bytes(item)) for item in top.list_at("history")[:_FIRST])
        first = next((item for item in items if isinstance(item, dict | list)), None)
    except ValueError:
        return False
    if isinstance(field(first, "kind"), str):
        return True
    first = first[0] if isinstance(first, list) and first else first  # a V0 pair
    if any(isinstance(field(first, name), str) for name in _OTHERS):
        return False
    return "instance_id" in top and (history is not None or "test_result" in top)


def convert(text: bytes, top: Top) -> Converted:
    assert isinstance(top, Fields)
    metadata, instance = value_of(top, "metadata"), value_of(top, "instance")
    error = value_of(top, "error")
    most = field(metadata, "max_iterations")
    patch = value_of(top, "test_result", "git_patch")
    metrics = value_of(top, "metrics")
    info = {
        "id": name_in(value_of(top, "instance_id")),
        "attempt": value_of(top, "attempt"),
        "llm_model": field(metadata, "llm", "model"),
        "selected_repository": field(instance, "repo"),
        "dataset": field(metadata, "dataset"),
    }
    return Converted(
        events=_events(text, top),
        info={name: value for name, value in info.items() if value},
        stats=stats_text({"usage_to_metrics": {COMBINED: metrics}}) if metrics else b"",
        recorded=Recorded(
            error=told_error(error)[:LONGEST],
            max_iterations=most if isinstance(most, int) and 0 < most < 10**6 else 0,
            patch=patch[:LONGEST] if isinstance(patch, str) else "",
        ),
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


def _events(text: bytes, top: Fields) -> Sequence[bytes]:
    """The events as slices of the text, so that none is copied."""
    history = top.get("history")
    items = top.list_at("history")
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


ROW = Document("evaluation output", lambda head: _NAMED.search(head) is not None, is_row, convert)

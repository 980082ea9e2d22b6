"""A row of an evaluation's `output.jsonl`: one instance, with the events of V1 as its history.

The rows of OpenHands/benchmarks: `instance_id`, `attempt`, `test_result.git_patch`, `metadata`,
`history`, `metrics` and `error`; any of them may be missing or null.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.document import Converted, Document, Top, items_of, value_of
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.stats import stats_text

_NAMED = pattern(rb'"(?:instance_id|history|test_result)"\s*:')

_BETWEEN = pattern(rb"[\s,\[]*")

LONGEST = 4_000_000
"""Characters of a patch or an error that are kept."""


class Slices(Sequence[bytes]):
    """Parts of a text, in two numbers each. `read` gives the bytes from a start on."""

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
    """A row whose history has events of V1; one without history if it names an instance."""
    if not isinstance(top, Mapping):
        return False
    history = top.get("history")
    try:
        first = next(iter(items_of(history)), None)
        if first is not None:
            return isinstance(field(decode_json(bytes(first)), "kind"), str)
    except ValueError:
        return False
    return "instance_id" in top and (history is not None or "test_result" in top)


def convert(text: bytes, top: Top) -> Converted:
    assert isinstance(top, Mapping)
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
        stats=stats_text({"usage_to_metrics": {"agent": metrics}}) if metrics else b"",
        recorded=Recorded(
            error=_told(error)[:LONGEST],
            max_iterations=most if isinstance(most, int) and 0 < most < 10**6 else 0,
            patch=patch[:LONGEST] if isinstance(patch, str) else "",
        ),
    )


def name_in(value: Any) -> str:
    """An id as a text; "" without one."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _told(error: Any) -> str:
    if isinstance(error, str):
        return error.strip()
    return text_field(error, "message") or (str(error) if error else "")


def _events(text: bytes, top: Mapping[str, Any]) -> Sequence[bytes]:
    """The events where they stand in the text, so that none has to be copied."""
    history = top.get("history")
    items = items_of(history)
    # the same bytes further up would hold the same events
    place = text.find(history) if items and history is not None else -1
    if place < 0:
        return [bytes(item) for item in items]
    starts, sizes = array("Q"), array("Q")
    for item in items:
        size = len(memoryview(item))
        found = _BETWEEN.match(text, place)
        start = found.end() if found else place
        if text[start : start + 1] != bytes(memoryview(item)[:1]) or start + size > len(text):
            return [bytes(item) for item in items]
        starts.append(start)
        sizes.append(size)
        place = start + size
    return Slices(lambda start, size: text[start : start + size], starts, sizes)


ROW = Document("evaluation output", lambda head: _NAMED.search(head) is not None, is_row, convert)

"""A run as one JSON text: its top level, and the events it is converted to."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from oh_tui.trajectory.formats.run_file import SubAgentFile
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import decode_json, read_json
from oh_tui.trajectory.model.recorded import NOTHING_RECORDED, Recorded


class Fields(dict[str, msgspec.Raw]):
    """The fields of an object, each still JSON. The items of a list are found once, since every
    format looks at those of a history."""

    def __init__(self, fields: Mapping[str, msgspec.Raw]) -> None:
        super().__init__(fields)
        self._lists: dict[str, list[msgspec.Raw]] = {}

    def list_at(self, name: str) -> list[msgspec.Raw]:
        """As `items_of`. Do not change the list."""
        if name not in self._lists:
            self._lists[name] = items_of(self.get(name))
        return self._lists[name]


Top: TypeAlias = Fields | Sequence[msgspec.Raw]
"""The fields of an object, or the items of a list, each still JSON."""

NO_EVENTS: tuple[bytes, ...] = ()


class Converted(msgspec.Struct):
    """A run as V1 events, with everything else that its text says."""

    events: Sequence[bytes] = NO_EVENTS
    """The JSON of each event."""
    originals: Sequence[bytes] | None = None
    """The JSON that each event was made from; None if that is the event itself."""
    info: dict[str, object] = {}
    """As `RunFile.info`. Secrets are hidden later."""
    stats: bytes = b""
    """In the form of `stats_text`."""
    recorded: Recorded = NOTHING_RECORDED
    notes: list[str] = []
    """What could not be converted, a line each."""
    cut_off: str = ""
    parts: Sequence[str] = ()
    """Names of other files in the folder that are read with it. Each is a run by itself."""
    sub_agents: Sequence[SubAgentFile] = ()


class Document(NamedTuple):
    """A format of a run as one JSON text."""

    name: str
    sign: re.Pattern[bytes]
    """What the beginning of such a text has."""
    is_one: Callable[[Top], bool]
    """Whether this is the top level of such a text. Never raises."""
    convert: Callable[[bytes, Top], Converted]
    """Converts the text, given with its top level. May raise ValueError for a text that cannot be
    one."""

    def may_be(self, head: bytes) -> bool:
        """Whether a text that begins with these bytes can be one. If False, the rest is not read:
        settings, for instance, are JSON too."""
        return self.sign.search(head) is not None


_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode

_BOM = b"\xef\xbb\xbf"
_REFUSED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def top_of(text: bytes) -> Top:
    """The top level of a JSON text. Raises ValueError if it is not JSON, or only a string or a
    number."""
    plain = text.removeprefix(_BOM)
    try:
        if plain.lstrip()[:1] == b"{":
            return Fields(_decode_fields(plain))
        return _decode_items(plain)
    except _REFUSED:
        pass
    # msgspec rejects lone surrogates, NaN and a byte order mark
    value = decode_json(text)
    if isinstance(value, dict):
        return Fields({name: _raw(each) for name, each in value.items()})
    if isinstance(value, list):
        return [_raw(each) for each in value]
    raise ValueError("neither an object nor a list")


def value_of(top: Top, *path: str) -> object:
    """The decoded value at a path of names; None when there is none."""
    value = top.get(path[0]) if isinstance(top, Fields) else None
    return None if value is None else field(read_json(bytes(value)), *path[1:])


def items_of(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """The items of a JSON list, also of one in a text, each still JSON; [] for anything else."""
    if raw is not None and bytes(memoryview(raw)[:2]) == b'"[':
        with contextlib.suppress(ValueError):
            return items_of(msgspec.Raw(str(read_json(bytes(raw))).encode()))
    if raw is None or bytes(memoryview(raw)[:1]) != b"[":
        return []
    try:
        return _decode_items(raw)
    except _REFUSED:
        top = top_of(bytes(raw))
        return list(top) if not isinstance(top, Fields) else []


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())

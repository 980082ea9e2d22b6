"""Any bytes make an event; the head is typed, the body decoded on demand."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.clean import well_formed
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.event_kinds import NO_KIND, UNREADABLE
from oh_tui.trajectory.model.events import Event, decode_json, parse_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEXTS = [
    *("id", "kind", "timestamp", "source", "tool_name", "tool_call_id", "action_id"),
    *("llm_response_id", "parent_id", "risk", "summary", "part", "key", "status"),
]
WIRE = [*TEXTS, "security_risk", "action", "observation", "value", "is_error", "success", "blocked"]


def has_its_types(event: Event) -> bool:
    return (
        all(isinstance(getattr(event, name), str) for name in TEXTS)
        and isinstance(event.failed, bool)
        and isinstance(event.ended, bool)
        and (event.exit_code is None or isinstance(event.exit_code, int))
        and event.id != ""
        and event.kind != ""
    )


@given(st.binary())
def test_any_bytes_make_an_event(raw: bytes) -> None:
    event = parse_event(raw)
    assert has_its_types(event)
    assert event.raw() == raw
    assert isinstance(event.body(), dict)


@given(st.dictionaries(st.sampled_from(WIRE), JSON))
def test_fields_of_any_type_make_a_typed_head(body: dict[str, object]) -> None:
    event = parse_event(json.dumps(body).encode())
    assert has_its_types(event)
    assert set(event.body()) == set(body)


@pytest.mark.parametrize("text", ["", "null", "[]", '"text"', "{", "\x00", '{"id": "1"} {}'])
def test_what_is_no_json_object_is_unreadable_and_keeps_its_text(text: str) -> None:
    event = parse_event(text.encode())
    assert event.kind == UNREADABLE
    assert event.body() == {"kind": UNREADABLE, "text": text}


def test_a_missing_id_is_made_of_the_text_and_a_missing_kind_is_said() -> None:
    one, same, other = (parse_event(raw) for raw in (b'{"a":1}', b'{"a":1}', b'{"a":2}'))
    assert one.id == same.id != other.id
    assert one.id.startswith("sha-")
    assert one.kind == NO_KIND


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": "1", "kind": "K", "source": "\\ud800"}',
        b'{"id": "1", "kind": "K", "cost": NaN}',
        b'{"id": "1", "kind": "K", "cost": 1e999}',
        b'\xef\xbb\xbf{"id": "1", "kind": "K"}',
        b'{"id": "1", "kind": "K", "action": "text", "observation": 3, "is_error": "no"}',
        b'{"id": "1", "kind": "K", "observation": {"exit_code": 1.5, "kind": []}}',
    ],
)
def test_what_msgspec_refuses_is_read_all_the_same(raw: bytes) -> None:
    event = parse_event(raw)
    assert (event.id, event.kind, event.failed, event.exit_code) == ("1", "K", False, None)
    assert event.body()["id"] == "1"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": "1", "kind": "K", "action": {"kind": "FileEditorAction", "command": "\xff"}}',
        b'{"id": "1", "kind": "ConversationStateUpdateEvent", "key": "full_state",'
        b' "value": {"execution_status": "\xff"}}',
        b'{"id": "1", "kind": "ConversationStateUpdateEvent", "key": "execution_status",'
        b' "value": "\xff"}',
        b'{"id": "1", "kind": "K", "observation": {"metadata": {"exit_code": "\xff"}}}',
    ],
)
def test_bytes_that_are_no_utf8_in_a_field_decoded_later_make_an_event(raw: bytes) -> None:
    assert has_its_types(parse_event(raw))


@pytest.mark.parametrize("depth", [900, 20_000, 200_000])
def test_deep_nesting_is_an_event_and_no_crash(depth: int) -> None:
    raw = b'{"id": "1", "kind": "K", "value": ' + b"[" * depth + b"]" * depth + b"}"
    assert has_its_types(parse_event(raw))
    assert isinstance(parse_event(raw).body(), dict)


@given(JSON, st.integers(0, 60), st.integers(0, 3), st.binary(max_size=4))
def test_decoding_gives_what_json_gives_or_raises_value_error_and_nothing_else(
    value: object, at: int, size: int, put: bytes
) -> None:
    data = json.dumps(value).encode()
    data = data[:at] + put + data[at + size :]
    with contextlib.suppress(ValueError):
        decoded = decode_json(data)
        again = json.loads(data.decode("utf-8-sig", "surrogatepass"))
        assert json.dumps(decoded) == json.dumps(_well_formed(again))


def _well_formed(value: object) -> object:
    """The value with lone surrogates replaced."""
    return json.loads(well_formed(json.dumps(value, ensure_ascii=False)))


def test_an_integer_too_long_for_python_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        decode_json(b'{"n": NaN, "m": ' + b"9" * 5000 + b"}")


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ({"kind": "AgentErrorEvent"}, True),
        ({"kind": "ConversationErrorEvent"}, True),
        ({"kind": "ServerErrorEvent"}, True),
        ({"kind": "UserRejectObservation"}, True),
        ({"kind": "ObservationEvent", "observation": {"is_error": True}}, True),
        ({"kind": "ObservationEvent", "observation": {"exit_code": 1}}, False),
        ({"kind": "HookExecutionEvent", "success": True, "blocked": True}, True),
        ({"kind": "HookExecutionEvent", "success": False}, True),
        ({"kind": "HookExecutionEvent", "success": True}, False),
        ({"kind": "ACPToolCallEvent", "is_error": True}, True),
        ({"kind": "MessageEvent"}, False),
    ],
)
def test_what_counts_as_failed(body: dict[str, object], failed: bool) -> None:
    assert parse_event(json.dumps(body).encode()).failed is failed


def test_a_state_update_tells_the_status_in_both_of_its_forms() -> None:
    head = '{"kind": "ConversationStateUpdateEvent", "key": '
    one = parse_event((head + '"execution_status", "value": "paused"}').encode())
    full = parse_event((head + '"full_state", "value": {"execution_status": "stuck"}}').encode())
    other = parse_event((head + '"stats", "value": {"execution_status": "stuck"}}').encode())
    wrong = parse_event((head + '"execution_status", "value": {"a": 1}}').encode())
    assert [e.status for e in (one, full, other, wrong)] == ["paused", "stuck", "", ""]


@pytest.mark.parametrize(
    ("status", "ended"),
    [(None, False), ("pending", False), ("in_progress", False), ("completed", True)],
)
def test_an_acp_report_ends_the_call_by_its_status(status: str | None, ended: bool) -> None:
    body = {"kind": "ACPToolCallEvent", "status": status}
    assert parse_event(json.dumps(body).encode()).ended is ended


def test_with_a_store_the_text_is_read_again_and_not_kept() -> None:
    class Store:
        def read(self, place: int) -> bytes:
            return b'{"id": "1", "place": %d}' % place

        original = read

    event = parse_event(b'{"id": "1"}', store=Store(), place=7)
    assert event.inline == b""
    assert event.body() == {"id": "1", "place": 7}


def test_times_without_a_zone_are_utc() -> None:
    assert seconds("2026-03-01T10:00:00.5") == seconds("2026-03-01T10:00:00.5+00:00")
    assert seconds("2026-03-01T11:00:00+01:00") == seconds("2026-03-01T10:00:00Z")
    assert seconds("") is None and seconds("yesterday") is None


def test_only_what_tells_reading_from_changing_is_kept_of_a_call() -> None:
    def verb(action: object, **more: object) -> str:
        return parse_event(
            json.dumps({"kind": "ActionEvent", "action": action} | more).encode()
        ).verb

    assert verb({"kind": "FileEditorAction", "command": "view"}) == "view"
    assert verb({"kind": "FileEditorAction", "command": "v" * 500}) == ""
    assert verb({"kind": "FileEditorAction", "command": 7}) == ""
    assert verb({"kind": "TerminalAction", "command": "ls"}) == ""
    assert verb({"kind": "FileEditorAction", "command": "view"}, tool_name=7) == "view"
    acp = parse_event(b'{"kind": "ACPToolCallEvent", "tool_kind": "read"}')
    assert acp.verb == "read"

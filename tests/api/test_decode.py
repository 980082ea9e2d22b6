"""Responses that deviate from the documentation are decoded as far as possible."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.api import errors
from oh_tui.api.decode import count, event_page, loose_model, model_list, model_page
from oh_tui.api.http.http_errors import Answer, ApiCall
from oh_tui.api.models import AgentConversation, ListedRecord, Sandbox, StartTask, User
from oh_tui.conversation import Conversation
from oh_tui.text.redact import Secret

MODELS: list[type[msgspec.Struct]] = [Conversation, Sandbox, StartTask, User, AgentConversation]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside),
    max_leaves=12,
)


def answer(data: bytes) -> Answer:
    return Answer(ApiCall("list things", "GET", "http://app.test/x", "app.test"), data)


@st.composite
def wrong_objects(draw: st.DrawFn) -> tuple[type[msgspec.Struct], dict[str, Any]]:
    model = draw(st.sampled_from(MODELS))
    names = st.sampled_from(model.__struct_fields__)
    fields = draw(st.dictionaries(names, anything | st.dictionaries(names, anything)))
    fields["id"] = draw(st.text(min_size=1, max_size=40))
    return model, fields


@given(wrong_objects())
def test_a_row_with_an_id_survives_any_wrong_types(
    case: tuple[type[msgspec.Struct], dict[str, Any]],
) -> None:
    model, fields = case
    page = model_page(answer(json.dumps({"items": [fields]}).encode()), model)
    assert page.unreadable == 0
    [item] = page.items
    for field in msgspec.structs.fields(model):
        value = getattr(item, field.name)
        if field.name == "id":
            assert value == fields["id"]
        elif value != field.default and not isinstance(value, Secret | msgspec.Struct):
            msgspec.convert(value, field.type)


@given(st.lists(anything, max_size=6), anything)
def test_rows_of_any_kind_never_raise_and_are_all_accounted_for(
    items: list[Any], cursor: Any
) -> None:
    data = json.dumps({"items": items, "next_page_id": cursor}).encode()
    for model in MODELS:
        page = model_page(answer(data), model)
        assert len(page.items) + page.unreadable == len(items)
    assert len(event_page(answer(data)).items) == len(items)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_named(data: bytes) -> None:
    for read in (lambda a: model_page(a, Conversation), event_page, count):
        try:
            read(answer(data))
        except (errors.NotTheApi, errors.BadAnswer) as error:
            assert error.sentence.startswith("Could not list things: ")


def test_one_bad_row_costs_only_itself() -> None:
    data = b'{"items": [{"id": "a"}, 5, {"title": "no id"}, {"id": ""}, {"id": "b"}]}'
    page = model_page(answer(data), Conversation)
    assert [item.id for item in page.items] == ["a", "b"]
    assert page.unreadable == 3


def test_wrong_fields_are_missing_and_the_others_kept() -> None:
    raw = json.dumps(
        {
            "id": "c",
            "title": ["no text"],
            "pr_number": ["12", 13],
            "execution_status": "brand_new_status",
            "metrics": {
                "accumulated_cost": {"usd": 1},
                "accumulated_token_usage": {"prompt_tokens": "41", "completion_tokens": []},
            },
            "unknown": 1,
        }
    ).encode()
    one = loose_model(raw, Conversation)
    assert one is not None
    assert one.title is None
    assert one.pr_number == (12, 13)
    assert one.execution_status == "brand_new_status"
    assert one.metrics is not None
    assert one.metrics.accumulated_cost is None
    assert one.metrics.accumulated_token_usage is not None
    assert one.metrics.accumulated_token_usage.prompt_tokens == 41
    assert one.metrics.accumulated_token_usage.completion_tokens is None


OURS = ("label", "goal", "file_name", "apart", "place", "home", "version")


@pytest.mark.parametrize("value", ["/etc/passwd", "resolved", "", 7, ["x"], {"x": "y"}])
def test_no_server_says_that_a_conversation_is_in_a_file(value: object) -> None:
    raw = json.dumps({"id": "c", "title": "as told", **dict.fromkeys(OURS, value)}).encode()
    assert loose_model(raw, Conversation) == Conversation("c", title="as told")


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "1e999", '"nan"', '"inf"'])
def test_a_cost_that_is_no_number_is_missing(cost: str) -> None:
    raw = f'{{"id": "c", "metrics": {{"accumulated_cost": {cost}}}}}'.encode()
    one = loose_model(raw, Conversation)
    assert one is not None
    assert one.metrics is not None
    assert one.metrics.accumulated_cost is None or math.isfinite(one.metrics.accumulated_cost)


def test_a_key_becomes_a_secret_and_nothing_else_does() -> None:
    good = loose_model(b'{"id": "s", "session_api_key": "word"}', Sandbox)
    bad = loose_model(b'{"id": "s", "session_api_key": {"a": 1}}', Sandbox)
    assert good is not None
    assert good.session_api_key == Secret("word")
    assert "word" not in repr(good)
    assert bad is not None
    assert bad.session_api_key is None


def test_text_that_msgspec_refuses_is_read_all_the_same() -> None:
    data = b'\xef\xbb\xbf{"items": [{"id": "a", "title": "\\ud800", "x": NaN}], "next_page_id": 5}'
    page = model_page(answer(data), Conversation)
    assert [item.id for item in page.items] == ["a"]
    assert page.next_page_id == "5"
    [event] = event_page(answer(data)).items
    assert event.id == "a"


def test_events_keep_the_text_they_came_in() -> None:
    raw = b'{"id":"e",  "kind":"MessageEvent", "x": 1.50}'
    [event] = event_page(answer(b'{"items": [' + raw + b"]}")).items
    assert event.raw() == raw


def test_nulls_of_a_batch_are_left_out() -> None:
    data = b'[null, {"id": "a"}, 7]'
    assert [one.id for one in model_list(answer(data), Sandbox)] == ["a"]


@pytest.mark.parametrize("value", ["true", '"7"', "-1", "1.5", "null", "[]"])
def test_a_count_is_a_number_of_zero_or_more(value: str) -> None:
    with pytest.raises(errors.BadAnswer):
        count(answer(value.encode()))


def test_nesting_without_end_is_named() -> None:
    deep = b'{"items": [' + b"[" * 200_000 + b"]" * 200_000 + b"]}"
    with pytest.raises((errors.NotTheApi, errors.BadAnswer)):
        model_page(answer(deep), Conversation)


def test_an_answer_shows_no_body() -> None:
    assert "word" not in repr(answer(b'{"session_api_key": "word"}'))


@pytest.mark.parametrize("odd", ["null", "1", '"x"', "[]", '{"agent": 1, "condenser": {}}'])
def test_what_an_object_holds_of_another_kind_is_left_out(odd: str) -> None:
    stats = f'{{"usage_to_metrics": {odd}}}'
    raw = f'{{"id": "a", "title": 5, "stats": {stats}}}'.encode()
    one = loose_model(raw, ListedRecord)
    assert one and (one.total is None or not one.total.cost)
    uses = '{"usage_to_metrics": {"a": {"accumulated_cost": 1.5}, "b": 3}}'
    one = loose_model(f'{{"id": "a", "tags": 7, "stats": {uses}}}'.encode(), ListedRecord)
    assert one and one.total and one.total.cost == 1.5

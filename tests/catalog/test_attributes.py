"""The table of what lists show of a conversation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from oh_tui.catalog.attributes import ATTRIBUTES, COLUMNS, ORDERS, WORDS, filter_help
from oh_tui.catalog.run_status import ConversationState, RunStatus
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json
from oh_tui.documents.schema import schema_of

ROOT = Path(__file__).parents[2]


def test_each_name_key_and_place_is_there_once() -> None:
    menus = [order.menu for order in ORDERS.values() if order.menu]
    for names in (
        [one.name for one in ATTRIBUTES if one.name],
        [one.json for one in ATTRIBUTES if one.json],
        [one.place for one in COLUMNS],
        [one.key for one in COLUMNS],
        [key for key, _ in menus],
        [order.rank for order in ORDERS.values()],
        [word.name for one in ATTRIBUTES for word in one.words],
    ):
        assert all(names)
        assert max(Counter(names).values()) == 1


def test_a_column_sorts_and_has_a_name() -> None:
    for one in COLUMNS:
        assert one.sorts_by and one.name and one.label and one.key and one.width


def test_a_column_and_its_order_have_the_same_letter() -> None:
    letters = {order.menu[1]: order.menu[0] for order in ORDERS.values() if order.menu}
    shared = {one.label: one.key for one in COLUMNS if one.label in letters}
    assert {"cost", "tokens", "repository", "server"} <= set(shared)
    assert shared.items() <= letters.items()


def test_every_word_for_a_status_fits_its_column() -> None:
    column = next(one for one in COLUMNS if one.name == "status")
    for status in RunStatus:
        for sandbox in ("RUNNING", "ERROR", "MISSING", None):
            one = Conversation(id="1" * 32, sandbox_status=sandbox)
            assert len(column.text(one, ConversationState(status))) <= column.width


def test_the_fields_of_a_document_are_those_of_its_schema() -> None:
    fields = [one for one in ATTRIBUTES if one.json]
    needed = {one.json for one in fields if not one.is_optional}
    schema = schema_of("conversation")["$defs"]["Conversation"]
    assert needed == {*schema["required"]}
    assert {one.json for one in fields} <= {*schema["properties"]}


def test_the_help_names_every_word_of_the_filter() -> None:
    told = " ".join(f"{example} {meaning}" for example, meaning in filter_help())
    for word in WORDS:
        assert f"{word}:" in told
    for value in WORDS["is"].values(None):
        assert value in told


def test_the_documents_name_every_order() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text()
    line = next(line for line in settings.splitlines() if line.startswith("sort = "))
    assert [word for word in ORDERS if word not in line] == []


def test_the_record_of_a_conversation_has_clean_values() -> None:
    one = Conversation(
        "C0FFEE00-0000-4000-8000-000000000000",
        title="a\x1b[31m\nb",
        selected_branch="",
        created_at="2026-03-01T15:00:00+01:00",
        updated_at="2026-03-01T15:00:01.5Z",
        pr_number=(482, 7),
    )
    found = conversation_json(one)
    assert found["id"] == "c0ffee00000040008000000000000000"
    assert (found["title"], found["branch"], found["label"]) == ("a b", None, None)
    assert found["created"] == "2026-03-01T14:00:00.000Z"
    assert found["updated"] == "2026-03-01T15:00:01.500Z"
    assert (found["pull_requests"], found["sub_conversation_ids"]) == ([482, 7], [])

"""Tags as the user types them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.catalog.filter_words import TAG, Subject
from oh_tui.catalog.run_status import ConversationState
from oh_tui.catalog.tags import (
    applied,
    complete,
    fits_server,
    of_people,
    read_tags,
    tag_words,
)
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("bug", {"bug": ""}),
        ("bug kind:flaky -old", {"bug": "", "kind": "flaky", "old": None}),
        (" Bug,KIND:Flaky,, -Old ", {"bug": "", "kind": "Flaky", "old": None}),
        ("-kind:flaky", {"kind": None}),
        ("kind:", {"kind": ""}),
        ('why:"two words, and more"', {"why": "two words, and more"}),
        ("needs-review v1.2_b größe:7", {"needs-review": "", "v1.2_b": "", "größe": "7"}),
        ("url:http://x/y?z", {"url": "http://x/y?z"}),
        ("bug -bug", {"bug": None}),
        ("  , ", {}),
        ("", {}),
    ],
)
def test_words_are_read(text: str, changes: dict[str, str | None]) -> None:
    assert read_tags(text) == changes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x" * 10_000, "A tag has at most 64 characters before its colon and 256 after it"),
        ("x" * 1_000_000, "A tag has at most 64"),
        ("k:" + "x" * 257, "A tag has at most 64"),
        ("x" * 65, "A tag has at most 64"),
        ("one\ntwo", "A tag holds a line break"),
        ("a\x1b[31mb", "A tag holds a line break or a character that cannot be shown"),
        ("a\u202eb", "A tag holds"),
        ("a\udc80", "A tag holds"),
        (":value", ":value is not a tag"),
        ("-", "- is not a tag"),
        ("--bug", "-bug is not a tag"),
        ("a/b", "a/b is not a tag: its key has letters, digits and . - _"),
        ('why:"open', 'why:"open is not a tag'),
        ('a"b', 'a"b is not a tag'),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_tag_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Problem) as caught:
        read_tags(text)
    assert caught.value.sentence.startswith(sentence)
    assert len(caught.value.sentence) < 120 and caught.value.hint


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        changes = read_tags(text)
    except Problem:
        return
    tags = applied({}, changes)
    shown = " ".join(tag_words(tags))
    assert HIDDEN in shown or read_tags(shown) == tags, "what is shown can be typed"


def test_a_tag_is_shown_as_it_is_typed_and_without_secrets() -> None:
    words = tag_words({"bug": "", "why": "two words", "key": "sk-ant-api03-abcdefghijklm"})
    assert words == ["bug", 'why:"two words"', "key:[hidden]"]


def test_the_last_word_is_completed() -> None:
    known = ["bug", "kind:flaky", "old"]
    assert complete("bu", known) == "bug"
    assert complete("bug,Ki", known) == "bug,kind:flaky"
    assert complete("x -o", known) == "x -old"
    assert complete("bug ", known) is complete("zz", known) is None


def test_an_agent_server_takes_plain_keys_alone() -> None:
    assert fits_server("kind2")
    assert not any(map(fits_server, ("needs-review", "größe", "kind\n", "")))


def test_what_a_machine_has_set_is_no_tag_of_people() -> None:
    machine = {"automationtrigger": "cron", "automationid": "8b", "automationname": "Nightly",
               "automationrunid": "1b", "plugins": "a,b"}  # fmt: skip
    assert of_people(machine) == {}
    assert of_people(machine | {"kind": "flaky"}) == {"kind": "flaky"}
    assert TAG.suggest is not None and list(TAG.suggest(Conversation("c", tags=machine))) == []
    for tags, finds in ((machine, False), (machine | {"kind": "flaky"}, True)):
        one = Conversation("c", tags=tags)
        asked = Subject(one, ConversationState(), 0.0)
        assert TAG.test(asked, TAG.read("any")) is finds
        assert TAG.test(asked, TAG.read("automationname:nightly"))
    found = conversation_json(one)
    assert found["tags"] == {"kind": "flaky"} and found["machine_tags"] == machine

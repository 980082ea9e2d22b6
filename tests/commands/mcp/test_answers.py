"""Pages of answers: their size, and the cursors between them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui.mcp.answers import CUT, LIMIT, MOST, Asked, Found, Rows, answer
from oh_tui.text.problem import Problem

HARDEST = ("\n", '"', "\\", "漢", "🦉", "\ud800", "a")
"""Characters that take one to six bytes in JSON."""


def rows(of: list[Any]) -> Found:
    return Found({"head": "x"}, Rows(("rows",), list(of), str, lambda one: {"rows": one}))


def size(document: dict[str, Any]) -> int:
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def pages(found: Found, limit: int = MOST) -> list[dict[str, Any]]:
    given = [answer(found, [], Asked("call", "", limit))]
    while cursor := given[-1]["cursor"]:
        given.append(answer(found, [], Asked("call", cursor, limit)))
    return given


@pytest.mark.parametrize(
    "char",
    [
        pytest.param(
            one, marks=[pytest.mark.slow] * (len(one.encode("utf-8", "surrogatepass")) > 1)
        )
        for one in HARDEST
    ],
)
def test_no_answer_is_larger_than_the_limit(char: str) -> None:
    text = char * 50_000
    head = {"a": text, text: [text] * 50, "numbers": list(range(50_000)), "in": {"in": {"x": text}}}
    everything = Found(head, rows([text, *map(str, range(9)), [text] * 99, {text: text}]).rows)
    remarks = [f"{n} {text}" for n in range(50)]
    given = answer(everything, remarks, Asked("call"))
    assert size(given) <= LIMIT and given["cut"] == CUT and given["rows"]
    assert size(answer(Found(dict(head)), remarks, Asked("call"))) <= LIMIT
    for page in pages(everything):
        assert size(page) <= LIMIT
    for page in pages(Found(dict(head), raw=text)):
        assert size(page) <= LIMIT and page["text"]


@pytest.mark.parametrize("char", HARDEST)
def test_a_text_comes_whole(char: str) -> None:
    given = pages(Found({"of": "x"}, raw=char * 50_000))
    assert len(given) > 1
    assert "".join(page["text"] for page in given) == char.replace("\ud800", "\ufffd") * 50_000
    assert [page["from"] for page in given[:2]] == [0, len(given[0]["text"])]
    assert "of" in given[0] and "of" not in given[1]


def test_texts_are_clean_in_names_rows_and_remarks() -> None:
    hostile, clean = "\x1b]0;owned\x07\x1b[31mred\u202e\0\x9b1m", "red"
    found = Found({hostile: {"in": [hostile]}}, rows([hostile]).rows)
    given = answer(found, [hostile], Asked("call"))
    assert given[clean] == {"in": [clean]} and given["rows"] == given["remarks"] == [clean]
    assert answer(Found({}, raw=f"{hostile}\n"), [], Asked("call"))["text"] == f"{clean}\n"
    assert "hunter22" not in json.dumps(
        answer(Found({"pass\x1b[0mword": "hunter22"}), [], Asked(""))
    )


def test_rows_come_once_each_in_order() -> None:
    wanted = [f"{n} " + "x" * (n % 700) for n in range(900)]
    given = pages(rows(wanted))
    assert [row for page in given for row in page["rows"]] == wanted
    assert all(len(page["rows"]) <= MOST for page in given)
    assert all(size(page) > LIMIT // 2 or len(page["rows"]) == MOST for page in given[:-1])


def test_a_limit_is_cut_to_what_is_allowed() -> None:
    wanted = [str(n) for n in range(500)]
    assert len(pages(rows(wanted), 1_000_000)[0]["rows"]) == MOST
    assert [len(page["rows"]) for page in pages(rows(wanted[:5]), 2)] == [2, 2, 1]
    assert len(pages(rows(wanted[:3]), -5)[0]["rows"]) == 1


def test_a_stale_cursor_says_so() -> None:
    cursor = answer(rows(["a", "b", "c"]), [], Asked("call", "", 2))["cursor"]
    with pytest.raises(Problem, match="stale"):
        answer(rows(["a", "x", "c"]), [], Asked("call", cursor, 2))
    cursor = answer(Found({}, raw="a" * 90_000), [], Asked("call"))["cursor"]
    with pytest.raises(Problem, match="stale"):
        answer(Found({}, raw="b" * 90_000), [], Asked("call", cursor))


@pytest.mark.parametrize("nonsense", ["x", "§", "\ud800", ".", "-1.a", "9" * 9_999, "²."])
def test_nonsense_is_no_cursor(nonsense: str) -> None:
    with pytest.raises(Problem, match="not a cursor"):
        answer(rows(["a", "b"]), [], Asked("call", nonsense))


def test_a_cursor_is_of_one_call() -> None:
    cursor = answer(rows(["a", "b"]), [], Asked("call", "", 1))["cursor"]
    with pytest.raises(Problem, match="another call"):
        answer(rows(["a", "b"]), [], Asked("other", cursor, 1))


def test_secrets_are_hidden_and_no_cursor_has_a_text() -> None:
    key = "sk-ant-api03-CanaryCanary012345"
    found = Found({"password": "hunter22", key: key}, rows([f"x {key}", "y", "z"]).rows)
    given = answer(found, [f"said {key}"], Asked(f"call {key}", "", 1))
    assert key not in json.dumps(given) and "hunter22" not in json.dumps(given)
    assert "Canary" not in given["cursor"] and given["rows"] == ["x [hidden]"]

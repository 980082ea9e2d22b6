"""Commands report tokens, cost and time from the server's record as well as from the events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oh_tui.conversation import Conversation, Metrics, TokenUsage
from oh_tui.documents.run import conversation_json
from oh_tui.text.human import cost_words
from tests.processes import oh_tui
from tests.trajectory.model.test_record import TITLE, A, B, kept_run, record

PRICED = json.loads(record(TITLE, A, B))
FREE = json.loads(record(*((*answer[:3], 0.0, answer[4]) for answer in (TITLE, A, B))))
TOKENS = {"prompt": 330, "completion": 33, "cache_read": None, "cache_write": None,
          "reasoning": None}  # fmt: skip


def told(*words: str | Path) -> Any:
    return json.loads(oh_tui(*map(str, words), "--json").stdout)


@pytest.mark.parametrize(("stats", "cost"), [(PRICED, 0.76), (FREE, None)])
def test_a_folder_is_told_with_its_base_state(tmp_path: Path, stats: Any, cost: Any) -> None:
    """As the CLI 1.16.0 writes it, once with a model that has a price and once with another."""
    folder = kept_run(tmp_path / "run", {"stats": stats, "execution_status": "finished"})
    found = told("steps", folder)
    totals = found["totals"]
    assert (totals["cost"], totals["priced"]) == (cost, cost is not None)
    assert (totals["tokens"], totals["llm_s"], totals["llm_calls"]) == (TOKENS, 4.5, 3)
    assert [step["llm_s"] for step in found["steps"]] == [None, 1.5, 2.25]
    assert [step["tokens"] is None for step in found["steps"]] == [True, False, False]
    assert (found["conversation"]["cost"], found["conversation"]["tokens"]) == (cost, TOKENS)
    about = told("why", folder)["conversation"]
    assert (about["cost"], about["priced"]) == (cost, cost is not None)
    assert (about["tokens"], about["llm_s"]) == (TOKENS, 4.5)
    shown = oh_tui("show", str(folder)).stdout
    assert ("$0.76" if cost else "price unknown") in shown
    assert "363" in shown
    (row,) = told("conversations", tmp_path)["conversations"]
    assert row["cost"] == cost


def test_of_a_run_of_which_nothing_is_told_no_price_or_time_is_known(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "run", {"stats": {}})
    totals = told("steps", folder)["totals"]
    assert (totals["priced"], totals["cost"], totals["llm_s"]) == (False, None, None)
    assert totals["tokens"] is totals["llm_calls"] is totals["cost_is_partial"] is None
    assert totals["own"]["llm_s"] is totals["other"]["llm_s"] is None
    assert told("why", folder)["conversation"]["llm_s"] is None


def test_no_price_is_not_a_price_of_nothing() -> None:
    usage = TokenUsage(prompt_tokens=10, completion_tokens=None)
    for metrics in (None, Metrics(), Metrics(0.0, usage), Metrics(float("inf"), usage)):
        assert conversation_json(Conversation("c", metrics=metrics))["cost"] is None
    assert Conversation("c", metrics=Metrics(0.0, usage)).tokens == 10
    assert conversation_json(Conversation("c", metrics=Metrics(0.5, usage)))["cost"] == 0.5


def test_a_sum_says_over_how_many_it_is() -> None:
    assert cost_words(3, 0.0, 0) == ""
    assert cost_words(3, 21.374, 3) == ", $21.37"
    assert cost_words(3, 21.374, 2) == ", at least $21.37"
    assert cost_words(3, 21.374, 3, partial=1) == ", at least $21.37"
    assert cost_words(3, 21.374, 2, estimates=1) == ", at least $21.37"
    assert cost_words(3, 0.0, 0, estimates=2) == ", price unknown"


def test_the_status_tells_how_many_have_a_price() -> None:
    found = json.loads(oh_tui("--demo", "status", "--json").stdout)
    assert 0 < found["priced"] < found["conversations"]

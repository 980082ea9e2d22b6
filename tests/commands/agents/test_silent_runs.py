"""Silent runs in commands: each says the same of one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.demo.catalog import SETS
from tests.commands import schemas

ID = next(entry.id for entry in SETS["odd"] if entry.slug == "silent")


def told(line: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert cli.main(["--demo=odd", *line.split(), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    schemas.check(line.split()[0], document)
    return document


def test_they_agree(capsys: pytest.CaptureFixture[str]) -> None:
    (listed,) = told("conversations is:silent", capsys)["conversations"]
    shown = told(f"show {ID}", capsys)["conversation"]
    steps = told(f"steps {ID}", capsys)
    why = told(f"why {ID}", capsys)
    for one in (listed, shown, steps["conversation"]):
        assert (one["id"], one["status"]) == (ID, "silent") and one["silent_since"]
    for verdict in (steps["verdict"], why["verdict"]):
        assert verdict["word"] == "silent" and verdict["steps"] == [3]
        assert ", in step 3: " in verdict["cause"]
        assert verdict["cause"].endswith(f", sandbox up (oh-tui stop {ID[:8]} stops it)")
    assert why["silent_since"]
    status = told("status", capsys)
    (counted,) = (one["conversation"] for one in status["listed"] if one["group"] == "running")
    assert (status["running"], status["silent"]) == (1, 1)
    assert (counted["id"], counted["status"]) == (ID, "silent") and counted["silent_since"]
    (running,) = told("conversations is:running", capsys)["conversations"]
    assert running["id"] == ID, "it runs, by what its server says"


def test_a_status_line_counts_it_among_those_that_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--demo=odd", "status", "--short"]) == 0
    assert capsys.readouterr().out.endswith("●1 (1 silent)\n")


def test_one_that_is_watched_says_so_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--demo=odd", "tail", "-f", ID, "-n", "0", "--stop-at", "5"]
    assert cli.main(line) == 2, "it does not ask here, and so ends"
    assert "oh-tui: No event since" in capsys.readouterr().err


def test_of_any_other_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    others = told("conversations -is:silent --all", capsys)["conversations"]
    assert others and not any("silent_since" in one for one in others)

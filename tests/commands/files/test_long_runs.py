"""Commands on a run that the server gives only by pages: the cost and the progress."""

from __future__ import annotations

import json
import sys

import pytest

from oh_tui.batch.reports import one_run
from oh_tui.demo.catalog import ENTRIES
from tests.commands.shell import Shell, shell

__all__ = ["shell"]

LONG = next(entry.id for entry in ENTRIES if entry.slug == "coverage")
DOWNLOAD = "GET /api/v1/app-conversations/*/download"
SEARCH = "GET /api/v1/conversation/*/events/search"


def test_all_events_are_read_and_a_long_wait_is_told_beforehand(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.between.answer(DOWNLOAD, 413, '{"detail": "exceeding the limit"}', "application/json")
    monkeypatch.setattr(one_run, "WORTH_TELLING", -1.0)
    done = shell(f"events {LONG}")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert len({event["id"] for event in events}) == 3000
    assert [event["timestamp"] for event in events] == sorted(e["timestamp"] for e in events)
    assert (
        "2,900 events more, which the server sends only page by page: 30 calls, about" in done.err
    )
    assert shell.between.count(SEARCH) == 31

    monkeypatch.setattr(one_run, "WORTH_TELLING", 1000.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = shell(f"steps {LONG} --json")
    assert len(json.loads(done.out)["steps"]) == 843
    assert "more, which" not in done.err
    assert "reading 1,071 of 3,000 events, about" in done.err
    assert done.err.endswith("\r\x1b[K"), "the line of progress goes"

"""The sets of conversations: the showcase, the odd ones, and both for the tests."""

from __future__ import annotations

import json

import pytest

from oh_tui import cli
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES, SETS
from tests.demo.wire import NOW, connect


def test_the_showcase_and_the_odd_ones_are_everything() -> None:
    assert (len(SETS["showcase"]), len(SETS["odd"])) == (35, 8)
    both = [entry for entry in SETS["showcase"] + SETS["odd"] if not entry.apart]
    assert sorted(both, key=ENTRIES.index) == list(SETS["everything"])


@pytest.mark.parametrize("kind", SETS)
def test_a_set_opens_one_of_its_own_and_has_the_sandboxes_of_its_own(kind: str) -> None:
    world = Demo(NOW, kind).world
    assert Demo(NOW, kind).opening in world.conversations
    used = {conversation.entry.sandbox for conversation in world.conversations.values()} - {""}
    assert used == world.sandboxes.keys()
    assert Demo(NOW, kind).last_known.keys() <= world.conversations.keys()


async def test_the_start_tasks_of_a_set_lead_to_its_conversations() -> None:
    found = {}
    for kind in SETS:
        async with connect(Demo(NOW, kind)) as client:
            answer = await client.get("/api/v1/app-conversations/start-tasks/search")
            found[kind] = [task["status"] for task in answer.json()["items"]]
    assert found["showcase"] == found["everything"] == ["PREPARING_REPOSITORY", "READY", "ERROR"]
    assert found["odd"] == ["ERROR"]


@pytest.mark.parametrize(("option", "kind"), [("--demo", "showcase"), ("--demo=odd", "odd")])
def test_the_option_says_which_set_is_shown(
    option: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([option, "conversations", "--all", "--sub", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    ids = {row["id"] for row in told["conversations"]}
    assert ids == {entry.id for entry in SETS[kind]}

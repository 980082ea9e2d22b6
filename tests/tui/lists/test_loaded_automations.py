"""The state of the automations in pane 2: their order, which runs to read, whose agents work on."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from oh_tui.api.automation_models import Automation, AutomationRun, RunPage
from oh_tui.conversation import Conversation
from oh_tui.tui.state.automations import LoadedAutomations, counted


def automation(name: str, **told: Any) -> Automation:
    return Automation(id=name, name=name, **{"enabled": True, **told})


def test_they_stand_by_state_and_name_and_keep_their_places_while_one_is_there() -> None:
    kept = LoadedAutomations()
    first = [
        automation("b"),
        automation("C", enabled=False, disabled_reason="manual"),
        automation("a"),
        automation("z", enabled=False, disabled_reason="Paused: auth"),
    ]
    kept.take(first)
    assert [one.name for one in kept.all] == ["z", "a", "b", "C"]
    kept.take([automation("a", enabled=False), *first[:2], first[3], automation("0")], sort=False)
    assert [one.name for one in kept.all] == ["z", "a", "b", "C", "0"]
    kept.take(kept.all)
    assert [one.name for one in kept.all] == ["z", "0", "b", "a", "C"]


def test_the_automation_of_a_conversation_is_on_its_own_server_alone() -> None:
    kept, tags = LoadedAutomations(), {"automationid": "a", "automationrunid": "r"}
    one = Conversation(id="1" * 32, tags=tags, server="far")
    kept.take([automation("a", server="near")])
    assert kept.that_made(one) is None, "a key that stops would reach another server"
    kept.take([automation("a", server="near"), automation("a", server="far")])
    assert (found := kept.that_made(one)) and found.server == "far"


def test_runs_are_read_again_where_there_may_be_others() -> None:
    kept = LoadedAutomations()
    before = [automation("a", last_triggered_at="1"), automation("b", last_triggered_at="1")]
    kept.take(before)
    assert [one.id for one in kept.unread(["/a"])] == ["a"]
    kept.take_runs(kept.all[0], RunPage((AutomationRun("r", status="COMPLETED"),)))
    kept.take_runs(kept.all[1], RunPage((AutomationRun("s", status="RUNNING"),)))
    assert not kept.unread(["/a", "/b"])
    kept.take(before)
    assert [one.id for one in kept.unread(["/a", "/b"])] == ["b"], "it goes on"
    kept.take_runs(kept.all[1], None, "away")
    assert kept.row(kept.all[1]).problem == "away" and kept.row(kept.all[1]).runs, "as last read"
    kept.take([replace(before[0], last_triggered_at="2"), before[1]])
    assert [one.id for one in kept.unread(["/a", "/b"])] == ["a", "b"]


def test_an_agent_that_works_on_is_found_by_its_tag_or_by_the_id_that_its_run_tells() -> None:
    kept, name = LoadedAutomations(), "37c28b9c-fe75-4156-bdb3-e64bc5e229f4"
    kept.take([automation("a")])
    kept.take_runs(kept.all[0], RunPage((AutomationRun(name, status="CANCELLED"),)))
    tags = {"automationrunid": name.replace("-", ""), "automationid": "a"}
    works = Conversation(id="1", execution_status="running", tags=tags)
    (row,) = kept.rows([works])
    assert row.working == {name} and row.to_stop is not None
    assert counted([row]) == [("1 works on", "warn"), ("1 on", "dim")]
    for other in (
        replace(works, execution_status="paused"),
        replace(works, forked_from_conversation_id="0"),
    ):
        (row,) = kept.rows([other])
        assert not row.working and row.to_stop is None
    told = AutomationRun(name, status="COMPLETED", conversation_id="1")
    kept.take_runs(kept.all[0], RunPage((told,)))
    (row,) = kept.rows([replace(works, tags=None)])
    assert row.working == {name}

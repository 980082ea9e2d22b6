"""Servers that behave oddly: silent for a while, restarted, with other ids or times."""

from __future__ import annotations

import asyncio
import io
import json
import random
import threading
import time
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from oh_tui.actions import agent_actions
from oh_tui.demo import Demo
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.faults import faults
from tests.faults.conftest import IDS, Shell, source
from tests.faults.wire import Exchange, Fault, Wire
from tests.tui.explorer import NOW, Explorer, explore

FLAKY, BACKFILL = "Flaky CI on main", "Backfill invoice numbers"
DATES = "Parse ISO week dates"

LIST = "GET /api/v1/app-conversations/search"
AGENT = "GET /runtime/*"
SILENT = "no updates: the server does not answer"

FEW = 0.4
"""Times the usual waits: an agent server then has two seconds."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followed at a hundred times the pace."""
    monkeypatch.setattr("oh_tui.sources.server_runs.following.PACE", (0.02, 0.02, 0.05))


# While a run is followed


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [faults.silent, faults.reset, faults.says(503)])
async def test_a_sandbox_that_stops_answering_is_told_and_followed_on_when_it_is_back(
    wire: Wire, demo: Demo, fault: Fault
) -> None:
    """Such as an agent server that is frozen (SIGSTOP), restarted or asleep while it is watched."""
    async with explore(source=lambda: source(wire, FEW)) as it:
        await it.open(FLAKY)
        steps = it.screen.timeline.row_count()
        assert "following" in it.text("#timeline-rule")
        wire.arm(AGENT, fault)
        await it.until(lambda: SILENT in it.text("#timeline-rule"))
        assert any("Could not read the events" in text for text, _ in it.screen.footer.history)
        await it.send("k")
        assert it.screen.timeline.row_count() == steps, "what was read stays"
        wire.disarm()
        await it.until(lambda: SILENT not in it.text("#timeline-rule"))
        demo.advance(60)
        await it.until(lambda: it.screen.timeline.row_count() > steps)
        ids = [event.id for event in it.screen.timeline.trajectory.events]  # type: ignore[union-attr]
        assert len(ids) == len(set(ids))


@pytest.mark.usefixtures("quick")
def test_a_command_that_follows_says_that_it_waits_and_goes_on(
    wire: Wire, demo: Demo, shell: Shell
) -> None:
    def end() -> None:
        (fault,) = wire.armed
        while fault.met < 20:  # it answers again from the 17th call on
            time.sleep(0.01)
        demo.advance(2000)

    wire.arm(AGENT, faults.says(502, faults.PAGE, "text/html"), after=8, times=8)
    ending = threading.Thread(target=end)
    ending.start()
    followed = shell("tail", "-f", IDS[FLAKY], "-n", "1")
    ending.join()
    assert followed.code == 0
    old, *said = followed.err.splitlines()
    assert old.startswith("oh-tui: No event since"), "the demo's clock stands still"
    assert said[0].startswith("oh-tui: Could not read the events from the sandbox: ")
    assert said[0].endswith("is not ready (502): trying on")
    assert said[1] == "oh-tui: the server answers again"
    assert said[-1].startswith("oh-tui: finished")


@pytest.mark.parametrize("words", [("pause", "--yes"), ("stop",)])
def test_an_agent_that_does_not_stop_because_it_is_frozen_is_told_of(
    wire: Wire, shell: Shell, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A stop may take as long as a step, so the call itself has no timeout."""
    monkeypatch.setattr(agent_actions, "WATCH", 0.05)
    shell.patience = FEW
    wire.arm("POST /runtime/*/pause", faults.silent)
    wire.arm(AGENT, faults.silent, after=4)
    said = shell(words[0], IDS[FLAKY], *words[1:])
    assert said.code == 1 and "did not answer in time" in said.complaint
    (asked,) = (call for call in wire.asked if call.startswith("POST "))
    assert asked.endswith("/pause") and "/runtime/" in asked, "the sandbox was left alone"


@pytest.mark.usefixtures("quick")
async def test_cursors_that_go_in_a_circle_end(wire: Wire) -> None:
    asked = source(wire)
    (row,) = await asked.get([IDS[FLAKY]])
    assert row is not None
    loaded = [state async for state in asked.runs.load(row)][-1].trajectory
    assert loaded is not None
    last = loaded.events[-1].id

    def circle(page: Any) -> Any:
        assert page["items"][0]["id"] == last
        return {"items": [*page["items"], {"id": "event-x"}], "next_page_id": "event-y"}

    back = {"items": [{"id": "event-y"}], "next_page_id": last}
    wire.arm(AGENT, faults.changed(circle), times=1)
    wire.arm(AGENT, faults.says(200, json.dumps(back)))
    async with asyncio.timeout(60):
        news = await anext(asked.runs.follow(row, loaded, "agent server"))
    assert news is not None and [event.id for event in news][-2:] == ["event-x", "event-y"]
    await asked.close()


# The server goes and comes


async def test_a_server_that_is_restarted_is_read_on(wire: Wire) -> None:
    async with explore(source=lambda: source(wire)) as it:
        rows = it.text("#conversations")
        wire.arm("*", faults.reset)
        await it.press("r")
        assert "broke off" in it.footer and "as of " in it.text("#conversations")
        wire.disarm()
        await it.press("escape", "r")
        assert "broke off" not in it.footer and it.text("#conversations") == rows
        await it.open(BACKFILL)
        assert it.screen.timeline.row_count() == 12


async def test_a_key_that_ends_midway_is_told_and_what_was_read_stays(wire: Wire) -> None:
    async with explore(source=lambda: source(wire)) as it:
        await it.open(BACKFILL)
        wire.arm("*", faults.detail(401, "Unauthorized"))
        await it.press("r")
        assert "(401)" in it.screen.footer.history[-1][0]
        assert it.screen.timeline.row_count() == 12
        await it.press("escape", "j", "k", "1", "j")
        assert FLAKY in [one.title for one in it.screen.sidebar.conversations]


def test_a_resume_that_pauses_another_says_which(shell: Shell) -> None:
    code, out, err = shell("resume", IDS["Raise the coverage of billing"], "--yes")
    assert code == 0 and out.startswith("running again")
    assert err == "oh-tui: the server paused Rename Store to Ledger to make room\n"


# Ids and times


def dashed(identifier: str) -> str:
    plain = identifier.replace("-", "").upper()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


async def test_ids_that_change_their_case_and_dashes_are_the_same(wire: Wire) -> None:
    def other(page: Any) -> Any:
        for row in page["items"]:
            row["id"] = dashed(row["id"])
        return page

    async with explore(source=lambda: source(wire)) as it:
        titles = sorted(one.title or "" for one in it.screen.sidebar.conversations)
        await it.open(BACKFILL)
        wire.arm(LIST, faults.changed(other))
        await it.press("1", "r")
        assert sorted(one.title or "" for one in it.screen.sidebar.conversations) == titles
        await it.open(BACKFILL)
        assert it.screen.timeline.row_count() == 12


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("jump", [8 * 3600.0, -8 * 3600.0, -400 * 86400.0, 1e10, -1e9])
async def test_a_clock_that_jumps_changes_ages_and_nothing_else(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Eight hours of sleep, a clock set right, a clock that was never set."""
    async with explore(source=lambda: source(wire)) as it:
        order = [one.id for one in it.screen.sidebar.conversations]
        clock: Callable[[], float] = lambda: NOW.timestamp() + jump  # noqa: E731
        it.screen.session.clock = clock
        await it.press("r")
        await it.open(FLAKY)
        assert it.screen.timeline.row_count()
        await it.press("1", "r", "t", "t")
        assert [one.id for one in it.screen.sidebar.conversations] == order
        assert not [text for text, error in it.screen.footer.history if error]


async def test_rows_that_come_twice_and_out_of_order_are_shown_once(wire: Wire) -> None:
    def shuffled(page: Any) -> Any:
        return page | {"items": [*page["items"][::-1], *page["items"][:3]]}

    async with explore(source=lambda: source(wire)) as it:
        count = len(it.screen.sidebar.conversations)
        wire.arm(LIST, faults.changed(shuffled))
        await it.press("r")
        assert len(it.screen.sidebar.conversations) == count
        wire.arm("GET */events/search", faults.changed(shuffled))
        await it.open(BACKFILL)
        ids = [event.id for event in it.screen.timeline.trajectory.events]  # type: ignore[union-attr]
        assert ids and len(ids) == len(set(ids))


# The order of events, of what is followed and what is downloaded


def run_of(it: Explorer) -> Trajectory:
    trajectory = it.screen.timeline.trajectory
    assert trajectory is not None
    return trajectory


def order_of(trajectory: Trajectory) -> list[str]:
    return [event.id for event in trajectory.events]


def holds(it: Explorer, ids: list[str]) -> bool:
    return order_of(run_of(it)) == ids


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(3))
async def test_a_run_whose_times_go_to_and_fro_is_followed_in_the_order_it_came(
    wire: Wire, demo: Demo, seed: int
) -> None:
    """The agent server appends events; their times may go back (measured) and do not give the
    order."""
    chance = random.Random(seed)

    def dated(page: Any) -> Any:
        for row in page["items"]:
            row["timestamp"] = f"2026-03-09T{chance.randrange(24):02}:00:00"
        return page

    async with explore(source=lambda: source(wire)) as it:
        await it.open(FLAKY)
        before = it.screen.timeline.row_count()
        wire.arm("GET /runtime/*/events/search", faults.changed(dated))
        conversation = demo.world.conversation(IDS[FLAKY])
        assert conversation is not None
        for _ in range(6):
            demo.advance(20)
            there = [event.id for event in demo.world.agent_events(conversation)]
            await it.until(partial(holds, it, there))
        assert it.screen.timeline.row_count() > before
        numbers = [step.number for step in run_of(it).steps]
        assert numbers == list(range(1, len(numbers) + 1))
        assert all(step.results for step in run_of(it).steps[:-1] if step.is_call)


@pytest.mark.usefixtures("quick")
async def test_results_that_come_before_their_calls_are_put_to_them(wire: Wire, demo: Demo) -> None:
    def swapped(page: Any) -> Any:
        """What is new is told backwards: a result, then its call."""
        first, *rest = page["items"]
        return page | {"items": [first, *rest[::-1]]}

    async with explore(source=lambda: source(wire)) as it:
        await it.open(FLAKY)
        conversation = demo.world.conversation(IDS[FLAKY])
        assert conversation is not None
        wire.arm("GET /runtime/*/events/search", faults.changed(swapped), times=1)
        demo.advance(90)
        there = {event.id for event in demo.world.agent_events(conversation)}
        await it.until(lambda: set(order_of(run_of(it))) == there)
        run = run_of(it)
        assert len(order_of(run)) == len(there)
        assert run.counts.stray_results == 0
        assert all(step.results for step in run.steps if step.is_call and step is not run.steps[-1])


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (faults.short_of_its_length, "broke off"),
        (faults.cut_and_closed, r"\d+ of \d{3} events came"),
    ],
)
async def test_a_count_and_a_download_that_are_both_cut_off_are_no_whole_run(
    wire: Wire, cut: Fault, told: str
) -> None:
    asked = source(wire)
    (row,) = await asked.get([IDS[DATES]])
    assert row is not None
    row = replace(row, sandbox_status="PAUSED")  # so that the app server is asked
    wire.arm("GET */events/count", cut, times=1)
    wire.arm("GET */download", cut)
    with pytest.raises(Problem, match=told):
        _ = [state async for state in asked.runs.load(row)]
    await asked.close()


@pytest.mark.parametrize("seed", range(3))
async def test_a_whole_run_that_is_downloaded_in_any_order_is_shown_in_one(
    wire: Wire, seed: int
) -> None:
    """A zip numbers its events regardless of their order; some occur twice."""
    asked = source(wire)
    (row,) = await asked.get([IDS[DATES]])
    assert row is not None
    row = replace(row, sandbox_status="PAUSED")  # so that the app server is asked
    states = [state async for state in asked.runs.load(row)]
    right = states[-1].trajectory
    assert right is not None and right.complete and len(right.events) > 100
    await asked.close()

    async def shuffled(exchange: Exchange) -> None:
        body = io.BytesIO(await (await exchange.answer()).aread())
        made = io.BytesIO()
        with zipfile.ZipFile(body) as archive, zipfile.ZipFile(made, "w") as other:
            names = archive.namelist()
            again = [name for name in names if name.startswith("event_")][:3]
            random.Random(seed).shuffle(names)
            for name in names:
                other.writestr(name, archive.read(name))
            for name in again:
                other.writestr(name.replace("event_0", "event_9"), archive.read(name))
        await exchange.send(200, made.getvalue(), Content_Type="application/zip")

    wire.arm("GET */download", shuffled)
    asked = source(wire)
    whole = [state async for state in asked.runs.load(row)][-1].trajectory
    assert whole is not None and order_of(whole) == order_of(right)
    assert [step.number for step in whole.steps] == [step.number for step in right.steps]
    await asked.close()

"""The analysis of a real run: time and money, verdict, strip, changed files; every place tells the
same of it, or marks what may lack a part."""

from __future__ import annotations

import asyncio
from math import fsum
from pathlib import Path

import pytest

from oh_tui.api import AppServer, Conversation, StartRequest
from oh_tui.sources.server import ServerSource
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory, build
from tests.commands.sums import listed, odd, of_run, of_zip
from tests.contract.acting import Stage

from .conftest import Live, Runs, every_version
from .servers.model import PRICED
from .test_sources import loaded, one

pytestmark = pytest.mark.live


def sums_up(accounts: Accounts, run: Trajectory) -> None:
    """Steps and other are the total, to the token."""
    charged = [spent for step in run.steps if (spent := accounts.of(step))]
    for name in ("prompt", "completion", "cache_read", "calls"):
        parts = sum(getattr(spent, name) for spent in charged) + getattr(accounts.other, name)
        assert parts == getattr(accounts.total, name), name
    cost = fsum(spent.cost for spent in charged) + accounts.other.cost
    assert cost == pytest.approx(accounts.total.cost, abs=1e-9)


async def heard_of(
    api: AppServer, conversation: Conversation, near: Trajectory, folder: Path
) -> Trajectory:
    """The run from a download, once the app server has heard of all its steps: that takes up to
    30 s after the last event (measured)."""
    for _ in range(20):
        runs = ServerSource(api, "live").runs
        path = await runs.download(conversation, folder, lambda received: None)
        archive = open_archive(path)
        run = build(parse_event(event.raw()) for event in archive.events())
        archive.close()
        path.unlink()
        if len(run) == len(near):
            return run
        await asyncio.sleep(2)
    raise AssertionError("the app server never heard of the whole run")


@every_version
async def test_a_finished_run_is_charged_from_its_record(api: AppServer, runs: Runs) -> None:
    source = ServerSource(api, "live")
    tour = await one(source, runs.tour)
    run = (await loaded(source, tour)).trajectory
    assert run is not None
    study = Study(run)
    sums_up(study.accounts, run)
    calls = [step for step in run.steps if step.is_call]
    charged = [step for step in calls if study.accounts.of(step)]
    assert len(charged) == len(calls) - 1  # two calls made at once are charged once
    assert all((study.accounts.llm(step) or 0) > 0 for step in charged)
    agent = api.agent_server(tour)
    assert agent is not None
    record = await agent.conversation()
    usage = (record.stats or {})["usage_to_metrics"]["agent"]["accumulated_token_usage"]
    assert study.accounts.usages["agent"].prompt == usage["prompt_tokens"]
    assert study.accounts.usages["agent"].completion == usage["completion_tokens"]
    assert not study.accounts.priced


@every_version
async def test_money_and_time_are_those_of_the_record(api: AppServer, runs: Runs) -> None:
    source = ServerSource(api, "live")
    conversation = await one(source, runs.priced)
    run = (await loaded(source, conversation)).trajectory
    agent = api.agent_server(conversation)
    assert run is not None and agent is not None
    accounts = Study(run).accounts
    sums_up(accounts, run)
    usages = ((await agent.conversation()).stats or {})["usage_to_metrics"].values()
    assert accounts.priced
    assert accounts.total.cost == pytest.approx(sum(use["accumulated_cost"] for use in usages))
    latencies = [each["latency"] for use in usages for each in use["response_latencies"]]
    assert accounts.total.llm == pytest.approx(sum(latencies), abs=0.001)


@every_version
async def test_totals_are_those_of_the_server_whatever_happened(
    api: AppServer, runs: Runs, stage: Stage
) -> None:
    """A step that was stopped, two more turns, a call that was rejected."""
    request = StartRequest(message="script:slow", llm_model=PRICED, sandbox_id=stage.sandbox_id)
    task, _ = await stage.task(request)
    conversation = await stage.now(task.app_conversation_id or "")
    await stage.until_status(conversation, "running")
    await stage.sleep(1)
    await stage.stop(conversation)
    await stage.let_go_on(conversation)
    await stage.until_status(conversation, "finished")
    await stage.confirms(conversation)
    await api.send_message(conversation.id, stage.prompts.gated)
    await stage.until_status(conversation, "waiting_for_confirmation")
    await stage.agent(conversation).respond_to_confirmation(False, "No.")
    await api.send_message(conversation.id, stage.prompts.reply)
    await stage.until_status(conversation, "finished")
    run = (await loaded(ServerSource(api, "live"), conversation)).trajectory
    stats = (await stage.agent(conversation).conversation()).stats or {}
    assert run is not None
    accounts = Study(run).accounts
    sums_up(accounts, run)
    usages = list(stats["usage_to_metrics"].values())
    tokens = [use["accumulated_token_usage"] for use in usages]
    assert accounts.total.prompt == sum(one["prompt_tokens"] for one in tokens) > 0
    assert accounts.total.completion == sum(one["completion_tokens"] for one in tokens) > 0
    told = fsum(one["accumulated_cost"] for one in usages)
    assert accounts.total.cost == pytest.approx(told, abs=1e-9)
    assert accounts.total.calls == sum(len(use["response_latencies"]) for use in usages) >= 5


async def test_both_stores_and_the_file_tell_the_same(
    api: AppServer, live: Live, tmp_path: Path
) -> None:
    source = ServerSource(api, "live")
    conversation = await one(source, live.priced)
    near = (await loaded(source, conversation)).trajectory
    assert near is not None
    far = await heard_of(api, conversation, near, tmp_path)
    ours, theirs = Study(near), Study(far)
    assert ours.verdict.word == theirs.verdict.word == "finished"
    assert ours.verdict.cause == theirs.verdict.cause
    assert ours.accounts.total.prompt == theirs.accounts.total.prompt
    assert ours.accounts.total.cost == pytest.approx(theirs.accounts.total.cost)
    assert ours.accounts.total.cost > 0
    assert ours.accounts.priced
    sums_up(ours.accounts, near)
    sums_up(theirs.accounts, far)


@every_version
async def test_the_verdicts_of_real_ends(api: AppServer, runs: Runs) -> None:
    source = ServerSource(api, "live")
    refused = (await loaded(source, await one(source, runs.refused))).trajectory
    assert refused is not None
    study = Study(refused)
    assert study.verdict.word == "error"
    assert study.verdict.landing == len(refused)
    tour = (await loaded(source, await one(source, runs.tour))).trajectory
    assert tour is not None
    study = Study(tour)
    assert (study.verdict.word, study.verdict.cause) == ("finished", "The tour is over.")
    assert [file.path.rpartition("/")[2] for file in study.changes.files] == ["notes.txt"]
    marks = [column.mark for column in study.strip.picture(80).columns if column.mark]
    assert "error" in marks
    assert "failed" in marks


async def test_a_run_paused_midway_is_charged_from_what_its_stats_tell(
    api: AppServer, live: Live
) -> None:
    source = ServerSource(api, "live")
    identifier = await asyncio.to_thread(live.server.start, "script:steps", sandbox_id=live.sandbox)
    conversation = await one(source, identifier)
    agent = api.agent_server(conversation)
    assert agent is not None
    async with asyncio.timeout(60):
        while True:
            run = (await loaded(source, conversation)).trajectory
            if run is not None and run.counts.calls >= 2:
                break
            await asyncio.sleep(0.3)
        await agent.pause()
    run = (await loaded(source, await one(source, identifier))).trajectory
    assert run is not None
    study = Study(run)
    assert study.verdict.word == "stopped"
    sums_up(study.accounts, run)
    charged = [step for step in run.steps if step.is_call and study.accounts.of(step)]
    assert len(charged) == run.counts.calls


@every_version
def test_all_that_is_told_of_a_run_agrees(runs: Runs, tmp_path: Path) -> None:
    own = {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME")}
    at = ("--server", runs.url)
    for run in (runs.tour, runs.priced, runs.refused):
        before = listed(*at, **own)[run]
        told = [*of_run((*at, run), tmp_path, **own), *of_zip((*at, run), tmp_path, **own)]
        after = listed(*at, **own)[run]
        assert odd([before, *told, after]) == []
        assert before.is_partial or before.cost is None or before.cost == after.cost

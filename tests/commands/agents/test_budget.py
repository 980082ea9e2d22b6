"""Budgets in commands: `tail --stop-at`, and what a run over its budget is asked about."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.actions.agent_actions import Agents
from oh_tui.actions.agent_state import AgentState
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.demo.state import Clock
from oh_tui.settings.startup import read_settings
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.commands.shell import Shell, shell

__all__ = ["shell"]

OAUTH, DATES, FLAKY, SETTINGS = (
    IDS[slug] for slug in ("oauth", "week-dates", "flaky-ci", "settings-split")
)
PAUSE = "POST /runtime/*/pause"


@pytest.fixture
def spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run is over its budget."""
    file = tmp_path / "config.toml"
    file.write_text("budget = 0.01\n", encoding="utf-8")
    monkeypatch.setenv("OH_TUI_CONFIG", str(file))


def acts(shell: Shell) -> list[str]:
    return [call for call in shell.between.asked if not call.startswith("GET ")]


# tail


def test_at_its_limit_the_agent_is_stopped_after_its_step(shell: Shell) -> None:
    shell.between.first(PAUSE, lambda: shell.demo.advance(30))
    said = shell(f"tail -f {FLAKY} --stop-at 0.01 --yes --json")
    assert said.code == 4
    steps = [json.loads(line) for line in said.out.splitlines()]
    assert [step["what"] for step in steps[-2:]][1] == "stop the agent"
    assert steps[-2]["outcome"] != "running"
    assert "the run has cost $0.1" in said.err and "of its budget of $0.01" in said.err
    assert "the agent stops after this step" in said.err and "oh-tui: stopped" in said.err
    assert shell.between.count(PAUSE) == 1


def test_below_its_limit_it_is_left_alone_until_it_ends(shell: Shell) -> None:
    shell.between.after("GET /runtime/*/events/search", lambda: shell.demo.advance(900))
    said = shell(f"tail -f {FLAKY} --stop-at 1000 --yes --json")
    assert said.code == 0 and "oh-tui: finished" in said.err
    assert acts(shell) == []


def test_it_asks_once_and_without_a_terminal_says_how_to_do_without(shell: Shell) -> None:
    said = shell(f"tail -f {FLAKY} --stop-at 2")
    assert said.code == 2 and acts(shell) == []
    assert "is stopped after its step when its run has cost $2.00" in said.err
    assert f"oh-tui tail -f {FLAKY[:8]} --stop-at 2 --yes does it" in said.err
    assert said.out == "", "it asks before it prints"


def test_read_only_it_is_said_and_nothing_is_stopped(shell: Shell) -> None:
    shell.between.after("GET /runtime/*/events/search", lambda: shell.demo.advance(900))
    said = shell(f"--read-only tail -f {FLAKY} --stop-at 0.01 --json")
    assert said.code == 0 and "nothing is stopped" in said.err and "the run has cost" in said.err
    assert acts(shell) == []


def test_one_that_somebody_else_has_stopped_is_said_and_left_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, world = Agents.state, shell.demo.world

    async def stopped_before(agents: Agents, conversation_id: str) -> AgentState:
        conversation = world.conversation(conversation_id)
        assert conversation is not None
        act = world.act(conversation, "interrupt")
        world.show(conversation, world.shows(conversation, act))
        monkeypatch.setattr(Agents, "state", state)
        return await state(agents, conversation_id)

    monkeypatch.setattr(Agents, "state", stopped_before)
    said = shell(f"tail -f {FLAKY} --stop-at 0.01 --yes --json")
    assert said.code == 0 and acts(shell) == []
    assert "nothing to stop: the agent is stopped" in said.err


@pytest.mark.parametrize("typed", ["0", "-1", "nan", "1e400", "five"])
def test_what_is_no_budget_is_refused_with_a_sentence(shell: Shell, typed: str) -> None:
    said = shell(f"tail -f {FLAKY} --stop-at={typed}")
    assert said.code == 2 and f"A budget is $0.01 to $1,000,000, not '{typed}'" in said.err
    assert shell.between.asked == []


def test_it_needs_a_run_to_watch_and_an_agent_to_stop(
    shell: Shell, run_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "add -f" in shell(f"tail {FLAKY} --stop-at 5").complaint
    assert cli.main(["tail", "-f", str(run_file), "--stop-at", "5"]) == 2
    assert "no agent can be stopped" in capsys.readouterr().err


# A run over its budget


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize(
    ("line", "again"),
    [
        (f"continue {DATES}", f"oh-tui continue {DATES[:8]} --yes"),
        (f"send {DATES} 'go on'", f"oh-tui send {DATES[:8]} TEXT --yes"),
        (f"approve {OAUTH}", f"oh-tui approve {OAUTH[:8]} --yes"),
    ],
)
def test_over_its_budget_a_run_goes_on_only_with_a_yes(shell: Shell, line: str, again: str) -> None:
    said = shell(line)
    assert said.code == 2 and "of its budget of $0.01" in said.complaint
    assert f"{again} does it" in said.complaint
    assert acts(shell) == []
    assert shell(f"{line} --yes").code == 0
    assert acts(shell) != []


@pytest.mark.usefixtures("spent")
@pytest.mark.parametrize("line", [f"reject {OAUTH} no", f"send {FLAKY} 'use pytest'"])
def test_what_lets_no_agent_go_on_asks_nothing(
    shell: Shell, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the agent takes the message later
    monkeypatch.setattr(Clock, "ticks", lambda clock: 30 * time.monotonic())
    assert shell(line).code == 0


def test_the_budget_of_a_run_is_in_its_document(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    kept = Annotations(read_settings({"HOME": str(tmp_path)}).annotations_file)
    kept.set_budget(Conversation(DATES), 0.5)
    assert kept.save()
    told = json.loads(shell(f"show {DATES} --json").out)
    schemas.check("show", told)
    assert told["conversation"]["budget"] == 0.5
    assert "budget" not in json.loads(shell(f"show {OAUTH} --json").out)["conversation"]
    assert "of its budget of $0.50" in shell(f"continue {DATES}").complaint

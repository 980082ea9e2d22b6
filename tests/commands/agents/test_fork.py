"""fork: what it says before, refuses, makes, and says after."""

from __future__ import annotations

import json
import re

import pytest

from oh_tui.demo.servers.agent_setup import Forked
from oh_tui.demo.world import AgentVersion
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.commands.shell import Shell, shell

__all__ = ["shell"]

DATES = IDS["week-dates"]
FORK, TELL = "POST /runtime/*/fork", "POST /runtime/*/run"


def forks(it: Shell) -> list[Forked]:
    return [e for c in it.demo.world.conversations.values() if isinstance(e := c.entry, Forked)]


def test_it_says_what_the_fork_knows_and_prints_its_id(shell: Shell) -> None:
    said = shell(f"fork {DATES} --at 42 --yes")
    assert said.code == 0 and re.fullmatch(r"[0-9a-f]{32}\n", said.out)
    for words in (
        "the fork knows steps 1-42 of 61, its model is anthropic/claude-sonnet-4-5",
        "the files are not turned back: since step 42, dates/CHANGELOG.md",
        f"oh-tui checkout {DATES[:8]} --at 42 -o FOLDER writes them as they were then",
        "it costs nothing until it gets a message",
        f"oh-tui send {said.out[:8]} TEXT tells it what to do",
    ):
        assert words in said.err
    shown = json.loads(shell(f"steps {said.out.strip()} --json").out)
    assert len(shown["steps"]) == 42
    asked = shell(f"fork {DATES} --at 42")
    assert asked.code == 2 and asked.err.count("steps 1-42 of 61") == 1
    assert shell.between.count(TELL) == 0


def test_the_version_of_the_server_comes_before_what_a_fork_knows(shell: Shell) -> None:
    shell.demo.world.agent_version = AgentVersion.WHOLE
    said = shell(f"fork {DATES} --at 42 --yes")
    assert "the fork knows all 61 steps: this server cannot fork at a step" in said.err
    assert "steps 1-42" not in said.err
    shell.demo.world.agent_version = AgentVersion.OLD
    said = shell(f"fork {DATES} --at 42 --message x")
    assert said.code == 1 and "Agent server 1.17.0 cannot fork" in said.complaint
    assert "the fork knows" not in said.err and "--yes" not in said.err


def test_its_document_has_what_differs(shell: Shell) -> None:
    said = shell(f"--json fork {DATES} --at 57 --yes --title 'Another try'")
    told = json.loads(said.out)
    schemas.check("fork", told)
    assert (said.code, said.err) == (0, "")
    assert told["title"] == "Another try" and told["origin"]["id"] == DATES
    assert (told["knows"], told["origin"]["step"], told["origin"]["steps"]) == (57, 57, 61)
    assert told["has_key"] and told["listed"] and not told["sent"] and told["remarks"] == []
    assert {one["certain"] for one in told["files"]} == {False}


def test_a_message_is_sent_to_the_fork_alone(shell: Shell) -> None:
    said = shell(f"fork {DATES} --message 'Look at 9999-W53' --yes")
    assert said.code == 0 and "steps 1-61 of 61" in said.err
    assert "the message was sent" in said.err and shell.between.count(TELL) == 1
    shell.demo.advance(60)
    run = json.loads(shell(f"steps {said.out.strip()} --json").out)["steps"]
    assert len(run) == 63 and "9999-W53" in str(run[61]["result"])
    assert len(json.loads(shell(f"steps {DATES} --json").out)["steps"]) == 61


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"{DATES} --at 3", "the nearest safe places: step 2 and step 4"),
        (IDS["oauth"], "the nearest safe place"),
        (f"{DATES} --at 99", "its steps are 1 to 61"),
        (f"{DATES} --at 12.3", "a fork begins at a step of the run"),
        (f"{DATES} --at 57 --title {'x' * 201}", "this one 201"),
        (f"{DATES} --at 57 --message ' '", "The message is empty"),
        (IDS["coverage"], "The sandbox is paused"),
        ("0" * 32, "There is no conversation"),
    ],
)
def test_what_cannot_be_forked_is_said_and_nothing_made(
    shell: Shell, words: str, told: str
) -> None:
    said = shell(f"fork {words} --yes")
    assert said.code in (1, 2) and told in said.err and said.out == ""
    assert shell.between.count(FORK) == 0


def test_an_unsafe_step_is_wrong_use(shell: Shell) -> None:
    said = shell(f"fork {DATES} --at 3 --yes")
    assert said.code == 2 and "would run again" in said.complaint


def test_without_a_yes_nothing_is_forked(shell: Shell) -> None:
    said = shell(f"fork {DATES} --at 57")
    assert said.code == 2 and f"oh-tui fork {DATES[:8]} --at 57 --yes" in said.err
    assert said.out == "" and shell.between.count(FORK) == 0


def test_read_only_refuses_it_before_anything_is_asked(shell: Shell) -> None:
    said = shell(f"--read-only fork {DATES} --at 57 --yes")
    assert said.code == 2 and "--read-only" in said.complaint and shell.between.asked == []


def test_a_fork_without_a_key_gets_no_message_and_is_told_how_to_get_one(shell: Shell) -> None:
    shell.demo.world.agent_version = AgentVersion.NEW
    said = shell(f"fork {DATES} --at 57 --message 'Go on' --yes")
    assert said.code == 1 and "The message was not sent" in said.err
    name = said.out[:8]
    assert f"oh-tui agent {name} --profile NAME gives it one, of careful, fast" in said.err
    assert shell.between.count(TELL) == 0
    assert shell(f"agent {name} --profile careful").code == 0
    assert shell(f"send {name} 'Go on'").code == 0


def test_a_server_that_takes_all_is_told_of_and_gets_no_message(shell: Shell) -> None:
    shell.demo.world.agent_version = AgentVersion.WHOLE
    told = json.loads(shell(f"--json fork {DATES} --at 40 --message 'Go on' --yes").out)
    schemas.check("fork", told)
    assert told["whole"] and told["knows"] == 61 and not told["sent"]
    assert "cannot fork at a step" in told["remarks"][0]
    assert shell.between.count(TELL) == 0


def test_a_server_that_dies_after_it_leaves_the_id(shell: Shell) -> None:
    shell.between.after(FORK, lambda: shell.between.answer("* /runtime/*", 502))
    said = shell(f"fork {DATES} --at 57 --message 'Go on' --yes")
    assert said.code == 1 and re.fullmatch(r"[0-9a-f]{32}\n", said.out)
    assert "It was made, but then" in said.err and "The message was not sent" in said.err
    assert len(forks(shell)) == 1

"""`oh-tui ask` and `agent`: a question, and what an agent works with."""

from __future__ import annotations

import json

from oh_tui.demo.world import AgentVersion
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.commands.shell import Shell, shell

__all__ = ["shell"]

DATES, OAUTH = IDS["week-dates"], IDS["oauth"]


def acts(shell: Shell) -> list[str]:
    return [call for call in shell.between.asked if not call.startswith("GET ")]


def test_a_question_wants_a_yes_that_names_the_price(shell: Shell) -> None:
    said = shell(f"ask {DATES} why?")
    assert said.code == 2 and acts(shell) == []
    assert "one call of the model, about $0.0" in said.complaint
    assert f"oh-tui ask {DATES[:8]} TEXT --yes does it" in said.complaint


def test_its_answer_is_printed(shell: Shell) -> None:
    said = shell(f"ask {DATES} 'why this?' --yes")
    assert said.code == 0 and said.out.endswith("You asked: “why this?”\n")
    told = json.loads(shell(f"ask {DATES} why? --yes --json").out)
    schemas.check("ask", told)
    assert told["question"] == "why?" and told["cost"] > 0


def test_an_answer_reaches_no_terminal_as_it_is(shell: Shell) -> None:
    key = f"sk-ant-api03-{'aB3' * 12}"
    answer = json.dumps({"response": f"\x1b]52;c;aGk=\x07red\x1b[31m {key}"})
    shell.between.answer("POST *ask_agent", 200, answer, "application/json")
    said = shell(f"ask {DATES} why? --yes")
    assert said.out == "red [hidden]\n"


def test_no_question_and_too_long_a_one_are_refused_before_anything_is_asked(shell: Shell) -> None:
    for text, why in (("' '", "The question is empty"), ("x" * 100_001, "at most 100,000")):
        said = shell(f"ask {DATES} {text} --yes")
        assert said.code == 2 and why in said.complaint
    assert shell.between.asked == []


def test_what_an_agent_works_with_is_told(shell: Shell) -> None:
    said = shell(f"agent {DATES} --read-only")
    assert said.code == 0 and said.out.splitlines()[:3] == [
        "model      anthropic/claude-sonnet-4-5",
        "profile    none; the server has careful, fast, local (no key), long-context",
        "asks you   never",
    ]
    told = json.loads(shell(f"agent {DATES} --json").out)
    schemas.check("agent", told)
    assert (told["done"], told["profile"], told["confirm"]) == (None, None, "never")
    assert told["cannot"] == {} and told["profiles"][2] == {
        "name": "local",
        "model": "openai/qwen3-coder-30b",
        "has_key": False,
    }


def test_a_switch_says_what_is_set_then(shell: Shell) -> None:
    said = shell(f"agent {DATES} --profile fast")
    assert said.code == 0 and said.out.splitlines()[:2] == [
        "switched to fast",
        "model      anthropic/claude-haiku-4-5",
    ]
    told = json.loads(shell(f"agent {DATES} --confirm always --json").out)
    schemas.check("agent", told)
    assert (told["done"], told["confirm"]) == ("asks before every call", "always")
    assert shell(f"agent {DATES} --confirm never").out.startswith("never asks\n")


def test_wrong_words_change_nothing(shell: Shell) -> None:
    none = shell(f"agent {DATES} --profile none")
    assert none.code == 2 and "the server has careful, fast" in none.complaint
    assert shell(f"agent {DATES} --profile ''").code == 2
    assert shell(f"agent {DATES} --confirm maybe").code == 2
    assert shell(f"agent {DATES} --confirm never --profile fast").code == 2
    assert acts(shell) == []


def test_condensing_wants_a_yes_and_never_runs_what_waits(shell: Shell) -> None:
    assert "costs money" in shell(f"agent {DATES} --condense").complaint
    said = shell(f"agent {OAUTH} --condense --yes")
    assert said.code == 1 and "condensing would run it" in said.complaint
    assert f"oh-tui approve {OAUTH[:8]}" in said.complaint
    assert acts(shell) == []
    assert "events forgotten" in shell(f"agent {DATES} --condense --yes").out


def test_an_old_server_says_since_when(shell: Shell) -> None:
    shell.demo.world.agent_version = AgentVersion.OLD
    told = json.loads(shell(f"agent {DATES} --json").out)
    schemas.check("agent", told)
    assert told["cannot"]["profile"]["since"] == "1.18"
    said = shell(f"agent {DATES} --profile fast")
    assert said.code == 1 and "servers since 1.18 can" in said.complaint


def test_why_names_another_profile_where_the_key_was_rejected(shell: Shell) -> None:
    bump = IDS["dep-bump"]
    helps = f"help          oh-tui agent {bump[:8]} --profile NAME switches to another key"
    said = shell(f"why {bump}")
    assert (
        said.out.splitlines()[-1]
        == f"{helps}: the server has careful, fast, local (no key), long-context"
    )
    assert "help" not in shell(f"why {DATES}").out
    shell.between.answer("GET *settings/profiles", 500)
    shell.between.answer("GET *server_info", 500)
    assert shell(f"why {bump}").out.splitlines()[-1].startswith(f"{helps}: Could not read")

"""send, approve, reject, stop, continue: effects, refusals and output."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui import cli
from oh_tui.actions import agent_actions
from oh_tui.actions.agent_actions import Agents
from oh_tui.actions.agent_state import AgentState
from oh_tui.commands.framework.printing import interruptible
from tests.commands import schemas
from tests.commands.conftest import IDS, Served, serve
from tests.commands.shell import Shell, interrupted, shell

__all__ = ["shell"]

OAUTH, DATES, FLAKY = IDS["oauth"], IDS["week-dates"], IDS["flaky-ci"]
PUSH = "$ git push --force origin auth"

EACH = {
    "send": f"send {OAUTH} hello --approve",
    "approve": f"approve {OAUTH}",
    "reject": f"reject {OAUTH} no",
    "stop": f"stop {FLAKY} --now",
    "continue": f"continue {DATES} --yes",
    "start": "start hello --yes",
    "ask": f"ask {DATES} why? --yes",
    "agent": f"agent {DATES} --profile fast",
    "exec": f"exec {DATES} -- ls",
    "put": f"put {DATES} {__file__} /tmp/x",
}
"""A line for each command that changes something."""


def acts(shell: Shell) -> list[str]:
    """The calls that changed something."""
    return [call for call in shell.between.asked if not call.startswith("GET ")]


def test_a_message_never_approves_by_accident(shell: Shell) -> None:
    said = shell(f"send {OAUTH} 'push to a branch'")
    assert said.code == 1 and PUSH in said.complaint
    assert "--reject" in said.complaint and "nothing was sent" in said.complaint
    assert acts(shell) == []


def test_a_message_rejects_what_waits_when_it_is_told_to(shell: Shell) -> None:
    said = shell(f"send {OAUTH} 'push to a branch' --reject --json")
    told = json.loads(said.out)
    schemas.check("send", told)
    assert (said.code, told["done"], told["calls"][0]["what"]) == (0, "rejected and sent", PUSH)
    assert told["status"] == "running"
    assert [call.rpartition("/")[2] for call in acts(shell)] == [
        "respond_to_confirmation",
        "send-message",
        "run",
    ]


def test_approved_the_call_runs_and_is_named(shell: Shell) -> None:
    said = shell(f"approve {OAUTH}")
    assert (said.code, said.out) == (0, f"approved  {PUSH}\nthe agent works\n")
    again = shell(f"approve {OAUTH}")
    assert again.code == 1 and "Nothing waits for an answer" in again.complaint


def test_rejected_the_agent_is_idle_and_the_next_command_is_named(shell: Shell) -> None:
    said = shell(f"reject {OAUTH} 'not on main'")
    assert (said.code, said.out.splitlines()[0]) == (0, f"rejected  {PUSH}")
    assert f"oh-tui continue {OAUTH[:8]} lets it go on" in said.out
    assert shell(f"continue {OAUTH}").out.endswith("the agent works\n")


def test_what_waits_out_of_sight_is_not_approved(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing_with(monkeypatch, calls=())
    for line in (f"approve {OAUTH}", f"send {OAUTH} hello --approve"):
        said = shell(line)
        assert said.code == 1 and "not all among the last" in said.complaint
    assert acts(shell) == []


@pytest.mark.parametrize(("name", "code"), [("approve", 1), ("reject", 1), ("continue", 0)])
def test_to_one_that_works_there_is_nothing_to_answer(shell: Shell, name: str, code: int) -> None:
    said = shell(f"{name} {FLAKY}")
    assert said.code == code and "the agent works" in said.out + said.err
    assert acts(shell) == []


def test_stopped_now_the_call_is_cut_off_and_the_agent_goes_on_when_told(shell: Shell) -> None:
    said = shell(f"stop {FLAKY} --now")
    assert (said.code, said.out.splitlines()[0]) == (0, "stopped  $ npm test -- --runInBand")
    again = shell(f"stop {FLAKY}")
    assert again.code == 0 and "the agent is stopped" in again.out
    assert shell(f"continue {FLAKY}").out == "continued  Flaky CI on main\nthe agent works\n"


def test_stopped_while_the_model_thinks_a_call_without_end_is_told_of(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_actions, "WATCH", 0.02)
    monkeypatch.setattr(agent_actions, "LASTS", 0.3)
    world = shell.demo.world
    conversation = world.conversation(FLAKY)
    assert conversation is not None
    shell.demo.advance(world.step_end(conversation) - world.clock.now() + 0.5)

    def call() -> None:
        shell.demo.advance(world.step_end(conversation) - world.clock.now() + 0.1)

    shell.between.after("POST /runtime/*/pause", call)
    said = shell(f"stop {FLAKY}")
    assert said.code == 1 and "had no result within" in said.complaint
    assert f"oh-tui continue {FLAKY[:8]} lets the agent go on" in said.complaint
    again = shell(f"continue {FLAKY} --yes")
    assert (
        again.code == 1 and "it is still ending its step: try again in a moment" in again.complaint
    )


def test_to_continue_what_waits_would_be_to_approve_it(shell: Shell) -> None:
    said = shell(f"continue {OAUTH} --yes")
    assert said.code == 1 and "would approve it" in said.complaint and PUSH in said.complaint
    assert acts(shell) == []


def test_a_call_that_would_run_again_needs_a_yes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing_with(monkeypatch, status="paused")
    said = shell(f"continue {OAUTH}")
    assert said.code == 2 and "runs again" in said.complaint and PUSH in said.complaint
    assert f"oh-tui continue {OAUTH[:8]} --yes" in said.complaint
    assert acts(shell) == []
    sent = shell(f"send {OAUTH} hello")
    assert sent.code == 1 and "without a result" in sent.complaint
    assert shell(f"continue {OAUTH} --yes").out.startswith(f"continued  {PUSH}\n")


def test_one_that_is_stuck_needs_a_yes(shell: Shell) -> None:
    said = shell(f"continue {DATES}")
    assert said.code == 2 and f"oh-tui continue {DATES[:8]} --yes" in said.complaint
    assert "It is stuck (same call and " in said.complaint and "which costs" in said.complaint
    assert acts(shell) == []


def test_one_that_another_client_continued_first_runs_already(shell: Shell) -> None:
    world = shell.demo.world
    conversation = world.conversation(DATES)
    assert conversation is not None

    def other_client() -> None:
        world.show(conversation, world.shows(conversation, world.act(conversation, "run", "")))

    shell.between.first("POST /runtime/*/run", other_client)
    said = shell(f"continue {DATES} --yes")
    assert said.code == 1 and "The agent runs already" in said.complaint


def test_one_that_has_nothing_to_do_cannot_continue(shell: Shell) -> None:
    said = shell(f"continue {IDS['pydantic-notes']}")
    assert said.code == 1 and "nothing to continue" in said.complaint
    assert "oh-tui send" in said.complaint


def test_one_that_stands_as_before_is_not_said_to_be_continued(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server accepted the request, but the state did not change."""
    monkeypatch.setattr(agent_actions, "SETTLE", 0.1)
    shell.between.answer("POST /runtime/*/run", 200, '{"success": true}', "application/json")
    said = shell(f"continue {DATES} --yes")
    assert (said.code, said.out) == (1, "")
    assert said.complaint == (
        "oh-tui: The agent was asked to continue, but its state is as before\n        try again\n"
    )


@pytest.mark.parametrize("name", [name for name in EACH if name != "start"])
def test_without_a_sandbox_that_runs_the_exit_code_is_1(shell: Shell, name: str) -> None:
    for identifier, words in ((IDS["click"], "oh-tui resume"), (IDS["fix-add"], "stays readable")):
        line = re.sub("[0-9a-f]{32}", identifier, EACH[name], count=1)
        said = shell(line)
        assert said.code == 1 and words in said.complaint, line
    assert acts(shell) == []


@pytest.mark.parametrize("name", EACH)
def test_read_only_refuses_it_before_anything_is_asked(shell: Shell, name: str) -> None:
    said = shell(f"--read-only {EACH[name]}")
    assert said.code == 2 and f"{name} changes something" in said.complaint
    assert shell.between.asked == []


@pytest.mark.parametrize("name", [*(name for name in EACH if name != "start"), "get"])
def test_a_file_is_refused_with_a_sentence(
    name: str, run_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {
        "send": ["hi"],
        "ask": ["why?"],
        "exec": ["--", "ls"],
        "put": ["a", "b"],
        "get": ["a"],
    }.get(name, [])
    assert cli.main([name, str(run_file), *more]) == 2
    out, said = capsys.readouterr()
    assert out == "" and f"{name} is for conversations on a server" in said


@pytest.mark.parametrize("name", EACH)
def test_every_refusal_of_the_server_is_one_line_and_a_hint(
    shell: Shell, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # a yes that is refused with 409 is tried again, for 10 s
    monkeypatch.setattr(agent_actions, "READY", 0.1)
    for status in (401, 403, 404, 409, 413, 422, 429, 500, 503):
        shell.between.answer("POST *", status, '{"detail": "Not today"}', "application/json")
        said = shell(EACH[name])
        assert said.code == 1, (status, said)
        assert said.complaint.startswith("oh-tui: Could not "), (status, said)
    assert list(tmp_path.iterdir()) == []


def test_a_message_that_the_server_gave_up_may_arrive(shell: Shell) -> None:
    shell.between.answer("POST *send-message", 502, '{"detail": "x"}', "application/json")
    said = shell(f"send {DATES} hello")
    assert said.code == 1 and "may still arrive" in said.complaint
    assert f"oh-tui tail {DATES[:8]}" in said.complaint


@pytest.mark.parametrize("line", ["send {} ''", "send {} ' '", "send {}", "approve", "stop {} --x"])
def test_wrong_use_is_told(shell: Shell, line: str) -> None:
    said = shell(line.format(OAUTH))
    assert said.code == 2 and said.complaint
    assert shell.between.asked == []


def test_both_answers_at_once_are_none(shell: Shell) -> None:
    said = shell(f"send {OAUTH} hello --approve --reject")
    assert said.code == 2 and "cannot be used together" in said.complaint


def standing_with(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """How agents stand is told otherwise in these fields."""
    real: Callable[[Agents, str], Awaitable[AgentState]] = Agents.state

    async def changed(self: Agents, conversation_id: str) -> AgentState:
        return replace(await real(self, conversation_id), **fields)

    monkeypatch.setattr(Agents, "state", changed)


def test_a_prefix_that_is_not_there_and_an_id_of_nothing(served: Served, shell: Shell) -> None:
    for word in ("0000", "0" * 32):
        said = shell(f"approve {word}")
        assert said.code == 1 and "There is no conversation" in said.complaint


def test_an_interrupted_stop_says_that_it_was_asked_for(tmp_path: Path) -> None:
    with serve() as new:
        words = ("--server", new.url, "stop", FLAKY)
        # before the stop twice, and then for as long as the server does not answer it
        code, out, said = interrupted(words, f"/api/conversations/{FLAKY}  200", tmp_path, times=3)
    assert (code, out) == (130, "")
    assert "interrupted; the agent was asked to stop, and does so when its step ends" in said


def test_a_ctrl_c_a_moment_before_the_wait_ends_it_too() -> None:
    async def send() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()  # what asyncio's handler of SIGINT does
        with interruptible():
            pytest.fail("it would wait for a line")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(send())


def test_waiting_for_a_text_can_be_interrupted() -> None:
    reads = (
        "import sys; from oh_tui.commands.framework import acting; was = acting._read_stdin\n"
        "def said():\n"
        "    print('reads', flush=True)\n"
        "    return was()\n"
        "acting._read_stdin = said\n"
        "from oh_tui.__main__ import main; sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", reads, "--demo", "send", DATES, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout and process.stdout.readline() == b"reads\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130

"""The demo's agent: how it reacts when a visitor writes, answers, stops or continues a run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import partial

from oh_tui.demo.runs.recorder import Act, AgentInterrupted, AgentStopped, UserSpoke
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import Call
from oh_tui.demo.runs.tool_calls import shell, view
from oh_tui.demo.shell import Files, run_command

Turn = Callable[[Run], None]

README = """\
# Sums

Adds numbers, and tells when it cannot.

    python -m sums 1 2 3

Tests: `pytest -q`.
"""
MODULE = """\
import sys


def total(words: list[str]) -> float:
    return sum(map(float, words))


if __name__ == "__main__":
    print(total(sys.argv[1:]))
"""
FILES = {"README.md": README, "sums.py": MODULE, "tests/test_sums.py": "from sums import total\n"}
"""The working folder of a conversation that a visitor started."""

NO_KEY = "OpenAIException - Missing credentials. Please pass an `api_key`, or set OPENAI_API_KEY."
"""How 1.58.2 says that an agent has no key of its model."""

_RISKY = re.compile(r"\b(delete|remove|drop|force|deploy|publish|reset)\b", re.IGNORECASE)
_SLOW = re.compile(r"\b(slow|slowly|wait|sleep|long)\b", re.IGNORECASE)
_COMMAND = re.compile(r"`([^`\n]+)`")


def play(run: Run, scenario: Turn) -> None:
    """Write a whole run: its scenario, then the reaction to each act of a visitor."""
    turn = scenario
    while True:
        try:
            turn(run)
        except AgentStopped:
            run.full_state()
        except AgentInterrupted:
            run.cut_off()
        except UserSpoke:
            turn = _turn
            continue
        if not run.acts:
            return
        act = run.acts.pop(0)
        run.now = max(run.now, act.at)
        turn = partial(_react, act=act)


def work(run: Run, words: str) -> None:
    """Do a task: run commands in backticks, take a while for slow words, ask for risky ones."""
    if not run.files:
        run.find(FILES)
    run.do(
        "I will look around first.",
        _terminal(run, "ls"),
        because=f"The user wants: {words[:200]}",
    )
    if "README.md" in run.files:
        run.do("", view(run, "README.md"))
    if _SLOW.search(words):
        run.do("This takes a while.", shell(run, "sleep 30 && pytest -q", "3 passed", ran=30))
    for command in _COMMAND.findall(words):
        run.do("", _terminal(run, command))
    if _RISKY.search(words):
        run.ask(
            "That cannot be undone, so I ask.",
            shell(run, "rm -rf build", risk="HIGH", summary="Delete the folder build"),
        )
        run.full_state()
        return
    run.finish(
        f"The demo's agent looked at the files and changed nothing. It was asked: “{words.strip()}”"
    )


def _turn(run: Run) -> None:
    """Answer what the user wrote last."""
    words, run.unanswered = run.unanswered, ""
    if _COMMAND.search(words) or _RISKY.search(words) or _SLOW.search(words):
        work(run, words)
    elif words:
        run.say(f"Understood: “{words.strip()}”. In the demo nothing more is done about it.")
    else:
        run.say("I have gone on where I was stopped, and there is nothing left to do.")


def _react(run: Run, act: Act) -> None:
    match act.what:
        case "message":
            if run.status in ("finished", "stuck"):
                run.set_status("idle")
            run.message(act.text)
            run.unanswered = act.text
            if act.run:
                _go_on(run)
        case "run" if run.status not in ("finished", "idle") or run.unanswered:
            _go_on(run)
        case "reject":
            calls, status = run.pending, run.status
            if status == "waiting_for_confirmation":
                run.set_status("idle")
            run.reject(act.text)
            if calls:
                run.unanswered = f"No: {act.text}"
        case "condense":
            run.condense_now()
        case "switch":
            run.has_key = True
        case "stop" | "interrupt" if run.status == "idle":
            run.halt()
            run.full_state()


def _go_on(run: Run) -> None:
    """Run the pending calls, confirmed or not, then answer the user."""
    run.wait(0.02)
    run.set_status("running")
    if not run.has_key:
        run.fail("LLMServiceUnavailableError", NO_KEY)
        return
    calls = run.pending
    for call in calls:
        run.answer(call)
    if calls and not run.unanswered:
        commands = ", ".join(str((call.action or {}).get("command", call.tool)) for call in calls)
        run.finish(f"That was the last step: {commands}")
    else:
        _turn(run)


def _terminal(run: Run, command: str) -> Call:
    """A call of the simulated terminal: no process is started."""
    files = Files(lambda: run.now)
    written = {name: at for at, name, _ in run.written}
    for name, text in run.files.items():
        path = posixpath.join(run.root, name)
        files.put(path, text.encode(), written.get(name, run.began))
    before = dict(files)
    done = run_command(command, files, run.root)
    words = (done.stdout + done.stderr).decode("utf-8", "replace")[:20_000].rstrip("\n")
    left = {path: files.get(path) for path in before | files if files.get(path) != before.get(path)}
    changes = {
        path.removeprefix(f"{run.root}/"): None if data is None else data.decode("utf-8", "replace")
        for path, data in left.items()
    }
    return shell(run, command, words, code=done.code, ran=0.1 + done.seconds, changes=changes)

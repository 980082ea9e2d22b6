"""What the agent of the demo does about what a visitor says, answers, stops and continues."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from oh_tui.demo.recorder import Act, Interrupted, Spoken, Stopped
from oh_tui.demo.run import Call, Run
from oh_tui.demo.shell import run_command
from oh_tui.demo.tools import shell, view

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
"""What is in the folder of a conversation that a visitor started."""

_RISKY = re.compile(r"\b(delete|remove|drop|force|deploy|publish|reset)\b", re.IGNORECASE)
_SLOW = re.compile(r"\b(slow|slowly|wait|sleep|long)\b", re.IGNORECASE)
_COMMAND = re.compile(r"`([^`\n]+)`")


def play(run: Run, story: Turn) -> None:
    """Write a whole run: its story, then what comes of each act of a visitor in turn."""
    turn = story
    while True:
        try:
            turn(run)
        except Stopped:
            run.full_state()
        except Interrupted:
            run.cut_off()
        except Spoken:
            turn = _turn
            continue
        if not run.acts:
            return
        act = run.acts.pop(0)
        run.now = max(run.now, act.at)
        turn = partial(_react, act=act)


def work(run: Run, words: str) -> None:
    """A task given in `words`, begun and mostly ended; risky words are asked about, slow ones
    take half a minute, and a command in backticks is run."""
    if not hasattr(run, "files"):
        run.files = dict(FILES)
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
    """The agent goes on with what it has not answered yet."""
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
        case "stop" | "interrupt" if run.status == "idle":
            run.halt()
            run.full_state()


def _go_on(run: Run) -> None:
    """Pending calls are run, asked for or not, and the agent reads what was said."""
    run.wait(0.02)
    run.set_status("running")
    calls = run.pending
    for call in calls:
        run.answer(call)
    if calls and not run.unanswered:
        commands = ", ".join(str((call.action or {}).get("command", call.tool)) for call in calls)
        run.finish(f"That was the last step: {commands}")
    else:
        _turn(run)


def _terminal(run: Run, command: str) -> Call:
    """A made-up terminal: nothing is run."""
    files = {f"{run.root}/{name}": text.encode() for name, text in run.files.items()}
    done = run_command(command, files, run.root)
    words = (done.stdout + done.stderr).decode("utf-8", "replace")[:20_000].rstrip("\n")
    return shell(run, command, words, code=done.code, ran=0.1 + done.seconds)

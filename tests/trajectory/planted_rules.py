"""Made-up runs that break rules, with which do, found without the engine of the rules."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import NamedTuple

from oh_tui.batch.rules.rule import Finding
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules.question import State
from tests.trajectory.edited import edit, view
from tests.trajectory.made import call, event, message, result, shell

WORKSPACE = "/workspace/app"

KEY = "sk-ant-" + "api03-" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1"

DEEDS = (
    *("edit", "edit", "edit-test", "edit-doc", "edit-failed", "pass", "pass", "fail", "commit"),
    *("push", "read-a", "read-a", "read-b", "list-a", "list-b", "plan-open", "plan-done"),
    *("secret", "outside", "temporary", "install", "forget-task", "forget-other", "think", "wait"),
)
UNSURE = ("program", "test-untold")
"""What may be an edit, and what may have passed or failed."""


def planted(seed: int, most: int = 40) -> list[str]:
    """What a run does, step after step."""
    chance = random.Random(seed)
    some = chance.sample(DEEDS, chance.randint(3, len(DEEDS)))
    deeds = chance.choices(some, k=chance.randint(1, most))
    if chance.random() < 0.2:
        deeds.insert(chance.randint(0, len(deeds)), chance.choice(UNSURE))
    return deeds


class Bill(NamedTuple):
    """What the model told of its answers."""

    fills: Sequence[int | None]
    """Of each deed: percent of the context, None where nothing tells it."""
    dollars: float | None
    hours: float | None
    """Of work; None for events without times."""


NO_BILL = Bill((), None, None)

_WINDOW = 1000


def billed(seed: int, deeds: Sequence[str]) -> Bill:
    """What is told of the answers of a run: also nothing, and what is just at a limit."""
    chance = random.Random(f"bill {seed}")
    fills = chance.choice([(10, 50), (10, 79, 80), (50, 80, 81), (10, 95), (10, None)])
    return Bill(
        [chance.choice(fills) for _ in deeds],
        chance.choice([None, 0.5, 4.99, 5, 5.01, 12]),
        chance.choice([None, 0.5, 2, 2.01, 30]),
    )


def run_of(deeds: Sequence[str], bill: Bill = NO_BILL, *, live: bool = False) -> Trajectory:
    run = Trajectory(live=live)
    first = message("task", "Make it work")
    made = (_events(f"e{n}", deed, n) for n, deed in enumerate(deeds))
    events = [first, *chain.from_iterable(made)]
    run.extend([*(events if bill == NO_BILL else _timed(events, bill.hours)), *_stats(deeds, bill)])
    return run


def _timed(events: Sequence[Event], hours: float | None) -> Iterator[Event]:
    began = datetime(2026, 3, 1, 10, tzinfo=UTC)
    for n, one in enumerate(events, 1):
        body = json.loads(one.raw()) | {"timestamp": None}
        if hours is not None:
            ended = began + timedelta(hours=hours * (n - 1) / max(1, len(events) - 1))
            body["timestamp"] = ended.isoformat()
        yield parse_event(json.dumps(body).encode())


def _stats(deeds: Sequence[str], bill: Bill) -> Iterator[Event]:
    if bill == NO_BILL:
        return
    prompts = {
        f"answer-e{n}": fill * _WINDOW // 100
        for n, fill in enumerate(bill.fills)
        if fill is not None and not deeds[n].startswith("forget")
    }
    agent = {
        "accumulated_cost": bill.dollars,
        "accumulated_token_usage": {
            "prompt_tokens": sum(prompts.values()),
            "context_window": _WINDOW,
        },
        "token_usages": [
            {"response_id": id, "prompt_tokens": prompt, "context_window": _WINDOW}
            for id, prompt in prompts.items()
        ],
    }
    value = {"stats": {"usage_to_metrics": {"agent": agent}}}
    yield event("ConversationStateUpdateEvent", "stats", key="full_state", value=value)


def _events(id: str, deed: str, number: int) -> Iterator[Event]:
    kind, _, of = deed.partition("-")
    path = {"": f"{WORKSPACE}/src/a.py", "test": f"{WORKSPACE}/tests/test_a.py"}
    if kind == "edit":
        name = path.get(of, f"{WORKSPACE}/{'README.md' if of == 'doc' else 'src/b.py'}")
        texts = (_word(number), _word(number + 1))
        yield from edit(
            id, name, *texts, is_error=of == "failed", old_str=texts[0], new_str=texts[1]
        )
    elif kind == "read":
        yield from view(id, f"{WORKSPACE}/src/{of}.py")
    elif kind == "plan":
        tasks = [{"title": "a", "status": "done"}, {"title": "b", "status": of.replace("open", "")}]
        action = {"kind": "TaskTrackerAction", "command": "plan", "task_list": tasks}
        yield call(id, action, tool="task_tracker")
        yield result(id, {**action, "kind": "TaskTrackerObservation"}, tool="task_tracker")
    elif kind == "forget":
        gone = ["task"] if of == "task" else ["e0"]
        yield event("Condensation", id, forgotten_event_ids=gone, source="environment")
    elif kind == "think":
        yield call(id, {"kind": "ThinkAction", "thought": "Well"}, tool="think")
        yield result(id, {"kind": "ThinkObservation"}, tool="think")
    else:
        command, text, code = _COMMANDS[deed]
        yield shell(id, command)
        told = {"kind": "TerminalObservation", "content": [{"type": "text", "text": text}]}
        metadata = {"working_dir": WORKSPACE}
        yield result(id, told | {"exit_code": code, "metadata": metadata})


_COMMANDS: dict[str, tuple[str, str, int | None]] = {
    "pass": ("pytest -q", "3 passed in 0.10s", 0),
    "fail": ("pytest -q", "1 failed, 2 passed in 0.10s", 1),
    "test-untold": ("pytest -q", "", None),
    "commit": ("git commit -qam 'Make it work'", "", 0),
    "push": ("git push origin main", "", 0),
    "list-a": ("ls a", "x.py", 0),
    "list-b": ("ls b", "y.py", 0),
    "secret": ("cat .env", f"ANTHROPIC={KEY}", 0),
    "outside": ("rm -rf /etc/app", "", 0),
    "temporary": ("echo x > /tmp/x", "", 0),
    "install": ("pip install requests", "", 0),
    "wait": ("sleep 5", "", 0),
    "program": ("python tool.py", "", 0),
}


def _word(number: int) -> str:
    return "word " + "".join(chr(ord("a") + int(digit)) for digit in str(number))


Broken = Mapping[str, list[int] | None]
"""Name of a rule -> the steps that break it; None where that is not known."""


OF_ALL = [0]
"""What of the whole run breaks a rule, rather than some of its steps."""


def told(finding: Finding) -> list[int] | None:
    """What a rule found, as `expected` has it."""
    if finding.state is State.UNKNOWN:
        return None
    return list(finding.answer.steps) or (OF_ALL if finding.state is State.BROKEN else [])


def expected(deeds: Sequence[str], bill: Bill = NO_BILL) -> Broken:
    """What the rules that come with oh-tui find."""
    return _by_deeds(deeds) | _by_bill(deeds, bill)


def _by_bill(deeds: Sequence[str], bill: Bill) -> dict[str, list[int] | None]:
    answers = [n for n, deed in enumerate(deeds) if not deed.startswith("forget")]
    fills = {n: bill.fills[n] if bill.fills else None for n in answers}
    full = [n + 2 for n, fill in fills.items() if fill is not None and fill > 80]
    is_over = (bill.dollars or 0) > 5 or (bill.hours or 0) > 2
    is_told = bill.dollars is not None and bill.hours is not None
    return {
        "context-nearly-full": full or (None if None in fills.values() else []),
        "within-limits": OF_ALL if is_over else [] if is_told else None,
    }


def _by_deeds(deeds: Sequence[str]) -> dict[str, list[int] | None]:
    """By trying each meaning of what is not sure."""
    unsure = next((n for n, deed in enumerate(deeds) if deed in UNSURE), None)
    meanings = {
        None: (),
        "program": ("edit-any", "list-z"),
        "test-untold": ("pass", "fail", "test"),
    }
    deed = None if unsure is None else deeds[unsure]
    if deed == "program" and any(one in _WRITES for one in deeds):
        meanings["program"] = ("list-z",)
    if all(one.startswith("forget") for one in deeds):  # no calls: nobody knows what was done
        told = _found(deeds, deeds)
        return {n: told[n] if n == "task-not-forgotten" else None for n in told}
    if unsure is None:
        return {**_found(deeds, deeds)}
    worlds = [_found([*deeds[:unsure], one, *deeds[unsure + 1 :]], deeds) for one in meanings[deed]]
    return {name: _sure([world[name] for world in worlds]) for name in worlds[0]}


def _sure(worlds: list[list[int]]) -> list[int] | None:
    """The steps that break a rule whatever is meant; None if some may."""
    always = [n for n in worlds[0] if all(n in world for world in worlds)]
    return always if always or not any(worlds) else None


_WRITES = {"edit", "edit-test", "edit-doc", "edit-failed", "outside", "temporary"}
_TESTS = {"pass", "fail", "test", "test-untold"}


def _found(deeds: Sequence[str], made: Sequence[str]) -> dict[str, list[int]]:
    """`made` has the deeds as the calls look, which is what counts where calls are the same."""
    edits = {"edit", "edit-test", "edit-any"}
    numbered = list(enumerate(deeds))
    found: dict[str, list[int]] = {
        "tests-after-last-edit": [],
        "tested-before-commit": [],
        "tests-not-bent": [],
        "plan-done": [],
    }
    last = max((n for n, deed in numbered if deed in edits), default=None)
    if last is not None and not any(deed in _TESTS for deed in deeds[last:]):
        found["tests-after-last-edit"].append(last)
    for n, deed in numbered:
        if deed in ("commit", "push"):
            edited = max((m for m, one in numbered[:n] if one in edits), default=0)
            if "pass" not in deeds[edited:n]:
                found["tested-before-commit"].append(n)
        if deed in ("edit-test", "edit-any"):
            passed = max((m for m, one in numbered[:n] if one == "pass"), default=0)
            if "fail" in deeds[passed:n]:
                found["tests-not-bent"].append(n)
    plans = [n for n, deed in numbered if deed in ("plan-open", "plan-done")]
    if plans and deeds[plans[-1]] == "plan-open":
        found["plan-done"].append(plans[-1])
    reads = {deed: [n for n, one in numbered if one == deed] for deed in ("read-a", "read-b")}
    found["file-read-again"] = sorted(chain(*(r for r in reads.values() if len(r) >= 5)))
    found["same-call-in-a-row"] = list(_in_a_row(made))
    for name, those in (
        ("task-not-forgotten", ("forget-task",)),
        ("no-secret-in-output", ("secret",)),
        ("stays-in-workspace", ("outside", "edit-any")),
        ("no-installs", ("install",)),
    ):
        found[name] = [n for n, one in numbered if one in those]
    return {name: [n + 2 for n in steps] for name, steps in found.items()}  # after the task


def _in_a_row(made: Sequence[str]) -> Iterator[int]:
    calls = [(n, deed) for n, deed in enumerate(made) if not deed.startswith("forget")]
    for deed, some in groupby(calls, key=lambda one: "test" if one[1] in _TESTS else one[1]):
        places = [n for n, _ in some]
        is_like = deed not in ("think", "wait") and not deed.startswith("edit")
        if is_like and len(places) >= 3:
            yield from places

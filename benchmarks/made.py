"""Made-up runs as zips: deterministic, with marks that tell a row from its detail on a screen."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, TypeVar

START = datetime(2026, 3, 1)

LAST = "zanzibar"
"""Stands only in what the agent thought at the last call, or the last two."""

SPARSE = "quokka"
"""Stands in the output of each 50th step."""

Member = dict[str, Any]


def row_mark(step: int) -> str:
    """What the row of a step shows, and no other row."""
    return f"thing{step:06}"


def detail_mark(step: int) -> str:
    """What only the detail of a step shows."""
    return f"below{step:06}"


def events(count: int) -> Iterator[Member]:
    """Shell commands with outputs, each fifth step an edit, a report of the costs after each
    fourth: about 1.1 kB an event on average, whole files in the results of the edits."""
    chance = random.Random(1)
    made, step = 0, 0
    while made < count:
        for event in _step(step, chance, last=count - made <= 3):
            if made < count:
                made += 1
                yield event
        step += 1


def condensed(count: int, condensations: int) -> Iterator[Member]:
    """As `events`, with a prompt, a task, and now and then a summary in place of all but the last
    120 events."""
    prompt = {"type": "text", "text": "You are an agent. " * 500}
    yield {**_head("SystemPromptEvent", "s", 0), "source": "agent", "system_prompt": prompt}
    task = {"role": "user", "content": [{"type": "text", "text": "Find all of it. " * 50}]}
    yield {**_head("MessageEvent", "u", 0), "source": "user", "llm_message": task}
    left = count - 2 - condensations
    names: list[str] = []
    """Of what is in the context and came after the task."""
    done = 0
    for place, event in enumerate(events(left)):
        due = (place + 1) * condensations // left
        if due > done and event["kind"] == "ActionEvent":
            done += 1
            gone, names = names[:-120], [f"k{done}-summary", *names[-120:]]
            yield {
                **_head("Condensation", f"k{done}", place),
                "source": "environment",
                "forgotten_event_ids": gone,
                "summary": "So far all of it was found. " * 100,
                "summary_offset": 2,
                "llm_response_id": f"condensed{done}",
            }
        if event["kind"] != "ConversationStateUpdateEvent":
            names.append(event["id"])
        yield event


def steps_of(count: int) -> int:
    """How many steps `events(count)` has."""
    return sum(event["kind"] == "ActionEvent" for event in events(count))


def _step(n: int, chance: random.Random, *, last: bool) -> Iterator[Member]:
    mark, edit = row_mark(n), n % 5 == 3
    path = f"/workspace/a{n % 50}.py"
    call: Member = {"source": "agent", "tool_call_id": f"c{n}", "llm_response_id": f"r{n}"}
    call["tool_name"] = "file_editor" if edit else "terminal"
    lines = [f"src/f{chance.randint(0, 999)}.py:{chance.randint(1, 900)}: x" for _ in range(6)]
    lines[3] = detail_mark(n)
    if n % 50 == 7:
        lines[4] = SPARSE
    action: Member = {"kind": "TerminalAction", "command": f"grep -rn {mark} src"}
    result: Member = {
        "kind": "TerminalObservation",
        "content": [{"type": "text", "text": "\n".join(lines)}],
        "exit_code": int(n % 37 == 0),
    }
    if edit:
        old, new = f"x{n}\n" * 60, f"x{n}\n" * 55 + f"{mark}\n{detail_mark(n)}\n" * 2
        action = {"kind": "FileEditorAction", "command": "str_replace", "path": path}
        action |= {"old_str": f"x{n}\n" * 5, "new_str": f"{mark}\n{detail_mark(n)}\n" * 2}
        result = {"kind": "FileEditorObservation", "command": "str_replace", "path": path}
        result |= {"old_content": old, "new_content": new, "content": []}
    yield {
        **_head("ActionEvent", f"a{n}", n * 3.0),
        **call,
        "thought": [{"type": "text", "text": f"Now number {n}.{f' {LAST}' if last else ''}"}],
        "action": action,
        "security_risk": "LOW",
        "tool_call": {"id": f"c{n}", "name": "x", "arguments": json.dumps(action)},
    }
    yield {
        **_head("ObservationEvent", f"o{n}", n * 3.0 + 1.2),
        "source": "environment",
        "tool_name": call["tool_name"],
        "tool_call_id": f"c{n}",
        "action_id": f"a{n}",
        "observation": result,
    }
    if n % 4 == 0 and not last:
        usage = {"prompt_tokens": n * 100, "completion_tokens": n}
        metrics: Member = {"model_name": "m", "accumulated_cost": n * 0.01}
        metrics["accumulated_token_usage"] = usage
        yield {
            **_head("ConversationStateUpdateEvent", f"s{n}", n * 3.0 + 1.3),
            "source": "environment",
            "key": "stats",
            "value": {"usage_to_metrics": {"agent": metrics}},
        }


def _head(kind: str, identifier: str, seconds: float) -> Member:
    when = (START + timedelta(seconds=seconds)).isoformat()
    return {"id": identifier, "kind": kind, "timestamp": when}


File = TypeVar("File", Path, IO[bytes])


def write_zip(file: File, members: Iterator[Member]) -> File:
    """As the app server's download has it; gives the file back."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        meta = {"id": "ab" * 16, "title": "A made-up run", "llm_model": "m"}
        archive.writestr("meta.json", json.dumps(meta))
        for place, event in enumerate(members):
            name = f"event_{place:06}_{event['id']}.json"
            archive.writestr(name, json.dumps(event, indent=2))
    return file


def large_bodies() -> Iterator[Member]:
    """Small steps around three large ones: 1 MB of coloured output, a diff of 2,000 lines, and
    200 kB of Markdown; in this order, at steps 4, 8 and 12 counted from 1."""
    chance = random.Random(2)
    for n in range(14):
        call, result, *_ = _step(n * 5, chance, last=False)
        if n == 3:
            line = (
                "\x1b[32mok\x1b[0m src/thing.py::test_\x1b[1mnumber\x1b[0m %06d passed in 0.01s\n"
            )
            text = "".join(line % i for i in range(1_000_000 // len(line % 0)))
            result["observation"]["content"] = [{"type": "text", "text": text}]
        elif n == 7:
            old = "".join(f"value_{i} = compute({i}, 'old')\n" for i in range(1000))
            edit: Member = {"kind": "FileEditorObservation", "command": "str_replace"}
            edit |= {"path": "/workspace/big.py", "old_content": old, "content": []}
            result["observation"] = edit | {"new_content": old.replace("old", "new")}
            call["action"] = {"kind": "FileEditorAction", "command": "str_replace"}
            call["action"] |= {"path": "/workspace/big.py", "old_str": old}
        elif n == 11:
            part = "## Part %d\n\nSome **bold** words, `code` and [a link](http://x.example).\n\n"
            part += "- one\n- two\n\n```python\ndef f(x):\n    return x + 1\n```\n\n"
            text = "".join(part % i for i in range(200_000 // len(part % 1000) + 1))
            said = {"role": "assistant", "content": [{"type": "text", "text": text}]}
            yield {
                **_head("MessageEvent", f"m{n}", n * 15.0),
                "source": "agent",
                "llm_message": said,
            }
            continue
        yield call
        yield result

"""Events of every version of the SDK: each class with each set of fields it ever had."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

SHAPES = Path(__file__).with_name("shapes.txt")

_words = (f"word{number:05}" for number in count())


class Shape(NamedTuple):
    """A class as a version had it: its fields and the type of value of each."""

    name: str
    version: str
    fields: dict[str, str]


def shapes() -> Iterator[Shape]:
    name, fields = "", dict[str, str]()
    for line in SHAPES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name, fields = line, {}
            continue
        version, *changes = line.split()
        for change in changes:
            field, _, kind = change[1:].partition(":")
            if change[0] == "-":
                fields.pop(field, None)
            else:
                fields[field] = kind
        yield Shape(name, version, dict(fields))


def text() -> str:
    return next(_words)


def block() -> dict[str, Any]:
    return {"type": "text", "text": text(), "cache_prompt": False}


def number() -> int:
    return int(next(_words).removeprefix("word")) + 40_000


def value(kind: str) -> Any:
    """A value of a type, each text and number of which stands in no other."""
    match kind:
        case "flag":
            return False
        case "number":
            return number()
        case "numbers":
            return [number(), number()]
        case "block":
            return block()
        case "blocks":
            return [block(), block()]
        case "texts":
            return [text(), text()]
        case "pairs":
            return {text(): text(), text(): text()}
        case "object":
            return {"one": text(), "more": [{"two": text(), "three": number()}]}
        case "tasks":
            return [{"title": text(), "notes": text(), "status": "in_progress"}]
        case "entries":
            return [{"name": text(), "path": f"/w/{text()}", "size": number(),
                     "is_directory": False, "modified_time": text()}]  # fmt: skip
        case "thinking":
            return [{"type": "thinking", "thinking": text(), "signature": text()}]
        case "shell":
            return {"exit_code": 0, "pid": number(), "username": text(), "hostname": text(),
                    "working_dir": text(), "py_interpreter_path": text(), "prefix": text(),
                    "suffix": text()}  # fmt: skip
        case "call":
            return {"id": text(), "name": text(), "arguments": f'{{"{text()}": "{text()}"}}'}
        case "message":
            return {"role": "user", "content": [block()], "reasoning_content": text(),
                    "name": text()}  # fmt: skip
        case "commit":
            return {"fuzz": number(), "changes": {"a.py": {
                "type": "update", "old_content": text(), "new_content": text()}}}  # fmt: skip
    return text()


def events(shape: Shape) -> list[dict[str, Any]]:
    """A call and its result for an action or an observation, else the event alone."""
    made = {field: value(kind) for field, kind in shape.fields.items()} | {"kind": shape.name}
    if shape.name.endswith("Action"):
        return [_call(made), _answer({"kind": "NewObservation", "content": [block()]})]
    if shape.name.endswith("Observation") and "action_id" not in shape.fields:
        tool = shape.name.removesuffix("Observation")
        return [_call({"kind": f"{tool}Action"}), _answer(made)]
    for field, part in (("action", "NewAction"), ("observation", "NewObservation")):
        if field in made:
            made[field] = {"kind": part, "what": text()}
    return [made]


def _call(action: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ActionEvent", "id": "call", "source": "agent", "tool_call_id": "c",
            "thought": [block()], "action": action}  # fmt: skip


def _answer(observation: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ObservationEvent", "id": "result", "action_id": "call", "tool_call_id": "c",
            "source": "environment", "observation": observation}  # fmt: skip

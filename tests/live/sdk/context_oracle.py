"""Run by the Python of an SDK's venv: the messages that this SDK makes of runs, for each answer.

stdin: a JSON list of runs, each a list of events. stdout: for each run an object: event id of an
answer -> its messages, or `{"problem": …}` if this version cannot read the run. Run it in an empty
folder: cut outputs are saved there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import pkgutil
import sys
from typing import Any

import openhands.tools  # type: ignore[import-not-found]
from openhands.sdk.context.view import View  # type: ignore[import-not-found]
from openhands.sdk.event import (  # type: ignore[import-not-found]
    ActionEvent,
    Event,
    LLMConvertibleEvent,
    MessageEvent,
)

ROOT = "__root__"


def main() -> None:
    logging.disable(logging.CRITICAL)
    tools = (module.name for module in pkgutil.iter_modules(openhands.tools.__path__))
    for module in ("agent_server.models", *(f"tools.{name}" for name in tools)):
        # its kinds of events, actions and observations are known once it is imported
        with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
            importlib.import_module(f"openhands.{module}")
    json.dump([answers_of(run) for run in json.load(sys.stdin)], sys.stdout)


def answers_of(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        events = [Event.model_validate(body) for body in bodies]
    except Exception as error:
        return {"problem": f"{type(error).__name__}: {str(error)[:300]}"}
    places = {event.id: place for place, event in enumerate(events)}
    found: dict[str, Any] = {}
    known = set()
    for place, event in enumerate(events):
        is_said = isinstance(event, MessageEvent) and event.source == "agent"
        if not (is_said or isinstance(event, ActionEvent)) or event.llm_response_id in known:
            continue
        known.add(event.llm_response_id)
        path = path_to(parent(events, places, place), events, places)
        found[event.id] = messages(path)
    return found


def parent(events: list[Event], places: dict[str, int], place: int) -> int | None:
    name = getattr(events[place], "parent_id", None)
    if name == ROOT or (name is None and place == 0):
        return None
    return place - 1 if name is None else places[name]


def path_to(place: int | None, events: list[Event], places: dict[str, int]) -> list[Event]:
    path = []
    while place is not None:
        path.append(events[place])
        place = parent(events, places, place)
    return path[::-1]


def messages(path: list[Event]) -> list[dict[str, Any]]:
    made = LLMConvertibleEvent.events_to_messages(View.from_events(path).events)
    return [dumped(message) for message in made]


def dumped(message: Any) -> dict[str, Any]:
    """As the SDK dumps it, with texts as they are sent: cut where they are too long."""
    body: dict[str, Any] = message.model_dump(exclude_none=True, mode="json")
    for block, part in zip(body["content"], message.content, strict=True):
        if block["type"] == "text":
            text = part.to_llm_dict()[0]["text"]
            if message.role == "tool" and hasattr(message, "_maybe_truncate_tool_text"):
                text = message._maybe_truncate_tool_text(text)
            block["text"] = text
    return body


if __name__ == "__main__":
    main()

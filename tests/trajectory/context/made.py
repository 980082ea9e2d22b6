"""Made-up runs for the tests of contexts, and what these look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from oh_tui.trajectory.context.context import Context
from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.context.message_order import Arrangement
from oh_tui.trajectory.context.whole import whole
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.made import call, event

Body = dict[str, Any]


def events_of(bodies: Iterable[Body]) -> list[Event]:
    return [parse_event(json.dumps(body).encode()) for body in bodies]


def contexts(*events: Event, version: str = "1.58.2", **more: Any) -> Contexts:
    run = Trajectory(**more)
    run.extend(events)
    found = Contexts(run)
    found.written_by(version)
    return found


def system(id: str = "s", **more: Any) -> Event:
    prompt = {"type": "text", "text": "You are an agent."}
    return event("SystemPromptEvent", id, source="agent", system_prompt=prompt, tools=[], **more)


def user(id: str, words: str = "", **more: Any) -> Event:
    said = {"role": "user", "content": [{"type": "text", "text": words or f"say {id}"}]}
    return event("MessageEvent", id, source="user", llm_message=said, **more)


def said(id: str, **more: Any) -> Event:
    message = {"role": "assistant", "content": [{"type": "text", "text": f"said {id}"}]}
    fields: Body = {"source": "agent", "llm_response_id": f"answer-{id}", "llm_message": message}
    return event("MessageEvent", id, **fields | more)


def act(id: str, **more: Any) -> Event:
    return call(id, {"kind": "ThinkAction", "thought": id}, tool="think", **more)


def condensation(
    id: str, *forgotten: str, summary: str | None = None, offset: Any = None, **more: Any
) -> Event:
    return event(
        "Condensation",
        id,
        forgotten_event_ids=list(forgotten),
        summary=summary,
        summary_offset=offset,
        llm_response_id="k",
        **more,
    )


def seen_at(found: Contexts, event_id: str) -> Context:
    answer = next(one for one in found.answers if one.event_id == event_id)
    return found.at(answer)


def ids_at(found: Contexts, event_id: str) -> list[str]:
    """The ids of the events in the context of an answer."""
    return [id for message in seen_at(found, event_id).messages for id in message.event_ids]


def last(found: Contexts) -> Context:
    return found.at(found.answers[-1])


def texts(message: Body) -> list[str]:
    return [block["text"] for block in message["content"] if block["type"] == "text"]


def from_scratch(found: Contexts, context: Context) -> list[tuple[int, ...]]:
    """The items of the messages of a context, made from all events before it."""
    material = found._material
    path = material.tree.path(context.end)
    items = whole(path, material.peeks, material.rules)
    arranged = Arrangement(material.peeks, material.rules, items)
    return arranged.messages(range(len(arranged.starts)), len(items))

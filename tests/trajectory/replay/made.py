"""Requests as a client of the recorded model makes them of a run."""

from __future__ import annotations

import json
from typing import Any

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.replay.folders import Folders
from oh_tui.trajectory.replay.record import Record
from oh_tui.trajectory.replay.requests import Request, read_request

Body = dict[str, Any]


def body_at(study: Study, number: int) -> Body:
    """The request that gets the answer of this place."""
    contexts = study.contexts
    messages = []
    for message in contexts.at(contexts.answers[number]).dump():
        text = "\n".join(block.get("text", "") for block in message["content"])
        sent: Body = {"role": message["role"], "content": text}
        if calls := message.get("tool_calls"):
            sent["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for call in calls
            ]
        for name in ("tool_call_id", "name"):
            if name in message:
                sent[name] = message[name]
        messages.append(sent)
    tool = {"type": "function", "function": {"name": "terminal"}}
    return {"model": "openai/recorded", "messages": messages, "tools": [tool]}


def request(body: Body, folders: Folders | None = None) -> Request:
    return read_request(json.dumps(body).encode(), folders or Folders())


def results(record: Record) -> list[int]:
    """The places of answers that follow the result of a command with a text."""
    found = []
    for number in range(1, len(record.answers)):
        last = record.context(number)[-1]
        text = "".join(block.get("text", "") for block in last.body["content"])
        if last.kind == "result" and last.body.get("name") == "terminal" and "\n" in text.strip():
            found.append(number)
    return found

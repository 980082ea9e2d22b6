"""Calls of tools as the model makes them, its plan, and the system prompt with its tools."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


def text(content: str) -> dict[str, object]:
    """A text as content of a message or an observation."""
    return {"cache_prompt": False, "type": "text", "text": content}


@dataclass(slots=True, kw_only=True)
class Call:
    """A tool call and its result. Without `observation` and `error` it stays unanswered."""

    tool: str
    action: dict[str, Any] | None
    observation: dict[str, Any] | None = None
    ran: float = 0.02
    error: str = ""
    """The text of an AgentErrorEvent, instead of an observation."""
    arguments: str | None = None
    """The arguments as the model wrote them, if they are not those of `action`."""
    summary: str | None = None
    risk: str = "LOW"
    id: str = ""
    call_id: str = ""
    leaves: dict[str, str | None] = field(default_factory=dict)
    """What it writes, by path; None for a file that it removes."""


@dataclass(slots=True)
class Plan:
    """A task list: titles, and how many are done."""

    titles: list[str]
    done: int = 0

    def items(self) -> list[dict[str, str]]:
        statuses = ["done"] * self.done + ["in_progress"] + ["todo"] * len(self.titles)
        return [
            {"title": title, "notes": "", "status": status}
            for title, status in zip(self.titles, statuses, strict=False)
        ]


def arguments_of(call: Call) -> str:
    if call.arguments is not None:
        return call.arguments
    arguments = {k: v for k, v in (call.action or {}).items() if v is not None and k != "kind"}
    if call.summary:
        arguments["summary"] = call.summary
    return json.dumps(arguments | {"security_risk": call.risk})


MESSAGE: dict[str, object] = {
    "tool_calls": None,
    "tool_call_id": None,
    "name": None,
    "reasoning_content": None,
    "thinking_blocks": [],
    "responses_reasoning_item": None,
}

TOOLS = (
    ("Terminal", "terminal", "Run a command in a shell that keeps its state between calls."),
    ("FileEditor", "file_editor", "View, create and change files of text."),
    ("TaskTracker", "task_tracker", "Keep a list of what is to be done, and show it to the user."),
    ("Finish", "finish", "Say that the work is over, and what came of it."),
    ("Think", "think", "Write down a thought; nothing is run."),
)

SYSTEM_PROMPT = """\
You are a software engineer who works through tools in a sandbox of your own.

Work in the folder you were given. Look before you change anything: read the code, its tests and \
the last commits. Make the smallest change that solves the task, in the style of the project, and \
run its tests before you say that you are done.

Ask before anything that cannot be undone: a force push, a deletion, a message to other people. \
Never print a secret. When a command fails, read the whole error before you try again; when the \
same thing fails twice, try something else.

Say at the end what you changed, what you ran, and what is left."""

"""The tools: what each does, what it is called with, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from oh_tui.mcp import across_runs, arguments, of_run, schemas
from oh_tui.mcp.answers import Found
from oh_tui.mcp.session import Session


class Tool(NamedTuple):
    about: str
    arguments: type[arguments.Arguments]
    run: Callable[[Session, Any], Awaitable[Found]]
    answers: Callable[[], dict[str, Any]]
    """Makes the JSON Schema of its answers."""


_TRUTH = {"type": ["boolean", "null"]}

_FILE = {
    "path": {"type": "string"},
    "at": {"type": ["string", "null"], "description": "the step that was named"},
    "exists": {**_TRUTH, "description": "null: that is not known"},
    "certain": {"type": "boolean", "description": "the file was so"},
    "state": {"type": "string"},
    "known": {"type": "boolean", "description": "false: no event tells the text"},
}

TOOLS = {
    "find_runs": Tool(
        "List runs: title, how each ended, when, model, repository, cost. Words narrow the list.",
        arguments.FindRuns,
        across_runs.find_runs,
        lambda: schemas.answer("conversations", without=("more",)),
    ),
    "why": Tool(
        "How a run ended and why: the verdict with its steps, what came before, first trouble. "
        "Begin here.",
        arguments.Why,
        of_run.why,
        lambda: schemas.answer("why", pages=False),
    ),
    "steps": Tool(
        "What happened, step by step, a line each, with times, cost and marks such as loop. "
        "Words narrow it; first and last give a range.",
        arguments.Steps,
        of_run.steps,
        lambda: schemas.answer("steps", without=("children",)),
    ),
    "step": Tool(
        "One step in full: the call with its thought and the whole result, as Markdown.",
        arguments.Step,
        of_run.step,
        lambda: schemas.answer(own={"step": schemas.reference("step")} | schemas.TEXT),
    ),
    "context": Tool(
        "What the model saw when it made a step: the messages in its context.",
        arguments.Context,
        of_run.context,
        lambda: schemas.answer("context", schemas.TEXT),
    ),
    "changes": Tool(
        "Which files a run changed, by how much and in which steps; at the end or at a step.",
        arguments.Changes,
        of_run.changes,
        lambda: schemas.answer("changes"),
    ),
    "file_at": Tool(
        "The text of a file as it was after a step, with what is certain of it.",
        arguments.FileAt,
        of_run.file_at,
        lambda: schemas.answer(own=_FILE | schemas.TEXT),
    ),
    "blame": Tool(
        "Which step wrote each line of a file.",
        arguments.Blame,
        of_run.blame,
        lambda: schemas.answer("blame"),
    ),
    "compare": Tool(
        "Where two runs differ, and from which step on.",
        arguments.Compare,
        across_runs.compare,
        lambda: schemas.answer("compare"),
    ),
    "search": Tool(
        "Search the steps of all runs for words; gives the line with each match.",
        arguments.Search,
        across_runs.search,
        lambda: schemas.answer(own={"hits": {"type": "array", "items": schemas.reference("grep")}}),
    ),
    "stats": Tool(
        "Sums over many runs, grouped: how they ended, steps, time, cost, errors, loops.",
        arguments.Stats,
        across_runs.stats,
        lambda: schemas.answer("stats"),
    ),
    "failures": Tool(
        "What fails again and again in many runs, in how many, how many recovered and by what.",
        arguments.Failures,
        across_runs.failures,
        lambda: schemas.answer("failures"),
    ),
    "audit": Tool(
        "Which rules hold in runs, which are broken and by which steps, and which are not known. "
        "The rules come first, then the runs.",
        arguments.Audit,
        across_runs.audit,
        lambda: schemas.answer("audit"),
    ),
}
"""Every tool, in the order in which they are listed. Each takes what a client named, reads no more
than the source given at the start, and does nothing to it."""

"""The JSON Schema of each document that a command prints with `--json`, made of its type."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Container
from typing import Any, TypeAlias

import msgspec

from oh_tui.documents.shapes import (
    acts,
    attempts,
    automations,
    common,
    comparisons,
    context,
    files,
    many,
    replays,
    run,
)

Schema: TypeAlias = dict[str, Any]

TYPES: dict[str, Any] = {
    "agent": acts.Agent,
    "approve": acts.Acted,
    "ask": acts.Ask,
    "attempts": (attempts.Attempts, attempts.Groups, attempts.Accepted),
    "audit": (many.Audit, many.Rules),
    "automations": (
        automations.Automations,
        automations.Automation,
        automations.OneAutomationRun,
        automations.AutomationStopped,
        automations.ListedAutomation,
    ),
    "blame": files.Blame,
    "bookmark": acts.Bookmarks,
    "cache": acts.Caches,
    "changes": (files.Changes, files.ChangesAt),
    "check": run.Check,
    "checkout": files.Checkout,
    "compare": (comparisons.Comparison, comparisons.SetsComparison),
    "config": acts.Config,
    "context": context.Context,
    "continue": acts.Acted,
    "conversation": common.Conversation,
    "conversations": acts.Conversations,
    "count": run.EventCounts,
    "download": files.Download,
    "events": run.Event,
    "exec": acts.Executed,
    "export": (run.ExportedRun, run.ExportedStep, run.ExportedEvent, run.ExportedHidden),
    "failures": many.Failures,
    "fork": acts.Fork,
    "get": files.MovedFile,
    "grep": many.Hit,
    "index": many.Index,
    "note": acts.Note,
    "pause": acts.SandboxChange,
    "put": files.MovedFile,
    "query": dict[str, str | float | None],
    "reject": acts.Acted,
    "rename": acts.Renamed,
    "replay": (replays.Check, replays.Serving, replays.Request, replays.Sum),
    "resume": acts.SandboxChange,
    "sandboxes": acts.Sandboxes,
    "send": acts.Acted,
    "show": run.Show,
    "start": (acts.Start, attempts.Started),
    "stats": many.Stats,
    "status": acts.Status,
    "steps": run.Steps,
    "stop": acts.Acted,
    "tag": acts.Tags,
    "tail": run.Step,
    "tasks": acts.Tasks,
    "whoami": acts.Account,
    "why": run.Why,
}
"""By the command that prints it, or one a line; `conversation` is a part of several. One that is
another for other words has a type for each."""

SECOND = {
    "conversation",
    "conversations",
    "export",
    "show",
    "start",
    "status",
    "steps",
    "tail",
    "why",
}
"""Those in their second version. Keys may be added within one; a key that goes or changes its
meaning makes a new one."""


def schema_of(name: str) -> Schema:
    """The schema of a document. Raises KeyError for another name."""
    shape = TYPES[name]
    found, parts = msgspec.json.schema_components(shape if isinstance(shape, tuple) else [shape])
    own = {one.__module__ for one in (shape if isinstance(shape, tuple) else (shape,))}
    about = _docstrings(own)
    for part, fields in parts.items():
        for field, one in fields.get("properties", {}).items():
            if text := about.get(part, {}).get(field):
                one["description"] = text
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:oh-tui:{name}:{2 if name in SECOND else 1}",
        "title": f"oh-tui {name} --json",
        **(found[0] if len(found) == 1 else {"oneOf": [*found]}),
        "$defs": parts,
    }


_MODULES = (common, acts, attempts, automations, comparisons, context, files, many, replays, run)


def _docstrings(own: Container[str]) -> dict[str, dict[str, str]]:
    """What the types say of their fields, by class and field. Two modules may name a class alike:
    that of the `own` ones counts."""
    found: dict[str, dict[str, str]] = {}
    for module in sorted(_MODULES, key=lambda module: module.__name__ in own):
        for one in ast.parse(inspect.getsource(module)).body:
            if not isinstance(one, ast.ClassDef):
                continue
            texts = found[one.name] = {}
            for base in one.bases:
                texts |= found.get(getattr(base, "id", ""), {})
            for field, text in zip(one.body, one.body[1:], strict=False):
                match field, text:
                    case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(words))):
                        texts[name] = " ".join(words.split())
    return found

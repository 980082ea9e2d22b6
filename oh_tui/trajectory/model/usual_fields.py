"""The fields and values of events that say what is told elsewhere, or nothing."""

from __future__ import annotations

from typing import Any

from oh_tui.text.patterns import pattern

_LINK = "joins events into steps; the JSON has the ids"

REDUNDANT = {
    "kind": "the title names the kind",
    "id": _LINK,
    "parent_id": _LINK,
    "action_id": _LINK,
    "tool_call_id": _LINK,
    "llm_response_id": _LINK,
    "timestamp": "the timeline shows it, as elapsed time",
    "source": "the row and the title say who",
    "tool_name": "the title names the tool",
    "oh_tui_untold": "no word of the run",
}
"""Top-level fields whose text or number is redundant, and why. An object or a list is shown. In an
action or an observation only `kind` is redundant."""

REDUNDANT_LISTS = {"forgotten_event_ids": "the note counts them and names their steps"}
"""Redundant top-level lists of texts."""

REDUNDANT_IN_CALL = {
    "id": _LINK,
    "responses_item_id": _LINK,
    "name": "the title names the tool",
}
"""Redundant texts in the `tool_call` of an event."""


USUAL: dict[str, tuple[frozenset[str], str]] = {
    "type": (frozenset({"text", "image", "content", "diff", "thinking"}), "the shape shows it"),
    "role": (frozenset({"user", "assistant"}), "the row and the title say who"),
    "origin": (frozenset({"completion", "responses"}), "which API the model was called by"),
    "security_risk": (frozenset({"UNKNOWN"}), "nobody rated it"),
    "rejection_source": (frozenset({"user", "hook"}), "said in words: rejected by you"),
    "command": (
        frozenset({"view", "create", "str_replace", "insert", "undo_edit", "plan"})
        | {"spawn", "delegate"},
        "said as a verb: read, create, edit, insert, undo",
    ),
    "status": (
        frozenset({"todo", "in_progress", "done", "pending", "completed", "failed"}),
        "said by the box of a task or by the outcome of a call",
    ),
}
"""Redundant values by field name, and why. Renderers take them with `take.usual` where they are
redundant; any other value is shown."""

USUAL_PLACES: dict[str, frozenset[str]] = {
    "type": frozenset({"content", "thought", "extended_content", "thinking_blocks"})
    | {"system_prompt", "dynamic_context"},
    "role": frozenset({"llm_message"}),
    "origin": frozenset({"tool_call"}),
    "security_risk": frozenset({"ActionEvent"}),
    "rejection_source": frozenset({"UserRejectObservation"}),
    "command": frozenset({"action", "observation"}),
    "status": frozenset({"task_list", "ACPToolCallEvent"}),
    "suffix": frozenset({"metadata"}),
    "kind": frozenset({"action", "observation"}),
}
"""The parent fields or kinds of event in which those values are redundant: in the fields of an
unknown tool, `failed` is not."""

USUAL_NUMBERS = {"pid": (-1, "no process was told")}
"""Redundant numbers by field name, and why."""


USUALLY_FALSE = frozenset({
    "is_error", "error", "is_input", "reset", "timeout", "is_new_file", "is_truncated", "truncated",
    "prev_exist", "new_tab", "include_screenshot", "extract_links", "recursive", "blocked",
    "use_user_message", "cache_prompt", "cache_enabled", "vision_enabled", "contains_image",
    "function_calling_enabled", "force_string_serializer", "send_reasoning_content",
})  # fmt: skip
"""Fields of the SDK that are false unless something is told. Any other false value is shown."""


def is_usual(name: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if name == "suffix":
        return bool(_COMPLETED.fullmatch(value))
    if name == "kind":
        return True  # the title names it
    return name in USUAL and value in USUAL[name][0]


_COMPLETED = pattern(r"\s{0,4}\[The command completed with exit code -?\d{1,9}\.\]\s{0,4}")
"""The title of a result says it."""


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def is_same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; False if they are nested too deep to compare."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    try:
        return bool(one == other)
    except RecursionError:
        return False

"""Formats of chat messages as one JSON text: chats, completions of OpenHands, SWE-agent."""

from __future__ import annotations

from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.document import Converted, Document, Fields, Top
from oh_tui.trajectory.formats.evaluation import LONGEST, name_in, place_of
from oh_tui.trajectory.formats.foreign import chat, swe_agent
from oh_tui.trajectory.formats.foreign.dialects import submitted
from oh_tui.trajectory.formats.foreign.document_formats import (
    as_converted,
    decoded,
    fields_beside,
    items_at,
)
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun, leaves_out, pack
from oh_tui.trajectory.formats.foreign.usage import count
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.recorded import Recorded

_PLACES = ("fncall_messages", "messages", "trajectory", "history")
"""Fields of an object that may have its messages. OpenHands' completions for a model without tools
have them twice: `fncall_messages` has calls and results as such, `messages` as text."""

_CHAT = pattern(rb'"(?:role|messages|trajectory|history)"\s*:')
_STEPS = pattern(rb'"(?:trajectory|observation)"\s*:')

_FINISHED = frozenset({"submit", "submitted", "finish", "finished", "complete", "completed"})
"""Values of `exit_status` of an agent that was done. Others say why it was stopped, such as
SWE-agent's `submitted (exit_cost)`."""

_PATCHES = ("submission", "model_patch", "git_patch", "generated_patch")
_OF_TASK = frozenset({"test_patch", "base_commit"})
"""Beside these, as in SWE-bench, `patch` is what the task asks for, not what was handed in."""

_IDS = ("trajectory_id", "instance_id", "traj_id", "id")


def _is_chat(top: Top) -> bool:
    return place_of(top, _PLACES, chat.is_message) is not None and not _is_steps(top)


def _convert_chat(text: bytes, top: Top) -> Converted:
    place = place_of(top, _PLACES, chat.is_message) or ""
    items = items_at(top, place)
    row = fields_beside(top, place)
    messages = list(map(decoded, items))
    notes = list[str]()
    if answer := _last_answer(row):
        messages.append(answer)
        items.append(pack(row.get("fncall_response") or row["response"]))
        notes.append("tokens and cost are those of the last answer alone")
    status = text_field(_told(row), "exit_status")
    run = chat.convert(messages, items, status)
    run.notes += notes
    handed_in = None if row else submitted(messages)
    return _whole(run, row, status or ("submitted" if handed_in is not None else ""), handed_in)


def _last_answer(row: dict[str, Any]) -> dict[str, Any] | None:
    """The model's answer to the messages of a completion that OpenHands logged."""
    response = row.get("fncall_response") or row.get("response")
    choices = field(response, "choices")
    answer = field(choices[0], "message") if isinstance(choices, list) and choices else None
    if not isinstance(answer, dict) or not isinstance(answer.get("role"), str):
        return None
    kept = {name: value for name, value in answer.items() if value is not None}
    usage = field(response, "usage") or field(row.get("response"), "usage")
    return kept | {"usage": usage, "cost": row.get("cost"), "timestamp": row.get("timestamp")}


def _is_steps(top: Top) -> bool:
    return isinstance(top, Fields) and place_of(top, ("trajectory",), swe_agent.is_step) is not None


def _convert_steps(text: bytes, top: Top) -> Converted:
    items = items_at(top, "trajectory")
    row = fields_beside(top, "trajectory")
    history = row.pop("history", None)
    messages, originals = swe_agent.messages_of(list(map(decoded, items)), items, history)
    run = chat.convert(messages, originals)
    attempts = row.get("attempts")
    if isinstance(attempts, list) and attempts[1:]:
        run.notes.append(f"the attempt that was chosen of {len(attempts):,}")
    return _whole(run, row, text_field(_told(row), "exit_status"))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """What the row says about the whole run."""
    info = row.get("info")
    return info if isinstance(info, dict) else row


def _whole(
    run: ForeignRun, row: dict[str, Any], status: str, handed_in: str | None = None
) -> Converted:
    """Adds to the run what is beside its messages."""
    run.add_top(leaves_out(row))
    told = _told(row)
    stats = told.get("model_stats")
    names = {"prompt_tokens": "tokens_sent", "completion_tokens": "tokens_received"}
    sums = {name: count(field(stats, other)) for name, other in names.items()}
    # 0 comes from programs that know no price or were told nothing
    cost = field(stats, "instance_cost") or None
    tokens = {name: number for name, number in sums.items() if number}
    run.bill.total(cost, tokens, count(field(stats, "api_calls")))
    places = _PATCHES if told.keys() & _OF_TASK else (*_PATCHES, "patch")
    patch = next((p for name in places if (p := text_field(told, name))), handed_in or "")
    ended = status.lower() in _FINISHED
    if ended:
        run.add("ConversationStateUpdateEvent", pack({"exit_status": status}),
                key="execution_status", value="finished")  # fmt: skip
    info = {
        "id": next(filter(None, (name_in(row.get(name)) for name in _IDS)), ""),
        "title": name_in(row.get("instance_id")),
        "llm_model": text_field(told, "config", "model", "model_name")
        or text_field(row, "model")
        or text_field(row, "model_name")
        or text_field(row.get("response"), "model")
        or swe_agent.model_in(row.get("replay_config")),
        "selected_repository": text_field(row, "repo"),
        "execution_status": "finished" if ended else "",
    }
    recorded = Recorded(error="" if ended else status[:LONGEST], patch=patch[:LONGEST])
    return as_converted(run, info, recorded)


CHAT = Document("chat messages", _CHAT, _is_chat, _convert_chat)
SWE_AGENT = Document("SWE-agent", _STEPS, _is_steps, _convert_steps)

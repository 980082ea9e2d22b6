"""Formats of other programs as one JSON text: V0, ATIF, chats, completions, SWE-agent."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.document import (
    Converted,
    Document,
    Fields,
    Top,
    items_of,
    top_of,
    value_of,
)
from oh_tui.trajectory.formats.evaluation import FIRST, LONGEST, name_in, place_of
from oh_tui.trajectory.formats.foreign import atif, chat, v0
from oh_tui.trajectory.formats.foreign.atif_kept import CONVERSATION, DEEPEST, KEPT, sub_agents
from oh_tui.trajectory.formats.foreign.dialects import is_step, messages_of, model_in, submitted
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun, leaves_out, pack
from oh_tui.trajectory.formats.foreign.usage import count, usage_of
from oh_tui.trajectory.formats.foreign.v0_history import is_event
from oh_tui.trajectory.formats.run_file import SubAgentFile, short_name
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.recorded import UNKNOWN_AGENT, Recorded

_EVENTS = ("history", "trajectory")
"""Fields of a row that may have its V0 events."""

_V0 = pattern(rb'"(?:action|observation|history|trajectory)"\s*:')
_ATIF = pattern(rb'"schema_version"\s*:\s*"ATIF')

# V0


def _is_half(value: Any) -> bool:
    """Whether a value is a V0 event or a pair that begins with one."""
    first = value[0] if isinstance(value, list) and value else value
    is_other = isinstance(field(first, "role"), str) or is_step(first)
    return is_event(first) and not is_other


def _convert_v0(text: bytes, top: Top) -> Converted:
    place = place_of(top, _EVENTS, _is_half) or ""
    items = items_at(top, place)
    row = fields_beside(top, place)
    run = v0.convert(map(decoded, items), row.get("metrics"), items)
    issue, patch = row.get("issue"), row.get("git_patch")
    info = {
        "id": name_in(row.get("instance_id")) or name_in(field(issue, "number")),
        "title": name_in(row.get("instance_id")) or text_field(issue, "title"),
        "llm_model": text_field(row.get("metadata"), "llm_config", "model") or run.model,
        "execution_status": "finished" if _says_finished(items) else "",
    }
    recorded = Recorded(patch=patch[:LONGEST] if isinstance(patch, str) else "")
    return as_converted(run, info, recorded)


def _says_finished(items: list[bytes]) -> bool:
    for item in reversed(items[-FIRST:]):
        value = decoded(item)
        for event in reversed(value if isinstance(value, list) else [value]):
            if field(event, "action") and field(event, "source") != "environment":
                return bool(field(event, "action") == "finish")
            if field(event, "observation") == "agent_state_changed":
                return False  # the state itself says how the run ended
    return False


# ATIF


def _is_atif(top: Top) -> bool:
    version = value_of(top, "schema_version")
    return isinstance(version, str) and version.upper().startswith("ATIF") and "steps" in top


def _convert_atif(text: bytes, top: Top) -> Converted:
    value = top_of_atif(text)
    converted = converted_atif([value])
    following = text_field(value, "continued_trajectory_ref")
    if following:
        converted.notes.append(f"the run goes on in {short_name(following)}, which is not here")
    return converted


def top_of_atif(text: bytes) -> Any:
    """A decoded run, step by step: all steps at once may be too many values. Raises ValueError."""
    top = top_of(text)
    if not isinstance(top, Fields):
        return list(map(decoded, top))
    return {
        name: list(map(decoded, items_of(value))) if name == "steps" else decoded(value)
        for name, value in top.items()
    }


def converted_atif(
    parts: list[Any],
    run: ForeignRun | None = None,
    beside: dict[str, Any] | None = None,
) -> Converted:
    """Converts a run from its file and those that continue it. `beside` has the decoded files of
    its sub-agents, by name."""
    return _with_sub_agents(parts, run or atif.convert(*parts), {} if beside is None else beside)


def _with_sub_agents(
    parts: list[Any], run: ForeignRun, beside: dict[str, Any], prefix: str = "", depth: int = 0
) -> Converted:
    first = parts[0] if parts else None
    # sub-agents that were left out are not taken from `beside`
    below = sub_agents(parts, run, beside if depth < DEEPEST else dict(beside))
    if below and depth == DEEPEST:
        run.notes.append(f"sub-agents more than {DEEPEST} levels deep are left out")
        below = []
    agents = []
    for agent in below:
        names = f"{prefix}{agent.name}/"
        inner = atif.convert(agent.run, prefix=names)
        converted = _with_sub_agents([agent.run], inner, beside, names, depth + 1)
        held = ConvertedRun(short_name(agent.name), converted)
        found = SubAgentFile(agent.name, partial(_same, held), agent.started_by)
        if field(agent.run, "extra", KEPT, CONVERSATION) is True:
            agents.append(found._replace(is_conversation=True))
            continue
        run.bill.sub_agent(agent.name, inner.bill.whole)
        agents.append(found._replace(usage=usage_of(agent.name)))
    info = {
        "id": text_field(first, "session_id") or text_field(first, "trajectory_id"),
        "llm_model": run.model,
    }
    converted = as_converted(run, info, Recorded())
    converted.sub_agents = agents
    return converted


def _same(run: ConvertedRun) -> ConvertedRun:
    return run


# Shared


def as_converted(run: ForeignRun, info: dict[str, Any], recorded: Recorded) -> Converted:
    recorded = replace(recorded, format=run.mark)
    return Converted(
        events=run.events,
        originals=run.originals,
        info={name: value for name, value in info.items() if value},
        stats=run.stats,
        recorded=recorded if run.mark == v0.MARK else replace(recorded, agent=UNKNOWN_AGENT),
        notes=run.notes,
    )


def items_at(top: Top, place: str) -> list[bytes]:
    items = top.list_at(place) if isinstance(top, Fields) else top
    return [bytes(item) for item in items]


def fields_beside(top: Top, place: str) -> dict[str, Any]:
    if not isinstance(top, Fields):
        return {}
    return {name: decoded(value) for name, value in top.items() if name != place}


def decoded(raw: msgspec.Raw | bytes) -> Any:
    """A decoded value; its text if it cannot be decoded."""
    text = bytes(raw)
    return read_json(text, text.decode("utf-8", "replace"))


V0 = Document("V0 run", _V0, lambda top: place_of(top, _EVENTS, _is_half) is not None, _convert_v0)
ATIF = Document("ATIF", _ATIF, _is_atif, _convert_atif)


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
    return isinstance(top, Fields) and place_of(top, ("trajectory",), is_step) is not None


def _convert_steps(text: bytes, top: Top) -> Converted:
    items = items_at(top, "trajectory")
    row = fields_beside(top, "trajectory")
    history = row.pop("history", None)
    messages, originals = messages_of(list(map(decoded, items)), items, history)
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
        or model_in(row.get("replay_config")),
        "selected_repository": text_field(row, "repo"),
        "execution_status": "finished" if ended else "",
    }
    recorded = Recorded(error="" if ended else status[:LONGEST], patch=patch[:LONGEST])
    return as_converted(run, info, recorded)


CHAT = Document("chat messages", _CHAT, _is_chat, _convert_chat)
SWE_AGENT = Document("SWE-agent", _STEPS, _is_steps, _convert_steps)

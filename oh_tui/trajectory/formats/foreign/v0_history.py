"""The history of a V0 run in any form: its entries, which result answers which call, what it cost.

Three forms exist: a list of events whose observations name their action in `cause`; pairs of
`[action, observation]`, before September 2024; and the resolver's flat events, which have neither
ids nor `args` and `extras`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.foreign.foreign_run import pack
from oh_tui.trajectory.formats.foreign.usage import Bill, tokens_of, told_amount
from oh_tui.trajectory.model.bodies import field, list_field, text_field

_TOP = frozenset({"id", "timestamp", "source", "message", "cause", "action", "observation", "args",
                  "extras", "content", "success", "timeout", "tool_call_metadata", "llm_metrics",
                  "kind"})  # fmt: skip
"""Event fields that are neither arguments nor extras."""

_NO_CALLS = frozenset({"message", "system", "recall", "change_agent_state", "condensation",
                       "condensation_request"})  # fmt: skip
"""Actions that no tool carries out."""

_ANY_ACTION = frozenset({"error", "null", "success", "user_rejected", "reject"})
"""Observations that may answer any action."""

_ANSWERED_BY = {"call_tool_mcp": "mcp"}
"""Actions whose observation has another name."""

_NEAR = 32
"""Open calls that are considered for a result that names none."""


class Entry(msgspec.Struct, eq=False):
    """One event: its fields with `args` or `extras`, and what it was made from."""

    body: dict[str, Any]
    original: bytes
    of: Entry | None = None
    """The action in the same pair."""
    answers: Entry | None = None
    """The action that it answers."""
    is_answered: bool = False
    is_call: bool = False
    id: str = ""
    """The id of its event in our model, once there is one."""
    response: str = ""
    """The id of the answer it comes from; for an observation, that of its action."""

    action: str = ""
    """Name of the action; "" for an observation."""
    observation: str = ""

    def __post_init__(self) -> None:
        self.action = text_field(self.body, "action")
        self.observation = text_field(self.body, "observation")

    @property
    def inside(self) -> dict[str, Any]:
        """Its arguments or extras."""
        found = self.body.get("args" if self.action else "extras")
        return found if isinstance(found, dict) else {}

    @property
    def metadata(self) -> Any:
        return self.body.get("tool_call_metadata")

    @property
    def is_agents(self) -> bool:
        """Whether the agent acts. Flat events may not say who acts."""
        source = self.body.get("source")
        return source == "agent" or (source is None and self.action not in _NO_CALLS)


def is_event(value: Any) -> bool:
    """Whether a decoded value is a V0 event."""
    return isinstance(value, dict) and any(
        isinstance(value.get(name), str) for name in ("action", "observation")
    )


def read_history(history: Iterable[Any], originals: Sequence[bytes] = ()) -> list[Any]:
    """The entries of a history, with results joined to actions. JSON that is no V0 event stays as
    it is."""
    found = list(_entries(history, originals))
    _join([entry for entry in found if isinstance(entry, Entry)])
    return found


def _entries(history: Iterable[Any], originals: Sequence[bytes]) -> Iterator[Any]:
    for place, item in enumerate(history):
        of: Entry | None = None
        for half in item if isinstance(item, list) else [item]:
            if half is None and of is not None:
                continue  # the empty half of a pair
            if not is_event(half):
                yield half
            elif of is None or not _is_nothing(half):
                whole = bool(originals) and half is item
                entry = Entry(_unfolded(half), originals[place] if whole else pack(half), of)
                yield entry
                of = entry if entry.action and isinstance(item, list) else of


def _is_nothing(event: dict[str, Any]) -> bool:
    """Whether an event only fills its half of a pair."""
    return event.get("observation") == "null" and not any(
        event.get(name) for name in ("content", "message", "extras", "cause", "id")
    )


def _unfolded(event: dict[str, Any]) -> dict[str, Any]:
    """An event with `args` or `extras`. They get the other fields of a flat one."""
    is_action = isinstance(event.get("action"), str)
    name = "args" if is_action else "extras"
    if name in event:
        return event
    top = _TOP - {"content"} if is_action else _TOP
    inside = {key: value for key, value in event.items() if key not in top}
    return {key: value for key, value in event.items() if key in top} | {name: inside}


def _join(entries: list[Entry]) -> None:
    """Finds the action that each observation answers, and which actions are calls."""
    by_order = not any(name_in(e.body.get("cause")) or e.of for e in entries)
    actions: dict[str, Entry] = {}
    calls: dict[str, Entry] = {}
    later = {name_in(e.body.get("id")): e for e in reversed(entries) if e.action}
    later_calls = {
        text_field(e.metadata, "tool_call_id"): e
        for e in reversed(entries)
        if e.action and e.is_agents
    }
    open_ones: deque[Entry] = deque(maxlen=_NEAR)
    for entry in entries:
        call_id = text_field(entry.metadata, "tool_call_id")
        if entry.action:
            actions[name_in(entry.body.get("id"))] = entry
            if entry.is_agents:
                open_ones.append(entry)
                calls |= {call_id: entry} if call_id else {}
            continue
        cause = name_in(entry.body.get("cause"))
        named = (actions.get(cause) or later.get(cause) if cause else None) or entry.of
        own = calls.get(call_id) or later_calls.get(call_id) if call_id else None
        if named is None and own is not None and not own.is_answered:
            named = own
        if named is None and by_order:
            named = _next_open(open_ones, entry.observation)
        entry.answers = named
        if named is not None:
            named.is_answered = True
    acts = [entry for entry in entries if entry.action and entry.is_agents]
    has_calls = any(isinstance(entry.metadata, dict) for entry in acts)
    for entry in acts:
        entry.is_call = isinstance(entry.metadata, dict) if has_calls else entry.is_answered


def _next_open(open_ones: deque[Entry], name: str) -> Entry | None:
    """Takes the first open action that an observation of this name may answer."""
    for index, entry in enumerate(open_ones):
        if name in _ANY_ACTION or name == _ANSWERED_BY.get(entry.action, entry.action):
            del open_ones[index]
            return entry
    return None


# its cost


def charge_history(bill: Bill, entries: Iterable[Entry], metrics: Any) -> None:
    """Adds the growth of the events' cumulative metrics, and the row's total. If events have no
    metrics, the answers listed in the row count, else the tokens in the model's responses."""
    used: dict[str, dict[str, int]] = {}
    """Response id -> tokens that the response reports."""
    top_cost = 0.0
    top: dict[str, int] = {}
    has_costs = False
    for entry in entries:
        usage = tokens_of(field(entry.metadata, "model_response", "usage"))
        if entry.response and usage:
            used.setdefault(entry.response, usage)
        sums = entry.body.get("llm_metrics")
        cost = told_amount(field(sums, "accumulated_cost"))
        tokens = tokens_of(field(sums, "accumulated_token_usage"))
        grown = {name: n - top.get(name, 0) for name, n in tokens.items() if n > top.get(name, 0)}
        if entry.response:
            bill.add(entry.response, None if cost is None else max(0.0, cost - top_cost), grown)
        has_costs |= cost is not None
        top_cost = max(top_cost, cost or 0.0)
        top |= {name: top.get(name, 0) + number for name, number in grown.items()}
        bill.window(field(sums, "accumulated_token_usage", "context_window"))
    bill.total(top_cost, top)
    _enter_row(bill, metrics, costs=not has_costs, tokens=not top)
    for response, usage in () if top else used.items():
        if not bill.has_tokens(response):
            bill.add(response, None, usage)


def _enter_row(bill: Bill, metrics: Any, *, costs: bool, tokens: bool) -> None:
    """Adds the metrics of a row. Of its answers it adds what no event reports."""
    sums = field(metrics, "accumulated_token_usage")
    bill.total(field(metrics, "accumulated_cost"), tokens_of(sums))
    bill.window(field(sums, "context_window"))
    listed, prices = list_field(metrics, "token_usages"), list_field(metrics, "costs")
    same = len(listed) == len(prices)
    for place, usage in enumerate(listed):
        response = text_field(usage, "response_id")
        if response and tokens:
            bill.add(response, None, tokens_of(usage))
        if response and costs and same:
            bill.add(response, field(prices[place], "cost"))
    for latency in list_field(metrics, "response_latencies"):
        bill.add_latency(field(latency, "response_id"), field(latency, "latency"))

"""Reads the `stats` of a run: tokens, cost and latency, in state updates and beside the events.

`usage_to_metrics.<usage id>` holds sums since the run began (`accumulated_cost` in US dollars,
`accumulated_token_usage`). Full states, the record of an agent server and `base_state.json` also
have three lists with one entry per answer of the model: `token_usages` and `response_latencies`,
which name the answer by `response_id`, and `costs`, which does not.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple, TypeVar

import msgspec

from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.usage import DOLLAR, NO_USAGE, SECOND, TOKENS, Usage

UNNAMED = ""
"""The usage id of sums that do not say whose they are. An app server's record has those of the
agent alone after each stats event, and of all usages after some acts (measured)."""

AGENT = "agent"
"""The usage id of the agent itself."""

ACP = "acp-managed"
"""The usage id of an agent that speaks the Agent Client Protocol."""

COMBINED = "*"
"""The usage id of the sums of all usages together, as a row of an evaluation has them."""

_MOST = 10**15
"""Larger numbers of tokens or dollars are faults."""

_LONGEST = 10**6
"""Longest plausible latency of one answer, in seconds."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One answer of a model, from the lists of a full state."""

    response: str
    amount: Usage
    has_cost: bool
    window: int = 0
    """Size of the context of its model in tokens, or that which the sums of its usage id tell; 0
    when unknown."""
    at: float = 0.0
    """When its cost was entered, in seconds since 1970; 0 when unknown."""


class Metrics(NamedTuple):
    """The stats of one usage id in one state update."""

    total: Usage
    kinds: frozenset[str]
    """The kinds of tokens that are reported; the others are 0 in `total`."""
    window: int
    """Size of the model's context in tokens; 0 when unknown."""
    is_whole: bool
    """False when an impossible number was left out."""
    lists: tuple[msgspec.Raw, msgspec.Raw, msgspec.Raw] | None
    """`token_usages`, `costs` and `response_latencies`, not decoded; None without entries."""
    last: object = None
    """Tokens in and out of the last answer, where that is known."""


class _Tokens(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    context_window: int | None = None
    per_turn_token: object = None
    response_id: str | None = None


_NO_TOKENS = _Tokens()
_NO_LIST = msgspec.Raw(b"")


class _MetricsJson(msgspec.Struct, gc=False):
    accumulated_cost: float | None = None
    accumulated_token_usage: _Tokens | None = None
    token_usages: msgspec.Raw = _NO_LIST
    costs: msgspec.Raw = _NO_LIST
    response_latencies: msgspec.Raw = _NO_LIST
    oh_tui_calls: int | None = None
    oh_tui_llm_s: float | None = None
    """All calls and their seconds, from a format whose lists of answers lack some."""


class _Stats(msgspec.Struct, gc=False):
    usage_to_metrics: dict[str, msgspec.Raw] | None = None


class _StatsUpdate(msgspec.Struct, gc=False):
    value: _Stats | None = None


class _State(msgspec.Struct, gc=False):
    stats: _Stats | None = None


class _StateUpdate(msgspec.Struct, gc=False):
    value: _State | None = None


class _Cost(msgspec.Struct, gc=False):
    cost: float | None = None
    timestamp: object = None


class _Latency(msgspec.Struct, gc=False):
    latency: float | None = None
    response_id: str | None = None


_decode_stats = msgspec.json.Decoder(_StatsUpdate).decode
_decode_record = msgspec.json.Decoder(_Stats).decode
_decode_state = msgspec.json.Decoder(_StateUpdate).decode
# not strict: a number may be written as a text
_decode_metrics = msgspec.json.Decoder(_MetricsJson, strict=False).decode
_decode_tokens = msgspec.json.Decoder(list[_Tokens] | None, strict=False).decode
_decode_costs = msgspec.json.Decoder(list[_Cost] | None, strict=False).decode
_decode_latencies = msgspec.json.Decoder(list[_Latency] | None, strict=False).decode

_UNREADABLE = (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError)


def has_stats(event: Event) -> bool:
    return event.kind == "ConversationStateUpdateEvent" and event.key in ("stats", "full_state")


def read_stats(event: Event) -> dict[str, msgspec.Raw] | None:
    """The stats in an update by usage id, for `read_metrics`; None without stats."""
    raw = event.raw()
    try:
        if event.key == "stats":
            stats = _decode_stats(raw).value
        else:
            state = _decode_state(raw).value
            stats = state.stats if state else None
    except _UNREADABLE:
        return None
    return stats.usage_to_metrics if stats else None


def stats_text(stats: object) -> bytes:
    """The `stats` of a record or of `base_state.json` as JSON, for `read_record`; b"" when empty,
    as in a fork."""
    usages = stats.get("usage_to_metrics") if isinstance(stats, dict) else None
    texts: dict[str, msgspec.Raw] = {}
    for usage, metrics in usages.items() if isinstance(usages, dict) else ():
        with contextlib.suppress(TypeError, ValueError, OverflowError, RecursionError):
            texts[usage] = msgspec.Raw(msgspec.json.encode(metrics))
    return msgspec.json.encode({"usage_to_metrics": texts}) if texts else b""


def unnamed_text(cost: object, tokens: object) -> bytes:
    """The sums of an app server's record in the form of `stats_text`, as those of `UNNAMED`; b""
    when all are zero, which stands for not known there (source)."""
    metrics = {"accumulated_cost": cost, "accumulated_token_usage": tokens}
    text = stats_text({"usage_to_metrics": {UNNAMED: metrics}})
    return text if record_sums(text) != NO_USAGE else b""


def record_sums(text: bytes) -> Usage:
    return sum((read_metrics(metrics).total for metrics in read_record(text).values()), NO_USAGE)


def kinds_in(usages: Mapping[str, msgspec.Raw]) -> frozenset[str]:
    """The kinds of tokens that some usage id tells."""
    return frozenset[str]().union(*(read_metrics(one).kinds for one in usages.values()))


def lists_answers(text: bytes) -> bool:
    """Whether a text of `stats_text` lists single answers, not only sums."""
    return any(read_metrics(metrics).lists for metrics in read_record(text).values())


@lru_cache(maxsize=8)
def answers_by(text: bytes, time: str) -> tuple[Mapping[str, Sequence[Answer]], frozenset[str]]:
    """By usage id, the first answers that a text of `stats_text` lists, those before a time; and
    the response ids of the others."""
    then, before, since = seconds(time) or 0.0, dict[str, Sequence[Answer]](), {""}
    for usage, metrics in read_record(text).items():
        answers = read_answers(read_metrics(metrics))
        first = before[usage] = tuple(takewhile(lambda one: 0 < one.at < then, answers))
        since.update(one.response for one in answers[len(first) :])
    return before, frozenset(since - {""})


def read_record(text: bytes) -> dict[str, msgspec.Raw]:
    """The stats in a text of `stats_text` by usage id, for `read_metrics`."""
    try:
        return _decode_record(text).usage_to_metrics or {}
    except _UNREADABLE:
        return {}


def read_metrics(text: msgspec.Raw) -> Metrics:
    """Decodes the stats of one usage id; never raises."""
    try:
        metrics = _decode_metrics(text)
    except _UNREADABLE:
        return Metrics(NO_USAGE, frozenset(), 0, False, None)
    tokens = metrics.accumulated_token_usage or _NO_TOKENS
    cost = _whole(metrics.accumulated_cost, DOLLAR)
    calls, llm = metrics.oh_tui_calls or 0, _whole(metrics.oh_tui_llm_s, SECOND)
    amount, is_whole = _amount(tokens, cost or 0, llm or 0, calls if 0 <= calls < _MOST else 0)
    lists = (metrics.token_usages, metrics.costs, metrics.response_latencies)
    window = tokens.context_window or 0
    kinds = (name for name in TOKENS if getattr(tokens, f"{name}_tokens") is not None)
    return Metrics(
        amount,
        frozenset(kinds),
        window if 0 < window < _MOST else 0,
        is_whole and cost is not None,
        lists if len(lists[0]) > 2 or len(lists[2]) > 2 else None,
        tokens.per_turn_token,
    )


def read_answers(metrics: Metrics) -> list[Answer]:
    """The answers listed in a full state, in order, then those with a latency but no tokens; []
    when the lists cannot be read. Costs are matched by position, if there are as many."""
    if metrics.lists is None:
        return []
    tokens = _entries(_decode_tokens, metrics.lists[0])
    if tokens is None:
        return []
    costs = _entries(_decode_costs, metrics.lists[1]) or ()
    prices = [
        (_whole(one.cost, DOLLAR), at if isinstance(at := one.timestamp, int | float) else 0.0)
        for one in costs
    ]
    if len(prices) != len(tokens):
        prices = [(None, 0.0)] * len(tokens)
    latencies: dict[str, int] = {}
    rest = 0
    """Time of answers without an id, or with one that is listed already."""
    for entry in _entries(_decode_latencies, metrics.lists[2]) or ():
        span = _whole(entry.latency, SECOND, _LONGEST)
        if span is None:
            continue
        if entry.response_id and entry.response_id not in latencies:
            latencies[entry.response_id] = span
        else:
            rest += span
    calls = []
    for usage, (price, at) in zip(tokens, prices, strict=True):
        response = usage.response_id or ""
        amount, _ = _amount(usage, price or 0, latencies.pop(response, 0), 1)
        window = usage.context_window or 0
        window = window if 0 < window < _MOST else metrics.window
        calls.append(Answer(response, amount, price is not None, window, at))
    for response, span in latencies.items():
        calls.append(Answer(response, Usage(microseconds=span, calls=1), False))
    if rest:
        calls.append(Answer("", Usage(microseconds=rest), False))
    return calls


T = TypeVar("T")


def _entries(decode: Callable[[bytes], list[T] | None], text: msgspec.Raw) -> list[T] | None:
    """The entries of a list, [] when it is missing, None when it cannot be read."""
    try:
        return (decode(text) if len(text) else None) or []
    except _UNREADABLE:
        return None


def _amount(tokens: _Tokens, cost: int, llm: int = 0, calls: int = 0) -> tuple[Usage, bool]:
    """The usage, and whether all its numbers are possible; impossible ones count as 0."""
    five = (
        tokens.prompt_tokens or 0,
        tokens.completion_tokens or 0,
        tokens.cache_read_tokens or 0,
        tokens.cache_write_tokens or 0,
        tokens.reasoning_tokens or 0,
    )
    is_whole = min(five) >= 0 and max(five) < _MOST
    if not is_whole:
        a, b, c, d, e = (number if 0 <= number < _MOST else 0 for number in five)
        five = a, b, c, d, e
    return Usage(*five, cost, llm, calls), is_whole


def _whole(number: float | None, unit: int, most: int = _MOST) -> int | None:
    """`number` in units; 0 when missing, None when impossible."""
    if number is None:
        return 0
    if not math.isfinite(number) or not 0 <= number < most:
        return None
    return round(number * unit)

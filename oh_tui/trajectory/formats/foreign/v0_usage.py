"""The cost of a V0 run, from the metrics of its events and of its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oh_tui.trajectory.formats.foreign.usage import Bill, tokens_of, told_amount
from oh_tui.trajectory.formats.foreign.v0_history import Entry
from oh_tui.trajectory.model.bodies import field, text_field


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
    listed, prices = _list(field(metrics, "token_usages")), _list(field(metrics, "costs"))
    same = len(listed) == len(prices)
    for place, usage in enumerate(listed):
        response = text_field(usage, "response_id")
        if response and tokens:
            bill.add(response, None, tokens_of(usage))
        if response and costs and same:
            bill.add(response, field(prices[place], "cost"))
    for latency in _list(field(metrics, "response_latencies")):
        bill.add_latency(field(latency, "response_id"), field(latency, "latency"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""The bill of a foreign run: tokens and cost of each answer and of the whole run."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.usage_stats import AGENT, stats_text

TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
          "reasoning_tokens")  # fmt: skip
"""Names of tokens in our model."""

_REST = "oh-tui: without a step"
"""Response id for all answers that belong to no step."""

_SUB_AGENTS = ("task:", "delegate:")
"""How usage ids of sub-agents begin. Totals of tokens leave these out."""

Amounts: TypeAlias = dict[str, float]

_MOST = 1e15

_DIGITS = 40
"""Characters of a number."""

_ROUNDING = 1e-6
"""Dollars by which a total may be lower than the sum of its parts."""


def amount(value: Any) -> float | None:
    """A number that can be a cost or a count; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if math.isfinite(value) and 0 <= value < _MOST else None


def told_amount(value: Any) -> float | None:
    """As `amount`, but accepts a number written as text."""
    if isinstance(value, str) and len(value) <= _DIGITS:
        try:
            value = float(value)
        except ValueError:
            return None
    return amount(value)


def count(value: Any) -> int | None:
    found = told_amount(value)
    return None if found is None else int(found)


_NAMES = {
    "prompt_tokens": ("prompt_tokens", "input_tokens"),
    "completion_tokens": ("completion_tokens", "output_tokens"),
    "cache_read_tokens": ("cache_read_tokens", "cached_tokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_input_tokens"),
    "reasoning_tokens": ("reasoning_tokens",),
}
"""Our names of tokens -> those of providers."""


def tokens_of(usage: Any) -> dict[str, int]:
    """The tokens in the `usage` of an answer, under the names of a provider or ours."""
    if not isinstance(usage, dict) or not usage:
        return {}
    found: dict[str, int] = {}
    for name, names in _NAMES.items():
        known = (count(usage[other]) for other in names if other in usage)
        number = next((n for n in known if n is not None), None)
        if number is not None:
            found[name] = number
    for name, place in (
        ("cache_read_tokens", ("prompt_tokens_details", "cached_tokens")),
        ("reasoning_tokens", ("completion_tokens_details", "reasoning_tokens")),
    ):
        number = count(field(usage, *place))
        if number is not None:
            found.setdefault(name, number)
    return found


class Bill:
    """Collects what answers cost. An amount that no source gives stays unknown, not 0."""

    def __init__(self) -> None:
        self._costs: dict[str, float] = {}
        """Response id -> dollars."""
        self._tokens: dict[str, dict[str, int]] = {}
        """Response id -> tokens by name."""
        self._latencies: dict[str, float] = {}
        self._cost: float | None = None
        """The total, if the run gives one."""
        self._total: dict[str, int] = {}
        self._calls = self._window = 0
        self._below: dict[str, float] = {}
        """Name of a sub-agent -> dollars, including its own sub-agents."""
        self._apart: dict[str, Amounts] = {}
        """Usage id -> usage that belongs to no step."""

    def add(self, response: str, cost: Any = None, tokens: dict[str, int] | None = None) -> None:
        dollars = told_amount(cost)
        if dollars is not None:
            self._costs[response] = self._costs.get(response, 0.0) + dollars
        if tokens:
            held = self._tokens.setdefault(response, {})
            for name, number in tokens.items():
                held[name] = held.get(name, 0) + number

    def add_latency(self, response: Any, latency: Any) -> None:
        seconds = told_amount(latency)
        if seconds is not None and isinstance(response, str):
            self._latencies.setdefault(response, seconds)

    def total(
        self, cost: Any = None, tokens: dict[str, int] | None = None, calls: int | None = None
    ) -> None:
        """Sets totals that the run gives. Of two numbers the higher counts."""
        self._calls = max(self._calls, calls or 0)
        dollars = told_amount(cost)
        if dollars is not None:
            self._cost = max(dollars, self._cost or 0.0)
        for name, number in (tokens or {}).items():
            self._total[name] = max(number, self._total.get(name, 0))

    def sub_agent(self, name: str, cost: float) -> None:
        """Adds the cost of a sub-agent, including its own sub-agents. A total that is high enough
        is taken to include it."""
        self._below[name] = cost

    def apart(self, usage: str, told: Any) -> None:
        """Sets what a usage id used beyond the answers of steps: tokens under our names,
        `cost_usd`, `llm_calls` and `llm_s`."""
        names = (*TOKENS, "cost_usd", "llm_calls", "llm_s")
        found = {name: told_amount(field(told, name)) for name in names}
        amounts = {name: number for name, number in found.items() if number}
        if amounts:
            self._apart[usage] = amounts

    @property
    def _beside(self) -> dict[str, Amounts]:
        """Usage without a step, except that of the steps' model."""
        return {usage: amounts for usage, amounts in self._apart.items() if usage != AGENT}

    @property
    def _of_steps(self) -> float:
        """Cost of the steps' model, as far as known from its answers."""
        return math.fsum((*self._costs.values(), self._apart.get(AGENT, {}).get("cost_usd", 0.0)))

    @property
    def _of_others(self) -> float:
        """Cost of sub-agents and other models."""
        apart = (amounts.get("cost_usd", 0.0) for amounts in self._beside.values())
        return math.fsum((*self._below.values(), *apart))

    @property
    def own(self) -> float:
        """Cost of the steps' model. A total that is high enough includes the others."""
        others, total = self._of_others, self._cost or 0.0
        includes = others and total > self._of_steps + others - _ROUNDING
        return max(self._of_steps, total - others if includes else total)

    @property
    def whole(self) -> float:
        """Cost including sub-agents."""
        return self.own + self._of_others

    def window(self, size: Any) -> None:
        """Sets the size of the model's context in tokens."""
        self._window = count(size) or self._window

    def has_cost(self, response: str) -> bool:
        return response in self._costs

    def has_tokens(self, response: str) -> bool:
        return response in self._tokens

    def text(self) -> bytes:
        """The bill in the form of `stats_text`; b"" if it is empty."""
        sums = dict.fromkeys(TOKENS, 0)
        for tokens in self._tokens.values():
            for name, number in tokens.items():
                sums[name] += number
        apart, beside = self._apart.get(AGENT, {}), self._beside
        totals = dict[str, int]()
        told = {*self._total, *apart, *(name for one in self._tokens.values() for name in one)}
        for name, number in sums.items():
            if name not in told:
                continue
            others = sum(
                int(amounts.get(name, 0))
                for usage, amounts in beside.items()
                if not usage.startswith(_SUB_AGENTS)
            )
            here = number + int(apart.get(name, 0))
            totals[name] = max(here, self._total.get(name, 0) - others)
        cost = self.own
        known = self._tokens, self._costs, self._latencies, self._apart
        if not (any(known) or self.whole or any(totals.values()) or self._calls):
            return b""
        metrics = _metrics(dict(self._tokens), dict(self._costs), dict(self._latencies), apart)
        metrics |= {
            "accumulated_cost": cost,
            "accumulated_token_usage": totals | {"context_window": self._window},
        }
        if self._calls > len({*self._tokens, *self._costs, *self._latencies}):
            metrics["oh_tui_calls"] = self._calls
        below = {name: cost for name, cost in self._below.items() if cost}
        return stats_text(
            {
                "usage_to_metrics": {
                    AGENT: metrics,
                    **{usage_of(name): {"accumulated_cost": cost} for name, cost in below.items()},
                    **{usage: _metrics_of(amounts) for usage, amounts in beside.items()},
                }
            }
        )


def _metrics_of(amounts: Amounts) -> dict[str, Any]:
    """The metrics of a usage id without an answer of a step."""
    return _metrics({}, {}, {}, amounts) | {
        "accumulated_cost": amounts.get("cost_usd", 0.0),
        "accumulated_token_usage": _tokens_in(amounts),
    }


def _metrics(
    tokens: dict[str, dict[str, int]],
    costs: dict[str, float],
    latencies: dict[str, float],
    apart: Amounts,
) -> dict[str, Any]:
    """The lists of answers. All answers without a step count as one entry."""
    calls = int(apart.get("llm_calls", 0))
    if calls:
        if costs or not tokens:
            costs[_REST] = apart.get("cost_usd", 0.0)
        tokens[_REST] = _tokens_in(apart)
        latencies |= {_REST: apart["llm_s"]} if "llm_s" in apart else {}
    responses = list(dict.fromkeys((*tokens, *costs)))
    metrics: dict[str, Any] = {
        "token_usages": [tokens.get(name, {}) | {"response_id": name} for name in responses],
        "response_latencies": [
            {"response_id": name, "latency": latency} for name, latency in latencies.items()
        ],
    }
    if costs:
        metrics["costs"] = [{"cost": costs.get(name)} for name in responses]
    if calls > 1:
        metrics["oh_tui_calls"] = len({*responses, *latencies}) - 1 + calls
    if not calls and "llm_s" in apart:
        metrics["oh_tui_llm_s"] = math.fsum((*latencies.values(), apart["llm_s"]))
    return metrics


def _tokens_in(amounts: Amounts) -> dict[str, int]:
    return {name: int(amounts[name]) for name in TOKENS if name in amounts}


def usage_of(sub_agent: str) -> str:
    """The usage id of a sub-agent in the stats of the run that started it."""
    return f"task:{sub_agent}"

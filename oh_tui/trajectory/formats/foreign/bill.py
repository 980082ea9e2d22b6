"""The bill of a foreign run: tokens and cost of each answer, and of the whole."""

from __future__ import annotations

import math
from typing import Any

from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.stats import stats_text

TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
          "reasoning_tokens")  # fmt: skip
"""The names of the model."""

_MOST = 1e15

_DIGITS = 40
"""Characters of a number."""

_ROUNDING = 1e-6
"""Dollars by which a total may be below the sum of its parts."""


def amount(value: Any) -> float | None:
    """A number that can be a cost or a count; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if math.isfinite(value) and 0 <= value < _MOST else None


def told_amount(value: Any) -> float | None:
    """As `amount`, also of a number that is written as a text."""
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
"""The names of providers, by those of the model."""


def tokens_of(usage: Any) -> dict[str, int]:
    """The tokens in a `usage` of a model's answer, or in one with the names of the model."""
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
    """Collects what answers cost; an amount that no source told stays unknown, not 0."""

    def __init__(self) -> None:
        self._costs: dict[str, float] = {}
        """Response id -> dollars."""
        self._tokens: dict[str, dict[str, int]] = {}
        """Response id -> tokens by name."""
        self._latencies: dict[str, float] = {}
        self._cost: float | None = None
        """The total, if the run tells it."""
        self._total: dict[str, int] = {}
        self._window = 0
        self._below: dict[str, float] = {}
        """Name of a sub-agent -> dollars, with those below it."""

    def add(self, response: str, cost: Any = None, tokens: dict[str, int] | None = None) -> None:
        """Adds an amount to an answer."""
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

    def total(self, cost: Any = None, tokens: dict[str, int] | None = None) -> None:
        """Sets what the run tells of the whole; the higher of two numbers counts."""
        dollars = told_amount(cost)
        if dollars is not None:
            self._cost = max(dollars, self._cost or 0.0)
        for name, number in (tokens or {}).items():
            self._total[name] = max(number, self._total.get(name, 0))

    def sub_agent(self, name: str, cost: float) -> None:
        """Adds what a sub-agent cost, with those below it. A total that is high enough includes
        them."""
        self._below[name] = cost

    @property
    def _includes_below(self) -> bool:
        whole = math.fsum((*self._costs.values(), *self._below.values()))
        return bool(self._below) and self._cost is not None and self._cost > whole - _ROUNDING

    @property
    def own(self) -> float:
        """What it cost without its sub-agents."""
        below = math.fsum(self._below.values()) if self._includes_below else 0.0
        return max(math.fsum(self._costs.values()), (self._cost or 0.0) - below)

    @property
    def whole(self) -> float:
        """What it cost with its sub-agents."""
        return self.own + math.fsum(self._below.values())

    def window(self, size: Any) -> None:
        """Sets the size of the model's context in tokens."""
        self._window = count(size) or self._window

    def has_cost(self, response: str) -> bool:
        return response in self._costs

    def has_tokens(self, response: str) -> bool:
        return response in self._tokens

    def text(self) -> bytes:
        """The bill by `stats_text`, b"" for an empty one."""
        responses = list(dict.fromkeys((*self._tokens, *self._costs)))
        sums = dict.fromkeys(TOKENS, 0)
        for tokens in self._tokens.values():
            for name, number in tokens.items():
                sums[name] += number
        totals = {name: max(number, self._total.get(name, 0)) for name, number in sums.items()}
        cost = self.own
        if not (responses or self.whole or any(totals.values()) or self._latencies):
            return b""
        metrics: dict[str, Any] = {
            "accumulated_cost": cost,
            "accumulated_token_usage": totals | {"context_window": self._window},
            "token_usages": [
                self._tokens.get(response, {}) | {"response_id": response} for response in responses
            ],
            "response_latencies": [
                {"response_id": response, "latency": latency}
                for response, latency in self._latencies.items()
            ],
        }
        if self._costs:
            metrics["costs"] = [{"cost": self._costs.get(response)} for response in responses]
        below = {name: cost for name, cost in self._below.items() if cost}
        return stats_text(
            {
                "usage_to_metrics": {
                    "agent": metrics,
                    **{usage_of(name): {"accumulated_cost": cost} for name, cost in below.items()},
                }
            }
        )


def usage_of(sub_agent: str) -> str:
    """The usage id of a sub-agent in the stats of the run that started it."""
    return f"task:{sub_agent}"

"""The models of the demo, what they cost, and the metrics of one use of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its prices in US dollars per million tokens; all 0 when no price is known."""

    name: str
    fresh: float = 0.0
    cached: float = 0.0
    written: float = 0.0
    out: float = 0.0
    window: int = 200_000


SONNET = Model("anthropic/claude-sonnet-4-5", 3.0, 0.3, 3.75, 15.0)
HAIKU = Model("anthropic/claude-haiku-4-5", 1.0, 0.1, 1.25, 5.0)
GEMINI = Model("gemini/gemini-2.5-pro", 1.25, 0.31, 1.25, 10.0, 1_048_576)
LOCAL = Model("openai/qwen3-coder-30b", window=131_072)

MODELS = {"sonnet": SONNET, "haiku": HAIKU, "gemini": GEMINI, "local": LOCAL}
"""By the names that scenarios give them."""


TOKENS = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


@dataclass(slots=True)
class Meter:
    """The metrics of one usage id, as the servers report them."""

    model: Model
    cost: float = 0.0
    tokens: list[int] = field(default_factory=lambda: [0] * len(TOKENS))
    """The sums, in the order of `TOKENS`."""
    per_turn: int = 0
    costs: list[dict[str, object]] = field(default_factory=list)
    latencies: list[dict[str, object]] = field(default_factory=list)
    usages: list[dict[str, object]] = field(default_factory=list)

    def add(
        self,
        at: float,
        response: str,
        latency: float,
        prompt: int,
        cached: int,
        out: int,
        reasoning: int,
    ) -> None:
        """Add one call with `prompt` tokens, `cached` of which the model had in its cache."""
        model, new = self.model, prompt - cached
        writes = model.written > model.fresh
        per_new = model.written if writes else model.fresh
        price = round((new * per_new + cached * model.cached + out * model.out) / 1e6, 6)
        counts = [prompt, out, cached, new if writes else 0, reasoning]
        self.cost = round(self.cost + price, 6)
        self.tokens = [total + count for total, count in zip(self.tokens, counts, strict=True)]
        self.per_turn = prompt + out
        if price:
            self.costs.append({"model": model.name, "cost": price, "timestamp": at})
        self.latencies.append(
            {"model": model.name, "latency": round(latency, 6), "response_id": response}
        )
        self.usages.append(self._usage(counts, response))

    def told(self, *, lists: bool) -> dict[str, Any]:
        """As the servers report them; with `lists` the figures of each answer."""
        value: dict[str, Any] = {
            "model_name": self.model.name,
            "accumulated_cost": self.cost,
            "max_budget_per_task": None,
            "accumulated_token_usage": self.total(),
        }
        if lists:
            value |= {
                "costs": self.costs,
                "response_latencies": self.latencies,
                "token_usages": self.usages,
            }
        return value

    def total(self) -> dict[str, object]:
        return self._usage(self.tokens, "")

    def _usage(self, counts: list[int], response: str) -> dict[str, object]:
        return {
            "model": self.model.name,
            **dict(zip(TOKENS, counts, strict=True)),
            "context_window": self.model.window,
            "per_turn_token": self.per_turn,
            "response_id": response,
        }


def combined(stats: dict[str, Any]) -> dict[str, Any]:
    """One snapshot out of the metrics of all usage ids."""
    return _sum_of(list(stats["usage_to_metrics"].values()))


def row_metrics(usages: dict[str, Any]) -> dict[str, Any]:
    """The metrics of usage ids in a row of the app server, without tokens of reasoning (source)."""
    metrics = _sum_of(list(usages.values()))
    metrics["accumulated_token_usage"]["reasoning_tokens"] = 0
    return metrics


def _sum_of(parts: list[dict[str, Any]]) -> dict[str, Any]:
    usages = [part["accumulated_token_usage"] for part in parts]
    usage: dict[str, Any] = {"model": "", "response_id": ""}
    usage |= {name: sum(one[name] for one in usages) for name in TOKENS}
    for name in ("context_window", "per_turn_token"):
        usage[name] = usages[0][name] if usages else 0
    return {
        "model_name": "default",
        "accumulated_cost": round(sum(part["accumulated_cost"] for part in parts), 6),
        "max_budget_per_task": None,
        "accumulated_token_usage": usage,
    }


def tokens_of(words: str) -> int:
    """About how many tokens a text is."""
    return -(-len(words) * 10 // 29)

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


@dataclass(slots=True)
class Meter:
    """The metrics of one usage id, as the servers report them."""

    model: Model
    cost: float = 0.0
    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    per_turn: int = 0
    costs: list[dict[str, Any]] = field(default_factory=list)
    latencies: list[dict[str, Any]] = field(default_factory=list)
    usages: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        at: float,
        response: str,
        latency: float,
        prompt: int,
        held: int,
        out: int,
        reasoning: int,
    ) -> None:
        """One call with `prompt` tokens, `held` of which the model had in its cache."""
        model = self.model
        new = prompt - held
        if model.written > model.fresh:
            price = new * model.written + held * model.cached + out * model.out
            written = new
        else:
            price = new * model.fresh + held * model.cached + out * model.out
            written = 0
        self.cost = round(self.cost + price / 1e6, 6)
        self.prompt += prompt
        self.completion += out
        self.cache_read += held
        self.cache_write += written
        self.reasoning += reasoning
        self.per_turn = prompt + out
        if price:
            self.costs.append({"model": model.name, "cost": round(price / 1e6, 6), "timestamp": at})
        self.latencies.append(
            {"model": model.name, "latency": round(latency, 6), "response_id": response}
        )
        self.usages.append(
            self._usage(prompt, out, held, written, reasoning, prompt + out, response)
        )

    def total(self) -> dict[str, Any]:
        """The tokens of all calls together."""
        return self._usage(
            self.prompt,
            self.completion,
            self.cache_read,
            self.cache_write,
            self.reasoning,
            self.per_turn,
            "",
        )

    def _usage(
        self,
        prompt: int,
        out: int,
        read: int,
        written: int,
        reasoning: int,
        per_turn: int,
        response: str,
    ) -> dict[str, Any]:
        return {
            "model": self.model.name,
            "prompt_tokens": prompt,
            "completion_tokens": out,
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "reasoning_tokens": reasoning,
            "context_window": self.model.window,
            "per_turn_token": per_turn,
            "response_id": response,
        }


def combined(stats: dict[str, Any]) -> dict[str, Any]:
    """One snapshot out of the metrics of all usage ids."""
    parts = list(stats["usage_to_metrics"].values())
    usage: dict[str, Any] = {"model": "", "response_id": ""}
    for name in (
        "prompt_tokens",
        "completion_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    ):
        usage[name] = sum(part["accumulated_token_usage"][name] for part in parts)
    for name in ("context_window", "per_turn_token"):
        usage[name] = parts[0]["accumulated_token_usage"][name] if parts else 0
    return {
        "model_name": "default",
        "accumulated_cost": round(sum(part["accumulated_cost"] for part in parts), 6),
        "max_budget_per_task": None,
        "accumulated_token_usage": usage,
    }

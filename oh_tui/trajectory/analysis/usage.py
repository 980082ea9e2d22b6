"""What was spent, in seconds, dollars and tokens, as it is told."""

from __future__ import annotations

import msgspec

from oh_tui.trajectory.model.stats import DOLLAR, SECOND, Amount


class Spent(msgspec.Struct, frozen=True):
    """What was spent, as sums; `a + b` adds them."""

    llm: float = 0.0
    """Seconds the model took, as far as the server measured them."""
    cost: float = 0.0
    """US dollars."""
    prompt: int = 0
    """Tokens in, those read from and written to the cache among them."""
    completion: int = 0
    """Tokens out, those of reasoning among them."""
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    calls: int = 0
    """Answers of a model."""

    def __add__(self, more: Spent) -> Spent:
        return Spent(
            self.llm + more.llm,
            self.cost + more.cost,
            self.prompt + more.prompt,
            self.completion + more.completion,
            self.cache_read + more.cache_read,
            self.cache_write + more.cache_write,
            self.reasoning + more.reasoning,
            self.calls + more.calls,
        )


def spent_of(amount: Amount) -> Spent:
    return Spent(
        llm=amount.llm / SECOND,
        cost=amount.cost / DOLLAR,
        prompt=amount.prompt,
        completion=amount.completion,
        cache_read=amount.cache_read,
        cache_write=amount.cache_write,
        reasoning=amount.reasoning,
        calls=amount.calls,
    )

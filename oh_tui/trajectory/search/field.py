"""A field of a query, such as `cost:` and `does:`, of steps and of conversations alike; its test
answers yes, no, or None for what is not known. And a term, which asks it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from oh_tui.trajectory.search.values import any_of

if TYPE_CHECKING:
    from oh_tui.trajectory.model.trajectory import Trajectory


class Term(msgspec.Struct, frozen=True):
    """One word of a query; the field "" is a text search."""

    field: str
    value: Any
    negated: bool = False
    words: tuple[Term, ...] = ()
    """Of a phrase each word by itself."""


Test: TypeAlias = Callable[[Any, Any], "bool | None"]
"""Whether a step or a conversation has what a value asks. None when that is not known."""


class Field(NamedTuple):
    name: str
    """What stands before the colon; "" for plain words."""
    read: Callable[[str], object]
    """Parses a typed value, such as `>1`; raises `Wrong`."""
    test: Test
    """Gets what `read` returned."""
    values: Callable[[Trajectory | None], Collection[str]] = any_of(())
    """Values for completion and hints."""
    cost: int = 0
    """Cheaper fields are tested first: 0 needs heads, 1 times and outcomes, 2 and more bodies."""
    about: str = ""
    """What is not known then, in our words."""
    negated_if_unknown: bool = False
    """A filter takes what is not known for a match of the negated word."""
    explain: Callable[[Any, Term], str] = lambda subject, term: ""
    """What matches, for rules; "" for a word that says it as it is typed."""
    help: tuple[tuple[str, str], ...] = ()
    """Examples with their meaning."""
    suggest: Callable[[Any], Iterable[str]] | None = None
    """Values that a conversation has, for completion."""
    is_proven: Callable[[Any, Any], bool] = lambda subject, value: True
    """Whether something proves a no of `test`."""
    is_of_steps: bool = False
    """Whether it asks of a conversation what only its steps tell."""

    def exact(self, subject: Any, value: Any) -> bool | None:
        """What `test` answers, but None for a no that nothing proves. Filters take it for a no."""
        found = self.test(subject, value)
        return None if found is False and not self.is_proven(subject, value) else found

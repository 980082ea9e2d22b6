"""What a rule asks of the steps of a run, and the answer of one run."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from oh_tui.text.human import steps_words

if TYPE_CHECKING:
    from oh_tui.trajectory.search.step_filter import Query

Words: TypeAlias = "tuple[Query, ...]"
"""Several questions in the words of `&`; a step that matches one of them matches."""


class State(StrEnum):
    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "not known"
    """The run lacks something that decides it."""
    NOTHING = "nothing to check"
    """No step of the run is one that the rule is about."""


class Answer(NamedTuple):
    """Whether a rule holds in a run."""

    state: State
    steps: tuple[int, ...] = ()
    """Numbers of the first steps that break it, ascending; at most `MOST_STEPS`."""
    total: int = 0
    """How many steps break it."""
    lacks: str = ""
    """What is not known and would decide it, in words."""
    because: str = ""
    """What of the run breaks a rule about the whole run, in words."""

    def broken_by(self, most: int = 5) -> str:
        """What breaks the rule: `steps 3-7`, `steps 3, 5 and 8 more`, or of the whole run."""
        if not self.steps:
            return self.because or "the run as a whole"
        if len(self.steps) == self.total == self.steps[-1] - self.steps[0] + 1:
            return steps_words(self.steps)
        named = self.steps[: self.total if self.total <= most + 1 else most]
        more = self.total - len(named)
        rest = f" and {more:,} more" if more else ""
        numbers = ", ".join(f"{number:,}" for number in named)
        return f"step{'s' if self.total > 1 else ''} {numbers}{rest}"


MOST_STEPS = 100


class Condition(StrEnum):
    """What the steps that match have to pass; a value is its name in a file."""

    AT_MOST = "at_most"
    """At most `number` steps match; 0 for never."""
    AT_LEAST = "at_least"
    BEFORE = "before"
    """Each of them comes after one of `others`, or is one itself; with `since` that one is not
    earlier than the last step before that matches `since`."""
    AFTER = "after"
    """The last of them is followed by one of `others`, or is one itself."""
    NEVER_AFTER = "never_after"
    """None of them comes after one of `others`; with `since` only those count that are not earlier
    than the last step before that matches `since`."""
    REPEATED = "repeated"
    """No call that matches is made `number` times, or reads a line of a file so often."""


NEEDS_MORE = frozenset({Condition.AT_LEAST, Condition.BEFORE, Condition.AFTER})
"""Steps that are not there break these."""


NEEDS_STEPS = frozenset(Condition) - {Condition.AT_MOST, Condition.AT_LEAST}
"""Without a step that matches there is nothing that could break these."""


class Same(StrEnum):
    CALL = "call"
    """The tool and all its arguments, as in a comparison."""
    FILE = "file"
    """A file that is read, and a line of it."""


class Question(NamedTuple):
    """The steps that match the words have to pass the test."""

    words: Words
    condition: Condition
    number: int = 0
    others: Words = ()
    since: Words = ()
    same: Same = Same.CALL
    in_a_row: bool = False
    """Of repeated ones only those without other calls between."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """All questions whose answers it needs, of each step."""
        return (*self.words, *self.others, *self.since)

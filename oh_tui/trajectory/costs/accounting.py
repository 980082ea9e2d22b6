"""Accounts: the time, tokens and cost of a run, charged to its steps; the rest is `other`.

The accounts of a fork are those of its own events. What it took is its origin's, and in no sum.
"""

from __future__ import annotations

from msgspec.structs import replace

from oh_tui.text.human import plural
from oh_tui.trajectory.costs.charges import Charges
from oh_tui.trajectory.costs.ledger import ROUNDING, about
from oh_tui.trajectory.costs.waits import gap_before
from oh_tui.trajectory.model.clock import LONGEST_RUN, known_span
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usage import NO_USAGE, TOKENS, ReportedFields, Usage
from oh_tui.trajectory.model.usage_stats import COMBINED, UNNAMED

SUB_AGENT_USAGES = ("task:", "delegate:")
"""What the usage ids begin with under which a run has the totals of its sub-agents."""


class Accounts(Charges):
    """The charges of a growing trajectory with its times and sums."""

    def llm(self, step: Step) -> float | None:
        """Seconds of the model for this step, measured or since the one before, or None."""
        if self._origin and self.is_inherited(step):
            return self._origin.llm(step)
        spent = self.of(step)
        return known_span(spent.llm if spent and spent.microseconds else self._gap(step))

    def ran(self, step: Step) -> float | None:
        """Seconds from call to result without waiting; None if unknown, or for a rejected call."""
        if self._origin and self.is_inherited(step):
            return self._origin.ran(step)
        span, began = step.ran(), step.began()
        if span is None or began is None:
            return None
        return known_span(span - self._waits.within(began, span) if span >= 1 else span)

    def is_odd(self, step: Step) -> bool:
        """Whether a time of this step is hidden because a clock went back."""
        if self._origin and self.is_inherited(step):
            return self._origin.is_odd(step)
        span, spent = step.span(), self.of(step)
        if span is not None and span < 0:
            return True
        gap = None if spent and spent.microseconds else self._gap(step)
        return gap is not None and gap < 0

    def _gap(self, step: Step) -> float | None:
        if step.event.id not in self._answers.made_by and not step.event.is_reported:
            return None
        return gap_before(self.trajectory, step)

    # The properties below are also read in threads: the ledgers may grow meanwhile.

    @property
    def _named(self) -> Usage:
        return sum((ledger.total for ledger in list(self._ledgers.values())), NO_USAGE)

    @property
    def unnamed(self) -> Usage:
        """What a record has beyond that, or more recently: the higher numbers count once."""
        if self._record is None:
            return NO_USAGE
        named = self._named
        rest = self._record.total.highest(named) - named
        return replace(rest, picodollars=0) if rest.picodollars <= ROUNDING else rest

    @property
    def total(self) -> Usage:
        return self._named + self.unnamed

    @property
    def is_partial(self) -> bool:
        """Whether the total may lack a part: a record may leave out others than the agent."""
        is_combined = self._record is not None and self._record.usage == COMBINED
        return not is_combined and self.unnamed != NO_USAGE

    @property
    def other(self) -> Usage:
        """The usage that no step was charged."""
        others = (ledger.other for ledger in list(self._ledgers.values()))
        return sum(others, self.unnamed)

    @property
    def others(self) -> dict[str, Usage]:
        """The same by usage id."""
        return self._with_unnamed({u: one.other for u, one in list(self._ledgers.items())})

    @property
    def usages(self) -> dict[str, Usage]:
        """Usage id of the server (agent, condenser, ...) -> its part of the total."""
        return self._with_unnamed({u: one.total for u, one in list(self._ledgers.items())})

    def _with_unnamed(self, found: dict[str, Usage]) -> dict[str, Usage]:
        found[UNNAMED] = found.get(UNNAMED, NO_USAGE) + self.unnamed
        return {usage: used for usage, used in found.items() if used != NO_USAGE}

    @property
    def of_sub_agents(self) -> dict[str, Usage]:
        """The part of the total that sub-agents used, by usage id."""
        return {u: used for u, used in self.usages.items() if u.startswith(SUB_AGENT_USAGES)}

    @property
    def other_about(self) -> tuple[str, ...]:
        """Explanations of `other` and of inconsistent sums."""
        ledgers = list(self._ledgers.values())
        apart = {ledger.usage for ledger in ledgers if self._answers.paid_by(ledger.usage) is None}
        parts = about(ledgers, apart, whole=self.trajectory.complete)
        if self._unreadable:
            parts.append(f"{plural(self._unreadable, 'update')} cannot be read")
        if self.is_partial:
            parts.append("its record has more, perhaps of the agent alone")
        return tuple(parts)

    @property
    def reported(self) -> ReportedFields:
        ledgers = list(self._ledgers.values())
        tokens = frozenset[str]().union(*(ledger.kinds for ledger in ledgers))
        if self._record:  # zeros of a record stand for not known
            record = self._record.total
            tokens |= {name for name in TOKENS if getattr(record, name)}
        total = self.total
        answered = bool(total.tokens or self._answers.made_by)
        # no answer is none, as far as the run is read
        calls = bool(total.calls) or not self._answers.made_by
        return ReportedFields(tokens, bool(total.cost), calls, answered)

    @property
    def priced(self) -> bool | None:
        """False if the model answered but no price is known; None if nothing tells of a model."""
        return self.reported.priced

    @property
    def context_window(self) -> int:
        """Size of the agent's context in tokens; 0 if unknown."""
        paid_by, calls = self._answers.paid_by, self._answers.calls
        known = [one.window for one in list(self._ledgers.values()) if paid_by(one.usage) is calls]
        return next(filter(None, known), self._record.window if self._record else 0)

    @property
    def context_now(self) -> int:
        """Prompt tokens of the last answer; 0 if unknown."""
        return self.context[-1][1] if self.context else 0

    @property
    def fill_now(self) -> float | None:
        """`fill` of the last answer."""
        answers = (step for step in reversed(self.trajectory.steps) if step.event.is_answer)
        last = next(answers, None)
        return self.fill(last) if last else None

    @property
    def waits(self) -> list[tuple[float, float]]:
        """Start and end of each wait for the user, in seconds since 1970."""
        return self._waits.spans

    @property
    def waited(self) -> float:
        """Seconds from an end or a question to the user's next message or answer."""
        return self._waits.seconds

    @property
    def began(self) -> float | None:
        """When its first own step was, in seconds since 1970, or when a fork was made."""
        own = (step for step in self.trajectory.steps if not self.is_inherited(step))
        times = (step.event.seconds() for step in own)
        first = next((when for when in times if when is not None), None)
        return first if self._made is None else min(self._made, first or self._made)

    @property
    def worked(self) -> float | None:
        """Seconds from the first step to the last, without waiting for the user, and without what
        was done on other branches. None where that is not known: no step has a time, all have
        the same, the clock went back before the first step, or the span is longer than any run."""
        began, ended = self.began, self._waits.ended
        if began is None or ended is None or not 0 <= ended - began < LONGEST_RUN:
            return None
        idle = self.waited + self._waits.resting + self._waits.away
        return known_span(ended - began - idle)

    @property
    def known_waited(self) -> float | None:
        """`waited`; None where the times of the run are not known."""
        return None if self.worked is None and not self.waited else self.waited

    @property
    def active(self) -> float:
        """`worked`; 0 where that is not known."""
        return self.worked or 0.0

    def so_far(self, now: float) -> tuple[float, float]:
        """`active` and `waited` with what goes on `now`, in seconds since 1970."""
        run, active, waited, began = self.trajectory, self.active, self.waited, self.began
        is_known = run.live and run.knows_zone
        if not is_known or began is None or now - began >= LONGEST_RUN:
            return active, waited
        if run.status == "running":
            active = max(active, now - began - waited - self._waits.away)
        elif run.status == "waiting_for_confirmation" and self._waits.since is not None:
            waited += max(0.0, now - self._waits.since)
        return active, waited

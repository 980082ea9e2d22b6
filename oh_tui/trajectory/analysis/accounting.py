"""Accounts: the time, tokens and cost of a run, charged to its steps; the rest is `other`.

An answer of the model is charged to its step, the first one of a parallel group. The record of the
conversation (`Trajectory.stats`) and full states list answers by response id. Other answers follow
from the growth between `stats` updates. An update has the time of the answer, just before that of
the step: it belongs to the first step after it, and of several updates the last one counts. Their
order among the events does not help: the app server has stats before the call they paid for, the
agent server after its result, or in no order (1.58.2).

The accounts of a fork are those of its own events. What it took is its origin's, and in no sum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.answer_steps import AnswerSteps, Times
from oh_tui.trajectory.analysis.ledger import ROUNDING, Ledger, Update, about
from oh_tui.trajectory.analysis.waits import Waits, gap_before
from oh_tui.trajectory.context.answers import is_answer
from oh_tui.trajectory.model.clock import LONGEST_RUN, seconds, told_span
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, TOKENS, Told, Usage, fill, sum_of
from oh_tui.trajectory.model.usage_stats import (
    AGENT,
    COMBINED,
    UNTOLD,
    Answer,
    answers_by,
    has_stats,
    read_record,
    read_stats,
)

NEAR = 5.0
"""Longest time from an update to the step of its answer, in seconds (measured: under 0.1)."""

SUB_AGENT_USAGES = ("task:", "delegate:")
"""What the usage ids begin with under which a run has the totals of its sub-agents."""


class _Charge(msgspec.Struct, gc=False, frozen=True):
    """The charge of a step, with its usage id and the time of the update it comes from; None if it
    comes from a list, which is certain."""

    usage: str
    amount: Usage
    at: float | None = None


class Accounts:
    """The accounts of a growing trajectory; call `update` after each `extend`.

    Those of a branch have what the answers on it were charged in those of the `whole` run: no total
    of a server tells it.
    """

    def __init__(
        self, trajectory: Trajectory, whole: Accounts | None = None, *, is_origin: bool = False
    ) -> None:
        self.trajectory = trajectory
        self._whole = whole
        self._is_origin = is_origin
        """It is of what a fork took."""
        self._begin()
        self.update()

    def _begin(self) -> None:
        self._seen_events = 0
        self._seen_stats = b""
        self._seen_steps = 0
        self._last_step: Step | None = None
        self._ledgers: dict[str, Ledger] = {}
        self._record: Ledger | None = None
        """The sums of a record that do not tell whose they are, or those of all usages."""
        self._answers = AnswerSteps()
        self._charges: dict[str, _Charge] = {}
        """Event id -> the charge of its step."""
        self._unreadable = 0
        self._llm_from: int | None = None
        """The lowest number of a step whose model time has changed since `take_changed`."""
        self.context: list[tuple[int, int]] = []
        """Step number and prompt tokens of each answer, in order, without condensations."""
        self._context_from = 1
        """The lowest step number from which `context` is outdated."""
        self._divided = self._division()
        fork, self._taken, self._before = self._divided
        self._origin: Accounts | None = None
        """Those of the events that a fork took."""
        if self._taken:
            run = Trajectory(complete=self.trajectory.complete, clock=self.trajectory.clock)
            run.stats = self.trajectory.stats
            run.extend(self.trajectory.events[: self._taken])
            self._origin = Accounts(run, self._whole and self._whole._origin, is_origin=True)
        knows_zone = self._taken and self.trajectory.knows_zone
        self._made = seconds(fork.made) if fork and knows_zone else None
        self._waits = Waits(self._made)

    def _division(self) -> tuple[Fork | None, int, Mapping[str, Sequence[Answer]]]:
        """Of a fork: how many events it took, and the answers in its stats that are its origin's,
        by usage id. By default a server leaves those out."""
        run = (self._whole or self).trajectory
        if run.fork is None:
            return None, 0, {}
        taken = sum(self.trajectory.holds(event.id) for event in run.taken)
        return run.fork, taken, answers_by(self.trajectory.stats, run.fork.made)[0]

    def update(self) -> None:
        """Adds the events since the last update. Earlier steps are charged again only if a list has
        new answers or steps were removed."""
        steps, events = self.trajectory.steps, self.trajectory.events
        known = self._seen_steps
        lost = known and (len(steps) < known or steps[known - 1] is not self._last_step)
        if lost or self._division() != self._divided:
            self._begin()
        is_same = self._seen_events == len(events) and self._seen_stats is self.trajectory.stats
        if is_same and self._whole is None:
            return
        fresh = events[max(self._seen_events, self._taken) :]
        self._seen_events = len(events)
        listed = self._whole is None and self._take_stats(fresh)
        own = steps[self._seen_steps :]
        if self._origin:
            own = [step for step in own if not self.is_inherited(step)]
        added, in_order = self._answers.take(own)
        self._seen_steps = len(steps)
        self._last_step = steps[-1] if steps else None
        if self._whole is not None:
            self._take_from(self._whole)
        elif listed or not in_order:
            self._charge_all()
        else:
            for step in added:
                self._charge_listed(step)
            self._match()
        self._keep_context()
        branch = self.trajectory.branch
        self._waits.take(fresh, branch.returns if branch else {})

    def _take_from(self, whole: Accounts) -> None:
        before, known = self._charges, whole._charges
        self._charges = {name: known[name] for name in self._answers.made_by if name in known}
        spent: dict[str, list[Usage]] = {}
        for charge in self._charges.values():
            spent.setdefault(charge.usage, []).append(charge.amount)
        self._ledgers = {
            usage: ledger.part(spent.get(usage, ())) for usage, ledger in whole._ledgers.items()
        }
        self._compare(before)

    def _take_stats(self, events: list[Event]) -> bool:
        """Enters the updates; True if a list has new answers."""
        for event in events:
            if not has_stats(event):
                continue
            stats = read_stats(event)
            if stats is None:
                # a full state may have no stats
                self._unreadable += event.key == "stats"
                continue
            for usage, metrics in stats.items():
                self._ledger(usage).enter(event.timestamp, metrics)
        if self._seen_stats is not self.trajectory.stats:
            self._seen_stats = self.trajectory.stats
            for usage, metrics in read_record(self._seen_stats).items():
                has_told = any(one.total != NO_USAGE for one in self._ledgers.values())
                if usage == UNTOLD or (usage == COMBINED and has_told):
                    self._record = self._record or Ledger(usage)
                    self._record.enter_record(metrics)
                else:
                    self._ledger(AGENT if usage == COMBINED else usage).enter_record(metrics)
        found = [ledger.read_lists() for ledger in self._ledgers.values()]  # reads all of them
        return any(found)

    def _ledger(self, usage: str) -> Ledger:
        ledger = self._ledgers.get(usage)
        if ledger is None:
            has_past = not self.trajectory.complete
            before = self._before.get(usage, ())
            ledger = self._ledgers[usage] = Ledger(usage, has_past=has_past, before=before)
            ledger.is_origin = self._is_origin
        return ledger

    def _charge_all(self) -> None:
        before, charges = self._charges, dict[str, _Charge]()
        for ledger in self._ledgers.values():
            claimed: list[Usage] = []
            for event_id, step in self._answers.made_by.items() if ledger.listed else ():
                call = ledger.listed.get(step.event.llm_response_id)
                if call is None or event_id in charges:
                    continue
                claimed.append(call.amount)
                held = before.get(event_id)
                if held is None or held.at is not None or held.amount is not call.amount:
                    held = _Charge(ledger.usage, call.amount)
                charges[event_id] = held
            ledger.restart(claimed)
        self._charges = charges
        self._match()
        self._compare(before)

    def _compare(self, before: dict[str, _Charge]) -> None:
        """Finds the first steps whose charge or model time has changed."""
        for event_id, step in self._answers.made_by.items():
            old, new = before.get(event_id), self._charges.get(event_id)
            if old is new:
                continue
            self._context_from = min(self._context_from, step.number)
            if (old.amount.microseconds if old else 0) != (new.amount.microseconds if new else 0):
                self._llm_from = min(self._llm_from or step.number, step.number)
                break

    def _charge_listed(self, step: Step) -> None:
        ledger, call = self._listed(step.event.llm_response_id)
        if ledger is not None and call is not None:
            ledger.claim(call)
            self._charges[step.event.id] = _Charge(ledger.usage, call.amount)

    def _listed(self, response: str) -> tuple[Ledger | None, Answer | None]:
        for ledger in list(self._ledgers.values()) if response else ():
            if (call := ledger.listed.get(response)) is not None:
                return ledger, call
        return None, None

    def listed(self, response: str) -> Answer | None:
        """What a list of answers says of the one with this response id; None if none has it."""
        found = self._listed(response)[1]
        return self._origin.listed(response) if found is None and self._origin else found

    def _match(self) -> None:
        """Charges updates that no list covers to steps, by time; an update that is ahead of all
        steps stays open."""
        for ledger in self._ledgers.values():
            if ledger.open:
                answers = self._answers.paid_by(ledger.usage)
                ledger.open = [u for u in ledger.open if self._is_ahead(ledger, u, answers)]

    def _is_ahead(self, ledger: Ledger, update: Update, answers: Times | None) -> bool:
        """Charges an update; True if it is ahead of all steps."""
        if answers is None or ledger.is_listed(update):
            return False
        when = seconds(update.timestamp)
        if when is None:
            return False
        index = bisect_left(answers.times, when)
        if index == len(answers.times):
            return True
        if answers.times[index] - when > NEAR:
            return False
        event_id = answers.events[index]
        held = self._charges.get(event_id)
        if held is not None:
            if held.at is None or held.at > when:
                return False
            self._ledgers[held.usage].take_back(held.amount)
        ledger.charge(update.amount)
        self._charges[event_id] = _Charge(ledger.usage, update.amount, when)
        self._context_from = min(self._context_from, self._answers.made_by[event_id].number)
        return False

    def _keep_context(self) -> None:
        steps, context = self.trajectory.steps, self.context
        del context[bisect_left(context, (self._context_from,)) :]
        for step in steps[self._context_from - 1 :]:
            spent = self.of(step) or self.inherited(step)
            if spent is not None and spent.prompt and step.event.kind != "Condensation":
                context.append((step.number, spent.prompt))
        self._context_from = len(steps) + 1

    def of(self, step: Step) -> Usage | None:
        """The charge of a step; None if it has none, like a message of the user, the second call of
        a parallel group, or a step that a fork took from its origin."""
        charge = self._charges.get(step.event.id)
        return charge.amount if charge else None

    def is_inherited(self, step: Step) -> bool:
        """Whether a fork took the step from its origin."""
        return self._origin is not None and self._origin.trajectory.holds(step.event.id)

    def inherited(self, step: Step) -> Usage | None:
        """What its origin was charged for a step that a fork took; None where that is not known."""
        return self._origin.of(step) if self._origin else None

    @property
    def taken(self) -> tuple[int, Usage]:
        """The steps that a fork took, and what its origin was charged for them, where that is known
        of each."""
        if self._origin is None:
            return 0, NO_USAGE
        charges, answers = self._origin._charges, self._origin._answers.made_by
        charged = (one.amount for one in charges.values() if len(charges) == len(answers))
        return len(self._origin.trajectory), sum_of([NO_USAGE, *charged])

    def fill(self, step: Step) -> float | None:
        """How full the context was at the answer that made a step, 1 being full; None where no
        answer made it, and where no list has the tokens or the window of the answer."""
        listed = self.listed(step.event.llm_response_id) if is_answer(step.event) else None
        return fill(listed.amount, listed.window) if listed else None

    def llm(self, step: Step) -> float | None:
        """Seconds of the model for this step: as measured by the server, else the time since the
        previous step ended; None if unknown, as between equal times, or charged to another step."""
        if self._origin and self.is_inherited(step):
            return self._origin.llm(step)
        charge = self._charges.get(step.event.id)
        if charge is not None and charge.amount.microseconds:
            return told_span(charge.amount.llm)
        return told_span(self._gap(step))

    def take_changed(self) -> int | None:
        """The lowest number of a step whose measured model time has changed since the last call of
        this method; None without a change."""
        changed, self._llm_from = self._llm_from, None
        return changed

    def ran(self, step: Step) -> float | None:
        """Seconds from the call to its result, without waiting for confirmation; None where they
        are not known, and for a rejected call, which never ran."""
        if self._origin and self.is_inherited(step):
            return self._origin.ran(step)
        span, began = step.ran(), step.began()
        if span is None or began is None:
            return None
        return told_span(span - self._waits.within(began, span) if span >= 1 else span)

    def is_odd(self, step: Step) -> bool:
        """Whether a time of this step is hidden because a clock went back."""
        if self._origin and self.is_inherited(step):
            return self._origin.is_odd(step)
        span = step.span()
        if span is not None and span < 0:
            return True
        charge = self._charges.get(step.event.id)
        if charge is not None and charge.amount.microseconds:
            return False
        gap = self._gap(step)
        return gap is not None and gap < 0

    def _gap(self, step: Step) -> float | None:
        if step.event.id not in self._answers.made_by and step.event.kind != "ACPToolCallEvent":
            return None
        return gap_before(self.trajectory, step)

    # The properties below are also read in threads: the ledgers may grow meanwhile.

    @property
    def _told(self) -> Usage:
        """What is told by usage id."""
        return sum((ledger.total for ledger in list(self._ledgers.values())), NO_USAGE)

    @property
    def untold(self) -> Usage:
        """What the sums of a record have beyond that: they are a part of it, or more recent, so
        the higher numbers count and nothing counts twice."""
        if self._record is None:
            return NO_USAGE
        told = self._told
        rest = self._record.total.highest(told) - told
        return replace(rest, picodollars=0) if rest.picodollars <= ROUNDING else rest

    @property
    def total(self) -> Usage:
        return self._told + self.untold

    @property
    def is_partial(self) -> bool:
        """Whether the total may lack a part: it is that of a record which may leave out others than
        the agent."""
        is_combined = self._record is not None and self._record.usage == COMBINED
        return not is_combined and self.untold != NO_USAGE

    @property
    def other(self) -> Usage:
        """The usage that no step was charged."""
        others = (ledger.other for ledger in list(self._ledgers.values()))
        return sum(others, self.untold)

    @property
    def others(self) -> dict[str, Usage]:
        """The same by usage id."""
        found = {usage: ledger.other for usage, ledger in list(self._ledgers.items())}
        found[UNTOLD] = found.get(UNTOLD, NO_USAGE) + self.untold
        return {usage: used for usage, used in found.items() if used != NO_USAGE}

    @property
    def usages(self) -> dict[str, Usage]:
        """Usage id of the server (agent, condenser, ...) -> its part of the total."""
        found = {usage: ledger.total for usage, ledger in list(self._ledgers.items())}
        found[UNTOLD] = found.get(UNTOLD, NO_USAGE) + self.untold
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
    def told(self) -> Told:
        ledgers = list(self._ledgers.values())
        tokens = frozenset[str]().union(*(ledger.told for ledger in ledgers))
        if self._record:  # zeros of a record stand for not known
            record = self._record.total
            tokens |= {name for name in TOKENS if getattr(record, name)}
        total = self.total
        answered = bool(total.tokens or self._answers.made_by)
        # no answer is none, as far as the run is read
        calls = bool(total.calls) or not self._answers.made_by
        return Told(tokens, bool(total.cost), calls, answered)

    @property
    def priced(self) -> bool | None:
        """False if the model answered but no price is known; None if nothing tells of a model."""
        return self.told.priced

    @property
    def context_window(self) -> int:
        """Size of the agent's context in tokens; 0 if unknown."""
        ledgers = list(self._ledgers.items())
        known = [
            led.window
            for usage, led in ledgers
            if self._answers.paid_by(usage) is self._answers.calls
        ]
        return next(filter(None, known), self._record.window if self._record else 0)

    @property
    def context_now(self) -> int:
        """Prompt tokens of the last answer; 0 if unknown."""
        return self.context[-1][1] if self.context else 0

    @property
    def fill_now(self) -> float | None:
        """`fill` of the last answer."""
        answers = (step for step in reversed(self.trajectory.steps) if is_answer(step.event))
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
        """Time of its first own step that has one, in seconds since 1970; of a fork when it was
        made, where that is told."""
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
        left_out = self.waited + self._waits.resting + self._waits.away
        return told_span(ended - began - left_out)

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
        run, active, waited = self.trajectory, self.active, self.waited
        if (began := self.began) is None or now - began >= LONGEST_RUN:
            return active, waited
        if not (run.live and run.knows_zone):
            return active, waited
        if run.status == "running":
            active = max(active, now - began - waited - self._waits.away)
        elif run.status == "waiting_for_confirmation" and self._waits.since is not None:
            waited += max(0.0, now - self._waits.since)
        return active, waited

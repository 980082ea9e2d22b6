"""The charges of a run's steps: for each answer of the model its tokens, cost and time.

An answer of the model is charged to its step, the first one of a parallel group. The record of the
conversation (`Trajectory.stats`) and full states list answers by response id. Other answers follow
from the growth between `stats` updates. An update has the time of the answer, just before that of
the step: it belongs to the first step after it, and of several updates the last one counts. Their
order among the events does not help: the app server has stats before the call they paid for, the
agent server after its result, or in no order (1.58.2).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Self

import msgspec

from oh_tui.trajectory.costs.ledger import Ledger, Update
from oh_tui.trajectory.costs.waits import Waits
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, Usage, fill, sum_of
from oh_tui.trajectory.model.usage_stats import (
    AGENT,
    COMBINED,
    UNNAMED,
    Answer,
    answers_by,
    has_stats,
    read_record,
    read_stats,
)

NEAR = 5.0
"""Longest time from an update to the step of its answer, in seconds (measured: under 0.1)."""

_NOT_BY_STEPS = ("title", "delegate", "task", "workflow", "critic", "ask", "oracle", "vision",
                 "security", "analyz")  # fmt: skip
"""Parts of usage ids whose answers are not steps of this run."""


class Times(msgspec.Struct, gc=False):
    """The steps that one kind of usage pays for, ordered by time."""

    times: list[float] = []
    events: list[str] = []


class AnswerSteps:
    def __init__(self) -> None:
        self._responses: set[str] = set()
        self.made_by: dict[str, Step] = {}
        """Event id -> the step of an answer, the first one of a group."""
        self.calls = Times()
        self.condensations = Times()

    def take(self, steps: list[Step]) -> tuple[list[Step], bool]:
        """The steps of answers, and whether their times are in order."""
        made: list[Step] = []
        in_order = True
        for step in steps:
            event = step.event
            if not _is_answer(event):
                continue
            if event.llm_response_id:
                if event.llm_response_id in self._responses:
                    continue
                self._responses.add(event.llm_response_id)
            self.made_by[event.id] = step
            made.append(step)
            when = event.seconds()
            if when is None:
                continue
            answers = self.condensations if event.is_condensation else self.calls
            in_order &= not answers.times or when >= answers.times[-1]
            answers.times.append(when)
            answers.events.append(event.id)
        if not in_order:
            for answers in (self.calls, self.condensations):
                pairs = list(zip(answers.times, answers.events, strict=True))
                pairs.sort(key=itemgetter(0))
                answers.times = [when for when, _ in pairs]
                answers.events = [event_id for _, event_id in pairs]
        return made, in_order

    def paid_by(self, usage: str) -> Times | None:
        """The answers that this usage pays for; None for those that are no steps of this run."""
        name = usage.lower()
        if "condens" in name:
            return self.condensations
        return None if any(part in name for part in _NOT_BY_STEPS) else self.calls


def _is_answer(event: Event) -> bool:
    """Whether an event comes from the model, as one of an unknown kind with a response id does."""
    if event.is_message:
        return event.is_by_agent
    return event.is_action or event.is_condensation or bool(event.llm_response_id)


class _Charge(msgspec.Struct, gc=False, frozen=True):
    """The charge of a step, and when its update was; None for one from a list, which is certain."""

    usage: str
    amount: Usage
    at: float | None = None


class Charges:
    """The charges of a growing trajectory; call `update` after each `extend`. Those of a branch are
    what the answers on it were charged in those of the `whole` run: no total of a server tells
    it."""

    _origin: Self | None
    """Those of the events that a fork took."""

    def __init__(
        self, trajectory: Trajectory, whole: Self | None = None, *, is_origin: bool = False
    ) -> None:
        """`is_origin`: of the events that a fork took."""
        self.trajectory, self._whole, self._is_origin = trajectory, whole, is_origin
        self._begin()
        self.update()

    def _begin(self: Self) -> None:
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
        self._origin = None
        if self._taken:
            run = Trajectory(complete=self.trajectory.complete, clock=self.trajectory.clock)
            run.stats = self.trajectory.stats
            run.extend(self.trajectory.events[: self._taken])
            self._origin = type(self)(run, self._whole and self._whole._origin, is_origin=True)
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
        """Adds new events; charges all again if steps went or a list has more answers."""
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

    def _take_from(self, whole: Self) -> None:
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
                has_usage = any(one.total != NO_USAGE for one in self._ledgers.values())
                if usage == UNNAMED or (usage == COMBINED and has_usage):
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
            ledger = self._ledgers[usage] = Ledger(
                usage, has_past=has_past, before=before, is_origin=self._is_origin
            )
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
                charge = before.get(event_id)
                if charge is None or charge.at is not None or charge.amount is not call.amount:
                    charge = _Charge(ledger.usage, call.amount)
                charges[event_id] = charge
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
        """Charges updates without a list to steps, by time; one ahead of all steps stays open."""
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
        earlier = self._charges.get(event_id)
        if earlier is not None:
            if earlier.at is None or earlier.at > when:
                return False
            self._ledgers[earlier.usage].take_back(earlier.amount)
        ledger.charge(update.amount)
        self._charges[event_id] = _Charge(ledger.usage, update.amount, when)
        self._context_from = min(self._context_from, self._answers.made_by[event_id].number)
        return False

    def _keep_context(self) -> None:
        steps, context = self.trajectory.steps, self.context
        del context[bisect_left(context, (self._context_from,)) :]
        for step in steps[self._context_from - 1 :]:
            spent = self.of(step) or self.inherited(step)
            if spent is not None and spent.prompt and not step.event.is_condensation:
                context.append((step.number, spent.prompt))
        self._context_from = len(steps) + 1

    def of(self, step: Step) -> Usage | None:
        """The charge of a step; None for a message, a second call of a group, one of the origin."""
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
        """The steps that a fork took, and what all of them cost its origin, where that is known."""
        if self._origin is None:
            return 0, NO_USAGE
        charges, answers = self._origin._charges, self._origin._answers.made_by
        charged = (one.amount for one in charges.values() if len(charges) == len(answers))
        return len(self._origin.trajectory), sum_of([NO_USAGE, *charged])

    def fill(self, step: Step) -> float | None:
        """How full the context was at the answer that made a step, 1 being full; None where no
        answer made it, and where no list has the tokens or the window of the answer."""
        listed = self.listed(step.event.llm_response_id) if step.event.is_answer else None
        return fill(listed.amount, listed.window) if listed else None

    def take_changed(self) -> int | None:
        """The lowest number of a step whose measured model time has changed since the last call."""
        changed, self._llm_from = self._llm_from, None
        return changed

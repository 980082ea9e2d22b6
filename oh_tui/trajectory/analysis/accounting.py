"""Accounts: the time, tokens and cost of a run, charged to its steps; what fits none is `other`.

An answer of the model is charged to the step it made, the first one of a parallel group. The record
of the conversation (`Trajectory.stats`) lists answers by response id, and so do full states. What
the lists lack comes from how the cumulative `stats` updates differ: an update has the time at which
the model answered, just before that of the step, so the step is the first one after it, and the
last update before a step is its. Places in the list of events say nothing: the app server has stats
before the call they paid for, the agent server after its result, or in no order (1.58.2).
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.ledger import Ledger, Update, about
from oh_tui.trajectory.analysis.waits import Waits, gap_before
from oh_tui.trajectory.model.events import Event, seconds
from oh_tui.trajectory.model.stats import (
    NO_USAGE,
    Usage,
    has_stats,
    read_record,
    read_stats,
)
from oh_tui.trajectory.model.steps import Step, Trajectory

NEAR = 5.0
"""Seconds that a step may come after the update that tells of its answer (measured: under 0.1)."""

_NOT_BY_STEPS = ("title", "delegate", "task", "workflow", "critic", "ask", "oracle", "vision",
                 "security", "analyz")  # fmt: skip
"""Parts of the usage ids whose answers make no step of this run."""


class _Charge(msgspec.Struct, gc=False, frozen=True):
    """What a step was charged, to which usage id it belongs, and the time of the update that told
    it; None when a list told it, which is sure."""

    usage: str
    amount: Usage
    at: float | None = None


class _Answers(msgspec.Struct, gc=False):
    """The steps that one kind of usage pays for, by time."""

    times: list[float] = []
    events: list[str] = []


class Accounts:
    """Kept beside a trajectory; `update` after each `extend` of it."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self._begin()
        self.update()

    def _begin(self) -> None:
        self._seen_events = 0
        self._seen_stats = b""
        self._seen_steps = 0
        self._last_step: Step | None = None
        self._ledgers: dict[str, Ledger] = {}
        self._responses: dict[str, str] = {}
        """Response id -> event id of the first step it made."""
        self._made_by: dict[str, Step] = {}
        """Event id of a step that an answer made (of a group: the first) -> the step."""
        self._charges: dict[str, _Charge] = {}
        """Event id -> what its step was charged."""
        self._calls = _Answers()
        self._condensations = _Answers()
        self._unreadable = 0
        self._waits = Waits()
        self._llm_from: int | None = None
        """The lowest number of a step for which a list told another time of the model, since
        `take_changed`."""
        self.context: list[tuple[int, int]] = []
        """Number of a step and tokens in the prompt of its answer, in order; no condensations."""
        self._context_from = 1
        """The lowest number of a step whose tokens may be others than those in there."""

    # Taking in

    def update(self) -> None:
        """Take in what the trajectory got since the last time; earlier steps count anew only when
        new answers are listed, or when steps were taken out."""
        steps, events = self.trajectory.steps, self.trajectory.events
        known = self._seen_steps
        if known and (len(steps) < known or steps[known - 1] is not self._last_step):
            self._begin()
        if self._seen_events == len(events) and self._seen_stats is self.trajectory.stats:
            return
        fresh = events[self._seen_events :]
        self._seen_events = len(events)
        listed = self._take_stats(fresh)
        added, in_order = self._take_steps(steps[self._seen_steps :])
        self._seen_steps = len(steps)
        self._last_step = steps[-1] if steps else None
        if listed or not in_order:
            self._charge_all()
        else:
            for step in added:
                self._charge_listed(step)
            self._match()
        self._keep_context()
        self._waits.take(fresh)

    def _take_stats(self, events: list[Event]) -> bool:
        """Enter the updates; True when a list told of answers that were not listed before."""
        for event in events:
            if not has_stats(event):
                continue
            told = read_stats(event)
            if told is None:
                # a full state without stats is no fault
                self._unreadable += event.key == "stats"
                continue
            for usage, metrics in told.items():
                self._ledger(usage).enter(event.timestamp, metrics)
        if self._seen_stats is not self.trajectory.stats:
            self._seen_stats = self.trajectory.stats
            for usage, metrics in read_record(self._seen_stats).items():
                self._ledger(usage).enter_record(metrics)
        found = False
        for ledger in self._ledgers.values():
            found |= ledger.read_lists()
        return found

    def _ledger(self, usage: str) -> Ledger:
        ledger = self._ledgers.get(usage)
        if ledger is None:
            has_past = not self.trajectory.complete
            ledger = self._ledgers[usage] = Ledger(usage, has_past=has_past)
        return ledger

    def _take_steps(self, steps: list[Step]) -> tuple[list[Step], bool]:
        """The steps that an answer made, and whether their times go on where the last ended."""
        made: list[Step] = []
        in_order = True
        for step in steps:
            event = step.event
            if not _is_answer(event):
                continue
            if event.llm_response_id:
                if event.llm_response_id in self._responses:
                    continue
                self._responses[event.llm_response_id] = event.id
            self._made_by[event.id] = step
            made.append(step)
            when = event.seconds()
            if when is None:
                continue
            answers = self._condensations if event.kind == "Condensation" else self._calls
            in_order &= not answers.times or when >= answers.times[-1]
            answers.times.append(when)
            answers.events.append(event.id)
        if not in_order:
            for answers in (self._calls, self._condensations):
                pairs = sorted(
                    zip(answers.times, answers.events, strict=True), key=lambda pair: pair[0]
                )
                answers.times = [when for when, _ in pairs]
                answers.events = [event_id for _, event_id in pairs]
        return made, in_order

    # Charging

    def _charge_all(self) -> None:
        before, charges = self._charges, dict[str, _Charge]()
        for ledger in self._ledgers.values():
            claimed: list[Usage] = []
            for event_id, step in self._made_by.items() if ledger.listed else ():
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
        """Find from which step on the charges are not those of before."""
        is_same = True
        for event_id, step in self._made_by.items():
            old, new = before.get(event_id), self._charges.get(event_id)
            if old is new:
                continue
            if is_same:
                is_same = False
                self._context_from = min(self._context_from, step.number)
            if (old.amount.microseconds if old else 0) != (new.amount.microseconds if new else 0):
                self._llm_from = min(self._llm_from or step.number, step.number)
                break

    def _charge_listed(self, step: Step) -> None:
        response = step.event.llm_response_id
        for ledger in self._ledgers.values():
            call = ledger.listed.get(response) if response else None
            if call is not None:
                ledger.claim(call)
                self._charges[step.event.id] = _Charge(ledger.usage, call.amount)
                return

    def _match(self) -> None:
        """Charge what no list tells of to the steps, by time; what is ahead of all steps waits
        for those to come."""
        for ledger in self._ledgers.values():
            if ledger.open:
                answers = self._paid_by(ledger.usage)
                ledger.open = [u for u in ledger.open if self._is_ahead(ledger, u, answers)]

    def _paid_by(self, usage: str) -> _Answers | None:
        name = usage.lower()
        if "condens" in name:
            return self._condensations
        return None if any(part in name for part in _NOT_BY_STEPS) else self._calls

    def _is_ahead(self, ledger: Ledger, update: Update, answers: _Answers | None) -> bool:
        """Charge an update; True when it is to be looked at again."""
        if answers is None or ledger.is_listed(update):
            return False
        at = seconds(update.timestamp)
        if at is None:
            return False
        place = bisect_left(answers.times, at)
        if place == len(answers.times):
            return True
        if answers.times[place] - at > NEAR:
            return False
        event_id = answers.events[place]
        held = self._charges.get(event_id)
        if held is not None:
            if held.at is None or held.at > at:
                return False
            self._ledgers[held.usage].take_back(held.amount)
        ledger.charge(update.amount)
        self._charges[event_id] = _Charge(ledger.usage, update.amount, at)
        self._context_from = min(self._context_from, self._made_by[event_id].number)
        return False

    def _keep_context(self) -> None:
        steps, context = self.trajectory.steps, self.context
        del context[bisect_left(context, (self._context_from,)) :]
        for step in steps[self._context_from - 1 :]:
            charge = self._charges.get(step.event.id)
            if charge is not None and charge.amount.prompt and step.event.kind != "Condensation":
                context.append((step.number, charge.amount.prompt))
        self._context_from = len(steps) + 1

    # Of a step

    def of(self, step: Step) -> Usage | None:
        """What this step was charged; None when nothing is told of it, as of your messages and
        of the second call of a parallel group."""
        charge = self._charges.get(step.event.id)
        return charge.amount if charge else None

    def llm(self, step: Step) -> float | None:
        """Seconds the model took for this step: as measured by the server, else the time since
        the step before ended; None when that cannot be known or another step has it."""
        charge = self._charges.get(step.event.id)
        if charge is not None and charge.amount.microseconds:
            return charge.amount.llm
        gap = self._gap(step)
        return None if gap is None else max(0.0, gap)

    def take_changed(self) -> int | None:
        """The lowest number of a step whose time of the model is now told otherwise than when this
        was asked last; None when there is none. Told by what the server measured: the time since
        the step before is known soon after the step."""
        changed, self._llm_from = self._llm_from, None
        return changed

    def ran(self, step: Step) -> float | None:
        """Seconds from the call to its result, not below 0, without the time in which the call
        waited for your answer; None for a call that was rejected, as nothing ran."""
        span, began = step.ran(), step.began()
        if span is None or began is None:
            return None
        return max(0.0, span - self._waits.within(began, span) if span >= 1 else span)

    def is_odd(self, step: Step) -> bool:
        """A span of it was negative, because a clock went back, and is shown as none."""
        span = step.ran()
        if span is not None and span < 0:
            return True
        charge = self._charges.get(step.event.id)
        if charge is not None and charge.amount.microseconds:
            return False
        gap = self._gap(step)
        return gap is not None and gap < 0

    def _gap(self, step: Step) -> float | None:
        is_call_of_another = step.event.kind == "ACPToolCallEvent"
        if step.event.id not in self._made_by and not is_call_of_another:
            return None
        return gap_before(self.trajectory, step)

    # Of the run; also asked for in a thread, while another usage id may come

    @property
    def total(self) -> Usage:
        return sum((ledger.total for ledger in list(self._ledgers.values())), NO_USAGE)

    @property
    def other(self) -> Usage:
        """What no step was charged."""
        return sum((ledger.other for ledger in list(self._ledgers.values())), NO_USAGE)

    @property
    def usages(self) -> dict[str, Usage]:
        """Usage id (agent, condenser, ...), as the server gives it -> its part of the total."""
        return {
            usage: ledger.total
            for usage, ledger in list(self._ledgers.items())
            if ledger.total != NO_USAGE
        }

    @property
    def other_about(self) -> tuple[str, ...]:
        """What `other` is and what is wrong with the sums, in words; nothing when all is well."""
        ledgers = list(self._ledgers.values())
        apart = {ledger.usage for ledger in ledgers if self._paid_by(ledger.usage) is None}
        parts = about(ledgers, apart, whole=self.trajectory.complete)
        if self._unreadable:
            parts.append(f"{plural(self._unreadable, 'update')} cannot be read")
        return tuple(parts)

    @property
    def priced(self) -> bool:
        """False when the model answered and no price is told: unknown, not free."""
        total = self.total
        return bool(total.cost) or not (total.prompt or total.completion or self._made_by)

    @property
    def context_window(self) -> int:
        """Tokens that the context of the agent's model holds; 0 when not told."""
        return next(
            (
                ledger.window
                for usage, ledger in list(self._ledgers.items())
                if ledger.window and self._paid_by(usage) is self._calls
            ),
            0,
        )

    @property
    def context_now(self) -> int:
        """Tokens in the prompt of the last answer; 0 when not told."""
        return self.context[-1][1] if self.context else 0

    @property
    def waits(self) -> list[tuple[float, float]]:
        """From when to when the run waited for you, in seconds since 1970."""
        return self._waits.spans

    @property
    def waited(self) -> float:
        """Seconds between its end, or its question, and your next message or answer."""
        return self._waits.seconds

    @property
    def active(self) -> float:
        """Seconds of work: from the first step to the last, without the waiting."""
        began, ended = self.trajectory.began, self._waits.ended
        if began is None or ended is None:
            return 0.0
        return max(0.0, ended - began - self.waited)


def _is_answer(event: Event) -> bool:
    """The model made this step; one of a kind that is not known tells by which answer."""
    if event.kind == "MessageEvent":
        return event.source == "agent"
    return event.kind in ("ActionEvent", "Condensation") or bool(event.llm_response_id)

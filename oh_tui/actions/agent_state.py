"""The state of a conversation's agent, and whether an answer reached the calls it was meant for.

The server takes only an answer to all waiting calls, without their ids. So the ids are compared
right before each answer. Afterwards the events show whether another client answered in between
(measured: the agent then waits with a new call moments later).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from oh_tui.api.models import AgentConversation
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import OutOfReach, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.ending import key_was_rejected
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe

WAITING = "waiting_for_confirmation"


class AgentStatus(StrEnum):
    """The status of an agent in words that fit anywhere, to which may be added what helps."""

    WAITS = "the agent waits for an answer"
    WORKS = "the agent works"
    STOPPED = "the agent is stopped"
    FINISHED = "the agent has finished"
    FAILED = "the run ended in an error"
    STUCK = "the agent is stuck"
    UNREAD = "the agent is idle, and has something to read"
    IDLE = "the agent is idle, with nothing to do"
    OTHER = "the agent is in an unknown state"


_STATUSES = {
    WAITING: AgentStatus.WAITS,
    "running": AgentStatus.WORKS,
    "paused": AgentStatus.STOPPED,
    "finished": AgentStatus.FINISHED,
    "error": AgentStatus.FAILED,
    "stuck": AgentStatus.STUCK,
}


class AgentState(msgspec.Struct, frozen=True):
    """The state of a conversation's agent, as just read from both servers."""

    conversation: Conversation
    status: str = ""
    """The agent's `execution_status`; "" unless its sandbox is running."""
    calls: tuple[Step, ...] = ()
    """The calls without a result, oldest first. The server runs all of them, however old, as soon
    as the agent goes on (source), whether by an approval, a message or `run`."""
    known: bool = True
    """The older events that were not read cannot contain a call without a result."""
    unread: bool = False
    """The agent has yet to react to the last event: a message, a rejection or a result."""
    last_agent_event: str = ""
    """The id of the last event that the agent created."""
    steps: tuple[Step, ...] = ()
    events: tuple[Event, ...] = ()
    """The last events, oldest first."""
    cost: float | None = None
    """US dollars of the run so far, by the agent server's record."""

    @property
    def runs(self) -> bool:
        return self.status == "running"

    @property
    def waits(self) -> bool:
        return self.status == WAITING

    @property
    def in_sight(self) -> bool:
        """Whether all calls that would run are known, so that they can be approved."""
        return self.known and (bool(self.calls) or not self.waits)

    @property
    def obstacle(self) -> OutOfReach | None:
        """Why the agent cannot be reached; None when it can."""
        match self.conversation.sandbox_status:
            case "RUNNING":
                return None
            case "PAUSED":
                return OutOfReach("The sandbox is paused", Remedy.RESUME)
            case "STARTING":
                return OutOfReach("The sandbox is starting", "try again in a moment")
            case "ERROR":
                return OutOfReach("The sandbox failed", "the run stays readable")
            case "MISSING" | None:
                return OutOfReach("The sandbox is gone", "the run stays readable")
            case other:
                state = safe_line(other).lower()[:20]
                return OutOfReach(f"The sandbox is {state}", Remedy.WAIT)

    @property
    def agent_status(self) -> AgentStatus:
        if self.status == "idle":
            return AgentStatus.UNREAD if self.unread else AgentStatus.IDLE
        return _STATUSES.get(self.status, AgentStatus.OTHER)

    @property
    def in_words(self) -> str:
        """The obstacle or the status, as part of a sentence."""
        if self.obstacle:
            return f"{self.obstacle.sentence[0].lower()}{self.obstacle.sentence[1:]}"
        if self.agent_status is AgentStatus.OTHER and self.status:
            return f"the agent is {safe_line(self.status)[:40]}"
        return self.agent_status

    @property
    def is_held(self) -> bool:
        """Whether a message would run calls before the agent reads it, so that the user must
        approve or reject them first (measured, agent server 1.34.0)."""
        return self.waits or (bool(self.calls) and not self.runs)

    @property
    def repeats(self) -> str:
        """What a stuck agent repeats, such as `same call and result 4 times: $ pytest -q`; "" for
        one that is not stuck."""
        if self.agent_status is not AgentStatus.STUCK:
            return ""
        run = Trajectory(complete=False)
        run.extend(self.events)
        verdict = judge(run)
        if not verdict.steps:
            return "what it repeats is not among its last events"
        step = run.steps[verdict.steps[-1] - 1]
        return f"{verdict.short}: {describe(step, run.outcome(step)).what}"

    @property
    def key_was_rejected(self) -> bool:
        if self.agent_status is not AgentStatus.FAILED:
            return False
        run = Trajectory(complete=False)
        run.extend(self.events)
        return key_was_rejected(run)

    @property
    def can_continue(self) -> bool:
        """Whether the agent has something to continue with and waits for no answer."""
        stopped = self.agent_status in (AgentStatus.STOPPED, AgentStatus.FAILED, AgentStatus.STUCK)
        idle = not (self.runs or self.waits)
        return idle and (stopped or self.unread or bool(self.calls))

    def same_calls(self, other: AgentState) -> bool:
        return [c.event.id for c in self.calls] == [c.event.id for c in other.calls]

    def still_waits(self, before: AgentState) -> bool:
        """Whether the same known calls still wait; those not known may be others by now."""
        return self.waits and bool(self.calls) and self.same_calls(before)

    # checks before an action

    def require_reachable(self) -> None:
        if self.obstacle:
            raise self.obstacle

    def require_as_shown(self, shown: AgentState) -> None:
        """Raises Refused if the action would no longer do what the user decided: it would run or
        reject a call that they did not see, or one that was answered."""
        self.require_reachable()
        if shown.runs and self.runs:
            return  # the calls of a working agent change all the time
        if self.waits and not (shown.waits and self.same_calls(shown)):
            first = "Answered by somebody else; now it asks" if shown.waits else "Now it asks"
            raise Refused(f"{first}: {named(self.calls)}", Remedy.LOOK)
        if shown.waits and not self.waits:
            raise Refused(f"Answered by somebody else: {self.in_words}", Remedy.LOOK)
        if shown.calls and self.runs:
            raise Refused(f"Somebody else let the agent go on: {self.in_words}", Remedy.LOOK)
        if not self.same_calls(shown) and (self.calls or not shown.runs):
            raise Refused("What waits has changed meanwhile, so nothing was done", Remedy.LOOK)

    def require_in_sight(self) -> None:
        """Raises Refused when a call may run that the user cannot see."""
        if self.in_sight:
            return
        last = f"the last {plural(len(self.events), 'event')}"
        if self.waits:
            words = f"What would run is not all among {last} of this run, so it was not approved"
        else:
            words = f"A call before {last} may have no result yet and would run: nothing was done"
        raise Refused(words, Remedy.LOOK_FIRST)

    # checks after an action

    def require_answered(self, before: AgentState, *, accept: bool, reason: str = "") -> None:
        """Raises Refused if the calls from `before` still wait, if somebody else answered them
        differently, or if the answer reached calls that were not shown."""
        if self.still_waits(before):
            raise Refused("The server accepted the answer, but the call still waits", Remedy.LOOK)
        self.require_nothing_unseen(before)
        ids = {call.event.id for call in before.calls}
        results = [step.result for step in self.steps if step.event.id in ids and step.result]
        rejected = [event for event in results if event.is_rejection]
        if accept and rejected:
            raise Refused(
                f"Answered by somebody else, who rejected {named(before.calls)}", Remedy.LOOK
            )
        if not accept and len(rejected) < len(results):
            raise Refused(f"Answered by somebody else: {named(before.calls)} was run", Remedy.LOOK)
        reasons = {str(field(event.body(), "rejection_reason") or "") for event in rejected}
        if reason and reasons and set(map(clean_line, reasons)) != {clean_line(reason)}:
            raise Refused("Rejected by somebody else, with another reason than yours", Remedy.LOOK)

    def unseen(self, before: AgentState) -> Refused | None:
        """The problem that a call newer than `before` was answered, or None.

        It happens when somebody else answers between the last look and our answer, and the agent
        asks again. The server offers no way to rule it out.
        """
        calls = () if before.runs else answered_since(before, self)
        if not calls:
            return None
        return Refused(
            "Somebody else answered at the same moment, and a call that was not shown got an "
            f"answer too: {named(calls)}",
            Remedy.LOOK_WHAT_IT_DID,
        )

    def require_nothing_unseen(self, before: AgentState) -> None:
        if problem := self.unseen(before):
            raise problem

    def require_stopped(self) -> None:
        if self.runs:
            raise Refused("The agent was asked to stop, but still works", Remedy.STOP_AGAIN)

    def require_gone_on(self, before: AgentState) -> None:
        """Raises Refused if the agent does not work and nothing has changed since `before`, or if a
        call was answered that was not shown."""
        self.require_nothing_unseen(before)
        same = (self.status, self.unread, self.last_agent_event) == (
            before.status,
            before.unread,
            before.last_agent_event,
        )
        if same and self.same_calls(before) and not self.runs:
            raise Refused(
                "The agent was asked to continue, but its state is as before", Remedy.CONTINUE_AGAIN
            )


def read(conversation: Conversation, record: AgentConversation, run: Trajectory) -> AgentState:
    """The state from the agent's record and the last events of its run.

    An agent that is stopped while its model thinks still ends that step. Until then 1.58.2 has
    "running" in its record and "paused" only in the events; 1.34.0 has "paused" in both (measured).
    """
    status = record.execution_status or ""
    if status == "running" and run.status == "paused":
        status = run.status
    calls = open_calls(run)
    # an ACP agent runs its tools itself: the server has no open call (source, 1.17.0 to 1.58.2)
    return AgentState(
        conversation,
        status,
        calls,
        run.complete or record.is_acp or _reach_back(run.steps, calls, status),
        _is_unread(run),
        _last_agent_event(run),
        tuple(run.steps),
        tuple(run.events),
        record.cost,
    )


def open_calls(run: Trajectory) -> tuple[Step, ...]:
    """The calls that the server would run: readable ones without a result."""
    return tuple(
        step
        for step in run.steps
        if step.event.is_action
        and step.is_open
        and isinstance(field(step.event.body(), "action"), dict)
    )


def answered_since(before: AgentState, now: AgentState) -> tuple[Step, ...]:
    """The calls newer than `before` that waited and were rejected, or went on from waiting."""
    last = before.events[-1].id if before.events else ""
    ids = [event.id for event in now.events]
    since = now.events[ids.index(last) + 1 :] if last in ids else now.events
    shown = {call.event.id for call in before.calls}
    made: dict[str, Event] = {}  # new calls without a result, by id
    waited: dict[str, Event] = {}
    answered: set[str] = set()
    for event in since:
        if event.is_action and event.id not in shown:
            made[event.id] = event
        elif event.is_result:
            if event.is_rejection and event.action_id in made:
                answered.add(event.action_id)
            for name in [n for n, call in made.items() if _is_result(event, call)]:
                made.pop(name), waited.pop(name, None)
        elif event.status == WAITING:
            waited = dict(made)
        elif event.status == "running":
            answered |= waited.keys()
            waited = {}
    return tuple(step for step in now.steps if step.event.id in answered)


def _is_result(event: Event, call: Event) -> bool:
    return event.action_id == call.id or event.tool_call_id == call.tool_call_id != ""


def named(calls: Sequence[Step]) -> str:
    if not calls:
        return "a call that is not among the last events"
    return ", ".join(describe(call, Outcome.WAITING).what for call in calls)


def _reach_back(steps: Sequence[Step], calls: Sequence[Step], status: str) -> bool:
    """Whether no older step can have a call without a result. The agent runs open calls before its
    model answers again, so nothing before an earlier answer of the model is open."""
    if status == WAITING and not calls:
        return False
    own = {call.event.llm_response_id for call in calls}
    first = min((call.number for call in calls), default=len(steps) + 1)
    return any(
        step.number < first
        and step.event.source == "agent"
        and (step.event.is_action or step.event.is_message)
        and step.event.llm_response_id not in own
        for step in steps
    )


def _is_unread(run: Trajectory) -> bool:
    """Whether the run ends with an event that the agent has not reacted to."""
    if not run.steps:
        return False
    last = run.steps[-1]
    if last.event.is_message:
        return last.event.source != "agent"
    # finishing is a call with a result as well
    return last.is_call and not last.is_open and last.event.tool_name != "finish"


def _last_agent_event(run: Trajectory) -> str:
    own = (s for s in reversed(run.steps) if s.event.source == "agent" or s.event.is_condensation)
    return next((step.event.id for step in own), "")

"""The loaded conversations and their states, from what callers have learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from oh_tui.catalog import silence
from oh_tui.catalog.run_status import (
    AT_WORK,
    STATUSES,
    WORDS,
    Counts,
    Group,
    RunStatus,
    conversation_state,
    count,
    reported_status,
    status_word,
    updated,
)
from oh_tui.catalog.status_cache import LastKnownStates
from oh_tui.catalog.usage_cache import Spent, with_spent
from oh_tui.conversation import Conversation, Metrics, bare_id, same_id
from oh_tui.sources.budget import Spending
from oh_tui.text.human import clock_time
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.trajectory import CUT_OFF, Trajectory
from oh_tui.trajectory.model.usage import CostSum, cost_sum
from oh_tui.tui.state.conversation_rows import Row, flat, joined, ordered

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.verdict import Verdict

LOOK_AGAIN = 30.0
"""Seconds until a running run, or one whose server did not answer, is looked into again. Each
fruitless attempt doubles them, up to the maximum below."""
LOOK_LATEST = 480.0

_NO_OUTCOME = frozenset({RunStatus.UNKNOWN, RunStatus.STARTING})

NEWSWORTHY = WORDS["waiting"] | WORDS["failed"] | WORDS["finished"]

_STATUS = {RunStatus.WAITING: "waiting_for_confirmation", RunStatus.STOPPED: "paused"}

_WORDS = {
    RunStatus.WAITING: "waits for your answer",
    RunStatus.STUCK: "stuck",
    RunStatus.ERROR: "ended in an error",
    RunStatus.RUNNING: "the agent works",
    RunStatus.STARTING: "starting",
    RunStatus.CUT_OFF: CUT_OFF,
}
"""The second line of a row until something better is known."""


class Look(NamedTuple):
    """The last attempt to look into a run."""

    updated_at: str | None
    status: str | None
    """The status in its record at that time."""
    failed: bool
    pause: float
    until: float
    """The time until which `pause` lasts."""


class Change(NamedTuple):
    """A listed conversation has changed to this state."""

    conversation: Conversation
    status: RunStatus | Spending


class ListSums(NamedTuple):
    """What the loaded rows come to."""

    rows: tuple[Row, ...]
    counts: Counts
    costs: CostSum
    labels: Counter[Label]
    """How many runs have each label of an evaluation; empty where none has one."""


class LoadedConversations:
    def __init__(self, last_known: LastKnownStates | None = None, *, grouped: bool = True) -> None:
        """Without groups (files need nobody) rows keep the given order."""
        self.last_known = last_known or LastKnownStates()
        self.grouped = grouped
        self.rows: tuple[Row, ...] = ()
        self._places: dict[str, int] = {}
        self._placed_of: tuple[Row, ...] = ()
        """The rows that `_places` was computed from."""
        self._ordered: tuple[Row, ...] | None = None
        """The rows as last ordered; None while one is kept in a group that it has left."""
        self._sums = ListSums((), Counts(), cost_sum(()), Counter())
        self._heard: dict[str, RunStatus] = {}
        """The state last reported for each agent, to detect changes."""
        self._looks: dict[str, Look] = {}
        self._records: dict[str, Metrics | None] = {}
        """The cost in the record of each conversation, by id; rows have the cost that is known."""
        self._acted: set[str] = set()
        self._settled: dict[str, float] = {}
        """When an action last reported the state of a conversation, by id."""

    def row(self, identifier: str) -> Row | None:
        if self._placed_of is not self.rows:
            self._places = {row.id: place for place, row in enumerate(self.rows)}
            self._placed_of = self.rows
        place = self._places.get(bare_id(identifier))
        return None if place is None else self.rows[place]

    def sums(self) -> ListSums:
        """Summed once for the same rows: the header asks with every change of the lists."""
        if self._sums.rows is not self.rows:
            costs = cost_sum(row.conversation.price for row in self.rows)
            labels = (row.conversation.label for row in self.rows if row.due.is_label)
            counted = Counter(label for label in labels if label)
            counts = count(row.status for row in self.rows)
            if not self.grouped:  # files wait for nobody
                counts = Counts(failed=counts.failed)
            self._sums = ListSums(self.rows, counts, costs, counted)
        return self._sums

    # What becomes known

    def take(
        self, conversations: Iterable[Conversation], *, older: bool = False, asked: float = inf
    ) -> list[Change]:
        """Take conversations as of now, or of the time of the request: rows that an action has
        updated since stay unchanged. Listed rows keep their places; new ones come to the top of
        their groups, or to the end if they belong to an older page. Returns the state changes since
        the last call."""
        fresh = {bare_id(one.id): self._with_spent(one) for one in conversations}
        changes: list[Change] = []
        rows: list[Row] = []
        is_same = True
        for row in self.rows:
            now = fresh.pop(row.id, None)
            if now and self._settled.get(row.id, -inf) < asked and now != row.conversation:
                row, is_same = self._renewed(row, now), False
            rows.append(row)
            before = self._heard.get(row.id)
            if before not in (None, row.reported) and row.reported in NEWSWORTHY:
                changes.append(Change(row.conversation, row.reported))
        new = [self._renewed(Row(one), one) for one in fresh.values()]
        if new:
            rows, is_same = joined(rows, new, older=older), False
        if is_same:
            return changes  # the tuple stays, so that nobody looks at all rows for nothing
        for row in rows:
            if row.reported not in _NO_OUTCOME:
                self._heard[row.id] = row.reported
        is_first = not self.rows
        self.rows = tuple(rows)
        if is_first:
            self.reorder()
        return changes

    def drop(self, gone: Collection[str], asked: float) -> frozenset[str]:
        """Remove conversations that a server did not have at the time of the request, without those
        that an action has reported since. Returns which."""
        dropped = frozenset(
            row.id
            for row in self.rows
            if row.id in gone and self._settled.get(row.id, -inf) < asked
        )
        if dropped:
            self.rows = tuple(row for row in self.rows if row.id not in dropped)
        return dropped

    def take_verdict(self, identifier: str, verdict: Verdict) -> None:
        """Take how a run stands by its events, as just read."""
        if row := self.row(identifier):
            self.last_known.record_goal(row.id, verdict.goal_word)
            self._put(self._renewed(row, row.conversation))
        self.take_outcome(identifier, verdict.word, verdict.short)

    def take_outcome(self, identifier: str, word: str, line: str) -> None:
        """Take the state found in the events of a run: it is newer than the list, and available
        even when the server reports no outcome."""
        row, status = self.row(identifier), STATUSES.get(word, RunStatus.UNKNOWN)
        if row is None or not status:
            return
        conversation = row.conversation
        reported = reported_status(conversation)
        if reported is RunStatus.STARTING:
            return
        if reported and reported is not status:
            execution_status = _STATUS.get(status, status.value)
            conversation = msgspec.structs.replace(conversation, execution_status=execution_status)
        elif not reported and (status is not RunStatus.IDLE or self.last_known.get(row.id).outcome):
            self.last_known.record_outcome(row.id, status, updated(conversation))
        self._renewed(row, conversation)  # this remembers a new outcome
        if status is RunStatus.STUCK and not line.lower().startswith("stuck"):
            line = f"stuck: {line}"
        if self.last_known.get(row.id).outcome == status:
            self.last_known.record_line(row.id, line, keep=status is not RunStatus.RUNNING)
        self._put(self._renewed(row, conversation))

    def take_event(self, identifier: str, heard: float | None, since: float | None) -> None:
        """Take when the last event of a run came, as just read, and since when it is silent."""
        row = self.row(identifier)
        if row is None:
            return
        if heard != row.heard:
            row = msgspec.structs.replace(row, heard=heard, moved="")
        self.last_known.record_silent(row.id, since)
        self._put(self._renewed(row, row.conversation))

    def take_fork_step(self, identifier: str, step: int) -> None:
        if row := self.row(identifier):
            self.last_known.record_fork(row.id, step)
            self._put(self._renewed(row, row.conversation))

    def forks_to_place(self) -> list[Conversation]:
        """The listed origins of forks of which no step is known."""
        forks = (row for row in self.rows if row.conversation.forked_at and not row.fork_step)
        origins = dict.fromkeys(row.conversation.origin for row in forks)
        return [row.conversation for one in origins if (row := self.row(one))]

    def take_forks_of(self, identifier: str, run: Trajectory) -> bool:
        """Take at which steps of this run, as just read, its listed forks were made: their records
        name events. Returns whether one is news."""
        origin, is_news = bare_id(identifier), False
        for row in self.rows if run.complete else ():
            at = row.conversation.forked_at
            if row.fork_step or not at or row.conversation.origin != origin:
                continue
            if step := run.step_of(at):
                self.take_fork_step(row.id, step.number)
                is_news = True
        return is_news

    def take_spent(self, identifier: str, spent: Spent | None) -> None:
        """Take the cost of a run, of which its record may have only a part."""
        row = self.row(identifier)
        if row is None or spent is None or spent == self.last_known.get(row.id).spent:
            return
        self.last_known.record_spent(row.id, spent, keep=not row.is_at_work)
        record = self._records.get(row.id, row.conversation.metrics)
        one = msgspec.structs.replace(row.conversation, metrics=record)
        self._put(self._renewed(row, self._with_spent(one)))

    def _with_spent(self, one: Conversation) -> Conversation:
        """A conversation of a server with its cost as far as it is known."""
        identifier = bare_id(one.id)
        self._records[identifier] = one.metrics
        return with_spent(one, self.last_known.get(identifier).spent)

    def settled(self, conversation: Conversation, now: float) -> None:
        """Take its state after an action; `now` is compared with the request times of refreshes."""
        if row := self.row(conversation.id):
            self._settled[row.id] = now
            if conversation.metrics is not row.conversation.metrics:  # another answer of the server
                conversation = self._with_spent(conversation)
            self._put(self._renewed(row, conversation))

    def acted(self, conversation: Conversation, now: float) -> None:
        """Take its state after the user told its agent something. Its row moves from now on
        whenever its group changes: who acts on it expects that."""
        self._acted.add(bare_id(conversation.id))
        self.settled(conversation, now)

    def sandbox_settled(self, sandbox_id: str, status: str, now: float) -> None:
        """Take the state of a sandbox after an action. The rest is unknown: for a paused sandbox
        the server reports no agent and no address (measured), and a resumed one has new ones."""
        for row in self.rows:
            one = row.conversation
            if one.sandbox_id == sandbox_id:
                if one.sandbox_status != status:
                    one = msgspec.structs.replace(
                        one, sandbox_status=status, execution_status=None,
                        conversation_url=None, session_api_key=None,
                    )  # fmt: skip
                self.settled(one, now)

    def open(self, identifier: str) -> None:
        if row := self.row(identifier):
            self.last_known.record_opened(row.id, max(1.0, updated(row.conversation)))
            self._put(self._renewed(row, row.conversation))

    def _put(self, changed: Row) -> None:
        if self.row(changed.id) not in (None, changed):
            place = self._places[changed.id]
            self.rows = (*self.rows[:place], changed, *self.rows[place + 1 :])
            self._placed_of = self.rows  # no row has moved

    def _renewed(self, row: Row, conversation: Conversation) -> Row:
        """The row with the present state of its conversation. It keeps its place."""
        identifier, changed = bare_id(conversation.id), updated(conversation)
        reported = reported_status(conversation)
        known = self.last_known.get(identifier)
        is_outcome = reported not in (RunStatus.UNKNOWN, RunStatus.STARTING)
        if reported is RunStatus.IDLE:  # news only if the remembered state differs
            is_outcome = bool(known.outcome)
        if is_outcome and (
            reported != known.outcome
            or (reported is not RunStatus.RUNNING and changed > known.when)
        ):
            self.last_known.record_outcome(identifier, reported, changed)
            known = self.last_known.get(identifier)
        state = conversation_state(conversation, known)
        status, certain, opened = state.status, state.certain, state.opened
        since = known.when if not reported and known.when else changed or None
        if status in AT_WORK:
            since = seconds(conversation.created_at or "") or since
        line = known.line if known.outcome == status else ""
        if state.silent is not None:
            line = silence.line(clock_time(state.silent, None)[:5], known.line)
        if not line:
            broken = status is RunStatus.ERROR and conversation.sandbox_status == "ERROR"
            line = "its sandbox failed" if broken else _WORDS.get(status, "")
            line = line or status_word(conversation, state)
        return msgspec.structs.replace(
            row,
            conversation=conversation,
            status=status,
            certain=certain or not self.grouped,
            line=line,
            since=since,
            opened=opened,
            goal=state.goal,
            silent=state.silent,
            fork_step=known.fork_step,
            moved=silence.moved_words(row.conversation, conversation) or row.moved,
            changed=changed,
        )

    # Which runs to look into

    def unheard(self, now: float, without: str = "", most: int = 6) -> list[Conversation]:
        """The runs worth looking into for the second line: of those that need somebody or run, the
        new and changed ones, then the running ones, at most once in 30 s, as their servers may
        freeze; last those whose server did not answer. The run shown at the right (`without`)
        updates itself."""
        found: list[tuple[bool, Group, bool, Row]] = []
        for row in self.rows:
            one = row.conversation
            if row.due > Group.RUNNING or one.execution_status is None:
                continue
            if same_id(one.id, without) and self.last_known.get(row.id).line:
                continue
            look = self._looks.get(row.id)
            if look:
                same = look.status == one.execution_status
                again = look.failed or row.is_at_work
                if same and (now < look.until if again else look.updated_at == one.updated_at):
                    continue
            found.append((bool(look and look.failed), row.due, bool(look), row))
        found.sort(key=lambda one: one[:3])
        return [row.conversation for *_, row in found[:most]]

    def looked(
        self,
        one: Conversation,
        now: float,
        *,
        failed: bool = False,
        news: bool = False,
        within: float = inf,
    ) -> None:
        """A run was looked into: its server did not answer (`failed`), or returned something
        new. `within` so many seconds it would be silent."""
        before, pause = self._looks.get(bare_id(one.id)), LOOK_AGAIN
        if before and not news:
            pause = min(2 * before.pause, LOOK_LATEST)
        if within > 0:
            pause = min(pause, max(LOOK_AGAIN, within))
        look = Look(one.updated_at, one.execution_status, failed, pause, now + pause)
        self._looks[bare_id(one.id)] = look

    # The order

    def place_acted(self) -> None:
        """Move the rows whose agents the user told something; all others keep their places."""
        parents = {row.parent for row in self.rows} if self._acted else set[str]()
        moved = {
            row.id
            for row in self.rows
            if row.id in self._acted - parents and row.due is not row.group and not row.depth
        }
        if moved and self.grouped:
            stay = [row for row in self.rows if row.id not in moved]
            new = [row for row in self.rows if row.id in moved]
            self.rows = tuple(joined(stay, new, older=False))

    def reorder(self, keep: str = "") -> None:
        """Move every row to its place. `keep` is the id of a row that stays in its group although
        it was opened: a user returning from its run finds it where it was."""
        if self.rows is self._ordered:
            return
        kept = self.row(keep)
        self.rows = ordered(self.rows, kept) if self.grouped else flat(self.rows)
        self._ordered = None if kept and kept.group is not kept.due else self.rows

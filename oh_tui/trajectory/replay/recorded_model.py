"""The model of a recorded run: finds the answer to each request, and tells what differs in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.comparison.seen import Context, Differing, differing
from oh_tui.trajectory.replay.folders import Folders
from oh_tui.trajectory.replay.record import Given, Record
from oh_tui.trajectory.replay.requests import Key, Purpose, Request, Said

OFTEN = 20
"""How often one answer is given; who asks more often does not get on with it."""

TITLE = "Recorded run"

NO_ANSWER = "The record has no answer to this."


class Match(StrEnum):
    """How a request stands to the record, by what is new in it; the least first."""

    EXACT = "as recorded"
    CARRIED = "as before"
    """It has differences that an earlier request had too, and no others."""
    PLAIN = "but for what varies"
    ORDER = "in another order"
    NUMBERS = "other numbers"
    MOVED = "the terminal moved lines"
    REAL = "differs"
    SHAPE = "other messages"
    """A message is in one of both alone."""


HARMLESS = frozenset({Match.EXACT, Match.CARRIED, Match.PLAIN})

_OF = {
    How.EQUAL: Match.CARRIED,
    How.PLAIN: Match.PLAIN,
    How.ORDER: Match.ORDER,
    How.NUMBERS: Match.NUMBERS,
    How.MOVED: Match.MOVED,
    How.REAL: Match.REAL,
}

_RANK = {match: rank for rank, match in enumerate(Match)}


class Outcome(NamedTuple):
    """What became of a request."""

    purpose: Purpose
    given: Given | None = None
    """None where it got none."""
    refused: str = ""
    """Why, for the client, in a sentence."""
    at: tuple[int, int] | None = None
    """The place of the record among the records, and of the answer in it."""
    step: str = ""
    """The number of the first step of the answer; of a sub-agent its path."""
    match: Match | None = None
    """None for what is not compared."""
    new: tuple[Differing, ...] = ()
    """What differs and was not told before: A is what came, B the record."""
    is_end: bool = False
    """The record is over here."""


class RecordedModel:
    """Answers requests; not thread-safe. Nothing in a request tells two clients apart, and nothing
    needs to: what it says itself tells which answer comes next."""

    def __init__(
        self,
        records: Sequence[Record],
        *,
        folders: Folders | None = None,
        places: tuple[str, str] = ("", ""),
        title: str = "",
        is_strict: bool = False,
    ) -> None:
        """`places` are the folders that the record and what runs now work in. The first of the
        records is the run, the others its sub-agents."""
        self.records = records
        self.title, self._strict = title or TITLE, is_strict
        self.folders = folders or Folders()
        self._places = places
        self._next: dict[Key, list[tuple[int, int]]] = {}
        self._ends: set[Key] = set()
        for which, record in enumerate(records):
            for number in range(len(record.answers)):
                self._next.setdefault(record.before(number), []).append((which, number))
                self._ends.add(record.after(number))
        self._told: set[int] = set()
        self.given: Counter[tuple[int, int]] = Counter()
        """How often each answer was given."""
        self._summaries: dict[int, int] = {}
        """Which summary a request got, by what it says: one that is sent again gets it again."""
        self.counts: Counter[Match] = Counter()
        self.others: Counter[Purpose] = Counter()
        """Requests for something else than an answer of the agent."""

    def answer(self, request: Request) -> Outcome:
        if request.purpose is not Purpose.AGENT:
            self.others[request.purpose] += 1
        match request.purpose:
            case Purpose.AGENT:
                return self._of_agent(request)
            case Purpose.TITLE:
                return Outcome(request.purpose, Given(self.title))
            case Purpose.CONDENSER:
                return self._summary(request)
        return Outcome(request.purpose, Given(NO_ANSWER))

    @property
    def has_parted(self) -> bool:
        return any(count and match not in HARMLESS for match, count in self.counts.items())

    @property
    def answers(self) -> int:
        """Different answers given."""
        return len(self.given)

    @property
    def known(self) -> int:
        """Answers that the record has."""
        return sum(len(record.answers) for record in self.records)

    def _summary(self, request: Request) -> Outcome:
        said = hash(tuple((one.kind, repr(one.body["content"])) for one in request.messages))
        number = self._summaries.setdefault(said, len(self._summaries))
        summaries = self.records[0].summaries
        if number >= len(summaries):
            known = plural(len(summaries), "summary", "summaries")
            refused = f"the record has {known}, and no more"
            return Outcome(request.purpose, refused=refused, is_end=True)
        return Outcome(request.purpose, summaries[number])

    def _of_agent(self, request: Request) -> Outcome:
        at = self._find(request)
        if at is None:
            is_end = request.key in self._ends
            refused = (
                "the record ends here"
                if is_end
                else (
                    "the record has no answer that follows this one"
                    if request.key
                    else "the record has no answers"
                )
            )
            return Outcome(request.purpose, refused=refused, is_end=is_end)
        if self.given[at] >= OFTEN:
            refused = f"this answer was given {OFTEN} times, and is not given again"
            return Outcome(request.purpose, refused=refused, at=at)
        self.given[at] += 1
        which, number = at
        record = self.records[which]
        match, new = self._compared(at, request)
        self.counts[match] += 1
        step = f"{record.path}{record.answers[number].step}"
        outcome = Outcome(request.purpose, record.given(number), "", at, step, match, new)
        if self._strict and match not in HARMLESS:
            refused = f"this run parts from the record at step {step}: {match}"
            return outcome._replace(given=None, refused=refused)
        return outcome

    def _find(self, request: Request) -> tuple[int, int] | None:
        """The place of the answer that follows what the request says last. Where several do, as of
        branches and of equal words: the one with an equal context, the one with as many messages,
        the one that was given least."""
        found = self._next.get(request.key, [])
        if not request.key:
            by_task = [one for one in found if self.records[one[0]].task == request.task]
            found = by_task or [one for one in found if one[0] == 0]
        if len(found) < 2:
            return found[0] if found else None

        def rank(at: tuple[int, int]) -> tuple[object, ...]:
            context = self.records[at[0]].context(at[1])
            is_other = bool(self._differing(context, request.messages))
            away = abs(len(context) - len(request.messages))
            return is_other, away, self.given[at], at

        return min(found, key=rank)

    def _differing(self, context: Sequence[Said], messages: Sequence[Said]) -> list[Differing]:
        then, now = self._places
        # texts of now have the folders of the record by now, but for those that nobody mapped
        return differing(Context(messages, self.folders.then(now)), Context(context, then))

    def _compared(
        self, at: tuple[int, int], request: Request
    ) -> tuple[Match, tuple[Differing, ...]]:
        found = self._differing(self.records[at[0]].context(at[1]), request.messages)
        by_key = {hash((at[0], one.kind, one.step, one.a, one.b)): one for one in found}
        new = [one for key, one in by_key.items() if key not in self._told]
        self._told.update(by_key)
        if not new:
            return (Match.CARRIED if found else Match.EXACT), ()
        matches = [
            Match.SHAPE
            if (one.a is None) != (one.b is None) and one.told.how is How.REAL
            else _OF[one.told.how]
            for one in new
        ]
        return max(matches, key=_RANK.__getitem__), tuple(new)

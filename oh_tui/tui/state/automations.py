"""The automations of the source, and the runs of those that were looked at. Knows no widget."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from oh_tui.catalog.automations import is_derived, is_over, made_by, off_by_itself, working, works
from oh_tui.conversation import Conversation, bare_id

if TYPE_CHECKING:
    from oh_tui.api.automation_models import Automation, AutomationRun, RunPage


class AutomationRow(msgspec.Struct, frozen=True):
    automation: Automation
    page: RunPage | None = None
    """Its last runs; None until they are read."""
    problem: str = ""
    """Why they could not be read."""
    working: frozenset[str] = frozenset()
    """Ids of its runs that are over though their agents work on."""
    ahead: int = 0
    """Seconds that our clock is ahead of that of its server."""

    @property
    def id(self) -> str:
        """Also among those of other servers."""
        return key_of(self.automation)

    @property
    def runs(self) -> Sequence[AutomationRun]:
        return self.page.runs if self.page else ()

    @property
    def to_stop(self) -> AutomationRun | None:
        """The newest run that is under way, else one whose agent works on."""
        under_way = (run for run in self.runs if not is_over(run))
        return next(under_way, None) or next((r for r in self.runs if r.id in self.working), None)


class _Read(msgspec.Struct, frozen=True):
    turn: int
    """The reading of the list after which its runs were read."""
    triggered: str
    page: RunPage | None
    problem: str = ""

    @property
    def goes_on(self) -> bool:
        return self.page is None or any(not is_over(run) for run in self.page.runs)


class LoadedAutomations:
    """The runs of one are read again where it ran since, or has one under way: a list of a thousand
    costs no more calls than those in sight."""

    def __init__(self) -> None:
        self.problem = ""
        """Why they cannot be read now, in a sentence."""
        self.all: tuple[Automation, ...] = ()
        self._read: dict[str, _Read] = {}
        self._ahead: Mapping[str, int] = {}
        self._turn = self._anew = 0

    def take(
        self,
        read: Iterable[Automation],
        problem: str = "",
        ahead: Mapping[str, int] | None = None,
        *,
        sort: bool = True,
        anew: bool = False,
    ) -> None:
        """Take the list as just read. They stand by state and name; unless they are to `sort`, each
        keeps its place, and new ones come last. With `anew` all runs are to be read again."""
        place = {} if sort else {key_of(one): number for number, one in enumerate(self.all)}
        found = sorted(read, key=_urgency)
        self.all = tuple(sorted(found, key=lambda one: place.get(key_of(one), len(place))))
        self.problem, self._ahead = problem, ahead or {}
        self._turn += 1
        self._anew = self._turn if anew else self._anew

    def changed(self, now: Automation) -> None:
        """An action reported this state of an automation."""
        self.all = tuple(now if key_of(one) == key_of(now) else one for one in self.all)

    def of(self, automation_id: str, server: str | None = None) -> Automation | None:
        """The automation with this id, with dashes or without; None is any server."""
        wanted = bare_id(automation_id)
        found = (one for one in self.all if bare_id(one.id) == wanted)
        return next((one for one in found if server in (None, one.server)), None)

    def that_made(self, conversation: Conversation) -> Automation | None:
        """The automation on the conversation's own server: another server, as of a copied folder,
        may have one with the same id."""
        made = made_by(conversation)
        return self.of(made.automation_id, conversation.server) if made else None

    # Runs

    def unread(self, ids: Collection[str]) -> list[Automation]:
        """Those of the given ones, as rows call them, whose runs are not known as they are now."""
        return [one for one in self.all if key_of(one) in ids and self._is_stale(one)]

    def _is_stale(self, one: Automation) -> bool:
        read = self._read.get(key_of(one))
        if read is None or read.turn < self._anew:
            return True
        is_older = read.turn < self._turn
        return is_older and (read.goes_on or read.triggered != (one.last_triggered_at or ""))

    def outdated(self, key: str) -> None:
        """An action changed those of one: read them again."""
        if read := self._read.get(key):
            self._read[key] = msgspec.structs.replace(read, turn=-1)

    def take_runs(self, one: Automation, page: RunPage | None, problem: str = "") -> None:
        before = self._read.get(key_of(one))
        page = page or (before.page if before else None)
        self._read[key_of(one)] = _Read(self._turn, one.last_triggered_at or "", page, problem)

    def row(self, one: Automation, at_work: Sequence[Conversation] = ()) -> AutomationRow:
        """Of the conversations only those count that are `at_work`."""
        read, ahead = self._read.get(key_of(one)), self._ahead.get(one.server, 0)
        page, problem = (read.page, read.problem) if read else (None, "")
        found = frozenset(working(page.runs, at_work)) if page else frozenset()
        return AutomationRow(one, page, problem, found, ahead)

    def rows(self, conversations: Iterable[Conversation]) -> tuple[AutomationRow, ...]:
        found = at_work(conversations) if self._read else ()
        return tuple(self.row(one, found) for one in self.all)


def at_work(conversations: Iterable[Conversation]) -> list[Conversation]:
    """The conversations whose agents work and that may belong to runs of automations."""
    return [one for one in conversations if works(one) and not is_derived(one)]


def key_of(one: Automation) -> str:
    return f"{one.server}/{one.id}"


def _urgency(one: Automation) -> tuple[bool, bool, str, str, str]:
    """Those that were switched off after failures, those that are on, those that are off."""
    name = (one.name or "").casefold()
    return not off_by_itself(one), one.is_on is False, name, one.server, one.id


def counted(rows: Sequence[AutomationRow]) -> list[tuple[str, str]]:
    """`1 off by itself`, `1 works on`, `5 on`, `2 off` with their hues, without zeros."""
    works = sum(len(row.working) for row in rows)
    failed = sum(off_by_itself(row.automation) for row in rows)
    off = sum(row.automation.is_on is False for row in rows) - failed
    on = sum(row.automation.is_on is True for row in rows)
    parts = (
        (failed, "off by itself", "off by themselves", "bad"),
        (works, "works on", "work on", "warn"),
        (on, "on", "on", "dim"),
        (off, "off", "off", "dim"),
    )
    return [(f"{n:,} {one if n == 1 else more}", hue) for n, one, more, hue in parts if n]

"""A run converted from a JSON text, and a file of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from oh_tui.text.human import plural
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.document import NO_EVENTS, Converted
from oh_tui.trajectory.formats.run_file import Entry, RunFile, RunList, SubAgentFile, opening, some
from oh_tui.trajectory.model.events import Event, parse_event


class ConvertedRun(RunFile):
    """A converted run. Its text is in memory, or is read from its file."""

    sub_agents: Sequence[SubAgentFile] = ()
    cut_off = ""

    def __init__(self, name: str, converted: Converted) -> None:
        self.name = name
        self._converted = converted
        self.info = redact_json(converted.info)
        self.stats = converted.stats
        self.recorded = converted.recorded
        self.sub_agents = converted.sub_agents
        self.cut_off = converted.cut_off
        self.parts = converted.parts
        self._unreadable: set[int] = set()
        self._last = (-1, b"")
        """Place and text of the event that was parsed last: its text is usually asked for next."""

    @property
    def problems(self) -> list[str]:
        lines = [*filter(None, (self.cut_off,)), *self._converted.notes]
        if self._unreadable:
            events = plural(len(self._unreadable), "event")
            numbers = some([str(place + 1) for place in sorted(self._unreadable)])
            lines.append(f"{events} cannot be read: {numbers}")
        return lines

    def __len__(self) -> int:
        return len(self._converted.events)

    def read(self, place: int) -> bytes:
        last, text = self._last
        return text if last == place else self._converted.events[place]

    def original(self, place: int) -> bytes:
        originals = self._converted.originals
        return self.read(place) if originals is None else originals[place]

    def event(self, place: int) -> Event:
        text = self.read(place)
        self._last = (place, text)
        event = parse_event(text, store=self, place=place)
        if event.is_unreadable:
            event.id = f"unreadable-{place}"  # two events may have the same text
            self._unreadable.add(place)
        return event

    def close(self) -> None:
        self._converted.events, self._converted.originals = NO_EVENTS, None
        self._last = (-1, b"")


class OneHeldRun(RunList):
    """A file that is one run. Whoever opens the run holds its text; a list of a folder may have
    thousands of runs and holds none."""

    def __init__(self, read: Callable[[], ConvertedRun]) -> None:
        """`read` reads the file, and raises when it does."""
        self._read = read
        self._first: ConvertedRun | None = read()
        """The run, until it is opened for the first time."""
        self._info = self._first.info
        self._name = self._first.name
        self.parts = self._first.parts

    def entries(self) -> Iterator[Entry]:
        yield Entry(self, 1, info=self._info)

    def open(self, number: int) -> RunFile:
        run, self._first = self._first, None
        with opening(self._name):
            return run or self._read()

    def close(self) -> None:
        self._first = None

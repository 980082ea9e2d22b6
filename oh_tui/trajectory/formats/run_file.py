"""The interface of formats: the runs in a file, listed without reading them, and the events of a
run.

`table.formats` has the formats of files, `documents.DOCUMENTS` those of a run as one JSON text.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, why
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.recorded import NOTHING_RECORDED, Recorded

HEAD = 2**16
"""Bytes at the start of a file by which formats recognise it."""

HINT = "give a zip, a folder or an output of OpenHands, ATIF, a Harbor job or chat messages"

MOST = 3
"""Problems listed on one line."""

SHOWN_BEFORE = "; what comes before is shown"


class FormatProblem(Problem):
    """A file, or a run in it, that cannot be opened."""


class Unforeseen(FormatProblem):
    """The reader itself failed on a file that may contain runs."""


class NotRead(FormatProblem):
    """A file of another program, recognised by content."""

    def __init__(self, name: str, what: str, hint: str) -> None:
        super().__init__(f"{name} is {what}, which oh-tui does not read", hint)
        self.what = what


@contextlib.contextmanager
def opening(name: str) -> Iterator[None]:
    """Turns any error in opening a file or folder into a Problem with a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise FormatProblem(f"There is no file or folder {name}") from error
    except PermissionError as error:
        raise FormatProblem(f"No permission to read {name}") from error
    except (OSError, ValueError) as error:
        raise FormatProblem(f"{name} cannot be read") from error
    except Problem:
        raise
    except Exception as error:  # whatever is wrong with one file, the others must open
        raise Unforeseen(f"{name} cannot be read. {why(error)}") from error


class RunFile(ABC):
    """The events of one run, read on demand. Thread-safe. Never raises: what cannot be read becomes
    an event of kind UNREADABLE and a line in `problems`."""

    name: str
    """The clean name of the file or of the run in it, without a path."""
    info: dict[str, object]
    """Any of `id`, `title`, `llm_model`, `selected_repository`, `execution_status`, ..., without
    secrets. Any field may be missing or have a wrong type."""
    stats: bytes = b""
    """Tokens, cost and latency from outside the events, in the form of `stats_text`."""
    recorded: Recorded = NOTHING_RECORDED

    def state(self) -> bytes:
        """The JSON of the state of its conversation that is kept beside the events, as raw as it
        was written, with encrypted keys; b"" where there is none."""
        return b""

    @property
    @abstractmethod
    def sub_agents(self) -> Sequence[SubAgentFile]:
        """The sub-agents that the run started and that have files here, by name. They may have
        sub-agents of their own."""

    @property
    @abstractmethod
    def problems(self) -> list[str]:
        """What cannot be read, a line each. Grows as events are read."""

    @property
    def note(self) -> str:
        """The first `problems` on one line, and how many more there are."""
        problems = self.problems
        more = len(problems) - MOST
        return "; ".join([*problems[:MOST], *([plural(more, "more problem")] if more > 0 else [])])

    @property
    @abstractmethod
    def cut_off(self) -> str:
        """Why the end of the run is unknown; "" if it is known."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, place: int) -> bytes:
        """The JSON of the event at index `place`, in V1 form; b"" if it cannot be read."""

    def original(self, place: int) -> bytes:
        """The JSON that the event was made from, as it is in the file."""
        return self.read(place)

    @abstractmethod
    def event(self, place: int) -> Event: ...

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[Event]:
        """The events of the slice `start:stop`, oldest first."""
        for place in range(*slice(start, stop).indices(len(self))):
            yield self.event(place)

    @abstractmethod
    def close(self) -> None:
        """Closes the file; bodies of events may no longer be readable."""


class SubAgentFile(NamedTuple):
    """A sub-agent of a run, not yet read."""

    name: str
    """The name of its folder, which is its conversation id."""
    open: Callable[[], RunFile]
    """Opens its run, which stays open as long as its parent's."""
    started_by: str = ""
    """The event that started it, if the file says which."""
    usage: str = ""
    """The usage id that may have its total in its parent's stats, if known."""
    is_conversation: bool = False
    """It was a separate conversation on a server, so its cost is not included in its parent's."""


class RunList(ABC):
    """The runs in one file or folder. Most never change."""

    @property
    def problems(self) -> list[str]:
        """What could not be listed: sentences that name the file and the place. Grows while
        `entries` runs."""
        return []

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences about all runs of a source."""
        return ()

    @property
    def is_outdated(self) -> bool:
        """Whether the file has changed, so that reopening it may list more."""
        return False

    @property
    def may_grow(self) -> bool:
        """Whether another program may be adding runs to it."""
        return False

    def grow(self) -> bool:
        """Adds what was written since; False if the file must be reopened for that."""
        return False

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """The runs in order, each as soon as it is found. Raises Problem."""

    @abstractmethod
    def open(self, number: int) -> RunFile:
        """The run with this entry number. Raises Problem."""

    def close(self) -> None:  # noqa: B027
        """Closes the file if it is open."""


class Entry(msgspec.Struct, eq=False):
    """A run in a file, as far as it is known without reading it."""

    home: RunList
    number: int
    """Its number in the file, from 1."""
    name: str = ""
    """Its id in the file, as in `PATH#ID`; unique there. "" for the only run of a file."""
    info: dict[str, Any] = {}
    """The known part of `RunFile.info`."""
    opened: RunFile | None = None
    """The run, if listing had to open it."""
    is_folder: bool = False
    """It is a folder in an archive, whose events tell what the list shows."""

    def open(self) -> RunFile:
        """Raises Problem."""
        return self.opened or self.home.open(self.number)


class Indexes(Protocol):
    """Saves what listing a large file found, until the file changes."""

    def load(self, key: str) -> bytes:
        """What was saved under this key; b"" if nothing was. The key identifies the present content
        of a file."""
        ...

    def save(self, key: str, data: bytes) -> None: ...


class Unpacked(msgspec.Struct):
    """What unpacking a file gave. Empty for a file that needs none."""

    size: int = 0
    """Bytes on disk."""
    problem: str = ""
    """Why the packed data ends early, as a predicate for the file; "" if it does not."""
    names: list[str] | None = None
    """The files of a tar in its order; None if it is not a tar."""
    problems: list[str] = []
    """Problems of the tar, as predicates."""
    is_cut: bool = False
    """The end of the tar is missing."""
    partial: str = ""
    """The file whose end is missing."""


PLAIN = Unpacked()


class Source(NamedTuple):
    """A file or folder that a format opens."""

    path: Path
    """What is read: the unpacked copy of a packed file, the folder with the files of a tar."""
    name: str
    """What messages call it."""
    folder: Path
    """The folder with the files beside it."""
    given: Path | None = None
    """The user's own path; None inside a tar."""
    indexes: Indexes | None = None
    about: Unpacked = PLAIN

    @property
    def problems(self) -> list[str]:
        """Problems of the unpacking, a sentence each."""
        told = [f"{self.name} {problem}" for problem in self.about.problems]
        if self.about.problem:
            told.append(f"{self.name} {self.about.problem}{SHOWN_BEFORE}")
        return told

    @property
    def is_plain(self) -> bool:
        """Whether the user's own file is read, to which others may write."""
        return self.path is self.given


class Format(NamedTuple):
    """A format of files.

    `recognises` gets the first HEAD bytes of the unpacked file, or the names in a folder, one per
    line, and the name, which ends with "/" for a folder. `open` lists nothing yet and raises
    Problem.
    """

    name: str
    recognises: Callable[[bytes, str], bool]
    open: Callable[[Source], RunList]


class OneRun(RunList):
    """A file that is one run, already open."""

    def __init__(self, run: RunFile) -> None:
        self.run = run

    def entries(self) -> Iterator[Entry]:
        yield Entry(self, 1, info=self.run.info, opened=self.run)

    def open(self, number: int) -> RunFile:
        return self.run

    def close(self) -> None:
        self.run.close()


def some(names: Sequence[str]) -> str:
    """The first names on one line."""
    return ", ".join(map(short_name, names[:MOST])) + (", ..." if len(names) > MOST else "")


def short_name(text: str) -> str:
    """A name from a file as a clean line of at most 120 characters."""
    return safe_line(text, 120)

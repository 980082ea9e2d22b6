"""What every format gives: the runs in a file, listed without reading them, and the events of one.

`table.formats` has the formats of files, `documents.DOCUMENTS` those of one run as one JSON text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from oh_tui.text.problem import Problem, why
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.recorded import Recorded

HEAD = 2**16
"""Bytes at the start of a file by which a format recognises it."""

HINT = "give a zip, a folder or an output of OpenHands, ATIF, a Harbor job or chat messages"

MOST = 3
"""How many problems are listed on one line."""


class FormatProblem(Problem):
    """A file that cannot be opened as a run, or a run in it."""


class Unforeseen(FormatProblem):
    """A file that may hold runs, and on which the reading itself failed."""


class NotRead(FormatProblem):
    """A file of another program, known by its content."""

    def __init__(self, name: str, what: str, hint: str) -> None:
        super().__init__(f"{name} is {what}, which oh-tui does not read", hint)
        self.what = what


@contextlib.contextmanager
def opening(name: str) -> Iterator[None]:
    """Says in a sentence why the file or folder cannot be opened."""
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
    except Exception as error:  # whatever is wrong with one file, the others open
        raise Unforeseen(f"{name} cannot be read. {why(error)}") from error


class RunFile(Protocol):
    """The events of one run, read on demand. Thread-safe; what cannot be read becomes an event of
    kind UNREADABLE and a line in `problems`, never an error."""

    @property
    def name(self) -> str:
        """The clean name of the file or of the run in it, without its path."""
        ...

    @property
    def info(self) -> dict[str, Any]:
        """Without secrets, any of `id`, `title`, `llm_model`, `selected_repository`,
        `execution_status`, ... Any field may be missing or of a wrong type."""
        ...

    @property
    def stats(self) -> bytes:
        """Tokens, cost and latency from beside the events, by `stats_text`."""
        ...

    @property
    def recorded(self) -> Recorded: ...

    @property
    def sub_agents(self) -> Sequence[SubAgentFile]:
        """The sub-agents that the run started and that have files here, by name; those have
        sub-agents of their own."""
        ...

    @property
    def note(self) -> str:
        """The first `problems` on one line."""
        ...

    @property
    def problems(self) -> list[str]:
        """What cannot be read, a line each."""
        ...

    @property
    def cut_off(self) -> str:
        """Why the end of the run is unknown, "" when it is known."""
        ...

    def __len__(self) -> int: ...

    def read(self, place: int) -> bytes:
        """The JSON of the event at index `place`, in the form of V1; b"" when it cannot be read."""
        ...

    def original(self, place: int) -> bytes:
        """The JSON from which that event was made, as it stands in the file."""
        ...

    def event(self, place: int) -> Event: ...

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[Event]: ...

    def close(self) -> None:
        """Closes the file; bodies of events may no longer be readable."""


class SubAgentFile(NamedTuple):
    """A sub-agent of a run, not read yet."""

    name: str
    """The name of its folder, which is the id of its conversation."""
    open: Callable[[], RunFile]
    """Its run, open as long as that of its parent."""
    started_by: str = ""
    """The id of the event that tells its start, where the file says which one that is."""
    usage: str = ""
    """The usage id under which the stats of its parent may have its total, where that is known."""
    is_conversation: bool = False
    """It was a conversation of a server: its sum is no part of that of its parent."""


class RunList(Protocol):
    """The runs in one file or folder."""

    @property
    def problems(self) -> list[str]:
        """What could not be listed, each a sentence that names the file and the place. Grows while
        `entries` goes on."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences about all runs of a source together."""
        ...

    @property
    def is_outdated(self) -> bool:
        """Whether the file has changed, so that opening it anew may list more."""
        ...

    @property
    def may_grow(self) -> bool:
        """Whether another program may be writing more runs into it."""
        ...

    def grow(self) -> bool:
        """Takes in what was written since; False where that needs the file to be opened anew."""
        ...

    def entries(self) -> Iterator[Entry]:
        """The runs in order, each as soon as it is found. Raises Problem."""

    def open(self, number: int) -> RunFile:
        """The run of the entry with this number. Raises Problem."""
        ...

    def close(self) -> None: ...


class Entry(msgspec.Struct, eq=False):
    """A run in a file, as far as it is known without reading it."""

    home: RunList
    number: int
    """From 1, in its file."""
    name: str = ""
    """Its id in the file, which `PATH#ID` names; no other entry of the file has it. "" for the only
    run of a file."""
    info: dict[str, Any] = {}
    """What of `RunFile.info` is known."""
    opened: RunFile | None = None
    """The run, where listing it had to open it."""

    def open(self) -> RunFile:
        """Raises Problem."""
        return self.opened or self.home.open(self.number)


class Indexes(Protocol):
    """Keeps what listing a large file found, until the file changes."""

    def load(self, key: str) -> bytes:
        """What was saved under this key, which names a file as it is now; b"" without it."""
        ...

    def save(self, key: str, data: bytes) -> None: ...


class Unpacked(msgspec.Struct, frozen=True):
    """What came of a file that was unpacked; of any other file nothing."""

    size: int = 0
    """Bytes on disk."""
    problem: str = ""
    """Why the packed data ends where it does, to follow the name of the file; "" for its end."""
    names: list[str] | None = None
    """The files of a tar in its order; None for a file that is none."""
    problems: list[str] = []
    """What is wrong with the tar, each to follow its name."""
    is_cut: bool = False
    """The end of the tar is missing."""
    partial: str = ""
    """The file whose end is missing."""


PLAIN = Unpacked()


class Source(NamedTuple):
    """A file or folder that a format opens."""

    path: Path
    """To read: of a packed file what it unpacks to, of a tar the folder with its files."""
    name: str
    """As sentences call it."""
    folder: Path
    """In which the files beside it are."""
    given: Path | None = None
    """As the user has it; None in a tar."""
    indexes: Indexes | None = None
    about: Unpacked = PLAIN

    @property
    def problems(self) -> list[str]:
        """What is wrong with what was unpacked, each a sentence."""
        told = [f"{self.name} {problem}" for problem in self.about.problems]
        if self.about.problem:
            told.append(f"{self.name} {self.about.problem}; what comes before is shown")
        return told

    @property
    def is_plain(self) -> bool:
        """Whether others may write to what is read."""
        return self.path is self.given


class Format(NamedTuple):
    """A format of files.

    `recognises` sees the first HEAD bytes of a file, unpacked, or the names in a folder, a line
    each; and the name, which ends with "/" for a folder. `open` lists nothing yet; it raises
    Problem.
    """

    name: str
    recognises: Callable[[bytes, str], bool]
    open: Callable[[Source], RunList]


class Unchanging:
    """What is true of a list of runs that does not change."""

    is_outdated = may_grow = False

    @property
    def remarks(self) -> Sequence[str]:
        return ()

    def grow(self) -> bool:
        return False


class OneRun(Unchanging):
    """A file that is one run, open already."""

    def __init__(self, run: RunFile) -> None:
        self.run = run
        self.problems: list[str] = []

    def entries(self) -> Iterator[Entry]:
        yield Entry(self, 1, info=self.run.info, opened=self.run)

    def open(self, number: int) -> RunFile:
        return self.run

    def close(self) -> None:
        self.run.close()


def shown_name(text: str) -> str:
    """A name in a file as a clean line of at most 120 characters."""
    return safe_line(text, 120)

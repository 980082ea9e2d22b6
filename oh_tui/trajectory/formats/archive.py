"""A trajectory in a zip or a folder: its events, read when wanted."""

from __future__ import annotations

import os
import stat
import threading
from array import array
from collections.abc import Iterable, Iterator
from operator import lt
from pathlib import Path
from typing import IO, Any

from oh_tui.text.clean import redact_json, safe_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.zip_layout import (
    EVENT_FILE,
    STATE_FILES,
    Layout,
    lay_out,
    may_be_run,
)
from oh_tui.trajectory.formats.zip_members import (
    BROKEN,
    CannotRead,
    CutZipMembers,
    FolderMembers,
    Members,
    ZipMembers,
)
from oh_tui.trajectory.formats.zip_table import NotOpened
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import UNREADABLE, Event, decode_json, parse_event
from oh_tui.trajectory.model.stats import agent_text, stats_text
from oh_tui.trajectory.model.steps import CUT_OFF, NO_END

_LAST = ("leaf_event_id", "last_user_message_id")
"""Fields of base_state.json that name an event of the run."""

_NAMED = 3
"""How many of the files with one problem are named."""

_TOLD = 3
"""How many problems are told on one line."""

_HINT = "give a zip that OpenHands made, a folder with event files, or a folder of those"


class ArchiveProblem(Problem):
    """A path that cannot be opened as a trajectory at all."""


class Archive:
    """The events of one run in a zip or folder, in the order of their file names.

    The list of files is read at once, each file when it is wanted; the texts do not stay in
    memory. All methods may be called from several threads. What cannot be read is an event of the
    kind UNREADABLE and a line in `problems`, never an error.
    """

    def __init__(self, members: Members, name: str) -> None:
        """Takes the members over. Raises ArchiveProblem when there is no trajectory in them."""
        self.name = name
        """The file or folder, clean, without its path."""
        self._members = members
        self._lock = threading.Lock()
        self._is_closed = False
        self._failed: dict[str, set[str]] = {}
        """Reason -> names of the files that could not be read."""
        self._notes = [_shown(note) for note in members.notes]
        self.stats = b""
        """What the files beside the events tell of tokens, cost and latency, by `stats_text`."""
        layout = lay_out(members.names)
        numbers, self._files = layout.numbers, layout.events
        self.sub_agents = layout.sub_agents
        """How many sub-agents of the run have files here, which are not read."""
        twice, distinct = 0, len(numbers)
        if not all(map(lt, numbers, numbers[1:])):  # a server writes them in order
            names = [members.names[index] for index in self._files]
            twice, distinct = len(names) - len(set(names)), len(set(numbers))
            ordered = sorted(zip(numbers, names, self._files, strict=True))
            self._files = array("L", [index for _, _, index in ordered])
        if layout.note:
            self._notes.append(layout.note)
        missing = max(numbers, default=-1) + 1 - distinct
        if missing > 0:
            are = "event is" if missing == 1 else "events are"
            self._notes.append(f"{missing:,} {are} missing before the last one")
        if twice:
            self._notes.append(f"{twice} file names appear more than once")
        meta = self._meta(layout)
        is_run = members.is_cut and may_be_run([*members.names[:1], *members.partial])
        if meta is None and not self._files and not is_run:
            raise ArchiveProblem(f"{name} holds no trajectory", _HINT)
        self.info: dict[str, Any] = meta or {}
        """What meta.json says, without secrets, in its own names (`id`, `title`, `llm_model`,
        `selected_repository`, `created_at`, `metrics`, ...); any of it may be missing or of a
        wrong type. Where base_state.json is there, `execution_status` and `stats` of it too."""
        self._cut_off = CUT_OFF if members.is_cut or self._lacks_last() else None
        """None until the last event was looked at."""

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which has to `take` the file. Of zips with a table of contents."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def take(self, file: IO[bytes]) -> None:
        """The zip to read from now on, which is closed with this."""
        assert isinstance(self._members, ZipMembers)
        self._members.take(file)

    def __len__(self) -> int:
        return len(self._files)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def cut_off(self) -> str:
        """Why nobody can say how the run ended, "" when its end is here. It is not when the zip has
        no end, base_state.json names an event that is not here, or the last event is broken."""
        if self._cut_off is None and not self._is_closed:
            self._cut_off = self._last_problem() if self._files else ""
        return self._cut_off or ""

    @property
    def note(self) -> str:
        """`problems` on one line, of many only the first, and how many sub-agents there are."""
        told = self.problems
        more = len(told) - _TOLD
        if more > 0:
            told = [*told[:_TOLD], plural(more, "more problem")]
        if self.sub_agents:
            whose = "whose steps are not shown"
            told.append(f"has {plural(self.sub_agents, 'sub-agent')}, {whose}")
        return "; ".join(told)

    @property
    def problems(self) -> list[str]:
        """What is wrong with the archive, a line each; grows when a file cannot be read."""
        lines = [CUT_OFF] if self.cut_off == CUT_OFF else []
        with self._lock:
            lines += self._notes
            for reason, names in self._failed.items():
                first = ", ".join(map(_shown, sorted(names)[:_NAMED]))
                more = ", ..." if len(names) > _NAMED else ""
                files = "1 file" if len(names) == 1 else f"{len(names)} files"
                lines.append(f"{files} cannot be read, {reason}: {first}{more}")
        return lines

    def read(self, place: int) -> bytes:
        """The JSON text of the event at `place`; b"" when it cannot be read."""
        return self._read(self._files[place])

    def event(self, place: int) -> Event:
        """The event at `place`, counted from 0."""
        event = parse_event(self.read(place), store=self, place=place)
        if event.kind == UNREADABLE:
            # it has no id of its own, and must not take that of another event
            name = self._members.names[self._files[place]]
            match = EVENT_FILE.fullmatch(name)
            event.id = f"unreadable-{place}-{(match and match[2]) or ''}"
            event.summary = _shown(name.rpartition("/")[2])
        return event

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[Event]:
        """The events from `start` to before `stop`, oldest first, as in a slice: negative numbers
        count from the end."""
        for place in range(*slice(start, stop).indices(len(self))):
            yield self.event(place)

    def close(self) -> None:
        """The texts of the events can then no longer be read."""
        with self._lock:
            self._is_closed = True
            self._members.close()

    def _read(self, index: int) -> bytes:
        with self._lock:
            if self._is_closed:
                return b""
            try:
                return self._members.read(index)
            except CannotRead as error:
                self._failed.setdefault(str(error), set()).add(self._members.names[index])
                return b""

    def _meta(self, layout: Layout) -> dict[str, Any] | None:
        """What meta.json and base_state.json tell; None if there is neither."""
        before = f"{layout.home}/" if layout.home else ""
        names = (before + name for name in STATE_FILES)
        found = [self._json(layout.others[name]) for name in names if name in layout.others]
        if not any(found):
            return None
        told = [stats_text(field(values, "stats")) for values in found]
        metrics = field(found[0], "metrics")
        told.append(
            agent_text(
                field(metrics, "accumulated_cost"), field(metrics, "accumulated_token_usage")
            )
        )
        self.stats = next(filter(None, told), b"")
        meta: dict[str, Any] = {}
        for values in found:
            for old, new in (
                (field(values, "conversation_id"), "id"),
                (field(values, "agent", "llm", "model"), "llm_model"),
                (field(values, "execution_status"), "execution_status"),
                (field(values, "stats"), "stats"),
                *((field(values, name), name) for name in _LAST),
            ):
                if old is not None:
                    meta.setdefault(new, old)
        meta |= {name: value for name, value in found[0].items() if value is not None}
        result: dict[str, Any] = redact_json(meta)
        return result

    def _last_problem(self) -> str:
        """What is wrong with the last event: its text ends too early, or cannot be read."""
        try:
            with self._lock:
                text = self._members.read(self._files[-1])
        except CannotRead:
            return NO_END
        return CUT_OFF if parse_event(text).kind == UNREADABLE else ""

    def _lacks_last(self) -> bool:
        """Whether base_state.json names an event that is not here. A server writes the event
        first and base_state.json second."""
        last = (self.info.get(name) for name in _LAST)
        return any(
            isinstance(name, str) and name and not self._members.mention(name) for name in last
        )

    def _json(self, index: int) -> dict[str, Any]:
        try:
            value = decode_json(self._read(index))
        except ValueError:
            self._notes.append(f"{_shown(self._members.names[index])} is no JSON")
            return {}
        return value if isinstance(value, dict) else {}


def open_archive(source: str | Path | IO[bytes], name: str = "the zip") -> Archive:
    """Opens a zip, a folder, or a zip in a binary file object (which stays the caller's to close),
    called by the name.

    Raises ArchiveProblem.
    """
    if not isinstance(source, str | Path):
        return _open_zip(source, _shown(name), owned=False)
    path = Path(source)
    name = _shown(path.name or path.absolute().name or str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Archive(FolderMembers(path), name)
        if not stat.S_ISREG(mode):
            raise ArchiveProblem(f"{name} is neither a file nor a folder", _HINT)
        file = path.open("rb")
    except FileNotFoundError as error:
        raise ArchiveProblem(f"There is no file or folder {name}") from error
    except PermissionError as error:
        raise ArchiveProblem(f"No permission to read {name}") from error
    except (OSError, ValueError) as error:
        raise ArchiveProblem(f"{name} cannot be read") from error
    return _open_zip(file, name, owned=True)


def find_archives(paths: Iterable[str | Path]) -> list[Path]:
    """The paths to open as archives: zips and folders of a run as they are given, other folders
    by what lies in them, sorted by name. A path that is nothing of that is given back, so that
    opening it says what is wrong."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = [] if _is_run(path) else _inside(path)
        found += inside or [path]
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> list[Path]:
    try:
        children = sorted(folder.iterdir())
    except (OSError, ValueError):
        return []
    return [
        child
        for child in children
        if (child.suffix.lower() == ".zip" and child.is_file()) or _is_run(child)
    ]


def _is_run(folder: Path) -> bool:
    """Whether a folder holds the files of one run."""
    for place in (folder, folder / "events"):
        try:
            with os.scandir(place) as entries:
                if any(
                    e.name == "base_state.json" or EVENT_FILE.fullmatch(e.name) for e in entries
                ):
                    return True
        except (OSError, ValueError):
            return False
    return False


def _open_zip(file: IO[bytes], name: str, *, owned: bool) -> Archive:
    try:
        return Archive(_zip_members(file, name, owned=owned), name)
    except ArchiveProblem:
        if owned:
            file.close()
        raise


def _zip_members(file: IO[bytes], name: str, *, owned: bool) -> Members:
    try:
        return ZipMembers(file, owned=owned)
    except NotOpened as error:
        raise ArchiveProblem(
            f"{name} is not opened: it {error}", "do not trust it: OpenHands makes no such zip"
        ) from error
    except BROKEN:
        pass
    try:
        file.seek(0)
        start = file.read(4)
        if not start:
            raise ArchiveProblem(f"{name} is empty", "the download may have failed: fetch it again")
        if not b"PK\x03\x04".startswith(start):
            raise ArchiveProblem(f"{name} is no zip", _HINT)
        return CutZipMembers(file, owned=owned)
    except (OSError, ValueError) as error:
        raise ArchiveProblem(f"{name} cannot be read") from error


def _shown(text: str) -> str:
    line = safe_line(text[:400])
    return line if len(line) <= 120 else line[:119] + "…"

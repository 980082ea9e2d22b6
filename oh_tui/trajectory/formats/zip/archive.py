"""A run in a zip or folder. Its events are read on demand."""

from __future__ import annotations

import contextlib
import stat
import threading
from array import array
from functools import partial
from itertools import islice
from operator import lt
from pathlib import Path
from typing import IO

from oh_tui.text.human import plural
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.formats.endings import ending_of
from oh_tui.trajectory.formats.plain_file import PooledFile, source_of
from oh_tui.trajectory.formats.run_file import (
    Format,
    FormatProblem,
    OneRun,
    RunFile,
    SubAgentFile,
    opening,
    short_name,
    some,
)
from oh_tui.trajectory.formats.zip.folder_members import FolderMembers, is_near
from oh_tui.trajectory.formats.zip.zip_layout import (
    EVENT_FILE,
    STATE_FILES,
    Layout,
    is_state,
    lay_out,
    may_be_run,
    no_columns,
)
from oh_tui.trajectory.formats.zip.zip_members import CannotRead, CutTable, Members, ZipMembers
from oh_tui.trajectory.formats.zip.zip_table import NoTable, NotOpened, read_table
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.events import Event, decode_json, parse_event
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import CUT_OFF, NO_END
from oh_tui.trajectory.model.usage_stats import stats_text, unnamed_text

_LAST = ("leaf_event_id", "last_user_message_id")
"""Fields of base_state.json that contain an event id."""

_HINT = "give a zip, a folder or an output file of OpenHands, or a folder of those"


class NoTrajectory(FormatProblem):
    """A zip or folder without a run of OpenHands in folders. It may hold others."""


class Archive(RunFile):
    """The events of one run in a zip or folder, ordered by file name.

    Lists the files at once and reads each on demand, so that no texts stay in memory. Thread-safe.
    Never raises: a file that cannot be read becomes an event of kind UNREADABLE and a line in
    `problems`.
    """

    def __init__(self, members: Members, name: str, parent: Archive | None = None) -> None:
        """Takes ownership of the members. Raises FormatProblem if they contain no run. A sub-agent
        is named by its home and reads the members of its `parent`."""
        self.name = name
        self._members = members
        self.parent = parent
        self._lock: threading.Lock = parent._lock if parent is not None else threading.Lock()
        self._closed = False
        self._failed: dict[str, set[str]] = {}
        """Reason -> names of the files that could not be read."""
        self._notes = [short_name(note) for note in members.notes]
        if parent is None:
            layout = lay_out(members.names)
        else:
            below = parent._below
            layout = below._replace(home=name, events=below.below[name], note="")
            self.name = short_name(layout.name_of(name))
            self._notes = []
        home = f"{layout.home}/" if layout.home else ""
        beside = (ending_of(one).kind for one in layout.others if not one.startswith(home))
        self.may_hold_more = layout.runs > 1 or any(beside)
        """Other runs may be in the file, of which this is the one with the most events."""
        self._below: Layout = layout._replace(
            events=no_columns(), others=layout.others if layout.below else {}
        )
        numbers, self._files = layout.events
        twice, distinct = 0, len(numbers)
        if not all(map(lt, numbers, numbers[1:])):  # servers write them in order
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
        states = (home + name for name in STATE_FILES)
        self._states = {one: layout.others[one] for one in states if one in layout.others}
        self.folder: FolderMembers | None = None
        """The files of a run in a folder to which another program may add."""
        if isinstance(members, FolderMembers) and members.grows and parent is None:
            self.folder = members
        self.is_held_back = False
        """The newest event is left out because it is still being written."""
        meta = self._meta()
        has_meta = any(one.endswith("meta.json") for one in self._states)
        if parent is None and not self._files and not has_meta:
            meta = meta if is_state(meta) else None  # the only sign of a run
        is_run = members.is_cut and may_be_run([*islice(members.names, 1), *members.partial])
        if meta is None and not self._files and not is_run and parent is None:
            raise NoTrajectory(f"{name} holds no trajectory", _HINT)
        self.info = meta or {}
        """meta.json without secrets (`id`, `title`, `llm_model`, `selected_repository`, `metrics`,
        ...), plus `execution_status` and `stats` of base_state.json. Any field may be missing or
        have a wrong type."""
        last = (name for name in map(self.info.get, _LAST) if isinstance(name, str) and name)
        lacks_last = not all(map(members.mention, last))  # servers write events first
        self._cut_off = CUT_OFF if members.is_cut or lacks_last else None
        """None until the last event has been checked."""
        if self.folder and len(self._files) > 1 and self.is_original(len(self._files) - 2):
            self.is_held_back = self.folder.is_unfinished(members.names[self._files[-1]])
            del self._files[len(self._files) - self.is_held_back :]

    def __len__(self) -> int:
        return len(self._files)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def sub_agents(self) -> tuple[SubAgentFile, ...]:
        layout, members = self._below, self._members
        return tuple(
            SubAgentFile(layout.name_of(home), partial(Archive, members, home, self))
            for home in layout.started.get(layout.home, ())
        )

    @property
    def cut_off(self) -> str:
        """The zip may be cut off, the last event broken, or base_state.json may name a missing
        event."""
        if self._cut_off is None and not self._is_closed:
            self._cut_off = ""
            try:
                with self._lock:
                    last = self._members.read(self._files[-1]) if self._files else None
                if last is not None and parse_event(last).kind == UNREADABLE:
                    self._cut_off = CUT_OFF
            except CannotRead:
                self._cut_off = NO_END
        return self._cut_off or ""

    @property
    def problems(self) -> list[str]:
        lines = [CUT_OFF] if self.cut_off == CUT_OFF else []
        with self._lock:
            lines += self._notes
            for reason, names in self._failed.items():
                files = plural(len(names), "file")
                lines.append(f"{files} cannot be read, {reason}: {some(sorted(names))}")
        return lines

    def add_row(
        self, info: dict[str, object], stats: bytes, recorded: Recorded, notes: list[str]
    ) -> None:
        """Adds what the row of an evaluation says about the run, without secrets."""
        self.info = self.info | info
        self.stats, self.recorded = self.stats or stats, recorded
        self._notes += notes

    def state(self) -> bytes:
        kept = [index for name, index in self._states.items() if name.endswith("base_state.json")]
        return self._read(kept[0]) if kept else b""

    def read(self, place: int) -> bytes:
        return self._read(self._files[place])

    def event(self, place: int) -> Event:
        event = parse_event(self.read(place), store=self, place=place)
        if event.is_unreadable:
            # an event without an id must not get that of another
            name = self._members.names[self._files[place]]
            match = EVENT_FILE.fullmatch(name)
            event.id = f"unreadable-{place}-{(match and match[2]) or ''}"
            event.summary = short_name(name.rpartition("/")[2])
        return event

    def grow(self) -> bool:
        """Adds what was written into the folder since it was listed. False if a known event is
        missing or others lie between them: the folder must then be reopened."""
        assert self.folder is not None
        self._renew()  # the state goes first: if it says that the run is over, all events are there
        try:
            names = self.folder.now()
        except OSError:
            return True  # gone: what was read stays
        known, held = self.folder.names, len(self._files)
        last = known[self._files[-1]] if held else ""
        home = last.rpartition("/")[0] if held else "events"
        if home not in ("", "events"):  # no run of its own, only sub-agents
            return True
        found = sorted(
            (int(match[1]), name)
            for name in names
            if (match := EVENT_FILE.fullmatch(name)) and name.rpartition("/")[0] == home
        )
        if held and (len(found) < held or found[held - 1][1] != last):
            return False
        with self._lock:
            added = [name for _, name in found[held:]]
            self.is_held_back = bool(added) and self.folder.is_unfinished(added[-1])
            self._files.extend(self.folder.add(added[:-1] if self.is_held_back else added))
            self._cut_off = None
        if states := [one for one in STATE_FILES if one in names and one not in self._states]:
            self._states |= zip(states, self.folder.add(states), strict=True)
            self._renew()
        return True

    def is_original(self, place: int) -> bool:
        """Whether the file of the event at index `place` was written when the event happened, not
        copied or unpacked later."""
        return is_near(self.written_at(place), self.event(place).timestamp)

    def written_at(self, place: int) -> float:
        """When the file of the event at index `place` was written, in seconds since 1970; 0 if it
        is gone."""
        assert self.folder is not None
        return self.folder.written_at(self.folder.names[self._files[place]])

    def _renew(self) -> None:
        """Reads the state again. If it is being written, the next look reads it."""
        notes, info, stats = list(self._notes), self.info, self.stats
        meta = self._meta()
        if len(self._notes) > len(notes) or meta is None:
            self._notes, self.stats = notes, stats
        else:
            self.info = {**info, **meta}

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self.parent is None:
                self._members.close()

    @property
    def _is_closed(self) -> bool:
        return self._closed or (self.parent is not None and self.parent._is_closed)

    def _read(self, index: int) -> bytes:
        with self._lock:
            if self._is_closed:
                return b""
            try:
                return self._members.read(index)
            except CannotRead as error:
                self._failed.setdefault(str(error), set()).add(self._members.names[index])
                return b""

    def _meta(self) -> dict[str, object] | None:
        """The fields of meta.json and base_state.json; None if both are missing. Sets `stats`."""
        found = [self._json(index) for index in self._states.values()]
        if not any(found):
            return None
        metrics = field(found[0], "metrics")
        sums = (field(metrics, f"accumulated_{name}") for name in ("cost", "token_usage"))
        stats = [*(stats_text(field(values, "stats")) for values in found), unnamed_text(*sums)]
        self.stats = next(filter(None, stats), b"")
        meta: dict[str, object] = {}
        for values in found:
            for name, value in (
                ("id", field(values, "conversation_id")),
                ("llm_model", field(values, "agent", "llm", "model")),
                *((name, field(values, name)) for name in ("execution_status", "stats", *_LAST)),
            ):
                if value is not None:
                    meta.setdefault(name, value)
        meta |= {name: value for name, value in found[0].items() if value is not None}
        result: dict[str, object] = redact_json(meta)
        return result

    def _json(self, index: int) -> dict[str, object]:
        try:
            value = decode_json(self._read(index))
        except ValueError:
            self._notes.append(f"{short_name(self._members.names[index])} is not JSON")
            return {}
        return value if isinstance(value, dict) else {}


def is_zip(head: bytes, name: str = "") -> bool:
    return head[:2] == b"PK"


def _is_run_folder(head: bytes, name: str) -> bool:
    names = head.decode("utf-8", "replace").split("\n")
    return name.endswith("/") and any(
        one.endswith("base_state.json") or EVENT_FILE.fullmatch(one) for one in names
    )


FOLDER = Format(
    "folder of a run",
    _is_run_folder,
    lambda source: OneRun(open_archive(source.path, source.name)),
)


def open_archive(source: str | Path | IO[bytes], name: str = "") -> Archive:
    """Opens a zip, a folder, or a zip in a binary file object, which the caller closes. Problems
    call it `name`, or else by its path. Raises FormatProblem."""
    if not isinstance(source, str | Path):
        name = short_name(name or "the zip")
        return Archive(zip_members(source, name), name)
    path = Path(source)
    name = short_name(name or path.name or path.absolute().name or str(path))
    with opening(name):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Archive(FolderMembers(path), name)
        if not stat.S_ISREG(mode):
            raise FormatProblem(f"{name} is neither a file nor a folder", _HINT)
        file = PooledFile(path)
    try:
        return Archive(zip_members(file, name), name)
    except FormatProblem:
        file.close()
        raise


def zip_members(file: IO[bytes] | PooledFile, name: str) -> Members:
    """Raises FormatProblem."""
    try:
        source = source_of(file)
        with contextlib.suppress(NoTable):
            return ZipMembers(file, read_table(source))
        source.seek(0)
        start = source.read(4)
        if not start:
            raise FormatProblem(f"{name} is empty", "the download may have failed: fetch it again")
        if not b"PK\x03\x04".startswith(start):
            raise FormatProblem(f"{name} is not a zip", _HINT)
        return ZipMembers(file, CutTable(source))
    except NotOpened as error:
        raise FormatProblem(
            f"{name} is not opened: it {error}", "do not trust it: OpenHands makes no such zip"
        ) from error
    except (OSError, ValueError) as error:
        raise FormatProblem(f"{name} cannot be read") from error

"""What the explorer knows: what is open, selected, filtered, loaded and remembered.

The one owner of this state. Controllers change it; panes draw it. It holds no widget and asks no
server, so that it is tested without an app.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from oh_tui.api.models import Conversation, Sandbox, bare_id, same_id
from oh_tui.settings.preferences import Preferences
from oh_tui.settings.startup import Settings
from oh_tui.sources.source import Source
from oh_tui.tui.arrangement import Arrangement
from oh_tui.tui.board import Board
from oh_tui.tui.runs import News, Run, Runs

if TYPE_CHECKING:
    from oh_tui.sources.pager import Pager
    from oh_tui.sources.starting import Draft
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step, Trajectory
    from oh_tui.tui.filtering import Filtering
    from oh_tui.tui.finding import Finding
    from oh_tui.tui.shells import Shell
    from oh_tui.tui.widgets.sandbox_rows import SandboxRow


class Sandboxes:
    """The sandboxes of a server: as last read, or as an act since then reported them."""

    def __init__(self) -> None:
        self.known = False
        """They were read: that there are none is true."""
        self.all: tuple[Sandbox, ...] = ()
        self._settled: dict[str, float] = {}
        """By id when an act told last how a sandbox stands."""

    def take(self, read: Iterable[Sandbox], asked: float) -> None:
        """The sandboxes as they were asked for then; those that an act has told of since stay."""
        newer = {one.id: one for one in self.all if self._settled.get(one.id, 0.0) >= asked}
        self.known = True
        self.all = tuple(newer.get(one.id, one) for one in read)

    def settled(self, sandbox_id: str, status: str, now: float) -> None:
        """An act told how this one stands; the next reading tells the rest."""
        self._settled[sandbox_id] = now
        self.all = tuple(
            replace(one, status=status) if one.id == sandbox_id else one for one in self.all
        )

    def status(self, sandbox_id: str | None) -> str:
        """How a sandbox stands, "" for one that is not known."""
        return next((one.status or "" for one in self.all if one.id == sandbox_id), "")


class Batch:
    """Work on many things one after the other, each of which is done to its end."""

    def __init__(self) -> None:
        self.stopped = False
        """No further one is to be begun."""


class Wait(Struct, eq=False):
    """An answer of the server that is waited for in sight of the user."""

    stage: str
    """What goes on meanwhile, in words."""
    began: float


class Cursors(Protocol):
    """The cursor positions, which the panes own."""

    @property
    def listed(self) -> Conversation | None:
        """The conversation under the cursor of the list."""

    @property
    def sandbox(self) -> SandboxRow | None:
        """The sandbox under the cursor of its pane."""

    @property
    def step(self) -> tuple[Step | None, Event] | None:
        """The step, and the event of it, under the cursor of the timeline; no step for an event of
        none."""

    @property
    def selecting(self) -> bool:
        """A range of steps is being selected."""
        ...

    @property
    def steps(self) -> tuple[int, int] | None:
        """The first and last number of the steps selected; None without a range."""


class Session:
    def __init__(
        self,
        settings: Settings,
        preferences: Preferences | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cursors: Cursors | None = None
        """Of the panes; None before they are there."""
        self.settings = settings
        self.preferences = preferences or Preferences()
        """How the explorer was set: theme, time, wrap, the place of the divider."""
        self.clock = clock
        self.source: Source | None = None
        """What is open; None until it is made, and while another server is gone to."""
        self.unopened: Callable[[], Source] | None = None
        """Makes the source that is being opened; None as soon as its first page was read."""
        self.open_id = ""
        """What the command line names, a conversation or its start; "" once that is opened."""
        self.unsupported: set[str] = set()
        """Parts of the lists that this server does not know at all."""
        self.pager: Pager[Conversation] | None = None
        """The pages of the list that are not read yet; None when all are."""
        self.board = Board()
        """The conversations that are listed, how each stands and where."""
        self.sandboxes = Sandboxes()
        self.show_gone = False
        """Sandboxes that are gone are listed too."""
        self.marks: frozenset[str] = frozenset()
        """Ids, without dashes, of the conversations that are marked."""
        self.all_listed = False
        """The last page of conversations was read."""
        self.total: int | None = None
        """How many conversations there are, as far as the source tells."""
        self.arrangement = Arrangement()
        """Which panes are on the screen."""
        self.pane = "conversations"
        """The pane that has the focus, or had it before a question took it."""

        self.current: Conversation | None = None
        """The conversation whose run is at the right."""
        self.trail: list[Conversation] = []
        """The conversations gone in from, to sub-conversations."""
        self.runs = Runs()
        self.trajectory: Trajectory | None = None
        """Of the run at the right, as it is or is about to be drawn; None until it is read."""
        self.open_at = ""
        """The step, event or time where the cursor is to land in the run that is read first."""
        self.is_reading = False
        """Events of the run at the right are being read, which Esc stops."""
        self.progress = ""
        """What of it is being read, or why not all is there; "" when all is."""
        self.progress_of: object = None
        """Stands for the reading that tells `progress`: one that was cut off finds another here."""
        self.run_shown = asyncio.Event()
        """Steps of a run were on the screen, for the first time."""
        self.reader: str | None = None
        """Why the run at the right is being read: "preview" or "reader"; None when it is not."""
        self.run_news = News()
        """Rings when something of the run at the right came, or its reading ended."""
        self.follow = True
        """The cursor keeps to the newest step of a live run."""
        self.filtering: Filtering | None = None
        """The filter that is on."""
        self.finding: Finding | None = None
        """What is looked for; None for nothing."""
        self.wrap_lines = self.preferences.chosen.wrap
        """Long lines of call and result wrap; else they are cut."""

        self.drafts: dict[str, str] = {}
        """Messages written and not sent, by conversation id without dashes."""
        self.draft: Draft | None = None
        """The conversation that is being written, to be started."""
        self.starting = ""
        """What the start under way is at; "" without one."""
        self.batch: Batch | None = None
        """The sandboxes of all marked conversations are being paused or resumed."""
        self.changing: dict[str, str] = {}
        """Ids of the sandboxes that are being paused or resumed, and which of the two, in words."""
        self.waits: list[Wait] = []
        """What is waited for in sight of the reader, the last begun at the end."""
        self.saved: Path | None = None
        """The last trajectory downloaded."""
        self.shells: dict[str, Shell] = {}
        """What was run in sandboxes, by conversation id without dashes."""
        self.shell_history: list[str] = []
        self._writes: list[tuple[str, tuple[str, ...]]] = []
        """What is being written at this moment, in words, and the ids without dashes of the
        conversations that it is about."""

    # What a key means

    def target(self) -> Conversation | None:
        """The conversation that a key acts on, as it is known last. In the lists the one under the
        cursor (of a sandbox the one that its row names), else the one whose run is shown."""
        cursors, found = self.cursors, self.current
        if cursors and self.pane == "conversations":
            found = cursors.listed
        elif cursors and self.pane == "sandboxes":
            row = cursors.sandbox
            found = row.conversations[0] if row and row.conversations else None
        known = self.board.row(found.id) if found else None
        return known.conversation if known else found

    def target_sandbox(self) -> str | None:
        """The id of the sandbox that a key acts on."""
        if self.cursors and self.pane == "sandboxes":
            row = self.cursors.sandbox
            return row.id if row else None
        conversation = self.target()
        return conversation.sandbox_id if conversation else None

    @property
    def no_target(self) -> str:
        """Why there is no conversation to act on."""
        inside = self.pane == "sandboxes" and self.cursors and self.cursors.sandbox
        if inside:
            return "no conversation of this sandbox is loaded"
        return "no conversation is selected"

    @property
    def means_marked(self) -> bool:
        """A key means the conversations that are marked, not the one under the cursor."""
        return self.pane == "conversations" and bool(self.marks)

    @property
    def no_changes(self) -> str:
        """Why nothing can be changed from here; "" when it can."""
        if self.settings.read_only:
            return "read-only: nothing is changed from here"
        if self.source is None or not self.source.sandboxes:
            return "these are files: there is no sandbox"
        return ""

    # The layout

    def sized(self, size: tuple[int, int]) -> Arrangement:
        """The arrangement on a screen of this size, the divider where it was put at this width."""
        return self.arrangement.sized(size, self.preferences.chosen.left.get(size[0], 0))

    # What is open

    def leave_source(self, settings: Settings) -> None:
        """Keep nothing of the server that was open, but what is written and not sent; `settings`
        are those of the next one."""
        if self.batch:
            self.batch.stopped = True
        self.settings = settings
        self.pager = self.unopened = None
        self.open_id = self.open_at = ""
        self.runs = Runs()
        self.close_run()
        self.begin_lists(Board())

    # The lists

    def begin_lists(self, board: Board) -> None:
        """Another source, of which nothing is known yet."""
        self.board, self.sandboxes = board, Sandboxes()
        self.marks, self.total, self.all_listed = frozenset(), None, False

    async def save_seen(self) -> None:
        """Write to disk what was seen of the conversations listed, if there is anything new."""
        memory = self.board.memory
        if (news := memory.take_changes()) and not await asyncio.to_thread(memory.write, news):
            memory.put_back(news)

    async def save_preferences(self) -> None:
        """Write to disk how the explorer was set, if that has changed."""
        kept = self.preferences
        if (news := kept.take_changes()) and not await asyncio.to_thread(kept.write, news):
            kept.put_back(news)

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """Those listed, in the order shown."""
        return tuple([row.conversation for row in self.board.rows])

    @property
    def listed_id(self) -> str:
        """The id of the conversation under the cursor of the list; "" without one."""
        listed = self.cursors.listed if self.cursors else None
        return listed.id if listed else ""

    def reorder(self) -> None:
        """Put rows where they belong, but the one under the cursor, which stays in its group."""
        self.board.reorder(keep=self.listed_id)

    @property
    def marked(self) -> tuple[Conversation, ...]:
        """In the order shown."""
        return tuple(c for c in self.conversations if bare_id(c.id) in self.marks)

    def keep_marks(self, marks: frozenset[str]) -> None:
        """Replace the marks; conversations that are no longer listed lose theirs."""
        self.marks = marks & {row.id for row in self.board.rows} if marks else marks

    def unmark(self, conversations: Iterable[Conversation]) -> None:
        self.keep_marks(self.marks - {bare_id(c.id) for c in conversations})

    def sandbox_settled(self, sandbox_id: str, status: str) -> None:
        """A sandbox came to stand so with all that is in it, as the server has just told."""
        now = time.monotonic()
        self.sandboxes.settled(sandbox_id, status, now)
        self.board.told_sandbox(sandbox_id, status, now)

    @contextlib.contextmanager
    def claiming(self, sandbox_ids: Iterable[str]) -> Iterator[set[str]]:
        """No other key changes these sandboxes meanwhile, until they are released."""
        claimed = set(sandbox_ids)
        self.changing |= dict.fromkeys(claimed, "being looked at")
        try:
            yield claimed
        finally:
            for one in tuple(claimed):
                self.release(one, claimed)

    def release(self, sandbox_id: str, claimed: set[str]) -> None:
        """Another key may change this one of the sandboxes that are claimed."""
        claimed.remove(sandbox_id)
        del self.changing[sandbox_id]

    # The run

    @property
    def filter_text(self) -> str:
        """The filter as it was typed; "" for none."""
        return self.filtering.query.text if self.filtering else ""

    @property
    def find_text(self) -> str:
        """The text that is looked for; "" for none."""
        return self.finding.text if self.finding else ""

    def is_open(self, conversation: Conversation) -> bool:
        """Whether its run is at the right."""
        return self.current is not None and same_id(self.current.id, conversation.id)

    @property
    def run(self) -> Run | None:
        """The run at the right, as far as it is read."""
        return self.runs.get(self.current.id) if self.current else None

    @property
    def has_events(self) -> bool:
        """Events of the run at the right are there."""
        return self.trajectory is not None and bool(self.trajectory.events)

    def take_record(self, now: Conversation) -> None:
        """What the server tells now of the conversation at the right."""
        self.current = now
        if self.pane in ("timeline", "detail"):
            self.board.open(now.id)

    def close_run(self) -> None:
        """No conversation is open any more."""
        self.current = self.trajectory = None
        self.open_at = self.progress = ""
        self.is_reading = False
        self.trail.clear()

    # What is being written

    @contextlib.contextmanager
    def writing(self, what: str, *about: str) -> Iterator[None]:
        """Something is being written, `about` conversations with these ids; quitting asks
        meanwhile."""
        one = (what, tuple(bare_id(identifier) for identifier in about))
        self._writes.append(one)
        try:
            yield
        finally:
            self._writes.remove(one)

    def is_writing(self, verb: str, about: str) -> bool:
        """Whether something whose words begin so is being written about this conversation."""
        return any(what.startswith(verb) and bare_id(about) in ids for what, ids in self._writes)

    @property
    def writing_words(self) -> str:
        """All that is being written, each kind once; "" for nothing."""
        return ", ".join(sorted({what for what, _ in self._writes}))

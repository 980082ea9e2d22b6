"""The state of the explorer: what is open, selected, filtered, loaded and remembered. Controllers
change it; panes draw it. It can be tested without an app."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import NEEDS, ORDERS
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.settings.preferences import Preferences
from oh_tui.settings.startup import Settings
from oh_tui.sources import budget
from oh_tui.sources.source import OfServer, Source
from oh_tui.text.human import plural
from oh_tui.tui.state.arrangement import Arrangement
from oh_tui.tui.state.automations import AutomationRow, LoadedAutomations
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.state.hearing import Hearing, Lost
from oh_tui.tui.state.listing import Listing
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from oh_tui.tui.state.loaded_runs import Run, Runs, Signal
from oh_tui.tui.state.sandboxes import Sandboxes, SandboxRow
from oh_tui.tui.state.work import Batch, OwnChange, ToldBudgets, Wait, Writes

if TYPE_CHECKING:
    from oh_tui.actions.start_draft import Draft
    from oh_tui.catalog.pager import Pager
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.state.columns import Choice
    from oh_tui.tui.state.filtering import Filtering
    from oh_tui.tui.state.finding import Finding
    from oh_tui.tui.state.questions import Questions
    from oh_tui.tui.state.replays import Replay
    from oh_tui.tui.state.shells import Shell


class Cursors(Protocol):
    """What is under the cursors, which the panes own."""

    @property
    def listed(self) -> Conversation | None: ...

    @property
    def tile(self) -> Conversation | None: ...

    @property
    def sandbox(self) -> SandboxRow | None: ...

    @property
    def automation(self) -> AutomationRow | None: ...

    @property
    def automations_in_sight(self) -> Collection[str]:
        """Their ids."""
        ...

    @property
    def selecting(self) -> bool:
        """Whether a range of steps is being selected."""
        ...


class Session:
    def __init__(
        self,
        settings: Settings,
        preferences: Preferences | None = None,
        annotations: Annotations | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cursors: Cursors | None = None
        """None before the panes exist."""
        self.settings = settings
        self.preferences = preferences or Preferences()
        self.annotations = annotations or Annotations()
        self.clock = clock
        self.hearing = Hearing(lambda: self.clock())
        """Which servers do not answer. What is told of a run is as of `hearing.now`."""
        self.source: Source | None = None
        """The open source; None until it is made, and while switching servers."""
        self.unopened: Callable[[], Source] | None = None
        """Makes the source being opened; None once its first page has been read."""
        self.open_id = ""
        """A conversation or start task, named on the command line; "" once it is open."""
        self.open_sort = self.open_filter = ""
        """Named on the command line, for the first source alone."""
        self.unsupported: set[str] = set()
        self.pager: Pager[Conversation] | None = None
        """The remaining pages of the list; None when all are read."""
        self.loaded = LoadedConversations()
        self.listing = Listing(self.annotations.of)
        self.sandboxes = Sandboxes()
        self.automations = LoadedAutomations()
        self.show_gone = False
        self.marks: frozenset[str] = frozenset()
        """Ids, without dashes, of the marked conversations."""
        self.own_change: OwnChange | None = None
        """The last one, until it is taken back."""
        self.all_listed = False
        """Whether the last page of conversations has been read."""
        self.total: int | None = None
        self.arrangement = Arrangement()
        self.pane = "conversations"
        """The pane that has the focus, or had it before a question took it."""

        self.current: Conversation | None = None
        """That whose run is at the right."""
        self.trail: list[tuple[Conversation, str]] = []
        """How the user came to a sub-agent: conversations, each with the id of the one entered."""
        self.runs = Runs()
        self.trajectory: Trajectory | None = None
        """Of the run at the right, which may be drawn a turn later; None until it is read."""
        self.open_at = ""
        """The step, event or time at which the cursor starts in the first run that is read."""
        self.is_reading = False
        """Whether events of the run at the right are being read, which Esc stops."""
        self.progress = ""
        """What is being read of it, or why not everything is; "" when everything is."""
        self.progress_of: object = None
        """The reading that owns `progress`; a cancelled reading finds another one here."""
        self.run_shown = asyncio.Event()
        self.reader: str | None = None
        """Why the run at the right is being read: "preview" or "reader"; None when it is not."""
        self.run_news = Signal()
        """Signals that something of the run at the right arrived, or that reading it ended."""
        self.follow = True
        self.filtering: Filtering | None = None
        self.finding: Finding | None = None
        self.wrap_lines = self.preferences.chosen.wrap
        """Long lines of call and result wrap; else they are cut."""

        self.budgets_told = ToldBudgets()
        self.drafts: dict[str, str] = {}
        """Unsent messages; these, shells and questions are by conversation id without dashes."""
        self.note_drafts: dict[tuple[str, str], str] = {}
        """Notes that were put aside, by ids of conversation and event, "" for the whole run."""
        self.draft: Draft | None = None
        self.starting = ""
        """The stage of the start under way; "" without one."""
        self.batch: Batch | None = None
        self.replay: Replay | None = None
        """The one that runs, or ran last on this server."""
        self.changing: dict[str, str] = {}
        """Ids of the sandboxes being paused or resumed, and which of the two, in words."""
        self.waits: list[Wait] = []
        self.saved: Path | None = None
        self.shells: dict[str, Shell] = {}
        self.questions: dict[str, Questions] = {}
        self.shell_history: list[str] = []
        self.writes = Writes()

    # What a key means

    def target(self) -> Conversation | None:
        """The conversation that a key acts on, with its latest record: in the lists that under the
        cursor (for a sandbox the one that its row names), else that whose run is shown."""
        cursors, found = self.cursors, self.current
        if cursors and self.pane == "conversations":
            found = cursors.listed
        elif cursors and self.pane == "sandboxes":
            row = cursors.sandbox
            found = row.conversations[0] if row and row.conversations else None
        elif cursors and self.pane == "wall":
            found = cursors.tile
        elif cursors and self.pane == "automations":
            found = None
        known = self.loaded.row(found.id) if found else None
        return known.conversation if known else found

    def target_sandbox(self) -> str | None:
        if self.cursors and self.pane == "sandboxes":
            return self.place or None
        conversation = self.target()
        return conversation.sandbox_id if conversation else None

    @property
    def automation(self) -> AutomationRow | None:
        """That under the cursor, in the pane of the automations."""
        return self.cursors.automation if self.cursors and self.pane == "automations" else None

    @property
    def place(self) -> str:
        """The id of the sandbox or automation under the cursor of pane 2, or of the tile with the
        focus; "" in other panes."""
        sandbox = self.cursors.sandbox if self.cursors and self.pane == "sandboxes" else None
        tile = self.cursors.tile if self.cursors and self.pane == "wall" else None
        row = self.automation or sandbox or tile
        return row.id if row else ""

    @property
    def in_run(self) -> bool:
        return self.pane in ("timeline", "detail")

    @property
    def no_target(self) -> str:
        """Why there is no conversation to act on."""
        if self.pane == "sandboxes" and self.cursors and self.cursors.sandbox:
            return "no conversation of this sandbox is loaded"
        if self.pane == "automations":
            return "an automation is no conversation: enter shows its runs"
        return "no conversation is selected"

    @property
    def means_marked(self) -> bool:
        """Whether a key acts on the marked conversations instead of the one under the cursor."""
        return self.pane == "conversations" and bool(self.marks)

    def holder(self, of: OfServer) -> Source | None:
        """The source that acts on a conversation or sandbox."""
        return self.source.holder(of) if self.source else None

    def no_change_of(self, of: OfServer | None) -> str:
        """Why a conversation or sandbox cannot be changed; "" if it can."""
        if of and of.server and self.settings.of(of.server).read_only:
            return f"{of.server} is read-only: nothing is changed there"
        lost = self.hearing.away.get(of.server) if of else None
        return self.no_changes or _refusal(lost)

    @property
    def no_changes(self) -> str:
        """Why nothing can be changed from here; "" if changes are possible."""
        if self.settings.read_only:
            return "read-only: nothing is changed from here"
        if self.source is None or not self.source.agents:
            if self.source and self.source.remote:
                return "opened by a shared link: it can only be read"
            return "these are files: they have no sandbox and no agent"
        return self.no_answer

    @property
    def no_answer(self) -> str:
        """Why the server cannot be asked now; "" if it answers. Nothing is kept for later."""
        return _refusal(self.hearing.lost())

    @property
    def no_agent(self) -> str:
        """Why the agent that a key means cannot be told anything; "" if it can."""
        target = self.target()
        return self.no_change_of(target) or _refusal(self.hearing.lost(target))

    @property
    def has_budgets(self) -> bool:
        own = (kept.budget for kept in self.annotations.runs.values())
        each = [self.settings.budget, *(self.settings.of(one).budget for one in self._names)]
        return any(one is not None for one in each) or any(own)

    @property
    def _names(self) -> Iterable[str]:
        return self.source.members if self.source else ()

    def budget(self, conversation: Conversation, cost: float | None = None) -> budget.Budget | None:
        """Of a run, `cost` being what else is known of it; None without one, and for files."""
        if self.source is None or not self.source.agents:
            return None
        kept = self.annotations.of(conversation)
        return budget.budget_of(
            kept, self.settings.of(conversation.server).budget, conversation.cost, cost
        )

    @property
    def no_sandboxes(self) -> str:
        """Why this source has none; "" if it has."""
        if self.source and self.source.sandboxes:
            return ""
        is_server = self.source and self.source.agents
        what = "this is an agent server" if is_server else "these are files"
        return f"{what}: there is no sandbox"

    # The layout

    def sized(self, size: tuple[int, int]) -> Arrangement:
        """The arrangement on a screen of this size, the divider where it was put at this width."""
        return self.arrangement.sized(size, self.preferences.chosen.left.get(size[0], 0))

    # What is open

    def leave_source(self, settings: Settings) -> None:
        """Drop all of the open server but unsent drafts; `settings` are those of the next one."""
        if self.batch:
            self.batch.stopped = True
        self.settings = settings
        self.pager = self.unopened = self.replay = None
        self.open_id = self.open_at = self.open_sort = self.open_filter = ""
        self.runs = Runs()
        self.close_run()
        self.begin_lists(LoadedConversations())

    # The lists

    def begin_lists(self, loaded: LoadedConversations) -> None:
        """Begin with another source, of which nothing is known yet."""
        self.loaded, self.sandboxes = loaded, Sandboxes()
        self.automations = LoadedAutomations()
        self.hearing = Hearing(lambda: self.clock())
        self.listing = Listing(self.annotations.of)
        self.listing.set_order(self._first_order())
        if self.open_filter:
            self.listing.set_query(conversation_query.parse(self.open_filter))
        self.marks, self.total, self.all_listed = frozenset(), None, False

    @property
    def _server(self) -> str:
        """What order and columns are remembered by."""
        return self.source.remembered_as if self.source else ""

    def _first_order(self) -> Sorting | None:
        """The order of the command line, else the remembered one, else that of the settings."""
        kept = self.preferences.of(self._server)
        name = self.open_sort or kept.sort or self.settings.config.sort
        order = ORDERS.get(name, NEEDS)
        back = kept.back and bool(kept.sort) and not self.open_sort
        return None if order is NEEDS else Sorting(order, back)

    def sort(self, order: Sorting | None) -> None:
        """Sort the list, None for the order by need, and remember that."""
        self.listing.set_order(order)
        usual = NEEDS.word if self.settings.config.sort else ""
        sort, back = (order.order.word, order.back) if order else (usual, False)
        self.preferences.change_for(self._server, sort=sort, back=back)

    def columns(self, pane: str) -> Choice:
        """The columns that the user chose for "conversations" or "timeline"."""
        kept = self.preferences.of(self._server)
        return kept.columns if pane == "conversations" else kept.step_columns

    def choose_columns(self, pane: str, choice: Choice) -> None:
        """Add to the choice of columns, or drop it with an empty one."""
        chosen = {**self.columns(pane), **choice} if choice else {}
        field = "columns" if pane == "conversations" else "step_columns"
        self.preferences.change_for(self._server, **{field: chosen})

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """The loaded conversations, sorted by need."""
        return tuple([row.conversation for row in self.loaded.rows])

    @property
    def listed(self) -> tuple[Row, ...]:
        """The rows of the list: those that match the filter, in the chosen order."""
        return self.listing.rows(self.loaded.rows, keep=self.listed_id, now=self.clock())

    @property
    def listed_id(self) -> str:
        """The id of that under the cursor of the list; "" without one."""
        listed = self.cursors.listed if self.cursors else None
        return listed.id if listed else ""

    def reorder(self) -> None:
        """Put rows where they belong, except the one under the cursor, which stays in its group."""
        self.loaded.reorder(keep=self.listed_id)
        self.listing.sort_again()

    def reorder_unwatched(self) -> None:
        """As `reorder`, unless somebody is in the list: there only rows move that they acted on."""
        if self.pane != "conversations":
            self.reorder()
        else:
            self.loaded.place_acted()

    @property
    def marked(self) -> tuple[Conversation, ...]:
        return tuple(row.conversation for row in self.listed if row.id in self.marks)

    def drop(self, gone: frozenset[str]) -> None:
        """These conversations are no longer on the server."""
        self.marks -= gone
        if self.total is not None:
            self.total -= len(gone)

    def keep_marks(self, marks: frozenset[str]) -> None:
        """Replace the marks; conversations that are no longer listed lose theirs."""
        if marks and self.listing.is_whole:
            marks &= {row.id for row in self.listed}
        self.marks = marks

    def unmark(self, conversations: Iterable[Conversation]) -> None:
        self.keep_marks(self.marks - {bare_id(c.id) for c in conversations})

    def sandbox_settled(self, sandbox_id: str, status: str) -> None:
        """The server reported a new state of a sandbox, which also applies to its conversations."""
        now = time.monotonic()
        self.sandboxes.settled(sandbox_id, status, now)
        self.loaded.sandbox_settled(sandbox_id, status, now)

    @contextlib.contextmanager
    def claiming(self, sandbox_ids: Iterable[str]) -> Iterator[set[str]]:
        """Reserve these sandboxes, so that no other key changes them until they are released."""
        claimed = set(sandbox_ids)
        self.changing |= dict.fromkeys(claimed, "being looked at")
        try:
            yield claimed
        finally:
            for one in tuple(claimed):
                self.release(one, claimed)

    def release(self, sandbox_id: str, claimed: set[str]) -> None:
        claimed.remove(sandbox_id)
        del self.changing[sandbox_id]

    # The run

    @property
    def filter_text(self) -> str:
        """As it was typed; "" for none."""
        return self.filtering.query.text if self.filtering else ""

    @property
    def find_text(self) -> str:
        return self.finding.text if self.finding else ""

    def is_open(self, conversation: Conversation) -> bool:
        """Whether its run is at the right."""
        return self.current is not None and same_id(self.current.id, conversation.id)

    def is_within(self, conversation: Conversation) -> bool:
        """Whether a sub-agent at the right was entered from it, directly or through others."""
        if not self.trail or self.current is None:
            return False
        entered = same_id(self.current.id, self.trail[-1][1])
        return entered and any(same_id(one.id, conversation.id) for one, _ in self.trail)

    @property
    def run(self) -> Run | None:
        """The run at the right, as far as it is read."""
        return self.runs.get(self.current.id) if self.current else None

    @property
    def replayed(self) -> Replay | None:
        """The replay whose run is at the right."""
        started = self.replay.started if self.replay else None
        return self.replay if started and self.is_open(started) else None

    @property
    def has_events(self) -> bool:
        """Of the run at the right."""
        return self.trajectory is not None and bool(self.trajectory.events)

    def take_record(self, now: Conversation) -> None:
        self.current = now
        if self.in_run:
            self.loaded.open(now.id)

    def close_run(self) -> None:
        self.current = self.trajectory = None
        self.open_at = self.progress = ""
        self.is_reading = False
        self.trail.clear()

    # What was put aside

    @property
    def unsent(self) -> str:
        """The texts that were put aside, in words; "" for none."""
        messages, notes = len(self.drafts), len(self.note_drafts)
        told = [plural(messages, "unsent message")] if messages else []
        return " and ".join(told + [plural(notes, "unsaved note")] * bool(notes))


def _refusal(lost: Lost | None) -> str:
    return f"{lost.why}: nothing was done · r tries again" if lost else ""

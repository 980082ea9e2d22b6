"""The left side: the conversations and the sandboxes, each under its rule."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from oh_tui.api.models import Conversation, Sandbox
from oh_tui.tui.widgets.conversation_list import ConversationList
from oh_tui.tui.widgets.drawing import Note, Piece, glyphs_of
from oh_tui.tui.widgets.rule import Rule, joined
from oh_tui.tui.widgets.sandbox_list import SHOWN, SandboxList, sandbox_facts, sandbox_rows


class Sidebar(Vertical):
    conversations: reactive[tuple[Conversation, ...]] = reactive(())
    sandboxes: reactive[tuple[Sandbox, ...]] = reactive((), always_update=True)
    total: reactive[int | None] = reactive(None)
    """How many conversations there are, as far as the source tells."""
    has_more: reactive[bool] = reactive(True)
    """Whether there are pages not read yet. The total counts sub-conversations, which the list
    of the server leaves out, so at the end the two need not be the same (measured)."""
    show_gone: reactive[bool] = reactive(False)
    whole_sandboxes: reactive[bool] = reactive(False)
    """The sandboxes have the whole screen."""
    now: reactive[float] = reactive(0.0)

    def compose(self) -> ComposeResult:
        with Vertical(id="conversations-pane"):
            yield Rule("1 Conversations", id="conversations-rule")
            yield ConversationList(id="conversations")
        with Vertical(id="sandboxes-pane"):
            yield Rule("2 Sandboxes", id="sandboxes-rule")
            yield SandboxList(id="sandboxes")
            yield Note(id="sandboxes-note")

    def on_mount(self) -> None:
        # Held, not looked up: at the end the screen is taken down under a worker that still tells.
        self.list = self.query_one(ConversationList)
        self.sandbox_list = self.query_one(SandboxList)
        self._note = self.query_one(Note)
        self._rule = self.query_one("#conversations-rule", Rule)
        self._sandbox_rule = self.query_one("#sandboxes-rule", Rule)

    def highlight(self, conversation_id: str) -> None:
        """Bring the cursor to a conversation, if it is listed."""
        for place, conversation in enumerate(self.conversations):
            if conversation.id == conversation_id:
                self.list.move_to(place)
                return

    def say(self, *lines: str) -> None:
        """What stands in the place of conversations."""
        self.list.empty = lines

    def watch_conversations(self) -> None:
        if self.is_mounted:
            self.list.conversations = self.conversations
            self._tell_total()
            self._tell_sandboxes()

    def watch_sandboxes(self) -> None:
        if self.is_mounted:
            self._tell_sandboxes()

    def watch_show_gone(self) -> None:
        if self.is_mounted:
            self._tell_sandboxes()

    def watch_whole_sandboxes(self) -> None:
        if self.is_mounted:
            self.set_class(self.whole_sandboxes, "-whole-sandboxes")
            self._tell_sandboxes()

    def watch_has_more(self) -> None:
        if self.is_mounted:
            self._tell_total()

    def watch_total(self) -> None:
        if self.is_mounted:
            self._tell_total()

    def watch_now(self) -> None:
        if self.is_mounted:
            self.list.now = self.sandbox_list.now = self.now

    def _tell_total(self) -> None:
        loaded = len(self.conversations)
        more = self.has_more and self.total is not None and self.total > loaded
        shown = f"{loaded:,} of {self.total:,}" if more else f"{loaded:,}"
        self._rule.facts = ((shown, "dim"),)

    def _tell_sandboxes(self) -> None:
        there, gone = sandbox_rows(self.sandboxes, self.conversations)
        rows = (*there, *gone) if self.show_gone else tuple(there)
        pane = self.sandbox_list
        pane.rows = rows
        pane.empty = ("no sandbox is up",)
        pane.styles.height = "1fr" if self.whole_sandboxes else min(SHOWN, max(2, len(rows)))
        facts: list[Piece] = [(fact, "dim") for fact in sandbox_facts(there)]
        note = self._note
        note.text = f"{len(gone)} gone {'(x hides)' if self.show_gone else '(x shows)'}"
        note.display = bool(gone)
        self._sandbox_rule.facts = joined(facts, glyphs_of(self.app).dot)

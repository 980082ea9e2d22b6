"""What the explorer knows: what is open, selected, filtered, loaded and remembered.

The one owner of this state. Controllers change it; panes draw it. It holds no widget and asks no
server, so that it is tested without an app.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, bare_id, same_id
from oh_tui.settings import Settings
from oh_tui.sources import Source
from oh_tui.tui.runs import News, Runs

if TYPE_CHECKING:
    from oh_tui.sources.pager import Pager
    from oh_tui.sources.starting import Draft
    from oh_tui.tui.bulk import Bulk
    from oh_tui.tui.finding import Filtering
    from oh_tui.tui.shell_screen import Session as ShellSession


class Session:
    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = clock
        self.source: Source | None = None
        """What is open; None until it is made, and while another server is gone to."""
        self.unsupported: set[str] = set()
        """Parts of the lists that this server does not know at all."""
        self.pager: Pager[Conversation] | None = None
        """The pages of the list that are not read yet; None when all are."""
        self.pane = "conversations"
        """The pane that has the focus, or had it before a question took it."""

        self.current: Conversation | None = None
        """The conversation whose run is at the right."""
        self.trail: list[Conversation] = []
        """The conversations gone in from, to sub-conversations."""
        self.runs = Runs()
        self.reader: str | None = None
        """Why the run at the right is being read: "preview" or "reader"; None when it is not."""
        self.run_news = News()
        """Rings when something of the run at the right came, or its reading ended."""
        self.follow = True
        """The cursor keeps to the newest step of a live run."""
        self.filtering: Filtering | None = None
        """The filter that is on."""
        self.find_text = ""

        self.drafts: dict[str, str] = {}
        """Messages written and not sent, by conversation id without dashes."""
        self.draft: Draft | None = None
        """The conversation that is being written, to be started."""
        self.starting = ""
        """What the start under way is at; "" without one."""
        self.bulk: Bulk | None = None
        """What is being done to all marked conversations."""
        self.changing: dict[str, str] = {}
        """Ids of the sandboxes that are being paused or resumed, and which of the two, in words."""
        self.saved: Path | None = None
        """The last trajectory downloaded."""
        self.shells: dict[str, ShellSession] = {}
        """What was run in sandboxes, by conversation id without dashes."""
        self.shell_history: list[str] = []
        self._writes: list[tuple[str, tuple[str, ...]]] = []
        """What is being written at this moment, in words, and the ids without dashes of the
        conversations that it is about."""

    @property
    def filter_text(self) -> str:
        """The filter as it was typed; "" for none."""
        return self.filtering.query.text if self.filtering else ""

    def is_open(self, conversation: Conversation) -> bool:
        """Whether its run is at the right."""
        return self.current is not None and same_id(self.current.id, conversation.id)

    def close_run(self) -> None:
        """No conversation is open any more."""
        self.current = None
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

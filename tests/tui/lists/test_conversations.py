"""Opening a source without an app: the loaded rows alone decide what is shown first."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.tui.controllers.lists.conversations import Conversations
from oh_tui.tui.controllers.lists.notices import Notices
from oh_tui.tui.controllers.run.reader import RunReader
from oh_tui.tui.messages import ListEmpty, ListsChanged, RunWanted, SourceChanged
from oh_tui.tui.session import Session
from oh_tui.tui.widgets.conversation_list import ConversationList
from tests.terminal.runs import make_zip
from tests.tui.fake_ui import FakeUi

NO_ROWS = cast("ConversationList", None)
"""No cursor is moved."""
NO_RUN = cast("RunReader", None)
"""None is at the right."""


@dataclass
class Opened:
    """The lists of files, opened on a screen of so many columns."""

    session: Session
    ui: FakeUi = field(default_factory=FakeUi)

    async def open(self, folder: Path, *, columns: int) -> RunWanted:
        """The run that is wanted after it."""
        self.ui.columns = columns
        lists = Conversations(
            self.session, self.ui, NO_ROWS, NO_RUN, Notices(self.session, self.ui)
        )
        lists.open(lambda: cast("Source", FileSource([folder])), in_thread=False)
        await self.ui.work()
        if self.session.source:
            await self.session.source.close()
        wanted = [one for one in self.ui.posted if isinstance(one, RunWanted)]
        assert len(wanted) == 1
        return wanted[0]


@pytest.mark.parametrize(
    ("names", "columns", "at", "goes"),
    [("a", 80, "", True), ("a", 160, "", False), ("ab", 80, "", False), ("ab", 160, "3", True)],
)
async def test_a_run_is_gone_into_where_there_is_nothing_to_choose_or_a_place_is_named(
    names: str, columns: int, at: str, goes: bool, tmp_path: Path
) -> None:
    for name in names:
        make_zip(tmp_path / f"{name}.zip")
    opened = Opened(Session(Settings()))
    opened.session.open_at = at
    wanted = await opened.open(tmp_path, columns=columns)
    assert wanted.conversation == opened.session.conversations[0]
    assert wanted.go is goes and wanted.preview is not goes
    assert opened.session.unopened is None
    kinds = [type(one) for one in opened.ui.posted]
    assert kinds[:4] == [ListEmpty, SourceChanged, SourceChanged, ListsChanged]


async def test_what_cannot_be_opened_can_be_tried_again(tmp_path: Path) -> None:
    opened = Opened(Session(Settings()))
    with pytest.raises(AssertionError):
        await opened.open(tmp_path / "missing", columns=80)
    assert opened.session.unopened is not None
    assert isinstance(opened.ui.posted[-1], ListEmpty) and opened.ui.told

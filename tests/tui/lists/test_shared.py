"""What others share in the explorer: opened by its link, read only, and growing while watched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oh_tui.api import SharedServer
from oh_tui.catalog import silence
from oh_tui.catalog.links import read_shared_link
from oh_tui.demo import Demo
from oh_tui.sources.server_runs import following
from oh_tui.sources.shared_source import SharedSource
from oh_tui.sources.source import Source
from tests.commands.conftest import IDS
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, case, explore

HOST = "https://app.all-hands.dev"

TEAM = f"{HOST}/shared/conversations/{IDS['team']}"


class Shared:
    """Makes the source of a link, over a demo of its own."""

    def __init__(self) -> None:
        self.demo: Demo = Demo(NOW, "everything")
        self.demo.rate_limited = False
        self.between = Between()

    def __call__(self, text: str) -> Callable[[], Source]:
        link = read_shared_link(text)
        app = self.between(self.demo.app)
        return lambda: SharedSource(SharedServer(link.server, app=app, retries=AT_ONCE), [link])


async def opened(it: Explorer) -> None:
    await it.until(lambda: it.screen.session.current and it.screen.timeline.row_count())
    await it.settle()


async def test_the_line_that_opens_files_opens_a_shared_link() -> None:
    shared = Shared()
    async with explore(has_key=False, shared=shared) as it:
        await it.press("o")
        line = it.screen.asking.find_input
        line.value = f"{HOST}/shared/conversations/nonsense"
        await it.press("enter")
        assert "holds no whole id" in it.text("#asked")
        it.screen.asking.find_input.value = f" {TEAM} "
        await it.press("enter")
        await opened(it)
        assert "Audit the public endpoints" in it.text("#run-rule")
        assert "shared on app.all-hands.dev" in it.text("#header")
        assert "no states, so the cost is the record's; no sandbox, no zip" in it.footer
        assert it.screen.session.pane == "timeline"
        assert all("/api/shared-" in call for call in shared.between.asked)


async def test_what_is_not_shared_any_more_is_said() -> None:
    shared = Shared()
    shared.demo.world.conversations[IDS["team"]].is_public = False
    async with explore(source=shared(TEAM)) as it:
        await it.until(lambda: "Nobody shares a conversation" in it.text("#conversations"))
        assert "not shared any more" in it.text("#conversations")


@pytest.mark.usefixtures("clock")
async def test_keys_that_act_say_why_they_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []

    def show(url: str) -> bool:
        pages.append(url)
        return True

    monkeypatch.setattr("oh_tui.tui.controllers.system.web_pages.open_address", show)
    async with explore(source=Shared()(TEAM)) as it:
        await opened(it)
        for key in ("m", "p", "a", "P", "exclamation_mark"):
            with case(key):
                await it.press(key)
                assert "opened by a shared link: it can only be read" in it.footer
        await it.press("d")
        assert "a shared link gives no zip" in it.footer
        await it.press("y", "l")
        assert it.app.clipboard == TEAM
        await it.press("o")
        assert pages == [TEAM]
        assert "download" not in it.text("#footer")


@pytest.mark.usefixtures("clock")
async def test_a_shared_sub_conversation_is_entered_from_its_parent() -> None:
    async with explore(source=Shared()(TEAM), at="11") as it:
        await opened(it)
        await it.press("enter")
        await it.until(lambda: "Guard /v1/export.csv" in it.text("#run-rule"))
        await it.settle()
        await it.press("escape")
        await it.until(lambda: "Audit the public endpoints" in it.text("#run-rule"))


@pytest.mark.usefixtures("clock")
async def test_a_shared_run_grows_while_it_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PACE", (0.01, 0.01, 0.01))
    shared = Shared()
    async with explore(source=shared(TEAM.replace(IDS["team"], IDS["pydantic"]))) as it:
        await opened(it)
        before = it.screen.timeline.row_count()
        shared.demo.advance(300)
        await it.until(lambda: it.screen.timeline.row_count() > before)
        assert "running" not in it.text("#conversations")  # nobody tells


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the demo is that of this machine."""
    monkeypatch.setattr(silence, "clock", NOW.timestamp)

"""`o`, `O`, `y l`: which page, when the user is asked first, and that nothing else is opened."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.sources.server import ServerSource
from oh_tui.tui.controllers.system import web_pages
from oh_tui.tui.controllers.system.web_pages import browser
from tests.tui.explorer import AT_ONCE, NOW, Explorer, explore

SERVER = "https://app.all-hands.dev"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser would show."""
    urls: list[str] = []

    def show(url: str) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(web_pages, "open_address", show)
    return urls


def served() -> ServerSource:
    """The demo's data as if it were a server's, with pages."""
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    return ServerSource(
        AppServer(demo.base_url, app=demo.app, retries=AT_ONCE), "a server", address=SERVER
    )


def select(it: Explorer, **changes: object) -> Conversation:
    """Show a conversation with these fields."""
    it.screen.focus_pane("timeline")
    current = it.screen.session.current
    assert current
    it.screen.session.current = replace(current, **changes)
    it.screen.session.loaded.take([it.screen.session.current])
    return it.screen.session.current


async def test_o_opens_the_page_of_the_conversation_and_says_which(opened: list[str]) -> None:
    async with explore(source=served) as it:
        shown = select(it)
        await it.press("o")
        url = f"{SERVER}/conversations/{shown.id.replace('-', '')}"
        assert opened == [url]
        assert url in it.footer
        assert not it.screen.asking.question_bar.display


async def test_y_l_copies_the_link(opened: list[str]) -> None:
    async with explore(source=served) as it:
        shown = select(it)
        await it.press("y", "l")
        assert it.app.clipboard == f"{SERVER}/conversations/{shown.id.replace('-', '')}"
        assert opened == []


async def test_o_opens_the_pull_request(opened: list[str]) -> None:
    async with explore(source=served) as it:
        select(it, git_provider="gitlab", selected_repository="acme/web", pr_number=(7,))
        await it.press("O")
        assert opened == ["https://gitlab.com/acme/web/-/merge_requests/7"]


async def test_of_several_pull_requests_one_is_chosen(opened: list[str]) -> None:
    async with explore(source=served) as it:
        select(it, git_provider="github", selected_repository="acme/web", pr_number=(7, 9))
        await it.press("O")
        assert "9, the newest" in it.text("#question")
        await it.press("escape")
        assert opened == []
        await it.press("O", "enter")
        await it.press("O", "2")
        assert [url.rpartition("/")[2] for url in opened] == ["9", "7"]


async def test_a_guess_is_shown_and_asked_before(opened: list[str]) -> None:
    async with explore(source=served) as it:
        select(it, git_provider=None, selected_repository="acme/web", pr_number=(7,))
        await it.press("O")
        question = it.text("#question")
        assert "https://github.com/acme/web/pull/7" in question
        assert "does not say where" in question
        await it.press("escape")
        assert opened == []
        await it.press("O", "enter")
        assert opened == ["https://github.com/acme/web/pull/7"]


async def test_without_a_browser_the_address_is_told_and_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web_pages, "open_address", lambda url: False)
    async with explore(source=served, size=(80, 24)) as it:
        shown = select(it)
        await it.press("o")
        url = f"{SERVER}/conversations/{shown.id.replace('-', '')}"
        assert url in it.text("#question"), "whole, also on a narrow screen"
        assert it.app.clipboard == url
        await it.press("escape")


async def test_what_has_no_page_says_so(opened: list[str]) -> None:
    async with explore(source=served) as it:
        select(it, pr_number=None)
        await it.press("O")
        assert "No pull request is known for this conversation" in it.footer
        select(it, git_provider="bitbucket_data_center", selected_repository="a/b", pr_number=(3,))
        await it.press("O")
        assert "Pull request 3 is at bitbucket_data_center" in it.footer
    async with explore() as it:
        select(it, git_provider="github", selected_repository="acme/web", pr_number=(7,))
        await it.press("o")
        assert "the demo has none" in it.footer
        await it.press("O")
        assert "made-up data" in it.text("#question")
        await it.press("enter")
        assert it.screen.asking.question_bar.display, "enter opens nothing that is made up"
        await it.press("escape")
    assert opened == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "-x", "http://a b"])
def test_only_web_addresses_are_ever_opened(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(subprocess, "Popen", fail)
    monkeypatch.setenv("BROWSER", "true")
    assert web_pages.open_address(url) is False


def test_the_browser_is_that_of_the_environment_or_the_desktop(tmp_path: Path) -> None:
    program = tmp_path / "shows"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    url = "https://host/x"
    assert browser(url, {"BROWSER": f"none-such:{program} --new"}) == [str(program), "--new", url]
    assert browser(url, {"BROWSER": f"{program} -u=%s"}) == [str(program), f"-u={url}"]
    assert browser(url, {"BROWSER": "'"}) is None
    assert browser(url, {}) is None

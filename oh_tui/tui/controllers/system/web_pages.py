"""`o` and `O`: open the web page of a conversation, or of its pull request, in the browser; without
one the address is shown and copied."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oh_tui.catalog.links import Link, conversation_link, is_repository, pull_links, web_link
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.desktop import start_detached
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation

SHOWN = 5
"""Pull requests offered for choice."""


class WebPages(Controller):
    @in_worker("ask", opens=False)
    async def action_open(self) -> None:
        await self._show(self._page_of(self._session.target()), "Page of the conversation")

    @in_worker("ask", opens=False)
    async def action_open_pull_request(self) -> None:
        """Open the newest pull request; ask if there are several."""
        links = self._pull_requests()
        link = links[0] if len(links) == 1 else await self._choose(links)
        if link:
            await self._show(link, "Pull request")

    def copy_address(self, conversation: Conversation | None) -> None:
        self._copy(self._page_of(conversation).url)

    def _page_of(self, conversation: Conversation | None) -> Link:
        """Raises NotNow when the conversation has none."""
        source = self._session.holder(conversation) if conversation else None
        if conversation is None or source is None:
            raise NotNow("No conversation is selected")
        if not source.remote:
            raise NotNow("A file has no web page")
        link = conversation_link(source.web, conversation.id) if source.web else None
        if link is None:
            if source.web:
                raise NotNow("This conversation's id cannot be part of a web address")
            if source.agents and source.sandboxes is None:
                raise NotNow("An agent server has no web pages")
            raise NotNow("On a real server, o opens the web page; the demo has none")
        return link

    def _pull_requests(self) -> list[Link]:
        """The pages of the pull requests of the targeted conversation. Raises NotNow."""
        conversation = self._session.target()
        if conversation is None:
            raise NotNow("No conversation is selected")
        numbers = [number for number in conversation.pr_number or () if number > 0]
        if not numbers:
            raise NotNow("No pull request is known for this conversation")
        links = pull_links(conversation)
        repository = (conversation.selected_repository or "").strip("/")
        if not links and repository and not is_repository(repository):
            raise NotNow("The repository's name cannot be part of a web address")
        if not links:
            at = safe_line(conversation.git_provider or "") or "an unknown provider"
            raise NotNow(
                f"Pull request {max(numbers)} is at {at}: oh-tui does not know its addresses: "
                "o opens the conversation's page"
            )
        return links

    def _copy(self, url: str) -> None:
        self._ui.copy(url)
        self._ui.tell(f"sent to the terminal's clipboard: {url}")

    async def _choose(self, links: list[Link]) -> Link | None:
        answers = [
            Answer(link.url.rpartition("/")[2], str(n), str(n + 1))
            for n, link in enumerate(links[:SHOWN])
        ]
        newest = answers[0]
        answers[0] = Answer(f"{newest.label}, the newest", newest.value)
        words = f"{len(links)} pull requests, such as {links[0].url}"
        answer = await self._ui.ask(Question("Pull requests", [[(words, "")]], answers))
        return links[int(answer)] if answer else None

    async def _show(self, link: Link, what: str) -> None:
        """Open a page; ask first, showing the address, if it is a guess. Pages named in the demo's
        made-up data belong to others and are not opened."""
        target = self._session.target()
        source = self._session.holder(target) if target else self._session.source
        made_up = source is not None and bool(source.remote) and not (source.address or source.web)
        if made_up:
            title, why = f"{what}, not opened", "made-up data: there is no such page"
        elif link.guess:
            title, why = f"{what}, a guess", link.guess
        elif open_address(link.url):
            self._ui.tell(f"opened {link.url}")
            return
        else:
            title, why = f"{what}: no browser can be started here", ""
            self._copy(link.url)
        lines = [[(link.url, "key")], [(why, "dim")]] if why else [[(link.url, "key")]]
        answers = [Answer("copy it" if why else "copy it again", "copy", "c")]
        if link.guess and not made_up:
            answers.insert(0, Answer("open it", "open"))
        answer = await self._ui.ask(Question(title, lines, answers, "close"))
        if answer == "open" and open_address(link.url):
            self._ui.tell(f"opened {link.url}")
        elif answer:
            self._copy(link.url)


def open_address(url: str) -> bool:
    """Show a page in the browser; False when none can be started or the address is not a page."""
    command = browser(url, os.environ)
    if command is None or web_link(url) is None:
        return False
    return start_detached(command)


def browser(url: str, environment: Mapping[str, str]) -> list[str] | None:
    """The command that shows a page: the first of $BROWSER that is installed (a list, read as
    Python's webbrowser does), else the desktop's. A text browser would get no terminal here."""
    for entry in environment.get("BROWSER", "").split(os.pathsep):
        try:
            words = shlex.split(entry)
        except ValueError:
            continue
        if words and shutil.which(words[0]):
            named = any("%s" in word for word in words)
            return [word.replace("%s", url) for word in words] if named else [*words, url]
    if sys.platform == "darwin":
        return ["open", url]
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return ["xdg-open", url] if shutil.which("xdg-open") else None
    return None

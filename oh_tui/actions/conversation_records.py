"""Changes records of conversations: titles, and the tags that agent servers keep."""

from __future__ import annotations

from collections.abc import Mapping

from oh_tui.actions.agent_actions import present, watched
from oh_tui.api.requests import LONGEST_TITLE
from oh_tui.api.server import Server
from oh_tui.catalog.tags import applied
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line


def checked_title(title: str) -> str:
    """A title as it can be sent, "" for none. Raises Problem."""
    title = clean_line(title)
    if len(title) > LONGEST_TITLE:
        what = f"A title has at most {LONGEST_TITLE} characters, and this one {len(title):,}"
        raise Problem(what, "shorten it")
    return title


class Records:
    """The records of a server's conversations. Each change starts from the current record."""

    def __init__(self, api: Server) -> None:
        self._api = api

    async def rename(self, shown: Conversation, title: str) -> Conversation:
        """Renames it; its new record. Raises Refused if it was renamed since it was shown."""
        title = checked_title(title)
        if not title:
            raise Problem("The title is empty")
        now = await present(self._api, shown.id)
        if (now.title or "") != (shown.title or ""):
            raise Refused(
                f"It was renamed meanwhile, to {safe_line(now.title or 'no title')[:80]}",
                Remedy.REFRESH,
            )
        if now.title == title:
            return now
        renamed = await self._api.rename_conversation(shown.id, title)
        if renamed.title != title:
            raise Refused(
                f"The server changed the title to: {safe_line(renamed.title or '')[:80]}",
                Remedy.REFRESH,
            )
        return renamed

    async def tag(
        self, shown: Conversation, changes: Mapping[str, str | None]
    ) -> Mapping[str, str]:
        """Changes tags on the agent server, where None removes one, and returns all its tags.

        The server replaces all tags at once, so they are read right before and checked afterwards.
        While a step runs, it accepts them only at the end of the step.
        """
        now = await present(self._api, shown.id)
        agent = self._api.agent_server(now) if now.sandbox_status == "RUNNING" else None
        if agent is None:
            raise Refused("No agent server is running to keep the tags", Remedy.RESUME)
        before = (await agent.conversation()).tags or {}
        after = applied(before, changes)
        if after == before:
            return before
        await watched(agent, agent.set_tags(after))
        held = (await agent.conversation()).tags or {}
        if any(held.get(key) != value for key, value in changes.items()):
            raise Refused("The agent server did not keep the tags", Remedy.REFRESH)
        return held

"""The events before those held of a long run, page by page, newest first.

Facts without another source are measured on app server 1.11.0 and agent server 1.34.0.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from oh_tui.api import agent_server
from oh_tui.api.models import Page
from oh_tui.api.paging import PAGE
from oh_tui.sources.results import Older
from oh_tui.sources.server_runs.following import LATE
from oh_tui.text.problem import Refused
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory


async def older_from_agent(
    agent: agent_server.AgentServer, trajectory: Trajectory
) -> AsyncGenerator[Older, None]:
    """The pages of the agent server.

    Raises Refused if the server does not know the oldest held event: it then answers with its first
    page (measured).
    """
    cursor: str | None = trajectory.events[0].id
    known = {event.id for event in trajectory.events}
    total = await agent.count_events()
    while cursor:
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE)
        if not page.items or page.items[0].id != cursor or page.next_page_id == cursor:
            raise Refused("The agent server lost its place in the older events", "try again")
        fresh = [event for event in page.items if event.id not in known]
        known.update(event.id for event in fresh)
        cursor = page.next_page_id
        yield Older("agent server", fresh[::-1], total, complete=not cursor)


async def older_from_app(
    fetch: Callable[[str], Awaitable[Page[Event]]], trajectory: Trajectory, total: int
) -> AsyncGenerator[Older, None]:
    """The pages of the app server. `fetch` reads one from an offset on, newest events first.

    The server counts from the newest event and may have fewer events than are held. So each page
    begins with a known event, and none is skipped. Events of the agent server have another order
    here, with others in between: the first page begins before their end and reaches back before all
    of them.
    """
    known = {event.id for event in trajectory.events}
    offset = max(0, len(known) - LATE)
    times = (event.timestamp for event in trajectory.events)
    oldest = min(filter(None, times), default="later").removesuffix(trajectory.clock)
    furthest = -1
    fresh: list[Event] = []
    while True:
        page = await fetch(str(offset))
        if offset and not (page.items and page.items[0].id in known):
            offset = max(0, offset - (PAGE - 1))
            continue
        fresh += [event for event in page.items if event.id not in known]
        known.update(event.id for event in fresh)
        cursor = page.next_page_id
        if not cursor or not page.items or page.items[-1].timestamp < oldest:
            yield Older("app server", fresh[::-1], total, complete=not cursor)
            fresh = []
        if not cursor:
            return
        following = int(cursor) if cursor.isdecimal() else 0
        if following <= max(furthest, offset):
            raise Refused("The server gives the same older events again", "try again later")
        furthest, offset = following, following - 1

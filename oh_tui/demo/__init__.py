"""Demo: the embedded servers as one ASGI app, with a clock that can be advanced."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from starlette.types import ASGIApp

from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.usage_cache import Spent, Sum
from oh_tui.demo.catalog import PUBLIC, SETS, Entry
from oh_tui.demo.runs.meter import TOKENS
from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.servers.app_server import make_app
from oh_tui.demo.servers.automations import make_canvas
from oh_tui.demo.servers.network import Network
from oh_tui.demo.world import World
from oh_tui.trajectory.model.usage_stats import AGENT

BASE_URL = "http://demo.invalid"

OPENING = {"odd": "broken"}
"""The conversation to open first in a set that lacks week-dates, which shows most."""


class Demo:
    """One visit to one of `catalog.SETS`: its changes stay in this object. With `now`, an aware
    datetime, its clock stands still there until `advance`. `base_url` is the address of `app` in
    this process; on a socket it builds its URLs from the request."""

    base_url = BASE_URL

    def __init__(self, now: datetime | None = None, shows: str = "showcase") -> None:
        self.world = World(now, SETS[shows])
        self.opening = fixed_uuid("conversation", OPENING.get(shows, "week-dates")).hex
        """The id of the conversation to open first."""
        self.rate_limited = True
        """Whether the app server limits calls."""

    @cached_property
    def last_known(self) -> dict[str, LastKnown]:
        """What a reader of these conversations would remember from the days before."""
        return {
            entry.id: LastKnown(
                entry.status,
                updated,
                opened=updated if entry.opened else 0.0,
                spent=_spent(entry) if entry.opened else None,
            )
            for conversation in self.world.conversations.values()
            if (entry := conversation.entry).seen and not entry.live
            for updated in [self.world.updated(conversation)]
        }

    @cached_property
    def app(self) -> ASGIApp:
        return make_app(self.world, limits=lambda: self.rate_limited)

    def app_like(self, kind: str, seed: int | None = None) -> ASGIApp:
        """`app`; for "slow" behind a slow network, for "agent" an agent server in its place, for
        "canvas" one with an automation server beside it."""
        if kind == "agent":
            return make_alone(self.world)
        if kind == "canvas":
            return make_canvas(self.world)
        if kind == "slow":
            return Network().over(self.app, seed)
        return self.app

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)


def _spent(entry: Entry) -> Spent | None:
    usages = entry.usages if entry.heard is None else entry.heard
    if not usages:
        return None
    return Spent(_sum(usages), _sum({AGENT: usages[AGENT]}))


def _sum(usages: dict[str, Any]) -> Sum:
    tokens = [one["accumulated_token_usage"] for one in usages.values()]
    cost = sum(one["accumulated_cost"] for one in usages.values())
    return Sum(cost, *(sum(one[name] for one in tokens) for name in TOKENS))


def shared_id() -> str:
    """The id of a conversation that anybody may read."""
    return fixed_uuid("conversation", PUBLIC[0]).hex

"""The demo's runs as trajectories, for tests of everything derived from a run."""

from __future__ import annotations

from functools import cache

from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory

from .demo.wire import NOW

SLUGS = tuple(entry.slug for entry in ENTRIES)


@cache
def demo_events(slug: str, via: str = "app") -> tuple[Event, ...]:
    """The events of one conversation, as the app server or the agent server ("agent") has them."""
    world = Demo(NOW, "everything").world
    entry = next(entry for entry in ENTRIES if entry.slug == slug)
    told = world.conversations[entry.id]
    if via == "agent":
        return tuple(
            parse_event(stored.agent_json(names_parent=False))
            for stored in world.agent_events(told)
        )
    return tuple(parse_event(stored.raw) for stored in world.app_events(told))


def demo_run(slug: str, via: str = "app", *, live: bool = False) -> Trajectory:
    """A fresh trajectory of them."""
    trajectory = Trajectory(live=live)
    trajectory.extend(demo_events(slug, via))
    return trajectory

"""Silent runs in the explorer: when they become so, and what is told of the one at the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from oh_tui.catalog import silence
from oh_tui.catalog.silence import Silence

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.session import Session


def take_event(session: Session, identifier: str, run: Trajectory) -> bool:
    """The end of a run was read: take when its last event came. True if its row has changed."""
    before = session.loaded.row(identifier)
    if run.live:
        since = silence.since(run, _now(session), _after(session))
        session.loaded.take_event(identifier, silence.last_event(run), since)
    return session.loaded.row(identifier) is not before


def seconds_left(session: Session, identifier: str) -> float:
    """Seconds until a run is silent, should nothing come."""
    row = session.loaded.row(identifier)
    heard = row.heard if row else None
    return math.inf if heard is None else heard + _after(session) - _now(session)


def told(session: Session) -> Silence | None:
    """The silence of the run at the right, in words; None for one that is not silent."""
    row = session.loaded.row(session.current.id) if session.current else None
    if row is None or row.silent is None:
        return None
    one = row.conversation
    box = next((box for box in session.sandboxes.all if box.id == one.sandbox_id), None)
    known = row.moved or silence.sandbox_words(one, box, row.silent)
    helps = "" if session.no_change_of(one) or session.hearing.lost(one) else "P stops it"
    since = silence.ago_words(row.silent, _now(session, one))
    return Silence(since, helps, known)


def _now(session: Session, one: Conversation | None = None) -> float:
    source, now = session.source, session.hearing.now(one)
    remote = (source.holder(one) if one else source).remote if source else None
    return remote.now(now) if remote else now


def _after(session: Session) -> float:
    return 60 * session.settings.config.silent_after

"""Silent runs: the server says that the agent runs, and no event has come for long.

Only events tell it: an app server's record changes with some of them alone (source), and with what
is no event. So a run is silent where its end was read, and lists read that of few: see `may_be`.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.api.models import Sandbox
from oh_tui.catalog.run_status import updated
from oh_tui.conversation import Conversation
from oh_tui.text.human import day_time, rough
from oh_tui.trajectory.findings.ending import fit, last_telling, what_of, with_outcome
from oh_tui.trajectory.findings.verdict import CAUSE, SHORT, Verdict, with_sandbox
from oh_tui.trajectory.model.clock import is_bare, seconds
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory

clock = time.time
"""Now by this machine, for commands."""


class Silence(NamedTuple):
    since: str
    """When the last event came, in words."""
    helps: str = ""
    sandbox: str = ""
    """What is known of it."""


class Standing(NamedTuple):
    """How a run stands, by its events and what its server tells beside them."""

    verdict: Verdict
    silent: float | None = None
    """When the last event of a silent run came, in seconds since 1970."""


def last_event(run: Trajectory) -> float | None:
    """When the last event came, in seconds since 1970; None where no clock is known."""
    # some come with an earlier time
    zoned = (event for event in run.events[-20:] if not is_bare(event.timestamp))
    times = (event.seconds() for event in zoned)
    return max((when for when in times if when is not None and when > 0), default=None)


def since(run: Trajectory, now: float, after: float) -> float | None:
    """Since when nothing has come, if that is for `after` seconds and the agent is said to run."""
    if not run.live or run.status != "running":
        return None
    heard = last_event(run)
    return heard if heard is not None and now - heard >= after else None


def may_be(one: Conversation, now: float, after: float) -> bool:
    """Whether a run may be silent by its record: one that changed just now had an event or work."""
    if one.execution_status != "running" or one.sandbox_status != "RUNNING":
        return False
    return now - updated(one) >= after


def moved_words(before: Conversation, now: Conversation) -> str:
    """What happened to a sandbox between two records; "" for nothing."""
    if now.sandbox_id is None or now.sandbox_status != "RUNNING" or not before.has_moved(now):
        return ""
    paused = before.sandbox_status == "PAUSED"
    return "sandbox paused meanwhile" if paused else "sandbox restarted meanwhile"


def sandbox_words(one: Conversation, sandbox: Sandbox | None, heard: float) -> str:
    """What is known of the sandbox of a silent run; "" for an agent server, which has none."""
    if one.sandbox_id is None:
        return ""
    made = seconds((sandbox and sandbox.created_at) or "")
    if made is not None and made > heard:
        return "sandbox restarted since"
    return "sandbox up"


def ago_words(heard: float, now: float) -> str:
    """As `13:29, 32 min ago`, in local time."""
    return f"{day_time(heard, now).removesuffix(' today')}, {rough(now - heard)} ago"


def line(since: str, what: str) -> str:
    """The short form, for the second line of a row."""
    return f"no event since {since}: {what}" if what else f"no event since {since}"


def judged(
    verdict: Verdict, run: Trajectory, sandbox_status: str | None, silence: Silence | None
) -> Verdict:
    """The verdict with what is known beside the events: the state of the sandbox, and a silence."""
    if silence is None or verdict.word != "running":
        return with_sandbox(verdict, sandbox_status)
    calls = with_outcome(run, Outcome.RUNNING)
    step = calls[0] if calls else last_telling(run)
    where = "no step"
    if step is not None:
        number = f"step {step.number}: " if run.complete else ""
        where = f"{'in' if calls else 'after'} {number}{what_of(run, step)}"
    place = fit(where, 90)  # what helps comes after it
    facts = filter(None, (f"No event since {silence.since}", place, silence.sandbox))
    helps = f" ({silence.helps})" if silence.helps else ""
    return replace(
        verdict,
        word="silent",
        cause=fit(", ".join(facts) + helps, CAUSE),
        short=fit(line(silence.since, where), SHORT),
    )

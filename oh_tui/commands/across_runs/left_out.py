"""What a command on many runs has left out, and how that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oh_tui.batch.each_run import ManyRuns
from oh_tui.commands.framework.command import Call, flag
from oh_tui.commands.framework.exit_codes import OK, PARTIAL
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.remarks import say

MOST_TOLD = 5
"""Files that cannot be read and are named one by one."""


LIVE = flag("--live", about="also runs that may still go on, as they are now; asks their server")


def say_going_on(count: int) -> None:
    say(f"left out: {plural(count, 'run')} that may still go on; --live reads them as they are now")


def say_rest(call: Call, reading: ManyRuns[Any]) -> int:
    """Says what was left out. Returns the exit code: whether some runs could not be read."""
    for problem in call.source.problems:
        say(problem)
    for reason in reading.unread[:MOST_TOLD]:
        say(clean_line(reason))
    if (more := len(reading.unread) - MOST_TOLD) > 0:
        say(f"{plural(more, 'more run')} could not be read")
    if going_on := reading.going_on:
        say_going_on(going_on)
    if not_read := len(reading.not_kept) - going_on:
        name = call.args.server or call.source.address
        say(
            f"left out: {plural(not_read, 'run')} of {clean_line(call.source.label)} that this "
            f"machine has not read; oh-tui index --server {clean_line(name)} reads them"
        )
    if reading.vanished:
        say(f"{plural(reading.vanished, 'run')} of the index can no longer be read")
    if reading.unsure:
        say(f"left out: {plural(reading.unsure, 'run')} of unknown {reading.lacked}")
    return PARTIAL if reading.unread or call.source.problems else OK


def say_none(words: str, left_out: Mapping[str, int]) -> None:
    """Says that there is no run to tell of, where `words` are the filter."""
    say("no run matches" if words and not any(left_out.values()) else "no run was read")


LEFT_OUT = ("not_kept", "going_on", "unread", "unsure")
"""What of the runs is left out, by its names in JSON."""


def left_out(reading: ManyRuns[Any]) -> dict[str, int]:
    """The same as JSON."""
    return {
        "not_kept": len(reading.not_kept),
        "going_on": reading.going_on,
        "unread": reading.not_read,
        "unsure": reading.unsure,
    }

"""What a command on many runs has left out, and how that can be read."""

from __future__ import annotations

from typing import Any

from oh_tui.commands.shared.command import Call
from oh_tui.commands.shared.printing import say
from oh_tui.sources.many.each_run import ManyRuns
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural

MOST_TOLD = 5
"""Files that cannot be read and are named one by one."""


def say_rest(call: Call, reading: ManyRuns[Any]) -> None:
    for problem in call.source.problems:
        say(problem)
    for reason in reading.unread[:MOST_TOLD]:
        say(clean_line(reason))
    if (more := len(reading.unread) - MOST_TOLD) > 0:
        say(f"{plural(more, 'more run')} could not be read")
    if reading.not_kept:
        say(
            f"left out: {plural(len(reading.not_kept), 'run')} of {call.source.label} that this "
            "machine does not keep; oh-tui download ID saves them, and their zips are PATHs"
        )
    if reading.vanished:
        say(f"{plural(reading.vanished, 'run')} of the index can no longer be read")
    if reading.unsure:
        say(f"left out: {plural(reading.unsure, 'run')} whose outcome or files are not known")

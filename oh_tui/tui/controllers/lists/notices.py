"""Notify a user who looks elsewhere that a conversation waits, failed, finished or is near its
budget. Off by default."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL

from oh_tui.catalog.run_status import RunStatus
from oh_tui.settings.credentials import without_keys
from oh_tui.sources.budget import Spending
from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.state.loaded_conversations import Change
from oh_tui.tui.widgets.conversation_list import title_of

MOST = 5
"""Commands started per refresh of the list; further ones are skipped."""

PATIENCE = 30.0
"""Timeout of a command in seconds."""

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "LANG", "TZ"),
    *("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
    *("LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_NUMERIC", "LC_COLLATE", "LC_MONETARY"),
    *("XDG_RUNTIME_DIR", "XDG_SESSION_TYPE", "XDG_SESSION_ID", "XDG_CURRENT_DESKTOP"),
    *("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS"),
    *("XDG_CACHE_HOME", "XDG_STATE_HOME"),
)
"""What a program needs to show something. API keys are not passed, even in one of these."""

LONGEST = 64
"""Characters of an id that are passed on, as an environment is limited; OpenHands ids have 32."""

_WORDS = {
    RunStatus.WAITING: "waits for you",
    RunStatus.STUCK: "is stuck",
    RunStatus.ERROR: "failed",
    RunStatus.FINISHED: "finished",
    Spending.NEAR: "is near its budget",
    Spending.OVER: "is over its budget",
}


class Notices(Controller):
    def ring(self, changes: Sequence[Change]) -> None:
        notice = self._session.settings.notice
        if not changes or not notice:
            return
        if notice == ("bell",):
            self._ui.bell()
        elif notice == ("osc9",):
            self._ui.write_terminal(osc9(sentence(changes)))
        else:
            self._ui.work_on("notice", self._run_all, notice, changes[:MOST])

    async def _run_all(self, words: Sequence[str], changes: Sequence[Change]) -> None:
        for change in changes:
            if trouble := await run(words, environment(change, os.environ)):
                self._ui.tell(f"the notice command {trouble}")


def sentence(changes: Sequence[Change]) -> str:
    """`Add OAuth login waits for you`, `2 conversations: …`; clean, on one line."""
    lines = [f"{title_of(c.conversation)[:60]} {_WORDS[c.status]}" for c in changes]
    if len(lines) == 1:
        return lines[0]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return f"{plural(len(lines), 'conversation')}: {', '.join(lines[:3])}{more}"


def osc9(text: str) -> str:
    """The form that iTerm2, WezTerm, kitty, Ghostty and Windows Terminal understand. The text
    begins with the name because Windows Terminal takes a number and a semicolon for one of its own
    commands."""
    return f"\x1b]9;oh-tui: {text}\x07"


def environment(change: Change, given: Mapping[str, str]) -> dict[str, str]:
    """The command's environment: title and outcome are variables, never part of the command."""
    kept = {name: value for name, value in without_keys(given).items() if name in PASSED_ON}
    return kept | {
        "OH_TUI_OUTCOME": change.status.value,
        "OH_TUI_TITLE": title_of(change.conversation),
        "OH_TUI_ID": safe_line(change.conversation.id[:1000])[:LONGEST],
    }


async def run(words: Sequence[str], variables: Mapping[str, str]) -> str:
    """Run the command without a shell and wait for its end; returns the problem, "" for none."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=variables,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # a ValueError: a NUL in the words
        return f"cannot be started: {getattr(error, 'strerror', None) or error}"
    try:
        async with asyncio.timeout(PATIENCE):
            code = await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return f"took over {PATIENCE:.0f} s and was ended"
    return f"ended with {code}" if code else ""

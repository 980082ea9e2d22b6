"""`oh-tui exec`: a command in the sandbox; what it prints and its exit code are passed through."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
import time
from typing import IO

from oh_tui.actions.workspace import Workspace
from oh_tui.api.models import BashOutput
from oh_tui.catalog.names import conversation_id
from oh_tui.commands.framework.command import RUNNING, Call, argument, command, number_of
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import for_terminal, print_json
from oh_tui.text.clean import clean_line
from oh_tui.text.human import duration
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say

TIMEOUT = 300
"""Seconds that a command may take by default."""

STOP = 3.0
"""Seconds after ctrl+c in which the server must have ended the command."""

TIMED_OUT, NOT_STARTED = 124, 126
"""Exit codes as of timeout(1) and a shell."""


@command(
    "exec",
    RUNNING,
    argument("--cwd", metavar="FOLDER", default="", help="where; the agent's folder by default"),
    argument(
        "--timeout",
        type=number_of("seconds", 1, 86_400),
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"after which it is stopped; {TIMEOUT} by default",
    ),
    examples={
        "exec 5f3a -- git status --short": "a command and its arguments, passed as they are",
        "exec 5f3a -- 'git log | head -3'": "one word is a line for /bin/sh",
        "exec 5f3a --timeout 20 -- pytest": "ended after 20 s",
    },
    wants="change",
    passes_on=True,
    epilog="Neither the agent nor the events know of the command. Its output is passed through\n"
    "unchanged, stdout to stdout and stderr to stderr, and so is its exit code; 124 says\n"
    "that its time was up, 126 that it could not be started. ctrl+c ends it on servers\n"
    "from 1.52 on; on others it goes on. Options of oh-tui come before the --.",
)
async def execute(call: Call) -> int:
    line = _line(call.args.command or [])
    conversation = await meant(call)
    limit = call.args.timeout
    workspace = await call.workspaces.open(conversation)
    place = workspace.workplace
    # the agent's folder, as in the explorer; where it has none, the sandbox's own
    cwd = call.args.cwd or await workspace.folder()
    call.goes_on = f"the command goes on {place.inside}, for at most {duration(limit)}"
    began = time.monotonic()
    heard = None if call.as_json else _pass_on
    running: list[str] = []
    try:
        result = await workspace.run(
            line, cwd=cwd, timeout=limit, progress=heard, begun=running.append
        )
    except asyncio.CancelledError:
        if running and await _stopped(workspace, running[0]):
            call.goes_on = f"the command was stopped {place.inside}"
        raise
    call.goes_on = ""
    took = time.monotonic() - began
    code, why = result.exit_code, ""
    if code == -1 and took >= limit:  # the server answers -1 in both cases (measured)
        code, why = TIMED_OUT, f"ended after {duration(limit)}: --timeout gives it more"
    elif code == -1:
        code = NOT_STARTED
        why = f"it could not be started in {clean_line(cwd) or place.name}"
    if call.as_json:
        print_json(
            {
                "id": conversation_id(conversation),
                "command": line,
                "exit_code": code,
                "timed_out": code == TIMED_OUT and bool(why),
                "seconds": round(took, 3),
                "stdout": result.stdout,
                "stderr": result.stderr,
            }
        )
    if why:
        if result.stderr and not result.stderr.endswith("\n") and not call.as_json:
            print(file=sys.stderr)
        say(why)
    # a command that a signal ended has a negative code, which shells write as 128 and more
    return code if 0 <= code < 256 else 128 - code if -128 < code < 0 else 255


async def _stopped(workspace: Workspace, command_id: str) -> bool:
    with contextlib.suppress(Problem, TimeoutError):
        async with asyncio.timeout(STOP):
            return await workspace.stop(command_id)
    return False


def _line(words: list[str]) -> str:
    """The line for the shell of the sandbox: a single word is one, of several each is quoted."""
    if not words or not words[0].strip():
        raise Problem("There is no command", "oh-tui exec ID -- CMD, such as: exec 5f3a -- ls -l")
    line = words[0] if len(words) == 1 else shlex.join(words)
    return line.encode("utf-8", "replace").decode()


def _pass_on(part: BashOutput) -> None:
    """Prints it unchanged to a pipe or a file. A terminal gets no control characters: the agent
    decides what there is to print."""
    for text, stream in ((part.stdout, sys.stdout), (part.stderr, sys.stderr)):
        if text and stream:
            _write(for_terminal(text) if stream.isatty() else text, stream)


def _write(text: str, stream: IO[str]) -> None:
    """Writes bytes, so that line ends and characters that the terminal lacks stay as they are."""
    data = text.encode("utf-8", "surrogatepass")
    stream.flush()
    raw = getattr(stream, "buffer", None)
    if raw is None:  # a stream that stands for the process's own
        stream.write(text)
    else:
        raw.write(data)
        raw.flush()

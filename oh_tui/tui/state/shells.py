"""The shell of a conversation: the commands run in its sandbox and their output."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from oh_tui.api.models import CommandResult
from oh_tui.text.human import duration, size
from oh_tui.trajectory.presentation.block import Block, Failure, Note, Output
from oh_tui.trajectory.reading.terminal import read_output

TIMES = {120: "2 minutes", 600: "10 minutes", 3600: "1 hour", 30: "30 s"}
"""Time limits of a command in seconds, the default first."""

KEPT = 32_000_000
"""Characters of output kept; the oldest go first."""


@dataclass(slots=True)
class ShellEntry:
    """A command and its output as blocks; `size` counts the characters printed."""

    blocks: list[Block]
    size: int = 0


@dataclass(slots=True)
class Shell:
    """The shell of one conversation, kept while oh-tui runs: its folder and its entries."""

    cwd: str
    """"" stands for the sandbox's own folder, which has no name."""
    home: str
    timeout: int = 120
    entries: list[ShellEntry] = field(default_factory=list)
    draft: str = ""

    def add(self, entry: ShellEntry) -> None:
        self.entries.append(entry)
        total = sum(one.size for one in self.entries)
        for old in self.entries[:-1]:
            if total <= KEPT:
                return
            if old.size:
                total -= old.size
                gone = Note(f"{size(old.size)} of output, no longer kept")
                old.blocks, old.size = [old.blocks[0], gone], 0


def result_blocks(result: CommandResult, took: float, timeout: int) -> Sequence[Block]:
    """The output of a command and how it ended. Takes 0.1 s for 3 MB: call it in a thread."""
    blocks: list[Block] = []
    for raw in (result.stdout, result.stderr):
        written = read_output(raw)
        if written.text:
            blocks.append(Output(written.text, written.coloured))
    code, span = result.exit_code, f" · {duration(took)}" if took >= 0.05 else ""
    printed = len(result.stdout) + len(result.stderr)
    long = f" · {size(printed)}" if printed > 100_000 else ""
    if code == 0:
        blocks.append(Note(f"exit 0{span}{long}"))
    elif code == -1 and took >= timeout:
        blocks.append(Failure(f"stopped after {TIMES[timeout]}: ctrl+t allows more"))
    elif code == -1:
        blocks.append(Failure("it could not be started: cd alone goes back to the agent's folder"))
    elif code < 0:
        blocks.append(Failure(f"ended by {_signal(-code)}{span}{long}"))
    else:
        blocks.append(Failure(f"exit {code}{span}{long}"))
    return blocks


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

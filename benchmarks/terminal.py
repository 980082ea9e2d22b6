"""A program in a pty, as a person's terminal has it: its frames, and when they were whole."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SIZE = (160, 48)
"""Columns and rows."""

QUESTION, YES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
"""Whether synchronized output is known, as most terminals of today answer it."""

FRAME_ENDS = b"\x1b[?2026l"

_ESCAPE = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")

LIMIT = 60.0
"""Seconds after which something has gone wrong."""

Shows = Callable[[str], bool]


def text_of(drawn: bytes) -> str:
    """What was drawn, without colours and moves of the cursor: a break for each of them."""
    return _ESCAPE.sub(b"", drawn).decode("utf-8", "replace")


class Terminal:
    """Runs a program until the `with` ends, which kills it. What it draws is kept per `mark`."""

    def __init__(self, command: Sequence[str | Path], home: Path) -> None:
        words = [str(word) for word in command]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                size = struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.execve(words[0], words, environment)
            finally:
                os._exit(127)
        self.drawn = b""
        """Since the last `mark`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        return text_of(self.drawn)

    def pump(self, seconds: float) -> bool:
        """Take what comes within this time; whether anything did."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError as error:
            raise RuntimeError(f"the program ended: {text_of(self.drawn)[-400:]}") from error
        if QUESTION in data:
            os.write(self._fd, YES)
        self.drawn += data
        return True

    def mark(self) -> None:
        """Forget what was drawn so far."""
        self.drawn = b""

    def press(self, keys: bytes) -> float:
        """Send keys; when that was."""
        now = time.perf_counter()
        os.write(self._fd, keys)
        return now

    def until(self, shows: Shows) -> float:
        """When the frame was whole in which what was drawn since the mark `shows`."""
        end, looked = time.perf_counter() + LIMIT, 0
        while time.perf_counter() < end:
            whole = self.drawn.rfind(FRAME_ENDS) + len(FRAME_ENDS)
            if whole > looked and self.drawn.rfind(FRAME_ENDS) >= 0:
                looked = whole
                now = time.perf_counter()
                if shows(text_of(self.drawn[:whole])):
                    return now
            self.pump(0.5)
        raise RuntimeError(f"it did not come: {text_of(self.drawn)[-2000:]}")

    def until_text(self, text: str) -> float:
        return self.until(lambda drawn: text in drawn)

    def settle(self, seconds: float) -> None:
        """Wait until nothing was drawn for this time."""
        while self.pump(seconds):
            pass

    def rest(self, seconds: float) -> None:
        """Take what it draws for this time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.pump(left)

    def cpu(self) -> float:
        """Seconds of a core that the program used so far, all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def private_bytes(self) -> int:
        return private_bytes(self.pid)


def private_bytes(pid: int) -> int:
    """What a process has for itself alone (USS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024

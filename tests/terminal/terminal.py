"""A terminal for tests: a process in a pty, what it drew, the modes it set, keys for it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pexpect
import pyte
import pytest

OH_TUI = Path(sys.executable).with_name("oh-tui")

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+q": "\x11",
    "ctrl+z": "\x1a",
}

CHANGED = {
    "alternate screen": (1049, False),
    "cursor shown": (25, True),
    "mouse clicks": (1000, False),
    "mouse moves": (1003, False),
    "mouse, urxvt": (1015, False),
    "mouse, SGR": (1006, False),
    "mouse in pixels": (1016, False),
    "bracketed paste": (2004, False),
    "focus reports": (1004, False),
    "line wrap": (7, True),
    "resize reports": (2048, False),
    "synchronized": (2026, False),
}
"""Modes that a full-screen program changes: their number, and how a shell has them."""

_QUESTION = b"\x1b[?2026$p"
_UPDATE, _UPDATED = b"\x1b[?2026h", b"\x1b[?2026l"
"""Around what is to be shown at once, in synchronized output."""

_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_ESCAPE = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")


T = TypeVar("T")


def first_of(cases: Iterable[T]) -> list[Any]:
    """The cases of a test: `make test` tries the first, `make test-slow` the others."""
    first, *others = cases
    return [first, *(pytest.param(case, marks=pytest.mark.slow) for case in others)]


LONGEST = 60.0
"""Seconds to wait for what comes in far less where nothing else runs."""


class Terminal:
    """Runs a command in a pty with an environment that says nothing but what is given here.

    It answers the one question that most terminals answer: yes, synchronized output is known;
    not with `answers` off, for one that is looked at only after its end. With `draws` off the
    screen is drawn only by `draw`, which is much work where much comes.
    """

    def __init__(
        self,
        *command: str | Path,
        size: tuple[int, int] = (120, 36),
        home: Path | None = None,
        answers: bool = True,
        draws: bool = True,
        **environment: str,
    ) -> None:
        self._home = None if home else tempfile.TemporaryDirectory(prefix="oh-tui-test-")
        self.home = home or Path(self._home.name if self._home else "")
        base = {
            "PATH": f"{OH_TUI.parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PS1": "$ ",
        }
        words = [str(word) for word in command]
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.drawn = bytearray()
        """All bytes that came."""
        self._answers = answers
        self._draws = draws
        self._shown = 0
        """The bytes of them that are on the screen."""
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            words[0],
            words[1:],
            env={name: value for name, value in (base | environment).items() if value},
            cwd=str(self.home),
            dimensions=(size[1], size[0]),
            timeout=10,
            use_poll=True,  # select knows no file above 1,023
        )
        self.child.delaybeforesend = None
        self.child.ptyproc.delayafterclose = 0  # type: ignore[attr-defined]
        self.pid = int(self.child.pid or 0)
        self.before = self.attributes()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not hasattr(error, "__notes__"):
            self._describe(error)
        if not self.child.closed:
            try:
                self.child.close(force=True)
            except pexpect.ExceptionPexpect:
                self.child.wait()  # it is killed, and a busy machine takes longer to end it
        if self._home:
            self._home.cleanup()

    @contextlib.contextmanager
    def named(self, name: str) -> Iterator[None]:
        """One of several terminals in a test: what fails says which and shows it."""
        try:
            yield
        except AssertionError as error:
            error.add_note(f"in the terminal for {name}:")
            self._describe(error)
            raise

    def _describe(self, error: BaseException) -> None:
        error.add_note(f"the terminal showed:\n{self.text}\nand last:\n{self.drawn[-600:]!r}")

    # What it does

    def press(self, *keys: str) -> None:
        """Keys by name (`enter`, `ctrl+z`), or text as it is."""
        for key in keys:
            self.child.send(KEYS.get(key, key))

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)
        self.child.setwinsize(height, width)

    def hang_up(self) -> None:
        """Close the terminal, as a window is closed."""
        self.child.ptyproc.fileobj.close()  # type: ignore[attr-defined]
        self.child.closed = True

    def pump(self, seconds: float = 0.05) -> bool:
        """Take what comes within this time; False when the other end is closed."""
        try:
            data = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            data = self._rest()
            if not data:
                return False
        before = max(0, len(self.drawn) - len(_QUESTION) + 1)
        self.drawn += data
        if self._answers and _QUESTION in self.drawn[before:]:
            self.child.send("\x1b[?2026;2$y")
        if self._draws:
            self.draw()
        return True

    def _rest(self) -> bytes:
        """The last output of a program that has ended. pexpect stops reading once it sees the end,
        and can miss what was written just before."""
        with contextlib.suppress(OSError):  # there is nothing, and nobody who writes
            os.set_blocking(self.child.child_fd, False)
            return os.read(self.child.child_fd, 65536)
        return b""

    def draw(self) -> None:
        """Bring the screen up to what came, without half a synchronized update."""
        begun = self.drawn.rfind(_UPDATE)
        is_whole = begun <= self.drawn.rfind(_UPDATED)
        end = len(self.drawn) if is_whole else max(begun, self._shown)
        data, self._shown = bytes(self.drawn[self._shown : end]), end
        # pyte does not know the sequence and would draw its last letter
        self._stream.feed(data.replace(b"\x1b[<u", b""))

    # What is seen

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, true: Callable[[], object], what: str, seconds: float = LONGEST) -> None:
        end = time.monotonic() + seconds
        while not true():
            if not self.pump() and not true():
                raise AssertionError(f"the program ended before {what}")
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come within {seconds} s")

    def wait_for(self, text: str, seconds: float = LONGEST) -> None:
        """Wait until the screen shows the text."""
        self.until(lambda: text in self.text, f"{text!r}", seconds)

    def wait_without(self, text: str, seconds: float = LONGEST) -> None:
        self.until(lambda: text not in self.text, f"an end of {text!r}", seconds)

    def settle(self, seconds: float = 0.2) -> None:
        """Take what comes until nothing does for this time."""
        size = -1
        while size != len(self.drawn):
            size = len(self.drawn)
            end = time.monotonic() + seconds
            while time.monotonic() < end and size == len(self.drawn):
                if not self.pump(seconds):
                    return

    def attributes(self) -> list[Any]:
        """The modes of the tty itself: echo, lines, signals by keys."""
        return termios.tcgetattr(self.child.child_fd)

    def modes(self) -> dict[str, bool]:
        """The modes that differ from those a shell has, by name."""
        state: dict[int, bool] = {}
        for match in _MODE.finditer(self.drawn):
            for number in match[1].split(b";"):
                state[int(number)] = match[2] == b"h"
        return {
            name: state[number]
            for name, (number, normal) in CHANGED.items()
            if state.get(number, normal) != normal
        }

    # How it ends

    def ends(self, seconds: float = LONGEST) -> int:
        """Wait for the end; the exit code as a shell tells it."""
        end = time.monotonic() + seconds
        while self.pump():
            if time.monotonic() > end:
                raise AssertionError(f"the program did not end within {seconds} s")
        return self.code()

    def code(self) -> int:
        self.child.wait()
        if self.child.signalstatus is not None:
            return 128 + int(self.child.signalstatus)
        assert self.child.exitstatus is not None
        return int(self.child.exitstatus)

    @property
    def said(self) -> str:
        """What stands in the shell once the full screen is left, without colours."""
        _, left, after = bytes(self.drawn).rpartition(b"\x1b[?1049l")
        text = (after if left else bytes(self.drawn)).decode("utf-8", "replace")
        return _ESCAPE.sub("", text).replace("\r\n", "\n").strip()

    def is_restored(self) -> bool:
        """Whether the terminal is as the program found it; what differs fails with its name."""
        assert self.modes() == {}
        assert self.drawn.count(b"\x1b[<u") == len(re.findall(rb"\x1b\[>\d+u", self.drawn))
        assert self.attributes() == self.before
        return True

"""A driver for a terminal that may go away, stop, or send bytes that are no text.

key or resize -> input thread -> app            Textual's, except for reading
frame -> writer thread -> stderr                Textual's, except that the terminal may be gone
mark -> writer thread -> input thread -> app    ours: after the frames before it, between the keys
SIGTSTP, SIGCONT -> event loop -> here          ours: stop as a group, redraw when continued
end without a word -> watcher                   ours: gives the terminal back
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TextIO

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_GIVEN_BACK = "\x1b[0m" + "".join(f"\x1b[?{mode}" for mode in (
    *("2026l", "1000l", "1003l", "1015l", "1006l", "1004l", "2048l", "2004l"),
    *("7h", "1049l", "25h"),
))  # fmt: skip
"""Ends an update of the screen; turns off colours, mouse, focus, resize and paste reports; restores
wrapping, the normal screen and the cursor."""

_KEYS_BACK = "\x1b[<u"
_TITLE_BACK = "\x1b]2;\x07\x1b[23;2t"


class TerminalDriver(LinuxDriver):
    """Mends Textual 8.2.8's driver, which spins when stdin ends, crashes on a byte that is not
    UTF-8, stops for ever without a shell to continue it, starts twice on a SIGCONT without a stop,
    and waits 0.2 s for its input thread at exit (measured)."""

    def __init__(self, app: App[object], **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = _Output(self._hang_up)
        self._title = "oh-tui"
        self._has_title = False
        self._watcher: Watcher | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._marks: deque[Message] = deque()
        self._mark_read, self._mark_write = os.pipe()
        self._heed(signal.SIGTSTP, self._stop)
        self._heed(signal.SIGCONT, self._continued)

    def mark(self, message: Message) -> None:
        """Post a message to the app once everything written so far is on the terminal, and after
        all keys typed until then, unread ones included."""
        if self._writer_thread is None:  # stopped: everything is drawn again later
            self.send_message(message)
        else:
            self.write(_Mark(partial(self._marked, message)))

    def _marked(self, message: Message) -> None:
        self._marks.append(message)
        os.write(self._mark_write, b"\0")

    # The title of the terminal's window

    def set_title(self, title: str) -> None:
        self._title = title
        if self._has_title:
            self.write(f"\x1b]2;{title}\x07")

    def start_application_mode(self) -> None:
        # old Linux consoles print sequences they do not know
        takes_title = os.environ.get("TERM") != "linux"
        if self._watcher is None and sys.__stderr__:
            text = _KEYS_BACK + _GIVEN_BACK + (_TITLE_BACK if takes_title else "")
            self._watcher = Watcher(sys.__stderr__, text)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._is_started() and not self._has_title and takes_title:
            self._has_title = True
            self.write("\x1b[22;2t")  # saves the title before, if the terminal can
            self.set_title(self._title)

    def stop_application_mode(self) -> None:
        if self._has_title:
            self._has_title = False
            self.write(_TITLE_BACK)
        super().stop_application_mode()
        self._dismiss()

    def _dismiss(self) -> None:
        if self._watcher:
            self._watcher.dismiss()
            self._watcher = None

    def _heed(self, number: signal.Signals, call: Callable[[], None]) -> None:
        # in the loop, because a signal handler could run in the middle of a write
        self._loop.add_signal_handler(number, call)

    def _hang_up(self) -> None:
        """The terminal is gone: send the SIGHUP that the system may not have sent. Thread-safe."""
        if not self._loop.is_closed():
            os.kill(os.getpid(), signal.SIGHUP)

    # Stop and continue

    def _stop(self) -> None:
        """Restore the terminal and stop the whole process group, as ctrl+z does elsewhere: if we
        stopped alone under `make`, the shell would wait. The system does not stop a group that no
        shell could continue; then we continue at once."""
        if not self._is_started():
            return
        self.suspend_application_mode()
        self._loop.remove_signal_handler(signal.SIGCONT)
        self._loop.remove_signal_handler(signal.SIGTSTP)
        os.kill(0, signal.SIGTSTP)
        # from here on we are continued
        while not self._is_started() and self._has_terminal():
            self._start()  # in the background this stops again, and returns without a start
        self._heed(signal.SIGTSTP, self._stop)
        self._heed(signal.SIGCONT, self._continued)

    def _continued(self) -> None:
        """Continue after SIGSTOP: another program may have drawn, and changed terminal modes."""
        if self._is_started() and self._has_terminal() and not self._app._exit:
            self.suspend_application_mode()
            self._start()

    def _start(self) -> None:
        self._must_signal_resume = True
        self.start_application_mode()

    def give_back(self) -> None:
        """Restore the terminal from another thread, as the process ends with a stuck loop."""
        text = _GIVEN_BACK
        if self._is_started():
            text = _KEYS_BACK + text
        if self._has_title:
            text += _TITLE_BACK
        out = sys.__stderr__
        with contextlib.suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            # a terminal that reads nothing must not delay the end
            if out and select.select([], [out], [], 0.2)[1]:
                os.write(out.fileno(), text.encode())
        self._dismiss()

    def _is_started(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()

    def _has_terminal(self) -> bool:
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            return False
        return True

    # Input and output

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)

    def disable_input(self) -> None:
        os.write(self._wake_write, b"\0")
        super().disable_input()
        os.read(self._wake_read, 1)

    def run_input_thread(self) -> None:
        """Post keys until the exit event, which ends the wait at once."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            fds = [self.fileno, self._wake_read, self._mark_read]
            ready, _, _ = select.select(fds, [], [], 0.1)
            marked = self._mark_read in ready
            while True:
                text = ""
                if self.fileno in ready:
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        self._hang_up()
                        return
                    text = decode(data)
                try:
                    # "" would be the end for the parser
                    for message in (*(parser.feed(text) if text else ()), *parser.tick()):
                        self.process_message(message)
                except (ArithmeticError, ValueError):  # a key with the number 99999999999
                    parser = XTermParser(self._debug)
                if not marked:
                    break
                # the keys before the mark may take more than one read
                ready, _, _ = select.select([self.fileno], [], [], 0)
                if not ready or self.exit_event.is_set():
                    os.read(self._mark_read, 1)
                    self.send_message(self._marks.popleft())
                    break


class _Mark(str):
    """Writes nothing, but calls `call` when everything before it is written."""

    call: Callable[[], None]

    def __new__(cls, call: Callable[[], None]) -> _Mark:
        mark = super().__new__(cls)
        mark.call = call
        return mark


class _Output:
    """The terminal as the writer thread sees it. That thread must survive the loss of the terminal:
    its queue is short, and the app blocks when nobody reads from it."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost

    def write(self, text: str) -> None:
        if isinstance(text, _Mark):
            self.flush()
            text.call()
        else:
            self._try(lambda file: file.write(text))

    def flush(self) -> None:
        self._try(lambda file: file.flush())

    def _try(self, do: Callable[[TextIO], object]) -> None:
        file = sys.__stderr__
        assert file is not None
        try:
            do(file)
        except OSError:
            # flushing the buffer at exit must not fail either
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, file.fileno())
            os.close(nowhere)
            self._lost()


PATIENCE = 1.0
"""Most seconds to wait for it; both waits take a millisecond."""

_SCRIPT = """\
exec 3<&2 2>/dev/null
saved=$(stty -g <&3)
exec >&-  # says that they are saved
read -r line && exit
stty "$saved" <&3
printf %s "$1" >&3
"""


class Watcher:
    """Saves the modes of the terminal, and restores them and writes `text` if this process ends
    before `dismiss`: after SIGKILL, or a fault in native code.

    Such an end runs nothing of the program. It leaves the terminal raw, in its alternate screen and
    with its mouse reported. A shell that waits on a pipe notices the end. It costs 3 ms at the
    start."""

    def __init__(self, terminal: TextIO, text: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        # without a shell nobody watches
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, "oh-tui", text],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=terminal,
                start_new_session=True,  # keys and signals of the terminal are not for it
            )
            assert self._process.stdout
            select.select([self._process.stdout], [], [], PATIENCE)

    def dismiss(self) -> None:
        """Ends it; the terminal stays as it is."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            with contextlib.suppress(OSError):  # it has ended
                process.communicate(b"\n", PATIENCE)
        except subprocess.TimeoutExpired:  # a busy machine
            process.kill()
            process.communicate()

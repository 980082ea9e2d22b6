"""A small process that gives the terminal back where oh-tui cannot: after SIGKILL, or a fault in
native code.

Such an end runs nothing of the program. It leaves the terminal raw, in its alternate screen and
with its mouse reported. A shell that waits on a pipe notices the end. It costs 3 ms at the start.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
from typing import TextIO

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
    before `dismiss`."""

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

"""`--log FILE`: one line for each call to a server, without keys, queries and bodies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line


class CallLog:
    """Appends to a file that the owner alone can read. Raises Problem when it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._append("")

    def __call__(self, method: str, url: str, status: int | None, seconds: float) -> None:
        """Logs one attempt of a call; `url` has no query, `status` is None without an answer."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._append(
            f"{now}  {method:<5} {safe_line(url)[:2_000]}  {status or 'no answer'}  "
            f"{seconds * 1000:.0f} ms\n"
        )

    def _append(self, text: str) -> None:
        try:
            # a pipe that nobody reads must not block
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, text.encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "no such name").lower()
            raise Problem(
                f"Cannot write the log {clean_line(str(self._path))}: {reason}",
                "choose another file",
            ) from error

"""`--log FILE`: one line for each call to a server, without keys, queries and bodies."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from oh_tui.problem import Problem
from oh_tui.text import clean_line, redact


class CallLog:
    """Appends to a private file; raises Problem when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "no such name").lower()
            raise Problem(
                f"Cannot write the log {clean_line(str(path))}: {reason}", "choose another file"
            ) from error
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")

    def __call__(self, method: str, url: str, status: int | None, seconds: float) -> None:
        """One attempt of a call; `url` has no query, `status` is None when no answer came."""
        now = datetime.now(UTC)
        told = redact(clean_line(url))
        self._file.write(
            f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z  {method:<5} {told}  "
            f"{status or 'no answer'}  {seconds * 1000:.0f} ms\n"
        )
        self._file.flush()

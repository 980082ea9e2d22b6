"""Regular expressions that are compiled when they are first used, not at each start."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, which for all of ours together took 6 to 15 ms of each start; most starts
    need a few of them. A mistake in `source` shows at the first use: a test compiles them all."""
    return cast("re.Pattern[AnyStr]", _Later(source, flags))


class _Later:
    """Stands for the compiled pattern; what was asked of it once is held here."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found

"""Regular expressions that are compiled on first use."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but lazy: compiling all patterns took 6 to 15 ms of each start. A test
    compiles them all, as an error in `source` shows only on first use."""
    return cast("re.Pattern[AnyStr]", _Later(source, flags))


class _Later:
    """Stands for a compiled pattern, and caches its methods."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found

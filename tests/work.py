"""How much work something is: counted, so that no test depends on how fast the machine is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass
class Work:
    lines: int = 0
    """Lines of Python that ran; whatever C does for one of them counts as one."""


@contextmanager
def counted() -> Iterator[Work]:
    """Counts what this thread runs; asynchronous work counts from its next turn on."""
    work, before = Work(), sys.gettrace()

    def trace(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        work.lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        yield work
    finally:
        sys.settrace(before)

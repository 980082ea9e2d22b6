"""Remarks and progress of work: on standard error, or for a listener whom a command serves."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


class Listener:
    """Somebody who waits for an answer."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.progress = ""
        """How far the work is, "" if nothing tells it."""
        self.is_gone = False
        """Nobody waits any more, so that long work may end."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def listener() -> Listener | None:
    """Who hears this task, and the threads that it starts; None for the terminal."""
    return _listener.get()


@contextlib.contextmanager
def heard_by(one: Listener) -> Iterator[None]:
    """Gives this listener all that is said, and tells the work when it is left."""
    before = _listener.set(one)
    try:
        yield
    finally:
        one.is_gone = True
        _listener.reset(before)


def is_wanted() -> bool:
    """Whether somebody still waits for the work."""
    one = _listener.get()
    return one is None or not one.is_gone


async def in_background(work: Callable[[], T]) -> T:
    """Does work that takes seconds: in a thread where somebody listens, who may stop waiting."""
    return work() if _listener.get() is None else await asyncio.to_thread(work)


def say(text: str) -> None:
    """Prints a remark to stderr, so that it does not reach a pipe; or tells the listener."""
    if one := listener():
        one.remarks.append(text)
        return
    print(f"oh-tui: {text}", file=sys.stderr, flush=True)


def show_progress(text: str) -> None:
    """Shows one line in place of the one before, on a terminal alone, or tells the listener."""
    if one := listener():
        one.progress = text
        return
    if sys.stderr and sys.stderr.isatty():
        print(end=f"\r\x1b[K{text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Gives `show_progress`, and clears its line in the end."""
    try:
        yield show_progress
    finally:
        show_progress("")

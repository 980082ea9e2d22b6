"""Work in progress: what is being written, a batch that can be stopped, a response that is
awaited."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec import Struct

from oh_tui.conversation import bare_id


class Batch:
    """Work on several things one after the other; each is completed once begun."""

    def __init__(self) -> None:
        self.stopped = False
        """No further one is begun."""


class Wait(Struct, eq=False):
    """A server response that the user sees being waited for."""

    stage: str
    """What is being waited for, in words."""
    began: float


class Writes:
    """What is being written at this moment, to servers and to disk; quitting asks first
    meanwhile."""

    def __init__(self) -> None:
        self._under_way: list[tuple[str, tuple[str, ...]]] = []
        """Each in words, and the ids without dashes of the conversations that it is about."""

    @contextlib.contextmanager
    def doing(self, what: str, *about: str) -> Iterator[None]:
        """Mark something as being written, `about` conversations with these ids."""
        one = (what, tuple(bare_id(identifier) for identifier in about))
        self._under_way.append(one)
        try:
            yield
        finally:
            self._under_way.remove(one)

    def is_doing(self, verb: str, about: str) -> bool:
        """Whether a write about this conversation whose words begin like this is under way."""
        return any(w.startswith(verb) and bare_id(about) in ids for w, ids in self._under_way)

    @property
    def words(self) -> str:
        """All of them, each kind once; "" for none."""
        return ", ".join(sorted({what for what, _ in self._under_way}))

"""Work in progress: what is being written, a batch that can be stopped, a response that is awaited,
and what the user was told of budgets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.private_store import PrivateStore
from oh_tui.sources.budget import Budget, Spending

C = TypeVar("C")


async def save(kept: PrivateStore[Any, C]) -> bool:
    """Write what changed to the disk, in a thread; False if that fails. When the app ends
    meanwhile, it writes that itself: the thread may not get so far."""
    if not (changes := kept.take_changes()):
        return True
    written = False
    try:
        written = await asyncio.to_thread(kept.write, changes)
    finally:
        if not written:
            kept.put_back(changes)
    return written


class OwnChange(NamedTuple):
    """A tag, note, bookmark or mark that can be taken back."""

    what: str
    take_back: Callable[[], None]
    """Raises NotNow or Problem."""


class Batch:
    """Work on several things one after the other; each is completed once begun."""

    stopped = False
    """No further one is begun."""


class Wait(Struct, eq=False):
    """A server response that the user sees being waited for."""

    stage: str
    began: float


class Writes:
    """What is being written to servers and to disk; quitting asks first meanwhile."""

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


class ToldBudgets:
    """What the user was told of budgets, so that nothing is told or asked twice."""

    def __init__(self) -> None:
        self._told: set[tuple[str, float, Spending | None]] = set()
        """Id of a run, its budget, and what was told of it."""

    def add(self, conversation: Conversation, budget: Budget) -> bool:
        """The user is told how far the run is, or lets it go on; False if that is known already."""
        one = bare_id(conversation.id), budget.limit, budget.spending
        is_new = one not in self._told
        self._told.add(one)
        return is_new

    def forget(self, conversation: Conversation) -> None:
        """The run has another budget."""
        self._told = {one for one in self._told if one[0] != bare_id(conversation.id)}

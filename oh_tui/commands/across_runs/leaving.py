"""What leaves with an export of many runs: the list is told once all that leaves is known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from oh_tui.batch.run_batch import Result
from oh_tui.batch.worker import Unread
from oh_tui.commands.framework.command import Call
from oh_tui.sharing.jobs import Leaving, Left
from oh_tui.sharing.what_leaves import WhatLeaves, told
from oh_tui.text.remarks import say

T = TypeVar("T")


def left_of(call: Call) -> Left:
    return Left(tuple(call.args.without), call.args.only)


class Leaves:
    """Adds up what leaves with each run. Its size does not grow with the runs."""

    def __init__(self) -> None:
        self._sum = WhatLeaves()

    async def taken(self, results: AsyncIterator[Result[Leaving[T]]]) -> AsyncIterator[Result[T]]:
        """The results alone; what leaves with them is added up."""
        async for one in results:
            if isinstance(one.value, Unread):
                yield Result(one.conversation, one.value)
                continue
            self._sum.take_run(one.value.run, one.value.leaves)
            yield Result(one.conversation, one.value.made)

    def say(self) -> None:
        if self._sum.runs:
            for line in told(self._sum):
                say(line)

    @contextmanager
    def said_in_the_end(self) -> Iterator[None]:
        """Says it also where an export ends early and what it has written stays."""
        try:
            yield
        finally:
            self.say()

"""A list that stays quick to change in any place, however long it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_BLOCK = 512
"""Items of a block when it is made; it is divided when it has twice as many."""


class LongList:
    """Items, each of which is there once."""

    __slots__ = ("_block_of", "_blocks")

    def __init__(self, items: Iterable[int] = ()) -> None:
        self._blocks: list[list[int]] = [[]]
        self._block_of: dict[int, list[int]] = {}
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return len(self._block_of)

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks:
            yield from block

    def __contains__(self, item: int) -> bool:
        return item in self._block_of

    def append(self, item: int) -> None:
        self._put(len(self._blocks) - 1, len(self._blocks[-1]), item)

    def insert(self, at: int, item: int) -> None:
        """Put it before the item at an index, or at the end."""
        if at >= len(self):
            self.append(item)
            return
        number = 0
        while at > len(self._blocks[number]):
            at -= len(self._blocks[number])
            number += 1
        self._put(number, at, item)

    def take_out(self, items: Iterable[int]) -> None:
        """Items that are there."""
        for item in items:
            self._block_of.pop(item).remove(item)

    def _put(self, number: int, at: int, item: int) -> None:
        block = self._blocks[number]
        block.insert(at, item)
        self._block_of[item] = block
        if len(block) >= 2 * _BLOCK:
            rest = block[_BLOCK:]
            del block[_BLOCK:]
            self._blocks.insert(number + 1, rest)
            self._block_of.update((one, rest) for one in rest)

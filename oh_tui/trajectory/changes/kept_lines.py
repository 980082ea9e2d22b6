"""Texts of files as lines: which of them another text has too, by the shortest difference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oh_tui.trajectory.model.alignment import Check, Pairs, common
from oh_tui.trajectory.model.difference import without_ends


def split(text: str) -> list[str]:
    """The lines of a text, without line ends."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


class Kept(NamedTuple):
    """What two texts share: lines before `head`, as many last ones, and pairs between them."""

    head: int
    was: int
    """Lines between the two ends in the old text, and in the new one."""
    now: int
    pairs: Pairs
    """Places of equal lines, counted from `head`."""

    def blocks(self) -> Iterator[tuple[int, int, int, int]]:
        """What differs: start and end of lines in the old text, and of those in the new one."""
        a, b = 0, 0
        for i, j in (*self.pairs, (self.was, self.now)):
            if i > a or j > b:
                yield self.head + a, self.head + i, self.head + b, self.head + j
            a, b = i + 1, j + 1


def kept_lines(old: str, new: str, check: Check = lambda: None) -> Kept:
    """What the new text has of the old one; which of two equal lines was kept is free. `check` is
    called now and then, and may raise what ends the work."""
    size, before, after = without_ends(old, new)
    was, now = split(before), split(after)
    pairs: Pairs = []
    if shared := set(was) & set(now):
        a, b = _places(was, shared), _places(now, shared)
        found = common([was[n] for n in a], [now[n] for n in b], check)
        pairs = [(a[one], b[other]) for one, other in found]
    return Kept(old.count("\n", 0, size), len(was), len(now), pairs)


def _places(lines: Sequence[str], shared: set[str]) -> list[int]:
    return [n for n, line in enumerate(lines) if line in shared]


def same_ends(text: str) -> str:
    """A text with the line ends that every later reader of the file reports."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def digest_of(text: str) -> bytes:
    """The same for texts that differ in line ends alone."""
    data = same_ends(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).digest()

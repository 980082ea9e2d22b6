"""A long list against a plain one."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.context import whole
from oh_tui.trajectory.context.whole import LongList


@given(seed=st.integers(0, 10**6), count=st.integers(0, 40), size=st.integers(1, 4))
def test_it_has_what_a_plain_list_has(seed: int, count: int, size: int) -> None:
    chance, plain = random.Random(seed), list[int]()
    usual, whole._BLOCK = whole._BLOCK, size
    try:
        made = LongList()
        for item in range(count):
            if plain and chance.random() < 0.3:
                gone = chance.sample(plain, chance.randint(1, len(plain)))
                made.take_out(gone)
                plain = [one for one in plain if one not in gone]
            elif chance.random() < 0.3:
                made.append(item)
                plain.append(item)
            else:
                at = chance.randint(0, len(plain) + 2)
                made.insert(at, ~item)
                plain.insert(at, ~item)
            assert list(made) == plain and len(made) == len(plain)
        assert all(item in made for item in plain) and count not in made
        assert list(LongList(plain)) == plain
    finally:
        whole._BLOCK = usual

"""Random input over a slow network, three times 40 s; `make monkey` does more of it."""

from __future__ import annotations

from itertools import islice

import pytest

from scripts.monkey import inputs, play


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_input_over_a_slow_network_breaks_nothing(seed: int) -> None:
    assert play(seed, 40.0) > 40


def test_the_input_is_the_same_for_the_same_seed_and_never_quits() -> None:
    first, again, other = (list(islice(inputs(seed), 2000)) for seed in (7, 7, 8))
    assert first == again != other
    assert not any("\x11" in one.text for one in (*first, *other))
    assert sum(one.size is not None for one in first) > 10
    assert sum("\x1b[<" in one.text for one in first) > 50

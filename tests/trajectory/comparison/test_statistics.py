"""Sets of runs compared: which belong together, and what the numbers of the pairs say."""

from __future__ import annotations

import random
import statistics
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.comparison.statistics import (
    Named,
    interval_of_median,
    least_net,
    mcnemar,
    means,
    pair,
    paired,
)

NAMES = st.lists(
    st.builds(Named, st.sampled_from(["", "1", "2", "3"]), st.sampled_from(["", "x", "y"])),
    max_size=8,
)


def test_runs_of_one_instance_are_paired_then_those_of_one_title() -> None:
    a = [Named("one", "A"), Named("two", "B"), Named("three", "C"), Named("four", "")]
    b = [Named("x", "C"), Named("two", "B"), Named("y", "C"), Named("five", "")]
    assert pair(a, b) == ([(1, 1), (2, 0)], [0, 3], [2, 3])


@given(a=NAMES, b=NAMES)
def test_each_run_is_in_one_pair_or_left_over(a: list[Named], b: list[Named]) -> None:
    found = pair(a, b)
    assert sorted([one for one, _ in found.pairs] + found.only_a) == list(range(len(a)))
    assert sorted([other for _, other in found.pairs] + found.only_b) == list(range(len(b)))
    for one, other in found.pairs:
        same = zip(a[one], b[other], strict=True)
        assert any(name and name == its for name, its in same)


def test_mcnemar_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    assert mcnemar(0, 0) == 1
    for gained, lost in product(range(12), range(12)):
        if gained + lost:
            expected = stats.binomtest(gained, gained + lost, 0.5).pvalue
            assert mcnemar(gained, lost) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(900, 1100) == pytest.approx(stats.binomtest(900, 2000).pvalue, rel=1e-9)


@pytest.mark.parametrize("size", [2, 7, 40, 41, 500])
def test_interval_is_the_one_of_the_bootstrap_of_scipy(size: int) -> None:
    scipy = pytest.importorskip("scipy.stats")
    numpy = pytest.importorskip("numpy")
    rng = random.Random(size)
    values = [rng.gauss(5, 20) for _ in range(size)]
    assert interval_of_median(values) == interval_of_median(values[::-1])
    expected = scipy.bootstrap(
        (values,), numpy.median, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    ordered = sorted(values)
    ranks = [sum(value < edge for value in ordered) for edge in interval_of_median(values)]
    wanted = [sum(value < edge for value in ordered) for edge in expected]
    # in ranks: resampling at random moves an edge to one of its neighbours
    assert ranks == pytest.approx(wanted, abs=max(1, size // 100))


def test_medians_and_differences_are_those_of_pairs_where_both_are_known() -> None:
    found = paired([(1.0, 3.0), (None, 9.0), (5.0, None), (2.0, 2.0), (4.0, 7.0)])
    assert found[:4] == (3, 2.0, 3.0, 2.0)
    assert found.interval is not None and found.interval[0] <= 2.0 <= found.interval[1]
    assert paired([(None, 1.0)]) == (0, None, None, None, None)
    assert paired([(1.0, 2.0)]) == (1, 1.0, 2.0, 1.0, None)
    assert paired([(1.0, 1.0)] * 9).interval == (0.0, 0.0)
    same = [(float(n), float(n)) for n in range(30)]
    assert paired(same).a == statistics.median(range(30))


def test_interval_of_the_mean_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(5)
    pairs = [(rng.gauss(10, 3), rng.gauss(11, 4)) for _ in range(200)]
    found = means([*pairs, (None, 1.0)])
    differences = [b - a for a, b in pairs]
    expected = stats.bootstrap(
        (differences,), lambda x, axis: x.mean(axis), method="percentile", rng=1
    ).confidence_interval
    assert found.difference == pytest.approx(statistics.mean(differences))
    assert found.interval == pytest.approx(tuple(expected), abs=0.06)
    assert found == means(pairs)


def test_means_of_few_pairs_have_no_interval() -> None:
    assert means([]) == means([(1, None)]) == (0, None, None)
    assert means([(1, 3)]) == (1, 2, None)
    assert means([(1, 3), (2, 4)]) == (2, 2, (2, 2))


def test_least_difference_is_the_first_that_counts() -> None:
    # p of scipy.stats.binomtest: 0.03125 of 6:0, 0.0625 of 5:0, 0.0391 of 8:1 of 9
    assert [least_net(n) for n in range(10)] == [*[None] * 6, 6, 7, 8, 7]
    for n in range(6, 120):
        net = least_net(n)
        assert net is not None and mcnemar((n + net) // 2, (n - net) // 2) < 0.05
        assert net < 2 or mcnemar((n + net) // 2 - 1, (n - net) // 2 + 1) >= 0.05

"""The rows known to hold the text to find."""

from __future__ import annotations

from oh_tui.tui.state.finding import Finding


def made(count: int) -> Finding:
    finding = Finding("x", "steps")
    finding.begin(finding, count)
    return finding


def test_a_hit_has_its_number_once_all_rows_before_it_are_tested() -> None:
    finding = made(6)
    assert finding.words(0) == "looking"
    finding.put(3, True)
    assert finding.words(3) == "1+ hits"
    for row in (0, 2):
        finding.put(row, False)
    finding.put(1, True)
    assert finding.words(3) == "2 of 2+ hits"
    assert list(finding.untested()) == [4, 5]
    finding.put(4, False)
    finding.put(5, False)
    assert (finding.words(3), finding.words(0)) == ("2 of 2 hits", "2 hits")


def test_rows_that_are_added_or_change_are_tested_again() -> None:
    finding = made(2)
    finding.put(0, True)
    finding.put(1, False)
    finding.begin(finding, 3)
    assert list(finding.untested()) == [2] and finding.is_hit(0)
    finding.forget([0, 17])
    assert list(finding.untested()) == [0, 2]
    finding.begin(object(), 3)
    assert list(finding.untested()) == [0, 1, 2]


def test_the_last_rows_are_tested_again_however_few_there_are() -> None:
    for count in (0, 1, 10, 19, 20, 30):
        finding = made(count)
        for row in range(count):
            finding.put(row, True)
        finding.forget_last(20)
        assert list(finding.untested()) == list(range(max(0, count - 20), count))

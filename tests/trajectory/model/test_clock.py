"""Times without a zone, and the clocks that wrote them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.clock import (
    IN_UTC,
    LOCAL,
    NOT_KNOWN,
    by_the_clock,
    is_bare,
    measured,
    seconds,
    zoned,
)

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(
    MOMENTS,
    st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]),
    st.floats(-50, 50),
)
def test_a_clock_is_found_by_two_times_of_one_moment(
    moment: datetime, name: str, apart: float
) -> None:
    shown = moment.astimezone(ZoneInfo(name)).replace(tzinfo=None).isoformat()
    clock = measured(shown, moment.timestamp() + apart)
    assert clock
    assert seconds(zoned(shown, clock)) == pytest.approx(moment.timestamp(), abs=1e-3)


@pytest.mark.parametrize(
    ("shown", "then"),
    [
        ("2026-03-01T10:00:00", "2026-03-01T10:20:00"),  # no zone has 20 minutes
        ("2026-03-01T10:00:00", "2026-03-03T10:00:00"),  # nor two days
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00"),  # it names its zone
        ("yesterday", "2026-03-01T10:00:00"),
        ("", "2026-03-01T10:00:00"),
    ],
)
def test_no_clock_is_made_up(shown: str, then: str) -> None:
    assert measured(shown, seconds(then) or 0.0) == NOT_KNOWN


@pytest.mark.usefixtures("in_new_york")
def test_the_clock_of_this_machine_has_summer_time() -> None:
    clock = measured("2026-03-01T10:00:00", seconds("2026-03-01T15:00:01Z") or 0.0)
    assert clock == LOCAL
    assert zoned("2026-07-01T10:00:00", clock) == "2026-07-01T10:00:00-04:00"
    assert by_the_clock("2026-07-01T10:00:00") == seconds("2026-07-01T14:00:00Z")


@given(st.text(max_size=40) | MOMENTS.map(str), st.sampled_from([LOCAL, IN_UTC, "+05:30", ""]))
def test_any_text_is_bare_or_stays_as_it_is(text: str, clock: str) -> None:
    after = zoned(text, clock)
    assert after == text or (is_bare(text) and clock)
    assert zoned(after, clock) == after
    if seconds(text) is not None:
        assert seconds(after) is not None

"""Ages, durations, sizes, counts and numbers as people read and type them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from oh_tui.text.patterns import pattern


def age(then: float, now: float) -> str:
    """How long ago in three characters, up to 99 years: 9s, 4m, 2h, 3d, 5w, 2y; "now" to come."""
    past = now - then
    if past < 1:
        return "now"
    for limit, size, unit in _AGES:
        if past < limit:
            return f"{int(past // size)}{unit}"
    return f"{int(past // (365 * _DAY))}y"


def ago(told: str) -> str:
    """An age as a sentence has it: 4m ago, now."""
    return f"{told} ago" if told not in ("", "now") else told


def spelled(span: float) -> str:
    """A span in whole units, for a voice: 1 second, 4 minutes, 2 hours, 3 days."""
    for size, unit in ((_DAY, "day"), (3600, "hour"), (60, "minute")):
        if span >= size:
            return plural(int(span // size), unit)
    return plural(max(0, int(span)), "second")


_DAY = 86_400
_AGES = (
    (60, 1, "s"), (3600, 60, "m"), (_DAY, 3600, "h"), (14 * _DAY, _DAY, "d"),
    (365 * _DAY, 7 * _DAY, "w"),
)  # fmt: skip


def clock(span: float) -> str:
    """A span in seconds as 0:09, 12:08 or 2:19:47, with its sign."""
    sign = "-" if span < 0 else ""
    minutes, seconds = divmod(int(abs(span)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"{sign}{minutes}:{seconds:02}"


def duration(span: float) -> str:
    """A span in seconds as <0.1 s, 0.3 s, 8 s, 9m55s, 2h10m or 3d4h."""
    if span < 0:
        return "-" + duration(-span)
    if span < 9.95:
        return f"{span:.1f} s" if span >= 0.05 else "<0.1 s"
    whole = round(span)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < _DAY:
        return f"{whole // 3600}h{whole // 60 % 60:02}m"
    return f"{whole // _DAY}d{whole // 3600 % 24}h"


def rough(span: float) -> str:
    """An estimated span in seconds as 5 s, 4 min or 1.5 h."""
    if span < 90:
        return f"{max(1, round(span))} s"
    return f"{span / 60:.0f} min" if span < 5400 else f"{span / 3600:.1f} h"


def tenths(span: float) -> str:
    """A span for a column of seconds: 0.3, 22.6 or 104; "" under 0.05 s, minutes above 999 s."""
    if span < 0:
        return "-" + tenths(-span) if span <= -0.05 else ""
    if span < 0.05:
        return ""
    if span < 99.95:
        return f"{span:.1f}"
    return f"{span:.0f}" if span < 999.5 else duration(span)


def size(count: int) -> str:
    """A number of bytes as 512 B, 38 kB or 3.7 MB."""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def dollars(amount: float) -> str:
    """US dollars as $0.04, $21.37 or $1,204; less than half a cent as <$0.01."""
    if 0 < amount < 0.005:
        return "<$0.01"
    return f"${amount:,.2f}" if amount < 1000 else f"${amount:,.0f}"


def marked_cost(cost: float | None, *, is_partial: bool = False, is_estimate: bool = False) -> str:
    """A cost as $4.28, $4.28+ where a part may be missing, ~$4.28 where made up; "" for none."""
    return "~" * is_estimate + dollars(cost) + "+" * is_partial if cost else ""


def sum_words(cost: float, partial: int, estimates: int) -> str:
    """What runs cost together: `$21.37+` if partial, `$21.37 without 3 ACP runs`, or nothing."""
    told = marked_cost(cost, is_partial=bool(partial)) or "price unknown" * bool(estimates)
    return " ".join((told, *without(estimates)))


def without(estimates: int) -> list[str]:
    """What a sum of costs leaves out, a phrase."""
    return [f"without {plural(estimates, 'ACP run')}"] if estimates else []


def cost_words(total: int, cost: float, priced: int, partial: int = 0, estimates: int = 0) -> str:
    """After a number of conversations: `, $21.37`; `, at least $21.37` if not of all; or ""."""
    least = "at least " if partial or priced < total else ""
    return f", {least}{dollars(cost)}" if cost else ", price unknown" * bool(estimates)


def compact(number: int) -> str:
    """A count as 118, 41.2k or 1.9M."""
    if number < 1000:
        return str(number)
    if number < 999_950:
        return f"{number / 1e3:.1f}k"
    return f"{number / 1e6:.1f}M" if number < 999_950_000 else f"{number / 1e9:.1f}G"


def plural(count: int, noun: str, many: str = "") -> str:
    """A count with its noun: 1 step, 61 steps, 7,255 events."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def steps_words(steps: tuple[int, ...]) -> str:
    """`step 12`, `steps 2-31`, or `steps 1, 47` of two or more that do not follow each other."""
    if not steps:
        return ""
    first, last = steps[0], steps[-1]
    if first == last:
        return f"step {first:,}"
    if last - first + 1 == len(steps):
        return f"steps {first:,}-{last:,}"
    if len(steps) == 2:
        return f"steps {first:,}, {last:,}"
    return f"{len(steps):,} steps {first:,}-{last:,}"


def are(count: int) -> str:
    """The verb of so many."""
    return "is" if count == 1 else "are"


def percent(share: float) -> str:
    """A share in whole percent; only 0 is "0%", and only 1 "100%"."""
    if 0 < share < 0.01:
        return "<1%"
    return "99%" if 0.99 < share < 1 else f"{share:.0%}"


def percentages(parts: Sequence[int]) -> list[int]:
    """The shares of parts in whole percent, each rounded by itself. They may sum to 99 or 101: a
    share that is bent to make 100 would show a difference between equal parts."""
    whole = sum(parts)
    return [(200 * part + whole) // (2 * whole) if whole else 0 for part in parts]


def parted(parts: Sequence[int], room: int) -> list[int]:
    """Cells for parts of a whole, at least one for each that is not 0."""
    whole, cells = sum(parts), [0] * len(parts)
    for n, part in enumerate(parts):
        cells[n] = max(1, round(room * part / whole)) if part else 0
    cells[cells.index(max(cells))] += room - sum(cells)
    return cells


def unzoned(text: str, is_bare: bool) -> str:
    """A time, marked if nobody knows in which zone it was written."""
    return f"~{text}" if is_bare and text else text


def clock_time(when: float, zone: tzinfo | None = UTC) -> str:
    """A time as 13:29:07 in a zone (None: the local one)."""
    return moment(when, zone).strftime("%H:%M:%S")


def since_midnight(when: float, zone: tzinfo | None = UTC) -> float:
    """Seconds since 0:00 on the clock of a zone (None: the local one)."""
    then = moment(when, zone)
    return then.hour * 3600 + then.minute * 60 + then.second + then.microsecond / 1e6


def day_time(when: float, now: float, zone: tzinfo | None = None) -> str:
    """A time as "13:29 today", "13:29 yesterday" or "13:29, 3 Nov"."""
    then, today = moment(when, zone), moment(now, zone)
    days = (today.date() - then.date()).days
    if day := {0: "today", 1: "yesterday"}.get(days):
        return f"{then:%H:%M} {day}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%H:%M}, {then.day} {then:%b}{year}"


def day_span(began: float, ended: float | None, now: float, zone: tzinfo | None = None) -> str:
    """As "13:29 to 15:49 today"; only the start if the end is unknown or not on that day."""
    if ended is not None and ended > began:
        first, last = moment(began, zone), moment(ended, zone)
        if first.date() == last.date() and f"{first:%H:%M}" != f"{last:%H:%M}":
            return f"{first:%H:%M} to {day_time(ended, now, zone)}"
    return day_time(began, now, zone)


def moment(when: float, zone: tzinfo | None) -> datetime:
    """A time in a zone (None: the local one), within the years that there are."""
    bounded = min(max(when, 0.0), 253_000_000_000.0)
    return datetime.fromtimestamp(bounded, zone)


LAST = 253_000_000_000.0
"""In the year 9987, in seconds since 1970: zones end the calendar on different days."""


def stamp(moment: float, *, utc: bool = True) -> str:
    """2026-01-02T03:04:05Z, or the local 2026-01-02 03:04:05; "" for what is no time of a run."""
    if not 0 <= moment < LAST:
        return ""
    # a quarter of the time that strftime takes, and asked for each step
    if utc:
        return f"{datetime.fromtimestamp(moment, UTC).isoformat(timespec='seconds')[:19]}Z"
    return datetime.fromtimestamp(moment).isoformat(" ", "seconds")


def sparkline(values: Sequence[float | None], levels: str, full: float | None = None) -> str:
    """A block a value; the highest of `levels` is `full`, or the largest value. None is a gap."""
    (line,) = columns(values, levels, 1, full)
    return line


def columns(
    values: Sequence[float | None], levels: str, height: int, full: float | None = None
) -> list[str]:
    """As `sparkline` in so many lines, from the top: a column a value, of which a line shows as
    many steps as there are `levels`."""
    top = full or max((value for value in values if value is not None), default=0.0)
    steps = len(levels)
    heights = [0 if value is None else _steps(value, top, steps * height) for value in values]
    lines = []
    for below in range((height - 1) * steps, -1, -steps):
        here = (min(steps, max(0, reached - below)) for reached in heights)
        lines.append("".join(levels[count - 1] if count else " " for count in here))
    return lines


def _steps(value: float, top: float, most: int) -> int:
    """How many steps a column has: 1 for 0, more for all else."""
    if value <= 0:
        return 1
    return 1 + max(1, round((most - 1) * min(1.0, value / top)))


BUDGET = (0.01, 1_000_000.0)
"""The least and the most US dollars that a budget can be."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = pattern(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:ms|[smhd])){1,5}")
_PART = pattern(r"([0-9.]+)(ms|[smhd])")
_NUMBER = pattern(r"[0-9]{1,9}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}")
_DOLLARS = pattern(r"[0-9]{0,9}\.?[0-9]{1,9}")
_SHARE = pattern(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?")


def seconds_of(text: str) -> float | None:
    """`5s`, `300ms`, `1m30s`, `2h` or a number of seconds, in seconds; None for other text."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _SPAN.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def dollars_of(text: str) -> float | None:
    """`$1.50` or `1.5`; None for other text."""
    text = text.removeprefix("$")
    return float(text) if _DOLLARS.fullmatch(text) else None


def is_budget(amount: float) -> bool:
    """Whether US dollars can be a budget; no for nan and infinity."""
    least, most = BUDGET
    return least <= amount <= most


def share_of(text: str) -> float | None:
    """`80%` or `80`, as 0.8; None for other text."""
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else None


def number(value: float | None, digits: int = 6) -> float | None:
    """A rounded number that JSON can hold; None for NaN and infinity."""
    if value is None or not math.isfinite(value):
        return None
    return round(value, digits)

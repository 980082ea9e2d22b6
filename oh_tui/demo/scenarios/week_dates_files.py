"""The files that the run of `week_dates` finds, and the changes it makes to them."""

PARSE = '''\
"""Read the dates that importers meet, and say by which rule each one was read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

ISO = re.compile(r"(\\d{4})-(\\d{2})-(\\d{2})")
BASIC = re.compile(r"(\\d{4})(\\d{2})(\\d{2})")
DOTTED = re.compile(r"(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4})")
SLASHED = re.compile(r"(\\d{1,2})/(\\d{1,2})/(\\d{4})")
SERIAL = re.compile(r"#(\\d{1,6})")
ORDINAL = re.compile(r"(\\d{4})-(\\d{3})")

SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of the serial numbers of spreadsheets."""

FIRST_YEAR = 1900
LAST_YEAR = 2200


@dataclass(frozen=True)
class Reading:
    """A date, the text it was read from, and the name of the rule."""

    day: date
    text: str
    rule: str


def _iso(match: re.Match[str]) -> date:
    year, month, day = map(int, match.groups())
    return date(year, month, day)


def _day_first(match: re.Match[str]) -> date:
    day, month, year = map(int, match.groups())
    return date(year, month, day)


def _month_first(match: re.Match[str]) -> date:
    month, day, year = map(int, match.groups())
    return date(year, month, day)


def _serial(match: re.Match[str]) -> date:
    return SERIAL_ZERO + timedelta(days=int(match.group(1)))


def _ordinal(match: re.Match[str]) -> date:
    year, number = map(int, match.groups())
    found = date(year, 1, 1) + timedelta(days=number - 1)
    if found.year != year:
        raise ValueError(f"{year} has no day {number}")
    return found


Reader = Callable[[re.Match[str]], date]

FORMS: list[tuple[str, re.Pattern[str], Reader]] = [
    ("iso", ISO, _iso),
    ("basic", BASIC, _iso),
    ("dotted", DOTTED, _day_first),
    ("slashed", SLASHED, _month_first),
    ("serial", SERIAL, _serial),
    ("ordinal", ORDINAL, _ordinal),
]


def read(text: str) -> Reading:
    """The date in `text` with its rule. Raises ValueError for anything else."""
    stripped = text.strip()
    for rule, pattern, reader in FORMS:
        match = pattern.fullmatch(stripped)
        if match:
            day = reader(match)
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise ValueError(f"{day.year} is out of range")
            return Reading(day, stripped, rule)
    raise ValueError(f"no date: {text!r}")


def parse_date(text: str) -> date:
    """The date in `text`. Raises ValueError for anything else."""
    return read(text).day


def explain(text: str) -> list[str]:
    """How `text` is read, a line a fact."""
    lines = [f"input    {text}"]
    if SERIAL.fullmatch(text):
        lines.append(f"counted  from {SERIAL_ZERO}")
    reading = read(text)
    lines.append(f"rule     {reading.rule}")
    lines.append(f"date     {reading.day} ({reading.day:%A})")
    return lines
'''

MAIN = '''\
"""python -m dates TEXT [--explain]"""

import sys

from dates.parse import explain, parse_date


def main(arguments: list[str]) -> int:
    texts = [argument for argument in arguments if not argument.startswith("-")]
    for text in texts:
        if "--explain" in arguments:
            print("\\n".join(explain(text)))
        else:
            print(parse_date(text))
    return 0 if texts else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''

TEST_PARSE = '''\
from datetime import date

import pytest

from dates import parse_date

READ = {
    "2021-02-17": date(2021, 2, 17),
    "20210217": date(2021, 2, 17),
    "17.2.2021": date(2021, 2, 17),
    "17.02.2021": date(2021, 2, 17),
    "2/17/2021": date(2021, 2, 17),
    "02/17/2021": date(2021, 2, 17),
    "2021-048": date(2021, 2, 17),
    "#44244": date(2021, 2, 17),
    "2020-02-29": date(2020, 2, 29),
    "2020-366": date(2020, 12, 31),
}


@pytest.mark.parametrize("text", READ)
def test_reads(text):
    assert parse_date(text) == READ[text]


REFUSED = """
 2021-2-17 2021-13-01 2021-02-30 2021/02/17 1899-12-31 2201-01-01 20211301 202102
 32.1.2021 1.13.2021 1.1.21 13/32/2021 0/1/2021 2/30/2021 1/1/21 #0000000
 2021-000 2021-366 2021-36 #999999 today now 17-Feb-2021 -
"""


@pytest.mark.parametrize("text", REFUSED.split())
def test_refuses(text):
    with pytest.raises(ValueError):
        parse_date(text)
'''

TEST_MAIN = """\
import pytest

from dates.__main__ import main


def test_prints_the_date(capsys):
    assert main(["17.2.2021"]) == 0
    assert capsys.readouterr().out == "2021-02-17\\n"


def test_explains_the_rule(capsys):
    main(["17.2.2021", "--explain"])
    assert "rule     dotted" in capsys.readouterr().out


def test_says_where_a_serial_number_is_counted_from(capsys):
    main(["#44244", "--explain"])
    assert "counted  from 1899-12-30" in capsys.readouterr().out


def test_wants_a_text():
    assert main([]) == 2
"""

TEST_MAIN_END = """\
def test_wants_a_text():
    assert main([]) == 2
"""
TEST_MAIN_NEW = """\


@pytest.mark.parametrize("text", ["2021-W53-1", "2021W531"])
def test_says_that_a_week_was_rolled_over(text, capsys):
    main([text, "--explain"])
    assert "rolled   over to 2022-W01" in capsys.readouterr().out
"""

TEST_WEEKS = """\
from datetime import date

import pytest

from dates import parse_date


def test_reads_the_extended_form():
    assert parse_date("2021-W07-3") == date(2021, 2, 17)


def test_reads_the_basic_form():
    assert parse_date("2021W073") == date(2021, 2, 17)


def test_a_week_without_a_day_is_its_monday():
    assert parse_date("2021-W07") == date(2021, 2, 15)


def test_refuses_week_0():
    with pytest.raises(ValueError):
        parse_date("2021-W00-1")


def test_refuses_week_53_of_a_short_year():
    with pytest.raises(ValueError):
        parse_date("2021-W53-1")


def test_refuses_day_8():
    with pytest.raises(ValueError):
        parse_date("2021-W10-8")
"""

TEST_PROP = """\
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dates import parse_date

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))


@settings(max_examples=20_000, deadline=None)
@given(DAYS)
def test_week_dates_survive_a_round_trip(day):
    year, week, weekday = day.isocalendar()
    assert parse_date(f"{year}-W{week:02}-{weekday}") == day
    assert parse_date(f"{year}W{week:02}{weekday}") == day
"""

CHANGELOG = """\
# Changelog

## Unreleased

- Serial numbers of spreadsheets: `#44244`.

## 2.3.0

- Ordinal dates: `2021-048`.
"""

FILES = {
    "src/dates/parse.py": PARSE,
    "src/dates/__main__.py": MAIN,
    "tests/test_parse.py": TEST_PARSE,
    "tests/test_main.py": TEST_MAIN,
    "CHANGELOG.md": CHANGELOG,
}

# the edits ------------------------------------------------------------------------------------

ORDINAL_LINE = 'ORDINAL = re.compile(r"(\\d{4})-(\\d{3})")\n'
WEEK_LINE = 'WEEK = re.compile(r"(\\d{4})-W(\\d{2})(?:-(\\d))?")\n'
WEEK_LINE_BASIC = 'WEEK = re.compile(r"(\\d{4})-?W(\\d{2})(?:-?(\\d))?")\n'

READERS_END = "Reader = Callable"
WEEK_RETURN = "    return date.fromisocalendar(year, week, day or 1)\n"
WEEK_READER = f'''\
def _week(match: re.Match[str]) -> date:
    """A week without a day is its Monday."""
    year, week, day = (int(part or 0) for part in match.groups())
{WEEK_RETURN}

'''
FORMS_END = "]\n\n\ndef read("
WEEK_FORM = '    ("week", WEEK, _week),\n'

EXPLAIN_END = "    reading = read(text)\n    lines.append"
EXPLAIN_WEEK = """\
    week_date = WEEK.fullmatch(text)
    if week_date:
        monday = date.fromisocalendar(int(week_date[1]), int(week_date[2]), 1)
        lines.append(f"week     starts on {monday}")
"""

REFUSES_53 = """\
def test_refuses_week_53_of_a_short_year():
    with pytest.raises(ValueError):
        parse_date("2021-W53-1")
"""
ROLLS_53 = """\
def test_week_53_of_a_short_year_is_week_1_of_the_next():
    assert parse_date("2021-W53-1") == date(2022, 1, 3)
"""
WEEK_ROLL = """\
    if week == 53 and date(year, 12, 28).isocalendar().week == 52:
        year, week = year + 1, 1
    return date.fromisocalendar(year, week, day or 1)
"""
WEEK_ROLL_SPLIT = '''\
    return date.fromisocalendar(*_rolled_over(year, week), day or 1)


def _rolled_over(year: int, week: int) -> tuple[int, int]:
    """Week 53 of a year with 52 weeks is week 1 of the next."""
    if week == 53 and date(year, 12, 28).isocalendar().week == 52:
        return year + 1, 1
    return year, week
'''

PROP_END = '    assert parse_date(f"{year}W{week:02}{weekday}") == day\n'
PROP_NEXT = """\
    if week == 52:
        assert parse_date(f"{year}-W53-{weekday}") == day + timedelta(weeks=1)
"""
PROP_DAYS = "DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))\n"
PROP_DAYS_SHORT = """\
# A week less than what the parser takes: the test below reads the week after as well.
DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 24))
"""

MAIN_CALL = '            print("\\n".join(explain(text)))\n'
MAIN_CALL_SPLIT = """\
            for line in explain(text):
                print(line)
"""
CHANGES_TOP = "- Serial numbers of spreadsheets: `#44244`.\n"
CHANGES_NEW = """\
- ISO week dates: `2021-W07-3`, `2021W073`, `2021-W07`. Week 53 of a year with 52 weeks is read as
  week 1 of the next year.
"""

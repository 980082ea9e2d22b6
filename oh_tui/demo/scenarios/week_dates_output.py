"""What the run of `week_dates` sees in the terminal; line numbers are those of its files."""

from __future__ import annotations

import difflib

from oh_tui.demo.run import Run
from oh_tui.demo.scenarios import week_dates_files as had

PARSE = "src/dates/parse.py"
MAIN = "src/dates/__main__.py"
RULE = f"{'=' * 35} FAILURES {'=' * 35}"
SHORT_SUMMARY = f"{'=' * 27} short test summary info {'=' * 28}"

LOG = """\
9c41d07 Read serial numbers of spreadsheets
5be20aa Name the rule in --explain
1f7c3d9 Release 2.3.0
e08a652 Read ordinal dates
"""

EXPLAINED = """\
input    2021-W07-3
week     starts on 2021-02-15
rule     week
date     2021-02-17 (Wednesday)
"""

EXPLAINED_53 = """\
input    2020-W53-5
week     starts on 2020-12-28
rule     week
date     2021-01-01 (Friday)
"""

NO_HYPOTHESIS = """\
==================================== ERRORS ====================================
__________________ ERROR collecting tests/test_weeks_prop.py ___________________
ImportError while importing test module '/workspace/dates/tests/test_weeks_prop.py'.
Hint: make sure your test modules/packages have valid Python names.
Traceback:
tests/test_weeks_prop.py:3: in <module>
    from hypothesis import given, settings
E   ModuleNotFoundError: No module named 'hypothesis'
=========================== short test summary info ============================
ERROR tests/test_weeks_prop.py
!!!!!!!!!!!!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!!!!!!!!!!!!
1 error in 0.31s
"""

PIP = """\

[notice] A new release of pip is available: 25.0.1 -> 25.3
[notice] To update, run: pip install --upgrade pip
"""


def layout(run: Run) -> str:
    counts = {"src/dates/__init__.py": 3}
    counts |= {path: run.files[path].count("\n") for path in (MAIN, PARSE)}
    rows = "\n".join(f"{count:5} {path}" for path, count in counts.items())
    return (
        "src/dates:\n__init__.py  __main__.py  parse.py\n\ntests:\ntest_main.py  test_parse.py\n"
        f"{rows}\n{sum(counts.values()):5} total\n"
    )


def passed(count: int, seconds: str) -> str:
    return f"{'.' * count:<72} [100%]\n{count} passed in {seconds}s\n"


def line_of(run: Run, path: str, start: str) -> int:
    """The number of the line of a file that starts so."""
    lines = run.files[path].splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.strip().startswith(start))


def three_failed(run: Run) -> str:
    at = line_of(run, PARSE, 'raise ValueError(f"no date')
    texts = ("2021-W07-3", "2021W073", "2021-W07")
    names = (
        "reads_the_extended_form",
        "reads_the_basic_form",
        "a_week_without_a_day_is_its_monday",
    )
    parts = [
        f"{f' test_{name} ':_^80}\ntests/test_weeks.py:{line}: in test_{name}\n"
        f'    assert parse_date("{text}") == date(2021, 2, {day})\n'
        f'src/dates/parse.py:{at}: in read\n    raise ValueError(f"no date: {{text!r}}")\n'
        f"E   ValueError: no date: {text!r}"
        for name, text, line, day in zip(names, texts, (9, 13, 17), (17, 17, 15), strict=True)
    ]
    failed = [f"FAILED tests/test_weeks.py::test_{name} - ValueError: no dat..." for name in names]
    return _report("." * 38 + "FFF...", parts, failed, "3 failed, 41 passed in 0.56s")


def one_failed(run: Run) -> str:
    at = line_of(run, PARSE, 'raise ValueError(f"no date')
    name = "test_reads_the_basic_form"
    part = (
        f"{f' {name} ':_^80}\ntests/test_weeks.py:13: in {name}\n"
        '    assert parse_date("2021W073") == date(2021, 2, 17)\n'
        f'src/dates/parse.py:{at}: in read\n    raise ValueError(f"no date: {{text!r}}")\n'
        "E   ValueError: no date: '2021W073'"
    )
    failed = f"FAILED tests/test_weeks.py::{name} - ValueError: no date: ..."
    return _report("." * 39 + "F....", [part], [failed], "1 failed, 43 passed in 0.58s")


def week_53_refused(run: Run) -> str:
    at = line_of(run, PARSE, "return date.fromisocalendar")
    name = "test_week_53_of_a_short_year_is_week_1_of_the_next"
    part = (
        f"{f' {name} ':_^80}\ntests/test_weeks.py:26: in {name}\n"
        '    assert parse_date("2021-W53-1") == date(2022, 1, 3)\n'
        f"src/dates/parse.py:{at}: in _week\n"
        "    return date.fromisocalendar(year, week, day or 1)\nE   ValueError: Invalid week: 53"
    )
    failed = f"FAILED tests/test_weeks.py::{name}"
    return _report("....F.", [part], [failed], "1 failed, 5 passed in 0.24s")


def out_of_range(run: Run) -> str:
    at = line_of(run, PARSE, 'raise ValueError(f"{day.year} is out')
    name = "test_week_dates_survive_a_round_trip"
    part = (
        f"{f' {name} ':_^80}\ntests/test_weeks_prop.py:18: in {name}\n"
        '    assert parse_date(f"{year}-W53-{weekday}") == day + timedelta(weeks=1)\n'
        f"src/dates/parse.py:{at}: in read\n"
        '    raise ValueError(f"{day.year} is out of range")\n'
        "E   ValueError: 2201 is out of range\n"
        f"E   Failing test case: {name}(\nE       day=datetime.date(2200, 12, 25),\nE   )"
    )
    failed = f"FAILED tests/test_weeks_prop.py::{name} - Value..."
    return _report("F", [part], [failed], "1 failed in 5.71s")


def seeds(run: Run) -> str:
    return "".join(passed(1, seconds) for seconds in ("7.29", "7.32", "7.29"))


def two_failed(run: Run, seconds: str) -> str:
    at = line_of(run, PARSE, "monday = date.fromisocalendar")
    name = "test_says_that_a_week_was_rolled_over"
    parts = [
        f"{f' {name}[{text}] ':_^80}\ntests/test_main.py:27: in {name}\n"
        '    main([text, "--explain"])\n'
        f"src/dates/__main__.py:12: in main\n    {_caller(run)}\n"
        f"src/dates/parse.py:{at}: in explain\n"
        "    monday = date.fromisocalendar(int(week_date[1]), int(week_date[2]), 1)\n"
        "E   ValueError: Invalid week: 53"
        for text in ("2021-W53-1", "2021W531")
    ]
    failed = [f"FAILED tests/test_main.py::{name}[{text}]" for text in ("2021-W53-1", "2021W531")]
    return _report("....FF" + "." * 41, parts, failed, f"2 failed, 45 passed in {seconds}s")


def traceback(run: Run) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "<frozen runpy>", line 198, in _run_module_as_main\n'
        '  File "<frozen runpy>", line 88, in _run_code\n'
        f'  File "/workspace/dates/{MAIN}", line {line_of(run, MAIN, "sys.exit")}, in <module>\n'
        "    sys.exit(main(sys.argv[1:]))\n             ^^^^^^^^^^^^^^^^^^\n"
        f'  File "/workspace/dates/{MAIN}", line 12, in main\n    {_caller(run)}\n'
        f'  File "/workspace/dates/{PARSE}", line '
        f"{line_of(run, PARSE, 'monday = date')}, in explain\n"
        "    monday = date.fromisocalendar(int(week_date[1]), int(week_date[2]), 1)\n"
        "             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "ValueError: Invalid week: 53\n"
    )


def grep_week(run: Run) -> str:
    lines = run.files[PARSE].splitlines()
    return "".join(f"{n}:{line}\n" for n, line in enumerate(lines, 1) if "WEEK" in line)


def diff_stat(run: Run) -> str:
    """`git diff --stat` of the tracked files, counted for real."""
    rows = []
    added = removed = 0
    for path, old in sorted(had.FILES.items()):
        diff = list(difflib.ndiff(old.splitlines(), run.files[path].splitlines()))
        plus = sum(line.startswith("+ ") for line in diff)
        minus = sum(line.startswith("- ") for line in diff)
        if plus or minus:
            rows.append(f" {path:<22} | {plus + minus:2} {'+' * plus}{'-' * minus}")
            added, removed = added + plus, removed + minus
    total = f" {len(rows)} files changed, {added} insertions(+), {removed} deletion(-)"
    return "\n".join((*rows, total, ""))


def _caller(run: Run) -> str:
    return run.files[MAIN].splitlines()[11].strip()


def _report(dots: str, parts: list[str], failed: list[str], total: str) -> str:
    return "\n".join((f"{dots:<72} [100%]", RULE, *parts, SHORT_SUMMARY, *failed, total, ""))

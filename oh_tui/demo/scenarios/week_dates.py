"""The run that got stuck: ISO week dates, two hours without the user, then a loop."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.scenarios import week_dates_files as had
from oh_tui.demo.scenarios import week_dates_output as saw
from oh_tui.demo.tools import broken, create, edit, plan, refused_edit, shell, think, view

PARSE = "src/dates/parse.py"
EXPLAIN = "python -m dates 2021-W53-1 --explain"


def week_dates(run: Run) -> None:
    run.root = "/workspace/dates"
    run.files = dict(had.FILES)
    _first_turn(run)
    _second_turn(run)
    _loop(run)


def _first_turn(run: Run) -> None:
    run.user(
        "Our ERP export has ISO week dates: `2021-W07-3`, the basic form `2021W073`, and "
        "`2021-W07` for the Monday of a week. `dates.parse_date` rejects all three.\n\n"
        "Please add them, with tests, and keep `python -m dates --explain` working for them."
    )
    run.do(
        "I'll plan this before I touch the parser.",
        plan(
            run,
            "Read the parser and its tests",
            "Parse the three week forms",
            "Compare with date.isocalendar in a property test",
            "Explain week dates on the command line",
        ),
        llm=6.1,
    )
    run.do(
        "First the history and the layout.",
        shell(run, "git log --oneline | head -4", saw.LOG, ran=0.08),
        shell(run, "ls src/dates tests && wc -l src/dates/*.py", saw.layout(run), ran=0.06),
        llm=3.4,
    )
    run.do("", view(run, PARSE), llm=2.9)
    run.do("", view(run, "tests/test_parse.py", (1, 24)), llm=2.6)
    run.do(
        "The forms are a table of pattern and reader, so a week date is one more row each. "
        "Tests first: three that read, three that must be refused.",
        create(run, "tests/test_weeks.py", had.TEST_WEEKS),
        llm=12.8,
    )
    run.do("", shell(run, "pytest -q", saw.three_failed(run), code=1, ran=1.2), llm=2.7)
    run.do(
        "Three fail for the right reason. Now the pattern.",
        edit(run, PARSE, had.ORDINAL_LINE, had.ORDINAL_LINE + had.WEEK_LINE),
        llm=7.4,
    )
    run.do("", edit(run, PARSE, had.READERS_END, had.WEEK_READER + had.READERS_END), llm=8.8)
    run.do("", edit(run, PARSE, had.FORMS_END, had.WEEK_FORM + had.FORMS_END), llm=5.0)
    run.do("", shell(run, "pytest -q", saw.one_failed(run), code=1, ran=1.2), llm=2.6)
    run.do(
        "`2021W073` is not matched: my pattern wants the dash before the day.",
        shell(run, "grep -n 'WEEK' src/dates/parse.py", saw.grep_week(run), ran=0.04),
        llm=4.2,
    )
    run.do("", edit(run, PARSE, had.WEEK_LINE, had.WEEK_LINE_BASIC), llm=6.9)
    run.do("", shell(run, "pytest -q", saw.passed(44, "0.55"), ran=1.1), llm=2.5)
    run.do("", plan(run, done=2), llm=3.1)
    run.do(
        "Now `--explain`.",
        refused_edit(run, "src/dates/__main__.py", '    print(f"rule     {rule}")\n', "    pass\n"),
        llm=7.0,
    )
    run.do("", view(run, "src/dates/__main__.py"), llm=2.8)
    run.do(
        "The rule is printed by `explain` in the parser, so week dates need a line there.",
        edit(run, PARSE, had.EXPLAIN_END, had.EXPLAIN_WEEK + had.EXPLAIN_END),
        llm=9.2,
    )
    run.do(
        "",
        shell(run, "python -m dates 2021-W07-3 --explain", saw.EXPLAINED, ran=0.3),
        llm=3.3,
    )
    run.do(
        "And a property test against the standard library.",
        create(run, "tests/test_weeks_prop.py", had.TEST_PROP),
        llm=9.9,
    )
    run.do(
        "",
        shell(run, "pytest -q tests/test_weeks_prop.py", saw.NO_HYPOTHESIS, code=2, ran=0.9),
        llm=2.7,
    )
    run.do(
        "It is in the `test` extra, which is not installed here.",
        shell(run, "pip install -q -e '.[test]'", saw.PIP, ran=9.4),
        llm=3.6,
    )
    run.do("", shell(run, "pytest -q", saw.passed(45, "8.12"), ran=8.6), llm=2.4)
    run.do("", plan(run, done=4), llm=2.9)
    run.finish(
        "`parse_date` now reads the three week forms, `2021-W07-3`, `2021W073` and `2021-W07` "
        "(the Monday).\n\n"
        "- `src/dates/parse.py`: one pattern, one reader, one row in `FORMS`; `explain` names the "
        "rule.\n"
        "- `tests/test_weeks.py`: 6 tests; `tests/test_weeks_prop.py`: every day from 1900 to 2200 "
        "must survive a round trip through `date.isocalendar`.\n\n"
        "All 45 tests pass. A week that a year does not have, such as `2021-W53-1`, is refused.",
        llm=8.3,
    )


def _second_turn(run: Run) -> None:
    run.user(
        "Good. One thing: the ERP does write `2021-W53-1` when it means the first week of 2022 "
        "(2021 has 52 weeks). Read it as `2022-W01-1`, and let `--explain` say that it was rolled "
        "over.",
        after=7_803,
    )
    run.do(
        "A rule of its own, then. The plan:",
        plan(
            run,
            "Turn the test that refuses week 53 around",
            "Roll a week 53 over where the year has 52",
            "Let the property test cover it",
            "Say so in --explain and in the changelog",
        ),
        llm=7.7,
    )
    run.do("", view(run, "tests/test_weeks.py"), llm=3.0)
    run.do(
        "",
        refused_edit(run, "tests/test_weeks.py", "with pytest.raises(ValueError):\n", ""),
        llm=6.2,
    )
    run.do(
        "That line occurs three times; I need the whole test.",
        edit(run, "tests/test_weeks.py", had.REFUSES_53, had.ROLLS_53),
        llm=7.5,
    )
    run.do(
        "",
        shell(run, "pytest -q tests/test_weeks.py", saw.week_53_refused(run), code=1, ran=0.6),
        llm=2.6,
    )
    run.do("", plan(run, done=1), llm=2.8)
    run.do("", edit(run, PARSE, had.WEEK_RETURN, had.WEEK_ROLL), llm=9.0)
    run.do("", shell(run, "pytest -q tests/test_weeks.py", saw.passed(6, "0.21"), ran=0.6), llm=2.5)
    run.do("", plan(run, done=2), llm=2.7)
    run.do(
        "The property test knows no week 53 yet: after a week 52 it must be the week that follows, "
        "whatever the year.",
        edit(run, "tests/test_weeks_prop.py", had.PROP_END, had.PROP_END + had.PROP_NEXT),
        llm=11.2,
    )
    run.do(
        "",
        shell(run, "pytest -q tests/test_weeks_prop.py", saw.out_of_range(run), code=1, ran=6.3),
        llm=3.1,
    )
    run.do(
        "",
        think(
            "2200-W53-4 is a day of 2201, which the parser refuses because LAST_YEAR is 2200. That "
            "is right; it is my strategy that goes a week too far."
        ),
        llm=9.3,
        because="The failing day is 2200-12-25. One week on is 2201-01-01, and read() checks the "
        "range after the reader. Widening the range would be a change nobody asked for.",
    )
    run.do("", edit(run, "tests/test_weeks_prop.py", had.PROP_DAYS, had.PROP_DAYS_SHORT), llm=10.4)
    run.do(
        "Three seeds, so that it is no luck.",
        shell(
            run,
            "for s in 1 2 3; do pytest -q tests/test_weeks_prop.py --hypothesis-seed=$s; done",
            saw.seeds(run),
            ran=22.6,
        ),
        llm=3.7,
    )
    run.do("", plan(run, done=3), llm=2.8)
    run.do("", view(run, "tests/test_main.py"), llm=2.7)
    run.do(
        "Now the two forms on the command line.",
        edit(run, "tests/test_main.py", had.TEST_MAIN_END, had.TEST_MAIN_END + had.TEST_MAIN_NEW),
        llm=8.4,
    )
    run.do(
        "",
        broken(
            "terminal",
            '{"command": "pytest -q tests/test_main.py tests/test_weeks.py, "security_risk": "LOW"',
            "The arguments of terminal are not valid JSON: Expecting ',' delimiter: line 1 column "
            "65 (char 64). The call was not run.",
        ),
        llm=2.2,
    )
    run.do("", shell(run, "pytest -q", saw.two_failed(run, "7.83"), code=1, ran=8.6), llm=3.9)
    run.condense(
        "TASK: read ISO week dates in /workspace/dates; week 53 of a year with 52 weeks is to be "
        "read as week 1 of the next year, and `--explain` must say so.\n"
        "DONE: pattern, reader and FORMS row in src/dates/parse.py; tests/test_weeks.py (6 tests) "
        "and tests/test_weeks_prop.py pass.\n"
        "OPEN: 2 of 45 tests fail, both in tests/test_main.py: `--explain` of 2021-W53-1.\n"
        "NOTES: 28 December is always in the last week of its year.",
        keep=6,
        llm=5.2,
        requested=True,
    )


def _loop(run: Run) -> None:
    run.do("Back to the parser, with the two failures in mind.", view(run, PARSE), llm=4.8)
    run.do(
        "The reader rolls over; I'll make the rule a function, so that `explain` can use it too.",
        edit(run, PARSE, had.WEEK_ROLL, had.WEEK_ROLL_SPLIT),
        llm=11.8,
    )
    run.do("", shell(run, "pytest -q", saw.two_failed(run, "7.80"), code=1, ran=8.4), llm=3.5)
    run.do("", shell(run, EXPLAIN, saw.traceback(run), code=1, ran=0.3), llm=3.8)
    run.do(
        "Still refused. Perhaps the entry point catches it too late.",
        view(run, "src/dates/__main__.py"),
        llm=4.4,
    )
    run.do("", edit(run, "src/dates/__main__.py", had.MAIN_CALL, had.MAIN_CALL_SPLIT), llm=7.1)
    run.do(
        "", shell(run, "python -m dates 2020-W53-5 --explain", saw.EXPLAINED_53, ran=0.3), llm=3.2
    )
    run.do(
        "", edit(run, "CHANGELOG.md", had.CHANGES_TOP, had.CHANGES_TOP + had.CHANGES_NEW), llm=5.5
    )
    run.do("", shell(run, "pytest -q tests/test_weeks.py", saw.passed(6, "0.22"), ran=0.7), llm=2.6)
    run.do("", shell(run, "git diff --stat", saw.diff_stat(run), ran=0.1), llm=2.6)
    run.do(
        "Let me see how the parser reads a week 53.",
        shell(run, EXPLAIN, saw.traceback(run), code=1, ran=0.3),
        llm=5.9,
    )
    for thought in ("Let me look at it again.", "", "Once more, to be sure of the line."):
        run.do(thought, shell(run, EXPLAIN, saw.traceback(run), code=1, ran=0.3), llm=5.9)
    run.end("stuck")

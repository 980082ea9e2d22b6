"""What a test run reported: the summary of its runner, else its exit code where that is its own."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import bounded
from oh_tui.trajectory.reading.intents import Intent, purposes_of_exit
from oh_tui.trajectory.reading.terminal import read_output
from oh_tui.trajectory.shell.purpose import Purpose


class RunOfTests(NamedTuple):
    """What a test run reported. A count is None where its runner tells none."""

    ok: bool | None
    """Whether all tests that ran passed; None when not known."""
    passed: int | None = None
    failed: int | None = None
    """Without those with an error, where its runner tells them apart."""
    errors: int | None = None


NOT_KNOWN = RunOfTests(None)


def run_of_tests(step: Step, acts: Iterable[Intent]) -> RunOfTests | None:
    """What a step with these acts reported that ran tests; None for one that ran none. Never
    raises."""
    is_one = step.is_call and any(act.purpose is Purpose.TEST for act in acts)
    return read_tests(step) if is_one else None


def read_tests(step: Step) -> RunOfTests:
    """What a step reported that is known to run tests."""
    result = step.result
    if result is None:
        return NOT_KNOWN
    call = step.call
    text = read_output(bounded(call.output())).text
    if found := summary_in(text):
        return found
    code = result.exit_code
    if code is None or result.still_running or result.timed_out or code in _NOT_RUN_CODES:
        return NOT_KNOWN
    if Purpose.TEST not in purposes_of_exit(call.get("command")) or _NOT_RUN.search(text[-2_000:]):
        return NOT_KNOWN
    return RunOfTests(code == 0)


_NOT_RUN_CODES = (126, 127)

_NOT_RUN = pattern(
    r"No module named |Missing script|No rule to make target|can't open file|command not found"
    r"|No such file or directory|Cannot find module|no test specified"
)
"""What is written in place of the tests where they could not be started."""


def summary_in(text: str) -> RunOfTests | None:
    """What the last summary in an output tells; None without a summary."""
    found = [
        one
        for signs, runner in _RUNNERS.items()
        if any(sign in text for sign in signs) and (one := runner(text))
    ]
    return max(found, key=lambda one: one.end).tests if found else None


class _Summary(NamedTuple):
    end: int
    """Where it ends in the output."""
    tests: RunOfTests


_Runner = Callable[[str], "_Summary | None"]


def _summary(source: str, read: Callable[[re.Match[str]], RunOfTests]) -> _Runner:
    """Reads the last place that matches; if it passed and one before failed, the sum is not
    known."""
    compiled = pattern(source, re.MULTILINE)

    def find(text: str) -> _Summary | None:
        found = [*compiled.finditer(text)]
        if not found:
            return None
        tests = read(found[-1])
        if tests.ok and any(read(one).ok is False for one in found[:-1]):
            tests = NOT_KNOWN
        return _Summary(found[-1].end(), tests)

    return find


def _last(found: Iterator[re.Match[str]]) -> re.Match[str] | None:
    return next(iter(deque(found, 1)), None)


def _sum(source: str) -> _Runner:
    """Adds the counts of all places that match: a runner has one for each of its programs, modules
    or projects."""
    compiled = pattern(source, re.MULTILINE)

    def find(text: str) -> _Summary | None:
        found = [*compiled.finditer(text)]
        if not found:
            return None
        counts: Counter[str] = Counter()
        for one in found:
            counts.update({name: int(number) for name, number in one.groupdict().items()})
        failed, errors = counts["failed"], counts.get("errors")
        if "ran" in counts:
            counts["passed"] = max(0, counts["ran"] - failed - (errors or 0) - counts["skipped"])
        return _Summary(found[-1].end(), _of(counts["passed"], failed, errors))

    return find


_COUNT = pattern(r"(\d{1,9}) ([a-z]{1,20})")


def _counts(text: str) -> dict[str, int]:
    """`2 passed, 1 failed` as counts by word."""
    return {word: int(number) for number, word in _COUNT.findall(text)}


def _of(passed: int | None, failed: int, errors: int | None = None) -> RunOfTests:
    is_ok = not failed and not errors
    return RunOfTests(None if is_ok and passed == 0 else is_ok, passed, failed, errors)


def _pytest(found: re.Match[str]) -> RunOfTests:
    counts = _counts(found[1])
    if "no tests ran" in found[1] or not counts:
        return NOT_KNOWN
    errors = counts.get("error", 0) + counts.get("errors", 0)
    return _of(counts.get("passed", 0), counts.get("failed", 0), errors)


_NAMED_COUNT = pattern(r"([A-Za-z ]{1,40})[=:] {0,9}(\d{1,9})")


def _named(text: str) -> dict[str, int]:
    """`Failures: 1, Errors: 0` as counts by word in small letters."""
    return {name.strip().lower(): int(number) for name, number in _NAMED_COUNT.findall(text)}


def _unittest(found: re.Match[str]) -> RunOfTests:
    ran, counts = int(found[1]), _named(found[3] or "")
    failed = counts.get("failures", 0) + counts.get("unexpected successes", 0)
    errors = counts.get("errors", 0)
    skipped, beside = counts.get("skipped", 0), failed + errors
    if found[2] == "FAILED" and not beside:
        return RunOfTests(False)
    if skipped and not beside and ran == skipped:
        return NOT_KNOWN
    if skipped:  # some versions of Python, such as 3.12.1, do not count them as run
        return _of(None, failed, errors)
    return _of(max(0, ran - beside - counts.get("expected failures", 0)), failed, errors)


def _jest(found: re.Match[str]) -> RunOfTests:
    counts = _counts(found[2])
    suites = _counts(found[1] or "")
    errors = suites.get("failed", 0) if not counts.get("failed") else 0  # that could not be read
    return _of(counts.get("passed", 0), counts.get("failed", 0), errors)


def _two(found: re.Match[str]) -> RunOfTests:
    return _of(int(found["passed"] or 0), int(found["failed"] or 0))


def _minitest(found: re.Match[str]) -> RunOfTests:
    ran, failed, errors = int(found[1]), int(found[2]), int(found[3])
    return _of(max(0, ran - failed - errors - int(found[4] or 0)), failed, errors)


def _ctest(found: re.Match[str]) -> RunOfTests:
    failed, count = int(found[1]), int(found[2])
    return _of(max(0, count - failed), failed)


def _rspec(found: re.Match[str]) -> RunOfTests:
    ran, failed, pending, errors = (int(number or 0) for number in found.groups())
    return _of(max(0, ran - failed - pending), failed, errors)


def _phpunit(found: re.Match[str]) -> RunOfTests:
    if found[1]:
        return _of(int(found[1]), 0, 0)
    counts = _named(found[2])
    failed, errors = counts.get("failures", 0), counts.get("errors", 0)
    beside = failed + errors + counts.get("skipped", 0) + counts.get("incomplete", 0)
    return _of(max(0, counts.get("tests", 0) - beside), failed, errors)


def _gradle(text: str) -> _Summary | None:
    """Failures are counted; of a run without any only the build is known."""
    build = _last(_GRADLE_BUILD.finditer(text))
    counted = _last(_GRADLE_COUNTS.finditer(text))
    if counted:
        failed = int(counted[2])
        tests = _of(max(0, int(counted[1]) - failed), failed)
        return _Summary((build or counted).end(), tests)
    return _Summary(build.end(), RunOfTests(build[1] == "SUCCESSFUL")) if build else None


_GRADLE_BUILD = pattern(r"^BUILD (SUCCESSFUL|FAILED) in .{1,40}$", re.MULTILINE)
_GRADLE_COUNTS = pattern(r"^(\d{1,9}) tests? completed, (\d{1,9}) failed", re.MULTILINE)


def _go(text: str) -> _Summary | None:
    """By its packages, or by its tests with `-v`."""
    found = [*_GO.finditer(text)]
    if not found:
        return None
    is_ok = not any(one[0].startswith("FAIL") for one in found)
    passed, failed = (len(one.findall(text)) for one in (_GO_PASSED, _GO_FAILED))
    tests = RunOfTests(is_ok, passed or None, failed if failed or is_ok else None)
    return _Summary(found[-1].end(), tests)


_GO = pattern(r"^(?:ok[ \t]+\S+[ \t]+(?:[\d.]+s|\(cached\))|FAIL\t\S+).*$", re.MULTILINE)
_GO_PASSED = pattern(r"^--- PASS: ", re.MULTILINE)
_GO_FAILED = pattern(r"^--- FAIL: ", re.MULTILINE)


def _tap(text: str) -> _Summary | None:
    """Lines of the Test Anything Protocol, which has its plan at the start or the end."""
    if not _TAP_PLAN.search(text):
        return None
    found = [*_TAP_TEST.finditer(text)]
    if not found:
        return None
    counted = [one for one in found if not one[2]]
    failed = sum(1 for one in counted if one[1])
    return _Summary(found[-1].end(), _of(len(counted) - failed, failed))


_TAP_PLAN = pattern(r"^1\.\.\d{1,9}\b", re.MULTILINE)
_TAP_TEST = pattern(r"^(not )?ok \d{1,9}\b(?:[^#\n]{0,500}# (todo|skip))?", re.MULTILINE | re.I)


_RUNNERS: dict[tuple[str, ...], _Runner] = {
    (" in ",): _summary(
        r"^(?:=+ )?((?:\d{1,9} [a-z]{1,20}(?:, )?){1,9}|no tests ran|no tests collected.{0,60})"
        r" in [\d.]{1,12}s?(?: seconds)?(?: \([\d:, day]{1,30}\))?(?: =+)?\s*$",
        _pytest,
    ),
    ("Ran ",): _summary(
        r"^Ran (\d{1,9}) tests? in [\d.]{1,12}s\s+(OK|FAILED|NO TESTS RAN)"
        r"(?: \(([^)\n]{0,200})\))?",
        _unittest,
    ),
    ("Tests: ",): _summary(
        r"(?:^Test Suites: ([^\n]{0,200})\n)?^Tests: {1,9}((?:\d{1,9} [a-z]{1,20}, ){0,9}\d{1,9}"
        r" total)",
        _jest,
    ),
    ("Tests  ",): _summary(
        r"(?:^ *Test Files  ([^\n]{0,200})\n)?^ *Tests  ((?:\d{1,9} [a-z]{1,20}(?: \| )?){1,9})"
        r" \(\d{1,9}\)",
        _jest,
    ),
    (" passing",): _summary(
        r"^ {0,9}(?P<passed>\d{1,9}) passing(?: \([^)\n]{1,20}\))?"
        r"(?:\s+\d{1,9} pending)?(?:\s+(?P<failed>\d{1,9}) failing)?$",
        _two,
    ),
    (" pass ",): _summary(
        r"^[#\u2139] pass (?P<passed>\d{1,9})\n[#\u2139] fail (?P<failed>\d{1,9})$",
        _two,
    ),
    (" pass\n",): _summary(
        r"^ {0,9}(?P<passed>\d{1,9}) pass\n(?:.*\n)?? {0,9}(?P<failed>\d{1,9}) fail$", _two
    ),
    (" passed",): _summary(
        r"^(?:ok|FAILED) \| (?P<passed>\d{1,9}) passed(?: \([^)\n]{1,40}\))?"
        r" \| (?P<failed>\d{1,9}) failed",
        _two,
    ),
    ("- Failed:",): _sum(
        r"^(?:Passed|Failed)! {1,9}- Failed: {1,9}(?P<failed>\d{1,9}),"
        r" Passed: {1,9}(?P<passed>\d{1,9}),.{0,200}$"
    ),
    ("Tests run: ",): _sum(
        r"Tests run: (?P<ran>\d{1,9}), Failures: (?P<failed>\d{1,9}), Errors: (?P<errors>\d{1,9}),"
        r" Skipped: (?P<skipped>\d{1,9})\s*$"
    ),
    (" assertions, ",): _summary(
        r"^(\d{1,9}) (?:runs|tests), \d{1,9} assertions, (\d{1,9}) failures, (\d{1,9}) errors"
        r"(?:, (\d{1,9}) skips)?",
        _minitest,
    ),
    (" tests passed, ",): _summary(
        r"^\d{1,3}% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})", _ctest
    ),
    (" example",): _summary(
        r"^(\d{1,9}) examples?, (\d{1,9}) failures?(?:, (\d{1,9}) pending)?"
        r"(?:, (\d{1,9}) errors? occurred outside of examples)?",
        _rspec,
    ),
    ("ssertion",): _summary(
        r"^(?:OK \((\d{1,9}) tests?, \d{1,9} assertions?\)"
        r"|(Tests: \d{1,9}, Assertions: \d{1,9}(?:, [A-Z][A-Za-z ]{1,30}: \d{1,9}){0,9})\.)",
        _phpunit,
    ),
    ("test result: ",): _sum(
        r"^test result: (?:ok|FAILED)\. (?P<passed>\d{1,9}) passed; (?P<failed>\d{1,9}) failed;.*$"
    ),
    (
        "BUILD ",
        " completed, ",
    ): _gradle,
    (
        "ok ",
        "FAIL",
    ): _go,
    ("1..",): _tap,
}
"""By texts of which each summary of a runner has one: looking for them is fast."""

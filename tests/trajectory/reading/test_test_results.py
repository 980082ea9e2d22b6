"""What test runs told: by the summary of their runner, or by an exit code of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.intents import intents
from oh_tui.trajectory.reading.test_results import (
    NOT_KNOWN,
    RunOfTests,
    run_of_tests,
    summary_in,
)
from oh_tui.trajectory.search.step_filter import parse
from tests.trajectory.made import call, message, output, result, shell

RECORDED = {
    "pytest": (
        "..F\nFAILED tests/test_a.py::test_x - assert 1 == 2\n"
        "==== 1 failed, 44 passed, 2 warnings in 61.80s (0:01:01) ====",
        RunOfTests(False, 44, 1, 0),
    ),
    "pytest -q": ("...  [100%]\n3 passed in 0.02s\n", RunOfTests(True, 3, 0, 0)),
    "pytest, collecting": ("!!!! Interrupted !!!!\n1 error in 0.12s", RunOfTests(False, 0, 0, 1)),
    "pytest, none": ("ERROR: file or directory not found: x\n\nno tests ran in 0.00s", NOT_KNOWN),
    "pytest, skipped": ("s\n1 skipped in 0.01s", RunOfTests(None, 0, 0, 0)),
    "unittest": ("Ran 3 tests in 0.001s\n\nOK (skipped=1)", RunOfTests(True, None, 0, 0)),
    "unittest, all skipped": ("Ran 2 tests in 0.001s\n\nOK (skipped=2)", RunOfTests(None)),
    "unittest, failed": (
        "Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=2)",
        RunOfTests(False, 2, 1, 2),
    ),
    "unittest, none": ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", RunOfTests(None, 0, 0, 0)),
    "jest": (
        "Test Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 2 passed, 3 total\n"
        "Snapshots:   0 total\nTime:        0.4 s\nRan all test suites.",
        RunOfTests(False, 2, 1, 0),
    ),
    "jest, not parsed": (
        "Test Suites: 1 failed, 1 total\nTests:       0 total",
        RunOfTests(False, 0, 0, 1),
    ),
    "vitest": (
        " Test Files  2 passed (2)\n      Tests  7 passed | 1 skipped (8)\n   Duration  310ms",
        RunOfTests(True, 7, 0, 0),
    ),
    "mocha": (
        "\n\n  12 passing (34ms)\n  1 pending\n  2 failing\n\n  1) x",
        RunOfTests(False, 12, 2),
    ),
    "cargo test": (
        "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in "
        "0.00s\n\n     Running tests/b.rs\n"
        "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
        "\nerror: test failed, to rerun pass `--lib`",
        RunOfTests(False, 6, 1),
    ),
    "go test": (
        "ok  \texample.com/a\t0.012s\nok  \texample.com/b\t(cached)",
        RunOfTests(True, None, 0),
    ),
    "go test, failed": (
        "--- FAIL: TestB (0.00s)\n    b_test.go:5: no\nFAIL\nFAIL\texample.com/b\t0.003s\nFAIL",
        RunOfTests(False, None, 1),
    ),
    "go test, not built": ("FAIL\texample.com/b [build failed]\nFAIL", RunOfTests(False)),
    "mvn test": (
        "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s - in A\n"
        "[INFO] Results:\n[INFO] \n"
        "[ERROR] Tests run: 4, Failures: 1, Errors: 0, Skipped: 1\n[INFO] BUILD FAILURE",
        RunOfTests(False, 2, 1, 0),
    ),
    "gradle test": ("> Task :test\n\nBUILD SUCCESSFUL in 3s\n4 actionable tasks", RunOfTests(True)),
    "gradle test, failed": (
        "ATest > b() FAILED\n\n3 tests completed, 1 failed\n\nBUILD FAILED in 2s",
        RunOfTests(False, 2, 1),
    ),
    "ctest": (
        "50% tests passed, 1 tests failed out of 2\n\nTotal Test time",
        RunOfTests(False, 1, 1),
    ),
    "rspec": (
        "Finished in 0.1 seconds\n3 examples, 0 failures, 1 pending",
        RunOfTests(True, 2, 0, 0),
    ),
    "phpunit": ("Time: 00:00.01\n\nOK (3 tests, 5 assertions)", RunOfTests(True, 3, 0, 0)),
    "phpunit, failed": (
        "FAILURES!\nTests: 3, Assertions: 5, Errors: 1, Failures: 1.",
        RunOfTests(False, 1, 1, 1),
    ),
    "minitest": ("3 runs, 4 assertions, 1 failures, 0 errors, 0 skips", RunOfTests(False, 2, 1, 0)),
    "node --test": (
        "\u2139 tests 2\n\u2139 pass 1\n\u2139 fail 1\n\u2139 todo 0",
        RunOfTests(False, 1, 1),
    ),
    "bun test": (" 3 pass\n 0 fail\n 3 expect() calls", RunOfTests(True, 3, 0)),
    "deno test": ("ok | 3 passed | 0 failed (5ms)", RunOfTests(True, 3, 0)),
    "dotnet test": (
        "Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3, Duration: 5 ms",
        RunOfTests(True, 3, 0),
    ),
    "TAP": ("1..3\nok 1 - a\nnot ok 2 - b # TODO later\nok 3 - c", RunOfTests(True, 2, 0)),
    "TAP, failed": ("ok 1 - a\nnot ok 2 - b\n1..2", RunOfTests(False, 1, 1)),
    "make": (
        "pytest -q\n1 failed in 0.1s\nmake: *** [Makefile:3: test] Error 1",
        RunOfTests(False, 0, 1, 0),
    ),
    "the last one counts": ("2 passed in 0.1s\n1 failed in 0.1s", RunOfTests(False, 0, 1, 0)),
    "one before the last failed": ("1 failed in 0.1s\n2 passed in 0.1s", RunOfTests(None)),
    "colours": (
        "\x1b[32m\x1b[1m3 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m",
        RunOfTests(True, 3, 0, 0),
    ),
}


def _told(command: str, text: str = "", code: int | None = 0) -> RunOfTests | None:
    run = Trajectory()
    run.extend([shell("a", command), output("a", text, code)])
    return run_of_tests(run.steps[0], intents(run.steps[0]))


@pytest.mark.parametrize("name", RECORDED)
def test_summary_counts(name: str) -> None:
    text, told = RECORDED[name]
    assert _told("pytest | tail -5", text) == told


EXITS = {
    ("python tests/test_a.py", 0): True,
    ("cd app && make test", 2): False,
    ("bash run_tests.sh", 1): False,
    ("make test | tail -3", 0): None,
    ("make test || true", 0): None,
    ("make test; echo done", 0): None,
    ("make test &", 0): None,
    ("! make test", 0): None,
    ("bash -c 'make test; echo'", 0): None,
    ("make test", 127): None,
    ("make test", -1): None,
    ("make test", None): None,
}


@pytest.mark.parametrize(("command", "code"), EXITS)
def test_exit_code_counts_where_it_is_that_of_the_tests(command: str, code: int | None) -> None:
    assert _told(command, "no summary\n", code) == RunOfTests(EXITS[command, code])


@pytest.mark.parametrize(
    "text",
    [
        "/usr/bin/python: No module named pytest",
        "npm error Missing script: \"test\"",
        "make: *** No rule to make target 'test'.  Stop.",
    ],
)  # fmt: skip
def test_tests_that_did_not_start_have_told_nothing(text: str) -> None:
    assert _told("make test", text, 1) == NOT_KNOWN


def test_a_step_that_ran_no_tests_tells_none() -> None:
    assert _told("cat test.log", "3 passed in 0.1s") is None


def test_words_find_what_tests_told() -> None:
    mcp = call("m", {"kind": "MCPToolAction"}, tool="deploy")
    run = Trajectory()
    run.extend([
        shell("a", "pytest"), output("a", "2 passed in 0.1s"),
        shell("b", "pytest"), output("b", "1 failed in 0.1s", 1),
        shell("c", "pytest | tail -1"), output("c", "killed"),
        mcp, result("m", {"kind": "MCPToolObservation"}, tool="deploy"),
        message("d", "2 passed in 0.1s"), shell("e", "pytest"),
    ])  # fmt: skip

    def found(words: str) -> list[int]:
        return [step.number for step in run.steps if parse(words).matches(step, run)]

    assert found("tests:passed") == [1]
    assert found("tests:failed") == [2]
    assert found("-tests:passed") == [2, 4, 5]


@given(st.text(alphabet="ok not123 .#=,|\n\tFAILpassedTests:%()", max_size=300))
def test_any_output_is_read(text: str) -> None:
    summary_in(text)


def _ran(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=120, check=False)
    return (done.stdout + done.stderr).decode()


@pytest.mark.slow
def test_runs_of_pytest_and_unittest_tell_their_counts(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test_a(self): pass\n    def test_b(self): self.fail()\n"
        "    @unittest.skip('x')\n    def test_c(self): pass\n"
    )
    text = _ran(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=tmp_path)
    assert summary_in(text) == RunOfTests(False, 1, 1, 0)
    text = _ran(sys.executable, "-m", "pytest", "-q", "-k", "test_a", cwd=tmp_path)
    assert summary_in(text) == RunOfTests(True, 1, 0, 0)
    text = _ran(sys.executable, "-m", "unittest", cwd=tmp_path)
    assert summary_in(text) == RunOfTests(False, None, 1, 0)  # one is skipped


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_a_run_of_node_tells_its_counts(tmp_path: Path) -> None:
    (tmp_path / "a.test.js").write_text(
        "const test = require('node:test');\n"
        "test('a', () => {}); test('b', () => { throw new Error('no'); });\n"
    )
    assert summary_in(_ran("node", "--test", "a.test.js", cwd=tmp_path)) == RunOfTests(False, 1, 1)

"""Runs of thousands of events, too long to be written down."""

from __future__ import annotations

from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.tool_calls import create, edit, shell

MODULES = ("charge", "credit", "dunning", "export", "invoice", "ledger", "payout", "refund", "tax")


def coverage(run: Run) -> None:
    """3,000 events: a test file for each function of a billing service, one after the other."""
    run.user(
        "Raise the line coverage of billing/ from 41 % to 90 %. A test file for each function."
    )
    number, covered = 0, 41.0
    while len(run.events) < 2_985:
        _test_one_function(run, number)
        number += 1
        covered = min(90.2, covered + 0.22)
        if number % 45 == 0:
            run.condense(
                f"{number} test files written, coverage {covered:.1f} %. Next: case {number}.",
                keep=12,
                llm=9.0,
            )
    out = f"{number} passed, coverage {covered:.1f} %\n"
    run.do("", shell(run, "pytest -q --cov=billing | tail -1", out, ran=64))
    _stream_until(run, 2_995)
    run.finish(f"Coverage is {covered:.1f} %; {number} test files, all pass.")


def _test_one_function(run: Run, number: int) -> None:
    module = MODULES[number % len(MODULES)]
    path = f"tests/{module}/test_{module}_{number // len(MODULES):02}.py"
    cents = number * 100
    body = (
        f"from billing.{module} import {module}\n\n\ndef test_{module}_case_{number}():\n"
        f"    assert {module}({number}, currency='EUR').cents == {cents}\n"
    )
    run.do(f"Next: case {number} of {module}.", create(run, path, body))
    if number % 7 == 3:
        out = f"E   AssertionError: assert {cents - 1} == {cents}\n1 failed in 0.31s\n"
        run.do("", shell(run, f"pytest -q {path}", out, code=1, ran=0.9))
        run.do(
            "Rounded down; the last cent is the customer's.",
            edit(run, path, f"== {cents}\n", f"== {cents - 1}\n"),
        )
    run.do("", shell(run, f"pytest -q {path}", "1 passed in 0.29s\n", ran=0.9))


def fuzzing(run: Run) -> None:
    """12,000 events: more than a download may hold."""
    run.user("Fuzz the parser over night. Note each crash, go on until 08:00.")
    seed = 0
    while len(run.events) < 11_985:
        crash = seed % 97 == 41
        out = f"seed {seed}: 20000 inputs, {'1 crash' if crash else 'no crash'}\n"
        run.do(
            "", shell(run, f"./fuzz --seed {seed}", out, code=77 if crash else 0, ran=6.0), llm=1.6
        )
        seed += 1
        if seed % 400 == 0:
            run.condense(f"{seed} seeds run.", keep=8, llm=6.0)
    _stream_until(run, 11_995)
    run.finish(f"{seed} seeds, 20,000 inputs each; every 97th found a crash, all the same one.")


def _stream_until(run: Run, count: int) -> None:
    """Streaming deltas until the run has so many events."""
    while len(run.events) < count:
        run.emit("StreamingDeltaEvent", "agent", app_only=True, content=".", reasoning_content=None)


LONG_RUNS = {"coverage": coverage, "fuzzing": fuzzing}

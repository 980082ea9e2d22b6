"""Runs too long to be written down: of thousands of events, or over a long document."""

from __future__ import annotations

from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import Call
from oh_tui.demo.runs.tool_calls import create, edit, shell, view

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


AREAS = ("basket", "billing", "identity", "search", "shipping", "stock")
PARTS = ("api", "cache", "cron", "db", "export", "mail", "proxy", "queue", "web", "worker")

ALERTS = (
    "errors above 2 %",
    "slow answers",
    "growing queue",
    "disk above 90 %",
    "certificate about to expire",
    "no backup today",
    "restarts",
)

BOOK = "on-call/handbook.md"

CLIPPED_ABOVE = 30_000
"""Characters of an output (source)."""

CLIPPED = (
    "<response clipped><NOTE>Due to the max output limit, only part of the full response has been "
    "shown to you.</NOTE>"
)

AT_ONCE = 240
"""Lines of a file that its viewer shows without clipping them."""


def handbook(run: Run) -> None:
    """A document that fills a small model's window: the agent loses all it had, the task too."""
    book = _handbook()
    run.find({BOOK: book})
    lines = book.count("\n")
    run.user("Summarise the on-call handbook on one page.")
    total = shell(run, "wc -w on-call/*.md | tail -1", f"{len(book.split())} {BOOK}\n")
    run.do("", total, llm=6.2)
    run.do("", shell(run, "cat on-call/*.md", _clipped(book)), llm=5.1)
    run.do("The terminal clips it; the viewer then, part by part.", *_parts(run, 0, 3), llm=8.4)
    for part in range(3, lines // AT_ONCE, 3):
        run.do("", *_parts(run, part, part + 3), llm=6.5 + part / 2)
    count = f"{len(AREAS) * len(PARTS) * len(ALERTS)}\n"
    run.do("How many alerts are there?", shell(run, f"grep -c '^###' {BOOK}", count), llm=14.5)
    summary = f"""\
TASK: write a summary of {BOOK} to on-call/SUMMARY.md.
DONE: all {lines:,} lines are read: {len(AREAS) * len(PARTS)} services with {len(ALERTS)} alerts \
each, and for each alert when to page, where to look and what to try.
OPEN: on-call/SUMMARY.md."""
    run.condense(summary, keep=0, keep_first=0, llm=38.0, requested=True)
    run.do("I no longer have the text of the alerts.", *_parts(run, 0, 1), llm=7.7)
    run.do("The services all look alike; one from the middle:", *_parts(run, 7, 8), llm=9.1)
    run.do("What did the first one say?", *_parts(run, 0, 1), llm=9.8)
    run.do("And the last?", *_parts(run, lines // AT_ONCE - 1, lines // AT_ONCE), llm=10.3)
    run.do("The first again, for its words:", *_parts(run, 0, 1), llm=10.9)
    run.do("One more:", *_parts(run, 3, 4), llm=11.6)
    run.do("Back to the first:", *_parts(run, 0, 1), llm=12.2)
    rows = (f"- {area}-{part}: {', '.join(ALERTS)}\n" for area in AREAS for part in PARTS)
    page = f"# On call: the alerts of each service\n\n{''.join(rows)}"
    run.do("", create(run, "on-call/SUMMARY.md", page), llm=64.0)
    run.finish(
        f"The summary is in on-call/SUMMARY.md: {page.count('- ')} services with their alerts.",
        llm=9.4,
    )


def _parts(run: Run, first: int, last: int) -> list[Call]:
    starts = (part * AT_ONCE for part in range(first, last))
    return [view(run, BOOK, (start + 1, start + AT_ONCE)) for start in starts]


def _clipped(text: str) -> str:
    """What the terminal leaves of an output: its begin and its end."""
    half = (CLIPPED_ABOVE - len(CLIPPED)) // 2
    return f"{text[:half]}{CLIPPED}{text[-half:]}"


def _handbook() -> str:
    """A title, and 60 lines about each service."""
    services = (f"{area}-{part}" for area in AREAS for part in PARTS)
    chapters = (_service(service, number) for number, service in enumerate(services))
    return f"# On call\n{''.join(chapters)}".rstrip() + "\n"


def _service(name: str, number: int) -> str:
    alerts = (_alert(name, alert, 5 + (number + n) % 4 * 5) for n, alert in enumerate(ALERTS))
    return (
        f"## {name}\n\nOwned by team {name.split('-')[0]}, restored by hand.\n\n{''.join(alerts)}"
    )


def _alert(service: str, alert: str, minutes: int) -> str:
    return f"""\
### {service}: {alert}

Whoever is on call for {service} is paged when it lasts {minutes} minutes, at night {minutes * 2}.
Look at the dashboard of {service}, at its last deployment, and at what it depends on.
If it began with a deployment, take that back: `ops rollback {service}`, and tell #incidents.
If not, `ops scale {service} +2`; call the second line when that did not help in {minutes} minutes.
Write down when it began, what you tried and what helped: the review is on Thursday.

"""


def _stream_until(run: Run, count: int) -> None:
    """Streaming deltas until the run has so many events."""
    while len(run.events) < count:
        run.emit("StreamingDeltaEvent", "agent", app_only=True, content=".", reasoning_content=None)


LONG_RUNS = {"coverage": coverage, "fuzzing": fuzzing, "handbook": handbook}

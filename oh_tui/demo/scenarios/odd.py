"""Runs that are hard on a viewer: broken pairs, hostile texts, and runs of thousands of events."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import broken, create, edit, shell, view

BACKFILL = """\
def backfill(rows):
    number = 1
    for row in rows:
        row.invoice = f"{row.year}-{number:05}"
        number += 1
"""


def broken_pairs(run: Run) -> None:
    """Two results for a call, a result without one, missing tools, a hook that blocks."""
    run.root = "/workspace/invoices"
    run.files = {"backfill.py": BACKFILL}
    run.user("Backfill the invoice numbers of 2024: per year, from 1, no gaps. Dry run first.")
    run.do(
        "",
        broken(
            "sql_query",
            '{"query": "select count(*) from invoices"}',
            "Tool 'sql_query' is not available. Available tools: terminal, file_editor, "
            "task_tracker, finish, think.",
        ),
        llm=2.6,
    )
    run.do(
        "",
        shell(run, "psql -Atc 'select count(*) from invoices where number is null'", "4131\n"),
        broken(
            "terminal",
            '{"_openhands_malformed_tool_call": true, "raw": "{\\"command\\": ps"}',
            "The arguments of terminal could not be read.",
        ),
        view(run, "backfill.py"),
        llm=3.8,
    )
    twice = shell(
        run, "python backfill.py --dry-run", "4131 rows, 2024-00001 to 2024-04131\n", ran=2.2
    )
    run.do("", twice, llm=3.1)
    run.wait(0.4)
    run.observe(twice, dict(twice.observation or {}))
    stray = shell(run, "python -m http.server", "Serving HTTP on 0.0.0.0 port 8000\n")
    stray.id, stray.call_id = str(run.new_id()), f"toolu_{run.new_id('call').hex[:24]}"
    run.observe(stray, dict(stray.observation or {}))
    run.do(
        "The counter must start again with each year.",
        edit(
            run,
            "backfill.py",
            "    number = 1\n    for row in rows:\n",
            "    number, year = 1, None\n    for row in rows:\n        if row.year != year:\n"
            "            number, year = 1, row.year\n",
        ),
        llm=6.0,
    )
    drop = shell(run, "psql -c 'truncate invoice_numbers'", risk="HIGH")
    run.do("", drop, llm=3.2, stays=True)
    run.hook(
        "PreToolUse",
        ".openhands/hooks/no-truncate.sh",
        call=drop,
        code=2,
        err="truncate is not allowed on shared databases\n",
        reason="truncate is not allowed on shared databases",
    )
    run.emit(
        "UserRejectObservation",
        "environment",
        {
            "tool_name": drop.tool,
            "tool_call_id": drop.call_id,
            "rejection_reason": "truncate is not allowed on shared databases",
            "rejection_source": "hook",
            "action_id": drop.id,
        },
    )
    run.release()
    run.do(
        "",
        shell(
            run,
            "python backfill.py --dry-run --year 2024",
            "4131 rows, 2024-00001 to 2024-04131, no gaps\n",
            ran=2.3,
        ),
        llm=3.4,
    )
    run.finish("The dry run is clean: 4,131 numbers, no gaps. Nothing is written yet.", llm=3.6)


HOSTILE_OUTPUT = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m \x1b]52;c;ZXZpbA==\x07 "
    "[bold]no markup[/bold] [/b]\x00\x08\x9b1m\r\n"
    "\u202egnp.exe\u202c \u2066isolated\u2069 zero\u200bwidth\n"
    "progress 10%\rprogress 100%\nlone surrogate comes as an escape\n"
)


def hostile(run: Run) -> None:
    """Texts that try to be markup, terminal commands, or longer than any line."""
    run.root = "/workspace/[red]x[/red]"
    run.files = {}
    run.user(
        "Show me [/b] this: \x1b[5mblink\x1b[0m \u202eright to left\u202c 👩‍👩‍👧‍👦 e\u0301 日本語"
    )
    run.do(
        "[link=https://evil.example]click[/link] \x1b[8mhidden",
        shell(run, "printf '\\033[2J' # [/red]", HOSTILE_OUTPUT),
        llm=2.2,
    )
    run.do("", shell(run, "yes x | tr -d '\\n' | head -c 6000", "x" * 6000), llm=2.1)
    run.do("", create(run, "a\nb[bold].py", "print('\x1b[31m')\n# שלום\n\tmixed\r\nends"), llm=2.4)
    run.do("", broken("[/b]", '{"x": "\x1b[31m"', "[/red] unknown tool \x1b[31m"), llm=2.0)
    run.finish(
        "مرحبا بالعالم — done [/b]\x07\n\n| a | b |\n|---|---|\n| `[x]` | \x1b[0m |", llm=2.2
    )


def tiny(run: Run) -> None:
    run.root = "/workspace/tiny"
    run.user("Say hello.")
    run.say("Hello.", llm=1.9)


def nothing(run: Run) -> None:
    """No event at all: the start went wrong, or nobody wrote."""


def idle(run: Run) -> None:
    """Started, and nothing asked yet: only the app server knows a state."""
    run.full_state()


MODULES = ("charge", "credit", "dunning", "export", "invoice", "ledger", "payout", "refund", "tax")


def long_run(run: Run) -> None:
    """3,000 events: a test file for each function of a billing service, one after the other."""
    run.root = "/workspace/billing"
    run.files = {}
    run.user(
        "Raise the line coverage of billing/ from 41 % to 90 %. A test file for each function."
    )
    number, covered = 0, 41.0
    while len(run.events) < 2_985:
        module = MODULES[number % len(MODULES)]
        path = f"tests/{module}/test_{module}_{number // len(MODULES):02}.py"
        name = f"test_{module}_case_{number}"
        body = (
            f"from billing.{module} import {module}\n\n\ndef {name}():\n"
            f"    assert {module}({number}, currency='EUR').cents == {number * 100}\n"
        )
        run.do(f"Next: case {number} of {module}.", create(run, path, body))
        if number % 7 == 3:
            run.do(
                "",
                shell(
                    run,
                    f"pytest -q {path}",
                    f"E   AssertionError: assert {number * 100 - 1} == {number * 100}\n"
                    "1 failed in 0.31s\n",
                    code=1,
                    ran=0.9,
                ),
            )
            run.do(
                "Rounded down; the last cent is the customer's.",
                edit(run, path, f"== {number * 100}\n", f"== {number * 100 - 1}\n"),
            )
        run.do("", shell(run, f"pytest -q {path}", "1 passed in 0.29s\n", ran=0.9))
        number += 1
        covered = min(90.2, covered + 0.22)
        if number % 45 == 0:
            run.condense(
                f"{number} test files written, coverage {covered:.1f} %. Next: case {number}.",
                keep=12,
                llm=9.0,
            )
    run.do(
        "",
        shell(
            run,
            "pytest -q --cov=billing | tail -1",
            f"{number} passed, coverage {covered:.1f} %\n",
            ran=64,
        ),
    )
    while len(run.events) < 2_995:
        run.emit(
            "StreamingDeltaEvent",
            "agent",
            {"content": ".", "reasoning_content": None},
            app_only=True,
        )
    run.finish(f"Coverage is {covered:.1f} %; {number} test files, all pass.")


def fuzzing(run: Run) -> None:
    """12,000 events: more than a download may hold."""
    run.root = "/workspace/parser"
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
    while len(run.events) < 11_995:
        run.emit(
            "StreamingDeltaEvent",
            "agent",
            {"content": ".", "reasoning_content": None},
            app_only=True,
        )
    run.finish(f"{seed} seeds, 20,000 inputs each; every 97th found a crash, all the same one.")


def local_model(run: Run) -> None:
    """A model of our own without a price: tokens, no cost."""
    run.root = "/workspace/handbook"
    run.files = {}
    run.user("Summarise the on-call handbook on one page.")
    run.do("", shell(run, "wc -w on-call/*.md | tail -1", "14820 total\n"), llm=6.2)
    run.do(
        "", shell(run, "cat on-call/*.md", "# On call\n\nWho is paged, and when.\n" * 60), llm=5.1
    )
    run.do(
        "",
        create(
            run,
            "on-call/SUMMARY.md",
            "# On call, on one page\n\n1. Acknowledge within 5 "
            "minutes.\n2. Say so in #incidents.\n3. Fix forward only if a rollback is "
            "slower.\n",
        ),
        llm=21.0,
    )
    run.finish("The summary is in on-call/SUMMARY.md: 3 rules, 1 table, 390 words.", llm=9.4)

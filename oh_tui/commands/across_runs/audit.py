"""`oh-tui audit`: which rules hold in runs, which are broken, and of which nobody knows; as JUnit
XML a test suite for each run and a test case for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from oh_tui.batch.reports.audit import AuditFound, audit_in, rule_json, rules_of
from oh_tui.batch.rule_rows import RunAudit
from oh_tui.batch.rules.rule import Rule, Severity, is_broken
from oh_tui.batch.run_batch import Result
from oh_tui.batch.worker import Unread
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.across_runs.audit_table import (
    print_against,
    print_explained,
    print_run,
    print_runs,
)
from oh_tui.commands.framework.command import (
    LISTED,
    LIVE,
    PATHS,
    Call,
    argument,
    command,
    flag,
    path_of,
)
from oh_tui.commands.framework.exit_codes import DEFECTS, OK
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import print_json, print_table, say_none
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import show_progress
from oh_tui.trajectory.rules.question import Answer, State


@command(
    "audit",
    PATHS,
    LISTED,
    argument(
        "--rules",
        action="append",
        default=[],
        metavar="FILE",
        help="rules of this file too; one of the same name is replaced; may be repeated",
    ),
    argument(
        "--fail-on",
        choices=[one.value for one in Severity if one is not Severity.LOOK],
        default=Severity.HIGH.value,
        help="exit code 3 if a rule of at least this severity is broken; high by default",
    ),
    (
        flag("--junit", about="JUnit XML: a test suite for each run, a test case for each rule"),
        argument(
            "--against",
            choices=["resolved"],
            help="how well each rule fits the labels of an evaluation: precision and recall",
        ),
        flag("--list", about="the rules, without reading any run"),
        argument("--explain", metavar="NAME", help="one rule: what it asks, and why"),
    ),
    LIVE,
    examples={
        "audit run.zip": "which rules hold in it, and which steps break one",
        "audit 5f3a": "a conversation of the server",
        "audit runs/ 'repo:dates after:7d'": "in how many runs of last week each is broken",
        "audit runs/ --fail-on medium --junit > audit.xml": "in CI",
        "audit output.jsonl --against resolved": "does breaking it go with failing?",
        "audit --explain tested-before-commit": "what a rule asks, and why",
    },
    epilog="A rule holds, is broken, or is not known, where a run lacks what it asks: times,\n"
    "cost, the result of its tests. Rules come with oh-tui, from rules.toml beside the settings\n"
    "file, from .oh-tui/rules.toml of the repository here, and from --rules; a later one of the\n"
    "same name replaces. docs/rules.md tells how to write one. Filter words are those of\n"
    "oh-tui conversations, and say which runs are read; steps of sub-agents are not asked.\n"
    "Whether calls and results of a run match is told by oh-tui check.\n\n"
    "Without a PATH it reads the runs of the server that are in the index or kept on this\n"
    "machine, and says how many are not; one that its id, or the start of it, names is read from\n"
    "the server. A word such as dead, which could begin an id, is of the filter where it begins\n"
    "none.\n\n"
    "Exit codes: 0 no rule of the severity of --fail-on is broken, 3 one is, 2 wrong use, or some\n"
    "runs could not be read. What is not known never fails.",
    alone=("list", "explain"),
)
async def audit(call: Call) -> int:
    args = call.args
    call.require_one_form("junit")
    rules = rules_of(list(map(path_of, args.rules)))
    if args.list or args.explain is not None:
        if args.paths or args.filter:
            name = "--list" if args.list else "--explain"
            raise Problem(f"{name} reads no run", f"leave {name} out, or PATH and FILTER")
        _print_rules(call, rules, args.explain)
        return OK
    if args.junit:
        found = await _print_junit(call, rules)
    else:
        most = None if call.as_json else 100  # the newest
        found = await audit_in(call, rules, args.filter, live=args.live, most=most)
        _print(call, found)
    return DEFECTS if found.is_broken(Severity(args.fail_on)) else found.code


def _print(call: Call, found: AuditFound) -> None:
    if call.as_json:
        print_json(found.document())
        return
    if not found.read:
        say_none(call.args.filter, found.left_out)
    if call.args.against:
        print_against(call.style, found.rows)
    elif len(found.runs) == 1 == found.read:
        print_run(call.style, found.runs[0])
    else:
        print_runs(call.style, found)


async def _print_junit(call: Call, rules: tuple[Rule, ...]) -> AuditFound:
    def printed(one: Result[RunAudit]) -> None:
        show_progress("")
        name = f"{title(one.conversation)} {conversation_id(one.conversation)}"
        if isinstance(one.value, Unread):
            print_masked(_unread(name, one.value.reason))
        else:
            print_masked(_suite(name, rules, one.value))

    args = call.args
    print_masked([BEGIN])
    try:
        return await audit_in(call, rules, args.filter, live=args.live, most=1, each=printed)
    finally:  # a reader of XML needs its end, whatever ended the runs
        print_masked(["</testsuites>\n"])


def _print_rules(call: Call, rules: Sequence[Rule], named: str | None) -> None:
    chosen = [rule for rule in rules if named in (None, rule.name)]
    if not chosen:
        names = ", ".join(rule.name for rule in rules[:20])
        raise Problem(f"There is no rule {safe_line(named or '')[:60]}", f"one of {names}")
    if call.as_json:
        print_json({"rules": [rule_json(rule) for rule in chosen]})
    elif named is None:
        columns: Columns = (Column("severity"), Column("rule"), Column("why", share=1))
        rows = ((Cell(one.severity, "dim"), one.name, one.why) for one in chosen)
        print_table(call.style, columns, rows)
    else:
        print_explained(call.style, chosen[0])


BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="oh-tui audit">\n'

_NO_XML = pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say."""


def _suite(name: str, rules: Sequence[Rule], found: RunAudit) -> Iterator[str]:
    failed = sum(is_broken([one], Severity.LOW) for one in found.findings)
    skipped = sum(one.state is not State.HOLDS for one in found.findings) - failed
    yield _head(name, len(found.findings), failed, skipped)
    for rule, finding in zip(rules, found.findings, strict=True):
        yield from _case(rule, finding.answer)
    yield " </testsuite>\n"


def _unread(name: str, reason: str) -> Iterator[str]:
    yield _head(name, 1, errors=1)
    yield f'  <testcase classname="oh-tui.audit" name="read"><error message={_value(reason)}/>'
    yield "</testcase>\n </testsuite>\n"


def _head(name: str, tests: int, failures: int = 0, skipped: int = 0, errors: int = 0) -> str:
    counts = f'failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f' <testsuite name={_value(name)} tests="{tests}" {counts}>\n'


def _case(rule: Rule, answer: Answer) -> Iterator[str]:
    head = f'  <testcase classname="oh-tui.audit" name={_value(rule.name)}'
    if answer.state is State.HOLDS:
        yield f"{head}/>\n"
    elif answer.state is State.BROKEN and rule.severity is not Severity.LOOK:
        yield f"{head}><failure type={_value(rule.severity)} message={_value(answer.broken_by())}>"
        yield f"{_in_ascii(escape(_plain(rule.why)))}</failure></testcase>\n"
    else:
        broken_by = f"look: {answer.broken_by()}" if answer.state is State.BROKEN else ""
        why = broken_by or ": ".join(filter(None, (answer.state, answer.lacks)))
        yield f"{head}><skipped message={_value(why)}/></testcase>\n"


def _value(text: str) -> str:
    return _in_ascii(quoteattr(_plain(text)))


def _plain(text: str) -> str:
    return _NO_XML.sub("\ufffd", safe_line(text, 500))


def _in_ascii(xml: str) -> str:
    """For any locale, whatever the file says of its encoding."""
    return xml.encode("ascii", "xmlcharrefreplace").decode("ascii")

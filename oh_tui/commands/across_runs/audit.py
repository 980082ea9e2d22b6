"""`oh-tui audit`: which rules hold in runs, which are broken, and of which nobody knows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.api.errors import NotFound
from oh_tui.batch.each_run import ManyRuns, Result
from oh_tui.batch.reports.one_run import chosen, read_run, whole
from oh_tui.batch.rule_rows import Audit, RulesJob, RunAudit
from oh_tui.batch.rules.rule import Rule, Severity, findings, is_broken
from oh_tui.batch.rules.rule_places import rules_in_force
from oh_tui.batch.worker import RunFacts, Unread
from oh_tui.catalog.names import WHOLE, conversation_id, read_id, title
from oh_tui.commands.across_runs import junit
from oh_tui.commands.across_runs.audit_table import (
    print_against,
    print_explained,
    print_run,
    print_runs,
)
from oh_tui.commands.across_runs.audited import Audited, Found, rule_json
from oh_tui.commands.across_runs.left_out import LEFT_OUT, LIVE, left_out, say_none, say_rest
from oh_tui.commands.across_runs.one_pass import results_of, runs_of
from oh_tui.commands.framework.command import (
    LISTED,
    PATHS,
    Call,
    argument,
    command,
    flag,
    path_of,
)
from oh_tui.commands.framework.exit_codes import DEFECTS, OK
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import print_json, print_table
from oh_tui.sources.file_source import FileSource
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say, show_progress
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.analysis.study import Study

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation

MOST_LISTED = 100
"""Runs that are listed for people, the newest."""


_SEVERITIES = [one.value for one in Severity if one is not Severity.LOOK]


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
        choices=_SEVERITIES,
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
    if args.junit and call.as_json:
        raise Problem("--junit and --json cannot be used together", "give one of them")
    rules = rules_of(args.rules)
    if args.list or args.explain is not None:
        if args.paths or args.filter:
            name = "--list" if args.list else "--explain"
            raise Problem(f"{name} reads no run", f"leave {name} out, or PATH and FILTER")
        _print_rules(call, rules, args.explain)
        return OK
    least = Severity(args.fail_on)
    if args.junit:
        return await _print_junit(call, rules, least)
    most = None if call.as_json else MOST_LISTED
    found = await audit_in(call, rules, args.filter, least, live=args.live, most=most)
    if not (found.read or call.as_json):
        say_none(args.filter, found.left_out)
    if call.as_json:
        print_json(found.document())
    elif args.against:
        print_against(call.style, found.rows)
    elif len(found.runs) == 1 == found.read:
        print_run(call.style, found.runs[0])
    else:
        print_runs(call.style, found)
    return DEFECTS if found.is_broken else found.code


def rules_of(files: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules in force here; says whose rules of a repository are among them. Raises Problem."""
    found = rules_in_force(os.environ, Path.cwd(), list(map(path_of, files)))
    if found.of_repository:
        say(f"with the rules of this repository: {clean_line(str(found.of_repository))}")
    if not found.rules:
        raise Problem("All rules are switched off", "oh-tui audit --list shows those in force")
    return tuple(found.rules)


async def audit_in(
    call: Call,
    rules: tuple[Rule, ...],
    words: str,
    least: Severity = Severity.HIGH,
    *,
    live: bool = False,
    most: int | None = None,
) -> Found:
    """Asks the rules of the runs that match the words, and says what was left out. Of the runs it
    keeps the first and those that break a rule, at most `most`; None for all. Raises Problem."""
    sums, runs, breaking, is_failed = Audit(rules), list[Audited](), 0, False
    reading = runs_of(call, RulesJob(rules), words, live=live)
    async for one in _results(call, rules, words, reading):
        if isinstance(one.value, Unread):
            continue
        audited = _audited(one.conversation, one.value)
        sums.add(audited.run, one.value)
        is_failed |= is_broken(one.value.findings, least)
        breaks = bool(audited.of_state(State.BROKEN))
        breaking += breaks
        if most is None or not runs or (breaks and len(runs) < most):
            runs.append(audited)
    code = say_rest(call, reading)
    return Found(sums.rows(), runs, breaking, reading.read, left_out(reading), is_failed, code)


def audit_of(conversation: Conversation, study: Study, rules: tuple[Rule, ...]) -> Found:
    """Asks the rules of one run that was read."""
    found = RunAudit(findings(rules, study, conversation), study.trajectory.recorded.label)
    sums, audited = Audit(rules), _audited(conversation, found)
    sums.add(audited.run, found)
    breaking = int(bool(audited.of_state(State.BROKEN)))
    return Found(sums.rows(), [audited], breaking, 1, dict.fromkeys(LEFT_OUT, 0), False, OK)


async def _results(
    call: Call, rules: tuple[Rule, ...], words: str, reading: ManyRuns[RunAudit]
) -> AsyncIterator[Result[RunAudit]]:
    """What each run gives. One that its id names is read from the server; a word that could begin
    an id and begins none is a word of the filter. Raises Problem where it is neither."""
    missing: NotFound | None = None
    if (identifier := read_id(words)) and not isinstance(call.source, FileSource):
        try:
            conversation = await chosen(call.source, identifier)
        except NotFound as problem:
            if len(identifier) == WHOLE:
                raise
            missing = problem
        else:
            yield await _named(call, rules, conversation, reading)
            return
    async for one in results_of(reading):
        yield one
    if missing and not (reading.read or any(left_out(reading).values())):
        raise missing


async def _named(
    call: Call, rules: tuple[Rule, ...], conversation: Conversation, reading: ManyRuns[RunAudit]
) -> Result[RunAudit]:
    run = whole(await read_run(call, conversation, sub_agents=True))
    kept = call.annotations().of(conversation)
    reading.read = reading.runs = 1
    return Result(conversation, RulesJob(rules)(run, RunFacts(conversation, kept)))


def _audited(conversation: Conversation, found: RunAudit) -> Audited:
    return Audited(conversation_id(conversation), title(conversation), found)


async def _print_junit(call: Call, rules: tuple[Rule, ...], least: Severity) -> int:
    """Prints each run as it was read."""
    reading = runs_of(call, RulesJob(rules), call.args.filter, live=call.args.live)
    is_failed = False
    print_masked([junit.BEGIN])
    try:
        async for one in _results(call, rules, call.args.filter, reading):
            show_progress("")
            if isinstance(one.value, Unread):
                lines = junit.unread(_suite_name(one.conversation), one.value.reason)
            else:
                lines = junit.suite(_suite_name(one.conversation), rules, one.value)
                is_failed |= is_broken(one.value.findings, least)
            print_masked(lines)
    finally:  # a reader of XML needs its end, whatever ended the runs
        print_masked([junit.END])
    code = say_rest(call, reading)
    return DEFECTS if is_failed else code


def _suite_name(conversation: Conversation) -> str:
    return f"{title(conversation)} {conversation_id(conversation)}"


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

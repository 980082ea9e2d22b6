"""What `oh-tui audit` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from oh_tui.commands.across_runs.audited import Audited, Found
from oh_tui.commands.framework.ids import shortened
from oh_tui.commands.framework.printing import (
    Cell,
    Column,
    Hue,
    Row,
    Style,
    print_pairs,
    print_table,
    say,
)
from oh_tui.sources.across_runs.rule_rows import Against, RuleRow
from oh_tui.sources.rules.rule import Finding, Rule, Severity
from oh_tui.text.clean import clean_line
from oh_tui.text.human import percent, plural
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.looks import ASCII, UNICODE, rule_mark

LEAST_TEXT = 20
"""Columns of a text beside its name, in the narrowest terminal."""

_HUES: Mapping[State, Hue] = {State.BROKEN: "red", State.UNKNOWN: "dim", State.HOLDS: "green"}
"""In the order in which they are listed."""

_SEVERITY_HUES: Mapping[Severity, Hue] = {
    Severity.HIGH: "red", Severity.MEDIUM: "amber", Severity.LOW: "dim",
}  # fmt: skip


def print_run(style: Style, run: Audited) -> None:
    """One run: what is broken first, the worst of it at the top."""
    if not style.piped:
        print("  ".join(filter(None, (run.title, shortened(run.run)))))
    columns = (Column(""), Column("severity"), Column("rule"), Column("", share=1))
    order = list(_HUES)
    found = sorted(run.found.findings, key=lambda one: (order.index(one.state), -one.severity.rank))
    print_table(style, columns, (_finding_row(style, one) for one in found))


def _finding_row(style: Style, one: Finding) -> Row:
    sign, _ = rule_mark(ASCII if style.ascii else UNICODE, one.state)
    is_broken = one.state is State.BROKEN
    about = one.answer.broken_by() if is_broken else one.answer.lacks
    return (
        Cell(f"{sign} {one.state}", _HUES[one.state]),
        Cell(one.severity, _SEVERITY_HUES[one.severity] if is_broken else "dim"),
        one.rule,
        Cell(about, "" if is_broken else "dim"),
    )


def print_runs(style: Style, found: Found) -> None:
    columns = (
        Column("severity"),
        Column("rule"),
        Column("broken", right=True),
        Column("holds", right=True),
        Column("not known", right=True),
        Column("example", share=1),
    )
    print_table(style, columns, map(_rule_row, _worst_first(found.rows)))
    broken = [run for run in found.runs if run.of_state(State.BROKEN)]
    if broken:
        print()
        run_columns = (Column("run"), Column("breaks", share=2), Column("title", share=1))
        print_table(style, run_columns, map(_run_row, broken))
    if not style.piped:
        verb = "breaks" if found.breaking == 1 else "break"
        told = f"{found.breaking:,} of {plural(found.read, 'run')} {verb} a rule"
        print(style.paint(told, "dim"))
    if found.breaking > len(broken):
        say(f"the newest {len(broken):,} of {found.breaking:,} runs are listed; --json has all")


def _worst_first(rows: Sequence[RuleRow]) -> list[RuleRow]:
    return sorted(rows, key=lambda row: (-row.rule.severity.rank, -row.broken))


def _rule_row(row: RuleRow) -> Row:
    example = row.examples[0] if row.examples else None
    at = f"step {example.step} of " if example and example.step else ""
    return (
        Cell(row.rule.severity, _SEVERITY_HUES[row.rule.severity] if row.broken else "dim"),
        row.rule.name,
        Cell(f"{row.broken:,}", "red" if row.broken else ""),
        f"{row.holds:,}",
        f"{row.unknown:,}",
        Cell(f"{at}{example.run}" if example else "", "dim"),
    )


def _run_row(run: Audited) -> Row:
    broken = sorted(run.of_state(State.BROKEN), key=lambda one: -one.severity.rank)
    return run.run, ", ".join(one.rule for one in broken), run.title


def print_against(style: Style, rows: Sequence[RuleRow]) -> None:
    columns = (
        Column("rule", share=1),
        Column("precision", right=True),
        Column("recall", right=True),
        Column("broken: unresolved", right=True),
        Column("resolved", right=True),
        Column("holds: unresolved", right=True),
        Column("resolved", right=True),
        Column("no label", right=True),
        Column("not known", right=True),
    )
    print_table(style, columns, map(_against_row, _worst_first(rows)))
    if not any(sum(row.against[:4]) for row in rows):
        say("no run of which a rule is known has a label of an evaluation")


def _against_row(row: RuleRow) -> Row:
    told: Against = row.against
    shares = (told.precision, told.recall)
    counts = (*told, row.unknown)
    return (
        row.rule.name,
        *("" if share is None else percent(share) for share in shares),
        *(f"{count:,}" for count in counts),
    )


def print_explained(style: Style, rule: Rule) -> None:
    """A rule in whole texts, on a terminal in lines that fit."""
    facts = dict(_explained(rule))
    if style.room is None:
        print_pairs(style, facts.items())
        return
    indent = max(map(len, facts)) + 2
    for name, text in facts.items():
        first, *others = wrap(text, max(LEAST_TEXT, style.room - indent)) or [""]
        print(style.paint(name, "dim") + " " * (indent - len(name)) + first)
        for line in others:
            print(" " * indent + line)


def _explained(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "rule", rule.name
    yield "severity", rule.severity
    yield "why", rule.why
    yield from rule.asked
    yield "from", clean_line(rule.origin) or "oh-tui"
    if rule.examples:
        where = "" if rule.origin else " (oh-tui --demo)"
        yield "shown by", f"{', '.join(rule.examples)}{where}"

"""What `oh-tui audit` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from oh_tui.batch.reports.audit import Audited, AuditFound
from oh_tui.batch.rule_rows import RuleRow
from oh_tui.batch.rules.rule import Finding, Rule, Severity
from oh_tui.catalog.names import shortened
from oh_tui.commands.framework.printing import Hue, Style, print_pairs, print_rows
from oh_tui.tables.column import Cell, Column
from oh_tui.text.clean import clean_line
from oh_tui.text.human import percent, plural
from oh_tui.text.remarks import say
from oh_tui.trajectory.glyphs import ASCII, UNICODE, rule_mark
from oh_tui.trajectory.rules.question import State

_HUES: Mapping[State, Hue] = {
    State.BROKEN: "red", State.UNKNOWN: "dim", State.HOLDS: "green", State.NOTHING: "dim",
}  # fmt: skip
"""In the order in which they are listed."""

_SEVERITY_HUES: Mapping[Severity, Hue] = {
    Severity.HIGH: "red", Severity.MEDIUM: "amber", Severity.LOW: "dim",
    Severity.LOOK: "dim",
}  # fmt: skip


def print_run(style: Style, run: Audited) -> None:
    """One run: what is broken first, the worst of it at the top."""
    if not style.piped:
        print("  ".join(filter(None, (run.title, shortened(run.run)))))
    order = list(_HUES)
    found = sorted(run.found.findings, key=lambda one: (order.index(one.state), -one.severity.rank))
    print_rows(style, _FINDING, found)


def _state(one: Finding, style: Style) -> Cell:
    sign, _ = rule_mark(ASCII if style.ascii else UNICODE, one.state)
    return Cell(f"{sign} {one.state}", _HUES[one.state])


def _severity(severity: Severity, *, is_broken: bool) -> Cell:
    return Cell(severity, _SEVERITY_HUES[severity] if is_broken else "dim")


def _about(one: Finding, _style: Style) -> Cell:
    is_broken = one.state is State.BROKEN
    return Cell(one.answer.broken_by()) if is_broken else Cell(one.answer.lacks, "dim")


_FINDING: tuple[Column[Finding, Style], ...] = (
    Column("", _state),
    Column(
        "severity",
        lambda one, _: _severity(one.severity, is_broken=one.state is State.BROKEN),
    ),
    Column("rule", get=lambda one: one.rule),
    Column("", _about, share=1),
)


def print_runs(style: Style, found: AuditFound) -> None:
    print_rows(style, _RULE, _worst_first(found.rows))
    broken = [run for run in found.runs if run.of_state(State.BROKEN)]
    if broken:
        print()
        print_rows(style, _RUN, broken)
    if not style.piped:
        verb = "breaks" if found.breaking == 1 else "break"
        told = f"{found.breaking:,} of {plural(found.read, 'run')} {verb} a rule"
        print(style.paint(told, "dim"))
    if found.breaking > len(broken):
        say(f"the newest {len(broken):,} of {found.breaking:,} runs are listed; --json has all")


def _worst_first(rows: Sequence[RuleRow]) -> list[RuleRow]:
    return sorted(rows, key=lambda row: (-row.rule.severity.rank, -row.counts[State.BROKEN]))


def _example(row: RuleRow, _style: Style) -> Cell:
    example = row.examples[0] if row.examples else None
    at = f"step {example.step} of " if example and example.step else ""
    return Cell(f"{at}{example.run}" if example else "", "dim")


def _count(state: State) -> Column[RuleRow, Style]:
    def text(row: RuleRow, _style: Style) -> Cell:
        runs = row.counts[state]
        return Cell(f"{runs:,}", "red" if runs and state is State.BROKEN else "")

    return Column(state, text, right=True)


_RULE: tuple[Column[RuleRow, Style], ...] = (
    Column(
        "severity",
        lambda row, _: _severity(row.rule.severity, is_broken=row.counts[State.BROKEN] > 0),
    ),
    Column("rule", get=lambda row: row.rule.name),
    *map(_count, (State.BROKEN, State.HOLDS, State.UNKNOWN, State.NOTHING)),
    Column("example", _example, share=1),
)


def _broken(run: Audited, _style: Style) -> str:
    broken = sorted(run.of_state(State.BROKEN), key=lambda one: -one.severity.rank)
    return ", ".join(one.rule for one in broken)


_RUN: tuple[Column[Audited, Style], ...] = (
    Column("run", get=lambda run: run.run),
    Column("breaks", _broken, share=2),
    Column("title", get=lambda run: run.title, share=1),
)


def print_against(style: Style, rows: Sequence[RuleRow]) -> None:
    print_rows(style, _AGAINST, _worst_first(rows))
    answered = sum(row.counts[State.HOLDS] + row.counts[State.BROKEN] for row in rows)
    if answered == sum(row.against.without_label for row in rows):
        say("no run of which a rule is known has a label of an evaluation")


def _share(share: float | None) -> str:
    return "" if share is None else percent(share)


_AGAINST: tuple[Column[RuleRow, Style], ...] = (
    Column("rule", get=lambda row: row.rule.name, share=1),
    Column("precision", lambda row, _: _share(row.against.precision), right=True),
    Column("recall", lambda row, _: _share(row.against.recall), right=True),
    Column("broken: unresolved", get=lambda row: row.against.broken_unresolved, right=True),
    Column("resolved", get=lambda row: row.against.broken_resolved, right=True),
    Column("holds: unresolved", get=lambda row: row.against.holds_unresolved, right=True),
    Column("resolved", get=lambda row: row.against.holds_resolved, right=True),
    Column("no label", get=lambda row: row.against.without_label, right=True),
    _count(State.UNKNOWN),
)


def print_explained(style: Style, rule: Rule) -> None:
    """A rule in whole texts, on a terminal in lines that fit."""
    facts = dict(_explained(rule))
    if style.room is None:
        print_pairs(style, facts.items())
        return
    indent = max(map(len, facts)) + 2
    for name, text in facts.items():
        # in the narrowest terminal
        first, *others = wrap(text, max(20, style.room - indent)) or [""]
        print(style.paint(name, "dim") + " " * (indent - len(name)) + first)
        for line in others:
            print(" " * indent + line)


def _explained(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "rule", rule.name
    yield "severity", rule.severity
    yield "why", rule.why
    yield from rule.fields
    yield "from", clean_line(rule.origin) or "oh-tui"
    if rule.examples:
        where = "" if rule.origin else " (oh-tui --demo)"
        yield "shown by", f"{', '.join(rule.examples)}{where}"

"""What rules find, as JUnit XML: a test suite for each run, a test case for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from oh_tui.batch.rule_rows import RunAudit
from oh_tui.batch.rules.rule import Rule, Severity, is_broken
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.rules.question import Answer, State

BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="oh-tui audit">\n'

END = "</testsuites>\n"

_NO_XML = pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say."""


def suite(name: str, rules: Sequence[Rule], found: RunAudit) -> Iterator[str]:
    failed = sum(is_broken([one], Severity.LOW) for one in found.findings)
    skipped = sum(one.state is not State.HOLDS for one in found.findings) - failed
    yield _head(name, len(found.findings), failed, skipped)
    for rule, finding in zip(rules, found.findings, strict=True):
        yield from _case(rule, finding.answer)
    yield " </testsuite>\n"


def unread(name: str, reason: str) -> Iterator[str]:
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

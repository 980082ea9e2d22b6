"""A file with rules: TOML, read and checked. Every fault is reported with its line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from oh_tui.batch.rules.rule import Rule, RunQuestion, Severity
from oh_tui.catalog import conversation_query
from oh_tui.settings.toml_file import Fault, Flag, Read, TomlFile, types_of
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.rules.question import Condition, Question, Same, Words
from oh_tui.trajectory.search import step_filter
from oh_tui.trajectory.search.field import Bound, Span, Term
from oh_tui.trajectory.search.step_filter import Query, QueryError

MOST_RULES = 1_000

LONGEST = 1_000
"""Characters of a reason, and of a question."""

MOST_WORDS = 20
"""Questions in a list of them."""

MOST = 1_000_000
"""The largest number in a rule."""

TESTS = ("never", *Condition)
"""A rule about steps has one of these."""

Q = TypeVar("Q", Query, conversation_query.ConversationQuery)


def _read_by(parse: Callable[[str], Q]) -> Read:
    """One question, or a list of them."""

    def read(written: str | list[str]) -> tuple[Q, ...]:
        found: list[Q] = []
        faults: list[str] = []
        for text in [written] if isinstance(written, str) else written:
            try:
                found.append(parse(text))
                faults += filter(None, [_fault_of(found[-1])])
            except QueryError as error:
                where = f", at character {error.start + 1}" if error.start else ""
                faults.append(f"{error.sentence}{where}{error.hint and f': {error.hint}'}")
        if faults:
            raise ValueError(*faults)
        return tuple(found)

    text = Annotated[str, Meta(max_length=LONGEST)]
    texts = Annotated[list[text], Meta(min_length=1, max_length=MOST_WORDS)]
    many = f"or a list of 1 to {MOST_WORDS}, each of {LONGEST:,} characters at most"
    return Read(f'words in quotes, such as "does:push", {many}', text | texts, read)


def _fault_of(query: Query | conversation_query.ConversationQuery) -> str:
    """Why no rule can ask this; "" where one can."""
    if query.empty:
        return "this asks for nothing"
    if any(term.field.removeprefix(step_filter.RUN) == "rule" for term in query.terms):
        return "rules do not refer to each other"
    if any(map(_is_of_user, query.terms)):
        return "notes, bookmarks, tags and what was opened are of one user, no part of a run"
    reason = contradiction(query.terms)
    return reason and f"this can never match: {reason}"


def _number(least: int) -> Meta:
    return Meta(ge=least, le=MOST, description=f"a number from {least} to {MOST:,}")


_NAME = Meta(
    pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
    max_length=60,
    description="at most 60 small letters, digits and -, such as no-push",
)
_LINE = Meta(min_length=1, max_length=LONGEST, description=f"a text of 1 to {LONGEST:,} characters")
_NEVER = Meta(description="true; at_most and at_least have a number")
_Tables = Annotated[
    list[dict[str, Any]],
    Meta(
        max_length=MOST_RULES, description=f"at most {MOST_RULES:,} tables, each of them [[rule]]"
    ),
]
_Steps = Annotated[Words, _read_by(step_filter.parse)]


class _Written(msgspec.Struct, frozen=True):
    name: Annotated[str, _NAME] = ""
    why: Annotated[str, _LINE] = ""
    severity: Annotated[Severity, Meta(description="look, low, medium or high")] = Severity.MEDIUM
    enabled: Flag = True
    examples: Annotated[str | list[str], Meta(description="a list of names of runs in quotes")] = ""
    steps: _Steps = ()
    run: Annotated[RunQuestion, _read_by(conversation_query.parse)] = ()
    never: Annotated[bool, _NEVER] = True
    at_most: Annotated[int, _number(0)] = 0
    at_least: Annotated[int, _number(1)] = 1
    before: _Steps = ()
    after: _Steps = ()
    never_after: _Steps = ()
    repeated: Annotated[int, _number(2)] = 2
    since: _Steps = ()
    in_a_row: Flag = False
    same: Annotated[Same, Meta(description="call or file")] = Same.CALL


NAMES = _Written.__struct_fields__

_BESIDE = {"since": ("before", "never_after"), "in_a_row": ("repeated",), "same": ("repeated",)}
"""Name -> the tests of which one has to stand there too."""


class RulesOfFile(NamedTuple):
    rules: list[Rule]
    off: dict[str, int]
    """Rules that are switched off by their name alone, with the line."""
    faults: Sequence[Fault] = ()
    """Everything that is wrong with the file, by line."""


def parse_rules(text: str, origin: str = "") -> RulesOfFile:
    file = TomlFile(text, "rule")
    what = "a rule: each begins with [[rule]]"
    tables = file.fields("", file.values, {"rule": _Tables}, what).get("rule", [])
    found = RulesOfFile([], {})
    names: set[str] = set()
    for number, values in enumerate(tables):
        path, before = f"rule.{number}", len(file.faults)
        fields = file.fields(f"{path}.", values, types_of(_Written), "anything that a rule has")
        written = _Written(**fields)
        for name, fault in _faults_of(values):
            file.blame(f"{path}.{name}", fault)
        if written.name and written.name in names:
            file.blame(f"{path}.name", f"there are two rules {written.name}")
        names.add(written.name)
        if not written.enabled:
            found.off[written.name] = file.line_of(path)
        if len(file.faults) == before and (written.run or written.steps):
            found.rules.append(_rule(written, values, origin))
    return found._replace(faults=sorted(file.faults))


def _faults_of(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is wrong between the fields of a rule: one of them, and a sentence."""
    is_off = values.get("enabled") is False and values.keys() <= {"name", "enabled"}
    for needed in ("name",) if is_off else ("name", "why"):
        if needed not in values:
            yield "", f"a rule has {needed}: a text"
    tests = [name for name in TESTS if name in values]
    if "run" in values:
        for name in {*TESTS, "steps", "since"} & values.keys():
            yield name, f"a rule asks run or steps, not run and {name}"
    elif "steps" in values and len(tests) != 1:
        yield (tests[1] if tests else "steps"), f"a rule about steps has one of {', '.join(TESTS)}"
    elif "steps" not in values and not is_off:
        yield "", "a rule asks steps or run"
    for name, wanted in _BESIDE.items():
        if "steps" in values and name in values and values.keys().isdisjoint(wanted):
            yield name, f"{name} stands beside {' or '.join(wanted)}"
    if values.get("never") is False:
        yield "never", f"never is {_NEVER.description}"


def _rule(written: _Written, values: Mapping[str, object], origin: str) -> Rule:
    test = next((one for one in Condition if one in values), Condition.AT_MOST)  # 0 for never
    given: Any = getattr(written, test)
    number, others = (given, ()) if isinstance(given, int) else (0, given)
    of_steps = Question(
        written.steps, test, number, others, written.since, written.same, written.in_a_row
    )
    asked = tuple(
        (name, _shown(values[name])) for name in NAMES[NAMES.index("steps") :] if name in values
    )
    texts = [written.examples] if isinstance(written.examples, str) else written.examples
    examples = tuple(safe_line(one, LONGEST) for one in filter(None, texts))[:MOST_WORDS]
    asks, why = written.run or of_steps, safe_line(written.why)
    return Rule(written.name, why, written.severity, asks, asked, examples, origin)


def _is_of_user(term: Term) -> bool:
    field = term.field.removeprefix(step_filter.RUN)
    return field in ("note", "tag") or (field == "is" and term.value in _OF_USER)


_OF_USER = frozenset({"bookmarked", "unread", "needs"})
"""Values of is: that differ between users of one run: needs ends where a failure was opened."""


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(safe_line(str(one)) for one in value)
    return str(value).lower() if isinstance(value, bool) else safe_line(str(value))


_OUTCOMES = frozenset({"failed", "error", "rejected", "noresult", "waiting", "running"})
"""Of which a step has one; an error has failed too."""


def contradiction(terms: Sequence[Term]) -> str:
    """Why these words match nothing, "" where something may match them."""
    asked = {(term.field, term.value) for term in terms if not term.negated}
    for term in terms:
        if term.negated and (term.field, term.value) in asked:
            return "it asks for something and for all but that"
        if isinstance(term.value, Span) and term.value.last < max(1, term.value.first):
            return "no step has such a number"
        if term == Term("is", "failed", True) and ("is", "error") in asked:
            return "an error has failed"
    outcomes = {value for name, value in asked if name == "is" and value in _OUTCOMES}
    if len(outcomes - {"error"} | ({"failed"} if "error" in outcomes else set())) > 1:
        return f"a step has one outcome, not {' and '.join(sorted(outcomes))}"
    for name in {term.field for term in terms}:
        if _is_empty([value for field, value in asked if field == name]):
            return f"no {name}: is in all of these bounds"
    return ""


def _is_empty(values: Sequence[object]) -> bool:
    """Whether no number is within all bounds. No rounding: `=5` is a span of its own width."""
    low, high = (-math.inf, 0), (math.inf, 0)
    """1 and -1 for a number just above and just below."""
    for one in values:
        match one:
            case Span(first=first, last=last):
                low, high = max(low, (first, 0)), min(high, (last, 0))
            case Bound(sign=">" | ">=", number=number):
                low = max(low, (number, int(one.sign == ">")))
            case Bound(sign="<" | "<=", number=number):
                high = min(high, (number, -int(one.sign == "<")))
    return low > high

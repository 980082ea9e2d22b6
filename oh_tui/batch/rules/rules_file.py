"""A file with rules: TOML, read and checked. Every fault is reported with its line."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from oh_tui.batch.rules.rule import Rule, RunQuestion, Severity
from oh_tui.catalog import conversation_query
from oh_tui.settings.toml_faults import Fault, kind_of, quoted, suggestion, syntax_fault
from oh_tui.settings.toml_lines import lines_in_array, too_nested
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.rules.question import Condition, Question, Same, Words
from oh_tui.trajectory.search import step_filter
from oh_tui.trajectory.search.field import Term
from oh_tui.trajectory.search.step_filter import Query, QueryError
from oh_tui.trajectory.search.values import Bound, Span

MOST_RULES = 1_000
"""Rules in a file."""

LONGEST = 1_000
"""Characters of a reason, and of a question."""

MOST_WORDS = 20
"""Questions in a list of them."""

MOST = 1_000_000
"""The largest number in a rule."""

TESTS = ("never", *Condition)
"""A rule about steps has one of these."""

_LEAST: Mapping[str, int] = {Condition.AT_MOST: 0, Condition.AT_LEAST: 1, Condition.REPEATED: 2}
"""The least number of these."""

ASKS = ("steps", "run", *TESTS, "since", "in_a_row", "same")

NAMES = ("name", "why", "severity", "enabled", "examples", *ASKS)

_NAME = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Q = TypeVar("Q", Query, conversation_query.ConversationQuery)


class RulesOfFile(NamedTuple):
    rules: list[Rule]
    off: dict[str, int]
    """Rules that are switched off by their name alone, with the line."""


class RuleFaults(Exception):
    """All faults of a file, ordered by line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults)


def parse_rules(text: str, origin: str = "") -> RulesOfFile:
    """The rules in the text of a file. Raises RuleFaults with everything that is wrong with it."""
    text = text.removeprefix("\ufeff")
    if line := too_nested(text):
        raise RuleFaults([Fault(line, "this nests further than any rule")])
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RuleFaults([syntax_fault(text, error)]) from error
    faults = [
        Fault(1, f"{quoted(name)} is not a rule: each begins with [[rule]]")
        for name in document
        if name != "rule"
    ]
    tables = document.get("rule", [])
    lines = lines_in_array(text, "rule")
    if not isinstance(tables, list) or len(lines) != len(tables):
        raise RuleFaults([*faults, Fault(1, "each rule is a table of its own: [[rule]]")])
    if len(tables) > MOST_RULES:
        raise RuleFaults([Fault(1, f"a file has at most {MOST_RULES:,} rules")])
    found = RulesOfFile([], {})
    names: set[str] = set()
    for values, its_lines in zip(tables, lines, strict=True):
        _Table(values, its_lines, faults).take_into(found, names, origin)
    if faults:
        raise RuleFaults(faults)
    return found


class _Table:
    """The table of a rule, which notes what is wrong with it."""

    def __init__(
        self, values: Mapping[str, object], lines: Mapping[str, int], faults: list[Fault]
    ) -> None:
        self._values, self._lines, self._faults = values, lines, faults
        self._blamed = len(faults)

    def take_into(self, found: RulesOfFile, names: set[str], origin: str) -> None:
        name = self._text("name")
        if not _NAME.fullmatch(name) or len(name) > 60:
            self._blame("a rule has a name of small letters, digits and -: no-push", "name")
        elif name in names:
            self._blame(f"there are two rules {name}", "name")
        names.add(name)
        for other in self._values:
            if other not in NAMES:
                hint = suggestion(other, NAMES)
                self._blame(f"{quoted(other)} is nothing that a rule has{hint}", other)
        if self._flag("enabled", True) is False:
            found.off[name] = self._lines[""]
            if self._values.keys() <= {"name", "enabled"}:
                return
        why, severity = self._text("why"), self._severity()
        asks = self._asks()
        if asks is not None and len(self._faults) == self._blamed:
            fields = tuple((key, _shown(self._values[key])) for key in ASKS if key in self._values)
            examples = self._examples()
            found.rules.append(Rule(name, safe_line(why), severity, asks, fields, examples, origin))

    def _asks(self) -> Question | RunQuestion | None:
        tests = [name for name in TESTS if name in self._values]
        if "run" in self._values:
            if beside := [*tests, *(n for n in ("steps", "since") if n in self._values)]:
                self._blame(f"a rule asks run or steps, not run and {beside[0]}", beside[0])
            return self._words("run", conversation_query.parse)
        if "steps" not in self._values:
            self._blame("a rule asks steps or run")
            return None
        if len(tests) != 1:
            one = ", ".join(TESTS)
            self._blame(f"a rule about steps has one of {one}", tests[1] if tests else "steps")
            return None
        for name, wants in (("since", ("before", "never_after")), ("in_a_row", ("repeated",)),
                            ("same", ("repeated",))):  # fmt: skip
            if name in self._values and tests[0] not in wants:
                self._blame(f"{name} stands beside {' or '.join(wants)}", name)
        return self._question(tests[0])

    def _question(self, test: str) -> Question | None:
        words, given = self._steps("steps"), self._values
        number = self._number(test, _LEAST[test]) if test in _LEAST else 0
        others = () if test in _LEAST or test == "never" else self._steps(test)
        since = self._steps("since") if "since" in given else ()
        if test == "never" and given[test] is not True:
            self._blame("never is true; at_most and at_least have a number", test)
        same = next((one for one in Same if one == given.get("same", Same.CALL)), None)
        if same is None:
            self._blame("same is call or file", "same")
            return None
        name = Condition.AT_MOST if test == "never" else Condition(test)
        in_a_row = self._flag("in_a_row", False)
        return Question(words, name, number, others, since, same, in_a_row)

    def _steps(self, name: str) -> Words:
        return self._words(name, step_filter.parse)

    def _words(self, name: str, parse: Callable[[str], Q]) -> tuple[Q, ...]:
        """One question, or a list of them."""
        given = self._values[name]
        texts = given if isinstance(given, list) else [given]
        if not texts or len(texts) > MOST_WORDS:
            self._blame(f"{name} has from one to {MOST_WORDS} questions", name)
            return ()
        found: list[Q] = []
        for text in texts:
            if not isinstance(text, str):
                self._blame(f'{name} is words in quotes: "does:push", not {kind_of(text)}', name)
            elif len(text) > LONGEST:
                self._blame(f"{name} has more than {LONGEST:,} characters", name)
            else:
                found += self._query(name, text, parse)
        return tuple(found)

    def _query(self, name: str, text: str, parse: Callable[[str], Q]) -> list[Q]:
        try:
            query = parse(text)
        except QueryError as error:
            where = f", at character {error.start + 1}" if error.start else ""
            hint = f": {error.hint}" if error.hint else ""
            self._blame(f"{name}: {safe_line(error.sentence)}{where}{safe_line(hint)}", name)
            return []
        if query.empty:
            self._blame(f"{name} asks for nothing", name)
        elif any(term.field.removeprefix(step_filter.RUN) == "rule" for term in query.terms):
            self._blame(f"{name}: rules do not refer to each other", name)
        elif any(map(_is_of_user, query.terms)):
            personal = "notes, bookmarks, tags and what was opened"
            self._blame(f"{name}: {personal} are of one user, no part of a run", name)
        elif reason := contradiction(query.terms):
            self._blame(f"{name} can never match: {reason}", name)
        return [query]

    def _severity(self) -> Severity:
        given = self._values.get("severity", Severity.MEDIUM)
        if found := next((one for one in Severity if one == given), None):
            return found
        self._blame("severity is look, low, medium or high", "severity")
        return Severity.MEDIUM

    def _examples(self) -> tuple[str, ...]:
        given = self._values.get("examples", [])
        texts = given if isinstance(given, list) else [given]
        if not all(isinstance(one, str) for one in texts):
            self._blame("examples is a list of names of runs in quotes", "examples")
        return tuple(safe_line(str(one), LONGEST) for one in texts[:MOST_WORDS])

    def _text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value.strip():
            self._blame(f"a rule has {name}: a text", name)
            return ""
        if len(value) > LONGEST:
            self._blame(f"{name} has more than {LONGEST:,} characters", name)
        return value[:LONGEST]

    def _number(self, name: str, least: int) -> int:
        value = self._values[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
            self._blame(f"{name} is a number from {least} to {MOST:,}", name)
            return least
        return value

    def _flag(self, name: str, usual: bool) -> bool:
        value = self._values.get(name, usual)
        if not isinstance(value, bool):
            self._blame(f"{name} is true or false, not {kind_of(value)}", name)
            return usual
        return value

    def _blame(self, text: str, name: str = "") -> None:
        line = self._lines.get(name, self._lines[""])
        self._faults.append(Fault(line, text, quoted(name) if name else ""))


def _is_of_user(term: Term) -> bool:
    field = term.field.removeprefix(step_filter.RUN)
    return field in ("note", "tag") or (field == "is" and term.value in _OF_USER)


_OF_USER = frozenset({"bookmarked", "unread", "needs"})
"""Values of is: that differ between users of one run: needs ends where a failure was opened."""


def _shown(value: object) -> str:
    """A value as a rule tells it, on one line."""
    if isinstance(value, list):
        return " or ".join(safe_line(str(one)) for one in value)
    return str(value).lower() if isinstance(value, bool) else safe_line(str(value))


_OUTCOMES = frozenset({"failed", "error", "rejected", "noresult", "waiting", "running"})
"""Of which a step has one; an error has failed too."""


def contradiction(terms: Sequence[Term]) -> str:
    """Why these words match nothing, "" where something may match them."""
    wanted = {(term.field, term.value) for term in terms if not term.negated}
    for term in terms:
        if term.negated and (term.field, term.value) in wanted:
            return "it asks for something and for all but that"
        if isinstance(term.value, Span) and term.value.last < max(1, term.value.first):
            return "no step has such a number"
        if term == Term("is", "failed", True) and ("is", "error") in wanted:
            return "an error has failed"
    outcomes = {value for name, value in wanted if name == "is" and value in _OUTCOMES}
    if len(outcomes - {"error"} | ({"failed"} if "error" in outcomes else set())) > 1:
        return f"a step has one outcome, not {' and '.join(sorted(outcomes))}"
    for name in {term.field for term in terms}:
        if _is_empty([value for field, value in wanted if field == name]):
            return f"no {name}: is in all of these bounds"
    return ""


def _is_empty(values: Sequence[object]) -> bool:
    """Whether no number is within all bounds or spans. Rounding is not looked at: `=5` is a span of
    its own width."""
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

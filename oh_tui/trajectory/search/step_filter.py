"""The filter of steps, for the screen and for commands: `is:failed took:>5s -read`.

A step must match all words; `-` negates a word. Plain words in a row are a phrase, and each by
itself where no step has it, or with AND between them. `read_terms` reads the words of other filters
too, which have fields of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.regex import Regex
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.field import Field, Term, Wrong
from oh_tui.trajectory.search.fields import FIELDS, TEXTS, Annotations, Subject
from oh_tui.trajectory.search.scan import Breathing, Needle, finish
from oh_tui.trajectory.search.step_attributes import BY_WORD

if TYPE_CHECKING:
    from oh_tui.trajectory.findings.study import Study


class QueryError(Problem, ValueError):
    """An invalid query from `start` to `end`; `of` is what the word filters instead, or ""."""

    def __init__(self, sentence: str, hint: str, start: int, end: int, of: str = "") -> None:
        super().__init__(sentence, hint)
        self.start = start
        self.end = end
        self.of = of

    def instead(self, of: str, where: str) -> None:
        """Says first where the word can be used, if it filters that."""
        if self.of == of:
            self.hint = f"{where} · {self.hint}"


class Beside(NamedTuple):
    """A filter of something else, whose fields are typed here by mistake."""

    here: str
    there: str
    fields: Collection[str]


LISTED = Beside(
    "steps", "conversations",
    (
        "automation", "branch", "changed", "folder", "fork", "goal", "model", "pr", "repo", "rule",
        "server", "tag", "title",
    ),
)  # fmt: skip
"""The fields are named here, as the filter of conversations stands above this one."""


RUN = "run."
"""Stands before a field that means the run, where one without it means the step."""

FILTER_HELP = (
    ("a phrase", "in the call, its result and all their texts; each word where no step has it"),
    ("one AND two", 'each word; "just this" no other'),
    ("is:failed", "failed commands and errors; also error, rejected, loop, noresult, waiting"),
    ("is:bookmarked", "what you bookmarked; note:word what your note says, note:any"),
    ("tool:terminal", "a tool, or edit, read, web, mcp, plan, think, you"),
    ("does:test", "what it is for: test, edit, look, install, commit, push, delete …"),
    ("tests:failed", "what the tests told that it ran; also passed"),
    ("look:any", "what is worth a look: large-diff, test-edit, rewrite, delete, config, sudo …"),
    ("writes:tests", "where it writes: also workspace, outside, temporary"),
    ("secret:output", "with a secret in it, or in the call; plan:open, forgets:task"),
    ("failure:9ed3", "a failed step, by the id that oh-tui failures shows"),
    ("path:src/", "a file of an edit or a read"),
    ("took:>5s", "how long it ran; cost:>0.01 what it cost"),
    ("context:>80%", "how full the model's context was"),
    ("re:/exit [12]/", "a pattern, within a line"),
    ("after:13:30", "a time of day, or of the run (after:+12:30); also before:"),
    ("kind:Action", "a kind of event; source:agent, risk:HIGH"),
    ("-word", "all but these"),
)

_BY_FILE = {"changed": "path", "path": "changed"}
"""The field that asks for a file in one filter -> that in the other."""

_OF_STUDY = frozenset({*BY_WORD, "look", "writes"})
"""The fields that ask what follows from the whole run."""


class Query(msgspec.Struct, frozen=True):
    """A parsed query. Compare `terms`, as a query can be written in several ways."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    cheapest_first: tuple[Term, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.terms

    @classmethod
    def of(cls, text: str, terms: Iterable[Term]) -> Query:
        all_terms = tuple(terms)
        by_cost = sorted(all_terms, key=lambda term: FIELDS[term.field].cost)
        return cls(text.strip(), all_terms, tuple(by_cost))

    @property
    def each_word(self) -> Query | None:
        """What is asked where nothing has a phrase; None without one."""
        terms = each_word(self.terms)
        return Query.of(self.text, terms) if terms != self.terms else None

    @property
    def texts(self) -> list[Needle | Regex]:
        """What a step has to say, in the order of the words."""
        return [term.value for term in self.terms if term.field in TEXTS and not term.negated]

    @property
    def failures(self) -> list[str]:
        """The starts of ids of failures, one of which a step has to be for each."""
        return [t.value for t in self.terms if t.field == "failure" and not t.negated]

    @property
    def gave_up(self) -> list[str]:
        """Patterns that took too long, so that not all texts were searched for them."""
        return [t.value.typed for t in self.terms if t.field == "re" and t.value.slow]

    @property
    def needs_study(self) -> bool:
        return any(t.field in _OF_STUDY or t.value == "loop" for t in self.terms)

    def unknown(self, study: Study) -> Counter[str]:
        """What the words ask and is not known of some steps -> how many; these match in no case."""
        attributes = dict.fromkeys(BY_WORD[t.field] for t in self.terms if t.field in BY_WORD)
        steps, accounts = study.trajectory.steps, study.accounts
        return +Counter(
            {one.label: sum(one.lacks(accounts, step) for step in steps) for one in attributes}
        )

    @property
    def needs_annotations(self) -> bool:
        return any(t.field == "note" or t.value == "bookmarked" for t in self.terms)

    def matches(
        self,
        step: Step,
        trajectory: Trajectory,
        study: Study | None = None,
        annotations: Annotations | None = None,
    ) -> bool:
        """Whether a step matches; never raises. Without `study` no step has a cost or is in a
        loop, without `annotations` none has a bookmark or a note."""
        return bool(finish(self.test(Subject(step, trajectory, study, annotations))))

    def test(self, subject: Subject) -> Breathing:
        """Whether a step matches, None where that is not known, as interruptible work."""
        found: bool | None = True
        for term in self.cheapest_first:
            if term.field in TEXTS:
                holds = yield from subject.search(term)
            else:
                holds = subject.answer(term)
            if holds is term.negated:
                return False
            if holds is None:
                found = None
                if not subject.exact:
                    break  # it matches neither as it is nor negated
        return found


def unknown_words(counts: Mapping[str, int]) -> str:
    """What `Query.unknown` counts, in words; "" for nothing."""
    return "; ".join(
        f"the {label} of {plural(count, 'step')} is not known" for label, count in counts.items()
    )


def each_word(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(word for term in terms for word in term.words or (term,))


NO_PHRASE = "not found as a phrase: each word by itself"
"""Says that `each_word` was asked."""


_FIELD = r"(?:run\.)?[A-Za-z]{1,20}"
_BARE = rf'(?!-[^\s-]|"|{_FIELD}:(?!//)|(?-i:AND)\s+\S)\S++'
_GAP = pattern(r"\s+(?:AND(?=\s+\S))?")
_WORD = pattern(
    rf'(?P<phrase>{_BARE}(?:\s+{_BARE})+)|(?P<no>-(?=[^\s-]))?(?:(?P<field>{_FIELD}):(?!//))?'
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)(?P<closed>"?)'
    r'|(?P<slashed>(?<=re:)/(?:[^\\]|\\.)+?/(?=\s|\Z))|(?P<plain>\S*))',
    re.DOTALL | re.IGNORECASE,
)  # fmt: skip


def parse(text: str) -> Query:
    """Parses a query; raises QueryError with the position of the error."""
    return Query.of(text, read_terms(text, FIELDS, LISTED))


def read_terms(text: str, fields: Mapping[str, Field], beside: Beside) -> tuple[Term, ...]:
    """Reads words with these fields; raises QueryError with the position of the error.

    `--word`, words in quotes (with `\\"` for a quote) and addresses such as `http://x` are texts.
    """
    terms: list[Term] = []
    start = 0
    while start < len(text):
        if gap := _GAP.match(text, start):
            start = gap.end()
            continue
        match = _WORD.match(text, start)
        assert match is not None
        terms.append(_term(match, fields, beside))
        start = max(match.end(), start + 1)
    return tuple(terms)


_ESCAPED = pattern(r'\\(["\\])')


def quoted(text: str) -> str:
    """Any text as one word of a query."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _term(match: re.Match[str], fields: Mapping[str, Field], beside: Beside) -> Term:
    start, end = match.span()
    name = (match["field"] or "").lower()
    if match["quoted"] is not None and not match["closed"]:
        raise QueryError("The quote has no end", 'close it: "like this"', start, end)
    if name and name not in fields:
        raise _unknown(match, name, fields, beside)
    words = (match["phrase"] or "").split()
    typed = match["plain"] or match["slashed"] or " ".join(words)
    if match["quoted"] is not None:
        typed = _ESCAPED.sub(r"\1", match["quoted"])
    if not typed:
        hint = (
            _examples(name, fields[name]) if name else 'text stands between the quotes: "like this"'
        )
        sentence = f"{name}: asks for nothing" if name else "Nothing to find"
        raise QueryError(sentence, hint, start, end)
    try:
        value = fields[name].read(typed)
    except Wrong as wrong:
        shown = clean_line(typed)[:40]
        start = max(map(match.start, ("plain", "slashed", "quoted")))
        raise QueryError(f"{name}:{shown} is not known", str(wrong), start, end) from None
    each = (Term("", fields[""].read(word)) for word in words)
    return Term(name, value, bool(match["no"]), tuple(each))


def _unknown(
    match: re.Match[str], name: str, fields: Mapping[str, Field], beside: Beside
) -> QueryError:
    known = [*filter(None, fields)]
    near = " or ".join(f"{one}:" for one in get_close_matches(name, known, 3, 0.6))
    typed = clean_line(match[0])[:40].replace('"', "")
    sentence = f"There is no field {match['field']}"
    meant = (
        f"did you mean {near}" if near else f"such as {' '.join(f'{one}:' for one in known[:3])}"
    )
    hint, of = f'{meant} · to find the text itself: "{typed}"', ""
    if name in beside.fields or (name.startswith(RUN) and beside is LISTED):
        sentence = f"{name}: filters {beside.there}, and this is for {beside.here}"
        hint, of = f'to find the text itself: "{typed}"', beside.there
        if name in _BY_FILE:
            hint = f"{_BY_FILE[name]}: filters them by file · {hint}"
    start = match.start("field")
    return QueryError(sentence, hint, start, match.end("field"), of)


def _examples(name: str, field: Field) -> str:
    values = list(field.values(None))
    if not values:
        return f"what it asks for stands right after it: {name}:…"
    return f"such as {' '.join(f'{name}:{value}' for value in values[:6])}"


def complete(
    text: str,
    cursor: int,
    trajectory: Trajectory | None = None,
    fields: Mapping[str, Field] = FIELDS,
) -> list[str]:
    """Completions of the word before the cursor, as whole texts; [] inside quotes."""
    before = text[:cursor]
    if before.count('"') % 2:
        return []
    start = max(before.rfind(" "), before.rfind("\t")) + 1
    word = before[start:]
    end = cursor + len(text[cursor:].split(" ", 1)[0])
    sign = "-" if word.startswith("-") else ""
    name, colon, typed = word[len(sign) :].partition(":")
    if not colon:
        found = [f"{known}:" for known in fields if known and known.startswith(name.lower())]
    elif name.lower() in fields and name:
        values = fields[name.lower()].values(trajectory)
        found = [f"{name}:{v}" for v in values if v.lower().startswith(typed.lower())]
    else:
        found = []
    return [text[:start] + sign + new + text[end:] for new in found if sign + new != word]


NAMES = ("tool", "kind", "source")
"""Fields that accept any name."""


def suggest(query: Query, trajectory: Trajectory) -> str:
    """Such as `did you mean tool:terminal?`, for the first unknown name like one of the run."""
    for term in query.terms:
        if term.field not in NAMES or term.negated:
            continue
        names = {value.lower(): value for value in FIELDS[term.field].values(trajectory)}
        known = {*names, *map(str.lower, FIELDS[term.field].values(None))}
        if any(term.value in name for name in known):
            continue
        near = get_close_matches(term.value, names, 1, 0.6)
        if near:
            return f"did you mean {term.field}:{names[near[0]]}?"
    return ""

"""What rules find in a run as one text, which the index keeps beside the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from oh_tui import __version__
from oh_tui.batch.rules.rule import Rule
from oh_tui.trajectory.rules.question import Question, State

_OF_NOW = frozenset({"after", "before", "failure"})
"""Words about a run whose answers change without the run."""


def digest(rules: Sequence[Rule]) -> str:
    """Differs where rules may find something else: by what they ask, and by the code that answers,
    which another version of oh-tui has."""
    text = json.dumps([of_code(), *((rule.name, rule.fields) for rule in rules)])
    return blake2b(text.encode(), digest_size=8).hexdigest()


_CODE = ("batch/rules", "text", "trajectory")
"""Folders whose code reads runs and answers."""


@cache
def of_code(root: Path = Path(__file__).parents[2]) -> str:
    """A hash of the code that answers, so that nobody has to raise a number. Takes 15 ms, once."""
    found = blake2b(__version__.encode(), digest_size=8)
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*.py")):  # none in a zip, which has the version
            found.update(path.read_bytes())
    return found.hexdigest()


def is_stable(rule: Rule) -> bool:
    """Whether the same run always gets the same answer."""
    if isinstance(rule.asks, Question):
        return True
    terms = [term for query in rule.asks for term in query.terms]
    return not any(term.field in _OF_NOW for term in terms)


def states_text(rules: Sequence[Rule], states: Mapping[str, State]) -> str:
    """The digest of the rules, and what each finds."""
    return f"{digest(rules)} {msgspec.json.encode(states).decode()}"


def read_states(rules: Sequence[Rule], text: str) -> Mapping[str, State] | None:
    """What each rule finds; None for other rules, or if one may find something else now."""
    of, _, found = text.partition(" ")
    if of != digest(rules) or not all(map(is_stable, rules)):
        return None
    try:
        states = msgspec.json.decode(found, type=dict[str, State])
    except msgspec.MsgspecError:
        return None
    return states if states.keys() == {rule.name for rule in rules} else None

"""Patterns that explode when they are read, from wherever one can be typed."""

from __future__ import annotations

import resource

import pytest

from oh_tui.batch.rules.rules_file import parse_rules
from oh_tui.text.problem import Problem
from oh_tui.text.regex import Regex
from oh_tui.trajectory.search import step_filter
from tests.processes import oh_tui
from tests.sources.here import IDS

EXPLODES = (
    "((a{999}){999}){9}",
    "(((a{999}){999}){999}){999}",
    "a{0,100000}",
    "(?:a{0,999}){0,999}",
    "(?<=(a{999}){999})b",
    "(?>(a{999}){999})",
    "(?i:(?:é{999}){999})",
    "(a)?(?(1)(b{999}){999}|c)",
    "(?x) ( a {999} ) {999}",
    "(?:(?:(?:){999}){999}){999}",
    "((?=a{99}){99}){99}",
    "(a{99}?){999}+",
    "([a-zäß]{999}|[^b]{999}){99}",
    "(((a{99,}){99,}){99,})",
)


@pytest.mark.parametrize("typed", EXPLODES)
def test_it_is_refused_before_it_is_compiled(typed: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="the pattern cannot be read"):
        Regex(typed)
    with pytest.raises(Problem) as caught:
        step_filter.parse(f're:"/{typed}/"')
    assert "the pattern cannot be read" in caught.value.hint
    text = f"[[rule]]\nname='a'\nwhy='b'\nsteps='''re:\"/{typed}/\"'''\nnever=true\n"
    assert parse_rules(text).faults
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    "typed",
    ["a{3}b", ".{0,2000}x", r"(?:\d{1,3}\.){3}\d{1,3}", "[0-9a-f]{40}", "|".join("abc" * 9)],
)
def test_what_people_type_is_read(typed: str) -> None:
    assert Regex(typed)


def test_a_lack_of_memory_while_it_is_read_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("regex.compile", fails)
    with pytest.raises(ValueError, match="too large"):
        Regex("a")


def test_a_command_says_so() -> None:
    done = oh_tui("steps", "--demo", IDS["week-dates"], "re:/((a{999}){999}){9}/")
    assert done.returncode == 2 and "the pattern cannot be read" in done.stderr

"""Patterns compiled late: all compile, and match like those compiled at once."""

from __future__ import annotations

import importlib
import pkgutil
import re

import oh_tui
from oh_tui.text.patterns import _Later, pattern


def test_every_pattern_compiles() -> None:
    found = 0
    for module in pkgutil.walk_packages(oh_tui.__path__, "oh_tui."):
        if module.name == "oh_tui.__main__":
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, _Later):
                found += 1
                assert isinstance(re.compile(value.pattern, value.flags), re.Pattern)
    assert found > 40


def test_a_pattern_is_used_as_a_compiled_one() -> None:
    late, early = (
        pattern(r"(?P<word>[a-z]+)-(\d)", re.IGNORECASE),
        re.compile(r"(?P<word>[a-z]+)-(\d)", re.IGNORECASE),
    )
    assert late.sub(r"\2", "AB-1 cd-2 -3") == early.sub(r"\2", "AB-1 cd-2 -3") == "1 2 -3"
    assert late.groupindex == early.groupindex
    match = late.search("x AB-1")
    assert match and match["word"] == "AB"
    assert late.search is late.search  # held: a second use costs what a compiled pattern costs

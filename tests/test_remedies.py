"""Remedies: a Remedy in the lower layers, a key in the explorer, a command in a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import oh_tui
from oh_tui.text import problem as shell
from oh_tui.text.problem import Problem, Remedy
from oh_tui.tui import remedies as explorer

ROOT = Path(oh_tui.__file__).parent

KEY = re.compile(
    r"\b(press|ctrl\+)\w*|(^|[:,;.] )[A-Za-z] (asks|goes|lets|looks|pauses|reads|resumes|saves"
    r"|shows|starts|stops|tells|tries|again)\b|^[a-zA-Z]$"
)
"""How a hint names a key: `r reads again`, `press d`, or a letter alone."""


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def words_in(path: Path) -> Iterator[str]:
    """The strings of a file that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.value


def test_each_remedy_has_words_in_both_faces() -> None:
    assert set(explorer.WORDS) == set(shell.WORDS) == set(Remedy)
    assert len({remedy.value for remedy in Remedy}) == len(Remedy)


def test_a_key_is_known_by_its_words() -> None:
    named = [words for words in explorer.WORDS.values() if KEY.search(words)]
    assert "p resumes it" in named and "wait, then press r" in named
    assert "it may still run there: look at the run; P lets the agent go on" in named


@pytest.mark.parametrize("path", files("api", "sources", "trajectory"), ids=lambda path: path.name)
def test_nothing_below_the_faces_names_a_key(path: Path) -> None:
    assert not [words for words in words_in(path) if len(words) > 1 and KEY.search(words)]


def test_neither_a_shell_nor_a_script_is_told_a_key() -> None:
    for words in (*shell.WORDS.values(), *Remedy):
        assert not KEY.search(words), words


@pytest.mark.parametrize("path", files("tui"), ids=lambda path: path.name)
def test_the_explorer_tells_no_hint_but_by_its_table(path: Path) -> None:
    """Only the table turns a remedy into words; elsewhere a hint is handed on with its problem."""
    if path.name == "remedies.py":
        return
    tree = ast.parse(path.read_text("utf-8"))
    told = [
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    ]
    assert not [part for part in told if isinstance(part, ast.Attribute) and part.attr == "hint"]


def test_a_command_names_the_conversation_and_a_plain_hint_stays() -> None:
    assert shell.worded(Remedy.RESUME, "5f3a91c0") == "oh-tui resume 5f3a91c0 --wait"
    assert shell.worded(Remedy.RESUME, "") == "oh-tui resume ID --wait"
    assert shell.worded("check the path", "5f3a91c0") == "check the path"
    assert explorer.words_of(Problem("It is so", Remedy.RESUME)) == "It is so: p resumes it"
    assert explorer.words_of(Problem("It is so")) == "It is so"

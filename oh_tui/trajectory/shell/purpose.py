"""What a step is for, and how words of a command are read to tell it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum

from oh_tui.text.patterns import pattern


class Purpose(StrEnum):
    """What a step is for; a value is a word of `does:` too."""

    LOOK = "look"
    """Reads or searches files, lists folders, asks git."""
    EDIT = "edit"
    """Writes files."""
    DELETE = "delete"
    MOVE = "move"
    TEST = "test"
    LINT = "lint"
    """Checks types or style, formats."""
    BUILD = "build"
    INSTALL = "install"
    """Installs packages."""
    COMMIT = "commit"
    PUSH = "push"
    FORCE = "force"
    """Pushes over what others may have."""
    NETWORK = "network"
    """Fetches from elsewhere: clones, downloads, reads web pages."""
    SUDO = "sudo"
    WAIT = "wait"
    PLAN = "plan"
    DELEGATE = "delegate"
    """Gives work to a sub-agent."""
    ANSWER = "answer"
    """The agent speaks to the user, or finishes."""
    ASKED = "asked"
    """A message of the user."""
    RUN = "run"
    """Any other command or tool."""


Words = list[str]
Check = Callable[[Words], Purpose | None]
"""Tells what a program with these words is for; None where the words do not tell it."""

_TEST_WORD = pattern(
    r"(?:unit|e2e|integration|run)?[-_.:]?(?:tests?|specs?|check)(?:[-_.:].{0,80})?"
)
"""A script or target that tests, such as `test:unit`."""
_LINT_WORD = pattern(
    r"(?:(?:check|test)[-_.:])?(?:lint|format|fmt|style|typecheck|type-check|types)"
    r"(?:[-_.:].{0,80})?"
)


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def by_purpose(**words: str) -> dict[str, Purpose]:
    """Words by what they are for; `pr_create` stands for two of them."""
    return {
        word.replace("_", " "): Purpose(purpose)
        for purpose, given in words.items()
        for word in given.split()
    }


def by_word(word: str) -> Purpose | None:
    """What a script of a package or a target is for, by its name."""
    if _LINT_WORD.fullmatch(word):
        return Purpose.LINT
    return Purpose.TEST if _TEST_WORD.fullmatch(word) else None


def plain(words: Words) -> Iterator[str]:
    """The words that are no options."""
    return (word for word in words if word[:1] != "-")


def letters(words: Words) -> set[str]:
    """The letters of short options, and what stands in one word with them."""
    return set("".join(word for word in words if word[:1] == "-" and word[:2] != "--"))


def without_values(words: Words, options: Collection[str]) -> Words:
    """Without these options and the values that follow them."""
    values = {at + 1 for at, word in enumerate(words) if word in options}
    return [word for at, word in enumerate(words) if word not in options and at not in values]


def after_options(words: Words, with_value: Collection[str]) -> Words:
    """The words behind the options, some of which have a value that follows."""
    at = 0
    while at < len(words) and words[at][:1] in ("-", "+"):
        if words[at] == "--":
            return words[at + 1 :]
        if words[at] == "-m" and words[at] not in with_value:
            break  # a module of Python
        at += 2 if words[at] in with_value else 1
    return words[at:]

"""Whether a shell command may write to files. In doubt it may."""

from __future__ import annotations

import re
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.only_reads import (
    NAMES_THAT_ACT,
    PROGRAMS,
    PUT_IN,
    RUNS_ANOTHER,
    stays,
)
from oh_tui.trajectory.shell.reader import DEEPEST, LONGEST, Simple, Unsure, commands

_HARMLESS = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty"})
"""What output may be sent to."""

_ASSIGNS = pattern(r"[A-Za-z_]\w*\+?=")
_BACKGROUND = pattern(r"(?<![&>|])&(?![&>])")
_OPENS = frozenset({"!", "do", "elif", "else", "if", "then", "time", "until", "while", "{"})
"""Words of the shell before a command."""
_ALONE = frozenset({"done", "esac", "fi", "}"})
_FUNCTION = pattern(r"\bfunction\s+([^\s(){};&|]{1,100})")
_BRACKETS = pattern(r"\(\s*\)")
_ENDS_WORD = pattern(r"[\s(){};&|='\"]")


class Effect(NamedTuple):
    """What a command may do."""

    writes: bool
    """It may write to files."""
    stays: bool = False
    """A process of it may still write when the command has ended."""


def effect(command: str, unknown: frozenset[str] = frozenset()) -> Effect:
    """What a command may do; never raises. `unknown` are programs that are no longer what their
    names say."""
    try:
        simple, in_background = commands(command, 0)
        writes = any(not _only_reads(one, unknown, 0) for one in simple)
    except Unsure:
        writes, in_background = True, bool(_BACKGROUND.search(command))
    return Effect(writes, writes and (in_background or stays(command[:LONGEST])))


def defined(command: str) -> frozenset[str]:
    """The names of functions and aliases that a command may define."""
    command = command[:LONGEST]
    found = _FUNCTION.findall(command)
    for brackets in _BRACKETS.finditer(command):
        before = command[max(0, brackets.start() - 100) : brackets.start()].rstrip()
        found.append(_ENDS_WORD.split(before)[-1])
    if "alias" in command:
        found += (w.partition("=")[0].strip("'\"") for w in command.split() if "=" in w)
    return frozenset(filter(None, found))


def _only_reads(command: Simple, unknown: frozenset[str], depth: int) -> bool:
    if not all(target in _HARMLESS for target in command.targets):
        return False
    words = list(command.words)
    while words and words[0] in _OPENS:
        words.pop(0)
    if not words or (words[0] in _ALONE and len(words) == 1):
        return True
    if words[0] in ("for", "select"):
        return True  # a name, then words: what follows `do` is a command of its own
    while words and (assigned := _ASSIGNS.match(words[0])):
        if assigned[0].startswith(NAMES_THAT_ACT):
            return False
        words.pop(0)
    if words and words[0] in ("export", "declare", "local", "readonly", "unset"):
        return not any(word.startswith(NAMES_THAT_ACT) or PUT_IN in word for word in words[1:])
    return not words or _program_only_reads(words, unknown, depth)


def _program_only_reads(words: list[str], unknown: frozenset[str], depth: int) -> bool:
    name, given = words[0], words[1:]
    name = re.sub(r"^(?:/usr)?/bin/", "", name)
    if name in unknown or PUT_IN in name:
        return False
    if name == "command" and given[:1] in (["-v"], ["-V"]):
        return True
    if name in RUNS_ANOTHER:
        rest = given[RUNS_ANOTHER[name] :]
        if any(word.startswith("-") for word in given[: RUNS_ANOTHER[name] + 1]):
            return False
        return not rest or _program_only_reads(rest, unknown, depth)
    if name == "xargs":
        while given and given[0] in ("-0", "-r", "-t"):
            given = given[1:]
        return not given or (
            given[0][:1] != "-" and _program_only_reads([*given, PUT_IN], unknown, depth)
        )
    if name in ("bash", "sh") and len(given) == 2 and given[0] in ("-c", "-lc"):
        if PUT_IN in given[1] or depth >= DEEPEST:
            return False
        simple, in_background = commands(given[1], depth + 1)
        if in_background:
            raise Unsure
        return all(_only_reads(one, unknown, depth + 1) for one in simple)
    check = PROGRAMS.get(name)
    return check is not None and check(given)

"""Whether a shell command may write to files. In doubt it may."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.commands import Called, Script, script
from oh_tui.trajectory.shell.only_reads import NAMES_THAT_ACT
from oh_tui.trajectory.shell.programs import CONTAINERS, PROGRAMS
from oh_tui.trajectory.shell.purpose import letters, names
from oh_tui.trajectory.shell.reader import LONGEST


class Effect(NamedTuple):
    """What a command may do."""

    writes: bool
    """It may write to files."""
    stays: bool = False
    """A process of it may still write when the command has ended."""


def effect(command: str, unknown: frozenset[str] = frozenset()) -> Effect:
    """What a command may do; never raises. `unknown` are programs that are no longer what their
    names say."""
    found = script(command)
    writes = _writes(found, unknown)
    return Effect(writes, writes and _stays(found))


_DEFINES = pattern(
    r"\bfunction\s+([^\s(){};&|]{1,100})"
    r"|(?<![^\s(){};&|='\"])([^\s(){};&|='\"]++)\s*+\(\s*+\)"
)
_ALIAS = pattern(r"(?<![^\s='\"])([^\s='\"]++)['\"]?=")


def defined(command: str) -> frozenset[str]:
    """The names of functions and aliases that a command may define."""
    command = command[:LONGEST]
    found = {one or other for one, other in _DEFINES.findall(command)}
    return frozenset(found.union(_ALIAS.findall(command) if "alias" in command else ()))


def _writes(found: Script, unknown: frozenset[str]) -> bool:
    return not found.is_sure or any(_may_write(one, unknown) for one in found.commands)


def _may_write(one: Called, unknown: frozenset[str]) -> bool:
    if one.targets or any(name.startswith(NAMES_THAT_ACT) for name in one.sets):
        return True
    return bool(one.name and not _reads(one, unknown)) or _writes(one.runs, unknown)


def _reads(one: Called, unknown: frozenset[str]) -> bool:
    """Whether a program itself writes no file. One in a folder may be another of the same name."""
    name = one.name.removeprefix("/usr").removeprefix("/bin/")
    program = PROGRAMS.get(name)
    if program is None or name in unknown:
        return False
    return one.words in (["--version"], ["-V"]) or program.reads(one.words)


_STAY = names("daemonize disown nohup screen service setsid systemctl tmux")
_STARTS = names("--detach restart start up")


def _stays(found: Script) -> bool:
    return found.in_background or any(_starts(one) or _stays(one.runs) for one in found.commands)


def _starts(one: Called) -> bool:
    """Whether a program leaves a process behind, as far as its words tell."""
    if one.name in CONTAINERS:
        return "d" in letters(one.words) or not _STARTS.isdisjoint(one.words)
    return one.name in _STAY

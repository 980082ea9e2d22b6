"""Which words of a program tell that it writes no file."""

from __future__ import annotations

from collections.abc import Callable

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.purpose import Words, letters, plain
from oh_tui.trajectory.shell.reader import PUT_IN

Reads = Callable[[Words], bool]
"""Whether a program with these words writes no file."""

_SED_LINES = pattern(r"(?:\d{1,9}|\$)?(?:,(?:\d{1,9}|\$|\+\d{1,9}))?[pdq=]?")
_SED_FLAGS = pattern(r"[gpiI0-9]*")
_AWK = pattern(r"[^>|@`\0]*")
_AWK_CALLS = pattern("system|getline|close|include")

NAMES_THAT_ACT = ("BASH", "DYLD_", "ENV", "GIT_", "IFS", "LD_", "LESS", "PAGER", "PATH", "PROMPT_",
                  "PS", "RIPGREP_", "GREP_", "SHELL", "AWK")  # fmt: skip
"""How names of variables begin that may change what a program does."""

_OF_WRAPPERS = ("-0", "-p", "-r", "-t")
"""Options of programs that run another, which change nothing else."""


def always(words: Words) -> bool:
    """It writes to its output only."""
    return True


def lacks(*options: str) -> Reads:
    """No option begins like one of these, and nothing can become one."""
    return lambda words: not any(word.startswith(options) or PUT_IN in word for word in words)


def options_of_shell(words: Words) -> bool:
    """Options of the shell itself."""
    return all(word.startswith(("-", "+", "pipefail", "errexit")) for word in words)


def wrapper(words: Words) -> bool:
    """Its own words change nothing else: what it runs is told apart."""
    return lacks("-")([word for word in words if word not in _OF_WRAPPERS])


def lacks_letters(given: str, *options: str) -> Reads:
    """As `lacks`, and none of these letters is an option, or one of several in a word."""
    return lambda words: lacks(*options)(words) and letters(words).isdisjoint(given)


def of_one_file(words: Words) -> bool:
    """At most one file is named, which is read: a second one would be written."""
    return lacks()(words) and len(list(plain(words))) < 2


def sed(words: Words) -> bool:
    """Without `-i`, and with a script that is known to print only: `w` and `e` act."""
    scripts, rest = list[str](), list(words)
    while rest and rest[0][:1] == "-":
        option = rest.pop(0)
        if option in ("-e", "-ne") and rest:
            scripts.append(rest.pop(0))
        elif option not in ("-n", "-E", "-r", "-u", "-nE", "-nr", "--quiet", "--silent"):
            return False
    if not scripts:
        scripts, rest = rest[:1], rest[1:]
    return all(_prints(script) or _replaces(script) for script in scripts) and lacks("-")(rest)


def _prints(script: str) -> bool:
    parts = script.replace(" ", "").replace("\n", ";").split(";")
    return all(_SED_LINES.fullmatch(part) for part in parts)


def _replaces(script: str) -> bool:
    """One `s` without a backslash before a backslash, which would hide where a part ends."""
    if script[:1] != "s" or script[1:2] not in "/|#,:" or "\\\\" in script or "\n" in script:
        return False
    parts = script.replace("\\" + script[1], "").split(script[1])
    return len(parts) == 4 and bool(_SED_FLAGS.fullmatch(parts[3]))


def awk(words: Words) -> bool:
    """Without a program that sends its output elsewhere, or runs something."""
    rest = list(words)
    while rest and rest[0][:2] in ("-F", "-v"):
        rest = rest[1 if len(rest[0]) > 2 else 2 :]
    if not rest or rest[0].startswith("-") or _AWK_CALLS.search(rest[0]):
        return False
    return bool(_AWK.fullmatch(rest[0])) and lacks("-")(rest[1:])

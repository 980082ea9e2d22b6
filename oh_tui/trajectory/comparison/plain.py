"""How two texts that a model saw differ, once what varies with each run is made plain.

docs/compare.md has the rules for people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from oh_tui.text.patterns import pattern

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

_VARIES = pattern(
    r"(?P<ids>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|\b0x[0-9a-f]{6,16}\b"
    r"|\b(?=[0-9]{0,63}[a-f])(?=[a-f]{0,63}[0-9])[0-9a-f]{7,64}\b)"
    r"|(?P<times>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    rf"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +{_MONTH} +\d{{1,2}}[^\n]{{0,24}}?\d{{4}}\b"
    rf"|\b{_MONTH} +\d{{1,2}} +(?:\d\d:\d\d|\d{{4}})\b|\b\d{{1,2}}:\d\d:\d\d(?:[.,]\d{{1,9}})?\b"
    r"|\b\d{1,9}m\d{1,2}\.\d{1,9}s\b|\b\d{1,9}\.\d{1,9} ?(?:s|ms|sec|seconds)\b|\b\d{1,9} ?ms\b)"
    r"|(?P<temporary_names>/tmp/(?:tmp|pytest-|pip-)[\w.-]{1,64}|/var/folders/[\w./-]{1,200})"
    r"|(?P<processes>\b(?:pid|PID)[ =:]{1,3}\d{1,9}|(?<=^\[\d\] )\d{1,9}$)"
    # of which each system makes its own
    r"|(?P<folder_sizes>^total \d{1,12}$|(?<=^d[rwxst-]{9}) +\d{1,6} \S{1,64} +\S{1,64} +\d{1,12})",
    re.MULTILINE,
)
"""What differs between two runs that do the same, by its name with _ for a space."""

_HOME = r"(?<![\w./-])(?:/(?:home|Users)/[\w.-]{1,64}|/root(?![\w.-]))"
_NUMBER = pattern(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_LEFTOVER = pattern(
    r"(?s)set \+H; export PROMPT_COMMAND=.{0,4000}?###PS1END###\S{0,200}"
    r"|###PS1JSON###.{0,4000}?###PS1END###"
)
_DROPPED = "[Previous command outputs are truncated"

FOLDERS, TERMINAL = "folders", "leftovers of the terminal"


class How(StrEnum):
    """How two texts differ, the least first."""

    EQUAL = "equal"
    PLAIN = "plain"
    """Only in what is made plain."""
    ORDER = "order"
    """The same lines in another order."""
    NUMBERS = "numbers"
    """Only in numbers, as `7 passed` and `6 passed` do."""
    MOVED = "moved"
    """The terminal gave the same lines, but with another call."""
    REAL = "real"


class Told(NamedTuple):
    how: How
    names: frozenset[str] = frozenset()
    """What was made plain, where nothing else differs."""


Echoed = Collection[tuple[str, str]]
"""The lines of commands, each behind the one before it; the first behind ""."""


def told(a: str, b: str, folders: tuple[str, str] = ("", ""), echoed: Echoed = ()) -> Told:
    """How two texts differ. `folders` are those that the two runs work in. `echoed` are the lines
    of the commands so far, for an output of the terminal: racing with its shell, its tool may leave
    them in it, with prompts and empty lines (measured, 1.17.0 to 1.58.2). A later line of a command
    is left out behind the one before it alone: that of a file it wrote may be what differs."""
    if a == b:
        return Told(How.EQUAL)
    one, places_a = _placed(a, folders[0])
    other, places_b = _placed(b, folders[1])
    names = {FOLDERS} if places_a != places_b else set[str]()
    one, found_a = _made_plain(one)
    other, found_b = _made_plain(other)
    names |= {name for name, _ in (found_a - found_b) + (found_b - found_a)}
    if one == other:
        return Told(How.PLAIN, frozenset(names))
    if echoed and _calm(one, echoed) == _calm(other, echoed):
        return Told(How.PLAIN, frozenset({*names, TERMINAL}))
    if sorted(one.split("\n")) == sorted(other.split("\n")):
        return Told(How.ORDER)
    if _NUMBER.sub("#", one) == _NUMBER.sub("#", other):
        return Told(How.NUMBERS)
    return Told(How.REAL)


def lines_of(text: str, folder: str, echoed: Echoed) -> Counter[str]:
    """The lines of an output of the terminal that `told` compares."""
    return Counter(_calm(_made_plain(_placed(text, folder)[0])[0], echoed))


def _placed(text: str, folder: str) -> tuple[str, list[str]]:
    """A text with marks for the folder of its run and for homes, and what stood there."""
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        found.append(match[0])
        return "<folder>" if match[0] == folder else "<home>"

    of_run = rf"(?<![\w./-]){re.escape(folder)}(?![\w.-])|" if len(folder) > 1 else ""
    return re.sub(of_run + _HOME, mark, text), found


def _made_plain(text: str) -> tuple[str, Counter[tuple[str, str]]]:
    """A text with a mark for each thing that varies, and those things by their names."""
    found: Counter[tuple[str, str]] = Counter()

    def mark(match: re.Match[str]) -> str:
        name = (match.lastgroup or "").replace("_", " ")
        found[name, match[0]] += 1
        return f"<{name}>"

    return _VARIES.sub(mark, text), found


def _calm(text: str, echoed: Echoed) -> list[str]:
    """The lines of an output without what the terminal tool leaves in it."""
    found: list[str] = []
    before = ""  # the line of a command that was left out last
    for line in _LEFTOVER.sub("", text).split("\n"):
        if not (bare := line.strip()):
            continue
        is_echo = (before, bare) in echoed or ("", bare) in echoed
        before = bare if is_echo else ""
        if bare != "clear" and not is_echo and not bare.startswith(_DROPPED):
            found.append(line.rstrip())
    return found

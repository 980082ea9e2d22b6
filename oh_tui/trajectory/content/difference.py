"""Two texts to a unified diff, in a time that stays short for files of any size."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

MOST_LINES = 2000
"""Lines that differ, on either side, up to which the shortest diff is looked for; difflib may
need the square of it. Beyond, all that lies between the first and the last change is shown as
taken out and put in."""

_MOST_PAIRS = 100_000
"""Pairs of equal lines up to which the shortest diff is looked for."""

_NO_NEWLINE = "\n\\ No newline at end of file"

Change = tuple[str, int, int, int, int]
"""As in difflib: tag, then the lines of the old and of the new text that it is about."""


def unified(old: str, new: str, *, context: int = 3, first: int | None = None) -> str:
    """The diff of two texts without its two lines of file names; "" when they are equal.

    `first` is for texts that are parts of a file: the number of their first line in it; 0 says
    that it is not known: there are no `@@` lines then and all lines are shown.
    """
    if old == new:
        return ""
    before, after = _lines(old), _lines(new)
    shift = (first or 1) - 1
    groups: list[list[Change]] = [_changes(before, after)]
    if first is None:
        grouped = SequenceMatcher(None, "", "")
        grouped.opcodes = groups[0]  # type: ignore[attr-defined]
        groups = list(grouped.get_grouped_opcodes(context))
    found: list[str] = []
    for group in groups:
        if first != 0:
            found.append(
                f"@@ -{_range(group[0][1], group[-1][2], shift)}"
                f" +{_range(group[0][3], group[-1][4], shift)} @@"
            )
        for tag, a, b, c, d in group:
            if tag == "equal":
                found += [" " + line for line in before[a:b]]
            else:
                found += ["-" + line for line in before[a:b]]
                found += ["+" + line for line in after[c:d]]
    return "\n".join(found)


def count_changes(diff: str) -> tuple[int, int]:
    """Lines put in and taken out by a diff."""
    lines = diff.split("\n")
    return sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines)


def count_lines(old: str, new: str) -> tuple[int, int]:
    """Lines put in and taken out between two texts. What both have at their ends is taken off
    first: comparing bytes is a thousand times quicker than comparing lines. What then is too long
    for the shortest diff is counted without making one."""
    if old == new:
        return 0, 0
    head = old.rfind("\n", 0, _common(old, new)) + 1
    old, new = old[head:], new[head:]
    tail = _common_end(old, new)
    cut = old.find("\n", len(old) - tail) + 1 if tail else 0
    if cut:
        old, new = old[:cut], new[: len(new) - (len(old) - cut)]
    if max(old.count("\n"), new.count("\n")) > MOST_LINES:
        return _lines_in(new), _lines_in(old)
    found = [part for part in _changes(_lines(old), _lines(new)) if part[0] != "equal"]
    return sum(d - c for *_, c, d in found), sum(b - a for _, a, b, *_ in found)


def _lines_in(text: str) -> int:
    return text.count("\n") + (bool(text) and not text.endswith("\n"))


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: str, other: str) -> int:
    """The same at their ends."""
    low, high, end = 0, min(len(one), len(other)), len(other)
    while low < high:
        middle = (low + high + 1) // 2
        if one.endswith(other[end - middle : end - low], 0, len(one) - low):
            low = middle
        else:
            high = middle - 1
    return low


def _lines(text: str) -> list[str]:
    """Lines; a last one without its newline says so, and so differs from one that has it."""
    if not text:
        return []
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    else:
        lines[-1] += _NO_NEWLINE
    return lines


def _changes(old: list[str], new: list[str]) -> list[Change]:
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = len(old) - tail, len(new) - tail
    changes: list[Change] = []
    if head:
        changes.append(("equal", 0, head, 0, head))
    if _is_small(old[head:a], new[head:b]):
        matcher = SequenceMatcher(None, old[head:a], new[head:b])
        changes += [
            (tag, i + head, j + head, k + head, m + head)
            for tag, i, j, k, m in matcher.get_opcodes()
        ]
    else:
        changes.append(("replace", head, a, head, b))
    if tail:
        changes.append(("equal", a, len(old), b, len(new)))
    return changes


def _is_small(old: list[str], new: list[str]) -> bool:
    if max(len(old), len(new)) > MOST_LINES:
        return False
    counts = Counter(new)
    return sum(counts[line] for line in old) <= _MOST_PAIRS


def _range(start: int, stop: int, shift: int) -> str:
    length = stop - start
    at = start + shift + (1 if length else 0)
    return f"{at}" if length == 1 else f"{at},{length}"

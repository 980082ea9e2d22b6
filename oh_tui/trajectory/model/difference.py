"""Unified diffs of two texts, fast for files of any size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern

MOST_LINES = 2000
"""If more lines than this lie between the first and the last change, all of them count as removed
and added: the shortest diff takes difflib quadratic time."""

_MOST_PAIRS = 100_000
"""The same limit for pairs of equal lines."""

_CACHED = 4_000
"""Characters of changed lines up to which their differences are cached."""

_CACHED_TEXTS = 40_000
"""Characters of two texts up to which the number of changed lines is cached: the row of an edit and
the sums of a run ask for the same."""

_FEW = 3_000
"""Characters of two texts up to which their lines are compared at once: stripping what they share
takes longer than it saves, a quarter of the time of most edits."""

_NO_NEWLINE = "\n\\ No newline at end of file"

Change = tuple[str, int, int, int, int]
"""An opcode of difflib: tag, start and end in the old text, start and end in the new text."""


def unified(old: str, new: str, *, context: int = 3, first: int | None = None) -> str:
    """The diff of two texts, without the lines of file names; "" when they are equal.

    `first` is for parts of a file: the number of their first line in the file, or 0 if unknown.
    The diff then has no `@@` lines and shows all lines.
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
    """Lines added and removed by a diff."""
    lines = diff.split("\n")
    return sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines)


def change(added: int, removed: int) -> str:
    """+8 -8, +3, -2, or "no change"."""
    return (
        f"{f'+{added}' if added else ''} {f'-{removed}' if removed else ''}".strip() or "no change"
    )


def count_lines(old: str, new: str) -> tuple[int, int]:
    """Lines added and removed between two texts."""
    if old == new:
        return 0, 0
    return (_counted if len(old) + len(new) > _CACHED_TEXTS else _cached_counts)(old, new)


def _counted(old: str, new: str) -> tuple[int, int]:
    if len(old) + len(new) > _FEW:
        _, old, new = without_ends(old, new)
    if max(old.count("\n"), new.count("\n")) > MOST_LINES:
        return _lines_in(new), _lines_in(old)
    found = [part for part in _changes(_lines(old), _lines(new)) if part[0] != "equal"]
    return sum(d - c for *_, c, d in found), sum(b - a for _, a, b, *_ in found)


_cached_counts = lru_cache(maxsize=128)(_counted)


def without_ends(old: str, new: str) -> tuple[int, str, str]:
    """The length in characters of the lines that both texts begin with, and both without the lines
    that they share at their ends: comparing bytes is a thousand times faster than comparing
    lines."""
    head = old.rfind("\n", 0, _common(old, new)) + 1
    old, new = old[head:], new[head:]
    tail = _common(old[::-1], new[::-1])
    cut = old.find("\n", len(old) - tail) + 1 if tail else 0
    if cut:
        old, new = old[:cut], new[: len(new) - (len(old) - cut)]
    return head, old, new


def _lines_in(text: str) -> int:
    return text.count("\n") + (bool(text) and not text.endswith("\n"))


def _common(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _lines(text: str) -> list[str]:
    """The lines of a text; a last line without a newline is marked, so that it counts as changed
    against one with a newline."""
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
        changes += [
            (tag, i + head, j + head, k + head, m + head)
            for tag, i, j, k, m in _opcodes(old[head:a], new[head:b])
        ]
    else:
        changes.append(("replace", head, a, head, b))
    if tail:
        changes.append(("equal", a, len(old), b, len(new)))
    return changes


def _opcodes(old: list[str], new: list[str]) -> Sequence[Change]:
    if sum(map(len, old)) + sum(map(len, new)) > _CACHED:
        return SequenceMatcher(None, old, new).get_opcodes()
    return _cached_opcodes(tuple(old), tuple(new))


@lru_cache(maxsize=256)
def _cached_opcodes(old: tuple[str, ...], new: tuple[str, ...]) -> Sequence[Change]:
    """A row of the list, the sums of changed lines and the diff itself ask for the same."""
    return SequenceMatcher(None, old, new).get_opcodes()


def _is_small(old: list[str], new: list[str]) -> bool:
    if max(len(old), len(new)) > MOST_LINES:
        return False
    if len(old) * len(new) <= _MOST_PAIRS:
        return True
    counts = Counter(new)
    return sum(counts[line] for line in old) <= _MOST_PAIRS


def _range(start: int, stop: int, shift: int) -> str:
    length = stop - start
    first = start + shift + (1 if length else 0)
    return f"{first}" if length == 1 else f"{first},{length}"


PATCH_FILE = pattern(
    r"^(?:\*\*\* (Add|Update|Delete) File: (.+)|diff --git a/.* b/(.*))$", re.MULTILINE
)


def patch_files(patch: str) -> list[tuple[str, str, str]]:
    """Verb, path and lines of each file in a patch of either format; else one without a path."""
    heads = list(PATCH_FILE.finditer(patch))
    if not heads:
        text = patch.strip("\n")
        return [("patch", "", text)] if text else []
    ends = [head.start() for head in heads[1:]] + [len(patch)]
    files = []
    for head, end in zip(heads, ends, strict=True):
        text = patch[head.end() : end].strip("\n")
        text = text.removesuffix("*** End Patch").rstrip("\n")
        verb = (head[1] or "update").lower()
        files.append((verb, clean_line(head[2] or head[3] or ""), text))
    return files

"""A patch as git prints it, file by file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern

MOST_FILES = 10_000

_HEAD = pattern(r"(?m)^(?=diff --git )")
_PLAIN_HEAD = pattern(r"(?m)^(?=--- [^\n]*\n\+\+\+ )")
_NAMES = pattern(r"diff --git a/(.+) b/\1")
_QUOTED = pattern(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = pattern(rb"\\([0-7]{3}|.)")


class PatchedFile(NamedTuple):
    path: str
    """In the repository; the new one of a renamed file."""
    letter: str
    """M, A, D or R, as git has it."""
    added: int
    removed: int
    hunks: str
    """The lines from the first `@@` on; "" for a file that is binary or was only renamed."""


def read_patch(text: str) -> list[PatchedFile]:
    """The files of a patch, in its order; never raises."""
    head = _HEAD if _HEAD.search(text) else _PLAIN_HEAD
    found: list[PatchedFile] = []
    for part in head.split(text):
        one = _file(part)
        if one and len(found) < MOST_FILES:
            found.append(one)
    return found


def _file(part: str) -> PatchedFile | None:
    """The file of a part that begins with its header; None for a text without one."""
    lines = part.split("\n")
    start = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    letter, old, new = "M", "", ""
    for line in lines[:start]:
        word, _, rest = line.partition(" ")
        if line.startswith("new file"):
            letter = "A"
        elif line.startswith("deleted file"):
            letter = "D"
        elif line.startswith("rename to "):
            letter, new = "R", _unquoted(line[10:])
        elif word == "---":
            old = _name(rest)
        elif word == "+++":
            new = _name(rest) or new
    match = _NAMES.fullmatch(lines[0])
    path = new or old or (match[1] if match else "")
    if not path:
        return None
    if old and not new and letter == "M":
        letter = "D"
    elif new and not old and letter == "M":
        letter = "A"
    hunks = list(_hunks(lines[start:]))
    added = sum(line.startswith("+") for line in hunks)
    removed = sum(line.startswith("-") for line in hunks)
    return PatchedFile(path, letter, added, removed, "\n".join(hunks))


def _hunks(lines: list[str]) -> Iterator[str]:
    """The lines of the hunks, up to what cannot be part of one."""
    for line in lines:
        if line[:1] not in ("@", " ", "+", "-", "\\", ""):
            return
        if line:
            yield line


def _name(text: str) -> str:
    """The path in a line with `---` or `+++`; "" for /dev/null."""
    text = _unquoted(text.partition("\t")[0].rstrip())
    return "" if text == "/dev/null" else text.removeprefix("a/").removeprefix("b/")


def _unquoted(text: str) -> str:
    """git writes a path that is not plain ASCII in quotes, its bytes as octal numbers."""
    match = _QUOTED.fullmatch(text)
    if match is None:
        return text
    data = _ESCAPED.sub(_unescaped, match[1].encode("utf-8", "replace"))
    return data.decode("utf-8", "replace")


def _unescaped(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    if escaped.isdigit():
        return bytes([int(escaped, 8) & 0xFF])
    return {b"t": b"\t", b"n": b"\n", b"r": b"\r"}.get(escaped, escaped)

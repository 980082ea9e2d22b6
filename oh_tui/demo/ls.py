"""`ls` as in GNU coreutils, of files in memory: names one a line, with `-l` in columns."""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime

from oh_tui.demo.disk import Files

HALF_A_YEAR = 182 * 86_400

BLOCK = 4_096
"""Bytes that a file takes up at least, and that a folder says it has."""

KNOWN = frozenset("1AadFlhrRSt")


class NoSuchOption(ValueError):
    """A letter that `ls` does not know."""


def list_files(files: Files, cwd: str, words: list[str]) -> tuple[str, list[str]]:
    """The output of `ls` with these arguments, and those that name nothing. Raises NoSuchOption."""
    flags = "".join(word[1:] for word in words if word.startswith("-") and word != "-")
    if unknown := next((flag for flag in flags if flag not in KNOWN), ""):
        raise NoSuchOption(unknown)
    named = [word for word in words if not word.startswith("-")] or ["."]
    paths = {word: posixpath.normpath(posixpath.join(cwd, word)) for word in named}
    missing = [
        word for word, path in paths.items()
        if path not in files and not files.is_folder(path) and path != cwd
    ]  # fmt: skip
    there = [word for word in named if word not in missing]
    alone = [word for word in there if paths[word] in files or "d" in flags]
    parts = [_rows(files, {word: paths[word] for word in alone}, flags)] if alone else []
    folders = [word for word in there if word not in alone]
    for word in folders:
        parts += _folder(files, word, paths[word], flags, headed=len(named) > 1)
    return "\n".join(parts), missing


def _folder(files: Files, word: str, path: str, flags: str, *, headed: bool) -> list[str]:
    """The listing of a folder; with -R of those below it too, each under its name."""
    rows = {
        name: posixpath.join(path, name)
        for name in files.names(path)
        if "a" in flags or "A" in flags or not name.startswith(".")
    }
    inside = [name for name in rows if rows[name] not in files]
    shown = {".": path, "..": posixpath.dirname(path)} | rows if "a" in flags else rows
    total = f"total {sum(_blocks(files, one) for one in shown.values())}\n" if "l" in flags else ""
    deep = "R" in flags
    parts = [(f"{word}:\n" if headed or deep else "") + total + _rows(files, shown, flags)]
    for name in inside if deep else ():
        parts += _folder(files, f"{word}/{name}", rows[name], flags, headed=True)
    return parts


def _rows(files: Files, named: dict[str, str], flags: str) -> str:
    names = sorted(named)
    if "S" in flags:
        names.sort(key=lambda name: -_size(files, named[name]))
    elif "t" in flags:
        names.sort(key=lambda name: -files.changed(named[name]))
    if "r" in flags:
        names.reverse()
    marks = {name: "/" if "F" in flags and named[name] not in files else "" for name in names}
    if "l" not in flags:
        return "".join(f"{name}{marks[name]}\n" for name in names)
    links = {name: _links(files, named[name]) for name in names}
    sizes = {name: _shown_size(files, named[name], human="h" in flags) for name in names}
    wide, far = (max(map(len, column.values()), default=0) for column in (links, sizes))
    owner = "openhands openhands"
    return "".join(
        f"{_mode(files, named[name])} {links[name]:>{wide}} {owner} {sizes[name]:>{far}} "
        f"{_date(files, named[name])} {name}{marks[name]}\n"
        for name in names
    )


def _mode(files: Files, path: str) -> str:
    if path not in files:
        return "drwxr-xr-x"
    return "-rwxr-xr-x" if files[path].startswith(b"#!") else "-rw-r--r--"


def _links(files: Files, path: str) -> str:
    """A file has one name; a folder is named by its parent, itself and each folder in it."""
    if path in files:
        return "1"
    return str(2 + sum(posixpath.join(path, name) not in files for name in files.names(path)))


def _size(files: Files, path: str) -> int:
    return len(files[path]) if path in files else BLOCK


def _shown_size(files: Files, path: str, *, human: bool) -> str:
    size = float(_size(files, path))
    if not human or size < 1024:
        return f"{size:.0f}"
    for unit in "KMG":
        size /= 1024
        if size < 1024 or unit == "G":
            break
    return f"{size:.1f}{unit}" if size < 10 else f"{size:.0f}{unit}"


def _blocks(files: Files, path: str) -> int:
    """The KiB that it takes up on the disk."""
    return -(-_size(files, path) // BLOCK) * (BLOCK // 1024)


def _date(files: Files, path: str) -> str:
    """With the time of day, or the year if it is more than half a year off."""
    at, now = files.changed(path), files.clock()
    when = datetime.fromtimestamp(at, UTC)
    rest = f"{when:%H:%M}" if 0 <= now - at < HALF_A_YEAR else f"{when.year:>5}"
    return f"{when:%b} {when.day:>2} {rest}"

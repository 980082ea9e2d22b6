"""A made-up disk, and a shell with a few harmless commands over its files.

It starts no process; a command that is not listed here is "not found".
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

MOST = 64 * 1024 * 1024
"""The most bytes that a command prints."""

TIMED_OUT = -1
"""The exit code of a command that took too long."""


class Files(dict[str, bytes]):
    """Files in memory: their content by absolute path. `clock` says when one is changed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self._changed: dict[str, float] = {}

    def __setitem__(self, path: str, content: bytes) -> None:
        self.put(path, content, self.clock())

    def put(self, path: str, content: bytes, at: float) -> None:
        super().__setitem__(path, content)
        self._changed[path] = at

    def below(self, path: str) -> list[str]:
        return [name for name in self if name.startswith(path.rstrip("/") + "/")]

    def is_folder(self, path: str) -> bool:
        return path == "/" or bool(self.below(path))

    def changed(self, path: str) -> float:
        """When a file was changed, or the newest in a folder."""
        return max(self._changed[name] for name in ([path] if path in self else self.below(path)))


@dataclass
class ShellResult:
    """The result of a command line; `seconds` is its duration."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0
    seconds: float = 0.0


@dataclass
class _Shell:
    files: Files
    cwd: str
    limit: float
    done: ShellResult = field(default_factory=ShellResult)
    over: bool = False

    def path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.cwd, name))

    def fail(self, words: str, code: int = 1) -> bytes:
        self.done.code = code
        self.done.stderr += _text(f"{words}\n")
        return b""


def run_command(command: str, files: Files, cwd: str, limit: float = float("inf")) -> ShellResult:
    """Run commands, with `;` and `&&` between them, for at most `limit` seconds."""
    shell = _Shell(files, cwd, limit)
    if re.search(r"[`({$|<]|\d>|>>", command):
        shell.fail("sh: 1: the demo's shell knows plain commands only", 2)
        return shell.done
    lexer = shlex.shlex(command.replace("\n", " ; "), posix=True, punctuation_chars=";&>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        shell.fail("sh: 1: Syntax error: Unterminated quoted string", 2)
        return shell.done
    line, skip = list[str](), False
    for word in [*words, ";"]:
        if word not in (";", "&&"):
            line.append(word)
            continue
        if line and not skip:
            _simple(shell, line)
        line, skip = [], word == "&&" and shell.done.code != 0
        if shell.over:
            break
    return shell.done


def _simple(shell: _Shell, words: list[str]) -> None:
    """Run one command, whose output may go to a file, or to stderr with `>&2`."""
    sign = target = ""
    if len(words) > 2 and words[-2] in (">", ">&"):
        *words, sign, target = words
    run = _COMMANDS.get(words[0])
    if run is None:
        shell.fail(f"sh: 1: {words[0]}: not found", 127)
        return
    shell.done.code = 0
    out = run(shell, words[1:])[:MOST]
    if sign == ">":
        shell.files[shell.path(target)] = out
    elif sign:
        shell.done.stderr += out
    else:
        shell.done.stdout += out


def _text(words: str) -> bytes:
    """What a command prints, as bytes; a name in it may hold what UTF-8 cannot say."""
    return words.encode("utf-8", "replace")


def _printf(shell: _Shell, words: list[str]) -> bytes:
    """Its pattern, with the bytes that escapes stand for."""

    def escaped(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes([int(found[1], 8) & 255])
        return {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(found[2], found[0])

    return re.sub(rb"\\(?:([0-7]{1,3})|(.))", escaped, _text((words or [""])[0]))


def _seq(shell: _Shell, words: list[str]) -> bytes:
    try:
        first, last = map(int, words)
    except ValueError:
        return shell.fail("seq: invalid argument")
    if last - first > 5_000_000:
        return shell.fail("seq: too much for the demo")
    return _text("".join(f"{number}\n" for number in range(first, last + 1)))


def _sleep(shell: _Shell, words: list[str]) -> bytes:
    """Time is told and not spent."""
    try:
        shell.done.seconds += max(0.0, float((words or ["x"])[0]))
    except ValueError:
        return shell.fail("sleep: invalid time interval")
    if shell.done.seconds > shell.limit:
        shell.done.seconds, shell.over, shell.done.code = shell.limit, True, TIMED_OUT
    return b""


def _exit(shell: _Shell, words: list[str]) -> bytes:
    shell.over = True
    try:
        shell.done.code = int((words or ["0"])[0]) & 255
    except ValueError:
        return shell.fail(f"sh: 1: exit: Illegal number: {words[0]}", 2)
    return b""


def _cat(shell: _Shell, words: list[str]) -> bytes:
    out = b""
    for word in words:
        path = shell.path(word)
        if path in shell.files:
            out += shell.files[path]
        elif shell.files.is_folder(path):
            shell.fail(f"cat: {word}: Is a directory")
        else:
            shell.fail(f"cat: {word}: No such file or directory")
    return out


def _ls(shell: _Shell, words: list[str]) -> bytes:
    """The files and folders in each folder, names one a line, with `-l` in columns."""
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    if unknown := flags.strip("1Aal"):
        return shell.fail(f"ls: invalid option -- '{unknown[0]}'", 2)
    folders = [word for word in words if not word.startswith("-")] or ["."]
    parts: list[str] = []
    for folder in folders:
        path = shell.path(folder)
        if not shell.files.is_folder(path) and path not in shell.files:
            shell.fail(f"ls: cannot access '{folder}': No such file or directory", 2)
            continue
        head = f"{folder}:\n" if len(folders) > 1 and path not in shell.files else ""
        names = {folder: path} if path in shell.files else _names(shell.files, path)
        rows = (
            f"{_row(shell.files, path) if 'l' in flags else ''}{name}\n"
            for name, path in names.items()
            if not name.startswith(".") or set(flags) & {"a", "A"}
        )
        parts.append(head + "".join(rows))
    return _text("\n".join(parts))


def _names(files: Files, folder: str) -> dict[str, str]:
    start = folder.rstrip("/") + "/"
    names = {path.removeprefix(start).partition("/")[0] for path in files.below(folder)}
    return {name: start + name for name in sorted(names)}


def _row(files: Files, path: str) -> str:
    is_file = path in files
    mode, size = ("-rw-r--r-- 1", len(files[path])) if is_file else ("drwxr-xr-x 2", 4096)
    when = datetime.fromtimestamp(files.changed(path), UTC)
    return f"{mode} openhands openhands {size:>8} {when:%b} {when.day:>2} {when:%H:%M} "


def _cd(shell: _Shell, words: list[str]) -> bytes:
    path = shell.path((words or ["/workspace"])[0])
    if not shell.files.is_folder(path):
        return shell.fail(f"sh: 1: cd: can't cd to {words[0]}", 2)
    shell.cwd = path
    return b""


def _git(shell: _Shell, words: list[str]) -> bytes:
    return shell.fail("the demo's shell has no git: it has the files of a run, no history")


_COMMANDS: dict[str, Callable[[_Shell, list[str]], bytes]] = {
    "cat": _cat,
    "cd": _cd,
    "echo": lambda shell, words: _text(" ".join(words) + "\n"),
    "exit": _exit,
    "git": _git,
    "ls": _ls,
    "printf": _printf,
    "pwd": lambda shell, words: _text(shell.cwd + "\n"),
    "seq": _seq,
    "sleep": _sleep,
    "true": lambda shell, words: b"",
}
"""By name: takes its arguments and returns its output."""

"""A simulated shell: a few harmless commands over files in memory.

It starts no process; a command that is not listed here is "not found".
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

MOST = 64 * 1024 * 1024
"""The most bytes that a command prints."""

TIMED_OUT = -1
"""The exit code of a command that took too long."""


@dataclass
class ShellResult:
    """The result of a command line; `seconds` is its duration."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0
    seconds: float = 0.0


@dataclass
class _Shell:
    files: dict[str, bytes]
    cwd: str
    limit: float
    done: ShellResult = field(default_factory=ShellResult)
    over: bool = False

    def path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.cwd, name))

    def is_folder(self, path: str) -> bool:
        return path == "/" or any(name.startswith(path.rstrip("/") + "/") for name in self.files)

    def fail(self, words: str, code: int = 1) -> int:
        self.done.stderr += _text(f"{words}\n")
        return code


Command = Callable[[_Shell, list[str], bytes], tuple[bytes, int]]


def run_command(
    command: str, files: dict[str, bytes], cwd: str, limit: float = float("inf")
) -> ShellResult:
    """Run a command line over `files`, which it may change, for at most `limit` seconds."""
    shell = _Shell(files, cwd, limit)
    if re.search(r"[`({]|\$", command):
        shell.done.code = shell.fail("sh: 1: the demo's shell knows plain commands only", 2)
        return shell.done
    marked = re.sub(r"(?<!\S)2>&1", " \x01 ", command)
    marked = re.sub(r"(?<!\S)1?>&2", " \x02 ", marked)
    marked = re.sub(r"(?<!\S)2>", " \x03 ", marked).replace("\n", " ; ")
    lexer = shlex.shlex(marked, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:
        shell.done.code = shell.fail("sh: 1: Syntax error: Unterminated quoted string", 2)
        return shell.done
    code, skip, line = 0, False, list[str]()
    for word in [*words, ";"]:
        if word not in (";", "&&", "||"):
            line.append(word)
            continue
        if line and not skip:
            code = _pipeline(shell, line)
        line = []
        skip = (word == "&&" and code != 0) or (word == "||" and code == 0)
        if shell.over:
            break
    shell.done.code = code
    return shell.done


def _pipeline(shell: _Shell, words: list[str]) -> int:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            parts.append([])
        else:
            parts[-1].append(word)
    data, code = b"", 0
    for last, part in ((index == len(parts) - 1, part) for index, part in enumerate(parts)):
        data, code = _simple(shell, part, data)
        if shell.over:
            return code
        if last:
            shell.done.stdout += data
    return code


def _simple(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    """Run one command with its redirections; returns its output for the pipe, and the exit code."""
    arguments, target, errors = list[str](), "", ""
    rest = iter(words)
    for word in rest:
        match word:
            case ">" | ">>":
                target = word + next(rest, "")
            case "\x03":
                errors = next(rest, "/dev/null")
            case "<":
                data = shell.files.get(shell.path(next(rest, "")), b"")
            case "\x01" | "\x02":
                errors, target = (word, target) if word == "\x01" else (errors, word)
            case _:
                arguments.append(word)
    if not arguments:
        return b"", 0
    before = shell.done.stderr
    run = _COMMANDS.get(arguments[0])
    if run is None:
        out, code = b"", shell.fail(f"sh: 1: {arguments[0]}: not found", 127)
    else:
        out, code = run(shell, arguments[1:], data)
    out = out[:MOST]
    if errors:
        said, shell.done.stderr = shell.done.stderr[len(before) :], before
        if errors == "\x01":
            out += said
    if target == "\x02":
        shell.done.stderr += out
        return b"", code
    if target:
        path = shell.path(target.lstrip(">"))
        if path != "/dev/null":
            kept = shell.files.get(path, b"") if target.startswith(">>") else b""
            shell.files[path] = kept + out
        return b"", code
    return out, code


def _text(words: str) -> bytes:
    """What a command prints, as bytes; a name in it may hold what UTF-8 cannot say."""
    return words.encode("utf-8", "replace")


def _number(word: str) -> int:
    """Raises ValueError, also for more digits than any use of it has."""
    if len(word) > 18:
        raise ValueError(word[:18])
    return int(word)


def _echo(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    bare = words[:1] == ["-n"]
    return _text(" ".join(words[bare:]) + ("" if bare else "\n")), 0


def _printf(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    pattern, values = (words or [""])[0], iter(words[1:])
    text = re.sub("%s", lambda found: next(values, ""), pattern).replace("%%", "%")
    out = re.sub(
        rb"\\(?:([0-7]{1,3})|(.))",
        lambda found: (
            bytes([int(found[1], 8) & 255])
            if found[1]
            else {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(found[2], found[0])
        ),
        _text(text),
    )
    return out, 0


def _seq(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    try:
        numbers = [_number(word) for word in words]
        first, step, last = {1: (1, 1), 2: (numbers[0], 1), 3: tuple(numbers[:2])}[len(numbers)] + (
            numbers[-1],
        )
    except (ValueError, KeyError, IndexError):
        return b"", shell.fail("seq: invalid argument")
    if step == 0 or (last - first) / step > 5_000_000:
        return b"", shell.fail("seq: too much for the demo")
    stop = last + (1 if step > 0 else -1)
    return _text("".join(f"{number}\n" for number in range(first, stop, step))), 0


def _sleep(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    try:
        seconds = float((words or ["x"])[0].removesuffix("s"))
    except ValueError:
        return b"", shell.fail("sleep: invalid time interval")
    shell.done.seconds += max(0.0, seconds)
    if shell.done.seconds > shell.limit:
        shell.done.seconds, shell.over = shell.limit, True
        return b"", TIMED_OUT
    return b"", 0


def _exit(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    shell.over = True
    try:
        return b"", _number(words[0] if words else "0") & 255
    except ValueError:
        return b"", shell.fail(f"sh: 1: exit: Illegal number: {words[0]}", 2)


def _cat(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    if not words:
        return data, 0
    out, code = b"", 0
    for word in words:
        path = shell.path(word)
        if path in shell.files:
            out += shell.files[path]
        elif shell.is_folder(path):
            code = shell.fail(f"cat: {word}: Is a directory")
        else:
            code = shell.fail(f"cat: {word}: No such file or directory")
    return out, code


def _ls(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    out, code = list[str](), 0
    for word in [word for word in words if not word.startswith("-")] or ["."]:
        path = shell.path(word)
        below = path.rstrip("/") + "/"
        if path in shell.files:
            out.append(word)
        elif shell.is_folder(path):
            names = [name[len(below) :] for name in shell.files if name.startswith(below)]
            out += sorted({name.partition("/")[0] for name in names})
        elif path != shell.cwd:
            code = shell.fail(f"ls: cannot access '{word}': No such file or directory", 2)
    return _text("".join(f"{name}\n" for name in out)), code


def _cd(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    path = shell.path(words[0] if words else "/workspace")
    if not shell.is_folder(path):
        return b"", shell.fail(f"sh: 1: cd: can't cd to {words[0]}", 2)
    shell.cwd = path
    return b"", 0


def _rm(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    flags = "".join(word for word in words if word.startswith("-"))
    code = 0
    for word in [word for word in words if not word.startswith("-")]:
        path = shell.path(word)
        if path in shell.files:
            del shell.files[path]
        elif "r" in flags and shell.is_folder(path):
            for name in [name for name in shell.files if name.startswith(path.rstrip("/") + "/")]:
                del shell.files[name]
        elif "f" not in flags:
            code = shell.fail(f"rm: cannot remove '{word}': No such file or directory")
    return b"", code


def _touch(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    for word in words:
        shell.files.setdefault(shell.path(word), b"")
    return b"", 0


def _wc(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    flag = next((word for word in words if word.startswith("-")), "-l")
    names = [word for word in words if not word.startswith("-")]
    code = 0
    if names:
        data, code = _cat(shell, names, b"")
    count = len(data) if flag == "-c" else data.count(b"\n")
    return _text(f"{count}{' ' + names[0] if names else ''}\n"), code


def _head(shell: _Shell, words: list[str], data: bytes) -> tuple[bytes, int]:
    size, unit = 10, "-n"
    names = list(words)
    if len(names) > 1 and names[0] in ("-n", "-c"):
        try:
            unit, size = names[0], max(0, _number(names[1]))
        except ValueError:
            return b"", shell.fail(f"head: invalid number of lines: '{names[1]}'")
        del names[:2]
    if names == ["/dev/zero"] and unit == "-c":
        return b"\0" * min(size, MOST), 0
    code = 0
    if names:
        data, code = _cat(shell, names, b"")
    if unit == "-c":
        return data[:size], code
    return b"".join(data.splitlines(keepends=True)[:size]), code


def _says(words: str, code: int = 0) -> Command:
    return lambda shell, arguments, data: (_text(words), code)


_COMMANDS: dict[str, Command] = {
    "cat": _cat,
    "cd": _cd,
    "date": _says("Mon Mar  9 15:49:30 UTC 2026\n"),
    "echo": _echo,
    "exit": _exit,
    "false": _says("", 1),
    "head": _head,
    "hostname": _says("demo\n"),
    "ls": _ls,
    "mkdir": _says(""),
    "printf": _printf,
    "pwd": lambda shell, words, data: (_text(shell.cwd + "\n"), 0),
    "rm": _rm,
    "seq": _seq,
    "sleep": _sleep,
    "touch": _touch,
    "true": _says(""),
    ":": _says(""),
    "uname": _says("Linux\n"),
    "wc": _wc,
    "whoami": _says("openhands\n"),
}

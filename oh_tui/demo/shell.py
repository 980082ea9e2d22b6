"""A simulated shell: a few harmless commands over files in memory.

It starts no process; a command that is not listed here is "not found".
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from oh_tui.demo.disk import Files
from oh_tui.demo.ls import NoSuchOption, list_files

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
    files: Files
    cwd: str
    limit: float
    done: ShellResult = field(default_factory=ShellResult)
    code: int = 0
    """The exit code of the present command."""
    over: bool = False

    def path(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.cwd, name))

    def fail(self, words: str, code: int = 1) -> bytes:
        """Set the exit code; a command that fails prints nothing but its error."""
        self.code = code
        self.done.stderr += _text(f"{words}\n")
        return b""


Command = Callable[[_Shell, list[str], bytes], bytes]
"""Takes its arguments and its input; returns its output."""


def run_command(command: str, files: Files, cwd: str, limit: float = float("inf")) -> ShellResult:
    """Run a command line over `files`, which it may change, for at most `limit` seconds."""
    shell = _Shell(files, cwd, limit)
    if re.search(r"[`({]|\$", command):
        return _unreadable(shell, "the demo's shell knows plain commands only")
    marked = re.sub(r"(?<!\S)2>&1", " \x01 ", command)
    marked = re.sub(r"(?<!\S)1?>&2", " \x02 ", marked)
    marked = re.sub(r"(?<!\S)2>", " \x03 ", marked).replace("\n", " ; ")
    lexer = shlex.shlex(marked, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:
        return _unreadable(shell, "Syntax error: Unterminated quoted string")
    skip, line = False, list[str]()
    for word in [*words, ";"]:
        if word not in (";", "&&", "||"):
            line.append(word)
            continue
        if line and not skip:
            _pipeline(shell, line)
        line = []
        skip = (word == "&&" and shell.code != 0) or (word == "||" and shell.code == 0)
        if shell.over:
            break
    shell.done.code = shell.code
    return shell.done


def _unreadable(shell: _Shell, why: str) -> ShellResult:
    shell.fail(f"sh: 1: {why}")
    shell.done.code = 2
    return shell.done


def _pipeline(shell: _Shell, words: list[str]) -> None:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            parts.append([])
        else:
            parts[-1].append(word)
    data = b""
    for part in parts:
        data = _simple(shell, part, data)
        if shell.over:
            return
    shell.done.stdout += data


def _simple(shell: _Shell, words: list[str], data: bytes) -> bytes:
    """Run one command with its redirections; returns its output for the pipe."""
    shell.code = 0
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
        return b""
    before = shell.done.stderr
    run = _COMMANDS.get(arguments[0])
    if run is None:
        out = shell.fail(f"sh: 1: {arguments[0]}: not found", 127)
    else:
        out = run(shell, arguments[1:], data)[:MOST]
    if errors:
        written, shell.done.stderr = shell.done.stderr[len(before) :], before
        if errors == "\x01":
            out += written
    if not target:
        return out
    if target == "\x02":
        shell.done.stderr += out
    elif (path := shell.path(target.lstrip(">"))) != "/dev/null":
        kept = shell.files.get(path, b"") if target.startswith(">>") else b""
        shell.files[path] = kept + out
    return b""


def _text(words: str) -> bytes:
    """What a command prints, as bytes; a name in it may hold what UTF-8 cannot say."""
    return words.encode("utf-8", "replace")


def _number(word: str) -> int:
    """Raises ValueError, also for more digits than any use of it has."""
    if len(word) > 18:
        raise ValueError(word[:18])
    return int(word)


def _echo(shell: _Shell, words: list[str], data: bytes) -> bytes:
    bare = words[:1] == ["-n"]
    return _text(" ".join(words[bare:]) + ("" if bare else "\n"))


def _printf(shell: _Shell, words: list[str], data: bytes) -> bytes:
    pattern, values = (words or [""])[0], iter(words[1:])
    text = re.sub("%s", lambda found: next(values, ""), pattern).replace("%%", "%")
    return re.sub(
        rb"\\(?:([0-7]{1,3})|(.))",
        lambda found: (
            bytes([int(found[1], 8) & 255])
            if found[1]
            else {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(found[2], found[0])
        ),
        _text(text),
    )


def _seq(shell: _Shell, words: list[str], data: bytes) -> bytes:
    try:
        numbers = [_number(word) for word in words]
        first, step, last = {1: (1, 1), 2: (numbers[0], 1), 3: tuple(numbers[:2])}[len(numbers)] + (
            numbers[-1],
        )
    except (ValueError, KeyError, IndexError):
        return shell.fail("seq: invalid argument")
    if step == 0 or (last - first) / step > 5_000_000:
        return shell.fail("seq: too much for the demo")
    stop = last + (1 if step > 0 else -1)
    return _text("".join(f"{number}\n" for number in range(first, stop, step)))


def _sleep(shell: _Shell, words: list[str], data: bytes) -> bytes:
    try:
        seconds = float((words or ["x"])[0].removesuffix("s"))
    except ValueError:
        return shell.fail("sleep: invalid time interval")
    shell.done.seconds += max(0.0, seconds)
    if shell.done.seconds > shell.limit:
        shell.done.seconds, shell.over, shell.code = shell.limit, True, TIMED_OUT
    return b""


def _exit(shell: _Shell, words: list[str], data: bytes) -> bytes:
    shell.over = True
    try:
        shell.code = _number(words[0] if words else "0") & 255
    except ValueError:
        return shell.fail(f"sh: 1: exit: Illegal number: {words[0]}", 2)
    return b""


def _cat(shell: _Shell, words: list[str], data: bytes) -> bytes:
    if not words:
        return data
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


def _ls(shell: _Shell, words: list[str], data: bytes) -> bytes:
    try:
        out, missing = list_files(shell.files, shell.cwd, words)
    except NoSuchOption as error:
        return shell.fail(f"ls: invalid option -- '{error}'", 2)
    for word in missing:
        shell.fail(f"ls: cannot access '{word}': No such file or directory", 2)
    return _text(out)


def _cd(shell: _Shell, words: list[str], data: bytes) -> bytes:
    path = shell.path(words[0] if words else "/workspace")
    if not shell.files.is_folder(path):
        return shell.fail(f"sh: 1: cd: can't cd to {words[0]}", 2)
    shell.cwd = path
    return b""


def _rm(shell: _Shell, words: list[str], data: bytes) -> bytes:
    flags = "".join(word for word in words if word.startswith("-"))
    for word in _names(words):
        path = shell.path(word)
        if path in shell.files or ("r" in flags and shell.files.is_folder(path)):
            shell.files.remove(path)
        elif "f" not in flags:
            shell.fail(f"rm: cannot remove '{word}': No such file or directory")
    return b""


def _touch(shell: _Shell, words: list[str], data: bytes) -> bytes:
    for word in words:
        path = shell.path(word)
        shell.files[path] = shell.files.get(path, b"")
    return b""


def _mkdir(shell: _Shell, words: list[str], data: bytes) -> bytes:
    for word in _names(words):
        path = shell.path(word)
        if not shell.files.is_folder(path):
            shell.files.folders[path] = shell.files.clock()
        elif "-p" not in words:
            shell.fail(f"mkdir: cannot create directory '{word}': File exists")
    return b""


def _date(shell: _Shell, words: list[str], data: bytes) -> bytes:
    now = datetime.fromtimestamp(shell.files.clock(), UTC)
    return _text(f"{now:%a %b} {now.day:>2} {now:%H:%M:%S} UTC {now.year}\n")


def _git(shell: _Shell, words: list[str], data: bytes) -> bytes:
    name = " ".join(["git", *_names(words)[:1]])
    return shell.fail(f"the demo's shell has no {name}: it has the files of a run, no history")


def _wc(shell: _Shell, words: list[str], data: bytes) -> bytes:
    flag = next((word for word in words if word.startswith("-")), "-l")
    names = _names(words)
    data = _cat(shell, names, data)
    count = len(data) if flag == "-c" else data.count(b"\n")
    return _text(f"{count}{' ' + names[0] if names else ''}\n")


def _head(shell: _Shell, words: list[str], data: bytes) -> bytes:
    size, unit = 10, "-n"
    names = list(words)
    if names and re.fullmatch(r"-\d{1,18}", names[0]):
        names[:1] = ["-n", names[0][1:]]
    if len(names) > 1 and names[0] in ("-n", "-c"):
        try:
            unit, size = names[0], max(0, _number(names[1]))
        except ValueError:
            return shell.fail(f"head: invalid number of lines: '{names[1]}'")
        del names[:2]
    if names == ["/dev/zero"] and unit == "-c":
        return b"\0" * min(size, MOST)
    data = _cat(shell, names, data)
    return data[:size] if unit == "-c" else b"".join(data.splitlines(keepends=True)[:size])


def _names(words: list[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _prints(words: str) -> Command:
    return lambda shell, arguments, data: _text(words)


def _false(shell: _Shell, words: list[str], data: bytes) -> bytes:
    shell.code = 1
    return b""


_COMMANDS: dict[str, Command] = {
    "cat": _cat,
    "cd": _cd,
    "date": _date,
    "echo": _echo,
    "exit": _exit,
    "false": _false,
    "git": _git,
    "head": _head,
    "hostname": _prints("demo\n"),
    "ls": _ls,
    "mkdir": _mkdir,
    "printf": _printf,
    "pwd": lambda shell, words, data: _text(shell.cwd + "\n"),
    "rm": _rm,
    "seq": _seq,
    "sleep": _sleep,
    "touch": _touch,
    "true": _prints(""),
    ":": _prints(""),
    "uname": _prints("Linux\n"),
    "wc": _wc,
    "whoami": _prints("openhands\n"),
}

"""The line of an output that names the error, by the tool or language that wrote it.

The table asks for the cause before what only passes it on: a traceback counts before the `make`
that ran it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.tool_use import last_line

LONGEST = 1_000
"""Characters of a line that are read."""


class ErrorLine(NamedTuple):
    kind: str
    """The name of the error, such as `KeyError`, `E0425`, `HTTP 404`; "" without one."""
    line: str


def error_line(text: str) -> ErrorLine:
    """The first line that names the error. Expects an output that is clean and bounded."""
    text = "\n".join(line[:LONGEST].rstrip() for line in text.split("\n"))
    for tool in TABLE.values():
        if any(sign in text for sign in tool.signs) and (found := tool.find(text)):
            return found
    return ErrorLine("", last_line(text).strip())


class _Tool(NamedTuple):
    signs: tuple[str, ...]
    """One of these is in each output that `find` finds a line in: looking for them is fast."""
    find: Callable[[str], ErrorLine | None]


def _lines(*patterns: str) -> Callable[[str], ErrorLine | None]:
    """Takes the groups `kind` and `line` of the first of these patterns that is found."""
    compiled = [pattern(one, re.MULTILINE) for one in patterns]

    def find(text: str) -> ErrorLine | None:
        for one in compiled:
            if found := one.search(text):
                groups = found.groupdict()
                return ErrorLine(groups.get("kind") or "", (groups.get("line") or "").strip())
        return None

    return find


_EXCEPTION = pattern(r"(?:[A-Za-z_]\w{0,99}\.)*([A-Za-z_]\w{0,99})(?:: (.*))?$", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above", "The above exception was the direct cause")
_SYNTAX = pattern(r"^\w*(?:Syntax|Indentation|Tab)Error: .*$", re.MULTILINE)


def _python(text: str) -> ErrorLine | None:
    """The exception of the first traceback that no other one follows from."""
    if _TRACEBACK not in text:
        found = _SYNTAX.search(text)
        return _exception(found[0]) if found else None
    told: ErrorLine | None = None
    for part in text.split(_TRACEBACK)[1:]:
        lines = [line for line in part.split("\n")[1:] if line.strip()]
        ends = (at for at, line in enumerate(lines) if not line[0].isspace())
        end = next(ends, None)
        if end is not None:
            told = _exception(lines[end]) or told
            if not any(line.startswith(_CHAINED) for line in lines[end:]):
                break
    return told


def _exception(line: str) -> ErrorLine | None:
    found = _EXCEPTION.match(line)
    return ErrorLine(found[1], found[2] or "") if found else None


_RAISED = pattern(
    r"^E {2,}(?:\w{1,99}\.)*(\w{0,99}(?:Error|Exception|Warning|Exit|Interrupt|Failed))"
    r"(?:: (.*))?$",
    re.MULTILINE,
)
_ASSERTED = pattern(r"^E {2,}(assert\b.*)$", re.MULTILINE)
_TEST = pattern(
    r"^(?:_{3,} ([\w. ]{1,200})(?:\[.*\])? _{3,}$|FAILED \S{1,300}?::([\w:]{1,200}))", re.MULTILINE
)
_EXPLAINED = pattern(r"^E {2,}(?!\[ {0,2}\d{1,3}%\]$)(\S.*)$", re.MULTILINE)
"""Not the letter of a test with an error and the progress behind it: `E   [ 50%]`."""
_SUMMED = _lines(r"^(?:FAILED|ERROR) \S+ - (?:(?P<kind>\w+(?:Error|Exception)): )?(?P<line>.*)$")


def _pytest(text: str) -> ErrorLine | None:
    raised, asserted = _RAISED.search(text), _ASSERTED.search(text)
    told: ErrorLine | None
    if raised and not (asserted and asserted.start() < raised.start()):
        told = ErrorLine(raised[1], raised[2] or "")
    elif asserted:
        told = ErrorLine("", asserted[1])
    elif explained := _EXPLAINED.search(text):
        told = ErrorLine("", explained[1])
    else:
        told = _SUMMED(text)
    if told is None or not told.line.startswith("assert "):
        return told
    # the values alone are those of many tests
    test = _TEST.search(text)
    name = f" in {test[1] or test[2]}" if test else ""
    return ErrorLine("AssertionError", told.line + name)


_NPM_CODE = pattern(r"^npm (?:ERR!|error) code (\S+)$", re.MULTILINE)
_NPM_LINE = _lines(
    r"^npm (?:ERR!|error) (?!code |errno |syscall |path |A complete log|\d{3} )(?P<line>\S.*)$",
    r"^npm (?:ERR!|error) \d{3} (?P<line>\S.*)$",
)


def _npm(text: str) -> ErrorLine | None:
    code, told = _NPM_CODE.search(text), _NPM_LINE(text)
    return ErrorLine(code[1], told.line if told else "") if code else told


_STATUS = pattern(r"returned error: (\d{3})")


def _curl(text: str) -> ErrorLine | None:
    found = pattern(r"^curl: \((\d{1,3})\) (.*)$", re.MULTILINE).search(text)
    if not found:
        return None
    status = _STATUS.search(found[2])
    return ErrorLine(f"HTTP {status[1]}" if status else f"curl {found[1]}", found[2])


def _http(text: str) -> ErrorLine | None:
    found = pattern(
        r"^(?:HTTP/[\d.]{1,5}|.{0,40}\bERROR) ([45]\d\d)(?:: | |$)(.*)$", re.MULTILINE
    ).search(text)
    return ErrorLine(f"HTTP {found[1]}", found[2]) if found else None


_NOT_FOUND = pattern(r"(?:command not found: (\S+)|(.+?): (?:command )?not found)$")
_SHELL = _lines(
    r"^(?:\S{0,200}/)?(?:ba|da|k|z)?sh(?:: line \d+|: \d+|:\d+)?: (?P<line>.*)$",
    r"^\S{1,200}: line \d+: (?P<line>.*)$",
)


def _shell(text: str) -> ErrorLine | None:
    told = _SHELL(text)
    missing = _NOT_FOUND.match(told.line) if told else None
    return ErrorLine("command not found", missing[1] or missing[2]) if missing else told


_MAKE = pattern(r"^make(?:\[\d+\])?: \*\*\* (.*)$", re.MULTILINE)
_PASSED_ON = pattern(r"\] [^\d\n]{1,40}\d{1,3}$")
"""`[Makefile:2: test] Error 1`, in any language."""
_MOVES = pattern(r"make(?:\[\d+\])?: (?:Entering|Leaving) directory")


def _make(text: str) -> ErrorLine | None:
    """What make says; where a command failed it is what that wrote last."""
    found = _MAKE.search(text)
    if not found:
        return None
    lines = text[: found.start()].split("\n") if _PASSED_ON.search(found[1]) else []
    told = (line for line in reversed(lines) if line.strip() and not _MOVES.match(line))
    return ErrorLine("", next(told, found[1]).strip())


_ERROR_ABROAD = ("Fehler:", "erreur:", "erreur :", "erro:", "ошибка:", "エラー:", "错误：", "错误:")
"""What gcc calls an error in other languages."""

TABLE = {
    "pytest": _Tool(("E  ", "FAILED ", "ERROR "), _pytest),
    "python": _Tool((_TRACEBACK, "Error: "), _python),
    "tsc": _Tool(("error TS",), _lines(r"\berror (?P<kind>TS\d{1,6}): (?P<line>.*)$")),
    "cargo test": _Tool(
        ("panicked at",),
        _lines(
            r"panicked at [^\n]{1,300}:\d+:\d+:\n(?P<line>.*)$", r"panicked at '(?P<line>.*)', "
        ),
    ),
    "rustc": _Tool(("error[E",), _lines(r"^error\[(?P<kind>E\d{4})\]: (?P<line>.*)$")),
    "gcc": _Tool(
        ("error: ", *_ERROR_ABROAD, "undefined reference to", "ld: "),
        _lines(
            r"^[^\s:][^:\n]{0,300}:\d+(?::\d+)?: (?:fatal )?error: (?P<line>.*)$",
            r"^[^\s:][^:\n]{0,300}:\d+(?::\d+)?: (?:\S{1,30} )?"
            rf"(?:{'|'.join(_ERROR_ABROAD)}) ?(?P<line>.*)$",
            r"(?P<line>undefined reference to .*)$",
            r"^(?:\S{0,200}/)?ld: (?P<line>.*)$",
        ),
    ),
    "go": _Tool(
        (".go:", "panic: ", "go: "),
        _lines(
            r"^(?P<kind>panic): (?P<line>.*)$",
            r"^\s{0,40}[^\s:]{1,300}\.go:\d+(?::\d+)?: (?P<line>.*)$",
            r"^go: (?P<line>.*)$",
        ),
    ),
    "java": _Tool(
        ("Exception", "Error", "[ERROR] "),
        _lines(
            r"^(?:Exception in thread \"[^\"\n]{1,100}\" |Caused by: )"
            r"(?:[\w$]{1,99}\.)*(?P<kind>[\w$]{1,99})(?:: (?P<line>.*))?$",
            r"^\[ERROR\] (?P<line>\S.*)$",
            r"^Error: (?P<line>Could not find or load main class .*)$",
        ),
    ),
    "jest": _Tool(("● ",), _lines(r"^\s{0,9}● .*› (?P<line>.*)$", r"^\s{0,9}● (?P<line>.*)$")),
    "node": _Tool(
        ("    at ",),
        _lines(r"^(?:Uncaught )?(?P<kind>\w{0,99}Error)(?: \[\w{1,99}\])?(?:: (?P<line>.*))?$"),
    ),
    "pip": _Tool(
        ("ERROR: ",), _lines(r"^ *ERROR: (?!Exception:$)(?P<line>.*?)(?: \(from versions: .*)?$")
    ),
    "apt": _Tool(("E: ",), _lines(r"^E: (?P<line>.*)$")),
    "docker": _Tool(
        ("daemon", "docker: "),
        _lines(
            r"(?P<line>(?:Error response from daemon|Cannot connect to the Docker daemon).*)$",
            r"^docker: (?P<line>.*)$",
        ),
    ),
    "curl": _Tool(("curl: (",), _curl),
    "HTTP": _Tool(("HTTP/", "ERROR "), _http),
    "uv": _Tool(("╰─▶ ", "  × "), _lines(r"^\s+╰─▶ (?P<line>.*)$", r"^\s+× (?P<line>.*)$")),
    "git": _Tool(
        ("rejected] ", "CONFLICT (", "fatal: "),
        _lines(
            r"^ ! (?P<line>\[(?:remote )?rejected\]\s.*)$",
            r"^CONFLICT \((?P<kind>[^)\n]{1,100})\): (?P<line>.*)$",
            r"^(?P<kind>fatal): (?P<line>.*)$",
        ),
    ),
    "tar": _Tool(("tar: ",), _lines(r"^tar: (?P<line>.*)$")),
    "npm": _Tool(("npm ERR!", "npm error"), _npm),
    "bash": _Tool(("sh: ", "sh:", ": line "), _shell),
    # cargo, git, uv and compilers name their own errors so
    "error:": _Tool(("error: ",), _lines(r"^(?:\S{1,99}: )?(?:fatal )?error: (?P<line>.*)$")),
    "make": _Tool(("*** ",), _make),
}
"""What finds the line, by who wrote it, in the order in which they are asked."""

"""The line of an output that names the error, by the tool or language that wrote it.

The table asks for the cause before what only passes it on: a traceback counts before the `make`
that ran it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from oh_tui.text.patterns import pattern

LONGEST = 1_000
"""Characters of a line that are read."""


class ErrorLine(NamedTuple):
    kind: str
    """The name of the error, such as `KeyError`, `E0425`, `HTTP 404`; "" without one."""
    line: str


def error_line(text: str) -> ErrorLine | None:
    """The first line that names the error; None for none. Expects a clean and bounded output."""
    text = "\n".join(line[:LONGEST].rstrip() for line in text.split("\n"))
    text = _PASSED_BY.sub("", text)
    for tool in TABLE.values():
        if any(sign in text for sign in tool.signs) and (found := tool.find(text)):
            return found
    return None


_PASSED_BY = pattern(
    r"^(?:#\d{1,5} \d{1,6}\.\d{1,6} | {2,40}[|+] (?:Exception Group )?"
    r"| {6}(?=Traceback|  File|\w+Error\b))",
    re.MULTILINE,
)
"""What stands before each line that docker passes on, an exception group, and pip."""


class _Tool(NamedTuple):
    signs: tuple[str, ...]
    """One of these is in each output that `find` finds a line in: looking for them is fast."""
    find: Callable[[str], ErrorLine | None]


def _lines(*patterns: str) -> Callable[[str], ErrorLine | None]:
    """Takes the groups of the first pattern found: the line, and its kind, as `HTTP 404` of two."""
    compiled = [pattern(one, re.MULTILINE) for one in patterns]

    def find(text: str) -> ErrorLine | None:
        found = next(filter(None, (one.search(text) for one in compiled)), None)
        if found is None:
            return None
        groups = found.groupdict(default="")
        line = groups.pop("line", "").strip()
        kinds = (kind if name == "kind" else f"{name} {kind}" for name, kind in groups.items())
        return ErrorLine(next(kinds, ""), line)

    return find


def _tool(signs: str, *patterns: str) -> _Tool:
    """What finds one of these patterns, if one of the signs, parted by bars, is there."""
    return _Tool(tuple(signs.split("|")), _lines(*patterns))


_EXCEPTION = pattern(
    r"((?:[A-Za-z_]\w{0,99}\.){1,20}\w{1,99}|[A-Z]\w{0,99})(?:: (.*?))?(?: \(\S+, line \d+\))?$"
)
_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above", "The above exception was the direct cause")
_NO_MODULE = pattern(r"^\S{0,200}python[\d.]{0,9}: No module named '?([\w.]{1,200})", re.MULTILINE)


def _python(text: str) -> ErrorLine | None:
    """The exception of the first traceback that no other one follows from."""
    error: ErrorLine | None = None
    for part in text.split(_TRACEBACK)[1:]:
        lines = [line for line in part.split("\n")[1:] if line.strip()]
        # what the program printed may stand between those of the traceback
        ends = ((at, found) for at, line in enumerate(lines) if (found := _EXCEPTION.match(line)))
        for at, found in ends:
            error = _exception(found, lines[:at])
            break
        is_chained = any(line.startswith(_CHAINED) for line in lines)
        if error and not is_chained and not error.kind.endswith("ExceptionGroup"):
            break
    if error is None and (found := _NO_MODULE.search(text)):
        return ErrorLine("ModuleNotFoundError", f"No module named '{found[1]}'")
    return error


_WITHIN = pattern(r"  File \".*\", line \d+, in (?!<module>)(.*)$")
_COMPARES = pattern(r" != |is not (?:true|false|None)|unexpectedly|not found in|not raised")
"""What unittest says of values."""


def _exception(found: re.Match[str], above: Sequence[str]) -> ErrorLine:
    name, said = _named(found[1]), found[2] or ""
    within = [at[1] for line in above if (at := _WITHIN.match(line))]
    tests = [one for one in within if one.startswith("test") and name == "AssertionError"]
    is_named = not said or (tests and _COMPARES.search(said))
    where = f" in {(tests or within)[-1]}" if within and is_named else ""
    code = (line.partition("  #")[0].strip() for line in reversed(above) if line[:4] == "    ")
    said = said or next((one for one in code if one.strip("^~ ")), "")
    return ErrorLine(name, (said + where).strip())


def _named(exception: str) -> str:
    """Its name, with the module where it alone says little: `KeyError`, `re.error`."""
    *home, name = exception.split(".")
    return name if name[:1].isupper() else ".".join((*home[-1:], name))


_RAISED = pattern(
    r"^E {2,}(?:((?:\w{1,99}\.)*\w{0,99}(?:[Ee]rror|Exception|Warning|Exit|Interrupt|Failed))"
    r"(?:: (.*))?|(assert\b.*))$",
    re.MULTILINE,
)
_TEST = pattern(
    r"^(?:_{3,} ([\w. ]{1,200})(?:\[.*\])? _{3,}$|FAILED \S{1,300}?::([\w:]{1,200}))", re.MULTILINE
)
_SOURCE = pattern(r"^> +(.*)$", re.MULTILINE)
_SUMMED = _lines(
    # not the letter of a test with an error and the progress behind it: `E   [ 50%]`
    r"^E {2,}(?!\[ {0,2}\d{1,3}%\]$)(?P<line>\S.*)$",
    r"^(?:FAILED|ERROR) \S+ - (?:(?P<kind>\w+(?:Error|Exception)): )?(?P<line>.*)$",
    r"ERROR: (?P<line>(?:file or directory )?not found: [^:\n]*)",
)


def _pytest(text: str) -> ErrorLine | None:
    hit = _RAISED.search(text)
    error = ErrorLine(_named(hit[1] or ""), hit[2] or hit[3] or "") if hit else _SUMMED(text)
    if error and not error.line and (source := _SOURCE.search(text)):
        return ErrorLine(error.kind, source[1])
    if error is None or not error.line.startswith("assert "):
        return error
    # the values alone are those of many tests
    test = _TEST.search(text)
    name = f" in {test[1] or test[2]}" if test else ""
    return ErrorLine("AssertionError", error.line + name)


_NOT_FOUND = pattern(r"(?:command not found: (\S+)|(.+?): (?:command )?not found)$")
_SHELL = _lines(
    r"^(?:(?:\S{0,200}/)?(?:ba|da|k|z)?sh(?:: -c)?(?:: line \d+|: \d+|:\d+)?|\S{1,200}: line \d+): "
    r"(?P<line>.*)$"
)


def _shell(text: str) -> ErrorLine | None:
    error = _SHELL(text)
    missing = _NOT_FOUND.match(error.line) if error else None
    return ErrorLine("command not found", missing[1] or missing[2]) if missing else error


_MAKE = pattern(r"^\S{0,99}make(?:\[\d+\])?: \*\*\* (?!Waiting for)(.*)$", re.MULTILINE)
_PASSED_ON = pattern(r"\] [^\d\n]{1,40}\d{1,3}$")
"""`[Makefile:2: test] Error 1`, in any language."""
_MOVES = pattern(r"\S{0,99}make(?:\[\d+\])?: (?:Entering|Leaving|\*\*\* Waiting)")


def _make(text: str) -> ErrorLine | None:
    """What make says; where a command failed it is what that wrote last."""
    found = _MAKE.search(text)
    if not found:
        return None
    lines = text[: found.start()].split("\n") if _PASSED_ON.search(found[1]) else []
    written = (line for line in reversed(lines) if line.strip() and not _MOVES.match(line))
    return ErrorLine("", next(written, found[1]).strip())


_NPM = r"^npm (?:ERR!|error) "
_AT = r"[^\s:][^:\n]{0,300}:\d+(?::\d+)?: "
"""A place in a file."""
_ERROR = "error:|Fehler:|erreur:|erreur :|erro:|ошибка:|エラー:|错误：|错误:"
"""What gcc calls an error."""
_PANIC = r"panicked at (?:'\s*|[^\n']{1,300}:\d+:\d+:\s*)"
FILE_ERRORS = (
    "No such file or directory|Permission denied|(?:Is|Not) a directory|File exists"
    "|Directory not empty"
)
_SYSTEM_ERRORS = (
    f"{FILE_ERRORS}|No space left on device|Read-only file system|Operation not permitted"
    "|Connection refused|Cannot allocate memory|Too many open files|Exec format error"
)
"""What the C library calls errors."""

TABLE = {
    "pytest": _Tool(("E  ", "FAILED ", "ERROR ", "ERROR: "), _pytest),
    "vitest": _tool(" FAIL ", r"^ FAIL  \S+ > (?P<line>.*)\n(?P<kind>\w{0,99}Error)\b"),
    "python": _Tool((_TRACEBACK, ": No module named "), _python),
    "python itself": _tool("python", r"^\S{0,200}python[\d.]{0,9}: (?P<line>.*)$"),
    "tsc": _tool("error TS", r"\berror (?P<kind>TS\d{1,6}): (?P<line>.*)$"),
    # of values the thread, which has the name of the test
    "cargo test": _tool(
        "panicked at",
        r"thread '(?!main')(?P<kind>[^'\n]{1,200})' (?:\(\d{1,20}\) )?"
        rf"{_PANIC}(?P<line>assertion.*?)(?:', .*)?$",
        rf"{_PANIC}(?P<line>.*?)(?:', .*)?$",
    ),
    "cmake": _tool("CMake Error", r"^CMake Error(?: at .*:\n\s+|[^:\n]*: )(?P<line>.*)$"),
    "eslint": _tool("  error  ", r"^\s+\d+:\d+\s+error\s+(?P<line>.*?)\s{2,}(?P<kind>\S+)$"),
    "ruff": _tool(" ", rf"^(?:{_AT})?(?P<kind>[A-Z]{{1,4}}\d{{3,4}}) (?:\[\*\] )?(?P<line>.*)$"),
    "rustc": _tool("error[E", r"^error\[(?P<kind>E\d{4})\]: (?P<line>.*)$"),
    "gcc": _tool(
        f"{_ERROR}|symbol: |undefined reference to|ld: ",
        r"(?P<kind>cannot find symbol)\n(?:.*\n){0,3}?.*symbol: +(?P<line>.*)$",
        rf"^\s{{0,9}}{_AT}(?:\S{{1,30}} )?(?:{_ERROR}) ?(?P<line>.*)$",
        r"(?P<line>undefined reference to .*)$",
        r"^(?:\S{0,200}/)?ld: (?P<line>.*)$",
    ),
    "go": _tool(
        ".go:|panic: |go: |--- FAIL: ",
        r"^(?P<kind>panic): (?P<line>.*)$",
        r"^\s{0,40}--- FAIL: (?P<line>\S+)",
        r"^\s{0,40}[^\s:]{1,300}\.go:\d+(?::\d+)?: (?P<line>.*)$",
        r"^go: (?P<line>.*)$",
    ),
    "java": _tool(
        "Exception|Caused by: |[ERROR] ",
        r"^(?:Exception in thread \"[^\"\n]{1,100}\" |Caused by: )"
        r"(?:[\w$]{1,99}\.)*(?P<kind>[\w$]{1,99})(?:: (?P<line>.*))?$",
        r"^\[ERROR\] \S+:\[\d+,\d+\] (?P<line>.*)$",
        r"^\[ERROR\] (?P<line>\S.*)$",
    ),
    "gradle": _tool("* What went wrong:", r"^\* What went wrong:\n.*\n> (?P<line>.*)$"),
    "ruby": _tool(".rb:", r"^\S+\.rb:\d+:in .*?': (?P<line>.*) \((?P<kind>[A-Z][\w:]{0,99})\)$"),
    "jest": _tool(
        "● ",
        r"^\s{0,9}● .*› (?P<line>.*)$",
        r"● Test suite failed to run\n\s+(?P<line>.*)$",
        r"^\s{0,9}● (?P<line>.*)$",
    ),
    "exception": _tool(
        "Error",
        r"^\s{0,9}(?:Uncaught |Sorry: )?(?P<kind>\w{0,99}Error)(?: \[\w{1,99}\])?"
        r"(?:: (?P<line>.*?))?(?: \(\S+, line \d+\))?$",
    ),
    "pip": _tool(
        "ERROR: ",
        r"^ *WARNING: Retrying .*: (?P<line>\[Errno -?\d+\] [^'\n]*)",
        r"^ *ERROR: (?!Exception:$|usage: )(?P<line>.*?)(?:[<>=~!]=\S*)?(?: \(from versions: .*)?$",
    ),
    "apt": _tool("E: ", r"(?P<line>Temporary failure resolving .*)$", r"^E: (?P<line>.*)$"),
    "docker": _tool(
        "daemon|docker: ",
        r"(?P<line>(?:Error response from daemon|Cannot connect to the Docker daemon).*)$",
        r"^docker: (?P<line>.*)$",
    ),
    "curl": _tool(
        "curl: (",
        r"^curl: \(\d+\) (?P<line>.*returned error: (?P<HTTP>\d{3}).*)$",
        r"^curl: \((?P<curl>\d{1,3})\) (?P<line>.*)$",
    ),
    "HTTP": _tool(
        "HTTP/|ERROR ",
        r"^(?:HTTP/[\d.]{1,5}|.{0,40}\bERROR) (?P<HTTP>[45]\d\d)(?:: | |$)(?P<line>.*)$",
    ),
    "uv": _tool("╰─▶ |  × ", r"^\s+╰─▶ (?P<line>.*)$", r"^\s+× (?P<line>.*)$"),
    "git": _tool(
        "rejected] |CONFLICT (|fatal: ",
        r"^ ! (?P<line>\[(?:remote )?rejected\]\s.*)$",
        r"^CONFLICT \((?P<kind>[^)\n]{1,100})\): (?P<line>.*)$",
        r"^(?P<kind>fatal): (?P<line>.*)$",
    ),
    "patch": _tool(
        "patch: ****| hunk",
        r"^patch: \*{4} (?P<line>.*?)(?: at line \d.*)?$",
        r"^\d+ out of \d+ (?P<kind>hunk)s? (?P<line>FAILED|ignored)\b",
    ),
    "tar": _tool("tar: ", r"^tar: (?P<line>.*)$"),
    "npm": _tool(
        "npm ERR!|npm error",
        rf"{_NPM}code (?P<kind>\S+)\n(?:{_NPM}(?:errno|syscall|path) .*\n){{0,9}}"
        rf"{_NPM}(?:\d{{3}} )?(?P<line>\S.*)$",
        rf"{_NPM}(?:\d{{3}} )?(?P<line>\S.*)$",
    ),
    "bash": _Tool(("sh: ", "sh:", ": line "), _shell),
    # cargo, git, uv and compilers name their own errors so
    "error:": _tool(
        "rror: |RROR: |error ",
        r"^(?:\S{1,99}: |PHP )?(?i:(?:fatal |parse )?error): +(?!usage: )(?P<line>.*)$",
        r"^error (?P<line>[A-Z].*)$",
    ),
    "system": _tool(": ", rf"^(?P<line>[^\s:][^:\n]{{0,99}}: .*(?:{_SYSTEM_ERRORS}))$"),
    "make": _Tool(("*** ",), _make),
    # what scripts of people say
    "FAIL": _tool(
        "FAIL|ERROR|Error|Fatal",
        r"^\W{0,9}(?:FAIL(?:ED|URE)?|ERROR|Error|Fatal)\b\W+(?P<line>.*)$",
        r"^(?P<line>.* FAIL(?:ED)?)$",
    ),
}
"""What finds the line, by who wrote it, in the order in which they are tried."""

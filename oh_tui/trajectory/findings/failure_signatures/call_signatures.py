"""What a step does, whatever its run calls the same things: its tool and normalised arguments.

docs/compare.md has the rules for people.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import message_text
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usual_fields import is_empty
from oh_tui.trajectory.reading.describe import describe_event, family_of
from oh_tui.trajectory.reading.error_lines import FILE_ERRORS
from oh_tui.trajectory.reading.write_targets import working_folder
from oh_tui.trajectory.shell.commands import program_of


class CallSignature(NamedTuple):
    """Hashes of what a step does. Those of equal deeds are equal in all processes."""

    exact: bytes
    """Of the tool and all its arguments."""
    like: bytes
    """Of the tool and what it is used on: one file, one program."""


_IGNORED = frozenset({"kind", "summary", "security_risk", "timeout"})
"""Arguments that do not change what a call does."""

_TEXTS = frozenset({
    "file_text", "old_str", "new_str", "old_string", "new_string", "content", "patch", "code",
})  # fmt: skip
"""Arguments in which each number counts: parts of files."""

_DEEPEST = 20
"""Levels of arguments that are normalised."""


def call_signatures(trajectory: Trajectory) -> list[CallSignature]:
    """What each step of a run does. Decodes all calls."""
    folder = working_folder(trajectory)
    return [call_signature(step, folder) for step in trajectory.steps]


def recovers(trajectory: Trajectory, failed: Step, within: int) -> bool:
    """Whether a command that failed soon worked: the same or, but for shells, of its program."""
    folder = working_folder(trajectory)
    tool, program, details = _parts(failed, folder)
    if tool not in ("Terminal", "ACP execute"):
        return False
    for step in trajectory.steps[failed.number : failed.number + within]:
        if not worked(trajectory, step):
            continue
        other_tool, other, rest = _parts(step, folder)
        is_like = other == program != "" and program.partition(" ")[0] not in _ANYTHING
        if other_tool == tool and (is_like or rest == details):
            return True
    return False


def worked(trajectory: Trajectory, step: Step) -> bool:
    """Whether the result of a call tells that it worked; of a command its exit code has to."""
    if not step.is_call or trajectory.outcome(step) is not Outcome.OK or step.result is None:
        return False
    return step.event.tool != "Terminal" or step.result.exit_code == 0


_ANYTHING = frozenset({
    "bash", "bun", "deno", "java", "node", "perl", "php", "python", "ruby", "sh", "zsh",
})  # fmt: skip
"""Programs that run any other."""


def call_words(step: Step, folder: str) -> str:
    """A call as people read it, the same for runs that do the same."""
    what = normal(describe_event(step.event).what, folder)
    sign, _, command = what.partition(" ")
    return f"$ {_FIRST_CD.sub('', command)}" if sign == "$" else what


def call_signature(step: Step, folder: str) -> CallSignature:
    tool, on, details = _parts(step, folder)
    like = blake2b(f"{tool}\0{on}\0".encode(), digest_size=12)
    exact = like.copy()
    exact.update(_encoded(details))
    return CallSignature(exact.digest(), like.digest())


Parts = tuple[str, str, object]
"""A tool, what it is used on, and the rest of its arguments."""


def _parts(step: Step, folder: str) -> Parts:
    event = step.event
    if event.is_call:
        return _call(step.call, folder)
    if event.is_message:
        return event.kind, event.source, normal(message_text(event.body()), folder)
    if event.is_summary:
        return event.kind, "", None  # what it forgets is named by ids
    return event.kind, event.tool_name, normal(describe_event(event).what, folder)


def _call(call: Call, folder: str) -> Parts:
    event, tool, path = call.event, call.tool, call.path
    if event.is_unread:
        return event.tool_name, "", _values(call.given, folder)
    if event.is_reported:
        return tool, normal(call.title, folder), _values(call.given, folder)
    if tool == "Think":
        return tool, "", None
    if tool == "Terminal" and (command := call.command):
        program = normal(program_of(command), folder)
        command = normal(_FIRST_CD.sub("", _relative(command, folder)), "")
        rest = {name: value for name, value in call.input.items() if name != "command"}
        return tool, program, [command, _values(rest, folder)]
    verb = "read" if path and family_of(event) is Family.READ else ""
    on = normal(path, folder) if path else event.tool_name if tool == "MCPTool" else ""
    return f"{tool} {verb}", on, _values(call.given, folder)


_FIRST_CD = pattern(r"^\s*cd \.\s*(?:&&|;)\s*")
"""Going where the run is already."""


def normal(text: str, folder: str) -> str:
    """A text without what differs in runs that do the same: folders, names, ids, moments, space."""
    text = _WITHOUT_NUMBERS.sub("#", _placed(text, folder))
    return " ".join(text.split()) if "\n" not in text.strip() else _trimmed(text)


LONGEST_LINE = 300
"""Characters of a line that tells an error."""


def normal_line(line: str) -> str:
    """A line that tells an error, without what differs between two runs with the same one: as
    `normal`, and without names of files, addresses of pages, numbers, versions and other forms of
    quotes."""
    line = line[:LONGEST_LINE]
    # one rule may leave what another takes
    while (after := _line_once(line)[:LONGEST_LINE]) != line:
        line = after
    return line


def _line_once(line: str) -> str:
    line = normal(" ".join(line.split()), "").translate(_QUOTES)
    line = _PAGE.sub(r"\1/", line)
    return _REPEATED.sub("", _NUMBER.sub("#", _FILE.sub("PATH", line)))


_QUOTES = dict.fromkeys(map(ord, '"`´‘’“”„«»'), "'")
_PAGE = pattern(r"(\bhttps?://[^\s/'?]{1,200})[/?][^\s')>]{0,300}")
_FILE = pattern(
    # one of a library that is missing keeps its name
    r"(?![^\s',;()/~.][^\s',;()]{0,255}\.(?:hh?|hpp|so(?:\.\d+)*)\b)(?:"
    # from a root, the home or here
    r"(?<![\w:/\\.~#-])(?:[A-Za-z]:|~|\.{1,2})?[/\\][^\s'/\\:,;()]{1,255}"
    r"(?:[/\\][^\s'/\\:,;()]{1,255})*[/\\]?(?<![.])"
    # in a folder, with an extension: `and/or` is none
    r"|(?<![\w/\\.@+#-])(?:[\w.@+#-]{1,255}/)+[\w@+#-][\w@+#.-]*\.(?!v\d)[A-Za-z]\w{0,9}(?![\w/])"
    # by its extension; a module of Python is none
    r"|(?<![\w/\\.@+#-])(?<!odule ')(?<!named ')(?<!from ')(?!(?:Node|Vue|Next)\.)"
    r"[\w@+#-]{1,255}(?:\.[\w-]{1,64})?\."
    r"(?:py[icx]?|ipynb|[cm]?[jt]sx?|json5?|jsonl|ya?ml|toml|cfg|ini|md|rst|txt|log|csv|tsv|xml|html?"
    r"|s?css|c|cc|cpp|o|a|rs|go|java|kt|class|jar|rb|php|sh|lock|patch|diff|rej|orig|bak|backup|mk"
    r"|whl|zip|t?gz|tar|pdf|png|svg|sql|db|pkl|parquet|tmp|in|ps1)(?![\w(]|\.\w)"
    # by what the system says of it
    rf"|(?<!\w')(?<=')[^']{{1,255}}(?=': (?:{FILE_ERRORS}))"
    rf"|(?<![^ ])[^\s:'()-][^\s:'()]{{0,255}}(?=: (?:{FILE_ERRORS}))"
    r"|(?:(?<=No such file or directory: ')|(?<=pathspec '))[^']{1,255})"
)
"""A file or a folder."""
_UNIT = r"(?:%| ?(?:ms|µs|us|s|[KMGT]i?B|B)\b)?"
_NUMBER = pattern(
    r"\b0x[0-9a-fA-F]{1,32}\b"
    r"|(?<![\w#.])v?\d+(?:\.\d+)+(?:[-.+]?(?:a|b|rc|alpha|beta|dev|post|final|pre)[-.]?\d*)*"
    rf"{_UNIT}(?![\w.])"
    rf"|(?<![\w#.-])-?\d+(?:[.,:]\d+)*{_UNIT}(?!\w)"
)
"""Not one that is part of a name: `utf-8`, `python3`; a version is."""
_REPEATED = pattern(r"(?<=#)(?:, #)+|([=_*-])\1{2,}")


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _placed(text: str, folder: str) -> str:
    text = _relative(text, folder)
    if "/" not in text:
        return text
    return _TEMPORARY.sub("/tmp/#", _HOME.sub("~", text))


def _relative(text: str, folder: str) -> str:
    if not folder or folder not in text:
        return text
    text = text.replace(f"{folder}/", "")
    # not the beginning of another name
    head, *rest = text.split(folder)
    for piece in rest:
        head += ("." if not piece[:1].isalnum() and piece[:1] not in "-_" else folder) + piece
    return head


_HOME = pattern(r"/(?:home|Users)/[\w.-]{1,64}|(?<![\w./-])/root(?![\w.-])")
_TEMPORARY = pattern(r"/tmp/tmp[\w.-]{1,64}|/var/folders/[\w./-]{1,200}")
_WITHOUT_NUMBERS = pattern(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"  # a UUID
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b(?=[a-f]{0,63}\d)(?=\d{0,63}[a-f])[0-9a-f]{7,64}\b"  # a commit or another id
    r"|(?<=localhost:)\d{2,5}|(?<=127\.0\.0\.1:)\d{2,5}|(?<=0\.0\.0\.0:)\d{2,5}"
    r"|(?<=kill )\d{1,9}|(?<=kill -\d )\d{1,9}|(?<=--pid )\d{1,9}"
    r"|(?<!\d)\d{5,40}(?!\d)"
)


def _values(value: object, folder: str, name: str = "", depth: int = 0) -> object:
    """Arguments, normalised, without empty ones: another version may leave them out."""
    if isinstance(value, str):
        # in parts of files numbers and inner white space count
        return _trimmed(_placed(value, folder)) if name in _TEXTS else normal(value, folder)
    if isinstance(value, dict) and depth < _DEEPEST:
        values = ((n, _values(one, folder, n, depth + 1)) for n, one in value.items())
        return {n: one for n, one in values if n not in _IGNORED and not is_empty(one)}
    if isinstance(value, list) and depth < _DEEPEST:
        return [_values(one, folder, name, depth + 1) for one in value]
    return value


def _encoded(value: object) -> bytes:
    try:
        return msgspec.json.encode(value, order="sorted")
    except RecursionError:
        return b"too deep"

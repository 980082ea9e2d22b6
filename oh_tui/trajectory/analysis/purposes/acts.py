"""What a step does, one act for each simple command of it or file that it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.analysis.purposes.programs import (
    INSTALLS,
    Purpose,
    git_words,
    plain,
    purpose_of,
    without_values,
)
from oh_tui.trajectory.files.programs import PUT_IN
from oh_tui.trajectory.files.shell_reader import LONGEST, Simple, Unsure, commands
from oh_tui.trajectory.files.touches import may_touch, tool, touches
from oh_tui.trajectory.model.bodies import command_text, field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import MESSAGE_KINDS, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.presentation.describe import family_of


class Act(NamedTuple):
    """One thing that a step does, or asks for: whether it worked is the outcome of the step."""

    purpose: Purpose
    paths: tuple[str, ...] = ()
    """The files that it writes, deletes or moves, as far as the call names them, as it does."""
    is_output: bool = False
    """It only sends the output of another act of its step to these files."""
    packages: tuple[str, ...] = ()
    """The names of the packages that it installs, as far as the command tells them."""


_TERMINALS = frozenset({"Terminal", "ExecuteBash"})

_WRITES = frozenset({Purpose.EDIT, Purpose.DELETE, Purpose.MOVE})

_BY_FAMILY = {
    Family.READ: Purpose.LOOK, Family.EDIT: Purpose.EDIT, Family.WEB: Purpose.NETWORK,
    Family.PLAN: Purpose.PLAN, Family.TASK: Purpose.DELEGATE, Family.AGENT: Purpose.ANSWER,
    Family.YOU: Purpose.ASKED, Family.MCP: Purpose.RUN, Family.SKILL: Purpose.LOOK,
    Family.OTHER: Purpose.RUN, Family.TERMINAL: Purpose.RUN,
}  # fmt: skip
"""Thoughts, hooks, condensations and states are for nothing."""

_OF_VERB = {
    "read": Purpose.LOOK,
    "edit": Purpose.EDIT,
    "create": Purpose.EDIT,
    "delete": Purpose.DELETE,
}

_OF_ACP = {
    "read": Purpose.LOOK, "search": Purpose.LOOK, "edit": Purpose.EDIT, "delete": Purpose.DELETE,
    "move": Purpose.MOVE, "fetch": Purpose.NETWORK,
}  # fmt: skip


def purposes_of(step: Step) -> frozenset[Purpose]:
    """What a step is for; empty for a thought and for what is no step of work. Never raises."""
    return frozenset(act.purpose for act in acts(step))


_NOT_TOLD = frozenset({Family.OTHER, Family.MCP, Family.TASK})
"""Tools that may do anything; a sub-agent has a run of its own."""

_TOLD_BY_TOOL = frozenset({
    Purpose.LOOK, Purpose.WAIT, Purpose.PLAN, Purpose.DELEGATE, Purpose.ANSWER, Purpose.ASKED,
    Purpose.RUN,
})  # fmt: skip


def tells_purpose(step: Step, purpose: Purpose) -> bool:
    """Whether a step that is not seen to be for this tells that it is not."""
    if not step.is_call or purpose in _TOLD_BY_TOOL or command_of(step.event):
        return True
    return family_of(step.event) not in _NOT_TOLD


def acts(step: Step) -> tuple[Act, ...]:
    """What a step does, in its order; never raises. Decodes the call."""
    event = step.event
    if command := command_of(event):
        return tuple(acts_of(command))
    if tool(event) in _TERMINALS:  # keys for a program, or a look at what it wrote
        is_input = field(event.body(), "action", "is_input") is True
        return (Act(Purpose.RUN if is_input else Purpose.WAIT),)
    if event.kind == "ACPToolCallEvent" and event.verb in _OF_ACP and not may_touch(event):
        return (Act(_OF_ACP[event.verb]),)
    if may_touch(event) and (found := tuple(_touched(step))):
        return found
    purpose = _BY_FAMILY.get(family_of(event))
    if purpose is Purpose.ASKED and event.kind not in MESSAGE_KINDS:
        return ()  # the user stopped the agent
    return (Act(purpose),) if purpose else ()


def command_of(event: Event) -> str:
    """The command that an event gives to a shell; "" for none."""
    if event.kind == "ACPToolCallEvent":
        return text_field(event.body(), "raw_input", "command")
    if tool(event) not in _TERMINALS:
        return ""
    body = event.body()
    return "" if field(body, "action", "is_input") is True else command_text(body).strip()


def _touched(step: Step) -> Iterator[Act]:
    for one in touches(step):
        purpose = Purpose.MOVE if one.other else _OF_VERB.get(one.verb, Purpose.EDIT)
        yield Act(purpose, () if purpose is Purpose.LOOK else (one.path,))


def acts_of(command: str) -> Iterator[Act]:
    """The acts of a shell command; of one that is not understood those that its words tell."""
    try:
        simple, _ = commands(command, 0)
    except Unsure:
        simple = list(_guessed(command))
    for one in simple:
        yield from _acts(one, 0)


def purposes_of_exit(command: str) -> frozenset[Purpose]:
    """What the command is for whose exit code a whole command line has; empty where that is not
    plain, as behind a pipe, a `;`, a `||`, a `!` or in the background."""
    try:
        simple, in_background = commands(command, 0)
    except Unsure:
        return frozenset()
    words = simple[-1].words if simple and not in_background else []
    if words[:1] == ["!"] or (words and _script_of(words[0].rpartition("/")[2], words[1:])):
        return frozenset()
    return frozenset(act.purpose for act in _acts(simple[-1], 0)) if words else frozenset()


_PARTS = pattern(r"\|\||&&|[\n;&|()`]")
_HEREDOC = pattern(r"(?<!<)<<-?\s*['\"\\]?(\w{1,80})['\"]?")
_REDIRECTED = pattern(r"(?<![<>=&-])(?:&|\d)?>>?\s*([^\s<>&|;()]{1,400})")


def _guessed(command: str) -> Iterator[Simple]:
    """The simple commands of a text that the reader does not understand, cut at the signs that end
    one. The lines of texts within it are left out, as far as their ends are found."""
    text = "\n".join(_without_texts(command[:LONGEST].split("\n")))
    for part in _PARTS.split(text):
        targets = _REDIRECTED.findall(part)
        words = [word.strip("'\"") for word in _REDIRECTED.sub(" ", part).split()]
        if words or targets:
            yield Simple(words, targets)


def _without_texts(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a command without those of the texts within it."""
    rest = iter(lines)
    for line in rest:
        yield _HEREDOC.sub(" ", line)
        for end in _HEREDOC.findall(line):
            for each in rest:
                if each.strip() == end:
                    break


_ASSIGNS = pattern(r"[A-Za-z_]\w*\+?=")
_OPENS = frozenset({"!", "do", "elif", "else", "if", "then", "until", "while", "{", "exec"})

_WRAPPERS = frozenset({
    "builtin", "bunx", "chronic", "command", "doas", "env", "nice", "nohup", "npx", "pnpx",
    "stdbuf", "sudo", "time", "timeout", "unbuffer", "uvx", "xargs", "xvfb-run",
})  # fmt: skip
"""Programs that run the one that follows."""

_RUNNERS = {
    "bundle": ("exec",), "conda": ("run",), "coverage": ("run",), "hatch": ("run",),
    "mamba": ("run",), "pdm": ("run",), "pipenv": ("run",), "poetry": ("run",), "uv": ("run",),
    "npm": ("exec",), "pnpm": ("exec", "dlx"), "yarn": ("exec", "dlx"), "rye": ("run",),
}  # fmt: skip
"""Programs that do so after one of these words."""

_WITH_VALUE = frozenset(
    {
        "-C",
        "-E",
        "-I",
        "-L",
        "-P",
        "-d",
        "-g",
        "-k",
        "-n",
        "-p",
        "-s",
        "-u",
        "--python",
        "--with",
        "--extra",
    }
)
"""Options of theirs that a value follows."""

_DEEPEST = 10
"""Programs that run another, and shells within shells."""

_HARMLESS = ("/dev/", "&")


def _acts(one: Simple, depth: int) -> Iterator[Act]:
    """The acts of a simple command, and of the one that it runs."""
    targets = tuple(each for each in one.targets if not each.startswith(_HARMLESS))
    if targets:
        found = [act for act in _acts(Simple(one.words, []), depth) if act.purpose != Purpose.LOOK]
        yield Act(Purpose.EDIT, _named(targets), bool(found))
        yield from found
        return
    words = list(one.words)
    while words and (words[0] in _OPENS or _ASSIGNS.match(words[0])):
        words.pop(0)
    if not words or words[0] in ("for", "case", "function", "done", "fi", "esac", "}"):
        return
    name, rest = words[0].rpartition("/")[2], words[1:]
    if name in ("sudo", "doas"):
        yield Act(Purpose.SUDO)
    if depth < _DEEPEST and (inner := _inner(name, rest)) is not None:
        run = _acts(Simple(inner, []), depth + 1)
        if name not in _CONTAINERS:
            yield from run
            return
        for act in run:
            yield act if act.purpose in _WITHIN else Act(Purpose.RUN)
        return
    script = _script_of(name, rest)
    if script is not None and depth < _DEEPEST:
        try:
            simple, _ = commands(script, 0)
        except Unsure:
            simple = list(_guessed(script))
        for each in simple:
            yield from _acts(each, depth + 1)
        return
    purpose = purpose_of(words[0], rest)
    if purpose is Purpose.FORCE:
        yield Act(Purpose.PUSH)
    if purpose in _WRITES:
        yield Act(purpose, _named(_written(name, purpose, rest)))
    elif purpose is Purpose.INSTALL:
        yield Act(purpose, packages=_packages(rest))
    elif purpose is not None:
        yield Act(purpose)
    if name == "find" and "-exec" in rest and depth < _DEEPEST:
        yield from _acts(Simple(_executed(rest), []), depth + 1)


def _executed(rest: list[str]) -> list[str]:
    """The words of the program that `find` runs, without the files that it puts in."""
    words = rest[rest.index("-exec") + 1 :]
    end = next((at for at, word in enumerate(words) if word in (";", "+")), len(words))
    return [word for word in words[:end] if word.strip(PUT_IN) not in ("{}", "{", "}")]


_CONTAINERS = frozenset({"docker", "docker-compose", "podman"})

_WITHIN = frozenset({Purpose.TEST, Purpose.LINT, Purpose.BUILD, Purpose.LOOK})
"""What counts of a command in a container: what it writes there is not in the workspace."""

_OF_CONTAINERS = frozenset({
    "-e", "-f", "-p", "-u", "-v", "-w", "--entrypoint", "--env", "--env-file", "--file", "--name",
    "--network", "--profile", "--user", "--volume", "--workdir",
})  # fmt: skip
"""Options that a value follows."""


def _in_container(rest: list[str]) -> list[str] | None:
    """The words of the program that is run in a container; None if none is named."""
    given = without_values(rest, _OF_CONTAINERS)
    while given and (given[0].startswith("-") or given[0] in ("compose", "container")):
        given = given[1:]
    if given[:1] not in (["exec"], ["run"]):
        return None
    return list(_after_options(given[1:]))[1:] or None


def _inner(name: str, rest: list[str]) -> list[str] | None:
    """The words of the program that this one runs; None if it runs none."""
    if name.startswith("python") and rest[:1] == ["-m"] and rest[1:2] and rest[1] in _RUNNERS:
        name, rest = rest[1], rest[2:]
    if name in _CONTAINERS:
        return _in_container(rest)
    if name in _RUNNERS:
        given = list(_after_options(rest))
        return (
            list(_after_options(given[1:])) or None
            if given[:1] and given[0] in _RUNNERS[name]
            else None
        )
    if name not in _WRAPPERS:
        return None
    given = list(_after_options(rest))
    if name == "timeout":
        given = list(_after_options(given[1:]))
    while given and _ASSIGNS.match(given[0]):
        given = given[1:]
    return given


def _after_options(words: list[str]) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2 if rest[0] in _WITH_VALUE else 1 :]
    return ["python", *rest] if rest[:1] == ["-m"] else rest


def _script_of(name: str, rest: list[str]) -> str | None:
    """The script that a shell is given with `-c`; None for none."""
    if name not in ("bash", "sh", "zsh", "dash") or len(rest) < 2:
        return None
    has = rest[0].startswith("-") and "c" in rest[0] and not rest[0].startswith("--")
    return rest[1] if has and PUT_IN not in rest[1] else None


_PACKAGE = pattern(r"(@?[A-Za-z][\w./-]{0,99}?)(?:[\[=<>~!;@].{0,200})?")


def _packages(rest: list[str]) -> tuple[str, ...]:
    """The packages that are named after `install`."""
    options = {at for at, word in enumerate(rest) if word[:1] == "-"}
    values = {at + 1 for at in options if rest[at] in ("-r", "-e", "-c", "-i", "--requirement")}
    given = [word for at, word in enumerate(rest) if at not in options | values]
    start = next((at for at, word in enumerate(given) if word in INSTALLS), len(given))
    found = (_PACKAGE.fullmatch(word) for word in _named(given[start + 1 :]))
    return tuple(one[1] for one in found if one)


_GIT_FILES = frozenset({"mv", "restore", "rm"})
"""Commands of git whose words are files."""


def _written(name: str, purpose: Purpose, rest: list[str]) -> list[str]:
    """The words that name what a program writes."""
    given = list(plain(rest))
    if name == "git":
        words = git_words(rest)
        if words[:1] and words[0] in _GIT_FILES:
            return list(plain(words[1:]))
        return rest[rest.index("--") + 1 :] if "--" in rest else []
    if name in ("cp", "ln", "install", "patch"):
        return given[-1:]
    if name in ("sed", "perl"):
        return given if any(word in ("-e", "-f") for word in rest) else given[1:]
    if name == "find" and purpose is Purpose.DELETE:
        return given[:1]
    return given


def _named(words: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Names of files, without those that the shell would put in."""
    return tuple(word for word in words if PUT_IN not in word)

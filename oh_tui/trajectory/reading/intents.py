"""What a step does, one act for each simple command of it or file that it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import dropwhile
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.reading.describe import family_of
from oh_tui.trajectory.reading.file_operations import Touch, may_touch, touches
from oh_tui.trajectory.reading.test_files import is_test
from oh_tui.trajectory.shell.commands import Called, Script, ends_with, script
from oh_tui.trajectory.shell.programs import CONTAINERS, INSTALLS, program, purpose_of
from oh_tui.trajectory.shell.purpose import Purpose, plain, without_values
from oh_tui.trajectory.shell.reader import PUT_IN


class Intent(NamedTuple):
    """One thing that a step does, or asks for: whether it worked is the outcome of the step."""

    purpose: Purpose
    paths: tuple[str, ...] = ()
    """The files that it writes, deletes or moves, as far as the call names them, as it does."""
    is_output: bool = False
    """It only sends the output of another act of its step to these files."""
    is_new: bool | None = False
    """Its files were not there before; None where nothing of the step tells it."""
    packages: tuple[str, ...] = ()
    """The names of the packages that it installs, as far as the command tells them."""


_WRITES = frozenset({Purpose.EDIT, Purpose.DELETE, Purpose.MOVE})

_BY_FAMILY = {
    Family.READ: Purpose.LOOK, Family.EDIT: Purpose.EDIT, Family.WEB: Purpose.NETWORK,
    Family.PLAN: Purpose.PLAN, Family.TASK: Purpose.DELEGATE, Family.AGENT: Purpose.ANSWER,
    Family.YOU: Purpose.ASKED, Family.MCP: Purpose.RUN, Family.SKILL: Purpose.LOOK,
    Family.OTHER: Purpose.RUN, Family.TERMINAL: Purpose.RUN,
}  # fmt: skip
"""Thoughts, hooks, condensations and states are for nothing."""

_ON_PAGES = frozenset({"BrowserClick", "BrowserType"})
"""Tools of the browser that act; others read pages."""

_OF_VERB = {
    "read": Purpose.LOOK,
    "edit": Purpose.EDIT,
    "create": Purpose.EDIT,
    "delete": Purpose.DELETE,
}


def purposes_of(step: Step) -> frozenset[Purpose]:
    """What a step is for; empty for a thought and for what is no step of work. Never raises."""
    return frozenset(act.purpose for act in intents(step))


_UNCLEAR = frozenset({Family.OTHER, Family.MCP, Family.TASK})
"""Tools that may do anything; a sub-agent has a run of its own."""

_SEEN_BY_TOOL = frozenset({
    Purpose.LOOK, Purpose.WAIT, Purpose.PLAN, Purpose.DELEGATE, Purpose.ANSWER, Purpose.ASKED,
    Purpose.RUN,
})  # fmt: skip


def tells_purpose(step: Step, purpose: Purpose) -> bool:
    """Whether a step that is not seen to be for this tells that it is not."""
    call = step.call
    if not step.is_call or purpose in _SEEN_BY_TOOL or call.shell_command:
        return True
    if call.hides_command or call.tool == "IPython":  # code may do anything
        return False
    return family_of(step.event) not in _UNCLEAR and not delegates(call)


_THOUGHTS = frozenset({"ACP call", "ACP other", "ACP think"})


def delegates(call: Call) -> bool:
    """Whether a call gives work to another agent, whose steps are not in the run. Agents that
    speak ACP report it as a thought with a prompt."""
    if call.tool in _THOUGHTS:
        return bool(text_field(call.given, "prompt"))
    return call.event.is_action and family_of(call.event) is Family.TASK


def intents(step: Step) -> tuple[Intent, ...]:
    """What a step does, in its order; never raises. Decodes the call."""
    event, call = step.event, step.call
    if command := call.shell_command:
        return tuple(acts_of(command))
    if call.tool == "Terminal":  # keys for a program, or a look at what it wrote
        is_for = Purpose.RUN if call.is_typed else Purpose.WAIT
        return () if call.hides_command else (Intent(is_for),)
    if delegates(call):
        return (Intent(Purpose.DELEGATE),)
    if may_touch(event) and (found := tuple(_touched(step))):
        return found
    purpose = Purpose.RUN if call.tool in _ON_PAGES else _BY_FAMILY.get(family_of(event))
    if purpose is Purpose.ASKED and not event.is_message:
        return ()  # the user stopped the agent
    return (Intent(purpose),) if purpose else ()


def _touched(step: Step) -> Iterator[Intent]:
    for one in touches(step):
        if one.other and one.verb == "create":
            continue  # where it was moved from tells both
        purpose = Purpose.MOVE if one.other else _OF_VERB.get(one.verb, Purpose.EDIT)
        paths = () if purpose is Purpose.LOOK else tuple(filter(None, (one.path, one.other)))
        yield Intent(purpose, paths, is_new=purpose is Purpose.EDIT and _is_new(step, one))


def _is_new(step: Step, one: Touch) -> bool | None:
    """Whether an edit makes its file. Editors refuse to create one that is there; what writes whole
    files tells in its result, and what reports differences by lines that it takes out."""
    if step.event.is_reported:
        return False if _TAKES_OUT.search(one.hunk) else None
    if step.event.tool != "WriteFile" and one.verb != "create":
        return False
    if step.event.tool == "ApplyPatch" or not is_test(one.path[-1_000:]):
        return one.verb == "create" or None
    touch = next((t for t in touches(step, contents=True) if t.path == one.path), one)
    return touch.verb == "create" if touch.from_result or touch.verb == "create" else None


_TAKES_OUT = pattern(r"(?m)^-")


def acts_of(command: str) -> Iterator[Intent]:
    """The acts of a shell command; of one that is not understood those that its words tell."""
    yield from _in_order(script(command).commands)


def _in_order(called: Iterable[Called]) -> Iterator[Intent]:
    """The acts of programs, each of which may read what the one before writes."""
    before: list[Intent] = []
    for one in called:
        found = list(_acts(one))
        only_looks = all(act.purpose is Purpose.LOOK for act in before)
        if not only_looks and any(leaf.name.endswith("tee") for leaf in Script((one,)).leaves):
            found = [act._replace(is_output=act.purpose is Purpose.EDIT) for act in found]
        yield from found
        before = found


def purposes_of_exit(command: str) -> frozenset[Purpose]:
    """What the command is for whose exit code a whole command line has; empty where that is not
    plain, as behind a pipe, a `;`, a `||`, a `!` or in the background."""
    last = ends_with(command)
    return frozenset(act.purpose for act in _acts(last)) if last else frozenset()


def _acts(one: Called) -> Iterator[Intent]:
    """The acts of a program and of those that it runs."""
    found = list(_done_by(one))
    if one.targets:
        found = [act for act in found if act.purpose != Purpose.LOOK]
        yield Intent(Purpose.EDIT, _named(one.targets), bool(found), is_new=None)
    yield from found


def _done_by(one: Called) -> Iterator[Intent]:
    rest = one.words
    if one.name and (one.base in _SEEN or not one.runs.commands):
        purpose = purpose_of(one.name, rest)
        if purpose is Purpose.FORCE:
            yield Intent(Purpose.PUSH)
        if purpose in _WRITES and (known := program(one.name)):
            yield Intent(purpose, _named(known.files(rest)), is_new=None if known.makes else False)
        elif purpose is Purpose.INSTALL:
            yield Intent(purpose, packages=_packages(rest))
        elif purpose is not None:
            yield Intent(purpose)
    for act in _in_order(one.runs.commands):
        yield act if one.base not in CONTAINERS or act.purpose in _WITHIN else Intent(Purpose.RUN)


_SEEN = frozenset({"doas", "find", "sudo"})
"""Programs that count beside those that they run."""

_WITHIN = frozenset({Purpose.TEST, Purpose.LINT, Purpose.BUILD, Purpose.LOOK})
"""What counts of a command in a container: what it writes there is not in the workspace."""


_PACKAGE = pattern(r"(@?[A-Za-z][\w./-]{0,99}?)(?:[\[=<>~!;@].{0,200})?")


def _packages(rest: list[str]) -> tuple[str, ...]:
    """The packages that are named after `install`."""
    given = plain(without_values(rest, ("-r", "-e", "-c", "-i", "--requirement")))
    after = dropwhile(lambda word: word not in INSTALLS, given)
    found = map(_PACKAGE.fullmatch, _named([*after][1:]))
    return tuple(one[1] for one in found if one)


def _named(words: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Names of files, without those that the shell would put in."""
    return tuple(word for word in words if PUT_IN not in word)

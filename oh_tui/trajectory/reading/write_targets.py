"""Where a step writes, deletes or moves files: in the workspace, outside, tests."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.intents import Intent, acts_of, tells_purpose
from oh_tui.trajectory.reading.test_files import is_code, is_test
from oh_tui.trajectory.shell.commands import Called, Script, script
from oh_tui.trajectory.shell.purpose import Purpose, plain
from oh_tui.trajectory.shell.reader import PUT_IN


class Target(StrEnum):
    """Where a step writes; a value is a word of `writes:` too."""

    WORKSPACE = "workspace"
    OUTSIDE = "outside"
    TEMPORARY = "temporary"
    TESTS = "tests"
    """Files with tests, in the workspace or not known where."""
    OLD_TESTS = "old-tests"
    """Those that were there before the step."""
    CODE = "code"
    """Files in the workspace that tests may depend on."""


class Targets(NamedTuple):
    """Where a step writes, as far as it is known."""

    known: frozenset[Target]
    may_be_elsewhere: bool
    """It may write elsewhere too."""
    may_be: frozenset[Target] = frozenset()
    """Where else it may write what it is known to write."""


IsOwn: TypeAlias = Callable[[str, bool | None], bool | None]
"""Whether the run made a file itself, by its path and what an act tells of it being new; None where
nothing tells it."""


_HOME = pattern(r"(?<![^\s=>\"'])(?:~|\$HOME|\$\{HOME\})(?=/|\s|\Z)")

_AT_HOME = "/\ue000home"
"""Stands for the home in a command, as other names that the shell puts in are not known."""

_GIT = pattern(r"\bgit\b")

_WRITES = (Purpose.EDIT, Purpose.DELETE, Purpose.MOVE)

_TEMPORARY = ("/tmp", "/private/tmp", "/var/tmp", "/var/folders", "/dev/shm")

_ROOT = "/workspace"
"""The workspace of OpenHands in a sandbox; the repository is a folder in it."""

_HOMES = ("/root", "/home/", "/Users/")


def targets_of(
    step: Step,
    acts: Sequence[Intent],
    workspace: str,
    is_own: IsOwn = lambda path, is_new: is_new,
) -> Targets:
    """Where a step with these acts writes in a run with this workspace, "" where that is not known.
    Never raises."""
    command = step.call.shell_command
    if _HOME.search(command):
        acts = tuple(acts_of(_HOME.sub(_AT_HOME, command)))
    written = [act for act in acts if act.purpose in _WRITES]
    known, may_be, made = set[Target](), set[Target](), set[str]()
    may_be_elsewhere = not tells_purpose(step, Purpose.EDIT)
    folder = folder_of(step, workspace) if any(act.paths for act in written) else None
    for act in written:
        if not act.paths and _GIT.search(command):
            known |= {Target.WORKSPACE, Target.CODE}
        elif not act.paths:  # a name that the shell puts in
            may_be_elsewhere = True
        for path in act.paths:
            where = _place(path, folder, workspace)
            may_be_elsewhere |= where is None
            known |= {where} if where else set()
            if where not in (None, Target.WORKSPACE):
                continue
            place = in_folder(path, folder)
            deletes, tests = act.purpose is Purpose.DELETE, is_test(place)
            own = act.is_new
            if deletes or (tests and own is None):
                own = place in made or is_own(place, own)
            if deletes and own:
                continue  # all is as if the run had not made it
            if where and is_code(place):
                known.add(Target.CODE)
            if tests:
                known.add(Target.TESTS)
                if act.is_new is not False and own is not False:
                    made.add(place)
                if not own:
                    (may_be if own is None else known).add(Target.OLD_TESTS)
    return Targets(frozenset(known), may_be_elsewhere, frozenset(may_be))


def in_folder(path: str, folder: str | None) -> str:
    """A path that a step names, with the folder in which it does, as far as that is known."""
    path = path[-1_000:]
    return posixpath.normpath(f"{folder}/{path}" if folder and path[:1] != "/" else path)


def may_write(step: Step, acts: Sequence[Intent]) -> bool:
    """Whether a step runs a program that is not known, which may write files."""
    return bool(step.call.shell_command) and any(act.purpose is Purpose.RUN for act in acts)


def _place(path: str, folder: str | None, workspace: str) -> Target | None:
    """None where it is not known."""
    if path.startswith(_AT_HOME):
        return Target.OUTSIDE if workspace and not workspace.startswith(_HOMES) else None
    if not path.startswith("/"):
        if folder is None:
            return None
        if not folder:
            climbs = posixpath.normpath(path).startswith("..")
            return None if climbs else Target.WORKSPACE
        path = f"{folder}/{path}"
    path = "/" + posixpath.normpath(path[:4_000]).lstrip("/")
    if _is_within(path, workspace or _ROOT):
        return Target.WORKSPACE
    if any(_is_within(path, one) for one in _TEMPORARY):
        return Target.TEMPORARY
    return Target.OUTSIDE if workspace else None


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _moves(called: Script) -> list[Called]:
    """What takes the shell of a command to another folder."""
    return [one for one in called.leaves if one.base in ("cd", "popd", "pushd")]


def folder_of(step: Step, workspace: str) -> str | None:
    """The folder in which a command writes, or an editor's relative path begins; "" for the
    workspace wherever that is; None where the command goes to and fro."""
    command = step.call.shell_command
    if not command:
        return workspace
    moves = _moves(script(command))
    if len(moves) > 1 or (moves and not command.startswith("cd ")):  # `(cd x; y)` comes back
        return None
    after = _folder_after(step.result) if step.result else ""
    if after or not moves:
        return after or workspace
    target = next(plain(moves[0].words), PUT_IN)
    if PUT_IN in target or not (workspace or target.startswith("/")):
        return None
    return target if target.startswith("/") else f"{workspace}/{target}"


def _folder_after(result: Event) -> str:
    """The folder in which a terminal is after a command; "" where it does not tell."""
    folder = text_field(result.body(), "observation", "metadata", "working_dir")
    return folder.rstrip("/") if folder.startswith("/") else ""


def workspace_of(trajectory: Trajectory) -> str:
    """The folder that a run is to work in: by the state of its server, else that of the first
    command that stays there. "" where nothing tells it."""
    found = next((folder for folder, is_sure in _folders(trajectory) if is_sure), "")
    return _ROOT if _is_within(found, _ROOT) else found


def working_folder(trajectory: Trajectory) -> str:
    """The folder in which a run works: its workspace, or the repository in that; where neither is
    known, the folder of its first command. Names within it are the same in other runs."""
    found = list(_folders(trajectory))
    return next((folder for folder, is_sure in found if is_sure), found[0][0] if found else "")


def _folders(trajectory: Trajectory) -> Iterator[tuple[str, bool]]:
    """Folders that early events and steps tell, and whether the run was put there. Ends with the
    first of these."""
    for event in trajectory.events[:_EARLY]:
        if event.key == "full_state":
            folder = text_field(event.body(), "value", "workspace", "working_dir").rstrip("/")
            if folder.startswith("/"):
                yield folder, True
                return
    for step in trajectory.steps[:_EARLY]:
        command = step.call.shell_command
        if command and step.result and (folder := _folder_after(step.result)):
            stays = not _moves(script(command))
            yield folder, stays
            if stays:
                return


_EARLY = 40
"""Events and steps of which one has to tell the workspace."""

"""What a call did to files: which it read or changed, and their text before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.difference import patch_files, unified
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step


class Touch(NamedTuple):
    """What a call did to one file. `old` and `new` are the whole text before and after: "" if the
    file did not exist, None if unknown. `hunk` holds the known lines of the diff instead."""

    path: str
    verb: str
    """read, edit, create or delete."""
    old: str | None = None
    new: str | None = None
    hunk: str = ""
    other: str = ""
    """Of a file that a patch moved: where it went, or where it came from."""
    from_result: bool = False
    """The result holds both texts; else they are taken from the call, as far as it has them."""


def may_touch(event: Event) -> bool:
    """Whether an event calls a tool that names the files it reads or changes, or is a result of
    one. Does not decode the body."""
    return (event.is_action or event.is_observation) and event.tool in _READERS


def is_read(event: Event) -> bool:
    return event.verb in ("view", "read") or event.tool == "ReadFile"


def touches(step: Step, *, contents: bool = False) -> list[Touch]:
    """The files of a successful step for which `may_touch` is true; never raises.

    Without `contents` the result is only decoded if the call does not name the file.
    """
    reader = _READERS.get(step.event.tool)
    return reader(step, contents) if reader else []


def _text(value: dict[str, object], name: str) -> str | None:
    text = value.get(name)
    return text if isinstance(text, str) else None


def _piece(old: str, new: str) -> str:
    """The diff of two parts of a file, whose last lines are not the end of the file."""
    old, new = (text if not text or text.endswith("\n") else f"{text}\n" for text in (old, new))
    return unified(old, new, first=0)


def _file(step: Step, contents: bool) -> list[Touch]:
    """An editor call for one file. The SDK's editor has `path`, its Gemini tools `file_path`; both
    have the file before and after in the observation."""
    call = step.call
    path = call.path
    changes = not is_read(step.event)
    seen = call.answer if (contents and changes) or not path else {}
    path = path or text_field(seen, "path") or text_field(seen, "file_path")
    if not path:
        return []
    if not changes:
        return [Touch(path, "read")]
    old, new = _text(seen, "old_content"), _text(seen, "new_content")
    creates = step.event.verb == "create"
    whole = _text(call.input, "content" if call.tool == "WriteFile" else "file_text")
    from_result = new is not None
    new = whole if new is None else new
    is_new = creates or field(seen, "is_new_file") is True or field(seen, "prev_exist") is False
    if old is None and is_new:
        return [Touch(path, "create", "", new, from_result=from_result)]
    hunk = ""
    if contents and (old is None or new is None):
        before = text_field(call.given, "old_str") or text_field(call.given, "old_string")
        after = text_field(call.given, "new_str") or text_field(call.given, "new_string")
        hunk = _piece(before, after or whole or "")
    return [Touch(path, "edit", old, new, hunk, from_result=from_result)]


def _patch(step: Step, contents: bool) -> list[Touch]:
    """A patch of several files. Its observation may hold them whole, in `commit`."""
    call, changes = step.call, None
    patch = text_field(call.given, "patch")
    if contents or not patch:
        changes = field(call.answer, "commit", "changes")
    found: list[Touch] = []
    for path, change in changes.items() if isinstance(changes, dict) else ():
        old, new = text_field(change, "old_content"), text_field(change, "new_content")
        verb = {"add": "create", "delete": "delete"}.get(text_field(change, "type"), "edit")
        moved = text_field(change, "move_path")
        if moved:
            found.append(Touch(str(path), "delete", old, "", other=moved, from_result=True))
            found.append(Touch(moved, "create", "", new, other=str(path), from_result=True))
        else:
            found.append(Touch(str(path), verb, old, new, from_result=True))
    if changes:
        return found
    for verb, path, text in patch_files(patch):
        if to := _MOVED.match(text):
            hunk = text[to.end() :]
            found.append(Touch(path, "delete", None, "", other=to[1]))
            found.append(Touch(to[1], "create", "", None, hunk, other=path))
        elif verb == "add":
            lines = [line[1:] for line in text.split("\n") if line[:1] == "+"]
            found.append(Touch(path, "create", "", "".join(f"{line}\n" for line in lines)))
        elif verb == "delete":
            found.append(Touch(path, "delete", None, ""))
        elif path:
            head, mark, hunk = text.partition("\n@@") if "\n--- " in f"\n{text}" else ("", "", text)
            found.append(Touch(path, "edit", None, None, f"@@{hunk}" if mark else hunk or head))
    return found


_MOVED = pattern(r"\*\*\* Move to: ([^\n]+)\n?")


def _reported(step: Step, contents: bool) -> list[Touch]:
    """A call of another agent, which reports its changes as blocks of type `diff`."""
    call = step.call
    if call.answer.get("status") in ("failed", "cancelled"):
        return []
    found: list[Touch] = []
    for block in list_field(call.answer, "content"):
        path = text_field(block, "path")
        if path and text_field(block, "type") == "diff":
            hunk = _piece(text_field(block, "oldText"), text_field(block, "newText"))
            found.append(Touch(path, "edit", hunk=hunk))
    if found or not call.path:
        return found
    if call.event.verb == "read":
        return [Touch(call.path, "read")]
    if call.event.verb == "delete":
        return [Touch(call.path, "delete", None, "")]
    after = text_field(call.given, "new_string") or text_field(call.given, "content")
    return [Touch(call.path, "edit", hunk=_piece(text_field(call.given, "old_string"), after))]


_READERS: dict[str, Callable[[Step, bool], list[Touch]]] = {
    "FileEditor": _file,
    "Edit": _file,
    "WriteFile": _file,
    "ReadFile": _file,
    "ApplyPatch": _patch,
    "ACP read": _reported,
    "ACP edit": _reported,
    "ACP delete": _reported,
    "ACP move": _reported,
}
"""By tool."""

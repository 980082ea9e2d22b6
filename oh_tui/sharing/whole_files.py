"""The files whose whole text a step has."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.file_operations import Touch, is_read, may_touch, touches


def whole_files(
    step: Step, *, contents: bool = True, views: bool = True, diffs: bool = False
) -> Iterator[str]:
    """Those that its call writes, with `contents` also where its result has them, with `views` also
    where that shows them. With `diffs` only what differs is seen of an edit."""
    if not may_touch(step.event):
        return
    for touch in touches(step, contents=contents):
        if touch.verb == "read":
            has_it = views and _shows_whole(step)
        elif diffs and touch.verb == "edit":
            has_it = _is_whole_in_diff(touch)
        else:
            has_it = bool(touch.old or touch.new)
        if has_it:
            yield shown_path(touch.path)


def _is_whole_in_diff(touch: Touch) -> bool:
    if touch.old is None or touch.new is None:
        return bool(touch.new)
    lines = unified(touch.old, touch.new).split("\n")
    return 0 < touch.new.count("\n") <= sum(line[:1] in (" ", "+") for line in lines)


_PARTS_OF = ("view_range", "offset", "limit", "start_line", "end_line", "lines_shown")


def _shows_whole(step: Step) -> bool:
    call, result = step.call, step.result or step.event
    if any(call.input.get(name) for name in _PARTS_OF):
        return False
    if result.failed or not is_read(step.event):
        return False
    if call.answer.get("file_content"):
        return not call.answer.get("is_truncated")
    is_reported = step.event.is_reported and bool(call.answer.get("raw_output"))
    return is_reported or _NUMBERED.search(call.output()[:2000]) is not None


_NUMBERED = pattern(r"(?m)^ {0,12}1\t")

"""What leaves in the formats that have the events of a run: Markdown, a page, JSON lines, ATIF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from oh_tui.catalog.tags import tag_words
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.what_leaves import WhatLeaves, add, texts_in
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.images import find_images
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.file_operations import Touch, is_read, may_touch, touches

Wanted: TypeAlias = Callable[[int], bool]
"""Is told how many steps were looked at, and says whether to go on."""


def always(steps: int) -> bool:
    return True


UNFINISHED = "What leaves was not looked at to the end"


class Extent(NamedTuple):
    """How much of a run a format has."""

    sub_agents: bool = False
    """Of a whole run what they did; it is told by the step that started them."""
    patch: bool = False
    """Of a whole run the patch that it handed in."""
    diffs: bool = False
    """Of the two texts of an edit how they differ, and no names of tools."""
    is_left_out: Callable[[Event], bool] = lambda event: False
    """Which hidden events it has not."""


STEPS = Extent()
"""The steps of the run, their events whole."""


def what_leaves(
    run: SharedRun,
    extent: Extent = STEPS,
    head: Iterable[str | None] = (),
    is_wanted: Wanted = always,
) -> WhatLeaves:
    """Reads each event that is written once, and the texts of the `head`. Raises Problem once it
    is not wanted any more."""
    reading = _Reading(WhatLeaves(len(run.steps)), extent, is_wanted)
    with_sub_agents = extent.sub_agents and not run.is_part
    for step in run.steps:
        reading.step(step, step.number)
        for started in run.study.sub_runs.of(step) if with_sub_agents else ():
            reading.sub_agent(started, step.number)
        if note := run.kept.step_notes.get(step.event.id, ""):
            reading.found.take([note], step.number)
    for started in run.study.sub_runs.loose if with_sub_agents else ():
        reading.sub_agent(started, 0)
    for event in run.others:
        if not extent.is_left_out(event):
            reading.event(event, 0)
    reading.found.take(filter(None, head), 0)
    if extent.patch and not run.is_part:
        _patch(reading.found, run.study)
    return reading.found


def head_of(run: SharedRun) -> list[str | None]:
    """What Markdown tells of a run before its steps."""
    about = run.conversation
    return [
        about.title,
        about.selected_repository,
        about.llm_model,
        run.note,
        run.kept.note,
        *tag_words(run.kept.tags),
    ]


def head_of_page(run: SharedRun) -> list[str | None]:
    agent = run.study.trajectory.recorded.agent
    return [*head_of(run), run.conversation.selected_branch, agent]


class _Reading(NamedTuple):
    found: WhatLeaves
    extent: Extent
    is_wanted: Wanted

    def sub_agent(self, run: SubRun, number: int) -> None:
        """With those below it."""
        for one in (run, *run.sub_runs.all()):
            if one.note:
                self.found.take([one.note], number)
            for step in one.trajectory.steps:
                self.step(step, number)

    def step(self, step: Step, number: int) -> None:
        if not self.is_wanted(number):
            raise Problem(UNFINISHED)
        for path in whole_files(step, self._is_whole):
            add(self.found.files, path, number)
        for event in (step.event, *step.results):
            self.event(event, number)

    def event(self, event: Event, number: int) -> None:
        body = event.body()
        self.found.images += len(find_images(body))
        if self.extent.diffs:
            body = {name: inner for name, inner in body.items() if name != "tool_name"}
            body = _shown(body) if may_touch(event) else body
        by_name: Counter[str] = Counter()
        self.found.take(dict.fromkeys(texts_in(body, by_name)), number, by_name)

    def _is_whole(self, touch: Touch) -> bool:
        if not self.extent.diffs or touch.verb != "edit":
            return _is_written(touch)
        if touch.old is None or touch.new is None:
            return bool(touch.new)
        lines = unified(touch.old, touch.new).split("\n")
        return 0 < touch.new.count("\n") <= sum(line[:1] in (" ", "+") for line in lines)


_EDITS = (("old_content", "new_content"), ("oldText", "newText"))
"""Fields with a file before and after an edit."""


def _shown(value: Any, depth: int = 0) -> Any:
    """Decoded JSON with the diffs of edits in place of their two texts."""
    if isinstance(value, list):
        return [_shown(inner, depth + 1) for inner in value] if depth < _DEEP else value
    if not isinstance(value, dict) or depth > _DEEP:
        return value
    for before, after in _EDITS:
        old, new = value.get(before), value.get(after)
        if isinstance(old, str) and isinstance(new, str) and old:
            value = value | {before: "", after: unified(old, new)}
    return {name: _shown(inner, depth + 1) for name, inner in value.items()}


_DEEP = 4
"""How deep in an event the texts of edits are."""


# files


def _is_written(touch: Touch) -> bool:
    return bool(touch.old) or bool(touch.new)


def whole_files(
    step: Step,
    is_whole: Callable[[Touch], bool] = _is_written,
    *,
    contents: bool = True,
    views: bool = True,
) -> Iterator[str]:
    """The files whose whole text a step has: written by its call, with `contents` also where its
    result has them, with `views` also where that shows them."""
    if not may_touch(step.event):
        return
    for touch in touches(step, contents=contents):
        if touch.verb == "read":
            has_it = views and _shows_whole(step)
        else:
            has_it = is_whole(touch)
        if has_it:
            yield shown_path(touch.path)


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


def _patch(found: WhatLeaves, study: Study) -> None:
    for file in study.changes.patch:
        if file.letter in ("A", "D") and file.hunks:
            add(found.files, shown_path(file.path), 0)
    found.take([study.trajectory.recorded.patch], 0)

"""The steps of a run that match a query, each with the line that shows why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from oh_tui.text.clean import clean_line, cleaned_pieces
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import hide_split, redacted_pieces
from oh_tui.text.regex import Regex
from oh_tui.trajectory.findings.study import Study, SubRuns
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.fields import Annotations
from oh_tui.trajectory.search.scan import Needle, Said, finish, said_by_step
from oh_tui.trajectory.search.step_filter import Query

LONGEST = 240
"""Characters of a line that are shown, around its match."""

_OF_FILE = pattern(r"\A(\d{1,9})\t")
"""The number that `cat -n` and the viewer of files write before a line."""


class Hit(msgspec.Struct, frozen=True):
    """A step that matches. All its texts are clean, without secrets and on one line."""

    step: int
    """Its number in its own run."""
    path: str
    """Its number in the whole run: `12`, or `12.3` in a sub-agent."""
    above: str
    """The event that started the sub-agent; "" for a step of the run itself, or if that event is
    unknown."""
    event_id: str
    """The event that has the line."""
    where: str
    """"call" (also a message or an error), "result", or "row" if only the row has it."""
    line: str
    at: int
    """Approximate position of the match in `line`."""
    shown: str
    """The row of the step."""
    outcome: Outcome

    @property
    def is_of_sub_agent(self) -> bool:
        return "." in self.path


class RunPart(NamedTuple):
    study: Study
    above: str = ""
    """The event of the run that started the sub-agent; "" if unknown."""


def sub_agents(study: Study) -> tuple[list[RunPart], int]:
    """Reads the runs of all sub-agents. Returns them and how many cannot be read whole."""
    run, found, unread = study.trajectory, list[RunPart](), 0

    def add(runs: SubRuns, above: str | None = None) -> None:
        nonlocal unread
        for one in runs.runs:
            started = run.steps[one.step - 1].event.id if above is None and one.step else above
            found.append(RunPart(one, started or ""))
            unread += bool(one.note)
            add(one.sub_runs, started or "")

    if run.sub_agents:
        add(study.sub_runs)
    return found, unread


def hits(part: RunPart, query: Query, annotations: Annotations | None = None) -> Iterator[Hit]:
    study = part.study
    for step in study.trajectory.steps:
        if query.matches(step, study.trajectory, study, annotations):
            yield _hit(step, part, query)


def _hit(step: Step, part: RunPart, query: Query) -> Hit:
    run = part.study.trajectory
    said = said_by_step(step, run)
    event, where, line, at = step.event, "row", said.shown, 0
    row = "  ".join(filter(None, map(clean_line, (said.about.what, said.about.result))))
    if texts := query.texts:
        place, line, at = _first(said, texts[0])
        if place is not None:
            event = (step.event, *step.results)[place]
            where = "result" if place else "call"
    return Hit(
        step.number,
        f"{part.study.path}{step.number}",
        part.above,
        event.id,
        where,
        row if where == "row" else clean_line(_OF_FILE.sub(r"\1: ", line)),
        len(clean_line(line[:at])),
        row,
        run.outcome(step),
    )


def step_of(run: Trajectory, hit: Hit) -> tuple[Step, Trajectory] | None:
    """The step of a hit, and the run that contains it, which may be that of a sub-agent."""
    study = Study(run)
    for one in [part.study for part in sub_agents(study)[0]] if hit.is_of_sub_agent else [study]:
        if f"{one.path}{hit.step}" == hit.path and (step := one.trajectory.step_of(hit.event_id)):
            return step, one.trajectory
    return None


def _first(said: Said, wanted: Needle | Regex) -> tuple[int | None, str, int]:
    """The first event with a match, its line, the place in it; no event: the row alone matches."""
    for place in range(len(said.events)):
        for text in said.texts(place):
            if found := _in_text(text, wanted):
                return place, *found
    return None, said.shown, 0


def _in_text(text: str, wanted: Needle | Regex) -> tuple[str, int] | None:
    """The matching line of a text, cut around it, and where the match is; None without one."""
    before = ""
    for piece in redacted_pieces("".join(cleaned_pieces(hide_split(text)))):
        lines = piece.removesuffix("\n")
        if isinstance(wanted, Regex):
            line = finish(wanted.search(lines))
            found = _cut(*line) if line else None
        else:
            found = _line_with(lines, wanted.text, before)
            before = lines[-2 * len(wanted.text) - 200 :] + "\n"
        if found is not None:
            return found
    return None


def _line_with(text: str, needle: str, before: str) -> tuple[str, int] | None:
    """The line with the needle; several joined if a match spans them, also from `before`."""
    low = text.lower()
    if (start := low.find(needle)) >= 0:
        if "\n" not in needle:
            begin = low.rfind("\n", 0, start) + 1
            return _cut(text.split("\n")[low.count("\n", 0, start)], start - begin)
    elif " " not in needle:
        return None
    joined = " ".join((before + text).split())
    start = joined.lower().find(" ".join(needle.split()))
    return None if start < 0 else _cut(joined, start)


def _cut(line: str, start: int) -> tuple[str, int]:
    first = max(0, start - 60) if len(line) > LONGEST else 0  # of these so many before the match
    if first and (space := line.find(" ", first, start)) >= 0:
        first = space + 1  # at the beginning of a word
    cut = line[first : first + LONGEST]
    before = "..." if first else ""
    after = "..." if first + LONGEST < len(line) else ""
    at = len(before) + len(cut[: start - first].lstrip())
    return before + cut.strip() + after, at

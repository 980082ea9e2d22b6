"""Tools over one run: how it ended, its steps, what the model saw, and the files it changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from oh_tui.batch.reports.seen import as_read, last_known, standing
from oh_tui.documents.changed_files import blame_report, changed_by, point_in_time, report_at
from oh_tui.documents.context import report as context_report
from oh_tui.documents.context import seen_at
from oh_tui.documents.run import step_json, step_with_sub_agents_json, sub_agent_json
from oh_tui.documents.steps import head_json, matching, say_unjudged, step_in
from oh_tui.documents.why import report
from oh_tui.mcp.across_runs import without_place
from oh_tui.mcp.answers import MOST, Found, Rows, as_json, paged, plain
from oh_tui.mcp.arguments import At, OfSteps, Path
from oh_tui.mcp.session import Read
from oh_tui.mcp.tools import tool
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import in_background, say
from oh_tui.trajectory.changes.at_step import files_then, text_of
from oh_tui.trajectory.changes.blame import blame as blame_lines
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.markdown import step_markdown
from oh_tui.trajectory.search.step_filter import parse, suggest

Row = tuple[Study, Step]


def _word(step: int | str | None) -> str:
    return "" if step is None else str(step)


@tool()
def why(read: Read) -> Found:
    """How a run ended and why: the verdict with its steps, what came before, first trouble. Begin
    here."""
    reader, study = read.reader, read.study
    now = standing(reader, read.conversation, study)
    return Found({**report(as_read(reader, read.conversation, study), study, now)})


@tool(limit=50)
def steps(
    read: Read,
    words: OfSteps = "",
    first: Annotated[int, Field(description="number of the first step")] = 1,
    last: Annotated[int | None, Field(description="number of the last step")] = None,
) -> Found:
    """What happened, step by step, a line each, with times, cost and marks such as loop. Words
    narrow it; first and last give a range."""
    study, query = read.study, parse(words)
    conversation = as_read(read.reader, read.conversation, study)
    kept = read.reader.annotations().of(conversation)
    now = standing(read.reader, conversation, study)
    last = len(study.trajectory) if last is None else last
    found = [s for s in matching(study, query, kept) if first <= s.number <= last]
    say_unjudged(query.gave_up, query.unknown(study))
    if not found and (hint := suggest(query, study.trajectory)):
        say(f"no steps match: {hint}")
    known = last_known(read.reader, conversation, now)
    about = head_json(conversation, known, study, now, kept, len(found))
    head: dict[str, Any] = {**about, "conversation": without_place(about["conversation"])}
    rows: list[Row] = [(study, step) for step in found]
    if query.empty:
        rows = [row for step in found for row in _with_children(study, step)]
        if loose := study.sub_runs.loose:
            head["sub_agents"] = [sub_agent_json(run) for run in loose]
            rows += (row for run in loose for row in _of_sub_agent(run))

    def item(row: Row) -> dict[str, object]:
        of, step = row
        document = step_with_sub_agents_json(of, step, kept)
        if of.path:
            document["path"] = f"{of.path}{step.number}"
        return {"steps": document}

    return Found(head, Rows(("steps",), rows, lambda row: f"{row[0].path}{row[1].event.id}", item))


def _with_children(study: Study, step: Step) -> Iterator[Row]:
    """A step, and behind it those of the sub-agents that it started."""
    yield study, step
    for run in study.sub_runs.of(step):
        yield from _of_sub_agent(run)


def _of_sub_agent(run: SubRun) -> Iterator[Row]:
    for step in run.trajectory.steps:
        yield from _with_children(run, step)
    for one in run.sub_runs.loose:
        yield from _of_sub_agent(one)


@tool(limit=0)
def step(read: Read, step: At) -> Found:
    """One step in full: the call with its thought and the whole result, as Markdown."""
    study, found = step_in(read.study, _word(step))
    kept = read.reader.annotations().of(read.conversation)
    text = step_markdown(found, study.trajectory.outcome(found))
    return Found({"step": step_json(study, found, kept)}, raw=text)


@tool(limit=50)
async def context(
    read: Read,
    step: Annotated[
        At | None, Field(description="a step; without it the last answer of the model")
    ] = None,
    since: Annotated[
        At | None, Field(description="also what came and went since the context of this step")
    ] = None,
    message: Annotated[
        int | None,
        Field(ge=0, description="place of a message in the list, from 0: it alone, as JSON"),
    ] = None,
) -> Found:
    """What the model saw when it made a step: the messages in its context."""
    seen = await seen_at(
        read.reader.source, read.conversation, read.study, _word(step), _word(since)
    )
    document = await in_background(partial(context_report, *seen))
    messages, about = document.pop("messages"), document.pop("about")
    pairs = list(zip(messages, about, strict=True))
    if message is not None:
        if message >= len(pairs):
            raise Problem(f"This context has no message {message}", f"0 to {len(pairs) - 1}")
        alone, of = pairs[message]
        return Found({"about": [of]}, raw=as_json(plain(alone)))

    rows = Rows(
        ("messages", "about"),
        pairs,
        lambda pair: " ".join(pair[1]["event_ids"]),
        lambda pair: {"messages": pair[0], "about": pair[1]},
    )
    return Found(document, rows)


@tool(limit=50)
async def changes(
    read: Read,
    step: Annotated[At | None, Field(description="as of this step; without it at the end")] = None,
) -> Found:
    """Which files a run changed, by how much and in which steps; at the end or at a step."""
    if step is None:
        changed = await changed_by(read.reader.source, read.conversation, read.study)
        head = changed.document()
    else:
        files, at = read.study.files, _word(step)
        then = partial(files_then, files.files, point_in_time(files, at))
        head = report_at(at, list(await in_background(then)))
    return paged(head, lambda row: str(row["path"]), "files")


AfterStep = Annotated[
    At | None, Field(description="as it was after this step; without it at the end")
]


@tool(limit=0)
def file_at(read: Read, path: Path, step: AfterStep = None) -> Found:
    """The text of a file as it was after a step, with what is certain of it: `exists` is null and
    `known` is false where no event tells it."""
    files = read.study.files
    file = files.named(path)
    state = file.at(point_in_time(files, _word(step)))
    text = text_of(state)
    head = {
        "path": file.shown,
        "at": _word(step) or None,
        "exists": state.exists,
        "certain": state.certain,
        "state": state.words,
        "known": text is not None,
    }
    return Found(head, raw=text or "")


@tool(limit=MOST)
def blame(
    read: Read,
    path: Path,
    step: AfterStep = None,
    first: Annotated[int, Field(description="number of the first line")] = 1,
    last: Annotated[int | None, Field(description="number of the last line")] = None,
    text: Annotated[str, Field(description="only lines with this in them")] = "",
) -> Found:
    """Which step wrote each line of a file; `first` and `last` or `text` name the lines."""
    files, at = read.study.files, _word(step)
    file = files.named(path)
    found = blame_lines(files, file, file.at(point_in_time(files, at)))
    head: dict[str, Any] = {**blame_report(file, at, found)}
    lines, last = head["lines"], len(head["lines"]) if last is None else last
    head["lines"] = [
        row
        for row in lines[max(0, first - 1) : max(0, last)]
        if not text or text in plain(row["text"])  # no secret can be guessed by what is found
    ]
    if lines and not head["lines"]:
        say(f"none of the {len(lines):,} lines is one of these")
    return paged(head, lambda row: f"{row['line']} {row['text']}", "lines")

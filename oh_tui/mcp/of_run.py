"""Tools over one run: how it ended, its steps, what the model saw, and the files it changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from oh_tui.batch.reports.seen import as_read, last_known, standing
from oh_tui.documents.changed_files import blame_report, changed_by, point_in_time, report_at
from oh_tui.documents.context import report as context_report
from oh_tui.documents.context import seen_at
from oh_tui.documents.run import step_json, step_with_sub_agents_json, sub_agent_json
from oh_tui.documents.steps import head_json, matching, say_unjudged, step_in
from oh_tui.documents.why import report
from oh_tui.mcp import arguments
from oh_tui.mcp.across_runs import without_place
from oh_tui.mcp.answers import Found, Rows, as_json, paged, plain
from oh_tui.mcp.session import Read, Session
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import in_background, say
from oh_tui.trajectory.changes.at_step import files_then, text_of
from oh_tui.trajectory.changes.blame import blame as blame_lines
from oh_tui.trajectory.changes.history import Files
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.model.steps import Step as RunStep
from oh_tui.trajectory.presentation.markdown import step_markdown
from oh_tui.trajectory.search.step_filter import parse
from oh_tui.trajectory.search.suggestions import suggest

A = TypeVar("A", bound=arguments.OfRun)

Row = tuple[Study, RunStep]


def word(step: int | str | None) -> str:
    """A step as the words of a command name it, "" for none."""
    return "" if step is None else str(step)


def _of_run(work: Callable[[Read, A], Found]) -> Callable[[Session, A], Awaitable[Found]]:
    """A tool that works on the run that is named, in a thread."""

    async def tool(session: Session, asked: A) -> Found:
        read = await session.read(asked.run, asked.branch)
        return await in_background(partial(work, read, asked))

    return tool


@_of_run
def why(read: Read, _asked: arguments.Why) -> Found:
    reader, study = read.reader, read.study
    now = standing(reader, read.conversation, study)
    return Found(report(as_read(reader, read.conversation, study), study, now))


@_of_run
def steps(read: Read, asked: arguments.Steps) -> Found:
    study, query = read.study, parse(asked.words)
    conversation = as_read(read.reader, read.conversation, study)
    kept = read.reader.annotations().of(conversation)
    now = standing(read.reader, conversation, study)
    last = len(study.trajectory) if asked.last is None else asked.last
    found = [s for s in matching(study, query, kept) if asked.first <= s.number <= last]
    say_unjudged(query.gave_up, query.unknown(study))
    if not found and (hint := suggest(query, study.trajectory)):
        say(f"no steps match: {hint}")
    head = head_json(
        conversation, last_known(read.reader, conversation, now), study, now, kept, len(found)
    )
    head["conversation"] = without_place(head["conversation"])
    rows: list[Row] = [(study, step) for step in found]
    if query.empty:
        rows = [row for step in found for row in _with_children(study, step)]
        if loose := study.sub_runs.loose:
            head["sub_agents"] = [sub_agent_json(run) for run in loose]
            rows += (row for run in loose for row in _of_sub_agent(run))

    def item(row: Row) -> dict[str, object]:
        of, step = row
        document = step_with_sub_agents_json(of, step, kept)
        return {"steps": document | ({"path": f"{of.path}{step.number}"} if of.path else {})}

    return Found(head, Rows(("steps",), rows, lambda row: f"{row[0].path}{row[1].event.id}", item))


def _with_children(study: Study, step: RunStep) -> Iterator[Row]:
    """A step, and behind it those of the sub-agents that it started."""
    yield study, step
    for run in study.sub_runs.of(step):
        yield from _of_sub_agent(run)


def _of_sub_agent(run: SubRun) -> Iterator[Row]:
    for step in run.trajectory.steps:
        yield from _with_children(run, step)
    for one in run.sub_runs.loose:
        yield from _of_sub_agent(one)


@_of_run
def step(read: Read, asked: arguments.Step) -> Found:
    study, found = step_in(read.study, word(asked.step))
    kept = read.reader.annotations().of(read.conversation)
    text = step_markdown(found, study.trajectory.outcome(found))
    return Found({"step": step_json(study, found, kept)}, text=text)


async def context(session: Session, asked: arguments.Context) -> Found:
    read = await session.read(asked.run, asked.branch)
    seen = await seen_at(
        read.reader.source, read.conversation, read.study, word(asked.step), word(asked.since)
    )
    document = await in_background(partial(context_report, *seen))
    messages, about = document.pop("messages"), document.pop("about")
    pairs = list(zip(messages, about, strict=True))
    if asked.message is not None:
        if not 0 <= asked.message < len(pairs):
            raise Problem(f"This context has no message {asked.message}", f"0 to {len(pairs) - 1}")
        message, of = pairs[asked.message]
        return Found({"about": [of]}, text=as_json(plain(message)))

    def key(pair: tuple[Any, dict[str, Any]]) -> str:
        return " ".join(pair[1]["event_ids"])

    def item(pair: tuple[Any, dict[str, Any]]) -> dict[str, object]:
        return {"messages": pair[0], "about": pair[1]}

    return Found(document, Rows(("messages", "about"), pairs, key, item))


async def changes(session: Session, asked: arguments.Changes) -> Found:
    read = await session.read(asked.run, asked.branch)
    if asked.step is None:
        changed = await changed_by(read.reader.source, read.conversation, read.study)
        head = changed.document()
    else:
        head = await in_background(partial(_changes_at, read.study.files, word(asked.step)))
    return paged(head, lambda row: str(row["path"]), "files")


def _changes_at(files: Files, step: str) -> dict[str, object]:
    return report_at(step, list(files_then(files.files, point_in_time(files, step))))


@_of_run
def file_at(read: Read, asked: arguments.FileAt) -> Found:
    files = read.study.files
    file = files.named(asked.path)
    state = file.at(point_in_time(files, word(asked.step)))
    text = text_of(state)
    head = {
        "path": file.shown,
        "at": word(asked.step) or None,
        "exists": state.exists,
        "certain": state.certain,
        "state": state.words,
        "known": text is not None,
    }
    return Found(head, text=text or "")


@_of_run
def blame(read: Read, asked: arguments.Blame) -> Found:
    files, at = read.study.files, word(asked.step)
    file = files.named(asked.path)
    found = blame_lines(files, file, file.at(point_in_time(files, at)))
    head = blame_report(file, at, found)
    return paged(head, lambda row: f"{row['line']} {row['text']}", "lines")

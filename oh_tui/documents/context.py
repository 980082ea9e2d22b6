"""What stood in the context of the model at a step."""

from __future__ import annotations

from typing import Any, NamedTuple

from oh_tui.conversation import Conversation
from oh_tui.documents.steps import step_in
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.chat import usage_of
from oh_tui.trajectory.context.context import Answer, Context, Difference
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.findings.study import Study


class SeenAt(NamedTuple):
    """A context, what differs from that of another answer, and the run or sub-agent of both."""

    study: Study
    seen: Context
    other: Answer | None
    differs: Difference | None


async def seen_at(
    source: Source, conversation: Conversation, run: Study, at: str, since: str
) -> SeenAt:
    """What the model saw when it made a step, and what is new `since` another. Raises Problem."""
    study, answer = _answer(run, at)
    of_other, other = _answer(run, since) if since else (study, None)
    if of_other is not study:
        raise Problem("The two steps are of different agents", "name two steps of one")
    if study.contexts.needs_version:
        study.contexts.written_by(await server_version(source, conversation))
    seen = study.contexts.at(answer)
    differs = study.contexts.difference(other, answer) if other else None
    return SeenAt(study, seen, other, differs)


async def server_version(source: Source, conversation: Conversation) -> str:
    """The version of the server that the run is on; "" without one that answers."""
    if source.workspaces is None:
        return ""
    try:
        return await source.workspaces.version(conversation)
    except Problem as problem:
        say(problem.sentence)
        return ""


def _answer(run: Study, wanted: str) -> tuple[Study, Answer]:
    """The answer that made a step, with the run or the sub-agent that it is of; the last answer
    of the run where no step is named. Raises Problem."""
    if not wanted:
        if not (answers := run.contexts.answers):
            gaps = run.contexts.gaps if run.contexts.keeps_own_context else ()
            hint = gaps[0].about if gaps else "the model has not answered yet"
            raise Problem("No answer of the model has a context here", hint)
        return run, answers[-1]
    study, step = step_in(run, wanted)
    return study, study.contexts.made(step.number)


def report(
    study: Study, seen: Context, other: Answer | None = None, differs: Difference | None = None
) -> dict[str, Any]:
    """What `--json` prints. Its texts are raw until they are printed."""
    answer, rules, messages = seen.answer, seen.rules, list(seen.messages)
    document = {
        "step": _step(study, answer.step),
        "event_id": answer.event_id,
        "rules": {"name": rules.name, "why": rules.sentence, "certain": rules.is_certain},
        "gaps": [{"name": gap.name, "about": gap.about} for gap in seen.gaps],
        "usage": usage_of(answer, study.accounts.reported),
        "messages": [message.dump() for message in messages],
        "about": [_about(study, message) | {"new": message.is_new} for message in messages],
    }
    if other is None or differs is None:
        return document
    places = {part: n for n, one in enumerate(messages) for part in (one, *one.parts)}
    return document | {
        "difference": {
            "from": _step(study, other.step),
            "came": sorted({places[part] for part in differs.came}),
            "went": [
                _about(study, one)
                | {"forgotten_by": _step(study, one.forgotten_by), "message": one.dump()}
                for one in differs.went
            ],
            "replaced": [
                {"by": places[by], "event_ids": [name for one in gone for name in one.event_ids]}
                for by, gone in differs.replaced
            ],
        }
    }


def _step(study: Study, number: int) -> int | str | None:
    """The number of a step, of a sub-agent its path; None for 0."""
    return (f"{study.path}{number}" if study.path else number) if number else None


def _about(study: Study, message: Message) -> dict[str, Any]:
    return {
        "step": _step(study, next(iter(message.steps), 0)),
        "event_ids": list(message.event_ids),
        "chars": message.chars,
    }

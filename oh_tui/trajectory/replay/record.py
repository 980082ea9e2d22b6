"""The answers of a recorded run by what stands before each in the request that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.context.message import MODEL
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import blocks_text, list_field, text_field
from oh_tui.trajectory.replay.requests import Key, Said, key_of, key_of_answer, recorded, task_of

_MALFORMED = "_openhands_malformed_tool_call"
"""In the arguments that the SDK could not read, since 1.28 (measured)."""

_AT = pattern(r"\(char (\d{1,9})\)")


class Given(NamedTuple):
    """An answer in the words of the record."""

    text: str
    calls: tuple[dict[str, str], ...] = ()
    """Each with `id`, `name` and `arguments`."""
    thoughts: Mapping[str, Any] = MappingProxyType({})
    response: str = ""
    """Its id, "" where none is recorded."""
    tokens: tuple[int, int] = (0, 0)
    """In and out; 0 where they are not recorded."""
    seconds: float = 0.0
    """How long the model took; 0 where it is not recorded."""


class Record:
    """A run or a sub-agent, and what its model answered."""

    def __init__(self, study: Study, most: int | None = None) -> None:
        """Of its first `most` answers; of all by default."""
        self.study = study
        self.path = study.path
        """What the numbers of its steps begin with; "" for the run itself."""
        self.answers: Sequence[Answer] = study.contexts.answers[:most]
        self.task = task_of(self.context(0)) if self.answers else ""
        """The first words of a user."""
        condensed = (event.body() for event in study.trajectory.events if event.is_condensation)
        self.summaries = [
            Given(text, response=text_field(body, "llm_response_id"))
            for body in condensed
            if (text := text_field(body, "summary"))
        ]
        """What the condenser answered, in order."""

    def context(self, number: int) -> list[Said]:
        """What the model saw at the answer of this place."""
        return [recorded(one) for one in self.study.contexts.at(self.answers[number]).messages]

    def before(self, number: int) -> Key:
        """What its model said last before this answer, as its context has it."""
        messages = self.study.contexts.at(self.answers[number]).messages
        last = next((one for one in reversed(messages) if one.kind == MODEL), None)
        return key_of([recorded(last)]) if last else ()

    def after(self, number: int) -> Key:
        """What an answer itself says."""
        reply = self.study.contexts.reply(self.answers[number])
        return key_of_answer(reply.dump())

    def given(self, number: int) -> Given:
        answer = self.answers[number]
        body = self.study.contexts.reply(answer).dump()
        usage = answer.usage
        return Given(
            blocks_text(body["content"], image=""),
            tuple(
                {
                    "id": text_field(call, "id"),
                    "name": text_field(call, "name"),
                    "arguments": _arguments(text_field(call, "arguments")),
                }
                for call in list_field(body, "tool_calls")
            ),
            {n: body[n] for n in ("reasoning_content", "thinking_blocks") if body.get(n)},
            answer.response,
            (usage.prompt, usage.completion) if usage else (0, 0),
            usage.llm if usage else 0.0,
        )


def records_of(study: Study, most: int | None = None) -> Iterator[Record]:
    """Of a run, of its first `most` answers, and of all sub-agents that these are known to have."""
    yield Record(study, most)
    later = study.contexts.answers[most:] if most else ()
    for run in study.sub_runs.runs:
        if not later or run.step < later[0].step:
            yield from map(Record, (run, *run.sub_runs.all()))


def _arguments(text: str) -> str:
    """Those of a call. Where the record lost a text that is no JSON, another that cannot be read at
    the same place, so that the tool tells the same error."""
    if _MALFORMED not in text:
        return text
    found = _AT.search(text)
    return "{" + " " * min(max(int(found[1]) - 1, 0) if found else 0, 1_000_000) + "x"

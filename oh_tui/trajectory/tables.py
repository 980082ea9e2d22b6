"""The columns of the tables that `docs/tables.md` describes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import msgspec

from oh_tui.text.redact import hide_keys, masked


class _Row(msgspec.Struct, frozen=True, gc=False):
    """Whatever it is made of, a row has no secret in it: rows leave, into the index and exports."""

    def __post_init__(self) -> None:
        names, values_of = _texts(type(self))
        together = "\n".join(values_of(self))  # a call for each would take a fifth of all time
        if masked(together) == together:
            return
        for name, text in zip(names, values_of(self), strict=True):
            msgspec.structs.force_setattr(self, name, _MASKS.get(name, masked)(text))


_MASKS = {"arguments": hide_keys}
"""Columns that are JSON, which was masked before it became a text."""


@cache
def _texts(row: type[_Row]) -> tuple[list[str], Callable[[_Row], tuple[str, ...]]]:
    names = [name for name, kind in row.__annotations__.items() if str(kind) == "str"]
    return names, attrgetter(*names)


class RunRow(_Row, frozen=True, gc=False):
    """A run, with the usage of its sub-agents. Times are seconds since 1970, costs US dollars; None
    and "" stand for unknown. If nobody `knows_zone`, times count as UTC: spans are right."""

    run: str
    source: str
    title: str
    repository: str
    branch: str
    model: str
    trigger: str
    automation: str
    forked_from: str
    benchmark: str
    label: str
    verdict: str
    cause: str
    began: float | None
    ended: float | None
    knows_zone: bool
    work_s: float | None
    waited_s: float | None
    llm_s: float | None
    events: int
    steps: int
    calls: int
    ok: int
    with_result: int
    failed_commands: int
    errors: int
    rejected: int
    without_result: int
    loop_steps: int
    sub_agents: int
    last_error: str
    cost: float | None
    cost_is_partial: bool | None
    cost_is_estimate: bool
    other_cost: float | None
    priced: bool | None
    llm_calls: int | None
    prompt: int | None
    completion: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    files_changed: int
    added: int
    removed: int
    lines_written: int | None
    lines_removed_later: int | None
    cut_off: bool
    note: str


class StepRow(_Row, frozen=True, gc=False):
    """A step of a run, or of a sub-agent of it; `path` is its number in the whole run."""

    run: str
    path: str
    sub_agent: str
    step: int
    event_id: str
    time: float | None
    kind: str
    family: str
    tool: str
    what: str
    result: str
    outcome: str
    loop: bool
    llm_s: float | None
    ran_s: float | None
    cost: float | None
    llm_calls: int | None
    prompt: int | None
    completion: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None


class CallRow(_Row, frozen=True, gc=False):
    """A call of a tool. `arguments` is JSON without secrets."""

    run: str
    path: str
    event_id: str
    call_id: str
    answer_id: str
    tool: str
    arguments: str
    outcome: str
    results: int
    result_id: str
    exit_code: int | None
    risk: str
    ran_s: float | None


class FileRow(_Row, frozen=True, gc=False):
    """A file that editor or patch calls of the run read or changed."""

    run: str
    path: str
    reads: int
    edits: int
    added: int
    removed: int
    lines_written: int | None
    lines_removed_later: int | None
    created: bool
    deleted: bool
    whole: bool
    last_step: int


class RunFailureRow(_Row, frozen=True, gc=False):
    """The steps of the run itself that failed the same way."""

    run: str
    id: str
    tool: str
    kind: str
    line: str
    steps: int
    first: float | None
    last: float | None
    step: int
    recovered: bool
    helped: str


class Tables(NamedTuple):
    """The rows of one run; `runs` has one."""

    runs: list[RunRow]
    steps: list[StepRow]
    calls: list[CallRow]
    files: list[FileRow]
    failures: list[RunFailureRow]


SCHEMAS: dict[str, type[msgspec.Struct]] = {
    "runs": RunRow,
    "steps": StepRow,
    "calls": CallRow,
    "files": FileRow,
    "failures": RunFailureRow,
}
"""The columns of each table, in order."""

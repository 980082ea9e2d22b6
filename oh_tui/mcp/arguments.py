"""What the tools are called with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from oh_tui.batch.failure_rows import SORTS as FAILURE_SORTS
from oh_tui.batch.run_stats import GROUPINGS, SORTS
from oh_tui.catalog.attributes import ORDERS
from oh_tui.mcp.answers import MOST
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.trajectory import ALL


def _one_of(names: Iterable[str]) -> dict[str, Any]:
    return {"enum": ["", *names]}


Run = Annotated[
    str, Meta(description="id of a run, as find_runs gives it, or its first characters")
]
OnlyRun = Annotated[
    str, Meta(description="id of a run, or its first characters; needless where there is only one")
]
At = Annotated[
    int | str, Meta(description="a step, by its number, by 12.3 in a sub-agent, or by its event")
]
Branch = Annotated[
    int, Meta(ge=ALL, description=f"of a run with branches, instead of the active one; {ALL}: all")
]
Cursor = Annotated[str, Meta(description="that of the answer before, for what follows")]
Limit = Annotated[int, Meta(description=f"at most so many, {MOST} at most")]
OfList = Annotated[
    str, Meta(description="words that all must match: is:stuck repo:dates cost:>1 after:2d -docs")
]
OfSteps = Annotated[
    str, Meta(description="words that all must match: is:failed is:loop tool:terminal IndexError")
]
Live = Annotated[bool, Meta(description="also runs that may still go on; asks their server")]


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    """What a tool is called with."""

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """As JSON Schema."""
        _, found = msgspec.json.schema_components([cls])
        schema: dict[str, Any] = found[cls.__name__]
        return schema

    def __post_init__(self) -> None:
        """Raises Problem for a name that is not one of those in the schema."""
        for field, of in self.schema()["properties"].items():
            given, names = getattr(self, field), of.get("items", of).get("enum", ())
            given = given if isinstance(given, list) else list(filter(None, [given]))
            for name in given if names else ():
                if not name or name not in names:
                    told = f"{safe_line(name)[:60]!r} is none of them"
                    raise Problem(told, f"one of {', '.join(filter(None, names))}")


class Paged(Arguments):
    limit: Limit = 50
    cursor: Cursor = ""


class OfRun(Arguments):
    run: OnlyRun = ""
    branch: Branch | None = None


class PagedOfRun(OfRun):
    limit: Limit = 50
    cursor: Cursor = ""


class FindRuns(Paged):
    words: OfList = ""
    sort: Annotated[
        str, Meta(description="without it created last first", extra_json_schema=_one_of(ORDERS))
    ] = ""
    sub: Annotated[bool, Meta(description="sub-conversations too")] = False


class Why(OfRun):
    pass


class Steps(PagedOfRun):
    words: OfSteps = ""
    first: Annotated[int, Meta(description="number of the first step")] = 1
    last: Annotated[int | None, Meta(description="number of the last step")] = None


class Step(OfRun, kw_only=True):
    step: At
    cursor: Cursor = ""


class Context(PagedOfRun):
    step: Annotated[At | None, Meta(description="the last answer of the model without it")] = None
    since: Annotated[
        At | None, Meta(description="also what came and went since the context of this step")
    ] = None
    message: (
        Annotated[
            int, Meta(ge=0, description="place of a message in the list, from 0: it alone, as JSON")
        ]
        | None
    ) = None


class Changes(PagedOfRun):
    step: Annotated[At | None, Meta(description="as of this step; without it at the end")] = None


class FileAt(OfRun, kw_only=True):
    path: Annotated[str, Meta(description="a file as the run names it, or the end of its path")]
    step: Annotated[At | None, Meta(description="as it was after this step; without it last")] = (
        None
    )
    cursor: Cursor = ""


class Blame(FileAt):
    limit: Limit = MOST


class Compare(Paged, kw_only=True):
    a: Run
    b: Run


class Search(Paged, kw_only=True):
    words: Annotated[
        str,
        Meta(description="a phrase, and what steps and runs match: 'no such file tool:x repo:y'"),
    ]
    live: Live = False


class Stats(Paged):
    words: OfList = ""
    by: Annotated[
        list[Annotated[str, Meta(extra_json_schema=_one_of(GROUPINGS))]], Meta(min_length=1)
    ] = msgspec.field(default_factory=lambda: ["model"])
    sort: Annotated[
        str,
        Meta(
            description="the highest first; without it by runs, days and weeks by name",
            extra_json_schema=_one_of(("name", *SORTS)),
        ),
    ] = ""
    compare_before: Annotated[
        bool, Meta(description="also the range before that of after: and before:, as long")
    ] = False
    live: Live = False


class Failures(Paged):
    words: OfList = ""
    by: Annotated[
        list[Annotated[str, Meta(extra_json_schema=_one_of(GROUPINGS))]],
        Meta(description="count each failure by group too"),
    ] = []
    sort: Annotated[
        str,
        Meta(
            description="the highest first; without it by runs",
            extra_json_schema=_one_of(FAILURE_SORTS),
        ),
    ] = ""
    least: Annotated[int, Meta(ge=1, description="only what failed in at least so many runs")] = 1
    live: Live = False


class Audit(Paged):
    words: OfList = ""
    run: Annotated[str, Meta(description="id of the only run to ask, or its first characters")] = ""
    live: Live = False

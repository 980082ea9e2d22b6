"""What the tools are called with: types of parameters, each with what a client's model reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from oh_tui.batch.failure_rows import SORTS as FAILURE_SORTS
from oh_tui.batch.run_stats import GROUPINGS, SORTS
from oh_tui.catalog.attributes import ORDERS, filter_help
from oh_tui.mcp.answers import MOST
from oh_tui.trajectory.model.trajectory import ALL
from oh_tui.trajectory.search.step_filter import FILTER_HELP


def _one_of(*names: str, about: str | None = None) -> Any:
    """A name that is one of these, or "" for none."""
    return Annotated[Literal.__getitem__(("", *names)), Field(description=about)]


def _words(about: str, rows: Iterable[Sequence[str]]) -> Any:
    """The words of a filter, with the meaning of each."""
    meanings = "; ".join(f"`{example}` {meaning}" for example, meaning in rows)
    return Field(description=f"{about}: {meanings}")


Run = Annotated[
    str, Field(description="id of a run, as find_runs gives it, or its first characters")
]
OnlyRun = Annotated[
    str, Field(description="id of a run, or its first characters; needless where there is only one")
]
At = Annotated[
    int | str, Field(description="a step, by its number, by 12.3 in a sub-agent, or by its event")
]
Branch = Annotated[
    int | None,
    Field(ge=ALL, description=f"of a run with branches, instead of the active one; {ALL}: all"),
]
Cursor = Annotated[str, Field(description="that of the answer before, for what follows")]
Limit = Annotated[int, Field(description=f"at most so many, {MOST} at most")]
OfList = Annotated[str, _words("words that all must match", filter_help())]
AsList = Annotated[str, Field(description="words that runs must match, as those of find_runs")]
OfSteps = Annotated[str, _words("words that all must match", FILTER_HELP)]
Phrase = Annotated[
    str,
    Field(
        description="a phrase; words of `steps` for its steps, of find_runs for the runs, where "
        "`run.` tells those apart that both have: no such file tool:terminal run.is:failed"
    ),
]
Live = Annotated[bool, Field(description="also runs that may still go on; asks their server")]
Path = Annotated[str, Field(description="a file as the run names it, or the end of its path")]
Order = _one_of(*ORDERS, about="without it created last first")
GroupOrder = _one_of(
    "name", *SORTS, about="the highest first; without it by runs, days and weeks by name"
)
FailureOrder = _one_of(*FAILURE_SORTS, about="the highest first; without it by runs")
Grouping = _one_of(*GROUPINGS)

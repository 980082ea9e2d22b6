"""The numbers of a run as each output tells them, for `test_numbers`."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import asdict

from oh_tui.batch.over_time import table_of
from oh_tui.batch.run_stats import Group, summand, summed
from oh_tui.batch.table_writer import schema
from oh_tui.catalog.attributes import ATTRIBUTES
from oh_tui.catalog.run_status import conversation_state
from oh_tui.catalog.status_cache import UNSEEN
from oh_tui.conversation import Conversation
from oh_tui.documents import run as documents
from oh_tui.documents import why
from oh_tui.library.library import Library
from oh_tui.library.records import record_of
from oh_tui.sharing.atif import atif
from oh_tui.sharing.html.page import page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import SharedRun, Sink, Write, hidden_events
from oh_tui.text.human import compact, dollars, duration
from oh_tui.trajectory.costs.spending import spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.usage import TOKENS
from oh_tui.trajectory.table_rows import About, rows_of

NAMES = ("cost", *TOKENS, "tokens", "steps", "llm_calls", "work_s", "llm_s", "ran_s")
"""What is walked: `tokens` are in and out together, `ran_s` is the sum over the own calls."""

Numbers = dict[str, Any]

near = partial(pytest.approx, abs=1e-9)
pyarrow: Any = pytest.importorskip("pyarrow")


class Walked(NamedTuple):
    """A run, read once."""

    row: Conversation
    study: Study
    folder: Path
    """For files of the walk."""


class Words(str):
    """A number as people read it, rounded; "" where it is not told, or too small to be told."""

    def tells(self, name: str, value: float | None) -> bool:
        return self.strip("~+") == (_WORDS[name](value) if value else self and "0")


_WORDS: Mapping[str, Callable[[float], str]] = {
    "cost": dollars,
    "tokens": lambda value: compact(round(value)),
    "steps": lambda value: f"{value:,}",
    "llm_calls": lambda value: f"{value:,}",
    "work_s": lambda value: duration(value) if value >= 0.5 else "",
}


def all_of(run: Walked, *, own: bool = False) -> Numbers:
    """Those of `steps --json`, with which the others are compared; `own` leaves out the steps that
    a fork took from its origin."""
    study = run.study
    totals = documents.totals_json(study)
    steps: list[Any] = [documents.step_json(study, step) for step in study.trajectory.steps]
    steps = [one for one in steps if not (own and "inherited" in one)]
    found = {name: totals[name] for name in ("llm_calls", "work_s", "llm_s")}
    cost = documents.cost_json(study, run.row)["cost"]
    ran = [one["ran_s"] for one in steps if one["ran_s"] is not None]
    more = {"cost": cost, "steps": len(steps), "ran_s": math.fsum(ran) if ran else None}
    return _with_tokens(found | more, totals["tokens"])


def _with_tokens(found: Numbers, tokens: Any) -> Numbers:
    told = dict(tokens or dict.fromkeys(TOKENS))
    both = [told[name] for name in ("prompt", "completion") if told[name] is not None]
    return found | told | {"tokens": sum(both) if both else None}


def _list(run: Walked) -> Numbers:
    row = documents.conversation_json(run.row)
    return _with_tokens({"cost": row["cost"]}, row["tokens"])


def _row(run: Walked) -> Numbers:
    state, told = conversation_state(run.row, UNSEEN), ("cost", "tokens")
    texts = {one.name: one.text(run.row, state) for one in ATTRIBUTES if one.name in told}
    return {name: Words(texts[name]) for name in told}


def _why(run: Walked) -> Numbers:
    found = why.report(run.row, run.study)
    one = found["conversation"]
    told = {"cost": one["cost"], "work_s": one["work_seconds"], "llm_s": one["llm_s"]}
    return _with_tokens(told | {"steps": found["counts"]["steps"]}, one["tokens"])


def _sum_of_steps(run: Walked) -> Numbers:
    """What the steps were charged, and what none was."""
    other = documents.totals_json(run.study)["other"]
    steps = [documents.step_json(run.study, step) for step in run.study.trajectory.steps]
    parts: list[Any] = [other, *steps]
    costs = [one["cost"] for one in parts if one["cost"] is not None]
    told: list[Any] = [one["tokens"] for one in parts if one["tokens"] is not None]
    counts = {name: [one[name] for one in told if one[name] is not None] for name in TOKENS}
    sums = {name: sum(found) if found else None for name, found in counts.items()}
    return _with_tokens({"cost": math.fsum(costs) if costs else None}, sums)


def _group(group: Group) -> Numbers:
    spreads = {"cost": group.cost, "steps": group.steps, "work_s": group.time}
    return {name: one.total if one.known else None for name, one in spreads.items()}


def _about(run: Walked) -> About:
    return About(run="run", cost=run.row.price)


def _stats(run: Walked) -> Numbers:
    return _group(summed((), [summand(rows_of(run.study, _about(run)).runs[0])]))


def _board(run: Walked) -> Numbers:
    (group,) = table_of([summand(rows_of(run.study, _about(run)).runs[0])], ["model"]).groups
    return _group(group)


def _costs(run: Walked) -> Numbers:
    study = run.study
    spent = spending(study.trajectory, study.accounts, study.sub_runs.unreported)
    used = spent.total
    assert sum(part.cost for _, part in spent.usages) == near(used.cost)
    told = study.sub_runs.reported
    return {
        "cost": used.cost or None,
        **{name: n if (n := getattr(used, name)) or name in told.tokens else None
           for name in ("prompt", "completion", "cache_read")},
        "tokens": used.tokens if used.tokens or told.tokens & {"prompt", "completion"} else None,
        "llm_calls": used.calls if told.calls else None,
        "work_s": spent.active or None,
    }  # fmt: skip


def _shared(run: Walked) -> SharedRun:
    steps = run.study.trajectory.steps
    others = hidden_events(run.study.trajectory)
    return SharedRun(run.row, run.study, steps, others, name="run")


def _text(write: Write, run: Walked) -> str:
    shared = _shared(run)
    return "".join(write(shared, Sink(shared)))


def _page(run: Walked) -> Numbers:
    text = html.unescape(_text(page, run))
    facts = dict(re.findall(r"<dt>(\w+)</dt><dd>(.*?)</dd>", text))
    told = {"cost": "Cost", "tokens": "Tokens", "steps": "Steps", "work_s": "Time"}
    return {name: Words(facts.get(is_, "").partition(" + ")[0]) for name, is_ in told.items()}


def _markdown(run: Walked) -> Numbers:
    head = _text(markdown, run).split("\n## ")[0]
    cost = re.search(r"(?<!\w)<?\$[\d.,]+\+?", head.replace("\\", ""))
    work = re.search(r"(\S+(?: s)?) of work", head)
    steps = re.search(r"(?:^|· )([\d,]+) steps?$", head, re.MULTILINE)
    found = {"cost": cost and cost[0], "work_s": work and work[1], "steps": steps and steps[1]}
    return {name: Words(told or "") for name, told in found.items()}


def _atif(run: Walked) -> Numbers:
    document = json.loads(_text(atif, run))
    final = document["final_metrics"]
    told = {
        "prompt": "total_prompt_tokens", "completion": "total_completion_tokens",
        "cache_read": "total_cached_tokens",
    }  # fmt: skip
    costs = [one["metrics"].get("cost_usd", 0.0) for one in document["steps"] if "metrics" in one]
    apart = final.get("extra", {}).get("oh_tui", {}).get("apart", {})
    costs += [one.get("cost_usd", 0.0) for one in apart.values()]
    below = run.study.sub_runs.below.cost
    if final.get("total_cost_usd") and run.study.sub_runs.total.cost:
        assert math.fsum(costs) + below == near(final["total_cost_usd"])
    counts = {name: final.get(field) for name, field in told.items()}
    return {"cost": final.get("total_cost_usd"), **counts}


def _otlp(run: Walked) -> Numbers:
    shared = _shared(run)
    lines = otlp(shared, Sink(shared))
    spans = [
        {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
        for line in lines
        for span in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ]
    if not spans:
        return {}  # a run without steps has no traces
    top, *rest = spans
    chats = [one for one in rest if one.get("gen_ai.operation.name") == "chat"]
    name = "openhands.cost_usd"
    assert math.fsum(one.get(name, 0.0) for one in chats) <= top.get(name, 0.0) + 1e-9
    fields = {
        "prompt": "input_tokens", "completion": "output_tokens",
        "cache_read": "cache_read.input_tokens", "cache_write": "cache_creation.input_tokens",
        "reasoning": "reasoning.output_tokens",
    }  # fmt: skip
    counts = {name: top.get(f"gen_ai.usage.{field}") for name, field in fields.items()}
    counts = {name: count if count is None else int(count) for name, count in counts.items()}
    return {"cost": top.get(name), "steps": int(top["openhands.steps"]), **counts}


_COLUMNS = ("cost", *TOKENS, "steps", "llm_calls", "work_s", "llm_s")


def _query(run: Walked) -> Numbers:
    record = record_of(
        run.study.trajectory, _about(run), place="a", home="a", fingerprint=run.row.id
    )
    assert record is not None
    with Library(run.folder, writes=True) as library:
        library.put([record])
        (values,) = library.select(f"SELECT {', '.join(_COLUMNS)} FROM runs") or [()]
        sums = "SELECT sum(ran_s), count(*), sum(cost) FROM steps WHERE sub_agent = ''"
        ((ran, steps, cost),) = library.select(sums) or [()]
    found = dict(zip(_COLUMNS, values, strict=True))
    assert steps == found["steps"]
    assert (cost or 0.0) <= (found["cost"] or 0.0) + 1e-9
    return found | {"ran_s": ran}


def _parquet(run: Walked) -> Numbers:
    tables = rows_of(run.study, _about(run))
    read = {
        name: pyarrow.Table.from_pylist(
            [asdict(row) for row in getattr(tables, name)], schema(pyarrow, name)
        ).to_pylist()
        for name in ("runs", "steps")
    }
    own = [row for row in read["steps"] if not row["sub_agent"]]
    ran = [row["ran_s"] for row in own if row["ran_s"] is not None]
    (row,) = read["runs"]
    return {name: row[name] for name in _COLUMNS} | {"ran_s": math.fsum(ran) if ran else None}


OUTPUTS: Mapping[str, Callable[[Walked], Numbers]] = {
    "conversations --json": _list,
    "a row of the list": _row,
    "why --json": _why,
    "the sum of the steps": _sum_of_steps,
    "stats": _stats,
    "the board": _board,
    "the costs page": _costs,
    "the HTML page": _page,
    "Markdown": _markdown,
    "ATIF": _atif,
    "OTLP": _otlp,
    "query": _query,
    "Parquet": _parquet,
}

OVER_RUNS = ("stats", "the board", "query", "Parquet")
"""What sums over runs are made of: they count the own steps of a fork."""

_KINDS = {"cache_read", "cache_write", "reasoning"}

NO_NAME: Mapping[str, set[str]] = {
    "conversations --json": {"steps", "llm_calls", "work_s", "llm_s", "ran_s"},
    "a row of the list": set(NAMES) - {"cost", "tokens"},
    "why --json": {"llm_calls", "ran_s"},
    "the sum of the steps": {"steps", "llm_calls", "work_s", "llm_s", "ran_s"},
    "stats": set(NAMES) - {"cost", "steps", "work_s"},
    "the board": set(NAMES) - {"cost", "steps", "work_s"},
    "the costs page": {"cache_write", "reasoning", "steps", "llm_s", "ran_s"},
    "the HTML page": set(NAMES) - {"cost", "tokens", "steps", "work_s"},
    "Markdown": set(NAMES) - {"cost", "steps", "work_s"},
    "ATIF": set(NAMES) - {"cost", "prompt", "completion", "cache_read"},
    "OTLP": {"tokens", "llm_calls", "work_s", "llm_s", "ran_s"},
    "query": {"tokens"},
    "Parquet": {"tokens"},
}
"""What an output does not tell. Whoever adds an output, or a number to one, has to change it."""

"""Asks every place of the program that tells what a run took, and compares the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.processes import oh_tui

NEAR = 2e-6
"""Dollars by which two may differ that were rounded to a millionth."""


class Told(NamedTuple):
    where: str
    cost: float | None
    tokens: int | None
    is_partial: bool


def _value(*words: str | Path, **environment: str) -> Any:
    done = oh_tui(*words, "--json", **environment)
    assert done.returncode in (0, 1), (words, done.stderr[-2000:])
    return json.loads(done.stdout)


def _tokens(told: dict[str, int | None] | None) -> int | None:
    return None if told is None else (told["prompt"] or 0) + (told["completion"] or 0)


def _told(where: str, document: dict[str, Any]) -> Told:
    partial = bool(document["cost_is_partial"])
    return Told(where, document["cost"], _tokens(document["tokens"]), partial)


def listed(*at: str | Path, **environment: str) -> dict[str, Told]:
    """What the list tells, by id."""
    rows = _value("conversations", *at, "--all", "--sub", **environment)["conversations"]
    return {row["id"]: _told("the list", row) for row in rows}


def of_run(run: tuple[str | Path, ...], folder: Path, **environment: str) -> Iterator[Told]:
    """What the commands on one run tell of it; `run` are the words that name it."""
    *at, name = run
    why = _value(*at, "why", name, **environment)["conversation"]
    yield _told("why", why)
    steps = _value(*at, "steps", name, **environment)
    yield _told("totals of steps", steps["totals"])
    yield _told("the conversation of steps", steps["conversation"])
    line = oh_tui(*at, "export", name, "--to", "jsonl", **environment).stdout.partition("\n")[0]
    yield _told("jsonl", json.loads(line)["conversation"])
    atif = json.loads(oh_tui(*at, "export", name, "--to", "atif", **environment).stdout)
    final = atif["final_metrics"]
    kept = final.get("extra", {}).get("oh_tui", {})
    partial = bool(kept.get("cost_is_partial"))
    yield Told("atif", final.get("total_cost_usd"), None, partial)
    path = folder / f"{name}.trajectory.json"
    path.write_text(json.dumps(atif))
    yield _told("atif, read again", _value("why", path, **environment)["conversation"])
    (row,) = listed(path, **environment).values()
    yield row._replace(where="the list of atif")
    page = oh_tui(*at, "export", name, **environment).stdout.split("\n## ")[0]
    cost = why["cost"]
    words = f"${cost:.2f}" + "+" * partial if cost and cost >= 0.005 else ""
    assert words in page, (words, page[:500])


def of_zip(run: tuple[str | Path, ...], folder: Path, **environment: str) -> Iterator[Told]:
    """What the downloaded run tells."""
    *at, name = run
    path = folder / f"{name}.zip"
    done = oh_tui(*at, "download", name, "-o", path, **environment)
    if done.returncode:  # too long, or without events
        return
    (row,) = listed(path, **environment).values()
    yield row._replace(where="the list of its zip")
    yield _told("why of its zip", _value("why", path, **environment)["conversation"])


def odd(tellings: Iterable[Told]) -> list[str]:
    """The places that tell less than others without saying so, or more than what is whole."""
    known = list(tellings)
    found = []
    for what in ("cost", "tokens"):
        told = [(one, getattr(one, what)) for one in known if getattr(one, what) is not None]
        most = max((amount for _, amount in told), default=0)
        for one, amount in told:
            if amount < most - NEAR and not one.is_partial:
                found.append(f"{one.where}: {what} {amount} of {most}, and not marked")
    return found

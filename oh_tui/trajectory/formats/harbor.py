"""Job folders of Harbor: a folder per trial, with its result, its trajectory in ATIF and the
verifier's report.

    job/{config.json, result.json}
    job/TRIAL/{config.json, result.json, agent/trajectory.json, verifier/{reward.txt, ctrf.json}}
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from oh_tui.trajectory.formats.atif_file import read_files
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.document import Converted
from oh_tui.trajectory.formats.foreign import atif
from oh_tui.trajectory.formats.foreign.document_formats import converted_atif
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun
from oh_tui.trajectory.formats.foreign.usage import amount, tokens_of, told_amount
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import Entry, Format, FormatProblem, RunList, short_name
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.recorded import UNKNOWN_AGENT, Label, Recorded

_MOST_TRIALS = 100_000
_LARGEST = 2**24
"""Most bytes of a result or report that are read."""

TELLS_TRIAL = ("result.json", "config.json")
"""A trial has one of them beside its folder `agent`."""


def is_trial(folder: Path) -> bool:
    return (folder / "agent").is_dir() and any((folder / name).is_file() for name in TELLS_TRIAL)


def holds_runs(folder: Path) -> bool:
    try:
        return is_trial(folder) or any(_trials(folder))
    except (OSError, ValueError):
        return False


def _trials(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number == _MOST_TRIALS:
                return
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False) and is_trial(path):
                yield path


class Job(RunList):
    """The trials of a job, or a single trial."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError and FormatProblem."""
        self._is_job = not is_trial(folder)
        self._trials = sorted(_trials(folder)) if self._is_job else [folder]
        if not self._trials:
            raise FormatProblem(f"{short_name(folder.name)} holds no trial of Harbor")

    def entries(self) -> Iterator[Entry]:
        for number, folder in enumerate(self._trials, 1):
            info = told_of(folder, folder.name)
            name = folder.name if self._is_job else ""
            yield Entry(self, number, short_name(name) if name else "", info)

    def open(self, number: int) -> ConvertedRun:
        folder = self._trials[number - 1]
        return open_trial(folder, folder.name, short_name(folder.name))


def told_of(folder: Path, name: str) -> dict[str, object]:
    """What is known about the trial in a folder, called `name`, without reading its trajectory."""
    result = _json(folder, "result.json")
    info = _info(name, result) | {"label": _label(folder, result)}
    if cost := told_amount(field(result, "agent_result", "cost_usd")):
        info["cost"] = cost
    return info


def open_trial(folder: Path, name: str, where: str) -> ConvertedRun:
    return ConvertedRun(where, _converted(folder, name))


def _converted(folder: Path, name: str) -> Converted:
    result = _json(folder, "result.json")
    parts, beside = list[object](), dict[str, object]()
    try:
        parts, _, beside, notes = read_files(folder / "agent", "trajectory.json")
    except FileNotFoundError:
        notes = ["the trial has no agent/trajectory.json"]
    except (OSError, ValueError):
        notes = ["agent/trajectory.json cannot be read"]
    run = atif.convert(*parts) if parts else ForeignRun("harbor")
    run.add_top(result)
    told = field(result, "agent_result")
    run.bill.total(field(told, "cost_usd"), tokens_of(_tokens(told)))
    converted = converted_atif(parts, run, beside)
    converted.notes += notes
    converted.info |= _info(name, result)
    error = [text_field(result, "exception_info", f"exception_{n}") for n in ("type", "message")]
    if not any(error):
        error = [text_field(result, "exception_info")]  # only a text
    converted.recorded = Recorded(
        error=": ".join(filter(None, error)),
        by_evaluation=error[0].startswith(("Verifier", "Reward")),
        label=_label(folder, result),
        agent=text_field(result, "agent_info", "name") or UNKNOWN_AGENT,
    )
    return converted


def _info(name: str, result: object) -> dict[str, object]:
    info = {
        "id": name,
        "title": text_field(result, "task_name") or name,
        "llm_model": text_field(result, "agent_info", "model_info", "name"),
        "created_at": text_field(result, "started_at"),
    }
    return {name: value for name, value in info.items() if value}


def _tokens(told: object) -> dict[str, object]:
    names = {"input": "prompt", "output": "completion", "cache": "cached"}
    return {f"{new}_tokens": field(told, f"n_{old}_tokens") for old, new in names.items()}


def _label(folder: Path, result: object) -> Label | None:
    """The verifier's label; an error only if it gave none."""
    reward = _reward(field(result, "verifier_result", "rewards"))
    if reward is None:
        reward = told_amount(field(result, "verifier_result", "reward"))
    if reward is None:
        reward = _reward(_json(folder, "verifier/reward.json"))
    if reward is None:
        reward = _number(_read(folder, "verifier/reward.txt"))
    if reward is None:
        reward = _tests(_json(folder, "verifier/ctrf.json"))
    if reward is not None:
        return Label.RESOLVED if reward >= 1 else Label.UNRESOLVED
    return Label.ERROR if field(result, "exception_info") else None


def _reward(rewards: object) -> float | None:
    """The reward of a trial: the one called `reward`, else the lowest."""
    named = told_amount(field(rewards, "reward"))
    if named is not None or not isinstance(rewards, dict):
        return named
    return min((n for n in map(told_amount, rewards.values()) if n is not None), default=None)


def _tests(report: object) -> float | None:
    """1 if all tests of a report passed, else 0."""
    summary = field(report, "results", "summary")
    tests, passed = (told_amount(field(summary, name)) for name in ("tests", "passed"))
    if tests is None or passed is None:
        return None
    return float(tests > 0 and passed == tests)


def _number(text: bytes) -> float | None:
    try:
        return amount(float(text.strip()[:40]))
    except ValueError:
        return None


def _read(folder: Path, name: str) -> bytes:
    """Reads a small file; b"" if there is none."""
    try:
        return start_of(folder / name, _LARGEST)
    except (OSError, ValueError):
        return b""


def _json(folder: Path, name: str) -> object:
    return read_json(_read(folder, name))


FORMAT = Format(
    "Harbor job",
    lambda head, name: (
        name.endswith("/") and not {b"config.json", b"result.json"}.isdisjoint(head.split(b"\n"))
    ),
    lambda source: Job(source.path),
)

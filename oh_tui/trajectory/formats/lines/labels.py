"""The files beside an evaluation output: labels of its instances, and what all its runs share.

Files are recognised by content. A report has lists of ids (`resolved_ids`, `unresolved_ids`, ...),
a label file has an object with `resolved` for each id, `metadata.json` names the model, and
`cost_report.jsonl` has costs: one JSON text over several lines, with sums of the output and of each
attempt, and perhaps a line for each instance.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from oh_tui.text.human import are, dollars, plural
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.foreign.usage import told_amount
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import short_name, some
from oh_tui.trajectory.model.bodies import field, list_field
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.recorded import Label, read_label

COST_REPORT = "cost_report.jsonl"

_COSTS = ("cost", "accumulated_cost", "total_cost")


class CostReport(msgspec.Struct):
    """Costs in US dollars; None if the report does not say."""

    costs: dict[str, float] = {}
    """Id of an instance -> its cost."""
    rows: int | None = None
    """Number of rows of the output that it counts."""
    cost: float | None = None
    """Cost of these rows."""
    total: float | None = None
    """Cost of all attempts."""

    @property
    def remark(self) -> str:
        """A sentence about the sums; "" without any."""
        parts = []
        if self.cost:
            count = f" for {plural(self.rows, 'row')}" if self.rows else ""
            parts.append(f"{dollars(self.cost)}{count}")
        if self.total and self.total != self.cost:
            parts.append(f"{dollars(self.total)} with all attempts")
        return f"{COST_REPORT} tells {', '.join(parts)}" if parts else ""

    def difference(self, count: int, where: str) -> str:
        """A sentence if the report counts another number of rows than the output has."""
        if self.rows is None or self.rows == count:
            return ""
        has = plural(count, "row")
        return f"{COST_REPORT} counted {plural(self.rows, 'row')}, and {where} has {has}"


def read_costs(text: bytes, output: str) -> CostReport:
    """What a report says about the output of this name. Raises ValueError if it is not JSON."""
    report = CostReport()
    try:
        value = decode_json(text)
    except ValueError:
        rows = [decode_json(line) for line in text.splitlines() if line.strip()]
    else:
        rows = [value]
    for row in rows:
        if instance := name_in(field(row, "instance_id")):
            cost = next((c for name in _COSTS if (c := _amount(field(row, name)))), None)
            if cost:
                report.costs[instance] = report.costs.get(instance, 0.0) + cost
        _take_sums(report, row, output)
    return report


def _take_sums(report: CostReport, value: object, output: str) -> None:
    for one in [field(value, "main_output"), *list_field(value, "critic_files")]:
        if field(one, "filename") == output:
            count = field(one, "lines")
            report.cost = _amount(field(one, "cost"))
            report.rows = count if type(count) is int and 0 <= count < 10**9 else None
    if field(value, "main_output", "filename") == output:
        report.total = _amount(field(value, "summary", "total_cost"))


def _amount(value: object) -> float | None:
    number = told_amount(value)
    return None if number is None else float(number)


LARGEST = 2**25
"""Most bytes of a report. Labels of 100,000 instances take 8 MB."""

MOST_FILES, MOST_BYTES = 2_000, 2**27
"""Most JSON files of a folder whose beginning is looked at, and most bytes of those that are
read."""

_HEAD = 2**14

_TELLS = pattern(rb'"(?:resolved|unresolved|error|resolved_ids|unresolved_ids|error_ids)"\s*:')

_EVAL = pattern(r"eval_(.+)\.json")
"""A file with the result of one instance."""

_LISTS = {
    "empty_patch_ids": Label.UNRESOLVED,
    "unresolved_ids": Label.UNRESOLVED,
    "error_ids": Label.ERROR,
    "resolved_ids": Label.RESOLVED,
}
"""List of a report -> label. If an id is in several lists, the last one counts. An empty patch
resolves nothing."""


class Beside:
    def __init__(self, folder: Path, output: str) -> None:
        """`output` is the name of the file. Never raises: files that cannot be read are named in
        `problems`."""
        self.labels: dict[str, Label] = {}
        """Id of an instance -> label."""
        self.costs: dict[str, float] = {}
        """Id of an instance -> its cost in US dollars."""
        self.model = ""
        self.problems: list[str] = []
        self.report = CostReport()
        self._sources: dict[str, str] = {}
        """Id -> the report that names it. A label file may cover several outputs."""
        stem = output.partition(".jsonl")[0]
        room = MOST_BYTES
        for name in islice(sorted(_json_files(folder)), MOST_FILES):
            is_metadata = name == "metadata.json"
            if name == output or (name.endswith(".report.json") and name != f"{stem}.report.json"):
                continue  # a report of another output
            try:
                if not (is_metadata or _TELLS.search(start_of(folder / name, _HEAD))):
                    continue
                text = start_of(folder / name, min(LARGEST, room) + 1)
                if len(text) > min(LARGEST, room):
                    self.problems.append(f"{short_name(name)} is too large to be read")
                    continue
                room -= len(text)
                value = decode_json(text)
            except OSError:
                continue
            except ValueError:
                self.problems.append(f"{short_name(name)} is not JSON")
                continue
            if is_metadata:
                model = field(value, "llm", "model")
                self.model = model if isinstance(model, str) else ""
            elif isinstance(value, dict):
                self._take(name, value)
        self._read_costs(folder, output)

    def _read_costs(self, folder: Path, output: str) -> None:
        try:
            text = start_of(folder / COST_REPORT, LARGEST + 1)
            if len(text) > LARGEST:
                self.problems.append(f"{COST_REPORT} is too large to be read")
                return
            self.report = read_costs(text, output)
        except OSError:
            return
        except ValueError:
            self.problems.append(f"{COST_REPORT} is not JSON")
        self.costs = self.report.costs | self.costs

    def label(self, name: str) -> Label | None:
        """The label of an instance; None if no file has one."""
        return self.labels.get(name, Label.NONE) if self.labels else None

    def strangers(self, names: Collection[str], where: str) -> list[str]:
        """A sentence for each report that names instances which the output lacks."""
        unknown: dict[str, list[str]] = {}
        for name, source in self._sources.items():
            if name not in names:
                unknown.setdefault(source, []).append(short_name(name))
        told = []
        for source, found in unknown.items():
            count = f"{plural(len(found), 'instance')} that {are(len(found))}"
            told.append(f"{short_name(source)} names {count} not in {where}: {some(found)}")
        return told

    def _take(self, file: str, value: dict[str, object]) -> None:
        lists = {name: found for name in _LISTS if isinstance(found := value.get(name), list)}
        for name, found in lists.items():
            for one in found:
                if instance := name_in(one):
                    self.labels[instance], self._sources[instance] = _LISTS[name], file
        if lists:
            return
        match = _EVAL.fullmatch(file)
        if match and read_label(value.get("resolved")):
            value = {match[1]: value}
        for name, each in value.items():
            if label := read_label(field(each, "resolved")):
                self.labels[name] = label
                if cost := told_amount(field(each, "cost")):
                    self.costs[name] = float(cost)


def _json_files(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (one.name for one in entries if one.name.endswith(".json") and one.is_file())
    except OSError:
        return

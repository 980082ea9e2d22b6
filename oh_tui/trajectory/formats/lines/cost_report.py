"""`cost_report.jsonl` beside an evaluation output: the cost of its rows and of all attempts.

It is one JSON text over several lines, with sums of the output and of each attempt. If a line for
each instance follows, it has the cost of each.
"""

from __future__ import annotations

import msgspec

from oh_tui.text.human import dollars, plural
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.foreign.usage import told_amount
from oh_tui.trajectory.model.bodies import field, list_field
from oh_tui.trajectory.model.events import decode_json

NAME = "cost_report.jsonl"

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
        return f"{NAME} tells {', '.join(parts)}" if parts else ""

    def difference(self, count: int, where: str) -> str:
        """A sentence if the report counts another number of rows than the output has."""
        if self.rows is None or self.rows == count:
            return ""
        has = plural(count, "row")
        return f"{NAME} counted {plural(self.rows, 'row')}, and {where} has {has}"


def read(text: bytes, output: str) -> CostReport:
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

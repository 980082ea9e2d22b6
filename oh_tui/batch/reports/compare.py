"""Where two runs differ, and from which step on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.names import conversation_id, title
from oh_tui.documents.run import cost_with_marks, line, verdict_json
from oh_tui.sources.compared import Compared, fork_of
from oh_tui.text.human import number
from oh_tui.trajectory.comparison.compare import Comparison, Kind
from oh_tui.trajectory.comparison.parted import Parted, quoted, role_of
from oh_tui.trajectory.comparison.seen import Differing
from oh_tui.trajectory.comparison.statistics import Figures
from oh_tui.trajectory.model.usage import tokens_json

if TYPE_CHECKING:
    from oh_tui.documents.shapes import comparisons


def report(
    a: Compared, b: Compared, comparison: Comparison, parted: Parted | None
) -> comparisons.Comparison:
    """What `--json` prints. Steps are named by their numbers, which `steps --json` calls `index`;
    null stands for none."""
    first, gap = comparison.first, b.figures.less(a.figures)
    fork = fork_of(a, b)
    rows = (comparison.rows[place] for place in comparison.differences)
    document: comparisons.Comparison = {
        "a": _document(a),
        "b": _document(b),
        "first_difference": {"a": first.a, "b": first.b} if first else None,
        "differences": [
            {
                "kind": row.kind,
                "a": row.a.number if row.a else None,
                "b": row.b.number if row.b else None,
            }
            for row in rows
        ],
        "parted": _parted(parted) if parted else None,
        "totals": {
            "same": comparison.counts[Kind.SAME],
            "changed": comparison.counts[Kind.CHANGED],
            "only_a": comparison.counts[Kind.ONLY_A],
            "only_b": comparison.counts[Kind.ONLY_B],
            "b_minus_a": {
                "steps": gap.steps,
                "work_s": number(gap.work, 3),
                "cost": number(gap.cost),
            },
        },
    }
    if fork:
        document["fork"] = {"of": fork.of, "step": fork.step}
    return document


def _parted(found: Parted) -> comparisons.Parted:
    return {
        "a": found.a,
        "b": found.b,
        "agreed": found.agreed,
        "seen": found.seen,
        "messages": found.messages,
        "differs": [_message(one) for one in found.differs],
        "plain": found.plain,
        "not_told": found.not_told or None,
    }


def _message(one: Differing) -> comparisons.DifferingMessage:
    a, b = quoted(one)
    return {
        "role": role_of(one),
        "a": a,
        "b": b,
        "only": "a" if b is None else "b" if a is None else None,
        "how": one.told.how,
        "step": one.step,
    }


def _document(side: Compared) -> comparisons.ComparedRun:
    found, conversation, sub_runs = side.figures, side.conversation, side.study.sub_runs
    return {
        "id": conversation_id(conversation),
        "title": title(conversation),
        "model": line(conversation.llm_model),
        "label": found.label,
        "steps": found.steps,
        "work_s": number(found.work, 3),
        **cost_with_marks(found.price),
        "verdict": verdict_json(found.verdict),
        "tokens": tokens_json(sub_runs.total, sub_runs.reported),
        "files": found.files,
        "added": found.added,
        "removed": found.removed,
    }


def figures_json(found: Figures) -> comparisons.PairedRun:
    return {
        "label": found.label,
        "verdict": found.ended,
        "steps": found.steps,
        "work_s": number(found.work, 3),
        **cost_with_marks(found.price),
    }

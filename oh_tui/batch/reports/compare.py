"""Where two runs differ, and from which step on."""

from __future__ import annotations

from oh_tui.catalog.names import conversation_id, title
from oh_tui.documents.run import line, marks_json, verdict_json
from oh_tui.sources.compared import Compared, fork_of
from oh_tui.text.amounts import number
from oh_tui.trajectory.comparison.compare import Comparison
from oh_tui.trajectory.comparison.statistics import Figures
from oh_tui.trajectory.model.usage import tokens_json


def report(a: Compared, b: Compared, comparison: Comparison) -> dict[str, object]:
    """What `--json` prints. Steps are named by their numbers, which `steps --json` calls `index`;
    null stands for none."""
    first, gap = comparison.first, b.figures.less(a.figures)
    fork = fork_of(a, b)
    rows = (comparison.rows[place] for place in comparison.differences)
    return {
        "a": _document(a),
        "b": _document(b),
        **({"fork": fork._asdict()} if fork else {}),
        "first_difference": first._asdict() if first else None,
        "differences": [
            {
                "kind": str(row.kind),
                "a": row.a.number if row.a else None,
                "b": row.b.number if row.b else None,
            }
            for row in rows
        ],
        "totals": {
            **{str(kind): count for kind, count in comparison.counts.items()},
            "b_minus_a": {
                "steps": gap.steps,
                "work_s": number(gap.work, 3),
                "cost": number(gap.cost),
            },
        },
    }


def _document(side: Compared) -> dict[str, object]:
    found, conversation, sub_runs = side.figures, side.conversation, side.study.sub_runs
    return {
        "id": conversation_id(conversation),
        "title": title(conversation),
        "model": line(conversation.llm_model),
        **figures_json(found),
        "verdict": verdict_json(found.verdict),
        "tokens": tokens_json(sub_runs.total, sub_runs.reported),
        "files": found.files,
        "added": found.added,
        "removed": found.removed,
    }


def figures_json(found: Figures) -> dict[str, object]:
    return {
        "label": found.label,
        "verdict": found.ended,
        "steps": found.steps,
        "work_s": number(found.work, 3),
        "cost": number(found.cost),
        **marks_json(found.price),
    }

"""A run that a command compares: its conversation, what follows from its events, its numbers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from oh_tui.commands.shared.documents import conversation_id, line, tokens_json, verdict_json
from oh_tui.commands.shared.printing import number
from oh_tui.commands.shared.reading import read_run, title, whole
from oh_tui.sources.file_conversation import label_of
from oh_tui.sources.files import FileSource
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.comparison.statistics import Figures, figures
from oh_tui.trajectory.model.stats import Cost

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.commands.shared.command import Call
    from oh_tui.sources.results import Loaded
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.recorded import Label


class Side:
    def __init__(self, conversation: Conversation, loaded: Loaded) -> None:
        self.conversation = conversation
        self.note = loaded.note
        self.study = Study(whole(loaded))

    @property
    def label(self) -> Label | None:
        return label_of(self.conversation)

    @cached_property
    def figures(self) -> Figures:
        study = self.study
        beside = Cost(self.conversation.cost, self.conversation.cost_is_partial)
        return figures(study.accounts, study.sub_runs, study.changes, beside, study.verdict)

    def document(self) -> dict[str, Any]:
        found = self.figures
        return {
            "id": conversation_id(self.conversation),
            "title": title(self.conversation),
            "model": line(self.conversation.llm_model),
            "label": self.label,
            "verdict": verdict_json(found.verdict),
            "steps": found.steps,
            "work_s": number(found.work, 3),
            "cost": number(found.cost),
            "cost_is_partial": found.told_cost.is_partial,
            "tokens": tokens_json(self.study.sub_runs.total, self.study.sub_runs.told),
            "files": found.files,
            "added": found.added,
            "removed": found.removed,
        }


async def read_side(call: Call, source: Source, conversation: Conversation) -> Side:
    """Reads a run, which may tell more of it than its row in the list did. Raises Problem."""
    own = msgspec.structs.replace(call, opened=source)
    loaded = await read_run(own, conversation, sub_agents=True)
    if isinstance(source, FileSource):
        conversation = source.runs.rows.get(conversation.id, conversation)
    return Side(conversation, loaded)

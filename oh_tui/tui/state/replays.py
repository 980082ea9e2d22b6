"""A run that runs again without a model, beside its record."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from oh_tui.text.human import plural
from oh_tui.trajectory.comparison.parted import name_of
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.context.message import RESULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.comparison.seen import Differing
    from oh_tui.trajectory.replay.recorded_model import Outcome, RecordedModel


class Replay:
    def __init__(
        self, record: Conversation, model: RecordedModel, cancel: Callable[[], None]
    ) -> None:
        self.record, self._model, self._cancel, self.over = record, model, cancel, asyncio.Event()
        self.started: Conversation | None = None
        self.parted: frozenset[str] = frozenset()
        """The ids of the calls whose results differ: the record gives out those that it has."""
        self._differing: list[Differing] = []

    def take(self, outcome: Outcome) -> None:
        """What varies with each run is no difference."""
        new = [one for one in outcome.new if one.told.how not in (How.EQUAL, How.PLAIN)]
        self._differing += new
        if outcome.at and not outcome.at[0]:  # no sub-agent
            steps = self._model.records[0].study.trajectory.steps
            places = [one.step - 1 for one in new if one.kind == RESULT and one.step]
            self.parted |= {steps[place].event.tool_call_id for place in places} - {""}

    @property
    def facts(self) -> list[tuple[str, str]]:
        """How it stands to the record, and how far it is: words and their hues."""
        told, hue = "as recorded" if self.over.is_set() else "as recorded so far", "good"
        if self._differing:
            first, *others = self._differing
            told = f"differs: {name_of(first)}" + (f" and {len(others):,} more" if others else "")
            hue = "warn"
        given = f"{self._model.answers:,} of {plural(self._model.known, 'answer')}"
        return [(told, hue), (given, "dim")]

    async def stop(self) -> None:
        """Stop its agent and wait for that, but not for a server that is gone."""
        self._cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), 5.0)

"""`:`: go to a step, a percentage of the run, a time, or an id."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from oh_tui.text.clean import clean_line
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.field import Moment, moment
from oh_tui.trajectory.search.scan import Breathing, scan
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.pace import Pace
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.timeline import Timeline


class GoTo(Controller):
    _steps: Timeline
    _run: TargetRun

    def action_ask(self) -> None:
        self._run.show_target()
        self._ask()

    @in_worker("ask", opens=False)
    async def _ask(self) -> None:
        ui, pane, conversation = self._ui, self._session.pane, self._target()
        typed = await ui.prompt(
            "go to: step, 60%, +12:30, 13:30:05, start of an id", "", enter="go there"
        )
        place = (typed or "").strip()
        if not place:
            ui.focus_pane(pane)
            return
        ui.focus_pane("detail" if pane == "detail" else "timeline")
        if not await self._run.is_there(conversation):
            return
        trajectory = self._steps.trajectory
        assert trajectory is not None
        number = await self._number_of(trajectory, place)
        if not self._steps.go_to_step(number):
            ui.tell(f"the filter hides step {number} · esc shows all steps")

    async def _number_of(self, trajectory: Trajectory, place: str) -> int:
        """The number of the step that the typed text means: a number, a share, a time or an id.
        Raises NotNow."""
        count = len(trajectory)
        if not count:
            raise NotNow("this run has no steps")
        share = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", place)
        if share:
            return 1 + round(min(1.0, float(share[1]) / 100) * (count - 1))
        when = moment(place)
        if when is not None:
            return await self._step_at(trajectory, when, place)
        if re.fullmatch(r"#?[0-9]{1,9}", place):
            number = int(place.removeprefix("#"))
            if trajectory.complete and 0 < number <= count:
                return number
            if len(place) < 4 or not trajectory.complete:
                last = f"the last is {count:,}"
                unread = "older events are not read yet"
                raise NotNow(f"no step {number:,}: {last if trajectory.complete else unread}")
        event = next((e for e in trajectory.events if e.id.startswith(place)), None)
        if event is None:
            raise NotNow(f"no step, time or id: {clean_line(place)[:60]}")
        step = trajectory.step_of(event.id)
        if step is None:
            raise NotNow(f"{safe_line(event.kind)} is not a step: x shows all events")
        return step.number

    async def _step_at(self, trajectory: Trajectory, when: Moment, place: str) -> int:
        """The first step at or after a moment, in the timeline's current clock."""
        at = when.at(trajectory, UTC if self._steps.time == "UTC" else None)
        if at is None:
            where = clean_line(place)[:20]
            raise NotNow(f"cannot go to {where}: the start of the run is not known")

        def test(n: int) -> Breathing:
            yield from ()
            when = trajectory.steps[n].event.seconds()
            return when is not None and when >= at

        pace = Pace(self._ui)
        for n in scan(range(len(trajectory)), test):
            if n is not None:
                return n + 1
            await pace.rest(lambda: "looking for the time")
        pace.end()
        self._ui.tell("the run ended before that")
        return len(trajectory)

"""A sandbox that goes down or comes back: the run at the right goes on, and is not read anew."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.findings.study import Study
from tests.tui.acting.test_answering import FLAKY
from tests.tui.explorer import Between, explore


async def test_a_pause_and_a_resume_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    between, studied = Between(), list[object]()
    made = Study.__init__

    def counted(self: Study, *words: object) -> None:
        studied.append(words)
        made(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(Study, "__init__", counted)
    async with explore(wrap=between) as it:
        await it.open(FLAKY)
        session = it.screen.session
        run, rows = session.trajectory, it.screen.timeline.row_count()
        assert run and run.live and studied

        async def change(status: str, *keys: str) -> list[str]:
            between.asked.clear()
            studied.clear()
            await it.press("p", *keys)
            await it.until(lambda: session.current and session.current.sandbox_status == status)
            await it.settle()
            # what a reading of all events begins with; following it asks for news alone
            return [one for one in between.asked if one.endswith(("/events/count", "/download"))]

        reads = await change("PAUSED", "f", "enter")
        assert session.trajectory is run and not run.live and not studied
        assert it.screen.timeline.row_count() >= rows and not reads
        reads = await change("RUNNING", "enter")
        assert session.trajectory is run and run.live and not studied
        assert it.screen.timeline.row_count() >= rows and not reads

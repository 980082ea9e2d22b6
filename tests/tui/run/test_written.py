"""A run of this machine that another program writes while the explorer shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from oh_tui.settings.config import Config
from oh_tui.settings.startup import Settings
from oh_tui.sources import follow_folder
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.sources.this_machine import ThisMachine
from tests.sources.test_written import ID, Writer
from tests.tui.explorer import explore


@pytest.mark.parametrize("machine", [True, False])
async def test_steps_appear_as_they_are_written(tmp_path: Path, machine: bool) -> None:
    writer = Writer(tmp_path)
    writer.add(2)

    def source() -> Source:
        return ThisMachine(tmp_path) if machine else FileSource([writer.home])

    async with explore(source=source) as it:
        await it.press("enter")
        await it.until(lambda: "running" in it.text("#summary"))
        assert "following" in it.text("#timeline-rule")
        writer.add()
        await it.until(lambda: "make 2" in it.text("#timeline"))
        writer.state("finished")
        await it.until(lambda: "finished" in it.text("#summary"))
        assert "following" not in it.text("#timeline-rule")
        # coming back to the run goes on with it
        current = it.screen.session.current
        assert current
        it.screen.controllers.run.open(current)
        writer.add()
        await it.until(lambda: "make 3" in it.text("#timeline"))
        writer.path(1).unlink()
        await it.until(lambda: "make 1" not in it.text("#timeline"))
        writer.add()
        await it.until(lambda: "make 4" in it.text("#timeline"))


async def test_a_run_whose_writer_is_gone_reads_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(tmp_path)
    writer.add(2)
    async with explore(source=lambda: ThisMachine(tmp_path)) as it:
        await it.press("enter")
        await it.until(lambda: "running" in it.text("#summary"))
        monkeypatch.setattr(follow_folder, "YOUNG", 0.0)
        await it.until(lambda: "Left unfinished" in it.text("#summary"))
        assert "following" not in it.text("#timeline-rule")


async def test_the_list_is_read_again_by_itself(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.add(2)
    settings = Settings(config=Config(refresh=0.1))
    async with explore(source=lambda: ThisMachine(tmp_path), settings=settings) as it:

        def states() -> dict[str, str]:
            return {row.id[:4]: row.status for row in it.screen.session.loaded.rows}

        await it.until(lambda: states() == {ID[:4]: "running"})
        other = Writer(tmp_path, name="b" * 32)
        other.add(1)
        await it.until(lambda: states() == {ID[:4]: "running", "bbbb": "running"})
        other.state("finished")
        await it.until(lambda: states()["bbbb"] == "finished")
        other.state("running")
        await it.until(lambda: states()["bbbb"] == "running")
        other.state("error")
        await it.until(lambda: states()["bbbb"] == "error")
        other.state("running")
        await it.until(lambda: states()["bbbb"] == "running")
        other.age(3600)
        await it.until(lambda: not states()["bbbb"])

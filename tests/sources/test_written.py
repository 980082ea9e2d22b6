"""Runs that another program writes into a folder: what it adds is found, and when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources import follow_folder
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.this_machine import ThisMachine
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.trajectory import Trajectory

ID = "5f3a91c0" * 4
SOON = 60.0
"""Seconds within which a busy machine has looked again."""


class Writer:
    """Writes a run as the OpenHands CLI does: no event tells a state."""

    def __init__(self, folder: Path, *, status: str = "running", name: str = ID) -> None:
        self.name = name
        self.home = folder / name
        (self.home / "events").mkdir(parents=True)
        self.count = 0
        self.state(status)

    def state(self, status: str) -> None:
        base = {"id": self.name, "execution_status": status}
        (self.home / "base_state.json").write_text(json.dumps(base))

    def path(self, number: int) -> Path:
        return self.home / "events" / f"event-{number:05}-e{number}.json"

    def event(self, number: int) -> str:
        at = datetime.now(UTC).replace(tzinfo=None).isoformat()
        if number == 0:
            said = {"role": "user", "content": [{"type": "text", "text": "Tidy up"}]}
            kind: dict[str, Any] = {"kind": "MessageEvent", "source": "user", "llm_message": said}
        else:
            kind = {"kind": "ActionEvent", "source": "agent", "tool_name": "terminal",
                    "tool_call_id": f"c{number}", "llm_response_id": f"r{number}",
                    "action": {"kind": "TerminalAction", "command": f"make {number}"}}  # fmt: skip
        return json.dumps({"id": f"e{number}", "timestamp": at, **kind})

    def add(self, count: int = 1) -> None:
        for _ in range(count):
            self.path(self.count).write_text(self.event(self.count))
            self.count += 1

    def age(self, seconds: float) -> None:
        """As if the writer had written all that long ago."""
        for path in (self.home, self.home / "events", *self.home.rglob("*.json")):
            os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


async def until(is_true: Callable[[], bool]) -> None:
    while not is_true():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


class Watch:
    """A run that is read, and followed on demand."""

    def __init__(self, source: FileSource) -> None:
        self.source = source
        self.told: list[Problem | None] = []

    async def read(self) -> Trajectory:
        (self.row,) = (await self.source.newest()).items
        *_, loaded = [state async for state in self.source.runs.load(self.row)]
        assert loaded.trajectory is not None
        self.run = loaded.trajectory
        return self.run

    def following(self) -> AsyncGenerator[Any, None]:
        return self.source.runs.follow(self.row, self.run, "file", self.told.append)

    async def until(self, following: AsyncGenerator[Any, None], count: int, word: str) -> None:
        """Follow until the run has so many events and this verdict."""
        async with asyncio.timeout(SOON):
            while len(self.run.events) < count or judge(self.run).word != word:
                news = await anext(following)
                assert news is not None
                self.run.extend(news)


@pytest.mark.parametrize("kind", [ThisMachine, lambda path: FileSource([path])])
async def test_new_events_arrive_until_the_state_says_that_it_is_over(
    tmp_path: Path, writer: Writer, kind: Any
) -> None:
    writer.add(2)
    watch = Watch(kind(tmp_path))
    assert judge(await watch.read()).word == "running"
    assert watch.source.runs.may_grow(watch.row)
    async with aclosing(watch.following()) as following:
        await asyncio.sleep(0)
        writer.add(3)
        began = time.monotonic()
        await watch.until(following, 5, "running")
        assert time.monotonic() - began < SOON
        writer.add()
        writer.state("finished")
        await watch.until(following, 6, "finished")
    assert [event.id for event in watch.run.events] == [f"e{n}" for n in range(6)]
    assert watch.run.events[-1].body()["tool_call_id"] == "c5"
    assert not watch.told


async def test_an_event_that_is_half_written_is_read_when_it_is_whole(
    tmp_path: Path, writer: Writer
) -> None:
    writer.add(2)
    whole = writer.event(2)
    writer.path(2).write_text(whole[:30])
    watch = Watch(FileSource([tmp_path]))
    run = await watch.read()
    assert [event.id for event in run.events] == ["e0", "e1"]
    assert not run.cut_off and judge(run).word == "running"
    async with aclosing(watch.following()) as following:
        writer.path(2).write_text(whole)
        await watch.until(following, 3, "running")
        writer.path(3).write_text("")
        writer.path(4).write_text(writer.event(4))  # a later one: it will not be completed
        await watch.until(following, 5, "running")
    assert [event.id for event in run.events][2:] == ["e2", "unreadable-3-e3", "e4"]


async def test_nothing_is_listed_or_read_while_nothing_changes(
    tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_folder, "LOOK", 0.001)
    writer.add(3)
    writer.age(60)
    watch = Watch(FileSource([tmp_path]))
    await watch.read()
    (run,) = (entry.opened for entry in watch.source.runs.entries.values())
    folder = follow_folder.folder_of(run)  # type: ignore[arg-type]
    assert folder and folder.folder
    calls: list[str] = []
    for name in ("now", "read_name", "written"):
        real = getattr(folder.folder, name)

        def count(*given: Any, real: Any = real, name: str = name) -> Any:
            calls.append(name)
            return real(*given)

        monkeypatch.setattr(folder.folder, name, count)
    async with aclosing(watch.following()) as following:
        waits = asyncio.ensure_future(anext(following))
        async with asyncio.timeout(SOON):
            await until(lambda: calls.count("written") >= 20)
        assert calls.count("now") == 1 and calls.count("read_name") < 5
        waits.cancel()
        await asyncio.wait([waits])


async def test_a_run_whose_writer_is_gone_is_left_unfinished(
    tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.add(2)
    watch = Watch(FileSource([tmp_path]))
    assert judge(await watch.read()).word == "running"
    monkeypatch.setattr(follow_folder, "YOUNG", 0.0)
    async with aclosing(watch.following()) as following:
        await watch.until(following, 2, "unfinished")
        assert "Left unfinished" in judge(watch.run).cause
        monkeypatch.undo()
        writer.add()  # the CLI took it up again
        await watch.until(following, 3, "running")


@pytest.mark.parametrize("age", [-86_400.0, 86_400.0])
async def test_a_time_far_from_now_is_no_sign_of_a_writer(
    tmp_path: Path, writer: Writer, age: float
) -> None:
    writer.add(2)
    writer.age(age)
    watch = Watch(FileSource([tmp_path]))
    assert judge(await watch.read()).word == "saved"  # copied, for all that is known
    async with aclosing(watch.following()) as following:
        await asyncio.sleep(0.01)
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.1)
        writer.add()
        async with asyncio.timeout(SOON):
            watch.run.extend(await first)
        await watch.until(following, 3, "running")  # it was seen to grow


async def test_a_folder_that_goes_and_comes_back_is_read_anew(
    tmp_path: Path, writer: Writer
) -> None:
    writer.add(3)
    watch = Watch(FileSource([tmp_path]))
    await watch.read()
    async with aclosing(watch.following()) as following:
        shutil.rmtree(writer.home)
        waits = asyncio.ensure_future(anext(following))
        async with asyncio.timeout(SOON):
            await until(lambda: bool(watch.told))
        assert watch.told[0] and "is gone" in watch.told[0].sentence
        assert len(watch.run.events) == 3
        Writer(tmp_path).add(1)
        async with asyncio.timeout(SOON):
            assert await waits is None
    assert len((await watch.read()).events) == 1


async def test_a_file_that_vanishes_makes_the_run_be_read_anew(
    tmp_path: Path, writer: Writer
) -> None:
    writer.add(3)
    watch = Watch(FileSource([tmp_path]))
    await watch.read()
    writer.path(1).unlink()
    async with aclosing(watch.following()) as following:
        async with asyncio.timeout(SOON):
            assert await anext(following) is None
    assert [event.id for event in (await watch.read()).events] == ["e0", "e2"]
    async with aclosing(watch.following()) as following:
        writer.count = 3
        writer.add()
        await watch.until(following, 3, "running")


async def test_a_zip_does_not_grow(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "run"), "zip", Writer(tmp_path / "x").home)
    source = FileSource([tmp_path / "run.zip"])
    (row,) = (await source.newest()).items
    assert not source.runs.may_grow(row)
    await source.close()

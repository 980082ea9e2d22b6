"""Steps whose results are large: made in a thread, whole or not at all, and no key is lost. Runs
with many steps: what takes long is read in slices, behind the keys."""

from __future__ import annotations

import asyncio
import json
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from types import SimpleNamespace
from typing import Any

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.phases import phases, work
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation import blocks
from oh_tui.trajectory.presentation.blocks import output_text, result_blocks
from oh_tui.trajectory.search.scan import SLICE
from oh_tui.tui.controllers.run.pace import AFTER_KEY, Pace
from oh_tui.tui.controllers.run.reading_on import ReadingOn
from oh_tui.tui.controllers.system import clipboard
from oh_tui.tui.state.columns import LOOK
from tests.tui.explorer import LONGEST, Explorer, explore
from tests.tui.fake_ui import FakeUi

LINES = 20_000


class Held(SimpleNamespace):
    """May be held weakly, as a study is."""


def event(kind: str, n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{kind[0]}{n}",
        "kind": kind,
        "timestamp": f"2026-03-01T00:{n // 60:02}:{n % 60:02}",
        **more,
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three commands, the second with 20,000 lines and a key in the last of them."""
    large = "".join(f"\x1b[32mline {n}\x1b[0m of many\n" for n in range(1, LINES))
    large += "the last one, api_key=abcdef0123456789\n"
    events = []
    for n, said in enumerate(("first said", large, "third said")):
        action = {"kind": "TerminalAction", "command": f"make part{n}"}
        content = [{"type": "text", "text": said}]
        told = {"kind": "TerminalObservation", "content": content, "exit_code": 0}
        call = {"tool_name": "terminal", "tool_call_id": f"c{n}"}
        events.append(event("ActionEvent", 2 * n, source="agent", action=action, **call))
        more = {"action_id": f"A{2 * n}", "observation": told, **call}
        events.append(event("ObservationEvent", 2 * n + 1, source="environment", **more))
    return zipped(tmp_path, events)


def zipped(folder: Path, events: list[dict[str, Any]]) -> Path:
    path = folder / "run.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", json.dumps({"id": "5f3a" * 8, "title": "Large"}))
        for n, one in enumerate(events):
            archive.writestr(f"event_{n:06}_{one['id']}.json", json.dumps(one))
    return path


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What is made waits until the event given back is set."""
    may = threading.Event()

    def waiting(made: Callable[..., Any]) -> Callable[..., Any]:
        def waits(step: Any, *rest: Any, **more: Any) -> Any:
            assert step.number != 2 or may.wait(LONGEST)
            return made(step, *rest, **more)

        return waits

    monkeypatch.setattr(blocks, "result_blocks", waiting(result_blocks))
    monkeypatch.setitem(clipboard._MAKERS, "o", lambda _: waiting(output_text))
    try:
        yield may
    finally:
        may.set()


@pytest.fixture
async def it(run: Path) -> AsyncIterator[Explorer]:
    """The run on the screen, at its first step."""
    async with explore(source=lambda: FileSource([run])) as explorer:
        await explorer.until(lambda: explorer.screen.timeline.row_count() == 3)
        explorer.screen.focus_pane("timeline")
        await explorer.press("g")
        yield explorer


async def test_a_large_result_comes_whole_and_at_the_place_that_was_gone_to_meanwhile(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j")
        assert "make part1" in it.text("#call")
        assert "reading 769 kB" in it.text("#result")
        assert "line" not in it.text("#result-rule")
        await it.send("4", "end")
        may.set()
        await it.settle()
    assert it.screen.run_view.detail.result_view.position()[1:] == (LINES, LINES)
    assert f"of {LINES:,}" in it.text("#result-rule")
    assert "the last one, api_key=[hidden]" in it.text("#result")
    await it.press("home")
    assert it.text("#result").startswith("line 1 of many")
    text = it.screen.run_view.detail.result_view.plain_text()
    assert text.count("\n") == LINES - 1
    assert "abcdef0123456789" not in text


async def test_a_large_result_that_is_no_longer_wanted_is_not_shown(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "j")
        assert "third said" in it.text("#result")
        may.set()
        await it.settle()
    await it.pilot.pause(0.1)
    assert "third said" in it.text("#result")
    assert not it.screen.run_view.detail.is_making


async def test_what_is_looked_for_in_a_large_result_waits_for_it(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "4")
        it.screen.controllers.find.set_find("line 19998 of")
        await it.send("n")
        assert it.screen.run_view.detail.is_making
        may.set()
        await it.settle()
    await it.until(lambda: "line 19998 of many" in it.text("#result"))
    assert "does not contain" not in it.footer


async def test_a_large_result_is_not_handed_to_a_pager_before_it_is_there(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "f3")
        assert "still being read" in it.footer
        may.set()
        await it.settle()


async def test_a_run_that_goes_away_takes_what_is_being_made_with_it(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j")
        assert it.screen.run_view.detail.is_making
        it.screen.run_view.show_run(None)
        assert not it.screen.run_view.detail.is_making
        may.set()
        await it.settle()
    await it.pilot.pause(0.1)
    assert it.screen.run_view.detail.result_view.position() == (0, 0, 0)


async def test_no_key_waits_for_a_large_result_that_is_copied(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "y", "o")
        await it.send("j")
        assert "make part2" in it.text("#call")
        await it.until(lambda: "preparing the text" in it.footer)
        assert it.app.clipboard == ""
        may.set()
        await it.settle()
    text = it.app.clipboard
    assert text.startswith("line 1 of many\n") and text.count("\n") == LINES - 1
    assert text.endswith("the last one, api_key=[hidden]")
    assert "output was sent to the terminal's clipboard, 369 kB" in it.footer


async def test_what_is_copied_last_is_what_is_in_the_clipboard(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "y", "o", "j", "y", "o")
        await it.pilot.pause(0.05)
        assert it.app.clipboard == ""  # one thread at a time
        may.set()
        await it.until(lambda: "output was sent to the terminal's clipboard" in it.footer)
        await it.settle()
    assert it.app.clipboard == "third said"


async def test_esc_stops_a_copy_that_takes_its_time(
    it: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(monkeypatch) as may:
        await it.send("j", "y", "o")
        await it.until(lambda: "preparing the text" in it.footer)
        await it.send("escape")
        assert "nothing was copied" in it.footer
        may.set()
        await it.settle()
    await it.pilot.pause(0.05)
    assert it.app.clipboard == ""


# Runs with many steps

STEPS = 1_500


@pytest.fixture
def long_run(tmp_path: Path) -> Path:
    """Tests that fail and pass in turn, with an edit between."""
    events = list[dict[str, Any]]()
    for n in range(STEPS):
        action: dict[str, Any] = {"kind": "TerminalAction", "command": "pytest -q"}
        text = {"type": "text", "text": "1 failed" if n % 3 == 2 else "1 passed"}
        told = {"kind": "TerminalObservation", "content": [text], "exit_code": n % 3 // 2}
        if n % 3 == 0:
            action = {"kind": "FileEditorAction", "command": "create", "path": f"/w/{n % 7}.py"}
            told = {"kind": "FileEditorObservation", "command": "create", "content": []}
        call = {"tool_name": "terminal" if n % 3 else "file_editor", "tool_call_id": f"c{n}"}
        events.append(event("ActionEvent", n, source="agent", action=action, **call))
        more = {"action_id": f"A{n}", "observation": told, **call}
        events.append(event("ObservationEvent", n, source="environment", **more))
    return zipped(tmp_path, events)


async def test_keys_read_and_tell_no_phases(
    long_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices: list[float | None] = []
    read: list[int] = []
    said: list[str] = []
    update, work_of, sentence = phases.Phases.update, work.work_of, phases.sentence

    def updated(self: phases.Phases, budget: float | None = None) -> bool:
        assert threading.current_thread() is threading.main_thread()
        slices.append(budget)
        return update(self, budget)

    def worked(step: Step, *rest: Any) -> Any:
        read.append(step.number)
        return work_of(step, *rest)

    def told(*words: Any) -> str:
        said.append(sentence(*words))
        return said[-1]

    monkeypatch.setattr(phases.Phases, "update", updated)
    monkeypatch.setattr(phases, "work_of", worked)
    monkeypatch.setattr(phases, "sentence", told)
    async with explore(source=lambda: FileSource([long_run])) as it:
        await it.until(lambda: it.screen.timeline.row_count() == STEPS)
        await it.settle()
        study = it.screen.timeline.study
        assert study is not None and study.known_phases is not None
        known = study.known_phases.known
        assert known and said[-len(known) :] == [phase.summary for phase in known]
        assert read[-STEPS:] == list(range(1, STEPS + 1)), "each step once"
        assert set(slices) == {SLICE} and len(slices) > 5
        before = len(slices), len(read), len(said)
        it.screen.focus_pane("timeline")
        for key in ["up"] * 50 + ["left_curly_bracket"] * 3 + ["right_curly_bracket"] * 3:
            await it.press(key)
        assert (len(slices), len(read), len(said)) == before
        assert known is study.known_phases.known


async def test_what_no_key_asked_for_waits_until_the_last_one_is_drawn() -> None:
    ui = FakeUi()

    async def rested(pace: Pace) -> float:
        began = perf_counter()
        while perf_counter() - began < SLICE:
            pass
        await pace.rest()
        return perf_counter() - began

    ui.input_at = perf_counter()
    assert await rested(Pace(ui, behind=True)) > AFTER_KEY - SLICE
    ui.input_at = perf_counter() + 60  # what a key asked for is not behind it
    assert await rested(Pace(ui)) < 1
    ui.input_at = perf_counter() - 60
    assert await rested(Pace(ui, behind=True)) > AFTER_KEY - SLICE  # a search goes on, for one
    ui.worked_at = perf_counter() - 60
    assert await rested(Pace(ui, behind=True)) < 1


def test_a_thread_that_no_key_asked_for_waits_too() -> None:
    ui = FakeUi()
    pace = Pace(ui, behind=True)
    sleep(SLICE)
    ui.input_at = began = perf_counter()
    pace.rest_in_thread()
    assert perf_counter() - began >= AFTER_KEY
    ui.input_at = perf_counter()
    pace.rest_in_thread()  # a slice of work is done for each key
    assert perf_counter() - ui.input_at < AFTER_KEY


async def test_esc_stops_reading_what_is_worth_a_look_until_its_column_is_chosen() -> None:
    ui, read, came = FakeUi(), list[float](), asyncio.Event()

    def update(budget: float) -> bool:
        sleep(SLICE)
        read.append(budget)
        came.set()
        return False

    run: Any = Held(
        phases=SimpleNamespace(known=[], update=lambda _: True),
        review_hints=SimpleNamespace(update=update, progress=(3, 9)),
        sub_runs=SimpleNamespace(all=tuple),
    )
    steps: Any = SimpleNamespace(study=run, choice={LOOK: True}, refresh=lambda: None)
    no_session: Any = None
    reading = ReadingOn(no_session, ui, steps)
    assert not reading.stop()
    work = asyncio.create_task(reading._read())
    await came.wait()
    assert reading.stop() and not reading.stop()
    await work
    assert "stopped reading what is worth a look, step 3 of 9" in ui.told[-1]
    before = len(read)
    await reading._read()  # the run has grown
    assert len(read) == before
    reading.choose()
    came.clear()
    work = asyncio.create_task(reading._read())
    await came.wait()
    work.cancel()

"""Steps whose results are large: made in a thread, whole or not at all, and no key is lost."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.presentation import blocks
from oh_tui.trajectory.presentation.blocks import output_text, result_blocks
from oh_tui.tui.controllers.system import clipboard
from tests.tui.explorer import LONGEST, Explorer, explore

LINES = 20_000


def event(kind: str, n: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{kind[0]}{n}", "kind": kind, "timestamp": f"2026-03-01T00:00:{n:02}", **more}


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
    path = tmp_path / "run.zip"
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

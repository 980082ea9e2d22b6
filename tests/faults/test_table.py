"""The table of faults, row by row: the message on screen, the command's message and exit code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.actions import sandboxes
from oh_tui.demo import Demo, world
from oh_tui.settings.startup import Settings
from tests.faults import faults
from tests.faults.conftest import BOXES, IDS, KEY, Shell, source
from tests.faults.table import AGAIN, CASES, OTHER, SILENT, Case
from tests.faults.wire import Wire
from tests.tui.explorer import Explorer, explore

BACKFILL, SPLIT = "Backfill invoice numbers", "Split the settings module"

LIST = "GET /api/v1/app-conversations/search"
EVENTS = "GET /api/v1/conversation/*/events/search"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"
PAUSE = "POST /api/v1/sandboxes/*/pause"

RUN = IDS[BACKFILL]

GONE = "It may be deleted or belong to someone else"
TASK = "It may be deleted, or this is the id of a start task, not of a conversation"
SHELL_HINTS = {
    "press d to try again": "try again",
    "r reads again": "--wait waits until it is so",
    "Read its events page by page instead": f"oh-tui events {RUN[:8]} > {RUN[:8]}.jsonl "
    "reads its events page by page",
}
"""What the explorer says, and a command in its place."""


def in_a_shell(hint: str) -> str:
    """Under a sentence that a program's name begins, a hint begins small, but for names."""
    return hint[:1].lower() + hint[1:] if hint[1:2].islower() else hint


NO_ZIP = ("The download is not a zip: the server sent something else", "press d to try again")

ON_SCREEN = (
    "reset midway", "401", "404", "429 for an hour", "500 in plain text", "502 of a proxy",
    "half of the JSON", "a web page", "another shape", "no gzip",
)  # fmt: skip
"""Told on the screen for more than the list, where each takes a tenth of a second."""


def on_list(case: Case) -> tuple[str, str]:
    return f"Could not list conversations: {case.told}", case.hint


def on_open(case: Case) -> tuple[str, str]:
    hint = GONE if case.name in ("404", "410") else case.hint
    return f"Could not read the events of {RUN[:12]}: {case.told}", hint


def on_download(case: Case) -> tuple[str, str]:
    hints = {
        "404": TASK,
        "410": TASK,
        "409": "It is being downloaded already: wait for that to end, then try again",
        "413": "Read its events page by page instead",
    }
    if case.name == "another address":
        doing = f"Could not download the conversation {RUN[:12]}"
        return (
            f"{doing}: nothing listens at 127.0.0.1:1",
            "Check that the server runs, and its port",
        )
    if case.name == "half of it":
        return f"Could not download the conversation {RUN[:12]}: {case.told}", AGAIN
    if case.name in ("half of the JSON", "nothing"):
        return "The download broke off: what came is no whole zip", "press d to try again"
    if "JSON" in case.told or case.hint == OTHER or case.name == "a web page that says it is JSON":
        return NO_ZIP
    hint = hints.get(case.name, case.hint)
    return f"Could not download the conversation {RUN[:12]}: {case.told}", hint


def on_pause(case: Case) -> tuple[str, str]:
    if case.name in ("reset midway", "half of it", "half of the JSON"):
        return "", ""  # the server did it, and that is what counts
    if case.hint == OTHER:  # any JSON but a plain no is taken for a yes, and not believed
        return "The server was asked to pause the sandbox, which is still running", "r reads again"
    why = f"Could not pause the sandbox {BOXES[SPLIT][:12]}: {case.told}"
    if "(429)" in case.told:
        why += f": {case.hint}"
    return "The server did not pause the sandbox; it is running", why


def told(wire: Wire, text: str) -> str:
    """What was said, with names for what differs from server to server and call to call."""
    text = text.replace(wire.url.removeprefix("http://"), "HOST")
    return re.sub(r" at http://HOST/[^\s:]+", " at AT", text)


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a sandbox is so at the next look, or never."""
    monkeypatch.setattr(world, "PAUSE_TAKES", 0.0)
    monkeypatch.setattr(sandboxes, "SETTLE", 0.0)
    monkeypatch.setattr(sandboxes, "UNSURE", 0.0)


def runs_again(demo: Demo) -> None:
    box = demo.world.sandboxes["intranet"]
    box.status, box.asked, box.frozen_at = "RUNNING", None, None


# In a shell


SHELL: dict[str, tuple[str, Callable[[Case], tuple[str, str]]]] = {
    "conversations": (LIST, on_list),
    f"steps {RUN}": (EVENTS, on_open),
    f"download {RUN} -o {{folder}}": (DOWNLOAD, on_download),
    f"pause {IDS[SPLIT]}": (PAUSE, on_pause),
}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("words", SHELL)
def test_in_a_shell(
    wire: Wire,
    demo: Demo,
    shell: Shell,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, one hint, exit code 1, nothing on stdout, no file; then all is well again."""
    at_once(monkeypatch)
    call, expected = SHELL[words]
    line = words.format(folder=tmp_path).split()
    said, wanted = {}, {}
    for case in CASES:
        if call == DOWNLOAD and case.name == "a sign-in elsewhere":
            continue  # a download is followed to where it lies, without the key
        if not case.told and call != LIST:
            continue
        wire.arm(call, case.fault)
        code, out, err = shell(*line)
        wire.disarm()
        runs_again(demo)
        sentence, hint = expected(case) if case.told else ("", "")
        hint = in_a_shell(SHELL_HINTS.get(hint, hint))
        lines = [f"oh-tui: {sentence}"] + ([f"        {hint}"] if hint else [])
        wanted[case.name] = (1, lines) if sentence else (0, [])
        said[case.name] = (code, told(wire, err).splitlines())
        assert not (out and sentence) and KEY not in out + err, case.name
        assert list(tmp_path.iterdir()) == [], case.name
    assert said == wanted
    code, out, _ = shell(*line)
    assert code == 0 and out, "no fault outlives itself"


# On the screen


async def test_lists_on_the_screen(wire: Wire) -> None:
    """One line in the footer, the lists as they were; after the last all is well again."""
    async with explore(source=lambda: source(wire)) as it:
        rows = heads(it)
        said, wanted = {}, {}
        for case in CASES:
            wire.arm(LIST, case.fault)
            said[case.name] = await last_told(it, wire, "r")
            wire.disarm()
            sentence, hint = on_list(case)
            full = f"{sentence}: {hint}" if hint else sentence
            wanted[case.name] = full if case.told else None
            assert heads(it) == rows, case.name
        assert said == wanted
        assert await last_told(it, wire, "r") is None


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("key", ["enter", "d", "p"])
async def test_keys_on_the_screen(
    wire: Wire, demo: Demo, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    call, expected, title = {
        "enter": (EVENTS, on_open, BACKFILL),
        "d": (DOWNLOAD, on_download, BACKFILL),
        "p": (PAUSE, on_pause, SPLIT),
    }[key]
    settings = Settings(download_folder=tmp_path)
    async with explore(source=lambda: source(wire), settings=settings) as it:
        said, wanted = {}, {}
        for case in (case for case in CASES if case.name in ON_SCREEN):
            it.screen.focus_pane("conversations")
            it.screen.sidebar.highlight(IDS[title])
            await it.pilot.pause(0)
            wire.arm(call, case.fault)
            said[case.name] = await last_told(it, wire, key)
            wire.disarm()
            runs_again(demo)
            wanted[case.name] = ": ".join(filter(None, expected(case))) or None
            assert list(tmp_path.iterdir()) == [], case.name
        assert said == wanted
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[title])
        await it.pilot.pause(0)
        assert await last_told(it, wire, key) is None
        if key == "enter":
            assert it.screen.timeline.row_count() == 12
        elif key == "d":
            assert [path.suffix for path in tmp_path.iterdir()] == [".zip"]
        else:
            assert "sandbox paused" in it.footer


def heads(it: Explorer) -> list[str]:
    """The first lines of the conversations: the second ones say since when nothing is known."""
    lines = it.text("#conversations").splitlines()
    return [line for line in lines if not line[1:].startswith("  ")]


async def last_told(it: Explorer, wire: Wire, key: str) -> str | None:
    """The error that a key brings, which the footer shows too until Esc."""
    before = len(it.screen.footer.history)
    await it.press(key)
    if it.screen.asking.is_questioning:
        await it.press("enter")
    errors = [text for text, error in it.screen.footer.history[before:] if error]
    if not errors:
        return None
    assert errors[0][:40] in it.footer
    await it.press("escape")
    assert errors[0][:40] not in it.footer
    assert len(errors) == 1 and KEY not in errors[0]
    return told(wire, errors[0])


def test_a_pause_whose_answer_was_lost_is_looked_for(
    wire: Wire, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server needs a moment, and the pause does not count as failed before that."""
    monkeypatch.setattr(world, "PAUSE_TAKES", 0.2)
    wire.arm(PAUSE, faults.reset_midway)
    assert shell("pause", IDS[SPLIT]) == (0, f"paused  {SPLIT}\n", "")


# Silence: each wait is shortened


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.name)
def test_silence_ends(wire: Wire, shell: Shell, case: Case) -> None:
    shell.patience = 0.01
    wire.arm("GET /api/*", case.fault)
    said = shell("conversations")
    assert said.code == 1
    sentence, hint = on_list(case)
    assert told(wire, said.err).splitlines() == [
        f"oh-tui: {sentence}",
        f"        {in_a_shell(hint)}",
    ]


async def test_silence_leaves_the_keys_alive(wire: Wire) -> None:
    async with explore(source=lambda: source(wire)) as it:
        wire.arm("GET /api/v1/*", SILENT[0].fault)
        asked = wire.asked.count(LIST)
        await it.send("r")
        await it.until(lambda: wire.asked.count(LIST) > asked)
        before = it.screen.sidebar.list.cursor
        await it.send("j")
        assert it.screen.sidebar.list.cursor == before + 1
        await it.send("question_mark")
        assert len(it.app.screen_stack) == 2

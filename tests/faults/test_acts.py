"""Commands that change something or download a file, while their server fails: the message, the
exit code, and that nothing that may have been done is sent twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from oh_tui.demo import Demo
from tests.api.servers import closed_port
from tests.faults import faults
from tests.faults.conftest import IDS, Shell, source
from tests.faults.test_table import in_a_shell, told
from tests.faults.wire import Fault, Wire, served
from tests.tui.explorer import NOW, explore

DATES, LEDGER = IDS["Parse ISO week dates"], IDS["Rename Store to Ledger"]

MAYBE = "It may be done already: look before you try again"
ARRIVES = (
    f"The message may still arrive: look with oh-tui tail {LEDGER[:8]} before you send it again"
)
RUNS_ON = "It may still run: look in the sandbox before you run it again"
NEW_KEY = "Refresh: after a resume the sandbox may have a new key"
ASLEEP = "The sandbox may be asleep or starting: refresh, or resume it"
AGAIN = "Try again"
TOO_OLD = "This agent server may be too old for it"

FAULTS: dict[str, tuple[Fault, str]] = {
    "reset": (faults.reset, "the connection to HOST broke off"),
    "reset midway": (faults.reset_midway, "the connection to HOST broke off"),
    "silence": (faults.silent, "HOST did not answer in time"),
    "401": (faults.detail(401, "Unauthorized"), "HOST does not accept this key (401)"),
    "404": (faults.detail(404, "Not Found"), "HOST knows no such thing (404)"),
    "409": (faults.detail(409, "Not now."), "HOST said: Not now (409)"),
    "500": (faults.says(500, "Internal Server Error", "text/plain"), "HOST failed (500)"),
    "502": (faults.says(502, faults.PAGE, "text/html"), "HOST is not ready (502)"),
    "another shape": (faults.says(200, '{"a": 1}'), ""),
    "half of the JSON": (faults.cut_json, "HOST answered with no JSON at AT"),
}
"""Name -> the fault, and what it is told as."""


@dataclass(frozen=True)
class Act:
    """A command, its call that meets the fault, and the hints that are its own, by fault."""

    words: tuple[str, ...]
    call: str
    doing: str
    hints: dict[str, str]
    usual: str = MAYBE
    shape: str = ""
    """What another shape is told as; "" where any bytes are a good answer."""
    sent: dict[str, int] = field(default_factory=dict)
    """How often it is sent, where that is not once."""


_AGENT = {"401": NEW_KEY, "409": "Check its state, and try again", "500": ASLEEP}

ACTS = {
    "send": Act(
        ("send", LEDGER, "hello"),
        "POST /api/v1/app-conversations/*/send-message",
        "send the message",
        {
            "silence": ARRIVES,
            "401": "Check that the key is for this server",
            "404": "The conversation may be deleted, or its sandbox gone: its history stays "
            "readable",
            "409": "Resume its sandbox, wait until it runs, then send it again",
            "500": "Its sandbox has failed: find out why, then send it again",
            "502": ARRIVES,
        },
        shape="the answer of HOST is no SentMessage",
    ),
    "start": Act(
        ("start", "fix it", "--yes"),
        "POST /api/v1/app-conversations",
        "start a conversation",
        {
            "401": "Check that the key is for this server",
            "404": "The address is wrong, or the server too old to start one",
            "409": "Check its state, and try again",
            "500": "It may have started all the same: look at the list before you try again",
        },
        shape="the answer of HOST is no StartTask",
        sent={"401": 2},  # which of the two headers the key belongs in is found out by that
    ),
    "exec": Act(
        ("exec", DATES, "--", "echo out"),
        "POST /runtime/*/bash/start_bash_command",
        "start the command",
        _AGENT | {"404": TOO_OLD},
        shape="the answer of HOST is no BashCommand",
    ),
    "what exec prints": Act(
        ("exec", DATES, "--", "echo out"),
        "GET /runtime/*/bash/bash_events/search",
        "read what the command printed",
        {},
        RUNS_ON,
        shape="the answer of HOST is no page of items",
        sent={"reset": 3, "reset midway": 3, "500": 2, "502": 3},
    ),
    "get": Act(
        ("get", DATES, "src/dates/parse.py", "-o", "{folder}"),
        "GET /runtime/*/file/download",
        "get parse.py from the sandbox",
        _AGENT
        | {
            "silence": "It may be busy, or frozen: try again, or refresh",
            "404": "Check the path: it is absolute, and counts there, not here",
            "502": ASLEEP,
        },
        AGAIN,
        sent={"reset": 3, "500": 2},
    ),
    "put": Act(
        ("put", DATES, "{file}", "/tmp/new.txt"),
        "POST /runtime/*/file/upload",
        "put new.txt in the sandbox",
        _AGENT
        | {
            "404": TOO_OLD,
            "500": "Check that it is no folder, may be written, and that there is space left",
            "another shape": "Check that it is no folder, may be written, and that there is space "
            "left",
        },
        shape="HOST kept 0 of 5,000 bytes",
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_in_a_shell(shell: Shell, act: Act, tmp_path: Path) -> None:
    folder, local = tmp_path / "saved", tmp_path / "new.txt"
    folder.mkdir()
    local.write_text("x" * 5000)
    words = [word.format(folder=folder, file=local) for word in act.words]
    said: dict[str, Any] = {}
    wanted: dict[str, Any] = {}
    for name, (fault, sentence) in FAULTS.items():
        if name in ("another shape", "half of the JSON") and not act.shape:
            continue
        shell.patience = 0.1 if name == "silence" else 10.0
        demo = Demo(NOW, "everything")
        demo.rate_limited = False
        with served(demo.app) as shell.wire:
            shell.wire.arm(act.call, fault)
            code, out, err = shell(*words)
            sent = sum(fnmatchcase(call, act.call) for call in shell.wire.asked)
            said[name] = code, out, told(shell.wire, err).splitlines(), sent
        hint = in_a_shell(act.hints.get(name, act.usual))
        lines = [f"oh-tui: Could not {act.doing}: {sentence or act.shape}", f"        {hint}"]
        wanted[name] = 1, "", lines, act.sent.get(name, 1)
        assert list(folder.iterdir()) == []
    assert said == wanted


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_where_nothing_listens(shell: Shell, act: Act, tmp_path: Path) -> None:
    shell.wire = Wire(shell.wire.app, f"http://127.0.0.1:{closed_port()}")
    local = tmp_path / "new.txt"
    local.write_text("x")
    said = shell(*(word.format(folder=tmp_path, file=local) for word in act.words))
    assert said.code == 1
    assert "nothing listens at HOST" in told(shell.wire, said.complaint)


@pytest.mark.parametrize("name", ["exec", "get", "put"])
def test_where_the_sandbox_does_not_listen(
    wire: Wire, shell: Shell, name: str, tmp_path: Path
) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"

    def moved(rows: Any) -> Any:
        for row in rows:
            row["conversation_url"] = row["conversation_url"].replace(wire.url, gone)
        return rows

    wire.arm("GET /api/v1/app-conversations", faults.changed(moved))
    local = tmp_path / "new.txt"
    local.write_text("x")
    said = shell(*(word.format(folder=tmp_path, file=local) for word in ACTS[name].words))
    assert said.code == 1
    assert f"nothing listens at {gone.removeprefix('http://')}" in said.complaint
    assert not [call for call in wire.asked if call.startswith("POST")]


def test_what_was_put_and_cannot_be_looked_for_may_be_there(
    wire: Wire, shell: Shell, tmp_path: Path
) -> None:
    local = tmp_path / "new.txt"
    local.write_text("x")
    wire.arm("POST /runtime/*/file/upload", faults.changed(lambda told: {}))
    wire.arm("GET /runtime/*/file/download", faults.reset, after=1)
    said = shell("put", DATES, local, "/tmp/new.txt")
    assert said.code == 1 and in_a_shell(MAYBE) in said.complaint
    wire.disarm()
    assert shell("exec", DATES, "--", "cat /tmp/new.txt").out == "x"


# On the screen


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", [name for name in FAULTS if name != "silence"])
async def test_a_message_that_fails_is_told_once_and_its_text_is_offered_again(
    wire: Wire, name: str
) -> None:
    act, (fault, sentence) = ACTS["send"], FAULTS[name]
    hint = MAYBE if name == "502" else act.hints.get(name, act.usual)
    async with explore(source=lambda: source(wire)) as it:
        await it.open("Rename Store to Ledger")
        wire.arm(act.call, fault)
        await it.send("m")
        await it.until(lambda: it.screen.asking.editor and it.screen.asking.editor.has_focus_within)
        await it.type("hello")
        await it.send("ctrl+s")
        await it.until(lambda: [error for _, error in it.screen.footer.history if error])
        (error,) = [text for text, error in it.screen.footer.history if error]
        assert told(wire, error) == f"Could not send the message: {sentence or act.shape}: {hint}"
        await it.until(lambda: it.screen.asking.editor is not None)
        assert it.screen.asking.editor is not None and it.screen.asking.editor.text == "hello"
        assert sum(fnmatchcase(call, act.call) for call in wire.asked) == 1

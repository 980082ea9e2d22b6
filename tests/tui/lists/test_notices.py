"""The notice that a conversation waits, failed or finished: its words, and its command."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from oh_tui.catalog.run_status import RunStatus
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings, read_settings
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.lists import notices
from oh_tui.tui.session import Session
from oh_tui.tui.state.loaded_conversations import Change
from tests.tui.fake_ui import FakeUi


def change(title: str, status: RunStatus = RunStatus.FINISHED) -> Change:
    return Change(Conversation(id="c1", title=title), status)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", ()),
        ("bell", ("bell",)),
        ("osc9", ("osc9",)),
        ("notify-send 'Open Hands' $TITLE", ("notify-send", "Open Hands", "$TITLE")),
    ],
)
def test_the_setting_is_two_words_or_a_command(written: str, words: tuple[str, ...]) -> None:
    assert read_settings({"OH_TUI_NOTICE": written}).notice == words


def test_what_is_no_command_is_told() -> None:
    with pytest.raises(Problem, match="OH_TUI_NOTICE is not a command: no closing quotation"):
        read_settings({"OH_TUI_NOTICE": "say 'it"})


def test_several_changes_are_one_sentence() -> None:
    assert notices.sentence([change("A", RunStatus.WAITING)]) == "A waits for you"
    told = notices.sentence([change(name, RunStatus.ERROR) for name in "ABCDE"])
    assert told == "5 conversations: A failed, B failed, C failed and 2 more"


def test_a_title_cannot_end_the_sequence_it_stands_in() -> None:
    sequence = notices.osc9(notices.sentence([change("a\x07\x1b]0;b\x07\n\x9c" + "c" * 500)]))
    assert sequence.startswith("\x1b]9;oh-tui: ")
    inside = sequence[len("\x1b]9;") : -1]
    assert inside.isprintable()
    assert len(inside) < 100


async def test_a_command_is_told_by_variables_and_never_by_a_shell(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = "import os,sys; open(sys.argv[1],'w').write(repr((sys.argv[2:], dict(os.environ))))"
    hostile = "$(touch /tmp/x); `id` \"'"
    variables = notices.environment(
        change(hostile, RunStatus.STUCK), {"PATH": "/bin", "OPENHANDS_API_KEY": "sk-secret"}
    )
    words = (sys.executable, "-c", script, str(told), "$OH_TUI_TITLE")
    assert await notices.run(words, variables) == ""
    given, environment = ast.literal_eval(told.read_text())
    assert given == ["$OH_TUI_TITLE"], "nothing is put into the words"
    assert environment["OH_TUI_TITLE"] == hostile
    assert environment["OH_TUI_OUTCOME"] == "stuck"
    assert "sk-secret" not in told.read_text()


async def test_a_command_gets_no_key_and_no_odd_id() -> None:
    given = {
        "PATH": "/bin:/usr/bin", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": "/run/user/1",
        "DISPLAY": ":0", "WORK_SERVER": "sk-1", "SESSION_API_KEY": "sk-2", "MY_TOKEN": "sk-3",
    }  # fmt: skip
    key = "sk-ant-api03-abcd1234567890abcd"
    odd = Change(Conversation(id="x\x1b]0;y\x07\n\0\ud800", title=f"use {key}"), RunStatus.ERROR)
    variables = notices.environment(odd, given)
    assert sorted(variables) == [
        "DISPLAY", "LC_ALL", "OH_TUI_ID", "OH_TUI_OUTCOME", "OH_TUI_TITLE", "PATH",
        "XDG_RUNTIME_DIR",
    ]  # fmt: skip
    assert variables["OH_TUI_TITLE"] == "use [hidden]"
    assert variables["OH_TUI_ID"] == "x \ufffd"
    assert key not in notices.sentence([odd])
    assert await notices.run(("true",), variables) == ""
    assert "cannot be started" in await notices.run(("true\0",), variables)


async def test_a_command_that_is_not_there_or_fails_or_hangs_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "cannot be started" in await notices.run(("/no/such/program",), {})
    assert await notices.run((sys.executable, "-c", "raise SystemExit(3)"), {}) == "ended with 3"
    monkeypatch.setattr(notices, "PATIENCE", 0.1)
    hangs = (sys.executable, "-c", "import time; time.sleep(60)")
    assert "was ended" in await notices.run(hangs, {})


@pytest.mark.parametrize(
    ("notice", "written"),
    [((), []), (("bell",), ["\a"]), (("osc9",), ["\x1b]9;oh-tui: A failed\x07"])],
)
def test_changes_ring_once_and_as_the_settings_say(
    notice: tuple[str, ...], written: list[str]
) -> None:
    ui = FakeUi()
    controller = notices.Notices(Session(Settings(notice=notice)), ui)
    controller.ring([])
    controller.ring([change("A", RunStatus.ERROR)])
    assert ui.written == written

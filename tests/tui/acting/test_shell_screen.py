"""`!`: commands in the sandbox, their output, history, time limit, and refusals."""

from __future__ import annotations

import asyncio

import pytest
from textual import events

from oh_tui.api.models import CommandResult
from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.presentation.block import Failure, Note, Output
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.state import shells
from oh_tui.tui.state.shells import Shell, ShellEntry, result_blocks
from tests.tui.explorer import Between, Explorer, explore
from tests.work import counted

WEEKS = "Parse ISO week dates"
SPLIT = "Split the settings module"
FIXED = "Fix the add function"
IDS = {entry.title: entry.id for entry in ENTRIES}
RUN = "POST /runtime/*/api/bash/*"
OUTPUTS = "GET /runtime/*/api/bash/bash_events/search"


def shell(it: Explorer) -> ShellScreen:
    assert isinstance(it.app.screen, ShellScreen)
    return it.app.screen


async def open_shell(it: Explorer, title: str = WEEKS) -> ShellScreen:
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])
    await it.pilot.pause(0)
    await it.send("exclamation_mark")
    await it.until(lambda: isinstance(it.app.screen, ShellScreen) and shell(it).line.has_focus)
    return shell(it)


async def run(it: Explorer, command: str) -> str:
    """Run a command to its end; all that the shell shows then."""
    shown = shell(it)
    shown.line.put(command)
    await it.send("enter")
    await it.until(lambda: not shown.waiting)
    return shown.output.plain_text()


async def test_opening_runs_nothing_and_says_where_a_command_runs() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_shell(it)
        assert between.count(RUN) == 0
        assert "neither the agent nor the timeline" in " ".join(shown.output.plain_text().split())
        assert shown.line_rule.title[0][0] == "/workspace/dates"


async def test_a_command_shows_its_output_exit_code_and_errors() -> None:
    async with explore() as it:
        await open_shell(it)
        told = await run(it, "echo hello; cat none")
        assert told.partition(" · ")[0] == (  # a busy machine takes time that is worth telling
            "echo hello; cat none\nhello\ncat: none: No such file or directory\nexit 1"
        )


@pytest.mark.slow
async def test_3_mb_of_output_are_whole_and_stay_quick() -> None:
    async with explore() as it:
        await open_shell(it)
        text = await run(it, "seq 1 450000")
        lines = text.splitlines()
        assert lines[1] == "1"
        assert lines[-2] == "450000"
        assert len(lines) == 450_002
        assert "3.0 MB" in lines[-1]
        with counted() as work:
            for key in ("pageup", "pageup", "pagedown", "a", "b", "up"):
                await it.send(key)
        assert work.lines < 1_000_000, "not all lines with each key"
        assert (await run(it, "echo after")).startswith(f"{text}\n \necho after\nafter\nexit 0")


async def test_history_goes_back_and_forth_and_lasts_as_long_as_oh_tui_runs() -> None:
    async with explore() as it:
        await open_shell(it)
        for command in ("echo one", "echo two", "echo two"):
            await run(it, command)
        shown = shell(it)
        shown.line.put("half")
        await it.send("up")
        assert shown.line.value == "echo two"
        await it.send("up", "up")
        assert shown.line.value == "echo one"
        await it.send("down", "down")
        assert shown.line.value == "half", "what was being typed comes back"
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        shown = await open_shell(it)
        assert shown.line.value == "half"
        assert "two" in shown.output.plain_text(), "the output is still there"
        await it.send("escape")
        await it.until(lambda: it.app.screen is it.screen)
        shown = await open_shell(it, SPLIT)
        assert "two" not in shown.output.plain_text(), "each conversation has its own"
        await it.send("up")
        assert shown.line.value == "echo two"


async def test_cd_moves_and_cd_alone_goes_back() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_shell(it)
        await run(it, "cd tests")
        assert shown.line_rule.title[0][0] == "/workspace/dates/tests"
        assert "/workspace/dates/tests" in await run(it, "pwd")
        assert "exit" in await run(it, "cd nowhere")
        assert shown.shell.cwd == "/workspace/dates/tests"
        asked = between.count(RUN)
        await run(it, "cd")
        assert shown.shell.cwd == "/workspace/dates"
        assert between.count(RUN) == asked


@pytest.mark.parametrize("version", [AgentVersion.USUAL, AgentVersion.NEW])
async def test_ctrl_c_stops_the_command_where_the_server_can(version: AgentVersion) -> None:
    async with explore() as it:
        it.demo.world.agent_version = version
        shown = await open_shell(it)
        shown.line.put("sleep 60")
        await it.send("enter")
        await it.until(lambda: shown._stop)
        await it.send("ctrl+c")
        if version == AgentVersion.NEW:
            await it.until(lambda: not shown.waiting)
            assert "ended by SIGTERM" in shown.output.plain_text()
        else:
            await it.until(lambda: shown.footer.news)
            assert "this server cannot stop a command" in shown.footer.news[0][0]
            assert shown.waiting
            await it.send("escape", "escape")
            await it.until(lambda: not shown.waiting)


async def test_esc_stops_waiting_and_says_what_goes_on() -> None:
    async with explore() as it:
        shown = await open_shell(it)
        shown.line.put("sleep 60")
        await it.send("enter")
        await it.until(lambda: shown.waiting and shown.line_rule.facts)
        assert "running a command" in it.screen.session.writes.words
        shown.line.put("echo second")
        await it.send("enter")
        assert "one command at a time" in shown.footer.news[0][0]
        assert shown.line.value == "echo second", "what was typed stays"
        await it.send("escape")
        await it.until(lambda: not shown.waiting)
        assert "no longer waiting: it goes on in the sandbox" in shown.output.plain_text()
        assert it.app.screen is shown
        await it.until(lambda: not it.screen.session.writes.words)
        assert "second" in await run(it, "echo second")


async def test_ctrl_t_sets_the_time_that_a_command_gets() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        shown = await open_shell(it)
        await it.send("ctrl+t", "ctrl+t", "ctrl+t")
        assert shown.shell.timeout == 30
        assert any("30 s" in text for text, _ in shown.line_rule.facts)
        shown.line.put("sleep 100")
        await it.send("enter")
        await it.until(lambda: between.count(RUN))
        await asyncio.sleep(0.05)
        it.demo.advance(31)
        await it.until(lambda: not shown.waiting)
        await it.send("ctrl+t")
        assert shown.shell.timeout == 120


async def test_a_sandbox_that_pauses_meanwhile_gives_the_command_back() -> None:
    async with explore() as it:
        shown = await open_shell(it)
        world = it.demo.world
        world.pause(next(e.sandbox_id for e in ENTRIES if e.title == WEEKS))
        it.demo.advance(5)
        text = await run(it, "echo hello")
        assert "The sandbox is paused: p resumes it" in text
        assert shown.line.value == "echo hello"


async def test_a_paused_sandbox_is_resumed_after_one_question() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.world.pause(next(e.sandbox_id for e in ENTRIES if e.title == SPLIT))
        it.demo.advance(5)
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[SPLIT])
        await it.press("exclamation_mark")
        assert "The sandbox is paused, and this needs it to run" in it.text("#question")
        assert "over its limit" in it.text("#question")
        await it.press("escape")
        assert it.app.screen is it.screen
        assert between.count("POST *") == 0

        await it.press("exclamation_mark")
        await it.send("enter")
        await it.until(lambda: isinstance(it.app.screen, ShellScreen))
        assert between.count("POST */resume") == 1
        assert between.count(RUN) == 0


async def test_a_sandbox_that_is_gone_and_read_only_are_refused_in_a_sentence() -> None:
    async with explore() as it:
        it.screen.focus_pane("conversations")
        it.screen.sidebar.highlight(IDS[FIXED])
        await it.press("exclamation_mark")
        assert "the sandbox is gone" in it.footer
    async with explore(settings=Settings(read_only=True)) as it:
        await it.press("exclamation_mark")
        assert "read-only" in it.footer
        assert it.app.screen is it.screen


async def test_several_pasted_lines_are_not_cut_to_one_in_silence() -> None:
    async with explore() as it:
        shown = await open_shell(it)
        it.app.post_message(events.Paste("rm -rf x\nls"))
        await it.until(lambda: shown.footer.news)
        assert shown.line.value == ""
        assert "put a file" in shown.footer.news[0][0]
        it.app.post_message(events.Paste("ls -la\n"))
        await it.until(lambda: shown.line.value == "ls -la")


# The model


def test_output_is_cleaned_and_keys_are_hidden() -> None:
    raw = "\x1b]0;title\x07\x1b[31mred\x1b[0m sk-abcdef1234567890abcdef\n"
    blocks = result_blocks(CommandResult(0, raw, ""), 2.0, 120)
    assert isinstance(blocks[0], Output)
    assert blocks[0].text == "red [hidden]"
    assert "\x1b]" not in blocks[0].coloured
    assert blocks[1] == Note("exit 0 · 2.0 s")


@pytest.mark.parametrize(
    ("code", "took", "words"),
    [(3, 0.0, "exit 3"), (-1, 120.5, "stopped after 2 minutes"), (-1, 0.1, "could not be started")],
)
def test_how_it_ended_is_said(code: int, took: float, words: str) -> None:
    (block,) = result_blocks(CommandResult(code), took, 120)
    assert isinstance(block, Failure)
    assert words in block.text


def test_the_oldest_output_goes_when_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shells, "KEPT", 100)
    shell = Shell("", "")
    for number in range(4):
        shell.add(ShellEntry([Note(str(number)), Output("x" * 60)], 60))
    gone, last = shell.entries[0], shell.entries[-1]
    assert gone.blocks == [Note("0"), Note("60 B of output, no longer kept")]
    assert last.blocks[1] == Output("x" * 60)
    assert sum(entry.size for entry in shell.entries) <= 100

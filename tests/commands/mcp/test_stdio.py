"""`oh-tui mcp` as a program: what a client starts, and how it ends."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from oh_tui import cli
from tests.commands.mcp.using import OH_TUI, Tools
from tests.hostile.kinds import write_zip
from tests.hostile.test_json import said_by
from tests.trajectory.made import event

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def started(*words: str | Path) -> StdioServerParameters:
    program, *rest = OH_TUI
    return StdioServerParameters(command=program, args=[*rest, "mcp", *map(str, words)])


@contextmanager
def running(*words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that has greeted its client."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*OH_TUI, "mcp", *words], **pipes) as process:
        try:
            say(process, HELLO)
            assert hear(process)["result"]["serverInfo"]["name"] == "oh-tui"
            say(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[bytes], message: dict[str, Any] | bytes) -> None:
    assert process.stdin
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    process.stdin.write(data + b"\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


def answer_of(message: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(message["result"]["content"][0]["text"])
    return told


async def test_an_agent_finds_the_cause_of_a_stuck_run_by_the_tools_alone() -> None:
    async with Client(stdio_client(started("--demo"))) as client:
        tools = Tools(client)
        assert "find_runs" in (client.instructions or "")
        found = await tools("find_runs", words="is:stuck")
        run = found["conversations"][0]["id"]
        verdict = (await tools("why", run=run))["verdict"]
        assert verdict["word"] == "stuck"
        first, last = verdict["steps"][0], verdict["steps"][-1]
        steps = (await tools("steps", run=run, first=first, last=last))["steps"]
        assert all("loop" in step["marks"] for step in steps)
        cause = {step["what"] for step in steps}
        assert cause == {"$ python -m dates 2021-W53-1 --explain"}
        texts = [await tools.text("step", run=run, step=step["index"]) for step in steps]
        assert len(texts) == 4 and all("ValueError: Invalid week: 53" in text for text in texts)


async def test_two_clients_have_a_program_each(run_file: Path, tmp_path: Path) -> None:
    other = write_zip(tmp_path / "other.zip", [event("PauseEvent", "p").raw()], title="other")
    async with (
        Client(stdio_client(started(run_file))) as one,
        Client(stdio_client(started(other))) as two,
    ):
        told = await asyncio.gather(Tools(one)("why"), Tools(two)("why"))
        assert [each["conversation"]["title"] for each in told] == ["Parse ISO week dates", "other"]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_the_client_lives(run_file: Path, number: signal.Signals) -> None:
    for wait in (0, 0.002, 0.1):  # also in the middle of what the SDK does first
        with running(run_file) as process:
            time.sleep(wait)
            process.send_signal(number)
            assert process.wait(20) == 128 + number
            assert process.stderr and process.stderr.read() == b""


def test_it_ends_with_its_client_and_speaks_to_it_alone(run_file: Path) -> None:
    with running(run_file) as process:
        call = {"name": "why", "arguments": {}}
        say(process, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call})
        assert answer_of(hear(process))["verdict"]["word"] == "stuck"
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, b"", b"")


DEEP = b'{"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"arguments": %s}}'


def test_a_request_whose_id_is_none_is_refused(run_file: Path) -> None:
    with running(run_file) as process:
        nones: list[Any] = [1.5, [1], True, None, {}]
        for none in nones:
            say(process, {"jsonrpc": "2.0", "id": none, "method": "tools/list"})
            told = hear(process)
            assert (told["id"], told["error"]["code"]) == (None, -32600), none
            cancel = {"method": "notifications/cancelled", "params": {"requestId": none}}
            say(process, {"jsonrpc": "2.0"} | cancel)
        say(process, b'{"jsonrpc": "2.0", "id": 1e400, "method": "tools/list"}')
        assert hear(process)["error"]["code"] == -32600
        for number in (0, 2**60):
            say(process, {"jsonrpc": "2.0", "id": number, "method": "tools/list"})
            told = hear(process)
            assert told["id"] == number and told["result"]["tools"]


def test_nonsense_is_a_parse_error_and_told_nowhere(run_file: Path) -> None:
    with running(run_file) as process:
        for nonsense in (
            b"sk-ant-api03-CanaryCanary012345", b"\xff\xfe\0", b"[1, 2", b"{}", b"[]", b"7",
            *(DEEP % (b"[" * deep + b"]" * deep) for deep in (5_000, 100_000)),
            *(DEEP % (b'{"a":' * deep + b"1" + b"}" * deep) for deep in (5_000, 100_000)),
            DEEP % (b"[" * 5_000),
        ):  # fmt: skip
            say(process, b"  ")
            say(process, nonsense)
            told = hear(process)
            # how deep a message may be nested for its id to be read hangs on the version of Python
            whose = (9, -32600) if told["id"] == 9 and b"params" in nonsense else (None, -32700)
            assert (told["id"], told["error"]["code"]) == whose, nonsense[:50]
            assert told["error"]["message"] == "it cannot be read"
        say(process, {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": 7}})
        assert hear(process)["error"]["code"] == -32602
        say(process, {"jsonrpc": "2.0", "id": 4, "method": "delete/everything"})
        assert hear(process)["error"]["code"] == -32601
        out, err = process.communicate(timeout=20)
        assert out == b"" and b"Canary" not in err and b"Traceback" not in err


def test_each_call_is_answered_whatever_its_arguments_are(run_file: Path) -> None:
    half, deep, large = r'"x\ud800\u0000\u202e"', "[" * 900 + "]" * 900, "9" * 5_000
    with running(run_file) as process:
        for number, odd in enumerate([half, "NaN", "-1e999", deep, large], 10):
            given = '{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": %s}'
            say(process, (given % (number, f'{{"name": "steps", "arguments": {odd}}}')).encode())
            assert hear(process)["id"] == number
            params = f'{{"name": "steps", "arguments": {{"words": {odd}, "limit": 1}}}}'
            say(process, (given % (number, params)).encode())
            told = hear(process)
            assert told["id"] == number
            if odd == half:
                assert "\ufffd" not in str(told) and told["result"]["isError"] is False
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.slow
def test_a_client_that_closed_its_reading_end_ends_it_quietly(run_file: Path) -> None:
    for calls in (1, 3):
        with running(run_file) as process:
            assert process.stdout and process.stderr
            process.stdout.close()
            call = {"name": "why", "arguments": {}}
            told = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
            say(process, b"\n".join([json.dumps(told).encode()] * calls))
            assert process.wait(20) == 0
            assert process.stderr.read() == b""
            with suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]


def test_a_line_of_many_megabytes_is_refused_and_the_next_one_answered(run_file: Path) -> None:
    with running(run_file) as process:
        say(process, json.dumps(HELLO | {"more": "x" * 9_000_000}).encode())
        told = hear(process)
        assert (told["id"], told["error"]["code"]) == (None, -32600)
        assert "4.0 MB" in told["error"]["message"]
        say(process, {"jsonrpc": "2.0", "id": 2, "method": "ping"})
        assert hear(process)["id"] == 2


def test_a_file_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([*OH_TUI, "mcp", tmp_path / "nofile.zip"], **pipes) as process:
        assert process.wait(60) == 2, "though its client lives"
        assert process.stderr and b"There is no file or folder" in process.stderr.read()


def test_what_is_printed_by_mistake_reaches_no_client(run_file: Path) -> None:
    prints = (
        "import sys; from oh_tui import cli; from oh_tui.mcp import of_run\n"
        "before = of_run.report\n"
        "def loud(*given):\n"
        "    print('loud'); return before(*given)\n"
        "of_run.report = loud\n"
        "sys.exit(cli.main(['mcp', sys.argv[1]]))\n"
    )
    call = {"name": "why", "arguments": {}}
    asked: list[dict[str, Any]] = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", prints, str(run_file)], **pipes) as process:
        for message in asked:
            say(process, message)
        assert [hear(process)["id"], hear(process)["id"]] == [1, 2]
        out, err = process.communicate(timeout=20)
        assert out == b"" and b"loud" in err


def test_a_closed_standard_input_is_said(run_file: Path) -> None:
    words = shlex.join([sys.executable, "-m", "oh_tui", "mcp", str(run_file)])
    done = subprocess.run(["sh", "-c", f"exec {words} <&-"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Standard input is closed" in done.stderr and b"Traceback" not in done.stderr


def test_without_the_extra_it_says_how_to_get_it(
    run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "oh_tui.mcp.protocol", raising=False)
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    code, out, err = said_by("mcp", run_file)
    assert code == 2 and out == "" and "pip install 'oh-tui[mcp]'" in err


def test_standard_input_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oh_tui.commands.framework.standard_input.copy_of_stdin", lambda: Path("x"))
        assert cli.main(["mcp", "-"]) == 2
    assert "Standard input is for the client" in capsys.readouterr().err


def test_all_that_was_asked_before_the_input_ended_is_answered(run_file: Path) -> None:
    asked: list[dict[str, Any]] = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        *(
            {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": name}}
            for n, name in enumerate(["find_runs", "stats", "why", "failures", "no such tool"], 10)
        ),
        {"jsonrpc": "2.0", "id": 20, "method": "tools/call", "params": {"name": 5}},
        {"jsonrpc": "2.0", "id": 21, "method": "no/such"},
        {"jsonrpc": "2.0", "id": 22, "method": "ping"},
    ]
    text = "".join(json.dumps(one) + "\n" for one in asked).encode()
    done = subprocess.run([*OH_TUI, "mcp", run_file], input=text, capture_output=True, timeout=60)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert sorted(one["id"] for one in told) == sorted(one["id"] for one in asked if "id" in one)

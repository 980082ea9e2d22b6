"""exec, get, put: bytes unchanged, exit codes passed through, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pexpect
import pytest

from oh_tui.api.errors import Unreachable
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.demo.world import AgentVersion
from tests.commands import schemas
from tests.commands.conftest import IDS, Served, serve
from tests.commands.shell import Shell, interrupted, shell
from tests.commands.test_terminal import spawn

__all__ = ["shell"]

DATES = IDS["week-dates"]
PARSER = "src/dates/parse.py"


def process(*words: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "oh_tui", "--demo", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **{name: str(value) for name, value in more.items()}},
    )


# exec


def test_the_streams_and_the_exit_code_are_passed_through() -> None:
    done = process("exec", DATES, "--", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")


@pytest.mark.parametrize("more", [{}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_no_byte_is_changed(more: dict[str, str]) -> None:
    done = process("exec", DATES, "--", r"printf 'a\tb\015\n\033[31mred\000 ü ✗'", **more)
    assert (done.returncode, done.stdout) == (0, "a\tb\r\n\x1b[31mred\0 ü ✗".encode())


def test_the_whole_output_comes() -> None:
    done = process("exec", DATES, "--", "seq", "1", "400000")
    assert done.returncode == 0
    assert done.stdout == b"".join(b"%d\n" % n for n in range(1, 400_001))


def test_words_stay_words_and_one_word_is_a_line(shell: Shell) -> None:
    assert shell(f"exec {DATES} -- echo 'a  b' --json -- '' c").out == "a  b --json --  c\n"
    assert shell(f"exec {DATES} -- 'echo a  b; echo c'").out == "a b\nc\n"
    assert shell(f"exec --cwd /workspace/dates/src {DATES} -- ls").out == "dates\n"


def test_it_runs_where_the_agent_works(shell: Shell) -> None:
    assert shell(f"exec {DATES} -- pwd").out == "/workspace/dates\n"


def test_what_takes_too_long_or_cannot_start_has_a_code_of_its_own(shell: Shell) -> None:
    late = shell(f"exec {DATES} --timeout 1 -- sleep 5")
    assert (late.code, late.out) == (124, "") and "--timeout gives it more" in late.err
    nowhere = shell(f"exec {DATES} --cwd /nope -- ls")
    assert nowhere.code == 126 and "could not be started in /nope" in nowhere.err
    as_json = json.loads(shell(f"exec {DATES} --timeout 1 --json -- sleep 5").out)
    schemas.check("exec", as_json)
    assert (as_json["exit_code"], as_json["timed_out"]) == (124, True)


@pytest.mark.parametrize(
    "line", ["exec {}", "exec {} --", "exec {} -- ''", "exec {} ls", "exec {} --timeout x -- ls"]
)
def test_without_a_command_nothing_is_asked(shell: Shell, line: str) -> None:
    said = shell(line.format(DATES))
    assert said.code == 2 and said.complaint
    assert shell.between.asked == []


def test_an_interrupt_says_that_the_command_goes_on(served: Served, tmp_path: Path) -> None:
    words = ("--server", served.url, "exec", DATES, "--", "sleep 30")
    code, out, said = interrupted(words, "start_bash_command", tmp_path)
    assert (code, out) == (130, "")
    assert said.startswith("oh-tui: interrupted; the command goes on in the sandbox, for at most 5")


def test_an_interrupt_stops_the_command_where_the_server_can(tmp_path: Path) -> None:
    with serve() as new:
        new.demo.world.agent_version = AgentVersion.NEW
        words = ("--server", new.url, "exec", DATES, "--", "sleep 30")
        code, _, said = interrupted(words, "start_bash_command", tmp_path)
    assert code == 130
    assert said.startswith("oh-tui: interrupted; the command was stopped in the sandbox")


def test_a_kill_ends_it_as_ctrl_c_does(served: Served, tmp_path: Path) -> None:
    words = ("--server", served.url, "exec", DATES, "--", "sleep 30")
    code, _, said = interrupted(words, "start_bash_command", tmp_path, signal.SIGTERM)
    assert code == 143
    assert said.startswith("oh-tui: interrupted; the command goes on in the sandbox")


def test_a_closed_pipe_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oh_tui", "--demo", "exec", DATES, "--", "seq 1 9999"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_relative_paths_count_from_the_folder_of_a_process_sandbox(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shell.demo.world.has_processes = True
    told = json.loads(shell(f"get {DATES} {PARSER} --json").out)
    assert told["path"] == f"/workspace/dates/{PARSER}"
    told = json.loads(shell(f"put {DATES} parse.py src/new.py --json").out)
    assert told["path"] == "/workspace/dates/src/new.py"
    asked = shell.between.count("POST */bash/start_bash_command")
    assert shell(f"get {DATES} /workspace/dates/src/new.py -o other.py").code == 0
    assert shell.between.count("POST */bash/start_bash_command") == asked, "not needed"


def test_with_read_only_no_command_is_run_to_find_that_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shell.demo.world.has_processes = True
    told = json.loads(shell(f"--read-only get {DATES} {PARSER} --json").out)
    assert told["path"] == f"/workspace/dates/{PARSER}"
    assert shell.between.count("POST *") == 0


# get


def test_a_file_is_got_whole_and_nothing_is_overwritten(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = shell(f"get {DATES} {PARSER}")
    assert said.code == 0
    got = Path(said.out.strip())
    assert got.resolve() == (tmp_path / "parse.py").resolve() and b"def parse" in got.read_bytes()
    again = shell(f"get {DATES} /workspace/dates/{PARSER} --json")
    told = json.loads(again.out)
    schemas.check("get", told)
    assert told["local"].endswith("parse-2.py") and told["bytes"] == got.stat().st_size
    taken = shell(f"get {DATES} {PARSER} -o parse.py")
    assert taken.code == 2 and "is there already" in taken.complaint
    assert shell(f"get {DATES} {PARSER} -o other.py").out == "other.py\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other.py", "parse-2.py", "parse.py",
    ]  # fmt: skip


def test_a_file_can_go_to_stdout(tmp_path: Path) -> None:
    target = tmp_path / "parse.py"
    assert process("get", DATES, PARSER, "-o", str(target)).returncode == 0
    done = process("get", DATES, PARSER, "-o", "-")
    assert (done.returncode, done.stdout, done.stderr) == (0, target.read_bytes(), b"")


@pytest.mark.parametrize("where", ["", "-o new.py", "-o -"])
def test_what_breaks_off_leaves_nothing(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.chdir(tmp_path)

    class Broken:
        size = 100

        async def __aenter__(self) -> Broken:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"some of it"
            raise Unreachable("Could not get it: it broke off after 10 of 100 bytes", "Try again")

    monkeypatch.setattr(SandboxServer, "download_file", lambda self, path: Broken())
    said = shell(f"get {DATES} {PARSER} {where}")
    assert said.code == 1 and "broke off" in said.complaint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("nope.py", 1, "File not found"),
        ("src", 1, "not a file"),
        (f"{PARSER} -o no/such/folder/x", 2, "There is no folder"),
        (f"{PARSER} -o nofolder/", 2, "There is no folder"),
        (f"{PARSER} -o - --json", 2, "leave out --json"),
        ("' '", 2, "not a path"),
    ],
)
def test_what_cannot_be_got_is_told(shell: Shell, words: str, code: int, told: str) -> None:
    said = shell(f"get {DATES} {words}")
    assert said.code == code and told in said.complaint


@pytest.mark.skipif(os.geteuid() == 0, reason="the root user may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for target in (tmp_path, tmp_path / "x.py"):
        said = shell(f"get {DATES} {PARSER} -o {target}")
        assert said.code == 2 and "Cannot write into" in said.complaint


# put


def test_a_file_is_put_into_a_folder_and_replaced_only_with_a_yes(
    shell: Shell, tmp_path: Path
) -> None:
    local = tmp_path / "notes.bin"
    local.write_bytes(bytes(range(256)) * 4)
    said = shell(f"put {DATES} {local} src/")
    assert (said.code, said.out) == (0, "/workspace/dates/src/notes.bin\t1024\n")
    local.write_bytes(b"new")
    refused = shell(f"put {DATES} {local} src")
    assert refused.code == 2 and "would be replaced" in refused.complaint
    assert "--yes" in refused.complaint
    told = json.loads(shell(f"put {DATES} {local} src --yes --json").out)
    schemas.check("put", told)
    assert (told["path"], told["bytes"]) == ("/workspace/dates/src/notes.bin", 3)
    back = tmp_path / "back.bin"
    assert shell(f"get {DATES} src/notes.bin -o {back}").code == 0
    assert back.read_bytes() == b"new"


@pytest.mark.parametrize("word", ["nofile", "/", "/dev/null", "'~nobody-here/x'"])
def test_what_cannot_be_put_is_told_before_anything_is_asked(shell: Shell, word: str) -> None:
    said = shell(f"put {DATES} {word} /tmp/")
    assert said.code == 2 and said.complaint
    assert shell.between.asked == []


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)])
def test_a_terminal_is_asked_before_a_file_is_replaced(
    tmp_path: Path, answer: str, code: int
) -> None:
    local = tmp_path / "parse.py"
    local.write_text("pass\n")
    asked = spawn("put", DATES, str(local), PARSER, columns=200)
    asked.expect_exact("would be replaced. Go on? [y/N] ")
    asked.sendline(answer)
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == code

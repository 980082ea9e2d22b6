"""The command line: words, exit codes, and errors in one line and a hint."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import oh_tui
from oh_tui import cli
from oh_tui.api.models import CLOUD
from oh_tui.cli import opening
from oh_tui.commands import FIRST, TABLE
from oh_tui.commands.framework import failing
from oh_tui.settings.startup import NoKey, Settings
from oh_tui.text.problem import Problem, Refused
from tests.processes import oh_tui as run
from tests.terminal.runs import make_zip

INSTALLED = Path(sys.executable).with_name("oh-tui")


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """What a failed command said, checked for its form: one sentence, then at most one hint."""
    assert done.stdout == ""
    first, *hint = done.stderr.splitlines()
    assert first.startswith("oh-tui: ") and not first.endswith(".")
    assert len(hint) <= 1 and all(line.startswith("        ") for line in hint)
    return done.stderr


@pytest.mark.parametrize("program", [[INSTALLED], [sys.executable, "-m", "oh_tui"]])
def test_it_runs_as_a_program_and_as_a_module(program: list[str | Path]) -> None:
    done = subprocess.run([*program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"oh-tui {oh_tui.__version__}\n"


def test_windows_is_told_of_wsl_in_one_sentence() -> None:
    """There is no fcntl, and nothing of oh-tui that needs it is imported before the sentence."""
    code = (
        "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = sys.modules['termios'] = None; "
        "from oh_tui.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "--demo"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "oh-tui does not run on Windows itself: install it in WSL 2\n"


def test_help_lists_the_commands_with_examples_and_exit_codes() -> None:
    assert run("--help").returncode == 0
    done = run("help", "all")
    assert done.returncode == 0
    for part in ("oh-tui [options] COMMAND", "  check    ", "oh-tui --demo", "exit codes: 0 ok"):
        assert part in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", TABLE)
def test_each_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([name, "--help"], ["--demo", "-h", name]):
        assert cli.main(words) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"usage: oh-tui {name} ")
        assert f"examples:\n  oh-tui {name}" in told and "--server URL" in told
        assert all(len(line) <= 100 for line in told.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["--limit", "2", "conversations", "--demo"],
        ["--demo", "conversations", "--limit=2"],
        ["conversations", "--limit", "2", "--demo"],
    ],
)
def test_options_stand_before_the_command_or_after_it(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["help"], ["--help"]),
        (["help", "why"], ["why", "--help"]),
        (["--demo", "help", "steps"], ["steps", "-h"]),
        (["-V"], ["--version"]),
    ],
)
def test_help_is_a_command_too(
    words: list[str], same: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert cli.main(same) == 0
    assert told == capsys.readouterr().out != ""


def test_the_first_help_names_a_dozen_commands_and_help_all_every_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told(*words: str) -> str:
        assert cli.main(words) == 0
        return capsys.readouterr().out

    first, whole = told("help"), told("help", "all")
    named = {text: re.findall(r"(?m)^  (\w+)  +\S", text) for text in (first, whole)}
    commands = [name for names in FIRST.values() for name in names]
    assert len(commands) == len(set(commands)) == 12
    assert [name for name in named[first] if name in TABLE] == commands
    assert set(named[whole]) >= TABLE.keys()
    for want in ("look", "understand", "act", "many runs", "share"):
        assert f"\n{want}:\n" in first
    assert "--demo=slow" in whole and "--demo=" not in first and "  --demo " in first
    assert "oh-tui help all" in first and len(first.splitlines()) < len(whole.splitlines()) / 1.5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek", "run.zip"], "did you mean check?"),
        (["unknown"], "'unknown' is not a command, a conversation id or a file"),
        (["open"], "open needs PATH"),
        (["check"], "check needs ID or PATH"),
        (["check", ""], "An argument is empty"),
        (["check", "one.zip", "two.zip"], "check: unexpected argument: two.zip"),
        (["check", "run.zip", "--at", "3"], "takes no --at"),
        (["step", "run.zip"], "did you mean steps?"),
        (["check", "--bogus", "run.zip"], "oh-tui check --help"),
        (["steps", "run.zip", "is:odd"], "is:odd is not known"),
        (["conversations", "run.zip", "look:any"], "oh-tui steps takes it, for one run"),
        (["tail", "run.zip", "-n", "x"], "not a number of steps"),
        (["conversations", "--since", "soon", "--demo"], "filter word after: does the same"),
        (["download", "run.zip", "--demo"], "run.zip is a file"),
        (["pause", "run.zip", "--demo"], "a file has no sandbox"),
        (["pause", "5f3a", "--read-only"], "--read-only forbids that"),
        (["--print-completion", "cmd"], "--print-completion: there is no 'cmd'"),
        (["count", "5f3a", "--via", "odd"], "one of app, agent, zip"),
        (["help", "whyy"], "There is no command 'whyy'"),
        (["cache", "burn"], "cache: there is no 'burn'"),
        (["put", "5f3a"], "put needs FILE and PATH"),
        (["send", "5f3a", "x", "--approve", "--reject"], "--approve and --reject cannot be used"),
        (["conversations", "--limit"], "--limit needs a value"),
        (["conversations", "--limti", "3"], "did you mean --limit?"),
        (["check", "run.zip", "--json=1"], "--json takes no value"),
        (["exec", "5f3a", "ls", "-l"], "oh-tui exec 5f3a -- ls -l"),
        (["why", "~no-such-user/run.zip"], "a home folder that is not known"),
        (["--log", "~no-such-user/log", "--demo", "status"], "a home folder that is not known"),
        (["--server", "", "status"], "--server is empty"),
        (["--demo", "https://other.example/" + "5f3a91c0" * 4], "the server here is the demo"),
        (["whoami", "--demo", "--log", "no/such/folder"], "Cannot write the log"),
        (["--bogus"], "There is no option --bogus"),
        (["5f3"], "an id is 4 or more of 0-9 a-f"),
        (["why", "5f"], "give 4 or more of its characters 0-9 a-f"),
        (["--demo", "--server", "localhost"], "--demo shows made-up data only"),
        (["--demo=fast"], "--demo: there is no 'fast'"),
        (["whoami", "--demo="], "one of --demo, --demo=slow"),
        (["--demo", "slow"], "'slow' is not a command"),
        (["--demo=slow", "open", "run.zip"], "--demo shows made-up data only"),
        (["--demo", "open", "run.zip"], "--demo shows made-up data only"),
        (["--server", "ftp://host"], "not a server address"),
        (["open", "missing.zip"], "missing.zip"),
        (["check", "missing.zip"], "missing.zip"),
        (["missing.zip"], "missing.zip"),
        (["https://other.example/conversations/" + "5f3a91c0" * 4], "--server https://other"),
        (["https://app.all-hands.dev/settings"], "not a conversation id"),
        (["open", "https://host.example/x"], "download it, then open it: curl -LO ADDRESS"),
        (["why", "https://host.example/a.jsonl.gz?t=1#row"], "is a file on the web"),
        (["compare", "5f3a", "HTTP://host.example/a/run.zip"], "is a file on the web"),
        (["steps", "https://host.example/run.zip", "is:failed"], "is a file on the web"),
    ],
)
def test_wrong_use_is_told_and_exits_2(words: list[str], told: str) -> None:
    done = run(*words)
    assert told in complaint(done)
    assert done.returncode == 2


@pytest.mark.parametrize("words", [["--key", "topsecret"], ["--api-key=topsecret", "check", "x"]])
def test_a_key_as_a_flag_is_refused_with_the_reason_and_not_repeated(words: list[str]) -> None:
    done = run(*words)
    told = complaint(done)
    assert "history" in told and "OPENHANDS_API_KEY" in told
    assert "topsecret" not in told
    assert done.returncode == 2


def test_a_file_of_another_kind_is_told_and_exits_2(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("milk, bread")
    done = run("why", other)
    assert "notes.txt is not in a format that oh-tui reads" in complaint(done)
    assert done.returncode == 2


def test_a_file_that_is_no_zip_is_told_and_exits_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad\x1b[31m.zip"
    bad.write_text("no zip")
    done = run("check", bad)
    assert "bad.zip is not a zip" in complaint(done)
    assert done.returncode == 2


@pytest.mark.parametrize("words", [[], ["check", "5f3a"], ["5f3a"]])
def test_without_a_key_cloud_is_not_asked_and_the_way_to_one_is_told(words: list[str]) -> None:
    done = run(*words)
    told = complaint(done)
    assert "no key" in told and "OPENHANDS_API_KEY" in told and "--demo" in told
    assert done.returncode == 2


def test_a_server_that_cannot_be_reached_exits_1() -> None:
    done = run("--server", "127.0.0.1:1", "check", "5f3a91c0" * 4)
    assert "127.0.0.1:1" in complaint(done)
    assert done.returncode == 1


def test_the_demo_without_a_terminal_prints_runs_and_steps_and_no_colour() -> None:
    done = run("--demo", FORCE_COLOR="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Conversations: demo, made-up data")
    assert lines[1].split() == ["id", "state", "changed", "cost", "repository", "title"]
    assert lines[-1].startswith("The explorer needs a terminal")


def test_a_conversation_of_the_demo_is_checked_by_the_start_of_its_id() -> None:
    row = run("--demo").stdout.splitlines()[2]
    identifier = row.split()[0]
    done = run("--demo", "check", identifier)
    assert done.returncode in (0, 3)
    assert done.stdout.splitlines()[0].endswith(identifier)


@pytest.mark.parametrize("words", [["dead" * 8], ["check", "dead"]])
def test_an_unknown_conversation_is_told_before_anything_else_and_exits_1(words: list[str]) -> None:
    done = run("--demo", *words)
    assert "no conversation dead" in complaint(done)
    assert done.returncode == 1


def test_a_closed_pipe_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oh_tui", "--help"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_character_that_the_terminal_lacks_is_no_error(tmp_path: Path) -> None:
    done = run("open", tmp_path / "nö✗.zip", PYTHONIOENCODING="ascii")
    assert "n??.zip" in complaint(done)
    assert done.returncode == 2


def test_an_interrupt_exits_130_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main([]) == 130


def test_a_bug_is_told_in_one_line_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(words: list[str]) -> int:
        raise LookupError("foreign text")

    monkeypatch.setattr(cli, "_run", broken)
    monkeypatch.setattr(sys, "flags", type("Flags", (), {"dev_mode": False}))
    assert cli.main([]) == 1
    told = capsys.readouterr().err
    assert "LookupError in test_cli.py:" in told and "foreign text" not in told


def test_a_trouble_with_the_disk_is_told_with_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(words: list[str]) -> int:
        raise OSError(28, "No space left on device", "run.zip")

    monkeypatch.setattr(cli, "_run", full)
    assert cli.main([]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "oh-tui: run.zip: no space left on device",
        "        make room, or write elsewhere",
    ]


@dataclass
class Explorer:
    """Stands for the explorer: keeps what it was started with and ends at once with `code`."""

    code: int = 0
    make_source: Any = None
    settings: Settings | None = None
    told: dict[str, Any] = field(default_factory=dict)

    def __call__(self, make_source: Any, settings: Settings, **told: Any) -> int:
        self.make_source, self.settings, self.told = make_source, settings, told
        return self.code


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Explorer:
    stand_in = Explorer()
    monkeypatch.setattr(cli, "_has_terminal", lambda: True)
    monkeypatch.setattr("oh_tui.tui.app.run_app", stand_in)
    return stand_in


def test_after_the_demo_it_says_how_to_see_ones_own_runs_and_what_others_share(
    explorer: Explorer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--demo", "--read-only"]) == 0
    out = capsys.readouterr().out
    assert out == f"{cli.after_demo()}\n" and "/shared/conversations/" in out
    assert explorer.settings is not None and explorer.settings.read_only
    explorer.code = 1
    assert cli.main(["--demo"]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", ["--demo", "open {folder}"])
def test_order_and_filter_of_the_list_are_for_the_explorer(
    explorer: Explorer, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        make_zip(tmp_path / f"{name}.zip")
    given = words.format(folder=tmp_path).split()
    assert cli.main([*given, "--sort", "cost", "--filter", "-is:failed check"]) == 0
    assert (explorer.told["sort"], explorer.told["filter"].strip()) == ("cost", "-is:failed check")
    assert cli.main([*given, "--filter", "check"]) == 0
    assert (explorer.told["sort"], explorer.told["filter"]) == ("", "check")
    assert cli.main([*given, "--filter", "is:fialed"]) == 2
    assert "did you mean failed?" in capsys.readouterr().err
    assert cli.main([*given, "--sort", "colour"]) == 2


def test_words_of_a_filter_alone_are_pointed_to_the_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["is:failed"]) == 2
    assert "did you mean --filter 'is:failed'?" in capsys.readouterr().err


def test_without_a_terminal_the_list_is_not_sorted_in_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--demo", "--sort", "cost"]) == 2
    assert "oh-tui conversations 'is:failed' --sort cost" in capsys.readouterr().err


def test_without_a_key_the_explorer_starts_without_a_source_of_its_own(
    explorer: Explorer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--server", "cloud", "5f3a"]) == 0
    assert explorer.make_source is None
    assert callable(explorer.told.pop("connect")) and callable(explorer.told.pop("shared"))
    assert explorer.told == {
        "open_id": "5f3a",
        "at": "",
        "sort": "",
        "filter": "",
        "at_once": False,
        "demo": opening.demo_source,
    }
    assert capsys.readouterr().out == ""


def test_without_a_server_and_a_key_the_explorer_looks_for_canvas_by_itself(
    explorer: Explorer,
) -> None:
    assert cli.main(["5f3a"]) == 0
    with pytest.raises(NoKey):
        explorer.make_source()
    of_cloud = f"{CLOUD}/conversations/5f3a91c0-5f3a-91c0-5f3a-91c05f3a91c0"
    assert cli.main([of_cloud]) == 0
    assert explorer.make_source is None, "the address names Cloud"


def test_the_explorer_opens_a_conversation_named_by_its_web_address(explorer: Explorer) -> None:
    address = "http://localhost:3000/conversations/5f3a91c0-5f3a-91c0-5f3a-91c05f3a91c0"
    assert cli.main(["--server", "localhost:3000", address]) == 0
    assert explorer.told["open_id"] == "5f3a91c0" * 4
    assert explorer.make_source().label == "localhost:3000"


@pytest.mark.parametrize("is_large", [False, True])
def test_the_list_of_a_large_file_waits_for_the_explorer(
    explorer: Explorer, is_large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", '{"id": "one"}')
    monkeypatch.setattr(opening, "LARGE", 0 if is_large else opening.LARGE)
    assert cli.main(["open", str(path)]) == 0
    assert explorer.told["at_once"] is not is_large
    source = explorer.make_source()
    assert [row.id for row in source.conversations()] == ["one"]
    asyncio.run(source.close())


@pytest.mark.parametrize(
    "words", [["open", "one.zip", "--at=58", "two.zip"], ["--at", "58", "one.zip"]]
)
def test_the_explorer_opens_files_at_a_step(
    explorer: Explorer, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("one.zip", "w") as archive:
        archive.writestr("meta.json", '{"id": "one"}')
    assert cli.main(words) == 0
    assert explorer.told["at"] == "58"
    assert explorer.told["at_once"] == ("two.zip" not in words)
    opened, anew = explorer.make_source(), explorer.make_source()
    assert opened.paths[0] == anew.paths[0] == Path("one.zip")
    assert opened is not anew
    asyncio.run(opened.close())


def test_causes_in_a_circle_end() -> None:
    first, second = Problem("one"), Refused("other")
    first.__cause__, second.__cause__ = second, first
    assert (failing.code_of(first), failing.code_of(second)) == (2, 1)


def test_a_system_that_starts_no_threads_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    follows = RuntimeError("cannot join thread before it is started")
    follows.__context__ = RuntimeError("can't start new thread")
    assert failing.bug(follows) == 1
    assert "the system starts no more threads or processes" in capsys.readouterr().err
    follows.__context__.__context__ = follows
    assert failing.bug(RuntimeError("another")) == 1
    assert "a bug in oh-tui" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("why gone.zip", "There is no file or folder gone.zip"),
        ("why", "why needs ID or PATH"),
        ("conversations --nope", "conversations has no option --nope"),
        ("conversations --limit x", "--limit: 'x' is not a number of conversations"),
        ("nosuchcommand", "'nosuchcommand' is not a command, a conversation id or a file"),
        ("grep re:/(/ x", ""),
        ("query drop", ""),
        ("", "--json is for commands"),
        ("open gone.zip", "open has no --json"),
    ],
)
def test_with_json_an_error_is_an_object(
    words: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = cli.main([*words.split(), "--json"])
    out, err = capsys.readouterr()
    error = json.loads(err.splitlines()[-1])["error"]
    assert code == error["code"] == 2 and not out
    assert set(error) == {"message", "hint", "code"} and message in error["message"]
    assert error["message"] and (error["hint"] is None or error["hint"])


def test_json_of_a_command_that_is_passed_on_is_not_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--demo", "exec", "zz", "--", "ls", "--json"]) == 2
    assert capsys.readouterr().err.startswith("oh-tui: ")


def test_a_place_to_start_at_is_wrong_use_where_a_command_reads_the_whole_run() -> None:
    done = run("--demo", "check", "477fd351", "--at", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "check takes no --at" in done.stderr

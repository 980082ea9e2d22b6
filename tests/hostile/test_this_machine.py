"""Local files and programs that never end, are no regular files, or are accessible to others."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui.catalog import status_cache
from oh_tui.catalog.run_status import RunStatus
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import publish_as
from oh_tui.settings.paths import make_private, replace_private
from oh_tui.settings.startup import Settings, fetch_key, read_settings
from oh_tui.text.problem import Problem
from oh_tui.tui import desktop
from oh_tui.tui.controllers.lists import notices
from oh_tui.tui.controllers.system import external, web_pages
from oh_tui.tui.state.loaded_conversations import Change
from tests.hostile.bounds import used_by
from tests.hostile.kinds import run, write_zip
from tests.processes import oh_tui
from tests.sources.here import IDS
from tests.tui.explorer import explore

HERE, THERE = "https://one.example", "https://two.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "seen.json"


def told(server: str, file: Path, ids: list[str], when: float = 5.0) -> None:
    memory = LastKnownStates(server, file)
    for identifier in ids:
        memory.record_outcome(identifier, "finished", when)
    assert memory.save()


# What was seen


def test_no_server_pushes_out_what_was_seen_of_another(file: Path) -> None:
    told(HERE, file, [f"mine-{n}" for n in range(100)])
    told(THERE, file, [f"its-{n}" for n in range(3 * status_cache.MOST)], when=9e9)
    assert len(LastKnownStates(HERE, file).known) == 100
    assert len(LastKnownStates(THERE, file).known) == status_cache.MOST - 100


def test_nothing_was_seen_later_than_now(file: Path) -> None:
    """Otherwise the entry would stay the newest for ever and be dropped last."""
    told(HERE, file, ["later"], when=9e12)
    assert LastKnownStates(HERE, file).get("later").when <= time.time()
    file.write_text(json.dumps({"servers": {HERE: {"a": {"outcome": "error", "when": 9e12}}}}))
    assert LastKnownStates(HERE, file).get("a").when <= time.time()


def test_ids_and_outcomes_that_are_none_are_not_kept(file: Path) -> None:
    told(HERE, file, ["a" * 1_000_000, "b"])
    assert list(LastKnownStates(HERE, file).known) == ["b"]
    assert file.stat().st_size < 1_000
    odd = {"x" * 65: {"outcome": "error"}, "y": {"outcome": "e" * 65}}
    file.write_text(json.dumps({"servers": {HERE: odd}}))
    assert not LastKnownStates(HERE, file).known


def test_the_file_never_grows_beyond_what_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_cache, "LARGEST", 20_000)
    memory = LastKnownStates(HERE, file)
    for n in range(1_000):
        memory.record_outcome(str(n), "error", n)
        memory.record_line(str(n), "\U0001f600" * 120)
    assert memory.save()
    assert 5_000 < file.stat().st_size <= 20_000
    assert "999" in LastKnownStates(HERE, file).known


# What is no file


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_neither_waited_for_nor_replaced(
    kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "seen.json"
    odd_file(kind, file)
    memory = LastKnownStates(HERE, file)
    assert memory.get("a") == LastKnown()
    memory.record_outcome("a", "finished", 1.0)
    assert not memory.save()
    assert not file.is_file()
    odd_file(kind, tmp_path / "config.toml")
    with pytest.raises(Problem, match="cannot be read: it is not a regular file"):
        read_settings({"OH_TUI_CONFIG": str(tmp_path / "config.toml")})
    odd_file(kind, tmp_path / "key")
    named = tmp_path / "named.toml"
    named.write_text(f'[servers.a]\nurl = "a.example"\nkey_file = "{tmp_path}/key"')
    with pytest.raises(Problem, match="it is not a regular file"):
        read_settings({"OH_TUI_CONFIG": str(named)}, server="a")


def odd_file(kind: str, path: Path) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")


# A command that tells a key


def command(tmp_path: Path, words: str) -> Settings:
    file = tmp_path / "config.toml"
    file.write_text(f"[servers.a]\nurl = 'a.example'\nkey_command = '''{words}'''")
    return read_settings({"OH_TUI_CONFIG": str(file)}, server="a")


def test_a_command_that_prints_without_end_is_ended_in_little_memory(tmp_path: Path) -> None:
    used = used_by(
        """
        from oh_tui.settings.credentials import command_key
        def act():
            command_key(("sh", "-c", "yes & yes >&2"))
        """,
        tmp_path,
    )
    assert used.told == "Problem: sh -c 'yes & yes >&2' printed more than 1 MiB"
    assert used.mib < 100
    assert used.seconds < 5


@pytest.mark.parametrize(
    "words",
    [
        'sh -c "sleep 600 & echo $! > {0}; echo the-key"',
        'sh -c "sleep 600 >/dev/null 2>&1 & echo $! > {0}; echo the-key"',
    ],
)
def test_the_key_is_there_when_the_command_ends_and_what_it_started_ends_too(
    words: str, tmp_path: Path
) -> None:
    key = fetch_key(command(tmp_path, words.format(tmp_path / "pid")))
    assert key and key.reveal() == "the-key"
    pid = int((tmp_path / "pid").read_text())
    assert ends(pid)


def ends(pid: int) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if ") Z" in Path(f"/proc/{pid}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "words", ["exec >&- 2>&-; sleep 60", "while :; do echo x; sleep 0.05; done"]
)
def test_a_command_that_goes_on_is_ended_in_time(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oh_tui.settings.credentials.PATIENCE", 0.3)
    with pytest.raises(Problem, match="printed no key within"):
        fetch_key(command(tmp_path, f'sh -c "{words}"'))


# Other programs

KEY = "plain-key-of-ours-123"

TELLS = """#!{python}
import os, sys
with open({told!r}, "a") as file:
    file.write(repr(sorted(os.environ.items())) + "\\n")
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that writes its environment into `told`, where keys are set under several names."""
    (tmp_path / "config.toml").write_text(
        "[servers.a]\nurl = 'a.example'\nkey_env = 'MINE'\n"
        "[servers.b]\nurl = 'b.example'\nkey_env = 'LC_SHORT'\n"
    )
    names = ("OPENHANDS_API_KEY", "MINE", "LC_OTHER", "XDG_CURRENT_DESKTOP", "ELSEWHERE")
    for name in names:
        monkeypatch.setenv(name, f"{KEY}")
    monkeypatch.setenv("LC_SHORT", "short")
    monkeypatch.setenv("KEPT", "as it is")
    read_settings({**os.environ, "OH_TUI_CONFIG": str(tmp_path / "config.toml")})
    script = tmp_path / "program"
    script.write_text(TELLS.format(python=sys.executable, told=str(tmp_path / "told")))
    script.chmod(0o700)
    return script


def environment_told(folder: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (folder / "told").exists() and (told := (folder / "told").read_text()).endswith("\n"):
            return told
        time.sleep(0.02)
    raise AssertionError("it was not started")


def test_errors_without_end_of_what_a_command_left_running_do_not_hold_it_up(
    tmp_path: Path,
) -> None:
    used = used_by(
        """
        import os, types
        from oh_tui.settings import credentials
        credentials.PATIENCE = 0.3
        def act():
            reading, writing = os.pipe()
            os.write(writing, b"the key")
            ended = types.SimpleNamespace(
                stdout=os.fdopen(reading, "rb", 0),
                stderr=open("/dev/zero", "rb", 0),
                poll=lambda: 0,
                wait=lambda timeout=None: 0,
            )
            return credentials._read(ended)[0].decode()
        """,
        tmp_path,
    )
    assert used.told == "the key"
    assert used.mib < 100


@pytest.mark.filterwarnings(
    "ignore:subprocess .* is still running", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("start", ["browser", "desktop", "pager", "editor"])
def test_no_program_that_shows_something_gets_a_key(
    start: str, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", str(program))
    if start == "browser":
        assert web_pages.open_address("https://example.com/")
    elif start == "desktop":
        assert desktop.start_detached([str(program)])
    elif start == "pager":
        assert external._feed([str(program)], "text") == 0
    else:
        assert external._call([str(program)], tmp_path) == 0
    told = environment_told(tmp_path)
    assert "as it is" in told
    assert KEY not in told
    assert "LC_SHORT" not in told


async def test_a_notice_gets_no_key_and_a_monstrous_id_loses_none(
    program: Path, tmp_path: Path
) -> None:
    huge = Conversation("i" * 10_000_000, title="t" * 10_000_000)
    for one in (huge, Conversation("b", title="second")):
        variables = notices.environment(Change(one, RunStatus.ERROR), os.environ)
        assert await notices.run((str(program),), variables) == ""
    told = (tmp_path / "told").read_text()
    assert len(told.splitlines()) == 2
    assert KEY not in told
    assert "second" in told


async def test_what_becomes_of_one_notice_does_not_matter_to_the_next(tmp_path: Path) -> None:
    script = tmp_path / "fails"
    script.write_text(f'#!/bin/sh\necho "$OH_TUI_ID" >> {tmp_path}/told\nexit 3\n')
    script.chmod(0o700)
    async with explore() as explorer:
        changes = [Change(Conversation(name), RunStatus.ERROR) for name in ("a", "b", "c")]
        await explorer.screen.controllers.conversations._notices._run_all((str(script),), changes)
        assert "the notice command ended with 3" in explorer.footer
    assert (tmp_path / "told").read_text().split() == ["a", "b", "c"]


# What we make


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_folders_are_private_whatever_the_umask(tmp_path: Path, open_to_all: None) -> None:
    make_private(tmp_path / "a" / "b" / "c")
    for folder in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
    told(HERE, tmp_path / "state" / "oh-tui" / "seen.json", ["a"])
    make_private(tmp_path / "cache" / "oh-tui")
    replace_private(tmp_path / "cache" / "oh-tui" / "status.json", b"{}")
    external._write(tmp_path / "state", "step-1", "png", b"image")
    publish_as(tmp_path / "cache" / "oh-tui" / "status.json", tmp_path / "cache" / "published")
    write_zip(tmp_path / "run.zip", run(lambda: "x"))
    (tmp_path / "run.zip").chmod(0o600)
    assert oh_tui("export", tmp_path / "run.zip", "-o", tmp_path / "cache" / "x").returncode == 0
    for path in (p for name in ("state", "cache") for p in (tmp_path / name, *tmp_path.rglob("*"))):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    "words", ["why --json ID", "stats --json", "export --to jsonl ID", "why ID"]
)
def test_a_closed_standard_output_is_said_in_a_sentence(words: str) -> None:
    command = words.replace("ID", IDS["week-dates"])
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m oh_tui --demo {command} >&-"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "standard output is closed" in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize(
    "words, variable, folder",
    [
        ("index run.zip", "XDG_CACHE_HOME", "oh-tui/library"),
        ("tag ID x --demo", "XDG_STATE_HOME", "oh-tui"),
        ("note ID x --demo", "XDG_STATE_HOME", "oh-tui"),
        ("config trust --yes", "XDG_STATE_HOME", "oh-tui"),
        ("config init", "XDG_CONFIG_HOME", "oh-tui/config.toml"),
    ],
)
def test_a_folder_that_cannot_be_written_is_named_with_the_cause(
    words: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zip(tmp_path / "run.zip", run(lambda: "x"))
    (tmp_path / ".git").mkdir()
    (tmp_path / ".oh-tui").mkdir()
    (tmp_path / ".oh-tui" / "rules.toml").write_text(
        '[[rule]]\nname = "x"\nwhy = "y"\nsteps = "does:install"\nnever = true\n'
    )
    (tmp_path / "file").write_text("")  # root writes into any folder
    monkeypatch.chdir(tmp_path)
    named = tmp_path / "file" / "below"
    done = oh_tui(*words.replace("ID", IDS["week-dates"]).split(), **{variable: str(named)})
    assert done.returncode == 1, done.stderr
    assert f"{named}/{folder}" in done.stderr and "not a directory" in done.stderr.lower()


@pytest.mark.slow
def test_ctrl_c_while_worker_processes_start_prints_nothing(tmp_path: Path) -> None:
    """A terminal sends it to them too."""
    script = (
        "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: None)\n"
        "from oh_tui.batch.pool import Worker\n"
        "if __name__ == '__main__':\n"
        "    print('go', flush=True); found = [Worker(0) for _ in range(2)]; time.sleep(1)\n"
        "    [worker.line.close() for worker in found]\n"
    )
    path = tmp_path / "starts.py"
    path.write_text(script)
    chance = random.Random(1)
    for _ in range(40):
        with subprocess.Popen(
            [sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ) as process:  # fmt: skip
            assert process.stdout and process.stdout.readline() == b"go\n"
            time.sleep(chance.uniform(0, 0.5))
            os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, b"")

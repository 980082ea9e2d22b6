"""Files and programs of this machine that never end, are no files, or are open to others."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui import seen
from oh_tui.commands import store
from oh_tui.places import make_private
from oh_tui.problem import Problem
from oh_tui.seen import Memory, Seen
from oh_tui.settings import Settings, fetch_key, read_settings
from tests.hostile.bounds import used_by

HERE, THERE = "https://one.example", "https://two.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "seen.json"


def told(server: str, file: Path, ids: list[str], when: float = 5.0) -> None:
    memory = Memory(server, file)
    for identifier in ids:
        memory.saw(identifier, "finished", when)
    assert memory.write(memory.news())


# What was seen


def test_no_server_pushes_out_what_was_seen_of_another(file: Path) -> None:
    told(HERE, file, [f"mine-{n}" for n in range(100)])
    told(THERE, file, [f"its-{n}" for n in range(3 * seen.KEPT)], when=9e9)
    assert len(Memory(HERE, file).known) == 100
    assert len(Memory(THERE, file).known) == seen.KEPT - 100


def test_nothing_was_seen_later_than_now(file: Path) -> None:
    """Else it would be the newest for ever, and the last to go."""
    told(HERE, file, ["later"], when=9e12)
    assert Memory(HERE, file).get("later").when <= time.time()
    file.write_text(json.dumps({"servers": {HERE: {"a": {"outcome": "error", "when": 9e12}}}}))
    assert Memory(HERE, file).get("a").when <= time.time()


def test_ids_and_outcomes_that_are_none_are_not_kept(file: Path) -> None:
    told(HERE, file, ["a" * 1_000_000, "b"])
    assert list(Memory(HERE, file).known) == ["b"]
    assert file.stat().st_size < 1_000
    odd = {"x" * 65: {"outcome": "error"}, "y": {"outcome": "e" * 65}}
    file.write_text(json.dumps({"servers": {HERE: odd}}))
    assert not Memory(HERE, file).known


def test_the_file_never_grows_beyond_what_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "LARGEST", 20_000)
    memory = Memory(HERE, file)
    for n in range(1_000):
        memory.saw(str(n), "error", n)
        memory.heard(str(n), "\U0001f600" * 120)
    assert memory.write(memory.news())
    assert 5_000 < file.stat().st_size <= 20_000
    assert "999" in Memory(HERE, file).known


# What is no file


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_neither_waited_for_nor_replaced(
    kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "seen.json"
    odd_file(kind, file)
    memory = Memory(HERE, file)
    assert memory.get("a") == Seen()
    memory.saw("a", "finished", 1.0)
    assert not memory.write(memory.news())
    assert not file.is_file()
    odd_file(kind, tmp_path / "status.json")
    assert store.read(tmp_path, "status") == b""
    odd_file(kind, tmp_path / "config.toml")
    with pytest.raises(Problem, match="cannot be read: it is no regular file"):
        read_settings({"OH_TUI_CONFIG": str(tmp_path / "config.toml")})
    odd_file(kind, tmp_path / "key")
    named = tmp_path / "named.toml"
    named.write_text(f'[servers.a]\nurl = "a.example"\nkey_file = "{tmp_path}/key"')
    with pytest.raises(Problem, match="it is no regular file"):
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
        from oh_tui.credentials import command_key
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
        'sh -c "sleep 60 & echo $! > {0}; echo the-key"',
        'sh -c "sleep 60 >/dev/null 2>&1 & echo $! > {0}; echo the-key"',
    ],
)
def test_the_key_is_there_when_the_command_ends_and_what_it_started_ends_too(
    words: str, tmp_path: Path
) -> None:
    began = time.monotonic()
    key = fetch_key(command(tmp_path, words.format(tmp_path / "pid")))
    assert key and key.reveal() == "the-key"
    assert time.monotonic() - began < 5
    pid = int((tmp_path / "pid").read_text())
    assert ends(pid)


def ends(pid: int) -> bool:
    for _ in range(250):
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
    monkeypatch.setattr("oh_tui.credentials.PATIENCE", 0.3)
    with pytest.raises(Problem, match="told no key within"):
        fetch_key(command(tmp_path, f'sh -c "{words}"'))


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
    store.write(tmp_path / "cache" / "oh-tui", "status", b"{}")
    for path in (p for name in ("state", "cache") for p in (tmp_path / name, *tmp_path.rglob("*"))):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path

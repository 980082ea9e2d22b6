"""What every private file that several oh-tui change at once promises."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oh_tui.settings import paths
from oh_tui.settings.private_store import PrivateStore, aside


class Words(PrivateStore[list[str], str]):
    """A store of a few words."""

    def __init__(self, file: Path | None) -> None:
        super().__init__(file, 1_000, list)

    def decoded(self, data: bytes) -> list[str]:
        found = json.loads(data)
        if not isinstance(found, list):
            raise ValueError
        return found

    def encoded(self, held: list[str]) -> bytes:
        return json.dumps(held).encode()

    def changed(self, held: list[str], change: str) -> list[str]:
        return [*(one for one in held if one[0] != change[0]), change]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "words.json"


def saved(file: Path | None, *words: str) -> bool:
    store = Words(file)
    store.to_write(*words)
    return store.save()


def test_without_a_file_nothing_is_kept_to_be_written() -> None:
    store = Words(None)
    store.to_write("a")
    assert not store.has_changes and store.save()
    assert store.read() == []


def test_the_file_is_private_and_replaced_whole(file: Path) -> None:
    assert saved(file) and not file.parent.exists(), "nothing has changed"
    assert saved(file, "a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    inode = file.stat().st_ino
    assert saved(file, "b")
    assert file.stat().st_ino != inode
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert Words(file).read() == ["a", "b"]


def test_many_that_write_at_once_lose_nothing(file: Path) -> None:
    words = [chr(ord("a") + number) for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda word: saved(file, word), words))
    assert sorted(Words(file).read() or ()) == words
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_one_that_was_stopped_while_it_wrote_is_not_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PATIENCE", 0.05)
    file.parent.mkdir(parents=True)
    with paths.locked(file.parent):
        assert saved(file, "a")
    assert Words(file).read() == ["a"]


def test_what_could_not_be_written_is_tried_again_before_what_is_newer(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file in the place of the folder")
    store = Words(blocked / "words.json")
    store.to_write("a1", "b1")
    changes = store.take_changes()
    assert not store.write(changes)
    store.to_write("a2")
    store.put_back(changes)
    blocked.unlink()
    assert store.save() and not store.has_changes
    assert store.read() == ["b1", "a2"]


@pytest.mark.parametrize("broken", [b"", b"{", b"{}", b"\xff\xfe", b"[" * 900, b" " * 1_001])
def test_a_file_that_cannot_be_understood_is_put_aside(file: Path, broken: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(broken)
    assert Words(file).read() is None
    assert saved(file, "a")
    assert Words(file).read() == ["a"]
    assert aside(file).read_bytes() == broken, "what the user wrote is not thrown away"


@pytest.mark.parametrize("in_place", ["folder", "pipe"])
def test_what_is_no_file_stays(file: Path, in_place: str) -> None:
    file.parent.mkdir(parents=True)
    if in_place == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert not saved(file, "a")
    assert file.exists() and not file.is_file()


def test_what_would_be_too_large_to_be_read_is_not_written(file: Path) -> None:
    assert saved(file, "a")
    assert not saved(file, "b" * 1_000)
    assert Words(file).read() == ["a"]

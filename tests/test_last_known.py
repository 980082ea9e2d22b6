"""Remembered states of conversations: their file, and that a faulty one does no harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.catalog import status_cache
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates

HERE, THERE = "https://one.example", "https://two.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "seen.json"


def test_what_was_seen_is_there_in_the_next_session_of_the_same_server(file: Path) -> None:
    memory = LastKnownStates(HERE, file)
    memory.record_outcome("a", "stuck", 5.0)
    memory.record_line("a", "stuck: same call and result, 4 times")
    memory.record_opened("a", 6.0)
    memory.save()
    again = LastKnownStates(HERE, file).get("a")
    assert again == LastKnown("stuck", 5.0, "stuck: same call and result, 4 times", 6.0)
    assert LastKnownStates(THERE, file).get("a") == LastKnown()


def test_another_outcome_takes_the_line_away_and_the_same_keeps_it() -> None:
    memory = LastKnownStates()
    memory.record_outcome("a", "waiting", 1.0)
    memory.record_line("a", "asks: rm -rf build")
    memory.record_outcome("a", "waiting", 2.0)
    assert memory.get("a").line == "asks: rm -rf build"
    memory.record_outcome("a", "running", 3.0)
    assert memory.get("a").line == ""


def test_two_sessions_at_once_keep_what_each_of_them_saw(file: Path) -> None:
    one, two = LastKnownStates(HERE, file), LastKnownStates(HERE, file)
    one.record_outcome("a", "finished", 1.0)
    two.record_outcome("b", "error", 2.0)
    one.save()
    two.save()
    again = LastKnownStates(HERE, file)
    assert (again.get("a").outcome, again.get("b").outcome) == ("finished", "error")


def test_nothing_is_written_when_nothing_is_new_or_only_what_passes(file: Path) -> None:
    memory = LastKnownStates(HERE, file)
    memory.save()
    memory.record_line("a", "$ make", keep=False)
    memory.save()
    assert not file.exists()
    assert memory.get("a").line == "$ make"
    memory.record_outcome("a", "running", 1.0)
    memory.save()
    before = file.stat().st_ino
    memory.record_outcome("a", "running", 1.0)
    memory.save()
    assert file.stat().st_ino == before


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b'{"servers": 3}',
        b'{"servers": {"https://one.example": {"a": {"when": "late"}}}}',
        b'{"servers": {"https://one.example": {"a": {"when": 1e999}}}}',
        b'{"servers": {"https://one.exa',
        b" " * (status_cache.LARGEST + 1),
    ],
)
def test_a_damaged_file_holds_nothing_and_is_written_anew(file: Path, damage: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    memory = LastKnownStates(HERE, file)
    assert memory.get("a") == LastKnown()
    memory.record_outcome("a", "finished", 1.0)
    memory.save()
    assert LastKnownStates(HERE, file).get("a").outcome == "finished"


@pytest.mark.parametrize(
    "odd", ['{"when": null}', '{"when": 1e999}', '{"line": 3}', "[]", "null", "7", '"x"']
)
def test_one_odd_entry_is_left_out_and_the_others_stay(file: Path, odd: str) -> None:
    file.parent.mkdir(parents=True)
    entries = f'{{"odd": {odd}, "a": {{"outcome": "error", "when": 2}}}}'
    file.write_text(f'{{"servers": {{"{HERE}": {entries}, "{THERE}": {entries}, "x": {odd}}}}}')
    memory = LastKnownStates(HERE, file)
    assert (memory.get("a"), memory.get("odd")) == (LastKnown("error", 2.0), LastKnown())
    memory.record_outcome("b", "finished", 3.0)
    memory.save()
    for server in (HERE, THERE):
        assert LastKnownStates(server, file).get("a") == LastKnown("error", 2.0)
    assert LastKnownStates(HERE, file).get("b").outcome == "finished"


def test_a_key_in_the_file_is_not_shown(file: Path) -> None:
    file.parent.mkdir(parents=True)
    told = {"outcome": "error", "line": "token=abcd1234\u200befgh5678"}
    file.write_text(json.dumps({"servers": {HERE: {"a": told}}}))
    assert LastKnownStates(HERE, file).get("a").line == "token=[hidden]"


def test_a_file_of_a_later_version_is_read_as_far_as_it_is_known(file: Path) -> None:
    file.parent.mkdir(parents=True)
    told = {"outcome": "error", "when": 3, "line": "a\x1b[31mb\nc", "colour": "red"}
    file.write_text(json.dumps({"version": 9, "servers": {HERE: {"a": told}}}))
    found = LastKnownStates(HERE, file).get("a")
    assert (found.outcome, found.when) == ("error", 3.0)
    assert "\x1b" not in found.line
    assert "\n" not in found.line


def test_the_oldest_are_dropped_beyond_the_limit(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_cache, "MOST", 10)
    for server in (HERE, THERE):
        memory = LastKnownStates(server, file)
        for number in range(8):
            memory.record_outcome(f"c{number}", "finished", 100.0 + number)
        memory.save()
    held = json.loads(file.read_text())["servers"]
    assert sum(map(len, held.values())) == 10
    assert "c7" in held[HERE]
    assert "c7" in held[THERE]
    assert "c0" not in held[HERE]


def test_lines_are_short_and_hold_no_key() -> None:
    memory = LastKnownStates()
    memory.record_line(
        "a", "asks: curl -H 'Authorization: Bearer sk-ant-api03-abcdefghijklmnop'\n" * 9
    )
    line = memory.get("a").line
    assert "abcdefghijklmnop" not in line
    assert len(line) <= status_cache.LINE
    assert "\n" not in line

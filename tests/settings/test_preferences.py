"""The explorer's preferences: their file, and that a faulty one does no harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.settings import paths, preferences
from oh_tui.settings.preferences import Choices, OfServer, Preferences
from oh_tui.settings.startup import read_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "preferences.json"


def test_what_was_chosen_is_there_in_the_next_session(file: Path) -> None:
    kept = Preferences(file)
    kept.change(theme="nord", wrap=False)
    kept.change(time="UTC", left={160: 50})
    assert kept.save()
    assert Preferences(file).chosen == Choices("nord", "UTC", False, {160: 50})
    assert not kept.has_changes


GOOD = {"version": 1, "theme": "nord", "time": "UTC", "wrap": False, "left": {"160": 50}}


def test_order_and_columns_are_kept_for_the_last_servers(file: Path) -> None:
    kept = Preferences(file)
    for number in range(preferences.SERVERS + 5):
        kept.change_for(f"https://{number}", sort="cost", columns={"model": True})
    kept.change_for("https://20", sort="", columns={})
    kept.change_for("https://30", back=True)
    kept.change_for("x" * 400, sort="cost")
    kept.save()
    servers = Preferences(file).chosen.servers
    assert len(servers) == preferences.SERVERS - 1, "one was taken back"
    assert "https://0" not in servers and "https://20" not in servers
    assert servers["https://30"] == OfServer("cost", True, {"model": True})


def test_what_an_older_version_kept_for_files_stays(file: Path) -> None:
    file.parent.mkdir(parents=True)
    kept = {"": {"sort": "cost"}, "https://lab": {"sort": "title"}}
    file.write_text(json.dumps(GOOD | {"servers": kept}))
    read = Preferences(file)
    assert read.of("files") == OfServer("cost") and read.of("https://lab") == OfServer("title")
    assert read.of("demo") == OfServer()
    read.change_for("files", sort="newest")
    read.save()
    assert Preferences(file).of("files") == OfServer("newest")
    assert '""' not in file.read_text()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 5_000,
        json.dumps(GOOD | {"version": 2}).encode(),
        json.dumps({"servers": {}}).encode(),
        json.dumps(GOOD | {"theme": 7}).encode(),
        json.dumps(GOOD | {"theme": "x" * 65}).encode(),
        json.dumps(GOOD | {"left": {"160": -3}}).encode(),
        json.dumps(GOOD | {"left": {"wide": 3}}).encode(),
        json.dumps(GOOD | {"servers": {"": {"sort": 3}}}).encode(),
        json.dumps(GOOD | {"servers": {"": {"columns": {"cost": "yes"}}}}).encode(),
        json.dumps(
            GOOD | {"servers": {"": {"columns": {str(n): True for n in range(40)}}}}
        ).encode(),
        json.dumps(GOOD | {"more": "x" * preferences.LARGEST}).encode(),
    ],
)
def test_a_broken_foreign_or_newer_file_is_dropped(file: Path, broken: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(json.dumps(GOOD).encode())
    assert Preferences(file).chosen.theme == "nord"
    file.write_bytes(broken)
    kept = Preferences(file)
    assert kept.chosen == Choices()
    kept.change(time="clock")
    assert kept.save()
    assert Preferences(file).chosen == Choices(time="clock")


def test_two_explorers_keep_what_the_other_chose(file: Path) -> None:
    one, other = Preferences(file), Preferences(file)
    one.change(theme="nord", left={160: 50})
    other.change(time="UTC", left={200: 70})
    one.save()
    other.save()
    assert Preferences(file).chosen == Choices("nord", "UTC", True, {160: 50, 200: 70})


def test_only_the_last_sizes_are_kept(file: Path) -> None:
    kept = Preferences(file)
    for columns in range(100, 200):
        kept.change(left={columns: 30})
    kept.change(left={180: 0})
    kept.save()
    left = Preferences(file).chosen.left
    assert len(left) == preferences.SIZES - 1, "one was taken back"
    assert 199 in left and 180 not in left and 100 not in left


def test_no_state_names_no_file(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    settings = read_settings(home)
    assert settings.preferences_file == paths.state_file(home, "preferences")
    assert settings.last_known_file == paths.state_file(home, "seen")
    without = read_settings(home, no_state=True)
    assert without.preferences_file is None and without.last_known_file is None

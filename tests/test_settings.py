"""Settings: addresses, keys and where they are found, what the terminal can show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oh_tui.api.models import Secret
from oh_tui.problem import Problem
from oh_tui.settings import CLOUD, read_settings, server_address

UTF8 = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://app.all-hands.dev", CLOUD),
        (" https://app.all-hands.dev/ ", CLOUD),
        ("https://app.all-hands.dev/api", CLOUD),
        ("https://app.all-hands.dev/api/v1/", CLOUD),
        ("app.all-hands.dev", CLOUD),
        ("HTTPS://App.All-Hands.dev", CLOUD),
        ("https://app.all-hands.dev/?a=b#c", CLOUD),
        ("localhost:3000", "http://localhost:3000"),
        ("LOCALHOST", "http://localhost"),
        ("127.0.0.1:3000/api/v1", "http://127.0.0.1:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("https://localhost:3000", "https://localhost:3000"),
        ("http://10.0.0.5:3000/openhands/api", "http://10.0.0.5:3000/openhands"),
        ("localhost.example.org", "https://localhost.example.org"),
    ],
)
def test_a_server_address_is_taken_as_people_write_it(written: str, address: str) -> None:
    assert server_address(written) == address


@pytest.mark.parametrize(
    "written",
    ["", "https://", "ftp://host", "http://host:port", "http://host:99999", "a b", "://x"],
)
def test_what_is_no_server_address_is_refused(written: str) -> None:
    with pytest.raises(Problem, match="no server address"):
        server_address(written)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(Problem) as caught:
        server_address("https://me:hunter2@example.org")
    assert "user name or password" in caught.value.sentence
    assert "hunter2" not in caught.value.sentence + caught.value.hint


def test_the_default_is_cloud_without_a_key() -> None:
    settings = read_settings(UTF8)
    assert (settings.base_url, settings.key, settings.key_from) == (CLOUD, None, "")
    assert settings.auth is None
    assert not settings.read_only and not settings.no_color
    assert settings.download_folder == Path.cwd()


def test_a_flag_beats_the_environment_which_beats_the_default() -> None:
    environment = {**UTF8, "OPENHANDS_BASE_URL": "http://one.example"}
    assert read_settings(environment).base_url == "http://one.example"
    assert read_settings(environment, server="two.example").base_url == "https://two.example"


def test_on_cloud_the_cloud_key_wins_and_elsewhere_the_general_one() -> None:
    environment = {**UTF8, "OPENHANDS_API_KEY": "general", "OPENHANDS_CLOUD_API_KEY": "cloud"}
    on_cloud = read_settings(environment)
    assert (on_cloud.key, on_cloud.key_from) == (Secret("cloud"), "OPENHANDS_CLOUD_API_KEY")
    elsewhere = read_settings(environment, server="localhost:3000")
    assert (elsewhere.key, elsewhere.key_from) == (Secret("general"), "OPENHANDS_API_KEY")


def test_the_stored_key_of_the_openhands_cli_goes_to_cloud_alone(tmp_path: Path) -> None:
    stored = tmp_path / ".openhands" / "cloud" / "api_key.txt"
    stored.parent.mkdir(parents=True)
    stored.write_text("stored\n")
    environment = {**UTF8, "HOME": str(tmp_path)}
    on_cloud = read_settings(environment)
    assert (on_cloud.key, on_cloud.key_from) == (Secret("stored"), "~/.openhands/cloud/api_key.txt")
    assert read_settings(environment, server="localhost:3000").key is None
    named = read_settings({**environment, "OPENHANDS_API_KEY": "named"})
    assert named.key_from == "OPENHANDS_API_KEY"


def test_a_stored_key_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    stored = tmp_path / ".openhands" / "cloud" / "api_key.txt"
    stored.mkdir(parents=True)
    assert read_settings({**UTF8, "HOME": str(tmp_path)}).key is None


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "naïve", "bell\x07"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(Problem, match="OPENHANDS_API_KEY has characters") as caught:
        read_settings({**UTF8, "OPENHANDS_API_KEY": key})
    assert key not in caught.value.sentence + caught.value.hint


def test_no_repr_of_the_settings_shows_the_key() -> None:
    assert "topsecret" not in repr(read_settings({**UTF8, "OPENHANDS_API_KEY": "topsecret"}))


def test_the_header_of_the_key_can_be_chosen() -> None:
    assert read_settings({**UTF8, "OH_TUI_AUTH": "Session"}).auth == "session"
    assert read_settings({**UTF8, "OH_TUI_AUTH": "bearer"}).auth == "bearer"
    with pytest.raises(Problem, match="OH_TUI_AUTH"):
        read_settings({**UTF8, "OH_TUI_AUTH": "basic"})


def test_where_no_server_is_meant_wrong_server_settings_are_not_in_the_way() -> None:
    environment = {
        **UTF8,
        "OPENHANDS_BASE_URL": "ftp://x",
        "OPENHANDS_API_KEY": "a b",
        "OH_TUI_AUTH": "x",
    }
    settings = read_settings(environment, local=True, read_only=True)
    assert (settings.base_url, settings.key, settings.read_only) == (CLOUD, None, True)


def test_the_linux_console_and_the_flag_ask_for_ascii() -> None:
    assert read_settings({"TERM": "linux"}).ascii
    assert read_settings(UTF8, ascii=True).ascii


@pytest.mark.parametrize(("charset", "ascii"), [("C", True), ("C.UTF-8", False)])
def test_a_locale_that_is_not_utf8_asks_for_ascii(charset: str, ascii: bool) -> None:
    code = "from oh_tui.settings import read_settings; print(read_settings({}).ascii)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LC_ALL": charset},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(ascii)


def test_no_color_counts_when_it_is_not_empty() -> None:
    assert read_settings({**UTF8, "NO_COLOR": "1"}).no_color
    assert not read_settings({**UTF8, "NO_COLOR": ""}).no_color


@pytest.mark.skipif(sys.platform == "darwin", reason="has a folder of its own for this")
@pytest.mark.parametrize(
    ("environment", "file"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/oh-tui/seen.json"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/state"}, "/state/oh-tui/seen.json"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "x"}, "/home/a/.local/state/oh-tui/seen.json"),
        ({}, None),
        ({"HOME": "nowhere"}, None),
    ],
)
def test_what_was_seen_is_kept_where_programs_keep_their_state(
    environment: dict[str, str], file: str | None
) -> None:
    assert read_settings(environment).seen_file == (Path(file) if file else None)
    assert read_settings(environment, local=True).seen_file is None

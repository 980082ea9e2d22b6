"""Settings: addresses, keys and their sources, capabilities of the terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from oh_tui.api.models import CLOUD
from oh_tui.settings.config import LOCAL, Config, ExplorerNames, server_address
from oh_tui.settings.startup import (
    BEFORE_FILE,
    Settings,
    before_file,
    choose,
    fetch_key,
    read_settings,
)
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret

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
    with pytest.raises(Problem, match="not a server address"):
        server_address(written)


WRITTEN: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "default": ('"local"', {"server": "demo"}, {"OPENHANDS_BASE_URL": "demo"}),
    "read_only": ("false", {"read_only": True}, {}),
    "ascii": ("false", {"ascii": True}, {}),
    "notice": ('"bell"', {}, {"OH_TUI_NOTICE": "osc9"}),
    "theme": ('"nord"', {}, {"NO_COLOR": "1"}),
}
"""Setting -> its value in the file, and an option and a variable that come before it."""


@pytest.mark.parametrize("setting", BEFORE_FILE)
def test_what_is_said_to_come_before_the_file_does(setting: str, tmp_path: Path) -> None:
    value, options, variables = WRITTEN[setting]
    file = tmp_path / "config.toml"
    file.write_text(f"{setting} = {value}\n", encoding="utf-8")
    environment = {**UTF8, "OH_TUI_CONFIG": str(file)}

    def read(given: dict[str, Any], more: dict[str, str]) -> Settings:
        return replace(read_settings({**environment, **more}, **given), config=Config())

    assert (bool(options), bool(variables)) == tuple(map(bool, BEFORE_FILE[setting]))
    of_file = read({}, {})
    ways: list[tuple[dict[str, Any], dict[str, str]]] = [(options, {}), ({}, variables)]
    for given, more in filter(any, ways):
        assert before_file(setting, given, more)[0]
        assert read(given, more) != of_file
    assert before_file(setting, {}, environment) == ("", "")


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(Problem) as caught:
        server_address("https://me:hunter2@example.org")
    assert "user name or password" in caught.value.sentence
    assert "hunter2" not in caught.value.sentence + caught.value.hint


def test_the_name_of_cloud_is_cloud_without_a_key() -> None:
    settings = read_settings(UTF8, server="cloud")
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
    assert (on_cloud.key, on_cloud.key_from) == (
        Secret("stored"),
        "the OpenHands CLI (~/.openhands/cloud/api_key.txt)",
    )
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
    code = "from oh_tui.settings.startup import read_settings; print(read_settings({}).ascii)"
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
    assert read_settings(environment).last_known_file == (Path(file) if file else None)
    assert read_settings(environment, local=True).last_known_file is None


# The settings file


def write(home: Path, text: str) -> dict[str, str]:
    """An environment with this settings file."""
    file = home / ".config" / "oh-tui" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return {**UTF8, "HOME": str(home)}


SERVERS = """
default = "work"
[servers.work]
url = "https://work.example"
key_env = "WORK_KEY"
[servers.lab]
url = "http://lab.example"
read_only = true
[servers.cloud]
url = "https://app.all-hands.dev"
"""


def test_the_file_comes_after_flags_and_environment(tmp_path: Path) -> None:
    environment = write(tmp_path, SERVERS) | {"WORK_KEY": "of-work"}
    assert read_settings(environment).base_url == "https://work.example"
    by_variable = environment | {"OPENHANDS_BASE_URL": "http://one.example"}
    assert read_settings(by_variable).base_url == "http://one.example"
    by_flag = read_settings(by_variable, server="lab")
    assert (by_flag.server, by_flag.base_url) == ("lab", "http://lab.example")
    assert by_flag.label == "lab  lab.example"


def test_what_the_file_says_of_the_screen(tmp_path: Path) -> None:
    text = 'ascii = true\nnotice = "bell"\ndownload_folder = "~/runs"\nread_only = true\n'
    environment = write(tmp_path, text)
    settings = read_settings(environment, local=True)
    assert settings.ascii and settings.read_only and settings.notice == ("bell",)
    assert settings.download_folder == tmp_path / "runs"
    assert read_settings(environment | {"OH_TUI_NOTICE": "osc9"}).notice == ("osc9",)


def test_a_named_server_gets_no_key_but_its_own(tmp_path: Path) -> None:
    environment = write(tmp_path, SERVERS) | {"WORK_KEY": "of-work", "OPENHANDS_API_KEY": "general"}
    work = read_settings(environment)
    assert (work.key, work.key_from) == (Secret("of-work"), "WORK_KEY")
    lab = choose(work, "lab", environment)
    assert (lab.key, lab.key_from, lab.read_only, lab.has_key) == (None, "", True, True)
    cloud = choose(lab, "cloud", environment)
    assert (cloud.key, cloud.read_only) == (Secret("general"), False)
    local = choose(cloud, LOCAL, environment)
    assert (local.base_url, local.key, local.last_known_file) == ("", None, None)


def test_a_server_whose_variable_is_not_set_is_refused(tmp_path: Path) -> None:
    environment = write(tmp_path, SERVERS)
    with pytest.raises(Problem, match="The key of work should be in WORK_KEY, which is not set"):
        read_settings(environment)
    assert read_settings(environment, local=True).config.servers


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("wrk", "did you mean work?"),
        ("lob", "did you mean lab?"),
        ("unheard-of", "it names work, lab, cloud"),
    ],
)
def test_a_name_that_the_file_does_not_have_is_refused(
    tmp_path: Path, written: str, hint: str
) -> None:
    environment = write(tmp_path, SERVERS)
    with pytest.raises(Problem, match=f"no server named {written} in the settings") as refused:
        read_settings(environment, server=written)
    assert refused.value.hint.startswith(hint)
    assert read_settings(environment, server="localhost").base_url == "http://localhost"
    assert read_settings(UTF8, server=written).base_url == f"https://{written}"


def test_a_key_in_a_file_and_a_word_when_others_can_read_it(tmp_path: Path) -> None:
    environment = write(tmp_path, '[servers.a]\nurl = "a.example"\nkey_file = "~/a.key"')
    file = tmp_path / "a.key"
    file.write_text("of-a\n")
    file.chmod(0o600)
    settings = read_settings(environment, server="a")
    assert (settings.key, settings.key_from) == (Secret("of-a"), "the file ~/a.key")
    assert settings.cautions == ()
    file.chmod(0o640)
    told = read_settings(environment, server="a").cautions
    assert told == ("others can read the key in ~/a.key: chmod 600 ~/a.key",)


@pytest.mark.parametrize(("text", "told"), [("", "is empty"), ("a b", "characters"), (None, "no")])
def test_a_key_file_that_holds_no_key_is_refused(
    tmp_path: Path, text: str | None, told: str
) -> None:
    environment = write(tmp_path, '[servers.a]\nurl = "a.example"\nkey_file = "~/a.key"')
    if text is not None:
        (tmp_path / "a.key").write_text(text)
    with pytest.raises(Problem, match=told):
        read_settings(environment, server="a")


def command(tmp_path: Path, words: str) -> Settings:
    text = f"[servers.a]\nurl = 'a.example'\nkey_command = '''{words}'''"
    return read_settings(write(tmp_path, text), server="a")


def test_a_key_that_a_command_tells_is_asked_for_when_it_is_wanted(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    settings = command(tmp_path, f'sh -c "touch {ran}; echo; echo of-a"')
    assert settings.has_key and settings.key is None and not ran.exists()
    assert settings.key_from.startswith("the command sh -c ")
    assert fetch_key(settings) == Secret("of-a") and ran.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("no-such-command", "no-such-command cannot be started: no such file or directory"),
        ('sh -c "echo why >&2; exit 3"', "ended with code 3: why"),
        ("true", "true printed no key"),
        ("echo two words", "characters that cannot be in a key"),
    ],
)
def test_a_command_that_tells_no_key_is_told_of(tmp_path: Path, words: str, told: str) -> None:
    with pytest.raises(Problem) as caught:
        fetch_key(command(tmp_path, words))
    assert told in caught.value.sentence


def test_a_command_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = command(tmp_path, f'sh -c "sleep 600 & echo $! > {tmp_path}/pid; wait"')
    told, patience = "", 0.3
    while not told.endswith("\n"):  # a busy machine may not get so far in that time
        monkeypatch.setattr("oh_tui.settings.credentials.PATIENCE", patience)
        with pytest.raises(Problem, match="printed no key within"):
            fetch_key(settings)
        patience *= 3
        with contextlib.suppress(FileNotFoundError):
            told = (tmp_path / "pid").read_text()
    child, end = int(told), time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and not _is_zombie(child):
        assert time.monotonic() < end, "what the command started goes on"
        time.sleep(0.02)


def _is_zombie(process: int) -> bool:
    try:
        return ") Z" in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read: no such file"):
        read_settings({**UTF8, "OH_TUI_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(Problem, match="cannot be read: is a directory"):
        read_settings({**UTF8, "OH_TUI_CONFIG": str(tmp_path)})


def test_all_faults_of_a_file_are_in_one_problem(tmp_path: Path) -> None:
    environment = write(tmp_path, "them = 1\nmouse = 2\n")
    with pytest.raises(Problem) as caught:
        read_settings(environment)
    assert caught.value.sentence == "The settings file ~/.config/oh-tui/config.toml has 2 faults"
    assert [line.strip()[:7] for line in caught.value.hint.splitlines()] == ["line 1:", "line 2:"]
    many = "".join(f"x{number} = 1\n" for number in range(50))
    with pytest.raises(Problem) as caught:
        read_settings(write(tmp_path, many))
    assert caught.value.hint.splitlines()[-1].strip() == "and 30 more"


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    environment = write(tmp_path, "")
    (tmp_path / ".config/oh-tui/config.toml").write_bytes(b"a = 1\n# \xff\n")
    with pytest.raises(Problem, match="not UTF-8") as caught:
        read_settings(environment)
    assert caught.value.hint == "line 2"


def test_the_explorers_names_are_asked_for_only_where_the_file_has_some(tmp_path: Path) -> None:
    def never() -> ExplorerNames:
        raise AssertionError("this loads the explorer")

    read_settings(write(tmp_path, SERVERS), server="lab", known=never)
    text = '[keys]\nquit = "Q"'
    known = ExplorerNames({"quit": "q"}, (), ())
    assert read_settings(write(tmp_path, text), known=lambda: known).config.keys == {"quit": "Q"}

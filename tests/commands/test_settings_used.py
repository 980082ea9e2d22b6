"""A command stops at faults of settings that it uses, in the explorer's words, and at no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.commands.framework.parsing import main_parser, options_parser
from oh_tui.settings.startup import read_settings
from oh_tui.text.problem import Problem
from tests.commands.shell import Shell, shell

__all__ = ["shell"]

LAB = '[servers.lab]\nurl = "http://127.0.0.1:9"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OH_TUI_CONFIG", "XDG_CONFIG_HOME", "OPENHANDS_BASE_URL", "OH_TUI_NOTICE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".config" / "oh-tui" / "config.toml"
    file.parent.mkdir(parents=True)
    return file


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('refresh = 1\ntheme = 3\nmouse = "no"\n', "status"),
        ("notice = 4\nkeys = 1\n", "conversations"),
        ("download_folder = 1\nread_only = 5\n", "steps 477fd"),
        ("default = 4\nservers = 3\n", "why 477fd"),
        ("no_such_thing = 1\n", "show 477fd"),
    ],
)
def test_a_fault_elsewhere_does_not_stop_a_command(
    shell: Shell, file: Path, text: str, line: str
) -> None:
    file.write_text(text, "utf-8")
    assert shell(line).code == 0
    with pytest.raises(Problem, match="fault"):
        read_settings({"HOME": str(file.parents[2])})


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        ("ascii = 1", "--demo status", "ascii is true or false, not a number"),
        ("asci = true", "--demo status", "'asci' is not a setting; did you mean ascii?"),
        ("ascii = ", "--demo status", "this is not TOML"),
        ("download_folder = 1", "--demo download 477fd", "download_folder is a path that begins"),
        ("defualt = 'lab'", "status", "did you mean default?"),
        ("default = 'lbb'", "status", "there is no server 'lbb'"),
        ("default = 'lab'\n[servers.lab]\nurl = 3", "status", "url is a text in quotes"),
        ("[servers.lab]\nurl = 3", "status --server lab", "url is a text in quotes"),
        (f"read_only = 'no'\n{LAB}", "stop 5f3a --server lab", "read_only is true or false"),
    ],
)
def test_a_fault_in_what_a_command_uses_stops_it_as_it_stops_the_explorer(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, words: str, told: str
) -> None:
    file.write_text(text, "utf-8")
    assert cli.main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("oh-tui: The settings file ~/.config/oh-tui/config.toml has a fault\n")
    assert told in said
    with pytest.raises(Problem) as caught:
        read_settings({"HOME": str(file.parents[2])})
    assert said.splitlines()[0] == f"oh-tui: {caught.value.sentence}"
    assert caught.value.hint in said


@pytest.mark.parametrize(
    "text",
    [
        f"refresh = 1\n{LAB}",
        f"default = 'gone'\n{LAB}",
        f"{LAB}[servers.other]\nurl = 3\n",
        f"read_only = 3\n{LAB}",
    ],
)
def test_a_fault_of_another_server_does_not_stop_a_command(
    file: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file.write_text(text, "utf-8")
    assert cli.main(["status", "--server", "lab"]) == 1
    assert "nothing listens at" in capsys.readouterr().err


def test_a_faulty_variable_stops_only_what_uses_it(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OH_TUI_NOTICE", "'open")
    monkeypatch.setenv("OH_TUI_CACHE", "much")
    assert shell("status").code == 0
    with pytest.raises(Problem, match="OH_TUI_NOTICE"):
        read_settings({"HOME": str(file.parents[2]), "OH_TUI_NOTICE": "'open"})


def test_help_names_the_settings_file_its_servers_and_the_themes(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f"refresh = 1\n{LAB}[servers.work]\nurl = 'https://w.example.org'\n", "utf-8")
    assert cli.main(["help", "all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "settings file ~/.config/oh-tui/config.toml" in said
    assert "for --server NAME; lab, work, demo and local are there" in said
    assert "oh-dark, oh-light, ansi, textual-dark" in said and "nord" in said
    assert "OH_TUI_CONFIG another settings file" in said
    monkeypatch.setenv("OH_TUI_CONFIG", "~/mine.toml")
    assert cli.main(["help", "all"]) == 0
    assert "settings file ~/mine.toml" in capsys.readouterr().out


def test_the_documents_do_not_name_the_servers_of_this_machine(file: Path) -> None:
    file.write_text(LAB, "utf-8")
    assert "lab" not in main_parser(options_parser()).format_help().split()

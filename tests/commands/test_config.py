"""`oh-tui config` finds, writes and checks the settings file, even a faulty one."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from oh_tui.commands import TABLE
from oh_tui.commands.config import FIRST
from oh_tui.documents.schema import TYPES, schema_of
from oh_tui.settings.config import NAMES, SERVER_NAMES, parse_config
from oh_tui.settings.paths import state_file
from oh_tui.settings.preferences import Preferences
from oh_tui.tui.keys import known
from tests.commands.shell import Shell, shell

__all__ = ["shell"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    for name in ("OH_TUI_CONFIG", "OPENHANDS_BASE_URL", "OH_TUI_NOTICE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "settings" / "oh-tui" / "config.toml"


def test_without_a_file_path_and_check_end_well(shell: Shell, file: Path) -> None:
    assert shell("config") == shell("config path") == (0, f"{file}\n", "")
    assert json.loads(shell("config path --json").out) == {"path": str(file), "exists": False}
    code, out, _ = shell("config check")
    assert (code, out) == (
        0, "~/settings/oh-tui/config.toml is not there: oh-tui config init writes it\n",
    )  # fmt: skip
    assert json.loads(shell("config check --json").out)["faults"] == []


def test_init_writes_a_private_file_and_never_over_another(shell: Shell, file: Path) -> None:
    assert shell("config init").code == 0
    assert file.read_text("utf-8") == FIRST
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert shell("config check").out == "~/settings/oh-tui/config.toml is fine\n"
    file.write_text("refresh = 20\n", "utf-8")
    refused = shell("config init")
    assert refused.code == 1 and "is there already" in refused.complaint
    assert file.read_text("utf-8") == "refresh = 20\n"


def test_every_line_of_the_first_file_is_a_setting() -> None:
    bare = "\n".join(
        line.removeprefix("# ") for line in FIRST.splitlines() if not line.startswith("# Settings")
    )
    found, faults = parse_config(bare, known())
    assert not faults
    assert set(tomllib.loads(bare)) == set(NAMES)
    assert [name for name in SERVER_NAMES if name not in bare] == []
    assert found.default == "work" and found.servers["work"].read_only
    assert found.keys == {"quit": "Q", "find.next": "n,f5"}


def test_check_lists_all_faults_also_those_of_the_explorer(shell: Shell, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('theme = "oh-lihgt"\nrefresh = 1\n\n[keys]\nfindd = "q"\n', "utf-8")
    code, out, err = shell("config check")
    assert code == 2 and err == ""
    assert out.splitlines() == [
        "~/settings/oh-tui/config.toml has 3 faults",
        "line 1: there is no theme 'oh-lihgt'; did you mean oh-light?",
        "line 2: refresh is 5 to 3600 seconds",
        "line 5: 'findd' is not an action; did you mean find?",
    ]
    document = json.loads(shell("config check --json").out)
    assert [fault["line"] for fault in document["faults"]] == [1, 2, 5]
    assert shell("config path").code == 0


def test_check_names_what_is_overridden(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('default = "local"\nnotice = "bell"\nascii = false\n', "utf-8")
    monkeypatch.setenv("OH_TUI_NOTICE", "osc9")
    assert shell("config check --ascii").out.splitlines()[1:] == [
        "notice is not in force: OH_TUI_NOTICE comes first",
        "ascii is not in force: --ascii comes first",
    ]


def test_check_names_a_theme_that_was_chosen_in_the_explorer(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    file.parent.mkdir(parents=True)
    file.write_text('theme = "oh-light"\n', "utf-8")
    remembered = state_file(os.environ, "preferences")
    assert remembered
    kept = Preferences(remembered)
    for theme, told in (
        ("nord", ["theme is not in force: nord, chosen in the explorer, comes first"]),
        ("oh-light", []),
        ("no-such", []),
    ):
        kept.change(theme=theme)
        kept.save()
        assert shell("config check").out.splitlines()[1:] == told
    kept.change(theme="nord")
    kept.save()
    assert shell("config check --no-state").out.splitlines()[1:] == []
    monkeypatch.setenv("NO_COLOR", "1")
    assert shell("config check").out.splitlines()[1:] == [
        "theme is not in force: NO_COLOR comes first"
    ]


def test_check_names_an_order_that_was_chosen_in_the_explorer(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    file.parent.mkdir(parents=True)
    file.write_text('sort = "title"\n', "utf-8")
    kept = Preferences(state_file(os.environ, "preferences"))
    for server, sort, told in (
        ("files", "title", []),
        ("files", "no-such", []),
        ("https://lab", "cost", ["cost, chosen in the explorer for https://lab,"]),
        ("files", "newest", ["newest, chosen in the explorer for files,"]),
    ):
        kept.change_for(server, sort=sort)
        kept.save()
        assert shell("config check").out.splitlines()[1:] == [
            f"sort is not in force: {words} comes first" for words in told
        ]


def test_a_file_that_cannot_be_read_is_named(
    shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"refresh = 20\n# \xff\n")
    found = shell("config check")
    assert found.code == 2 and "is not UTF-8" in found.complaint and "line 2" in found.err
    monkeypatch.setenv("OH_TUI_CONFIG", str(file.parent))
    assert "is a directory" in shell("config check").complaint


def test_each_document_has_a_schema_and_its_fields_are_described() -> None:
    assert set(TYPES) - {"conversation"} == set(TABLE) - {"mcp", "open"}
    for name in TYPES:
        Draft202012Validator.check_schema(schema_of(name))
    fork = schema_of("fork")["$defs"]["Fork"]["properties"]
    assert fork["has_key"]["description"].startswith("Its agent has the key of the model")
    sub_agent = schema_of("steps")["$defs"]["SubAgent"]["properties"]
    assert sub_agent["cost"]["description"] == "US dollars."  # told where it is inherited from


@pytest.mark.parametrize(
    ("name", "part", "field"),
    [
        ("replay", "Check", "can"),
        ("check", "Check", "cut_off"),
        ("compare", "Difference", "kind"),
        ("replay", "Difference", "plain"),
    ],
)
def test_fields_are_described_where_two_documents_have_parts_of_one_name(
    name: str, part: str, field: str
) -> None:
    assert schema_of(name)["$defs"][part]["properties"][field]["description"]


def test_a_schema_is_printed_as_it_is(shell: Shell) -> None:
    code, out, said = shell("config schema why")
    assert (code, said) == (0, "")
    assert json.loads(out) == schema_of("why")
    assert json.loads(out)["$id"] == "urn:oh-tui:why:2"
    for words, told in (
        ("config schema", "oh-tui: No document is named "),
        ("config schema x\x1b[31m", "oh-tui: No document is named x"),
        ("config path why", "oh-tui: oh-tui config path takes no other word"),
    ):
        code, _, said = shell(words)
        assert code == 2 and said.startswith(told)
        assert "\x1b" not in said

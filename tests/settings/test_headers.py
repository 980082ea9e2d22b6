"""`headers` of a server in the settings file: what is taken, and that no value is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from oh_tui.settings.config import Header, parse_config
from oh_tui.settings.credentials import header_values, without_keys
from oh_tui.settings.startup import fetch_headers, read_settings
from oh_tui.text.problem import Problem
from oh_tui.text.redact import held, safe_line

SERVER = '[servers.work]\nurl = "https://oh.example"\n'


def faults(headers: str) -> list[str]:
    _, found = parse_config(f"{SERVER}headers = {headers}\n")
    assert all(one.line == 3 for one in found)
    return [one.text for one in found]


def test_values_come_from_the_environment_or_a_command() -> None:
    text = '{"X-Team" = "env:TEAM", CF-Access-Client-Secret = "command:pass show cf"}'
    config, found = parse_config(f"{SERVER}headers = {text}")
    assert not found
    assert config.servers["work"].headers == (
        Header("X-Team", "TEAM", ()),
        Header("CF-Access-Client-Secret", "", ("pass", "show", "cf")),
    )
    table, found = parse_config(f'{SERVER}[servers.work.headers]\nX-Team = "env:TEAM"')
    assert not found and table.servers["work"].headers == (Header("X-Team", "TEAM", ()),)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ('{"X-Team" = "hunter2"}', "the value of X-Team is told by env:NAME or command:WORDS"),
        ('{"X-Team" = "env:hunter2 x"}', "the value of X-Team is told by"),
        ('{"X-Team" = "env:"}', "the value of X-Team is told by"),
        ('{"X-Team" = "command:"}', "the value of X-Team is told by"),
        ("""{"X-Team" = "command:pass 'hunter2"}""", "the value of X-Team is told by"),
        ('{"X Team" = "env:A"}', "'X Team' is not the name of a header"),
        ('{"X-Team\\nHost" = "env:A"}', "is not the name of a header"),
        ('{"" = "env:A"}', "is not the name of a header"),
        ('{Host = "env:A"}', "Host is a header that oh-tui sets"),
        ('{content-Length = "env:A"}', "content-Length is a header that oh-tui sets"),
        ('{"Transfer-Encoding" = "env:A"}', "Transfer-Encoding is a header that oh-tui sets"),
        ('{"X-Team" = "env:A", x-team = "env:B"}', "x-team is there twice"),
        ('{"X-Team" = 3}', "headers is a table of headers"),
        ('["hunter2"]', "headers is a table of headers"),
        ('"hunter2"', "headers is a table of headers"),
    ],
)
def test_what_is_wrong_is_said_without_any_value(headers: str, told: str) -> None:
    (fault,) = faults(headers)
    assert told in fault and "hunter2" not in fault


def test_all_faults_of_the_table_are_said() -> None:
    assert len(faults('{Host = "env:A", "a b" = "env:A", c = "d"}')) == 3


def test_a_variable_that_is_not_set_names_header_and_variable() -> None:
    with pytest.raises(Problem, match="The header X-Team should be in TEAM, which is not set"):
        header_values([Header("X-Team", "TEAM", ())], {"TEAM": " "})


@pytest.mark.parametrize("value", ["hunter2-a\nX-Other: b", "hunter2\r\n\r\nGET /", "hünter2-abc"])
def test_a_value_that_would_break_a_header_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(Problem, match="The value of the header X-Team has characters") as caught:
        header_values([Header("X-Team", "TEAM", ())], {"TEAM": value})
    assert "unter2" not in caught.value.sentence + caught.value.hint


def test_what_a_command_prints_is_a_value_without_its_end_of_line() -> None:
    prints = (sys.executable, "-c", "print('Bearer of-a-command-1')")
    found = header_values([Header("Authorization", "", prints)], {})
    assert found["Authorization"].reveal() == "Bearer of-a-command-1"
    assert "of-a-command-1" not in safe_line("it said of-a-command-1"), "also without its scheme"
    for words, told in (("pass", "printed no value"), ("raise SystemExit(3)", "ended with code 3")):
        with pytest.raises(Problem, match=told) as caught:
            header_values([Header("X-Team", "", (sys.executable, "-c", words))], {})
        assert "headers" in caught.value.hint or "value" in caught.value.hint


def test_they_are_hidden_from_the_start_and_kept_from_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'{SERVER}headers = {{Cookie = "env:GATE"}}')
    gate = "CF_Authorization=eyJ-of-a-gateway; b=2"
    environment = {"TERM": "xterm", "OH_TUI_CONFIG": str(file), "GATE": gate}
    read_settings(environment)
    assert "eyJ-of-a-gateway" in held() and "eyJ-of-a-gateway" not in safe_line(f"x {gate} y")
    assert "GATE" not in without_keys(environment)
    settings = read_settings(environment, server="work")
    monkeypatch.setenv("GATE", gate)
    assert fetch_headers(settings)["Cookie"].reveal() == gate
    assert read_settings(environment, server="http://other.example").headers == ()

"""Commands over several servers in one list."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from oh_tui import cli
from oh_tui.batch import server_indexing
from oh_tui.library.library import Library
from oh_tui.sources.source import Source
from tests.api.servers import closed_port
from tests.commands.conftest import IDS
from tests.commands.shell import Said
from tests.hostile.server import serving
from tests.sources.three import Served, made, shifted

BY = {"cloud": 0, "canvas": 3, "lab": 7}
"""By how much the ids of each server differ."""

STUCK = {name: shifted(IDS["week-dates"].encode(), by).decode() for name, by in BY.items()}
"""The ids of one conversation on each server."""


@dataclass
class Servers:
    each: dict[str, Served]
    capture: pytest.CaptureFixture[str]
    settings: Path

    def __call__(self, line: str) -> Said:
        code = cli.main(shlex.split(line))
        return Said(code, *self.capture.readouterr())


@pytest.fixture
def servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Servers]:
    """`cloud`, an app server; `canvas`, a Canvas; `lab`, one that is read only; and `away`, where
    nothing listens."""
    each = {
        name: made(name, "plain" if name == "cloud" else "canvas", by) for name, by in BY.items()
    }
    settings = tmp_path / "config.toml"
    with contextlib.ExitStack() as serves:
        urls = {name: serves.enter_context(serving(one)) for name, one in each.items()}
        urls["away"] = f"http://127.0.0.1:{closed_port()}"
        tables = [f'[servers.{name}]\nurl = "{url}"\n' for name, url in urls.items()]
        tables[2] += "read_only = true\n"
        settings.write_text(
            f'default = ["cloud", "canvas", "lab", "away"]\n{"".join(tables)}', encoding="utf-8"
        )
        monkeypatch.setenv("OH_TUI_CONFIG", str(settings))
        yield Servers(each, capsys, settings)


def test_a_list_says_of_each_row_where_it_is_and_who_is_missing(servers: Servers) -> None:
    said = servers("conversations --all --json")
    document = json.loads(said.out)
    assert document["source"] == "cloud, canvas, lab, away"
    rows = document["conversations"]
    assert {row["server"] for row in rows} == {"cloud", "canvas", "lab"}
    assert len({row["id"] for row in rows}) == len(rows)
    (missing,) = document["remarks"]
    assert missing.startswith("away is missing: nothing listens at 127.0.0.1")
    assert missing in said.err and said.code == 0
    alone = json.loads(servers("conversations --all --json --server lab").out)
    assert alone["conversations"] and all("server" not in row for row in alone["conversations"])


def test_the_word_server_narrows_and_the_column_is_there(servers: Servers) -> None:
    said = servers("conversations server:lab --header --limit 5")
    head, *rows = said.out.splitlines()
    assert head.split("\t")[:2] == ["id", "server"]
    assert len(rows) == 5 and all(row.split("\t")[1] == "lab" for row in rows)


def test_a_command_on_one_run_goes_where_that_is(servers: Servers) -> None:
    for name, id in STUCK.items():
        said = servers(f"show {id[:8]} --json")
        assert json.loads(said.out)["conversation"]["server"] == name, said.err
    said = servers(f"rename {STUCK['canvas'][:8]} 'Another title'")
    assert said.code == 0, said.err
    assert [name for name, one in servers.each.items() if one.between.count("PATCH *")] == [
        "canvas"
    ]


def test_what_is_read_only_stays_so_in_the_list(servers: Servers) -> None:
    said = servers(f"rename {STUCK['lab']} x")
    assert "read_only in the settings file forbids that" in said.err and said.code
    assert not servers.each["lab"].between.count("PATCH *")


def test_what_none_has_is_not_found_on_all(servers: Servers) -> None:
    said = servers("show 00000000")
    assert "There is no conversation 00000000 in cloud, canvas, lab, away; away could not be" in (
        said.err
    )


def test_a_start_names_its_server(servers: Servers) -> None:
    said = servers("start hello")
    assert "starts on cloud\n" in said.err and "On cloud: This makes a sandbox" in said.err
    assert servers("start hello --on canvas --yes").code == 0
    assert servers.each["canvas"].between.count("POST /api/conversations") == 1
    assert "There is no nowhere among them" in servers("start hello --on nowhere --yes").err
    assert "read_only" in servers("start hello --on lab --yes").err
    assert not servers.each["lab"].between.count("POST *")


def test_sandboxes_name_their_server(servers: Servers) -> None:
    listed = json.loads(servers("sandboxes --json").out)["sandboxes"]
    assert listed and {one["server"] for one in listed} == {"cloud"}


def test_what_is_for_one_server_says_so(servers: Servers) -> None:
    for name in ("whoami", "tasks"):
        said = servers(name)
        assert f"{name} is for one server" in said.err and "--server cloud" in said.err


def test_one_server_named_twice_is_one(servers: Servers) -> None:
    canvas = servers.settings.read_text(encoding="utf-8").split("[servers.canvas]\nurl = ")[1]
    port = canvas.split('"')[1].rpartition(":")[2]
    line = f"--server canvas --server canvas --server localhost:{port}"
    rows = json.loads(servers(f"conversations --all --json {line}").out)["conversations"]
    assert {row["server"] for row in rows} == {"canvas"}
    assert len({row["id"] for row in rows}) == len(rows)


def test_another_account_of_the_same_server_is_said_to_be_left_out(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "sk-oh-7Qz1vX9mKp4RtL2w")
    monkeypatch.setenv("OURS", "sk-oh-3Bn8cY5wHj6TfD0s")
    url = servers.settings.read_text(encoding="utf-8").split('"')[9]
    tables = [f'[servers.{name}]\nurl = "{url}"\nkey_env = "{name}"\n' for name in ("MINE", "OURS")]
    servers.settings.write_text("".join(tables), encoding="utf-8")
    said = servers("conversations --all --json --server MINE --server OURS")
    document = json.loads(said.out)
    assert {row["server"] for row in document["conversations"]} == {"MINE"}
    told = "OURS is missing: another one of the list has its address, with another key"
    assert document["remarks"] == [told]


def test_the_kept_answer_of_one_account_is_not_that_of_another(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = servers.settings.read_text(encoding="utf-8").split('"')[9]
    tables = [f'[servers.{name}]\nurl = "{url}"\nkey_env = "{name}"\n' for name in ("MINE", "OURS")]
    servers.settings.write_text("".join(tables), encoding="utf-8")
    cloud, asked = servers.each["cloud"].between, []
    for name, key in (("MINE", "a"), ("MINE", "a"), ("OURS", "b"), ("OURS", "c")):
        monkeypatch.setenv(name, f"sk-oh-{key}-7Qz1vX9mKp4RtL2w")
        assert servers(f"status --short --server {name}").code == 0
        asked.append(cloud.count("GET *"))
    assert asked[0] == asked[1] < asked[2] < asked[3], "one with another key in its variable too"


def test_what_is_said_of_one_that_is_missing_is_whole_and_clean(servers: Servers) -> None:
    text = servers.settings.read_text(encoding="utf-8")
    servers.settings.write_text(f'{text}headers = {{"X-A" = "command:false"}}\n', encoding="utf-8")
    document = json.loads(servers("conversations --json --server cloud --server away").out)
    assert document["remarks"] == ["away is missing: false ended with code 1"]
    said = servers("conversations --server cloud --server 'localhost/\x1b[31m'")
    assert "is not a server address" in said.err and "\x1b" not in said.err


def test_an_unknown_name_among_several_is_said(servers: Servers) -> None:
    said = servers("conversations --server cloud --server clout")
    assert "There is no server named clout" in said.err and said.code


def test_a_key_that_is_missing_leaves_out_only_its_server(servers: Servers) -> None:
    text = servers.settings.read_text(encoding="utf-8")
    servers.settings.write_text(
        text.replace("[servers.cloud]\n", '[servers.cloud]\nkey_env = "OH_NO_KEY"\n'),
        encoding="utf-8",
    )
    said = servers("conversations --all --json --server cloud --server canvas")
    document = json.loads(said.out)
    assert {row["server"] for row in document["conversations"]} == {"canvas"}
    assert "OH_NO_KEY, which is not set" in document["remarks"][0]


def test_status_counts_all(servers: Servers) -> None:
    counted = json.loads(servers("status --json").out)
    alone = [json.loads(servers(f"status --json --server {name}").out) for name in BY]
    assert counted["waiting"] == sum(one["waiting"] for one in alone)
    assert {row["conversation"]["server"] for row in counted["listed"]} == {*BY}


def test_automations_of_all_are_listed_and_switched_where_they_are(servers: Servers) -> None:
    listed = json.loads(servers("automations --json").out)["automations"]
    by_server = {one["server"]: one["id"] for one in listed}
    assert {*by_server} == {"canvas", "lab"}
    assert servers(f"automations disable {by_server['canvas']}").code == 0
    assert (
        "read_only in the settings file" in servers(f"automations disable {by_server['lab']}").err
    )
    changed = [name for name, one in servers.each.items() if one.between.count("PATCH *")]
    assert changed == ["canvas"]
    said = servers("automations disable 'Weekly link check'")
    assert "2 automations are meant" in said.err and " on canvas, " in said.err


def test_a_key_of_the_environment_does_not_go_to_several_addresses(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENHANDS_API_KEY", "sk-oh-7Qz1vX9mKp4RtL2w")
    text = servers.settings.read_text(encoding="utf-8")
    urls = [line.split('"')[1] for line in text.splitlines() if line.startswith("url")]
    said = servers(f"conversations --all --json --server canvas --server {urls[2]}")
    rows = json.loads(said.out)["conversations"]
    assert {row["server"] for row in rows} == {"canvas", urls[2].partition("://")[2]}
    said = servers(f"conversations --server {urls[1]} --server {urls[2]}")
    assert "OPENHANDS_API_KEY would go to several servers" in said.err and said.code


def test_an_act_goes_to_the_one_of_two_that_holds_the_conversation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = made("one", "agent")
    two = made("two", "agent")
    one.between.answers["POST */events"] = lambda: JSONResponse(
        {"detail": "Conversation not found"}, 404
    )
    with serving(one) as first, serving(two) as second:
        words = ["--server", first, "--server", second]
        assert cli.main([*words, "send", IDS["week-dates"], "hello", "--yes"]) == 0
    assert "sent" in capsys.readouterr().out
    assert one.between.count("POST */events") == two.between.count("POST */events") == 1


def test_no_server_is_indexed_twice(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[str] = []

    async def plan(source: Source, library: Library, *, live: bool) -> server_indexing.Plan:
        planned.append(source.label.split()[0])
        return server_indexing.Plan(source.address, [], 0, 0, 0, 0.0, False)

    monkeypatch.setattr(server_indexing, "plan", plan)
    said = servers("index --server lab,canvas --all")
    assert planned == ["lab", "canvas", "cloud", "away"] and said.code == 0

"""Each command as a process, on the embedded server and on a file: its output, and as JSON."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from oh_tui.commands import TABLE
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.processes import beside_what_leaves, forked, oh_tui

DATES, OAUTH = IDS["week-dates"], IDS["oauth"]

ON_SERVER: dict[str, list[str]] = {
    "conversations": ["conversations"],
    "grep": ["grep", "Invalid"],
    "stats": ["stats", "--by", "week", "after:9d", "--compare-before"],
    "failures": ["failures"],
    "audit": ["audit", DATES],
    "sandboxes": ["sandboxes", "--all"],
    "show": ["show", DATES],
    "status": ["status"],
    "whoami": ["whoami"],
    "why": ["why", DATES],
    "steps": ["steps", DATES],
    "tail": ["tail", DATES, "-n", "3"],
    "context": ["context", DATES, "--at", "58", "--diff", "46"],
    "changes": ["changes", DATES],
    "blame": ["blame", DATES, "parse.py", "--at", "34"],
    "compare": ["compare", DATES, OAUTH],
    "replay": ["replay", DATES, "--check"],
    "check": ["check", DATES],
    "count": ["count", DATES, "--all"],
    "events": ["events", DATES],
    "export": ["export", DATES, "--to", "jsonl"],
    "bookmark": ["bookmark", DATES, "--at", "58"],
    "note": ["note", DATES, "look again", "--at", "58"],
    "tag": ["tag", DATES, "bug", "kind:flaky"],
    "fork": ["fork", DATES, "--at", "57", "--yes"],
    "rename": ["rename", DATES, "Week dates"],
    "download": ["download", DATES],
    "automations": ["automations", "--demo=canvas"],
    "tasks": ["tasks"],
    "start": ["start", "Say hello", "--yes"],
    "attempts": ["attempts"],
    "ask": ["ask", DATES, "why?", "--yes"],
    "agent": ["agent", DATES, "--profile", "fast"],
    "send": ["send", OAUTH, "not on main", "--reject"],
    "approve": ["approve", OAUTH],
    "reject": ["reject", OAUTH, "not on main"],
    "stop": ["stop", IDS["flaky-ci"], "--now"],
    "continue": ["continue", DATES, "--yes"],
    "exec": ["exec", DATES, "--", "ls"],
    "get": ["get", DATES, "src/dates/parse.py"],
    "put": ["put", DATES, __file__, "/tmp/here.py"],
    "pause": ["pause", DATES, "--yes"],
    "resume": ["resume", IDS["click"], "--yes", "--wait"],
    "cache": ["cache"],
    "config": ["config"],
}
"""Words for each command that has --json."""

ON_FILE = (
    *("show", "why", "steps", "tail", "context", "changes", "check", "count", "events", "export"),
    *("bookmark", "note", "tag"),
)

STREAMS = {"grep", "tail", "events", "export"}
"""Commands that print JSON lines."""


@cache
def demo(*words: str) -> subprocess.CompletedProcess[str]:
    """What it says of the demo; the same words are run once."""
    return oh_tui("--demo", *words)


def documents(name: str, done: subprocess.CompletedProcess[str]) -> list[Any]:
    if name in STREAMS:
        return [json.loads(line) for line in done.stdout.splitlines()]
    return [json.loads(done.stdout)]


def test_every_command_but_those_elsewhere_is_tried() -> None:
    """`open` is the explorer; the library has no runs of the demo: test_index, test_query; what
    `checkout` writes is there the second time: test_files_then; `mcp` prints no document."""
    assert set(ON_SERVER) == set(TABLE) - {"open", "index", "query", "checkout", "mcp"}


@pytest.mark.parametrize("name", ON_SERVER)
def test_on_a_server_the_document_is_as_its_schema_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = forked("--demo", "--json", *ON_SERVER[name], FORCE_COLOR="1")
    made_room = "oh-tui: the server paused Rename Store to Ledger to make room\n"
    said = beside_what_leaves(done.stderr)
    assert (done.returncode, said) == (0, made_room if name == "resume" else "")
    assert done.stdout.isascii() and "\x1b" not in done.stdout
    found = documents(name, done)
    assert found
    for document in found:
        schemas.check(name, document)


def test_the_wall_is_a_part_of_the_status() -> None:
    told = json.loads(demo("status", "--wall", "--json").stdout)
    schemas.check("status", told)
    titles = [tile["conversation"]["title"] for tile in told["wall"]]
    assert titles[0] == "Add OAuth login" and "Nightly dependency bump" not in titles
    assert "wall" not in json.loads(demo("status", "--json").stdout)
    first, *others = demo("status", "--wall").stdout.splitlines()
    cells = first.split("\t")
    assert cells[2:5] == ["waiting", "Add OAuth login", "commit: $ git push --force origin auth"]
    assert cells[5].startswith("context 15%  $0.30  $6.58 an hour  last event 20")
    assert cells[-1].startswith("The server still refuses")
    assert len(others) == 3
    assert demo("status", "--wall", "--short").returncode != 0


def test_the_status_in_sentences_has_no_signs_and_no_columns() -> None:
    first, second, *others = demo("status", "--say").stdout.splitlines()
    assert first == "One run waits for your yes."
    wants = r"Add OAuth login has waited for \d+ minutes?: it wants to run git push --force .+\."
    assert re.fullmatch(wants, second)
    assert "Parse ISO week dates is stuck and last changed" in "\n".join(others)
    for line in (first, second, *others):
        assert line.isascii() and line.endswith(".") and "\t" not in line and "  " not in line
    for other in ("--json", "--short", "--wall"):
        assert demo("status", "--say", other).returncode == 2


@pytest.mark.parametrize("name", ON_FILE)
def test_of_a_file_the_document_is_as_its_schema_says(name: str, run_file: Path) -> None:
    done = oh_tui(name, run_file, "--json")
    assert (done.returncode, beside_what_leaves(done.stderr)) == (0, "")
    for document in documents(name, done):
        schemas.check(name, document)


def test_a_document_with_a_key_of_another_type_or_without_one_is_not_taken() -> None:
    told = json.loads(demo("steps", DATES, "--json").stdout)
    for spoilt in (
        {**told, "more": 1},
        {name: value for name, value in told.items() if name != "totals"},
        {**told, "steps": [{**told["steps"][0], "index": "1"}]},
        {**told, "steps": [{**told["steps"][0], "extra": 1}]},
    ):
        with pytest.raises(ValidationError):
            schemas.check("steps", spoilt)


def test_steps_as_json_has_the_keys_that_were_promised() -> None:
    told = json.loads(demo("steps", DATES, "--json").stdout)
    assert list(told) == ["conversation", "verdict", "counts", "totals", "steps"]
    assert list(told["steps"][0]) == [
        "index",
        "kind",
        "family",
        "tool",
        "what",
        "result",
        "outcome",
        "marks",
        "started",
        "llm_s",
        "ran_s",
        "context_fill",
        "cost",
        "tokens",
        "call_id",
        "result_ids",
        "parallel_group",
        "risk",
    ]
    assert [step["index"] for step in told["steps"]] == list(range(1, 62))
    assert told["verdict"]["steps"] == [58, 59, 60, 61]
    assert [s["index"] for s in told["steps"] if "loop" in s["marks"]] == [58, 59, 60, 61]
    costs = sum(step["cost"] or 0 for step in told["steps"]) + told["totals"]["other"]["cost"]
    assert costs == pytest.approx(told["totals"]["cost"], abs=1e-4)


def test_a_filter_keeps_the_numbers_and_the_counts_of_the_whole(run_file: Path) -> None:
    whole = json.loads(oh_tui("steps", run_file, "--json").stdout)
    for words in (["is:error"], ["-is:failed"], ["--", "-is:failed"]):
        done = oh_tui("steps", "--json", run_file, *words)
        assert done.returncode == 0
        some = json.loads(done.stdout)
        assert 0 < some["counts"]["shown"] == len(some["steps"]) < len(whole["steps"])
        assert some["counts"] == whole["counts"] | {"shown": len(some["steps"])}
        for step in some["steps"]:
            assert step == whole["steps"][step["index"] - 1]


@pytest.mark.parametrize("name", ["conversations", "sandboxes", "status", "steps", "tail", "count"])
def test_into_a_pipe_go_whole_rows_between_tabs(name: str) -> None:
    done = demo(*ON_SERVER[name])
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) > 2
    assert len({len(row) for row in rows}) == 1
    assert "\x1b" not in done.stdout and "…" not in "".join(row[0] for row in rows)


def test_ids_in_a_pipe_are_whole_and_times_are_in_utc() -> None:
    for line in demo("conversations").stdout.splitlines():
        identifier, _, when, *_ = line.split("\t")
        assert len(identifier) == 32
        assert when.endswith("Z") and len(when) == 20
    ages = demo("conversations", "--time", "relative").stdout.splitlines()
    assert all(len(line.split("\t")[2]) <= 3 for line in ages)


def test_conversations_can_be_narrowed() -> None:
    def ids(*words: str) -> list[str]:
        done = demo("conversations", *words)
        assert done.returncode == 0
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    everything = ids()
    assert DATES in everything and len(everything) > 30
    assert len(ids("--limit", "3")) == 3
    assert ids('title:"iso week"') == [DATES]
    assert ids("is:stuck") == [DATES]
    assert OAUTH in ids("is:waiting")
    assert DATES in ids("repo:ACME/dates")
    assert set(ids("after:2h")) < set(everything)
    assert set(ids("--sub")) > set(everything)
    assert json.loads(demo("conversations", "--limit", "3", "--json").stdout)["more"] is True


@pytest.mark.parametrize(
    ("words", "told", "line"),
    [
        (
            "--title 'iso week' --json",
            "--title: the filter word title:",
            """--json 'title:"iso week"'""",
        ),
        ("--repo=acme is:failed", "--repo: the filter word repo:", "is:failed repo:acme"),
        ("--status error --since 2d", "--status: the filter word is:", "'is:error after:2d'"),
        ("--since 3h", "--since: the filter word after:", "after:3h"),
    ],
)
def test_an_option_that_is_gone_names_its_word(words: str, told: str, line: str) -> None:
    done = demo("conversations", *shlex.split(words))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert f"conversations {line}" in done.stderr.replace('\\"', '"')
    assert demo("conversations", *shlex.split(line)).returncode == 0


def test_an_option_that_is_gone_says_what_its_word_takes() -> None:
    done = demo("conversations", "--status", "asleep")
    assert done.returncode == 2
    assert "one of waiting, stuck" in done.stderr


def test_conversations_of_a_folder(run_file: Path) -> None:
    done = oh_tui("conversations", run_file.parent)
    assert done.returncode == 0
    assert done.stdout.split("\t")[0] == DATES


@pytest.mark.parametrize(
    "word",
    [
        DATES[:4],
        DATES.upper(),
        f"{DATES[:8]}-{DATES[8:12]}-{DATES[12:16]}-{DATES[16:20]}-{DATES[20:]}",
    ],
)
def test_an_id_is_taken_in_any_form(word: str) -> None:
    assert demo("show", word).stdout.startswith(f"id\t{DATES}\n")


def test_counts_by_all_ways_and_by_one(run_file: Path) -> None:
    every = [line.split("\t") for line in demo("count", DATES, "--all").stdout.splitlines()]
    assert [row[0] for row in every] == ["app server", "agent server", "zip"]
    assert every[0][1] == every[2][1] and int(every[1][1]) < int(every[0][1])
    assert demo("count", DATES, "--via", "zip").stdout == f"zip\t{every[2][1]}\t\n"
    asleep = demo("count", IDS["click"], "--all")
    assert asleep.returncode == 0 and "the sandbox does not run" in asleep.stdout
    refused = demo("count", IDS["click"], "--via", "agent")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert oh_tui("count", run_file).stdout.startswith("file\t")
    assert oh_tui("count", run_file, "--via", "app").returncode == 2


def test_a_download_is_whole_and_overwrites_nothing(tmp_path: Path) -> None:
    target = tmp_path / "run.zip"
    done = oh_tui("--demo", "download", DATES, "-o", target)
    assert (done.returncode, done.stdout) == (0, f"{target}\n")
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
    again = oh_tui("--demo", "download", DATES, "-o", target)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr
    several = oh_tui("--demo", "download", DATES, OAUTH, "-o", tmp_path)
    assert len(several.stdout.splitlines()) == 2
    assert len(list(tmp_path.iterdir())) == 3
    assert oh_tui("check", target).returncode == 0


def test_an_export_for_people_ends_with_what_was_hidden(tmp_path: Path) -> None:
    from tests.test_commands import BROKEN, SECRET, write_run

    run = write_run(tmp_path / "broken.zip", [*BROKEN, _named_secret()])
    done = oh_tui("export", run)
    assert done.returncode == 0
    assert done.stdout.startswith("# Tidy up the build\n")
    assert SECRET not in done.stdout and "hunter2hunter2" not in done.stdout
    assert done.stdout.splitlines()[-2:] == ["- step 8: a key", "- step 9: password"]
    lines = [json.loads(x) for x in oh_tui("export", run, "--to", "jsonl").stdout.splitlines()]
    assert [entry["step"] for entry in lines[-1]["hidden"]] == [8, 9]
    assert "hunter2" not in json.dumps(lines) and SECRET not in json.dumps(lines)
    some = oh_tui("export", run, "is:failed", "-o", tmp_path / "some.md")
    assert (some.returncode, some.stdout) == (0, "")
    text = (tmp_path / "some.md").read_text("utf-8")
    assert "3 of them here" in text
    taken = oh_tui("export", run, "-o", tmp_path / "some.md")
    assert taken.returncode == 2 and "is there already" in taken.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.zip", "some.md"]


def test_an_export_has_the_hidden_events_after_all_steps_in_their_order(tmp_path: Path) -> None:
    from tests.test_commands import CLEAN, write_run

    updates = [
        {"kind": "ConversationStateUpdateEvent", "id": f"u{n}", "key": "note", "value": value}
        for n, value in enumerate(("one", "password: hunter2hunter2", "three"))
    ]
    first, *rest = CLEAN
    run = write_run(tmp_path / "run.zip", [updates[0], first, updates[1], *rest, updates[2]])
    _, *lines, last = map(json.loads, oh_tui("export", run, "--to", "jsonl").stdout.splitlines())
    assert ["event" in line for line in lines] == [False] * (len(lines) - 3) + [True] * 3
    assert [line["event"]["id"] for line in lines[-3:]] == ["u0", "u1", "u2"]
    assert "hunter2" not in json.dumps(lines)
    assert last == {"hidden": [{"event": "u1", "secrets": {"password": 1}}]}
    some = oh_tui("export", run, "is:call", "--to", "jsonl").stdout
    assert '"event"' not in "".join(line[:9] for line in some.splitlines())


def test_the_help_of_export_tells_in_what_order_events_come() -> None:
    assert "then the hidden events" in oh_tui("export", "--help").stdout


def test_a_download_without_an_end_is_neither_counted_nor_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from oh_tui import cli

    monkeypatch.setattr("oh_tui.sources.saving.TOTAL_LIMIT", 1_000)
    assert cli.main(["--demo", "count", DATES, "--via", "zip"]) == 1
    assert "The download is longer than 1 kB" in capsys.readouterr().err
    assert cli.main(["--demo", "download", DATES, "-o", str(tmp_path / "run.zip")]) == 1
    assert "The download is longer than 1 kB" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def _named_secret() -> dict[str, Any]:
    text = "password: hunter2hunter2"
    content = [{"type": "text", "text": text}]
    return {
        "kind": "MessageEvent",
        "id": "m9",
        "source": "user",
        "llm_message": {"role": "user", "content": content},
    }


def test_events_are_the_events_without_secrets(tmp_path: Path) -> None:
    from tests.test_commands import BROKEN, SECRET, write_run

    run = write_run(tmp_path / "broken.zip", BROKEN)
    done = oh_tui("events", run)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["id"] for event in told] == [event["id"] for event in BROKEN]
    assert SECRET not in done.stdout and done.stdout.isascii()
    assert "\x1b" not in done.stdout


def test_a_pause_that_stops_a_run_needs_a_yes() -> None:
    done = demo("pause", IDS["pydantic"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "stops" in done.stderr and "Migrate to pydantic 2" in done.stderr
    assert "--yes" in done.stderr
    assert demo("pause", IDS["pydantic"], "--yes").stdout.startswith("paused  ")
    already = demo("pause", IDS["click"])
    assert already.returncode == 0 and already.stdout.startswith("paused already")
    gone = demo("pause", IDS["fix-add"])
    assert gone.returncode == 1 and "gone" in gone.stderr


def test_the_account_and_where_its_key_came_from() -> None:
    told = json.loads(demo("whoami", "--json").stdout)
    assert told["demo"] is True and told["key_from"] is None
    assert "@" in told["email"]


def test_of_a_file_the_state_and_the_model_are_told(run_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "model.zip"
    with zipfile.ZipFile(other, "w") as archive, zipfile.ZipFile(run_file) as before:
        meta = json.loads(before.read("meta.json")) | {"llm_model": "openai/text"}
        archive.writestr("meta.json", json.dumps(meta))
        for name in before.namelist()[1:]:
            archive.writestr(name, before.read(name))
    assert oh_tui("conversations", other).stdout.split("\t")[1] == "stuck"
    assert oh_tui("conversations", other, "is:error").stdout == ""
    shown = oh_tui("show", other).stdout
    assert "state\tstuck\n" in shown
    assert "ended\tSteps 58-61 made the same call" in shown
    assert oh_tui("why", other).stdout.splitlines()[0].endswith(", model openai/text")
    for name in ("why", "show", "steps"):
        told = json.loads(oh_tui(name, other, "--json").stdout)["conversation"]
        assert told["model"] == "openai/text"
    (row,) = json.loads(oh_tui("conversations", other, "--json").stdout)["conversations"]
    assert (row["model"], row["status"]) == ("openai/text", "stuck")
    assert "model openai/text" in oh_tui("export", other).stdout.splitlines()[4]

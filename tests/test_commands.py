"""Commands as used by people and scripts: processes with output, exit codes and errors."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from oh_tui.api.errors import NotFound
from oh_tui.api.models import Page
from oh_tui.batch.reports.one_run import find, require_id
from oh_tui.catalog.names import read_id
from oh_tui.commands.check import report
from oh_tui.commands.framework.run_words import is_path
from oh_tui.conversation import Conversation
from oh_tui.sources.source import OneSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.processes import oh_tui

SECRET = "sk-ant-api03-" + "a1B2" * 12

KEYS = [
    "events",
    "calls",
    "ok",
    "with_result",
    "failed",
    "rejected",
    "running",
    "open",
    "waiting",
    "duplicate_results",
    "orphan_results",
    "unmatched_calls",
    "duplicates",
    "orphans",
    "errors",
    "cut_off",
]


def call(identifier: str, command: str = "ls", **more: Any) -> dict[str, Any]:
    action = {"kind": "TerminalAction", "command": command}
    return {
        "kind": "ActionEvent",
        "id": identifier,
        "source": "agent",
        "tool_name": "terminal",
        "tool_call_id": f"call-{identifier}",
        "llm_response_id": f"answer-{identifier}",
        "action": action,
        **more,
    }


def result(identifier: str, action_id: str, text: str = "done", code: int = 0) -> dict[str, Any]:
    return {
        "kind": "ObservationEvent",
        "id": identifier,
        "source": "environment",
        "tool_name": "terminal",
        "tool_call_id": f"call-{action_id}",
        "action_id": action_id,
        "observation": {
            "kind": "TerminalObservation",
            "content": [{"type": "text", "text": text}],
            "exit_code": code,
        },
    }


ASKED = {
    "kind": "MessageEvent",
    "id": "m1",
    "source": "user",
    "llm_message": {"role": "user", "content": [{"type": "text", "text": "Tidy up"}]},
}

CLEAN = [ASKED, call("a1"), result("o1", "a1"), call("a2"), result("o2", "a2", "no", 1)]

BROKEN = [
    *CLEAN,
    result("o2b", "a2", "again"),
    call("a3"),
    {
        "kind": "AgentErrorEvent",
        "id": "e3",
        "source": "agent",
        "tool_call_id": "call-a3",
        "error": "invalid \x1b[31mJSON\x1b[0m",
    },
    call("a4", "rm -rf build"),
    {"kind": "UserRejectObservation", "id": "r4", "action_id": "a4", "rejection_reason": "no"},
    call("a5", "pytest -q"),
    result("o9", "a9", "from nowhere"),
    {
        "kind": "ConversationErrorEvent",
        "id": "c1",
        "source": "environment",
        "code": "LLMAuthenticationError",
        "detail": f"the key {SECRET} was refused",
    },
]


def write_run(
    path: Path, events: Sequence[dict[str, Any]], title: str = "Tidy up the build", **meta: Any
) -> Path:
    meta = {"id": "5f3a91c0" * 4, "title": title, **meta}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        for number, event in enumerate(events):
            stamp = f"2026-01-02T03:04:{number:02}.000000"
            text = json.dumps({"timestamp": stamp, **event})
            archive.writestr(f"event_{number:06}_{event['id']}.json", text)
    return path


@pytest.fixture
def clean_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "clean.zip", CLEAN)


@pytest.fixture
def broken_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "broken.zip", BROKEN)


def test_check_as_json_counts_every_call_once_and_names_the_defects(broken_run: Path) -> None:
    done = oh_tui("check", broken_run, "--json")
    assert done.returncode == 3
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert list(found) == KEYS
    assert found["events"] == len(BROKEN)
    assert found["calls"] == 5
    kinds = ("ok", "failed", "rejected", "running", "open")
    assert found["calls"] == sum(found[kind] for kind in kinds)
    assert [found[kind] for kind in (*kinds, "waiting")] == [1, 2, 1, 0, 1, 0]
    assert (found["duplicate_results"], found["orphan_results"]) == (1, 1)
    assert found["unmatched_calls"] == ["a5"]
    assert found["duplicates"] == ["o2b"]
    assert found["orphans"] == ["o9"]
    assert [error["event_id"] for error in found["errors"]] == ["e3", "c1"]
    assert found["errors"][0]["detail"] == "invalid JSON"
    assert found["errors"][1]["code"] == "LLMAuthenticationError"


def test_check_for_people_says_what_is_there_and_nothing_that_is_zero(broken_run: Path) -> None:
    done = oh_tui("check", broken_run)
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        "Tidy up the build  5f3a91c0",
        "13 events, 5 calls: 1 ok, 2 failed, 1 rejected, 1 without result",
        "no result\t6\ta5\t$ pytest -q",
        "second result\t3\to2b\tagain",
        "result without a call\t7\to9\tfrom nowhere",
        "error\t4\te3\tinvalid JSON",
        "error\t8\tc1\tLLMAuthenticationError: the key [hidden] was refused",
    ]


def test_check_of_a_clean_run_says_clean(clean_run: Path) -> None:
    done = oh_tui("check", clean_run)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Tidy up the build  5f3a91c0",
        "5 events, 2 calls: 1 ok, 1 failed",
        "clean: every call has one result",
    ]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_and_no_control_character_gets_out(broken_run: Path, form: tuple[str]) -> None:
    done = oh_tui("check", broken_run, *form)
    assert SECRET not in done.stdout
    assert re.sub(r"[\n\t]", "", done.stdout).isprintable()


def test_a_rejection_is_no_defect_and_no_error_whoever_rejected(tmp_path: Path) -> None:
    rejections = [
        {"kind": "UserRejectObservation", "id": f"r{n}", "action_id": f"a{n}", **more}
        for n, more in enumerate(({}, {"rejection_source": "hook"}))
    ]
    run = write_run(tmp_path / "r.zip", [ASKED, call("a0"), call("a1"), *rejections])
    done = oh_tui("check", run)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        "5 events, 2 calls: 2 rejected",
        "clean: every call has one result",
    ]
    told = json.loads(oh_tui("steps", run, "is:rejected", "--json").stdout)
    assert [(step["outcome"], step["result"]) for step in told["steps"]] == [
        ("rejected", "rejected"),
        ("rejected", "blocked by a hook"),
    ]
    assert (told["counts"]["errors"], told["counts"]["rejected"]) == (0, 2)
    assert json.loads(oh_tui("steps", run, "is:failed", "--json").stdout)["steps"] == []


def test_a_call_waiting_for_you_is_open_and_reads_so(tmp_path: Path) -> None:
    state = {
        "kind": "ConversationStateUpdateEvent",
        "id": "s1",
        "key": "execution_status",
        "value": "waiting_for_confirmation",
    }
    run = write_run(tmp_path / "waits.zip", [ASKED, call("a1", "git push"), state])
    done = oh_tui("check", run)
    assert done.returncode == 0, "it waits as it should"
    assert "1 call: 1 waiting for you" in done.stdout
    assert "waits for you\t2\ta1\t$ git push" in done.stdout
    assert "every call has one result" not in done.stdout
    found = json.loads(oh_tui("check", run, "--json").stdout)
    assert (found["open"], found["waiting"], found["unmatched_calls"]) == (1, 1, ["a1"])
    other = write_run(tmp_path / "lost.zip", [ASKED, call("a0"), call("a1", "git push"), state])
    assert oh_tui("check", other).returncode == 3
    found = json.loads(oh_tui("check", other, "--json").stdout)
    assert (found["open"], found["waiting"]) == (2, 1)


def test_a_running_call_is_no_defect_on_a_server_and_has_no_result_in_a_file() -> None:
    state = {"kind": "ConversationStateUpdateEvent", "id": "s1", "key": "execution_status"}
    events = [{**state, "value": "running"}, call("a1")]
    for live, told in ((True, (1, 0, [])), (False, (0, 1, ["a1"]))):
        trajectory = Trajectory(live=live)
        trajectory.extend(parse_event(json.dumps(event).encode()) for event in events)
        found = report(trajectory)
        assert (found["running"], found["open"], found["unmatched_calls"]) == told


def test_check_of_a_folder_of_runs_asks_which_one(tmp_path: Path) -> None:
    write_run(tmp_path / "one.zip", CLEAN, "First run")
    write_run(tmp_path / "two.zip", CLEAN, "Second run", id="0123abcd" * 4)
    done = oh_tui("check", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "2 runs" in done.stderr
    assert "First run  5f3a91c0, Second run  0123abcd" in done.stderr


def test_an_unpacked_folder_reads_as_its_zip_does(clean_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(clean_run) as archive:
        archive.extractall(folder)
    assert oh_tui("check", folder).stdout == oh_tui("check", clean_run).stdout


def test_without_a_terminal_open_lists_the_runs_and_the_steps_of_the_first(
    clean_run: Path, tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other.zip", BROKEN, "Other run", id="0123abcd" * 4)
    done = oh_tui("open", clean_run, other)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Conversations: 2 files"
    rows = [line.split(maxsplit=3) for line in lines[1:4]]
    assert rows[0] == ["id", "state", "changed", "title"]
    assert lines[2].startswith("5f3a91c0") and lines[2].endswith("w  Tidy up the build")
    assert lines[3].startswith("0123abcd  error")
    assert lines[5:] == [
        "Tidy up the build  5f3a91c0",
        "#    at  llm  ran     what       result",
        "1  0:00               you wrote  Tidy up",
        "2  0:01  1.0  1.0     $ ls       done",
        "3  0:03  1.0  1.0  !  $ ls       exit 1  no",
        "",
        "The explorer needs a terminal; this is the plain list.",
    ]


def test_a_step_that_is_not_there_is_said_where_nothing_can_be_drawn(clean_run: Path) -> None:
    for place in ("3", "1"):
        assert oh_tui("open", clean_run, "--at", place).returncode == 0
    done = oh_tui("open", clean_run, "--at", "999")
    assert "you wrote  Tidy up" in done.stdout
    assert done.stderr.splitlines() == [
        "oh-tui: This run has no step or event 999",
        "        its steps are 1 to 3",
    ]
    assert done.returncode == 2


def test_a_file_that_cannot_be_opened_does_not_hide_the_others(
    clean_run: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip at all")
    done = oh_tui("open", bad, clean_run)
    assert done.returncode == 0
    assert "5f3a91c0" in done.stdout
    assert done.stderr.startswith("oh-tui: ") and "bad.zip" in done.stderr


def test_wide_titles_and_markup_neither_break_columns_nor_are_read_as_markup(
    tmp_path: Path,
) -> None:
    wide = "修复[/b]" * 20
    run = write_run(tmp_path / "wide.zip", [ASKED, call("a1", wide), result("o1", "a1")], wide)
    done = oh_tui("open", run)
    assert done.returncode == 0
    row = next(line for line in done.stdout.splitlines() if line.startswith("2 "))
    assert row.endswith("...  done")
    assert "[/b]" in row


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("5f3a", "5f3a"),
        (" 5F3A91C0 ", "5f3a91c0"),
        ("5f3a91c0-5f3a-91c0-5f3a-91c05f3a91c0", "5f3a91c0" * 4),
        ("https://app.all-hands.dev/conversations/" + "5f3a91c0" * 4 + "?tab=1", "5f3a91c0" * 4),
        ("https://app.all-hands.dev/face/beef", ""),
        ("https://[broken", ""),
        ("5f3", ""),
        ("5f3a91c0" * 4 + "0", ""),
        ("check", ""),
        ("", ""),
    ],
)
def test_an_id_is_read_from_what_people_paste(written: str, identifier: str) -> None:
    assert read_id(written) == identifier


def test_an_address_of_another_server_is_refused_with_the_way_to_go_there() -> None:
    address = "https://other.example/conversations/" + "5f3a91c0" * 4
    assert require_id(address, "https://other.example") == "5f3a91c0" * 4
    with pytest.raises(Problem, match=r"other\.example") as caught:
        require_id(address, "https://app.all-hands.dev")
    assert "--server https://other.example" in caught.value.hint


def test_a_path_is_told_from_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beef").mkdir()
    (tmp_path / "runs").mkdir()
    assert is_path("runs") and is_path("./beef") and is_path("missing.zip") and is_path("beef")
    assert not is_path("beef", asks_server=True) and is_path("./beef", asks_server=True)
    assert not is_path("unknown") and not is_path("")
    assert not is_path("https://app.all-hands.dev/conversations/beef")
    assert is_path("https://example.org/runs/beef.zip")


class Listing(OneSource):
    """A source with nothing but rows, two on a page."""

    label = "a test"

    def __init__(self, *ids: str) -> None:
        self.rows = [Conversation(id=i, title=f"Run {i[:6]}") for i in ids]

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        for start in range(0, len(self.rows), 2):
            yield Page(self.rows[start : start + 2], None)

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        known = {row.id: row for row in self.rows}
        return [known.get(i) for i in ids]

    sandboxes = None


IDS = ("5f3a91c0" * 4, "5f3a0000" * 4, "0123abcd" * 4)


async def test_the_start_of_an_id_finds_its_conversation_on_any_page() -> None:
    source: Any = Listing(*IDS)
    assert (await find(source, "0123")).id == IDS[2]
    assert (await find(source, IDS[0])).id == IDS[0]


async def test_an_ambiguous_start_names_the_candidates() -> None:
    source: Any = Listing(*IDS)
    with pytest.raises(Problem, match="2 conversations begin with 5f3a") as caught:
        await find(source, "5f3a")
    assert not isinstance(caught.value, NotFound)
    assert "5f3a91c05f3a (Run 5f3a91)" in caught.value.hint


@pytest.mark.parametrize("identifier", ["dead", "dead" * 8])
async def test_an_unknown_id_is_not_found(identifier: str) -> None:
    source: Any = Listing(*IDS)
    with pytest.raises(NotFound, match=identifier):
        await find(source, identifier)


def test_a_file_of_which_nothing_can_be_read_is_not_called_clean(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("meta.json", '{"title": "Cut"}')
        archive.writestr("event_000000_a.json", '{"id": "a", "kind": "MessageEvent"}' + " " * 500)
    path = tmp_path / "cut.zip"
    path.write_bytes(whole.getvalue()[:180])
    found = oh_tui("check", path)
    assert (found.returncode, found.stderr) == (3, "")
    assert "clean" not in found.stdout
    path.write_bytes(whole.getvalue().replace(b'"kind"', b'"kiln"', 1))
    found = oh_tui("check", path)
    assert (found.returncode, found.stderr) == (3, "")
    assert "note: 1 file cannot be read, damaged: event_000000_a.json\n" in found.stdout
    assert "clean" not in found.stdout


def test_a_run_without_a_step_has_its_events_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "quiet.zip"
    with zipfile.ZipFile(path, "w") as archive:
        state = {"id": "s", "kind": "ConversationStateUpdateEvent", "key": "tags", "value": {}}
        archive.writestr("event_000000_s.json", json.dumps(state))
    assert json.loads(oh_tui("check", path, "--json").stdout)["events"] == 1


@pytest.mark.parametrize("state", [{"id": "x"}, {"agent": {}}, {"id": 1, "stats": {}}, [], "x"])
def test_a_folder_with_another_base_state_is_no_run(tmp_path: Path, state: Any) -> None:
    (tmp_path / "game").mkdir()
    (tmp_path / "game" / "base_state.json").write_text(json.dumps(state), "utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "event_000000_s.json").write_text('{"id": "s", "kind": "PauseEvent"}')
    found = json.loads(oh_tui("conversations", tmp_path, "--json").stdout)
    assert [one["title"] for one in found["conversations"]] == ["run"]
    alone = oh_tui("why", tmp_path / "game")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "holds no trajectory" in alone.stderr


def test_a_run_without_events_is_not_called_clean(tmp_path: Path) -> None:
    (tmp_path / "run" / "events").mkdir(parents=True)
    (tmp_path / "run" / "base_state.json").write_text('{"id": "x", "agent": {}}', "utf-8")
    found = oh_tui("check", tmp_path / "run")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines() == ["run", "0 events, no calls", "there is nothing to check"]

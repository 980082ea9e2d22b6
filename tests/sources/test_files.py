"""Trajectory files: their rows, how they are read, and what they do not support."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources import file_runs
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.this_machine import ThisMachine
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.run_file import Format, Source
from tests.trajectory import evaluation_files


def write(path: Path, count: int, **info: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            minute, second = divmod(number, 60)
            stamp = f"2026-03-01T0{minute // 60}:{minute % 60:02}:{second:02}"
            event = {"id": f"e{number}", "kind": "MessageEvent", "timestamp": stamp}
            archive.writestr(f"event_{number:06}_{number:032x}.json", json.dumps(event))
        archive.writestr("meta.json", json.dumps(info))
    return path


@pytest.fixture
async def files() -> AsyncIterator[Callable[..., FileSource]]:
    """Makes sources of paths, closed at the end."""
    made: list[FileSource] = []

    def of(*paths: Path) -> FileSource:
        made.append(FileSource(paths))
        return made[-1]

    yield of
    for source in made:
        await source.close()


Files = Callable[..., FileSource]


async def test_each_archive_is_a_row_that_tells_what_its_file_tells(
    tmp_path: Path, files: Files
) -> None:
    metrics = {"accumulated_cost": 1.5}
    write(tmp_path / "a.zip", 1, id="1" * 32, title="One", metrics=metrics, llm_model="m")
    write(tmp_path / "b.zip", 1, id=5, title=["x"], metrics="x", created_at={})
    source = files(tmp_path)
    rows = (await source.newest()).items
    assert [row.title for row in rows] == ["One", "b.zip"]
    assert rows[0].metrics is not None
    assert rows[0].metrics.accumulated_cost == 1.5
    assert rows[1].metrics is None
    assert await source.count() == 2
    assert await source.get(["1" * 32, "2" * 32]) == [rows[0], None]
    assert source.problems == []


async def test_of_a_long_run_what_is_above_the_limit_is_read_again(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_runs, "HELD", 2_000)
    source = files(write(tmp_path / "a.zip", 100))
    (row,) = (await source.newest()).items
    run, file = source.runs.read(row), source.runs.run(row)
    assert 2_000 < sum(len(event.inline) for event in run.events) < 2_500
    assert [event.raw() for event in run.events] == [file.read(n) for n in range(100)]


@pytest.mark.parametrize("other", ["1" * 32, str(UUID("1" * 32))])
async def test_two_archives_of_one_conversation_are_two_rows(
    tmp_path: Path, files: Files, other: str
) -> None:
    write(tmp_path / "a.zip", 1, id="1" * 32)
    write(tmp_path / "b.zip", 2, id=other)
    source = files(tmp_path)
    rows = (await source.newest()).items
    assert len({bare_id(row.id) for row in rows}) == 2, "with and without dashes it is the same"
    assert [(await source.runs.count_events(row))[0] for row in rows] == [1, 2]


async def test_a_broken_archive_hides_no_other_and_alone_is_a_problem(
    tmp_path: Path, files: Files
) -> None:
    write(tmp_path / "a.zip", 1)
    bad = tmp_path / "b.zip"
    bad.write_bytes(b"no zip")
    source = files(tmp_path / "a.zip", bad)
    assert len((await source.newest()).items) == 1
    assert len(source.problems) == 1
    assert "b.zip" in source.problems[0]
    for alone in (bad, tmp_path / "none.zip"):
        with pytest.raises(Problem, match=alone.name):
            await files(alone).newest()


async def test_a_folder_without_a_run_says_what_to_give(tmp_path: Path, files: Files) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(Problem) as caught:
        await files(tmp_path).newest()
    assert caught.value.hint


async def test_a_long_file_shows_its_end_first_and_then_all(tmp_path: Path, files: Files) -> None:
    source = files(write(tmp_path / "a.zip", 4500))
    (row,) = (await source.newest()).items
    states = [state async for state in source.runs.load(row)]
    first, last = states[0].trajectory, states[-1].trajectory
    assert first is not None and last is not None
    assert not first.complete
    assert [event.id for event in first.events] == [f"e{n}" for n in range(4300, 4500)]
    assert last.complete
    assert [event.id for event in last.events] == [f"e{n}" for n in range(4500)]
    told = [state.loaded for state in states if state.trajectory is None]
    assert told == list(range(500, 4501, 500))
    assert [event.id for event in source.runs.read(row).events] == [
        event.id for event in last.events
    ]


async def test_a_file_does_not_grow_and_is_no_sandbox(tmp_path: Path, files: Files) -> None:
    source = files(write(tmp_path / "a.zip", 3))
    (row,) = (await source.newest()).items
    (state,) = [state async for state in source.runs.load(row)]
    assert state.trajectory is not None
    assert state.trajectory.complete
    assert (await source.runs.cost(row, state.trajectory)).events == 0
    assert source.remote is None
    assert source.sandboxes is None


async def test_a_file_that_goes_away_while_it_is_read_is_a_problem(
    tmp_path: Path, files: Files
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for number in range(3):
        event = {
            "id": f"e{number}",
            "kind": "MessageEvent",
            "timestamp": f"2026-03-01T00:00:0{number}",
        }
        (folder / f"event-{number:05}-{number:032x}.json").write_text(json.dumps(event))
    source = files(folder)
    (row,) = (await source.newest()).items
    assert isinstance(row, Conversation)
    (folder / f"event-00001-{1:032x}.json").unlink()
    states = [state async for state in source.runs.load(row)]
    assert states[-1].trajectory is not None
    assert len(states[-1].trajectory.events) == 3
    assert states[-1].note or states[-1].trajectory.counts.unreadable == 1


# how its run ended, beside what meta.json tells


def cli_run(
    folder: Path, identifier: str, *, status: str = "finished", second: int = 5, asked: str = "Hi"
) -> Path:
    """A run as the OpenHands CLI keeps it: no meta.json, and no event that tells a state."""
    home = folder / identifier.replace("-", "")
    (home / "events").mkdir(parents=True)
    agent = {"llm": {"model": "openai/text"}}
    base = {"id": identifier, "execution_status": status, "agent": agent}
    (home / "base_state.json").write_text(json.dumps(base))
    events: list[dict[str, Any]] = [
        {"kind": "SystemPromptEvent", "id": "p", "source": "agent"},
        {"kind": "MessageEvent", "id": "m", "source": "user",
         "llm_message": {"role": "user", "content": [{"type": "text", "text": asked}]}},
        {"kind": "ActionEvent", "id": "a", "source": "agent", "tool_name": "terminal",
         "tool_call_id": "c", "llm_response_id": "r",
         "action": {"kind": "TerminalAction", "command": "make"}},
    ]  # fmt: skip
    for number, event in enumerate(events):
        event["timestamp"] = f"2026-03-01T10:00:0{number + second - 2}"
        name = f"event-{number:05}-{event['id']}.json"
        (home / "events" / name).write_text(json.dumps(event))
    return home


DASHED = "5f3a91c0-1111-4111-8111-111111111111"


@pytest.mark.parametrize("identifier", [DASHED, DASHED.replace("-", "")])
async def test_a_run_is_found_by_its_id_with_and_without_dashes(
    tmp_path: Path, files: Files, identifier: str
) -> None:
    cli_run(tmp_path, DASHED)
    for source in (files(tmp_path), ThisMachine(tmp_path)):
        (found,) = await source.get([identifier])
        assert found is not None and found.id == DASHED
        assert len(source.runs.read(found).events) == 3


async def test_a_run_of_the_cli_is_called_by_its_first_message(
    tmp_path: Path, files: Files
) -> None:
    cli_run(tmp_path, DASHED, asked="Tidy up\nthe \x1b[31mbuild")
    (row,) = (await files(tmp_path).newest()).items
    assert row.title == "Tidy up the build" or row.title == "Tidy up"
    assert row.llm_model == "openai/text"
    assert row.updated_at == "2026-03-01T10:00:05"


@pytest.mark.parametrize(
    ("status", "word", "told"),
    [
        ("finished", "finished", "finished"),
        ("waiting_for_confirmation", "waiting", "waiting_for_confirmation"),
        ("error", "error", "error"),
        ("running", "saved", "saved"),
        ("flying", "", None),
    ],
)
async def test_a_state_that_no_event_tells_comes_from_base_state(
    tmp_path: Path, files: Files, status: str, word: str, told: str | None
) -> None:
    cli_run(tmp_path, DASHED, status=status)
    source = files(tmp_path)
    (row,) = (await source.newest()).items
    peeked = await source.runs.peek(row)
    assert peeked is not None and judge(peeked).word == word
    assert source.with_state(row).execution_status == told
    assert judge(source.runs.read(row)).word == word
    *_, loaded = [state async for state in source.runs.load(row)]
    assert loaded.trajectory is not None and judge(loaded.trajectory).word == word


@pytest.mark.usefixtures("in_new_york")
async def test_the_last_event_counts_for_order_and_age_on_this_machine() -> None:
    """Not the file's modification time, which copying changes. The CLI writes local time."""
    folder = Path.home() / ".openhands" / "conversations"
    for number, second in ((1, 7), (2, 3), (3, 5)):
        cli_run(folder, f"{number}" * 32, second=second)
    rows = (await ThisMachine(folder).newest()).items
    assert [row.id[0] for row in rows] == ["1", "3", "2"]
    assert rows[0].updated_at == "2026-03-01T10:00:07-05:00"


async def test_any_mixture_of_files_and_folders_is_one_list(tmp_path: Path, files: Files) -> None:
    inner = tmp_path / "results" / "model" / "bench"
    inner.mkdir(parents=True)
    evaluation_files.write(inner / "output.jsonl", [evaluation_files.row("acme-1")])
    (inner / "metadata.json").write_text('{"llm": {"model": "m"}}')
    write(tmp_path / "a.zip", 1, id="1" * 32, title="One")
    run = tmp_path / "run"
    run.mkdir()
    (run / "event_000000_x.json").write_text('{"id": "e", "kind": "MessageEvent"}')
    source = files(tmp_path / "results", tmp_path / "a.zip", run)
    rows = (await source.newest()).items
    assert [row.title for row in rows] == ["acme-1", "One", "run"]
    assert [(await source.runs.count_events(row))[0] for row in rows] == [0, 1, 1]
    assert source.problems == []
    (alone,) = (await files(tmp_path / "results").newest()).items
    assert alone.title == "acme-1"


async def test_a_folder_lists_the_runs_at_each_depth(tmp_path: Path, files: Files) -> None:
    for number, place in enumerate(("a.zip", "b/b.zip", "b/c/c.zip", "d/e/f/f.zip"), 1):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / place, 1, id=f"{number}" * 32, title=place)
    rows = (await files(tmp_path).newest()).items
    assert [row.title for row in rows] == ["a.zip", "b/b.zip", "b/c/c.zip", "d/e/f/f.zip"]


async def test_a_folder_without_rights_is_not_read_and_no_other_is_lost(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.zip", 1)
    (tmp_path / "locked").mkdir()

    def refuse(listing: Callable[[Any], Any], folder: Any = ".") -> Any:
        if os.fspath(folder) == str(tmp_path / "locked"):
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, partial(refuse, getattr(os, name)))
    source = files(tmp_path)
    assert [row.title for row in (await source.newest()).items] == ["a.zip"]
    assert source.not_read == 1
    assert source.problems == [f"No permission to read {tmp_path / 'locked'}"]


async def test_what_lies_below_runs_is_no_run_of_its_own(tmp_path: Path, files: Files) -> None:
    """Sub-agents, and the folders beside an output: they have parts and copies of its runs."""
    write(tmp_path / "a.zip", 1, id="1" * 32, title="One")
    below = tmp_path / "left" / "subagents" / "b"
    below.mkdir(parents=True)
    (below / "event_000000_x.json").write_text('{"id": "e", "kind": "MessageEvent"}')
    output = tmp_path / "results" / "output.jsonl"
    copies = output.parent / "conversations"
    copies.mkdir(parents=True)
    evaluation_files.write(output, [evaluation_files.row("acme-1")])
    write(copies / "acme-1.zip", 1, id="2" * 32, title="a copy")
    rows = (await files(tmp_path).newest()).items
    assert [row.title for row in rows] == ["One", "acme-1"]


@pytest.mark.parametrize("where", ["recognises", "open", "entries"])
async def test_a_bug_in_reading_one_file_is_told_and_the_others_are_listed(
    tmp_path: Path, files: Files, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = json_lines.FORMAT

    def fails(*_: object) -> Any:
        raise AttributeError("a secret of the file")

    def recognises(head: bytes, name: str) -> bool:
        return fails() if where == "recognises" and b"bad" in head else first.recognises(head, name)

    def opened(source: Source) -> Any:
        if where == "open" and source.name == "b.jsonl":
            fails()
        runs = first.open(source)
        if where == "entries" and source.name == "b.jsonl":
            runs.entries = fails  # type: ignore[method-assign]
        return runs

    for name in "abc":
        instance = "bad" if name == "b" else f"acme-{name}"
        evaluation_files.write(tmp_path / f"{name}.jsonl", [evaluation_files.row(instance)])
    monkeypatch.setattr(json_lines, "FORMAT", Format("lines", recognises, opened))
    source = files(tmp_path)
    assert [row.title for row in (await source.newest()).items] == ["acme-a", "acme-c"]
    (problem,) = source.problems
    assert problem.startswith(f"{tmp_path}/b.jsonl cannot be read. ") and problem.endswith(
        "AttributeError"
    )

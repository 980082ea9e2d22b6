"""Evaluation output: listed by rows, opened one by one, damaged or not."""

from __future__ import annotations

import gzip
import importlib.util
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.run_file import Entry, RunFile
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.event_kinds import NO_KIND, UNREADABLE
from tests.trajectory.evaluation_files import history, lines, message, metrics, row, write


def listed(path: Path) -> tuple[list[Entry], list[str]]:
    runs = open_runs(path)
    return list(runs.entries()), runs.problems


def bodies(run: RunFile) -> list[Any]:
    return [event.body() for event in run.events()]


ROWS = [
    row("acme__dates-1", history(3, failed=[2]), metrics=metrics([0.25, 0.5, 0.125])),
    row("acme__dates-2"),
    row("acme__dates-3", history(1, finish=False), error="Instance failed: timeout"),
    row("Ünïcode-4", [message("grüße \u2028 𝄞")], test_result={"git_patch": "diff --git …"}),
]


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
def test_each_row_is_a_run_with_the_events_that_stand_in_it(tmp_path: Path, ending: str) -> None:
    packers: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress}
    pack = packers.get(ending, bytes)
    path = tmp_path / f"output.jsonl{ending}"
    path.write_bytes(pack(lines(ROWS)))
    entries, problems = listed(path)
    assert [entry.name for entry in entries] == [one["instance_id"] for one in ROWS]
    assert [entry.number for entry in entries] == [1, 2, 3, 4]
    assert problems == []
    for entry, one in [*zip(entries, ROWS, strict=True)][::-1]:
        run = entry.open()
        assert bodies(run) == one["history"]
        assert [json.loads(run.original(n)) for n in range(len(run))] == one["history"]
        assert run.recorded.error == (one["error"] or "")
        assert run.recorded.patch == one["test_result"]["git_patch"]
        assert run.recorded.max_iterations == 100
        assert run.info["llm_model"] == "some/model"
        assert run.info["selected_repository"] == "acme/dates"
        assert (run.note, run.cut_off, bool(run.stats)) == ("", "", one["metrics"] is not None)


@pytest.mark.parametrize("space", [" ", "\t", ""])
def test_events_are_found_whatever_space_is_between_them(tmp_path: Path, space: str) -> None:
    text = json.dumps(ROWS[0], separators=(f"{space},{space}", f"{space}:{space}"))
    path = tmp_path / "output.jsonl"
    path.write_text(f"{space}{text}{space}\r\n{space}\n{json.dumps(ROWS[1])}")
    entries, problems = listed(path)
    assert [entry.name for entry in entries] == ["acme__dates-1", "acme__dates-2"]
    assert bodies(entries[0].open()) == ROWS[0]["history"]
    assert problems == []


def test_what_msgspec_refuses_is_read_all_the_same(tmp_path: Path) -> None:
    odd = row("odd", [{**message("x"), "note": "\ud800", "number": float("nan")}, message("last")])
    path = write(tmp_path / "output.jsonl", [odd])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (entry,), problems = listed(path)
    run = entry.open()
    assert [event.kind for event in run.events()] == ["MessageEvent", "MessageEvent"]
    assert run.event(0).body()["note"] == "\ufffd"
    assert problems == []


def test_repeated_instances_have_their_attempt_in_their_name(tmp_path: Path) -> None:
    rows = [row("a", attempt=1), row("a", attempt=2), row("b"), row("a"), row("a", attempt=2)]
    path = tmp_path / "output.jsonl"
    path.write_bytes(
        lines([{"instance_id": one["instance_id"], "attempt": one.get("attempt"), **one}
               for one in rows])
    )  # fmt: skip
    entries, _ = listed(path)
    assert [entry.name for entry in entries] == ["a", "a@2", "b", "a@3", "a@4"]


def test_a_broken_row_is_named_and_hides_no_other(tmp_path: Path) -> None:
    texts = [json.dumps(ROWS[0]), "{no json", "", json.dumps(ROWS[1]), "7", json.dumps(ROWS[2])]
    path = tmp_path / "output.jsonl"
    path.write_text("\n".join(texts)[:-9])
    entries, problems = listed(path)
    assert [entry.name for entry in entries] == ["acme__dates-1", "acme__dates-2"]
    assert [entry.number for entry in entries] == [1, 3]
    assert problems == [
        "output.jsonl, row 2 is not JSON",
        "output.jsonl, row 4 is not JSON",
    ]


def test_many_broken_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n" + "x\n" * 1000)
    entries, problems = listed(path)
    assert len(entries) == 1
    assert len(problems) == 21
    assert problems[-1] == "output.jsonl, 980 more rows are not JSON"


def test_a_row_that_holds_no_run_is_told_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    texts = ['{"instance_id": "x", "cost": 5}', '{"instance_id": "y", "history": [}', *[
        json.dumps(ROWS[0])]]  # fmt: skip
    path.write_text("\n".join(texts) + "\n")
    (x, y, good), problems = listed(path)
    assert problems == []
    with pytest.raises(Problem, match=r"output.jsonl, row 1 is not in a format"):
        x.open()
    with pytest.raises(Problem, match=r"output.jsonl, row 2 is not JSON"):
        y.open()
    assert len(good.open()) == len(ROWS[0]["history"])


def test_a_huge_row_is_refused_and_the_others_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "LARGEST", 100_000)
    path = write(tmp_path / "output.jsonl", [row("big", [message("x" * 200_000)]), ROWS[0]])
    (big, small), _ = listed(path)
    with pytest.raises(Problem, match=r"output.jsonl, row 1 has 20. kB"):
        big.open()
    assert len(small.open()) == len(ROWS[0]["history"])


def test_events_that_are_no_objects_are_shown_and_named(tmp_path: Path) -> None:
    odd = row("odd", [message("x"), 5, "text", None, {}, [], [1]])
    (entry,), _ = listed(write(tmp_path / "output.jsonl", [odd]))
    run = entry.open()
    events = list(run.events())
    kinds = ["MessageEvent", *[UNREADABLE] * 3, NO_KIND, *[UNREADABLE] * 2]
    assert [event.kind for event in events] == kinds
    assert len({event.id for event in events}) == 7
    assert run.problems == ["5 events cannot be read: 2, 3, 4, ..."]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda data: data + b"garbage", "has something else after its end"),
        (lambda data: data[:-20], "is cut off: the end of the packed data is missing"),
        (lambda data: data + b"\0" * 1000, ""),
        (lambda data: data[:-500] + b"\xff" * 50 + data[-450:], "is damaged"),
    ],
)
def test_a_damaged_gzip_shows_what_comes_before(tmp_path: Path, harm: Any, told: str) -> None:
    import random

    texts = random.Random(1)
    rows = [row(f"i{n}", [message(texts.randbytes(60).hex())]) for n in range(20)]
    path = tmp_path / "output.jsonl.gz"
    path.write_bytes(harm(gzip.compress(lines(rows[:10])) + gzip.compress(lines(rows[10:]))))
    entries, problems = listed(path)
    if "after" in told or not told:
        assert [entry.name for entry in entries] == [f"i{n}" for n in range(20)]
    runs = open_runs(path)
    for entry in runs.entries():
        if "damaged" not in told or entry.number <= 10:  # what is near the damage may be wrong
            assert bodies(entry.open()) == rows[entry.number - 1]["history"]
    assert runs.problems == problems, "also once the rows are opened"
    assert (told in problems[-1] and "output.jsonl.gz" in problems[-1]) if told else not problems


def member(data: bytes, size: int) -> bytes:
    """A gzip member of just this size, by the length of the file name in its header."""
    packed = gzip.compress(data, mtime=0)
    name = b"n" * (size - len(packed) - 1) + b"\0"
    return packed[:3] + b"\x08" + packed[4:10] + name + packed[10:]


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_member_that_ends_where_a_piece_does_is_followed_by_the_next(
    tmp_path: Path, pieces: int
) -> None:
    first, second = lines(ROWS[:2]), lines(ROWS[2:])
    path = tmp_path / "output.jsonl.gz"
    path.write_bytes(member(first, pieces * 2**15) + gzip.compress(second))
    entries, problems = listed(path)
    assert [bodies(entry.open()) for entry in entries] == [one["history"] for one in ROWS]
    assert problems == []


def test_a_file_of_which_nothing_can_be_unpacked_says_so(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS))[:5])
    with pytest.raises(Problem, match=r"output.jsonl.gz is cut off"):
        open_runs(path)


def test_zstd_is_read_where_python_can_and_else_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    assert find_files([tmp_path]) == [path], "it is not passed over"
    found = map(importlib.util.find_spec, ("compression", "backports"))
    if not any(found):
        with pytest.raises(Problem) as caught:
            open_runs(path)
        assert ".zst" in caught.value.sentence
        assert "pip install backports.zstd" in caught.value.hint
        return
    zstd = pytest.importorskip("compression.zstd")
    path.write_bytes(zstd.compress(lines(ROWS)))
    entries, problems = listed(path)
    assert [bodies(entry.open()) for entry in entries] == [one["history"] for one in ROWS]
    assert problems == []


@pytest.mark.slow
def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl.gz"
    path.write_bytes(gzip.compress(lines(ROWS) + b"0" * 300_000_000, compresslevel=1))
    entries, problems = listed(path)
    assert len(entries) == 4
    assert "like a bomb" in problems[-1]


def test_a_folder_lists_outputs_and_no_reports(tmp_path: Path) -> None:
    write(tmp_path / "output.jsonl", ROWS)
    write(tmp_path / "output.critic_attempt_1.jsonl", ROWS)
    write(tmp_path / "cost_report.jsonl", [{"instance_id": "x", "cost": 5}])
    (tmp_path / "metadata.json").write_text('{"llm": {}, "dataset": "x"}')
    (tmp_path / "output.report.json").write_text('{"resolved_ids": ["x"]}')
    assert find_files([tmp_path]) == [tmp_path / "output.jsonl"]
    assert find_files([tmp_path.parent / tmp_path.name]) == [tmp_path / "output.jsonl"]
    inner = tmp_path / "more"
    inner.mkdir()
    assert find_files([inner]) == [inner]
    write(inner / "output.critic_attempt_1.jsonl", ROWS)
    assert find_files([inner]) == [inner / "output.critic_attempt_1.jsonl"]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = ("instance_id", "attempt", "test_result", "metadata", "history", "metrics", "error")
ANY_ROW = st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON


@given(st.lists(ANY_ROW, max_size=4))
def test_any_json_in_any_row_is_listed_and_opened_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "output.jsonl"
    good = row("good", history(2))
    write(path, [good, *rows, good])
    entries, problems = listed(path)
    assert len(entries) + len(problems) >= 2 + len(rows) - (len(problems) == 21)
    assert [entries[0].name, entries[-1].name.partition("@")[0]] == ["good", "good"]
    for entry in entries:
        try:
            run = entry.open()
        except Problem as problem:
            assert f"row {entry.number}" in problem.sentence
            continue
        given = (good, *rows, good)[entry.number - 1].get("history")
        # what is no list is shown as it is
        expected = len(given) if isinstance(given, list) else int(bool(given))
        assert len(list(run.events())) == expected


def test_rows_of_several_formats_in_one_file_are_each_read_as_what_they_are(
    tmp_path: Path,
) -> None:
    v0 = {
        "instance_id": "v0",
        "history": [
            {"id": 1, "source": "user", "action": "message", "args": {"content": "Fix it."}},
            {"id": 2, "source": "agent", "action": "run", "args": {"command": "ls"},
             "tool_call_metadata": {"function_name": "execute_bash", "tool_call_id": "c"}},
            {"id": 3, "source": "agent", "cause": 2, "observation": "run", "content": "a.py",
             "extras": {"metadata": {"exit_code": 0}}},
        ],
    }  # fmt: skip
    chat = {"instance_id": "chat", "messages": [{"role": "user", "content": "Fix it."}]}
    path = write(tmp_path / "output.jsonl", [ROWS[0], v0, chat, {"instance_id": "none"}])
    entries, problems = listed(path)
    assert [entry.name for entry in entries] == ["acme__dates-1", "v0", "chat", "none"]
    assert [len(entry.open()) for entry in entries[:2]] == [9, 3]
    assert entries[2].open().event(0).kind == "MessageEvent"
    assert json.loads(entries[1].open().original(0)) == v0["history"][0]
    with pytest.raises(Problem, match="row 4 is not in a format"):
        entries[3].open()
    assert problems == []


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_file_is_a_run_named_as_its_file(tmp_path: Path, indent: int | None) -> None:
    messages = [{"role": "user", "content": "Fix it."}, {"role": "assistant", "content": "Done."}]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(messages, indent=indent))
    ((entry,), problems) = listed(path)
    assert (entry.name, entry.open().name, problems) == ("", "run.json", [])
    assert len(entry.open()) == 2

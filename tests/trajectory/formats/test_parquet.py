"""Parquet files of runs, as data sets of trajectories are published."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import parquet, parquet_worker
from oh_tui.trajectory.formats.parquet_worker import TableFile, TooMuch
from oh_tui.trajectory.formats.run_file import RunFile, RunList
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.recorded import Label
from tests.trajectory.evaluation_files import history
from tests.trajectory.evaluation_files import row as v1_row
from tests.trajectory.foreign.runs import JsonObject, lost
from tests.trajectory.foreign.test_documents import joined


def call(number: int, command: str) -> JsonObject:
    function = {"name": "execute_bash", "arguments": json.dumps({"command": command})}
    return {"id": f"c{number}", "type": "function", "function": function}


def messages(calls: int) -> list[JsonObject]:
    found: list[JsonObject] = [{"role": "user", "content": "Fix it."}]
    for number in range(calls):
        found.append(
            {"role": "assistant", "content": "", "tool_calls": [call(number, f"echo {number}")]}
        )
        found.append({"role": "tool", "content": f"out {number}", "tool_call_id": f"c{number}"})
    return [*found, {"role": "assistant", "content": "Done."}]


def trajectory_row(name: str, calls: int, resolved: Any = 1) -> JsonObject:
    return {
        "trajectory_id": f"t-{name}-{calls}",
        "instance_id": name,
        "repo": "acme/dates",
        "trajectory": messages(calls),
        "model_patch": "diff --git a/x b/x",
        "exit_status": "submit",
        "resolved": resolved,
    }


ROWS = [
    trajectory_row("acme-1", 2),
    trajectory_row("acme-2", 3, 0),
    trajectory_row("acme-1", 4, None),
    *(trajectory_row(f"more-{n}", n % 3) for n in range(40)),
]


def write(path: Path, rows: list[JsonObject], **how: Any) -> Path:
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(rows), path, **how)
    return path


def opened(path: Path) -> tuple[RunList, dict[str, RunFile]]:
    runs = open_runs(path)
    return runs, {entry.name: entry.open() for entry in runs.entries()}


@pytest.mark.parametrize("group", [1000, 7])
def test_rows_are_runs_with_their_labels(tmp_path: Path, group: int) -> None:
    path = write(tmp_path / "train.parquet", ROWS, row_group_size=group)
    runs = open_runs(path)
    entries = list(runs.entries())
    assert [entry.name for entry in entries[:4]] == ["acme-1", "acme-2", "acme-1@2", "more-0"]
    labels = [entry.info["label"] for entry in entries[:3]]
    assert labels == [Label.RESOLVED, Label.UNRESOLVED, Label.NONE]
    assert len(entries) == len(ROWS)
    for entry, row in zip(entries, ROWS, strict=True):
        run = entry.open()
        calls = len(row["trajectory"]) // 2 - 1
        steps = joined(run).steps
        assert sum(step.is_call for step in steps) == calls
        assert sum(step.result is not None for step in steps) == calls
        assert run.info["selected_repository"] == "acme/dates"
        assert run.recorded.patch == "diff --git a/x b/x" and not run.note
    runs.close()


def test_a_file_for_which_no_process_starts_is_not_taken_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "train.parquet", ROWS)

    def none(*_: Any, **__: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    parquet._worker.end()
    with monkeypatch.context() as short:
        short.setattr(subprocess, "Popen", none)
        with pytest.raises(Problem, match=r"train\.parquet cannot be read: the system starts no"):
            open_runs(path)
        assert find_files([tmp_path]) == [path], "opening it tells why"
    assert len(list(open_runs(path).entries())) == len(ROWS)


def test_texts_of_json_in_a_column_are_read(tmp_path: Path) -> None:
    row = v1_row("acme-1", history(2))
    texts = {name: json.dumps(value) for name, value in row.items() if value not in (None, "")}
    rows: list[JsonObject] = [texts | {"instance_id": "acme-1"}, {"messages": "no JSON"}]
    _, found = opened_first(write(tmp_path / "x.parquet", rows))
    assert [json.loads(found.read(n)) for n in range(len(found))] == history(2)


def opened_first(path: Path) -> tuple[RunList, RunFile]:
    runs = open_runs(path)
    return runs, next(iter(runs.entries())).open()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files")
def test_a_file_is_open_while_it_is_read_and_not_longer(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", ROWS)

    def is_open() -> bool:
        links = list(Path("/proc/self/fd").iterdir())  # one of them is that of this list
        return path in [link.readlink() for link in links if link.is_symlink()]

    runs = open_runs(path)
    entries = list(runs.entries())
    assert entries[0].open() and not is_open()
    write(tmp_path / "other.parquet", ROWS[::-1]).replace(path)
    with pytest.raises(Problem, match="row 2 cannot be read"):  # nor taken from another file
        entries[1].open()


def test_a_row_without_a_run_is_named_and_the_others_open(tmp_path: Path) -> None:
    rows: list[JsonObject] = [{"messages": messages(n) if n else []} for n in (1, 0, 2)]
    runs = open_runs(write(tmp_path / "x.parquet", rows))
    first, second, third = runs.entries()
    assert [len(one.open()) for one in (first, third)] == [4, 6]
    assert second.name == "row 2"
    with pytest.raises(Problem, match=r"x\.parquet, row 2 is not in a format"):
        second.open()


def test_parquet_is_found_in_folders(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ROWS[:1])
    write(tmp_path / "numbers.parquet", [{"x": 1}])
    assert find_files([tmp_path]) == [path]
    with pytest.raises(Problem, match=r"numbers\.parquet is not in a format that oh-tui reads"):
        open_runs(tmp_path / "numbers.parquet")


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setattr(parquet, "is_installed", lambda: False)
    with pytest.raises(Problem, match="pyarrow, which reads those, is not installed") as told:
        open_runs(path)
    assert told.value.hint == "pip install 'oh-tui[parquet]'"
    assert find_files([tmp_path]) == [path], "so that opening the folder says it"


# Hostile and broken


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"messages": [{"role": "user", "content": "x" * 10_000_000}]}]
    path = write(tmp_path / "x.parquet", rows, compression="zstd")
    monkeypatch.setattr(parquet, "RATIO_FREE", 0)
    with pytest.raises(Problem, match=r"x\.parquet unpacks from .* to 10\.0 MB, like a bomb"):
        open_runs(path)


def test_rows_beside_a_bomb_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = ["Go.", "x" * 10_000_000, "Stop."]
    rows = [{"messages": [{"role": "user", "content": content}]} for content in contents]
    path = write(tmp_path / "x.parquet", rows, compression="zstd", row_group_size=1)
    monkeypatch.setattr(parquet, "RATIO_FREE", 100_000)
    runs, found = opened(path)
    assert list(found) == ["row 1", "row 3"] and all(len(run) == 1 for run in found.values())
    (told,) = runs.problems
    assert told.startswith("x.parquet, row 2: its row group unpacks from ")


def one_value(path: Path, rows: int, **columns: str) -> Path:
    """A text that stands in the file once, as the value of each row."""
    arrow = pytest.importorskip("pyarrow")
    indices = arrow.array([0] * rows, type=arrow.int32())
    made = {
        name: arrow.DictionaryArray.from_arrays(indices, arrow.array([text]))
        for name, text in columns.items()
    }
    pytest.importorskip("pyarrow.parquet").write_table(
        arrow.table(made),
        path,
        compression="zstd",
        store_schema=False,
        dictionary_pagesize_limit=2**30,
        write_statistics=False,
    )
    assert path.stat().st_size < 50_000
    return path


PEAK = """
from oh_tui.trajectory.formats import parquet
parquet._worker.end()
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
# Linux hands ru_maxrss of this one on from the process that started it
with open("/proc/self/status") as file:
    peak = max(peak, *(int(line.split()[1]) for line in file if line.startswith("VmHWM")))
print(peak, file=sys.stderr)
"""


def measured(program: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the program on the file; the last line of its stderr is the most memory in kB that it or
    the process that reads for it took."""
    command = [sys.executable, "-c", program + PEAK, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("long", ["instance_id", "history"])
def test_a_text_that_is_the_value_of_each_row_takes_little_memory(
    tmp_path: Path, long: str
) -> None:
    columns = {"instance_id": "acme-1", "history": "[]"} | {long: "A" * 5_000_000}
    path = one_value(tmp_path / "x.parquet", 2000, **columns)
    program = """
import resource, sys
from pathlib import Path
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.text.problem import Problem
runs = open_runs(Path(sys.argv[1]))
entries = list(runs.entries())
for entry in entries[-1:]:
    try:
        entry.open()
    except Problem:
        pass
print(len(entries), *runs.problems)
"""
    done = measured(program, path)
    why = "its row group takes more than 1 GB of memory to read, like a bomb"
    told = f"0 x.parquet, row 1: {why}"
    assert done.stdout.strip() == (told if long == "instance_id" else "2000")
    assert int(done.stderr) < 1_000_000, "kilobytes"


def repeated(text: str, places: list[int], kind: str) -> Any:
    """Lists of so many places, each with the same text, that stands in the file once."""
    arrow = pytest.importorskip("pyarrow")
    count = sum(places)
    ends = [sum(places[:n]) for n in range(len(places) + 1)]

    def once(text: str) -> Any:
        indices = arrow.array([0] * count, type=arrow.int32())
        return arrow.DictionaryArray.from_arrays(indices, arrow.array([text]))

    offsets = arrow.array(ends, arrow.int32())
    if kind == "texts":
        return arrow.ListArray.from_arrays(offsets, once(text))
    messages = [once("user"), once(text)]
    made = arrow.StructArray.from_arrays(messages, ["role", "content"])
    return arrow.ListArray.from_arrays(offsets, made)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("kind", ["texts", "messages"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_text_in_all_places_of_a_list_is_refused_and_the_other_rows_open(
    tmp_path: Path, kind: str, version: str
) -> None:
    arrow = pytest.importorskip("pyarrow")
    column = repeated("A" * 3_000_000, [1, 20_000, 2], kind)
    messages = [messages_of(1)] * 3 if kind == "texts" else column
    table = arrow.table({"messages": messages, "x": column})
    path = tmp_path / "x.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(
        table,
        path,
        compression="zstd",
        store_schema=False,
        dictionary_pagesize_limit=2**30,
        write_statistics=False,
        data_page_version=version,
    )
    assert path.stat().st_size < 50_000
    program = """
import resource, sys
from pathlib import Path
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.text.problem import Problem
for entry in open_runs(Path(sys.argv[1])).entries():
    try:
        print(len(entry.open()))
    except Problem as problem:
        print(problem.sentence)
"""
    done = measured(program, path)
    first, second, third = done.stdout.splitlines()
    assert second == "x.parquet, row 2 has 60.0 GB, above 134.2 MB"
    assert first.isdigit() and third.isdigit()
    assert int(done.stderr) < 1_000_000, "kilobytes"


def messages_of(calls: int) -> list[JsonObject]:
    return [{"role": "user", "content": f"Go {n}."} for n in range(calls)]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("how", ["numbers", "nothing", "prefixes"])
def test_other_bombs_of_lists_are_refused(tmp_path: Path, how: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    values: Any = {
        "numbers": lambda: arrow.repeat(arrow.scalar(7, arrow.int64()), 2_000_000),
        "nothing": lambda: arrow.nulls(30_000_000, arrow.int8()),
        "prefixes": lambda: arrow.repeat(arrow.scalar("A" * 100_000), 2_000),
    }[how]()
    column = arrow.ListArray.from_arrays(arrow.array([0, len(values)], arrow.int32()), values)
    table = arrow.table({"messages": [messages_of(1)], "x": column})
    path = tmp_path / "x.parquet"
    encoding = {"x.list.element": "DELTA_BYTE_ARRAY"} if how == "prefixes" else None
    pytest.importorskip("pyarrow.parquet").write_table(
        table,
        path,
        compression="zstd",
        use_dictionary=how != "prefixes",
        column_encoding=encoding,
        write_statistics=False,
    )
    del values, column, table
    with pytest.raises(Problem, match=r"x\.parquet, row 1 (has|takes) (more than|200\.0 MB)"):
        open_runs(path).open(1)


def test_a_row_group_whose_rows_are_one_text_is_left_after_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "TAKEN", 10_000_000)
    path = one_value(tmp_path / "x.parquet", 2000, instance_id="acme-1", history="A" * 3_000_000)
    runs = open_runs(path)
    entries = list(runs.entries())
    for entry in entries[:4]:
        assert entry.open()
    assert len(entries) == 2000
    with pytest.raises(Problem, match=r"row 5 cannot be opened: its row group unpacks from"):
        entries[4].open()


def test_no_more_rows_are_listed_than_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_ROWS", 20)
    runs = open_runs(write(tmp_path / "x.parquet", ROWS, row_group_size=15))
    assert len(list(runs.entries())) == 20
    assert runs.problems == ["x.parquet has more than 20 rows: the rest is left"]


@pytest.mark.parametrize("left", [0, 4, 1000])
def test_a_file_that_is_cut_while_it_is_read_is_told(tmp_path: Path, left: int) -> None:
    """Mapped, it would end the process that reads it with SIGBUS."""
    path = write(tmp_path / "x.parquet", ROWS, row_group_size=5)
    other = write(tmp_path / "y.parquet", ROWS)
    runs = open_runs(path)
    entries = list(runs.entries())
    assert entries[0].open()
    with path.open("r+b") as file:
        file.truncate(left)
    with pytest.raises(Problem, match="row 40 cannot be read"):
        entries[39].open()
    assert next(iter(open_runs(other).entries())).open()


@pytest.mark.slow
def test_the_end_of_the_process_that_reads_costs_one_row(tmp_path: Path) -> None:
    runs = open_runs(write(tmp_path / "x.parquet", ROWS, row_group_size=5))
    entries = list(runs.entries())
    assert entries[0].open()
    process = parquet._worker._process
    assert process
    process.kill()
    process.wait()
    with pytest.raises(Problem, match="row 2 takes more time or memory than it may"):
        entries[1].open()
    assert entries[10].open()


def test_what_reads_gets_no_key_and_nothing_from_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENHANDS_API_KEY", "a key of ours")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyarrow.py").write_text("raise SystemExit")
    parquet._worker.end()
    assert opened_first(write(tmp_path / "x.parquet", ROWS))
    process = parquet._worker._process
    assert process
    with contextlib.suppress(FileNotFoundError):  # no such folder on macOS
        assert b"a key of ours" not in Path(f"/proc/{process.pid}/environ").read_bytes()


@pytest.mark.parametrize("how", ["snappy", "gzip", "zstd", "none", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_rows_that_may_repeat_a_long_text_are_read_as_others(
    tmp_path: Path, how: str, version: str
) -> None:
    path = write(tmp_path / "x.parquet", ROWS, compression=how, data_page_version=version)
    with path.open("rb") as file:
        plain, once = TableFile(file), TableFile(file)
        once._repeats.add(0)
        for places in (range(len(ROWS)), (7, 3, 4, 30, 0)):
            for place in places:
                assert once.row(0, place) == plain.row(0, place)


def test_a_row_of_too_many_values_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_worker, "MOST_VALUES", 50)
    rows: list[JsonObject] = [{"messages": messages_of(n)} for n in (3, 100)]
    with write(tmp_path / "x.parquet", rows).open("rb") as file:
        table = TableFile(file)
        assert len(table.row(0, 0)["messages"]) == 3
        with pytest.raises(TooMuch, match="has more than 50 values"):
            table.row(0, 1)


def test_a_row_above_the_limit_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one_value(tmp_path / "x.parquet", 8, instance_id="acme-1", history="[" + "{}," * 400_000)
    monkeypatch.setattr(parquet_worker, "LARGEST", 2**20)
    monkeypatch.setattr(parquet_worker, "_plain", None)
    with path.open("rb") as file, pytest.raises(TooMuch, match=r"has 1\.2 MB, above 1\.0 MB"):
        TableFile(file).row(0, 0)


def test_after_some_rows_that_are_too_large_the_rest_of_their_group_is_left(
    tmp_path: Path,
) -> None:
    many: list[JsonObject] = [{}] * 100_001
    rows: list[JsonObject] = [{"history": json.dumps(many)}] * 4 + [{"history": "[]"}] * 2
    entries = list(open_runs(write(tmp_path / "x.parquet", rows, row_group_size=5)).entries())
    for entry in entries[:3]:
        with pytest.raises(Problem, match="has more than 100,000 events"):
            entry.open()
    for entry in entries[3:5]:
        with pytest.raises(Problem, match="its row group has 3 rows that are too large"):
            entry.open()
    with pytest.raises(Problem, match="is not in a format that oh-tui reads"):
        entries[5].open()


def test_a_row_of_too_many_events_is_refused(tmp_path: Path) -> None:
    path = one_value(tmp_path / "x.parquet", 8, history="[" + "{}," * 100_000 + "{}]")
    with pytest.raises(Problem, match=r"x\.parquet, row 1 has more than 100,000 events"):
        opened_first(path)


def test_a_moment_that_python_has_no_form_for_is_told(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    moments = arrow.array([2**63 - 1] * 2, arrow.timestamp("us"))
    table = arrow.table({"instance_id": ["a", "b"], "history": ["[]"] * 2, "when": moments})
    path = tmp_path / "x.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    with pytest.raises(Problem, match=r"x\.parquet, row 1 cannot be read"):
        opened_first(path)


@pytest.mark.parametrize("seed", range(40))
def test_any_damage_is_told(tmp_path: Path, seed: int) -> None:
    path = write(tmp_path / "x.parquet", ROWS[:5], row_group_size=2)
    broken, chance = bytearray(path.read_bytes()), random.Random(seed)
    # not the table of contents, which pyarrow itself trusts
    end = len(broken) - 8 - int.from_bytes(broken[-8:-4], "little")
    for _ in range(chance.randint(1, 5)):
        broken[chance.randrange(4, end)] = chance.randrange(256)
    path.write_bytes(bytes(broken[: chance.choice([None, None, chance.randrange(4, end)])]))
    try:
        runs = open_runs(path)
        entries = list(runs.entries())
    except Problem:
        return
    for entry in entries:
        try:
            run = entry.open()
        except Problem:
            continue
        assert len(list(run.events())) == len(run)
    runs.close()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CELLS = st.none() | TEXTS
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "odd"]), "content": CELLS},
        optional={"name": CELLS, "tool_call_id": CELLS, "when": st.none() | st.integers(0, 9)},
    ),
    min_size=1,
    max_size=4,
)


@given(MESSAGES, TEXTS)
def test_every_text_of_a_row_is_shown(
    tmp_path_factory: pytest.TempPathFactory, found: list[JsonObject], note: str
) -> None:
    path = write(tmp_path_factory.mktemp("x") / "x.parquet", [{"messages": found, "note": note}])
    runs, run = opened_first(path)
    told = [one | {"role": ""} for one in found]  # which the title says in words
    assert not lost([told, note], joined(run))
    runs.close()


@pytest.mark.parametrize("said", [["true", "False"], ["1", "0"], [1.0, 0.0]])
def test_the_list_and_the_run_tell_the_same_label(tmp_path: Path, said: list[Any]) -> None:
    rows = [trajectory_row(f"acme-{n}", 1, one) for n, one in enumerate(said)]
    runs = open_runs(write(tmp_path / "runs.parquet", rows))
    entries = list(runs.entries())
    for labels in (
        [one.info["label"] for one in entries],
        [one.open().recorded.label for one in entries],
    ):
        assert labels == [Label.RESOLVED, Label.UNRESOLVED]
    runs.close()

"""What stands in a tar beside folders and outputs: documents, zips and tar files, also hostile."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies, parquet, results_tar
from oh_tui.trajectory.formats.table import open_runs
from tests.trajectory.evaluation_files import history, lines, row
from tests.trajectory.foreign import test_folders
from tests.trajectory.foreign.test_atif import made as made_atif
from tests.trajectory.formats import test_parquet
from tests.trajectory.formats.test_tar_runs import (
    Files,
    conversation,
    entry,
    link,
    opened,
    ordered,
    tar,
    texts,
    write,
)

V0: list[Any] = [
    {"id": 1, "source": "user", "action": "message", "args": {"content": "Go."}},
    {"id": 2, "source": "agent", "action": "run", "args": {"command": "ls"}},
    {"id": 3, "source": "agent", "observation": "run", "content": "a.py", "cause": 2, "extras": {}},
]
CHAT = {"messages": [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "Ok."}]}

BOTH = pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tar.xz"])


def packed(files: Files) -> bytes:
    return gzip.compress(tar(files))


def written(tmp_path: Path, files: Files, ending: str = ".tar.gz") -> Path:
    data = tar(files)
    if ending != ".tar":
        data = gzip.compress(data) if ending == ".tar.gz" else lzma.compress(data)
    return write(tmp_path / f"r{ending}", data)


def encoded(value: Any, **how: Any) -> bytes:
    return json.dumps(value, **how).encode()


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return data.getvalue()


@BOTH
def test_documents_of_other_formats_are_runs(tmp_path: Path, ending: str) -> None:
    files = {
        "v0/acme-1/trajectory.json": encoded(V0),
        "v0/acme-2/trajectory.json": encoded(V0, indent=2),
        "chat.json.gz": gzip.compress(encoded(CHAT)),
        "long.json": encoded({"messages": [*CHAT["messages"], *CHAT["messages"]] * 1000}),
        "jobs/t1/agent/trajectory.json": encoded(made_atif()),
        "rows.json": lines([row("acme-7", history(1)), row("acme-8", history(2))]),
        "settings.json": encoded({"role": "x", "trajectory": 3}),
        "report.json": encoded({"resolved_ids": ["acme-7"]}),
        "broken.json": b'{"messages": [',
    }
    runs, found = opened(written(tmp_path, files, ending))
    lengths = {name: len(run) for name, run in found.items()}
    names = ["acme-7", "acme-8", "acme-1", "acme-2", "chat", "long", "t1"]
    assert list(found) == names and lengths["acme-7"] == 5
    assert lengths["acme-1"] == lengths["acme-2"] == 3 and lengths["long"] == 4_000
    assert lengths["t1"] > 3 and "Ok." in str(texts(found["chat"]))
    assert not runs.problems
    runs.close()


def test_a_run_in_atif_goes_on_in_the_file_beside_it(tmp_path: Path) -> None:
    document = made_atif()
    whole, half = document["steps"], len(document["steps"]) // 2
    first = {**document, "steps": whole[:half], "continued_trajectory_ref": "b.json"}
    files = {
        "x/a.json": encoded(first),
        "x/b.json": encoded({**document, "steps": whole[half:]}),
        "y/c.json": encoded(first),
    }
    _, found = opened(written(tmp_path, files))
    assert len(found["a"]) > len(found["b"]) and not found["a"].note
    assert found["c"].note == "the run goes on in b.json, which is not here"


@BOTH
def test_zips_in_a_tar_are_opened(tmp_path: Path, ending: str) -> None:
    files = {
        "a/one.zip": zipped(conversation("", 3)),
        "b/one.zip": zipped({"other.txt": b"x"} | conversation("events/", 2), zipfile.ZIP_STORED),
        "source.zip": zipped({"main.py": b"x"}),
        "empty.zip": b"",
    }
    cut = zipped(conversation("", 40))
    files["cut.zip"] = cut[: len(cut) // 2]
    runs, found = opened(written(tmp_path, files, ending))
    assert list(found) == ["one", "b/one.zip", "cut"]
    assert texts(found["one"]) == history(3)
    assert found["cut"].cut_off and 0 < len(found["cut"]) < 83
    runs.close()


def test_a_zip_lists_the_files_with_runs_beside_its_folder(tmp_path: Path) -> None:
    run = conversation("x/", 3)
    for file, data in {
        "y.zip": zipped(conversation("", 2)),
        "out/output.jsonl": lines([row("acme-5")]),
        "chat.json": encoded(CHAT),
    }.items():
        runs, found = opened(write(tmp_path / "r.zip", zipped(run | {file: data})))
        assert len(found) == 2 and texts(found["x"]) == history(3), file
        runs.close()
    for file in ("x/output.jsonl", "settings.json"):  # the run's own, and none
        runs, found = opened(write(tmp_path / "r.zip", zipped(run | {file: b"{}"})))
        assert [texts(one) for one in found.values()] == [history(3)], file
        runs.close()


@BOTH
def test_all_runs_of_a_tar_in_a_tar_are_listed(tmp_path: Path, ending: str) -> None:
    inner = conversation("x/", 1) | conversation("y/", 2) | {"output.jsonl": lines([row("acme-5")])}
    files = {
        "a.tar.gz": packed(inner),
        "deep/b.tar": tar({"c.tgz": packed(conversation("x/", 3) | conversation("z/", 4))}),
        "conversations/d.tar.gz": packed(conversation("", 5) | conversation("e/", 6)),
    }
    runs, found = opened(written(tmp_path, files, ending))
    lengths = {name: (len(run) - 3) // 2 for name, run in found.items()}
    assert list(lengths)[:5] == ["x", "y", "acme-5", "b/x", "z"]
    assert sorted(list(lengths.values())[:5]) == [-2, 1, 2, 3, 4]
    assert sorted(list(lengths.values())[5:]) == [5, 6]
    assert texts(found["b/x"]) == history(3) and not runs.problems
    runs.close()


def test_many_conversations_are_listed_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_tar, "LOOKED_INTO", 0)
    two = packed(conversation("x/", 1) | conversation("y/", 2))
    files = {f"conversations/{name}.tar.gz": two for name in "ab"}
    runs = open_runs(written(tmp_path, files))
    entries = list(runs.entries())
    assert [entry.name for entry in entries] == ["x", "y", "b"]
    where = "r.tar.gz/conversations/b.tar.gz"
    assert entries[-1].open().note == f"{where} holds 2 runs: this is the first; then b/y"
    assert runs.is_outdated and runs.grow() and not runs.is_outdated
    found = {entry.name: entry.open() for entry in runs.entries()}
    assert list(found) == ["x", "y", "b", "b/y"] and texts(found["b/y"]) == history(2)
    runs.close()


def test_a_run_in_a_tar_is_opened_again_without_more_of_it_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_tar, "LOOKED_INTO", -1)
    inner = packed(conversation("", 2))[:-9]  # broken, so that it has a problem
    runs = open_runs(written(tmp_path, {"conversations/a.tar.gz": inner}))
    (entry,) = runs.entries()
    texts_of = [texts(entry.open()) for _ in range(3)]
    assert texts_of == [history(2)] * 3
    assert len(runs.problems) == len(set(runs.problems)) == 1
    runs.close()


# Hostile and broken


def nested(files: Files, levels: int) -> Files:
    for level in range(levels):
        files = {f"{level}.tar.gz": packed(files)}
    return files


def test_tars_whose_run_was_opened_are_not_kept(tmp_path: Path) -> None:
    files = {f"conversations/acme-{n}.tar.gz": packed(conversation("one", 2)) for n in range(20)}
    runs = open_runs(written(tmp_path, files))
    for one in list(runs.entries()):
        for _ in range(2):
            assert texts(one.open()) == history(2)
    assert isinstance(runs, results_tar.ResultsTar) and not (runs._lists or runs._firsts)
    runs.close()


def test_tars_are_read_at_any_depth(tmp_path: Path) -> None:
    runs, found = opened(written(tmp_path, nested(conversation("a/"), 12) | {"x": b""}))
    assert [texts(run) for run in found.values()] == [history(2)] and not runs.problems


def test_an_archive_that_goes_on_and_on_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_tar, "DEEPEST", 3)
    runs, found = opened(written(tmp_path, nested(conversation("a/"), 4) | conversation("b/")))
    assert list(found) == [""]
    where = "r.tar.gz/3.tar.gz/2.tar.gz/1.tar.gz/0.tar.gz"
    assert runs.problems == [f"{where} is not read: archives are, 3 levels deep"]


def bomb() -> bytes:
    """A packed tar with a run, and with more zeros than oh-tui unpacks."""
    head = tarfile.TarInfo("zeros")
    head.size = 2**40
    data = tar(ordered("i/")).rstrip(b"\0")
    data += bytes(-len(data) % 512) + head.tobuf(tarfile.GNU_FORMAT)
    packer = io.BytesIO()
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=1) as file:
        file.write(data)
        for _ in range(110):
            file.write(bytes(2**20))
    return packer.getvalue()


def test_bombs_in_a_tar_are_not_unpacked_to_their_end(tmp_path: Path) -> None:
    one = bomb()
    files = {"x.tar.gz": packed({"0.tar.gz": one} | {f"{n}.tar.gz": one for n in range(1, 50)})}
    runs, found = opened(written(tmp_path, files | ordered("a/")))
    assert list(found) == ["a", "0"], "there was room for one"
    assert texts(found["a"]) == texts(found["0"]) == history(2)
    inside, before = "r.tar.gz/x.tar.gz", "unpacks from so little to more than"
    assert any(told.startswith(f"{inside}/0.tar.gz {before}") for told in runs.problems)
    assert any(told.startswith(f"{inside} {before}") for told in runs.problems), runs.problems
    runs.close()


def test_files_beyond_the_room_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "RATIO_FREE", 300_000)
    monkeypatch.setattr(copies, "RATIO_LIMIT", 0)
    files = conversation("a/") | {
        f"{n}.tar.gz": packed(conversation(f"n{n}/", 20)) for n in range(9)
    }
    runs, found = opened(written(tmp_path, files))
    assert list(found)[:3] == ["a", "0", "1"] and 2 < len(found) < 9
    assert texts(found["1"]) == history(20)
    assert "unpacks from so little to more than 300 kB, like a bomb: " in runs.problems[-1]
    assert runs.problems[-1].endswith("3 files are not read: 6.tar.gz, 7.tar.gz, 8.tar.gz")


def test_what_is_odd_in_a_tar_in_a_tar_is_named_with_its_place(tmp_path: Path) -> None:
    odd = [link("events/event-00090-x.json"), entry("/x.json"), entry("../x.json")]
    inner = tar(conversation("i/"), *odd)
    files = {
        "a.tar.gz": gzip.compress(inner) + b"garbage after the end",
        "b.tar.gz": packed(conversation("j/", 100))[:-1000],
        "c.tar.gz": b"no tar",
        "data/train.parquet": b"PAR1",
        "d.json.gz": gzip.compress(encoded(CHAT)) + b"garbage",
    }
    runs, found = opened(written(tmp_path, files))
    assert list(found) == ["a", "b", "d"] and texts(found["a"]) == history(2)
    assert found["b"].note and "garbage" not in str(texts(found["d"]))
    assert found["d"].note == "r.tar.gz/d.json.gz has something else after its end"
    told = "\n".join(runs.problems)
    for sentence in (
        "r.tar.gz/a.tar.gz holds 1 link, which is not read: events/event-00090-x.json",
        "r.tar.gz/a.tar.gz holds 1 absolute name, which is not read: /x.json",
        "r.tar.gz/a.tar.gz holds 1 escaping name, which is not read: ../x.json",
        "r.tar.gz/a.tar.gz has something else after its end; what comes before is shown",
        "r.tar.gz/b.tar.gz is cut off: the end of the packed data is missing",
        "r.tar.gz/c.tar.gz is not a tar",
        "r.tar.gz/data/train.parquet",
    ):
        assert sentence in told, told
    runs.close()


@BOTH
def test_trials_of_harbor_are_labelled_as_on_disk(tmp_path: Path, ending: str) -> None:
    job = test_folders.a_job(tmp_path)
    names = [path for path in job.rglob("*") if path.is_file()]
    files = {f"jobs/{job.name}/{path.relative_to(job)}": path.read_bytes() for path in names}
    files[f"jobs/{job.name}/fix-dates__c/agent/log.txt"] = b"x"
    # far apart, so that a packed tar would be unpacked for each
    last = {name: text for name, text in files.items() if name.endswith(("result.json", ".txt"))}
    files = {name: text for name, text in files.items() if name not in last} | last
    runs, found = opened(written(tmp_path, files, ending))
    outside = {entry.name: entry for entry in open_runs(job).entries()}
    assert sorted(found) == sorted(outside) and not runs.problems
    for one in runs.entries():
        assert one.info == outside[one.name].info
        inside, before = found[one.name], outside[one.name].open()
        assert texts(inside) == texts(before)
        assert inside.recorded == before.recorded and inside.note == before.note
    runs.close()


@BOTH
def test_rows_of_parquet_are_labelled_as_on_disk(tmp_path: Path, ending: str) -> None:
    path = test_parquet.write(tmp_path / "t.parquet", test_parquet.ROWS[:4], row_group_size=3)
    files = {"data/t.parquet": path.read_bytes()} | conversation("acme-1/")
    runs, found = opened(written(tmp_path, files, ending))
    names = ["acme-1", "data/t.parquet/acme-1", "acme-2", "acme-1@2", "more-0"]
    assert list(found) == names and not runs.problems
    whole = {entry.name: entry.open() for entry in open_runs(path).entries()}
    for name, before in zip(names[1:], whole.values(), strict=True):
        assert texts(found[name]) == texts(before)
        assert found[name].recorded == before.recorded
    labels = [one.info.get("label") for one in runs.entries()]
    assert labels == [None, "resolved", "unresolved", "unlabelled", "resolved"]
    runs.close()


def test_parquet_in_a_tar_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "is_installed", lambda: False)
    path = written(tmp_path, {"t.parquet": b"PAR1"} | conversation("a/"))
    runs, _ = opened(path)
    assert runs.problems == [
        "r.tar.gz/t.parquet is a Parquet file, and pyarrow, which reads those, is not installed:"
        " pip install 'oh-tui[parquet]'"
    ]
    runs.close()


def test_a_tar_without_a_run_names_the_tars_in_it(tmp_path: Path) -> None:
    runs = open_runs(written(tmp_path, {"a.tar.gz": packed({"x": b""})}))
    with pytest.raises(Problem, match=r"r\.tar\.gz holds 1 tar file without a run: a\.tar\.gz"):
        list(runs.entries())

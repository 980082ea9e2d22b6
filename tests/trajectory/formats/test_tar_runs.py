"""Tar files of runs, plain and packed, whole and hostile, against what `tarfile` wrote."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import unpack
from oh_tui.trajectory.formats.run_file import RunFile, RunList
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.trajectory import CUT_OFF
from tests.trajectory.evaluation_files import history, metrics
from tests.trajectory.sub_agent_files import run_files

Files = dict[str, bytes]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tar.xz": lzma.compress,
}


def conversation(home: str, calls: int = 2, *, cost: float = 0.5) -> Files:
    """The files of a persisted conversation, in the order of a folder on disk: none."""
    base = {
        "id": home.strip("/") or "some",
        "execution_status": "finished",
        "stats": {"usage_to_metrics": {"agent": metrics([cost] * calls)}},
    }
    files = {f"{home}base_state.json": json.dumps(base).encode()}
    for number, event in enumerate(history(calls)):
        files[f"{home}events/event-{number:05}-{event['id']}.json"] = json.dumps(event).encode()
    names = list(files)
    random.Random(home).shuffle(names)
    return {name: files[name] for name in names}


def tar(files: Files, *more: tarfile.TarInfo, format: int = tarfile.GNU_FORMAT) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=format) as made:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            made.addfile(info, io.BytesIO(text))
        for info in more:
            made.addfile(info)
    return data.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def link(name: str) -> tarfile.TarInfo:
    return entry(name, tarfile.SYMTYPE, "/etc/passwd")


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def opened(path: Path) -> tuple[RunList, dict[str, RunFile]]:
    runs = open_runs(path)
    return runs, {entry.name: entry.open() for entry in runs.entries()}


def texts(run: RunFile) -> list[Any]:
    return [json.loads(run.read(place)) for place in range(len(run))]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_runs_of_a_tar_are_listed_and_read(tmp_path: Path, ending: str, format: int) -> None:
    long = "a" * 90 + "/" + "é" * 20 + "/"
    files = conversation("out/x/") | {"out/notes.txt": b"x"} | conversation(f"out/{long}", 4)
    path = write(tmp_path / f"runs{ending}", PACKERS[ending](tar(files, format=format)))
    runs, found = opened(path)
    assert list(found) == ["x", "é" * 20] and not runs.problems
    for run, calls in zip(found.values(), (2, 4), strict=True):
        assert texts(run) == history(calls)
        assert run.info["execution_status"] == "finished" and not run.note
    runs.close()


def test_a_single_run_has_no_name_of_its_own(tmp_path: Path) -> None:
    for home in ("", "./", "deep/er/"):
        path = write(tmp_path / "acme__dates-1.tar.gz", gzip.compress(tar(conversation(home))))
        runs, found = opened(path)
        assert list(found) == [""] and found[""].name == "acme__dates-1.tar.gz"
        assert texts(found[""]) == history(2)
        runs.close()


def test_homes_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    files = conversation("a/run/") | conversation("b/run/") | conversation("c/")
    _, found = opened(write(tmp_path / "runs.tar", tar(files)))
    assert list(found) == ["run", "b/run", "c"]


def test_sub_agents_belong_to_their_parent(tmp_path: Path) -> None:
    files = run_files("conversations/one/")
    _, found = opened(write(tmp_path / "runs.tar.gz", gzip.compress(tar(files))))
    assert list(found) == [""] and found[""].sub_agents
    assert all(len(agent.open()) for agent in found[""].sub_agents)


def test_a_run_is_read_whole_though_another_stands_between(tmp_path: Path) -> None:
    parts = [*conversation("a/", 8).items()]
    files = dict(parts[:4]) | conversation("b/") | dict(parts[4:])
    runs = open_runs(write(tmp_path / "runs.tar.gz", gzip.compress(tar(files))))
    first = next(iter(runs.entries()))
    assert texts(first.open()) == history(8)


def test_a_packed_run_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "runs.tar.gz", gzip.compress(tar(conversation("", 50))))
    opened(path)
    monkeypatch.setattr(unpack.Unpacking, "run", None)
    _, found = opened(path)
    assert texts(found[""]) == history(50)


def test_a_plain_tar_is_listed_by_its_headers(tmp_path: Path) -> None:
    """A file of 64 GB in it, which is a hole on disk, costs nothing."""
    files = conversation("a/")
    large = tarfile.TarInfo("core")
    large.size = 2**36
    path = write(tmp_path / "runs.tar", large.tobuf(tarfile.GNU_FORMAT))
    with path.open("r+b") as file:
        file.seek(512 + 2**36)
        file.write(tar(files))
    runs, found = opened(path)
    assert texts(found[""]) == history(2) and not runs.problems


# Hostile and broken


def test_what_is_no_file_of_the_run_is_named_and_left_out(tmp_path: Path) -> None:
    odd = [
        link("events/event-00090-x.json"),
        entry("events/event-00091-x.json", tarfile.LNKTYPE, "base_state.json"),
        entry("events/event-00092-x.json", tarfile.CHRTYPE),
        entry("events/event-00093-x.json", tarfile.FIFOTYPE),
        entry("/events/event-00094-x.json"),
        entry("../events/event-00095-x.json"),
        entry("events/event-00096-x.json", b"Q"),
        entry("events/", tarfile.DIRTYPE),
    ]
    runs, found = opened(
        write(tmp_path / "runs.tar.gz", gzip.compress(tar(conversation(""), *odd)))
    )
    assert texts(found[""]) == history(2)
    assert runs.problems == [
        "runs.tar.gz holds 2 links, which are not read:"
        " events/event-00090-x.json, events/event-00091-x.json",
        "runs.tar.gz holds 1 device, which is not read: events/event-00092-x.json",
        "runs.tar.gz holds 1 pipe, which is not read: events/event-00093-x.json",
        "runs.tar.gz holds 1 absolute name, which is not read: /events/event-00094-x.json",
        "runs.tar.gz holds 1 escaping name, which is not read: ../events/event-00095-x.json",
        "runs.tar.gz holds 1 odd file, which is not read: events/event-00096-x.json",
    ]


def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    head = tarfile.TarInfo("zeros")
    head.size = 2**30
    data = tar(conversation(""))[: -2 * 512]
    data = data.rstrip(b"\0")
    data += bytes(-len(data) % 512) + head.tobuf()
    packer = io.BytesIO()
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=1) as file:
        file.write(data)
        for _ in range(120):
            file.write(bytes(2**20))
    runs, found = opened(write(tmp_path / "runs.tar.gz", packer.getvalue()))
    assert texts(found[""]) == history(2)
    assert any("like a bomb" in problem for problem in runs.problems), runs.problems


def test_too_many_files_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MEMBERS_LIMIT", 20)
    files = conversation("") | {f"z{n}": b"" for n in range(50)}
    runs, found = opened(write(tmp_path / "runs.tar", tar(files)))
    assert texts(found[""]) == history(2)
    assert runs.problems == ["runs.tar holds more than 20 files"]


def test_an_oversized_header_is_not_read(tmp_path: Path) -> None:
    info = entry("x")
    info.pax_headers = {"comment": "x" * (unpack.LONGEST_HEADERS + 1)}
    data = tar(conversation(""), info, format=tarfile.PAX_FORMAT)
    runs, found = opened(write(tmp_path / "runs.tar", data))
    assert texts(found[""]) == history(2)
    (told,) = runs.problems
    assert told.startswith("runs.tar is damaged at byte ") and "what follows is not" in told


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (b"garbage after", "has something else after its end; what comes before is shown"),
        (gzip.compress(b"more"), "has something else after its end, at byte"),
    ],
    ids=["of the packed data", "of the tar"],
)
def test_garbage_after_the_end_is_told(tmp_path: Path, after: bytes, sentence: str) -> None:
    path = write(tmp_path / "r.tar.gz", gzip.compress(tar(conversation(""))) + after)
    runs, found = opened(path)
    assert texts(found[""]) == history(2)
    assert len(runs.problems) == 1 and runs.problems[0].startswith(f"r.tar.gz {sentence}")


def ordered(*homes: str, calls: int = 2) -> Files:
    files = (sorted(conversation(home, calls).items()) for home in homes)
    return {name: text for each in files for name, text in each}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_cut_tar_shows_what_it_has(tmp_path: Path, ending: str) -> None:
    data = PACKERS[ending](tar(ordered("a/") | ordered("b/", calls=300)))
    data = data[: len(data) * 3 // 4]
    runs, found = opened(write(tmp_path / f"r{ending}", data))
    assert texts(found["a"]) == history(2) and not found["a"].cut_off
    assert found["b"].cut_off == CUT_OFF
    assert all(e.kind != UNREADABLE for e in list(found["b"].events())[:-1])
    assert len(runs.problems) == 1 and "cut off" in runs.problems[0]


def test_a_damaged_header_ends_the_list(tmp_path: Path) -> None:
    data = bytearray(tar(ordered("a/", "b/")))
    place = data.index(b"b/events")
    data[place + 100 : place + 110] = b"x" * 10
    runs, found = opened(write(tmp_path / "r.tar", bytes(data)))
    assert texts(found["a"]) == history(2)
    assert runs.problems == [f"r.tar is damaged at byte {place:,}: what follows is not listed"]


def test_a_tar_without_runs_says_so(tmp_path: Path) -> None:
    runs = open_runs(write(tmp_path / "r.tar", tar({"src/main.py": b"x"})))
    with pytest.raises(Problem, match=r"r\.tar holds no run"):
        list(runs.entries())


@given(st.data())
def test_any_damage_is_told_and_never_raises(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = tar(ordered("a/", "b/"), format=tarfile.PAX_FORMAT)
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(512, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    path = write(tmp_path_factory.mktemp("t") / "r.tar", bytes(broken))
    try:
        runs, found = opened(path)
    except Problem:
        return
    for one in found.values():
        assert len(list(one.events())) == len(one)
    runs.close()


# In folders and commands


def test_tars_are_found_in_folders(tmp_path: Path) -> None:
    one = write(tmp_path / "a.tar.gz", gzip.compress(tar(conversation(""))))
    two = write(tmp_path / "b.tar", tar(conversation("")))
    write(tmp_path / "c.tar.bz2", bz2.compress(b"x"))
    write(tmp_path / "d.tar", b"no tar")
    assert find_files([tmp_path]) == [one, two]

"""Zips and folders of every origin, also broken, hostile and huge ones; nothing is unpacked."""

from __future__ import annotations

import io
import json
import os
import struct
import threading
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.formats.run_file import FormatProblem
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.formats.zip import zip_members
from oh_tui.trajectory.formats.zip.archive import Archive, open_archive
from oh_tui.trajectory.formats.zip.folder_members import FolderMembers
from oh_tui.trajectory.formats.zip.zip_members import ZipMembers
from oh_tui.trajectory.model.event_kinds import UNREADABLE
from oh_tui.trajectory.model.trajectory import CUT_OFF, NO_END
from oh_tui.trajectory.reading.describe import describe_event

META = {
    "id": "73673c4b1dd3481490775e185e79de09",
    "title": "Parse ISO week dates",
    "llm_model": "some/model",
    "selected_repository": "acme/dates",
    "created_at": "2026-03-01T10:00:00Z",
}


def body(number: int, **more: Any) -> bytes:
    fields = {"id": f"id-{number}", "kind": "MessageEvent", "source": "user", **more}
    return json.dumps(fields, indent=2).encode()


def app_files(count: int) -> dict[str, bytes]:
    """The files of the app server's download."""
    files = {f"event_{n:06}_id-{n}.json": body(n) for n in range(count)}
    return {"meta.json": json.dumps(META).encode(), **files}


def agent_files(count: int, folder: str = "73673c4b/") -> dict[str, bytes]:
    """The files of the agent server's archive, or of a folder below ~/.openhands."""
    meta = {"conversation_id": "73673c4b", "agent": {"llm": {"model": "m", "api_key": "gAA"}}}
    base = {"id": "73673c4b", "execution_status": "finished", "stats": {"a": 1}, "agent": {}}
    files = {f"{folder}events/event-{n:05}-id-{n}.json": body(n) for n in range(count)}
    return {
        f"{folder}TASKS.json": b"[]",
        f"{folder}events/.eventlog.lock": b"",
        f"{folder}base_state.json": json.dumps(base).encode(),
        f"{folder}meta.json": json.dumps(meta).encode(),
        **files,
    }


class OneWay(io.RawIOBase):
    """A file that cannot be sought in, so that zipfile writes as a streaming server does."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += data
        return len(data)


def zipped(
    files: dict[str, bytes] | Iterable[tuple[str, bytes]],
    method: int = zipfile.ZIP_DEFLATED,
    *,
    streamed: bool = True,
) -> bytes:
    out = OneWay() if streamed else io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of duplicate names
        with zipfile.ZipFile(out, "w", method) as file:
            for name, data in files.items() if isinstance(files, dict) else files:
                file.writestr(name, data)
    return bytes(out.data) if isinstance(out, OneWay) else out.getvalue()


def opened(data: bytes) -> Archive:
    return open_archive(io.BytesIO(data))


def ids(archive: Archive) -> list[str]:
    return [event.id for event in archive.events()]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


FIVE = [f"id-{n}" for n in range(5)]


# what OpenHands makes


def test_the_download_of_an_app_server(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(zipped(app_files(5)))
    with open_archive(path) as archive:
        assert (archive.name, len(archive), archive.problems) == ("run.zip", 5, [])
        assert archive.info == META
        assert ids(archive) == FIVE


def test_the_archive_of_an_agent_server() -> None:
    archive = opened(zipped(agent_files(5)))
    assert ids(archive) == FIVE
    assert archive.problems == []
    assert archive.info["id"] == "73673c4b"
    assert archive.info["llm_model"] == "m"
    assert archive.info["execution_status"] == "finished"
    assert archive.info["stats"] == {"a": 1}
    assert archive.info["agent"] == {"llm": {"model": "m", "api_key": HIDDEN}}


@pytest.mark.parametrize("files", [app_files(5), agent_files(5, "")])
def test_folders_of_either(tmp_path: Path, files: dict[str, bytes]) -> None:
    archive = open_archive(write(tmp_path / "run", files))
    assert ids(archive) == FIVE
    assert archive.name == "run"
    assert archive.info["id"]


def test_folders_of_these_give_each_its_own_row(tmp_path: Path) -> None:
    write(tmp_path / "conversations" / "b", agent_files(2, ""))
    write(tmp_path / "conversations" / "a", app_files(2))
    write(tmp_path / "conversations" / "other", {"notes.txt": b"x"})
    (tmp_path / "conversations" / "C.ZIP").write_bytes(zipped(app_files(1)))
    (tmp_path / "conversations" / "readme.txt").write_bytes(b"x")
    root = tmp_path / "conversations"
    assert find_files([root]) == [root / "C.ZIP", root / "a", root / "b"]
    assert find_files([root / "b"]) == [root / "b"]
    assert find_files([root / "C.ZIP", root / "C.ZIP"]) == [root / "C.ZIP"]


def test_a_path_that_is_nothing_is_given_back_so_that_opening_it_says_why(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.zip", tmp_path / "empty"
    empty.mkdir()
    assert find_files([missing, empty]) == [missing, empty]
    with pytest.raises(FormatProblem, match=r"There is no file or folder missing\.zip"):
        open_archive(missing)
    with pytest.raises(FormatProblem, match="empty holds no trajectory"):
        open_archive(empty)


def test_events_are_in_the_order_of_their_numbers_not_of_their_letters() -> None:
    files = {f"events/event-{n}-id-{n}.json": body(n) for n in (100_000, 99_999, 7, 12)}
    assert ids(opened(zipped(files))) == ["id-7", "id-12", "id-99999", "id-100000"]


def test_slices_read_only_what_they_give() -> None:
    archive = opened(zipped(app_files(50)))
    assert [e.id for e in archive.events(-2)] == ["id-48", "id-49"]
    assert [e.id for e in archive.events(3, 5)] == ["id-3", "id-4"]
    assert list(archive.events(50)) == []
    reads: list[int] = []
    read = archive._members.read
    archive._members.read = lambda index: reads.append(index) or read(index)  # type: ignore
    list(archive.events(-3))
    assert len(reads) == 3


def test_texts_are_not_kept_but_read_again() -> None:
    archive = opened(zipped(app_files(3)))
    event = next(archive.events(2))
    assert event.inline == b""
    assert event.raw() == body(2)
    archive.close()
    assert event.raw() == b""
    assert archive.problems == []


def test_a_file_object_stays_open_for_its_owner() -> None:
    file = io.BytesIO(zipped(app_files(1)))
    open_archive(file).close()
    assert not file.closed


def test_a_run_without_events_is_a_run() -> None:
    archive = opened(zipped(app_files(0)))
    assert len(archive) == 0
    assert archive.info == META


def test_meta_of_wrong_types_does_no_harm() -> None:
    for meta in (b"[1]", b"{", b'{"id": 7, "title": null}', b"\xff", b'{"agent": {"llm": 3}}'):
        archive = opened(zipped({**app_files(2), "meta.json": meta}))
        assert len(archive) == 2
        assert isinstance(archive.info, dict)


# what is broken


def test_what_cannot_be_opened_says_what_it_is(tmp_path: Path) -> None:
    for data, words in (
        (b"", "is empty"),
        (b"no zip at all", "is not a zip"),
        (zipped({}), "holds no trajectory"),
        (zipped({"a.txt": b"x"}), "holds no trajectory"),
    ):
        path = tmp_path / "x.zip"
        path.write_bytes(data)
        with pytest.raises(FormatProblem, match=words):
            open_archive(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(FormatProblem, match="neither a file nor a folder"):
        open_archive(tmp_path / "pipe.zip")
    write(tmp_path / "run", app_files(2))
    os.mkfifo(tmp_path / "run" / "event_000009_x.json")
    (tmp_path / "run" / "event_000010_y.json").symlink_to("/dev/zero")
    assert len(open_archive(tmp_path / "run")) == 2


def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(app_files(1)))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(FormatProblem, match="No permission"):
        open_archive(path)


def test_a_wrong_checksum_costs_one_event_and_is_named() -> None:
    files = app_files(5)
    data = bytearray(zipped(files, zipfile.ZIP_STORED))
    data[data.index(b'"id-3"') + 2] ^= 1
    archive = opened(bytes(data))
    events = list(archive.events())
    assert [e.kind == UNREADABLE for e in events] == [False, False, False, True, False]
    assert len({e.id for e in events}) == 5
    assert archive.problems == ["1 file cannot be read, damaged: event_000003_id-3.json"]
    assert "event_000003_id-3.json" in describe_event(events[3]).what


def test_many_problems_are_counted_and_a_few_named() -> None:
    data = zipped(app_files(9), zipfile.ZIP_STORED).replace(b"MessageEvent", b"MassageEvent")
    archive = opened(data)
    list(archive.events())
    list(archive.events())
    assert archive.problems == [
        "9 files cannot be read, damaged: "
        "event_000000_id-0.json, event_000001_id-1.json, event_000002_id-2.json, ..."
    ]


def test_two_unreadable_files_are_two_events() -> None:
    archive = opened(zipped({"event_000000_.json": b"", "event_000001_.json": b""}))
    assert len(set(ids(archive))) == 2


def test_an_encrypted_member_is_a_problem_and_no_question() -> None:
    data = bytearray(zipped(app_files(2)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(mark, data.rindex(mark) if mark == b"PK\x01\x02" else 0)
        data[place + at] |= 1
    archive = opened(bytes(data))
    list(archive.events())
    assert any("encrypted" in line for line in archive.problems)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_without_a_bound_on_its_output_is_not_unpacked(method: int) -> None:
    archive = opened(zipped(app_files(2), method))
    assert [e.kind for e in archive.events()] == [UNREADABLE] * 2
    assert any("packed in an unknown way" in line for line in archive.problems)


def test_a_bomb_is_not_unpacked() -> None:
    archive = opened(zipped({**app_files(1), "event_000001_bomb.json": b" " * (65 * 2**20)}))
    tracemalloc.start()
    events = list(archive.events())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [e.kind == UNREADABLE for e in events] == [False, True]
    assert archive.problems == ["1 file cannot be read, larger than 64 MiB: event_000001_bomb.json"]
    assert peak < 10 * 2**20


def test_a_member_that_claims_to_be_huge_when_packed_is_damaged(tmp_path: Path) -> None:
    """Reading so much would take all memory there is."""
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in app_files(2).items():
            made.writestr(name, data)
        made.filelist[1].compress_size = 2**50
    with open_archive(path) as archive:
        assert [e.kind == UNREADABLE for e in archive.events()].count(True) == 1
        assert "cannot be read, damaged" in archive.problems[0]


def test_how_well_a_small_zip_is_packed_does_not_matter() -> None:
    """A command that printed the same line a million times is no bomb."""
    large = body(1, text="y\n" * 10**7)
    archive = opened(zipped({**app_files(1), "event_000001_b.json": large}))
    assert [e.kind == UNREADABLE for e in archive.events()] == [False, False]
    assert archive.problems == []


def test_a_member_larger_than_it_says_is_cut_at_what_it_says() -> None:
    data = bytearray(zipped({**app_files(1), "event_000001_b.json": b" " * (20 * 2**20)}))
    place = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, 1000)
    archive = opened(bytes(data))
    assert [e.kind == UNREADABLE for e in archive.events()] == [False, True]
    assert "damaged" in archive.problems[0]


def test_an_archive_that_says_it_unpacks_to_too_much_is_not_opened() -> None:
    data = bytearray(zipped({f"event_{n:06}_x.json": b"{}" for n in range(3)}))
    place = 0
    for _ in range(3):
        place = data.index(b"PK\x01\x02", place + 1)
        struct.pack_into("<I", data, place + 24, 2**32 - 2)
    with pytest.raises(FormatProblem, match="more than 8 GiB"):
        opened(bytes(data))


def test_names_that_lead_elsewhere_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "in" / "x.zip"
    path.parent.mkdir()
    path.write_bytes(
        zipped({"../../event_000000_a.json": body(0), "../../event_000001_b.json": b"\x00"})
    )
    with open_archive(path) as archive:
        assert next(archive.events()).id == "id-0"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["in", "x.zip"]


def test_names_are_shown_clean_and_short() -> None:
    name = "\x1b]0;x\x07/event_000000_\u202e\x1b[31m" + "y" * 300 + ".json"
    archive = opened(zipped({name: b"no json", **app_files(0)}))
    data = zipped({name: b"{", "meta.json": b"{}"}, zipfile.ZIP_STORED)
    broken = opened(data.replace(b"{PK", b"}PK", 1))
    shown = [*broken.problems, *(e.summary for e in archive.events())]
    list(broken.events())
    shown += broken.problems
    assert len(shown) >= 2
    for line in shown:
        assert "\x1b" not in line and "\u202e" not in line and len(line) < 200


def test_a_name_that_stands_there_twice_is_read_twice() -> None:
    name = "event_000000_id-0.json"
    archive = opened(zipped([(name, body(0)), (name, body(1)), ("meta.json", b"{}")]))
    assert ids(archive) == ["id-0", "id-1"]
    assert archive.problems == ["1 file names appear more than once"]


def test_of_several_runs_in_one_zip_the_longest_is_shown() -> None:
    archive = opened(zipped({**agent_files(2, "a/"), **agent_files(5, "b/")}))
    assert len(archive) == 5
    assert archive.problems == ["holds 2 runs: the one with the most events is shown"]


def delegating(parent: int = 2, home: str = "73673c4b/") -> dict[str, bytes]:
    """A run with three sub-agents, one of them below another, all with more events than it has."""
    below = [f"{home}subagents/{name}/" for name in ("a", "b", "b/subagents/c")]
    files = agent_files(parent, home)
    for number, folder in enumerate(below):
        state = {"id": f"sub-{number}", "execution_status": "error"}
        files |= {f"{folder}events/event-{n:05}-s{number}-{n}.json": body(n) for n in range(7)}
        files[f"{folder}base_state.json"] = json.dumps(state).encode()
    return files


@pytest.mark.parametrize("make", ["zip", "folder", "cut"])
@pytest.mark.parametrize("parent", [2, 0])
def test_a_run_is_that_of_the_parent_however_many_events_its_sub_agents_have(
    tmp_path: Path, make: str, parent: int
) -> None:
    files = delegating(parent, "" if make == "folder" else "73673c4b/")
    if make == "folder":
        archive = open_archive(write(tmp_path / "run", files))
    else:
        data = zipped(files)
        archive = opened(data if make == "zip" else data[:-1])
    assert ids(archive) == [f"id-{n}" for n in range(parent)]
    assert archive.info["id"] == "73673c4b"
    assert archive.info["execution_status"] == "finished"
    assert [agent.name for agent in archive.sub_agents] == ["a", "b"]
    assert [agent.name for agent in archive.sub_agents[1].open().sub_agents] == ["c"]
    assert archive.problems == ([CUT_OFF] if make == "cut" else [])


def test_the_sub_agents_of_another_run_are_not_counted() -> None:
    files = {**delegating(9, "a/"), **delegating(8, "b/"), **agent_files(10, "c/")}
    archive = opened(zipped(files))
    assert len(archive) == 10
    assert archive.note == "holds 3 runs: the one with the most events is shown"


def test_sub_agents_alone_are_said_to_be_that(tmp_path: Path) -> None:
    files = {name: data for name, data in delegating().items() if "subagents/" in name}
    archive = opened(zipped(files))
    assert len(archive) == 7
    assert archive.note.startswith("holds no run of a parent: this is the longest of 3 sub-agents")
    alone = {name: data for name, data in files.items() if "/a/" in name}
    assert opened(zipped(alone)).note == "holds no run of a parent: this is a sub-agent"
    # the folder of one is a run as any other
    folder = write(tmp_path, {name.removeprefix("73673c4b/"): d for name, d in files.items()})
    assert open_archive(folder / "subagents" / "a").note == ""
    assert [agent.name for agent in open_archive(folder / "subagents" / "b").sub_agents] == ["c"]


def test_a_link_among_sub_agents_leads_nowhere(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", agent_files(2, ""))
    (folder / "subagents").mkdir()
    (folder / "subagents" / "self").symlink_to(folder)
    assert open_archive(folder).sub_agents == ()


# what is cut off


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_of_a_cut_zip_what_came_before_the_cut_is_there(method: int, streamed: bool) -> None:
    data = zipped(app_files(20), method, streamed=streamed)
    whole = [f"id-{n}" for n in range(20)]
    directory = data.index(b"PK\x01\x02")
    for cut in (len(data) - 1, directory + 5, directory, directory // 2, directory // 3):
        archive = opened(data[:cut])
        assert ids(archive) == whole[: len(archive)]
        assert len(archive) == 20 or cut < directory
        assert len(archive) > 4
        assert archive.info == META
        assert archive.problems == [CUT_OFF]
        assert archive.cut_off == CUT_OFF


@given(st.data())
def test_wherever_a_zip_is_cut_it_is_cut_off(data: st.DataObject) -> None:
    files = data.draw(st.sampled_from((app_files(6), agent_files(6, "73673c4b" * 4 + "/"))))
    whole = zipped(files, streamed=data.draw(st.booleans()))
    archive = opened(whole[: data.draw(st.integers(1, len(whole) - 1))])
    assert archive.cut_off == CUT_OFF
    assert archive.note == CUT_OFF
    assert ids(archive) == [f"id-{n}" for n in range(len(archive))]


def test_a_cut_zip_of_something_else_is_no_trajectory() -> None:
    data = zipped({"photo.jpg": os.urandom(9_000), "photo2.jpg": os.urandom(9_000)})
    for cut in (100, 8_000, 12_000):
        with pytest.raises(FormatProblem, match="holds no trajectory"):
            opened(data[:cut])


def test_a_folder_that_lacks_the_last_events_is_cut_off(tmp_path: Path) -> None:
    files = agent_files(5, "")
    base = json.loads(files["base_state.json"]) | {"leaf_event_id": "id-4"}
    files["base_state.json"] = json.dumps(base).encode()
    folder = write(tmp_path / "run", files)
    assert open_archive(folder).cut_off == ""
    (folder / "events" / "event-00004-id-4.json").unlink()
    assert open_archive(folder).cut_off == CUT_OFF


def test_an_event_that_comes_while_a_folder_is_read_does_not_cut_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on: base_state.json is newer than the list of files."""
    folder = write(tmp_path / "run", agent_files(5, ""))
    read = FolderMembers.read

    def later(self: FolderMembers, index: int) -> bytes:
        if self.names[index] == "base_state.json":
            write(folder, {"events/event-00005-id-5.json": body(5)})
            write(folder, {"base_state.json": b'{"leaf_event_id": "id-5"}'})
        return read(self, index)

    monkeypatch.setattr(FolderMembers, "read", later)
    archive = open_archive(folder)
    assert (len(archive), archive.cut_off) == (5, "")


@pytest.mark.parametrize("last", [b"", b'{"id": "id-4", "kind": "Mess'])
def test_a_folder_whose_last_event_is_cut_is_cut_off(tmp_path: Path, last: bytes) -> None:
    files = {**app_files(5), "event_000004_id-4.json": last}
    assert open_archive(write(tmp_path / "run", files)).cut_off == CUT_OFF
    files = {**app_files(5), "event_000002_id-2.json": last}
    assert open_archive(write(tmp_path / "other", files)).cut_off == ""


def test_of_a_last_event_that_is_damaged_the_end_is_not_known() -> None:
    data = zipped(app_files(5), zipfile.ZIP_STORED).replace(b'"id-4",', b'"id-X",')
    archive = opened(data)
    assert archive.cut_off == NO_END
    assert CUT_OFF not in archive.note


def test_events_that_are_missing_in_between_are_counted(tmp_path: Path) -> None:
    files = app_files(9)
    for name in ("event_000000_id-0.json", "event_000003_id-3.json"):
        del files[name]
    archive = opened(zipped(files))
    assert archive.problems == ["2 events are missing before the last one"]
    assert archive.cut_off == ""


@given(st.data())
def test_a_zip_with_anything_wrong_in_it_opens_or_says_why(data: st.DataObject) -> None:
    raw = bytearray(zipped(agent_files(3), streamed=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    del raw[data.draw(st.integers(0, len(raw))) :]
    try:
        archive = opened(bytes(raw))
    except FormatProblem as problem:
        assert problem.sentence
        return
    events = list(archive.events())
    assert len(events) == len(archive)
    assert all(isinstance(event.body(), dict) for event in events)
    assert all(isinstance(line, str) for line in archive.problems)


def test_damage_in_a_cut_zip_costs_only_what_it_hits() -> None:
    data = bytearray(zipped(app_files(20)))
    del data[data.index(b"PK\x01\x02") :]
    start = data.index(b"event_000007") + len("event_000007_id-7.json")
    data[start : start + 4] = b"\xff\xff\xff\xff"
    archive = opened(bytes(data))
    assert ids(archive) == [f"id-{n}" for n in range(20) if n != 7]
    assert any("event_000007_id-7.json" in line for line in archive.problems)


@pytest.mark.parametrize("leads_on", [True, False])
def test_a_cut_zip_made_to_be_searched_for_ever_is_given_up(
    leads_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_members, "MEMBER_LIMIT", 2**16)
    monkeypatch.setattr(zip_members, "TOTAL_LIMIT", 2**18)
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 8, 8, 0, 0, 0, 0, 0, 1, 0) + b"x"
    # each header is followed by stored blocks that lead on to the end of the file, or by damage
    block = head + struct.pack("<BHH", 0, 8000, 8000 ^ 0xFFFF) + b"\0" * 8000
    if not leads_on:
        block = head * 200

    class Counting(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.given += len(data)
            return data

    file = Counting(block * 400)
    with pytest.raises(FormatProblem, match="holds no trajectory"):
        open_archive(file)
    assert file.given < 2**21


def test_broken_names_of_a_cut_zip_do_not_fill_the_list_of_problems() -> None:
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 8, 8, 0, 0, 0, 0, 0, 1, 0) + b"x"
    data = zipped(app_files(2))
    archive = opened(data[: data.index(b"PK\x01\x02")] + (head + b"\xff") * 500)
    assert ids(archive) == ["id-0", "id-1"]
    assert len(archive.problems) < 15
    assert archive.problems[-1] == "490 more files cannot be read"


# while it is open


def test_a_file_that_vanishes_from_a_folder_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", app_files(3))
    archive = open_archive(folder)
    event = next(archive.events(1))
    (folder / "event_000001_id-1.json").unlink()
    assert event.raw() == b""
    assert event.body()["kind"] == UNREADABLE
    assert archive.problems == ["1 file cannot be read, gone: event_000001_id-1.json"]


def test_a_zip_that_shrinks_while_open_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    # larger than what is read ahead
    path.write_bytes(zipped({f"event_{n:06}_x.json": os.urandom(40_000) for n in range(9)}))
    with open_archive(path) as archive:
        os.truncate(path, 100)
        assert {e.raw() for e in archive.events(0, 5)} == {b""}
        assert "5 files cannot be read, damaged" in archive.problems[0]


@pytest.mark.parametrize("make", ["zip", "cut", "folder"])
def test_several_threads_may_read_at_once(make: str, tmp_path: Path) -> None:
    files = {f"event_{n:06}_id-{n}.json": body(n, pad="x" * n) for n in range(300)}
    source: Path | IO[bytes]
    if make == "folder":
        source = write(tmp_path, files)
    else:
        data = zipped(files)
        source = io.BytesIO(data if make == "zip" else data[:-1])
    archive = open_archive(source)
    wrong: list[bool] = []

    def read() -> None:
        for _ in range(3):
            wrong.extend(
                archive.read(place) != body(place, pad="x" * place) for place in range(len(archive))
            )

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 4 * 3 * 300 and not any(wrong)


def test_opening_a_large_zip_reads_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({f"event_{n:06}_id-{n}.json": b"{}" for n in range(5000)})
    reads: list[int] = []
    original = ZipMembers.read

    def counted(self: ZipMembers, index: int) -> bytes:
        reads.append(index)
        return original(self, index)

    monkeypatch.setattr(ZipMembers, "read", counted)
    archive = opened(data)
    assert (len(archive), reads) == (5000, [])
    assert len(list(archive.events(-60))) == len(reads) == 60

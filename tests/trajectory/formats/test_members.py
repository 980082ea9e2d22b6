"""The fast unpacking of a member gives the same as zipfile, or leaves it to zipfile."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.formats.zip.members import CannotRead, Names
from oh_tui.trajectory.formats.zip.zip_members import ZipMembers, broken
from oh_tui.trajectory.formats.zip.zip_table import NotOpened, ZipTable

HOW = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def written(members: list[tuple[str, bytes]], how: int, *, streamed: bool = False) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            if streamed:  # with room for sizes above 4 GiB
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(data)
            else:
                archive.writestr(name, data)
    file.seek(0)
    return file


@given(
    st.lists(
        st.tuples(st.sampled_from(["a.json", "ü/é.json", "修复.json"]), st.binary(max_size=5000)),
        min_size=1,
        max_size=4,
        unique_by=lambda member: member[0],
    ),
    st.sampled_from(HOW),
    st.booleans(),
)
def test_members_are_unpacked_as_zipfile_does_it(
    members: list[tuple[str, bytes]], how: int, streamed: bool
) -> None:
    held = ZipMembers(written(members, how, streamed=streamed))
    for index, (_, data) in enumerate(members):
        assert held.read(index) == data
        assert held._unpacked(index) == data or not data  # of nothing there is nothing to gain


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("at", [0, 26, 30, 45])
def test_a_spoilt_member_is_damaged_also_this_way(how: int, at: int) -> None:
    raw = bytearray(written([("name.json", b"some text" * 20)], how).getvalue())
    raw[at] ^= 0x55
    held = ZipMembers(io.BytesIO(bytes(raw)))
    with pytest.raises(CannotRead, match="damaged"):
        held.read(0)


def test_what_is_left_to_zipfile_is_of_the_zip_that_was_listed() -> None:
    two = written([("a.json", b"one" * 9), ("b.json", b"two" * 9)], HOW[1])
    file = io.BytesIO(two.getvalue())
    held = ZipMembers(file)
    file.truncate(0)
    file.seek(0)
    file.write(written([("b.json", b"two" * 9)], HOW[1]).getvalue())
    for index in range(2):
        with pytest.raises(CannotRead, match="damaged"):
            held.read(index)


def test_packed_names_are_a_list_of_names() -> None:
    told = ["a.json", "", "修复/\udcff.json", "a.json"]
    names = Names(told)
    assert (list(names), len(names), names[-2], names[1]) == (told, 4, told[2], told[1])
    with pytest.raises(IndexError):
        names[4]


def test_a_zip_with_something_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(b"#!shell\n" + written([("a.json", b"{}")], HOW[1]).getvalue())
    with path.open("rb") as file:
        assert ZipMembers(file).read(0) == b"{}"


def listed_by_zipfile(file: io.BytesIO, monkeypatch: pytest.MonkeyPatch) -> object:
    """The columns of a table, or the kind of what is raised, with zipfile alone."""
    with monkeypatch.context() as patched:
        patched.setattr(ZipTable, "_read_plain", lambda *_: False)
        return columns_of(file)


def columns_of(file: io.BytesIO) -> object:
    expected: tuple[type[Exception], ...] = (*broken(), NotOpened)
    try:
        return vars(ZipTable(file))
    except expected as error:
        return type(error), str(error)


def test_a_zip_of_a_server_is_listed_without_zipfile(monkeypatch: pytest.MonkeyPatch) -> None:
    file = written([(f"event_{n}.json", b"x" * n) for n in range(9)] + [("a/", b"")], HOW[1])
    expected = listed_by_zipfile(file, monkeypatch)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert columns_of(file) == expected


def test_a_table_of_more_than_65535_entries_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = written([(f"event_{n}.json", b"") for n in range(70_000)], HOW[0])
    expected = listed_by_zipfile(file, monkeypatch)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    found = columns_of(file)
    assert found == expected
    assert isinstance(found, dict) and len(found["names"]) == 70_000


def test_any_damage_to_a_table_is_read_as_zipfile_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    members = [("meta.json", b"{}"), ("e/event_0.json", b"one" * 9), ("修复.json", b"two")]
    for chosen in (members[:2], members, []):
        raw = written(chosen, HOW[1]).getvalue()
        start = raw.find(b"PK\x01\x02") if chosen else 0
        for at in range(start, len(raw)):
            for value in (0, 1, 47, 64, 255):
                file = io.BytesIO(raw[:at] + bytes([value]) + raw[at + 1 :])
                assert columns_of(file) == listed_by_zipfile(file, monkeypatch), (at, value)

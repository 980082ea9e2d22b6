"""Zips are listed and unpacked as zipfile does it."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.formats.zip.zip_members import CannotRead, ZipMembers
from oh_tui.trajectory.formats.zip.zip_table import NoTable, NotOpened, read_table
from oh_tui.trajectory.formats.zip.zip_table import _rows as rows_of

HOW = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def members_of(file: IO[bytes]) -> ZipMembers:
    return ZipMembers(file, read_table(file))


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
    held = members_of(written(members, how, streamed=streamed))
    assert list(held.names) == [name for name, _ in members]
    for index, (_, data) in enumerate(members):
        assert held.read(index) == b"".join(held.pieces(index)) == data


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("at", [0, 26, 30, 45])
def test_a_spoilt_member_is_damaged(how: int, at: int) -> None:
    raw = bytearray(written([("name.json", b"some text" * 20)], how).getvalue())
    raw[at] ^= 0x55
    held = members_of(io.BytesIO(bytes(raw)))
    with pytest.raises(CannotRead, match="damaged"):
        held.read(0)


def test_a_member_is_of_the_zip_that_was_listed() -> None:
    two = written([("a.json", b"one" * 9), ("b.json", b"two" * 9)], HOW[1])
    file = io.BytesIO(two.getvalue())
    held = members_of(file)
    file.truncate(0)
    file.seek(0)
    file.write(written([("b.json", b"two" * 9)], HOW[1]).getvalue())
    for index in range(2):
        with pytest.raises(CannotRead, match="damaged"):
            held.read(index)


def test_a_zip_with_something_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(b"#!shell\n" + written([("a.json", b"{}")], HOW[1]).getvalue())
    with path.open("rb") as file:
        assert members_of(file).read(0) == b"{}"


def listed_by_zipfile(file: io.BytesIO) -> object:
    """Names and fields of all files, or None for what is no whole zip."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = [one for one in archive.infolist() if not one.filename.endswith("/")]
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError):
        return None
    return [
        (one.filename, one.flag_bits, one.compress_type, one.CRC, one.compress_size, one.file_size,
         one.header_offset & (2**63 - 1))
        for one in found
    ]  # fmt: skip


def listed(file: io.BytesIO) -> object:
    try:
        table = read_table(file)
    except NoTable:
        return None
    except NotOpened as error:
        return str(error)
    columns = (table.flags, table.methods, table.sums, table.packed, table.sizes, table.offsets)
    return list(zip(table.names, *columns, strict=True))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_zip_is_listed_as_by_zipfile(streamed: bool) -> None:
    members = [(f"event_{n}.json", b"x" * n) for n in range(9)]
    file = written([*members, ("ü/é.json", b"x")], HOW[1], streamed=streamed)
    with zipfile.ZipFile(file, "a") as archive:
        archive.mkdir("folder")
        archive.comment = b"a comment" * 1000
    assert listed(file) == listed_by_zipfile(file)
    assert len(read_table(file).names) == 10


def test_names_without_the_flag_of_utf_8_are_in_code_page_437() -> None:
    raw = bytearray(
        written([("e\u00e9.json", b"x")], HOW[1]).getvalue().replace(b"\xc3\xa9", b"\x81\x82")
    )
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", raw, raw.find(mark) + at, 0)
    file = io.BytesIO(raw)
    assert listed(file) == listed_by_zipfile(file)
    held = members_of(file)
    assert (list(held.names), held.read(0)) == (["eü\u00e9.json"], b"x")


def test_a_table_of_more_than_65535_entries_is_read() -> None:
    file = written([(f"event_{n}.json", b"") for n in range(70_000)], HOW[0])
    assert len(read_table(file).names) == 70_000
    assert listed(file) == listed_by_zipfile(file)


def test_values_above_4_gib_are_read_from_the_extra_field_of_an_entry() -> None:
    large, small = zipfile.ZipInfo("large.json"), zipfile.ZipInfo("small.json")
    large.file_size = large.compress_size = 5 * 2**30
    large.header_offset, small.header_offset = 0, large.file_size + 99
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one in (large, small):
            one.CRC = 0
            archive.filelist.append(one)
    end = out.getvalue().rfind(b"PK\x05\x06")
    names, rows = rows_of(out.getvalue()[:end], end, 0)
    assert names == ["large.json", "small.json"]
    packed_sizes_and_places = [row[3:] for row in rows]
    assert packed_sizes_and_places == [(5 * 2**30, 5 * 2**30, 0), (0, 0, 5 * 2**30 + 99)]


@pytest.mark.parametrize("streamed", [False, True])
def test_damage_to_a_table_is_found_where_zipfile_finds_it(streamed: bool) -> None:
    members = [("meta.json", b"{}"), ("e/event_0.json", b"one" * 9), ("修复.json", b"two")]
    for chosen in (members[:2], members, []):
        raw = written(chosen, HOW[1], streamed=streamed).getvalue()
        start = raw.find(b"PK\x01\x02") if chosen else 0
        for at in range(start, len(raw)):
            for value in (0, 1, 47, 64, 255):
                file = io.BytesIO(raw[:at] + bytes([value]) + raw[at + 1 :])
                expected, found = listed_by_zipfile(file), listed(file)
                assert found == expected or isinstance(found, str), (at, value)


def test_a_table_whose_extra_fields_are_damaged_leads_to_no_member() -> None:
    """The entries after it would be taken for its extra field."""
    raw = bytearray(written([(f"event_{n}.json", b"x") for n in range(9)], HOW[1]).getvalue())
    raw[raw.find(b"PK\x01\x02") + 30] = 46 + len("event_1.json")  # instead of 0
    assert listed(io.BytesIO(raw)) is listed_by_zipfile(io.BytesIO(raw)) is None

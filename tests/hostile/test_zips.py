"""Zips made to take memory or time: refused with one sentence before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oh_tui.sources.saving import finish_zip
from oh_tui.sources.server_runs import run_cache
from oh_tui.sources.server_runs.run_cache import events_of_zip
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.zip.archive import open_archive
from tests.hostile.bounds import used_by
from tests.processes import oh_tui

MIB = 2**20


def entry(name: bytes, packed: int, size: int, crc: int, method: int, at: int) -> bytes:
    """An entry of the table of contents."""
    fields = (20, 20, 0, method, 0, 33, crc, packed, size, len(name), 0, 0, 0, 0, 0, at)
    return struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *fields) + name


def head(name: bytes, packed: int, size: int, crc: int, method: int) -> bytes:
    """What stands before the data of a member."""
    fields = (b"PK\x03\x04", 20, 0, method, 0, 33, crc, packed, size, len(name), 0)
    return struct.pack("<4s5H3I2H", *fields) + name


def end(count: int, size: int, at: int) -> bytes:
    return struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, size, at, 0)


def name(number: int) -> bytes:
    return b"event_%06d_x.json" % number


def packed(data: Iterator[bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for number, piece in enumerate(data):
            made.writestr(name(number).decode(), piece)
    return out.getvalue()


def plain() -> bytes:
    """Five members of 50 MB of zeros each."""
    return packed(bytes(50_000_000) for _ in range(5))


def bzip2() -> bytes:
    """Less than a kilobyte, which is 150 MB and says that it is 1 kB."""
    raw = bytearray(packed((bytes(150_000_000) for _ in range(1)), zipfile.ZIP_BZIP2))
    struct.pack_into("<I", raw, raw.rindex(b"PK\x01\x02") + 24, 1000)
    return bytes(raw)


def one_for_all() -> bytes:
    """The entries of 2,000 members all mean the same data."""
    inflated = bytes(40_000)
    data = zlib.compress(inflated, 9)[2:-4]
    crc = zlib.crc32(inflated)
    body = head(name(0), len(data), len(inflated), crc, 8) + data
    table = b"".join(entry(name(0), len(data), 40_000, crc, 8, 0) for _ in range(2_000))
    return body + table + end(2_000, len(table), len(body))


def quoted() -> bytes:
    """Each member begins with a stored block that quotes the head of the next one, so that its
    data is that of all that come after it (the zip bomb of Fifield)."""
    count, zeros = 2_000, bytes(40_000)
    compressor = zlib.compressobj(9, wbits=-15)
    kernel = compressor.compress(zeros) + compressor.flush()
    crc = zlib.crc32(zeros)
    parts = [head(name(count - 1), len(kernel), len(zeros), crc, 8) + kernel]
    spans = [(len(kernel), len(zeros), crc)]
    for number in range(count - 2, -1, -1):
        quote, (packed_size, size, crc) = parts[-1][: 30 + len(name(0))], spans[-1]
        block = struct.pack("<BHH", 0, len(quote), len(quote) ^ 0xFFFF)
        spans.append((packed_size + len(quote) + len(block), size + len(quote), crc))
        parts.append(head(name(number), *spans[-1], 8) + block)
    table, at = b"", 0
    for number, (part, span) in enumerate(zip(parts[::-1], spans[::-1], strict=True)):
        table += entry(name(number), *span, 8, at)
        at += len(part)
    return b"".join(parts[::-1]) + table + end(count, len(table), at)


def many() -> bytes:
    """A million members of nothing."""
    row = entry(b"a", 0, 0, 0, 0, 0)
    table = row * 600_000
    return head(b"a", 0, 0, 0, 0) + table + end(0xFFFF, len(table), 31)


def long_names() -> bytes:
    """Names of 64 kB each."""
    row = entry(b"\xb0" * 65_535, 0, 0, 0, 0, 0)
    table = row * 800
    return head(b"a", 0, 0, 0, 0) + table + end(800, len(table), 31)


def zip64_lie() -> bytes:
    """A table of contents of 2**62 bytes, by its own account."""
    body = head(b"a", 0, 0, 0, 0)
    big = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**62, 0)
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1)
    return body + big + place + struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0
    )  # fmt: skip


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "plain": (plain, "unpacks from 244 kB to 250.0 MB, like a zip bomb"),
    "one for all": (one_for_all, "has files that lie over each other, like a zip bomb"),
    "quoted": (quoted, "like a zip bomb"),
    "many": (many, "holds more than 250,000 files"),
    "long names": (long_names, "has a table of contents of 52.5 MB"),
    "zip64 lie": (zip64_lie, ""),
}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_anything_is_unpacked(bomb: str, tmp_path: Path) -> None:
    make, told = BOMBS[bomb]
    (tmp_path / "run.zip").write_bytes(make())
    used = used_by(
        """
        from pathlib import Path
        from oh_tui.sources.saving import finish_zip
        from oh_tui.sources.server_runs.run_cache import events_of_zip
        from oh_tui.trajectory.formats.zip.archive import open_archive
        def act():
            said = []
            for use in (finish_zip, events_of_zip):
                try:
                    with open("run.zip", "r+b") as file:
                        use(file)
                except Exception as error:
                    said.append(str(error))
            try:
                for event in open_archive("run.zip").events():
                    event.raw()
            except Exception as error:
                said.append(str(error))
            return said
        """,
        tmp_path,
    )
    assert len(used.told) == 3
    assert all(told in said for said in used.told)
    assert used.mib < 200
    assert used.seconds < 5


def test_what_is_packed_without_a_bound_is_never_unpacked(tmp_path: Path) -> None:
    (tmp_path / "run.zip").write_bytes(bzip2())
    used = used_by(
        """
        from oh_tui.sources.saving import finish_zip
        def act():
            with open("run.zip", "r+b") as file:
                finish_zip(file)
        """,
        tmp_path,
    )
    assert used.told.startswith("Refused: The download")
    assert used.mib < 100


def test_commands_say_it_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(one_for_all())
    for command in ("why", "check", "steps", "open"):
        told = oh_tui(command, str(path))
        assert told.returncode in (1, 2)
        assert told.stderr.startswith(
            f"oh-tui: {path} is not opened: it has files that lie over each other, like a zip bomb"
        )
        assert "do not trust it" in told.stderr
        assert len(told.stderr.splitlines()) <= 2


def test_an_honest_member_of_any_size_is_checked_in_little_memory(tmp_path: Path) -> None:
    """Of 64 MiB and more, packed 40 to 1 and less well."""
    with zipfile.ZipFile(tmp_path / "run.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        line = b"".join(b"%d and then some words that repeat\n" % n for n in range(30_000))
        made.writestr("event_000000_a.json", line * 80)
        made.writestr("event_000001_b.json", zlib.compress(line) * 300)
        made.writestr("event_000002_c.json", b"{}")
    used = used_by(
        """
        from oh_tui.sources.saving import finish_zip
        def act():
            with open("run.zip", "r+b") as file:
                finish_zip(file)
            return "whole"
        """,
        tmp_path,
    )
    assert used.told == "whole"
    assert used.mib < 100


def test_the_largest_member_that_is_read_takes_twice_its_size(tmp_path: Path) -> None:
    text = zlib.compress(b"".join(b"%d" % n for n in range(300_000))) * 100
    with zipfile.ZipFile(tmp_path / "run.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("event_000000_a.json", (text * 2)[: 64 * MIB])
    used = used_by(
        """
        from oh_tui.trajectory.formats.zip.archive import open_archive
        def act():
            return len(open_archive("run.zip").read(0))
        """,
        tmp_path,
    )
    assert used.told == 64 * MIB
    assert used.mib < 200


def test_a_damaged_large_member_is_found(tmp_path: Path) -> None:
    raw = bytearray(packed((bytes(range(256)) * 20_000 for _ in range(1)), zipfile.ZIP_STORED))
    raw[3_000_000] ^= 1
    with pytest.raises(Problem, match=r"The downloaded zip is damaged$"):
        (tmp_path / "run.zip").write_bytes(raw)
        with (tmp_path / "run.zip").open("r+b") as file:
            finish_zip(file)


def test_a_run_whose_texts_do_not_fit_into_memory_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_cache, "MOST_HELD", 1_000_000)
    file = io.BytesIO(packed(b" " * 300_000 for _ in range(10)))
    with pytest.raises(Problem, match=r"take more than 1\.0 MB"):
        events_of_zip(file)


def test_of_a_cut_zip_so_many_names_are_held_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "run.zip").write_bytes(head(name(0), 0, 0, 0, 0) * 1_000_000)
    used = used_by(
        """
        from oh_tui.trajectory.formats.zip.archive import open_archive
        def act():
            archive = open_archive("run.zip")
            return [len(archive), archive.problems]
        """,
        tmp_path,
    )
    assert 250_000 < used.told[0] < 251_000
    assert "the search for more files was given up" in used.told[1]
    assert used.mib < 200


def test_the_same_name_twice_and_any_order_are_no_bomb() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in (3, 1, 2):
            made.writestr(name(number).decode(), b'{"id": "%d"}' % number)
        made.filelist.reverse()
    assert len(open_archive(file)) == 3

"""An evaluation output that is being written while its rows are listed."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.sources.file_indexes import FileIndexes
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats import unpack
from oh_tui.trajectory.formats.lines import json_lines
from oh_tui.trajectory.formats.lines.row_index import RowIndex
from oh_tui.trajectory.formats.plain_file import PlainFile
from tests.trajectory.evaluation_files import history, lines, row


class Output:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "output.jsonl"
        self.add(lines([row("a-1", history(1)), row("a-2", history(2))]))
        self.source = FileSource([self.path])

    def add(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    async def rows(self) -> list[str]:
        return [one.id for one in (await self.source.newest()).items]

    async def events(self, name: str) -> int:
        (found,) = await self.source.get([name])
        assert found
        return len(self.source.runs.read(found).events)


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path)


async def test_rows_that_were_added_are_listed(output: Output) -> None:
    assert await output.rows() == ["a-1", "a-2"] and output.source.changes
    output.add(lines([row("a-3", history(3)), row("a-1", history(4))]))
    assert await output.rows() == ["a-1", "a-2", "a-3", "a-1@2"]
    output.add(lines([row("a-1", history(5))]))
    assert (await output.rows())[-1] == "a-1@3"
    assert [await output.events(name) for name in ("a-1", "a-3", "a-1@2", "a-1@3")] == [
        5,
        9,
        11,
        13,
    ]
    await output.source.close()


async def test_only_what_was_added_is_read(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    output.add(lines([row(f"b-{n}", history(20)) for n in range(100)]))
    await output.rows()
    read = 0
    plain = PlainFile.read

    def counted(self: PlainFile, start: int, count: int) -> bytes:
        nonlocal read
        found = plain(self, start, count)
        read += len(found)
        return found

    monkeypatch.setattr(PlainFile, "read", counted)
    added = lines([row("last", history(1))])
    output.add(added)
    assert (await output.rows())[-1] == "last"
    assert read < len(added) + 4096 < output.path.stat().st_size / 4


async def test_a_row_appears_once_it_is_written_to_its_end(output: Output) -> None:
    whole = lines([row("a-3", history(3))])
    for cut in (20, len(whole) // 2, len(whole) - 2):
        output.add(whole[:cut])
        assert await output.rows() == ["a-1", "a-2"]
        assert output.source.remarks == ["output.jsonl, row 3 is still being written"]
        assert not output.source.problems
        os.truncate(output.path, output.path.stat().st_size - cut)
        await output.rows()
    output.add(whole[:-1])  # the end of the line alone is missing
    assert await output.rows() == ["a-1", "a-2", "a-3"]
    output.add(whole[-1:] + whole)
    assert await output.rows() == ["a-1", "a-2", "a-3", "a-3@2"]
    assert not output.source.remarks and await output.events("a-3@2") == 9


async def test_a_file_with_one_unfinished_row_says_so(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(lines([row("a", history(1))])[:200])
    with pytest.raises(Exception, match=r"output.jsonl, row 1 is still being written"):
        await FileSource([path]).newest()


async def test_a_file_that_nobody_writes_to_is_cut_off(output: Output) -> None:
    output.add(b'{"instance_id": "a-3", "hist')
    old = time.time() - 3600
    os.utime(output.path, (old, old))
    assert await output.rows() == ["a-1", "a-2"] and not output.source.changes
    assert output.source.problems == [f"{output.path}, row 3 is cut off"]


async def test_a_file_written_anew_is_listed_anew(output: Output) -> None:
    assert await output.rows() == ["a-1", "a-2"]
    many = lines([row(f"b-{n}", history(9)) for n in range(3)])
    output.path.write_bytes(many)  # longer, in the same place
    assert await output.rows() == ["b-0", "b-1", "b-2"]
    other = output.path.with_name("other")
    other.write_bytes(many + lines([row("b-3")]))
    other.replace(output.path)
    assert (await output.rows())[-1] == "b-3"
    output.path.write_bytes(lines([row("c-0", history(1))]))  # shorter
    assert await output.rows() == ["c-0"]
    await output.source.close()


async def test_labels_that_come_later_are_joined(output: Output) -> None:
    assert await output.rows() == ["a-1", "a-2"]
    report = output.path.with_name("output.report.json")
    report.write_text(json.dumps({"resolved_ids": ["a-2"]}))
    rows: list[Any] = list((await output.source.newest()).items)
    assert [one.label for one in rows] == ["unlabelled", "resolved"]


async def test_a_packed_file_that_changed_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "output.jsonl.gz"
    path.write_bytes(gzip.compress(lines([row("a", history(1))])))
    source = FileSource([path])
    assert len((await source.newest()).items) == 1
    assert not source.changes, "nobody adds rows to what is packed"
    path.write_bytes(gzip.compress(lines([row("a", history(1)), row("b", history(1))])))
    assert [one.id for one in (await source.newest()).items] == ["a", "b"]
    monkeypatch.setattr(unpack.Unpacking, "run", None)
    (tmp_path / "output.report.json").write_text(json.dumps({"resolved_ids": ["b"]}))
    rows: list[Any] = list((await source.newest()).items)
    assert [one.label for one in rows] == ["unlabelled", "resolved"], "and is not unpacked again"
    await source.close()


async def test_an_index_from_the_cache_goes_on(
    output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "KEPT_FROM", 0)
    indexes = FileIndexes(tmp_path / "cache")
    whole = lines([row("a-3", history(3))])
    output.add(whole[:-5])
    for _ in range(2):
        output.source = FileSource([output.path], indexes=indexes)
        assert await output.rows() == ["a-1", "a-2"]
        assert output.source.remarks == ["output.jsonl, row 3 is still being written"]
    output.add(whole[-5:] + lines([row("a-2")]))
    assert await output.rows() == ["a-1", "a-2", "a-3", "a-2@2"]


PIECES = st.sampled_from(
    [*(json.dumps(row(name)).encode() for name in "aab"), b"\n", b"\n\n", b'{"x', b"}", b"7", b"[]"]
)


@given(st.lists(PIECES, max_size=12), st.data())
def test_an_index_made_in_steps_is_that_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    path = tmp_path_factory.mktemp("x") / "output.jsonl"
    path.write_bytes(b"")
    file, index = PlainFile(path), RowIndex()
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        with path.open("ab") as out:
            out.write(whole[start:end])
        list(index.read(file))
    at_once = RowIndex()
    list(at_once.read(file))
    assert told(index) == told(at_once)
    file.close()


def told(index: RowIndex) -> Iterator[Any] | list[Any]:
    return [list(index), sorted(set(index.problems)), index.end, index.lines, index.unfinished]

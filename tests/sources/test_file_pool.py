"""Thousands of runs in a folder: few of their files are open, and few texts are in memory."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path

import pytest

from oh_tui.sources.file_runs import OPEN
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.plain_file import MOST, PooledFile
from tests.sources.test_files import write

MESSAGES = [{"role": "user", "content": "Fix it."}, {"role": "assistant", "content": "Done."}]


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.mark.parametrize("cut", [0, 30], ids=["whole", "cut off"])
def test_few_zips_of_a_folder_are_open_and_all_can_be_read(tmp_path: Path, cut: int) -> None:
    for number in range(2 * MOST):
        path = write(tmp_path / f"{number:03}.zip", 2, title=f"Run {number}")
        if cut:
            path.write_bytes(path.read_bytes()[:-cut])
    before = open_files()
    source = FileSource([tmp_path])
    rows = source.conversations()
    for row in (*rows, *reversed(rows)):
        assert [event.id for event in source.runs.read(row).events] == ["e0", "e1"]
        assert open_files() <= before + MOST
    source.close_files()
    assert open_files() <= before


def test_few_outputs_of_a_folder_are_open_and_all_can_be_read(tmp_path: Path) -> None:
    for number in range(2 * MOST):
        event = {"id": "e0", "kind": "MessageEvent", "source": "user"}
        instance = {"instance_id": f"task-{number}", "history": [event], "error": None}
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "output.jsonl").write_text(json.dumps(instance) + "\n")
    before = open_files()
    source = FileSource([tmp_path])
    rows = source.conversations()
    assert len(rows) == 2 * MOST
    for row in (*rows, *reversed(rows)):
        assert len(source.runs.read(row).events) == 1
        assert open_files() <= before + MOST
    source.close_files()
    assert open_files() <= before


def test_the_texts_of_few_runs_are_held(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.json").write_text(json.dumps(MESSAGES))
    source = FileSource([tmp_path])
    rows = source.conversations()
    others = {id(one) for one in gc.get_objects() if isinstance(one, ConvertedRun)}
    assert [len(source.runs.read(row).events) for row in rows] == [2] * 20
    held = [
        one for one in gc.get_objects() if isinstance(one, ConvertedRun) and id(one) not in others
    ]
    assert len(held) <= OPEN


def use_others(folder: Path) -> None:
    """So many that those used before are closed."""
    folder.mkdir()
    for number in range(MOST + 1):
        path = folder / str(number)
        path.write_bytes(b"")
        PooledFile(path)


def test_a_file_that_was_replaced_while_it_was_closed_is_not_taken_for_it(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, 2, title=name) for name in ("a.zip", "b.zip"))
    source = FileSource([first])
    (row,) = source.conversations()
    run = source.runs.run(row)
    use_others(tmp_path / "others")
    shutil.move(second, first)
    assert run.read(0) == b""
    assert "the file is gone" in run.note
    source.close_files()


def test_rows_of_a_file_that_is_gone_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    event = {"id": "e0", "kind": "MessageEvent", "source": "user"}
    rows = [{"instance_id": f"task-{n}", "history": [event], "error": None} for n in range(2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = FileSource([path])
    first, _ = source.conversations()
    use_others(tmp_path / "others")
    path.unlink()
    with pytest.raises(Problem, match=r"output\.jsonl, row 1 is gone: the file has changed"):
        source.runs.read(first)
    source.close_files()

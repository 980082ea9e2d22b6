"""Evaluation output with rows that are too large: time and memory stay bounded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hostile.bounds import used_by
from tests.trajectory.evaluation_files import history, row

MIB = 2**20


def test_a_huge_row_is_listed_and_not_opened_in_little_memory(tmp_path: Path) -> None:
    good = json.dumps(row("good", history(2))).encode()
    with (tmp_path / "output.jsonl").open("wb") as file:
        file.write(good + b'\n{"instance_id": "huge", "history": ["')
        for _ in range(200):
            file.write(b"x" * MIB)
        file.write(b'"]}\n' + good.replace(b"good", b"last") + b"\n")
        file.write(b'{"instance_id": "cut", "history": ["' + b"y" * 60 * MIB)
    used = used_by(
        """
        from pathlib import Path
        from oh_tui.trajectory.formats.table import find_files, open_runs
        def act():
            (path,) = find_files([Path(".")])
            runs = open_runs(path)
            said = []
            for entry in runs.entries():
                try:
                    said.append([entry.name, len(entry.open())])
                except Exception as error:
                    said.append([entry.name, str(error)])
            return said + runs.problems + list(runs.remarks)
        """,
        tmp_path,
    )
    assert used.told == [
        ["good", 7],
        ["huge", "output.jsonl, row 2 has 209.7 MB: rows above 134.2 MB are not opened"],
        ["last", 7],
        "output.jsonl, row 4 is still being written",
    ]
    assert used.mib < 100
    assert used.seconds < 10


@pytest.mark.slow
def test_many_small_values_in_a_row_are_read_in_bounded_memory(tmp_path: Path) -> None:
    values = b"[" + b",".join([b"{}"] * 3_000_000) + b"]"
    (tmp_path / "output.jsonl").write_bytes(
        b'{"instance_id": "many", "history": ' + values + b', "metadata": ' + values + b"}\n"
    )
    used = used_by(
        """
        from pathlib import Path
        from oh_tui.trajectory.formats.table import open_runs
        def act():
            (entry,) = open_runs(Path("output.jsonl")).entries()
            try:
                return len(entry.open())
            except Exception as error:
                return str(error)
        """,
        tmp_path,
    )
    assert used.mib < 1000
    assert used.seconds < 20

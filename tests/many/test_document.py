"""The Python of docs/many-runs.md runs as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from scripts.many_runs import Maker, write_outputs

ROOT = Path(__file__).parents[2]


def test_the_rows_of_files_in_several_processes(tmp_path: Path) -> None:
    maker = Maker(seed=12, events=10)
    paths = write_outputs(tmp_path / "runs", 6, maker, part=3)
    text = (ROOT / "docs" / "many-runs.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "costs.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "costs.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line.partition(" ")[0] for line in told] == [
        str(path.relative_to(tmp_path)) for path in paths
    ]
    for part, line in enumerate(told):
        made = [maker.made(number) for number in range(3 * part, 3 * part + 3)]
        for one in {each.model for each in made}:
            cost = sum(each.cost for each in made if each.model == one)
            found = re.search(rf"'{re.escape(one)}': ([\d.e-]+)", line)
            assert found and abs(float(found[1]) - cost) < 1e-6

"""The processes that help to read runs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.many.made import make_runs
from tests.sources.test_filling import is_alive

PARENT = """
import multiprocessing, sys, time
from pathlib import Path
from oh_tui.sources.files import FileSource
from oh_tui.sources.many.each_run import _Pool
from oh_tui.sources.many.query import parse
from oh_tui.sources.many.searching import SearchJob
if __name__ == "__main__":
    source = FileSource([Path(sys.argv[1])])
    with _Pool(SearchJob(parse("error").steps), source) as pool:
        pool._pool.submit(len, "").result()
        print(*(one.pid for one in multiprocessing.active_children()), flush=True)
        time.sleep(600)
"""


def test_they_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    (run, *_) = make_runs(tmp_path, 1)
    words = [sys.executable, str(script), str(run)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert children
    until = time.monotonic() + 60
    while any(map(is_alive, children)):
        assert time.monotonic() < until
        time.sleep(0.01)

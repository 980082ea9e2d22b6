"""An evaluation output of many instances, and its tar: the list, the index, one run in it.

`python -m benchmarks.outputs FILE INSTANCES` writes such a file, of 0.4 MB an instance; and
`OH_TUI_BENCH_INSTANCES=5000 python -m benchmarks.bench outputs` measures one of 2 GB.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import made
from benchmarks.plain_apps import READY
from benchmarks.result import OH_TUI, Result, child, interleaved, result
from benchmarks.start import EMPTY, starter
from benchmarks.terminal import Terminal
from oh_tui.trajectory.formats import copies

INSTANCES = int(os.environ.get("OH_TUI_BENCH_INSTANCES", "500"))

EVENTS = 760
"""Of an instance; with its other fields 0.4 MB."""

DIFFERENT = 10
"""Histories that take turns."""


def write_output(path: Path, count: int) -> Path:
    histories = [json.dumps(list(made.events(EVENTS + n))) for n in range(DIFFERENT)]
    usages = [{"response_id": f"r{n}", "prompt_tokens": n, "completion_tokens": 9}
              for n in range(EVENTS // 2)]  # fmt: skip
    metrics = {"accumulated_cost": 0.5, "token_usages": usages, "costs": [{"cost": 0.01}]}
    with path.open("w") as file:
        for number in range(count):
            head = {
                "instance_id": name(number),
                "test_result": {"git_patch": "+x\n" * 200},
                "instruction": "Fix the bug. " * 100,
                "metadata": {"llm": {"model": "m"}, "max_iterations": 500},
            }
            history = histories[number % DIFFERENT]
            rest = {"metrics": metrics, "error": None, "instance": {"repo": "acme/x"}}
            file.write(f'{json.dumps(head)[:-1]}, "history": {history}, {json.dumps(rest)[1:]}\n')
    return path


RUNS = 500
"""In the tar, whatever the instances of the output are."""

CONVERSATION = 300
"""Events of a conversation in the tar, of which a few take turns."""


def write_tar(path: Path, home: Path) -> Path:
    """A `results.tar.gz`: an output, its report, and a tar of each conversation."""
    output = write_output(home / "tar-output.jsonl", RUNS)
    conversations = [_conversation(CONVERSATION + n) for n in range(5)]
    report = json.dumps({"resolved_ids": [name(n) for n in range(0, RUNS, 2)]}).encode()
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(output, "output.jsonl")
        _add(tar, "output.report.json", report)
        for number in range(RUNS):
            text = conversations[number % len(conversations)]
            _add(tar, f"conversations/{name(number)}.tar.gz", text)
    output.unlink()
    return path


def _conversation(events: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as tar:
        _add(tar, "base_state.json", b'{"id": "x"}')
        for number, event in enumerate(made.events(events)):
            text = json.dumps(event).encode()
            _add(tar, f"events/event-{number:05}-{number:032x}.json", text)
    return data.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def name(number: int) -> str:
    return f"acme__dates-{number:05}"


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    path = write_output(home / "output.jsonl", INSTANCES)
    run = made.write_zip(home / "instance.zip", _events())
    size = f"{path.stat().st_size / 1e9:.1f} GB"
    first, empty = interleaved(3, lambda: _first_rows(path, home), starter(home, READY, *EMPTY))
    index, lines = interleaved(3, lambda: _index(path), lambda: _wc(path))
    opened, zipped = interleaved(
        5,
        lambda: float(child("outputs", "row", path)["seconds"]),
        lambda: float(child("outputs", "zip", run)["seconds"]),
    )
    found = [
        result(f"first rows of an output of {size}", "ms", first, empty, ratio=2.5),
        result(f"index of an output of {size}, against wc -l", "s", index, lines, ratio=3.0),
        result("one run in it, against the same as a zip", "s", opened, zipped, ratio=1.2),
    ]
    tar = write_tar(home / "results.tar.gz", home)
    place = home / "unpacked"
    os.environ[copies.PLACE] = str(place)
    listed, again, told = interleaved(
        3,
        lambda: _first_index(tar, place),
        lambda: _index(tar, anew=False),
        lambda: _tar(tar, home),
    )
    what = f"results.tar.gz of {RUNS} runs listed, against tar xzf"
    found.append(result(what, "s", listed, told, ratio=1.5))
    found.append(result("the same a second time", "s", again, told, ratio=0.1))
    with Terminal([OH_TUI, "open", path], home) as terminal:
        terminal.until_text(f"{INSTANCES:,} conversations")
        terminal.settle(3.0)
        held = terminal.private_bytes() / 1e6
    found.append(result(f"private memory, {INSTANCES:,} rows listed", "MB", held, most=100))
    return found


def _events() -> Iterator[made.Member]:
    return made.events(EVENTS + (INSTANCES // 2) % DIFFERENT)


def _first_rows(path: Path, home: Path) -> float:
    """Milliseconds from the start of the process to the first rows, without a kept index."""
    shutil.rmtree(home / ".cache", ignore_errors=True)
    with Terminal([OH_TUI, "open", path], home) as terminal:
        return (terminal.until_text(name(5)) - terminal.began) * 1000


def _index(path: Path, *, anew: bool = True) -> float:
    if anew:
        shutil.rmtree(path.parent / "indexes", ignore_errors=True)
    return float(child("outputs", "index", path)["seconds"])


def _wc(path: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["wc", "-l", str(path)], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _first_index(path: Path, place: Path) -> float:
    shutil.rmtree(place, ignore_errors=True)
    return _index(path)


def _tar(path: Path, home: Path) -> float:
    folder = home / "by-tar"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    began = time.perf_counter()
    subprocess.run(["tar", "xzf", str(path), "-C", str(folder)], check=True)
    return time.perf_counter() - began


def _main(what: str, path: Path) -> None:
    from oh_tui.sources.file_indexes import FileIndexes
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.formats.table import open_runs
    from oh_tui.trajectory.model.trajectory import build

    began = time.perf_counter()
    runs = open_runs(path, FileIndexes(path.parent / "indexes"))
    entries = list(runs.entries()) if what == "row" else []
    began = time.perf_counter() if what == "row" else began
    if what == "index":
        list(runs.entries())
    else:
        runs = open_runs(path) if what == "zip" else runs
        middle = entries[len(entries) // 2] if entries else next(runs.entries())
        run = middle.open()
        trajectory = build(run.events(), stats=run.stats)
        assert Accounts(trajectory) and trajectory.counts.events >= EVENTS
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    if sys.argv[1] in ("index", "row", "zip"):
        _main(sys.argv[1], Path(sys.argv[2]))
    else:
        write_output(Path(sys.argv[1]), int(sys.argv[2]))

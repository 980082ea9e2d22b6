"""`make bench`: measures, prints one table and writes results.json; takes five minutes.

`python -m benchmarks.bench NAME ...` measures some families only, and writes nothing.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks import made
from benchmarks.result import ROOT, Result

FAMILIES = ("start", "keys", "files", "search", "memory", "stalls", "calls", "outputs",
            "contexts", "pages")  # fmt: skip

ASKED = ("lists", "mcp")
"""Those measured only when they are asked for."""

SIZES = (1_000, 3_000, 10_000, 100_000)
"""Events of the zips that all families read."""

FILE = ROOT / "benchmarks" / "results.json"


def table(results: list[Result]) -> str:
    """For people, and for Markdown."""
    rows: list[tuple[str, ...]] = [("what", "ours", "against", "ratio", "goal", "")]
    rows.append(tuple("-" * 4 for _ in rows[0]))
    for found in results:
        against = "" if found.baseline is None else f"{found.baseline:,g}"
        ratio = "" if found.ratio is None else f"{found.ratio:.2f} x"
        if found.ours is None:
            rows.append((found.name, "skipped", against, ratio, found.goal, ""))
            continue
        ours = f"{found.ours:,g} {found.unit}"
        rows.append((found.name, ours, against, ratio, found.goal, "ok" if found.ok else "MISSED"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| " + " | ".join(f"{cell:<{n}}" for cell, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def machine() -> str:
    """What the figures were made on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = ", ".join(f"{each:.2f}" for each in os.getloadavg())
    return (
        f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, Textual {version('textual')}; load {load}"
    )


def main(names: list[str]) -> int:
    if sys.platform != "linux":
        print("bench: reads /proc for memory and time, so it runs on Linux only", file=sys.stderr)
        return 2
    unknown = set(names) - {*FAMILIES, *ASKED}
    if unknown:
        print(
            f"bench: no {', '.join(sorted(unknown))}; {', '.join(FAMILIES + ASKED)}",
            file=sys.stderr,
        )
        return 2
    before, began = machine(), time.perf_counter()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="oh-tui-bench-") as name:
        home = Path(name)
        _tell("making the files")
        zips = {n: made.write_zip(home / f"{n}.zip", made.events(n)) for n in SIZES}
        for family in names or FAMILIES:
            _tell(f"{time.perf_counter() - began:4.0f} s  {family}")
            results += importlib.import_module(f"benchmarks.{family}").measure(zips, home)
    print(table(results))
    print(f"\nbefore: {before}\nafter:  load {machine().rpartition('load ')[2]}")
    print(f"took {time.perf_counter() - began:.0f} s")
    if not names:
        lines = ",\n".join(msgspec.json.encode(each).decode() for each in results)
        FILE.write_text(f"[\n{lines}\n]\n", "utf-8")
    return 0


def _tell(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

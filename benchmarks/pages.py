"""A run as an HTML page, against the same run as Markdown, in processor time; its size, what is
held meanwhile, and its first paint in Chromium, where Playwright is (`make setup-slow`)."""

from __future__ import annotations

import html
import shutil
import time
import tracemalloc
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks import made
from benchmarks.result import Result, interleaved, middle, result, skipped
from oh_tui.conversation import Conversation
from oh_tui.sharing.formats import FORMATS
from oh_tui.sharing.html.page import page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.shared_run import SharedRun, Sink, hidden_events
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.trajectory import build

EVENTS = 3_000
ROUNDS = 5


def measure(zips: dict[int, Path], home: Path) -> list[Result]:
    path = zips[EVENTS]
    steps = made.steps_of(EVENTS)
    ours, text = interleaved(ROUNDS, lambda: _timed(_html(path)), lambda: _timed(_markdown(path)))
    shown, texts = "".join(_html(path)), "".join(_markdown(path))
    most = 2 * len(texts.encode()) / 1000 + steps
    name = f"a page of {steps:,} steps"
    found = [
        result(f"{name}, against Markdown", "s", ours, text, ratio=2),
        result(f"{name}: its size", "kB", len(shown.encode()) / 1000, most=round(most)),
        result(f"{name}: held while it is written", "MB", _held(path), most=10),
    ]
    painted = f"{name}: first paint, against one <pre>"
    chromium = shutil.which("chromium")
    if chromium is None or find_spec("playwright") is None:
        return [*found, skipped(painted, "ms", "needs make setup-slow and chromium on PATH")]
    plain = f"<!doctype html><meta charset=utf-8><pre>{html.escape(texts)}</pre>"
    (home / "run.html").write_text(shown, "utf-8")
    (home / "pre.html").write_text(plain, "utf-8")
    page_took, pre_took = _painted(chromium, home / "run.html", home / "pre.html")
    return [*found, result(painted, "ms", page_took, pre_took, ratio=2)]


def _run(path: Path) -> SharedRun:
    opened = next(open_runs(path).entries()).open()
    study = Study(build(opened.events(), stats=opened.stats))
    run = study.trajectory
    return SharedRun(Conversation("c", title="Made up"), study, run.steps, hidden_events(run))


def _html(path: Path) -> Iterator[str]:
    return FORMATS["html"].write(run := _run(path), Sink(run))


def _markdown(path: Path) -> Iterator[str]:
    return markdown(run := _run(path), Sink(run))


def _timed(pieces: Iterator[str]) -> float:
    began = time.process_time()
    for _ in pieces:
        pass
    return time.process_time() - began


def _held(path: Path) -> float:
    """The most that is held at once beyond the run and what is told of it, in MB."""
    run = _run(path)
    for _ in page(run, Sink(run)):  # its study is made, and what is cached is
        pass
    tracemalloc.start()
    for _ in page(run, Sink(run)):
        pass
    most = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return most


_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def _painted(chromium: str, *files: Path) -> list[float]:
    api = import_module("playwright.sync_api")
    times: list[list[float]] = [[] for _ in files]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(ROUNDS):
            for kept, file in zip(times, files, strict=True):
                opened = browser.new_page()
                opened.goto(file.as_uri())
                kept.append(float(opened.wait_for_function(_PAINT).json_value()))
                opened.close()
        browser.close()
    return [middle(each) for each in times]

"""Any JSON in any file of a tar: nothing raises, and each run is listed as it would be alone."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.documents import holds_run, read_document
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.table import open_runs
from tests.trajectory.evaluation_files import history, lines, row
from tests.trajectory.foreign.test_documents import ATIF, CHAT, ROWS, TOPS, V0, joined
from tests.trajectory.formats.test_tar_in_tar import packed
from tests.trajectory.formats.test_tar_runs import Files, conversation, tar

FIELDS = st.sampled_from(
    ["instance_id", "resolved", "cost", "resolved_ids", "error_ids", "main_output", "summary",
     "filename", "lines", "critic_files", "llm", "total_cost", "model", "rewards"]
)  # fmt: skip
ABOUT = st.dictionaries(FIELDS, TOPS | st.sampled_from(["a", ["a"], 0.5, -1, 10**30]), max_size=4)
"""What may stand beside runs."""

RUNS = st.sampled_from([V0, ATIF, CHAT, {"messages": CHAT}, row("a", history(1))])
DOCUMENTS = RUNS | ROWS | TOPS
FOLDERS = st.sampled_from(["", "x/", "x/y/", "conversations/"])
NAMES = st.sampled_from(["trajectory.json", "a.json", "b.json", "eval_a.json", "TASKS.json"])


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@st.composite
def tars(draw: st.DrawFn, deep: bool = False) -> tuple[Files, list[bytes]]:
    """The files of a tar, and the documents among them."""
    files: Files = {}
    for _ in range(draw(st.integers(0, 4))):
        name = draw(FOLDERS) + draw(NAMES)
        files[name] = encoded(draw(DOCUMENTS))
    documents = list(files.values())
    if draw(st.booleans()):
        rows = draw(st.lists(ROWS | TOPS, max_size=3))
        files[f"{draw(FOLDERS)}output.jsonl"] = lines(rows)
    for name in ("output.report.json", "metadata.json", "cost_report.jsonl", "labels.json"):
        if draw(st.integers(0, 4)) == 0:
            files[draw(FOLDERS) + name] = encoded(draw(ABOUT))
    if draw(st.booleans()):
        files |= conversation(draw(FOLDERS), 1)
    if not deep and draw(st.booleans()):
        inner, more = draw(tars(deep=True))
        files[f"{draw(FOLDERS)}inner.tar.gz"] = packed(inner)
        documents += more
    return files, documents


@given(tars(), st.booleans())
def test_nothing_raises_and_each_document_is_listed(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Files, list[bytes]], is_packed: bool
) -> None:
    files, documents = made
    path = tmp_path_factory.mktemp("t") / "r.tar"
    path.write_bytes(gzip.compress(tar(files)) if is_packed else tar(files))
    alone = [document for document in documents if holds_run(document)]
    try:
        runs = open_runs(path)
        entries = list(runs.entries())
    except Problem:
        assert not alone
        return
    assert len({entry.name for entry in entries}) == len(entries), "each has a name of its own"
    found = []
    for entry in entries:
        try:
            run = entry.open()
        except Problem:
            continue
        Study(joined(run)).compute()
        found.append(texts(run))
    for document in alone:
        try:
            converted = read_document(document, "x")
        except Problem:
            continue
        assert list(converted.events) in found
    assert all(isinstance(told, str) for told in (*runs.problems, *runs.remarks))
    runs.close()


def texts(run: RunFile) -> list[bytes]:
    return [run.read(place) for place in range(len(run))]


@given(st.lists(ABOUT, max_size=3), ABOUT)
def test_any_files_beside_an_output_are_read(
    tmp_path_factory: pytest.TempPathFactory, costs: list[Any], report: Any
) -> None:
    folder = tmp_path_factory.mktemp("t")
    (folder / "output.jsonl").write_bytes(lines([row("a", history(1)), row("b")]))
    (folder / "cost_report.jsonl").write_bytes(lines(costs))
    (folder / "output.report.json").write_bytes(encoded(report))
    runs = open_runs(folder / "output.jsonl")
    entries = list(runs.entries())
    assert [entry.name for entry in entries] == ["a", "b"]
    assert len(entries[0].open()) == 5
    for entry in entries:
        cost = entry.info["cost"]
        assert cost is None or 0 < cost < 10**9
    assert all(isinstance(told, str) for told in (*runs.problems, *runs.remarks))
    runs.close()


MANY = {
    "documents of one name": lambda n: {f"{k}/trajectory.json": encoded(V0[:2]) for k in range(n)},
    "runs of one name": lambda n: {
        f"{k}/run/base_state.json": b'{"id": "x", "agent": {}}' for k in range(n)
    },
    "tars": lambda n: {f"{k}.tar": tar(conversation("", 1)) for k in range(n // 4)},
    "rows of one id": lambda n: {"output.jsonl": lines([row("a")] * n)},
    "outputs": lambda n: {f"{k}/output.jsonl": lines([row("a")]) for k in range(n // 4)},
}


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", MANY)
def test_four_times_as_many_take_about_four_times_as_long(tmp_path: Path, name: str) -> None:
    spent = []
    for count in (500, 2_000):
        path = tmp_path / f"{count}.tar.gz"
        path.write_bytes(gzip.compress(tar(MANY[name](count)), 1))
        began = time.process_time()
        runs = open_runs(path)
        assert len(list(runs.entries())) >= count // 4
        spent.append(time.process_time() - began)
        runs.close()
    assert spent[1] < 8 * spent[0] + 0.3

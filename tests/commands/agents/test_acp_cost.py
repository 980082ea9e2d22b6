"""The cost of an agent that speaks ACP: its SDK makes some costs up, and adds others twice. So each
is marked, and none is in a sum."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.batch.over_time import table_of
from oh_tui.batch.run_stats import Summand, summed
from oh_tui.commands.across_runs.stats import print_before, print_lines, print_table_of
from oh_tui.commands.framework.printing import Style
from oh_tui.conversation import Conversation, WholeMetrics
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.model.usage import Cost
from tests.commands import schemas
from tests.commands.shell import Shell, shell
from tests.tui.explorer import explore
from tests.tui.screens.test_board_of_runs import board, text

__all__ = ["shell"]

AT = "2026-12-01T04:32:{:02}.5"
BASE: dict[str, Any] = {"source": "agent", "is_error": False}
CALL = {"kind": "ACPToolCallEvent", "tool_call_id": "t2", "title": "Edit a.txt"}
EVENTS: list[dict[str, Any]] = [
    {"kind": "MessageEvent", "source": "user",
     "llm_message": {"role": "user", "content": [{"type": "text", "text": "Change a.txt"}]}},
    {**CALL, "status": "in_progress", "tool_kind": "edit", "raw_input": {"path": "a.txt"}},
    {**CALL, "status": "completed", "tool_kind": "edit", "raw_input": {"path": "a.txt"},
     "content": [{"type": "diff", "path": "a.txt", "old_text": "one\n", "new_text": "two\n"}]},
    {"kind": "ConversationStateUpdateEvent", "source": "environment", "key": "execution_status",
     "value": "finished"},
]  # fmt: skip
"""What an ACP agent leaves behind (1.58.2)."""


def written(folder: Path, usage: str, cost: float, name: str = "run") -> str:
    metrics = {"model_name": name, "accumulated_cost": cost, "accumulated_token_usage": {
        "prompt_tokens": 4200, "completion_tokens": 300}, "costs": []}  # fmt: skip
    base = {"id": name[0].encode().hex() * 16, "title": name, "execution_status": "finished",
            "agent": {"llm": {"model": name[:3]}},
            "stats": {"usage_to_metrics": {usage: metrics}}}  # fmt: skip
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr("base_state.json", json.dumps(base))
        for n, event in enumerate(EVENTS):
            own = {"id": f"{name}-{n}", "timestamp": AT.format(n)}
            archive.writestr(f"events/event-{n:05}-{n}.json", json.dumps(BASE | event | own))
    return str(folder / f"{name}.zip")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two ordinary runs, of $0.25 and $0.50; one of an ACP agent that costs ~$0.06, and one that
    told no cost."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "runs"
    folder.mkdir()
    for usage, cost, name in (
        ("agent", 0.25, "llm-a"), ("agent", 0.5, "llm-b"),
        ("acp-managed", 0.0556, "acp"), ("acp-managed", 0.0, "not told"),
    ):  # fmt: skip
        written(folder, usage, cost, name)
    return folder


class Ask:
    """`ask("why", path)` runs a command in this process and gives what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> str:
        cli.main([*map(str, words)])
        return self._capsys.readouterr().out

    def json(self, *words: str | Path) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    return Ask(capsys)


@pytest.mark.parametrize(
    ("usage", "cost", "words"),
    [
        ("acp-managed", 0.0556, ", ~$0.06"),
        ("acp-managed", 0.0, "price unknown"),
        ("agent", 0.0556, ", $0.06"),
    ],
)
def test_it_has_a_mark(usage: str, cost: float, words: str, tmp_path: Path, ask: Ask) -> None:
    path = written(tmp_path, usage, cost)
    assert words in ask("why", path)
    found = ask.json("why", path)
    schemas.check("why", found)
    steps = ask.json("steps", path)
    schemas.check("steps", steps)
    (row,) = ask.json("conversations", path)["conversations"]
    for told in (found["conversation"], steps["conversation"], steps["totals"], row):
        assert ("cost_is_estimate" in told) is ("~" in words)
        assert told["cost"] == (cost or None), "0 is not told"
    assert ("~$0.06" in ask("conversations", path)) is ("~" in words)


@pytest.mark.parametrize(
    ("kind", "tags", "is_estimate"),
    [
        ("acp", {}, True),
        (None, {"acpserver": "codex"}, True),
        ("openhands", {"acpserver": "codex"}, False),
        (None, {}, False),
    ],
)
def test_so_it_has_in_a_list_of_a_server(
    kind: str | None, tags: dict[str, str], is_estimate: bool
) -> None:
    one = Conversation("c", metrics=WholeMetrics(0.0556), agent_kind=kind, tags=tags)
    assert one.price == Cost(0.0556, False, is_estimate)
    assert Conversation("c", metrics=WholeMetrics(0.0), agent_kind="acp").price.words == ""


def test_exports_mark_it(runs: Path, ask: Ask, tmp_path: Path) -> None:
    atif = json.loads(ask("export", runs / "acp.zip", "--to", "atif"))
    assert atif["final_metrics"]["total_cost_usd"] == 0.0556
    assert atif["final_metrics"]["extra"]["oh_tui"]["cost_is_estimate"]
    (tmp_path / "acp.json").write_text(json.dumps(atif))
    assert "~$0.06" in ask("conversations", tmp_path / "acp.json"), "read again"
    traces = ask("export", runs / "acp.zip", "--to", "otlp")
    assert '{"key": "openhands.cost_is_estimate", "value": {"boolValue": true}}' in traces
    assert "~$0.06" in ask("export", runs / "acp.zip").replace("\\", "")
    ask("export", runs / "acp.zip", "--to", "html", "-o", tmp_path / "page.html", "--yes")
    assert "~$0.06" in (tmp_path / "page.html").read_text("utf-8")
    other = ask("export", runs / "llm-a.zip", "--to", "atif") + ask(
        "export", runs / "llm-a.zip", "--to", "otlp"
    )
    assert "cost_is_estimate" not in other


def test_no_sum_has_it(runs: Path, ask: Ask) -> None:
    def check() -> None:
        found = ask.json("stats", runs, "--by", "model")
        schemas.check("stats", found)
        groups = {one["names"]["model"]: one for one in found["groups"]}
        for sums, known, cost, estimates in (
            (found["total"], 2, 0.75, 1), (groups["llm"], 2, 0.75, 0), (groups["acp"], 0, None, 1)
        ):  # fmt: skip
            assert (sums["cost"]["known"], sums["cost"]["total"]) == (known, cost)
            assert sums["cost_estimated_runs"] == estimates
        assert "price unknown" not in ask("stats", runs), "too long for a cell"
        head, *lines = ask("stats", runs, "--by", "day", "--csv").splitlines()
        (row,) = (dict(zip(head.split(","), line.split(","), strict=True)) for line in lines)
        assert (row["cost_total"], row["cost_estimated_runs"]) == ("0.75", "1")

    check()
    ask("index", runs)
    check()  # by the index
    sql = "select title, cost, cost_is_estimate from runs order by cost"
    lines = ask("query", sql, "--json").splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == [
        ("not told", None, 0), ("acp", 0.0556, 1), ("llm-a", 0.25, 0), ("llm-b", 0.5, 0)
    ]  # fmt: skip


def test_tables_of_runs_tell_it(runs: Path, ask: Ask, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    ask("export", runs, "--to", "parquet", "-o", tmp_path / "tables")
    ask("export", runs, "--to", "jsonl", "-o", tmp_path / "tables")
    (file,) = (tmp_path / "tables").rglob("runs*.parquet")
    (lines,) = (tmp_path / "tables").rglob("runs*.jsonl")
    for found in (
        parquet.read_table(file).to_pylist(),
        list(map(json.loads, lines.read_text("utf-8").splitlines())),
    ):
        marks = {one["title"]: (one["cost"], one["cost_is_estimate"]) for one in found}
        assert marks == {
            "llm-a": (0.25, False), "llm-b": (0.5, False),
            "acp": (0.0556, True), "not told": (None, False),
        }  # fmt: skip


def test_medians_of_pairs_leave_it_out(runs: Path, ask: Ask) -> None:
    found = ask.json("compare", runs, runs)
    schemas.check("compare", found)
    assert (found["totals"]["pairs"], found["totals"]["cost"]["pairs"]) == (4, 2)
    assert "cost is without 1 pair with an ACP run" in ask("compare", runs, runs)
    one = ask.json("compare", runs / "acp.zip", runs / "llm-a.zip")
    schemas.check("compare", one)
    assert "cost_is_estimate" in one["a"] and "cost_is_estimate" not in one["b"]


def summands(*costs: tuple[int, float | None, bool]) -> list[Summand]:
    nothing: Any = [None] * len(Summand._fields)
    empty = Summand(*nothing)._replace(
        model="m", steps=1, failed_commands=0, errors=0, rejected=0, loop_steps=0, verdict="saved"
    )
    return [
        empty._replace(began=86_400.0 * day, cost=cost, cost_is_estimate=is_estimate)
        for day, cost, is_estimate in costs
    ]


def test_a_terminal_says_so_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    style = Style(room=120)
    every = summands((1, 0.25, False), (1, 9.0, True), (2, 0.5, False), (2, None, False))
    table = table_of(every, ["day"])
    total = summed((), every)
    assert table.trend is not None
    print_lines(style, table.trend)
    print_table_of(style, ["day"], table.groups, total)
    print_before(style, total, summed((), every[1:2]), "before")
    said = capsys.readouterr().out
    assert "cost without 1 ACP run\n" in said, "beside the lines over time"
    assert "$0.25+" in said, "in the row of the first day"
    facts = "4 runs, $0.75+ without 1 ACP run, the cost of 1 run is not known"
    assert facts in said, "below the table"
    assert "cost a run $0.38 without 1 ACP run, was price unknown without 1 ACP run" in said


async def test_the_explorer_says_so(runs: Path) -> None:
    async with explore(source=lambda: FileSource([runs])) as it:
        await it.until(
            lambda: "at least $0.75 · 4 conversations · without 1 ACP run" in it.text("#header")
        )
        view = await board(it)
        await it.until(lambda: "$0.75+ without 1 ACP run" in text(it, view, "#board-rule"))
        assert "without 1 ACP run" not in text(it, view, "#groups"), "too long for a cell"
        assert "the cost of 1 run is not known" in text(it, view, "#board-rule")


def test_the_status_of_a_server_says_so(shell: Shell) -> None:
    found = json.loads(shell("status --json").out)
    schemas.check("status", found)
    assert found["estimates"] == 1

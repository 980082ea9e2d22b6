"""Commands on one run of a file with many: `PATH#ID`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.commands.schemas import check
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, metrics, row, write
from tests.trajectory.formats.test_results_tar import results
from tests.trajectory.formats.test_tar_runs import conversation, link, tar

PATCH = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"

ROWS = [
    row("acme-1", history(2, failed=[1]), metrics=metrics([0.25, 0.5])),
    row("acme-12", history(1), test_result={"git_patch": PATCH}),
    row("other-3", history(1, finish=False), error="No container"),
]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    report = {"resolved_ids": ["acme-12"], "unresolved_ids": ["acme-1"], "error_ids": ["other-3"]}
    (tmp_path / "output.report.json").write_text(json.dumps(report))
    return write(tmp_path / "output.jsonl", ROWS)


@pytest.mark.parametrize("wanted", ["acme-1", "1", "acme-1@1"])
def test_every_command_on_a_run_takes_one_of_a_file(output: Path, wanted: str) -> None:
    place = f"{output}#{wanted}"
    told = json.loads(oh_tui("show", place, "--json").stdout)
    assert (told["conversation"]["id"], told["events"]) == ("acme-1", 7)
    assert told["conversation"]["label"] == "unresolved"
    steps = json.loads(oh_tui("steps", place, "--json").stdout)
    assert [step["outcome"] for step in steps["steps"]][:2] == ["ok", "command failed"]
    assert len(oh_tui("events", place).stdout.splitlines()) == 7
    assert "7 events, 3 calls: 2 ok, 1 failed" in oh_tui("check", place).stdout
    assert oh_tui("export", place).stdout.startswith("# acme-1")
    assert oh_tui("count", place).stdout == "file\t7\t\n"
    listed = json.loads(oh_tui("conversations", place, "--json").stdout)["conversations"]
    assert [one["id"] for one in listed] == ["acme-1"]


def test_why_tells_the_label_beside_what_the_agent_said(output: Path) -> None:
    why = oh_tui("why", f"{output}#acme-1")
    assert why.stdout.startswith("finished, unresolved after 3.5 s of work, 4 steps, $0.75")
    told = json.loads(oh_tui("why", f"{output}#2", "--json").stdout)
    assert told["conversation"]["label"] == "resolved"
    assert told["verdict"]["word"] == "finished"
    assert "error, evaluation error" in oh_tui("why", f"{output}#other").stdout


@pytest.mark.parametrize("command", ["show", "steps", "why", "changes", "check", "count"])
def test_documents_keep_to_their_schemas(output: Path, command: str) -> None:
    for number in ("1", "2", "3"):
        check(command, json.loads(oh_tui(command, f"{output}#{number}", "--json").stdout))


def test_the_document_of_the_list_keeps_to_its_schema(output: Path) -> None:
    check("conversations", json.loads(oh_tui("conversations", output, "--json").stdout))


def test_the_list_has_labels_and_is_narrowed_by_them(output: Path) -> None:
    done = oh_tui("conversations", output)
    states = [line.split("\t")[:2] for line in done.stdout.splitlines()]
    assert states == [
        ["acme-1", "finished, unresolved"],
        ["acme-12", "finished, resolved"],
        ["other-3", "error, evaluation error"],
    ]
    only = oh_tui("conversations", output, "is:resolved").stdout
    assert [line.split("\t")[0] for line in only.splitlines()] == ["acme-12"]


def test_the_list_tells_the_sums_of_a_cost_report(output: Path) -> None:
    sums = {"main_output": {"filename": "output.jsonl", "lines": 3, "cost": 4.2}}
    (output.parent / "cost_report.jsonl").write_text(json.dumps(sums))
    told = "cost_report.jsonl tells $4.20 for 3 rows"
    assert told in oh_tui("conversations", str(output)).stderr
    document = json.loads(oh_tui("conversations", str(output), "--json").stdout)
    check("conversations", document)
    assert document["remarks"] == [told]


def test_the_patch_is_among_the_changes(output: Path) -> None:
    done = oh_tui("changes", f"{output}#acme-12")
    assert "the patch that it handed in changes 1 file +1 -1" in done.stderr
    assert "x.py" in done.stdout
    told = json.loads(oh_tui("changes", f"{output}#acme-12", "--json").stdout)
    assert told["patch"] == [{"path": "x.py", "letter": "M", "added": 1, "removed": 1}]
    assert told["files"][0]["patch"] == "M"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("why", "{}"), "There are 3 runs in"),
        (("why", "{}#acme"), "2 runs in {} begin with acme"),
        (("why", "{}#nosuch"), "There is no run nosuch in {}, which has 3 runs"),
        (("why", "{}#4"), "There is no run 4"),
        (("why", "{}x#4"), "There is no file or folder {}x#4"),
    ],
)
def test_what_is_not_one_run_is_refused(output: Path, words: tuple[str, str], told: str) -> None:
    done = oh_tui(words[0], words[1].format(output))
    assert (done.returncode, done.stdout) == (2, "")
    assert told.format(output) in done.stderr


def test_a_file_with_the_sign_in_its_name_wins(output: Path) -> None:
    odd = write(output.parent / "output.jsonl#1", [row("odd", history(1))])
    assert json.loads(oh_tui("show", odd, "--json").stdout)["conversation"]["id"] == "odd"
    assert oh_tui("show", f"{odd}#odd").returncode == 0
    told = json.loads(oh_tui("show", f"{output}#2", "--json").stdout)
    assert told["conversation"]["id"] == "acme-12"


def test_a_row_that_is_no_run_is_refused_and_the_others_are_not(output: Path) -> None:
    output.write_bytes(output.read_bytes() + b'{"instance_id": "x", "cost": 5}\n{"instance')
    done = oh_tui("why", f"{output}#x")
    assert done.returncode == 2
    assert "output.jsonl, row 4 is not in a format that oh-tui reads" in done.stderr
    done = oh_tui("conversations", output)
    assert len(done.stdout.splitlines()) == 4
    assert "output.jsonl, row 5 is still being written" in done.stderr


def test_commands_read_the_runs_of_a_tar(tmp_path: Path) -> None:
    files = conversation("acme-1/", 3, cost=0.25) | conversation("acme-2/", 5, cost=0.1)
    path = tmp_path / "runs.tar.gz"
    path.write_bytes(gzip.compress(tar(files, link("acme-2/events/event-00099-x.json"))))
    listed = oh_tui("conversations", path)
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == ["acme-1", "acme-2"]
    assert "runs.tar.gz holds 1 link, which is not read: acme-2/events/event-00099" in listed.stderr
    assert oh_tui("why", f"{path}#acme-2").stdout.startswith(
        "finished after 6.5 s of work, 7 steps"
    )
    for number, (calls, cost) in enumerate([(3, 0.75), (5, 0.5)], 1):
        told = json.loads(oh_tui("steps", f"{path}#{number}", "--json").stdout)
        # the message, the calls and the finish call
        assert len(told["steps"]) == calls + 2
        assert told["totals"]["cost"] == pytest.approx(cost)


def test_commands_read_the_rows_of_an_output_in_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "results.tar.gz"
    path.write_bytes(gzip.compress(tar(results())))
    listed = oh_tui("conversations", tmp_path).stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == [
        "acme-1", "acme-2", "acme-2@2", "acme-3", "other",
    ]  # fmt: skip
    assert oh_tui("why", f"{path}#acme-3").stdout.startswith("finished, unresolved after")
    told = json.loads(oh_tui("steps", f"{path}#acme-2", "--json").stdout)
    assert (len(told["steps"]), told["totals"]["cost"]) == (6, 2.0)

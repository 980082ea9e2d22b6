"""`oh-tui context`: the messages that the model got, as JSON and for people."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.commands.context import COLUMNS
from oh_tui.text import redact
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from tests.commands import schemas
from tests.commands.conftest import IDS
from tests.demo_runs import demo_events, demo_run
from tests.processes import oh_tui
from tests.trajectory.sub_agent_files import REPORTED, run_files, zip_of

DATES = IDS["week-dates"]

TOKEN = "ghp_" + "a1B2" * 9
"""A secret of the run."""

OWN = "key-of-this-machine-42"


def told(*words: str | Path) -> dict[str, Any]:
    done = oh_tui("context", *words, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    schemas.check("context", document)
    return document


@pytest.fixture
def secret_run(tmp_path: Path) -> Path:
    """The run with secrets in a result that the model got."""
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps({"id": DATES, "title": "Dates"}))
        for place, event in enumerate(demo_events("week-dates")):
            raw = event.raw().replace(b"2 failed, 45 passed", f"{TOKEN} {OWN}".encode())
            archive.writestr(f"event_{place:06}_{event.id}.json", raw)
    return path


def test_the_messages_are_those_of_the_context(run_file: Path) -> None:
    found = told(run_file, "--at", "58")
    study = Study(demo_run("week-dates"))
    seen = study.contexts.at(study.contexts.made(58))
    assert found["messages"] == redact.redact_json(seen.dump())
    assert [one["event_ids"] for one in found["about"]] == [
        list(one.event_ids) for one in seen.messages
    ]
    assert [one["step"] for one in found["about"] if one["new"]] == [57, 57]
    assert found["step"] == 58 and found["rules"]["certain"]
    assert "tool parameters" in [gap["name"] for gap in found["gaps"]]
    usage = found["usage"]
    assert usage["fill"] == round(usage["prompt"] / usage["window"], 4)
    assert told(run_file)["step"] == study.contexts.answers[-1].step


def test_a_difference_names_what_came_what_went_and_what_stands_for_it(run_file: Path) -> None:
    found = told(run_file, "--at", "58", "--diff", "46")
    differs, messages = found["difference"], found["messages"]
    assert differs["from"] == 46
    assert {one["forgotten_by"] for one in differs["went"]} == {47}
    (replaced,) = differs["replaced"]
    stands = found["about"][replaced["by"]]["event_ids"]
    assert stands[-1].endswith("-summary")  # joined with the message of the user before it
    assert replaced["by"] in differs["came"]
    gone = [name for one in differs["went"] for name in one["event_ids"]]
    assert set(replaced["event_ids"]) <= set(gone)
    assert messages[differs["came"][-1]] == messages[-1]
    back = told(run_file, "--at", "46", "--diff", "58")["difference"]
    assert back["replaced"] == [] and len(back["came"]) >= len(differs["went"])


def test_a_table_has_a_row_for_each_message_and_the_rest_on_stderr(run_file: Path) -> None:
    done = oh_tui("context", run_file, "--at", "58")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert rows[-2:] == [
        ["+", "model", "97", "$ git diff --stat", "57"],
        ["+", "result", "368", "4 files changed, 29 insertions(+), 1 deletion(-)", "57"],
    ]
    (summary,) = [row for row in rows if row[0] == "≈"]
    assert summary[3].startswith("in place of steps 2-") and summary[4] == "47"
    assert rows[1][1] == "tools" and "terminal" in rows[1][3]
    head, *notes = done.stderr.splitlines()
    assert head.startswith("oh-tui: step 58: ") and " cached" in head
    assert all(note.startswith("oh-tui: note: ") for note in notes) and notes
    gone = oh_tui("context", run_file, "--at", "58", "--diff", "46").stdout.splitlines()
    assert gone[-1].startswith("-\t") and "  forgotten at 47\t" in gone[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "1"], "No answer of the model made step 1\n        the nearest step that one"),
        (["--at", "999"], "no step or event 999\n        its steps are 1 to 61"),
        (["--at", "12.3"], "no step or event 12.3"),
        (["--diff", "1"], "No answer of the model made step 1"),
        (["--raw"], "--raw is for JSON"),
    ],
)
def test_wrong_use_says_what_is_right(run_file: Path, words: list[str], said: str) -> None:
    done = oh_tui("context", run_file, *words)
    assert (done.returncode, done.stdout) == (2, "") and said in done.stderr


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Events that do not tell which version wrote them; the ids whose server is asked for its."""
    from oh_tui.actions.workspace import Workspaces
    from oh_tui.trajectory.context.sdk_versions import Writer

    asked: list[str] = []

    async def version(self: Workspaces, conversation: Any) -> str:
        asked.append(conversation.id)
        return "1.17.0"

    monkeypatch.setattr(Workspaces, "version", version)
    monkeypatch.setattr(Writer, "take", lambda self, event: None)
    return asked


def test_where_the_events_do_not_tell_the_server_says_whose_rules_hold(
    untold: list[str], capsys: pytest.CaptureFixture[str], run_file: Path
) -> None:
    assert cli.main(["--demo", "context", DATES, "--json"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert (rules["name"], rules["certain"]) == ("SDK 1.17.0", True)
    assert "its server has SDK 1.17.0 now" in rules["why"]
    assert len(untold) == 1
    assert cli.main(["context", str(run_file), "--json"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert (rules["name"], rules["certain"], len(untold)) == ("SDK 1.58", False, 1)


def test_a_server_that_does_not_say_its_version_leaves_what_is_assumed(
    untold: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui.actions.workspace import Workspaces

    async def fails(self: Workspaces, conversation: object) -> str:
        raise Problem("the sandbox is silent")

    monkeypatch.setattr(Workspaces, "version", fails)
    assert cli.main(["--demo", "context", DATES]) == 0
    said = capsys.readouterr().err
    assert "the sandbox is silent" in said and "rules of SDK 1.58" in said


def test_a_server_is_not_asked_where_the_events_tell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oh_tui.actions.workspace import Workspaces

    monkeypatch.delattr(Workspaces, "version")
    assert cli.main(["--demo", "context", DATES]) == 0
    assert "rules of SDK 1.26.1 or newer" in capsys.readouterr().err


def test_a_step_of_a_sub_agent_is_named_by_its_path(tmp_path: Path) -> None:
    run = zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/", REPORTED))
    found = told(run, "--at", "2.3")
    assert found["step"] == "2.3"
    assert {one["step"] for one in found["about"]} <= {None, "2.1", "2.2"}
    done = oh_tui("context", run, "--at", "2.3", "--diff", "2")
    assert done.returncode == 2 and "different agents" in done.stderr


def test_secrets_are_hidden_and_raw_hides_the_keys_of_this_machine(secret_run: Path) -> None:
    redact.hold(OWN)
    masked = oh_tui("context", secret_run, "--json").stdout
    assert TOKEN not in masked and OWN not in masked
    assert TOKEN not in oh_tui("context", secret_run).stdout
    done = oh_tui("context", secret_run, "--json", "--raw")
    assert TOKEN in done.stdout and OWN not in done.stdout
    assert "secrets that the run has are not hidden" in done.stderr
    schemas.check("context", json.loads(done.stdout))


def test_raw_texts_are_not_printed_to_a_terminal(
    secret_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert cli.main(["context", str(secret_run), "--json", "--raw"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "--yes prints it all the same" in said.err
    assert cli.main(["context", str(secret_run), "--json", "--raw", "--yes"]) == 0
    assert TOKEN in capsys.readouterr().out


def test_a_run_without_an_answer_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps({"id": DATES}))
        for place, event in enumerate(demo_events("week-dates")[:3]):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    done = oh_tui("context", path)
    assert done.returncode == 2 and "the model has not answered yet" in done.stderr


def test_steps_can_be_filtered_by_how_full_it_was(run_file: Path, tmp_path: Path) -> None:
    done = oh_tui("steps", run_file, "context:>20%", "--json")
    assert done.returncode == 0 and done.stderr == ""
    steps = json.loads(done.stdout)["steps"]
    assert steps and all(step["context_fill"] > 0.2 for step in steps)
    sums = tmp_path / "sums.zip"
    with zipfile.ZipFile(sums, "w") as archive:
        archive.writestr("meta.json", json.dumps({"id": DATES}))
        for place, event in enumerate(demo_events("week-dates")):
            if event.key != "full_state":
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    done = oh_tui("steps", sums, "context:>20%")
    assert done.stdout == "" and "left out: the context fill of 5" in done.stderr
    assert "steps is not known" in done.stderr
    found = oh_tui("grep", "context:>20%", sums)
    assert found.returncode == 2 and "left out: the context fill of 5" in found.stderr
    assert oh_tui("grep", "context:>20%", run_file).returncode == 0


def test_why_says_how_full_it_was_when_it_was_condensed(run_file: Path) -> None:
    assert "47  the context was 21% full when it was condensed" in oh_tui("why", run_file).stdout
    told = json.loads(oh_tui("why", run_file, "--json").stdout)
    schemas.check("why", told)
    (condensed,) = [one for one in told["before"] if one["what"] == "history condensed"]
    assert condensed["steps"] == [47] and condensed["fill"] == [0.2116]

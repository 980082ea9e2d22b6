"""`oh-tui export --to chat`: contexts with their answers as JSON lines, of one run and of many."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.actions.workspace import Workspaces
from oh_tui.batch.worker import RunFacts
from oh_tui.conversation import Conversation
from oh_tui.sharing.jobs import ChatJob, Left, answers_of, chat_lines
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.trajectory import chat
from oh_tui.trajectory.context.sdk_versions import Writer
from oh_tui.trajectory.findings.study import Study
from scripts.many_runs import Maker, write_outputs
from tests.commands.conftest import IDS
from tests.demo_runs import demo_events, demo_run
from tests.processes import oh_tui

MAKER = Maker(seed=8, events=16)
NAMES = sorted(MAKER.made(number).name for number in range(10))

FIELDS = ["id", "step", "messages", "tools", "answer", "usage", "label"]

TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_outputs(tmp_path / "runs", 10, MAKER, part=5)
    return tmp_path / "runs"


def chats(*words: str | Path) -> list[dict[str, Any]]:
    done = oh_tui("export", *words, "--to", "chat")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(*words: str | Path) -> str:
    done = oh_tui("export", *words)
    assert done.returncode == 2 and done.stdout == ""
    return done.stderr


def test_a_run_is_its_last_context_with_the_answer(run_file: Path) -> None:
    (line,) = chats(run_file)
    assert list(line) == FIELDS
    seen = json.loads(oh_tui("context", run_file, "--json").stdout)
    assert (line["messages"], line["usage"]) == (seen["messages"], seen["usage"])
    assert line["id"] == IDS["week-dates"] and line["step"] == seen["step"] == 61
    assert line["answer"]["role"] == "assistant" and line["answer"]["tool_calls"]
    assert "terminal" in line["tools"] and line["label"] is None
    assert chats("--demo", IDS["week-dates"])[0]["messages"] == line["messages"]


def test_a_server_says_whose_rules_hold_where_the_events_do_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 1.26 two messages of the user that follow each other were sent as two."""
    asked: list[str] = []

    async def version(self: Workspaces, conversation: Conversation) -> str:
        asked.append(conversation.id)
        return "1.17.0"

    def messages(*words: str) -> list[Any]:
        assert cli.main([*words]) == 0
        found: list[Any] = json.loads(capsys.readouterr().out)["messages"]
        return found

    export, dates = ("--demo", "export", "--to", "chat"), IDS["week-dates"]
    monkeypatch.setattr(Workspaces, "version", version)
    told = messages(*export, dates)
    assert asked == [], "its events tell"
    monkeypatch.setattr(Writer, "take", lambda self, event: None)
    assert messages(*export, dates) == messages("--demo", "context", dates, "--json")
    assert len(asked) == 2 and told


def test_each_answer_follows_from_the_context_before_it(run_file: Path) -> None:
    done = oh_tui("export", run_file, "--to", "chat", "--every", "answer")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    study = Study(demo_run("week-dates"))
    assert [line["step"] for line in found] == [one.step for one in study.contexts.answers]
    size, *leaves = done.stderr.splitlines()
    assert size == "oh-tui: about 1.0 MB of text: 57 contexts of 1 run"
    assert leaves[0] == f"oh-tui: what leaves: {len(study.trajectory)} steps of 1 run"
    for line, later in pairwise(found):
        counts = len(line["messages"]), len(later["messages"])
        assert line["answer"] in later["messages"] or counts[1] < counts[0]


def test_the_size_that_is_told_is_that_of_all_contexts() -> None:
    study = Study(demo_run("week-dates"))
    shared = SharedRun(Conversation(id="x"), study, study.trajectory.steps)
    answers = answers_of(shared, every=True)
    contexts = map(study.contexts.at, answers)
    whole = sum(message.chars for context in contexts for message in context.messages)
    assert chat.chars_of(study, answers) == pytest.approx(whole, rel=0.01)
    assert answers_of(shared, every=False) == answers[-1:]


def test_of_many_runs_each_has_a_line(runs: Path, tmp_path: Path) -> None:
    assert sorted(line["id"] for line in chats(runs)) == NAMES
    target = tmp_path / "chat.jsonl"
    done = oh_tui("export", runs, "--to", "chat", "-o", target)
    assert done.stdout == "" and "wrote 10 lines of 10 runs to" in done.stderr
    assert [path.name for path in tmp_path.iterdir()].count("chat.jsonl") == 1
    model = MAKER.made(0).model
    wanted = [one.name for one in map(MAKER.made, range(10)) if one.model == model]
    assert sorted(line["id"] for line in chats(runs, f"model:{model}")) == sorted(wanted)


def test_shards_share_the_runs(runs: Path) -> None:
    found = [line["id"] for n in (2, 1, 3) for line in chats(runs, "--shard", f"{n}/3")]
    assert sorted(found) == NAMES


def test_wrong_use_says_what_is_right(runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "there.jsonl"
    target.write_text("mine")
    assert "is there already" in refused(runs, "--to", "chat", "-o", target)
    assert target.read_text() == "mine"
    assert "one file" in refused(runs, "--to", "chat", "-o", tmp_path)
    assert "--every is for --to chat" in refused(runs, "--every", "run")
    assert "for runs in files" in refused("--demo", IDS["week-dates"], "is:failed", "--to", "chat")


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    rows = ['{"instance_id":"bad","history":[}', json.dumps(MAKER.row(0))]
    (tmp_path / "x.jsonl").write_text("\n".join(rows) + "\n")
    done = oh_tui("export", tmp_path / "x.jsonl", "--to", "chat")
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 1
    assert "row 1 is not JSON" in done.stderr
    words = ("--to", "chat", "-o", tmp_path / "chat.jsonl", "--json")
    done = oh_tui("export", tmp_path / "x.jsonl", *words)
    assert json.loads(done.stdout) == {"runs": 1, "lines": 1, "unread": 1}


def test_runs_without_an_answer_are_counted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        archive.writestr("meta.json", json.dumps({"id": IDS["week-dates"]}))
        for place, event in enumerate(demo_events("week-dates")[:3]):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    done = oh_tui("export", tmp_path, "--to", "chat")
    assert (done.returncode, done.stdout) == (0, "")
    assert "left out: 1 run in which no answer of the model has a context" in done.stderr


def test_secrets_and_places_of_this_machine_stay_here(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, event in enumerate(demo_events("week-dates")):
            raw = event.raw().replace(b"45 passed", TOKEN.encode())
            archive.writestr(f"event_{place:06}_{event.id}.json", raw)
    done = oh_tui("export", path, "--to", "chat")
    assert TOKEN not in done.stdout and "[hidden]" in done.stdout
    assert str(tmp_path) not in done.stdout


def test_a_worker_hands_over_a_file_and_makes_each_message_once(tmp_path: Path) -> None:
    """What a worker returns is small, whatever the run; and contexts repeat."""
    run, facts = demo_run("week-dates"), RunFacts(Conversation("c", home="c"))
    made = ChatJob(every=True, left=Left(), folder=str(tmp_path))(run, facts).made
    (path,) = tmp_path.iterdir()
    assert Path(made.path) == path and made.lines == 57
    assert path.read_text().count("\n") == 57
    study = Study(demo_run("week-dates"))
    dumped = Counter[object]()
    texts = study.contexts.at(study.contexts.answers[0])._material.texts
    dump = texts.dump
    texts.dump = lambda items: (dumped.update([items]), dump(items))[1]  # type: ignore[method-assign]
    shared = SharedRun(facts.conversation, study, study.trajectory.steps)
    for _ in chat_lines(shared, Sink(shared), every=True):
        pass
    assert max(dumped.values()) <= 2  # in contexts, and as an answer


LOAD = """
import sys
from datasets import load_dataset
found = load_dataset("json", data_files=sys.argv[1], split="train")
print(found.num_rows, found.column_names, found[0]["messages"][0]["role"])
"""


@pytest.mark.slow
def test_datasets_of_hugging_face_load_it(run_file: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("datasets") is None:
        pytest.skip("datasets, of Hugging Face, is not installed")
    target = tmp_path / "chat.jsonl"
    assert oh_tui("export", run_file, "--to", "chat", "--every", "answer", "-o", target)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, target],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_OFFLINE": "1",
        },
        timeout=280,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"57 {FIELDS} system\n"

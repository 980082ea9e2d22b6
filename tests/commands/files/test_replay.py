"""`oh-tui replay`: what it takes to run a run again, and a run whose answers are served."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from oh_tui import runs
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.trajectory.replay.made import body_at

Events = list[dict[str, Any]]


def written(folder: Path, change: Callable[[Events], None] = lambda events: None) -> Path:
    """A run of the demo as a folder of events."""
    events = [json.loads(event.raw()) for event in demo_events("week-dates", "agent")]
    change(events)
    (folder / "run" / "events").mkdir(parents=True)
    for number, event in enumerate(events):
        name = f"event-{number:05}-{event['id']}.json"
        (folder / "run" / "events" / name).write_text(json.dumps(event))
    return folder / "run"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(tmp_path)


def test_check_says_what_the_run_tells_and_which_calls_reach_far(run: Path) -> None:
    done = oh_tui("replay", run, "--check")
    assert done.returncode == 0, done.stderr
    told = json.loads(oh_tui("replay", run, "--check", "--json").stdout)
    assert told["can"] and not told["lacks"] and told["answers"] > 10
    assert "terminal" in told["tools"] and told["folder"].startswith("/")
    assert told["reaching"] and all(one["why"] for one in told["reaching"])
    for one in told["reaching"]:
        assert f"{one['step']}\t{one['what']}\t{one['why']}" in done.stdout
    made = [one["path"] for one in told["needed"]]
    assert len(made) == len(set(made))


def test_a_folder_full_of_other_files_is_read_as_the_run_in_it(run: Path) -> None:
    plain = json.loads(oh_tui("replay", run, "--check", "--json").stdout)
    for folder in (run, run / "events"):
        for number in range(300):
            (folder / f"other-{number}.json").write_text(
                '{"kind": "Other", "id": 1}' * (number % 3)
            )
        (folder / "image.png").write_bytes(b"\x89PNG" + bytes(range(256)) * 400)
        (folder / "loop").symlink_to(folder)
        (folder / "event-00000-none.txt").write_text("{")
        (folder / "event-99999-gone.json").symlink_to(folder / "nowhere")
        (folder / "sub" / "deep").mkdir(parents=True)
    done = oh_tui("replay", run, "--check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found == plain


def test_a_folder_with_other_files_alone_is_refused(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.json").write_text("[" * number)
    for words in (("--check",), ("--serve",), ("--on", "http://127.0.0.1:1")):
        done = oh_tui("replay", tmp_path, *words)
        assert done.returncode == 2 and not done.stdout, done
        assert "Traceback" not in done.stderr and done.stderr.strip()


def without_system(events: Events) -> None:
    events[:] = [one for one in events if one["kind"] != "SystemPromptEvent"]


def masked(events: Events) -> None:
    shown = next(one for one in events if "observation" in one)
    shown["observation"]["content"][0]["text"] = "key [hidden]"


def without_answers(events: Events) -> None:
    events[:] = [one for one in events if one["source"] != "agent" or "system_prompt" in one]


LACKS: dict[Callable[[Events], None], str] = {
    without_system: "no system prompt is in the events",
    masked: "1 event of it is masked: what stood there is lost",
    without_answers: "no answer of a model is in it",
}


@pytest.mark.parametrize("change", LACKS)
def test_what_cannot_run_again_is_refused_with_what_lacks(
    tmp_path: Path, change: Callable[[Events], None]
) -> None:
    path, lacks = written(tmp_path, change), LACKS[change]
    checked = oh_tui("replay", path, "--check", "--json")
    assert checked.returncode == 2 and lacks in json.loads(checked.stdout)["lacks"]
    served = oh_tui("replay", path, "--serve")
    assert served.returncode == 2 and lacks in served.stderr


def test_the_state_beside_the_events_tells_of_the_agent(run: Path) -> None:
    llm = {"model": "openai/gpt-5.1", "api_key": "gAAAAA-encrypted", "native_tool_calling": False}
    agent = {"kind": "Agent", "llm": llm, "condenser": {"kind": "NoOpCondenser"}}
    (run / "base_state.json").write_text(json.dumps({"id": "x", "agent": agent}))
    done = oh_tui("replay", run, "--check", "--json")
    told = json.loads(done.stdout)
    assert (told["model"], told["condenser"]) == ("openai/gpt-5.1", "NoOpCondenser")
    assert done.returncode == 2 and "as text" in told["lacks"][0]
    assert "gAAAAA" not in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Nothing says what to do"),
        (("--on", "http://127.0.0.1:1", "--yes"), "--yes has to name the folder"),
        (("--on", "x", "--workspace", "work"), "is no path from the root on"),
        (("--on", "x", "--workspace", "/"), "/ is the whole machine"),
        (("--on", "x", "--workspace", "/tmp/../."), "/ is the whole machine"),
        (("--on", "x", "--read-only"), "--read-only forbids that"),
        (("--serve", "--map", "a=b"), "does not name two folders"),
        (("--serve", "--written-by", "new"), "is no version"),
        (("--serve", "--check"), "cannot be used together"),
        (("--check", "--on", "here"), "--check starts no agent: --on is for the run on a server"),
        (("--on", "x", "--until", "3"), "--until, --then and --stop-at belong together"),
        (("--on", "x", "--stop-at", "2"), "--until, --then and --stop-at belong together"),
        (
            ("--on", "x", "--workspace", "/tmp/a", "--until", "3", "--then", "big", "--yes"),
            "--then costs money, so --yes has to say how much",
        ),
        (("--check", "--stop-at", "2"), "--stop-at is for the run on a server"),
        (("--on", "x", "--git", "https://a.example/b"), "does not name a repository and a"),
        (("--serve", "--git", "/a@main"), "--git is for the run on a server"),
        (("--serve", "--workspace", "/tmp/a"), "--serve starts no agent: --workspace is for"),
        (("--serve", "--pace", "-1"), "a number from 0 to 100"),
    ],
)
def test_wrong_words_are_said(run: Path, words: tuple[str, ...], told: str) -> None:
    done = oh_tui("replay", run, *words)
    assert done.returncode == 2 and told in done.stderr


def test_a_server_that_is_read_only_in_the_settings_runs_nothing(run: Path) -> None:
    settings = run.parent / "config.toml"
    settings.write_text('[servers.here]\nurl = "http://127.0.0.1:1"\nread_only = true\n')
    done = oh_tui("replay", run, "--on", "here", OH_TUI_CONFIG=str(settings))
    assert done.returncode == 2 and "read_only in the settings file forbids" in done.stderr


@pytest.mark.parametrize("parts", [False, True])
def test_a_run_is_served_until_ctrl_c(run: Path, parts: bool) -> None:
    command = [sys.executable, "-m", "oh_tui", "replay", str(run), "--serve"]
    study = runs.open(run).study
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            head = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
            assert head["LLM_MODEL"].startswith("openai/")
            bodies = [body_at(study, number) for number in range(3)]
            if parts:
                bodies[2]["messages"][-1]["content"] = "quite another result"
            for body in bodies:
                answer = httpx.post(
                    f"{head['LLM_BASE_URL']}/chat/completions",
                    json=body,
                    headers={"Authorization": f"Bearer {head['LLM_API_KEY']}"},
                    trust_env=False,
                    timeout=20,
                )
                assert answer.status_code == 200, answer.text
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    lines = out.splitlines()
    assert [line.endswith("as recorded") for line in lines[:2]] == [True, True]
    count = len(study.contexts.answers)
    assert lines[-1].startswith(f"3 of {count} answers given; ")
    assert ("quite another result" in out) == parts
    assert lines[-1].endswith("; parted" if parts else "; not parted")
    assert process.returncode == (3 if parts else 0)

"""`--without` and `--only`: what is left out is in none of the formats."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import kinds
from tests.hostile.kinds import write_zip
from tests.processes import oh_tui
from tests.trajectory.branched import two, write_run
from tests.trajectory.sub_agent_files import run_files, zip_of

Json = dict[str, Any]

FORMATS = ("md", "jsonl", "atif", "html", "cast", "otlp")

FEW = ("cast", "otlp")
"""Formats that have not all texts anyway: the agent of this run keeps its context itself."""

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"picture-of-the-run" * 40).decode()


def text(of: str) -> list[Json]:
    return [{"type": "text", "text": f"marker-{of}"}]


def call(n: int, kind: str, tool: str, **action: Any) -> Json:
    return {
        "id": f"a{n}",
        "kind": "ActionEvent",
        "source": "agent",
        "tool_name": tool,
        "timestamp": f"2026-01-02T10:00:{n:02}",
        "tool_call_id": f"c{n}",
        "llm_response_id": f"r{n}",
        "thought": text(f"thought-{n}"),
        "reasoning_content": f"marker-thought-reasoning-{n}",
        "thinking_blocks": [{"type": "thinking", "thinking": f"marker-thought-block-{n}"}],
        "responses_reasoning_item": {"id": "rs", "summary": [f"marker-thought-item-{n}"]},
        "action": {"kind": kind, **action},
        "tool_call": {
            "id": f"c{n}",
            "name": tool,
            "arguments": json.dumps({**action, "step": f"kept-call-{n}"}),
        },
    }


def answer(n: int, kind: str, tool: str, **seen: Any) -> Json:
    return {
        "id": f"o{n}",
        "kind": "ObservationEvent",
        "source": "environment",
        "action_id": f"a{n}",
        "timestamp": f"2026-01-02T10:00:{n:02}.5",
        "tool_name": tool,
        "tool_call_id": f"c{n}",
        "observation": {"kind": kind, **seen},
        "extended_content": text(f"result-hook-{n}"),
    }


IMAGE = {"type": "image", "image_urls": [f"data:image/png;base64,{PICTURE}"]}


def events() -> Iterator[Json]:
    """One of each way in which texts stand in a run."""
    yield {
        "id": "m",
        "kind": "MessageEvent",
        "source": "user",
        "timestamp": "2026-01-02T10:00:00",
        "llm_message": {"role": "user", "content": [*text("kept-message"), IMAGE]},
    }
    yield call(1, "TerminalAction", "terminal", command="kept-command")
    yield answer(
        1,
        "TerminalObservation",
        "terminal",
        command="kept-command",
        exit_code=3,
        content=text("result-1"),
        metadata={"exit_code": 3, "prefix": "marker-result-prefix"},
    )
    editor = ("FileEditorAction", "file_editor")
    edited = ("FileEditorObservation", "file_editor")
    yield call(2, *editor, command="create", path="/w/kept-path.py", file_text="marker-file-2")
    yield answer(
        2,
        *edited,
        command="create",
        path="/w/kept-path.py",
        content=text("file-said-2"),
        new_content="marker-file-new-2",
        prev_exist=False,
    )
    yield call(
        3,
        *editor,
        command="str_replace",
        path="/w/kept-path.py",
        old_str="marker-file-3",
        new_str="marker-file-3b",
    )
    yield answer(
        3,
        *edited,
        command="str_replace",
        path="/w/kept-path.py",
        content=text("file-said-3"),
        old_content="marker-file-old",
        new_content="marker-file-n",
    )
    yield call(4, *editor, command="view", path="/w/kept-path.py")
    yield answer(4, *edited, command="view", path="/w/kept-path.py", content=text("file-viewed"))
    yield call(5, "ApplyPatchAction", "apply_patch", patch="*** Add File: x\n+marker-file-patch")
    yield answer(
        5,
        "ApplyPatchObservation",
        "apply_patch",
        content=text("file-patched"),
        commit={"changes": {"x": {"type": "add", "new_content": "marker-file-commit"}}},
    )
    yield call(
        6, "MCPToolAction", "write_file", data={"path": "kept-x", "content": "marker-file-mcp"}
    )
    yield answer(6, "MCPToolObservation", "write_file", content=[*text("file-mcp-said"), IMAGE])
    yield call(7, "BrowserGetStateAction", "browser", include_screenshot=True)
    yield answer(
        7, "BrowserObservation", "browser", content=text("result-7"), screenshot_data=PICTURE
    )
    yield call(8, "ThinkAction", "think", thought="marker-thought-think")
    yield answer(8, "ThinkObservation", "think", content=text("result-8"))
    broken = call(9, "x", "str_replace_editor", file_text="marker-file-unparsed")
    yield broken | {"action": None}
    yield {
        "id": "o9",
        "kind": "AgentErrorEvent",
        "source": "agent",
        "tool_name": "str_replace_editor",
        "tool_call_id": "c9",
        "error": "cannot take marker-file-error",
    }
    yield {
        "id": "acp",
        "kind": "ACPToolCallEvent",
        "source": "agent",
        "tool_call_id": "acp",
        "title": "kept-title",
        "tool_kind": "edit",
        "status": "completed",
        "raw_input": {"path": "kept-y", "content": "marker-file-acp"},
        "content": [
            {"type": "diff", "path": "kept-y", "oldText": "marker-file-acp-old", "newText": "n"}
        ],
        "raw_output": "marker-file-acp-out",
    }
    yield {
        "id": "h",
        "kind": "HookExecutionEvent",
        "source": "hook",
        "hook_event_type": "PostToolUse",
        "stdout": "marker-result-hook",
        "hook_input": {"x": "marker-result-input"},
    }
    yield {
        "id": "log",
        "kind": "LLMCompletionLogEvent",
        "source": "agent",
        "log_data": json.dumps(
            [f"marker-{p}-log" for p in ("result", "file", "thought")] + [PICTURE]
        ),
    }
    yield {
        "id": "cond",
        "kind": "Condensation",
        "source": "environment",
        "forgotten_event_ids": ["m"],
        "summary": "marker-result-sum marker-file-sum marker-thought-sum",
    }
    yield call(10, "FinishAction", "finish", message="marker-kept-answer")
    yield answer(10, "FinishObservation", "finish", content=text("result-10"))


PARTS = {
    "results": ("result", "file-said", "file-viewed", "file-mcp-said", "file-old", "file-new"),
    "files": ("file",),
    "thoughts": ("thought",),
    "images": (),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zip(tmp_path_factory.mktemp("left") / "run.zip", events(), title="kept-title")


@pytest.fixture(scope="module")
def again(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run in another format, whose events are made of it."""
    path = tmp_path_factory.mktemp("left") / "run.json"
    assert oh_tui("export", run, "--to", "atif", "-o", path).returncode == 0
    return path


def exported(path: Path, form: str, *words: str) -> str:
    texts = ("--messages",) if form == "otlp" else ()
    done = oh_tui("export", path, "--to", form, "--yes", *texts, *words)
    assert done.returncode == 0, done.stderr
    return re.sub(r"\\(?=_)", "", done.stdout)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_in_no_format(run: Path, again: Path, part: str, form: str) -> None:
    for path in (run, again):
        before = exported(path, form)
        after = exported(path, form, "--without", part)
        for start in PARTS[part]:
            assert f"marker-{start}" in before or form in FEW
            assert f"marker-{start}" not in after, re.findall(rf"marker-{start}[\w-]*", after)
        if part == "images":
            assert PICTURE[:40] not in after
            assert form in ("md", *FEW) or PICTURE[:40] in before
        for kept in ("marker-kept-message", "marker-kept-answer", "kept-command", "kept-path"):
            assert kept in after
        others = {name: starts for name, starts in PARTS.items() if name not in (part, "images")}
        if part in ("thoughts", "images"):
            for starts in others.values():
                assert any(f"marker-{start}" in after for start in starts)


def test_numbers_and_outcomes_stay(run: Path) -> None:
    lines = [
        [json.loads(line).get("step") for line in exported(run, "jsonl", *words).splitlines()]
        for words in ((), ("--without", "results,files", "--without", "thoughts,images"))
    ]
    for before, after in zip(*lines, strict=True):
        for name in ("index", "kind", "tool", "outcome", "started", "took_s", "result_ids"):
            assert (before or {}).get(name) == (after or {}).get(name)


@pytest.mark.parametrize("form", FORMATS)
def test_only_some_steps_leave(run: Path, form: str) -> None:
    written = exported(run, form, "--only", "2,5-6")
    for n in (1, 4, 5):  # steps 2, 5 and 6
        assert f"marker-thought-{n}" in written or form in FEW
    for n in (2, 3, 6, 7, 8):
        assert f"marker-thought-{n}" not in written
    for marker in ("kept-message", "file-2", "file-mcp", "result-8", "kept-answer", "result-log"):
        assert f"marker-{marker}" not in written


@pytest.mark.parametrize("form", FORMATS)
def test_the_verdict_quotes_no_step_that_stays_here(tmp_path: Path, form: str) -> None:
    error = {
        "id": "e",
        "kind": "ConversationErrorEvent",
        "source": "environment",
        "code": "LLMError",
        "detail": "marker-elsewhere",
    }
    path = write_zip(tmp_path / "run.zip", [*events(), error])
    assert "marker-elsewhere" in exported(path, form)
    assert "marker-elsewhere" not in exported(path, form, "--only", "2")


@pytest.mark.parametrize("branch", ["1", "2", "all"])
def test_a_branch_stays_what_it_is(tmp_path: Path, branch: str) -> None:
    run = write_run(tmp_path / "run", *two())
    before, after = (
        exported(run, "jsonl", "--branch", branch, *words).splitlines()
        for words in ((), ("--without", "images"))
    )
    assert [json.loads(line) for line in before] == [json.loads(line) for line in after]


def test_a_title_that_is_a_message_stays_with_it(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "run.zip", events())
    assert "kept-message" in exported(path, "jsonl", "--only", "1")
    assert "kept-message" not in exported(path, "jsonl", "--only", "2")


def test_each_kind_of_result_is_left_out(tmp_path: Path) -> None:
    numbers = iter(range(10**6))
    told = list(kinds.run(lambda: f"planted-{next(numbers)}-x"))
    path = write_zip(tmp_path / "run.zip", told)
    for form in FORMATS:
        written = exported(path, form, "--without", "results")
        for event in told:
            seen = event.get("observation")
            if not isinstance(seen, dict):
                continue
            known = ("kind", "command", "path", "file_path", "tool_name")
            rest = {name: value for name, value in seen.items() if name not in known}
            rest.get("metadata", {}).pop("working_dir", None) if "metadata" in rest else None
            for marker in re.findall(r"planted-\d+-x", json.dumps(rest)):
                assert marker not in written, (form, seen["kind"])


def test_sub_agents_lack_it_too(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "run.zip", run_files())
    before, after = (
        json.dumps(json.loads(exported(path, "atif", *words))["subagent_trajectories"])
        for words in ((), ("--without", "results"))
    )
    assert "left out" not in before
    # in its result of ATIF, and in the event that it was made from
    assert after.count("result left out") == 2 * before.count("source_call_id") > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--without", "nothing"), "is none of results, files, thoughts, images"),
        (("--without", ","), "is none of"),
        (("--only", "61-40"), "names no steps: 7, 40-61 or 3,40-61 does"),
        (("--only", "last"), "names no steps: 7, 40-61 or 3,40-61 does"),
        (("--only", "0"), "names no steps"),
        (("--only", "1-99999999999"), "'1-99999999999': a step has at most 9 digits"),
        (("--whole",), "--whole is for --to html, cast, otlp"),
        (("--notes", "--to", "cast"), "--notes is for --to md, html, jsonl"),
        (("--messages", "--to", "html"), "--messages is for --to otlp"),
        (("--to", "html", "-o", "folder/"), "--to html writes one run into one file"),
    ],
)
def test_wrong_words_are_said(run: Path, words: tuple[str, ...], said: str) -> None:
    done = oh_tui("export", run, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_range_without_a_step_of_the_run_is_said(run: Path) -> None:
    done = oh_tui("export", run, "--only", "9000")
    assert done.returncode == 0
    assert "no step is in --only: the run has " in done.stderr

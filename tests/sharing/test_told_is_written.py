"""The list of what leaves is that of what is written, whatever the format."""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sharing import what_leaves as module
from oh_tui.sharing.what_leaves import WhatLeaves
from oh_tui.text.sgr import SGR
from tests.hostile import kinds
from tests.hostile.kinds import write_zip
from tests.processes import oh_tui
from tests.sharing.test_left_out import answer, call, text

Json = dict[str, Any]

HOST = re.compile(r"h\d+\.acme\.dev")

IDS = frozenset({
    *("id", "tool_call_id", "action_id", "llm_response_id", "parent_id", "responses_item_id"),
    *("signature", "encrypted_content", "forgotten_event_ids", "timestamp", "kind", "type"),
})  # fmt: skip
"""Fields with ids and data of a provider, of which nothing is told."""

FORMATS: dict[str, tuple[str, ...]] = {
    "md": ("--to", "md", "--notes"),
    "html": ("--to", "html", "--notes", "--whole", "--yes"),
    "jsonl": ("--to", "jsonl", "--notes"),
    "atif": ("--to", "atif"),
    "cast": ("--to", "cast", "--whole"),
    "otlp": ("--to", "otlp"),
    "otlp with messages": ("--to", "otlp", "--messages", "--whole"),
    "chat": ("--to", "chat"),
    "every chat": ("--to", "chat", "--every", "answer"),
    "tables": ("--to", "jsonl", "--shard", "1/1", "-o", "tables"),
}


def planted(events: Iterator[Json], say: Callable[[], str]) -> list[Json]:
    """With a host of its own in each text, but for ids."""

    def plant(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: plant(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [plant(inner, name) for inner in value]
        if not isinstance(value, str) or name in IDS or value in KEPT:
            return value
        if name == "arguments":
            return json.dumps(plant(json.loads(value), "")) if value.startswith("{") else value
        return f"{value} {say()}" if name not in NAMES else value

    return [plant(event, "") for event in events]


KEPT = frozenset({"agent", "user", "environment", "system", "assistant", "tool", "create", "view"})
NAMES = frozenset({"tool_name", "name", "code", "command", "path", "file_path", "role", "source"})
PATHS = frozenset({"working_dir"})
"""Of which the tables make paths of files."""
USERS = frozenset({"username"})
"""Are written before an @ and a host."""


def some(say: Callable[[], str]) -> Iterator[Json]:
    """A run as agents make them: a message, commands, files of many lines, an answer."""
    yield {
        "id": "s",
        "kind": "SystemPromptEvent",
        "source": "agent",
        "timestamp": "2026-01-02T09:59:59",
        "system_prompt": {"type": "text", "text": "Be good."},
        "tools": [],
    }
    yield {
        "id": "m",
        "kind": "MessageEvent",
        "source": "user",
        "timestamp": "2026-01-02T10:00:00",
        "llm_message": {"role": "user", "content": text("task")},
    }
    lines = [f"line {n} {say()}" for n in range(60)]
    after = [*lines[:30], f"new {say()}", *lines[31:]]
    yield call(1, "TerminalAction", "terminal", command=f"curl {say()}")
    yield answer(1, "TerminalObservation", "terminal", exit_code=3, content=text("result"))
    yield call(
        2, "FileEditorAction", "file_editor", command="str_replace", path="/w/a.py", new_str="x"
    )
    yield answer(
        2,
        "FileEditorObservation",
        "file_editor",
        command="str_replace",
        path="/w/a.py",
        content=text("edited"),
        old_content="\n".join(lines),
        new_content="\n".join(after),
        prev_exist=True,
    )
    yield call(3, "MCPToolAction", "fetch", data={"url": "u"})
    yield answer(3, "MCPToolObservation", "fetch", content=text("page"), is_error=True)
    yield {
        "id": "e",
        "kind": "ConversationErrorEvent",
        "source": "environment",
        "code": "LLMError",
        "detail": "broken",
    }


def of_all_kinds(say: Callable[[], str]) -> list[Json]:
    """One of each kind; its ids have no host."""
    events = list(kinds.run(lambda: f"x{say()[8:]}"))

    def bare(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {HOST.sub("key", key): bare(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [bare(inner, name) for inner in value]
        if isinstance(value, str) and HOST.search(value):
            if name in IDS | NAMES | PATHS | USERS:
                return HOST.sub(lambda found: found[0].partition(".")[0], value)
            return value.replace("xh", "https://h")
        return value

    return [bare(event, "") for event in events]


@pytest.fixture(autouse=True)
def _more_than_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10**6)
    monkeypatch.setattr(module, "SHOWN", 10**6)


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Each host with the names of the fields that it is below, for people."""
    if isinstance(value, dict):
        kind = value.get("kind")
        own = (*path, kind) if isinstance(kind, str) else path
        for name, inner in value.items():
            yield from places(inner, (*own, name))
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner, path)
    elif isinstance(value, str):
        for host in hosts_in(value):
            yield host, "/".join(path)


def hosts_in(said: str) -> set[str]:
    return set(HOST.findall(said))


def written_by(form: str, folder: Path, stdout: str) -> str:
    if form == "tables":
        return "".join(path.read_text() for path in (folder / "tables").iterdir())
    if form == "html":
        return html.unescape(re.sub(r"<[^<>]*>", "", stdout)) + stdout
    if form == "cast":
        events = [json.loads(line) for line in stdout.splitlines()]
        return json.dumps(events[0]) + SGR.sub("", "".join(one[2] for one in events[1:]))
    return stdout.replace("\\", "")


@pytest.mark.parametrize(
    ("form", "which"),
    [
        *((form, "some") for form in FORMATS),
        # without a prompt of the system no answer of the latter has a context
        *((form, "all kinds") for form in FORMATS if "chat" not in form),
    ],
)
def test_each_host_that_is_written_is_told_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, which: str
) -> None:
    numbers = itertools.count()

    def say() -> str:
        return f"https://h{next(numbers)}.acme.dev"

    events = planted(some(say), say) if which == "some" else of_all_kinds(say)
    about = {"title": "Title", "llm_model": "model", "selected_repository": "a/b"}
    head = {name: f"{value} {say()}" for name, value in about.items()}
    (tmp_path / "runs").mkdir()
    path = write_zip(tmp_path / "runs" / "run.zip", events, id="ab" * 16, **head)
    monkeypatch.chdir(tmp_path)
    done = oh_tui("export", path, *FORMATS[form])
    assert done.returncode == 0, done.stderr
    told, written = hosts_in(done.stderr), hosts_in(written_by(form, tmp_path, done.stdout))
    where = dict(places(events))
    assert written, "nothing is compared"
    assert {where.get(host, host) for host in written - told} == set()
    assert {where.get(host, host) for host in told - written} == set()


def test_leaves_of_many_runs_name_the_run() -> None:
    one, many = WhatLeaves(3), WhatLeaves()
    one.take(["https://a.dev"], 2)
    one.take(["https://b.dev"], 0)
    many.take_run("first", one)
    many.take_run("second", one)
    assert many.hosts == {"a.dev": ["first 2", "second 2"], "b.dev": ["first", "second"]}
    assert many.size == "6 steps of 2 runs"

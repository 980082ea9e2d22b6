"""Commands on a terminal, on runs and a server full of hostile text."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.api import AppServer
from oh_tui.cli import opening
from oh_tui.commands import TABLE
from oh_tui.demo import Demo
from oh_tui.sources.server import ServerSource
from tests.hostile.kinds import run, write_zip
from tests.hostile.sent import parts
from tests.hostile.server import Spoiler, changed
from tests.hostile.test_answers import COMMANDS, DATES, OAUTH
from tests.hostile.test_terminal import saying
from tests.hostile.texts import CORPUS
from tests.tui.explorer import AT_ONCE

MORE = (
    f"compare {DATES} {OAUTH}",
    f"get {DATES} /workspace/dates/src/dates/parse.py -o -",
    f"changes {DATES} --at 20",
    f"changes {DATES} --patch",
    f"blame {DATES} parse.py",
    f"tail {OAUTH}",
    f"bookmark {OAUTH} --at 1",
    f"note {OAUTH} text --at 2",
    f"export {OAUTH} --notes",
    f"tag {OAUTH} bug --on-server",
    f"rename {OAUTH} other",
    "attempts",
    "automations",
    "status --say",
    "tasks",
    "cache",
    "config check",
    "grep re:/./",
    "stats --by repo,cause",
    "stats --csv",
    "stats --by week",
    "stats after:2d --by day --compare-before",
    "failures",
    "audit",
    "audit --junit",
    f"audit {OAUTH}",
    "audit --explain no-installs",
    "index --status",
    "query values(1)",
)
ON_FILES = (
    *("show", "why", "steps", "tail", "changes", "check", "count", "events", "export"),
    *("context", "bookmark", "note", "tag", "replay --check"),
)


@contextmanager
def terminal() -> Iterator[bytearray]:
    """Standard output and errors are a terminal; what it got is whole at the end."""
    master, slave = os.openpty()
    got = bytearray()

    def read() -> None:
        try:
            while data := os.read(master, 65536):
                got.extend(data)
        except OSError:  # its other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    before = sys.stdout, sys.stderr
    sys.stdout = open(slave, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(slave, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        yield got
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before
        os.close(slave)
        reader.join(10)
        os.close(master)


def check_on_terminal(*words: str | Path) -> str:
    """What a command writes to a terminal, none of which steers it."""
    with terminal() as got:
        code = cli.main([str(word) for word in words])
    told = "".join(text for kind, text in parts(bytes(got)) if kind in ("text", "line"))
    assert code in (0, 1, 2, 3) and "bug in oh-tui" not in told, (words, told)
    return told


def test_every_command_is_tried() -> None:
    tried = {line.split()[0] for line in (*COMMANDS, *MORE, *ON_FILES)}
    assert set(TABLE) - tried == {"open", "mcp", "download", "checkout", "put", "reject"}


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, 13])
def test_on_a_server_whose_every_word_is_hostile(
    start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each that reads all runs takes seconds
    for line in (*COMMANDS, *MORE, *(["grep a"] if start else [])):
        demo, spoiler = Demo(shows="everything"), Spoiler(start)
        demo.rate_limited = False
        api = AppServer(
            demo.base_url,
            app=changed(demo.app, lambda call, value, by=spoiler: by.spoil(value)),  # type: ignore[misc]
            retries=AT_ONCE,
        )
        source = ServerSource(api, "demo", demo.opening)
        monkeypatch.setattr(opening, "demo_source", lambda log=None, made=source: made)
        told = check_on_terminal("--demo", *line.split())
        assert told or line.startswith("exec"), line


@pytest.mark.slow
def test_on_files_whose_every_word_is_hostile(tmp_path: Path) -> None:
    for start in (0, 17):
        name = f"x\x1b]0;owned\x07\n\x9b2J{start}.zip"
        title = list(CORPUS.values())[start] * 2
        path = write_zip(tmp_path / name, run(saying(start)), id="\x1b[2J", title=title)
        for command in ON_FILES:
            assert check_on_terminal(*command.split(), path)
        assert "1 run indexed" in check_on_terminal("index", path)
        for form in ((), ("--csv",), ("--json",)):
            assert check_on_terminal("query", "select * from runs", *form)
            check_on_terminal("query", "select * from steps join files using (run)", *form)
        assert check_on_terminal("compare", path, path)


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_words_that_are_wrong(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    word = text.replace("\0", "")
    settings = tmp_path / "config.toml"
    monkeypatch.chdir(tmp_path)  # the file of --log may have any name
    for line in (
        "[word]",
        "--server [word] cache",
        "steps [word] [word]",
        "show [word]",
        "tag [word] [word]",
        f"note {OAUTH} [word]",
        "--log [word]",
    ):
        check_on_terminal(*(w.replace("[word]", word) for w in line.split()))
    monkeypatch.setenv("OH_TUI_CONFIG", str(settings))
    for body in (
        f"theme = {text!r}",
        f"{text} = 1",
        f"[servers.{text!r}]\n{text!r} = {text!r}",
        text,
    ):
        settings.write_text(body, "utf-8", "replace")
        assert check_on_terminal("whoami")

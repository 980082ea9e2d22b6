"""Commands on an agent server that is the server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.demo.world import AgentVersion
from tests.commands.conftest import IDS, Served, serve


@pytest.fixture(scope="module")
def alone() -> Iterator[Served]:
    with serve("agent") as one:
        yield one


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(words) == 0
    return capsys.readouterr().out


def test_commands_find_out_what_they_talk_to(
    alone: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = json.loads(printed(capsys, "conversations", "--server", alone.url, "--json"))
    assert listed["source"].endswith("  agent server")
    times = [one["updated"] for one in listed["conversations"]]
    assert times == sorted(times, reverse=True)
    told = json.loads(printed(capsys, "whoami", "--server", alone.url, "--json"))
    assert (told["server"], told["agent_server_version"]) == (alone.url, "1.34.0")


def test_a_run_is_told_without_sandbox_and_page(
    alone: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("show", IDS["week-dates"][:8], "--server", alone.url, "--json")
    told = json.loads(printed(capsys, *words))
    assert told["counted_by"] == "agent server" and told["web"] is None
    assert told["conversation"]["sandbox_status"] is None
    assert "stuck" in printed(capsys, "why", IDS["week-dates"], "--server", alone.url)


def test_what_needs_somebody_is_asked_again_after_the_minute(
    alone: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    words = ("status", "--short", "--server", alone.url)
    printed(capsys, *words)
    monkeypatch.setattr("oh_tui.commands.account.FRESH", 0.0)
    log = tmp_path / "calls"
    printed(capsys, *words, "--log", str(log))
    assert "/api/conversations/search" in log.read_text()


def test_a_download_opens(
    alone: Served, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    to = tmp_path / "run.zip"
    printed(capsys, "download", IDS["week-dates"], "-o", str(to), "--server", alone.url)
    assert "stuck" in printed(capsys, "why", str(to))


def test_a_start_prints_the_id_of_the_conversation(
    alone: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    made = printed(capsys, "start", "Look around", "--yes", "--server", alone.url).strip()
    told = json.loads(printed(capsys, "show", made, "--server", alone.url, "--json"))
    assert told["conversation"]["id"] == made


def test_a_start_promises_no_sandbox(alone: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["start", "Look around", "--server", alone.url]) == 2
    assert "This starts an agent on the server, which may cost" in capsys.readouterr().err


def test_a_prompt_from_a_pipe_arrives(alone: Served) -> None:
    command = [sys.executable, "-m", "oh_tui", "--server", alone.url, "start", "-", "--yes"]
    done = subprocess.run(command, input="Look around", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    conversation = alone.demo.world.conversations[done.stdout.strip()]
    assert conversation.title == "Look around"


def test_a_message_from_a_pipe_arrives(alone: Served) -> None:
    words = ("--server", alone.url, "send", IDS["week-dates"], "-")
    command = [sys.executable, "-m", "oh_tui", *words]
    done = subprocess.run(command, input="Thank you", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_there_are_no_sandboxes(alone: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sandboxes", "--server", alone.url]) == 2
    assert "An agent server has no sandboxes" in capsys.readouterr().err


def test_the_settings_name_the_kind(
    alone: Served,
    served: Served,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, file = tmp_path / "calls", tmp_path / "config.toml"
    monkeypatch.setenv("OH_TUI_CONFIG", str(file))

    def write(url: str, kind: str) -> None:
        file.write_text(f'[servers.lab]\nurl = "{url}"\nkind = "{kind}"\n')

    write(alone.url, "agent")
    printed(capsys, "conversations", "--server", "lab", "--log", str(log))
    assert "server_info" not in log.read_text() and "/api/v1/" not in log.read_text()
    write(alone.url, "app")
    assert cli.main(["conversations", "--server", "lab"]) == 1
    assert "is an agent server, not an app server" in capsys.readouterr().err
    write(served.url, "agent")
    assert cli.main(["conversations", "--server", "lab"]) == 1
    assert "is not an agent server" in capsys.readouterr().err


def test_a_start_in_a_worktree_says_what_it_is_and_is_listed_so(
    alone: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone.demo.world, "agent_version", AgentVersion.NEW)
    words = ("start", "Look", "--folder", "/workspace/dates", "--server", alone.url)
    assert cli.main(words) == 2
    assert "works in the folder itself, which has commits: --worktree" in capsys.readouterr().err
    assert cli.main([*words, "--worktree"]) == 2
    assert "The worktree starts from origin's default branch" in capsys.readouterr().err
    assert cli.main([*words, "--worktree", "main", "--yes"]) == 2
    assert "write no, yes, head" in capsys.readouterr().err
    assert cli.main([*words, "--worktree", "head", "--yes"]) == 0
    made, said = capsys.readouterr()
    assert "Not committed, so not in it, are CHANGELOG.md" in said
    told = json.loads(printed(capsys, "show", made.strip(), "--server", alone.url, "--json"))
    shown = told["conversation"]
    assert shown["folder"].startswith("/tmp/conversation-worktrees/")
    assert shown["branch"] == f"openhands/{shown['folder'].split('/')[3]}"
    listed = printed(capsys, "conversations", "folder:worktrees", "--server", alone.url)
    assert listed.startswith(made.strip())
    assert "worktree\t/tmp/" in printed(capsys, "show", made.strip(), "--server", alone.url)


def test_no_worktree_where_git_has_no_commit(
    alone: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone.demo.world, "agent_version", AgentVersion.NEW)
    before = len(alone.demo.world.conversations)
    words = ("start", "Look", "--folder", "/none", "--worktree", "--yes", "--server", alone.url)
    assert cli.main(words) == 2
    assert "No worktree: git has no commit there" in capsys.readouterr().err
    assert len(alone.demo.world.conversations) == before

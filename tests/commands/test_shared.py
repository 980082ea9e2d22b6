"""Commands on what others share: no key leaves, whatever is set; what cannot be done is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui import cli, demo
from oh_tui.api import shared_server
from oh_tui.api.shared_server import NOT_SHARED
from tests.api.servers import AT_ONCE
from tests.api.servers import json as answer
from tests.commands.conftest import IDS
from tests.commands.shell import Said
from tests.demo.wire import at_rest

KEY = "sk-oh-7Qz1vX9mKp4RtL2w"

HOST = "https://app.all-hands.dev"

TEAM = f"{HOST}/shared/conversations/{IDS['team']}"


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    return Said(0, *capsys.readouterr()).complaint


@dataclass
class Recording:
    """Hands the calls to an app, or answers them, and keeps them."""

    app: ASGIApp
    answers: Callable[[], Response] | None = None
    asked: list[Request] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(Request(scope))
        await (self.answers() if self.answers else self.app)(scope, receive, send)

    @property
    def all_said(self) -> str:
        return " ".join(f"{one.method} {one.url} {one.headers.items()}" for one in self.asked)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Recording:
    """Answers in place of every server that shares something, and records what it is asked."""
    recording = Recording(at_rest().app)
    made = partial(shared_server.SharedServer, app=recording, retries=AT_ONCE)
    monkeypatch.setattr(shared_server, "SharedServer", made)
    return recording


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keys for that host wherever one can be: environment, settings, netrc. The path is that of a
    file which the command for a key would write."""
    for name in ("OPENHANDS_API_KEY", "OPENHANDS_CLOUD_API_KEY", "SESSION_API_KEY"):
        monkeypatch.setenv(name, KEY)
    netrc, settings, ran = (tmp_path / name for name in ("netrc", "config.toml", "ran"))
    netrc.write_text(f"machine app.all-hands.dev login me password {KEY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    settings.write_text(
        f'default = "own"\n[servers.own]\nurl = "{HOST}"\nkey_command = "touch {ran}; echo {KEY}"\n'
    )
    settings.chmod(0o600)
    monkeypatch.setenv("OH_TUI_CONFIG", str(settings))
    return ran


LINES = ("why", "steps", "show", "export", "events", "context", "changes", "check", "conversations")


@pytest.mark.parametrize("command", LINES)
def test_no_key_leaves_with_a_command(
    command: str, server: Recording, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, TEAM]) == 0
    assert "".join(capsys.readouterr())
    assert server.asked
    assert all(one.url.path.startswith("/api/shared-") for one in server.asked)
    assert all(str(one.url).startswith(f"{HOST}/") for one in server.asked)
    assert KEY not in server.all_said
    named = {name.lower() for one in server.asked for name in one.headers}
    assert not named & {"authorization", "x-session-api-key", "cookie"}
    assert not keys.exists()


def test_no_key_leaves_with_a_redirect(
    server: Recording, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = lambda: RedirectResponse("https://evil.test/")
    assert cli.main(["why", TEAM]) == 1
    assert "evil.test" in complaint(capsys)
    assert len(server.asked) == 1 and KEY not in server.all_said
    assert not keys.exists()


@pytest.mark.usefixtures("server")
def test_a_shared_run_is_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["why", TEAM, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"]["word"] == "finished"
    assert cli.main(["why", TEAM]) == 0
    assert "no states, so the cost is the record's; no sandbox, no zip" in capsys.readouterr().out


@pytest.mark.usefixtures("server")
def test_a_shared_sub_conversation_is_read_with_its_parent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["steps", TEAM, "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [step["index"] for step in steps if step.get("with_sub_agents")] == [11]


@pytest.mark.usefixtures("server")
def test_a_shared_run_is_compared_with_a_file_and_with_another(
    capsys: pytest.CaptureFixture[str], run_file: Path
) -> None:
    live = f"{HOST}/shared/conversations/{IDS['pydantic']}/?from=mail"
    for words in ((TEAM, str(run_file)), (str(run_file), TEAM), (TEAM, live)):
        assert cli.main(["compare", *words, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert {document["a"]["title"], document["b"]["title"]} >= {"Audit the public endpoints"}


def test_the_demo_shares_without_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--demo"], []):
        assert cli.main([*words, "why", cli.opening.demo_link()]) == 0
        assert "finished" in capsys.readouterr().out
    assert cli.opening.demo_link().endswith(demo.shared_id())
    assert cli.main(["--demo", "why", TEAM]) == 2
    assert "--demo shows made-up data only" in complaint(capsys)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (lambda: answer([None]), NOT_SHARED),
        (lambda: answer({"detail": "no"}, 404), NOT_SHARED),
        (lambda: answer({}, 401), NOT_SHARED),
        (lambda: answer({}, 403), NOT_SHARED),
        (lambda: answer({}, 429), "asks for fewer calls"),
        (lambda: HTMLResponse("<html>"), "may share nothing"),
    ],
)
def test_why_a_shared_run_cannot_be_read_is_said(
    answers: Callable[[], Response],
    told: str,
    server: Recording,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.answers = answers
    assert cli.main(["why", TEAM]) == 1
    assert told.lower() in complaint(capsys).lower()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["why", TEAM.replace("https", "http")], "is not https"),
        (["why", f"{HOST}/shared/conversations/nonsense"], "holds no whole id"),
        (["why", f"{HOST}/shared/conversations/"], "holds no whole id"),
        (["why", TEAM.replace("app.", "me:secret@app.")], "cannot be opened"),
        (["stop", TEAM], "stop is not for a shared link"),
        (["--demo", "pause", TEAM], "a shared link has no sandbox"),
        (["download", TEAM], "download is not for a shared link"),
        (["conversations", TEAM, "."], "are not opened at once"),
        (["conversations", TEAM, TEAM.replace("app.", "other.")], "lead to several servers"),
    ],
)
def test_what_cannot_be_done_with_a_link_is_said(
    words: list[str], told: str, server: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    assert told in complaint(capsys)
    assert not server.asked


def test_states_that_a_server_tells_all_the_same_change_nothing(
    server: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "id": IDS["team"],
        "sandbox_status": "RUNNING",
        "execution_status": "running",
        "conversation_url": "https://evil.test/api/conversations/1",
        "session_api_key": "theirs",
    }
    server.answers = lambda: answer([record])
    assert cli.main(["conversations", TEAM, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["conversations"]
    assert row["sandbox_status"] is None
    assert len(server.asked) == 1

"""The files listed by git in a sandbox, as absolute paths: the calls, and unquoting names."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from oh_tui.actions.workspace import _unquoted
from oh_tui.api import AppServer, Conversation, NotFound, Secret, ServerError
from oh_tui.api.models import GitChange
from oh_tui.sources.server import ServerSource
from tests.api.servers import Script, json, over

ID = "5f3a9100aa11bb22cc33dd44ee55ff66"


def conversation(status: str = "RUNNING") -> Conversation:
    return Conversation(
        ID,
        sandbox_status=status,
        conversation_url=f"http://sandbox.test/api/conversations/{ID}",
        session_api_key=Secret("agent-key"),
    )


def source(api: AppServer) -> ServerSource:
    return ServerSource(api, "test")


async def test_git_is_asked_about_the_folder_the_agent_works_in() -> None:
    record = {"id": ID, "workspace": {"working_dir": "/workspace/project/shop"}}
    listed = [
        {"status": "UPDATED", "path": "a.py"},
        {"status": "DELETED", "path": '"gr/303/274n.py"'},
        {"status": "NEW IN 2030", "path": "b.py"},
        {"status": "ADDED"},
        {"path": 7},
        None,
    ]
    app = Script(json(record), json(listed))
    async with over(app) as api:
        changes = await source(api).workspaces.git_changes(conversation())
    assert app.paths == [f"/api/conversations/{ID}", "/api/git/changes"]
    assert app.asked[1].query_params["path"] == "/workspace/project/shop"
    assert app.keys()[1] == (None, "agent-key")
    assert changes is not None
    assert [(change.letter, change.path) for change in changes] == [
        ("M", "/workspace/project/shop/a.py"),
        ("D", "/workspace/project/shop/grün.py"),
        ("?", "/workspace/project/shop/b.py"),
    ]


async def test_a_record_without_a_folder_means_where_the_server_runs() -> None:
    app = Script(json({"id": ID}), json([{"status": "ADDED", "path": "a.py"}]))
    async with over(app) as api:
        assert await source(api).workspaces.git_changes(conversation()) == [
            GitChange("./a.py", "ADDED")
        ]
    assert app.asked[1].query_params["path"] == "."


SLASH = "http://sandbox.test/api/git/changes/?path=%2Fw%2Fshop"
"""Where agent server 1.8.2 redirects a call with the path in the query."""


@pytest.mark.parametrize(
    "missing",
    [json({"detail": "Not Found"}, 404), Response("", 307, {"Location": SLASH})],
    ids=["404", "307"],
)
async def test_an_old_agent_server_is_asked_by_its_own_address(missing: Response) -> None:
    record = {"id": ID, "workspace": {"working_dir": "/w/shop"}}
    app = Script(json(record), missing, json([]))
    async with over(app) as api:
        assert await source(api).workspaces.git_changes(conversation()) == []
    assert app.paths[2] == "/api/git/changes//w/shop"
    assert app.asked[2].scope["raw_path"] == b"/api/git/changes/%2Fw%2Fshop"


async def test_one_that_fails_where_there_is_no_repository_says_so() -> None:
    failed = {"detail": "Internal Server Error", "exception": "Not a git repository: /w"}
    async with over(Script(json({"id": ID}), json(failed, 500))) as api:
        with pytest.raises(NotFound, match=r"There is no git repository in \."):
            await source(api).workspaces.git_changes(conversation())
    failed["exception"] = "git cannot be run"
    async with over(Script(json({"id": ID}), json(failed, 500))) as api:
        with pytest.raises(ServerError):
            await source(api).workspaces.git_changes(conversation())


async def test_an_old_one_says_so_too_where_there_is_no_repository() -> None:
    record = {"id": ID, "workspace": {"working_dir": "/w/shop"}}
    failed = {"detail": "Internal Server Error", "exception": "Not a git repository: /w/shop"}
    old = Response("", 307, {"Location": SLASH})
    async with over(Script(json(record), old, json(failed, 500))) as api:
        with pytest.raises(NotFound, match="There is no git repository in /w/shop"):
            await source(api).workspaces.git_changes(conversation())


async def test_one_that_knows_neither_says_so() -> None:
    app = Script(json({"id": ID}), json({"detail": "Not Found"}, 404))
    async with over(app) as api:
        with pytest.raises(NotFound):
            await source(api).workspaces.git_changes(conversation())


async def test_without_a_running_sandbox_nothing_is_asked() -> None:
    app = Script(json({}))
    async with over(app) as api:
        assert await source(api).workspaces.git_changes(conversation("PAUSED")) is None
        assert await source(api).workspaces.git_text(conversation("PAUSED"), "/w/a.py") is None
        assert await source(api).workspaces.version(conversation("PAUSED")) == ""
    assert app.asked == []


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ("a.py", "a.py"),
        ('"gr\\303\\274n.py"', "grün.py"),
        ('"gr/303/274n.py"', "grün.py"),
        ('"', '"'),
        ('"a', '"a'),
        ('"/377/376"', "��"),
        ("", ""),
    ],
)
def test_names_that_git_quotes_are_read(told: str, path: str) -> None:
    assert _unquoted(told) == path


@pytest.mark.parametrize("shown", ["one\ntwo", "", None])
async def test_the_text_that_git_has_of_a_file_takes_one_call(shown: str | None) -> None:
    app = Script(json({"modified": shown, "original": "one"}))
    async with over(app) as api:
        found = await source(api).workspaces.git_text(conversation(), "/w/shop/a b.py")
    assert found == shown
    assert app.paths == ["/api/git/diff"]
    assert app.asked[0].query_params["path"] == "/w/shop/a b.py"
    assert app.keys() == [(None, "agent-key")]


async def test_an_old_server_has_the_file_in_its_own_address() -> None:
    app = Script(json({"detail": "Not Found"}, 404), json({"modified": "one"}))
    async with over(app) as api:
        assert await source(api).workspaces.git_text(conversation(), "/w/a.py") == "one"
    assert app.asked[1].scope["raw_path"] == b"/api/git/diff/%2Fw%2Fa.py"


async def test_the_version_is_that_of_the_server_in_the_sandbox() -> None:
    app = Script(json({"title": "OpenHands Agent Server", "version": "1.34.0"}))
    async with over(app) as api:
        assert await source(api).workspaces.version(conversation()) == "1.34.0"
    assert app.paths == ["/server_info"]

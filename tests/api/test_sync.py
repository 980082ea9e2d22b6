"""The client without asyncio: the same methods, the same answers, nothing left behind."""

from __future__ import annotations

import ast
import asyncio
import inspect
import pydoc
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from oh_tui import api
from oh_tui.api import NotFound, Secret, errors, sync
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from scripts import sync_client


@pytest.fixture
def demo() -> Demo:
    return Demo()


@pytest.fixture
def server(demo: Demo) -> Iterator[sync.AppServer]:
    with sync.AppServer("http://demo", key=Secret("sk-demo"), app=demo.app) as server:
        yield server


def test_the_module_is_what_the_asynchronous_classes_say() -> None:
    assert sync_client.module() == sync_client.PLACE.read_text("utf-8"), (
        "run python -m scripts.sync_client"
    )


@pytest.mark.parametrize("of", sync_client.CLASSES, ids=lambda kind: kind.__name__)
def test_each_method_is_real_with_its_signature_and_its_words(of: type) -> None:
    kind = getattr(sync, of.__name__)
    for name, member in vars(of).items():
        if not inspect.isfunction(member) or name.startswith("_") or name == "aclose":
            continue
        assert name in dir(kind)
        method = getattr(kind, name)
        own, there = inspect.signature(method), inspect.signature(member, eval_str=True)
        assert own.parameters == there.parameters
        assert "await" not in pydoc.render_doc(method)
        assert not re.search(r"\basync|\bAsync", pydoc.render_doc(method))
        if member.__doc__:
            first = inspect.cleandoc(member.__doc__).splitlines()[0]
            assert first in pydoc.plain(pydoc.render_doc(method))
    assert inspect.getdoc(kind) and "async" not in (inspect.getdoc(kind) or "")


def test_the_docs_list_them_all() -> None:
    text = (Path(__file__).parents[2] / "docs/scripts.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    (stub,) = [ast.parse(sync_client.PLACE.read_text("utf-8"))]
    classes = {one.name: one.body for one in stub.body if isinstance(one, ast.ClassDef)}
    for of in sync_client.CLASSES:
        bases = [one for one in of.__mro__ if one.__name__ in classes]
        body = chain(*(classes[one.__name__] for one in bases))
        names = {one.name for one in body if isinstance(one, ast.FunctionDef)} - {"__init__"}
        if hasattr(of, "aclose"):
            names.add("seconds_ahead")
        row = rows["OpenHands" if of.__name__ == "AppServer" else of.__name__]
        assert set(re.findall(r"`(\w+)`", row.split(" | ")[2])) == names


def test_what_a_server_returns_is_of_the_classes_here(server: sync.AppServer) -> None:
    assert isinstance(server.sandboxes, sync.SandboxService)
    assert isinstance(server.start_tasks, sync.StartTasks)
    assert server.base_url == "http://demo"
    agents = map(server.agent_server, server.conversations())
    agent = next(filter(None, agents))
    assert isinstance(agent, sync.AgentServer)
    assert isinstance(agent.sandbox, sync.SandboxServer)
    assert {"search_conversations", "agent_server", "sandboxes", "close"} <= set(dir(server))


def test_calls_answer_as_the_asynchronous_client_does(demo: Demo, server: sync.AppServer) -> None:
    async def awaited() -> list[object]:
        async with api.AppServer("http://demo", key=Secret("sk-demo"), app=demo.app) as there:
            listing = there.conversations(limit=7)
            pages = [page.items async for page in listing.pages()]
            items = [one async for one in listing]
            assert items == [*chain(*pages)]
            return [await there.users_me(), pages, items, await there.count_conversations()]

    listing = server.conversations(limit=7)
    pages, items = [page.items for page in listing.pages()], list(listing)
    assert len(pages) > 2
    count = server.count_conversations()
    assert [server.users_me(), pages, items, count] == asyncio.run(awaited())


def test_an_agent_server_alone_too(demo: Demo) -> None:
    with sync.BareAgentServer("http://demo", app=make_alone(demo.world)) as server:
        (first, *_) = server.search_conversations().items
        assert server.count_events(first.id) == server.agent_server(first).count_events()
        assert list(server.events(first.id)) == list(server.agent_server(first).events())


def test_agent_servers_sandboxes_and_files_too(server: sync.AppServer) -> None:
    running = next(
        c for c in server.conversations() if c.conversation_url and c.sandbox_status == "RUNNING"
    )
    agent = server.agent_server(running)
    assert agent is not None
    assert agent.conversation_id == running.id.replace("-", "")
    assert len(list(agent.events())) == agent.count_events()
    assert agent.sandbox.upload_file("/workspace/note.txt", b"two words") == 9
    with agent.sandbox.download_file("/workspace/note.txt") as pieces:
        assert pieces.size == 9
        assert b"".join(pieces) == b"two words"
    assert agent.sandbox.run_command("echo hello").stdout == "hello\n"
    assert server.sandboxes.get([running.sandbox_id or ""])[0] is not None
    with server.download(running.id) as zipped:
        assert next(zipped)[:2] == b"PK"


def test_errors_are_those_of_the_asynchronous_client(server: sync.AppServer) -> None:
    with pytest.raises(NotFound), server.download("0" * 32) as pieces:
        next(pieces)
    with pytest.raises(errors.Unreachable):
        sync.AppServer("no address at all")


def test_an_event_loop_of_the_caller_does_not_matter(server: sync.AppServer) -> None:
    async def in_a_notebook() -> int:
        return server.count_conversations()

    assert asyncio.run(in_a_notebook()) == server.count_conversations()


def test_nothing_is_left_after_close(demo: Demo) -> None:
    before = set(threading.enumerate())
    server = sync.AppServer("http://demo", key=Secret("sk-demo"), app=demo.app)
    assert server.users_me()
    server.close()
    server.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError):
        server.users_me()


def test_a_program_that_closes_nothing_ends_all_the_same() -> None:
    program = (
        "from oh_tui.api.sync import OpenHands\n"
        "from oh_tui.api import Unreachable\n"
        "api = OpenHands('http://127.0.0.1:9')\n"
        "try: api.users_me()\n"
        "except Unreachable as error: print(error.sentence)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "127.0.0.1" in ended.stdout

"""Invalid addresses and keys of sandboxes: the app server's data stays readable."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.api import AppServer
from oh_tui.api.errors import RateLimited
from oh_tui.demo import Demo
from oh_tui.sources.server import ServerSource
from tests.api.servers import Script, json, over
from tests.hostile.server import changed
from tests.hostile.test_answers import DATES
from tests.tui.explorer import AT_ONCE, NOW, explore

BROKEN: dict[str, tuple[str, str]] = {
    "no address": ("conversation_url", "not an address"),
    "a foreign scheme": ("conversation_url", "ftp://files.example/api/conversations/x"),
    "a script": ("conversation_url", "javascript:alert(1)//api/conversations/x"),
    "a file": ("conversation_url", "file:///etc/passwd"),
    "no host": ("conversation_url", "http:///api/conversations/x"),
    "an odd port": ("conversation_url", "http://a.example:99999999/api/conversations/x"),
    "controls": ("conversation_url", "http://a\x00\x1b]0;x\x07.example/api/conversations/x"),
    "a long one": ("conversation_url", "http://a.example/api/conversations/" + "x" * 10_000_000),
    "a long host": ("conversation_url", f"http://{'a' * 10_000_000}/api/conversations/x"),
    "a key with controls": ("session_api_key", "a\r\nX-Other: b"),
    "a key that is no ASCII": ("session_api_key", "schlüssel"),
}


def spoilt(name: str) -> Any:
    field, text = BROKEN[name]

    def spoil(value: Any) -> Any:
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        broken = {inner: spoil(value[inner]) for inner in value}
        return broken | ({field: text} if value.get(field) else {})

    return lambda call, value: spoil(value)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", BROKEN)
async def test_the_history_is_read_from_the_app_server(name: str) -> None:
    demo = Demo(NOW, "everything")
    demo.rate_limited = False
    api = AppServer("http://demo", app=changed(demo.app, spoilt(name)), retries=AT_ONCE)
    source = ServerSource(api, "demo")
    async with api:
        (conversation,) = await source.get([DATES])
        assert conversation and conversation.sandbox_status == "RUNNING"
        loaded = [state async for state in source.runs.load(conversation)]
        assert loaded[-1].via == "app server"
        run = loaded[-1].trajectory
        assert run and len(run.steps) > 50
        assert loaded[-1].note.startswith("the app server's copy, which may lag: ")
        assert len(loaded[-1].note) < 500
        assert (await source.runs.count_events(conversation))[0] == len(run.events)
        assert [older async for older in source.runs.older(conversation, run, "agent server")]


async def test_the_explorer_shows_it_and_says_why() -> None:
    async with explore(wrap=lambda app: changed(app, spoilt("a script"))) as explorer:
        await explorer.open("Parse ISO week dates")
        run = explorer.screen.timeline.trajectory
        assert run and len(run.steps) > 50


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1e308", "It asks to wait longer than a day"),
        ("9" * 300, "It asks to wait longer than a day"),
        ("90000", "It asks to wait longer than a day"),
        ("3600", "Try again in 3600 s"),
    ],
)
async def test_a_wait_without_end_is_told_in_a_few_words(asked: str, told: str) -> None:
    async with over(Script(json({}, 429, Retry_After=asked))) as server:
        with pytest.raises(RateLimited) as caught:
            await server.users_me()
    assert caught.value.hint == told

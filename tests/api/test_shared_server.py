"""What others share: no key goes there by any way, and no redirect is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from oh_tui.api import ApiError, AuthError, NotTheApi, RateLimited, SharedServer, Unreachable
from oh_tui.api.errors import BadAnswer, NotFound, Refused
from oh_tui.api.shared_server import NOT_SHARED
from tests.api.servers import AT_ONCE, KEY, Script, json, page

ID = "0123456789abcdef0123456789abcdef"
HOST = "https://app.all-hands.dev"

RECORD = {
    "id": ID,
    "title": "Theirs",
    "sandbox_status": "RUNNING",
    "execution_status": "running",
    "conversation_url": "https://evil.test/api/conversations/1",
    "session_api_key": "of-the-sandbox",
}


def over(app: Script, base: str = HOST) -> SharedServer:
    return SharedServer(base, app=app, retries=AT_ONCE)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key for that host in the environment and in netrc."""
    for name in ("OPENHANDS_API_KEY", "OPENHANDS_CLOUD_API_KEY", "SESSION_API_KEY"):
        monkeypatch.setenv(name, KEY)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine app.all-hands.dev login me password {KEY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))


def about(request: Request) -> str:
    """All that a request says."""
    return f"{request.url} {request.headers.items()}"


@pytest.mark.usefixtures("keys")
async def test_no_key_is_sent_by_any_call() -> None:
    app = Script(json([RECORD]), page(), json(0))
    async with over(app) as server:
        await server.get_conversations([ID])
        await server.search_events(ID)
        await server.count_events(ID)
    assert len(app.asked) == 3
    for request in app.asked:
        assert KEY not in about(request)
        names = {name.lower() for name in request.headers}
        assert not names & {"authorization", "x-session-api-key", "cookie", "proxy-authorization"}


async def test_a_cookie_is_not_sent_back() -> None:
    app = Script(json([], set_cookie="session=1"), json([]))
    async with over(app) as server:
        await server.get_conversations([ID])
        await server.get_conversations([ID])
    assert "cookie" not in app.asked[1].headers


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("where", ["https://evil.test/", f"{HOST}/elsewhere", "http://127.0.0.1/"])
async def test_a_redirect_is_not_followed(where: str) -> None:
    app = Script(RedirectResponse(where))
    async with over(app) as server:
        with pytest.raises(NotTheApi):
            await server.get_conversations([ID])
    assert len(app.asked) == 1


async def test_states_addresses_and_keys_in_a_record_are_dropped() -> None:
    async with over(Script(json([RECORD]))) as server:
        (found,) = await server.get_conversations([ID])
        assert found and found.title == "Theirs"
        assert found.sandbox_status is found.execution_status is None
        assert found.conversation_url is None
        assert found.session_api_key is None
        assert server.agent_server(found) is None  # type: ignore[func-returns-value]
        with pytest.raises(Refused):
            server.download(ID)


@pytest.mark.parametrize("base", ["http://app.all-hands.dev", "ftp://a.test", "nonsense", ""])
def test_only_https_is_taken(base: str) -> None:
    with pytest.raises(Unreachable):
        SharedServer(base)


async def test_the_server_may_have_a_port_and_a_path() -> None:
    app = Script(json([]))
    async with over(app, "https://oh.test:8443/agents/") as server:
        await server.get_conversations([ID])
    (request,) = app.asked
    assert str(request.url) == f"https://oh.test:8443/agents/api/shared-conversations?ids={ID}"


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (json({}, 401), AuthError, NOT_SHARED),
        (json({}, 403), AuthError, NOT_SHARED),
        (json({}, 404), NotFound, NOT_SHARED),
        (json({}, 429), RateLimited, "then try again"),
        (HTMLResponse("<html>"), NotTheApi, "may share nothing"),
        (json({"items": 3}), BadAnswer, "version"),
    ],
)
async def test_what_a_server_answers_is_said(
    answer: Response, kind: type[ApiError], hint: str
) -> None:
    async with over(Script(answer)) as server:
        with pytest.raises(kind) as caught:
            await server.search_events(ID)
    assert hint in caught.value.hint
    assert "OPENHANDS_API_KEY" not in caught.value.hint
    assert "this key" not in caught.value.sentence

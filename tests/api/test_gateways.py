"""Headers that a gateway before a server wants: where they go, when they are renewed, and what is
said when they lack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
from starlette.responses import HTMLResponse, RedirectResponse, Response

from oh_tui.api import AppServer, Secret
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.errors import ApiError, AuthError, NotTheApi, SignInWanted
from oh_tui.api.http import connections
from oh_tui.api.http.connections import Headers
from oh_tui.api.models import Auth
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem
from tests.api.servers import AT_ONCE, KEY, Script, json, listening, page

ID, SECRET = "oh-tui.access", "cf-7Qz1vX9mKp4RtL2w"
CLOUDFLARE = {"CF-Access-Client-Id": ID, "CF-Access-Client-Secret": SECRET}
LOGIN = "https://team.login.example/cdn-cgi/access/login/app.test?kid=1"


def gateway(
    values: Mapping[str, str] = CLOUDFLARE, again: Callable[[], Mapping[str, Secret]] | None = None
) -> Headers:
    return Headers({name: Secret(value) for name, value in values.items()}, again)


def over(
    script: Script, headers: Headers, *, key: str = KEY, auth: Auth | None = None
) -> AppServer:
    return AppServer(
        "http://app.test", key=Secret(key), auth=auth, headers=headers, app=script, retries=AT_ONCE
    )


async def test_each_call_carries_them_beside_the_key() -> None:
    script = Script(page())
    async with over(script, gateway()) as api:
        await api.search_conversations()
        await api.search_conversations()
    for request in script.asked:
        assert request.headers["cf-access-client-id"] == ID
        assert request.headers["cf-access-client-secret"] == SECRET
        assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("auth", [None, "bearer", "session"])
async def test_the_key_never_goes_into_a_header_that_is_configured(auth: Auth | None) -> None:
    script = Script(json({"detail": "Unauthorized"}, 401))
    async with over(script, gateway({"authorization": "Basic bWU6aHVudGVyMg"}), auth=auth) as api:
        with pytest.raises(AuthError):
            await api.search_conversations()
    assert script.keys() == [("Basic bWU6aHVudGVyMg", KEY)], "nor after a 401"
    both = {"Authorization": "Bearer of-the-gateway", "X-Session-API-KEY": "another-key"}
    script = Script(page())
    async with over(script, gateway(both), auth=auth) as api:
        await api.search_conversations()
    assert script.keys() == [("Bearer of-the-gateway", "another-key")], "then it is not sent"


async def test_they_go_to_no_other_host() -> None:
    elsewhere = Script(Response(b"PK", media_type="application/zip"))
    async with listening(elsewhere) as other:
        script = Script(RedirectResponse(f"{other}/store/run.zip"))
        async with listening(script) as base:
            api = AppServer(base, key=Secret(KEY), headers=gateway(), retries=AT_ONCE)
            async with api, api.download("5f3a" * 8) as pieces:
                assert b"".join([piece async for piece in pieces]) == b"PK"
    assert script.asked[0].headers["cf-access-client-secret"] == SECRET
    (asked,) = elsewhere.asked
    assert not any(name.startswith("cf-") for name in asked.headers)
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("address", "has"), [("http://app.test/runtime/1", True), ("http://runtime.test", False)]
)
async def test_an_agent_server_gets_them_at_the_same_origin_only(address: str, has: bool) -> None:
    script = Script(json(3))
    url = f"{address}/api/conversations/{'5f3a' * 8}"
    async with over(script, gateway()) as api:
        agent = api.agent_server(
            Conversation("5f3a" * 8, conversation_url=url, session_api_key=Secret("of-sandbox"))
        )
        assert agent is not None
        await agent.count_events()
    assert ("cf-access-client-id" in script.asked[0].headers) is has
    assert script.asked[0].headers["x-session-api-key"] == "of-sandbox"


# Renewed


class Tokens:
    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Mapping[str, Secret]:
        self.made += 1
        return {"X-Gateway": Secret(f"token-number-{self.made}")}


def expired_until(token: str, refusal: Response) -> Script:
    return Script(lambda request: page() if request.headers["x-gateway"] == token else refusal)


@pytest.mark.parametrize("refusal", [json({}, 401), RedirectResponse(LOGIN, 302)])
async def test_they_are_made_anew_once_when_the_gateway_refuses_them(refusal: Response) -> None:
    tokens = Tokens()
    headers = Headers(tokens(), tokens)
    async with over(expired_until("token-number-2", refusal), headers) as api:
        await asyncio.gather(*(api.search_conversations() for _ in range(4)))
    assert tokens.made == 2, "several calls that are refused at once share them"


async def test_what_stays_refused_is_not_made_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = Tokens()
    headers = Headers(tokens(), tokens)
    async with over(expired_until("none", RedirectResponse(LOGIN, 302)), headers) as api:
        for _ in range(3):
            with pytest.raises(SignInWanted) as caught:
                await api.search_conversations()
        assert tokens.made == 2
        assert "did not take the `headers`" in caught.value.hint
        monkeypatch.setattr(connections, "PAUSE", 0.0)
        with pytest.raises(SignInWanted):
            await api.search_conversations()
        assert tokens.made == 3


async def test_a_command_that_fails_later_fails_the_call_and_holds_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails() -> Mapping[str, Secret]:
        raise Problem("cloudflared ended with code 1", "try it in a shell")

    monkeypatch.setattr(connections, "PAUSE", -1.0)
    async with listening(Script(json({}, 401))) as base:
        headers = gateway(CLOUDFLARE, fails)
        api = AppServer(base, key=Secret(KEY), headers=headers, retries=AT_ONCE, patience=0.2)
        async with api:
            for _ in range(105):  # httpx has a hundred connections
                with pytest.raises(ApiError) as caught:
                    await api.search_conversations()
                assert caught.value.sentence.endswith(": cloudflared ended with code 1")
                assert caught.value.hint == "try it in a shell"


# What is said without them

PASSWORD = HTMLResponse('<form action="/login"><input type="password" name="p"></form>')
SIGN_IN: dict[str, tuple[Response, str]] = {
    "cloudflare": (RedirectResponse(LOGIN, 302), "wants a sign-in at team.login.example (302)"),
    "basic": (
        HTMLResponse("401 Authorization Required", 401, {"WWW-Authenticate": 'Basic realm="x"'}),
        "wants a sign-in (Basic) (401)",
    ),
    "negotiate": (
        Response("", 401, {"WWW-Authenticate": "Negotiate"}),
        "wants a sign-in (Negotiate) (401)",
    ),
    "a page": (HTMLResponse("<h1>Forbidden</h1>", 403), "wants a sign-in (403)"),
    "a form": (PASSWORD, "wants a sign-in (200)"),
}


@pytest.mark.parametrize("what", SIGN_IN)
@pytest.mark.parametrize("kind", ["app", "agent"])
async def test_a_gateway_wants_a_sign_in(what: str, kind: str) -> None:
    answer, told = SIGN_IN[what]
    script = Script(answer)
    api = over(script, Headers())
    alone = BareAgentServer("http://app.test", key=Secret(KEY), app=script, retries=AT_ONCE)
    with pytest.raises(SignInWanted) as caught:
        async with api, alone:
            await (api if kind == "app" else alone).search_conversations()
    assert caught.value.sentence == (
        f"Could not list conversations: a gateway before app.test {told}"
    )
    assert "Behind a gateway" in caught.value.hint
    assert "/server_info" not in script.paths, "what it is cannot be asked"


async def test_a_page_of_its_own_is_not_called_another_address() -> None:
    async with over(Script(RedirectResponse("/login?next=x", 302)), Headers()) as api:
        with pytest.raises(NotTheApi) as caught:
            await api.search_conversations()
    assert caught.value.sentence.endswith("app.test sent us to its page /login (302)")
    assert caught.value.hint.startswith("A gateway may want a sign-in there.")


@pytest.mark.parametrize(
    "answer",
    [
        json({"detail": "Unauthorized"}, 401, WWW_Authenticate="Bearer"),
        json({"detail": "Forbidden"}, 403),
        RedirectResponse("http://app.test:81/", 302),
        RedirectResponse("https://www.app.test/api/v1/app-conversations/search", 301),
        HTMLResponse("<title>OpenHands</title>"),
    ],
)
async def test_what_servers_themselves_say_is_not_a_gateway(answer: Response) -> None:
    async with over(Script(answer), Headers()) as api:
        with pytest.raises(ApiError) as caught:
            await api.search_conversations()
    assert not isinstance(caught.value, SignInWanted)


async def test_a_gateway_that_repeats_them_tells_nothing() -> None:
    echo = "no such token: short, and cf-7Qz1vX9mKp4RtL2w"
    values = {"X-Short": "short", **CLOUDFLARE}
    async with over(Script(json({"detail": echo}, 403)), gateway(values)) as api:
        with pytest.raises(AuthError) as caught:
            await api.search_conversations()
    shown = f"{caught.value.sentence} {caught.value.detail}"
    assert "no such token" in shown and "short" not in shown and SECRET not in shown

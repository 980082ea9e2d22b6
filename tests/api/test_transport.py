"""Keys, retries, redirects and rate limits of calls."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import time
import traceback

import pytest
from aiolimiter import AsyncLimiter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from oh_tui.api import AppServer, Conversation, Secret, errors
from oh_tui.api.addresses import base_address, segment
from oh_tui.api.app_server import limiter_for
from oh_tui.api.http.response_body import retry_after
from oh_tui.api.http.transport import RetryPolicy

from .servers import AT_ONCE, KEY, Answer, Script, json, listening, over, page

BEARER = (f"Bearer {KEY}", None)
SESSION = (None, KEY)
NO_KEY = (None, None)


# keys


def wants_session(request: Request) -> Response:
    accepted = request.headers.get("x-session-api-key") == KEY
    return json(3) if accepted else json({"detail": "Unauthorized"}, 401)


async def test_without_a_key_no_header_is_sent() -> None:
    app = Script(json(3))
    async with over(app) as server:
        await server.count_conversations()
    assert app.keys() == [NO_KEY]


async def test_a_key_goes_as_bearer_first() -> None:
    app = Script(json(3))
    async with over(app, key=KEY) as server:
        await server.count_conversations()
    assert app.keys() == [BEARER]


async def test_on_a_401_the_other_header_is_tried_and_remembered() -> None:
    app = Script(wants_session)
    async with over(app, key=KEY) as server:
        assert await server.count_conversations() == 3
        assert await server.count_conversations() == 3
    assert app.keys() == [BEARER, SESSION, SESSION]


async def test_calls_side_by_side_all_find_the_right_header() -> None:
    app = Script(wants_session)
    async with over(app, key=KEY) as server:
        counts = await asyncio.gather(*(server.count_conversations() for _ in range(5)))
        await server.count_conversations()
    assert counts == [3] * 5
    assert app.keys()[-1] == SESSION


async def test_a_key_that_no_header_helps_is_tried_twice_and_then_once() -> None:
    app = Script(json({"detail": "Unauthorized"}, 401))
    async with over(app, key=KEY) as server:
        for _ in range(2):
            with pytest.raises(errors.AuthError, match="does not accept this key"):
                await server.count_conversations()
    assert app.keys() == [BEARER, SESSION, BEARER]


async def test_a_header_that_once_worked_is_not_changed_by_a_later_401() -> None:
    app = Script(json(3), json("expired", 401))
    async with over(app, key=KEY) as server:
        await server.count_conversations()
        with pytest.raises(errors.AuthError):
            await server.count_conversations()
    assert app.keys() == [BEARER, BEARER]


async def test_a_trial_that_meets_a_busy_server_is_made_again() -> None:
    app = Script(json("no", 401), json("busy", 503), wants_session)
    async with over(app, key=KEY) as server:
        assert await server.count_conversations() == 3
    assert app.keys() == [BEARER, SESSION, BEARER, SESSION]


@pytest.mark.parametrize(("auth", "sent"), [("bearer", BEARER), ("session", SESSION)])
async def test_a_set_header_is_the_only_one(auth: str, sent: tuple[str, str]) -> None:
    app = Script(json("no", 401))
    async with over(app, key=KEY, auth=auth) as server:  # type: ignore[arg-type]
        with pytest.raises(errors.AuthError):
            await server.count_conversations()
    assert app.keys() == [sent]


async def test_without_a_key_a_401_says_that_one_is_wanted() -> None:
    app = Script(json("no", 401))
    async with over(app) as server:
        with pytest.raises(errors.AuthError) as caught:
            await server.users_me()
    assert len(app.asked) == 1
    assert "OPENHANDS_API_KEY" in caught.value.hint


@pytest.mark.parametrize("key", ["a\nb", "ключ", "a b", "a\x00b", "é", "“key”", "\ud800"])
def test_a_key_that_no_header_can_carry_is_named(key: str) -> None:
    with pytest.raises(errors.AuthError, match="characters that cannot be in a key") as caught:
        AppServer("http://app.test", key=Secret(key))
    assert key not in str(caught.value)


async def test_space_around_a_key_is_dropped_and_nothing_is_no_key() -> None:
    app = Script(json(3))
    for key in (f" {KEY}\n", " \n"):
        async with AppServer("http://app.test", key=Secret(key), app=app) as server:
            await server.count_conversations()
    assert app.keys() == [BEARER, NO_KEY]


async def test_no_key_shows_in_errors_reprs_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[Answer] = [
        json({"detail": f"bad key {KEY} for you"}, status) for status in (400, 401, 404, 429, 500)
    ]
    answers += [
        Response(f"<p>{KEY}</p>", media_type="text/html"),
        Response(f"{KEY}", media_type="text/plain"),
        json([KEY]),
        RedirectResponse(f"http://elsewhere.test/?key={KEY}"),
        Response(b"x", headers={"Content-Encoding": "gzip"}),
    ]
    shown = []
    for answer in answers:
        async with over(Script(answer), key=KEY) as server:
            with pytest.raises(errors.ApiError) as caught:
                await server.search_conversations()
            error = caught.value
            shown += [repr(server), repr(error), str(error), error.hint, error.address]
            shown += [error.detail, *traceback.format_exception(error)]
    async with listening(Script(json(1))) as base, AppServer(base, key=Secret(KEY)) as server:
        await server.count_conversations()
        shown += [repr(server), repr(vars(server)), repr(vars(server._http))]
        held = Conversation("c", conversation_url=base, session_api_key=Secret(KEY))
        shown += [repr(server.agent_server(held)), repr(held)]
    assert caplog.text
    assert KEY not in "\n".join([*shown, caplog.text])


async def test_cookies_are_not_kept() -> None:
    app = Script(json(1, Set_Cookie="session=1; Path=/"))
    async with over(app) as server:
        await server.count_conversations()
        await server.count_conversations()
    assert "cookie" not in app.asked[1].headers


# retries


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    app = Script(json({}, status), json({}, status), json(5))
    async with over(app) as server:
        assert await server.count_conversations() == 5


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
async def test_what_will_not_pass_is_asked_once(status: int) -> None:
    app = Script(json({}, status))
    async with over(app) as server:
        with pytest.raises(errors.ApiError):
            await server.count_conversations()
    assert len(app.asked) == 1


async def test_a_read_that_a_500_answers_is_asked_once_more() -> None:
    app = Script(json({}, 500), json(5))
    async with over(app) as server:
        assert await server.count_conversations() == 5
    app = Script(json({"detail": "the first"}, 500), json({"detail": "the second"}, 500))
    async with over(app) as server:
        with pytest.raises(errors.ServerError, match="the first"):
            await server.count_conversations()
    assert len(app.asked) == 2
    app = Script(json({"detail": "the first"}, 500), json({}, 404), json(5))
    async with over(app) as server:
        with pytest.raises(errors.ServerError, match="the first"):
            await server.count_conversations()
    assert len(app.asked) == 2
    app = Script(json({}, 500), Response(b"PK", media_type="application/zip"))
    async with over(app) as server, server.download("c") as pieces:
        assert b"".join([piece async for piece in pieces]) == b"PK"


async def test_what_acts_is_not_repeated_after_a_500() -> None:
    app = Script(json({}, 500))
    async with over(app) as server:
        for call in (server.send_message("c", "x"), server.rename_conversation("c", "x")):
            with pytest.raises(errors.ServerError):
                await call
        with pytest.raises(errors.ServerError):
            await server.sandboxes.pause("s1")
    assert len(app.asked) == 3


async def test_a_connection_is_not_used_after_a_500() -> None:
    app = Script(json(1), json(2), json({}, 500), json(3))
    async with listening(app) as base, AppServer(base, retries=AT_ONCE) as server:
        for _ in range(3):
            await server.count_conversations()
    ports = [request.client.port for request in app.asked if request.client]
    assert ports[0] == ports[1] == ports[2] != ports[3]


async def test_trying_ends_after_the_third_time() -> None:
    app = Script(json({}, 503))
    async with over(app) as server:
        with pytest.raises(errors.ServerError):
            await server.count_conversations()
    assert len(app.asked) == 3


async def test_pause_and_resume_of_a_sandbox_may_be_tried_again() -> None:
    app = Script(json({}, 503), json({"success": True}), json({}, 429), json({"success": True}))
    async with over(app) as server:
        await server.sandboxes.pause("s1")
        await server.sandboxes.resume("s1")
    assert app.paths == ["/api/v1/sandboxes/s1/pause"] * 2 + ["/api/v1/sandboxes/s1/resume"] * 2


async def test_the_agents_pause_is_asked_once() -> None:
    app = Script(json({}, 503))
    async with over(app) as server:
        agent = server.agent_server(Conversation("c", conversation_url="/api/conversations/c"))
        assert agent is not None
        with pytest.raises(errors.ServerError):
            await agent.pause()
    assert len(app.asked) == 1


async def test_a_download_is_tried_again_on_429_but_not_on_503() -> None:
    app = Script(json({}, 429), json({}, 503))
    async with over(app) as server:
        with pytest.raises(errors.ServerError):
            async with server.download("c"):
                pass
    assert len(app.asked) == 2


async def test_retry_after_is_waited_for() -> None:
    app = Script(json({}, 429, Retry_After="0.2"), json(5))
    async with over(app) as server:
        began = time.monotonic()
        assert await server.count_conversations() == 5
    assert time.monotonic() - began >= 0.2


async def test_retry_after_replaces_the_usual_wait() -> None:
    app = Script(json({}, 503, Retry_After="0"), json(5))
    async with over(app, retries=RetryPolicy(first=600, longest=600)) as server:
        assert await asyncio.wait_for(server.count_conversations(), 60) == 5


async def test_a_long_retry_after_is_told_and_not_waited_for() -> None:
    app = Script(json({}, 429, Retry_After="3600"))
    async with over(app) as server:
        with pytest.raises(errors.RateLimited) as caught:
            await server.count_conversations()
    assert len(app.asked) == 1
    assert caught.value.hint == "Try again in 3600 s"


def test_retry_after_is_read_as_number_and_as_date() -> None:
    assert retry_after("7") == 7
    assert retry_after("-7") == 0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    soon = retry_after(email.utils.formatdate(time.time() + 30, usegmt=True))
    assert soon is not None
    assert 27 < soon <= 30
    for odd in ("", "soon", "nan", "inf", "Wed, 99 Oct 2015 07:28:00 GMT"):
        assert retry_after(odd) is None


async def test_the_last_answer_tells_how_far_this_clock_is_ahead() -> None:
    behind = email.utils.formatdate(time.time() - 3600, usegmt=True)
    app = Script(json(1), json(1, Date=behind), json(1, Date="no date"), json(1, Date=""))
    ahead = []
    async with over(app) as server:
        for _ in range(4):
            await server.count_conversations()
            ahead.append(round(server.seconds_ahead / 60))
    assert ahead == [0, 60, 60, 60]


async def test_retries_write_nothing_to_the_terminal(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with over(Script(json({}, 503), json(1))) as server:
        await server.count_conversations()
    assert capfd.readouterr() == ("", "")
    assert "retry" not in caplog.text


# redirects


def to(address: str) -> Response:
    return RedirectResponse(address)


async def downloaded(server: AppServer) -> bytes:
    async with server.download("c1") as pieces:
        return b"".join([piece async for piece in pieces])


async def test_a_redirected_call_is_not_followed_and_names_the_other_server() -> None:
    app = Script(to("https://app.test:444/login?next=x"))
    async with over(app, key=KEY) as server:
        with pytest.raises(errors.NotTheApi, match=r"sent us to https://app\.test:444 ") as caught:
            await server.count_conversations()
    assert len(app.asked) == 1
    assert "use its address" in caught.value.hint


async def test_a_download_follows_on_the_same_server_with_its_key() -> None:
    app = Script(to("/files/1.zip"), Response(b"PK"))
    async with over(app, key=KEY) as server:
        assert await downloaded(server) == b"PK"
    assert app.keys() == [BEARER, BEARER]
    assert app.paths[1] == "/files/1.zip"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://app.test/x",
        "http://app.test:8080/x",
        "http://store.test/x",
        "//app.test.evil.test/x",
        "http://app.test@evil.test/x",
    ],
)
async def test_the_key_stays_behind_when_scheme_host_or_port_changes(elsewhere: str) -> None:
    app = Script(to(elsewhere), Response(b"PK"))
    async with over(app, key=KEY) as server:
        assert await downloaded(server) == b"PK"
    assert app.keys() == [BEARER, NO_KEY]


async def test_a_key_once_dropped_does_not_come_back() -> None:
    app = Script(to("http://store.test/x"), to("http://app.test/y"), Response(b"PK"))
    async with over(app, key=KEY) as server:
        await downloaded(server)
    assert app.keys() == [BEARER, NO_KEY, NO_KEY]


async def test_the_key_does_not_reach_another_port_over_the_network() -> None:
    store = Script(Response(b"PK"))
    async with (
        listening(store) as elsewhere,
        listening(Script(to(elsewhere))) as base,
        AppServer(base, key=Secret(KEY), retries=AT_ONCE) as server,
    ):
        assert await downloaded(server) == b"PK"
    assert store.keys() == [NO_KEY]


async def test_a_download_ends_after_five_redirects() -> None:
    app = Script(to("/again"))
    async with over(app) as server:
        with pytest.raises(errors.NotTheApi):
            await downloaded(server)
    assert len(app.asked) == 6


@pytest.mark.parametrize(
    "odd", ["ftp://x/y", "file:///etc/passwd", "http://[::1", "data:,x", "\x01"]
)
async def test_a_redirect_away_from_the_web_is_not_followed(odd: str) -> None:
    app = Script(Response(status_code=302, headers={"Location": odd}))
    async with over(app) as server:
        with pytest.raises(errors.NotTheApi, match="nowhere usable"):
            await downloaded(server)
    assert len(app.asked) == 1


# pace


@pytest.fixture
def unpaced() -> None:
    """Our pace is kept here."""


async def test_a_self_hosted_server_gets_nine_calls_in_the_first_second() -> None:
    app, times = Script(json(1)), list[float]()

    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        times.append(time.monotonic())
        await app(scope, receive, send)

    limiter = limiter_for("http://localhost:3000")
    async with AppServer("http://localhost:3000", app=timed, limiter=limiter) as server:
        began = time.monotonic()
        await asyncio.gather(*(server.count_conversations() for _ in range(12)))
    earliest = [max(0.0, (number - 1) / 8) for number in range(12)]
    assert sum(seconds < 1 for seconds in earliest) == 9
    assert all(at - began > least - 0.05 for at, least in zip(times, earliest, strict=True))


@pytest.mark.parametrize(
    ("address", "burst", "a_minute"),
    [
        ("https://app.all-hands.dev", 8, 90),
        ("https://staging.all-hands.dev/x", 8, 90),
        ("https://all-hands.dev.evil.test", 2, 480),
        ("http://localhost:3000", 2, 480),
    ],
)
def test_cloud_is_asked_more_slowly(address: str, burst: int, a_minute: int) -> None:
    limiter = limiter_for(address)
    assert limiter.max_rate == burst
    assert limiter.max_rate / limiter.time_period * 60 == pytest.approx(a_minute)


async def test_agent_servers_are_not_paced() -> None:
    app = Script(page())
    limiter = AsyncLimiter(1, 3600)  # the second call would wait for an hour
    async with AppServer("http://localhost:3000", app=app, limiter=limiter) as server:
        agent = server.agent_server(Conversation("c", conversation_url="/api/conversations/c"))
        assert agent is not None
        async with asyncio.timeout(60):
            for _ in range(20):
                await agent.search_events()
    assert len(app.asked) == 20


# addresses


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("https://app.all-hands.dev", "https://app.all-hands.dev"),
        (" https://app.all-hands.dev/ \n", "https://app.all-hands.dev"),
        ("https://app.all-hands.dev/api", "https://app.all-hands.dev"),
        ("https://app.all-hands.dev/api/v1/", "https://app.all-hands.dev"),
        ("http://localhost:3000/api/v1", "http://localhost:3000"),
        ("http://host/openhands/api/v1?x=1#y", "http://host/openhands"),
        ("http://host/myapi", "http://host/myapi"),
        ("HTTP://Host", "http://host"),
        ("http://user:word@host:81", "http://host:81"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_a_base_url_is_taken_in_all_usual_forms(written: str, base: str) -> None:
    assert base_address(written) == base
    assert base_address(base) == base


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "app.all-hands.dev",
        "localhost:3000",
        "ftp://host",
        "file:///etc",
        "https://",
        "http://[::1",
        "http://host:99999",
        "http://host:x",
        "http://a\x00b",
        "http://\ud800",
        "\x00",
    ],
)
def test_what_is_no_web_address_is_named(odd: str) -> None:
    with pytest.raises(errors.Unreachable, match="not an http or https address") as caught:
        AppServer(odd)
    assert "https://app.all-hands.dev" in caught.value.hint
    assert "\x00" not in str(caught.value)


@pytest.mark.parametrize("odd", ["", " ", ".", ".."])
def test_an_id_that_would_be_another_path_is_refused(odd: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        segment(odd)


async def test_an_id_stays_one_segment_of_the_path() -> None:
    app = Script(json(1))
    async with over(app) as server:
        await server.count_events("../a?b=c#d")
    assert app.asked[0].scope["raw_path"] == (
        b"/api/v1/conversation/..%2Fa%3Fb%3Dc%23d/events/count"
    )
    assert not app.asked[0].query_params

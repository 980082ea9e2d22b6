"""The client of the automation server, over what servers of both versions answered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from oh_tui.api import AppServer, BareAgentServer, Conflict, NotFound, Secret
from oh_tui.api.automation_models import Automation
from oh_tui.api.errors import AuthError, BadAnswer, NotTheApi, ServerError
from tests.automation_samples import sample

from .servers import AT_ONCE, KEY, Script, json, over

T = TypeVar("T")


def bare(app: Script) -> BareAgentServer:
    return BareAgentServer("http://canvas.test", key=Secret(KEY), app=app, retries=AT_ONCE)


def run(do: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(do)


async def every(api: AppServer | BareAgentServer) -> list[Automation]:
    return [one async for one in api.automations.all()]


def test_the_list_is_read_as_it_was_measured() -> None:
    app = Script(json(sample("list")))
    found = run(every(bare(app)))
    assert len(found) == 8
    paused = next(one for one in found if one.name == "Bad key")
    assert paused.is_on is False
    assert paused.disabled_detail and paused.disabled_detail.threshold == 3
    assert paused.disabled_detail.status_detail
    assert paused.disabled_detail.status_detail.kind == "auth"
    assert found[0].is_on is True and found[0].trigger and found[0].trigger.schedule == "0 3 1 1 *"
    assert app.paths == ["/api/automation/v1"]
    assert app.keys() == [(None, KEY)]


def test_the_older_version_has_no_state() -> None:
    one = sample("one", "1.13.1")
    found = run(bare(Script(json(one))).automations.get(one["id"]))
    assert found.state is None and found.is_on is True and found.name == "Canvas nightly"


def test_an_event_has_one_pattern_or_several() -> None:
    one = sample("one-event-trigger")
    found = run(bare(Script(json(one))).automations.get(one["id"]))
    assert found.trigger and found.trigger.on == "pull_request.opened"
    one["trigger"]["on"] = ["push", "release.*"]
    found = run(bare(Script(json(one))).automations.get(one["id"]))
    assert found.trigger and found.trigger.on == ("push", "release.*")


@pytest.mark.parametrize(
    ("name", "version", "counts"),
    [
        ("runs-slow-sweep", "1.26.0", {"CANCELLED": 1, "FAILED": 2}),
        ("runs-blocked-triage", "1.26.0", {"COMPLETED": 1}),
        ("runs", "1.13.1", {"COMPLETED": 1}),
    ],
)
def test_runs_come_with_how_many_there_are(name: str, version: str, counts: dict[str, int]) -> None:
    answer = sample(name, version)
    page = run(bare(Script(json(answer))).automations.runs("x", limit=3))
    assert len(page.runs) == len(answer["runs"]) == page.total
    assert page.counts == counts
    assert all(one.created_at and one.price is None for one in page.runs)


def test_a_run_with_null_everywhere_is_a_run() -> None:
    fields = dict.fromkeys(sample("runs-slow-sweep")["runs"][0])
    odd = {"id": "r2", "cost": "free", "status": 7, "run_metadata": [1], "status_detail": "no"}
    rows = [{**fields, "id": "r1"}, odd, {"id": None}, "text", None]
    answer = {"runs": rows, "total": None, "status_counts": {"FAILED": "2", "x": None, "y": -1}}
    page = run(bare(Script(json(answer))).automations.runs("x"))
    assert [one.id for one in page.runs] == ["r1", "r2"]
    assert page.total is None and page.counts == {"FAILED": 2}
    assert page.runs[1].status is None and page.runs[1].cost is None and page.runs[0].result == {}


def test_a_thousand_automations_are_read_in_pages() -> None:
    def answer(request: Request) -> Response:
        start = int(request.query_params.get("offset", 0))
        rows = [{"id": f"a{n}"} for n in range(start, min(start + 100, 1000))]
        return json({"automations": rows, "total": 1000})

    app = Script(answer)
    assert len(run(every(bare(app)))) == 1000
    assert len(app.asked) == 10


@pytest.mark.parametrize("total", [10**9, None, "many", -1, True])
def test_a_total_that_lies_ends_all_the_same(total: object) -> None:
    app = Script(json({"automations": [{"id": "a"}], "total": total}))
    assert [one.id for one in run(every(bare(app)))] == ["a"]
    assert len(app.asked) <= 2


def test_a_server_without_automations_is_asked_once() -> None:
    app = Script(json({"detail": "Not Found"}, 404))
    with pytest.raises(NotFound):
        run(every(over(app, key=KEY)))
    assert app.paths == ["/api/automation/v1"]  # not what kind of server it is


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HTMLResponse("<html>front-end</html>"), NotTheApi),
        (PlainTextResponse("Bad Gateway: connect ECONNREFUSED 127.0.0.1:18001", 502), ServerError),
        (json({"detail": "Invalid API key"}, 401), AuthError),
        (json({"automations": None}), BadAnswer),
        (json([]), BadAnswer),
        (json({"runs": []}), BadAnswer),
    ],
)
def test_other_answers_are_told(answer: Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(every(bare(Script(answer))))


def test_acts_name_what_they_act_on() -> None:
    paused, older = sample("one-paused-by-hand"), sample("one", "1.13.1")
    app = Script(json({**paused, "state": "ACTIVE", "enabled": True}))
    bodies: list[bytes] = []

    async def switch(answer: dict[str, Any]) -> None:
        async def keep(request: Request) -> None:
            bodies.append(await request.body())

        inner = Script(lambda request: json(answer))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await keep(Request(scope, receive))
            await inner(scope, receive, send)

        server = BareAgentServer("http://canvas.test", app=app, retries=AT_ONCE)
        (shown,) = [
            one
            async for one in BareAgentServer(
                "http://canvas.test",
                app=Script(json({"automations": [answer], "total": 1})),
                retries=AT_ONCE,
            ).automations.all()
        ]
        await server.automations.set_enabled(shown, False)

    run(switch(paused))
    run(switch(older))
    assert bodies == [b'{"state":"INACTIVE"}', b'{"enabled":false}']
    with pytest.raises(BadAnswer, match="another id"):
        run(bare(app).automations.cancel("r1"))


def test_a_run_that_is_over_cannot_be_cancelled() -> None:
    status, body = sample("errors")["cancel ended run"]
    app = Script(json(body, status))
    with pytest.raises(Conflict, match="Run is CANCELLED"):
        run(bare(app).automations.cancel("r1"))
    assert app.paths == ["/api/automation/v1/runs/r1/cancel"]


def test_an_id_stays_one_segment() -> None:
    app = Script(json({"detail": "Not Found"}, 404))
    with pytest.raises(NotFound):
        run(bare(app).automations.get("../../conversations"))
    assert app.asked[0].scope["raw_path"] == b"/api/automation/v1/..%2F..%2Fconversations"


def test_a_route_that_is_missing_does_not_settle_how_the_key_is_sent() -> None:
    """A server answers 404 before it looks at the key."""

    def answer(request: Request) -> Response:
        if request.url.path == "/api/automation/v1":
            return json({"detail": "Not Found"}, 404)
        if request.headers.get("x-session-api-key") != KEY:
            return json({"detail": "Unauthorized"}, 401)
        return json({"email": None})

    async def ask() -> None:
        async with over(app, key=KEY) as api:
            with pytest.raises(NotFound):
                await api.automations.search()
            await api.users_me()

    app = Script(answer)
    run(ask())
    assert app.paths == ["/api/automation/v1", "/api/v1/users/me", "/api/v1/users/me"]

"""What a server writes late belongs to the run, whatever its time; what is no run's stays out.

The clock of these servers stands. Between two readings each kind of event is written with a time
before that of others, then the sandbox is paused, resumed, or still starting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from oh_tui.api import BareAgentServer
from oh_tui.conversation import Conversation
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs import following
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.trajectory import Trajectory, build
from tests.api.servers import AT_ONCE, over
from tests.sources.runs.test_any_order import Reader, zipped
from tests.sources.test_server import ID, Servers, parsed
from tests.trajectory.costs.test_accounting import metrics

STATE = "ConversationStateUpdateEvent"
NOON, LATE = "2026-11-24T12:00:00", "2026-11-24T11:59:58"
"""The time at which the clock stands, and that of what is late."""

Made = dict[str, Any]


class Standing(Servers):
    """Both servers. `write` gives an event to both, unless only the app server is sent it."""

    def __init__(self) -> None:
        super().__init__()
        self.made = self.answers = 0

    def _answer(self, request: Request) -> Response:
        if request.url.path.endswith("/download"):
            return zipped(sorted(self.stored, key=lambda event: str(event["timestamp"])))
        return super()._answer(request)

    def write(
        self, kind: str, *, late: bool = False, app_only: bool = False, **fields: Any
    ) -> Made:
        self.made += 1
        event = {"id": f"event-{self.made}", "kind": kind, "timestamp": LATE if late else NOON}
        event |= {"source": "agent", **fields}
        if not app_only:
            self.inside.append(event)
        self.stored.append(event)
        return event

    def call(self) -> Made:
        self.answers += 1
        names: Made = {
            "llm_response_id": f"answer-{self.answers}",
            "tool_call_id": f"call-{self.made}",
        }
        return self.write("ActionEvent", tool_name="terminal", **names)

    def result(self, call: Made, *, late: bool = False) -> None:
        names: Made = {"action_id": call["id"], "tool_call_id": call["tool_call_id"]}
        self.write("ObservationEvent", late=late, source="environment", **names)

    def sums(self) -> None:
        """The sums after the last answer: each one cost more than the one before."""
        n = self.answers
        told = {"agent": metrics(n * (n + 1) / 2, 100 * n, 10 * n)}
        self.write(STATE, late=True, source="environment", key="stats",
                   value={"usage_to_metrics": told})  # fmt: skip

    def noise(self) -> None:
        """What only an app server is sent."""
        self.write("StreamingDeltaEvent", app_only=True, content="…")
        self.write(STATE, app_only=True, source="environment", key="full_state",
                   value={"execution_status": "running"})  # fmt: skip

    def begin(self) -> Made:
        """The run up to a call whose stats are still to come."""
        self.write("MessageEvent", source="user")
        self.write(STATE, key="execution_status", value="running", source="environment")
        for _ in range(20):
            self.noise()
            call = self.call()
            self.result(call)
            self.sums()
        return self.call()


def usage_update(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.sums()


def older_result(servers: Standing, call: Made) -> None:
    other = servers.call()
    servers.result(other)
    servers.result(call, late=True)


def error(servers: Standing, call: Made) -> None:
    names: Made = {"tool_call_id": call["tool_call_id"], "error": "it broke"}
    servers.write("MessageEvent", llm_response_id="answer-x")
    servers.write("AgentErrorEvent", late=True, **names)


def end(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.write("ConversationErrorEvent", late=True, code="APIError", detail="no credit")


def condensation(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.write("Condensation", late=True, forgotten_event_ids=["event-3"], summary="short")


def user_message(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.write("MessageEvent", late=True, source="user")


def hook(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.write("HookExecutionEvent", late=True, source="hook", action_id=call["id"])


def unknown(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.write("NewsOfTomorrowEvent", late=True)


def full_state(servers: Standing, call: Made) -> None:
    servers.result(call)
    servers.noise()


LATE_ONES: list[Callable[[Standing, Made], None]] = [
    usage_update, older_result, error, end, condensation, user_message, hook, unknown, full_state,
]  # fmt: skip


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Standing:
    monkeypatch.setattr(following, "PACE", (0.0, 0.0, 0.0))
    monkeypatch.setattr(following, "COME_BACK", 0.0)
    return Standing()


@pytest.fixture
async def reader(servers: Standing) -> AsyncIterator[Reader]:
    source = ServerSource(over(servers), "test")
    yield Reader(source)
    await source.close()


def told(run: Trajectory) -> dict[str, tuple[object, ...]]:
    """What is told of each step: its results, cost and times."""
    accounts = Accounts(run)
    return {
        step.event.id: (
            accounts.of(step),
            {event.id for event in step.results},
            run.outcome(step),
            step.began(),
            step.result.seconds() if step.result else None,
        )
        for step in run.steps
    }


def check(reader: Reader, record: list[Made], *, in_order: bool = True) -> None:
    """`record` is in the order in which it was written."""
    assert reader.run is not None
    run = reader.run.whole
    whole = build(parsed(record), live=run.live)
    held, there = ([event.id for event in each.events] for each in (run, whole))
    assert sorted(held) == sorted(there)
    if in_order:
        assert held == there
    whole.stats = run.stats
    assert told(run) == told(whole)


async def change(servers: Standing, reader: Reader, status: str) -> None:
    servers.status = status
    await reader.look()
    await reader.load()


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("write", LATE_ONES)
@pytest.mark.parametrize("meanwhile", ["", "write", "read"])
async def test_what_comes_late_is_there_after_a_pause_and_a_resume(
    servers: Standing, reader: Reader, write: Callable[[Standing, Made], None], meanwhile: str
) -> None:
    call = servers.begin()
    await change(servers, reader, "RUNNING")
    check(reader, servers.inside)
    if meanwhile:
        servers.result(call)
        call = servers.call()
    if meanwhile == "read":
        await reader.follow()
        check(reader, servers.inside)
    write(servers, call)
    await change(servers, reader, "PAUSED")
    # the order of the app server is that of time: the record's is known with the resume
    check(reader, servers.inside, in_order=False)
    await reader.follow()
    check(reader, servers.inside, in_order=False)

    await change(servers, reader, "STARTING")
    servers.noise()
    await reader.follow()
    check(reader, servers.inside, in_order=False)

    call = servers.call()
    write(servers, call)
    await change(servers, reader, "RUNNING")
    check(reader, servers.inside)
    write(servers, servers.call())
    await reader.follow()
    check(reader, servers.inside)
    assert reader.run is not None and reader.run.via == "agent server"


@pytest.mark.parametrize("write", LATE_ONES)
async def test_a_starting_sandbox_brings_nothing_of_others_into_a_run(
    servers: Standing, reader: Reader, write: Callable[[Standing, Made], None]
) -> None:
    """The app server is sent events before the agent server is known to run."""
    call = servers.begin()
    await change(servers, reader, "RUNNING")
    await change(servers, reader, "STARTING")
    for _ in range(3):
        write(servers, call)
        servers.noise()
        call = servers.call()
        await reader.follow()
        check(reader, servers.inside, in_order=False)
    await change(servers, reader, "RUNNING")
    check(reader, servers.inside)


@pytest.mark.parametrize("write", LATE_ONES)
async def test_the_app_server_alone_is_followed_by_what_it_has(
    servers: Standing, reader: Reader, write: Callable[[Standing, Made], None]
) -> None:
    """Without an agent server that answers, the run is what the app server lists."""
    servers.silent = True
    call = servers.begin()
    await change(servers, reader, "RUNNING")
    for _ in range(3):
        write(servers, call)
        servers.noise()
        call = servers.call()
        await reader.follow()
        check(reader, servers.stored, in_order=False)
        assert reader.run is not None and reader.run.via == "app server"
    servers.silent = False
    await reader.follow()
    check(reader, servers.inside)


@pytest.mark.parametrize("write", LATE_ONES)
async def test_an_agent_server_alone_is_followed_by_its_order(
    servers: Standing, write: Callable[[Standing, Made], None]
) -> None:
    api = BareAgentServer("http://agent.test", app=servers, retries=AT_ONCE)
    source = AgentServerSource(api, "test")
    reader = Reader(source)
    reader.conversation = Conversation(id=ID, sandbox_status="RUNNING")
    call = servers.begin()
    await reader.load()
    for _ in range(3):
        write(servers, call)
        call = servers.call()
        await reader.follow()
        check(reader, servers.inside)
        await reader.load()
        check(reader, servers.inside)
    await api.aclose()

"""The recorded model over real sockets: its key, its bounds, streams, and bad clients."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from oh_tui.actions import replay_endpoint
from oh_tui.actions.replay_endpoint import LARGEST, Endpoint
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.replay.folders import Folders
from oh_tui.trajectory.replay.record import Record
from oh_tui.trajectory.replay.recorded_model import Match, Outcome, RecordedModel
from tests.demo_runs import demo_events
from tests.trajectory.replay.made import body_at


class Served:
    def __init__(self, pace: float = 0.0) -> None:
        run = Trajectory()
        run.extend(demo_events("week-dates", "agent"))
        self.study = Study(run)
        self.told: list[Outcome] = []
        folders = Folders([("/workspace", "/tmp/elsewhere")])
        model = RecordedModel([Record(self.study)], folders=folders)
        self.endpoint = Endpoint(model, self.told.append, pace=pace)
        key = {"Authorization": f"Bearer {self.endpoint.token}"}
        self.http = httpx.Client(
            base_url=self.endpoint.address, headers=key, trust_env=False, timeout=20
        )

    @property
    def port(self) -> int:
        return int(self.endpoint.address.rpartition(":")[2].partition("/")[0])

    def raw(self, text: bytes) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        opened.sendall(text.replace(b"TOKEN", self.endpoint.token.encode()))
        return opened


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.http.close()
    served.endpoint.close()


def test_a_whole_run_is_answered_streaming_or_not(served: Served) -> None:
    contexts = served.study.contexts
    for number, answer in enumerate(contexts.answers):
        body = body_at(served.study, number)
        whole = served.http.post("/chat/completions", json=body).json()
        message = whole["choices"][0]["message"]
        made = contexts.reply(answer).dump()
        ids = [call["id"] for call in made.get("tool_calls", ())]
        assert [call["id"] for call in message.get("tool_calls", ())] == ids
        assert answer.response in ("", whole["id"])
        end = "tool_calls" if ids else "stop"
        assert whole["choices"][0]["finish_reason"] == end
        if answer.usage:
            assert whole["usage"]["prompt_tokens"] == answer.usage.prompt
        answered = served.http.post("/chat/completions", json=body | {"stream": True})
        assert answered.headers["content-type"] == "text/event-stream"
        lines = [line.removeprefix("data: ") for line in answered.text.split("\n\n") if line]
        assert lines.pop() == "[DONE]"
        chunks = list(map(json.loads, lines))
        delta = chunks[0]["choices"][0]["delta"]
        assert [call.pop("index") for call in delta.get("tool_calls", ())] == [*range(len(ids))]
        assert delta == message and chunks[1]["choices"][0]["finish_reason"] == end
        assert chunks[2]["choices"] == [] and chunks[2]["usage"] == whole["usage"]
    assert len(served.told) == 2 * len(contexts.answers)
    assert {one.match for one in served.told} <= {Match.EXACT, Match.CARRIED}


def test_only_who_has_the_key_is_answered(served: Served) -> None:
    body = body_at(served.study, 0)
    for key in ("", "Basic x", "Bearer wrong", served.endpoint.token[:-1], "Bearer é"):
        headers = {b"Authorization": key.encode()}
        answer = served.http.post("/chat/completions", json=body, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"] == "the key is not the token of this replay"
    assert not served.told


def test_what_is_no_request_gets_a_sentence(served: Served) -> None:
    post = served.http.post
    for content in (b"", b"{", b"[]", b'{"messages": []}', b'{"messages": [1]}', b"\xff" * 99):
        answer = post("/chat/completions", content=content)
        assert answer.status_code == 400 and answer.json()["error"]["message"]
    assert post("/responses", json={}).status_code == 404
    assert served.http.get("/models").status_code == 404
    assert post("/chat/completions", content=iter([b"{}"])).status_code == 411
    assert not served.told


def test_ten_megabytes_are_read_and_more_than_the_bound_are_not(served: Served) -> None:
    body = body_at(served.study, 0)
    body["messages"][0]["content"] += "x" * 10_000_000
    answer = served.http.post("/chat/completions", json=body)
    assert answer.status_code == 200 and served.told[0].match is Match.REAL
    head = b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n"
    for length in (LARGEST + 1, 10**30):
        with served.raw(head + b"Content-Length: %d\r\n\r\n" % length) as client:
            assert client.recv(100).split(b" ")[1] == b"413"


def test_half_a_request_takes_no_place(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_endpoint._Handler, "timeout", 0.3)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n"
    halves = [served.raw(head + b"Content-Length: 100\r\n\r\n{") for _ in range(40)]
    answer = served.http.post("/chat/completions", json=body_at(served.study, 0))
    assert answer.status_code == 200
    for half in halves:
        assert half.recv(100) == b""  # closed without an answer
        half.close()
    with served.raw(head + b"Content-Length: 100\r\n\r\n{") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100).split(b" ")[1] == b"400"


def test_the_end_of_the_record_is_an_error_that_is_tried_no_second_time(served: Served) -> None:
    last = len(served.study.contexts.answers) - 1
    body = body_at(served.study, last)
    given = Record(served.study).given(last)
    calls = [{"id": c["id"], "function": {"name": c["name"]}} for c in given.calls]
    message = {"role": "assistant", "content": given.text} | (
        {"tool_calls": calls} if calls else {}
    )
    body["messages"].append(message)
    answer = served.http.post("/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the record ends here"


def test_many_at_once_are_all_answered(served: Served) -> None:
    body = json.dumps(body_at(served.study, 0))
    found: list[int] = []

    def ask() -> None:
        headers = {"Authorization": f"Bearer {served.endpoint.token}"}
        address = f"{served.endpoint.address}/chat/completions"
        with httpx.Client(trust_env=False, timeout=20) as client:
            found.append(client.post(address, content=body, headers=headers).status_code)

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [200] * 20 + [400] * 10  # as often as one answer is given


def test_a_port_that_is_taken_is_a_problem(served: Served) -> None:
    with pytest.raises(Problem, match="Cannot listen on port"):
        Endpoint(served.endpoint.model, served.told.append, port=served.port)

"""Made-up runs and their forks, in the folders that an agent server keeps of them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID

BEGAN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)

Body = dict[str, Any]


class Conversation:
    """One that an agent server runs. Each answer of the model takes two seconds, each call three,
    and each answer uses other tokens than all before."""

    def __init__(self, number: int, title: str, at: float = 0.0) -> None:
        self.id, self.title, self.now = UUID(int=number), title, at
        self.events: list[Body] = []
        self.usages: dict[str, Body] = {}
        self.record: Body = {}
        self.made = at
        self.cost = 0.0
        """What its own answers cost, in dollars."""
        self.tokens = 0
        """In and out, of the same."""
        self.exit_code = 0
        """What its commands end with."""

    def wait(self, seconds: float) -> Self:
        self.now += seconds
        return self

    def ask(self, words: str, calls: int = 1) -> Self:
        """The user says something; the agent makes a few calls and ends with a message."""
        self._add("MessageEvent", source="user", llm_message=_said("user", words))
        self.state("running")
        for _ in range(calls):
            self.now += 2
            response = self._answer()
            id = self._add(
                "ActionEvent", source="agent", tool_name="terminal", llm_response_id=response,
                tool_call_id=f"call-{response}", action={"kind": "TerminalAction", "command": "ls"},
            )  # fmt: skip
            self.now += 3
            observed = {"kind": "TerminalObservation", "content": [], "exit_code": self.exit_code}
            self._add(
                "ObservationEvent", source="environment", tool_name="terminal", action_id=id,
                tool_call_id=f"call-{response}", observation=observed,
            )  # fmt: skip
        self.now += 2
        response = self._answer()
        said = _said("assistant", "done")
        self._add("MessageEvent", source="agent", llm_response_id=response, llm_message=said)
        self.state("finished")
        return self

    def fork(
        self, number: int, title: str, *, at: str | None = None, reset: bool = True, **record: Any
    ) -> Conversation:
        """As an agent server makes it: all events, or those up to one without states."""
        made = Conversation(number, title, self.now + 1)
        made.exit_code = self.exit_code
        made.events = copy.deepcopy(self.events)
        if at is not None:
            place = [event["id"] for event in self.events].index(at)
            state = "ConversationStateUpdateEvent"
            made.events = [one for one in made.events[: place + 1] if one["kind"] != state]
        if not reset:
            made.usages = copy.deepcopy(self.usages)
        origin = {"forked_from_conversation_id": str(self.id), "forked_from_event_id": at}
        made.record = origin | record
        return made

    def write(self, folder: Path, *, zoned: bool = True) -> Path:
        """`zoned`: the record tells whose clock wrote the events."""
        home = folder / self.id.hex
        home.joinpath("events").mkdir(parents=True)
        for place, one in enumerate(self.events):
            path = home / "events" / f"event-{place:05}-{one['id']}.json"
            path.write_text(json.dumps(one))
        made, last = (_time(at).isoformat().replace("+00:00", "Z") for at in (self.made, self.now))
        meta = {"id": str(self.id), "title": self.title, "created_at": made, **self.record}
        meta |= {"updated_at": last} if zoned else {}
        home.joinpath("meta.json").write_text(json.dumps(meta))
        stats = {"usage_to_metrics": self.usages}
        home.joinpath("base_state.json").write_text(json.dumps({"stats": stats}))
        return home

    def _answer(self) -> str:
        number = 1 + round(self.now)
        response = f"answer-{self.id.int}-{number}"
        cost, prompt, out = number / 1000, 10 * number, number
        self.cost, self.tokens = self.cost + cost, self.tokens + prompt + out
        agent = self.usages.setdefault("agent", {
            "accumulated_cost": 0.0, "accumulated_token_usage": _tokens(0, 0),
            "costs": [], "response_latencies": [], "token_usages": [],
        })  # fmt: skip
        agent["accumulated_cost"] += cost
        so_far = agent["accumulated_token_usage"]
        agent["accumulated_token_usage"] = _tokens(
            so_far["prompt_tokens"] + prompt, so_far["completion_tokens"] + out
        ) | {"per_turn_token": prompt + out}
        when = _time(self.now).timestamp()
        agent["costs"].append({"model": "m", "cost": cost, "timestamp": when})
        agent["response_latencies"].append({"latency": 2.0, "response_id": response})
        agent["token_usages"].append(_tokens(prompt, out) | {"response_id": response})
        lists = ("costs", "response_latencies", "token_usages")
        sums = {name: value for name, value in agent.items() if name not in lists}
        self._state("stats", {"usage_to_metrics": {"agent": sums}})
        return response

    def state(self, status: str) -> None:
        self._state("execution_status", status)

    def texts(self) -> list[bytes]:
        """Its events, as they are written."""
        return [json.dumps(one).encode() for one in self.events]

    def _state(self, key: str, value: object) -> None:
        self._add("ConversationStateUpdateEvent", key=key, value=value)

    def _add(self, kind: str, **fields: Any) -> str:
        id = str(UUID(int=self.id.int * 1000 + len(self.events)))
        when = _time(self.now).replace(tzinfo=None).isoformat()
        self.events.append({"id": id, "kind": kind, "timestamp": when, **copy.deepcopy(fields)})
        return id


def family() -> dict[str, Conversation]:
    """A run with its forks, and forks of those."""
    origin = Conversation(1, "origin").ask("first", 2).wait(60).ask("second")
    at = next(event["id"] for event in origin.events if event["kind"] == "ObservationEvent")
    whole = origin.fork(2, "whole").wait(600).ask("other", 2)
    return {
        "origin": origin,
        "whole": whole,
        "at a step": origin.fork(3, "at a step", at=at).wait(600).ask("other"),
        "with its stats": origin.fork(4, "with its stats", reset=False).wait(600).ask("other"),
        "at a step with its stats": origin.fork(5, "at both", at=at, reset=False).ask("other"),
        "not used": origin.fork(6, "not used"),
        "of a fork": whole.wait(60).fork(7, "of a fork").wait(300).ask("third", 3),
    }


def _tokens(prompt: int, out: int) -> Body:
    return {
        "prompt_tokens": prompt, "completion_tokens": out, "cache_read_tokens": prompt // 2,
        "cache_write_tokens": 0, "reasoning_tokens": 0, "context_window": 10_000,
    }  # fmt: skip


def _said(role: str, words: str) -> Body:
    return {"role": role, "content": [{"type": "text", "text": words}]}


def _time(at: float) -> datetime:
    return BEGAN + timedelta(seconds=at)

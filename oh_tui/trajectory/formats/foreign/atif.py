"""Runs in ATIF, the agent trajectory interchange format (1.5 to 1.8).

A step of the agent has a message, calls, their results and what its answer cost. Results have no
time of their own. What `atif_export` keeps in the `extra` of a step is put back.
"""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.formats.foreign.bill import tokens_of
from oh_tui.trajectory.formats.foreign.calls import Calls
from oh_tui.trajectory.formats.foreign.made import (
    ForeignRun,
    content_blocks,
    known_source,
    leaves_out,
    pack,
    plain,
    timestamp,
)
from oh_tui.trajectory.model.bodies import field, text_field

MARK = "atif"

KEPT = "oh_tui"
"""The name in the `extra` of a step of what ATIF has no field for."""

Fields = dict[str, Any]


def is_atif(value: Any) -> bool:
    """Whether decoded JSON is a run in ATIF."""
    version = text_field(value, "schema_version")
    return version.upper().startswith("ATIF") and isinstance(field(value, "steps"), list)


def convert(*parts: Any) -> ForeignRun:
    """A run from its file and the files that continue it, in order; never raises."""
    converter = _Converter()
    for number, part in enumerate(parts):
        converter.add_part(part, number)
    return converter.run


class _Converter:
    def __init__(self) -> None:
        self.run = ForeignRun(MARK)
        self.calls = Calls(self.run)
        self._tools: Any = None
        """The definitions of the tools, until a system prompt has them."""
        self._has_begun = False

    def add_part(self, part: Any, number: int) -> None:
        """Adds the steps of a file. One that continues another begins with steps of that one."""
        given = part if isinstance(part, dict) else {"steps": part}
        steps, agent, final = (given.get(name) for name in ("steps", "agent", "final_metrics"))
        listed = steps if isinstance(steps, list) else []
        top = {name: v for name, v in given.items() if name != "steps" or v is not listed}
        if listed and field(listed[0], "source") == "system" and isinstance(agent, dict):
            self._tools = agent.get("tool_definitions")
            top["agent"] = {n: v for n, v in agent.items() if n != "tool_definitions"}
        self.run.add_top(leaves_out(top))
        self.run.model = self.run.model or text_field(agent, "model_name")
        copied = 0
        for step in listed:
            if number and field(step, "is_copied_context") is True:
                copied += 1
            else:
                self._add(step)
        if copied:
            self.run.notes.append(f"{copied} steps that part {number + 1} repeats are left out")
        self.run.bill.total(field(final, "total_cost_usd"), tokens_of(_totals(final)))

    def _add(self, step: Any) -> None:
        if not isinstance(step, dict):
            self.run.add_other(step)
            return
        if event := _kept_event(step):
            self.run.add_other(event)
            self.run.originals[-1] = pack(step)
            return
        original = pack(step)
        self.run.model = self.run.model or text_field(step, "model_name")
        number = step.get("step_id")
        named = isinstance(number, str | int) and not isinstance(number, bool)
        id = self.run.new_id(number if named else "")
        when, source = timestamp(step.get("timestamp")), known_source(step.get("source"))
        told = {"message", "observation", "tool_calls"}
        told |= {"step_id"} if named else set()
        told |= {"timestamp"} if when else set()
        told |= {"source"} if source else set()
        rest = {name: value for name, value in step.items() if name not in told}
        content = content_blocks(step.get("message"))
        if content is None:
            rest["message"], content = step["message"], []
        results, calls = self._results(step, rest), self._listed(step, rest)
        kept = _take_kept(rest, results)
        self.calls.step = []
        if source == "agent":
            self._charge(f"answer-{id}", step)
        if calls:
            self._add_calls(original, id, calls, content, rest, when)
        elif content or not results:
            self._add_message(original, id, source, content, rest, when)
        elif rest := leaves_out(rest):
            self.run.add("note", original, id=id, timestamp=when, source=source, rest=rest)
        for place, result in enumerate(results):
            self._add_result(original, f"{id}.{place + 1}", result, kept)

    def _charge(self, response: str, step: Fields) -> None:
        metrics = step.get("metrics")
        if step.get("is_copied_context") is True:
            return  # it was paid for in the run that it comes from
        self.run.bill.add(response, field(metrics, "cost_usd"), tokens_of(metrics))
        self.run.bill.add_latency(response, field(step, "extra", KEPT, "llm_s"))

    def _listed(self, step: Fields, rest: Fields) -> list[Fields]:
        """The calls of a step; what is no call is left in the rest."""
        given = step.get("tool_calls")
        listed = given if isinstance(given, list) else []
        calls = [call for call in listed if isinstance(call, dict)]
        if (given is not None and not isinstance(given, list)) or len(calls) < len(listed):
            rest["tool_calls"] = [c for c in listed if not isinstance(c, dict)] or given
        return calls

    def _results(self, step: Fields, rest: Fields) -> list[Fields]:
        given = step.get("observation")
        results = field(given, "results")
        listed = results if isinstance(results, list) else []
        found = [result for result in listed if isinstance(result, dict)]
        if isinstance(given, dict):
            left = {name: value for name, value in given.items() if name != "results"}
            if len(found) < len(listed) or not isinstance(results, list):
                left["results"] = [r for r in listed if not isinstance(r, dict)] or results
            rest |= {"observation": left} if leaves_out(left) else {}
        elif given is not None:
            rest["observation"] = given
        return found

    def _add_message(
        self, original: bytes, id: str, source: str | None, content: list[Any], rest: Fields,
        when: str | None,
    ) -> None:  # fmt: skip
        is_prompt = source == "system" and not self._has_begun and all(
            isinstance(field(block, "text"), str) for block in content
        )  # fmt: skip
        self._has_begun |= source in ("user", "agent")
        fields: Fields = {"timestamp": when, "source": source}
        if is_prompt:
            prompt = {"type": "text", "text": plain(content)}
            tools, self._tools = self._tools, None
            agent = rest.get("agent")
            if isinstance(agent, dict) and tools is not None:
                rest["agent"] = {n: v for n, v in agent.items() if n != "tool_definitions"}
            self.run.add("SystemPromptEvent", original, id=id, rest=leaves_out(rest),
                         system_prompt=prompt, tools=tools, **fields)  # fmt: skip
            return
        message: Fields = {"role": "user", "content": content}
        if source == "agent":
            message["role"] = "assistant"
            fields["llm_response_id"] = f"answer-{id}"
            reasoning = rest.pop("reasoning_content", None)
            if isinstance(reasoning, str):
                fields["reasoning_content"] = reasoning
            elif reasoning is not None:
                rest["reasoning_content"] = reasoning
        elif source != "user":
            fields["sender"] = source or "someone"
        self.run.add(
            "MessageEvent", original, id=id, rest=leaves_out(rest), llm_message=message, **fields
        )

    def _add_calls(
        self, original: bytes, id: str, calls: list[Fields], content: list[Any], rest: Fields,
        when: str | None,
    ) -> None:  # fmt: skip
        """The calls of one answer; the first one has its thought and the other fields."""
        self._has_begun = True
        reasoning = rest.get("reasoning_content")
        thought: Fields = {"thought": content}
        if isinstance(reasoning, str):
            thought["reasoning_content"] = rest.pop("reasoning_content")
        for place, call in enumerate(calls):
            names = ("tool_call_id", "function_name", "arguments")
            more = {name: value for name, value in call.items() if name not in names}
            tool = call.get("function_name")
            if not isinstance(tool, str):
                more["function_name"] = tool
            self.calls.add(
                original,
                id if place == 0 else self.run.new_id(f"{id}+{place}"),
                call.get("tool_call_id"),
                tool if isinstance(tool, str) else "",
                call.get("arguments"),
                leaves_out(rest if place == 0 else {}, call=more),
                timestamp=when,
                llm_response_id=f"answer-{id}",
                **(thought if place == 0 else {}),
            )

    def _add_result(
        self, original: bytes, id: str, result: Fields, kept: dict[str, Fields]
    ) -> None:
        call = self.calls.find(result.get("source_call_id"))
        told = {"content"} | ({"source_call_id"} if call else set())
        rest = {name: value for name, value in result.items() if name not in told}
        content = content_blocks(result.get("content"))
        if content is None:
            rest["content"] = result["content"]
        observed: Fields = {}
        for place in (rest, rest.get("extra")):
            if isinstance(field(place, "is_error"), bool):
                observed["is_error"] = field(place, "is_error")
        mine = kept.get(call.call_id, {}) if call else {}
        when = timestamp(mine.get("timestamp"))
        observed |= {name: v for name, v in mine.items() if name != "timestamp" or not when}
        self.calls.answer(
            original, self.run.new_id(id), call, content or [], leaves_out(rest),
            observed=observed, timestamp=when,
        )  # fmt: skip


def _kept_event(step: Fields) -> Fields | None:
    """The event of the model that a step was made from, if the step says nothing else."""
    if set(step) - {"step_id", "timestamp", "source", "message", "extra"}:
        return None
    kept = step.get("extra")
    event = field(kept, KEPT, "event")
    if not isinstance(kept, dict) or not isinstance(event, dict) or not event.get("kind"):
        return None
    is_all = len(kept) == 1 and len(kept[KEPT]) == 1 and event["kind"] == step.get("message")
    return event if is_all else None


def _take_kept(rest: Fields, results: list[Fields]) -> dict[str, Fields]:
    """Takes what the export kept of the results, by the id of their call."""
    kept = field(rest, "extra", KEPT, "results")
    ids = {i for result in results if isinstance(i := result.get("source_call_id"), str)}
    found = {
        name: value
        for name, value in (kept.items() if isinstance(kept, dict) else ())
        if name in ids and isinstance(value, dict)
    }
    if found:
        inside = rest["extra"][KEPT]
        left = {name: value for name, value in kept.items() if name not in found}
        inside = {n: v for n, v in inside.items() if n != "results"} | (
            {"results": left} if left else {}
        )
        rest["extra"] = {n: v for n, v in rest["extra"].items() if n != KEPT}
        rest["extra"] |= {KEPT: inside} if inside else {}
    return found


def _totals(final: Any) -> Fields:
    """The totals with the names of a step's metrics."""
    values = final.items() if isinstance(final, dict) else ()
    return {name.removeprefix("total_"): value for name, value in values}

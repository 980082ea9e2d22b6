"""Runs in ATIF, the agent trajectory interchange format (1.5 to 1.8).

A step of the agent has a message, calls, their results and the cost of the answer. Results have no
time of their own. Of a step that oh-tui wrote the events in its `extra` are taken.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from oh_tui.text.human import are, plural
from oh_tui.trajectory.formats.foreign.atif_kept import (
    APART,
    EMBEDDED,
    KEPT,
    Kept,
    kept_events,
    references,
    take_kept,
)
from oh_tui.trajectory.formats.foreign.calls import Calls
from oh_tui.trajectory.formats.foreign.foreign_run import (
    ForeignRun,
    content_blocks,
    known_source,
    leaves_out,
    pack,
    plain,
    texts_of,
    timestamp,
)
from oh_tui.trajectory.formats.foreign.text_calls import read_output
from oh_tui.trajectory.formats.foreign.usage import amount, tokens_of
from oh_tui.trajectory.model.bodies import arguments, content_text, field, list_field, text_field

MARK = "atif"

_SOURCES = {"agent", "system", "user"}

Fields = dict[str, Any]


def is_atif(value: Any) -> bool:
    """Whether decoded JSON is a run in ATIF."""
    version = text_field(value, "schema_version")
    return version.upper().startswith("ATIF") and isinstance(field(value, "steps"), list)


def convert(*parts: Any, prefix: str = "") -> ForeignRun:
    """Converts a run: its file, then the files that continue it, in order. Never raises. `prefix`
    starts all ids of a sub-agent whose text is within that of its parent."""
    converter = _Converter(prefix)
    for number, part in enumerate(parts):
        converter.add_part(part, number)
    converter.calls.end()
    return converter.run


class _Converter:
    def __init__(self, prefix: str) -> None:
        self._is_sub_agent = bool(prefix)
        self.run = ForeignRun(MARK, prefix)
        self.calls = Calls(self.run)
        self._tools: Any = None
        """Tool definitions, kept for the system prompt to come."""
        self._has_begun = False

    def add_part(self, part: Any, number: int) -> None:
        """Adds the steps of a file. A file that continues another repeats steps of it at its
        start."""
        given = part if isinstance(part, dict) else {"steps": part}
        steps, agent, final = (given.get(name) for name in ("steps", "agent", "final_metrics"))
        listed = steps if isinstance(steps, list) else []
        top = {name: v for name, v in given.items() if name != "steps" or v is not listed}
        if self._is_sub_agent:
            top.pop(EMBEDDED, None)  # shown with the parent
        if listed and field(listed[0], "source") == "system" and isinstance(agent, dict):
            self._tools = agent.get("tool_definitions")
            top["agent"] = {n: v for n, v in agent.items() if n != "tool_definitions"}
        self.run.add_top(leaves_out(top))
        self.run.model = self.run.model or text_field(agent, "model_name")
        calls = (field(step, "tool_calls") for step in listed)
        self.calls.expect(
            field(one, "tool_call_id") for some in calls if isinstance(some, list) for one in some
        )
        copied = 0
        for step in listed:
            if number and field(step, "is_copied_context") is True:
                copied += 1
            else:
                self._add(step)
        if copied:
            steps = f"{plural(copied, 'step')} that part {number + 1} repeats"
            self.run.notes.append(f"{steps} {are(copied)} left out")
        totals = final.items() if isinstance(final, dict) else ()
        sums = tokens_of({name.removeprefix("total_"): value for name, value in totals})
        self.run.bill.total(field(final, "total_cost_usd"), sums)
        apart = field(final, "extra", KEPT, APART)
        for usage, amounts in apart.items() if isinstance(apart, dict) else ():
            self.run.bill.apart(usage, amounts)

    def _add(self, step: Any) -> None:
        if not isinstance(step, dict):
            self.run.add_other(step)
            return
        if events := kept_events(step):
            self._add_events(step, events)
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
        kept = take_kept(rest, calls, results)
        self.calls.step = []
        if source == "agent":
            self._charge(f"answer-{id}", step, kept.llm_s)
        if calls:
            self._add_calls(original, id, calls, content, rest, when, kept)
        elif content or not results:
            self._add_message(original, id, source, content, rest, when, kept.fields)
        elif rest := leaves_out(rest):
            self.run.add("note", original, id=id, timestamp=when, source=source, rest=rest)
        for place, result in enumerate(results):
            self._add_result(original, f"{id}.{place + 1}", result, kept)

    def _add_events(self, step: Fields, events: list[Fields]) -> None:
        """Adds the events that a step was made from. What its own fields say besides, as another
        program may have changed them, is shown with the first."""
        started = field(step, "extra", KEPT, "started")
        known = texts_of(events, *map(arguments, events), started) | _SOURCES
        more = sorted(texts_of(step) - known - set(map(content_text, events)))
        if more:
            own = events[0].get(MARK)
            own = leaves_out(own if isinstance(own, dict) else {"own": own}, more=more)
            events = [events[0] | {MARK: own}, *events[1:]]
        original = pack(step)
        for event in events:
            id = self.run.add_event(event, original)
            for name in list_field(started, text_field(event, "id")):
                self.run.started.append(({"trajectory_id": name}, id))
        if step.get("source") == "agent":
            response = text_field(events[0], "llm_response_id") or text_field(events[0], "id")
            self._charge(response, step, amount(field(step, "extra", KEPT, "llm_s")) or 0.0)

    def _charge(self, response: str, step: Fields, llm: float) -> None:
        if step.get("is_copied_context") is True:
            return  # the run it was copied from has paid for it
        metrics = step.get("metrics")
        tokens = tokens_of(field(metrics, "extra")) | tokens_of(metrics)
        self.run.bill.add(response, field(metrics, "cost_usd"), tokens)
        if llm:
            self.run.bill.add_latency(response, llm)

    def _listed(self, step: Fields, rest: Fields) -> list[Fields]:
        """The calls of a step. What is no call stays in the rest."""
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
        when: str | None, more: Fields,
    ) -> None:  # fmt: skip
        is_prompt = source == "system" and not self._has_begun and all(
            isinstance(field(block, "text"), str) for block in content
        )  # fmt: skip
        self._has_begun |= source in ("user", "agent")
        fields: Fields = more | {"timestamp": when, "source": source}
        if is_prompt:
            prompt = {"type": "text", "text": plain(content)}
            tools, self._tools = self._tools, None
            fields |= {"system_prompt": prompt, "tools": tools}
            self.run.add("SystemPromptEvent", original, id=id, rest=leaves_out(rest), **fields)
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
            fields.setdefault("sender", source or "someone")
        fields["llm_message"] = (fields.get("llm_message") or {}) | message
        self.run.add("MessageEvent", original, id=id, rest=leaves_out(rest), **fields)

    def _add_calls(
        self, original: bytes, id: str, calls: list[Fields], content: list[Any], rest: Fields,
        when: str | None, kept: Kept,
    ) -> None:  # fmt: skip
        """Adds the calls of one answer. The first one gets the thought and the other fields."""
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
            call_id = text_field(call, "tool_call_id")
            own = kept.calls.get(call_id, {})
            fields = {"timestamp": when, "llm_response_id": f"answer-{id}"} | own
            event_id = id if place == 0 else self.run.new_id(f"{id}+{place}")
            started = kept.started.pop(call_id, [])
            self.run.started += (({"trajectory_id": name}, event_id) for name in started)
            self.calls.add(
                original,
                event_id,
                call.get("tool_call_id"),
                tool if isinstance(tool, str) else "",
                call.get("arguments"),
                leaves_out(rest if place == 0 else {}, call=more),
                (thought if place == 0 else {}) | fields,
            )

    def _add_result(self, original: bytes, id: str, result: Fields, kept: Kept) -> None:
        again = partial(self._add_result, original, id, result, kept)
        if self.calls.is_early(result.get("source_call_id"), again):
            return
        call = self.calls.find(result.get("source_call_id"))
        named = isinstance(result.get("source_call_id"), str | None)
        told = {"content"} | ({"source_call_id"} if call and named else set())
        rest = {name: value for name, value in result.items() if name not in told}
        content = content_blocks(result.get("content"))
        if content is None:
            rest["content"] = result["content"]
        observed: Fields = {}
        for place in (rest, rest.get("extra")):
            if isinstance(field(place, "is_error"), bool):
                observed["is_error"] = field(place, "is_error")
        id = self.run.new_id(id)
        self.run.started += ((one, call.event_id if call else id) for one in references(result))
        mine = dict(kept.results.pop(call.call_id, {})) if call else {}
        fields = mine.pop("fields", {})
        if content and call and call.is_command and not mine:
            content, read = read_output(content, {}, of_command=True)
            observed |= read
        if timestamp(mine.get("timestamp")):
            fields = fields | {"timestamp": mine.pop("timestamp")}
        self.calls.answer(
            original, id, call, content or [], leaves_out(rest),
            fields, observed | mine,
        )  # fmt: skip

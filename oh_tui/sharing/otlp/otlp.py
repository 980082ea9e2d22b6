"""Lines of OTLP JSON, each a request that a collector takes, with the spans of a run: its agent,
over the answers of the model, the calls of tools, and its sub-agents."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from oh_tui import __version__
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sharing.otlp.span import (
    CLIENT,
    ERROR,
    INTERNAL,
    OK,
    Attributes,
    Messages,
    Moments,
    Span,
    hash_of,
)
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.text.display import json_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.model.bodies import field, message_text, text_field
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.recorded import UNKNOWN_AGENT
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_COST, ReportedFields, Usage, tokens_json
from oh_tui.trajectory.reading.describe import describe, describe_event

ERRORS = 100
"""Most errors of a run that are told beside those of its calls."""

_TOKENS = {
    "prompt": "gen_ai.usage.input_tokens",
    "completion": "gen_ai.usage.output_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}
_COST = ("openhands.cost_usd", "gen_ai.usage.cost", "llm.cost.total")
"""The cost of an answer: by our name, by the one that Langfuse reads, else it shows an estimate of
its own, and by that of OpenInference (source, Langfuse of August 2026, Phoenix 20.3). The sum of an
agent has ours alone: added to its answers it would count twice."""
_FAILED = (Outcome.ERROR, Outcome.COMMAND_FAILED)
_GOES_ON = ("running", "starting", "saved", "unfinished", "")
"""Verdicts on runs that may have more events than these."""


@dataclass
class Spans:
    """Makes the spans of a conversation and of the sub-agents in it."""

    key: str
    """What tells it from all others."""
    session: str
    """Its id, for people."""
    conversation: Conversation
    messages: Messages | None
    """None where no text of a message is wanted."""
    sink: Sink

    def of(
        self, study: Study, steps: Sequence[Step], parent: str = "", *, is_part: bool = False
    ) -> Iterator[Span]:
        top = self._agent(study, steps, parent)
        yield top
        answered = set[str]()
        for step in steps:
            event = step.event
            self.sink.at(step.number, study.path)
            if event.is_answer and (event.llm_response_id or event.id) not in answered:
                answered.add(event.llm_response_id or event.id)
                yield self._chat(study, step, top.id)
            if event.is_condensation:
                yield self._condensation(study, step, top.id)
            if step.is_call:
                call = self._call(study, step, top.id)
                if self.messages is not None:
                    self.sink.files(step, contents=False)
                yield call
                for sub in () if is_part else study.sub_runs.of(step):
                    yield from self.of(sub, sub.trajectory.steps, call.id)
        self.sink.at(0, study.path)
        for sub in () if is_part else study.sub_runs.loose:
            yield from self.of(sub, sub.trajectory.steps, top.id)

    def _id(self, study: Study, *names: str) -> str:
        return hash_of(self.key, *study.names, *names)

    def _agent(self, study: Study, steps: Sequence[Step], parent: str) -> Span:
        run, verdict = study.trajectory, study.verdict
        agent = "" if run.recorded.agent == UNKNOWN_AGENT else run.recorded.agent
        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent,
            "openhands.verdict": verdict.word,
            "openhands.cause": verdict.cause,
            "openhands.steps": len(run),
            "openhands.label": run.recorded.label.value if run.recorded.label else None,
        }
        beside = NO_COST if isinstance(study, SubRun) else self.conversation.price
        cost = study.sub_runs.cost(beside)
        attributes |= self._model(study) | _usage(study.sub_runs.total, study.sub_runs.reported)
        attributes["openhands.cost_usd"] = cost.dollars
        attributes["openhands.cost_is_partial"] = True if cost.is_partial else None
        attributes["openhands.cost_is_estimate"] = cost.is_estimate or None
        if isinstance(study, SubRun):
            attributes["openhands.sub_agent"] = study.name
        else:
            attributes["openhands.title"] = safe_line(self.conversation.title or "")
            attributes["openhands.repository"] = self.conversation.selected_repository
        word = verdict.word
        return Span(
            f"invoke_agent {agent}".strip(),
            self._id(study, "invoke_agent"),
            parent,
            INTERNAL,
            Moments(run.began, run.ended(), run.knows_zone, word not in _GOES_ON),
            attributes | self._common(),
            self._said(steps) if self.messages else {},
            OK if word == "finished" else ERROR if word in ("error", "stuck") else 0,
            verdict.cause if word in ("error", "stuck") else "",
            list(_errors(steps)),
        )

    def _said(self, steps: Sequence[Step]) -> dict[str, str]:
        """What the user asked, and the last that the agent said."""
        assert self.messages is not None
        asked, answer = [], ""
        for step in steps:
            if step.event.is_message:
                text = message_text(step.event.body())
                if step.event.source == "user":
                    asked.append(text)
                else:
                    answer = text
            elif step.is_call and step.event.tool == "Finish":
                answer = text_field(step.call.given, "message")
        found = {
            "gen_ai.input.messages": self.messages.said("user", asked),
            "gen_ai.output.messages": self.messages.said("assistant", [answer]),
        }
        return {name: value for name, value in found.items() if value}

    def _chat(self, study: Study, step: Step, parent: str) -> Span:
        """The answer that made a step, with its usage, which of a group of calls is the first's."""
        run, event = study.trajectory, step.event
        group = run.group(step)
        first = run.steps[group[0] - 1] if group else step
        used = study.accounts.of(first)
        attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": event.llm_response_id,
        }
        attributes |= self._model(study) | _spent(used, study)
        attributes["openhands.inherited"] = study.accounts.is_inherited(first) or None
        messages = dict[str, str]()
        if self.messages is not None and (answer := study.contexts.of(first.number)) is not None:
            seen = study.contexts.at(answer)
            text, left = self.messages.context(list(seen.messages))
            messages["gen_ai.input.messages"] = text
            messages["gen_ai.output.messages"] = self.messages.reply(study.contexts.reply(answer))
            attributes["openhands.messages.left_out"] = left or None
        attributes["openhands.step"] = first.number
        name = f"chat {self._model_name(study)}".strip()
        span = self._id(study, "chat", event.llm_response_id or event.id)
        moments, more = _thinking(study, first, used)
        attributes |= more | self._common()
        return Span(name, span, parent, CLIENT, moments, attributes, messages)

    def _condensation(self, study: Study, step: Step, parent: str) -> Span:
        event = step.event
        body = event.body()
        forgotten = field(body, "forgotten_event_ids")
        used = study.accounts.of(step)
        attributes: Attributes = {
            "gen_ai.operation.name": "chat" if event.llm_response_id else None,
            "gen_ai.provider.name": _UNKNOWN if event.llm_response_id else None,
            "gen_ai.response.id": event.llm_response_id,
            "openhands.condensation.forgotten": len(forgotten)
            if isinstance(forgotten, list)
            else None,
            "openhands.step": step.number,
        }
        attributes |= _spent(used, study)
        messages = dict[str, str]()
        if self.messages and (summary := text_field(body, "summary")):
            messages["gen_ai.output.messages"] = self.messages.said("assistant", [summary])
        moments, more = _thinking(study, step, used)
        attributes |= more | self._common()
        kind = CLIENT if event.llm_response_id else INTERNAL
        span = self._id(study, "condense", event.id)
        return Span("condense", span, parent, kind, moments, attributes, messages)

    def _call(self, study: Study, step: Step, parent: str) -> Span:
        event, result = step.event, step.result
        outcome = study.trajectory.outcome(step)
        tool = event.tool_name or event.part.removesuffix("Action") or "call"
        code = result.exit_code if result else None
        has_failed = outcome in _FAILED
        attributes: Attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": event.tool_call_id,
            "gen_ai.tool.type": "function",
            "openhands.step": step.number,
            "openhands.outcome": outcome.value,
            "openhands.risk": event.risk,
            "process.exit.code": code if code is not None and code >= 0 else None,
            "error.type": _error_type(result or event) if has_failed else None,
        }
        if self.messages is not None:
            call = step.call
            attributes["gen_ai.tool.call.arguments"] = self.messages.value(call.arguments)
            if result is not None:
                attributes["gen_ai.tool.call.result"] = self.messages.value(call.output())
        end = result.seconds() if result is not None else None
        last = result or event
        zone = not (is_bare(event.timestamp) or is_bare(last.timestamp))
        return Span(
            f"execute_tool {tool}",
            self._id(study, "execute_tool", event.id),
            parent,
            INTERNAL,
            Moments(step.began(), end, zone, not step.is_open),
            attributes | self._common(),
            status=ERROR if has_failed else 0,
            about=describe(step, outcome).result if has_failed else "",
        )

    def _model_name(self, study: Study) -> str:
        """That of a sub-agent is not told."""
        return "" if isinstance(study, SubRun) else self.conversation.llm_model or ""

    def _model(self, study: Study) -> Attributes:
        model = self._model_name(study)
        return {"gen_ai.request.model": model, "gen_ai.provider.name": provider(model)}

    def _common(self) -> Attributes:
        return {"gen_ai.conversation.id": self.session}


def _thinking(study: Study, step: Step, used: Usage | None) -> tuple[Moments, Attributes]:
    """When the model worked on a step: if nobody measured it, from the end of the one before."""
    end = step.event.seconds()
    took = study.accounts.llm(step)
    start = None if end is None or took is None else end - took
    is_guess = start is not None and not (used and used.microseconds)
    about: Attributes = {"openhands.time.start": "end of the step before"} if is_guess else {}
    return Moments(start, end, not is_bare(step.event.timestamp)), about


def _spent(used: Usage | None, study: Study) -> Attributes:
    if used is None:
        return {}
    return _usage(used, study.accounts.reported) | dict.fromkeys(_COST, used.cost or None)


def _usage(used: Usage, told: ReportedFields) -> Attributes:
    counts = cast("dict[str, int | None]", tokens_json(used, told) or {})
    return {_TOKENS[name]: count for name, count in counts.items()}


def _error_type(event: Event) -> str:
    if event.timed_out:
        return "timeout"
    return "exit_code" if event.command_failed else event.kind


def _errors(steps: Sequence[Step]) -> Iterator[tuple[str, Moments, Attributes]]:
    """Errors that are no results of calls."""
    found = (step.event for step in steps if step.event.failed and not step.is_call)
    for event, _ in zip(found, range(ERRORS), strict=False):
        said = describe_event(event)
        moments = Moments(event.seconds(), event.seconds())
        message = "  ".join(filter(None, (said.what, said.result)))
        yield "exception", moments, {"exception.type": event.kind, "exception.message": message}


_UNKNOWN = "unknown"

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""The names that OpenTelemetry gives them, where these are not those of LiteLLM."""


def provider(model: str) -> str:
    """Of a model, by what stands before its name: who serves `claude-…` alone is not told."""
    first, slash, _ = model.partition("/")
    return _PROVIDERS.get(first, first) if slash and first else _UNKNOWN


SPANS, CHARS = 500, 10**6
"""About how many spans and characters are in a line: collectors refuse requests of many MB."""

FIRST = 50
"""Events at the start of a run in which its first answer is looked for."""

_ID = pattern("[0-9a-f]{32}")


def _key_of(name: str, run: Trajectory) -> str:
    """What tells a run from all others, and is the same for a longer one: its id, if that is one of
    a server. Evaluations give each run of a task the same name: then its events up to the first
    answer count."""
    if _ID.fullmatch(name):
        return name
    told = hashlib.sha256()
    for event in run.events[:FIRST]:
        told.update(event.original())
        if event.is_answer:
            break
    return told.hexdigest()


def otlp(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The agent first, each span after the one it belongs to; nothing for a run without steps. The
    ids of spans follow from the run as it was read, whatever of it is shared."""
    if not run.steps:
        return
    study, bare = run.study, bare_id(run.name)
    name = bare if _ID.fullmatch(bare) else run.name
    key = _key_of(name, run.read or study.trajectory)
    made = Messages(sink) if run.messages else None
    spans = Spans(key, name, run.conversation, made, sink)
    agent = study.trajectory.recorded.agent
    made_of = spans.of(study, run.steps, is_part=run.is_part)
    yield from _lines(hash_of(key, digits=32), agent, made_of, sink)


def _lines(trace: str, agent: str, spans: Iterable[Span], sink: Sink) -> Iterator[str]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": agent}}]}
    scope = {"name": "oh-tui", "version": __version__}
    head = f'{{"resourceSpans": [{{"resource": {sink.json(resource)}, "scopeSpans": [{{"scope": '
    head += f'{json_line(scope)}, "spans": ['
    texts: list[str] = []
    before = chars = 0
    for span in spans:
        text, before = span.json(trace, before, sink)
        if texts and (len(texts) == SPANS or chars + len(text) > CHARS):
            yield f"{head}{', '.join(texts)}]}}]}}]}}\n"
            texts, chars = [], 0
        texts.append(text)
        chars += len(text)
    yield f"{head}{', '.join(texts)}]}}]}}]}}\n"


_IDS = ("traceId", "spanId", "parentSpanId")
"""In OTLP JSON they are hexadecimal, in the JSON of protobuf base64."""


def protobuf_encoder() -> Callable[[str], bytes]:
    """What makes of a line an `ExportTraceServiceRequest`. One after the other they are one, as all
    fields of it repeat. Raises Problem without the library."""
    try:
        schema = importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        json_format = importlib.import_module("google.protobuf.json_format")
    except ImportError as error:
        raise Problem(
            "opentelemetry-proto, which writes protobuf, is not installed",
            "uv tool install '.[otlp]', or pip install 'oh-tui[otlp]'",
        ) from error

    def encoded(line: str) -> bytes:
        request = json.loads(line)
        for sent in request["resourceSpans"]:
            for span in sent["scopeSpans"][0]["spans"]:
                for name in filter(span.get, _IDS):
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        message = json_format.ParseDict(request, schema.ExportTraceServiceRequest())
        return bytes(message.SerializeToString())

    return encoded

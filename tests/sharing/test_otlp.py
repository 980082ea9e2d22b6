"""A run as traces: what the official schema takes, how spans hang together, what is certain."""

from __future__ import annotations

import base64
import importlib
import itertools
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.sharing.otlp.otlp import CHARS, SPANS, otlp, provider
from oh_tui.sharing.otlp.span import MOST, TEXT
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE
from scripts.many_runs import Maker, write_outputs
from tests.commands.conftest import IDS
from tests.demo_runs import SLUGS, demo_events, demo_run
from tests.hostile.kinds import run as every_kind
from tests.hostile.kinds import write_zip
from tests.hostile.texts import CORPUS
from tests.processes import oh_tui
from tests.trajectory.made import call, event, failure, message, output, shell
from tests.trajectory.sub_agent_files import CHECK, DEEP, run_files, zip_of

ID = "ab" * 16

Fields = dict[str, Any]


def lines_of(run: Trajectory, *, messages: bool = False, name: str = ID, **more: Any) -> list[str]:
    about = Conversation(name, title="Fix dates", llm_model="anthropic/claude-sonnet-4-5")
    shared = SharedRun(about, Study(run), run.steps, **more)
    return list(otlp(replace(shared, name=name, read=run, messages=messages), Sink(shared)))


def traced(run: Trajectory, **more: Any) -> list[Fields]:
    return spans_in(lines_of(run, **more))


def spans_in(lines: list[str]) -> list[Fields]:
    """The spans of some lines, their attributes as a dict of plain values."""
    found = []
    for line in lines:
        ((resource,),) = (json.loads(line)["resourceSpans"],)
        ((scope,),) = (resource["scopeSpans"],)
        assert scope["scope"]["name"] == "oh-tui"
        found += [span | {"attributes": plain(span["attributes"])} for span in scope["spans"]]
    return found


def plain(attributes: list[Fields]) -> Fields:
    assert len({one["key"] for one in attributes}) == len(attributes)
    return {one["key"]: _plain(one["value"]) for one in attributes}


def _plain(value: Fields) -> Any:
    ((kind, told),) = value.items()
    if kind == "arrayValue":
        return [_plain(one) for one in told["values"]]
    return int(told) if kind == "intValue" else told


def named(spans: list[Fields], name: str) -> list[Fields]:
    return [span for span in spans if span["attributes"].get("gen_ai.operation.name") == name]


def made(*events: Event) -> Trajectory:
    run = Trajectory()
    run.extend(events)
    return run


def parsed(lines: list[str]) -> int:
    """How many spans the official schema finds in them; it takes nothing that it does not know."""
    official = "opentelemetry.proto.collector.trace.v1.trace_service_pb2"
    request = importlib.import_module(official).ExportTraceServiceRequest
    parse = importlib.import_module("google.protobuf.json_format").Parse
    count = 0
    for line in lines:
        assert line.endswith("\n") and line.isascii() and "\n" not in line[:-1]
        found = parse(line, request())
        for one in found.resource_spans[0].scope_spans[0].spans:
            count += 1
            assert one.start_time_unix_nano <= one.end_time_unix_nano
    return count


@pytest.mark.slow
@pytest.mark.parametrize("messages", [False, True], ids=["without messages", "with messages"])
def test_the_official_schema_takes_every_run_of_the_demo(messages: bool) -> None:
    pytest.importorskip("opentelemetry.proto")
    for slug in SLUGS:
        run = demo_run(slug)
        lines = lines_of(run, messages=messages)
        assert parsed(lines) == len(spans_in(lines)) >= (1 if run.steps else 0)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", CORPUS)
def test_the_official_schema_takes_hostile_texts(name: str) -> None:
    pytest.importorskip("opentelemetry.proto")
    say = itertools.repeat(CORPUS[name]).__next__
    run = made(*(parse_event(json.dumps(one).encode()) for one in every_kind(say)))
    for whole in (False, True):
        assert parsed(lines_of(run, messages=True, whole=whole, name=CORPUS[name])) > 40


def test_spans_hang_together_and_a_longer_run_doubles_none() -> None:
    events = demo_events("week-dates")
    spans = traced(demo_run("week-dates"))
    ids = [span["spanId"] for span in spans]
    assert len(set(ids)) == len(ids) and {len(one) for one in ids} == {16}
    assert len({span["traceId"] for span in spans}) == 1 and len(spans[0]["traceId"]) == 32
    seen = set[str]()
    for span in spans:
        assert span.get("parentSpanId", "") in (seen or {""}), "a span before its parent"
        seen.add(span["spanId"])
    assert ids == [span["spanId"] for span in traced(demo_run("week-dates"))]
    shorter = traced(made(*events[: len(events) // 2]))
    assert {span["spanId"] for span in shorter} < set(ids)
    other = traced(demo_run("week-dates"), name="cd" * 16)
    assert not {span["spanId"] for span in other} & set(ids)


def test_runs_of_one_task_in_two_evaluations_are_two_traces() -> None:
    first = made(message("1", "Do it"), shell("2", "ls"))
    longer = made(message("1", "Do it"), shell("2", "ls"), output("2"))
    second = made(message("1", "Do it"), shell("2", "pwd"))
    traces = [traced(run, name="acme-1")[0]["traceId"] for run in (first, longer, second)]
    assert traces[0] == traces[1] != traces[2]


def test_each_answer_has_its_usage_and_the_agent_the_sum() -> None:
    run = demo_run("week-dates")
    study, spans = Study(run), traced(run)
    agent = spans[0]["attributes"]
    total = study.accounts.total
    assert agent["gen_ai.usage.input_tokens"] == total.prompt
    assert agent["openhands.cost_usd"] == pytest.approx(total.cost)
    chats = named(spans, "chat")
    charged = sum((study.accounts.of(step) or NO_USAGE for step in run.steps), NO_USAGE)
    for key, told in (
        ("input_tokens", charged.prompt),
        ("output_tokens", charged.completion),
        ("cache_read.input_tokens", charged.cache_read),
        ("cache_creation.input_tokens", charged.cache_write),
    ):
        assert sum(s["attributes"].get(f"gen_ai.usage.{key}", 0) for s in chats) == told
    assert [s["attributes"]["openhands.step"] for s in chats if s["name"] != "condense"] == [
        answer.step for answer in study.contexts.answers
    ]
    calls = named(spans, "execute_tool")
    assert len(calls) == sum(step.is_call for step in run.steps)
    condensed = [span for span in spans if span["name"] == "condense"]
    assert condensed and condensed[0]["attributes"]["openhands.condensation.forgotten"] > 5


@pytest.mark.slow
def test_how_a_run_ended_is_the_status_of_its_agent() -> None:
    told = {
        slug: traced(demo_run(slug))[0].get("status", {}) for slug in SLUGS if demo_run(slug).steps
    }
    assert told["week-dates"]["code"] == 2 and "same call" in told["week-dates"]["message"]
    verdicts = {slug: Study(demo_run(slug)).verdict.word for slug in told}
    for slug, word in verdicts.items():
        code = {"finished": 1, "error": 2, "stuck": 2}.get(word)
        assert told[slug].get("code") == code, (slug, word)
    assert {"finished", "error", "stuck"} <= set(verdicts.values())


def test_failed_calls_have_an_error_and_refused_ones_none() -> None:
    run = made(
        shell("1", "false", second=1),
        output("1", "no", 1, second=2),
        shell("2", "boom", second=3),
        failure("2", "No such tool", second=4),
        shell("3", "rm", second=5),
        event("UserRejectObservation", "u", 6, action_id="3", rejection_reason="No"),
        event("ConversationErrorEvent", "e", 7, code="LLMError", detail="no such model"),
    )
    agent, *rest = traced(run)
    first, second, third = named(rest, "execute_tool")
    assert first["status"] == {"code": 2, "message": "exit 1  no"}
    assert first["attributes"]["process.exit.code"] == 1
    assert first["attributes"]["error.type"] == "exit_code"
    assert second["attributes"]["error.type"] == "AgentErrorEvent"
    assert "No such tool" in second["status"]["message"]
    assert "status" not in third and third["attributes"]["openhands.outcome"] == "rejected"
    (told,) = agent["events"]
    assert plain(told["attributes"])["exception.type"] == "ConversationErrorEvent"


def test_parallel_calls_are_one_answer() -> None:
    run = made(
        message("1", "Go", second=0),
        shell("2", "ls", second=5, llm_response_id="r"),
        shell("3", "pwd", second=5, llm_response_id="r"),
        output("2", second=6),
        output("3", second=9),
    )
    spans = traced(run)
    (chat,) = named(spans, "chat")
    assert chat["attributes"]["gen_ai.response.id"] == "r"
    assert chat["attributes"]["openhands.time.start"] == "end of the step before"
    assert lasted(chat) == 5 and [lasted(one) for one in named(spans, "execute_tool")] == [1, 4]


def lasted(span: Fields) -> float:
    return (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 10**9


def unknown(span: Fields) -> list[str]:
    found: list[str] = span["attributes"].get("openhands.time.unknown", [])
    return found


def test_what_is_not_known_of_times_is_said_and_not_invented() -> None:
    (_, chat, call) = traced(made(shell("1", "sleep", second=5)))
    assert unknown(chat) == ["start", "zone"] and unknown(call) == ["end", "zone"]
    assert lasted(chat) == lasted(call) == 0
    zoned = {"timestamp": "2026-03-01T10:00:00Z"}
    agent, _, call = traced(made(shell("1", "sleep", **zoned)))
    assert unknown(agent) == unknown(call) == ["end"]
    back = made(shell("1", "ls", second=5), output("1", second=3))
    assert unknown(named(traced(back), "execute_tool")[0]) == ["end", "zone"]
    spans = traced(made(*(shell(str(n), "ls", timestamp=None) for n in range(3))))
    starts = [int(span["startTimeUnixNano"]) for span in spans]
    assert starts == sorted(set(starts)) and max(starts) < 10**6, "in order, in 1970"
    assert all(unknown(span)[:2] == ["start", "end"] for span in spans)
    late = made(message("1", "Hi", timestamp="9999-01-01T00:00:00Z"))
    assert int(traced(late)[0]["endTimeUnixNano"]) < 10**6


def test_messages_are_those_of_the_context(tmp_path: Path) -> None:
    run = demo_run("week-dates")
    contexts = Study(run).contexts
    chats = [s for s in named(traced(run, messages=True, whole=True), "chat") if s["kind"] == 3]
    by_step = {s["attributes"]["openhands.step"]: s for s in chats}
    for answer in contexts.answers:
        told = by_step[answer.step]["attributes"]
        sent = json.loads(told["gen_ai.input.messages"])
        seen = contexts.at(answer).messages
        assert [one["role"] for one in sent] == [one.dump()["role"] for one in seen]
        assert "openhands.messages.left_out" not in told
        (reply,) = json.loads(told["gen_ai.output.messages"])
        calls = [p["name"] for p in reply["parts"] if p["type"] == "tool_call"]
        dumped = contexts.reply(answer).dump()
        assert calls == [one["name"] for one in dumped.get("tool_calls", [])]
        assert reply["finish_reason"] == ("tool_call" if calls else "stop")
    kinds = {part["type"] for one in sent for part in one["parts"]}
    assert {"text", "tool_call", "tool_call_response"} <= kinds
    assert not any("messages" in key for s in traced(run) for key in s["attributes"])


def test_calls_have_arguments_and_results_only_if_wanted() -> None:
    given = {"path": "/a"}
    action = {"kind": "FileEditorAction", "command": "view", **given}
    told = {"id": "c", "name": "file_editor", "arguments": json.dumps(given)}
    run = made(call("1", action, tool="file_editor", tool_call=told), output("1", "text"))
    (one,) = named(traced(run, messages=True), "execute_tool")
    assert json.loads(one["attributes"]["gen_ai.tool.call.arguments"]) == given
    assert one["attributes"]["gen_ai.tool.call.result"] == "text"
    (one,) = named(traced(run), "execute_tool")
    assert not any(key.startswith("gen_ai.tool.call.a") for key in one["attributes"])


def test_sizes_are_bounded() -> None:
    rounds = range(30)
    events = [message("0", "x" * 10**6)]
    for n in rounds:
        events += [shell(f"{n}c", f"{n:9}" * 10**4), output(f"{n}c", "y" * 20_000)]
    lines = lines_of(made(*events), messages=True)
    assert max(map(len, lines)) < CHARS + 10 * MOST
    for span in spans_in(lines):
        for value in span["attributes"].values():
            assert len(str(value)) < 2 * MOST
    last = named(spans_in(lines), "chat")[-1]["attributes"]
    sent = json.loads(last["gen_ai.input.messages"])
    assert "characters left out" in str(sent[0])
    assert last["openhands.messages.left_out"] == 2 * 29 + 1 - len(sent) > 0
    many = lines_of(made(*(shell(str(n), "ls") for n in range(SPANS))))
    assert len(many) == 3


def test_half_a_secret_does_not_leave_where_a_text_is_cut() -> None:
    secret = "AKIAQ3EGRT7YHN5LMZ2P"
    text = "x" * (TEXT - 16) + f" {secret} " + "y" * TEXT
    run = made(message("1", text), shell("2", "ls", reasoning_content=text), output("2", text))
    told = "".join(lines_of(run, messages=True))
    assert "characters left out" in told
    assert secret[:12] not in told


def test_sub_agents_are_below_the_call_that_started_them(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "run.zip", run_files())
    done = oh_tui("export", path, "--to", "otlp")
    assert done.returncode == 0, done.stderr
    spans = spans_in(done.stdout.splitlines(keepends=True))
    by_id = {span["spanId"]: span for span in spans}
    agents = {span["attributes"].get("openhands.sub_agent", ""): span for span in spans if
              span["name"].startswith("invoke_agent")}  # fmt: skip
    assert len(agents) == 6
    above = by_id[agents[CHECK]["parentSpanId"]]
    assert above["name"] == "execute_tool task" and above["attributes"]["openhands.step"] == 2
    assert by_id[by_id[agents[DEEP]["parentSpanId"]]["parentSpanId"]] is agents[CHECK]
    assert len({span["traceId"] for span in spans}) == 1


def test_many_runs_are_lines_of_one_file_and_shares_have_each_once(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    write_outputs(folder, 6, Maker(seed=8, events=16), part=3)
    target = tmp_path / "all.jsonl"
    done = oh_tui("export", folder, "--to", "otlp", "-o", target)
    assert done.returncode == 0 and "6 runs" in done.stderr, done.stderr
    spans = spans_in(target.read_text().splitlines(keepends=True))
    traces = Counter(span["traceId"] for span in spans)
    assert len(traces) == 6
    shares = Counter[str]()
    for share in ("1/2", "2/2"):
        done = oh_tui("export", folder, "--to", "otlp", "--shard", share)
        shares.update(span["traceId"] for span in spans_in(done.stdout.splitlines(keepends=True)))
    assert shares == traces
    row = next(iter(sorted(folder.rglob("*.jsonl"))))
    one = oh_tui("export", f"{row}#{json.loads(row.read_text().splitlines()[0])['instance_id']}",
                 "--to", "otlp")  # fmt: skip
    alone = spans_in(one.stdout.splitlines(keepends=True))
    everywhere = {span["spanId"]: span for span in spans}
    assert all(everywhere[span["spanId"]] == span for span in alone)


def test_a_run_of_a_server_is_the_same_trace_as_its_file(run_file: Path) -> None:
    ids = []
    for words in ((run_file,), ("--demo", IDS["week-dates"])):
        done = oh_tui("export", *words, "--to", "otlp")
        assert done.returncode == 0, done.stderr
        spans = spans_in(done.stdout.splitlines(keepends=True))
        ids.append({span["spanId"] for span in spans})
    assert ids[0] == ids[1]


def request_in(path: Path) -> list[Fields]:
    """The spans of a file of protobuf, as `spans_in` has them, sorted by their ids."""
    official = "opentelemetry.proto.collector.trace.v1.trace_service_pb2"
    request = importlib.import_module(official).ExportTraceServiceRequest()
    request.ParseFromString(path.read_bytes())
    told = importlib.import_module("google.protobuf.json_format").MessageToDict(request)
    found = spans_in([json.dumps({"resourceSpans": [one]}) for one in told["resourceSpans"]])
    for span in found:
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = base64.b64decode(span[name]).hex()
    return sorted(found, key=lambda span: str(span["spanId"]))


def as_protobuf_has_them(lines: list[str]) -> list[Fields]:
    """The spans of lines with the names of numbers, as the JSON of protobuf has them."""
    kinds, codes = {1: "SPAN_KIND_INTERNAL", 3: "SPAN_KIND_CLIENT"}, ("", "OK", "ERROR")
    found = spans_in(lines)
    for span in found:
        span["kind"] = kinds[span["kind"]]
        if "status" in span:
            span["status"]["code"] = f"STATUS_CODE_{codes[span['status']['code']]}"
        for one in span.get("events", ()):
            if not one["attributes"]:
                del one["attributes"]
    return sorted(found, key=lambda span: str(span["spanId"]))


@pytest.mark.parametrize("many", [False, True], ids=["one run", "many runs"])
def test_protobuf_is_one_request_equal_to_the_lines(
    tmp_path: Path, run_file: Path, many: bool
) -> None:
    pytest.importorskip("opentelemetry.proto")
    path = tmp_path / "runs" if many else run_file
    if many:
        write_outputs(path, 6, Maker(seed=8, events=16), part=3)
    lines, target = tmp_path / "a.jsonl", tmp_path / "a.pb"
    for more in (("-o", lines), ("-o", target, "--protobuf")):
        done = oh_tui("export", path, "--to", "otlp", "--messages", *more)
        assert done.returncode == 0, done.stderr
    assert ("one request of 6 runs" in done.stderr) is many
    made = request_in(target)
    assert made == as_protobuf_has_them(lines.read_text().splitlines(keepends=True))
    assert len(made) > 20 and {len(span["spanId"]) for span in made} == {16}


def test_protobuf_is_for_a_file_and_its_library_is_named(
    monkeypatch: pytest.MonkeyPatch, run_file: Path, tmp_path: Path
) -> None:
    done = oh_tui("export", run_file, "--to", "otlp", "--protobuf")
    assert done.returncode == 2 and "name a file: -o traces.pb" in done.stderr
    done = oh_tui("export", run_file, "--to", "md", "--protobuf")
    assert done.returncode == 2 and "--protobuf is for --to otlp" in done.stderr
    monkeypatch.setitem(sys.modules, "google.protobuf.json_format", None)
    target = tmp_path / "a.pb"
    done = oh_tui("export", run_file, "--to", "otlp", "--protobuf", "-o", target)
    assert done.returncode == 2 and not target.exists()
    assert "opentelemetry-proto, which writes protobuf, is not installed" in done.stderr
    assert "uv tool install '.[otlp]', or pip install 'oh-tui[otlp]'" in done.stderr


def test_the_cost_of_an_answer_has_the_names_that_receivers_read() -> None:
    spans = traced(demo_run("week-dates"))
    chats = [
        s["attributes"] for s in named(spans, "chat") if "openhands.cost_usd" in s["attributes"]
    ]
    assert chats
    for told in chats:
        costs = {told["openhands.cost_usd"], told["gen_ai.usage.cost"], told["llm.cost.total"]}
        assert len(costs) == 1 and costs.pop() > 0
    others = [s["attributes"] for s in spans if s["attributes"] not in chats]
    assert not any("gen_ai.usage.cost" in one or "llm.cost.total" in one for one in others)


def test_only_chosen_steps_are_written(run_file: Path) -> None:
    done = oh_tui("export", run_file, "is:failed", "--to", "otlp")
    calls = named(spans_in(done.stdout.splitlines(keepends=True)), "execute_tool")
    assert calls and all(one["status"]["code"] == 2 for one in calls)


def test_what_is_left_out_is_in_no_message_and_the_ids_stay(tmp_path: Path) -> None:
    thought = [{"type": "text", "text": "secret-thought"}]
    events = [
        message("1", "Do it"),
        shell("2", "ls", thought=thought, reasoning_content="secret-reasoning"),
        output("2", "secret-result"),
        shell("3", "pwd"),
        output("3"),
    ]
    path = write_zip(tmp_path / "run.zip", [one.body() for one in events], title="t")
    before, after = (
        oh_tui("export", path, "--to", "otlp", "--messages", *words).stdout
        for words in ((), ("--without", "thoughts,results"))
    )
    assert all(f"secret-{of}" in before for of in ("thought", "reasoning", "result"))
    assert "secret-" not in after
    ids = [[s["spanId"] for s in spans_in(text.splitlines(True))] for text in (before, after)]
    assert ids[0] == ids[1]


def test_a_provider_is_what_stands_before_the_model() -> None:
    told = ("anthropic/claude", "gemini/g", "litellm_proxy/anthropic/c", "claude-sonnet", "", "/")
    names = ["anthropic", "gcp.gemini", "litellm_proxy", "unknown", "unknown", "unknown"]
    assert list(map(provider, told)) == names

"""V0 runs in numbers, against a count over the JSON that knows nothing of the converter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import v0
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.presentation.block import Code, Diff, Failure
from oh_tui.trajectory.presentation.blocks import call_blocks, result_blocks
from oh_tui.trajectory.reading.describe import describe

from .runs import JsonObject, Row, row, trajectory

PRICES = (0.0125, 0.004, 0.0311)


class Made:
    """A V0 run as OpenHands would have written it."""

    def __init__(self, *, metadata: bool = True, metrics: bool = True) -> None:
        self.events: list[JsonObject] = []
        self.with_metadata, self.with_metrics = metadata, metrics
        self.cost, self.prompt, self.completion = 0.0, 0, 0

    def add(self, source: str, **fields: Any) -> int:
        number = 2 * len(self.events)  # ids may jump
        minute, second = divmod(len(self.events), 60)
        when = f"2025-02-01T10:{minute:02}:{second:02}.000100"
        event = {"id": number, "timestamp": when, "source": source, "message": ""}
        self.events.append(event | fields)
        return number

    def act(self, action: str, args: JsonObject, tool: str, *, same_answer: bool = False) -> int:
        """A call of the agent, with what its answer cost."""
        if not same_answer:
            self.cost += PRICES[len(self.events) % 3]
            self.prompt += 1000 + len(self.events)
            self.completion += 50
        fields: JsonObject = {"action": action, "args": args}
        answer = f"chatcmpl-{self.prompt}"
        if self.with_metadata:
            number = len(self.events)
            called = {"id": f"toolu_{number}", "type": "function"}
            called["function"] = {"name": tool, "arguments": json.dumps(args)}  # type: ignore[assignment]
            fields["tool_call_metadata"] = {
                "function_name": tool,
                "tool_call_id": f"toolu_{number}",
                "total_calls_in_response": 1,
                "model_response": {
                    "id": answer,
                    "model": "some/model",
                    "choices": [{"message": {"role": "assistant", "tool_calls": [called]}}],
                },
            }
        if self.with_metrics:
            tokens = {"prompt_tokens": self.prompt, "completion_tokens": self.completion}
            fields["llm_metrics"] = {
                "accumulated_cost": self.cost,
                "accumulated_token_usage": {"model": "some/model", **tokens},
            }
        return self.add("agent", **fields)

    def see(self, observation: str, cause: int | None, content: str, **extras: Any) -> int:
        fields: JsonObject = {"observation": observation, "content": content, "extras": extras}
        if observation == "run":
            fields["success"] = extras["metadata"]["exit_code"] == 0
        if cause is not None:
            fields["cause"] = cause
            action = next(e for e in self.events if e["id"] == cause)
            if "tool_call_metadata" in action:
                fields["tool_call_metadata"] = action["tool_call_metadata"]
        return self.add("agent", **fields)

    def shell(self, command: str, code: int, **more: Any) -> None:
        call = self.act("run", {"command": command, "thought": "so", "is_input": False},
                        "execute_bash", **more)  # fmt: skip
        self.see("run", call, "output", command=command,
                 metadata={"exit_code": code, "pid": -1, "working_dir": "/workspace"})  # fmt: skip


def whole_run(**options: bool) -> Made:
    made = Made(**options)
    made.add("agent", action="system", args={"content": "You are an agent.", "tools": [{"a": 1}]})
    task = made.add("user", action="message", args={"content": "Fix it.", "image_urls": None})
    recall = made.add("user", action="recall", args={"query": "Fix it.", "recall_type": "x"})
    made.see("recall", recall, "Added workspace context", repo_name="acme/dates")
    made.see("agent_state_changed", None, "", agent_state="running", reason="")
    made.shell("ls", 0)
    made.shell("make test", 2)
    made.shell("cat a", 0, same_answer=True)
    edit = made.act("edit", {"path": "/workspace/a.py", "command": "str_replace",
                             "old_str": "a", "new_str": "b"}, "str_replace_editor")  # fmt: skip
    made.see("edit", edit, "--- /workspace/a.py\n+++ /workspace/a.py\n@@ -1 +1 @@\n-a\n+b",
             path="/workspace/a.py", prev_exist=True, old_content="a\n", new_content="b\n",
             diff="--- /workspace/a.py\n+++ /workspace/a.py\n@@ -1 +1 @@\n-a\n+b")  # fmt: skip
    edit = made.act("edit", {"path": "/workspace/b.py", "command": "view"}, "str_replace_editor")
    made.see("edit", edit, "ERROR:\nNo such file", path="/workspace/b.py")
    browse = made.act("browse", {"url": "http://localhost"}, "browser")
    made.see("error", browse, "BrowserUnavailable", error_id="")
    made.act("condensation", {"forgotten_event_ids": [task], "summary": "short"}, "x")
    made.events[-1].pop("tool_call_metadata", None)
    made.see("error", None, "The action has not been executed.", error_id="AGENT_ERROR$")
    made.act("finish", {"final_thought": "All is done.", "outputs": {}}, "finish")
    made.see("agent_state_changed", None, "", agent_state="finished", reason="")
    return made


def counted(events: list[JsonObject], metrics: JsonObject | None, steps: int, word: str) -> Row:
    """The numbers of a run by the rules of V0 alone."""
    acts = [e for e in events if "action" in e and e["source"] == "agent"]
    calls = [e for e in acts if "tool_call_metadata" in e]
    answers = [e for e in events if "observation" in e and "cause" in e]
    if not calls:
        calls = [e for e in acts if e["id"] in {a["cause"] for a in answers}]
    results = [a for a in answers if a["cause"] in {c["id"] for c in calls}]
    failed = sum(
        a["observation"] == "error"
        or a.get("success") is False
        or a["content"].startswith("ERROR:")
        for a in results
    )
    failed += sum(e.get("observation") == "error" and "cause" not in e for e in events)
    sums = [e["llm_metrics"] for e in events if "llm_metrics" in e] + [metrics or {}]
    cost = max(s.get("accumulated_cost", 0) for s in sums)
    tokens = max(
        s["accumulated_token_usage"]["prompt_tokens"]
        + s["accumulated_token_usage"]["completion_tokens"]
        if "accumulated_token_usage" in s
        else 0
        for s in sums
    )
    return Row(steps, len(calls), len(results), failed, round(cost, 6), tokens, word)


METRICS = {
    "accumulated_cost": 0.75,
    "accumulated_token_usage": {"prompt_tokens": 90_000, "completion_tokens": 4_000},
}


@pytest.mark.parametrize("metrics", [None, METRICS])
@pytest.mark.parametrize("metadata", [True, False])
def test_a_run_is_counted_as_its_json_says(metadata: bool, metrics: JsonObject | None) -> None:
    made = whole_run(metadata=metadata)
    run = trajectory(v0.convert(made.events, metrics))
    # 1 task, 2 of recall, 6 calls with a result, condensation, error, finish
    assert row(run) == counted(made.events, metrics, 12, "finished")
    assert row(run).calls == (7 if metadata else 6)
    assert Study(run).verdict.cause == "All is done."


def test_the_growth_of_the_cumulative_metrics_is_the_cost_of_each_answer() -> None:
    made = whole_run()
    run = trajectory(v0.convert(made.events, METRICS))
    accounts = Study(run).accounts
    sums = [e["llm_metrics"]["accumulated_cost"] for e in made.events if "llm_metrics" in e]
    grown = [now - before for before, now in zip([0.0, *sums], sums, strict=False) if now > before]
    charged = [spent.cost for step in run.steps if (spent := accounts.of(step))]
    assert charged == pytest.approx(grown)
    assert accounts.other.cost == pytest.approx(0.75 - sums[-1])
    assert accounts.priced


def test_without_metrics_no_price_is_known_and_tokens_come_from_the_responses() -> None:
    made = whole_run(metrics=False)
    usage = {"prompt_tokens": 70, "completion_tokens": 5, "cache_read_input_tokens": 60}
    made.events[5]["tool_call_metadata"]["model_response"]["usage"] = usage
    accounts = Study(trajectory(v0.convert(made.events))).accounts
    assert not accounts.priced
    assert (accounts.total.prompt, accounts.total.completion) == (70, 5)
    assert accounts.total.cache_read == 60


def test_the_answers_that_only_the_row_lists_are_charged_by_their_id() -> None:
    made = whole_run(metrics=False)
    calls = [e["tool_call_metadata"] for e in made.events if e.get("action") == "run"]
    ids = list(dict.fromkeys(call["model_response"]["id"] for call in calls))
    metrics = {
        "accumulated_cost": 0.9,
        "costs": [{"cost": 0.1}, {"cost": 0.2}],
        "token_usages": [{"response_id": i, "prompt_tokens": 10} for i in ids],
        "response_latencies": [{"response_id": ids[0], "latency": 2.5}],
    }
    run = trajectory(v0.convert(made.events, metrics))
    accounts = Study(run).accounts
    first = next(step for step in run.steps if step.is_call)
    assert accounts.of(first).cost == pytest.approx(0.1)  # type: ignore[union-attr]
    assert accounts.llm(first) == 2.5
    assert accounts.total.cost == pytest.approx(0.9)
    assert accounts.other.cost == pytest.approx(0.6)


def as_pairs(events: list[JsonObject]) -> list[list[JsonObject]]:
    """The run as it was written before September 2024."""
    nothing = {"observation": "null", "content": "", "extras": {}}
    answers = {e["cause"]: e for e in events if "cause" in e}
    pairs = []
    for event in events:
        if "action" in event:
            result = answers.get(event["id"], nothing)
            pairs.append([event, {k: v for k, v in result.items() if k not in ("cause", "id")}])
    return [[{k: v for k, v in a.items() if k != "id"}, o] for a, o in pairs]


def test_pairs_are_calls_and_their_results() -> None:
    made = whole_run(metadata=False)
    run = trajectory(v0.convert(as_pairs(made.events)))
    expected = counted(made.events, None, 11, "finished")
    assert row(run) == expected._replace(failed=expected.failed - 1)  # it stood in no pair
    assert not any(event.kind == "null" for event in run.events)


def test_the_flat_events_of_the_resolver_are_joined_by_their_order() -> None:
    made = whole_run(metadata=False, metrics=False)
    flat = []
    for event in made.events:
        names = ("action", "observation", "content", "success")
        kept = {name: event[name] for name in names if name in event}
        flat.append(kept | event.get("args", {}) | event.get("extras", {}))
    run = trajectory(v0.convert(flat))
    expected = counted(made.events, None, 12, "finished")
    assert row(run)[1:4] == expected[1:4]
    assert run.steps[0].event.source == "user"


def test_an_edit_keeps_its_diff_once() -> None:
    run = trajectory(v0.convert(whole_run().events))
    step = next(s for s in run.steps if s.event.verb == "str_replace")
    blocks = result_blocks(step, Outcome.OK)
    assert [block.text for block in blocks if isinstance(block, Diff)] == ["@@ -1 +1 @@\n-a\n+b"]
    assert len(blocks) == 1
    changed = Study(run).changes
    assert (changed.changed, changed.added, changed.removed) == (1, 1, 1)


def test_an_edit_of_early_2025_has_its_command_in_the_call_of_the_model() -> None:
    made = Made()
    args = {"command": "create", "path": "/workspace/a.py", "file_text": "one\ntwo\n"}
    call = made.act("edit", args, "str_replace_editor")
    made.events[-1]["args"] = {"path": "/workspace/a.py", "content": "", "start": 1, "end": -1}
    made.see("edit", call, "created", path="/workspace/a.py", prev_exist=False, old_content=None,
             new_content="one\ntwo\n")  # fmt: skip
    run = trajectory(v0.convert(made.events))
    assert run.steps[0].event.verb == "create"
    file = Study(run).changes.files[0]
    assert (file.fate, file.added) == ("new", 2)


def test_missing_times_are_not_known_rather_than_none() -> None:
    made = whole_run()
    for event in made.events:
        del event["timestamp"]
    run = trajectory(v0.convert(made.events))
    accounts = Study(run).accounts
    assert run.began is None
    assert all(accounts.ran(step) is None and accounts.llm(step) is None for step in run.steps)


def test_an_id_that_comes_twice_drops_no_event() -> None:
    made = whole_run()
    run = trajectory(v0.convert([*made.events, *made.events]))
    assert len(run.events) == 2 * len(made.events)


def test_each_event_knows_the_json_that_it_was_made_from() -> None:
    made = whole_run()
    found = v0.convert(made.events)
    assert [decode_json(text) for text in found.originals] == made.events


def test_a_failed_run_says_what_stopped_it() -> None:
    made = whole_run()
    del made.events[-2:]
    made.see("error", None, "RuntimeError: Agent reached maximum iteration.", error_id="")
    made.see("agent_state_changed", None, "", agent_state="error", reason="")
    verdict = Study(trajectory(v0.convert(made.events))).verdict
    assert (verdict.word, verdict.cause) == (
        "error",
        "RuntimeError: Agent reached maximum iteration.",
    )


def test_a_cell_shows_its_code_and_the_last_line_of_its_output() -> None:
    made = Made()
    call = made.act("run_ipython", {"code": "x = 1\nprint(x)"}, "execute_ipython_cell")
    made.see("run_ipython", call, "1\n[Jupyter current working directory: /workspace]")
    run = trajectory(v0.convert(made.events))
    about = describe(run.steps[0], Outcome.OK)
    assert (about.what, about.result) == ("python x = 1", "1")
    assert any(
        isinstance(b, Code) and b.text == "x = 1\nprint(x)" for b in call_blocks(run.steps[0])
    )


def test_an_error_without_a_code_shows_its_text() -> None:
    made = Made()
    made.see("error", None, "It broke.")
    run = trajectory(v0.convert(made.events))
    assert result_blocks(run.steps[0], Outcome.ERROR) == [Failure("It broke.")]


def test_an_action_without_a_counterpart_is_told_by_its_main_argument() -> None:
    run = trajectory(v0.convert(whole_run().events))
    recalls = [describe(step, Outcome.OK) for step in run.steps if step.event.kind == "recall"]
    assert [(each.what, each.result) for each in recalls] == [
        ("recall", "Fix it."),
        ("recall", "Added workspace context"),
    ]


def test_a_finish_without_a_result_is_not_open_in_the_strip() -> None:
    picture = Study(trajectory(v0.convert(whole_run().events))).strip.picture(40)
    assert not any(column.open for column in picture.columns)

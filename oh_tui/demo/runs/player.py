"""Player: makes the events of a run from its scenario, a TOML file in `scenarios`.

A scenario names the working folder (`root`), its files (`[files]`) and the steps of the run, one
`[[step]]` each. One key says what the step is:

    user      the user writes                    say       the model answers with text only
    finish    the model calls finish             condense  the history becomes this summary
    wait      seconds pass                       status    the execution status changes
    event     any event, of this kind            hook      a hook runs, at a tool's use or not
    end       the run ends with this status      fail      the run ends with this error code
    back      the user goes back to the end of the step with this number: what follows is a branch
    result    the last call gets its result      rejected  the last call is rejected, and why
    acp       a tool call of an agent over ACP   judged    the last call's risk is rated so

and for odd runs `full_state`, `result_again` and `stray_result`.

The other keys are the parameters of the method of that name, in `Run` or below. A step without such
a key is an answer of the model that calls a tool: `thought`, `because` (its reasoning), `llm` (the
seconds it took), and the call itself as in `tools`; several calls are `[[step.call]]` tables.
`llm` and `ran` may be a range, [2, 4]: the number drawn from it is the same in every process. TOML
has no null; the string "null" stands for it.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from oh_tui.demo.runs import tool_calls
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import Call

Table = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "scenarios"

PROJECTS = FOLDER / "projects.toml"
"""The files of each repository, as a fresh clone has them."""

TOOLS: dict[str, Callable[..., Call]] = {
    name: function
    for name, function in inspect.getmembers(tool_calls, inspect.isfunction)
    if function.__module__ == tool_calls.__name__ and not name.startswith("_")
}
"""Each public function of `tools`, by the name that scenarios give it."""


def perform(run: Run, name: str) -> None:
    scenario = load_scenario(name)
    run.root = scenario.get("root", run.root)
    run.confirms = scenario.get("confirms", run.confirms)
    run.max_iterations = scenario.get("max_iterations", run.max_iterations)
    run.find(scenario.get("files", {}))
    player = _Player(run)
    for number, step in enumerate(scenario.get("step", ()), 1):
        try:
            player.play(dict(step))
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            error.add_note(f"in step {number} of the scenario {name}")
            raise


@cache
def _projects() -> dict[str, dict[str, str]]:
    return tomllib.loads(PROJECTS.read_text("utf-8"))


def check_out(run: Run, repository: str) -> None:
    """Begin a run in its repository's folder, with the files of a fresh clone."""
    run.root = f"/workspace/{repository.rsplit('/', 1)[-1]}"
    run.find(_projects().get(repository, {}))


@cache
def load_scenario(name: str) -> Table:
    """The scenario of that name, read once; nobody may change it."""
    scenario: Table = _with_nulls(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")))
    return scenario


def _with_nulls(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _with_nulls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    return None if value == "null" else value


class _Player:
    def __init__(self, run: Run) -> None:
        self.run = run
        self._places: list[tuple[str | None, int, int]] = []
        """Of each step so far: where the run was at its end."""
        self.last: Call
        """The last call, which hooks, results and ratings refer to."""
        self._steps: dict[str, Callable[..., None]] = {
            "user": run.user,
            "say": run.say,
            "finish": run.finish,
            "condense": run.condense,
            "wait": run.wait,
            "status": run.set_status,
            "end": run.end,
            "fail": run.fail,
            "back": lambda number: run.go_back(self._places[number - 1]),
            "event": self._event,
            "full_state": lambda _: run.full_state(),
            "hook": self._hook,
            "result": self._result,
            "rejected": self._rejected,
            "result_again": self._result_again,
            "stray_result": self._stray_result,
            "acp": self._acp,
            "judged": self._judged,
        }

    def play(self, step: Table) -> None:
        kind = next((key for key in step if key in self._steps), None)
        if kind is None:
            self._answer(**step)
        else:
            if "llm" in step:
                step["llm"] = self._drawn(step["llm"])
            self._steps[kind](step.pop(kind), **step)
        self._places.append(self.run.place())

    def _answer(
        self,
        *,
        thought: str = "",
        because: str = "",
        llm: float | list[float] | None = None,
        llm_until: float | None = None,
        call: list[Table] | None = None,
        asks: bool = False,
        unanswered: bool = False,
        **only: Any,
    ) -> None:
        """The model calls tools. With `llm_until` the answer comes at that second of the run; with
        `asks` the user has to confirm; `unanswered` calls get no result, or a later one."""
        run = self.run
        calls = [self._call(dict(fields)) for fields in call or [only]]
        self.last = calls[-1]
        seconds = self._drawn(llm)
        if llm_until is not None:
            seconds = max(2.0, llm_until - run.elapsed)
        if asks:
            run.ask(thought, *calls, llm=seconds, because=because)
        else:
            run.do(thought, *calls, llm=seconds, because=because, stays=unanswered)

    def _call(self, fields: Table) -> Call:
        name = next((key for key in fields if key in TOOLS), "")
        if not name:
            raise ValueError(f"no step and no tool has the keys {', '.join(fields) or 'none'}")
        if "ran" in fields:
            fields["ran"] = self._drawn(fields["ran"])
        return TOOLS[name](self.run, fields.pop(name), **fields)

    def _drawn(self, number: object) -> Any:
        return self.run.vary(*number) if isinstance(number, list) else number

    # steps ----------------------------------------------------------------------------------

    def _event(self, kind: str, *, source: str = "environment", **fields: Any) -> None:
        self.run.emit(kind, source, **fields)

    def _hook(self, kind: str, **how: Any) -> None:
        self.run.hook(kind, call=self.last if kind.endswith("ToolUse") else None, **how)

    def _result(self, _: bool) -> None:
        self.run.answer(self.last)
        self.run.release()

    def _rejected(self, reason: str, *, by: str = "user") -> None:
        self.run.reject(reason, by)
        self.run.release()

    def _result_again(self, after: float) -> None:
        """The result of the last call comes a second time."""
        self.run.wait(after)
        self.run.observe(self.last, dict(self.last.observation or {}))

    def _stray_result(self, fields: Table) -> None:
        run, call = self.run, self._call(dict(fields))
        call.id, call.call_id = str(run.new_id()), run.new_call_id()
        run.observe(call, dict(call.observation or {}))

    def _acp(
        self,
        title: str,
        *,
        kind: str,
        input: Table,
        out: str,
        ran: float,
        llm: float,
        failed: bool = False,
    ) -> None:
        """A tool call of another agent: it starts after `llm` seconds and takes `ran`."""
        run = self.run
        run.wait(llm)
        call: Table = {
            "tool_call_id": run.new_call_id(),
            "title": title,
            "tool_kind": kind,
            "raw_input": input,
            "content": None,
        }
        started = call | {"status": "in_progress", "raw_output": None, "is_error": False}
        run.emit("ACPToolCallEvent", "agent", **started)
        run.wait(ran)
        ended = call | {
            "status": "failed" if failed else "completed",
            "raw_output": out,
            "content": [{"type": "content", "content": {"type": "text", "text": out}}],
            "is_error": failed,
        }
        run.emit("ACPToolCallEvent", "agent", **ended)

    def _judged(self, risk: str) -> None:
        self.run.emit(
            "SecurityAnalysisEvent",
            "environment",
            analyzer="LLMSecurityAnalyzer",
            policy="ConfirmRisky",
            risks={self.last.id: risk},
            details={},
        )

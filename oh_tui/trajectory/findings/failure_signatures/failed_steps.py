"""The failed steps of a run, those that failed the same way together, and what helped.

docs/many-runs.md has the rules for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.findings.failure_signatures.call_signatures import (
    call_signature,
    call_words,
    normal_line,
    worked,
)
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import FAILED, Outcome, Step, decoded
from oh_tui.trajectory.model.tool_use import bounded, last_line
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.reading.error_lines import ErrorLine, error_line
from oh_tui.trajectory.reading.intents import purposes_of
from oh_tui.trajectory.reading.terminal import read_output
from oh_tui.trajectory.reading.write_targets import working_folder
from oh_tui.trajectory.shell.commands import program_of
from oh_tui.trajectory.shell.purpose import Purpose

AGAIN = "the same call again"
"""What helped where nothing else was done."""


class Failure(NamedTuple):
    """What failed: equal for steps that failed the same way, in any run."""

    tool: str
    kind: str
    """The name of the error, else the exit code."""
    line: str
    """The line that names the error, normalised."""

    @property
    def id(self) -> str:
        """Equal in all processes."""
        text = "\0".join(self).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=4).hexdigest()

    @property
    def words(self) -> str:
        """Kind and line, the kind once where the line begins with it."""
        begin = f"{self.kind}: "
        return begin + self.line.removeprefix(begin)


class RunFailure(NamedTuple):
    failure: Failure
    steps: int
    first: float | None
    """When the first of its steps began, in seconds since 1970."""
    last: float | None
    example: int
    """The number of its first step."""
    recovered: bool
    """The call that failed so last was made again, with the same arguments, and worked."""
    helped: str
    """What was done right before that; "" where it did not recover."""


def failures_of(run: Trajectory) -> list[RunFailure]:
    """The failures of a run by their first steps; none of sub-agents or of its origin."""
    own = run.steps[run.inherited :]
    numbers = [step.number for step in own if run.outcome(step) in FAILED]
    if not numbers:
        return []
    folder = working_folder(run)
    found: dict[Failure, list[Step]] = {}
    for number in numbers:
        step = run.steps[number - 1]
        with decoded(step):
            found.setdefault(failure_of(run, step), []).append(step)
    last = {steps[-1].number for steps in found.values()}
    helped = dict(_helped(run, last, folder))
    return [_run_failure(failure, steps, helped) for failure, steps in found.items()]


def failed_as(run: Trajectory, step: Step, start: str) -> bool:
    """Whether a step failed, and the id of its failure starts so."""
    if run.outcome(step) not in FAILED:
        return False
    with decoded(step):
        return failure_of(run, step).id.startswith(start)


def failed_steps(run: Trajectory, failure: Failure, most: int) -> list[tuple[int, str]]:
    """The numbers of its first steps that failed so, each with the line that names the error."""
    own = run.steps[run.inherited :]
    steps = islice((step for step in own if failed_as(run, step, failure.id)), most)
    lines = ((step, _error_line(run, step, step.result or step.event).line) for step in steps)
    return [(step.number, safe_line(line) or failure.words) for step, line in lines]


def _run_failure(failure: Failure, steps: list[Step], helped: dict[int, str]) -> RunFailure:
    times = [when for step in steps if (when := step.event.seconds()) is not None]
    help_of = helped.get(steps[-1].number, "")
    return RunFailure(
        failure,
        len(steps),
        min(times, default=None),
        max(times, default=None),
        steps[0].number,
        bool(help_of),
        help_of,
    )


def _helped(run: Trajectory, failed: set[int], folder: str) -> Iterator[tuple[int, str]]:
    """The numbers of these steps whose call worked later, and what was done before it did."""
    soonest: dict[bytes, int] = {}
    for step in reversed(run.steps[min(failed) - 1 :]):
        if not step.is_call or not (step.number in failed or worked(run, step)):
            continue
        call = call_signature(step, folder).exact
        if step.number not in failed:
            soonest[call] = step.number
        elif call in soonest:
            yield step.number, _done_between(run, step.number, soonest[call], folder)


def _done_between(run: Trajectory, failed: int, success: int, folder: str) -> str:
    """The last call between these two that worked and did more than read."""
    for step in reversed(run.steps[failed : success - 1]):
        if worked(run, step) and not purposes_of(step) <= {Purpose.LOOK}:
            return safe_line(call_words(step, folder))
    return AGAIN


def failure_of(run: Trajectory, step: Step) -> Failure:
    result = step.result or step.event
    tool = _tool(step.event)
    error = _error_line(run, step, result)
    line = safe_line(error.line)
    kind = error.kind or _kind(run, step, result)
    return Failure(
        tool, safe_line(kind, 100), normal_line(line) or line or _silent(step, error.kind)
    )


_CAPITAL = pattern(r"(?<=[a-z0-9])(?=[A-Z])")


def _tool(event: Event) -> str:
    named = event.tool
    if event.is_reported:
        return safe_line(named)
    if named and named != "MCPTool":
        return safe_line(_CAPITAL.sub("_", named).lower(), 100)
    return safe_line(event.tool_name or event.kind, 100)


def _kind(run: Trajectory, step: Step, result: Event) -> str:
    if run.outcome(step) is Outcome.REJECTED:
        return "rejected"
    if result.exit_code:
        return f"exit {result.exit_code}"
    return text_field(result.body(), "code") or "error"


def _error_line(run: Trajectory, step: Step, result: Event) -> ErrorLine:
    call = step.call
    output, command = call.output(), call.get("command") if call.tool == "Terminal" else ""
    is_timed = result.exit_code == 124 and _TIMEOUT.search(command)
    if result.timed_out or is_timed or _TOO_LONG.search(output):
        # what it wrote last is no error
        return ErrorLine("timed out", "")
    if result.tool != "Terminal" and not (result.is_observation and output):
        return ErrorLine("", describe(step, run.outcome(step)).result)
    if edit := _NO_EDIT.match(output):
        return ErrorLine("", " ".join(filter(None, edit.groups())))
    is_typed = result.tool == "Terminal"
    text = read_output(bounded(output), command).text if is_typed else safe(bounded(output))
    if named := error_line(text):
        return named
    last = program_of(command, is_last=True)
    if result.exit_code in (1, 123) and (found := _NO_ERROR.fullmatch(last)):
        return ErrorLine("", f"{last}: {'files differ' if found[1] else 'no match'}")
    return ErrorLine("", last_line(text).strip())


_NO_ERROR = pattern(r"(?:git |[efpz])?grep|rg|ag|ack|((?:git )?diff|cmp)")
"""What ends with 1, of `xargs` with 123, though nothing went wrong."""
_TIMEOUT = pattern(r"\btimeout\s")
_TOO_LONG = pattern(
    r"\A\s*(?:The last command <command>|The command '[\s\S]{1,9999}' was cancelled because it took"
    r"|EXECUTION TIMED OUT)"
    r"|An error occurred while executing the command: [\s\S]* timed out after [\d.]+ seconds\s*\Z"
)
"""How SWE-agent and mini-swe-agent say it."""

_NO_EDIT = pattern(
    r"\s{0,9}(?:ERROR:\s{0,9})?(?:(No replacement was performed[^`\n]{0,200})"
    r"(?:[\s\S]{0,20000}?(did not appear verbatim))?"
    r"|\[?(Your proposed edit has introduced new syntax error\(s\)))"
)
"""Between the first two is the text that was to be replaced."""


def _silent(step: Step, kind: str) -> str:
    """What stands for a line that tells nothing or no more than a kind: what was called."""
    call = step.call
    answer = call.answer or call.returned
    command = call.get("command") if call.tool == "Terminal" else ""
    program = safe_line(program_of(command, is_last=not kind), 100)
    if kind:
        return program or "not told why"
    # not by null, and not by an error without a text
    has_output = any(isinstance(answer.get(name), str | list) for name in _OUTPUTS)
    unknown = "output not told" if step.is_call else "text not told"
    return (f"{program}: " if command else "") + ("no output" if has_output else unknown)


_OUTPUTS = ("content", "output", "message", "raw_output")

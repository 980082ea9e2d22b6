"""`oh-tui check`: do the calls and results of a run match, and what errors does it hold?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oh_tui.batch.reports.one_run import whole
from oh_tui.catalog.names import name
from oh_tui.commands.framework.command import OF_RUN, Call, command
from oh_tui.commands.framework.exit_codes import DEFECTS
from oh_tui.commands.framework.opening import open_run, say_damage
from oh_tui.commands.framework.printing import Hue, Row, Style, print_json, print_table
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.human import plural
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe, describe_event

if TYPE_CHECKING:
    from oh_tui.documents.shapes import run

_UNANSWERED = {Outcome.NO_RESULT: "no result", Outcome.WAITING: "waits for you"}


@command(
    "check",
    *OF_RUN,
    examples={
        "check run.zip": "exit code 3 when something does not match",
        "check 5f3a --json": "the counts, and the ids of what does not match",
    },
    epilog="Exit code 3 also when the file is cut off. Which rules a run breaks is told by\n"
    "oh-tui audit.",
)
async def check(call: Call) -> int:
    """Returns 3 when a call has no result (unless it runs or waits for an answer), a result has no
    call, a call has a second result, or the file lacks the end of the run."""
    conversation, loaded = await open_run(call, damaged=True)
    trajectory = whole(loaded)
    found = report(trajectory)
    if call.as_json:
        say_damage(loaded)
        print_json(found)
    else:
        print(name(conversation))
        if loaded.note:
            print(f"note: {loaded.note}")
        _print_found(call.style, trajectory, found, damaged=loaded.damaged)
    return DEFECTS if trajectory.cut_off or _has_defects(found) else 0


def report(trajectory: Trajectory) -> run.Check:
    """What `--json` prints. Every call counts as one of ok, with a result that tells no
    more, failed, rejected, running and open; the open calls that wait for an answer count as
    waiting too."""
    counts = trajectory.counts
    unanswered = list(_unanswered(trajectory))
    errors = [event for event in trajectory.events if event.is_error]
    ended = sum(s.is_open and trajectory.outcome(s) is Outcome.OK for s in trajectory.steps)
    return {
        "events": counts.events,
        "calls": counts.calls,
        "ok": counts.ok + ended,
        "with_result": counts.with_result,
        "failed": counts.failed_commands + counts.call_errors,
        "rejected": counts.rejected,
        "running": counts.open - len(unanswered) - ended,
        "open": len(unanswered),
        "waiting": sum(outcome is Outcome.WAITING for _, outcome in unanswered),
        "duplicate_results": counts.second_results,
        "orphan_results": counts.stray_results,
        "unmatched_calls": [step.event.id for step, _ in unanswered],
        "duplicates": [one.id for step in trajectory.steps for one in step.second_results],
        "orphans": [step.event.id for step in trajectory.steps if step.is_stray],
        "errors": [_error(event) for event in errors],
        "cut_off": bool(trajectory.cut_off),
    }


def _has_defects(found: run.Check) -> bool:
    lost = found["open"] - found["waiting"]
    return bool(lost or found["duplicate_results"] or found["orphan_results"])


def _unanswered(trajectory: Trajectory) -> Iterator[tuple[Step, Outcome]]:
    for step in trajectory.steps:
        if step.is_call and step.result is None:
            outcome = trajectory.outcome(step)
            if outcome in _UNANSWERED:
                yield step, outcome


def _error(event: Event) -> run.CheckError:
    body = event.body()
    detail = text_field(body, "detail") or text_field(body, "error")
    return {
        "event_id": event.id,
        "kind": event.kind,
        "code": safe_line(text_field(body, "code")),
        "detail": safe(detail),
    }


def _print_found(style: Style, trajectory: Trajectory, found: run.Check, *, damaged: bool) -> None:
    """The report for people: nothing that is zero, and ids before texts, so that columns hold."""
    parts = {
        "ok": found["ok"],
        "with a result": found["with_result"],
        "failed": found["failed"],
        "rejected": found["rejected"],
        "running": found["running"],
        "without result": found["open"] - found["waiting"],
        "waiting for you": found["waiting"],
    }
    outcomes = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
    calls = plural(found["calls"], "call") if found["calls"] else "no calls"
    summary = f"{plural(found['events'], 'event')}, {calls}"
    print(f"{summary}: {outcomes}" if outcomes else summary)
    print_table(style, _COLUMNS, _rows(trajectory))
    if found["cut_off"] or _has_defects(found):
        return
    if not found["events"]:
        print("there is nothing to check")
        return
    clean = "clean"
    if found["calls"]:
        other = "other " if found["waiting"] or found["running"] else ""
        clean += f": every {other}call has one result"
    print(f"{clean}, of what could be read" if damaged else clean)


_COLUMNS: Columns = (
    Column("what"),
    Column("step", right=True),
    Column("event", share=1),
    Column("", share=5),
)


def _rows(trajectory: Trajectory) -> Iterator[Row]:
    for step, outcome in _unanswered(trajectory):
        yield _row(_UNANSWERED[outcome], step, step.event, describe(step, outcome).what, "amber")
    for step in trajectory.steps:
        for event in step.second_results:
            yield _row("second result", step, event, _about(event))
    for step in trajectory.steps:
        if step.is_stray:
            yield _row("result without a call", step, step.event, _about(step.event))
    for event in trajectory.events:
        if event.is_error:
            error = _error(event)
            texts = filter(None, (error["code"], safe_line(error["detail"])[:200]))
            yield _row("error", trajectory.step_of(event.id), event, ": ".join(texts))


def _about(event: Event) -> str:
    about = describe_event(event)
    return about.result or about.what


def _row(label: str, step: Step | None, event: Event, text: str, hue: Hue = "red") -> Row:
    number = str(step.number) if step else ""
    return Cell(label, hue), number, safe_line(event.id), text

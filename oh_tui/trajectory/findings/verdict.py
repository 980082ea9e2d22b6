"""The verdict: how a run ended and why, or what it does now, from its events alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes.patch import read_patch
from oh_tui.trajectory.findings.ending import (
    STOPS,
    before_last_change,
    calls_before,
    count_answers,
    done_before,
    failure_of,
    failure_words,
    fit,
    is_answer,
    is_cut_off,
    is_refusal,
    last_step,
    last_telling,
    limit_words,
    moment_of,
    more_of,
    open_calls,
    recorded_words,
    refusal_words,
    spans,
    what_of,
    with_outcome,
)
from oh_tui.trajectory.findings.loops import Loop, Pattern, find_loop
from oh_tui.trajectory.model.bodies import blocks_text, field, text_field
from oh_tui.trajectory.model.goal import Goal, goal_of, is_of_last_turn
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import first_line
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.reading.error_classification import remedy
from oh_tui.trajectory.reading.plans import plan_counts

CAUSE, SHORT = 200, 60
"""Longest texts of a verdict, in characters."""

_PLAN = 5_000
"""How many steps from the end are searched for a plan."""


class Verdict(msgspec.Struct, frozen=True):
    """How a run ended or what it does. All texts are clean, redacted and on one line."""

    word: str
    """error, stuck, waiting, running, stopped, finished, idle, saved (a file that ends while the
    agent works), unfinished (its writer is gone), or "" if unknown."""
    cause: str
    """At most 200 characters."""
    short: str
    """The cause for a narrow row, at most 60 characters."""
    steps: tuple[int, ...] = ()
    """Numbers of the steps in the cause, ascending."""
    landing: int | None = None
    """Number of the step to open first."""
    plan: tuple[int, int] | None = None
    """Done and all items of the last plan."""
    goal: Goal | None = None
    """The last goal that the run was set."""
    cut_off: bool = False
    """The end of the run is missing, so how it ended is unknown."""

    @property
    def undone(self) -> str:
        """`plan 1/5` of a run that finished without doing all of its plan, else ""."""
        is_undone = self.word == "finished" and self.plan and self.plan[0] < self.plan[1]
        return f"plan {self.plan[0]}/{self.plan[1]}" if self.plan and is_undone else ""

    @property
    def goal_word(self) -> str:
        """That of its goal; "" for a run without any."""
        return self.goal.word if self.goal else ""


_CUT_OFF = {
    "PAUSED": ("stopped", "The sandbox was paused"),
    "ERROR": ("error", "The sandbox failed"),
    "MISSING": ("error", "The sandbox went away"),
    "STARTING": ("starting", "The sandbox starts; the events end"),
}


def with_sandbox(verdict: Verdict, status: str | None) -> Verdict:
    """The verdict with a sandbox's status: "saved" means then that it stopped, or starts."""
    word, what = _CUT_OFF.get(status or "", ("", ""))
    if verdict.word != "saved" or not word:
        return verdict
    cause = verdict.cause.replace("Saved", what, 1)
    return _worded(verdict, cause, verdict.short.replace("saved", what.lower(), 1), word=word)


def judge(trajectory: Trajectory) -> Verdict:
    """The verdict on the events so far; never raises. Decodes a few of the last steps, those of a
    loop and the last plan. While older events are missing, its texts have no step numbers, as these
    are not final."""
    if why := trajectory.cut_off:
        return Verdict("", why, fit(why, SHORT), landing=len(trajectory) or None, cut_off=True)
    verdict = _ended(trajectory)
    if trajectory.complete and may_be_limit(trajectory, verdict):
        limit = trajectory.recorded.max_iterations
        if count_answers(trajectory) >= limit:
            ending = limit_words(f"its limit of {limit:,} iterations")
            verdict = _verdict(trajectory, "error", *ending)
    recorded = trajectory.recorded
    if recorded.names_evaluation or (recorded.by_evaluation and verdict.word == "finished"):
        verdict = _with_evaluation(verdict, recorded.error)
    verdict = msgspec.structs.replace(verdict, plan=plan_of(trajectory))
    if verdict.undone:
        tail = f" ({verdict.undone})"
        cause = fit(verdict.cause, CAUSE - len(tail)) + tail
        verdict = _worded(verdict, cause, fit(verdict.short, SHORT - len(tail)) + tail)
    goal = goal_of(trajectory)
    if goal and goal.word != "running" and verdict.word and is_of_last_turn(trajectory):
        said = goal.words if verdict.word == "finished" else f"{verdict.short}, {goal.words}"
        cause = said[:1].upper() + said[1:]
        verdict = _worded(verdict, cause, said, landing=len(trajectory) or None)
    return msgspec.structs.replace(verdict, goal=goal)


def _with_evaluation(verdict: Verdict, error: str) -> Verdict:
    reason = f"the evaluation failed: {fit(recorded_words(error)[0], CAUSE // 2)}"
    if not verdict.cause:
        return _worded(verdict, reason[0].upper() + reason[1:], reason)
    cause = f"{fit(verdict.cause.rstrip('.'), CAUSE - len(reason) - 2)}; {reason}"
    return _worded(verdict, cause, verdict.short)


def _worded(verdict: Verdict, cause: str, short: str, **more: object) -> Verdict:
    cause, short = fit(cause, CAUSE), fit(short, SHORT)
    return msgspec.structs.replace(verdict, cause=cause, short=short, **more)


def may_be_limit(trajectory: Trajectory, verdict: Verdict) -> bool:
    """Whether a limit of steps is known, and nothing tells another reason of the end."""
    recorded = trajectory.recorded
    if not recorded.max_iterations or recorded.error:
        return False
    unexplained = verdict.word in ("error", "stopped") and not verdict.steps
    return unexplained or verdict.word in ("", "saved")


def plan_of(trajectory: Trajectory) -> tuple[int, int] | None:
    """Done and all items of the last plan among 5,000 steps: more would slow down live runs."""
    for step in islice(reversed(trajectory.steps), _PLAN):
        if plan := plan_counts(step):
            return (plan.done, plan.items) if plan.items and not plan.unknown else None
    return None


def stopped_loop(trajectory: Trajectory) -> Loop | None:
    end = len(trajectory.steps)
    after = trajectory.statuses[-1].after if trajectory.statuses else end
    return find_loop(trajectory, after) or (find_loop(trajectory, end) if after != end else None)


def _error(trajectory: Trajectory) -> Verdict:
    step, recorded = failure_of(trajectory), trajectory.recorded.error
    if recorded and (step is None or _is_beside(step, recorded)):
        return _verdict(trajectory, "error", *recorded_words(recorded))
    last = trajectory.steps[-1] if step is None and trajectory.steps else None
    if last and last.result and last.result.is_call_error:
        error = text_field(last.result.body(), "error")[:500]
        if _RESTARTED.search(error):
            cause = f"The agent server was restarted while {what_of(trajectory, last)}"
            return _verdict(trajectory, "error", cause, steps=[last])
    if step is None:
        cause, short = (
            "The run failed; the server does not say why.",
            "failed, the server does not say why",
        )
        return _verdict(trajectory, "error", cause, short)
    if is_refusal(step):
        return _verdict(trajectory, "error", *refusal_words(step.event), [step])
    cause, short = failure_words(step.event, done_before(trajectory, step))
    if advice := remedy(step.event.body()):
        advice = f" {advice[0].upper()}{advice[1:]}."
        cause += advice if len(cause) + len(advice) <= CAUSE else ""
    return _verdict(trajectory, "error", cause, short, [step])


def _stuck(trajectory: Trajectory) -> Verdict:
    loop = stopped_loop(trajectory)
    if loop is None:
        return _verdict(trajectory, "stuck", "Stuck, no loop found in these events.")
    count = len(loop.steps)
    who = f"Steps {spans(loop.steps)}" if trajectory.complete else f"The last {count} steps"
    did, short = _LOOPS[loop.pattern]
    short = short.format(times=loop.times, count=count)
    cause = f"{who} {did}, so OpenHands stopped the run."
    return _verdict(
        trajectory, "stuck", cause, short, [trajectory.steps[n - 1] for n in loop.steps]
    )


_LOOPS = {
    Pattern.SAME: ("made the same call and got the same result", "same call and result {times}"),
    Pattern.ERRORS: (
        "made the same call and got an error each time",
        "same call and an error {times}",
    ),
    Pattern.ALTERNATING: (
        "made the same two calls in turn, with the same results",
        "the same two calls in turn, {count} steps",
    ),
    Pattern.MESSAGES: (
        "were messages of the agent, without a call or an answer between them",
        "{count} messages in a row without a call",
    ),
}


def _waiting(trajectory: Trajectory) -> Verdict:
    steps = with_outcome(trajectory, Outcome.WAITING)
    if not steps:
        return _verdict(trajectory, "waiting", "Waits for you, no open call found in these events.")
    first = what_of(trajectory, steps[0]).removeprefix("$ ")
    risk = steps[0].event.risk
    rated = f" (risk {clean_line(risk[:20])})" if risk in ("HIGH", "MEDIUM") else ""
    more = more_of(steps)
    cause = f"Asks: {fit(first, CAUSE - 60)}{rated}{more}"
    short = f"asks: {fit(first, SHORT - 6 - len(more))}{more}"
    return _verdict(trajectory, "waiting", cause, short, steps)


def _running(trajectory: Trajectory) -> Verdict:
    if not trajectory.live:
        return _saved(trajectory)
    last = len(trajectory)
    steps = with_outcome(trajectory, Outcome.RUNNING)
    if steps:
        what, more = what_of(trajectory, steps[0]), more_of(steps)
        cause, short = (fit(what, most - len(more)) + more for most in (CAUSE, SHORT))
        return _verdict(trajectory, "running", cause, short, steps, last)
    latest = last_telling(trajectory)
    if latest is None or latest.event.is_by_user:
        about = "your message" if latest else "its first step"
        return _verdict(trajectory, "running", f"Thinks about {about}.")
    what = what_of(trajectory, latest)
    after = f"step {latest.number}: {what}" if trajectory.complete else what
    cause = f"Thinks about what comes next, after {after}"
    return _verdict(trajectory, "running", cause, f"thinks, after {what}", [latest], last)


def _saved(trajectory: Trajectory) -> Verdict:
    """The events end while the agent works: they were saved then, or the sandbox died."""
    latest = last_telling(trajectory)
    if latest is not None and is_answer(latest):
        return _finished(trajectory)
    word, how = ("unfinished", "Left unfinished") if trajectory.orphaned else ("saved", "Saved")
    steps = open_calls(trajectory)
    last = len(trajectory)
    if steps:
        numbers = spans([step.number for step in steps])
        which = f"step{'s' if steps[1:] else ''} {numbers}" if trajectory.complete else "a call"
        were = "were" if steps[1:] and trajectory.complete else "was"
        what = what_of(trajectory, steps[0])
        cause = f"{how} while {which} {were} running: {fit(what, CAUSE - 90)}{more_of(steps)}"
        return _verdict(trajectory, word, cause, f"{how.lower()} during {what}", steps)
    where = f" after step {last}" if last and trajectory.complete else ""
    return _verdict(trajectory, word, f"{how} while the model was at work{where}.")


def _stopped(trajectory: Trajectory) -> Verdict:
    since = before_last_change(trajectory, "paused")
    step = last_step(trajectory, lambda step: step.event.is_stop, since)
    if step is None:
        cause = "Stopped, by whom is not told in these events."
        return _verdict(trajectory, "stopped", cause, "stopped")
    did, by = STOPS[step.event.kind], {"user": "you", "agent": "the agent"}.get(step.event.source)
    how = f"{did} by {by}" if by else did
    sentence = how.removeprefix("stopped ").capitalize()  # it stands behind that word
    moment = moment_of(trajectory, step)
    cut = [call for call in calls_before(trajectory, step) if is_cut_off(call)]
    if cut:
        what, more = what_of(trajectory, cut[0]), more_of(cut)
        numbers = spans([call.number for call in cut])
        which = f"step{'s' if cut[1:] else ''} {numbers}: " if trajectory.complete else ""
        cause = f"{sentence}{moment}, which cut off {which}{fit(what, CAUSE - 100)}{more}"
        return _verdict(trajectory, "stopped", cause, f"{how}, cut off {what}", [*cut, step])
    done = next((call.number for call in calls_before(trajectory, step)), None)
    after = f", after step {done}" if done and trajectory.complete else ""
    cause = f"{sentence}{moment}{after}."
    return _verdict(trajectory, "stopped", cause, f"{how}{moment}", [step])


def _finished(trajectory: Trajectory) -> Verdict:
    step = last_step(trajectory, is_answer)
    recorded = trajectory.recorded
    if recorded.error and not recorded.by_evaluation:  # went wrong after the agent was done
        cause, short = recorded_words(trajectory.recorded.error)
        cause, short = f"Finished, with an error: {cause}", f"finished, with an error: {short}"
        steps = [step] if step else ()
        return _verdict(trajectory, "finished", cause, short, steps, len(trajectory))
    if step is None or any(later.is_call for later in trajectory.steps[step.number :]):
        return _verdict(trajectory, "finished", *_handed_in(trajectory))
    answer = describe(step, trajectory.outcome(step)).result
    hands_in = not answer and text_field(step.event.body(), "tool_name").lower() == "submit"
    if not answer:  # a model may close in the text beside a call that says nothing
        answer = safe_line(first_line(blocks_text(field(step.event.body(), "thought"))))
    answer = re.sub(r"^#{1,6} |\*\*", "", answer).strip()
    if hands_in or not answer or answer.startswith("diff --git "):
        return _verdict(trajectory, "finished", *_handed_in(trajectory, answer), [step])
    answer += " …" * answer.endswith(":")  # what it announces is in other lines
    return _verdict(trajectory, "finished", answer, answer, [step])


def _handed_in(trajectory: Trajectory, otherwise: str = "") -> tuple[str, str]:
    """As cause and short, what the source says was handed in, before an answer of less weight."""
    recorded = trajectory.recorded
    if files := read_patch(recorded.patch):
        more = f" +{len(files) - 1} more" if files[1:] else ""
        lines = f"+{sum(f.added for f in files):,} −{sum(f.removed for f in files):,}"
        return f"Handed in a patch: {safe_line(files[0].path)}{more}, {lines}", ""
    if answer := safe_line(first_line(recorded.patch)) or otherwise:
        return answer, answer
    if recorded.format or not trajectory.complete:
        return "Finished; no answer is told.", "finished, no answer is told"
    return "Finished without an answer.", ""


def _idle(trajectory: Trajectory) -> Verdict:
    latest = last_telling(trajectory)
    if latest is None:
        return _verdict(trajectory, "idle", "Nothing was asked yet.")
    number = f"step {latest.number}" if trajectory.complete else "the last step"
    if latest.event.is_by_user:
        cause, short = "The last message has not been answered yet.", ""
    elif latest.result is not None and latest.result.is_rejection:
        what = what_of(trajectory, latest)
        cause, short = f"Nothing runs since {number} was rejected: {what}", f"rejected: {what}"
    else:
        what = what_of(trajectory, latest)
        cause, short = f"Nothing runs since {number}: {what}", f"idle after {what}"
    return _verdict(trajectory, "idle", cause, short, [latest])


def _ended(trajectory: Trajectory) -> Verdict:
    """By the last status, by the error that the source records, or by the last steps."""
    judged = _BY_STATUS.get(trajectory.status)
    recorded = trajectory.recorded
    if recorded.error and not recorded.names_evaluation and trajectory.status not in _ENDS:
        latest = last_telling(trajectory)
        if not (latest and latest.event.tool == "Finish" and is_answer(latest)):
            return _error(trajectory)
    return (judged or _by_steps)(trajectory)


def _is_beside(failure: Step, recorded: str) -> bool:
    """Whether the source tells a limit, and the last failure does not: V0 has no event for that."""
    body = failure.event.body()
    reason = f"{text_field(body, 'code')} {text_field(body, 'detail')[:500]}"
    return bool(_LIMIT.search(recorded[:500])) and not _LIMIT.search(reason)


_RESTARTED = pattern(
    r"\brestart occurred\b|\bserver (?:was |has been |had )?restarted\b"
    r"|\binterrupted by an? (?:agent |server )*restart\b",
    re.IGNORECASE,
)

_LIMIT = pattern(r"\bmax(?:imum)?[ _-]?(?:number of )?(?:iteration|budget)", re.IGNORECASE)


def _by_steps(trajectory: Trajectory) -> Verdict:
    """For a run without a known status."""
    latest = last_telling(trajectory)
    if latest is not None:
        if is_answer(latest):
            return _finished(trajectory)
        if latest.event.is_failure or is_refusal(latest):
            return _error(trajectory)
        if latest.event.is_stop:
            return _stopped(trajectory)
    return Verdict("", "", "")


_BY_STATUS: dict[str, Callable[[Trajectory], Verdict]] = {
    "error": _error,
    "stuck": _stuck,
    "waiting_for_confirmation": _waiting,
    "running": _running,
    "paused": _stopped,
    "finished": _finished,
    "idle": _idle,
}

_ENDS = ("finished", "error", "stuck")
"""Statuses in which a run has ended; the error of the source then says more, or nothing new."""


def _verdict(
    trajectory: Trajectory,
    word: str,
    cause: str,
    short: str = "",
    steps: Iterable[Step] = (),
    landing: int = 0,
) -> Verdict:
    """`short` defaults to the cause, `landing` to the first of the steps, else the run's last."""
    numbers = tuple(sorted({step.number for step in steps}))
    landing = landing or (numbers[0] if numbers else len(trajectory))
    short = short or cause[:1].lower() + cause[1:].rstrip(".")
    return Verdict(word, fit(cause, CAUSE), fit(short, SHORT), numbers, landing or None)

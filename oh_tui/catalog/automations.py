"""What lists say of automations and their runs: when, how it ended, why, and which conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.conversation import Conversation, same_id
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.clock import seconds

if TYPE_CHECKING:
    from oh_tui.api.automation_models import Automation, AutomationRun, Trigger
    from oh_tui.trajectory.glyphs import Glyphs

MOST = 200
"""Characters of a text of the server in a line."""

NOT_TOLD = "not told"


# when


def trigger_words(trigger: Trigger | None) -> str:
    """When it runs, such as "every day at 03:00 UTC"; a cron line that is none of six forms as it
    is, also a wrong one."""
    if trigger is None:
        return NOT_TOLD
    if trigger.type == "event" or (trigger.on and not trigger.schedule):
        events = (trigger.on,) if isinstance(trigger.on, str) else trigger.on or ()
        source, condition = _line(trigger.source or ""), _line(trigger.filter or "")
        words = f"on {_line(' or '.join(events)) or 'events'}" + f" of {source}" * bool(source)
        return words + f", if {condition}" * bool(condition)
    if not trigger.schedule:
        return _line(trigger.type or "") or NOT_TOLD
    zone = _line(trigger.timezone or "")
    return _cron_words(trigger.schedule, zone) or " ".join(
        filter(None, (_line(trigger.schedule), zone))
    )


def _cron_words(line: str, zone: str) -> str:
    """A cron line in words; "" for one that is none of these forms."""
    fields = line.split()
    if len(fields) != 5 or fields[3] != "*":
        return ""
    minute, hour, day, _, weekday = fields
    any_day = day == weekday == "*"
    if every := _EVERY.fullmatch(minute):
        step = int(every[1] or 1)
        if hour != "*" or not any_day or not step or 60 % step:
            return ""  # */7 has a shorter gap at the full hour
        return f"every {step} minutes" if step > 1 else "every minute"
    at = _number(minute, 59)
    if at is None:
        return ""
    if hour == "*":
        return f"each hour at :{at:02}" if any_day else ""
    then = _number(hour, 23)
    if then is None:
        return ""
    time = f"at {then:02}:{at:02} {zone}".strip()
    if any_day:
        return f"every day {time}"
    if day == "*":
        if weekday.lower() in ("1-5", "mon-fri"):
            return f"weekdays {time}"
        name = weekday.lower()
        number = _DAYS.index(name) if name in _DAYS else _number(weekday, 7)
        return "" if number is None else f"every {_DAY_NAMES[number % 7]} {time}"
    date = _number(day, 28)  # not every month has a 29th
    return f"on the {_ordinal(date)} of each month {time}" if date and weekday == "*" else ""


_EVERY = pattern(r"\*(?:/(\d{1,2}))?")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def _number(text: str, most: int) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= 2
    return int(text) if is_number and int(text) <= most else None


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 != 1 else "th"
    return f"{number}{ending}"


def why_off(automation: Automation) -> str:
    """Who switched it off, and why; "" for one that is on or does not tell."""
    if automation.is_on is not False:
        return ""
    detail, reason = automation.disabled_detail, automation.disabled_reason
    if reason == "manual":
        return "switched off by hand"
    status = detail.status_detail if detail else None
    if status and (status.kind or status.detail):
        why = _of_class(status.kind, _telling_line(status.detail or "")).rstrip(".")
        runs = (
            f", in its last {plural(detail.threshold, 'run')}"
            if detail and detail.threshold
            else ""
        )
        return f"switched off automatically: {why}{runs}"
    return ": ".join(filter(None, ("switched off", _line(reason or ""))))


# how a run ended


class Outcome(NamedTuple):
    """How a run stands, in a word."""

    word: str
    sign: str = "unknown"
    """Its glyph: a field of `Glyphs`."""
    hue: str = ""

    def mark(self, glyphs: Glyphs) -> tuple[str, str]:
        return getattr(glyphs, self.sign), self.hue


_OUTCOMES = {
    "PENDING": Outcome("pending", "starting", "dim"),
    "RUNNING": Outcome("running", "running", "good"),
    "FAILED": Outcome("failed", "error", "bad"),
    "CANCELLED": Outcome("stopped", "paused", "dim"),
    "SKIPPED": Outcome("skipped", "rejected", "dim"),
}
_DONE = {
    "success": Outcome("finished", "finished", "good"),
    "blocked": Outcome("blocked", "failed", "warn"),
    "partial_success": Outcome("in part", "failed", "warn"),
}
"""What its agent says of a COMPLETED run."""

ENDED = Outcome("ended")
TIMED_OUT = Outcome("timed out", "error", "bad")
DEAD = Outcome("probably dead", "failed", "warn")


def outcome(run: AutomationRun, now: float | None = None, *, script_ended: bool = False) -> Outcome:
    """How the run stands, `now` by the clock of its server.

    COMPLETED means that its agent ended, not that it did what it should: without a word of the
    agent it has "ended". One that runs past its time, or whose script has ended without a report,
    is not watched any more (measured).
    """
    if run.status == "COMPLETED":
        told = run.result.get("status")
        if not isinstance(told, str) or not told:
            return ENDED
        return _DONE.get(told) or Outcome(safe_line(told, 20).replace("_", " ").lower())
    if run.status == "RUNNING":
        over = seconds(run.timeout_at or "")
        is_late = now is not None and over is not None and now > over
        return DEAD if is_late or script_ended else _OUTCOMES["RUNNING"]
    if run.status == "FAILED" and run.status_detail and run.status_detail.kind == "timeout":
        return TIMED_OUT
    if not run.status:
        return Outcome(NOT_TOLD, hue="dim")
    return _OUTCOMES.get(run.status) or Outcome(safe_line(run.status, 20).replace("_", " ").lower())


def is_over(run: AutomationRun) -> bool:
    """Whether it cannot be cancelled any more; a status that is not known counts as over."""
    return run.status not in ("PENDING", "RUNNING")


def works_on(run: AutomationRun, conversation: Conversation | None) -> bool:
    """Whether the agent of a run that is over still works, and spends (measured after a time-out
    and after a cancel)."""
    return is_over(run) and conversation is not None and conversation.execution_status == "running"


def marks(runs: Iterable[AutomationRun], now: float | None = None) -> list[Outcome]:
    """How the newest runs stand, in the order given."""
    return [outcome(run, now) for run in runs]


def failed_of(counts: Mapping[str, int] | None) -> tuple[int, int] | None:
    """How many runs failed, of those that ended by themselves; None where that is not told."""
    if counts is None:
        return None
    ended = sum(n for status, n in counts.items() if status in ("COMPLETED", "FAILED"))
    return counts.get("FAILED", 0), ended


def failed_share(counts: Mapping[str, int] | None) -> str:
    """As "3 of 8"; "" where none has ended, or the server does not tell."""
    failed = failed_of(counts)
    return f"{failed[0]:,} of {failed[1]:,}" if failed and failed[1] else ""


def cause(run: AutomationRun) -> str:
    """Why it did not do what it should, as `auth: Your LLM API key …`; "" without a reason."""
    if run.status == "COMPLETED":
        if outcome(run) in (_DONE["success"], ENDED):
            return ""
        told = run.result.get("outcome_summary") or run.result.get("message")
        return _telling_line(told) if isinstance(told, str) else ""
    detail = run.status_detail
    text = (detail and detail.detail) or run.error_detail or ""
    return _of_class(detail.kind if detail else None, _telling_line(text))


def phase(run: AutomationRun) -> str:
    """What it did last, in the words of its server; "" if it tells nothing."""
    return _line(run.current_phase or "")


def _of_class(kind: str | None, text: str) -> str:
    name = _line((kind or "").replace("_", " "))
    return ": ".join(filter(None, (name, text)))


def _telling_line(text: str) -> str:
    """The first line that says something: before it stand the exit code and the stream's name."""
    code = ""
    for line in text[:20_000].splitlines():
        if found := _EXIT_CODE.fullmatch(line.strip()):
            code = f" (exit code {found[1]})"
        elif told := _line(_STREAM.sub("", line.strip())):
            return told + code
    return code.strip(" ()")


_EXIT_CODE = pattern(r"exit_code=(-?\d{1,6})")
_STREAM = re.compile(r"^std(?:err|out):\s*")


def _line(text: str) -> str:
    return safe_line(text, MOST).strip()


# which conversation


class MadeBy(NamedTuple):
    """The automation that a conversation was made by."""

    name: str
    automation_id: str
    run_id: str


_MADE_BY = ("name", "id", "runid")


def made_by(conversation: Conversation) -> MadeBy | None:
    """By the tags of its conversation, unchanged; None for one that no automation made.
    `automationtrigger` says nothing of a trigger (measured)."""
    tags = conversation.tags or {}
    found = MadeBy(*(tags.get(f"automation{name}", "") for name in _MADE_BY))
    return found if any(found) else None


def automation_name(conversation: Conversation) -> str | None:
    """The name of its automation, else its id; None for one that no automation made."""
    if not (tags := conversation.tags):
        return None  # lists ask it of every row
    return next(filter(None, (tags.get(f"automation{name}") for name in _MADE_BY)), None)


def made_words(conversation: Conversation) -> str:
    """Which automation and which of its runs made it; "" for none."""
    made = made_by(conversation)
    run = f"run {_line(made.run_id)}" if made and made.run_id else ""
    return ", ".join(filter(None, (_line(automation_name(conversation) or ""), run)))


def conversation_of(run: AutomationRun, loaded: Iterable[Conversation]) -> Conversation | None:
    """The conversation of a run: by its tag, else by the id that an ended run tells. A fork of it
    has the same tags."""
    told = fork = None
    for one in loaded:
        if same_id((one.tags or {}).get("automationrunid", ""), run.id):
            if not (one.origin or one.parent_conversation_id):
                return one
            fork = fork or one
        elif run.conversation_id and same_id(one.id, run.conversation_id):
            told = one
    return told or fork

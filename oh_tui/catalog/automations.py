"""What lists say of automations and their runs: when, how it ended, why, and which conversation."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.conversation import Conversation, same_id
from oh_tui.text.human import duration, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.clock import seconds

if TYPE_CHECKING:
    from oh_tui.api.automation_models import Automation, AutomationRun, StatusDetail, Trigger
    from oh_tui.trajectory.glyphs import Glyphs

MOST = 200
"""Characters of a text of the server in a line."""

NOT_KNOWN = "not known"


# when


def trigger_words(trigger: Trigger | None) -> str:
    """When it runs, such as "every day at 03:00 UTC"; a cron line that is none of seven forms as
    it is, also a wrong one."""
    if trigger is None:
        return NOT_KNOWN
    if trigger.type == "event" or (trigger.on and not trigger.schedule):
        source, condition = _line(trigger.source), _line(trigger.filter)
        words = f"on {_line(' or '.join(trigger.events)) or 'events'}" + f" of {source}" * bool(
            source
        )
        return words + f", if {condition}" * bool(condition)
    if not trigger.schedule:
        return _line(trigger.type) or NOT_KNOWN
    zone = _line(trigger.timezone)
    return _cron_words(trigger.schedule, zone) or f"{_line(trigger.schedule)} {zone}".strip()


def _cron_words(line: str, zone: str) -> str:
    """A cron line in words; "" for one that is none of these forms."""
    line = " ".join(line.lower().split())
    if every := _EVERY.fullmatch(line):
        step = int(every[1] or 1)
        if 60 % step:
            return ""  # */7 has a shorter gap at the full hour
        return f"every {step} minutes" if step > 1 else "every minute"
    if not (found := _AT.fullmatch(line)):
        return ""
    minute, hour, date, month, weekday = found.groups()
    any_day = date == month == weekday == "*"
    if hour == "*":
        return f"each hour at :{int(minute):02}" if any_day else ""
    time = f"at {int(hour):02}:{int(minute):02} {zone}".strip()
    if date == month == "*":
        return f"{_DAYS[weekday]} {time}" if weekday in _DAYS else ""
    if date == "*" or weekday != "*":
        return ""
    if month != "*":
        return f"every {int(date)} {month_name[int(month)]} {time}"
    tens, ones = divmod(int(date), 10)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(ones, "th") if tens != 1 else "th"
    return f"on the {int(date)}{ending} of each month {time}"


_EVERY = pattern(r"\*(?:/(0?[1-9]|[1-9][0-9]))? \* \* \* \*")
_AT = pattern(  # not every month has a 29th
    r"([0-5]?[0-9]) (\*|[01]?[0-9]|2[0-3]) (\*|0?[1-9]|1[0-9]|2[0-8]) (\*|0?[1-9]|1[0-2]) (\S+)"
)
_DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_DAYS = {"*": "every day", "1-5": "weekdays", "mon-fri": "weekdays"}
for _day, _name in enumerate((*_DAY_NAMES, "Sunday")):
    _DAYS |= dict.fromkeys((f"{_day}", f"0{_day}", _name[:3].lower()), f"every {_name}")


def off_by_itself(one: Automation) -> bool:
    """Its server switched it off, after failures."""
    return one.is_on is False and one.disabled_reason not in (None, "", "manual")


def why_off(one: Automation, since: str = "", runs: Iterable[AutomationRun] = ()) -> str:
    """Who switched it off, and why, unless one of its `runs` says that; "" for one that is on or
    does not tell."""
    if one.is_on is not False:
        return ""
    when = f" since {since}" * bool(since)
    if not off_by_itself(one):
        return f"off{' by hand' * bool(one.disabled_reason)}{when}"
    detail = one.disabled_detail
    why = (detail and _cause(detail.status_detail)) or _line(one.disabled_reason)
    after = detail and detail.threshold and f", after {plural(detail.threshold, 'failed run')}"
    return f"off by itself{when}{after or ''}" + f": {why}" * (why not in ("", *map(cause, runs)))


# how a run ended


class Outcome(NamedTuple):
    """How a run stands, in a word."""

    word: str
    sign: str = "unknown"
    """Its glyph: a field of `Glyphs`."""
    hue: str = ""

    def mark(self, glyphs: Glyphs) -> tuple[str, str]:
        return getattr(glyphs, self.sign), self.hue


ENDED = Outcome("ended")

_OUTCOMES = {
    "": Outcome(NOT_KNOWN, hue="dim"),
    "PENDING": Outcome("pending", "starting", "dim"),
    "RUNNING": Outcome("running", "running", "good"),
    "FAILED": Outcome("failed", "error", "bad"),
    "CANCELLED": Outcome("stopped", "paused", "dim"),
    "SKIPPED": Outcome("skipped", "rejected", "dim"),
}
_DONE = {
    "": ENDED,
    "success": Outcome("finished", "finished", "good"),
    "blocked": Outcome("blocked", "failed", "warn"),
    "partial_success": Outcome("in part", "failed", "warn"),
}
"""What its agent says of a COMPLETED run."""


def outcome(run: AutomationRun, now: float | None = None, *, script_ended: bool = False) -> Outcome:
    """How the run stands, `now` by the clock of its server.

    COMPLETED means that its agent ended, not that it did what it should: without a word of the
    agent it has "ended". One that runs past its time, or whose script has ended without a report,
    is not watched any more (measured).
    """
    known, told = _OUTCOMES, run.status or ""
    if told == "COMPLETED":
        known, told = _DONE, run.result.get("status", "")
    elif told == "RUNNING":
        over = seconds(run.timeout_at or "")
        if script_ended or (now is not None and over is not None and now > over):
            return Outcome("probably dead", "failed", "warn")
    elif told == "FAILED" and run.status_detail and run.status_detail.kind == "timeout":
        return Outcome("timed out", "error", "bad")
    return known.get(told) or Outcome(safe_line(told, 20).replace("_", " ").lower())


def is_over(run: AutomationRun) -> bool:
    """Whether it cannot be cancelled any more; a status that is not known counts as over."""
    return run.status not in ("PENDING", "RUNNING")


def works(conversation: Conversation | None) -> bool:
    return conversation is not None and conversation.execution_status == "running"


def works_on(run: AutomationRun, conversation: Conversation | None) -> bool:
    """Whether the agent of a run that is over still works, and spends (measured after a time-out
    and after a cancel)."""
    return is_over(run) and works(conversation) and not is_derived(conversation)


def working(runs: Iterable[AutomationRun], loaded: Iterable[Conversation]) -> list[str]:
    """The ids of those that are over and whose agents work on."""
    return [run.id for run in runs if works_on(run, conversation_of(run, loaded))]


def took(run: AutomationRun, now: float | None = None) -> str:
    """How long it took, with `now` also so far; "" for a run that did not begin, or does not
    tell."""
    began, ended = seconds(run.started_at or ""), seconds(run.completed_at or "")
    if ended is None and not is_over(run):
        ended = now
    return "" if began is None or ended is None else duration(max(0.0, ended - began))


def failed_of(counts: Mapping[str, int] | None) -> tuple[int, int] | None:
    """How many runs failed, of those that ended by themselves; None where that is not told."""
    if counts is None:
        return None
    failed = counts.get("FAILED", 0)
    return failed, failed + counts.get("COMPLETED", 0)


def failed_share(counts: Mapping[str, int] | None) -> str:
    """As "3 of 8"; "" where none has ended, or the server does not tell."""
    failed = failed_of(counts)
    return f"{failed[0]:,} of {failed[1]:,}" if failed and failed[1] else ""


def cause(run: AutomationRun) -> str:
    """Why it did not do what it should, as `Your LLM API key …`; "" without a reason."""
    if run.status == "COMPLETED":
        if outcome(run) in (_DONE["success"], ENDED):
            return ""
        return _telling_line(run.result.get("outcome_summary") or run.result.get("message", ""))
    return _cause(run.status_detail, run.error_detail or "")


def phase(run: AutomationRun) -> str:
    """What it did last, in the words of its server; "" if it tells nothing."""
    return _line(run.current_phase)


def _cause(detail: StatusDetail | None, text: str = "") -> str:
    """The first line of the reason that says something, else the class of the error."""
    kind = (detail and detail.kind) or ""
    return _telling_line((detail and detail.detail) or text) or _line(kind.replace("_", " "))


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
_STREAM = pattern(r"^std(?:err|out):\s*")


def _line(text: str | None) -> str:
    return safe_line(text or "", MOST).strip()


# which conversation


class MadeBy(NamedTuple):
    """The automation that a conversation was made by."""

    name: str
    automation_id: str
    run_id: str


def made_by(conversation: Conversation) -> MadeBy | None:
    """By the tags of its conversation, unchanged; None for one that no automation made.
    `automationtrigger` says nothing of a trigger (measured)."""
    if not (tags := conversation.tags):
        return None  # lists ask it of every row
    found = MadeBy(*(tags.get(f"automation{name}", "") for name in ("name", "id", "runid")))
    return found if any(found) else None


def automation_name(conversation: Conversation) -> str | None:
    """The name of its automation, else its id; None for one that no automation made."""
    return next(filter(None, made_by(conversation) or ()), None)


def made_words(conversation: Conversation) -> str:
    """Which automation and which of its runs made it; "" for none."""
    made = made_by(conversation)
    run = f"run {_line(made.run_id)}" if made and made.run_id else ""
    return ", ".join(filter(None, (_line(automation_name(conversation)), run)))


def is_derived(conversation: Conversation | None) -> bool:
    """Whether it is a fork or a sub-conversation, which has the tags of a run from another."""
    return bool(conversation and (conversation.origin or conversation.parent_conversation_id))


def conversation_of(run: AutomationRun, loaded: Iterable[Conversation]) -> Conversation | None:
    """The conversation of a run: by its tag, else by the id that an ended run tells. A fork of it
    has the same tags."""
    told = fork = None
    for one in loaded:
        if same_id((one.tags or {}).get("automationrunid", ""), run.id):
            if not is_derived(one):
                return one
            fork = fork or one
        elif run.conversation_id and same_id(one.id, run.conversation_id):
            told = one
    return told or fork

"""A run as a recording for players of terminals: asciicast, version 2."""

from __future__ import annotations

import json
from collections.abc import Iterator

from oh_tui.sharing.shared_run import Room, SharedRun, Sink, cut
from oh_tui.text.display import json_line
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import masked, safe, safe_line
from oh_tui.text.sgr import SGR
from oh_tui.trajectory.model.bodies import message_text, text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.reading.terminal import read_output

COLUMNS, ROWS = 100, 30

IDLE = 2.0
"""Longest time in which nothing happens, in seconds."""

PACE = 0.5
"""Seconds from one thing to the next where times are not known."""

TYPING = 0.8
"""Longest time for typing a command, in seconds."""

KEYS = 24
"""Most pieces in which a command is typed."""

CHARS = 16_000
"""Most characters of a text, half of them from its start, half from its end."""

_ROOM = Room(CHARS, head=CHARS // 2, tail=CHARS // 2, lines=100)

_TYPED = 600
"""Most characters that are typed; more are there at once."""

_LABEL = 80
"""Most characters of a marker."""

_DIM, _RED, _CYAN, _BOLD, _GREEN, _PLAIN = (f"\x1b[{number}m" for number in (2, 31, 36, 1, 32, 0))
_PIECES = pattern("(?:\x1b\\[[\\d;:]{0,80}m|[^\x1b]{1,40}){1,200}+")
"""Parts of a text, each for one event of the recording: up to 8,000 characters beside colours."""

_BAD = (Outcome.ERROR, Outcome.COMMAND_FAILED)


def cast(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The head, then commands and outputs as a terminal would have shown them, all else in a line
    or two, with a marker a step. Of foreign texts only colours and line ends pass."""
    recording = _Recording(run, sink)
    yield recording.head()
    yield from recording.title()
    for step in run.steps:
        yield from recording.step(step)
    yield from recording.end()


class _Recording:
    def __init__(self, run: SharedRun, sink: Sink) -> None:
        self._run, self._sink = run, sink
        self._knows_times = any(step.event.seconds() is not None for step in run.steps)
        self._now = 0.0
        """Seconds since the recording began."""
        self._moment: float | None = None
        self._ahead = 0.0
        """By how much typing is ahead of the run."""

    def head(self) -> str:
        run = self._run
        head: dict[str, object] = {"version": 2, "width": COLUMNS, "height": ROWS}
        began = run.study.trajectory.began
        if began is not None and run.study.trajectory.knows_zone:
            head["timestamp"] = int(began)
        title = run.title if self._knows_times else f"{run.title} (its times are not known)"
        return json_line(head | {"title": title, "idle_time_limit": IDLE}) + "\n"

    def title(self) -> Iterator[str]:
        run = self._run
        count = plural(len(run.steps), "step")
        of = len(run.study.trajectory)
        facts = (
            safe_line(run.conversation.llm_model or ""),
            count if len(run.steps) == of else f"{count} of {of:,}",
            "" if self._knows_times else "times are not known: an even pace",
        )
        yield from self._line(_BOLD, run.title)
        yield from self._line(_DIM, " · ".join(filter(None, facts)))

    def step(self, step: Step) -> Iterator[str]:
        outcome = self._run.study.trajectory.outcome(step)
        described = describe(step, outcome)
        self._sink.at(step.number)
        self._reach(step.event)
        label = f"{step.number} {described.what}"
        label = label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"
        self._sink.take(label)
        yield self._event("m", label)
        call = step.call
        if step.event.is_message:
            who = "agent" if step.event.source == "agent" else "you"
            yield from self._said(who, message_text(step.event.body()))
        elif step.is_call and call.tool == "Terminal":
            yield from self._command(call, outcome)
        elif step.is_call and call.tool == "Finish":
            yield from self._said("agent", text_field(call.given, "message"))
        else:
            colour = _RED if outcome in _BAD or step.event.failed else _DIM
            yield from self._print(described.what, colour)
            if step.result is not None:
                self._reach(step.result)
            yield from self._line("", f"  {described.result}" if described.result else "")

    def end(self) -> Iterator[str]:
        verdict = self._run.study.verdict
        if verdict.cause:
            self._now += PACE
            colour = _RED if verdict.word in ("error", "stuck") else _BOLD
            yield from self._line(colour, f"{verdict.word}  {verdict.cause}".strip())

    def _command(self, call: Call, outcome: Outcome) -> Iterator[str]:
        if not call.is_typed:
            yield from self._print("$", _GREEN, f"{_PLAIN} ")
        yield from self._typed(safe(call.command).strip("\n"))
        result = call.result
        if result is None:
            return
        self._reach(result)
        if result.is_observation:
            written = read_output(call.output(), call.command)
            if output := self._shortened(written.coloured or written.text):
                yield from self._line("", output)
        else:
            yield from self._line(_RED, self._shortened(safe(call.output())))
        if result.timed_out:
            yield from self._line(_RED, "[timed out]")
        elif outcome is Outcome.COMMAND_FAILED:
            yield from self._line(_RED, f"[exit code {result.exit_code}]")

    def _said(self, who: str, text: str) -> Iterator[str]:
        colour = _GREEN if who == "agent" else _CYAN
        yield from self._print(f"{who}:", _BOLD + colour, f"{_PLAIN} ")
        yield from self._line("", self._shortened(safe(text).strip("\n")))

    def _typed(self, command: str) -> Iterator[str]:
        if len(command) > _TYPED:
            yield from self._line("", self._shortened(command))
            return
        self._sink.take(command)
        at_once = -(-len(command) // KEYS) or 1
        for start in range(0, len(command), at_once):
            yield from self._pieces(masked(command[start : start + at_once]))
            self._now += TYPING / KEYS
            self._ahead += TYPING / KEYS
        yield from self._line("", "")

    def _reach(self, event: Event) -> None:
        """Lets the time pass until an event, not longer than `IDLE`."""
        moment = event.seconds()
        if moment is None:
            self._now += 0.0 if self._knows_times else PACE
            return
        if self._moment is not None and moment > self._moment:
            passed = min(IDLE, moment - self._moment)
            self._now += max(0.0, passed - self._ahead)
        self._ahead = 0.0
        self._moment = max(moment, self._moment or moment)

    def _shortened(self, text: str) -> str:
        return text if self._run.whole else shortened(text)

    def _line(self, colour: str, text: str) -> Iterator[str]:
        yield from self._print(text, colour, f"{_PLAIN}\n")

    def _print(self, text: str, before: str = "", after: str = "") -> Iterator[str]:
        """A clean text, masked by itself: a mask may take away what stands behind it."""
        text = masked(text)
        self._sink.take(SGR.sub("", text))
        yield from self._pieces(f"{before}{text}{after}")

    def _pieces(self, text: str) -> Iterator[str]:
        for piece in _PIECES.finditer(text):
            yield self._event("o", piece[0].replace("\n", "\r\n"))

    def _event(self, kind: str, data: str) -> str:
        return json.dumps([round(self._now, 3), kind, data]) + "\n"


def shortened(text: str) -> str:
    """Clean lines, which may have colours; of long ones the size of the middle in its place."""
    parts = cut(text, _ROOM)
    if not parts.at_line_ends:
        parts = cut(SGR.sub("", text), _ROOM)  # a sequence may be cut in two
    if not parts.left_out:
        return parts.head
    return f"{parts.head}\n{_PLAIN}{_DIM}… {parts.left_out} …{_PLAIN}\n{parts.tail}"

"""A tool call with its result, in the same words for each version and format of a run."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from oh_tui.trajectory.model.bodies import Body, arguments, content_text, field, text_field
from oh_tui.trajectory.model.events import Event

_PATHS = ("path", "file_path", "dir_path", "abs_path", "notebook_path")


class Call:
    """One tool call, or a result without its call. Decodes the call and the result once each, when
    they are asked for; texts are raw."""

    def __init__(self, event: Event, result: Event | None = None) -> None:
        self.event, self.tool = event, event.tool
        self.result = result
        """The result that counts."""
        self.ran: float | None = None
        """Seconds to its result, where they are to be shown."""

    @cached_property
    def body(self) -> Body:
        return self.event.body()

    @cached_property
    def returned(self) -> Body:
        """The body of the result; of a reported call that of all its reports, where the last one
        counts."""
        last = self.result.body() if self.result else {}
        if not self.event.is_reported:
            return last
        return self.body | {name: value for name, value in last.items() if value}

    @cached_property
    def given(self) -> Any:
        """What the tool was given: an action, or the arguments that none was made of."""
        if self.event.is_action:
            action = field(self.body, "action")
            return action if isinstance(action, dict) else arguments(self.body)
        return arguments(self.returned) if self.event.is_reported else None

    @property
    def arguments(self) -> Any:
        """What the model gave, as it gave it; where that is not known, what the tool was given."""
        raw = arguments(self.body)
        return self.given if raw is None else raw

    @property
    def input(self) -> dict[str, Any]:
        """The same by name; {} where it is something else."""
        return self.given if isinstance(self.given, dict) else {}

    @property
    def answer(self) -> dict[str, Any]:
        """The observation by name, or what is reported; {} for none."""
        answer = self.returned if self.event.is_reported else field(self.returned, "observation")
        return answer if isinstance(answer, dict) else {}

    def get(self, *names: str) -> str:
        """The first non-empty text or number with one of these names in the input, or in the
        answer, which repeats most of it, if there is no input."""
        fields = self.input or self.answer
        for name in names:
            value = fields.get(name)
            if value and isinstance(value, str):
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
        return ""

    def output(self) -> str:
        return content_text(self.returned)

    @property
    def title(self) -> str:
        """What another agent calls it."""
        return text_field(self.returned, "title")

    @property
    def command(self) -> str:
        """The command for a terminal; "" if there is none."""
        is_shell = self.tool == "Terminal" or self.event.is_reported
        return text_field(self.input or self.answer, "command") if is_shell else ""

    @property
    def is_typed(self) -> bool:
        """That is typed into the program that runs."""
        return self.tool == "Terminal" and self.input.get("is_input") is True

    @property
    def hides_command(self) -> bool:
        """It gives a terminal no text, or does not tell it: an empty one asks for its output."""
        fields = self.input or self.answer
        return self.tool == "Terminal" and not isinstance(fields.get("command"), str)

    @property
    def shell_command(self) -> str:
        """The command that a shell is to run; "" for none."""
        return "" if self.is_typed else self.command.strip()

    @property
    def paths(self) -> list[str]:
        """The files and folders that it names."""
        return [path for name in _PATHS if (path := text_field(self.given, name))]

    @property
    def path(self) -> str:
        return next(iter(self.paths), "")

    @property
    def lines(self) -> tuple[int, float]:
        """The first and the last line of a file that it asks for; of the whole file if it names
        none."""
        match self.input:
            case {"view_range": [int(first), int(last)]}:
                return first, last if last > 0 else math.inf
            case {"offset": int(first), "limit": int(count)}:
                return first, first + count - 1
            case {"limit": int(count)}:
                return 0, count - 1
            case {"offset": int(first)}:
                return first, math.inf
        return 0, math.inf

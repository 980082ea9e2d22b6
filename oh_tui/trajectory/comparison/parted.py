"""Why two runs part: the first answer of the model that differs, and what it saw there in each."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from oh_tui.text.redact import safe
from oh_tui.trajectory.comparison.plain import How
from oh_tui.trajectory.comparison.seen import TOOLS, Context, Differing, differing
from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.context.message import MODEL, RESULT, SUMMARY, SYSTEM
from oh_tui.trajectory.findings.failure_signatures.call_signatures import call_signature
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.write_targets import working_folder


class Seen(StrEnum):
    """What the model saw of one run, beside what it saw of the other."""

    SAME = "same"
    """Byte for byte, but for the ids of calls."""
    OTHER = "other"
    NOISE = "noise"
    """The same but for what varies with each run, see `plain`."""


class Parted(NamedTuple):
    a: int | None
    """The first step of the first answer that differs; None where the run has no more answers."""
    b: int | None
    agreed: int
    """Answers before it, which do the same in both."""
    seen: Seen | None
    """None where one of the runs has ended there, and where a context is not known."""
    not_told: str
    """Why `seen` is None, else what the events do not tell of these contexts, in words; "" where
    nothing lacks."""
    messages: int
    """In the larger of the two contexts."""
    differs: list[Differing]
    """What is not the same, the order of the contexts kept."""

    @property
    def plain(self) -> list[str]:
        """What was made plain: the names of what differs without meaning."""
        return sorted(frozenset().union(*(one.told.names for one in self.differs)))

    @property
    def real(self) -> list[Differing]:
        """What differs by more than that, what came since the last agreement first."""
        found = [one for one in self.differs if one.told.how is not How.PLAIN]
        return sorted(found, key=lambda one: not one.is_new)

    @property
    def noise(self) -> list[Differing]:
        return [one for one in self.differs if one.told.how is How.PLAIN]

    @property
    def sentence(self) -> str:
        if self.seen is None:
            return self.not_told
        if self.seen is Seen.SAME:
            return "both saw the same, so it was the model or chance"
        if self.seen is Seen.NOISE:
            return f"only noise differed ({', '.join(self.plain)}), so it was the model or chance"
        first, *others = self.real
        more = f", and {len(others):,} more" if others else ""
        return f"they saw other things: first {name_of(first)}{_how(first)}{more}"


def _how(one: Differing) -> str:
    if one.told.how is How.ORDER:
        return " in another order"
    if one.a is None or one.b is None:
        return f", only in {'A' if one.b is None else 'B'}"
    if one.told.how is How.MOVED:
        return ", lines that the terminal gave with another call"
    return ", only its numbers" if one.told.how is How.NUMBERS else ""


_NAMES = {
    TOOLS: "the tools",
    SYSTEM: "the system prompt",
    RESULT: "the result",
    MODEL: "the model's own words",
    SUMMARY: "the summary",
}


def name_of(one: Differing) -> str:
    """The message in words: `the result of step 4`."""
    return _NAMES.get(one.kind, "the user's message") + (
        f" of step {one.step:,}" if one.step else ""
    )


_ROLES = {MODEL: "assistant", RESULT: "tool", SUMMARY: "user"}


def role_of(one: Differing) -> str:
    """As the API of models names it; `tools` for the tools."""
    return _ROLES.get(one.kind, one.kind)


QUOTE = 2_000
"""Characters of a quoted message."""


def quoted(one: Differing) -> tuple[str | None, str | None]:
    """The lines of A and of B that the other has not, safe to show; None for a run without the
    message. Where the lines are the same in another order, all of them."""
    if one.a is None or one.b is None:
        return _shown(one.a), _shown(one.b)
    whole = (f"{safe(text).rstrip()}\n" for text in (one.a, one.b))
    lines = unified(*whole, context=0).split("\n")
    a, b = ("\n".join(line[1:] for line in lines if line.startswith(sign)) for sign in ("-", "+"))
    return _shown(a), _shown(b)


def _shown(text: str | None) -> str | None:
    return text if text is None else safe(text)[:QUOTE]


def parting(a: Study, b: Study) -> Parted | None:
    """Where the answers of two runs part; None where they do not. Reads all calls of both, and the
    texts of two contexts."""
    sides = a, b
    answers = [_answers(side) for side in sides]
    deeds = [
        [_deed(side.trajectory, one, folder) for one in given]
        for side, given, folder in zip(sides, answers, map(_folder, sides), strict=True)
    ]
    shorter = min(map(len, deeds))
    agreed = next((n for n in range(shorter) if deeds[0][n] != deeds[1][n]), shorter)
    first, second = (given[agreed] if agreed < len(given) else None for given in answers)
    steps = first.step if first else None, second.step if second else None
    for name, side in zip("AB", sides, strict=True):
        if side.contexts.keeps_own_context:
            why = f"the agent of {name} keeps its context itself, so what its model saw is not told"
            return Parted(*steps, agreed, None, why, 0, [])
    if first is None and second is None:
        return None
    if first is None or second is None:
        why = f"{'A' if first is None else 'B'} has no more answers"
        return Parted(*steps, agreed, None, why, 0, [])
    contexts = a.contexts.at(first), b.contexts.at(second)
    found = differing(
        *(
            Context(context.messages, _folder(side), context.tools)
            for context, side in zip(contexts, sides, strict=True)
        )
    )
    lacks = {gap.name for context in contexts for gap in context.gaps}
    return Parted(
        *steps,
        agreed,
        _verdict(found),
        f"not known: {', '.join(sorted(lacks))}" if lacks else "",
        max(len(context.messages) for context in contexts),
        found,
    )


def _verdict(found: list[Differing]) -> Seen:
    if not found:
        return Seen.SAME
    return Seen.NOISE if all(one.told.how is How.PLAIN for one in found) else Seen.OTHER


def _folder(study: Study) -> str:
    return working_folder(study.trajectory)


def _answers(study: Study) -> list[Answer]:
    """Those on the way to the last one."""
    contexts = study.contexts
    answer = contexts.answers[-1] if contexts.answers else None
    found: list[Answer] = []
    while answer:
        found.append(answer)
        answer = contexts.before(answer)
    return found[::-1]


def _deed(run: Trajectory, answer: Answer, folder: str) -> tuple[bytes, ...]:
    """What an answer does: its calls without what varies with each run, or its words."""
    steps = filter(None, map(run.step_of, answer.event_ids))
    return tuple(call_signature(step, folder).exact for step in steps)

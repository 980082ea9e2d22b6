"""What the view of a context shows, its messages as rows, what was forgotten, or a difference; and
where it goes next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from oh_tui.text.display import cached_line
from oh_tui.text.redact import safe
from oh_tui.trajectory.context.context_index import OWN_CONTEXT, TOOLS
from oh_tui.trajectory.context.message import SUMMARY, SYSTEM, Message

if TYPE_CHECKING:
    from oh_tui.trajectory.context.context import Answer, Context, Difference
    from oh_tui.trajectory.context.contexts import Contexts
    from oh_tui.trajectory.findings.study import Study

T = TypeVar("T")

GAP = "not known"
"""The role of a row that tells what the events do not."""

NO_ANSWER = "no model has answered"

_ONE = threading.Lock()


def alone(make: Callable[[], T]) -> T:
    """What a function makes of contexts, in a thread, one at a time: they share what they keep."""
    with _ONE:
        return make()


class Sign(StrEnum):
    """What a row is beside the others."""

    NONE = ""
    NEW = "new"
    """It came since the answer before, or is in the second of two contexts alone."""
    GONE = "gone"
    """It is in the first of two contexts alone."""
    FORGOTTEN = "forgotten"
    """A condensation took it out before this answer."""


class ContextRow(NamedTuple):
    """A message; or tools and gaps, which have a `text` instead."""

    role: str
    sign: Sign = Sign.NONE
    message: Message | None = None
    steps: tuple[int, ...] = ()
    replaces: tuple[int, ...] = ()
    """The steps that a summary stands for."""
    chars: int = 0
    text: str = ""
    """Safe to show."""
    about: str = ""
    """More of it, safe to show."""

    @property
    def key(self) -> object:
        """The same for the same message of another context."""
        return self.message.items if self.message else (self.role, self.text)


class Fill(NamedTuple):
    """How full the contexts of a run were, answer by answer."""

    prompts: tuple[int, ...]
    """Tokens of each; 0 for a condensation, -1 where they are not known."""
    steps: tuple[int, ...]


class Wanted(NamedTuple):
    answer: Answer
    forgotten: bool = False
    """With what was forgotten before it."""
    first: Answer | None = None
    """The other answer of a difference."""


class Page(NamedTuple):
    wanted: Wanted
    context: Context
    rows: tuple[ContextRow, ...]
    new: int
    """Messages that came since the answer before."""
    forgotten: int
    """Events that were forgotten before it."""
    condensed: int
    """The step of the last condensation that took some of them out; 0 for none."""
    same: int
    """Messages that both contexts of a difference have."""
    came: int
    went: int
    before: Answer | None
    """The answer before, on the same branch."""


def page_of(contexts: Contexts, wanted: Wanted) -> Page:
    """Takes up to as long as a pass over the run: for a thread."""
    context = contexts.at(wanted.answer)
    messages = context.messages[:]
    lost = context.forgotten
    rows: list[ContextRow]
    came = went = 0
    if wanted.first is not None:
        difference = contexts.difference(wanted.first, wanted.answer)
        came, went = len(difference.came), len(difference.went)
        rows = list(_of_difference(difference))
    else:
        gone = lost if wanted.forgotten else []
        shown = _rows(messages, lambda one: Sign.NEW if one.is_new else Sign.NONE)
        rows = list(_merged(shown, _rows(gone, lambda _: Sign.FORGOTTEN)))
        first = 1 if rows and rows[0].role == SYSTEM else 0
        rows[first:first] = _about(context)
    return Page(
        wanted,
        context,
        tuple(rows),
        new=sum(message.is_new for message in messages),
        forgotten=context.events_forgotten,
        condensed=max((message.forgotten_by for message in lost), default=0),
        same=len(messages) - came,
        came=came,
        went=went,
        before=contexts.before(wanted.answer),
    )


def _rows(messages: Iterable[Message], sign: Callable[[Message], Sign]) -> Iterator[ContextRow]:
    for message in messages:
        replaces = message.replaces if min(message.items) < 0 else ()
        role = SUMMARY if replaces and len(message.items) == 1 else message.kind
        yield ContextRow(role, sign(message), message, message.steps, replaces, message.chars)


def _merged(shown: Iterable[ContextRow], gone: Iterable[ContextRow]) -> Iterator[ContextRow]:
    """With the rows that are gone, each before the first that came later in the run."""
    left = list(gone)[::-1]
    for row in shown:
        place = _place(row)
        while left and _place(left[-1]) < place:
            yield left.pop()
        yield row
    yield from reversed(left)


def _place(row: ContextRow) -> int:
    """Where a message is in the run; -1 for one that begins with a summary, made elsewhere."""
    return max(-1, row.message.items[0]) if row.message else -1


def _of_difference(difference: Difference) -> Iterator[ContextRow]:
    """What came, below each summary what it stands for, all else that went in its place."""
    under = {id(summary): went for summary, went in difference.replaced}
    stood_for = {message.items for went in under.values() for message in went}
    rest = [message for message in difference.went if message.items not in stood_for]
    came = _rows(difference.came, lambda message: Sign.NEW)
    for row in _merged(came, _rows(rest, lambda message: Sign.GONE)):
        yield row
        yield from _rows(under.get(id(row.message), ()), lambda message: Sign.GONE)


def _about(context: Context) -> Iterator[ContextRow]:
    """The tools, what is not known, and why these rules were taken if that is not certain."""
    gaps = context.gaps
    if names := ", ".join(map(cached_line, context.tools)):
        yield ContextRow("tools", text=names, about=TOOLS.about if TOOLS in gaps else "")
    for gap in gaps:
        if gap != TOOLS or not names:
            yield ContextRow(GAP, text=gap.name, about=gap.about)
    if not context.rules.is_certain and context.rules.is_sdk:
        yield ContextRow(GAP, text="version", about=context.rules.sentence)


def fill_of(study: Study) -> Fill:
    """Walks all steps."""
    contexts = study.contexts
    answers = {answer.step: answer for answer in contexts.answers}
    prompts, steps = [], []
    for step in study.trajectory.steps[:]:
        if answer := answers.get(step.number):
            prompts.append(answer.usage.prompt or -1 if answer.usage else -1)
            steps.append(step.number)
        elif step.event.is_condensation:
            prompts.append(0)
            steps.append(step.number)
    return Fill(tuple(prompts), tuple(steps))


def first_with(rows: Sequence[ContextRow], order: Iterable[int], text: str) -> int | None:
    """The first of some rows that holds a text, which is in lower case, in what is shown of it."""
    for number in order:
        row = rows[number]
        shown = safe(row.message.text) if row.message else f"{row.text} {row.about}"
        if text in shown.lower():
            return number
    return None


class Walk:
    """Over the contexts of a run. What cannot be shown is told in words instead."""

    def __init__(self, contexts: Contexts) -> None:
        self.contexts = contexts
        self.marked: Answer | None = None

    def to(self, step: int) -> Wanted | str:
        """The context of the answer that made a step, or of the nearest one."""
        contexts = self.contexts
        if contexts.keeps_own_context:
            return OWN_CONTEXT.about
        # looking for the nearest takes long where there is none
        found = contexts.of(step) or contexts.nearest(step) if contexts.answers else None
        return NO_ANSWER if found is None else Wanted(found)

    def is_of(self, wanted: Wanted, step: int) -> bool:
        """Whether the answer made the step."""
        run, made = self.contexts.run, wanted.answer.step
        return step == made or step in run.group(run.steps[made - 1])

    def beside(self, now: Wanted, by: int) -> Wanted | str:
        """An answer before or after, as shown now."""
        answers = self.contexts.answers
        at = [answer.event_id for answer in answers].index(now.answer.event_id) + by
        if not 0 <= at < len(answers):
            return f"no answer {'after' if by > 0 else 'before'} this one"
        first = now.first
        if first is not None and first != self.marked:
            first = self.contexts.before(answers[at])
        return Wanted(answers[at], now.forgotten, first)

    def forgotten(self, page: Page) -> Wanted | str:
        """With what was forgotten before the answer, or without it again."""
        if page.wanted.first is not None:
            return page.wanted
        if not page.forgotten:
            return "nothing was forgotten before this answer"
        return page.wanted._replace(forgotten=not page.wanted.forgotten)

    def difference(self, page: Page) -> Wanted | str:
        """The difference to the marked answer, else to the one before; or the messages again."""
        answer = page.wanted.answer
        if page.wanted.first is not None:
            return Wanted(answer)
        marked = self.marked if self.marked != answer else None
        first = marked or page.before
        if first is None:
            return "this is the first answer: nothing is before it"
        return Wanted(answer, first=first)

    def mark(self, answer: Answer) -> str:
        """Mark an answer, from which `difference` then tells; again: no longer."""
        self.marked = None if self.marked == answer else answer
        if self.marked is None:
            return ""
        return f"step {answer.step:,} is marked: d at another answer shows what differs from it"

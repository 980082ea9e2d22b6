"""Where the view of a context goes next: to other answers, what was forgotten, a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.trajectory.context.context_index import OWN_CONTEXT
from oh_tui.tui.state.context_rows import Wanted

if TYPE_CHECKING:
    from oh_tui.trajectory.context.context import Answer
    from oh_tui.trajectory.context.contexts import Contexts
    from oh_tui.tui.state.context_rows import Page

NO_ANSWER = "no model has answered yet"


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

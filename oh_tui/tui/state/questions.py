"""What the user asked agents about their runs, and the answers. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, field

from oh_tui.text.human import dollars, size
from oh_tui.trajectory.presentation.block import Block, Failure, Heading, Markdown, Note, Plain

MOST_SHOWN = 200_000
"""Characters of an answer that are kept; a model gives less."""

KEPT = 50
"""Questions to one agent that are kept; the oldest go first."""


@dataclass(slots=True)
class Asked:
    """A question and what came of it; all texts are safe to show."""

    text: str
    answer: str = ""
    cost: float | None = None
    ended: str = ""
    """Why there is no answer."""

    def take(self, answer: str, cost: float | None) -> None:
        self.answer, self.cost = answer[:MOST_SHOWN], cost
        if len(answer) > MOST_SHOWN:
            self.ended = f"{size(len(answer) - MOST_SHOWN)} more are not kept"

    def blocks(self) -> list[Block]:
        found: list[Block] = [Heading("You asked"), Plain(self.text)]
        if self.answer:
            found += [Heading("The agent says"), Markdown(self.answer)]
        if self.ended:
            found.append(Failure(self.ended))
        elif not self.answer:
            found.append(Note("the model answers …"))
        if self.cost:
            found.append(Note(dollars(self.cost)))
        return found

    @property
    def markdown(self) -> str:
        """Asked and answer, to paste somewhere."""
        asked = "\n".join(f"> {line}" for line in self.text.split("\n"))
        return f"{asked}\n\n{self.answer}".strip() + "\n"


@dataclass(slots=True)
class Questions:
    """Those to the agent of one conversation, kept while oh-tui runs."""

    asked: list[Asked] = field(default_factory=list)
    draft: str = ""

    def add(self, question: Asked) -> None:
        self.asked.append(question)
        del self.asked[:-KEPT]

    @property
    def last_answered(self) -> Asked | None:
        return next((one for one in reversed(self.asked) if one.answer), None)

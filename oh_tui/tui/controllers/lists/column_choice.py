"""`|`: choose the columns of the list or the timeline; remembered for the server."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from oh_tui.catalog.attributes import COLUMNS
from oh_tui.tables.column import Columns
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import ColumnsChanged
from oh_tui.tui.state.columns import STEPS
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.tui.widgets.conversation_list import ConversationList
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.timeline import Timeline

USUAL = "usual"
"""The answer that leaves the columns to the room again."""


class ColumnActions(Controller):
    _conversations: ConversationList
    _steps: Timeline

    def action_choose(self) -> None:
        if self._session.pane == "sandboxes":
            self._ui.tell("only the list (1) and the timeline (3) have columns to choose")
        else:
            self._ui.work_on("ask", self._choose)

    async def _choose(self) -> None:
        """Show or hide columns until the user is done."""
        session, ui, pane = self._session, self._ui, self._session.pane
        is_list = pane == "conversations"
        rows, columns = (self._conversations, COLUMNS) if is_list else (self._steps, STEPS)
        while True:
            choice, shown = session.columns(pane), rows.columns
            # shown, or would be, were there room
            wanted = shown | {name for name, on in choice.items() if on}
            title = f"Columns of the {'list' if is_list else 'timeline'}"
            name = await ui.ask(_question(title, columns, wanted, wanted - shown, bool(choice)))
            if not name:
                break
            session.choose_columns(pane, {} if name == USUAL else {name: name not in wanted})
            ui.post_message(ColumnsChanged())
            await ui.drawn()
        ui.focus_pane(pane)


def _question(
    title: str,
    columns: Columns,
    wanted: AbstractSet[str],
    missing: AbstractSet[str],
    was_chosen: bool,
) -> Question:
    answers = [
        Answer(f"{'hide' if one.name in wanted else 'show'} {one.label}", one.name, one.key)
        for one in columns
    ]
    if was_chosen:
        answers.append(Answer("as many as fit", USUAL, "u"))
    lines: list[list[Piece]] = []
    if lacks := ", ".join(one.label for one in columns if one.name in missing):
        lines.append([(f"no room for {lacks}: z gives the pane the whole screen", "warn")])
    return Question(title, lines, answers, refusal="done", harmless=True)

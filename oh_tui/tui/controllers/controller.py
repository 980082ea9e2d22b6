"""What controllers have in common: what they are made of, and actions that run in a worker."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

from oh_tui.tui.state.work import save
from oh_tui.tui.ui import NotNow, Ui
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.actions.agent_actions import Agents
    from oh_tui.conversation import Conversation
    from oh_tui.tui.session import Session


@dataclass_transform()
class _MadeOfParts:
    def __init__(self, *parts: object) -> None:
        vars(self).update(zip(self.parts(), parts, strict=True))

    @classmethod
    def parts(cls) -> dict[str, str]:
        """Attribute -> type of each part, without what has a value in the class."""
        annotations = [vars(base).get("__annotations__", {}) for base in reversed(cls.__mro__)]
        named = {name: kind for each in annotations for name, kind in each.items()}
        return {name: kind for name, kind in named.items() if not hasattr(cls, name)}


class Controller(_MadeOfParts):
    """Takes the session, the screen and what a subclass annotates besides, in that order. An
    attribute with a value in the class is no part, but state."""

    _session: Session
    _ui: Ui

    def _meant(self) -> Conversation:
        """The conversation that a key means. Raises NotNow."""
        conversation = self._session.target()
        if conversation is None:
            raise NotNow(self._session.no_target)
        return conversation

    def _agents_meant(self) -> tuple[Agents, Conversation]:
        """The conversation that a key means, and the agents of the server that has it."""
        conversation = self._meant()
        holder = self._session.holder(conversation)
        assert holder is not None and holder.agents is not None
        return holder.agents, conversation

    async def save_annotations(self, what: str = "it") -> None:
        """Write bookmarks, notes, tags and budgets to the disk."""
        is_kept = await save(self._session.annotations)
        told = f"{what} could not be written to the disk, and lasts until oh-tui ends"
        self._ui.tell("" if is_kept else told, error=not is_kept, log=not is_kept, about="disk")


def short_title(conversation: Conversation) -> str:
    """With the server, where several are in one list."""
    on = f" on {conversation.server}" if conversation.server else ""
    return f"{shorten(title_of(conversation), 40)}{on}"


C = TypeVar("C", bound=Controller)


def in_worker(
    group: str, *, opens: bool = True
) -> Callable[[Callable[[C], Coroutine[object, object, None]]], Callable[[C], None]]:
    """An action that runs in a worker of this group, and tells why it cannot be done now. It is
    begun as `Ui.begin` does if it `opens` something, else as `Ui.work_on`."""

    def decorated(do: Callable[[C], Coroutine[object, object, None]]) -> Callable[[C], None]:
        @wraps(do)
        async def told(self: C) -> None:
            with self._ui.telling():
                await do(self)

        @wraps(do)
        def action(self: C) -> None:
            (self._ui.begin if opens else self._ui.work_on)(group, MethodType(told, self))

        return action

    return decorated

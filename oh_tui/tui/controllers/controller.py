"""What controllers have in common: each is made of what it names by annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, dataclass_transform

if TYPE_CHECKING:
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


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

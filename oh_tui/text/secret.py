"""A key that cannot be shown by accident."""

from __future__ import annotations

from oh_tui.text.redact import hold


class Secret:
    """A key that cannot be shown by accident.

    Only `reveal()` returns the text. From its creation on, the text is hidden wherever it would be
    shown, whatever it is part of.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        hold(value)

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

"""Cursors: where a page ends, so that the next call goes on behind it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from oh_tui.text.problem import Problem

_AGAIN = "ask again without a cursor"

_FARTHEST = 1_000_000_000
"""Rows or characters of which nothing has more."""


class Cursor(NamedTuple):
    place: int
    """How many rows, or characters of a text, came before."""
    last: str
    """Digest of the last row, or of the text so far: no text of a run stands in a cursor."""

    def among(self, keys: Sequence[str]) -> int:
        """Behind which row the next page begins. Rows may have come before it. Raises Problem."""
        if self.place <= len(keys) and _digest(keys[self.place - 1]) == self.last:
            return self.place
        for place, key in enumerate(keys, 1):
            if _digest(key) == self.last:
                return place
        raise Problem("This cursor is stale: the row before it is gone", _AGAIN)

    def in_text(self, text: str) -> int:
        """Where the next piece of a text begins. Raises Problem."""
        if self.place <= len(text) and _digest(text[: self.place]) == self.last:
            return self.place
        raise Problem("This cursor is stale: the text before it has changed", _AGAIN)


def made(call: str, place: int, last: str) -> str:
    """A cursor for the next page of a call; `last` is the key of the last row, or the text so
    far."""
    text = f"{_digest(call)}:{place}:{_digest(last)}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(text: str) -> int:
    """How many rows came before. Raises Problem for what is no cursor."""
    return _parts(text)[1].place


def read(text: str, call: str) -> Cursor:
    """Raises Problem for what is no cursor of this call."""
    of, cursor = _parts(text)
    if of != _digest(call):
        told = "This cursor is of another call: the tool and its arguments must be the same"
        raise Problem(told, _AGAIN)
    return cursor


def _parts(text: str) -> tuple[str, Cursor]:
    try:
        of, place, last = base64.urlsafe_b64decode(text.encode()).decode().split(":")
        cursor = Cursor(int(place[:12]), last)
    except (ValueError, binascii.Error) as error:
        raise Problem("This is not a cursor that oh-tui gave", _AGAIN) from error
    if not 0 < cursor.place <= _FARTHEST:
        raise Problem("This is not a cursor that oh-tui gave", _AGAIN)
    return of, cursor


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()

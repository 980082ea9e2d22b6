"""The colours and weights that a program writes its output in: SGR sequences as looks of texts.

"\\x1b[1;31mno\\x1b[0m"  ->  ("no", Look(front=(1,), bold=True))
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from oh_tui.text.patterns import pattern

SGR = pattern("\x1b\\[([\\d;:]{0,80})m")
"""The escape sequence of colours and weight, the only one that is kept of an output."""

LONGEST = 20_000
"""Characters, sequences included, of the longest line that is coloured."""

Colour: TypeAlias = tuple[int, ...]
"""A colour of the 256 by its number, or red, green and blue. The user's theme has the first 16."""


class Look(NamedTuple):
    """How a text looks. Blinking and hidden text looks like any other."""

    front: Colour = ()
    """() for the terminal's own."""
    back: Colour = ()
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    reverse: bool = False


PLAIN = Look()

_CHANGES: dict[int, dict[str, Any]] = {
    1: {"bold": True}, 2: {"dim": True}, 3: {"italic": True}, 4: {"underline": True},
    7: {"reverse": True}, 9: {"strike": True}, 21: {"underline": True},
    22: {"bold": False, "dim": False}, 23: {"italic": False}, 24: {"underline": False},
    27: {"reverse": False}, 29: {"strike": False}, 39: {"front": ()}, 49: {"back": ()},
}  # fmt: skip
_COLOURS = {38: "front", 48: "back", 58: ""}
"""Begin a colour of 256 or of all; that of the underline is not kept."""


def looks(line: str, look: Look) -> tuple[list[tuple[str, Look]], Look]:
    """Splits a line into texts with their looks, from that of its start; also that of its end."""
    found: list[tuple[str, Look]] = []
    for place, part in enumerate(SGR.split(line)):
        if place % 2:
            look = after(look, part)
        elif part:
            found.append((part, look))
    return found, look


@lru_cache(maxsize=1024)
def after(look: Look, parameters: str) -> Look:
    """The look after one more sequence; codes that are not known change nothing."""
    words = parameters.replace("::", ":").replace(":", ";").split(";")
    codes = [min(255, int(word or 0)) for word in words]
    while codes:
        code = codes.pop(0)
        if code == 0:
            look = PLAIN
        elif code in _CHANGES:
            look = look._replace(**_CHANGES[code])
        elif code in _COLOURS:
            look = look._replace(**_extended(_COLOURS[code], codes))
        elif 30 <= code <= 37 or 90 <= code <= 97:
            look = look._replace(front=(code - 30 if code < 90 else code - 82,))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            look = look._replace(back=(code - 40 if code < 100 else code - 92,))
    return look


def _extended(field: str, codes: list[int]) -> dict[str, Any]:
    """The field with the colour that the next codes tell, which are taken away; {} for none."""
    count = {5: 1, 2: 3}.get(codes[0], 0) if codes else 0
    if not count:
        return {}
    colour = tuple(codes[1 : 1 + count])
    del codes[: 1 + count]
    return {field: colour} if field and len(colour) == count else {}

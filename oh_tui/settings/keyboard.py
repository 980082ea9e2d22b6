"""Names of keys: as people write them, as Textual knows them, and as the screen shows them."""

from __future__ import annotations

import string
import unicodedata

_NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete",
    "enter", "escape", "tab", "space", "backspace", "comma",
} | {f"f{number}" for number in range(1, 25)}  # fmt: skip

_ALSO = {
    "esc": "escape",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
    "del": "delete",
    "ins": "insert",
    "backtab": "shift+tab",
}
"""Other names of the same keys."""

_TEXTUAL = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Names of Unicode characters that Textual replaces."""

_FIXED = {"ctrl+c": "copies", "ctrl+q": "quits", "ctrl+z": "stops the program"}

_ARRIVES = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+[": "escape"}
"""Keys that most terminals send as another key."""

_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "escape": "esc",
}  # fmt: skip


def character_name(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _TEXTUAL.get(name, name)


_CHARACTERS = {character_name(character): character for character in string.punctuation}
_CHARACTERS["comma"] = ","


def key_name(written: str) -> str:
    """Textual's name for a key as people write it (`?`, `ctrl+p`, `PgDn`, `question_mark`).

    Raises ValueError with a sentence for anything but a key, and for a key that no action can have.
    """
    written = written.strip()
    if not written:
        raise ValueError("a key is missing")
    if len(written) == 1:
        if not written.isprintable():
            raise ValueError("this character is not a key")
        return character_name(written)
    head, plus, key = written.rpartition("+")
    if not key:  # the key is + itself
        head, key = head.removesuffix("+"), plus
    modifiers = sorted(head.lower().split("+")) if head else []
    if not set(modifiers) <= {"ctrl", "shift", "alt"} or len(set(modifiers)) != len(modifiers):
        raise ValueError(f"{written!r} is not a key: ctrl, alt and shift can stand before a +")
    if len(key) > 1:
        key = key.lower()
        key = _ALSO.get(key, key)
        if key not in _NAMED and key not in _CHARACTERS and key != "shift+tab":
            raise ValueError(f"{written!r} is not a key")
    elif "shift" in modifiers and key.isalpha():
        modifiers.remove("shift")
        key = key.upper()
    if "ctrl" in modifiers:
        key = key.lower()
    whole = "+".join((*modifiers, key))
    if whole in _ARRIVES:
        raise ValueError(f"{written} comes as {_ARRIVES[whole]} from most terminals")
    if whole in _FIXED:
        raise ValueError(f"{written} always {_FIXED[whole]}")
    return "+".join((*modifiers, character_name(key) if len(key) == 1 else key))


def key_names(written: str) -> str:
    """Textual's names for keys that are separated by commas, each once."""
    return ",".join(dict.fromkeys(key_name(key) for key in written.split(",")))


def shown_keys(names: str) -> str:
    """Keys with Textual's names as the screen shows them: `G End`."""
    return " ".join(_shown(name) for name in names.split(","))


def _shown(name: str) -> str:
    modifiers, plus, key = name.rpartition("+")
    if key in _SHOWN:
        key = _SHOWN[key]
    elif key in _CHARACTERS:
        key = _CHARACTERS[key]
    elif key[0] == "f" and key[1:].isdigit():
        key = key.upper()
    return modifiers + plus + key

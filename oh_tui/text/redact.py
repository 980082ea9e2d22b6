"""Hides secrets in texts and JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import quote

from oh_tui.text.clean import LINE_END, by_pieces, clean, clean_line, pieces, seen_in, well_formed
from oh_tui.text.patterns import pattern
from oh_tui.text.secret_patterns import SHAPES, STARTS, private_keys
from oh_tui.text.secret_values import HIDDEN as HIDDEN
from oh_tui.text.secret_values import WAITS, Hide, finds, hide_named

_MARK = "\ue001"
"""Replaces each character of a secret where its place matters; a private-use character."""

_held: tuple[str, ...] = ()
"""The keys, the longest first, as one key may start with another."""

_keys: dict[str, None] = {}
"""The keys in the order of `hold`."""

_age = 0
"""Grows after the keys have changed: what another thread masks meanwhile is not kept for later."""

SHORTEST = 8
"""Shortest key in characters; shorter ones would match parts of words."""

MOST_HELD = 500
"""Most keys. The oldest is dropped, except for the first ones."""

FIRST_HELD = 50
"""The first keys are never dropped: they are the user's, not of sandboxes."""


def hold(key: str) -> None:
    """Makes `redact` hide this key from now on."""
    global _held, _age
    is_key = len(key) >= SHORTEST and key.isprintable() and " " not in key
    if is_key and key not in _keys:
        _keys[key] = None
        if len(_keys) > MOST_HELD:
            del _keys[next(islice(_keys, FIRST_HELD, None))]
        # a new tuple: other threads may be reading the old one
        _held = tuple(sorted(_keys, key=len, reverse=True))
        _age += 1


def hold_these(keys: Iterable[str]) -> None:
    """Makes `redact` hide what another process has `held`, and no other key."""
    global _keys, _held, _age
    _keys = dict.fromkeys(keys)
    _held = tuple(sorted(_keys, key=len, reverse=True))
    _age += 1


def held() -> tuple[str, ...]:
    """The keys that `redact` hides; a new tuple after each new one: caches may have it as a key."""
    return _held


class Secret:
    """A key that cannot be shown by accident. Only `reveal()` returns the text. From its creation
    on, the text is hidden wherever it would be shown, whatever it is part of."""

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


def holds_key(data: bytes) -> bool:
    """Whether JSON contains a key of `hold`; such data must not be stored."""
    return any(form in data for form in _json_forms(_held))


@lru_cache(maxsize=1)
def _json_forms(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    """The keys in each way that JSON may write them."""
    forms = set(keys)
    for key in keys:
        forms |= {json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}
        forms.add(quote(key, safe=""))
    return tuple(form.encode() for form in forms)


def _secret_at(text: str, since: int, cut: int) -> tuple[int, int]:
    return (cut + 1 if WAITS.search(text, max(0, cut - 200), cut) else cut), since


def without_held(text: str) -> str:
    """Any text as it is and well formed, but for the keys of `hold`."""
    text = well_formed(text)
    for key in _held:
        text = text.replace(key, HIDDEN)
    if not _held:
        return text
    views = (clean(text), *(one.text for one in seen_in(text)))
    return hide_split(text) if any(key in seen for seen in views for key in _held) else text


def redact(text: str) -> str:
    """Text with secrets replaced by `[hidden]`.

    Secrets are keys of common services, bearer headers, cookies, passwords in URLs, private keys,
    values after a name such as `api_key`, `token` or `password`, and the keys of `hold`. Code
    (`token = get_token()`, `password: str`), hashes and ids stay. The text has to be clean: use
    `safe` for a text that is not.
    """
    return by_pieces(_redact, hide_private_keys(text), LINE_END, _secret_at)


def redacted_pieces(text: str) -> Iterator[str]:
    """The pieces of `redact(text)`, one by one: whole lines, with the end of the last one."""
    return map(_redact, pieces(hide_private_keys(text), LINE_END, _secret_at))


def _hidden(secret: str) -> str:
    return HIDDEN


def hide_private_keys(text: str, hide: Hide = _hidden) -> str:
    """Before a part of a text is taken: of a part nobody can tell that it is one of a key."""
    parts: list[str] = []
    place = 0
    for start, end in private_keys(text):
        parts += text[place:start], hide(text[start:end])
        place = end
    return "".join((*parts, text[place:])) if parts else text


def hide_keys(text: str) -> str:
    """Hides keys alone in text that is masked already, so that quotes and brackets stay."""
    return _hide_keys(hide_split(text))


def _redact(text: str, hide: Hide = _hidden) -> str:
    text = _hide_keys(text, hide)
    return hide_named(text, hide)


def _hide_keys(text: str, hide: Hide = _hidden) -> str:
    for key in _held:
        if key in text:
            text = text.replace(key, hide(key))
    if finds(STARTS, text):
        for start, shape in SHAPES:
            if start in text:
                text = shape.sub(lambda match: hide(match[0]), text)
    return text


# text that is not clean

_MARKS = pattern(f"{_MARK}+")
_COLOUR = pattern("\x1b\\[[\\d;:]{0,80}m")


def hide_split(text: str) -> str:
    """Hides the secrets that something in them splits which `clean` removes, or a carriage return,
    and those that are encoded in an address: these are whole again for whoever passes the text on.
    All else stays, also colours that begin or end within a secret."""
    marked: list[tuple[int, int]] = []
    for seen in seen_in(text):
        found = _MARKS.finditer(_marked(seen.text))
        marked += ((seen.place(one.start()), seen.place(one.end() - 1) + 1) for one in found)
    if not marked:
        return text
    marked += (one.span() for one in _MARKS.finditer(_marked(text)))
    parts: list[str] = []
    place = 0
    for start, end in _joined(marked):
        parts += text[place:start], HIDDEN, *_COLOUR.findall(text, start, end)
        place = end
    return "".join((*parts, text[place:]))


def _marked(text: str) -> str:
    """The text with marks in place of its secrets, as long as before."""
    text = text.replace(_MARK, "\ufffd")
    text = hide_private_keys(text, lambda key: _MARK * len(key))
    return by_pieces(_mark, text, LINE_END, _secret_at)


def _mark(text: str) -> str:
    return _redact(text, lambda secret: _MARK * len(secret))


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in order, those that touch as one."""
    spans.sort()
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            yield start, end
            start = next_start
        end = max(end, next_end)
    yield start, end


def safe(text: str) -> str:
    """Any text, clean and without secrets."""
    return redact(clean(hide_split(text)))


def safe_lines(lines: Sequence[str]) -> list[str]:
    """The lines of one text, each clean and without secrets, as many as before."""
    lines = without_private_keys(lines)
    found = safe("\n".join(lines)).split("\n") if lines else []
    return found if len(found) == len(lines) else [safe_line(line) for line in lines]


def without_private_keys(lines: Sequence[str]) -> list[str]:
    """As many lines of a text, those of private keys hidden, of which others know no part."""
    text = "\n".join(lines)
    text = hide_private_keys(text, lambda key: "\n".join([HIDDEN] * (key.count("\n") + 1)))
    if any(private_keys(clean(text))):  # which of the lines are the key is not known
        return [HIDDEN] * len(lines)
    return text.split("\n") if lines else []


def safe_line(text: str, most: int | None = None) -> str:
    """Any text on one line, clean and without secrets; cut with "…" above `most` characters."""
    if most is None:
        return redact(clean_line(hide_private_keys(hide_split(text))))
    # cut first, as cleaning is slow, but not so short that half a key could stay at the end
    line = safe_line(text[: 5 * most])
    return line if len(line) <= most else line[: most - 1] + "…"


def masked(text: str) -> str:
    """Any text without secrets and well formed, otherwise as it is. It is only cleaned where that
    would bring a secret to light."""
    return _masked_short(text, _age) if len(text) <= _SHORT else _masked(text)


_SHORT = 100
"""Characters of a text that is kept for the next time: names come again and again."""


@lru_cache(maxsize=4096)
def _masked_short(text: str, age: int) -> str:
    return _masked(text)


def _masked(text: str) -> str:
    hidden = redact(hide_split(well_formed(text)))
    cleaned = clean(hidden)
    if cleaned == hidden:
        return hidden
    shown = redact(cleaned)
    return hidden if shown == cleaned else shown


# JSON


_SECRET_NAME = pattern(
    r".*(?:(?:api|access|secret|private|signing|encryption|master|auth|account|storage|shared)key"
    r"|accesskeyid|token|secrets?|passw(?:or)?d|passphrase|passcode|authorization|cookie"
    r"|credentials?)(?:base|v?\d{1,3}|pro?d|dev|staging|live|old|new|r[ow])?",
    re.DOTALL,
)


def is_secret_name(name: str) -> bool:
    """Whether a JSON field of this name is secret: `session_api_key`, `x-session-api-key`,
    `password`, `access_token`, but not `prompt_tokens` or `llm_api_key_set`."""
    return _is_secret_name(name[:200])


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name)).lower()
    return _SECRET_NAME.fullmatch(plain) is not None


def _names(fields: Mapping[object, object], mask: Callable[[str], str]) -> list[object]:
    """The names of fields without secrets, in order; two that become the same are numbered."""
    found: list[object] = []
    taken = set[str]()
    numbers = Counter[str]()
    for name in fields:
        if isinstance(name, str):
            shown = first = mask(name)
            if first != name:
                while shown in taken or shown in fields:
                    numbers[first] += 1
                    shown = f"{first} {numbers[first] + 1}"
                taken.add(shown)
            name = shown
        found.append(name)
    return found


def redact_json(value: object) -> Any:
    """A deep copy of decoded JSON of any depth without secrets, in names too. Hides all strings
    below a secret name and redacts all others; these are only cleaned if an escape sequence splits
    a secret. Numbers stay, as `per_turn_token` is a count, and so do true, false, null and ""."""
    known: dict[str, str] = {}

    def mask(text: str) -> str:
        """Each long text once: documents repeat them."""
        if len(text) <= _SHORT:
            return masked(text)
        if text not in known:
            known[text] = _masked(text)
        return known[text]

    return _masked_json(value, mask, is_secret_name)


def safe_json(value: object) -> Any:
    """The same, each text clean too."""
    return _masked_json(
        value, lambda text: clean(masked(text)), lambda name: is_secret_name(clean(name))
    )


def json_without_held(value: Any) -> Any:
    """The same where only the keys of `hold` are hidden."""
    return _masked_json(value, without_held, lambda name: False)


def _masked_json(value: Any, mask: Callable[[str], str], is_secret: Callable[[str], bool]) -> Any:
    def is_flag(one: Any) -> bool:
        """Whether the next item is its value: `["--token", "…"]`."""
        return isinstance(one, str) and one[:1] == "-" and " " not in one and is_secret(one)

    box: list[Any] = [None]
    todo: list[tuple[Any, Any, Any, bool]] = [(value, box, 0, False)]
    while todo:
        item, parent, index, hide = todo.pop()
        if isinstance(item, str):
            parent[index] = (HIDDEN if item else item) if hide else mask(item)
        elif isinstance(item, dict):
            names = _names(item, mask)
            parent[index] = copy = dict.fromkeys(names)
            named = item.get("name") or item.get("key")
            is_pair = isinstance(named, str) and is_secret(named)
            for (key, inner), name in zip(item.items(), names, strict=True):
                below = hide or (is_pair and key == "value")
                below = below or (isinstance(key, str) and is_secret(key))
                todo.append((inner, copy, name, below))
        elif isinstance(item, list | tuple):
            parent[index] = copied = [None] * len(item)
            flags = [False, *(is_flag(one) for one in item)]
            todo += [(inner, copied, n, hide or flags[n]) for n, inner in enumerate(item)]
        else:
            parent[index] = item
    return box[0]

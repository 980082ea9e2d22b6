"""What every foreign text passes on its way out: made harmless for a terminal, secrets hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any
from unicodedata import category, normalize

from oh_tui.text.patterns import pattern

HIDDEN = "[hidden]"
"""What stands for a secret."""


_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
"""Characters that take no room but reorder, join or hide text: bidi marks, embeddings, overrides
and isolates, zero-width spaces and joiners, variation selectors, fillers, tags. The joiner, the
selectors and the skin colours of emoji go too: terminals disagree on the width of 👩‍💻, ❤️ and 👍🏽,
and columns only stay straight if every character has one width for all."""

MOST_MARKS = 8
"""Accents, vowel signs and the like on one character; no language needs more."""

_ODD_ASCII = pattern("[\x00-\x08\x0b-\x1f\x7f]")
_ODD = pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u1100-\u11ff\u2028\u2029\ua960-\ua97f\ud7b0-\udfff"
    f"\U0001f1e6-\U0001f1ff{_INVISIBLE}]"
)
_BREAK = pattern("\r++\n?+|[\u2028\u2029]")
_ESCAPE = pattern(
    # A control string only counts up to its end; without one, its text stays to be seen. Its body
    # may not hold what opens another, so that a text full of openings is still read once.
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x80-\x9f\n]*+(?:\x07|\x1b\\\\|\x9c)"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x80-\x9f]*+(?:\x1b\\\\|\x9c)"
    "|(?:\x1b\\[|\x9b)[0-?]*+[ -/]*+[@-~]?+"
    "|\x1b[ -/]*+[0-~]?+"
)
_UNSHOWN = pattern(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_INVISIBLE}]+")
_SURROGATE = pattern("[\ud800-\udfff]")
_SURROGATES = pattern("(?:[\ud800-\udbff][\udc00-\udfff])++")
_FLAG = pattern("[\U0001f1e6-\U0001f1ff]+")
_LETTERS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}
_JAMO = pattern("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+")
_LONE_JAMO = pattern("[\u1160-\u11ff\ud7b0-\ud7ff]+")
_NO_WORD = r"[^\w\s!-~\xa0-\xbf\u2010-\u2bff\u3000-\u3029\U0001f000-\U0001faff]"
_PILE = pattern(f"{_NO_WORD}{_NO_WORD}{{{MOST_MARKS},}}")
"""A run that may hold too many marks: `re` has no class for marks, but knows that they are no
letters; the two are written out because `re` skips fast to a class that begins a pattern."""


PIECE = 32_768
"""Characters of a long text that are worked on at a time: a regular expression lets no other
thread run until it has come to the end, and the screen has to be drawn meanwhile."""

_Reach = Callable[[str, int, int], tuple[int, int]]
"""Of a text, of the place from which to look and of the place of a cut: how far what lies across
the cut reaches (not beyond the cut when there is nothing), and from where to look next time."""

_LINE_END = pattern("\n")
_PLAIN = pattern("\n|(?=[!-~\u4e00-\u9fff])")
"""Where a run of anything that is cleaned away or put together ends at the latest."""


def pieces(text: str) -> Iterator[str]:
    """A long text cut behind line ends, so that cleaning the pieces is cleaning the whole."""
    return _pieces(text, _LINE_END, _escape_at)


def _pieces(text: str, place: re.Pattern[str], reach: _Reach) -> Iterator[str]:
    start = 0
    while len(text) - start > 2 * PIECE:
        since, found, tries = start, place.search(text, start + PIECE), 0
        while found:
            far, since = reach(text, since, found.end())
            if far <= found.end():
                break
            tries += 1  # at some of the next places, not at each: there may be very many
            found = place.search(text, far if tries % 16 else far + PIECE // 8)
        if not found:
            break
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]


_UNENDED = pattern(
    "(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x1b\x80-\x9f]*+\\Z"
    "|(?:\x1b\\[|\x9b)[0-?]*+[ -/]*+\\Z"
    "|\x1b[ -/]*+\\Z"
)
"""What may be an escape sequence that goes on."""

_STARTS = "\x1b\x90\x98\x9b\x9d\x9e\x9f"


def _escape_at(text: str, since: int, cut: int) -> tuple[int, int]:
    last = max(text.rfind(start, since, cut) for start in _STARTS)
    opened = _UNENDED.match(text, last, cut) if last >= 0 else None
    whole = _ESCAPE.match(text, opened.start()) if opened else None
    return (whole.end(), whole.end()) if whole and whole.end() > cut else (cut, since)


def clean(text: str) -> str:
    """Text for a terminal, of many lines: only printable characters, newlines and tabs are left.

    Escape sequences go whole, other control and invisible characters go, each line end becomes
    one newline, a lone surrogate becomes U+FFFD. What terminals draw in different widths is
    written in another way: flags as their two letters, Korean put together, and at most
    MOST_MARKS marks on a character. Linear in the length of the text.
    """
    return (
        _clean(text)
        if len(text) <= 2 * PIECE
        else "".join(map(_clean, _pieces(text, _PLAIN, _escape_at)))
    )


def _clean(text: str) -> str:
    if text.isascii():
        if not _ODD_ASCII.search(text):
            return text
    elif not _ODD.search(text):
        return _PILE.sub(_without_pile, text)
    text = _ESCAPE.sub("", _BREAK.sub("\n", text))
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", _SURROGATES.sub(_joined, text))
    text = _UNSHOWN.sub("", text)
    if text.isascii():
        return text
    text = _FLAG.sub(lambda flags: flags[0].translate(_LETTERS), text)
    text = _JAMO.sub(lambda jamo: _LONE_JAMO.sub("", normalize("NFC", jamo[0])), text)
    return _PILE.sub(_without_pile, text)


def _joined(pairs: re.Match[str]) -> str:
    return pairs[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _without_pile(run: re.Match[str]) -> str:
    kept, pile = [], 0
    for char in run[0]:
        pile = pile + 1 if category(char)[0] == "M" else 0
        if pile <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def clean_line(text: str) -> str:
    """Text for one line: as `clean`, and every run of white space is one space."""
    return " ".join(clean(text).split())


_held: tuple[str, ...] = ()
"""Those of `_keys`, the longest first, as one key may begin with another."""

_keys: dict[str, None] = {}
"""In the order in which they came to be known."""

SHORTEST = 8
"""Characters of a key that is looked for by itself; a shorter one stands in too many words."""

MOST_HELD = 500
"""More than that are not looked for. The oldest goes, but for the first: those are of the person
here, not of sandboxes."""

FIRST_HELD = 50


def hold(key: str) -> None:
    """From now on `redact` hides this key in whatever text it stands, whatever its shape."""
    global _held
    is_key = len(key) >= SHORTEST and key.isprintable() and " " not in key
    if is_key and key not in _keys:
        _keys[key] = None
        if len(_keys) > MOST_HELD:
            del _keys[next(islice(_keys, FIRST_HELD, None))]
        # a new tuple: other threads may be reading the old one
        _held = tuple(sorted(_keys, key=len, reverse=True))


def held() -> tuple[str, ...]:
    """What `redact` hides now; another tuple as soon as another key is known. What keeps redacted
    texts keeps them for one of these."""
    return _held


def holds_key(data: bytes) -> bool:
    """Whether a key that the program holds stands in this JSON: such data is not kept."""
    return any(written in data for written in _written(_held))


@lru_cache(maxsize=1)
def _written(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    """In each way that JSON may write them."""
    ways = {way for key in keys for way in (key, json.dumps(key)[1:-1])}
    ways |= {json.dumps(key, ensure_ascii=False)[1:-1] for key in keys}
    return tuple(way.encode() for way in ways)


def _shape(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """A key known by its first characters, which may not stand inside a longer word.

    The literal comes first and the look behind it second: `re` skips fast to a leading literal.
    """
    return start, pattern(rf"{re.escape(start)}(?<![\w-]{re.escape(start)}){rest}")


_PRIVATE_KEY = pattern(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:"
    r"(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----"
    r"|(?:\s{0,4}[A-Za-z0-9+/=]{40,}+)*+)"
)
"""Hidden first, and in the whole text: it alone goes on over any number of lines, and a part of it
that looks like another key must not end it."""

_NO_WORD_OF_CODE = r"(?:(?=[a-z0-9]*[A-Z])[A-Za-z0-9]++(?!\w)|[A-Za-z0-9]{20,}+)"
"""What follows a prefix that names in code begin with too (`hf_model`, `npm_config_cache`): it is
a key when it has a capital letter and no further underscore, or is long."""

_SHAPES = [
    # These prefixes stand before nothing but keys: what follows is hidden, however short it is.
    *(
        _shape(f"sk-{kind}-", r"[\w-]++")
        for kind in ("ant", "or", "proj", "svcacct", "admin", "oh", "lf")
    ),
    *(_shape(start, r"\w++") for start in ("sk_live_", "sk_test_", "rk_live_", "rk_test_")),
    *(_shape(f"gh{kind}_", r"[A-Za-z0-9]++") for kind in "pousr"),
    _shape("github_pat_", r"\w++"),
    *(_shape(f"gl{kind}-", r"[\w-]++") for kind in ("pat", "dt", "rt", "ptt", "cbt")),
    *(_shape(f"xox{kind}-", r"[\w-]++") for kind in "abeoprs"),
    _shape("xapp-", r"[\w-]++"),
    _shape("AIza", r"[\w-]++"),
    _shape("pypi-Ag", r"[\w-]++"),
    _shape("gAAAAAB", r"[\w-]++={0,2}"),
    # These begin words too: sk-learn, sk-SK, hf_model, ASIA2026.
    _shape("sk-", r"(?:(?=[\w-]*\d)[\w-]++|\w{16,}+)"),
    *(_shape(start, _NO_WORD_OF_CODE) for start in ("hf_", "npm_", "gsk_")),
    _shape("AKIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]++|[A-Z]{16})(?!\w)"),
    _shape("ASIA", r"(?:(?=[A-Z]*\d)[A-Z0-9]{8,}+|[A-Z]{16})(?!\w)"),
    _shape("pypi-", r"[\w-]{50,}+"),
    _shape("gAAAA", r"[\w-]{40,}+={0,2}"),
    _shape("eyJ", r"[\w-]++\.[\w-]{4,}+\.[\w-]*+"),
]

_SCHEME = pattern(r"\b(bearer|basic)\s{1,4}(?=[\w.~+/-]*\d)[\w.~+/-]{12,}+={0,2}", re.IGNORECASE)
_HEADER = pattern(
    r"((?:authorization|cookie)\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?)([^\n\"'\\]{8,}+)",
    re.IGNORECASE,
)
_USER_INFO = pattern(r"(:/{1,3}[^\s/:@]{0,80}:)[^\s/@\[]{1,300}@")
"""Of an address; made a path, it has one slash."""
_PAIR = pattern(
    r"(?P<name>(?:api|access|secret|private|signing|encryption|master)[-_ ]?key"
    r"|token|secret|passw(?:or)?d|passphrase)"
    r"(?P<between>(?:_?\d{1,3})?\\?[\"']?\s{0,4}(?::\s{0,4}|=>?[^\S\n]{0,4}))"
    r"(?:(?P<quote>\\?[\"'])(?P<quoted>[^\"'\\\n]{1,4000})(?=\\?[\"'])"
    r"|(?P<plain>[^\s\"'\\,;&|<>(){}\[\]`]{1,4000})(?P<after>[(\[.]?))",
    re.IGNORECASE,
)
_HINT = pattern(r"(?:key|token|secret|password|passwd|passphrase)[\d_\\\"']{0,6}\s{0,4}[:=]")
"""Looked for in lower case text, which is several times faster than `_PAIR` itself."""
_NO_SECRET = pattern(
    r"[*.x•…-]+|none|null|nil|true|false|undefined|str|string|bytes|secretstr|secret|any|object"
    r"|optional|required|text|varchar|self|os|env|environ|process|getpass|[$%@&!].*",
    re.IGNORECASE,
)
_NAME_OF_CODE = pattern(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]\w*)*")


_WAITS = pattern(
    r"(?:bearer|basic|authorization|cookie|key|token|secret|passw(?:or)?d|passphrase)"
    r"(?:_?\d{1,3})?\\?[\"']?\s*(?:[:=]>?\s*\\?[\"']?)?\s*\Z",
    re.IGNORECASE,
)
"""A text after which one of the patterns above may go on in the next line."""


def _secret_at(text: str, since: int, cut: int) -> tuple[int, int]:
    return (cut + 1 if _WAITS.search(text, max(0, cut - 200), cut) else cut), since


def redact(text: str) -> str:
    """Text with known kinds of secrets replaced by `[hidden]`; names beside them are kept.

    Known are the key shapes of common services, bearer headers, cookies, passwords in URLs,
    private keys, and values that follow a name such as `api_key`, `token` or `password`. Code
    (`token = get_token()`, `password: str`), hashes and ids stay. Give it cleaned text: an escape
    sequence inside a key would hide the key from here. The keys that the program itself holds
    (`hold`) are hidden too.
    """
    if "PRIVATE KEY-----" in text:
        text = _PRIVATE_KEY.sub(HIDDEN, text)
    if len(text) <= 2 * PIECE:
        return _redact(text)
    return "".join(map(_redact, _pieces(text, _LINE_END, _secret_at)))


def _redact(text: str) -> str:
    for key in _held:
        if key in text:
            text = text.replace(key, HIDDEN)
    for start, shape in _SHAPES:
        if start in text:
            text = shape.sub(HIDDEN, text)
    if ":/" in text:
        text = _USER_INFO.sub(rf"\1{HIDDEN}@", text)
    lower = text.lower()
    if "authorization" in lower or "cookie" in lower:
        text = _HEADER.sub(_hide_header, text)
    if "bearer" in lower or "basic" in lower:
        text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    if _HINT.search(lower):
        text = _PAIR.sub(_hide_value, text)
    return text


def _hide_header(match: re.Match[str]) -> str:
    head, value = match.groups()
    # a name in prose or code ("authorization: see below") has neither digit nor equals sign
    return head + HIDDEN if re.search(r"[\d=]", value) else match.group()


def _hide_value(match: re.Match[str]) -> str:
    name, between, quote, quoted, plain, after = match.group(
        "name", "between", "quote", "quoted", "plain", "after"
    )
    password = name.lower().startswith("pass")
    if quoted is not None:
        hide = not _NO_SECRET.fullmatch(quoted) and (password or " " not in quoted)
        return f"{name}{between}{quote}{HIDDEN}" if hide else match.group()
    value = plain.rstrip(".")
    if HIDDEN.startswith(value) or after or _NO_SECRET.fullmatch(value) or value.lower() == name:
        return match.group()
    if name.isupper():
        hide = len(value) >= 4
    elif _NAME_OF_CODE.fullmatch(value):
        # a variable, a type or a word of prose, unless it stands where only a password stands
        hide = password and "." not in value and "pass" not in value.lower() and len(value) >= 6
    elif name.lower() in ("token", "secret") and len(value) < 10 and value.isdigit():
        hide = False  # a count
    else:
        hide = len(value) >= (4 if password else 8)
    return f"{name}{between}{HIDDEN}{plain[len(value) :]}" if hide else match.group()


_SECRET_NAME = pattern(
    r".*(?:(?:api|access|secret|private|signing|encryption|master)key|accesskeyid|token|secrets?"
    r"|passw(?:or)?d|passphrase|authorization|cookie|credentials?)",
    re.DOTALL,
)


def is_secret_name(name: str) -> bool:
    """Whether the values of a JSON field of this name are hidden: `session_api_key`, `password`,
    `x-session-api-key`, `access_token`; not `prompt_tokens`, not `llm_api_key_set`."""
    plain = "".join(filter(str.isalnum, name[:200])).lower()
    return _SECRET_NAME.fullmatch(plain) is not None


def safe_line(text: str) -> str:
    """A foreign text for one line, as it may be shown: clean and without secrets."""
    return redact(clean_line(text))


def _redact_raw(text: str) -> str:
    hidden, cleaned = redact(text), clean(text)
    if cleaned == text:
        return hidden
    safe = redact(cleaned)
    return hidden if clean(hidden) == safe else safe


def redact_json(value: Any) -> Any:
    """A deep copy of decoded JSON without secrets; any depth.

    All strings below a secret name are hidden, all others pass `redact`, and stay as they came
    unless what `clean` would take away had split a secret. Numbers stay, as
    `per_turn_token` is a count, and so do true, false, null and "".
    """
    box: list[Any] = [None]
    todo: list[tuple[Any, Any, Any, bool]] = [(value, box, 0, False)]
    while todo:
        item, into, at, hide = todo.pop()
        if isinstance(item, str):
            into[at] = (HIDDEN if item else item) if hide else _redact_raw(item)
        elif isinstance(item, dict):
            into[at] = copy = dict.fromkeys(
                _redact_raw(key) if isinstance(key, str) else key for key in item
            )
            named = item.get("name") or item.get("key")
            is_pair = isinstance(named, str) and is_secret_name(named)
            for key, inner in item.items():
                name = _redact_raw(key) if isinstance(key, str) else key
                below = hide or (is_pair and key == "value")
                below = below or (isinstance(key, str) and is_secret_name(key))
                todo.append((inner, copy, name, below))
        elif isinstance(item, list | tuple):
            into[at] = copied = [None] * len(item)
            todo += [(inner, copied, n, hide) for n, inner in enumerate(item)]
        else:
            into[at] = item
    return box[0]

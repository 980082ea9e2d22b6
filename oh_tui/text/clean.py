"""Makes texts of servers and files harmless for a terminal, and hides secrets."""

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
"""Replaces a secret."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
"""Characters without width that reorder, join or hide text: bidi marks, embeddings, overrides and
isolates, zero-width spaces and joiners, variation selectors, fillers, tags. The joiner, selectors
and skin colours of emoji are included, as terminals disagree on the width of 👩‍💻, ❤️ and 👍🏽."""

MOST_MARKS = 8
"""Most accents and vowel signs on one character; no language needs more."""

_ODD_ASCII = pattern("[\x00-\x08\x0b-\x1f\x7f]")
_ODD = pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u1100-\u11ff\u2028\u2029\ua960-\ua97f\ud7b0-\udfff"
    f"\U0001f1e6-\U0001f1ff{_INVISIBLE}]"
)
_BREAK = pattern("\r++\n?+|[\u2028\u2029]")
_ESCAPE = pattern(
    # A control string without an end keeps its text. Its body may not contain the start of
    # another one, so that matching stays linear.
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
"""A run that may have too many marks. `re` has no class for marks, only for non-letters; the first
class is written out because `re` searches fast for a leading class."""


PIECE = 32_768
"""Long texts are processed in pieces of so many characters: a regular expression blocks all other
threads, and the screen has to be drawn meanwhile."""

_Reach = Callable[[str, int, int], tuple[int, int]]
"""Takes a text, a start and a cut. Returns the end of the match across the cut (at most the cut if
there is none), and the start for the next call."""

_LINE_END = pattern("\n")
_PLAIN = pattern("\n|(?=[!-~\u4e00-\u9fff])")
"""A position that no run of removed or composed characters crosses."""


def pieces(text: str) -> Iterator[str]:
    """A long text cut at line ends, so that the pieces can be cleaned one by one."""
    return _pieces(text, _LINE_END, _escape_at)


def _pieces(text: str, cut: re.Pattern[str], reach: _Reach) -> Iterator[str]:
    start = 0
    while len(text) - start > 2 * PIECE:
        since, found, tries = start, cut.search(text, start + PIECE), 0
        while found:
            far, since = reach(text, since, found.end())
            if far <= found.end():
                break
            tries += 1  # skips some of the next positions, as there may be very many
            found = cut.search(text, far if tries % 16 else far + PIECE // 8)
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
"""An escape sequence that may continue."""

_STARTS = "\x1b\x90\x98\x9b\x9d\x9e\x9f"


def _escape_at(text: str, since: int, cut: int) -> tuple[int, int]:
    last = max(text.rfind(start, since, cut) for start in _STARTS)
    opened = _UNENDED.match(text, last, cut) if last >= 0 else None
    whole = _ESCAPE.match(text, opened.start()) if opened else None
    return (whole.end(), whole.end()) if whole and whole.end() > cut else (cut, since)


def clean(text: str) -> str:
    """Text of several lines for a terminal: only printable characters, newlines and tabs.

    Removes escape sequences and other control and invisible characters; each line end becomes one
    newline, a lone surrogate U+FFFD. Characters whose width differs between terminals are
    replaced: flags become their two letters, Korean is composed, and a character keeps at most
    MOST_MARKS marks. Takes linear time.
    """
    if len(text) <= 2 * PIECE:
        return _clean(text)
    return "".join(map(_clean, _pieces(text, _PLAIN, _escape_at)))


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
    """Text on one line: as `clean`, with each run of white space as one space."""
    return " ".join(clean(text).split())


_held: tuple[str, ...] = ()
"""The keys, the longest first, as one key may start with another."""

_keys: dict[str, None] = {}
"""The keys in the order of `hold`."""

SHORTEST = 8
"""Shortest key in characters; shorter ones would match parts of words."""

MOST_HELD = 500
"""Most keys. The oldest is dropped, except for the first ones."""

FIRST_HELD = 50
"""The first keys are never dropped: they are the user's, not of sandboxes."""


def hold(key: str) -> None:
    """Makes `redact` hide this key from now on."""
    global _held
    is_key = len(key) >= SHORTEST and key.isprintable() and " " not in key
    if is_key and key not in _keys:
        _keys[key] = None
        if len(_keys) > MOST_HELD:
            del _keys[next(islice(_keys, FIRST_HELD, None))]
        # a new tuple: other threads may be reading the old one
        _held = tuple(sorted(_keys, key=len, reverse=True))


def held() -> tuple[str, ...]:
    """The keys that `redact` hides; a new tuple after each new key, so that it can be the key of
    caches of redacted texts."""
    return _held


def holds_key(data: bytes) -> bool:
    """Whether JSON contains a key of `hold`; such data must not be stored."""
    return any(form in data for form in _json_forms(_held))


@lru_cache(maxsize=1)
def _json_forms(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    """The keys in each way that JSON may write them."""
    forms = set(keys)
    for key in keys:
        forms |= {json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}
    return tuple(form.encode() for form in forms)


def _shape(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """A key with a known start, which must not be inside a longer word. The lookbehind follows the
    literal, because `re` searches fast for a leading literal."""
    return start, pattern(rf"{re.escape(start)}(?<![\w-]{re.escape(start)}){rest}")


_PRIVATE_KEY = pattern(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:"
    r"(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----"
    r"|(?:\s{0,4}[A-Za-z0-9+/=]{40,}+)*+)"
)
"""Hidden first and in the whole text: it spans any number of lines, and a part of it that looks
like another key must not end it."""

_NO_WORD_OF_CODE = r"(?:(?=[a-z0-9]*[A-Z])[A-Za-z0-9]++(?!\w)|[A-Za-z0-9]{20,}+)"
"""The rest of a key whose prefix also starts names in code (`hf_model`, `npm_config_cache`): it has
a capital letter and no further underscore, or is long."""

_SHAPES = [
    # only keys have these prefixes: a rest of any length is hidden
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
    # words have these prefixes too: sk-learn, sk-SK, hf_model, ASIA2026
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
"""User and password in a URL, or in a path made of one, with a single slash."""
_PAIR = pattern(
    r"(?P<name>(?:api|access|secret|private|signing|encryption|master)[-_ ]?key"
    r"|token|secret|passw(?:or)?d|passphrase)"
    r"(?P<between>(?:_?\d{1,3})?\\?[\"']?\s{0,4}(?::\s{0,4}|=>?[^\S\n]{0,4}))"
    r"(?:(?P<quote>\\?[\"'])(?P<quoted>[^\"'\\\n]{1,4000})(?=\\?[\"'])"
    r"|(?P<plain>[^\s\"'\\,;&|<>(){}\[\]`]{1,4000})(?P<after>[(\[.]?))",
    re.IGNORECASE,
)
_HINT = pattern(r"(?:key|token|secret|password|passwd|passphrase)[\d_\\\"']{0,6}\s{0,4}[:=]")
"""Searched in lower case text, which is several times faster than `_PAIR`."""
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
"""The end of a line after which a pattern above may continue on the next."""


def _secret_at(text: str, since: int, cut: int) -> tuple[int, int]:
    return (cut + 1 if _WAITS.search(text, max(0, cut - 200), cut) else cut), since


def redact(text: str) -> str:
    """Text with secrets replaced by `[hidden]`.

    Secrets are keys of common services, bearer headers, cookies, passwords in URLs, private keys,
    values after a name such as `api_key`, `token` or `password`, and the keys of `hold`. Code
    (`token = get_token()`, `password: str`), hashes and ids stay. The text has to be clean: an
    escape sequence inside a key would hide it from this function.
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
    # prose ("authorization: see below") has neither a digit nor an equals sign
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
        # a variable, a type or a word, except after a name of passwords
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
    """Whether a JSON field of this name is secret: `session_api_key`, `x-session-api-key`,
    `password`, `access_token`, but not `prompt_tokens` or `llm_api_key_set`."""
    plain = "".join(filter(str.isalnum, name[:200])).lower()
    return _SECRET_NAME.fullmatch(plain) is not None


def safe_line(text: str) -> str:
    """Text on one line, clean and without secrets."""
    return redact(clean_line(text))


def _redact_raw(text: str) -> str:
    hidden, cleaned = redact(text), clean(text)
    if cleaned == text:
        return hidden
    safe = redact(cleaned)
    return hidden if clean(hidden) == safe else safe


def redact_json(value: Any) -> Any:
    """A deep copy of decoded JSON of any depth without secrets.

    Hides all strings below a secret name and redacts all others; these are only cleaned if an
    escape sequence splits a secret. Numbers stay, as `per_turn_token` is a count, and so do true,
    false, null and "".
    """
    box: list[Any] = [None]
    todo: list[tuple[Any, Any, Any, bool]] = [(value, box, 0, False)]
    while todo:
        item, parent, index, hide = todo.pop()
        if isinstance(item, str):
            parent[index] = (HIDDEN if item else item) if hide else _redact_raw(item)
        elif isinstance(item, dict):
            parent[index] = copy = dict.fromkeys(
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
            parent[index] = copied = [None] * len(item)
            todo += [(inner, copied, n, hide) for n, inner in enumerate(item)]
        else:
            parent[index] = item
    return box[0]

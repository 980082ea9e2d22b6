"""How secrets look: the keys of common services, and the places where others stand."""

from __future__ import annotations

import re

from oh_tui.text.patterns import pattern


def _shape(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """The start of a key and the key, which must not be inside a longer word. The lookbehind
    follows the literal, because `re` searches fast for a leading literal."""
    return start, pattern(rf"{re.escape(start)}(?<![\w-]{re.escape(start)}){rest}")


def _sure(start: str, rest: str) -> tuple[str, re.Pattern[str]]:
    """The same for a start that no word has: it may follow `_` and `-`, as in the name of a tool,
    and a letter, where a long rest is as mixed as keys are."""
    escaped = re.escape(start)
    mixed = "".join(rf"(?={rest[:-2]}{{0,99}}?{kind})" for kind in ("[0-9]", "[A-Z]", "[a-z]"))
    pieces = rf"(?<![A-Za-z0-9]{escaped}){rest}|{mixed}{rest[:-2]}{{24,}}+"
    return start, pattern(rf"{escaped}(?:{pieces})")


PRIVATE_KEY = pattern(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:"
    r"(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----"
    r"|(?:\s{0,4}[A-Za-z0-9+/=]{40,}+)*+)"
)
"""Hidden first and in the whole text: it spans any number of lines, and a part of it that looks
like another key must not end it."""

_NO_WORD_OF_CODE = r"(?:(?=[a-z0-9]*[A-Z])[A-Za-z0-9]++(?!\w)|[A-Za-z0-9]{20,}+)"
"""The rest of a key whose prefix also starts names in code (`hf_model`, `npm_config_cache`): it has
a capital letter and no further underscore, or is long."""

SHAPES = [
    # only keys have these prefixes: a rest of any length is hidden
    *(
        _sure(f"sk-{kind}-", r"[\w-]++")
        for kind in ("ant", "or", "proj", "svcacct", "admin", "oh", "lf")
    ),
    *(_sure(start, r"\w++") for start in ("sk_live_", "sk_test_", "rk_live_", "rk_test_")),
    *(_sure(f"gh{kind}_", r"[A-Za-z0-9]++") for kind in "pousr"),
    _sure("github_pat_", r"\w++"),
    *(_sure(f"gl{kind}-", r"[\w-]++") for kind in ("pat", "dt", "rt", "ptt", "cbt")),
    *(_sure(f"xox{kind}-", r"[\w-]++") for kind in "abeoprs"),
    _sure("xapp-", r"[\w-]++"),
    _sure("AIza", r"[\w-]++"),
    _sure("pypi-Ag", r"[\w-]++"),
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
STARTS = (
    ("_", pattern("_(?:(?<=[sr]k_|hf_)|(?<=npm_|pat_|gh[pousr]_))")),
    ("-", pattern("-(?:(?<=sk-)|(?<=xapp-|pypi-|xox[abeoprs]-|gl[dr]t-|l(?:pat|ptt|cbt)-))")),
    ("A", pattern("A(?:Iza|AAA|(?<=[KS]IA))")),
    ("eyJ", pattern("eyJ")),
)
"""One of these patterns finds something in any text with the start of a key. Each begins with its
literal, a single letter where that is rare enough, for which `re` searches at twice the speed of
`in` for a longer word: on 56 kB of a run the four take 0.3 ms, `in` for each start 0.7."""

SCHEME = pattern(
    r"(\b(?:bearer|basic)\s{1,4})((?=[\w.~+/-]*\d)[\w.~+/-]{12,}+={0,2})", re.IGNORECASE
)
HEADER = pattern(
    r"((?:authorization|cookie)\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?)([^\n\"'\\]{8,}+)",
    re.IGNORECASE,
)
USER_INFO = pattern(r"(:/{1,3}[^\s/:@]{0,80}:)([^\s/@\[]{1,300})(?=@)")
"""User and password in a URL, or in a path made of one, with a single slash."""
PAIR = pattern(
    r"(?P<name>(?:api|access|secret|private|signing|encryption|master)[-_ ]?key"
    r"|token|secret|passw(?:or)?d|passphrase)"
    r"(?P<between>(?:_?\d{1,3})?\\?[\"']?\s{0,4}(?::\s{0,4}|=>?[^\S\n]{0,4}))"
    r"(?:(?P<quote>\\?[\"'])(?P<quoted>[^\"'\\\n]{1,4000})(?=\\?[\"'])"
    r"|(?P<plain>[^\s\"'\\,;&|<>(){}\[\]`]{1,4000})(?P<after>[(\[.]?))",
    re.IGNORECASE,
)
HINTS = tuple(
    (start, pattern(rf"{word}[\d_\\\"']{{0,6}}\s{{0,4}}[:=]"))
    for start, word in (
        ("k", "k(?:ey|en(?<=token))"),
        ("secret", "secret"),
        ("pass", "pass(?:word|wd|phrase)"),
    )
)
"""One of these patterns finds something in any text with a match of `PAIR`, which takes several
times as long. They search lower case text, and begin with their literal, as `STARTS` do."""
NO_SECRET = pattern(
    r"[*.x•…-]+|none|null|nil|true|false|undefined|str|string|bytes|secretstr|secret|any|object"
    r"|optional|required|text|varchar|self|os|env|environ|process|getpass|[$%@&!].*",
    re.IGNORECASE,
)
NAME_OF_CODE = pattern(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]\w*)*")

WAITS = pattern(
    r"(?:bearer|basic|authorization|cookie|key|token|secret|passw(?:or)?d|passphrase)"
    r"(?:_?\d{1,3})?\\?[\"']?\s*(?:[:=]>?\s*\\?[\"']?)?\s*\Z",
    re.IGNORECASE,
)
"""The end of a line after which a pattern above may continue on the next."""

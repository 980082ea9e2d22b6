"""Hides the values that stand where secrets do: in headers and addresses, after names and flags."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from oh_tui.text.patterns import pattern

HIDDEN = "[hidden]"

Hide: TypeAlias = Callable[[str], str]
"""What replaces a secret."""

SCHEME = pattern(
    r"(\b(?:bearer|basic)\s{1,4})((?=[\w.~+/-]*\d)[\w.~+/-]{12,}+={0,2})", re.IGNORECASE
)

_QUOTE = r"(?:(?:\\{0,7}\"){3}|(?:\\{0,7}'){3}|\\{0,7}[\"'`])"
_QUOTED = r"(?:(?!(?P=quote))(?:\\{1,15}+[^\\\n]|[^\n\\])){1,4000}+(?=(?P=quote)|[\n\\]|\Z)"
"""What is in quotes, also where the text ends in it."""

HEADER = pattern(
    r"[aAcC](?i:(?:uthorization|ookie)(?P<closed>\\{0,7}[\"']?\]?)\s{0,4}(?P<sign>[:=,])\s{0,4})"
    rf"(?:(?P<quote>{_QUOTE})(?P<quoted>{_QUOTED})"
    r"|(?P<plain>(?:[^\n\"'\\]|(?<=[=\s,])\\{0,7}[\"'][^\n\"'\\]{0,4000}\\{0,7}[\"']){8,}+))"
)
USER_INFO = pattern(r"(:/{1,3}[^\s/:@]{0,80}:)([^\s/\[\"'`<>]{1,300})(?=@)")
"""A user and password in a URL, or in a path made of a URL, which has one slash."""
DATABASE = pattern(
    r"((?:postgres|mysql|maria|mongo|redis|amqp|mssql|sqlserver|s?ftp|smtp|ldap)[\w+]{0,20}://"
    r"[^\s/:@]{0,80}:)([^\s\"'`<>\[]{1,300})(?=@)"
)
"""The same where the password may have a slash."""
USER_ALONE = pattern(r"(://)((?=[^\s/:@]*\d)[\w.~%+-]{16,300}+)(?=(?::[^\s/@]{0,80})?@)")
"""A key in the place of the user."""
SIGNED = pattern(
    r"([?&;]\\{0,3}(?:key|sig|x-amz-signature|x-goog-signature|signature)=)"
    r"((?=[\w%+/=~-]*\d)[\w%+/=~-]{16,}+)",
    re.IGNORECASE,
)

_KINDS = (
    *("api", "access", "secret", "private", "signing", "encryption", "master", "auth", "account"),
    *("storage", "session", "license", "deploy", "webhook", "shared", "consumer", "app", "client"),
)
_OF_KEY = "|".join(f"(?<={kind}key)|(?<={kind}[-_ ]key)" for kind in _KINDS)


def _letters(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


_PASS = (
    r"(?:(?=\\{0,7}[\"'\]]{0,2}[^\S\n]{0,3}=(?!=))|(?=\\{0,7}[\"'][^\S\n]{0,3}:)"
    r"|(?<=[_-]pass)(?=:))"
)
"""After `pass`, which tests say too (`PASS: test_1`): what makes it the name of a value."""

_NAME = (
    rf"(?P<name>[ckpstCKPST](?:{_letters('ey')}(?i:{_OF_KEY})|{_letters('oken')}(?<=[tT]....)"
    rf"|{_letters('ecret')}(?<=[sS].....)"
    rf"|{_letters('ass')}(?i:(?<=p...)(?:w(?:or)?d|phrase|code|{_PASS}))"
    rf"|{_letters('wd')}(?i:(?<=p..)(?<![a-z]...))|{_letters('redential')}(?<=[cC].........)[sS]?))"
)
"""Begins with a class of letters, for which `re` searches fast, as it does not in any case."""
_TAIL = r"(?P<tail>(?:[-_]?\d{1,3}|[-_][A-Za-z0-9]{1,20}|[A-Z][a-z0-9]{1,20}){0,3})"
"""What follows the name of a secret in a longer one: `SECRET_KEY_BASE`, `tokenProd`."""
_PLAIN = r"(?:[^\s\"'\\,;&|<>(){}\[\]`=]{1,4000}+|=(?![A-Za-z_][\w.-]{0,40}=)){1,400}+"
_SPACE = r"(?:\s|\\{1,7}[nrt])"
"""Also as JSON writes it."""
_MORE = (
    r"(?P<more>(?:[;&|,(](?![\w.-]{1,40}\s{0,2}[=:]|[\s;&|,()\"'`]|\Z)"
    r"[^\s\"'\\,;&|<>(){}\[\]`]*+)*+)"
)
"""What a password has after a sign that ends other values."""

_VALUE = (
    rf"(?:(?P<quote>{_QUOTE})(?P<quoted>{_QUOTED})|(?P<plain>{_PLAIN}){_MORE}(?P<after>[(\[]?))"
)

PAIR = pattern(
    rf"{_NAME}{_TAIL}(?P<between>(?:\\{{0,7}}[\"'])?(?:\s[^<>\n]{{0,100}})?>(?=[^<\n]{{1,4000}}</)"
    rf"|\\{{0,7}}[\"'`*_]{{0,3}}\]?(?:[: ][\w.\[\]| ]{{1,40}}?(?==))?\s{{0,4}}"
    rf"(?::(?!=)[*_]{{0,2}}{_SPACE}{{0,8}}(?:[|>][-+\d]{{0,2}}{_SPACE}{{1,40}})?"
    r"|(?::=|=>?(?!=))[^\S\n]{0,4}"
    rf"|(?P<loose>(?:,{_SPACE}{{0,40}}|{_SPACE}{{1,40}})"
    r"\\{0,7}[\"']?value\\{0,7}[\"']?\s{0,4}[:=][^\S\n]{0,4}"
    r"|={2,3}[^\S\n]{0,4}|\|[^\S\n]{0,4}|,\s{0,4}(?=\\{0,7}[\"'`]))"
    rf")(?:[rRbBuUfF@]{{1,2}}(?=\\{{0,7}}[\"']))?){_VALUE}"
)
SAID = pattern(
    rf"{_NAME}{_TAIL}(?P<between>(?P<said>[^\S\n](?i:is|was|to))?:?[^\S\n]{{1,4}}){_VALUE}"
)
"""A secret after a flag, or said in a sentence."""
GIVEN = pattern(
    r"((?:\bidentified[^\S\n]{1,4}by[^\S\n]|(?:-u|--user|--proxy-user)(?:[^\S\n]|=)\\{0,7}[\"']?[\w.@+-]{0,64}:"
    r"|\bcurl\b[^\n]{0,200}?[^\S\n]"
    r"(?:-u[\w.@+-]{1,64}:|(?:-b|--cookie)(?:[^\S\n]|=)\\{0,7}[\"']?[\w.-]{1,64}=)"
    r"|-pass(?:in|out)[^\S\n]pass:"
    r"|\b(?:sshpass|login|twine|mysql\w{0,10}|mariadb\w{0,10})\b[^\n|;&]{0,120}?[^\S\n]-p[^\S\n]?)"
    r"\\{0,7}[\"']?)([^\s\"'\\-][^\s\"'\\]{3,300})",
    re.IGNORECASE,
)
"""A password that a command is given without its name."""

AUTH = pattern(
    r"([aA](?:uth|UTH)(?:Ident)?\\{0,7}[\"']?\s{0,4}[:=]\s{0,4}\\{0,7}[\"']?)"
    r"((?=[a-z0-9+/]*[A-Z])(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{12,400}+={0,2}+)(?![\w.(-])"
)
"""User and password in base64, in the settings of docker and npm."""

HINTS = (
    *((word, pattern(word)) for word in ("key", "token", "secret", "pwd", "credential")),
    ("pass", pattern(r"pass(?:w|phrase|code|\\{0,7}[\"'\]]{0,2}[^\S\n]{0,3}[=:])")),
)
"""One of these finds something in any text, in lower case, with a match of `PAIR` or `SAID`. Each
begins with its literal, as `STARTS` do: 2 us for 700 characters, 32 as one pattern."""
NO_SECRET = pattern(
    r"[*.x•…-]+|none|null|nil|true|false|undefined|str|string|bytes|secretstr|secret|any|object"
    r"|optional|required|text|varchar|self|os|env|environ|process|getpass|prompt|&\w+|.*\{\w[^{}\n]{0,80}\}.*"
    r"|\$(?:[a-z_]\w*|[({].*)|%[\w(].*|@[\w./]+|![a-z]+(?:\s.*)?",
    re.IGNORECASE,
)
NAME_OF_CODE = pattern(r"[A-Za-z_][A-Za-z_]*(?:\.[A-Za-z_]\w*)*")
MIXED = pattern(r"(?=.*\d|(?:.*[!#$%^&*+@~]){2})(?=.*[A-Za-z])\S{8,}+", re.DOTALL)
"""What stands for a secret where the name before it is not sure to be that of one."""

OF_NO_SECRET = pattern(
    r"(?:ids?|names?|types?|counts?|limits?|ur[li]s?|paths?|files?|dir|folder|fields?|headers?|param"
    r"|env|var|expir\w*|ttl|age|created|updated|at|set|len(?:gth)?|size|min|max|us(?:age|ed)|endpoint"
    r"|host|port|user(?:name)?|email|alg(?:orithm)?|method|policy|format|pattern|regex|prefix|suffix"
    r"|label|placeholder|title|description|hint|errors?|messages?|status|state|version|scopes?|issuer"
    r"|provider|manager|service|store|ref(?:erence)?|arn|region|rotation|per|budget|cost|price|rate"
    r"|window|spec|end|start|pos|map|stream|number|text|re|rx|threshold|totals?|estimate\w*|buffer|handler|helper|required|enabled|disabled|valid)",
    re.IGNORECASE,
)
"""A word after the name of a secret that makes it the name of something else: `token_count`."""

WAITS = pattern(
    rf"(?:bearer|basic|authorization|cookie|key|token|secret|credentials?|passphrase|passcode"
    rf"|passw(?:or)?d|pwd){_TAIL}\\{{0,7}}[\"'`*_]{{0,3}}\]?(?::[\w.\[\]| ]{{1,40}}?)?\s*"
    r"(?:(?::=?|={1,3})>?[*_]{0,2}|[,|])?\s*(?:[|>][-+\d]{0,2}|\\{0,7}[\"'`]*)?\s*\Z",
    re.IGNORECASE,
)
"""The end of a line after which a pattern above may continue on the next."""


def finds(patterns: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> bool:
    """Whether one of these patterns, each after its literal, finds something."""
    for literal, found in patterns:  # noqa: SIM110  a generator takes twice as long
        if literal in text and found.search(text):
            return True
    return False


def hide_named(text: str, hide: Hide) -> str:
    """A clean text without the secrets that their places tell."""
    if "@" in text and ":/" in text:
        for shape in (DATABASE, USER_INFO, USER_ALONE):
            text = shape.sub(lambda match: match[1] + hide(match[2]), text)
    lower = text.lower()
    if "authorization" in lower or "cookie" in lower:
        text = HEADER.sub(lambda match: _hide_header(match, hide), text)
    if "bearer" in lower or "basic" in lower:
        text = SCHEME.sub(lambda match: match[1] + hide(match[2]), text)
    if "auth" in lower:
        text = AUTH.sub(lambda match: match[1] + hide(match[2]), text)
    if "sig" in lower or "key=" in lower:
        text = SIGNED.sub(lambda match: match[1] + hide(match[2]), text)
    if finds(HINTS, lower):
        text = _hide_values(PAIR, _is_value, text, hide)
        text = _hide_values(SAID, _is_said, text, hide)
    if " -p" in lower or "-u" in lower or "identified" in lower or "curl" in lower:
        text = GIVEN.sub(lambda match: _hide_given(match, hide), text)
    return text


def _hide_header(match: re.Match[str], hide: Hide) -> str:
    value = match["quoted"] or match["plain"]
    head, rest = match[0][: len(match[0]) - len(value)], ""
    if match["plain"] is not None and match["closed"]:  # code follows the name
        value, found, rest = value.partition('"')
        rest = found + rest
    # prose ("authorization: see below") has neither a digit nor an equals sign
    is_value = re.search(r"[\d=]", value) and (match["sign"] != "," or match["quoted"])
    return head + hide(value) + rest if is_value and len(value) >= 8 else match[0]


def _hide_given(match: re.Match[str], hide: Hide) -> str:
    value = match[2].rstrip(".,;:")
    is_secret = _is_mixed(value) and not NO_SECRET.fullmatch(value)
    return match[1] + hide(value) + match[2][len(value) :] if is_secret else match[0]


def _hide_values(
    named: re.Pattern[str], is_secret: Callable[[re.Match[str], str], bool], text: str, hide: Hide
) -> str:
    """Hides the values of names. One in quotes that is no secret may tell another, as JSON does."""
    parts: list[str] = []
    place = start = 0
    while match := named.search(text, start):
        found = "plain" if match["quoted"] is None else "quoted"
        value = _value(match)
        start = match.start("quoted") if found == "quoted" else match.end()
        if not value or HIDDEN.startswith(value) or NO_SECRET.fullmatch(value):
            continue
        if not _is_of_no_secret(match["tail"]) and is_secret(match, value):
            parts += text[place : match.start(found)], hide(value)
            start = place = match.start(found) + len(value)
    return "".join((*parts, text[place:])) if parts else text


def _value(match: re.Match[str]) -> str:
    """The value of a name, "" where it is code that gets it."""
    if match["quoted"] is not None:
        return match["quoted"]
    after = match["after"] or match["more"][:1]
    if after == "[" or (after == "(" and ")" in match.string[match.end() : match.end() + 200]):
        return ""
    is_password = match["name"].lower().startswith("pass")
    if is_password and match["more"]:
        return match["plain"] + match["more"]
    return match["plain"].rstrip(".,;:")


def _is_of_no_secret(tail: str) -> bool:
    return any(map(OF_NO_SECRET.fullmatch, re.findall(r"[A-Z]?[a-z]+|[A-Z]+", tail)))


_QUOTED_NAME = pattern(r"[\"'`][\w.-]{0,40}\Z")
_FLAG = pattern(r"(?:^|[\s\"'`(\[,=-])--?[\w-]{0,40}\Z")
_SET = pattern(r"\bset(?:env|[^\S\n]-\w{1,3})?[^\S\n]{1,4}[\w./:-]{0,40}\Z")
_NAME_AT_END = pattern(r"(?:key|token|secret|passw(?:or)?d|passphrase)\Z", re.IGNORECASE)


def _before(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - 50) : match.start()]


def _is_said(match: re.Match[str], value: str) -> bool:
    """Whether a value after a flag, or in a sentence, is a secret."""
    before = _before(match)
    is_named = match["name"].lower().startswith("p") or match["said"]
    is_named = is_named or _FLAG.search(before) or _SET.search(before)
    return bool(is_named) and _is_mixed(value)


def _is_mixed(value: str) -> bool:
    """Whether a value is like no word and no name of code."""
    mixed = MIXED.fullmatch(value) is not None and not NAME_OF_CODE.fullmatch(value)
    return mixed and value[0] != "-"


def _is_value(match: re.Match[str], value: str) -> bool:
    """Whether a value is the secret of its name, and no code."""
    between, quoted = match["between"], match["quoted"] is not None
    if between.strip()[-1:] == "," and not _QUOTED_NAME.search(_before(match)):
        return False
    last = _NAME_AT_END.search(match["tail"])
    name = last[0] if last else match["name"]
    is_longer = not last and match["tail"].strip("_-0123456789")
    is_open = quoted and not match.string.startswith(match["quote"], match.end())
    if is_longer or is_open or match["loose"] is not None or re.search("[`*]", between):
        return _is_mixed(value)
    if name.lower() in ("pwd", "credential", "credentials"):  # these stand before much else
        return _is_mixed(value)
    if name.lower() == "pass":
        return _is_mixed(value) or (name.isupper() and len(value) >= 6 and not value.isdigit())
    is_password = name.lower().startswith("pass")
    if quoted:
        return is_password or " " not in value
    if value.lower() == name:
        return False
    if name.isupper() and "]" not in between:
        return len(value) >= 4
    if NAME_OF_CODE.fullmatch(value):
        # a variable, a type or a word, except after a name of passwords
        return is_password and "." not in value and "pass" not in value.lower() and len(value) >= 6
    if name.lower() in ("token", "secret") and len(value) < 10 and value.isdigit():
        return False  # a count
    return len(value) >= (4 if is_password else 8)

"""Hides the values that stand where secrets do: in headers and addresses, after names and flags."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from oh_tui.text.patterns import pattern
from oh_tui.text.secret_patterns import (
    DATABASE,
    GIVEN,
    HEADER,
    HINTS,
    MIXED,
    NAME_OF_CODE,
    NO_SECRET,
    OF_NO_SECRET,
    PAIR,
    SAID,
    SCHEME,
    SIGNED,
    USER_ALONE,
    USER_INFO,
)

HIDDEN = "[hidden]"
"""Replaces a secret."""

Hide: TypeAlias = Callable[[str], str]
"""What replaces a secret."""


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
    if "sig" in lower:
        text = SIGNED.sub(lambda match: match[1] + hide(match[2]), text)
    if HINTS.search(lower):
        text = _hide_values(PAIR, _is_value, text, hide)
        text = _hide_values(SAID, _is_said, text, hide)
    if " -p" in lower or "-u" in lower or "identified" in lower:
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
_FLAG = pattern(r"(?:^|[\s\"'`(\[,=])--?[\w-]{0,40}\Z")
_NAME_AT_END = pattern(r"(?:key|token|secret|passw(?:or)?d|passphrase)\Z", re.IGNORECASE)


def _before(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - 50) : match.start()]


def _is_said(match: re.Match[str], value: str) -> bool:
    """Whether a value after a flag, or in a sentence, is a secret."""
    is_named = (
        match["name"].lower().startswith("p") or match["said"] or _FLAG.search(_before(match))
    )
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

"""Hosts, addresses and names of people in a text, each safe on one line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line

_HOST = pattern(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://(?:[^\s/@\"'<>]{1,200}@)?|\bgit@)"
    r"((?=[a-z0-9.-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,62}\.){0,8}[a-z0-9-]{1,63})",
)
_INTERNAL = pattern(
    r"(?<![\w.@/-])((?:[a-z0-9-]{1,63}\.){1,6}(?:internal|lan|corp|intranet))(?![\w(.-])"
)
_IPV4 = pattern(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = pattern(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){4,7}[0-9a-fA-F]{1,4}(?![\w:])")
_MAIL = pattern(
    r"(?<![\w.+/:@\\-])[+-]?(\w[\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24})(?![\w@:/-])"
)
_HOME = pattern(r"(?:/home/|/Users/|[A-Z]:\\{1,2}Users\\{1,2})([A-Za-z][\w.-]{0,40})")
_AUTHOR = pattern(
    r"(?:\bAuthor|\bCommitter|\bauthor|\bcommitter|-[bB]y|\buser\.name)\b[ =:\"']{1,4}"
    r"([^\W\d][^\n<>\"';,|]{1,60}?)\s?(?=<[^\n<>]{3,100}@|\"|'|\n|\Z)"
)
_AUTHORS = ("uthor", "ommitter", "-by", "-By", "user.name")
"""One of these stands before each author: the pattern takes its time."""

_NOBODY = frozenset({"openhands", "root", "user", "runner", "vscode", "node", "app", "shared"})
"""Owners of home folders in containers."""


def hosts(text: str) -> Iterator[str]:
    """Of addresses and remotes, and names of an inner network."""
    if "://" in text or "git@" in text:
        for match in _HOST.finditer(text):
            host = match[1].rstrip(".-")
            if host not in ("localhost", "workspace"):
                yield safe_line(host, 80)
    for match in _INTERNAL.finditer(text):
        yield safe_line(match[1], 80)


def addresses(text: str) -> Iterator[str]:
    for shape in (_IPV4, _IPV6):
        for match in shape.finditer(text):
            if _is_address(match[0]):
                yield match[0]
    if "@" in text:
        for match in _MAIL.finditer(text):
            if not match[1].startswith("git@"):
                yield safe_line(match[1], 80)


def _is_address(text: str) -> bool:
    """Whether a text is the address of a machine, and not of each machine itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def people(text: str) -> Iterator[str]:
    """Owners of home folders, authors in git."""
    if "/home/" in text or "Users" in text:
        for match in _HOME.finditer(text):
            if match[1].lower() not in _NOBODY:
                yield safe_line(match[1], 80)
    if any(word in text for word in _AUTHORS):
        for match in _AUTHOR.finditer(text):
            yield safe_line(match[1], 80)

"""What a text tells others: hosts, addresses and names of people, each safe on one line, which
secrets were hidden in it, and what looks like one and is none that is known: long random words."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import HIDDEN, safe_line

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
    if "/home/" in text or "Users" in text:
        for match in _HOME.finditer(text):
            if match[1].lower() not in _NOBODY:
                yield safe_line(match[1], 80)
    if any(word in text for word in _AUTHORS):
        for match in _AUTHOR.finditer(text):
            yield safe_line(match[1], 80)


_WORD = pattern(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{20,128}={0,2}(?![A-Za-z0-9+/_\-=])")

_HEX = pattern(r"(?:0[xX])?[0-9a-fA-F]++")
_UUID = pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ULID = pattern(r"0[0-9A-HJKMNP-TV-Z]{25}")
_NAMED_ID = pattern(
    r"(?:call|toolu|chatcmpl|msg|resp|fc|rs|req|run|evt|item|thread|asst|srvtoolu|bdrk|vrtx)[_-]"
    r"[\w-]*"
)
"""Ids that providers of models give."""
_DIGEST = pattern(r"(?:sha\d{1,3}|md5|blake\w{0,3}|h1|10c0)[-:/]\S*", re.IGNORECASE)
_BEFORE_DIGEST = pattern(
    r"(?:sha\d{1,3}|md5|h1|integrity|checksum|digest|etag|base64)[\"']?\s{0,2}[-:=,/]\s{0,2}[\"']?\Z",
    re.IGNORECASE,
)
_PARTS = pattern(r"[+/_=\-]+")
_KINDS = (pattern("[a-z]+"), pattern("[A-Z]+"), pattern("[0-9]+"))
_CHANGE = pattern("(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=[0-9])(?=[A-Za-z])")
_WRAPPED = (60, 64, 70, 76)
"""How long programs make the lines of base64."""


def suspects(text: str) -> Iterator[str]:
    """The words of a text that look like secrets, as often as they stand there. Ids, commits,
    digests, paths and data in base64 are none."""
    for found in _WORD.finditer(text):
        word = found[0]
        if _is_random(word) and not _is_known(word, text, found.start(), found.end()):
            yield word


def _is_known(word: str, text: str, start: int, end: int) -> bool:
    if _UUID.fullmatch(word) or _ULID.fullmatch(word) or _NAMED_ID.fullmatch(word):
        return True
    before = text[max(0, start - 24) : start]
    if (
        word[:4].lower() == "xn--"
        or _DIGEST.fullmatch(word)
        or _BEFORE_DIGEST.search(before)
        or "/nix/store/" in word
    ):
        return True
    return _is_line_of_data(word, text, start, end)


def _is_line_of_data(word: str, text: str, start: int, end: int) -> bool:
    """Whether lines of one length surround the word, as those of a key that all may see, a
    certificate, or of a file in base64; the last one is shorter."""
    is_line = text[start - 1 : start] in ("", "\n") and text[end : end + 1] in ("", "\n", "\r")
    if not is_line:
        return False
    if len(word.rstrip("=")) in _WRAPPED:
        return True
    above = text[max(0, start - 78) : max(0, start - 1)].rpartition("\n")[2].strip()
    return len(above) in _WRAPPED and _WORD.fullmatch(above) is not None


def _is_random(word: str) -> bool:
    """Whether letters and digits follow each other as no name does."""
    bare = word.rstrip("=")
    parts = [part for part in _PARTS.split(bare) if part and not _HEX.fullmatch(part)]
    if any(len(part) >= 20 and _is_mixed(part) for part in parts):
        return True
    together = "".join(parts)
    # keys in base64 may have signs anywhere, names have words between theirs
    odd = sum(len(part) for part in parts if len(part) >= 6 and _is_dense(part))
    return len(together) >= 20 and odd >= 0.6 * len(together) and _is_mixed(together)


def _is_mixed(part: str) -> bool:
    """Of characters of three kinds nearly each second is of another kind than the one before, of
    two kinds each fourth. Names change at the starts of words."""
    if _entropy(part) < 3.4:
        return False
    kinds = sum(1 for kind in _KINDS if kind.search(part))
    numbers = _KINDS[2].findall(part)
    rate = sum(1 for _ in _CHANGE.finditer(part)) / (len(part) - 1)
    if kinds == 3:
        return rate >= 0.4 and len(numbers) >= 2
    return kinds == 2 and len(numbers) >= 4 and rate >= 0.24


def _is_dense(part: str) -> bool:
    rate = sum(1 for _ in _CHANGE.finditer(part)) / (len(part) - 1)
    return rate >= 0.4 and _KINDS[2].search(part) is not None


def _entropy(text: str) -> float:
    """Bits that a character tells, by how often each stands here."""
    total = len(text)
    return -sum(n / total * log2(n / total) for n in Counter(text).values())


def shortened(word: str) -> str:
    """Enough of a suspect to find it, and too little to use it."""
    return f"{word[:4]}… ({len(word)} characters)"


_NAMED = pattern(
    r"([A-Za-z][\w.-]{0,60})[\"']?\s{0,4}(?:[:=]|=>)\s{0,4}(?:Bearer |Basic )?[\"']?"
    + re.escape(HIDDEN)
)


def hidden_in(text: str) -> Counter[str]:
    """The name before each secret that was hidden, or "a key", and how often."""
    total = text.count(HIDDEN)
    if not total:  # most texts, and the pattern takes its time
        return Counter()
    found = Counter(name.lower() for name in _NAMED.findall(text))
    found["a key"] += total - found.total()
    return +found


def listed(found: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" if number > 1 else name for name, number in found.items())

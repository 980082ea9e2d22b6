"""What looks like a secret in a text, and is none that is known: long random words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from oh_tui.text.patterns import pattern

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

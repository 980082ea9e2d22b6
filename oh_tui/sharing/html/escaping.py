"""Texts as HTML: what a text says is never a tag, an attribute or an address to follow."""

from __future__ import annotations

import hashlib
import re
from html import escape, unescape
from urllib.parse import urlsplit

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line


def text(value: str) -> str:
    """A clean text as HTML, between tags and in an attribute in double quotes."""
    return escape(value)


def line(value: str) -> str:
    """Any text as HTML on one line."""
    return escape(safe_line(value))


def seen(html: str) -> str:
    """What a part of a page tells its readers: its texts, and where its links lead."""
    html = _LINK.sub(r"\1 ", html.replace("</dt><dd>", ": "))
    return unescape(_TAG.sub("\n", _WITHIN.sub("", html)))


_LINK = pattern('<a href="(https:[^"]{0,}+)"[^<>]{0,}+>')
_WITHIN = pattern("</?(?:a|i|em|strong|code)(?: [^<>]{0,}+)?>")
"""Tags that are within a word, or may be."""
_TAG = pattern("<[^<>]{0,}+>")


def opened_link(address: str) -> str:
    """The tag of a link to a page by https without a name and password; "" for others."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return ""
    return f'<a href="{escape(address)}" rel="noopener noreferrer">'


_ODD = pattern(r"[^\w.:-]+", re.ASCII)

_LONGEST = 80
"""Characters of the id of an event that names its place as it is."""


def anchor(event_id: str) -> str:
    """The name of the place of an event in the page: its id, if that is one that can stand in an
    address; two events have two names all the same."""
    name = _ODD.sub("-", safe_line(event_id, 2 * _LONGEST))
    if name != event_id or len(name) > _LONGEST:
        digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[:_LONGEST]}-{digest[:12]}"
    return f"event-{name}"

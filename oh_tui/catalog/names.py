"""What a conversation is called: by its id, whole or shortened, and by its title."""

from __future__ import annotations

from urllib.parse import urlsplit

from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line

SHORTEST = 4
"""Characters that the start of an id must have: fewer are nearly always ambiguous."""

WHOLE = 32
"""Characters of a whole id without dashes."""

SHOWN = 8
"""Characters of an id that are shown in lists."""

_ID = pattern(rf"[0-9a-f]{{{SHORTEST},{WHOLE}}}")


def shortened(identifier: str) -> str:
    """An id as lists show it; the names that files give their runs stay whole."""
    return identifier[:SHOWN] if len(identifier) == WHOLE else identifier


_HERE = pattern(r"(^|, )(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?=:\d)")


def short_servers(names: str) -> str:
    """Names of the servers of a list, with commas between them, for where there is little room: of
    addresses on this machine the port, as only that tells them apart."""
    return _HERE.sub(r"\1", names)


def read_id(text: str) -> str:
    """The conversation id in `text`, or its first characters, in lower case without dashes. A web
    address must hold a whole id. "" when there is none."""
    if "://" not in text:
        bare = bare_id(text.strip())
        return bare if _ID.fullmatch(bare) else ""
    try:
        parts = [read_id(part) for part in urlsplit(text.strip()).path.split("/")]
    except ValueError:
        return ""
    return next((part for part in reversed(parts) if len(part) == WHOLE), "")


def conversation_id(conversation: Conversation) -> str:
    """The id without dashes, as the app server writes it; of an evaluation that of the instance;
    the path of a file without an id."""
    bare = read_id(conversation.id)
    return bare if len(bare) == WHOLE else safe_line(conversation.id)


def name(conversation: Conversation) -> str:
    return "  ".join(filter(None, (title(conversation), short_id(conversation))))


def title(conversation: Conversation) -> str:
    return safe_line(conversation.title or "") or "(no title)"


def short_id(conversation: Conversation) -> str:
    """The first characters of the id, enough to name it; "" for a file without an id."""
    bare = read_id(conversation.id)
    return bare[:SHOWN] if len(bare) == WHOLE else ""

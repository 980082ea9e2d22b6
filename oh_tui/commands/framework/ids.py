"""Which conversation a person means: an id, the start of one, a web address, or a path."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oh_tui.actions import starting
from oh_tui.api import errors
from oh_tui.api.models import bare_id
from oh_tui.catalog import links
from oh_tui.commands.framework import printing
from oh_tui.settings import paths
from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats import endings

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.sources.source import Source

SHORTEST = 4
"""Characters that the start of an id must have: fewer are nearly always ambiguous."""

WHOLE = 32
"""Characters of a whole id without dashes."""

SHOWN = 8
"""Characters of an id that are shown in lists."""

STDIN = "-"
"""The word for standard input where a path can be."""


_ID = pattern(rf"[0-9a-f]{{{SHORTEST},{WHOLE}}}")


def shortened(identifier: str) -> str:
    """An id as lists show it; the names that files give their runs stay whole."""
    return identifier[:SHOWN] if len(identifier) == WHOLE else identifier


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


def is_path(text: str, *, asks_server: bool = False) -> bool:
    """Whether a word names a file, or what others share, rather than a conversation of ours. A file
    or folder of that name wins over an id, but not where the command `asks_server`."""
    if not text or "://" in text:
        return is_file_address(text) or is_shared(text)
    if is_stdin(text):
        return True
    if "/" in text or text.endswith(".zip") or text in (".", ".."):
        return True
    is_id = asks_server and bool(read_id(text))
    return not is_id and (paths.exists(text, os.environ) or bool(split_run(text)[1]))


def is_address(text: str) -> bool:
    """Whether a word that stands for a file is an address of the web."""
    return text.lower().startswith(("https://", "http://"))


def is_file_address(text: str) -> bool:
    """Whether an address names a file with runs by its ending, not a conversation."""
    path = text.partition("#")[0].partition("?")[0]
    return is_address(text) and endings.may_hold_runs(path.rpartition("/")[2])


def is_shared(text: str) -> bool:
    """Whether an address is the link of a shared conversation."""
    return is_address(text) and not is_file_address(text) and links.is_shared_link(text)


def is_stdin(text: str) -> bool:
    """Whether a word that names a file or a run in it means standard input."""
    return text == STDIN or text.startswith(f"{STDIN}#")


def split_place(text: str) -> tuple[str, str]:
    """As `split_run`, also for an address and for standard input."""
    if is_stdin(text):
        return STDIN, text[len(STDIN) + 1 :]
    if is_address(text):
        address, _, run = text.partition("#")
        return address, run
    return split_run(text)


def split_run(text: str) -> tuple[str, str]:
    """The path and the run in `PATH#ID`; "" for the run where none is named."""
    return paths.split_run(text, os.environ)


def require_id(text: str, base_url: str) -> str:
    """`read_id`, for a text that must be one. Raises Problem, also for an address of another
    server than `base_url`: its conversations are not on ours, and our key must not go there."""
    found = read_id(text)
    if not found:
        raise Problem(
            f"{safe_line(text)!r} is not a conversation id",
            f"give {SHORTEST} or more of its characters 0-9 a-f, or the conversation's web address",
        )
    if "://" in text and _host(text) != _host(base_url):
        theirs = f"{urlsplit(text).scheme}://{_host(text)}"
        raise Problem(
            f"That conversation is on {safe_line(theirs)}, but the server here is "
            f"{base_url or 'the demo'}",
            f"oh-tui --server {clean_line(theirs)} {found}, with the key of that server",
        )
    return found


async def find(source: Source, identifier: str) -> Conversation:
    """The conversation with this id or start of an id (as `read_id` gives them), or the one that
    the start task with this id made: the two ids are easily mixed up.

    Reads the whole list for the start of an id. Raises Problem when several ids begin so, and
    NotFound when none does.
    """
    if len(identifier) == WHOLE:
        (conversation,) = await source.get([identifier])
        return conversation or await _started_as(source, identifier)
    matches: list[Conversation] = []
    async for page in source.pages():
        matches += [c for c in page.items if bare_id(c.id).startswith(identifier)]
    if not matches:
        raise _not_found(source, identifier)
    if len(matches) > 1:
        named = [f"{bare_id(c.id)[:12]} ({safe_line(c.title or 'no title')})" for c in matches[:5]]
        more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
        raise Problem(
            f"{len(matches)} conversations begin with {identifier}", ", ".join(named) + more
        )
    return matches[0]


def _not_found(
    source: Source, identifier: str, hint: str = "oh-tui conversations lists what is there"
) -> Problem:
    # of the demo's label, the name alone
    name = source.label.partition(", ")[0].partition(": ")[0]
    where = f"the {name}" if name.endswith("demo") else name
    return errors.NotFound(f"There is no conversation {identifier} in {where}", hint)


async def _started_as(source: Source, identifier: str) -> Conversation:
    task = None
    with contextlib.suppress(Problem):
        task = await source.sandboxes.started(identifier) if source.sandboxes else None
    own = bare_id((task and task.app_conversation_id) or "")
    (conversation,) = await source.get([own]) if own else (None,)
    if conversation is not None:
        printing.say(f"that is the id of a start; the conversation is {safe_line(own)}")
        return conversation
    if task is not None:
        raise _not_found(source, identifier, starting.what_became(task))
    raise _not_found(source, identifier)


def _host(address: str) -> str:
    return urlsplit(address.strip()).netloc.rpartition("@")[2].lower()

"""What the commands that act on an agent or a sandbox share: texts to send, and consent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oh_tui.commands.shared.documents import conversation_id
from oh_tui.commands.shared.frame import Call, path_of
from oh_tui.commands.shared.ids import SHOWN
from oh_tui.commands.shared.printing import ask, interruptible
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation

MOST = 4_000_000
"""Bytes of a text that is sent to an agent."""


def short(conversation: Conversation) -> str:
    """The id as hints name it."""
    return conversation_id(conversation)[:SHOWN]


def require_consent(call: Call, stake: str, done_by: str) -> None:
    """Asks, unless --yes was told, which it must be where there is no terminal. Raises Problem."""
    if call.asked.yes:
        return
    answer = ask(f"{stake}. Go on?")
    if answer is None:
        raise Problem(stake, f"{done_by} does it")
    if not answer:
        raise Problem("Nothing was changed")


def text_of(word: str) -> str:
    """The text that a word is, or for "-" what comes in at stdin. Raises Problem."""
    if word == "-":
        return _decoded(_read_stdin(), "What came in")
    # what is no UTF-8 on the command line, or a lone surrogate, cannot be sent
    return word.encode("utf-8", "replace").decode()


def file_text(name: str) -> str:
    """The text of a file, or for "-" what comes in at stdin. Raises Problem."""
    if name == "-":
        return text_of(name)
    shown = clean_line(name)
    try:
        with path_of(name).open("rb") as file:
            data = file.read(MOST + 1)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise Problem(f"{shown} cannot be read: {clean_line(why)}", "check the path") from None
    return _decoded(data, shown)


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise Problem("There is no standard input to read", "give the text as a word")
    with interruptible():
        return sys.stdin.buffer.read(MOST + 1)


def _decoded(data: bytes, shown: str) -> str:
    if len(data) > MOST:
        raise Problem(f"{shown} is longer than {MOST:,} bytes", "no agent reads that much: shorten")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Problem(f"{shown} is no text in UTF-8", "the agent is told text alone")
    return text

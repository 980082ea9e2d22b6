"""What the commands that act share: consent, texts to send, and where to save a file."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from pathlib import Path

from oh_tui.catalog.names import SHOWN, conversation_id
from oh_tui.commands.framework.command import Call, path_of
from oh_tui.commands.framework.printing import ask, interruptible
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import taken
from oh_tui.settings.startup import Settings
from oh_tui.sources.budget import read_budget
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem

MOST = 4_000_000
"""The most bytes of a text for an agent."""


def short(conversation: Conversation) -> str:
    """The first characters of its id, as hints name it."""
    return conversation_id(conversation)[:SHOWN]


def require_consent(
    call: Call, stake: str, done_by: str, *, refused: str = "Nothing was changed"
) -> None:
    """Asks for a yes, unless `--yes` gives it. Raises Problem after a no, and where there is no
    terminal to ask on; `done_by` is the command line that needs no answer."""
    if call.args.yes:
        return
    stake = f"On {call.on}: {stake}" if call.on else stake
    answer = ask(f"{stake}. Go on?")
    if answer is None:
        raise Problem(stake, f"{done_by} does it")
    if not answer:
        raise Problem(refused)


def require_writable(name: str, settings: Settings, *, by_flag: bool) -> None:
    """Raises Problem where nothing may be changed on the server, by a flag or by the settings."""
    if settings.read_only:
        why, hint = "--read-only", "leave it out"
        if not by_flag:
            why, hint = "read_only in the settings file", "set it to false there"
        raise Problem(f"{name} changes something or costs money, and {why} forbids that", hint)


def target_of(call: Call, *, single: bool = True) -> tuple[Path, str]:
    """The folder and the file name that `--output` means, "" for a name of ours. Raises Problem,
    also for a file where several are to be saved."""
    output = call.args.output
    if output in ("", "-"):
        return call.settings.download_folder, ""
    path = path_of(output)
    if path.is_dir():
        return path, ""
    folder = path.parent if single and not output.endswith("/") else path
    if not folder.is_dir():
        raise Problem(f"There is no folder {clean_line(str(folder))}", "make it first")
    require_free(path)
    return folder, path.name


def require_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise taken(path)


def budget_word(text: str) -> float:
    try:
        return read_budget(text)
    except Problem as problem:
        raise ArgumentTypeError(f"{problem.sentence}, not {clean_line(text)[:40]!r}") from None


def text_of(word: str) -> str:
    """The word itself, or for "-" the text on stdin. Raises Problem."""
    if word == "-":
        return _decoded(_read_stdin(), "Standard input")
    # a lone surrogate, which stands for a byte that is no UTF-8, cannot be sent
    return word.encode("utf-8", "replace").decode()


def file_text(name: str) -> str:
    """The text of a file, or for "-" that on stdin. Raises Problem."""
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
        raise Problem(
            f"{shown} is longer than {MOST:,} bytes", "that is too long for an agent: shorten it"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Problem(f"{shown} is not UTF-8 text", "agents read only text")
    return text

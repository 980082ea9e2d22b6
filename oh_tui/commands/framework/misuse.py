"""Translates what argparse finds wrong with the words of a command."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

HELP = "oh-tui --help shows how it is used"


def help_of(command: str) -> str:
    """Where the use of a command is told, of the program for ""."""
    return f"oh-tui {command} --help shows how it is used" if command else HELP


def misuse(message: str, command: str, options: Iterable[str]) -> Problem:
    """The Problem for a message of argparse. `command` is "" for words without one, `options` are
    those that it has. A message that is not known, as of another Python, stays as it is."""
    hint = help_of(command)
    text = safe_line(message)
    if match := re.fullmatch(r"the following arguments are required: (.+)", text):
        wanted = match[1].replace(", ", " and ").replace("|", " or ")
        return Problem(f"{command or 'oh-tui'} needs {wanted}", hint)
    if match := re.fullmatch(r"unrecognized arguments: (.+)", text):
        words = match[1].split(" ")
        odd = next((word for word in words if word.startswith("-")), "").partition("=")[0]
        if not odd:
            return Problem(f"{command or 'oh-tui'}: unexpected argument: {match[1]}", hint)
        close = difflib.get_close_matches(odd, options, 1, 0.7)
        subject = f"{command} has" if command else "There is"
        return Problem(f"{subject} no option {odd}", f"did you mean {close[0]}?" if close else hint)
    if not (match := re.fullmatch(r"argument (?:\S+/)?(\S+): (.+)", text)):
        return Problem(text[:1].upper() + text[1:], hint)
    name, text = match[1], match[2]
    named = name if name.startswith("-") else command
    if match := re.fullmatch(r"invalid choice: (.+) \(choose from (.+)\)", text):
        return Problem(f"{named}: there is no {match[1]}", f"one of {match[2]}")
    if match := re.fullmatch(r"ignored explicit argument (.+)", text):
        kinds = [option for option in options if option.startswith(f"{name}=")]
        if kinds:
            return Problem(f"{named}: there is no {match[1]}", f"one of {name}, {', '.join(kinds)}")
        return Problem(f"{named} takes no value", hint)
    if text == "expected one argument":
        return Problem(f"{named} needs a value", hint)
    if match := re.fullmatch(r"not allowed with argument (?:\S+/)?(\S+)", text):
        return Problem(f"{match[1]} and {name} cannot be used together", "leave one of them out")
    return Problem(f"{named}: {text}", hint)

"""What argparse finds wrong with the words of a command, as oh-tui says it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from oh_tui.text.clean import safe_line
from oh_tui.text.problem import Problem

HELP = "oh-tui --help shows how it is used"


def misuse(message: str, command: str, options: Iterable[str]) -> Problem:
    """`command` is "" without one; `options` are those that it has. A message of another version
    of argparse is told as it is."""
    asks = f"oh-tui {command} --help shows how it is used" if command else HELP
    told = safe_line(message)
    if match := re.fullmatch(r"the following arguments are required: (.+)", told):
        wanted = match[1].replace(", ", " and ").replace("|", " or ")
        return Problem(f"{command or 'oh-tui'} needs {wanted}", asks)
    if match := re.fullmatch(r"unrecognized arguments: (.+)", told):
        words = match[1].split(" ")
        odd = next((word for word in words if word.startswith("-")), "").partition("=")[0]
        if not odd:
            return Problem(f"{command or 'oh-tui'} has no use for: {match[1]}", asks)
        close = difflib.get_close_matches(odd, options, 1, 0.7)
        subject = f"{command} has" if command else "There is"
        return Problem(f"{subject} no option {odd}", f"did you mean {close[0]}?" if close else asks)
    if not (match := re.fullmatch(r"argument (?:\S+/)?(\S+): (.+)", told)):
        return Problem(told[:1].upper() + told[1:], asks)
    name, told = match[1], match[2]
    named = name if name.startswith("-") else command
    if match := re.fullmatch(r"invalid choice: (.+) \(choose from (.+)\)", told):
        choices = match[2].replace("'", "")
        return Problem(f"{named}: there is no {match[1]}", f"one of {choices}")
    if match := re.fullmatch(r"ignored explicit argument (.+)", told):
        kinds = [option for option in options if option.startswith(f"{name}=")]
        if kinds:
            return Problem(f"{named}: there is no {match[1]}", f"one of {name}, {', '.join(kinds)}")
        return Problem(f"{named} takes no value", asks)
    if told == "expected one argument":
        return Problem(f"{named} needs a value", asks)
    if match := re.fullmatch(r"not allowed with argument (?:\S+/)?(\S+)", told):
        return Problem(f"{match[1]} and {name} exclude each other", "leave one of them out")
    return Problem(f"{named}: {told}", asks)

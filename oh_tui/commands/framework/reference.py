"""Shell completion and the reference of commands, both made from the parsers."""

from __future__ import annotations

import argparse
import re

import shtab

from oh_tui import __version__
from oh_tui.catalog.attributes import ORDERS
from oh_tui.commands import TABLE
from oh_tui.commands.framework.command import SORT, load
from oh_tui.commands.framework.filter_argument import Words
from oh_tui.commands.framework.parsing import (
    USAGE,
    Formatter,
    Parser,
    add_own_options,
    command_parser,
    main_parser,
    options_parser,
)


def completion(shell: str) -> str:
    parser = Parser(parents=[options_parser()])
    add_own_options(parser)
    # as argparse's own subcommands, which shtab knows
    inner = parser.add_subparsers(metavar="COMMAND")
    for name, entry in TABLE.items():
        inner.add_parser(name, help=entry.about)
        inner._name_parser_map[name] = command_parser(name, load(name), options_parser())
    for one in (parser, *inner.choices.values()):
        for action in one._actions:
            if isinstance(action, Words) and action.const in ("words", "paths"):
                action.help = argparse.SUPPRESS  # of two lists a shell completes the first
            if any(word in str(action.metavar) for word in ("PATH", "FILE", "FOLDER")):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            if action.metavar == SORT.options["metavar"]:
                action.choices = tuple(ORDERS)
    return str(shtab.complete(parser, shell=shell))


def reference() -> str:
    """The text of docs/commands.md: the help of every command, as Markdown."""
    parts = [
        "# The commands of oh-tui",
        "Made from the program by `scripts/commands_reference.py`; a test keeps it fresh.",
        _HOUSE,
    ]
    parts.append("## oh-tui\n\n" + _fenced(main_parser(options_parser())))
    for name in TABLE:
        command = load(name)
        parts.append(f"## {name}\n\n" + _fenced(command_parser(name, command, options_parser())))
    return "\n\n".join(parts) + "\n"


def manual() -> str:
    """The text of docs/oh-tui.1, the manual page: the same help as roff."""
    parts = [
        f'.TH OH-TUI 1 "" "oh-tui {__version__}" "User Commands"',
        ".SH NAME\noh\\-tui \\- the terminal explorer for OpenHands",
        ".SH SYNOPSIS\n" + _roff("\n".join(line.strip() for line in USAGE.splitlines())),
        ".SH DESCRIPTION\n" + _roff(_help(main_parser(options_parser())).partition("\n\n")[2]),
        ".SH COMMANDS",
    ]
    for name in TABLE:
        text = _help(command_parser(name, load(name), options_parser()))
        parts.append(f".SS {name}\n" + _roff(text.removeprefix("usage: ")))
    return "\n".join(parts) + "\n"


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return ".nf\n" + re.sub(r"(?m)^(?=[.'])", r"\\&", text) + "\n.fi"


def _fenced(parser: argparse.ArgumentParser) -> str:
    return f"```text\n{_help(parser)}\n```"


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _Formatter
    text = parser.format_help()
    # the options anywhere are listed once, at the top
    if " " in parser.prog:
        text = re.sub(r"options anywhere:\n(?:  .*\n)+\n?", "", text)
    return text.strip()


class _Formatter(Formatter):
    """Has the same width on every machine."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100, max_help_position=30)


_HOUSE = """\
On a terminal tables fit its width, times are ages (`--time absolute` and `--time utc` print the
time itself), and colour means trouble; `NO_COLOR` switches it off. Into a pipe or a file go rows
with tabs between their cells, without a head or colour and with nothing cut; times are in UTC.
A time without a known zone stays as written: marked `~`, or without a `Z`.

`--json` prints one document, or one object a line where a command streams; `oh-tui config schema
COMMAND` prints the JSON Schema of it. The `$id` of a schema carries its version: keys may be added
within one, a key that goes or changes its meaning makes a new one.

Output goes to stdout; remarks, progress and errors go to stderr, an error as one line and a hint.

Exit codes: 0 ok · 1 the server or the network said no · 2 wrong use, or of many runs some could
not be read (`grep`, `stats`, `failures`, `audit`, `index`, `compare`, `export` of many) · 3 a check
found defects, or a rule of `audit` is broken · 4 an agent was stopped at its `--stop-at` · 130
interrupted. Of a file that lacks the end of its run, `why` exits with 1 and `check` with 3."""

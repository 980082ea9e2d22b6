"""What is made of the parsers: the words that a shell completes, and the reference of commands."""

from __future__ import annotations

import argparse
import re

from oh_tui.commands import TABLE
from oh_tui.commands.shared.frame import (
    Parser,
    command_parser,
    load,
    options_parser,
    own_arguments,
    top_parser,
)

_FILES = ("PATH", "FILE", "FOLDER")


def completion(shell: str) -> str:
    """What a shell needs to complete the words after oh-tui."""
    import shtab

    parser = Parser(prog="oh-tui", parents=[options_parser()])
    own_arguments(parser)
    _add_commands(parser)
    for one in _all(parser):
        for action in one._actions:
            if any(word in str(action.metavar) for word in _FILES):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell=shell))


def _add_commands(parser: argparse.ArgumentParser) -> None:
    """Under argparse's own subcommands, which shtab knows."""
    inner = parser.add_subparsers(metavar="COMMAND")
    for name, entry in TABLE.items():
        made = command_parser(name, load(name), options_parser())
        inner.add_parser(name, help=entry.about)
        inner.choices[name] = made
        inner._name_parser_map[name] = made


def _all(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += action.choices.values()
    return found


def reference(usage: str, epilog: str) -> str:
    """docs/commands.md: the help of every command, as Markdown."""
    parts = [
        "# The commands of oh-tui",
        "Made from the program by `scripts/commands_reference.py`; a test keeps it fresh.",
        _HOUSE,
    ]
    parts.append("## oh-tui\n\n" + _fenced(top_parser(options_parser(), usage, epilog)))
    for name in TABLE:
        command = load(name)
        parts.append(f"## {name}\n\n" + _fenced(command_parser(name, command, options_parser())))
    return "\n\n".join(parts) + "\n"


def _fenced(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _Formatter
    text = parser.format_help()
    # what may stand anywhere is told once, at the top
    if " " in parser.prog:
        text = re.sub(r"options anywhere:\n(?:  .*\n)+\n?", "", text)
    return f"```text\n{text.strip()}\n```"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide on every machine."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100, max_help_position=30)


_HOUSE = """\
On a terminal tables fit its width, times are ages (`--time absolute` and `--time utc` print the
time itself), and colour means trouble; `NO_COLOR` switches it off. Into a pipe or a file go rows
with tabs between their cells, without a head or colour and with nothing cut; times are in UTC.

`--json` prints one document, or one object a line where a command streams. Its shape is described
by the JSON Schemas in `oh_tui/commands/schemas`, one for each command. A schema's `$id` carries its
version: keys may be added within one, a key that goes or changes its meaning makes a new one.

Output goes to stdout; remarks, progress and errors go to stderr, an error as one line and a hint.

Exit codes: 0 ok · 1 the server or the network said no · 2 wrong use · 3 a check found defects ·
130 interrupted. Of a file that lacks the end of its run, `why` exits with 1 and `check` with 3."""

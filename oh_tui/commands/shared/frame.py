"""The frame of all commands: what one declares, how its words are read, what it is called with."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import re
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import msgspec

from oh_tui import __version__
from oh_tui.commands import TABLE
from oh_tui.commands.shared.ids import is_path, read_id
from oh_tui.commands.shared.misuse import HELP, misuse
from oh_tui.settings.paths import expanded
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    from oh_tui.commands.shared.printing import Style
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source


class Call(msgspec.Struct):
    """What a command is called with."""

    asked: argparse.Namespace
    settings: Settings
    style: Style
    identifiers: list[str]
    """The conversations that are meant: ids or starts of ids, "" for the only run of a file."""
    goes_on: str = ""
    """What stays as it is on the server when the command is interrupted now, as a sentence."""
    about: str = ""
    """Short id of the conversation that it works on, for hints that name it."""
    _source: Source | None = None

    @property
    def source(self) -> Source:
        """What the words mean: a server, the demo or files. The frame opens and closes it."""
        assert self._source is not None
        return self._source

    @source.setter
    def source(self, source: Source) -> None:
        self._source = source

    @property
    def identifier(self) -> str:
        return self.identifiers[0]

    @property
    def as_json(self) -> bool:
        return bool(self.asked.json)


class Command(msgspec.Struct, frozen=True):
    """A command as its file declares it.

    `words` are what follows the name in the line of usage. `declare` adds them to the parser: the
    conversation is `word` (or `words`, when there may be several), files alone are `paths`.
    """

    words: str
    declare: Callable[[argparse.ArgumentParser], object]
    run: Callable[[Call], Coroutine[Any, Any, int]]
    examples: tuple[tuple[str, str], ...]
    """Words after `oh-tui`, and what they are for."""
    reads: Literal["run", "server", "nothing"] = "run"
    """A run on a server or in a file; a server alone; or neither."""
    has_json: bool = True
    acts: bool = False
    """It changes something on a server, which `--read-only` forbids."""
    passes_on: bool = False
    """What follows `--` is a command line of its own: `command`, a list of words."""
    epilog: str = ""


def load(name: str) -> Command:
    """The command of this name, "" being the explorer; loads its file."""
    home = TABLE[name].home if name else "explorer"
    commands: dict[str, Command] = importlib.import_module(f"oh_tui.commands.{home}").COMMANDS
    return commands[name]


def run_argument(parser: argparse.ArgumentParser) -> None:
    """The run that most commands read."""
    parser.add_argument("word", metavar="ID|PATH", help="a conversation, or a zip or folder of one")


def explorer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", nargs="?", metavar="ID|PATH", help="what to open first")


def filter_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "filter",
        metavar="FILTER",
        nargs="?",
        default="",
        help="words that steps must match, in one argument: 'is:failed tool:terminal -docs'",
    )


# reading the words


class Parser(argparse.ArgumentParser):
    """Says what is wrong the way all problems are said."""

    def error(self, message: str) -> NoReturn:
        shown = [
            name
            for action in self._actions
            if action.help != argparse.SUPPRESS
            for name in action.option_strings
        ]
        raise misuse(message, self.prog.partition(" ")[2], shown)


class _RefuseKey(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        raise Problem(
            "A key among the words of a command can be seen by other users and stays in the "
            "shell's history",
            "set OPENHANDS_API_KEY instead",
        )


DEMOS = {
    "slow": "the same over a slow network: 0.2 to 1.5 s a call, 3 % fail, short pages",
    "odd": "other made-up data: broken runs, texts that are hard on a terminal",
}
"""The other kinds of demo, and what each is."""

SHELLS = ("bash", "zsh", "fish", "tcsh")


def options_parser() -> Parser:
    """The options that may stand anywhere, before the command and after it."""
    options = Parser(add_help=False, allow_abbrev=False)
    group = options.add_argument_group("options anywhere")
    add = group.add_argument
    add("--demo", action="store_const", const="plain", default="", help="made-up data: no key, no "
        "network")  # fmt: skip
    # each an option of its own: with an optional value --demo would take the word after it
    for kind, about in DEMOS.items():
        add(
            f"--demo={kind}",
            action="store_const",
            const=kind,
            dest="demo",
            help=about.replace("%", "%%"),
        )
    add("--server", metavar="URL|NAME", help="an OpenHands server, by address or by its name")
    add("--read-only", action="store_true", help="refuse whatever changes a server")
    add("--json", action="store_true", help="print one JSON document, or JSON lines")
    add(
        "--time",
        choices=("relative", "absolute", "utc"),
        help="how times are printed; relative on a terminal, else utc",
    )
    add("--log", metavar="FILE", help="append each call to a server: no key, no text")
    add("--at", metavar="N|ID", default="", help="open the explorer at this step or event")
    add("--ascii", action="store_true", help="draw with ASCII characters alone")
    add("--key", "--api-key", action=_RefuseKey, help=argparse.SUPPRESS)
    return options


def command_parser(name: str, command: Command, options: Parser) -> Parser:
    """The parser of one command, with its help."""
    examples = "\n".join(_columns((f"oh-tui {words}", why) for words, why in command.examples))
    words, dashes, passed_on = command.words.partition(" -- ")
    parser = Parser(
        prog=f"oh-tui {name}".rstrip(),
        usage=f"oh-tui {name} {words} [options]{dashes}{passed_on}".replace("  ", " "),
        description=_sentence(TABLE[name].about) if name else None,
        epilog="\n\n".join(filter(None, (f"examples:\n{examples}", command.epilog))),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[options],
        allow_abbrev=False,
    )
    command.declare(parser)
    return parser


def read_words(words: Sequence[str], top: Callable[[Parser], Parser]) -> tuple[str, Command, Any]:
    """The command that the words name ("" for the explorer), and what they ask of it.

    A word that is no command is a conversation or a file, so argparse's own subcommands do not
    fit: the command is found first, among the words that are neither options nor their values.
    `top` makes the parser for words without a command. Raises Problem on wrong use.
    """
    options = options_parser()
    asked, rest = options.parse_known_args(list(words))
    if "" in rest[: rest.index("--") if "--" in rest else None]:
        raise Problem("An empty word names nothing", HELP)
    place = _place_of_command(rest)
    name = rest.pop(place) if place is not None else ""
    if not name:
        # a word after an option may be its value: argparse tells what is wrong with either
        if rest and not rest[0].startswith("-"):
            _require_meaning(rest[0])
        top(options).parse_intermixed_args(rest, asked)
        if asked.json:
            raise Problem("--json is for commands", "such as oh-tui conversations --json")
        return "", load(""), asked
    command = load(name)
    parser = command_parser(name, command, options)
    if command.passes_on:
        # argparse would take out each "--", also those that the command has
        end = rest.index("--") if "--" in rest else len(rest)
        rest, asked.command = rest[:end], rest[end + 1 :]
        if len(rest) > 1 and not asked.command and not rest[1].startswith("-"):
            line = clean_line(" ".join(rest[1:]))
            raise Problem("The command goes after --", f"oh-tui {name} {rest[0]} -- {line}")
    if "[FILTER]" in command.words:
        # argparse would take '-is:failed' for an option; none of ours has one dash and two letters
        rest = [f" {word}" if re.match(r"-[^-\s]\S", word) else word for word in rest]
    parser.parse_intermixed_args(rest, asked)
    if asked.at and name != "open":
        raise Problem(f"--at is for the explorer: {name} reads the whole run", "leave it out")
    if asked.json and not command.has_json:
        raise Problem(f"{name} opens the explorer and has no --json", "oh-tui steps PATH --json")
    return name, command, asked


def _place_of_command(words: Sequence[str]) -> int | None:
    for place, word in enumerate(words):
        if word in TABLE:
            return place
        is_value = place and words[place - 1].startswith("-")
        if not word.startswith("-") and not is_value:
            return None
    return None


def _require_meaning(word: str) -> None:
    if not word or read_id(word) or is_path(word) or "://" in word:
        return
    close = difflib.get_close_matches(word, TABLE, 1)
    raise Problem(
        f"'{safe_line(word)}' is no command, no conversation id and no file",
        f"did you mean {close[0]}?" if close else HELP,
    )


# the help of all


def top_parser(options: Parser, usage: str, epilog: str) -> Parser:
    """The parser of words without a command, whose help lists the commands."""
    parser = Parser(
        prog="oh-tui",
        usage=usage,
        description="The terminal explorer for OpenHands: what runs, and what a run really did.\n\n"
        + list_of_commands(),
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[options],
        allow_abbrev=False,
    )
    own_arguments(parser)
    explorer_arguments(parser)
    return parser


def own_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"oh-tui {__version__}")
    parser.add_argument(
        "--print-completion",
        choices=SHELLS,
        default="",
        metavar="SHELL",
        help=f"print what {', '.join(SHELLS)} need to complete words",
    )


def list_of_commands() -> str:
    """Every command and what it does, by group."""
    lines: list[str] = []
    for group in dict.fromkeys(entry.group for entry in TABLE.values()):
        lines.append(f"{group}:")
        lines += _columns(
            (name, entry.about) for name, entry in TABLE.items() if entry.group == group
        )
    return "\n".join(lines)


def _columns(rows: Any) -> list[str]:
    told = list(rows)
    wide = min(46, max(15, *(len(left) for left, _ in told)))
    return [f"  {left:<{wide}}  {right}" for left, right in told]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def server_only(word: str, name: str) -> None:
    """Raises Problem for a path where a conversation on a server is meant."""
    if is_path(word):
        raise Problem(
            f"{name} is for conversations on a server, and {clean_line(word)} is a file",
            f"oh-tui conversations lists them; of files: oh-tui {name} --help",
        )


def path_of(word: str) -> Path:
    """The file or folder that a word names, ~ being a home. Raises Problem."""
    return expanded(word, os.environ)

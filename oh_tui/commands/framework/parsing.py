"""Reads the words of the command line: the options anywhere, the command, and its arguments."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from oh_tui import __version__
from oh_tui.api.models import CLOUD
from oh_tui.catalog.names import SHORTEST, read_id
from oh_tui.commands import FIRST, TABLE
from oh_tui.commands.framework.command import FILTER, PLAIN, SORT, TO_OPEN, Command, load
from oh_tui.commands.framework.filter_argument import Words
from oh_tui.commands.framework.run_words import is_path, is_stdin
from oh_tui.settings.config import THEMES, parse_config, read_config_file
from oh_tui.settings.paths import config_file, tilde
from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

USAGE = """\
oh-tui [options] [ID|PATH]
       oh-tui [options] COMMAND ...    (oh-tui help COMMAND says more)"""

_ABOUT = "The terminal explorer for OpenHands: what runs, and what a run really did."

_MANY = """\
oh-tui help all has the other commands, the other kinds of demo, the environment, the settings file
and the exit codes."""

_USE = """\
ID is a conversation's id, with or without dashes, or its first 4 or more characters (0-9 a-f), or
the web address of the conversation. PATH is a downloaded zip, a folder, an evaluation
output (output.jsonl), a trajectory in JSON, or a folder of those; PATH#ID is one run of many.
What others share goes by its link, https://HOST/shared/conversations/ID, without a key.

examples:
  oh-tui --demo                     look around: no key, no network
  oh-tui                            your conversations: OpenHands Cloud, or Agent Canvas here
  oh-tui --server localhost:3000    those of your own server
  oh-tui 5f3a91                     open one of them
  oh-tui open run.zip --at 58       open a downloaded trajectory at step 58
  oh-tui why run.zip                how did it end, and why?
  oh-tui steps 5f3a is:failed       the steps that failed"""

_EPILOG = f"""\
{_USE}

environment:
  OPENHANDS_API_KEY     your key, or OPENHANDS_CLOUD_API_KEY; never a flag, others could see it
  LOCAL_BACKEND_API_KEY the key of Agent Canvas, when it was started with one of its own
  OPENHANDS_BASE_URL    your server, when it is not {CLOUD}
  OH_TUI_AUTH           bearer or session: the header for the key, when it cannot be found out
  OH_TUI_NOTICE         bell, osc9 or a command: rings when a run waits, failed or finished
  OH_TUI_CACHE          megabytes for runs and downloads that are kept here (500), or off,
                        which keeps no index of runs either
  OH_TUI_UNPACK         the folder for packed files and tars, which are unpacked once
  OH_TUI_CONFIG         another settings file
  NO_COLOR              no colours

settings file FILE (oh-tui config init writes one):
  [servers.NAME]        a server for --server NAME; SERVERS
  theme                 THEMES
  [keys]                other keys for what the explorer does

exit codes: 0 ok, 1 the server or the network said no, 2 wrong use, 3 a check found defects,
4 an agent was stopped at its --stop-at, 130 interrupted"""

DEMOS = {
    "slow": "the same over a slow network: 0.2 to 1.5 s a call, 3 % fail, short pages",
    "agent": "the same on an agent server, without an app server before it",
    "canvas": "the same on Agent Canvas: an agent server with automations beside it",
    "odd": "other made-up data: broken runs, texts that are hard on a terminal",
}
"""The other kinds of demo, and what each is."""

SHELLS = ("bash", "zsh", "fish", "tcsh")

_DASHED = pattern(r"-[^-\s]\S")
"""How a word begins that must not match, as `-docs`. No option has one dash and two letters."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Writes help alike on all versions of Python: an option with a value as `-n, --lines N`."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(action.option_strings)
        if action.nargs == 0:
            return names
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{names} {value}"


class Parser(argparse.ArgumentParser):
    """A parser that raises wrong use as a Problem, and speaks alike on all versions of Python."""

    def __init__(self, prog: str = "oh-tui", **how: Any) -> None:
        super().__init__(prog=prog, allow_abbrev=False, formatter_class=Formatter, **how)
        self.color = False  # Python 3.14 colours help by itself

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:  # argparse passes over a full disk
            print(message, end="", file=file or sys.stderr)

    def _parse_optional(self, arg_string: str) -> Any:
        """None for a word: `-#ID`, a run from standard input, and `-docs` where words go."""
        takes_words = any(isinstance(action, Words) for action in self._actions)
        if is_stdin(arg_string) or (takes_words and _DASHED.match(arg_string)):
            return None
        return super()._parse_optional(arg_string)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            choices = ", ".join(map(str, action.choices))
            words = f"invalid choice: {str(value)!r} (choose from {choices})"
            raise argparse.ArgumentError(action, words)

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


class _Joined(argparse.Action):
    """What was given once or several times, with commas between."""

    def __call__(self, _: object, args: argparse.Namespace, word: Any, *__: object) -> None:
        before = getattr(args, self.dest)
        setattr(args, self.dest, word if before is None else f"{before},{word}")


def options_parser() -> Parser:
    """The options that may stand anywhere, before or after the command."""
    options = Parser(add_help=False)
    add = options.add_argument_group("options anywhere").add_argument
    add("--demo", action="store_const", const="plain", default="", help="made-up data: no key, no "
        "network")  # fmt: skip
    # each an option of its own: with an optional value --demo would take the word after it
    for kind, about in DEMOS.items():
        about = about.replace("%", "%%")
        add(f"--demo={kind}", action="store_const", const=kind, dest="demo", help=about)
    add(
        "--server",
        metavar="URL|NAME",
        action=_Joined,
        help="an OpenHands server, by address or by its name; given again, several in one list",
    )
    add("--read-only", action="store_true", help="refuse whatever changes a server or costs money")
    add("--no-state", action="store_true", help="neither read nor write what is remembered")
    add("--no-library", action="store_true", help="do without the index of runs (oh-tui index)")
    add("--json", action="store_true", help="print one JSON document, or JSON lines")
    add("--header", action="store_true", help="names above the columns of a table in a pipe too")
    add(
        "--time",
        choices=("relative", "absolute", "utc"),
        help="how times are printed; relative on a terminal, else utc",
    )
    add("--log", metavar="FILE", help="append each call to a server: no key, no text")
    add("--at", metavar="N|ID", default="", help="the step or event to begin at or to go by")
    add("--ascii", action="store_true", help="draw with ASCII characters alone")
    add("--key", "--api-key", action=_RefuseKey, help=argparse.SUPPRESS)
    return options


def command_parser(name: str, command: Command, options: Parser) -> Parser:
    rows = ((f"oh-tui {words}", about) for words, about in command.examples.items())
    examples = "\n".join(("examples:", *_columns(rows)))
    about = TABLE[name].about
    parser = Parser(
        f"oh-tui {name}",
        usage=f"oh-tui {name} {command.usage}",
        description=about[:1].upper() + about[1:],
        epilog="\n\n".join(filter(None, (examples, command.epilog))),
        parents=[options],
    )
    command.declare(parser)
    return parser


class _FirstParser(Parser):
    """Its help names a dozen commands by what one wants, and no variants of the demo."""

    def format_help(self) -> str:
        for action in self._actions:
            if any(name.startswith("--demo=") for name in action.option_strings):
                action.help = argparse.SUPPRESS
        self.description = f"{_ABOUT}\n\n{_listed(FIRST)}"
        self.epilog = f"{_USE}\n\n{_MANY}"
        return super().format_help()


class _MainParser(Parser):
    """Its help names the settings file and the servers in it, read when it is shown."""

    def format_help(self) -> str:
        file, _ = config_file(os.environ)
        shown = tilde(file, os.environ) if file else "config.toml"
        self.epilog = epilog(shown, _servers())
        return super().format_help()


def _servers() -> tuple[str, ...]:
    """The servers of the settings file, also of one with faults."""
    with contextlib.suppress(Problem):
        config, _ = parse_config(read_config_file(os.environ) or "")
        return tuple(config.servers)
    return ()


def epilog(file: str = "~/.config/oh-tui/config.toml", servers: Sequence[str] = ()) -> str:
    """The end of the help. The documents have it with the default settings file and no servers."""
    values = {
        "FILE": file,
        "SERVERS": ", ".join([*map(clean_line, servers), "demo and local are there"]),
        "THEMES": ", ".join(THEMES),
    }
    text = re.sub("FILE|SERVERS|THEMES", lambda found: values[found[0]], _EPILOG)
    return "\n".join(map(_wrapped, text.split("\n")))


def _wrapped(line: str) -> str:
    return textwrap.fill(
        line, 100, subsequent_indent=" " * 24, replace_whitespace=False, drop_whitespace=True
    )


def main_parser(options: Parser, kind: type[Parser] = Parser) -> Parser:
    """The parser of words without a command; its help lists the commands."""
    parser = kind(
        usage=USAGE,
        description=f"{_ABOUT}\n\n{list_of_commands()}",
        epilog=epilog(),
        parents=[options],
    )
    add_own_options(parser)
    parser.add_argument(*TO_OPEN.names, **TO_OPEN.options)
    return parser


def add_own_options(parser: argparse.ArgumentParser) -> None:
    for one in (SORT, FILTER, PLAIN):
        parser.add_argument(*one.names, **one.options)
    parser.add_argument("-V", "--version", action="version", version=f"oh-tui {__version__}")
    parser.add_argument(
        "--print-completion",
        choices=SHELLS,
        default="",
        metavar="SHELL",
        help=f"print what {', '.join(SHELLS)} need to complete words",
    )


def list_of_commands() -> str:
    groups: dict[str, list[str]] = {}
    for name, entry in TABLE.items():
        groups.setdefault(entry.group, []).append(name)
    return _listed(groups)


def _listed(groups: Mapping[str, Iterable[str]]) -> str:
    lines: list[str] = []
    for title, names in groups.items():
        lines += (f"{title}:", *_columns((name, TABLE[name].about) for name in names))
    return "\n".join(lines)


def _columns(pairs: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(pairs)
    width = min(46, max(15, *(len(left) for left, _ in rows)))
    return [f"  {left:<{width}}  {right}" for left, right in rows]


def read_words(words: Sequence[str]) -> tuple[str, Command, Any]:
    """The command that the words name ("" for the explorer), and its arguments. Raises Problem on
    wrong use.

    A word that is no command is a conversation or a file, so argparse's own subcommands do not
    fit: the command is found first, among the words that are neither options nor their values.
    """
    options = options_parser()
    args, rest = options.parse_known_args(list(words))
    index = _find_command(rest)
    if "" in rest[: rest.index("--") if "--" in rest else None]:
        raise Problem("An argument is empty", help_of("" if index is None else rest[index]))
    if index is None and rest and rest[0] == "help":
        _print_help(rest[1:], options)
    if index is None:
        # a word after an option may be its value: argparse tells what is wrong with either
        if rest and not rest[0].startswith("-"):
            _require_meaning(rest[0])
        main_parser(options, _FirstParser).parse_intermixed_args(rest, args)
        if args.json:
            raise Problem("--json is for commands", "such as oh-tui conversations --json")
        return "", load(""), args
    name = rest.pop(index)
    command = load(name)
    if command.refuse:
        command.refuse(words)
    parser = command_parser(name, command, options)
    if command.passes_on:
        # argparse would remove each "--", also those of the command that is passed on
        end = rest.index("--") if "--" in rest else len(rest)
        rest, args.command = rest[:end], rest[end + 1 :]
        if len(rest) > 1 and not args.command and not rest[1].startswith("-"):
            line = clean_line(" ".join(rest[1:]))
            raise Problem("The command goes after --", f"oh-tui {name} {rest[0]} -- {line}")
    parser.parse_intermixed_args(rest, args)
    if args.at and name != "open" and not command.takes_step:
        raise Problem(f"{name} takes no --at", "leave it out")
    if args.json and not command.has_json:
        raise Problem(f"{name} has no --json", "oh-tui steps PATH --json")
    return name, command, args


def _print_help(words: Sequence[str], options: Parser) -> NoReturn:
    """Prints the help of the command that the words name, and ends. Raises Problem."""
    if words in ([], ["all"]):
        main_parser(options, _MainParser if words else _FirstParser).print_help()
    elif len(words) == 1 and words[0] in TABLE:
        command_parser(words[0], load(words[0]), options).print_help()
    else:
        named = safe_line(" ".join(words))
        close = difflib.get_close_matches(words[0], TABLE, 1)
        hint = f"did you mean {close[0]}?" if close else "oh-tui help all lists the commands"
        raise Problem(f"There is no command '{named}'", hint)
    raise SystemExit(0)


def _find_command(words: Sequence[str]) -> int | None:
    for index, word in enumerate(words):
        if index and words[index - 1] in (*SORT.names, *FILTER.names):
            continue
        if word in TABLE:
            return index
        if word == "help":
            return None
        is_value = index and words[index - 1].startswith("-")
        if not word.startswith("-") and not is_value:
            return None
    return None


def _require_meaning(word: str) -> None:
    """Raises Problem for a word that names neither a conversation nor a file."""
    if read_id(word) or is_path(word) or "://" in word:
        return
    close = difflib.get_close_matches(word, TABLE, 1)
    hint = f"did you mean {close[0]}?" if close else _what_an_id_is(word)
    if re.match(r"-?[a-z]+:\S", word):
        hint = f"did you mean --filter '{safe_line(word)}'?"
    raise Problem(f"'{safe_line(word)}' is not a command, a conversation id or a file", hint)


def _what_an_id_is(word: str) -> str:
    looks_like_one = re.fullmatch(r"[0-9a-f-]+|[0-9a-fA-F-]{5,}\w*", word)
    return f"an id is {SHORTEST} or more of 0-9 a-f" if looks_like_one else HELP


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

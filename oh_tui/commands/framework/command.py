"""A command: how its file declares it, and the call that it gets."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import msgspec

from oh_tui.batch.reports.reader import Reader
from oh_tui.catalog import attributes
from oh_tui.commands import TABLE
from oh_tui.commands.framework import filter_argument
from oh_tui.settings.paths import expanded
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model import trajectory

if TYPE_CHECKING:
    from oh_tui.actions.agent_actions import Agents
    from oh_tui.actions.automations import Automations
    from oh_tui.actions.conversation_records import Records
    from oh_tui.actions.sandboxes import ServerSandboxes
    from oh_tui.actions.workspace import Workspaces
    from oh_tui.commands.framework.printing import Style
    from oh_tui.settings.config import ExplorerNames
    from oh_tui.sources.server_runs.loading import ServerRuns
    from oh_tui.sources.source import Source


T = TypeVar("T")

AskServer: TypeAlias = Callable[
    [str, Callable[["Source"], Coroutine[object, object, object]]], Coroutine[object, object, Any]
]


class Call(Reader, kw_only=True):
    """A reader with the words of a command line."""

    args: argparse.Namespace
    style: Style
    identifiers: list[str]
    """Ids of conversations or the starts of ids; "" stands for the only run of a file."""
    on: str = ""
    """The name of the server that it acts on, where several are in one list."""
    goes_on: str = ""
    """What continues on the server if the command is interrupted now, as a sentence."""
    paths: Sequence[Path] = ()
    """The files and folders among the words."""
    ask_server: AskServer | None = None
    """Does some work with a server of this name, "" being that of the command line, for commands
    that want nothing by themselves."""
    open_shared: Callable[[str], Source] | None = None
    """Opens the shared conversation that a link leads to, for commands that open their runs by
    themselves."""
    explorer_names: Callable[[], ExplorerNames] | None = None
    """The names that a settings file can use and only the explorer knows."""

    def _of_server(self, found: T | None) -> T:
        """What a source of a server has. Raises Problem where Canvas does not run."""
        if found is None:
            raise Problem(
                f"This needs a server, and {self.source.label} is read from disk",
                "start Canvas (agent-canvas), or name a server with --server",
            )
        return found

    @property
    def sandboxes(self) -> ServerSandboxes:
        """Those of the server. Raises Problem for an agent server, which has none."""
        self._of_server(self.source.remote)
        if self.source.sandboxes is None:
            raise Problem(
                "An agent server has no sandboxes to list, pause or resume",
                "its conversations need none: oh-tui conversations",
            )
        return self.source.sandboxes

    @property
    def workspaces(self) -> Workspaces:
        return self._of_server(self.source.workspaces)

    @property
    def agents(self) -> Agents:
        return self._of_server(self.source.agents)

    @property
    def remote(self) -> ServerRuns:
        return self._of_server(self.source.remote)

    @property
    def automations(self) -> Automations:
        return self._of_server(self.source.automations)

    @property
    def records(self) -> Records:
        return self._of_server(self.source.records)

    @property
    def identifier(self) -> str:
        return self.identifiers[0]

    @property
    def as_json(self) -> bool:
        return bool(self.args.json)

    def require_one_form(self, name: str) -> None:
        """Raises Problem where the form that this option names is asked for beside JSON."""
        if self.as_json and getattr(self.args, name):
            raise Problem(f"--{name} and --json cannot be used together", "give one of them")


Run: TypeAlias = Callable[[Call], Coroutine[object, object, int]]
"""Does the work of a command and returns the exit code."""


class Argument(msgspec.Struct, frozen=True):
    """An argument as argparse takes it. The conversation of a command is `word`, or `words` where
    several are allowed: of those a command that reads runs opens the files itself. Files alone are
    `paths`, the words of a filter are `filter`."""

    names: tuple[str, ...]
    options: dict[str, Any]

    @property
    def usage(self) -> str:
        """How the usage line names it; "" for an option."""
        if self.names[0].startswith("-"):
            return ""
        nargs, name = self.options.get("nargs", ""), self.options["metavar"]
        name += "..." if nargs in ("+", "*") else ""
        return f"[{name}]" if nargs in ("?", "*") else name


def argument(*names: str, **options: Any) -> Argument:
    return Argument(names, options)


def number_of(what: str, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            what_is_one = f"a number of {what} from {least:,} to {most:,}"
            raise argparse.ArgumentTypeError(f"{clean_line(text)!r} is not {what_is_one}")
        return int(text)

    return read


def flag(*names: str, about: str) -> Argument:
    return Argument(names, {"action": "store_true", "help": about})


RUN = argument(
    "word",
    metavar="ID|PATH",
    help="a conversation, one that others share, or a file of one; PATH#ID is one of many",
)


def _branch(word: str) -> int:
    if word == "all":
        return trajectory.ALL
    if not word.isdecimal() or not 0 < int(word[:9]) < 10**8:
        raise argparse.ArgumentTypeError(
            f"{clean_line(word)!r} is neither the number of a branch nor all"
        )
    return int(word)


BRANCH = argument(
    "--branch",
    type=_branch,
    metavar="N|all",
    help="of a run with branches, instead of the active one",
)

OF_RUN = (RUN, BRANCH)

TO_OPEN = argument("word", nargs="?", metavar="ID|PATH", help="what to open first")


def _order(word: str) -> str:
    """The word of an order. Their table is loaded when one is given: the help is faster without."""
    if word not in attributes.ORDERS:
        known = ", ".join(attributes.ORDERS)
        raise argparse.ArgumentTypeError(f"invalid choice: {word!r} (choose from {known})")
    return word


SORT = argument(
    "--sort",
    type=_order,
    metavar="ORDER",
    help="sort the list as oh-tui conversations does, instead of by the remembered order",
)
FILTER = argument(
    "--filter",
    metavar="WORDS",
    action=filter_argument.Words,
    help="list only what matches these words: 'is:failed repo:dates cost:>1 -docs'",
)
"""How the explorer's list begins."""

PLAIN = flag("--plain", about="print lists instead of opening the explorer")

RUNNING = argument(
    "word", metavar="ID", help="a conversation whose sandbox runs, or of an agent server"
)

PATHS = argument("paths", metavar="PATH", nargs="*", help="files and folders, for the runs in them")


def filter_behind(runs: str, about: str) -> Argument:
    return argument(
        "filter", metavar="FILTER", nargs="*", default=(), const=runs, action=filter_argument.Words,
        help=f"words that {about}",
    )  # fmt: skip


_OF_STEPS = "steps must match: is:failed tool:terminal -docs"

STEPS_OF_RUN = filter_behind("word", _OF_STEPS)

LIVE = flag("--live", about="also runs that may still go on, as they are now; asks their server")

STEPS_OF_RUNS = filter_behind("words", _OF_STEPS)

LISTED = filter_behind("paths", "conversations must match: 'is:failed repo:dates cost:>1 -docs'")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    run: Run
    arguments: tuple[Argument | tuple[Argument, ...], ...] = ()
    """Those in a tuple exclude each other."""
    examples: dict[str, str] = {}
    """Words after `oh-tui` -> what they are for."""
    wants: Literal["run", "server", "change", "nothing"] = "run"
    """A run on a server or in a file; a server; a server that it changes, which `--read-only`
    forbids; or neither."""
    alone: tuple[str, ...] = ()
    """Options with which it wants nothing."""
    of_one_server: bool = False
    """It makes no sense for several at once; with an option `--on` it takes one of them."""
    reads_settings: bool = True
    """False for a command that works with a faulty settings file."""
    settings: tuple[str, ...] = ()
    """Those that only this command reads, by their names in the settings file."""
    has_json: bool = True
    takes_step: bool = False
    """`--at` names the step that it is about."""
    serves: bool = False
    """It answers a client until that or a signal ends it."""
    passes_on: bool = False
    """What follows `--` is a command line of its own: `command`, a list of words."""
    epilog: str = ""
    refuse: Callable[[Sequence[str]], None] | None = None
    """Raises Problem for words of the command line that this version does not take."""

    def wants_nothing(self, args: argparse.Namespace) -> bool:
        return self.wants == "nothing" or any(getattr(args, one) for one in self.alone)

    @property
    def on_server(self) -> bool:
        return self.wants in ("server", "change")

    def uses(self, *, local: bool) -> tuple[str, ...]:
        """The settings that it reads; without a server when it is `local`."""
        server = () if local or self.wants == "nothing" else ("default", "servers")
        forbids = ("read_only",) if self.wants == "change" else ()
        return ("ascii", *server, *forbids, *self.settings)

    @property
    def usage(self) -> str:
        names = [one.usage for one in self.arguments if isinstance(one, Argument)]
        rest = " -- CMD..." if self.passes_on else ""
        return " ".join(filter(None, (*names, "[options]"))) + rest

    def declare(self, parser: argparse.ArgumentParser) -> None:
        for one in self.arguments:
            if isinstance(one, Argument):
                parser.add_argument(*one.names, **one.options)
                continue
            group = parser.add_mutually_exclusive_group()
            for each in one:
                group.add_argument(*each.names, **each.options)


_DECLARED: dict[str, Command] = {}


def command(
    name: str, *arguments: Argument | tuple[Argument, ...], **fields: Any
) -> Callable[[Run], Run]:
    """Declares the decorated function as a command; `fields` are those of `Command`."""

    def declare(run: Run) -> Run:
        _DECLARED[name] = Command(run=run, arguments=arguments, **fields)
        return run

    return declare


def load(name: str) -> Command:
    """The command of this name, "" being the explorer; loads its file."""
    home = TABLE[name].home or name if name else "explorer"
    vars(importlib.import_module(f"oh_tui.commands.{home}"))  # `oh_tui.lazy` executes what is used
    return _DECLARED[name]


def path_of(word: str) -> Path:
    """The file or folder that a word names, ~ being a home. Raises Problem."""
    return expanded(word, os.environ)

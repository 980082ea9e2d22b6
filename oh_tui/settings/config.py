"""The settings file: TOML, read and checked. Every fault is reported with its line."""

from __future__ import annotations

import difflib
import re
import shlex
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from oh_tui.api.models import Auth, Kind
from oh_tui.settings import toml_lines
from oh_tui.settings.address import server_address
from oh_tui.settings.keyboard import key_names, shown_keys
from oh_tui.settings.toml_faults import Fault, kind_of, quoted, suggestion, syntax_fault
from oh_tui.text.amounts import BUDGET, is_budget
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

V = TypeVar("V")

DEMO, LOCAL = "demo", "local"
"""Servers that always exist: the embedded one, and the runs kept on this machine."""

DEFAULT_REFRESH = 15.0

DEFAULT_SILENT_AFTER = 10.0

SILENT_AFTER = (1.0, 1440.0)
"""The shortest and the longest time without an event after which a run is silent, in minutes."""

REFRESH = (5.0, 3600.0)
"""The shortest and the longest interval between two refreshes of the lists, in seconds."""

THEMES = (
    "oh-dark", "oh-light", "ansi",
    "textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "dracula",
    "tokyo-night", "monokai", "flexoki", "catppuccin-latte", "catppuccin-frappe",
    "catppuccin-macchiato", "solarized-light", "solarized-dark", "rose-pine", "rose-pine-moon",
    "rose-pine-dawn", "atom-one-dark", "atom-one-light", "ansi-dark", "ansi-light",
)  # fmt: skip
"""Names of the themes to choose from: ours, the terminal's own colours, and Textual's."""

AUTHS: Mapping[str, Auth | None] = {"": None, "bearer": "bearer", "session": "session"}
"""The words for `auth`."""

KINDS: tuple[Kind, ...] = ("", "app", "agent")
"""The words for `kind`; without it oh-tui finds out."""

_SECRETS = ("key", "api_key", "token", "password", "secret")
"""Names under which somebody may write a key itself."""


class ServerEntry(msgspec.Struct, frozen=True):
    """A server of the file: its address and where its key is, in at most one of three places."""

    name: str
    url: str
    key_env: str = ""
    key_file: str = ""
    key_command: tuple[str, ...] = ()
    auth: Auth | None = None
    read_only: bool = False
    kind: Kind = ""
    budget: float | None = None
    """None leaves it to the budget for all servers."""


class Config(msgspec.Struct, frozen=True):
    """The settings of the file, with defaults for those that it leaves out. Each field is a name at
    the top level of the file; `_config` reads and checks it."""

    servers: Mapping[str, ServerEntry] = msgspec.field(default_factory=dict)
    default: str = ""
    """The name of the server to open when none is named."""
    theme: str = ""
    sort: str = ""
    """The order of the conversations."""
    mouse: bool = True
    ascii: bool = False
    download_folder: str = ""
    """Absolute, or beginning with ~."""
    refresh: float = DEFAULT_REFRESH
    """Seconds between two refreshes of the lists."""
    silent_after: float = DEFAULT_SILENT_AFTER
    """Minutes without an event after which a run that works is called silent."""
    notice: tuple[str, ...] = ()
    read_only: bool = False
    budget: float | None = None
    """US dollars that a run may cost before the user is asked; None for no limit."""
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Id of an action -> its keys by Textual's names, separated by commas."""


NAMES = Config.__struct_fields__
"""The names at the top level of the file."""

SERVER_NAMES = ServerEntry.__struct_fields__[1:]
"""The names in the table of a server; its own name heads the table."""


class ExplorerNames(NamedTuple):
    """The names that only the explorer knows."""

    actions: Mapping[str, str]
    """Id of an action -> its keys by Textual's names, separated by commas."""
    themes: Collection[str]
    orders: Collection[str]
    """The words of the orders of conversations."""


class Faults(Exception):
    """All faults of a file, ordered by line, and the settings without them."""

    def __init__(self, faults: Collection[Fault], config: Config) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults)
        self.config = config


def parse_config(text: str, known: ExplorerNames | None = None) -> Config:
    """The settings in the text of a file. Raises Faults with everything that is wrong with it.

    Keys, themes and orders belong to the explorer: without `known` they are not checked, and keys
    are left out.
    """
    text = text.removeprefix("\ufeff")
    if line := toml_lines.too_nested(text):
        raise Faults([Fault(line, "this nests further than any setting")], Config())
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Faults([syntax_fault(text, error)], Config()) from error
    faults: list[Fault] = []
    config = _config(_Table(document, (), toml_lines.lines_of(text), faults), known)
    if faults:
        raise Faults(faults, config)
    return config


def command_words(text: str) -> tuple[str, ...]:
    """The words of a command as a shell splits them. Raises ValueError for an open quote."""
    return tuple(shlex.split(text.replace("\0", "")))


class _Table:
    """A table of the file, which checks the values that are read from it."""

    def __init__(
        self,
        values: dict[str, object],
        path: tuple[str, ...],
        lines: Mapping[tuple[str, ...], int],
        faults: list[Fault],
    ) -> None:
        self.values = values
        self.path = path
        self.faults = faults
        self._lines = lines

    def blame(self, text: str, *names: str) -> None:
        """Add a fault of the table, or of the value that has these names below it."""
        path = (*self.path, *names)
        setting = ".".join(path[: 2 if path[0] == "servers" else 1])
        if path[0] not in NAMES:  # the one that was meant
            setting = next(iter(difflib.get_close_matches(setting[:60], NAMES, 1)), setting)
        while path and path not in self._lines:
            path = path[:-1]
        self.faults.append(Fault(self._lines.get(path, 1), text, setting))

    def value(self, name: str, kind: type[V], expected: str, default: V) -> V:
        value = self.values.get(name, default)
        if isinstance(value, kind):
            return value
        self.blame(f"{name} is {expected}, not {kind_of(value)}", name)
        return default

    def table(self, name: str) -> _Table:
        values = self.value(name, dict, "a table", {})
        return _Table(values, (*self.path, name), self._lines, self.faults)

    def text(self, name: str) -> str:
        return self.value(name, str, "a text in quotes", "").strip()

    def flag(self, name: str, default: bool = False) -> bool:
        return self.value(name, bool, "true or false", default)

    def number(self, name: str, unit: str) -> float | None:
        """None for a fault, and for a number that is not written."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            self.blame(f"{name} is a number of {unit}, not {kind_of(value)}", name)
            return None
        return value

    def within(self, name: str, unit: str, bounds: tuple[float, float], default: float) -> float:
        """A number within bounds; nan, which TOML allows, is not."""
        value, (least, most) = self.number(name, unit), bounds
        if value is None or least <= value <= most:
            return default if value is None else float(value)
        self.blame(f"{name} is {least:.0f} to {most:.0f} {unit}", name)
        return default

    def budget(self) -> float | None:
        amount = self.number("budget", "dollars")
        if amount is None or is_budget(amount):
            return amount
        self.blame("budget is {:.2f} to {:,.0f} dollars".format(*BUDGET), "budget")
        return None

    def file_path(self, name: str) -> str:
        """A path, absolute or beginning with ~: nothing says what another is relative to."""
        path = self.text(name)
        if "\0" in path or (path and not path.startswith(("/", "~"))):
            self.blame(f"{name} begins with / or ~", name)
        return path

    def command(self, name: str) -> tuple[str, ...]:
        """The words of a command, written as one text or as a list of words."""
        value = self.values.get(name)
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            words = tuple(word.replace("\0", "") for word in value)
        elif not isinstance(value, str):
            self.value(name, str, "a command in quotes", "")
            return ()
        else:
            try:
                words = command_words(value)
            except ValueError as error:
                self.blame(f"{name} is not a command: {str(error).lower()}", name)
                return ()
        if not words:
            self.blame(f"{name} is empty", name)
        return words


def _config(top: _Table, known: ExplorerNames | None) -> Config:
    for name in top.values:
        if name not in NAMES:
            hint = " (a server's, under [servers.NAME])" if name in SERVER_NAMES else ""
            top.blame(f"{quoted(name)} is not a setting{hint or suggestion(name, NAMES)}", name)
    servers = top.table("servers")
    default = top.text("default")
    names = [*servers.values, LOCAL, DEMO]
    if default and default not in names:
        hint = suggestion(default, names)
        top.blame(f"there is no server {quoted(default)}{hint}", "default")
    theme = top.text("theme")
    if theme and known and theme not in known.themes:
        some = f": {', '.join(list(known.themes)[:3])}, …"
        hint = suggestion(theme, known.themes) or some
        top.blame(f"there is no theme {quoted(theme)}{hint}", "theme")
    sort = top.text("sort")
    if sort and known and sort not in known.orders:
        hint = suggestion(sort, known.orders) or f": {', '.join(known.orders)}"
        top.blame(f"there is no order {quoted(sort)}{hint}", "sort")
    entries = {name: _server(name, servers) for name in servers.values}
    keys = top.table("keys")
    return Config(
        servers={name: entry for name, entry in entries.items() if entry},
        default=default,
        theme=theme,
        sort=sort,
        mouse=top.flag("mouse", True),
        ascii=top.flag("ascii"),
        download_folder=top.file_path("download_folder"),
        refresh=top.within("refresh", "seconds", REFRESH, DEFAULT_REFRESH),
        silent_after=top.within("silent_after", "minutes", SILENT_AFTER, DEFAULT_SILENT_AFTER),
        notice=top.command("notice"),
        read_only=top.flag("read_only"),
        budget=top.budget(),
        keys=_keys(keys, known) if known else {},
    )


def _server(name: str, servers: _Table) -> ServerEntry | None:
    if not isinstance(servers.values[name], dict):
        servers.blame(f"a server is a table: [servers.{safe_line(name)[:60]}]", name)
        return None
    table = servers.table(name)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        table.blame(f"{quoted(name)}: a server's name has letters, digits, - and _")
    elif name in (DEMO, LOCAL):
        table.blame(f"{name} is the name of a built-in server: choose another")
    for key in table.values:
        if key in SERVER_NAMES:
            continue
        if key in _SECRETS:
            why = "a key is not kept in this file, but named by key_env, key_file, key_command"
        elif key in NAMES:
            why = f"{quoted(key)} stands before the first [table]"
        else:
            hint = suggestion(key, SERVER_NAMES)
            why = f"{quoted(key)} is not a setting of a server{hint}"
        table.blame(why, key)
    places = [key for key in ("key_env", "key_file", "key_command") if key in table.values]
    if len(places) > 1:
        table.blame(f"one place for the key, not {' and '.join(places)}", places[1])
    auth = table.text("auth")
    if auth not in AUTHS:
        table.blame("auth is bearer or session; without it, oh-tui finds out", "auth")
    kind = table.text("kind")
    if kind not in KINDS:
        table.blame("kind is app or agent; without it, oh-tui finds out", "kind")
    return ServerEntry(
        name,
        url=_url(table),
        key_env=_key_env(table),
        key_file=table.file_path("key_file"),
        key_command=table.command("key_command"),
        auth=AUTHS.get(auth),
        read_only=table.flag("read_only"),
        budget=table.budget(),
        kind=next((one for one in KINDS if one == kind), ""),
    )


def _url(table: _Table) -> str:
    written = table.text("url")
    try:
        if written:
            return server_address(written)
        if isinstance(table.values.get("url", ""), str):
            table.blame(f"the server {quoted(table.path[-1])} has no url")
    except Problem as problem:
        table.blame(f"url: {problem.sentence}", "url")
    return ""


def _key_env(table: _Table) -> str:
    name = table.text("key_env")
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        # not repeated: it may be the key itself
        table.blame("key_env is the name of a variable, not a key", "key_env")
    return name


def _keys(table: _Table, known: ExplorerNames) -> dict[str, str]:
    """The keys of each action, without clashes: Textual would silently drop one of two actions."""
    keys: dict[str, str] = {}
    paths: dict[str, tuple[str, ...]] = {}
    for path, value in _leaves(table.values):
        name = ".".join(path)
        paths.setdefault(name, path)
        if name not in known.actions:
            table.blame(f"{quoted(name)} is not an action{suggestion(name, known.actions)}", *path)
        elif not isinstance(value, str):
            table.blame(f'{name} is keys in quotes, such as "x,f5", not {kind_of(value)}', *path)
        else:
            try:
                keys[name] = key_names(value)
            except ValueError as error:
                table.blame(f"{name}: {safe_line(str(error))}", *path)
    owners: dict[str, str] = {}
    # those of the file last, so that the fault is in a line of the file
    for name in (*(known.actions.keys() - keys.keys()), *keys):
        for key in keys.get(name, known.actions[name]).split(","):
            if (other := owners.setdefault(key, name)) != name:
                why = "too" if other in keys else f"already: give {other} another key"
                clash = f"{name}: {shown_keys(key)} is {other} {why}"
                table.blame(clash, *paths.get(name, (name,)))
    return keys


def _leaves(table: dict[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The path and value of each entry: `find.next = "n"` is written as `"find.next" = "n"` too."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from (((name, *path), inner) for path, inner in _leaves(value))
        else:
            yield (name,), value

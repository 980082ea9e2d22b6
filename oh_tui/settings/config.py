"""The settings file: TOML, read and checked; every fault of it is named with its line."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from oh_tui.settings.address import server_address
from oh_tui.settings.keyboard import key_names, shown_keys
from oh_tui.text.clean import clean_line, safe_line
from oh_tui.text.problem import Problem

Auth = Literal["bearer", "session"]

DEMO, LOCAL = "demo", "local"
"""Servers that are always there: the embedded one, and the runs kept on this machine."""

DEFAULT_REFRESH = 15.0

REFRESH = (5.0, 3600.0)
"""Seconds between two readings of the lists: the least and the most."""

SERVER_NAMES = ("url", "key_env", "key_file", "key_command", "auth", "read_only")

NAMES = (
    "default", "theme", "mouse", "ascii", "download_folder", "refresh", "notice", "read_only",
    "servers", "keys",
)  # fmt: skip
"""What may stand in the file, outside of its tables."""

_SECRETS = ("key", "api_key", "token", "password", "secret")
"""Names under which somebody may put a key itself."""


class ServerEntry(msgspec.Struct, frozen=True):
    """A server of the file: where it is, and where its key is. At most one of the key's three."""

    name: str
    url: str
    key_env: str = ""
    key_file: str = ""
    key_command: tuple[str, ...] = ()
    auth: Auth | None = None
    read_only: bool = False


class Config(msgspec.Struct, frozen=True):
    """What the file says; what it does not say keeps the value here."""

    servers: Mapping[str, ServerEntry] = msgspec.field(default_factory=dict)
    default: str = ""
    """The name of the server to open when none is named."""
    theme: str = ""
    mouse: bool = True
    ascii: bool = False
    download_folder: str = ""
    """With ~ as it was written; else absolute."""
    refresh: float = DEFAULT_REFRESH
    """Seconds between two readings of the lists."""
    notice: tuple[str, ...] = ()
    read_only: bool = False
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Id of an action -> its keys by Textual's names, with commas between."""


class ExplorerNames(NamedTuple):
    """What the explorer knows by name."""

    actions: Mapping[str, str]
    """Id of an action -> its keys by Textual's names, with commas between."""
    themes: Collection[str]


class Fault(NamedTuple):
    line: int
    """Counted from 1."""
    text: str


class Faults(Exception):
    """All that is wrong with a file, in the order of its lines."""

    def __init__(self, faults: Collection[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults)


def parse_config(text: str, known: ExplorerNames | None = None) -> Config:
    """What the text of a file says; raises Faults with everything that is wrong with it.

    Keys and themes are the explorer's: without `known` they are left unread.
    """
    import tomllib  # few have a file

    from oh_tui.settings.toml_lines import lines_of

    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Faults([_syntax_fault(text, error)]) from error
    reader = _Reader(lines_of(text))
    config = reader.config(document, known)
    if reader.faults:
        raise Faults(reader.faults)
    return config


def command_words(text: str) -> tuple[str, ...]:
    """The words of a command as a shell would split them; ValueError for a quote left open."""
    return tuple(shlex.split(text.replace("\0", "")))


class _Reader:
    """Takes values out of the document and keeps what is wrong with them."""

    def __init__(self, lines: Mapping[tuple[str, ...], int]) -> None:
        self.faults: list[Fault] = []
        self._lines = lines

    def blame(self, path: tuple[str, ...], text: str) -> None:
        while path and path not in self._lines:
            path = path[:-1]
        self.faults.append(Fault(self._lines.get(path, 1), text))

    # The file

    def config(self, document: dict[str, Any], known: ExplorerNames | None) -> Config:
        for name in document:
            if name not in NAMES:
                hint = " (a server's, under [servers.NAME])" if name in SERVER_NAMES else ""
                self.blame((name,), f"{_quoted(name)} is no setting{hint or _near(name, NAMES)}")
        servers = {
            name: server
            for name, table in self._table(document, "servers").items()
            if (server := self._server(name, table))
        }
        return Config(
            servers=servers,
            default=self._default(document),
            theme=self._theme(document, known),
            mouse=self._flag((), document, "mouse", True),
            ascii=self._flag((), document, "ascii", False),
            download_folder=self._path((), document, "download_folder"),
            refresh=self._refresh(document),
            notice=self._words((), document, "notice"),
            read_only=self._flag((), document, "read_only", False),
            keys=self._keys(self._table(document, "keys"), known),
        )

    def _default(self, document: dict[str, Any]) -> str:
        name = self._text((), document, "default")
        there = [*self._table(document, "servers", quiet=True), LOCAL, DEMO]
        if name and name not in there:
            self.blame(("default",), f"there is no server {_quoted(name)}{_near(name, there)}")
        return name

    def _theme(self, document: dict[str, Any], known: ExplorerNames | None) -> str:
        name = self._text((), document, "theme")
        if name and known and name not in known.themes:
            listed = _near(name, known.themes) or f": {', '.join(list(known.themes)[:3])}, …"
            self.blame(("theme",), f"there is no theme {_quoted(name)}{listed}")
        return name

    def _path(self, path: tuple[str, ...], table: dict[str, Any], name: str) -> str:
        """Relative to what, nobody could tell."""
        written = self._text(path, table, name)
        if "\0" in written or (written and not written.startswith(("/", "~"))):
            self.blame((*path, name), f"{name} begins with / or ~")
        return written

    def _refresh(self, document: dict[str, Any]) -> float:
        value, (least, most) = document.get("refresh", DEFAULT_REFRESH), REFRESH
        # a file may well say nan, which is not between anything
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.blame(("refresh",), f"refresh is a number of seconds, not {_kind(value)}")
        elif not least <= value <= most:
            self.blame(("refresh",), f"refresh is {least:.0f} to {most:.0f} seconds")
        else:
            return float(value)
        return least

    # A server

    def _server(self, name: str, table: Any) -> ServerEntry | None:
        path = ("servers", name)
        if not isinstance(table, dict):
            self.blame(path, f"a server is a table: [servers.{_bare(name)}]")
            return None
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            self.blame(path, f"{_quoted(name)}: a server's name has letters, digits, - and _")
        elif name in (DEMO, LOCAL):
            self.blame(path, f"{name} is a server that is always there: choose another name")
        for key in table:
            if key in SERVER_NAMES:
                continue
            if key in _SECRETS:
                why = "a key is not kept in this file, but named by key_env, key_file, key_command"
            elif key in NAMES:
                why = f"{_quoted(key)} stands before the first [table]"
            else:
                why = f"{_quoted(key)} is nothing that a server has{_near(key, SERVER_NAMES)}"
            self.blame((*path, key), why)
        places = [key for key in ("key_env", "key_file", "key_command") if key in table]
        if len(places) > 1:
            self.blame((*path, places[1]), f"one place for the key, not {' and '.join(places)}")
        return ServerEntry(
            name,
            url=self._url(path, table),
            key_env=self._key_env(path, table),
            key_file=self._path(path, table, "key_file"),
            key_command=self._words(path, table, "key_command"),
            auth=self._auth(path, table),
            read_only=self._flag(path, table, "read_only", False),
        )

    def _url(self, path: tuple[str, ...], table: dict[str, Any]) -> str:
        before = len(self.faults)
        written = self._text(path, table, "url")
        if not written:
            if len(self.faults) == before:
                self.blame(path, f"the server {_quoted(path[1])} has no url")
            return ""
        try:
            return server_address(written)
        except Problem as problem:
            self.blame((*path, "url"), f"url: {problem.sentence}")
            return ""

    def _key_env(self, path: tuple[str, ...], table: dict[str, Any]) -> str:
        name = self._text(path, table, "key_env")
        if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            # not repeated: it may be the key itself
            self.blame((*path, "key_env"), "key_env is the name of a variable, not a key")
        return name

    def _auth(self, path: tuple[str, ...], table: dict[str, Any]) -> Auth | None:
        match self._text(path, table, "auth"):
            case "":
                return None
            case "bearer":
                return "bearer"
            case "session":
                return "session"
        self.blame((*path, "auth"), "auth is bearer or session; without it, oh-tui finds out")
        return None

    # Keys

    def _keys(self, table: dict[str, Any], known: ExplorerNames | None) -> dict[str, str]:
        if known is None:
            return {}
        keys: dict[str, str] = {}
        for action in _flat(table):
            name, path = ".".join(action), ("keys", *action)
            if name not in known.actions:
                self.blame(path, f"{_quoted(name)} is no action{_near(name, known.actions)}")
                continue
            value: Any = table
            for part in action:
                value = value[part]
            if not isinstance(value, str):
                self.blame(path, f'{name} is keys in quotes, such as "x,f5", not {_kind(value)}')
                continue
            try:
                keys[name] = key_names(value)
            except ValueError as error:
                self.blame(path, f"{name}: {safe_line(str(error))}")
        self._tell_clashes(table, keys, known)
        return keys

    def _tell_clashes(
        self, table: dict[str, Any], keys: dict[str, str], known: ExplorerNames
    ) -> None:
        """Of two actions on one key Textual would silently drop one."""
        holds: dict[str, str] = {}
        # those of the file last, so that the line named is one of the file
        for name in (*(known.actions.keys() - keys.keys()), *keys):
            for key in keys.get(name, known.actions[name]).split(","):
                if (other := holds.setdefault(key, name)) == name:
                    continue
                why = "too" if other in keys else f"already: give {other} another key"
                path = ("keys", *_path_in(table, name))
                self.blame(path, f"{name}: {shown_keys(key)} is {other} {why}")

    # Values

    def _table(self, document: dict[str, Any], name: str, *, quiet: bool = False) -> dict[str, Any]:
        value = document.get(name, {})
        if isinstance(value, dict):
            return value
        if not quiet:
            self.blame((name,), f"{name} is a table, not {_kind(value)}")
        return {}

    def _text(self, path: tuple[str, ...], table: dict[str, Any], name: str) -> str:
        value = table.get(name, "")
        if isinstance(value, str):
            return value.strip()
        self.blame((*path, name), f"{name} is a text in quotes, not {_kind(value)}")
        return ""

    def _flag(self, path: tuple[str, ...], table: dict[str, Any], name: str, default: bool) -> bool:
        value = table.get(name, default)
        if isinstance(value, bool):
            return value
        self.blame((*path, name), f"{name} is true or false, not {_kind(value)}")
        return default

    def _words(self, path: tuple[str, ...], table: dict[str, Any], name: str) -> tuple[str, ...]:
        """A command: one text, or a list of its words."""
        value = table.get(name, "")
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            words = tuple(word.replace("\0", "") for word in value)
        elif isinstance(value, str):
            try:
                words = command_words(value)
            except ValueError as error:
                self.blame((*path, name), f"{name} is no command: {str(error).lower()}")
                return ()
        else:
            self.blame((*path, name), f"{name} is a command in quotes, not {_kind(value)}")
            return ()
        if name in table and not words:
            self.blame((*path, name), f"{name} is empty")
        return words


# Words for people


def _quoted(text: str) -> str:
    return f"'{safe_line(text)[:60]}'"


def _bare(name: str) -> str:
    return safe_line(name)[:60]


def _near(name: str, there: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:60], list(there), 1)
    return f"; did you mean {clean_line(close[0])}?" if close else ""


def _kind(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


# Keys by the ids of their actions


def _flat(table: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """`find.next = "n"` and `"find.next" = "n"` are the same action to whoever writes it."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _flat(value))
        else:
            yield (name,)


def _path_in(table: dict[str, Any], action: str) -> tuple[str, ...]:
    return next((path for path in _flat(table) if ".".join(path) == action), (action,))


def _syntax_fault(text: str, error: Exception) -> Fault:
    told = safe_line(str(error))
    match = re.search(r" ?\(at (?:line (\d+), column \d+|end of document)\)", told)
    line = int(match[1]) if match and match[1] else text.count("\n", 0, len(text.rstrip())) + 1
    if isinstance(error, RecursionError) or not match:
        return Fault(1, "this is no TOML that can be read")
    at_end = "" if match[1] else ", at the end"
    what = told[: match.start()]
    return Fault(line, f"this is no TOML: {what[:1].lower()}{what[1:120]}{at_end}")

"""The settings file: TOML, read and checked, and addresses of servers as people write them. Every
fault is reported with its line."""

from __future__ import annotations

import contextlib
import difflib
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from oh_tui.api.models import Kind
from oh_tui.settings.keyboard import key_names, shown_keys
from oh_tui.settings.paths import config_file, read_text, tilde
from oh_tui.settings.toml_file import (
    Fault,
    Flag,
    Read,
    Text,
    TomlFile,
    faulty,
    quoted,
    suggestion,
    types_of,
)
from oh_tui.text.human import BUDGET
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

DEMO, LOCAL, CANVAS, CLOUD_NAME = "demo", "local", "canvas", "cloud"
BUILT_IN = (CLOUD_NAME, CANVAS, LOCAL, DEMO)
"""Servers that always exist: OpenHands Cloud, Agent Canvas on this machine, the runs that the
OpenHands CLI keeps on it, and the embedded one. The file may say something else of the first two,
which may be elsewhere or want a key of their own; what it says holds then."""

THEMES = (
    "oh-dark", "oh-light", "ansi",
    "textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "dracula",
    "tokyo-night", "monokai", "flexoki", "catppuccin-latte", "catppuccin-frappe",
    "catppuccin-macchiato", "solarized-light", "solarized-dark", "rose-pine", "rose-pine-moon",
    "rose-pine-dawn", "atom-one-dark", "atom-one-light", "ansi-dark", "ansi-light",
)  # fmt: skip
"""Names of the themes to choose from: ours, the terminal's own colours, and Textual's."""


def server_address(text: str) -> str:
    """The address without /api, /api/v1 and trailing slashes.

    A missing scheme becomes https, and http for this machine. Raises Problem for anything that is
    no server address, and for one with a user name or password.
    """
    text = text.strip()
    address = text
    if "://" not in text:
        address = f"{'http' if _is_this_machine(text) else 'https'}://{text}"
    shown = safe_line(text.rpartition("@")[2])
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    schemes = ("http", "https")  # `http` as a host: the colon of the scheme was forgotten
    unusable = not address.isprintable() or " " in host or host in ("", *schemes)
    if unusable or parts.scheme not in schemes:
        raise Problem(
            f"{shown!r} is not a server address", "an address looks like https://app.all-hands.dev"
        )
    if parts.username is not None:
        raise Problem(
            f"The server address {shown} carries a user name or password",
            "give the address alone, and the key as OPENHANDS_API_KEY",
        )
    path = parts.path.rstrip("/")
    for end in ("/api/v1", "/api"):
        path = path.removesuffix(end).rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path}"


def _is_this_machine(text: str) -> bool:
    host = text.partition("/")[0].lower()
    if host.startswith("["):
        return host.startswith("[::1]")
    return host.partition(":")[0] in ("localhost", "127.0.0.1", "0.0.0.0")


def names_in(written: str) -> list[str]:
    """The servers that `--server` or `default` name, each once."""
    return list(dict.fromkeys(filter(None, map(str.strip, written.split(",")))))


def command_words(written: str | list[str]) -> tuple[str, ...]:
    """The words of a command, which a shell would split if it is one text. Raises ValueError for an
    open quote, and without a word."""
    try:
        text = written if isinstance(written, str) else shlex.join(written)
        words = tuple(shlex.split(text.replace("\0", "")))
    except ValueError as error:
        raise ValueError(f"not a command: {str(error).lower()}") from None
    if not words:
        raise ValueError("the command is empty")
    return words


class Header(NamedTuple):
    """A header that a gateway before a server wants: where its value is, as for a key."""

    name: str
    variable: str
    command: tuple[str, ...]


_OF_CONNECTIONS = frozenset((
    "host", "content-length", "content-type", "content-encoding", "accept-encoding", "connection",
    "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
"""Headers that say how a call is sent, which oh-tui alone knows."""


def _headers(written: Mapping[str, str]) -> tuple[Header, ...]:
    """Raises ValueError, which tells no value: it may be the secret itself."""
    found: dict[str, Header] = {}
    wrong: list[str] = []
    for name, value in written.items():
        kind, _, place = value.partition(":")
        words: tuple[str, ...] = ()
        with contextlib.suppress(ValueError):
            words = command_words(place) if kind == "command" else ()
        if not re.fullmatch(r"(?a)[\w!#$%&'*+.^`|~-]{1,100}", name):
            wrong.append(f"{quoted(name)} is not the name of a header")
        elif name.lower() in _OF_CONNECTIONS:
            wrong.append(f"{name} is a header that oh-tui sets")
        elif name.lower() in found:
            wrong.append(f"{name} is there twice")
        elif not (words or (kind == "env" and re.fullmatch(r"(?a)[A-Za-z_]\w*", place))):
            wrong.append(f"the value of {name} is told by env:NAME or command:WORDS")
        else:
            found[name.lower()] = Header(name, "" if words else place, words)
    if wrong:
        raise ValueError(*wrong)
    return tuple(found.values())


_Path = Annotated[
    str, Meta(pattern=r"^([/~][^\0]*)?\Z", description="a path that begins with / or ~")
]
"""Nothing says what another path is relative to."""
_Variable = Annotated[
    str, Meta(pattern=r"(?a)^([A-Za-z_]\w*)?\Z", description="the name of a variable (not a key)")
]
"""What is there instead is not told: it may be the key itself."""
_Dollars = Annotated[float, Meta(ge=BUDGET[0], le=BUDGET[1])]
_Budget = Read("{:.2f} to {:,.0f} dollars".format(*BUDGET), _Dollars, float)
_Command = Annotated[tuple[str, ...], Read("a command in quotes", str | list[str], command_words)]
_Address = Annotated[str, Read("a text in quotes", str, server_address)]
_Headers = Annotated[
    tuple[Header, ...],
    Read('a table of headers, as {"X-Team" = "env:NAME"}', dict[str, str], _headers),
]
_Table = Read("a table", dict[str, Any], dict)


def _joined(written: str | list[str]) -> str:
    return written if isinstance(written, str) else ",".join(written)


_Names = Annotated[str, Read("a name in quotes, or a list of them", str | list[str], _joined)]


class ServerEntry(msgspec.Struct, frozen=True):
    """A server of the file: its address and where its key is, in at most one of three places."""

    name: str
    url: _Address
    key_env: _Variable = ""
    key_file: _Path = ""
    key_command: _Command = ()
    headers: _Headers = ()
    """What a gateway before it wants."""
    auth: Annotated[
        Literal["", "bearer", "session"],
        Meta(description="bearer or session (without it, oh-tui finds out)"),
    ] = ""
    read_only: Flag = False
    kind: Annotated[Kind, Meta(description="app or agent (without it, oh-tui finds out)")] = ""
    budget: Annotated[float | None, _Budget] = None
    """None leaves it to the budget for all servers."""


class Config(msgspec.Struct, frozen=True):
    """The settings of the file, with defaults for those that it leaves out. Each field is a name at
    the top level of the file, its type what the file can say of it."""

    servers: Annotated[Mapping[str, ServerEntry], _Table] = msgspec.field(default_factory=dict)
    default: _Names = ""
    """The name of the server to open when none is named; several, with commas between them, are one
    list."""
    theme: Text = ""
    sort: Text = ""
    mouse: Flag = True
    ascii: Flag = False
    download_folder: _Path = ""
    refresh: Annotated[float, Meta(ge=5, le=3600, description="5 to 3600 seconds")] = 15.0
    """Seconds between two refreshes of the lists."""
    silent_after: Annotated[float, Meta(ge=1, le=1440, description="1 to 1440 minutes")] = 10.0
    """Minutes without an event after which a run that works is called silent."""
    notice: _Command = ()
    read_only: Flag = False
    budget: Annotated[float | None, _Budget] = None
    """US dollars that a run may cost before the user is asked; None for no limit."""
    keys: Annotated[Mapping[str, str], _Table] = msgspec.field(default_factory=dict)
    """Id of an action -> its keys by Textual's names, separated by commas."""


NAMES = Config.__struct_fields__
"""The names at the top level of the file."""

SERVER_NAMES = ServerEntry.__struct_fields__[1:]
"""The names in the table of a server; its own name heads the table."""

_OF_NO_SERVER = dict.fromkeys(NAMES, ": it stands before the first [table]") | dict.fromkeys(
    ("key", "api_key", "token", "password", "secret"),
    ": a key is not kept in this file, but named by key_env, key_file, key_command",
)


class ExplorerNames(NamedTuple):
    actions: Mapping[str, str]
    """Id of an action -> its keys by Textual's names, separated by commas."""
    themes: Collection[str]
    orders: Collection[str]
    """The words of the orders of conversations."""


def parse_config(text: str, known: ExplorerNames | None = None) -> tuple[Config, Sequence[Fault]]:
    """The settings in the text of a file without what is wrong with it, and all that is, by line.

    Keys, themes and orders belong to the explorer: without `known` they are not checked, and keys
    are left out.
    """
    file = TomlFile(text, "setting")
    of_server = dict.fromkeys(SERVER_NAMES, " (a server's, under [servers.NAME])")
    found = file.fields("", file.values, types_of(Config), "a setting", of_server)
    servers = {name: _server(file, name, of) for name, of in found.pop("servers", {}).items()}
    for name, fault in _unknown_names(found, servers, known):
        file.blame(name, fault)
    keys = found.pop("keys", {})
    config = Config(
        **found,
        servers={name: server for name, server in servers.items() if server},
        keys=_keys(file, keys, known) if known else {},
    )
    return config, sorted(file.faults)


def _unknown_names(
    found: Mapping[str, str], servers: Collection[str], known: ExplorerNames | None
) -> Iterator[tuple[str, str]]:
    themes, orders = (known.themes, known.orders) if known else ((), ())
    for setting, word, names, some in (
        ("default", "server", [*servers, *BUILT_IN], ""),
        ("theme", "theme", themes, f": {', '.join([*themes][:3])}, …"),
        ("sort", "order", orders, f": {', '.join(orders)}"),
    ):
        for name in names_in(found.get(setting, "")) if names else ():
            if name not in names:
                hint = suggestion(name, names) or some
                yield setting, f"there is no {word} {quoted(name)}{hint}"


def _server(file: TomlFile, name: str, values: object) -> ServerEntry | None:
    path = f"servers.{name}"
    if not isinstance(values, dict):
        file.blame(path, f"a server is a table: [servers.{safe_line(name)[:60]}]")
        return None
    types = {key: types_of(ServerEntry)[key] for key in SERVER_NAMES}
    found = file.fields(f"{path}.", values, types, "a setting of a server", _OF_NO_SERVER)
    for key, fault in _faults_of_server(name, values):
        file.blame(f"{path}.{key}", fault)
    return ServerEntry(**{"name": name, "url": "", **found})


def _faults_of_server(name: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        yield "", f"{quoted(name)}: a server's name has letters, digits, - and _"
    elif name in (DEMO, LOCAL):
        yield "", f"{name} is the name of a built-in server: choose another"
    places = [key for key in ("key_env", "key_file", "key_command") if key in values]
    if len(places) > 1:
        yield places[1], f"one place for the key, not {' and '.join(places)}"
    if "url" not in values:
        yield "", f"the server {quoted(name)} has no url"


def _keys(file: TomlFile, table: Mapping[str, object], known: ExplorerNames) -> dict[str, str]:
    """The keys of each action, without clashes: Textual would silently drop one of two actions."""
    written = Annotated[str, Read('keys in quotes, such as "x,f5"', str, key_names)]
    types = dict.fromkeys(known.actions, written)
    keys: dict[str, str] = file.fields("keys.", dict(_leaves(table)), types, "an action")
    owners: dict[str, str] = {}
    # those of the file last, so that the fault is in a line of the file
    for name in (*(known.actions.keys() - keys.keys()), *keys):
        for key in keys.get(name, known.actions[name]).split(","):
            if (other := owners.setdefault(key, name)) != name:
                why = "too" if other in keys else f"already: give {other} another key"
                file.blame(f"keys.{name}", f"{name}: {shown_keys(key)} is {other} {why}")
    return keys


def _leaves(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """The name and value of each entry: `find.next = "n"` is written as `"find.next" = "n"` too."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def read_config_file(environment: Mapping[str, str]) -> str | None:
    """The text of the settings file; None where there is none. Raises Problem when it cannot be
    read, and when OH_TUI_CONFIG names a file that does not exist."""
    file, is_required = config_file(environment)
    if file is None or not (is_required or file.exists()):
        return None
    what = f"The settings file {tilde(file, environment)}"
    return read_text(file, what, "OH_TUI_CONFIG names it" if is_required else "")


def read_config(
    environment: Mapping[str, str],
    known: Callable[[], ExplorerNames] | None,
    uses: Collection[str] | None,
    named: str,
) -> Config:
    """The settings of the file. Raises Problem with all faults that matter to what `uses` these
    settings of it, and the server that is `named`. For `known` see `startup.read_settings`."""
    text = read_config_file(environment)
    if text is None:
        return Config()
    # Loading the explorer's names takes long, and few files use any.
    uses_names = re.search(r"(?m)^\s*(theme\b|\[\s*keys\b|keys\b)", text)
    config, faults = parse_config(text, known() if known and uses_names else None)
    if faults := [one for one in faults if _matters(one.path, uses, named, config)]:
        file, _ = config_file(environment)
        assert file is not None
        raise faulty(f"The settings file {tilde(file, environment)}", faults, 20)
    return config


def _matters(path: str, uses: Collection[str] | None, named: str, config: Config) -> bool:
    """Whether a fault of this name stops what uses these; of servers, only the one it asks."""
    if uses is None or not path:
        return True
    if path.startswith("servers."):
        servers = tuple(f"servers.{name}." for name in names_in(named or config.default))
        return "servers" in uses and f"{path}.".startswith(servers)
    meant = difflib.get_close_matches(path.partition(".")[0][:60], NAMES, 1)
    setting = meant[0] if meant else ""
    return setting in uses and not (setting == "default" and named)


def is_name(written: str, config: Config) -> bool:
    """Whether the text is the name of a server rather than an address.

    Raises Problem for the name of an unknown server. Without servers in the file a single word is a
    host.
    """
    if written in config.servers or written in BUILT_IN:
        return True
    is_word = re.fullmatch(r"[A-Za-z0-9_-]+", written) and written.lower() != "localhost"
    if not is_word or not config.servers:
        return False
    close = difflib.get_close_matches(written, config.servers, 1)
    known = f"did you mean {close[0]}?" if close else f"it names {', '.join(config.servers)}"
    raise Problem(
        f"There is no server named {written} in the settings file",
        f"{known}; an address has http:// before it",
    )

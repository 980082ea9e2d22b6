"""The settings of a start: flags come first, then the environment, what is remembered (see
`preferences`), the settings file, defaults."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from oh_tui.api.models import CLOUD, Auth, Kind
from oh_tui.settings.canvas import CanvasFiles, read_canvas_files
from oh_tui.settings.config import (
    CANVAS,
    DEMO,
    LOCAL,
    Config,
    ExplorerNames,
    Header,
    ServerEntry,
    command_words,
    is_name,
    names_in,
    read_config,
    server_address,
)
from oh_tui.settings.credentials import (
    Found,
    command_key,
    find_key,
    header_values,
    hold_keys,
    named_key,
)
from oh_tui.settings.paths import cache_folder, expanded, state_file, under_home
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret, safe_line

OWN_RUNS = Path(".openhands", "conversations")
"""Where the OpenHands CLI keeps its runs, relative to the home folder."""

CACHE_LIMIT = 500_000_000

BEFORE_FILE = {
    "default": ("server", "OPENHANDS_BASE_URL"),
    "read_only": ("read_only", ""),
    "ascii": ("ascii", ""),
    "notice": ("", "OH_TUI_NOTICE"),
    "theme": ("", "NO_COLOR"),
}
"""Setting of the file -> the option and the variable that come before it; "" for none."""


def before_file(
    setting: str, options: Mapping[str, object], environment: Mapping[str, str]
) -> tuple[str, object]:
    """The name and value before a setting of the file, as `--server`; "" twice for none."""
    option, variable = BEFORE_FILE.get(setting, ("", ""))
    if value := options.get(option):
        return f"--{option.replace('_', '-')}", value
    text = environment.get(variable, "").strip()
    return (variable, text) if text else ("", "")


def _start_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the folder was removed while we were in it
        return Path.home()


class NoKey(Problem):
    """There is no key for OpenHands Cloud, and nothing else to open."""

    def __init__(self, beside: str = "") -> None:
        """`beside` is a sentence about a key that is there and not used."""
        super().__init__(
            "There is no key for OpenHands Cloud",
            f"make one at {CLOUD}/settings/api-keys and set OPENHANDS_API_KEY; without one: "
            f"oh-tui --demo, oh-tui open PATH{f'. {beside}' if beside else ''}",
        )
        self.beside = beside


class Settings(msgspec.Struct, frozen=True):
    """The settings for one start of oh-tui, or for a server chosen after it."""

    server: str = ""
    """The name of a server in the settings file, or one of BUILT_IN; "" for an address or files."""
    base_url: str = CLOUD
    """The server's address without /api/v1 and without a trailing slash; "" for LOCAL and DEMO, and
    for CANVAS, which is looked for."""
    canvas: CanvasFiles | None = None
    """What CANVAS left on this machine; None for other servers."""
    is_looked_for: bool = False
    """No server is named, and there is no key of Cloud: CANVAS is looked for."""
    key: Secret | None = None
    key_command: tuple[str, ...] = ()
    """The words of a command that prints the key, to be run by `fetch_key`; none with a `key`."""
    key_from: str = ""
    """The origin of the key in words: the name of a variable, "the file ~/key", "the command pass
    show openhands", "the OpenHands CLI (~/…)"; "" without a key."""
    auth: Auth | None = None
    """None leaves the choice to the server's answer."""
    headers: tuple[Header, ...] = ()
    """What a gateway before the server wants; `fetch_headers` has the values."""
    kind: Kind = ""
    """"" leaves the question to the server's answer."""
    ascii: bool = False
    no_color: bool = False
    read_only: bool = False
    """Offer nothing that changes a server."""
    download_folder: Path = msgspec.field(default_factory=_start_folder)
    """By default the folder in which oh-tui was started."""
    notice: tuple[str, ...] = ()
    """The reaction when a conversation starts to wait, fails or finishes: ("bell",), ("osc9",), the
    words of a command, or nothing."""
    last_known_file: Path | None = None
    """The file that remembers the states of conversations; None keeps them in memory."""
    preferences_file: Path | None = None
    """The file that remembers how the explorer was set; None keeps that in memory."""
    annotations_file: Path | None = None
    """The file with bookmarks, notes and tags; None keeps them in memory."""
    keeps_state: bool = True
    """What is remembered is read and written."""
    cache_folder: Path | None = None
    """The folder for runs that are kept on this machine; None where there is no home."""
    cache_limit: int = CACHE_LIMIT
    """Bytes of runs that are kept there; 0 keeps none."""
    uses_library: bool = True
    """An index of runs is kept in the cache folder, and asked."""
    own_runs: Path | None = None
    """The folder of the OpenHands CLI's runs; None where there is no home."""
    budget: float | None = None
    """US dollars that a run on this server may cost before the user is asked, unless the run has a
    budget of its own."""
    config: Config = msgspec.field(default_factory=Config)
    all_read_only: bool = False
    cautions: tuple[str, ...] = ()
    """Sentences to show once about where the key was found."""
    several: tuple[tuple[str, Settings | Problem], ...] = ()
    """Of several servers in one list each name, and its own settings or why there are none; what
    stands beside it is then for the list as a whole."""

    def of(self, server: str) -> Settings:
        """Those of one server of the list; themselves where there is no list."""
        found = dict(self.several).get(server)
        return found if isinstance(found, Settings) else self

    @property
    def library_folder(self) -> Path | None:
        """The cache folder, where there may be an index of runs in it."""
        return self.cache_folder if self.uses_library else None

    @property
    def has_key(self) -> bool:
        """Whether there is a key, or the server may not need one."""
        return bool(self.key or self.key_command) or self.base_url != CLOUD

    @property
    def label(self) -> str:
        if self.is_looked_for:
            return ""
        if self.several:
            return ", ".join(name for name, _ in self.several)
        host = self.base_url.partition("://")[2]
        return f"{self.server}  {host}".strip()


def read_settings(
    environment: Mapping[str, str],
    *,
    server: str | None = None,
    ascii: bool = False,
    read_only: bool = False,
    no_state: bool = False,
    no_library: bool = False,
    local: bool = False,
    known: Callable[[], ExplorerNames] | None = None,
    uses: Collection[str] | None = None,
) -> Settings:
    """The settings from flags, environment and settings file. Raises Problem for a wrong value, and
    for a faulty file with all its faults.

    With `local` no server is needed: server settings keep their defaults, and faults in them do not
    matter. `known` returns the explorer's names and is called only for a file that uses some;
    without it keys and themes are not read. `uses` names the settings whose faults matter: a
    command is not stopped by those of others. Without it all matter.
    """
    options = {"server": server, "ascii": ascii, "read_only": read_only}

    def before(setting: str) -> Any:
        return before_file(setting, options, environment)[1]

    named = before("default").strip()
    config = read_config(environment, known, uses, named)
    hold_keys(environment, config.servers.values())
    notice = before("notice") if uses is None or "notice" in uses else ""
    keeps = uses is None or "servers" in uses or "cache" in uses
    cache = environment.get("OH_TUI_CACHE", "")
    forbids = bool(before("read_only")) or config.read_only
    settings = Settings(
        ascii=bool(before("ascii"))
        or config.ascii
        or environment.get("TERM") == "linux"
        # asks the C library: Python's own encoding is UTF-8 even where the terminal's is not
        or locale.nl_langinfo(locale.CODESET).upper().replace("-", "") != "UTF8",
        no_color=bool(environment.get(BEFORE_FILE["theme"][1])),
        read_only=forbids,
        all_read_only=forbids,
        notice=_notice(notice) if notice else config.notice,
        budget=config.budget,
        preferences_file=None if no_state else state_file(environment, "preferences"),
        annotations_file=None if no_state else state_file(environment, "annotations"),
        keeps_state=not no_state,
        cache_folder=cache_folder(environment),
        cache_limit=_cache_limit(cache if keeps else ""),
        # also for commands that ask no server
        uses_library=not no_library and cache.strip().lower() not in ("off", "0"),
        own_runs=under_home(environment, OWN_RUNS),
        config=config,
    )
    if config.download_folder:
        settings = replace(settings, download_folder=expanded(config.download_folder, environment))
    if local:
        return settings
    return choose(settings, named or config.default, environment)


def choose(settings: Settings, written: str, environment: Mapping[str, str]) -> Settings:
    """The settings for what names or addresses one server or several, "" for the usual one. Of
    several, those of one whose key cannot be found are a Problem instead."""
    names = names_in(written)
    if len(names) < 2:
        return _one(settings, names[0] if names else written, environment)
    found: dict[str, Settings | Problem] = {}
    for name in names:
        is_known = is_name(name, settings.config)
        shown = name if is_known else server_address(name).partition("://")[2]
        shown = server_address(name) if shown in found else shown
        try:
            found[shown] = _one(settings, name, environment)
        except Problem as problem:
            found[shown] = problem
    each = [one for one in found.values() if isinstance(one, Settings)]
    origins = [one.key_from for one in each if one.key]
    for name, one in found.items():
        if isinstance(one, Settings) and not one.server and origins.count(one.key_from) > 1:
            found[name] = Problem(
                f"{one.key_from} would go to several servers",
                "give each a table [servers.NAME] in the settings file, with its key_env",
            )
    return replace(
        _blank(settings, "", environment),
        read_only=all(one.read_only for one in each),
        cautions=tuple(told for one in each for told in one.cautions),
        several=tuple(found.items()),
    )


def _blank(settings: Settings, name: str, environment: Mapping[str, str]) -> Settings:
    """Without what belongs to one server."""
    return replace(
        settings, server=name, base_url="", key=None, key_command=(), key_from="", auth=None,
        headers=(), kind="", read_only=settings.all_read_only, budget=settings.config.budget,
        last_known_file=state_file(environment, "seen") if settings.keeps_state else None,
        cautions=(), canvas=None, is_looked_for=False, several=(),
    )  # fmt: skip


def _one(settings: Settings, written: str, environment: Mapping[str, str]) -> Settings:
    """The settings for one server, with its key unless a command prints it. Reads at most one small
    file. Raises Problem when the key cannot be found."""
    named = settings.config.servers
    name = written if written and is_name(written, settings.config) else ""
    blank = _blank(settings, name, environment)
    if name in (DEMO, LOCAL):
        return replace(blank, last_known_file=None)
    if name == CANVAS and name not in named:
        return _of_canvas(blank, environment)
    address = CLOUD if name or not written else server_address(written)
    server = named.get(name) or ServerEntry(name, address)
    found: Found = None, "", ()
    auth = server.auth or None
    if server.key_env or server.key_file or server.key_command:
        found = named_key(server, environment)
    elif not name or server.url == CLOUD:
        # A key in the environment may be meant for any of several servers. Of the named ones only
        # Cloud gets it.
        found = find_key(environment, server.url)
        auth = auth or _auth(environment)
    key, key_from, cautions = found
    if not (written or key):
        return replace(_of_canvas(blank, environment), auth=auth, is_looked_for=True)
    return replace(
        blank,
        base_url=server.url,
        key=key,
        key_command=server.key_command,
        key_from=key_from,
        auth=auth,
        headers=server.headers,
        kind=server.kind,
        read_only=blank.read_only or server.read_only,
        budget=blank.budget if server.budget is None else server.budget,
        cautions=cautions,
    )


def _of_canvas(blank: Settings, environment: Mapping[str, str]) -> Settings:
    files = read_canvas_files(environment)
    cautions = files.cautions
    return replace(blank, server=CANVAS, canvas=files, key_from=files.key_from, cautions=cautions)


def fetch_key(settings: Settings) -> Secret | None:
    """The key, printed by its command if there is one. Takes up to `credentials.PATIENCE` seconds:
    call it in a thread. Raises Problem when the command prints none."""
    if settings.key is not None or not settings.key_command:
        return settings.key
    return command_key(settings.key_command)


def fetch_headers(settings: Settings) -> Mapping[str, Secret]:
    """The headers for a gateway. Runs their commands: call it in a thread. Raises Problem."""
    return header_values(settings.headers, os.environ)


_AUTHS: Mapping[str, Auth | None] = {"": None, "bearer": "bearer", "session": "session"}


def _auth(environment: Mapping[str, str]) -> Auth | None:
    text = environment.get("OH_TUI_AUTH", "")
    if (word := text.strip().lower()) in _AUTHS:
        return _AUTHS[word]
    raise Problem(
        f"OH_TUI_AUTH is {safe_line(text)!r}",
        "it can be bearer (Authorization) or session (X-Session-API-Key); unset, oh-tui finds out",
    )


def _cache_limit(text: str) -> int:
    """The bytes that OH_TUI_CACHE allows: on, off, or a number of megabytes."""
    match text.strip().lower():
        case "" | "on":
            return CACHE_LIMIT
        case "off":
            return 0
        case number if number.isascii() and number.isdecimal() and len(number) < 10:
            return int(number) * 1_000_000
    raise Problem(
        f"OH_TUI_CACHE is {safe_line(text)!r}",
        "it can be off, or the megabytes that the runs kept on this machine may take",
    )


def _notice(text: str) -> tuple[str, ...]:
    try:
        return command_words(text)
    except ValueError as error:
        raise Problem(
            f"OH_TUI_NOTICE is {error}",
            "it can be bell, osc9, or a command such as: notify-send OpenHands",
        ) from error

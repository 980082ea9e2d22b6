"""What oh-tui is told before it starts: flags, else the environment, else the settings file, else
the default."""

from __future__ import annotations

import difflib
import locale
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from oh_tui.api.models import Secret
from oh_tui.settings.address import CLOUD, server_address
from oh_tui.settings.config import (
    DEMO,
    LOCAL,
    Auth,
    Config,
    ExplorerNames,
    Faults,
    ServerEntry,
    command_words,
    parse_config,
)
from oh_tui.settings.credentials import command_key, find_key, hold_keys, named_key
from oh_tui.settings.paths import (
    cache_folder,
    config_file,
    expanded,
    read_small,
    seen_file,
    tilde,
    under_home,
)
from oh_tui.text.clean import safe_line
from oh_tui.text.problem import Problem

__all__ = ["CLOUD", "DEMO", "LOCAL", "Auth", "Settings", "choose", "fetch_key", "read_settings",
           "server_address"]  # fmt: skip

OWN_RUNS = Path(".openhands", "conversations")
"""Where the OpenHands CLI keeps its runs, under the home folder."""

CACHE_LIMIT = 500_000_000

FAULTS = 20
"""Faults of a settings file that are listed; the rest is counted."""


def _start_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the folder was removed under us
        return Path.home()


class Settings(msgspec.Struct, frozen=True):
    """One start of oh-tui, or one server that was chosen in it. `auth` None means: let the
    server's answer decide."""

    server: str = ""
    """The name of the server: one of the settings file, DEMO or LOCAL; "" where it was given by
    its address, or files were."""
    base_url: str = CLOUD
    """The server's address without /api/v1 and without a trailing slash; "" for LOCAL and DEMO."""
    key: Secret | None = None
    key_command: tuple[str, ...] = ()
    """The words of a command that tells the key, which `fetch_key` runs; none where there is a
    `key`."""
    key_from: str = ""
    """Where the key is found, in words: the name of a variable, "the file ~/key", "the command
    pass show openhands", "the OpenHands CLI (~/…)"; "" without a key."""
    auth: Auth | None = None
    ascii: bool = False
    """Draw with ASCII characters alone."""
    no_color: bool = False
    read_only: bool = False
    """Offer nothing that changes a server."""
    download_folder: Path = msgspec.field(default_factory=_start_folder)
    """The folder oh-tui was started in, or the one set."""
    notice: tuple[str, ...] = ()
    """What a change of a conversation to waiting, failed or finished sets off: ("bell",),
    ("osc9",), the words of a command, or nothing."""
    seen_file: Path | None = None
    """Where it is kept what was seen of each conversation; None keeps it in memory."""
    cache_folder: Path | None = None
    """Where is kept what only saves time; None where there is no home."""
    cache_limit: int = CACHE_LIMIT
    """Bytes of runs that are kept there; 0 keeps none."""
    own_runs: Path | None = None
    """The folder of the runs on this machine; None where there is no home."""
    config: Config = msgspec.field(default_factory=Config)
    """What the settings file says, as it says it."""
    all_read_only: bool = False
    """Read-only whichever server is chosen."""
    cautions: tuple[str, ...] = ()
    """What is to be said once about where things were found."""

    @property
    def has_key(self) -> bool:
        """Whether there is a key, or none is needed as far as can be told."""
        return bool(self.key or self.key_command) or self.base_url != CLOUD

    @property
    def label(self) -> str:
        """The server as the header names it."""
        host = self.base_url.partition("://")[2]
        return f"{self.server}  {host}".strip()


def read_settings(
    environment: Mapping[str, str],
    *,
    server: str | None = None,
    ascii: bool = False,
    read_only: bool = False,
    local: bool = False,
    known: Callable[[], ExplorerNames] | None = None,
) -> Settings:
    """Settings from the flags given, the environment and the settings file; raises Problem on a
    value that is wrong, of a file with all its faults.

    With `local` no server is meant: what concerns servers keeps its default, and nothing wrong
    there is in the way. `known` tells the explorer's names, and is asked only where the file has
    some; without it keys and themes are left unread.
    """
    config = _read_config(environment, known)
    hold_keys(environment, config.servers.values())
    notice = environment.get("OH_TUI_NOTICE", "")
    settings = Settings(
        ascii=ascii or config.ascii or environment.get("TERM") == "linux" or not _locale_is_utf8(),
        no_color=bool(environment.get("NO_COLOR")),
        read_only=read_only or config.read_only,
        all_read_only=read_only or config.read_only,
        notice=_notice(notice) if notice.strip() else config.notice,
        cache_folder=cache_folder(environment),
        cache_limit=_cache_limit(environment.get("OH_TUI_CACHE", "")),
        own_runs=under_home(environment, OWN_RUNS),
        config=config,
    )
    if config.download_folder:
        folder = expanded(config.download_folder, environment)
        settings = replace(settings, download_folder=folder)
    if local:
        return settings
    written = (server or environment.get("OPENHANDS_BASE_URL") or "").strip() or config.default
    if not written or not _is_name(written, config):
        return _at_address(settings, server_address(written or CLOUD), environment)
    return choose(settings, written, environment)


def choose(settings: Settings, name: str, environment: Mapping[str, str]) -> Settings:
    """The settings for a server of the file, for DEMO or for LOCAL, with its key unless a command
    tells that. Reads at most one small file; raises Problem when the key cannot be found."""
    blank = replace(
        settings, server=name, base_url="", key=None, key_command=(), key_from="", auth=None,
        read_only=settings.all_read_only, seen_file=None, cautions=(),
    )  # fmt: skip
    if name in (DEMO, LOCAL):
        return blank
    server = settings.config.servers[name]
    if not (server.key_env or server.key_file or server.key_command):
        # A key in the environment may be meant for any of several servers, so it goes to none of
        # those that have a name; but Cloud's own.
        if server.url == CLOUD:
            found = _at_address(blank, CLOUD, environment)
            return replace(found, auth=server.auth or found.auth, read_only=_locked(found, server))
        return replace(
            blank, base_url=server.url, auth=server.auth, read_only=_locked(blank, server),
            seen_file=seen_file(environment),
        )  # fmt: skip
    key, key_from, cautions = named_key(server, environment)
    return replace(
        blank,
        base_url=server.url,
        key=key,
        key_command=server.key_command,
        key_from=key_from,
        auth=server.auth,
        read_only=_locked(blank, server),
        seen_file=seen_file(environment),
        cautions=cautions,
    )


def fetch_key(settings: Settings) -> Secret | None:
    """The key, told by its command where there is one. Takes up to PATIENCE: not for the UI's
    thread. Raises Problem when the command tells none."""
    if settings.key is not None or not settings.key_command:
        return settings.key
    return command_key(settings.key_command)


# The settings file


def _read_config(
    environment: Mapping[str, str], known: Callable[[], ExplorerNames] | None
) -> Config:
    file, must_be = config_file(environment)
    if file is None or not (must_be or file.exists()):
        return Config()
    place = tilde(file, environment)
    try:
        data = read_small(file)
    except OSError as error:
        raise Problem(
            f"The settings file {place} cannot be read: {(error.strerror or str(error)).lower()}",
            "OH_TUI_CONFIG names it" if must_be else "",
        ) from error
    try:
        text = data.decode("utf-8")
        # The names that only the explorer knows are costly to load, and few files hold any.
        asked = known and re.search(r"(?m)^\s*(theme\b|\[\s*keys\b|keys\b)", text)
        return parse_config(text, known() if known and asked else None)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problem(f"The settings file {place} is not UTF-8", f"line {line}") from error
    except Faults as error:
        faults = error.faults
        listed = [f"line {fault.line}: {fault.text}" for fault in faults[:FAULTS]]
        if len(faults) > FAULTS:
            listed.append(f"and {len(faults) - FAULTS} more")
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise Problem(
            f"The settings file {place} has {count}", "\n        ".join(listed)
        ) from error


# Which server


def _is_name(written: str, config: Config) -> bool:
    """Whether a server's name is meant, and not its address; raises Problem for one that there is
    not. Without servers in the file a lone word is a host, as it always was."""
    if written in config.servers or written in (DEMO, LOCAL):
        return True
    lone = re.fullmatch(r"[A-Za-z0-9_-]+", written) and written.lower() != "localhost"
    if not lone or not config.servers:
        return False
    close = difflib.get_close_matches(written, config.servers, 1)
    known = f"did you mean {close[0]}?" if close else f"it names {', '.join(config.servers)}"
    raise Problem(
        f"There is no server named {written} in the settings file",
        f"{known}; an address has http:// before it",
    )


def _at_address(settings: Settings, base_url: str, environment: Mapping[str, str]) -> Settings:
    key, key_from, cautions = find_key(environment, base_url)
    return replace(
        settings,
        base_url=base_url,
        key=key,
        key_from=key_from,
        auth=_auth(environment.get("OH_TUI_AUTH", "")),
        seen_file=seen_file(environment),
        cautions=cautions,
    )


def _locked(settings: Settings, server: ServerEntry) -> bool:
    return settings.all_read_only or server.read_only


def _auth(text: str) -> Auth | None:
    match text.strip().lower():
        case "":
            return None
        case "bearer":
            return "bearer"
        case "session":
            return "session"
    raise Problem(
        f"OH_TUI_AUTH is {safe_line(text)!r}",
        "it can be bearer (Authorization) or session (X-Session-API-Key); unset, oh-tui finds out",
    )


def _cache_limit(text: str) -> int:
    """Bytes, from megabytes or a word."""
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
            f"OH_TUI_NOTICE is no command: {str(error).lower()}",
            "it can be bell, osc9, or a command such as: notify-send OpenHands",
        ) from error


def _locale_is_utf8() -> bool:
    """Asked of the C library: Python's own encoding is UTF-8 even where the terminal's is not."""
    return locale.nl_langinfo(locale.CODESET).upper().replace("-", "") == "UTF8"

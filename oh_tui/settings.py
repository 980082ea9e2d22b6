"""What oh-tui is told before it starts: flags, else the environment, else the default."""

from __future__ import annotations

import locale
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from oh_tui.api.models import Secret
from oh_tui.problem import Problem
from oh_tui.text import clean_line

CLOUD = "https://app.all-hands.dev"
"""The address of OpenHands Cloud."""

STORED_KEY = Path(".openhands", "cloud", "api_key.txt")
"""Where the OpenHands CLI keeps the key after `openhands login`, under the home folder."""

Auth = Literal["bearer", "session"]


def _start_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the folder was removed under us
        return Path.home()


@dataclass(frozen=True, slots=True)
class Settings:
    """One start of oh-tui. `auth` None means: let the server's answer decide."""

    base_url: str = CLOUD
    """The server's address without /api/v1 and without a trailing slash."""
    key: Secret | None = None
    key_from: str = ""
    """Where the key was found: the name of a variable or a path with ~; "" without a key."""
    auth: Auth | None = None
    ascii: bool = False
    """Draw with ASCII characters alone."""
    no_color: bool = False
    read_only: bool = False
    """Offer nothing that changes a server."""
    download_folder: Path = field(default_factory=_start_folder)
    """The folder oh-tui was started in."""
    notice: tuple[str, ...] = ()
    """What a change of a conversation to waiting, failed or finished sets off: ("bell",),
    ("osc9",), the words of a command, or nothing."""
    seen_file: Path | None = None
    """Where it is kept what was seen of each conversation; None keeps it in memory."""
    cache_folder: Path | None = None
    """Where is kept what only saves time; None where there is no home."""


def read_settings(
    environment: Mapping[str, str],
    *,
    server: str | None = None,
    ascii: bool = False,
    read_only: bool = False,
    local: bool = False,
) -> Settings:
    """Settings from the flags given and the environment; raises Problem on a value that is wrong.

    With `local` no server is meant: what concerns servers keeps its default, and nothing wrong
    there is in the way. The only file read is the OpenHands CLI's stored key.
    """
    settings = Settings(
        ascii=ascii or environment.get("TERM") == "linux" or not _locale_is_utf8(),
        no_color=bool(environment.get("NO_COLOR")),
        read_only=read_only,
        notice=_notice(environment.get("OH_TUI_NOTICE", "")),
        cache_folder=_cache_folder(environment),
    )
    if local:
        return settings
    base_url = server_address(server or environment.get("OPENHANDS_BASE_URL") or CLOUD)
    key, key_from = _find_key(environment, base_url)
    auth = _auth(environment.get("OH_TUI_AUTH", ""))
    return replace(
        settings,
        base_url=base_url,
        key=key,
        key_from=key_from,
        auth=auth,
        seen_file=_seen_file(environment),
    )


def server_address(text: str) -> str:
    """A server's address as people write it, made the one form that the API is called with.

    Takes it with or without scheme (https, but http for this machine), /api, /api/v1 and slashes;
    raises Problem when it names no server.
    """
    text = text.strip()
    address = text
    if "://" not in text:
        address = f"{'http' if _is_this_machine(text) else 'https'}://{text}"
    shown = clean_line(text.rpartition("@")[2])
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or not host.isprintable() or " " in host or parts.scheme not in ("http", "https"):
        raise Problem(
            f"{shown!r} is no server address", "an address looks like https://app.all-hands.dev"
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


def _find_key(environment: Mapping[str, str], base_url: str) -> tuple[Secret | None, str]:
    # On Cloud the name that says Cloud wins. Any other server gets the general key first, so that
    # a Cloud key set for other tools is not sent there while one meant for it is set too.
    names = ["OPENHANDS_CLOUD_API_KEY", "OPENHANDS_API_KEY"]
    for name in names if base_url == CLOUD else reversed(names):
        key = environment.get(name, "").strip()
        if key:
            return _secret(key, name), name
    # The stored key was given to the CLI by Cloud, not to us for any server: it goes nowhere else.
    home = environment.get("HOME")
    if base_url == CLOUD and home:
        place = f"~/{STORED_KEY}"
        try:
            key = (Path(home) / STORED_KEY).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            key = ""
        if key:
            return _secret(key, place), place
    return None, ""


def _secret(key: str, place: str) -> Secret:
    # Such a key breaks the header it is sent in, with an error that may show it.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Problem(
            f"The key in {place} has characters that no key has",
            "copy it again, without quotes, spaces or line breaks",
        )
    return Secret(key)


def _auth(text: str) -> Auth | None:
    match text.strip().lower():
        case "":
            return None
        case "bearer":
            return "bearer"
        case "session":
            return "session"
    raise Problem(
        f"OH_TUI_AUTH is {clean_line(text)!r}",
        "it can be bearer (Authorization) or session (X-Session-API-Key); unset, oh-tui finds out",
    )


def _notice(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text.replace("\0", "")))
    except ValueError as error:
        raise Problem(
            f"OH_TUI_NOTICE is no command: {str(error).lower()}",
            "it can be bell, osc9, or a command such as: notify-send OpenHands",
        ) from error


def _seen_file(environment: Mapping[str, str]) -> Path | None:
    """In the folder for what programs remember; None where there is no home. A relative path in
    the variable does not count (XDG Base Directory Specification)."""
    state = Path(environment.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        home = Path(environment.get("HOME", ""))
        mac = Path("Library", "Application Support")
        state = home / (mac if sys.platform == "darwin" else Path(".local", "state"))
    return state / "oh-tui" / "seen.json" if state.is_absolute() else None


def _cache_folder(environment: Mapping[str, str]) -> Path | None:
    """As for what is seen, in the folder for what can be made anew."""
    cache = Path(environment.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():
        mac = Path("Library", "Caches")
        cache = Path(environment.get("HOME", "")) / (mac if sys.platform == "darwin" else ".cache")
    return cache / "oh-tui" if cache.is_absolute() else None


def _locale_is_utf8() -> bool:
    """Asked of the C library: Python's own encoding is UTF-8 even where the terminal's is not."""
    return locale.nl_langinfo(locale.CODESET).upper().replace("-", "") == "UTF8"

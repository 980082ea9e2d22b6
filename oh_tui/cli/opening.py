"""Opens the source that the words of a command line name: files, a server or the demo; and the log
of the calls to it."""

from __future__ import annotations

import atexit
import errno
import os
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from oh_tui import demo
from oh_tui.api import app_server, bare_server, shared_server
from oh_tui.api.errors import OtherKind
from oh_tui.api.http import connections
from oh_tui.api.models import CLOUD
from oh_tui.catalog.links import SHARED, SharedLink, read_shared_link
from oh_tui.commands import MakeSource
from oh_tui.commands.framework import unpacking_progress
from oh_tui.commands.framework.cache_files import KEPT
from oh_tui.commands.framework.command import path_of
from oh_tui.settings.canvas import CanvasFiles
from oh_tui.settings.config import DEMO as DEMO_SERVER
from oh_tui.settings.config import LOCAL
from oh_tui.settings.paths import expanded
from oh_tui.settings.startup import NoKey, Settings, fetch_headers, fetch_key
from oh_tui.sources import (
    agent_server,
    cache_limit,
    canvas,
    file_indexes,
    file_source,
    server,
    several,
    shared_source,
    this_machine,
)
from oh_tui.sources.server_runs import run_cache
from oh_tui.sources.source import Source
from oh_tui.text import remarks
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.formats import copies, locked_dirs, table

T = TypeVar("T")

DEMO = "demo, made-up data: nothing leaves this machine"
AGENT_DEMO = "agent server demo: made-up data, nothing leaves this machine"

DEMO_SHARES = "https://demo.invalid"
"""The server of what is shared in the demo: by its name there can be none on any network."""

LARGE = 8_000_000
"""Bytes up to which a file is open by the time the explorer appears."""


def with_first(opened: Source, make_source: MakeSource) -> MakeSource:
    ready = [opened]
    return lambda: ready.pop() if ready else make_source()


def source_maker(
    settings: Settings,
    paths: list[Path],
    wanted: list[str],
    *,
    links: Sequence[str] = (),
    demo: str,
    log: str | None,
    label: str = "",
    grace: float | None = None,
) -> MakeSource:
    """`label` says of what a file is a copy, if it is one. `links` lead to shared conversations.
    For `grace` see `server_source`."""
    if links:
        return shared_maker(links, call_log(log))
    if paths:
        indexes = _indexes(settings)
        return lambda: file_source.FileSource(paths, wanted=wanted, indexes=indexes, label=label)
    watch = call_log(log)
    if demo:
        make = demo_source if demo == "plain" else partial(demo_source, kind=demo)
        return lambda: make(watch)
    return lambda: server_source(settings, watch, grace=grace)


def _indexes(settings: Settings) -> file_indexes.FileIndexes | None:
    folder = settings.cache_folder
    return file_indexes.FileIndexes(folder) if folder and settings.cache_limit else None


def keep_copies(settings: Settings) -> None:
    """Has packed files unpacked in the cache, or without one in a temporary folder, and says so.
    At exit the cache is cut to its limit."""
    folder, limit, named = settings.cache_folder, settings.cache_limit, os.environ.get(copies.PLACE)
    unpacking_progress.tell()
    if not (folder and limit):
        os.environ[copies.PLACE] = str(copies.temporary())
        return
    place = expanded(named, os.environ) if named else folder / KEPT["copies"].path
    if named:
        _require_place(place)
    os.environ[copies.PLACE] = str(place)
    atexit.register(_keep_to_limit, place, folder, limit)


def _require_place(place: Path) -> None:
    """Raises Problem if nothing can be unpacked in the folder that the user named."""
    try:
        locked_dirs.require_private(place)
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        is_folder = error.errno not in (errno.EEXIST, errno.ENOTDIR)
        told = f"nothing can be written there: {os.strerror(error.errno or 0).lower()}"
        raise Problem(
            f"{copies.PLACE} names {safe_line(str(place))}, but "
            + (told if is_folder else "that is not a folder"),
            "name a folder of yours, or unset it to unpack files in the cache",
        ) from error


def _keep_to_limit(place: Path, folder: Path, limit: int) -> None:
    if place.is_dir():
        locked_dirs.release()
        cache_limit.make_room(folder, 0, limit)


def call_log(path: str | None) -> CallLog | None:
    return CallLog(path_of(path)) if path else None


def demo_source(
    log: CallLog | None = None, kind: str = "plain", now: datetime | None = None
) -> Source:
    """The demo of that kind. With `now`, an aware datetime, its clock stands still there."""
    made = demo.Demo(now, shows="odd" if kind == "odd" else "showcase")
    # The real server limits calls because it has many users; this one has a single user.
    made.rate_limited = False
    seed = os.environ.get("OH_TUI_DEMO_SEED", "")
    asgi = made.app_like(kind, int(seed) if seed.isdecimal() else None)
    label = DEMO if kind == "plain" else DEMO.replace("demo", f"{kind} demo", 1)
    if kind in ("agent", "canvas"):
        alone = bare_server.BareAgentServer(made.base_url, app=asgi, watch=log)
        known = made.last_known
        label = AGENT_DEMO if kind == "agent" else label
        return agent_server.AgentServerSource(alone, label, made.opening, last_known=known)
    api = app_server.AppServer(made.base_url, app=asgi, watch=log)
    return server.ServerSource(api, label, made.opening, last_known=made.last_known)


def shared_maker(words: Sequence[str], log: CallLog | None = None) -> MakeSource:
    """Makes the source of the shared conversations that the links lead to. No key is looked up for
    it. Raises Problem for a link that leads nowhere."""
    links = [read_shared_link(word) for word in words]
    address = shared_source.of_one_server(links)
    return lambda: _shared_source(address, links, log)


def _shared_source(address: str, links: Sequence[SharedLink], log: CallLog | None) -> Source:
    if address != DEMO_SHARES:
        api = shared_server.SharedServer(address, watch=log)
        return shared_source.SharedSource(api, links)
    made = demo.Demo()
    made.rate_limited = False
    api = shared_server.SharedServer(address, app=made.app, watch=log)
    return shared_source.SharedSource(api, links, label=f"shared in the {DEMO}", web=False)


def demo_link() -> str:
    return f"{DEMO_SHARES}{SHARED}/{demo.shared_id()}"


def of_one_server(name: str, settings: Settings, on: str | None) -> tuple[Settings, str]:
    """Of several servers that which a command is about that is for one, and its name: `on`, the
    first for "". Raises Problem where none is named."""
    names = [one for one, _ in settings.several]
    if on is None:
        raise Problem(f"{name} is for one server", f"oh-tui {name} --server {names[0]}")
    if on and on not in names:
        raise Problem(f"There is no {clean_line(on)} among them", f"--on {' or '.join(names)}")
    on = on or names[0]
    chosen = dict(settings.several)[on]
    if isinstance(chosen, Problem):
        raise chosen
    remarks.say(f"{name}s on {on}")
    return chosen, on


def _several_source(settings: Settings, log: CallLog | None, grace: float | None) -> Source:
    """The servers of a list, each once. May run commands of keys, one after the other."""
    opened: dict[str, Source | Problem] = {}
    seen: dict[str, str] = {}  # by address the origin of the key
    for name, one in settings.several:
        try:
            if isinstance(one, Problem):
                raise one
            if not one.has_key:
                raise Problem("there is no key for it", "set OPENHANDS_API_KEY")
            source = server_source(one, log)
        except Problem as problem:
            opened[name] = problem
            continue
        addresses = {canvas.normal(source.address)} if source.address else set[str]()
        if isinstance(source, canvas.CanvasSource):
            addresses |= {*source.canvas.addresses}
        keys = {seen[address] for address in addresses & seen.keys()}
        if not keys:
            opened[name] = source
        elif isinstance(source, server.ServerSource) and one.key_from not in ("", *keys):
            # of an agent server two keys show the same; of an app server maybe two accounts
            told = "another one of the list has its address, with another key"
            opened[name] = Problem(told, f"oh-tui --server {name}")
        seen = dict.fromkeys(addresses, one.key_from) | seen
    return several.Several(opened, grace)


def server_source(
    settings: Settings, log: CallLog | None = None, *, grace: float | None = None
) -> Source:
    """What the settings name: a server or several, the demo or this machine. May run the command of
    a key, or look for Canvas. Of several, those that are slower than the first by `grace` seconds
    come later. Raises NoKey where Canvas was looked for in vain."""
    if settings.several:
        return _several_source(settings, log, grace)
    if settings.server == DEMO_SERVER:
        return demo_source(log)
    if settings.server == LOCAL:
        return this_machine.ThisMachine(settings.own_runs)
    if settings.canvas:
        return _canvas_source(settings, settings.canvas, log)
    key, address, auth = fetch_key(settings), settings.base_url, settings.auth
    has_command = any(one.command for one in settings.headers)
    again = partial(fetch_headers, settings) if has_command else None
    headers = connections.Headers(fetch_headers(settings), again) if settings.headers else None

    def alone() -> bare_server.BareAgentServer:
        return bare_server.BareAgentServer(address, key=key, auth=auth, headers=headers, watch=log)

    if settings.kind == "agent":
        return agent_server.AgentServerSource(alone(), settings.label, address=address)
    api = app_server.AppServer(address, key=key, auth=auth, headers=headers, watch=log)
    folder, limit = settings.cache_folder, settings.cache_limit
    kept = run_cache.RunCache(folder, address, limit) if folder and limit else None
    return server.ServerSource(
        api,
        settings.label,
        address=address,
        cache=kept,
        alone=None if settings.kind or address == CLOUD else alone,
    )


def _canvas_source(settings: Settings, files: CanvasFiles, log: CallLog | None) -> Source:
    if opened := canvas.open_canvas(files, log):
        return opened
    if settings.is_looked_for:
        raise NoKey(files.skipped)
    raise Problem(
        "Canvas does not run on this machine, and has left no runs",
        "start it (agent-canvas); one elsewhere goes by its address: oh-tui --server URL",
    )


async def with_source(
    make_source: MakeSource, work: Callable[[Source], Coroutine[object, object, T]]
) -> T:
    """Does the work with the source, and closes it. A server may turn out at the first call to be
    of another kind: nothing is done by then, and the work begins again."""
    source = make_source()
    try:
        try:
            return await work(source)
        except OtherKind as told:
            make_other = server.of_other_kind(source, told)
            await source.close()
            source = make_other()
            return await work(source)
    finally:
        await source.close()


def open_files(settings: Settings, paths: list[Path]) -> tuple[file_source.FileSource | None, bool]:
    """The source for a single file, None for several, and whether it is open when the explorer
    appears; the rest of a large file is listed then, and a large archive is unpacked then, where
    Esc ends that. Raises Problem when none of the paths can be opened, while there is still a
    shell to print it."""
    if not paths:
        return None, False

    def is_large(path: Path) -> bool:
        return path.is_file() and path.stat().st_size > LARGE

    found = table.find_files(paths)
    if len(found) == 1:
        path = found[0]
        source = file_source.FileSource(paths, indexes=_indexes(settings))
        if not (is_large(path) and table.is_archive_of_runs(path)):
            source.begin()
        return source, not is_large(path)
    problems: list[Problem] = []
    for path in found:
        try:
            if not is_large(path):
                table.open_runs(path).close()
            return None, False
        except Problem as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return None, False


class CallLog:
    """`--log FILE`: a line for each call to a server, without keys, queries and bodies, in a file
    that the owner alone can read. Raises Problem when it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._append("")

    def __call__(self, method: str, url: str, status: int | None, seconds: float) -> None:
        """Logs one attempt of a call; `url` has no query, `status` is None without an answer."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._append(
            f"{now}  {method:<5} {safe_line(url)[:2_000]}  {status or 'no answer'}  "
            f"{seconds * 1000:.0f} ms\n"
        )

    def _append(self, text: str) -> None:
        try:
            # a pipe that nobody reads must not block
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, text.encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "no such name").lower()
            raise Problem(
                f"Cannot write the log {clean_line(str(self._path))}: {reason}",
                "choose another file",
            ) from error

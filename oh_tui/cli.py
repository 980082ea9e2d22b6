"""The command line: reads the words, opens the source they name, runs the explorer or a command.

The explorer, the service layer and the demo are imported as modules, and executed when they are
needed (`oh_tui.lazy`), so that commands on files start at once.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oh_tui import demo
from oh_tui.api import app_server, bare_server
from oh_tui.api.errors import OtherKind
from oh_tui.api.models import CLOUD
from oh_tui.commands import MakeSource
from oh_tui.commands.shared import acting, calllog, failing, printing, reference, remedies, web
from oh_tui.commands.shared.command import Call, Command, path_of
from oh_tui.commands.shared.endings import INTERRUPTED, OK, Ended, signals_end_work
from oh_tui.commands.shared.ids import (
    WHOLE,
    find,
    is_address,
    is_file_address,
    is_path,
    not_files,
    require_id,
    split_place,
)
from oh_tui.commands.shared.parsing import read_words
from oh_tui.settings.config import DEMO as DEMO_SERVER
from oh_tui.settings.config import LOCAL, ExplorerNames
from oh_tui.settings.startup import Settings, choose, fetch_key, read_settings
from oh_tui.sources import agent_server, file_indexes, files, prefetch, server, this_machine
from oh_tui.sources.lists import conversation_query
from oh_tui.sources.runs import cache
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import table
from oh_tui.tui import app, keys

if TYPE_CHECKING:
    from oh_tui.sources.source import Source

T = TypeVar("T")

DEMO = "demo, made-up data: nothing leaves this machine"
AGENT_DEMO = "agent server demo: made-up data, nothing leaves this machine"

OWN_RUNS = "Your own runs: set OPENHANDS_API_KEY and run oh-tui, or: oh-tui open FILE.zip"

LARGE = 8_000_000
"""Bytes up to which a file is open by the time the explorer appears."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs oh-tui and returns the exit code. An error is printed as one line and a hint."""
    # Spares the three garbage collections that Python runs at exit.
    atexit.register(gc.freeze)
    try:
        # A terminal that lacks a character gets a question mark instead of an error.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        code = _run(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout:
            sys.stdout.flush()
        return code
    except Problem as problem:
        return failing.problem(problem)
    except Ended as ended:
        if not ended.goes_on:
            return ended.code
        return failing.say(f"interrupted; {ended.goes_on}", "", ended.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough; flushing the rest at exit must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return failing.os_error(error)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return failing.bug(error)


def _run(words: list[str]) -> int:
    try:
        name, command, args = read_words(words)
    except SystemExit:  # --help or --version has printed
        return OK
    if getattr(args, "print_completion", ""):
        print(reference.completion(args.print_completion))
        return OK
    targets: list[str] = getattr(args, "words", None) or [getattr(args, "word", None) or ""]
    files_named: list[str] = getattr(args, "paths", [])
    if command.wants == "run":
        # a command on several runs opens the files among them by itself
        ids = [word for word in targets if not is_path(word)]
        targets, files_named = (ids, files_named) if ids else ([""], targets)
    places = [split_place(word) for word in files_named]
    paths, wanted = [path_of(path) for path, _ in places], [run for _, run in places]
    for word in filter(is_path, targets if command.on_server else ()):
        raise Problem(
            f"{name} is for conversations on a server, and {clean_line(word)} is a file",
            f"oh-tui conversations lists them; of files: oh-tui {name} --help",
        )
    if args.server == "":
        raise Problem("--server was given nothing", "leave it out for OpenHands Cloud")
    if args.demo and (paths or args.server):
        raise Problem("--demo shows made-up data alone", "leave it out to see files or a server")
    local = args.demo or bool(paths)
    is_ascii = args.ascii or _says_c(os.environ)
    explores = name in ("", "open")
    if command.reads_settings:
        settings = read_settings(
            os.environ,
            server=args.server,
            ascii=is_ascii,
            read_only=args.read_only,
            no_state=args.no_state,
            no_library=args.no_library,
            local=local,
            known=_known if explores else None,
            uses=None if explores else command.uses(local=local),
        )
    else:
        settings = Settings(ascii=is_ascii)
    words_of_several = [word for word in getattr(args, "words", ()) if is_file_address(word)]
    addresses = [place for place, _ in (*places, *map(split_place, words_of_several))]
    copies = {
        address: web.local_copy(address, settings, yes=args.yes)
        for address in filter(is_address, dict.fromkeys(addresses))
    }
    if words_of_several:
        args.words = [_in_copy(word, copies) for word in args.words]
    paths = [copies.get(word, path) for (word, _), path in zip(places, paths, strict=True)]
    if command.wants == "change":
        acting.require_writable(name, settings, by_flag=args.read_only)
    if command.on_server and settings.server == LOCAL:
        raise Problem(f"{name} asks a server, and local is a folder", "name another with --server")
    here = "" if args.demo else settings.base_url
    identifiers = [require_id(word, here) if word else "" for word in targets]
    if explores and _has_terminal() and len(places) == 1:
        # the others are listed beside the one that is named
        identifiers, wanted = wanted, [""]
    make_source = _source_maker(settings, paths, wanted, demo=args.demo, log=args.log)
    has_key = local or settings.has_key
    if explores and _has_terminal():
        return _explore(args, settings, make_source if has_key else None, identifiers[0], paths)
    if not has_key and command.wants != "nothing":
        if told := not_files(getattr(args, "no_files", ())):
            printing.say(told)
        raise _no_key()
    for caution in settings.cautions:
        print(f"oh-tui: {caution}", file=sys.stderr)
    style = printing.style_of_stdout(os.environ, ascii=settings.ascii, times=args.time)
    call = Call(args, settings, style, identifiers, explorer_names=_known)
    call.paths = paths
    call.ask_server = partial(_ask_server, settings, make_source, log=args.log)
    return _carry_out(command, call, make_source, on_files=bool(paths))


def _in_copy(word: str, copies: Mapping[str, Path]) -> str:
    """A word that names a run, with the copy in place of the address."""
    address, run = split_place(word)
    return f"{copies[address]}{'#' if run else ''}{run}" if address in copies else word


def _carry_out(command: Command, call: Call, make_source: MakeSource, *, on_files: bool) -> int:
    async def work() -> int:
        if command.wants == "nothing":
            return await command.run(call)

        async def run(source: Source) -> int:
            call.opened = source
            if "-" in vars(call.args).values() and isinstance(source, server.ServerSource):
                await source.require_kind()  # standard input is read once
            return await command.run(call)

        try:
            return await _with_source(make_source, run)
        except Problem as problem:
            problem.hint = remedies.worded(problem.hint, call.about)
            raise

    # What a command creates lives as long as the command: few collections.
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    with signals_end_work() as codes:
        try:
            follows = getattr(call.args, "follow", False)
            if (on_files and not follows) or command.wants == "nothing":
                return _run_through(work())
            return asyncio.run(work())
        except KeyboardInterrupt:
            raise Ended(codes[0] if codes else INTERRUPTED, call.goes_on) from None


def _no_key() -> Problem:
    return Problem(
        "There is no key for OpenHands Cloud",
        f"make one at {CLOUD}/settings/api-keys and set OPENHANDS_API_KEY; without one: "
        "oh-tui --demo, oh-tui open PATH",
    )


def _ask_server(
    settings: Settings,
    make_source: MakeSource,
    name: str,
    work: Callable[[Source], Coroutine[Any, Any, T]],
    *,
    log: str | None,
) -> T:
    """See `Call.ask_server`."""
    chosen = choose(settings, name, os.environ) if name else settings
    if not chosen.has_key:
        raise _no_key()
    if name:
        make_source = partial(_server_source, chosen, _call_log(log))
    return asyncio.run(_with_source(make_source, work))


def _run_through(work: Coroutine[Any, Any, int]) -> int:
    """Runs a command that waits for nothing, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return int(done.value)
    raise AssertionError("a command on files waits for nothing")


def _explore(
    args: Any,
    settings: Settings,
    make_source: MakeSource | None,
    identifier: str,
    paths: list[Path],
) -> int:
    if args.filter:
        conversation_query.parse(args.filter)  # wrong words are said in the shell
    if make_source and not paths and 0 < len(identifier) < WHOLE:
        identifier = _whole_id(make_source, identifier)
    opened, at_once = _opened(settings, paths)
    if make_source and opened:
        make_source = _first(opened, make_source)
    # Nothing becomes garbage before the first paint; the screen enables collecting again.
    gc.disable()
    # Textual redraws after one to two frames, and a key needs two redraws: the row under the
    # cursor, then its step. At the default of 60 the step appeared 25 to 50 ms after the key.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    if opened and at_once:
        opened.conversations()  # raises its problems while there is still a shell to print them
    watch = _call_log(args.log)
    code = app.run_app(
        make_source,
        settings,
        open_id=identifier,
        at=args.at,
        sort=args.sort or "",
        filter=args.filter or "",
        at_once=at_once,
        demo=demo_source,
        connect=lambda chosen: _server_source(chosen, watch),
    )
    if args.demo and code == OK:
        print(OWN_RUNS)
    return code


def _first(opened: Source, make_source: MakeSource) -> MakeSource:
    """Makes the source that is open already, then new ones."""
    ready = [opened]
    return lambda: ready.pop() if ready else make_source()


def _source_maker(
    settings: Settings, paths: list[Path], wanted: list[str], *, demo: str, log: str | None
) -> MakeSource:
    if paths:
        return lambda: files.FileSource(paths, wanted=wanted, indexes=_indexes(settings))
    watch = _call_log(log)
    if demo:
        kind = {} if demo == "plain" else {"kind": demo}
        return lambda: demo_source(watch, **kind)
    return lambda: _server_source(settings, watch)


def _indexes(settings: Settings) -> file_indexes.FileIndexes | None:
    folder = settings.cache_folder
    return file_indexes.FileIndexes(folder) if folder and settings.cache_limit else None


def _call_log(path: str | None) -> calllog.CallLog | None:
    return calllog.CallLog(path_of(path)) if path else None


def demo_source(log: calllog.CallLog | None = None, kind: str = "plain") -> Source:
    """A new embedded server."""
    made = demo.make_demo(shows="odd" if kind == "odd" else "showcase")
    # The real server limits calls because it has many users; this one has a single user.
    made.rate_limited = False
    seed = os.environ.get("OH_TUI_DEMO_SEED", "")
    asgi = made.app_like(kind, int(seed) if seed.isdecimal() else None)
    label = DEMO if kind == "plain" else DEMO.replace("demo", f"{kind} demo", 1)
    if kind == "agent":
        alone = bare_server.BareAgentServer(made.base_url, app=asgi, watch=log)
        known = made.last_known
        return agent_server.AgentServerSource(alone, AGENT_DEMO, made.opening, last_known=known)
    api = app_server.AppServer(made.base_url, app=asgi, watch=log)
    return server.ServerSource(api, label, made.opening, last_known=made.last_known)


def _server_source(settings: Settings, log: calllog.CallLog | None = None) -> Source:
    """The server that the settings name, or the demo or this machine in its place. May run the
    command that prints the key."""
    if settings.server == DEMO_SERVER:
        return demo_source(log)
    if settings.server == LOCAL:
        return this_machine.ThisMachine(settings.own_runs)
    key, address = fetch_key(settings), settings.base_url

    def alone() -> bare_server.BareAgentServer:
        return bare_server.BareAgentServer(address, key=key, auth=settings.auth, watch=log)

    if settings.kind == "agent":
        return agent_server.AgentServerSource(alone(), settings.label, address=address)
    api = app_server.AppServer(address, key=key, auth=settings.auth, watch=log)
    folder, limit = settings.cache_folder, settings.cache_limit
    kept = cache.RunCache(folder, address, limit) if folder and limit else None
    return server.ServerSource(
        api,
        settings.label,
        address=address,
        cache=kept,
        alone=None if settings.kind or address == CLOUD else alone,
    )


def _known() -> ExplorerNames:
    """The names of keys and themes, which the explorer defines."""
    return keys.known()


def _whole_id(make_source: MakeSource, start: str) -> str:
    async def ask(source: Source) -> str:
        return (await find(source, start)).id

    return asyncio.run(_with_source(make_source, ask))


async def _with_source(
    make_source: MakeSource, work: Callable[[Source], Coroutine[Any, Any, T]]
) -> T:
    """Does the work with the source, and closes it. A server may turn out at the first call to be
    of another kind: nothing is done by then, and the work begins again."""
    source = make_source()
    try:
        try:
            return await work(source)
        except OtherKind:
            make_other = server.of_other_kind(source)
            if make_other is None:
                raise
            await source.close()
            source = make_other()
            return await work(source)
    finally:
        await source.close()


def _opened(settings: Settings, paths: list[Path]) -> tuple[files.FileSource | None, bool]:
    """The source for a single file, None for several, and whether it is open when the explorer
    appears; a large file is opened meanwhile. Raises Problem when none of the paths can be
    opened, while there is still a shell to print it."""
    if not paths:
        return None, False

    def is_large(path: Path) -> bool:
        return path.is_file() and path.stat().st_size > LARGE

    def is_zip(path: Path) -> bool:
        return path.is_file() and table.head_of(path)[0][:2] == b"PK"

    found = table.find_files(paths)
    if len(found) == 1:
        path = found[0]
        if is_zip(path) and path.stat().st_size > prefetch.WORTH_IT:
            return files.FileSource(paths, {path: prefetch.begin(path)}), not is_large(path)
        source = files.FileSource(paths, indexes=_indexes(settings))
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


def _says_c(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for the C locale. Python has made C.UTF-8 of it by now
    (PEP 538), which is right only where the environment says nothing."""
    locale = environment.get("LC_ALL") or environment.get("LANG")
    return bool(sys.flags.utf8_mode) and locale in ("C", "POSIX")


def _has_terminal() -> bool:
    """Whether the explorer can read keys on stdin, get a size from stdout and draw on stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(s is not None and s.isatty() for s in streams)

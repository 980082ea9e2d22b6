"""The command line: reads the words and runs the explorer or a command.

The explorer, the service layer and the demo are imported as modules, here and in `opening`, and
executed when they are needed (`oh_tui.lazy`), so that commands on files start at once.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from oh_tui import conversation
from oh_tui.api.models import CLOUD
from oh_tui.batch.reports import one_run
from oh_tui.catalog import conversation_query, file_names
from oh_tui.catalog.links import read_shared_link
from oh_tui.catalog.names import WHOLE
from oh_tui.cli import opening
from oh_tui.commands import MakeSource
from oh_tui.commands.framework import (
    acting,
    failing,
    masking,
    printing,
    reference,
    standard_input,
    unpacking_progress,
)
from oh_tui.commands.framework.command import Call, Command, path_of
from oh_tui.commands.framework.exit_codes import INTERRUPTED, OK, Ended, signals_end_work
from oh_tui.commands.framework.parsing import read_words
from oh_tui.commands.framework.run_words import (
    STDIN,
    is_address,
    is_file_address,
    is_path,
    is_shared,
    is_stdin,
    split_place,
)
from oh_tui.settings.config import LOCAL, ExplorerNames
from oh_tui.settings.startup import NoKey, Settings, choose, read_settings
from oh_tui.sources import server
from oh_tui.sources import several as several_servers
from oh_tui.sources.source import Source
from oh_tui.text import remarks
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem, worded
from oh_tui.tui import app, keys
from oh_tui.tui.platform import daemon_threads, textual_app

T = TypeVar("T")

GRACE = 0.4
"""Seconds that the explorer waits for slower servers of a list; their rows come when they come."""

OWN_RUNS = "Your own runs: set OPENHANDS_API_KEY and run oh-tui, or: oh-tui open FILE.zip"


def after_demo() -> str:
    return f"{OWN_RUNS}\nWhat others share: oh-tui {opening.demo_link()}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs oh-tui and returns the exit code. An error is printed as one line and a hint."""
    # Spares the three garbage collections that Python runs at exit.
    atexit.register(gc.freeze)
    for name in ("COLUMNS", "LINES"):
        if not _is_size(os.environ.get(name, "")):
            os.environ.pop(name, None)
    with masking.masking(), signals_end_work() as codes:
        code = _code_of(sys.argv[1:] if argv is None else list(argv), codes)
        for stream in (sys.stdout, sys.stderr):
            _let_go(stream)
    return code


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) <= 10_000


def _code_of(words: list[str], signalled: Sequence[int]) -> int:
    """Runs oh-tui; its exit code, that of a signal if one ended it."""
    try:
        # A terminal that lacks a character gets a question mark instead of an error.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        code = _run(words)
        if sys.stdout:
            sys.stdout.flush()
        return code
    except Problem as problem:
        failing.form_of(words)
        return failing.problem(problem)
    except KeyboardInterrupt as ended:
        code = signalled[0] if signalled else INTERRUPTED
        goes_on = ended.goes_on if isinstance(ended, Ended) else ""
        if not goes_on:
            return code
        failing.form_of(words)
        return failing.say(f"interrupted; {goes_on}", "", code)
    except BrokenPipeError:
        return OK  # the reader has seen enough
    except OSError as error:
        failing.form_of(words)
        return failing.os_error(error)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        failing.form_of(words)
        return failing.bug(error)


def _let_go(stream: TextIO | None) -> None:
    """Drops what a stream cannot write, for Python would try again at its exit and say so."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
    unread = [word for word in files_named if is_address(word) and not is_shared(word)]
    for word in (*unread, *filter(is_file_address, targets)):
        raise Problem(
            f"{clean_line(word)} is a file on the web, and oh-tui reads those that are here",
            "download it, then open it: curl -LO ADDRESS",
        )
    if command.wants == "run":
        # a command on several runs opens the files among them by itself
        asks_server = bool(args.server or args.demo)
        ids = [word for word in targets if not is_path(word, asks_server=asks_server)]
        targets, files_named = (ids, files_named) if ids else ([""], targets)
    links = [word for word in files_named if is_shared(word)]
    places = [split_place(word) for word in files_named if word not in links]
    paths, wanted = [path_of(path) for path, _ in places], [run for _, run in places]
    several = getattr(args, "words", None)
    if links and places and not several:
        raise Problem(
            "A shared conversation and a file are not opened at once", "oh-tui compare reads both"
        )
    on_server = partial(is_path, asks_server=True)
    for word in filter(on_server, targets if command.on_server else ()):
        if is_shared(word):
            raise Problem(
                f"{name} is not for a shared link, which can only be read: {clean_line(word)}",
                "a conversation of yours goes by its id",
            )
        raise Problem(
            f"{name} is for conversations on a server, but {clean_line(word)} is a file",
            f"oh-tui conversations lists them; of files: oh-tui {name} --help",
        )
    if args.server == "":
        raise Problem("--server is empty", "leave it out for OpenHands Cloud")
    shares_all = all(word.startswith(opening.DEMO_SHARES) for word in links)
    if args.demo and (paths or args.server or not shares_all):
        raise Problem("--demo shows made-up data only", "leave it out to see files or a server")
    local = args.demo or bool(paths or links)
    is_ascii = args.ascii or _says_c(os.environ)
    explores = name in ("", "open")
    draws = explores and not args.plain and _has_terminal()
    reads_files = bool(paths) or any(map(is_path, targets))
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
            uses=None if explores else command.uses(local=local) + ("cache",) * reads_files,
        )
    else:
        settings = Settings(ascii=is_ascii)
    on = ""
    if settings.several and command.of_one_server:
        settings, on = opening.of_one_server(name, settings, getattr(args, "on", None))
    if reads_files:
        opening.keep_copies(settings)
    words_of_several = [word for word in several or () if is_stdin(word)]
    if words_of_several or any(place == STDIN for place, _ in places):
        copy = standard_input.copy_of_stdin()
        file_names.stands_for(copy, STDIN, file_names.STANDARD_INPUT)
        if several:
            args.words = [
                f"{copy}{word.removeprefix(STDIN)}" if is_stdin(word) else word for word in several
            ]
        paths = [
            copy if place == STDIN else path for (place, _), path in zip(places, paths, strict=True)
        ]
    if command.wants == "change":
        acting.require_writable(name, settings, by_flag=args.read_only)
    if command.on_server and settings.server == LOCAL:
        raise Problem(f"{name} needs a server; `local` is a folder", "name another with --server")
    # a web address names its server
    of_cloud = settings.is_looked_for and any(one.startswith(f"{CLOUD}/") for one in targets)
    here = "" if args.demo else CLOUD if of_cloud else settings.base_url or settings.server
    addresses = [one.base_url for _, one in settings.several if isinstance(one, Settings)]
    identifiers = [
        one_run.require_id(word, one_run.one_of(addresses, word) or here) if word else ""
        for word in targets
    ]
    if draws and len(places) == 1:
        # the others are listed beside the one that is named
        identifiers, wanted = wanted, [""]
    if links and draws:
        identifiers = [read_shared_link(links[0]).id]
    if several:
        links = links[:1]  # such a command opens its links by itself
    label = file_names.STANDARD_INPUT if [place for place, _ in places] == [STDIN] else ""
    grace = GRACE if draws else None
    make_source = opening.source_maker(
        settings, paths, wanted, links=links, demo=args.demo, log=args.log, label=label, grace=grace
    )
    has_key = local or (settings.has_key and not of_cloud)
    if draws:
        return _explore(args, settings, make_source if has_key else None, identifiers[0], paths)
    if not has_key and not command.wants_nothing(args):
        _say_no_files(args)
        raise NoKey
    for caution in settings.cautions:
        print(f"oh-tui: {caution}", file=sys.stderr)
    style = printing.style_of_stdout(
        os.environ, ascii=settings.ascii, times=args.time, head=args.header
    )
    call = Call(
        args=args,
        settings=settings,
        style=style,
        identifiers=identifiers,
        server=args.server or "",
        on=on,
        branch=getattr(args, "branch", None),
        explorer_names=_known,
    )
    call.paths = paths
    call.open_shared = lambda link: opening.shared_maker([link], opening.call_log(args.log))()
    call.ask_server = partial(_ask_server, settings, make_source, log=args.log)
    return _carry_out(name, command, call, make_source, on_files=bool(paths))


def _carry_out(
    name: str, command: Command, call: Call, make_source: MakeSource, *, on_files: bool
) -> int:
    async def work() -> int:
        if command.wants_nothing(call.args):
            return await command.run(call)

        async def run(source: Source) -> int:
            call.opened = source
            reads_stdin = "-" in vars(call.args).values()
            if source.members and call.identifier and len(call.identifiers) == 1:
                await _go_on_with_holder(name, command, call)
                try:
                    return await command.run(call)
                except several_servers.HeldElsewhere:
                    if reads_stdin:  # it is read once
                        raise
                call.opened = source
                await _go_on_with_holder(name, command, call)
            if reads_stdin and isinstance(source, server.ServerSource):
                await source.require_kind()
            return await command.run(call)

        try:
            return await opening.with_source(make_source, run)
        except NoKey:
            _say_no_files(call.args)
            raise
        except Problem as problem:
            problem.hint = worded(problem.hint, problem.about or call.about)
            raise

    # What a command creates lives as long as the command: few collections.
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    try:
        if on_files or command.wants_nothing(call.args):
            return _on_files(work(), waits=command.serves or getattr(call.args, "follow", False))
        return asyncio.run(work())
    except KeyboardInterrupt:
        raise Ended(call.goes_on) from None


async def _go_on_with_holder(name: str, command: Command, call: Call) -> None:
    """Finds the only conversation of a command among several servers. What follows is asked and
    done where it is, with the settings of that server."""
    one = await one_run.find(call.source, call.identifier)
    call.opened, call.settings = call.source.holder(one), call.settings.of(one.server)
    call.on = call.server = one.server
    call.identifiers = [conversation.bare_id(one.id)]
    if command.wants == "change":
        acting.require_writable(name, call.settings, by_flag=call.args.read_only)


def _say_no_files(args: Any) -> None:
    if told := getattr(args, "no_files", ""):
        remarks.say(told)


async def _ask_server(
    settings: Settings,
    make_source: MakeSource,
    name: str,
    work: Callable[[Source], Coroutine[object, object, T]],
    *,
    log: str | None,
) -> T:
    """See `Call.ask_server`."""
    chosen = dict(settings.several).get(name, settings)
    if isinstance(chosen, Problem):
        raise chosen
    if name and chosen is settings:
        chosen = choose(settings, name, os.environ)
    if not chosen.has_key:
        raise NoKey
    if name:
        make_source = partial(opening.server_source, chosen, opening.call_log(log))
    return await opening.with_source(make_source, work)


def _on_files(work: Coroutine[object, object, int], *, waits: bool) -> int:
    """Runs a command that does not wait for the threads that read. One that reads for seconds
    between two awaits is ended by ctrl+c where it is. One that mostly `waits` is cancelled at its
    await, as by `asyncio.run`: an interrupt in the middle of a library's own work may leave its
    tasks in a state in which they never end."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.set_default_executor(daemon_threads.DaemonThreads())
        return runner.run(work) if waits else loop.run_until_complete(work)


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
        with contextlib.suppress(NoKey):  # the explorer says so
            identifier = _whole_id(make_source, identifier)
    opened, at_once = opening.open_files(settings, paths)
    if paths:
        unpacking_progress.tell_nothing()
    if make_source and opened:
        make_source = opening.with_first(opened, make_source)
    # Nothing becomes garbage before the first paint; the screen enables collecting again.
    gc.disable()
    # Textual redraws after one to two frames, and a key needs two redraws: the row under the
    # cursor, then its step. At the default of 60 the step appeared 25 to 50 ms after the key.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    if opened and at_once:
        opened.conversations()  # raises its problems while there is still a shell to print them
    watch = opening.call_log(args.log)
    textual_app.load()
    code = app.run_app(
        make_source,
        settings,
        open_id=identifier,
        at=args.at,
        sort=args.sort or "",
        filter=args.filter or "",
        at_once=at_once,
        demo=opening.demo_source,
        connect=lambda chosen: opening.server_source(chosen, watch, grace=GRACE),
        shared=lambda link: opening.shared_maker([link], watch),
    )
    if args.demo and code == OK:
        print(after_demo())
    return code


def _known() -> ExplorerNames:
    return keys.known()


def _whole_id(make_source: MakeSource, start: str) -> str:
    async def ask(source: Source) -> str:
        return (await one_run.find(source, start)).id

    return asyncio.run(opening.with_source(make_source, ask))


def _says_c(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for the C locale. Python has made C.UTF-8 of it by now
    (PEP 538), which is right only where the environment says nothing."""
    locale = environment.get("LC_ALL") or environment.get("LANG")
    return bool(sys.flags.utf8_mode) and locale in ("C", "POSIX")


def _has_terminal() -> bool:
    """Whether the explorer can read keys on stdin, get a size from stdout and draw on stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(s is not None and s.isatty() for s in streams)

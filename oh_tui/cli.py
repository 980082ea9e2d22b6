"""The command line: reads the words, makes the source they mean, starts the explorer or a command.

Nothing heavy is imported at the top: the explorer, the service layer and the demo are loaded when
the words ask for them, so that commands on files start at once.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oh_tui.api.models import CLOUD
from oh_tui.commands.shared.command import Call, Command, path_of
from oh_tui.commands.shared.endings import INTERRUPTED, Ended, heeded
from oh_tui.commands.shared.ids import WHOLE, find, is_path, require_id
from oh_tui.commands.shared.parsing import read_words
from oh_tui.settings.config import DEMO as DEMO_SERVER
from oh_tui.settings.config import LOCAL
from oh_tui.settings.startup import Settings, fetch_key, read_settings
from oh_tui.text.clean import clean, clean_line, redact
from oh_tui.text.problem import Problem, Refused

if TYPE_CHECKING:
    from oh_tui.commands import MakeSource
    from oh_tui.commands.shared.calllog import CallLog
    from oh_tui.settings.config import ExplorerNames
    from oh_tui.sources.files import FileSource
    from oh_tui.sources.source import Source

OK, REFUSED, WRONG_USE = 0, 1, 2
"""Exit codes; 3 is a command's own: a check found defects. See also `INTERRUPTED`."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What no other use of the command would help against."""

DEMO = "demo, made-up data: nothing leaves this machine"

OWN_RUNS = "Your own runs: set OPENHANDS_API_KEY and run oh-tui, or: oh-tui open FILE.zip"

LARGE = 8_000_000
"""Bytes up to which a file is open by the time the explorer comes up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs oh-tui and returns the exit code; whatever goes wrong is told in one line and a hint."""
    # At exit Python looks for cycles three times over in all that is left to the system then.
    atexit.register(gc.freeze)
    try:
        # A terminal that lacks a character gets a question mark in its place, not an error.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        code = _run(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout:
            sys.stdout.flush()
        return code
    except Problem as problem:
        return _complain(problem.sentence, problem.hint, _code(problem))
    except Ended as ended:
        if not ended.goes_on:
            return ended.code
        return _complain(f"interrupted; {ended.goes_on}", "", ended.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough; what is still held for it must not fail at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        subject, hint = clean_line(str(error.filename)) if error.filename else "", ""
        if error.errno in _FULL:
            subject = subject or "Cannot write the output"
            hint = "make room, or write elsewhere"
        return _complain(f"{subject}: {why}" if subject else why, hint, REFUSED)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _complain(
            f"This is a bug in oh-tui: {_kind_and_place(error)}",
            "the same words after `python -X dev -m oh_tui` show where it comes from",
            REFUSED,
        )


def _run(words: list[str]) -> int:
    try:
        name, command, asked = read_words(words)
    except SystemExit:  # --help or --version has printed
        return OK
    if getattr(asked, "print_completion", ""):
        from oh_tui.commands.shared.reference import completion

        print(completion(asked.print_completion))
        return OK
    given: list[str] = getattr(asked, "words", None) or [getattr(asked, "word", None) or ""]
    paths = [path_of(word) for word in getattr(asked, "paths", ())]
    if command.wants == "run" and is_path(given[0]):
        given, paths = [""], [path_of(word) for word in given]
    for word in filter(is_path, given if command.on_server else ()):
        raise Problem(
            f"{name} is for conversations on a server, and {clean_line(word)} is a file",
            f"oh-tui conversations lists them; of files: oh-tui {name} --help",
        )
    if asked.server == "":
        raise Problem("--server was given nothing", "leave it out for OpenHands Cloud")
    if asked.demo and (paths or asked.server):
        raise Problem("--demo shows made-up data alone", "leave it out to see files or a server")
    local = asked.demo or bool(paths)
    settings = read_settings(
        os.environ,
        server=asked.server,
        ascii=asked.ascii or _says_c(os.environ),
        read_only=asked.read_only,
        local=local,
        known=_known if name in ("", "open") else None,
    )
    if command.wants == "change" and settings.read_only:
        why, hint = "--read-only", "leave it out"
        if not asked.read_only:
            why, hint = "read_only in the settings file", "set it to false there"
        raise Problem(f"{name} changes something on the server, and {why} forbids that", hint)
    if command.on_server and settings.server == LOCAL:
        raise Problem(f"{name} asks a server, and local is a folder", "name another with --server")
    here = "" if asked.demo else settings.base_url
    identifiers = [require_id(word, here) if word else "" for word in given]
    make_source = _source_maker(settings, paths, demo=asked.demo, log=asked.log)
    has_key = local or settings.has_key
    if name in ("", "open") and _has_terminal():
        return _explore(asked, settings, make_source if has_key else None, identifiers[0], paths)
    if not has_key and command.wants != "nothing":
        raise Problem(
            "There is no key for OpenHands Cloud",
            f"make one at {CLOUD}/settings/api-keys and set OPENHANDS_API_KEY; without one: "
            "oh-tui --demo, oh-tui open PATH",
        )
    from oh_tui.commands.shared.printing import style_of_stdout

    for caution in settings.cautions:
        print(f"oh-tui: {caution}", file=sys.stderr)
    style = style_of_stdout(os.environ, ascii=settings.ascii, times=asked.time)
    call = Call(asked, settings, style, identifiers)
    return _carry_out(command, call, make_source, on_files=bool(paths))


def _carry_out(command: Command, call: Call, make_source: MakeSource, *, on_files: bool) -> int:
    async def work() -> int:
        if command.wants == "nothing":
            return await command.run(call)
        call.opened = make_source()
        try:
            return await command.run(call)
        except Problem as problem:
            from oh_tui.commands.shared.remedies import worded

            problem.hint = worded(problem.hint, call.about)
            raise
        finally:
            await call.source.close()

    # What a command makes lasts as long as the command.
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    with heeded() as codes:
        try:
            if on_files or command.wants == "nothing":
                return _run_through(work())
            import asyncio

            return asyncio.run(work())
        except KeyboardInterrupt:
            raise Ended(codes[0] if codes else INTERRUPTED, call.goes_on) from None


def _run_through(work: Coroutine[Any, Any, int]) -> int:
    """Without a loop: where no server is asked nothing is waited for."""
    try:
        work.send(None)
    except StopIteration as done:
        return int(done.value)
    raise AssertionError("a command on files waits for nothing")


def _explore(
    asked: Any,
    settings: Settings,
    make_source: MakeSource | None,
    identifier: str,
    paths: list[Path],
) -> int:
    if make_source and 0 < len(identifier) < WHOLE:
        identifier = _whole_id(make_source, identifier)
    opened, at_once = _opened(paths)
    if make_source and opened:
        make_source = _first(opened, make_source)
    # Until the first paint all that is made stays; the screen turns collecting on again.
    gc.disable()
    # Textual draws again after one to two of these periods, and a key draws twice: the row under
    # the cursor, then the step that it is. At its own 60 the step came 25 to 50 ms after the key.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    from oh_tui.tui.app import run_app

    if opened and at_once:
        opened.conversations()  # in the shell what went wrong is told best
    watch = _call_log(asked.log)
    code = run_app(
        make_source,
        settings,
        open_id=identifier,
        at=asked.at,
        at_once=at_once,
        demo=demo_source,
        connect=lambda chosen: _server_source(chosen, watch),
    )
    if asked.demo and code == OK:
        print(OWN_RUNS)
    return code


def _first(opened: Source, make_source: MakeSource) -> MakeSource:
    """Gives a source that is open already, and a new one when asked again."""
    ready = [opened]
    return lambda: ready.pop() if ready else make_source()


def _source_maker(
    settings: Settings, paths: list[Path], *, demo: str, log: str | None
) -> MakeSource:
    if paths:
        return lambda: _file_source(paths)
    watch = _call_log(log)
    if demo:
        kind = {} if demo == "plain" else {"kind": demo}
        return lambda: demo_source(watch, **kind)
    return lambda: _server_source(settings, watch)


def _call_log(path: str | None) -> CallLog | None:
    if not path:
        return None
    from oh_tui.commands.shared.calllog import CallLog

    return CallLog(path_of(path))


def demo_source(log: CallLog | None = None, kind: str = "plain") -> Source:
    """The embedded server, made anew: the only place that knows it."""
    from oh_tui.api import AppServer
    from oh_tui.demo import make_demo
    from oh_tui.sources.server import ServerSource

    demo = make_demo(shows="odd" if kind == "odd" else "showcase")
    # Its limit of calls is the real server's, which has many users; this one has one.
    demo.rate_limited = False
    seed = os.environ.get("OH_TUI_DEMO_SEED", "")
    app = demo.app_like(kind, int(seed) if seed.isdecimal() else None)
    api = AppServer(demo.base_url, app=app, watch=log)
    label = DEMO if kind == "plain" else DEMO.replace("demo", f"{kind} demo", 1)
    return ServerSource(api, label, demo.opening, remembered=demo.remembered)


def _file_source(paths: list[Path]) -> Source:
    from oh_tui.sources.files import FileSource

    return FileSource(paths)


def _server_source(settings: Settings, log: CallLog | None = None) -> Source:
    """The server that the settings name, or what stands for one; a command may be asked for the
    key first."""
    if settings.server == DEMO_SERVER:
        return demo_source(log)
    if settings.server == LOCAL:
        from oh_tui.sources.this_machine import ThisMachine

        return ThisMachine(settings.own_runs)
    from oh_tui.api import AppServer
    from oh_tui.sources.cache import RunCache
    from oh_tui.sources.server import ServerSource

    api = AppServer(settings.base_url, key=fetch_key(settings), auth=settings.auth, watch=log)
    folder, limit = settings.cache_folder, settings.cache_limit
    cache = RunCache(folder, settings.base_url, limit) if folder and limit else None
    return ServerSource(api, settings.label, address=settings.base_url, cache=cache)


def _known() -> ExplorerNames:
    """The names of keys and themes; only the explorer has them."""
    from oh_tui.tui.keys import known

    return known()


def _whole_id(make_source: MakeSource, start: str) -> str:
    import asyncio

    async def ask() -> str:
        source = make_source()
        try:
            return (await find(source, start)).id
        finally:
            await source.close()

    return asyncio.run(ask())


def _opened(paths: list[Path]) -> tuple[FileSource | None, bool]:
    """The source for a single file, None for several, and whether it is there when the explorer
    comes up: a larger one is being opened meanwhile, one larger still takes longer than that.
    Raises Problem when nothing in these places can be opened: the shell is the place to say so."""
    if not paths:
        return None, False
    from oh_tui.trajectory.formats.archive import find_archives, open_archive

    def is_large(path: Path) -> bool:
        return path.is_file() and path.stat().st_size > LARGE

    archives = find_archives(paths)
    if len(archives) == 1:
        from oh_tui.sources import ahead
        from oh_tui.sources.files import FileSource

        path = archives[0]
        if path.is_file() and path.stat().st_size > ahead.WORTH_IT:
            return FileSource(paths, {path: ahead.begin(path)}), not is_large(path)
        source = FileSource(paths)
        source.conversations()
        return source, True
    problems: list[Problem] = []
    for path in archives:
        try:
            if not is_large(path):
                open_archive(path).close()
            return None, False
        except Problem as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return None, False


def _says_c(environment: Mapping[str, str]) -> bool:
    """Whether the locale is C because someone said so. Python has made C.UTF-8 of it by now
    (PEP 538), which is right only where nobody said anything."""
    said = environment.get("LC_ALL") or environment.get("LANG")
    return bool(sys.flags.utf8_mode) and said in ("C", "POSIX")


def _has_terminal() -> bool:
    """The explorer reads keys from stdin, asks stdout for its size and draws on stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(s is not None and s.isatty() for s in streams)


def _code(problem: Problem) -> int:
    cause: BaseException = problem
    passed = set[int]()  # causes may form a circle: `raise problem from problem` is one
    while isinstance(cause, Problem) and cause.__cause__ and id(cause) not in passed:
        passed.add(id(cause))
        cause = cause.__cause__
    full = isinstance(cause, OSError) and cause.errno in _FULL
    return REFUSED if full or isinstance(problem, Refused) else WRONG_USE


def _kind_and_place(error: BaseException) -> str:
    """Type and line of an error; its text may hold foreign text, or a key."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return type(error).__name__ + place


def _complain(sentence: str, hint: str, code: int) -> int:
    # Whoever made them has cleaned what is foreign in them; nobody is relied on for that here.
    sentence, hint = (redact(clean(text)) for text in (sentence, hint))
    with contextlib.suppress(OSError):
        print(f"oh-tui: {sentence}", file=sys.stderr)
        if hint:
            # the service layer's begin with a capital, as do those of names such as OPENHANDS_…
            begins = hint[:1].lower() if hint[1:2].islower() else hint[:1]
            print(f"        {begins}{hint[1:]}", file=sys.stderr)
    return code

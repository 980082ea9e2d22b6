"""`oh-tui index`: takes runs into the library, so that all of them are searched at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.batch import server_indexing
from oh_tui.batch.index_reader import TELLS_KEY
from oh_tui.batch.indexing import Indexing, Outcome
from oh_tui.batch.reports.over_runs import PARTIAL, going_on_words
from oh_tui.commands.framework.acting import require_consent
from oh_tui.commands.framework.command import LIVE, Call, argument, command, flag, path_of
from oh_tui.commands.framework.exit_codes import OK
from oh_tui.commands.framework.printing import print_json, print_pairs
from oh_tui.library.library import Library, Status
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.source import Source
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural, rough, size
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say, show_progress
from oh_tui.trajectory.formats.table import find_files

if TYPE_CHECKING:
    from oh_tui.documents.shapes import many

MOST_LEFT = 10
"""Runs that are named because they are not taken in; the others are counted."""


@command(
    "index",
    argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="files and folders with runs; by default those that are indexed, and the runs of "
        "the OpenHands CLI",
    ),
    flag("--all", about="also the runs of every server in the settings file"),
    flag("--status", about="what is indexed"),
    argument("--forget", metavar="PATH|NAME", help="remove a file, a folder or a server from it"),
    LIVE,
    flag("--yes", about="read from a server without asking"),
    settings=("servers", "default"),
    examples={
        "index runs/": "all runs in a folder; again, those that have changed",
        "index": "index again what has changed",
        "index --server work": "finished runs of a server; says the cost first",
        "index --status": "how much there is",
        "index --forget runs/old": "forget a folder",
    },
    epilog="You can interrupt it at any time; the same command continues. Secrets are hidden\n"
    "before anything is written; a run that contains one of your keys is left out.\n\n"
    "Exit codes: 0 all was indexed, 2 wrong use, or some of it could not be read.",
    wants="nothing",
)
async def index(call: Call) -> int:
    args = call.args
    if args.demo:
        raise Problem("The demo is made-up data, which is not indexed", "leave --demo out")
    if call.paths and args.server:
        raise Problem("One command indexes files or a server, not both", "leave one out")
    if args.status:
        return _status(call)
    with Library(call.settings.library_folder, writes=True) as library:
        if not library:
            raise _no_library(library.why)
        library.check()
        if library.anew:
            say(f"the index is made anew: {clean_line(library.anew)}")
        if library.is_untidy():
            library.tidy()
        if args.forget is not None:
            return _forget(call, library)
        call.goes_on = "what was indexed stays; the same command continues from there"
        done = Outcome()
        if not args.server:
            done = await _files(library, _named(call, library))
        for name in _servers(call):
            assert call.ask_server is not None
            read = await call.ask_server(name, partial(_read, call, library))
            done.runs += read.runs
            done.unchanged += read.unchanged
            done.skipped += read.skipped
            done.going_on += read.going_on
        library.tidy()
        return _tell(call, done, library.status())


def _no_library(why: str) -> Problem:
    if why == "the library is off":
        return Problem("There is no index of runs", "--no-library or OH_TUI_CACHE turns it off")
    hint = "XDG_CACHE_HOME names another folder; oh-tui cache clear library removes a damaged one"
    return Refused(f"Nothing can be indexed: {safe_line(why)}", hint)


def _servers(call: Call) -> Iterator[str]:
    """The names of the servers to read; "" is that of the command line, if it is one alone."""
    named = [name for name, _ in call.settings.several] or [call.args.server]
    if call.args.server:
        yield from named if call.settings.several else [""]
    if call.args.all:
        yield from (name for name in call.settings.config.servers if name not in named)


# files


def _named(call: Call, library: Library) -> list[Path]:
    named = list(call.paths)
    for path in named:
        if not os.path.lexists(path):
            raise Problem(f"There is no file or folder {clean_line(str(path))}", "check the path")
    known = dict.fromkeys((*library.homes(), *library.before))
    if not named:
        named = [Path(home) for home in known if home.startswith("/")]
        named = [path for path in named if os.path.lexists(path)]
        own = call.settings.own_runs
        named += [own] if own and own.is_dir() else []
    if not (named or call.args.all or known):
        raise Problem("Nothing is indexed yet", "name files or folders: oh-tui index PATH")
    return named


async def _files(library: Library, named: list[Path]) -> Outcome:
    work, shown = Indexing(library, find_files(named)), 0.0
    work.mark_vanished()

    def report(outcome: Outcome) -> None:
        nonlocal shown
        if time.monotonic() - shown > 0.1:
            shown = time.monotonic()
            show_progress(_progress(outcome))

    with progress():
        await work.run(report)
    return work.outcome


def _progress(outcome: Outcome) -> str:
    told = f"{outcome.read:,} of {plural(outcome.total, 'run')}"
    if outcome.seconds < 1:
        return told
    rate = outcome.read / outcome.seconds
    return f"{told}, {rate:,.0f} a second, {rough((outcome.total - outcome.read) / rate)} left"


# servers


async def _read(call: Call, library: Library, source: Source) -> Outcome:
    if not source.address:
        raise Problem(f"{clean_line(source.label)} has no address to index it under")
    with progress():
        planned = await server_indexing.plan(source, library, live=call.args.live)
    if planned.open:
        say(going_on_words(planned.open))
    outcome = Outcome(unchanged=planned.known, going_on=planned.open)
    if not planned.runs:
        return outcome
    calls = plural(planned.calls, "call")
    stake = f"{plural(len(planned.runs), 'run')}, "
    stake += f"{calls} or more" if planned.by_pages else f"about {calls}"
    if planned.seconds >= 1:
        stake += f", {rough(planned.seconds)}"
    require_consent(call, stake, "the same with --yes")
    with progress():
        async for left in server_indexing.read(source, library, planned):
            outcome.skipped += [left] if left else []
            outcome.runs += left is None
            done = outcome.runs + len(outcome.skipped)
            show_progress(f"{done:,} of {plural(len(planned.runs), 'run')}")
    return outcome


# what is said


def _tell(call: Call, done: Outcome, status: Status | None) -> int:
    is_lost = done.damage or any(
        left.why not in (TELLS_KEY, server_indexing.TOO_LONG) for left in done.skipped
    )
    code = PARTIAL if is_lost else OK
    if call.as_json:
        print_json(
            {
                "indexed": done.runs,
                "unchanged": done.unchanged,
                "vanished": done.vanished,
                "going_on": done.going_on,
                "left_out": [
                    {"place": safe_line(one.place), "why": safe_line(one.why)}
                    for one in done.skipped
                ],
                "damage": [safe_line(told) for told in done.damage],
                "library": _status_json(status),
            }
        )
        return code
    for told in done.damage[:MOST_LEFT]:
        say(safe_line(told))
    if len(done.damage) > MOST_LEFT:
        say(f"{len(done.damage) - MOST_LEFT:,} more of what could not be read")
    for left in done.skipped[:MOST_LEFT]:
        place, why = safe_line(left.place), safe_line(left.why)
        say(f"left out: {why if place in why else f'{place}: {why}'}")
    if len(done.skipped) > MOST_LEFT:
        say(f"left out: {len(done.skipped) - MOST_LEFT:,} more")
    total = f"; {plural(status.runs, 'run')} in all" if status else ""
    print(f"{plural(done.runs, 'run')} indexed{total}")
    if done.vanished:
        print(f"{plural(done.vanished, 'file')} can no longer be read")
    return code


def _status(call: Call) -> int:
    with Library(call.settings.library_folder) as library:
        status, why = library.status(), library.why
    if call.as_json:
        print_json({"library": _status_json(status), "why": clean_line(why) or None})
        return 0
    if status is None:
        print(clean_line(why))
        return 0
    share = f", {status.size / status.characters:.0%} of their texts" if status.characters else ""
    gone = f", {status.gone:,} can no longer be read" if status.gone else ""
    print_pairs(
        call.style,
        (
            ("runs", f"{status.runs:,}{gone}"),
            ("in", f"{plural(status.homes, 'place')}" if status.homes else ""),
            ("texts", size(status.characters) if status.has_texts else "are not indexed here"),
            ("index", f"{size(status.size)}{share}"),
        ),
    )
    return 0


def _status_json(status: Status | None) -> many.Library | None:
    if status is None:
        return None
    return {
        "runs": status.runs,
        "gone": status.gone,
        "places": status.homes,
        "text_bytes": status.characters,
        "bytes": status.size,
        "has_texts": status.has_texts,
    }


def _forget(call: Call, library: Library) -> int:
    named = call.args.forget
    server = call.settings.config.servers.get(named)
    if server is not None:
        name = server.url
    elif "://" in named:
        name = named.rstrip("/")
    else:
        # a path that is gone, and a place within a file, are no paths to resolve
        name = str(plain_path(path_of(named)))
    found = library.forget(name)
    if found is None:
        raise Refused(f"It was not forgotten: {clean_line(library.trouble)}")
    if not found:
        raise Problem(f"Nothing of {safe_line(named)} is indexed", "oh-tui index --status")
    if call.as_json:
        print_json({"forgotten": found, "library": _status_json(library.status())})
    else:
        print(f"{plural(found, 'run')} forgotten")
    if library.is_untidy():
        why = clean_line(library.trouble) or "another oh-tui reads it"
        say(f"The next oh-tui index removes it from the file: {why}")
    return 0

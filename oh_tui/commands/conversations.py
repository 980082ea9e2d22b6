"""`oh-tui conversations`: those on a server, or in a folder; narrowed by filter words, sorted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from textwrap import wrap
from typing import TypeAlias

from oh_tui.batch.reports.conversations import MOST, listed, not_read
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import ORDERS, filter_help
from oh_tui.catalog.names import title
from oh_tui.catalog.run_status import updated_text
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.commands.framework.command import (
    LISTED,
    PATHS,
    Call,
    argument,
    command,
    flag,
    number_of,
)
from oh_tui.commands.framework.exit_codes import OK, WRONG_USE
from oh_tui.commands.framework.printing import Style, print_json, print_rows, shown_id
from oh_tui.commands.framework.status import outcome
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json, line
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.tables.column import Cell, Column
from oh_tui.text.problem import Problem
from oh_tui.trajectory.search.step_filter import QueryError, quoted

LIMIT = 50
"""Conversations that are listed by default."""

_GONE = {"--title": "title", "--repo": "repo", "--status": "is", "--since": "after"}
"""Options of former versions -> the words that do the same."""


def _refuse(words: Sequence[str]) -> None:
    """Raises Problem for an option of a former version, with the words that do the same."""
    left = iter(words)
    kept: list[str] = []
    asked: list[str] = []
    gone: list[str] = []
    for word in left:
        option, sign, value = word.partition("=")
        if option not in _GONE or "--" in kept:
            kept.append(word)
            continue
        gone.append(option)
        value = value if sign else next(left, "")
        asked.append(f"{_GONE[option]}:{quoted(value) if ' ' in value else value}")
    if not gone:
        return
    hint = f"oh-tui {shlex.join([*kept, ' '.join(asked)])}"
    try:
        conversation_query.parse(" ".join(asked))
    except QueryError as error:
        hint = error.hint
    sentence = f"There is no option {gone[0]}: the filter word {_GONE[gone[0]]}: does the same"
    raise Problem(sentence, hint)


def _help_of_words() -> str:
    rows = (
        wrap(f"{example:<13}  {meaning}", 76, subsequent_indent=" " * 15)
        for example, meaning in filter_help()
    )
    return "\n".join(f"  {line}" for row in rows for line in row)


@command(
    "conversations",
    PATHS,
    LISTED,
    argument(
        "--sort",
        choices=tuple(ORDERS),
        metavar="ORDER",
        help=f"the order, applied before --limit: {', '.join(ORDERS)}; needs: what needs you "
        "first; unknown values last",
    ),
    argument(
        "--limit",
        type=number_of("conversations", 1, MOST - 1),
        default=LIMIT,
        metavar="N",
        help=f"at most N; {LIMIT} by default",
    ),
    flag("--all", about="all of them"),
    flag("--sub", about="sub-conversations too; a filter with is: has them anyway"),
    examples={
        "conversations": f"the {LIMIT} created last",
        "conversations 'is:error after:2d'": "what failed lately",
        "conversations 'is:failed repo:acme' --sort cost": "the most expensive failures",
        "conversations repo:acme/api --all --json": "for a script",
        "conversations runs/": "those in a folder of zips",
    },
    epilog=f"Filter words, all of which must match:\n{_help_of_words()}\n\n"
    "A PATH is a file, a word that looks like one (./runs, a.zip) or an address; words follow.",
    refuse=_refuse,
)
async def conversations(call: Call) -> int:
    args = call.args
    query = conversation_query.parse(args.filter)
    seen, kept = Seen(call), call.annotations()
    limit = MOST if args.all else args.limit
    sub = args.sub or any(term.field == "is" for term in query.terms)
    found, more = await listed(call, query, seen, kept, limit, sort=args.sort or "", sub=sub)
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "more": more,
                "remarks": [*call.source.remarks, *_away(call.source)],
                "not_read": not_read(call.source),
                "conversations": [
                    conversation_json(one, kept.of(one), seen.of(one)) for one in found
                ],
            }
        )
        return _code(call.source)
    apart = [FILE] if any(one.apart for one in found) else []
    of = [SERVER] if call.source.members else []
    print_rows(
        call.style,
        (*COLUMNS[:1], *of, *COLUMNS[1:], *apart),
        [(one, seen.of(one)) for one in found],
    )
    if not call.style.piped:
        if not found:
            print("no conversations match" if query.terms else "no conversations yet")
        elif more:
            print(call.style.paint("there are more: --limit N or --all", "dim"))
    return _code(call.source)


def _away(source: Source) -> Sequence[str]:
    """Which servers of a list are missing from it."""
    return source.problems if source.members else ()


def _code(source: Source) -> int:
    """2 if there are runs and none could be read."""
    return OK if not isinstance(source, FileSource) or source.reads_any else WRONG_USE


Listed: TypeAlias = tuple[Conversation, LastKnown]


def _title(row: Listed, style: Style) -> str:
    is_sub = row[0].parent_conversation_id and not style.ascii
    return ("└ " if is_sub else "") + title(row[0])


COLUMNS: tuple[Column[Listed, Style], ...] = (
    Column("id", lambda row, style: shown_id(row[0], style)),
    Column("state", lambda row, _: Cell(*outcome(*row))),
    Column("changed", lambda row, style: style.when(updated_text(row[0])), right=True),
    Column("cost", lambda row, _: row[0].price.words, right=True),
    Column("repository", lambda row, _: line(row[0].selected_repository) or "", share=1),
    Column("title", _title, share=3),
)

FILE: Column[Listed, Style] = Column("file", lambda row, _: row[0].apart, share=1)

SERVER: Column[Listed, Style] = Column("server", lambda row, _: row[0].server)

"""`oh-tui attempts`: what became of several attempts at one task; verifies and accepts one."""

from __future__ import annotations

from itertools import islice

from msgspec.structs import asdict

from oh_tui.actions.attempt_rows import NUMBERS, Attempt, AttemptRow, Row, groups_of
from oh_tui.actions.attempts import Attempts, identity
from oh_tui.batch.reports.one_run import read_run, whole
from oh_tui.catalog.names import conversation_id
from oh_tui.catalog.status_cache import UNSEEN
from oh_tui.commands.framework.acting import require_consent, require_free, require_writable, short
from oh_tui.commands.framework.command import Call, argument, command, flag, number_of, path_of
from oh_tui.commands.framework.exit_codes import OK, REFUSED
from oh_tui.commands.framework.printing import Style, print_json, print_rows
from oh_tui.commands.framework.status import outcome
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json
from oh_tui.tables.column import Cell, Column, json_of
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say

PAGES = 10
"""Pages of the list in which groups are looked for."""


@command(
    "attempts",
    argument("group", nargs="?", metavar="GROUP", default="", help="as start --times named it"),
    (
        flag("--verify", about="run the command that verifies, for each in a copy of its files"),
        argument(
            "--accept",
            metavar="N",
            type=number_of("an attempt", 1, 99),
            help="commit what attempt N changed to its branch, as you",
        ),
    ),
    argument("--to", metavar="FILE", default="", help="with --accept: a patch into a file instead"),
    flag("--yes", about="do not ask, for --accept"),
    examples={
        "attempts": "the groups, the newest first",
        "attempts 5f3a91c0 --verify": "which of them pass, with the tests of the start",
        "attempts 5f3a91c0 --accept 2": "a commit on its branch",
        "attempts 5f3a91c0 --accept 2 --to fix.patch": "for git apply, anywhere",
    },
    wants="server",
    of_one_server=True,
    settings=("read_only",),
    epilog="--verify runs in a copy in which the test files are as in the start commit; OK is\n"
    "said of the files as they are now alone. With it the exit code is 1 unless one passes.\n"
    "A commit of --accept runs no hooks, and has the name that git knows on this machine.",
)
async def attempts(call: Call) -> int:
    args = call.args
    if args.to and not args.accept:
        raise Problem("--to is for a patch of one attempt", "--accept N --to FILE.patch")
    groups = await _groups(call)
    if not args.group:
        if args.verify or args.accept:
            raise Problem("Nothing says which attempts", "oh-tui attempts lists the groups")
        return _print_groups(call, groups)
    found = [name for name in groups if name.startswith(args.group)]
    if len(found) != 1:
        many = "Several groups begin" if found else "There is no group of attempts that begins"
        raise Problem(f"{many} with {safe_line(args.group)}", "oh-tui attempts lists them")
    if args.verify or args.accept:
        require_writable("attempts", call.settings, by_flag=args.read_only)
    many_ = attempts_of(call)
    with progress() as show:
        show("asking git")
        rows = await many_.rows(groups[found[0]])
    if args.accept:
        return await _accept(call, many_, rows)
    if args.verify:
        rows = await _verified(many_, rows)
    return await _print(call, found[0], rows)


def attempts_of(call: Call) -> Attempts:
    return Attempts(call.agents, call.records, call.workspaces)


async def _groups(call: Call) -> dict[str, list[Attempt]]:
    listed: list[Conversation] = []
    pages = 0
    async for page in call.source.pages():
        listed += page.items
        pages += 1
        if pages == PAGES and page.next_page_id:
            say(f"older ones than the newest {len(listed):,} conversations were not looked at")
            break
    return groups_of(listed)


def _print_groups(call: Call, groups: dict[str, list[Attempt]]) -> int:
    if call.as_json:
        print_json({"groups": [json_of(_GROUPS, one) for one in groups.values()]})
        return OK
    print_rows(call.style, _GROUPS, groups.values())
    if not groups:
        say("no attempts yet: oh-tui start TASK --times 3 --verify CMD")
    return OK


async def _verified(many: Attempts, rows: list[Row]) -> list[Row]:
    found: list[Row] = []
    with progress() as show:
        for row in rows:
            show(f"verifying attempt {row.attempt.number}")
            try:
                found.append(await many.verify(row))
            except Problem as problem:
                say(f"attempt {row.attempt.number}: {problem.sentence}")
                found.append(row)
    return found


async def _accept(call: Call, many: Attempts, rows: list[Row]) -> int:
    args, number = call.args, call.args.accept
    row = next((one for one in rows if one.attempt.number == number), None)
    if row is None or row.change is None:
        raise Problem(row.why if row else f"There is no attempt {number}")
    change = row.change
    say(f"attempt {number}: {change.words}, verify {row.verify_words}")
    if change.tests:
        say(f"it changed tests: {_names(row)}")
    commit, path = None, path_of(args.to) if args.to else None
    if path:
        require_free(path)
        size = await many.patch(row, path)
        words = f"{path}: {size:,} bytes for git apply"
    elif not change.branch:
        raise Problem(f"Attempt {number} stands on no branch", "--to FILE.patch takes its change")
    else:
        name, email = await identity()
        branch, group = safe_line(change.branch), row.attempt.group
        stake = f"This commits it to {branch} as {safe_line(name)}"
        require_consent(call, stake, f"oh-tui attempts {group} --accept {number} --yes")
        commit = safe_line(await many.accept(row, name, email))
        words = f"{commit} on {branch}"
    if call.as_json:
        print_json({"attempt": number, "commit": commit, "patch": path and str(path)})
    else:
        print(words)
    return OK


async def _with_run(call: Call, row: Row) -> AttemptRow:
    conversation = row.attempt.conversation
    ended, cost = outcome(conversation, UNSEEN)[0], conversation.cost
    try:
        run = whole(await read_run(call, conversation))
    except Problem:
        return AttemptRow(row, ended, cost, None, None)
    end, began = run.ended(), run.began
    seconds = end - began if end and began is not None else None
    return AttemptRow(row, ended, cost, len(run), seconds)


async def _print(call: Call, group: str, rows: list[Row]) -> int:
    told = [await _with_run(call, row) for row in rows]
    command = rows[0].attempt.verify
    code = REFUSED if call.args.verify and not any(row.passes for row in rows) else OK
    if call.as_json:
        print_json(
            {"group": group, "verify": command, "attempts": [json_of(COLUMNS, one) for one in told]}
        )
        return code
    if not call.style.piped:
        print(call.style.paint(f"{rows[0].attempt.task}  verify: {safe_line(command)}", "bold"))
    print_rows(call.style, COLUMNS, told)
    for row in rows:
        if row.why:
            say(f"attempt {row.attempt.number}: {row.why}")
    if any(row.ground_has_changed for row in rows):
        say(
            f"{safe_line(rows[0].attempt.folder)} is not as it was at their start: somebody works "
            "there, or an attempt left its worktree"
        )
    return code


def _names(row: Row) -> str:
    tests = row.change.tests if row.change else ()
    more = f" and {len(tests) - 2:,} more" if len(tests) > 2 else ""
    return ", ".join(safe_line(one.path, 60) for one in islice(tests, 2)) + more


def _tests(told: AttemptRow, style: Style) -> Cell:
    if told.row.change is None:
        return Cell("?", "dim")
    if not told.row.change.tests:
        return Cell("no")
    return Cell(f"{style.glyph('✗', 'x')} {_names(told.row)}", "amber")


def _verify(told: AttemptRow, _: Style) -> Cell:
    passes = told.row.passes
    return Cell(told.row.verify_words, "dim" if passes is None else "green" if passes else "red")


def _files(told: AttemptRow) -> list[dict[str, object]] | None:
    if told.row.change is None:
        return None
    return [
        asdict(one) | {"path": safe_line(one.path), "is_test": one.is_test}
        for one in told.row.change.files
    ]


COLUMNS: tuple[Column[AttemptRow, Style], ...] = (
    Column("n", json="attempt", get=lambda one: one.number, right=True),
    Column("id", lambda one, _: short(one.row.attempt.conversation)),
    Column("status", lambda one, _: one.ended),
    Column("verify", _verify, "passes", lambda one: one.row.passes),
    Column("tests changed", _tests, share=1),
    Column(json="files", get=_files),
    *NUMBERS,
    Column("", lambda one, _: one.row.remark),
    Column(json="exit_code", get=lambda one: one.row.verified and one.row.verified.code),
    Column(json="same_as", get=lambda one: one.row.same_as),
    Column(json="branch", get=lambda one: one.row.change and safe_line(one.row.change.branch)),
    Column(
        json="uncommitted",
        get=lambda one: one.row.change and [*map(safe_line, one.row.change.uncommitted)],
    ),
    Column(json="why", get=lambda one: one.row.why or None),
    Column(json="ground_changed", get=lambda one: one.row.ground_has_changed),
    Column(json="conversation", get=lambda one: conversation_json(one.row.attempt.conversation)),
)

_GROUPS: tuple[Column[list[Attempt], Style], ...] = (
    Column("group", json="group", get=lambda some: safe_line(some[0].group)),
    Column("attempts", json="attempts", get=len, right=True),
    Column(
        "began",
        lambda some, style: style.when(some[0].conversation.created_at),
        "began",
        lambda some: some[0].conversation.created_at,
    ),
    Column("verify", json="verify", get=lambda some: safe_line(some[0].verify), share=1),
    Column("task", json="title", get=lambda some: some[0].task, share=1),
    Column(json="ids", get=lambda some: [conversation_id(one.conversation) for one in some]),
)

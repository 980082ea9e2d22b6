"""`oh-tui events` and `oh-tui count`: the events of a run as they are, and how many there are."""

from __future__ import annotations

import tempfile

from oh_tui.batch.reports.one_run import chosen, on_server, whole
from oh_tui.catalog.names import conversation_id
from oh_tui.commands.framework.acting import short
from oh_tui.commands.framework.command import OF_RUN, RUN, Call, argument, command, flag
from oh_tui.commands.framework.opening import open_run
from oh_tui.commands.framework.printing import print_json, print_json_line, print_table
from oh_tui.conversation import Conversation
from oh_tui.sources import server
from oh_tui.sources.saving import bounded
from oh_tui.tables.column import Column, Columns
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.remarks import say
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.trajectory import ALL

WAYS = {"app": "app server", "agent": "agent server", "zip": "zip"}


@command(
    "events",
    *OF_RUN,
    examples={
        "events run.zip | jq -r .kind | sort | uniq -c": "which kinds, how often",
        "events 5f3a > run.jsonl": "all of them, one a line",
    },
    epilog="Prints JSON lines, also without --json. Without --branch all branches are in it.",
)
async def events(call: Call) -> int:
    if call.branch is None:
        call.branch = ALL
    _, loaded = await open_run(call)
    if loaded.note:
        say(loaded.note)
    for event in whole(loaded).events:
        print_json_line(event.body())
    return 0


@command(
    "count",
    RUN,
    (
        argument("--via", choices=tuple(WAYS), help="who is asked"),
        flag("--all", about="ask all three, to compare them"),
    ),
    examples={
        "count 5f3a": "by the server that knows",
        "count 5f3a --via zip": "those that a download holds",
        "count 5f3a --all": "do the servers agree?",
    },
)
async def count(call: Call) -> int:
    """Asks the one named by `--via`, with `--all` all three, else whoever knows. With `--all` a
    count that fails is printed with the reason."""
    conversation = await chosen(call.source, call.identifier)
    found: list[tuple[str, int | None, str]] = []
    server = on_server(call.source)
    if server is None or not (call.args.via or call.args.all):
        if call.args.via or call.args.all:
            raise Problem("There is one way to count it", "leave out --via and --all")
        number, by = await call.source.runs.count_events(conversation)
        found.append((by, number, ""))
    else:
        for way in WAYS if call.args.all else (call.args.via,):
            try:
                found.append((WAYS[way], await _counted(server, conversation, way), ""))
            except Problem as problem:
                if not call.args.all:
                    raise
                found.append((WAYS[way], None, problem.sentence))
    if call.as_json:
        print_json(
            {
                "conversation_id": conversation_id(conversation),
                "counts": [
                    {"via": by, "events": number, "reason": reason or None}
                    for by, number, reason in found
                ],
            }
        )
        return 0
    columns: Columns = (Column("by"), Column("events", right=True), Column("", share=1))
    form = "{}" if call.style.piped else "{:,}"
    rows = ((by, "" if number is None else form.format(number), why) for by, number, why in found)
    print_table(call.style, columns, rows)
    return 0


async def _counted(source: server.ServerSource, conversation: Conversation, way: str) -> int:
    if way == "app":
        return await source.api.count_events(conversation.id)
    if way == "agent":
        running = conversation.sandbox_status == "RUNNING"
        agent = source.api.agent_server(conversation) if running else None
        if agent is None:
            raise Refused(
                "There is no agent server to ask: the sandbox does not run",
                f"oh-tui resume {short(conversation)} --wait",
            )
        return await agent.count_events()
    with tempfile.SpooledTemporaryFile(max_size=64_000_000, prefix="oh-tui-") as file:
        async with source.api.download(conversation.id) as pieces:
            async for piece in bounded(pieces):
                file.write(piece)
        with open_archive(file) as archive:
            return len(archive)

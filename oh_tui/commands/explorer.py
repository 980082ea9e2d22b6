"""The words that open the explorer; where it cannot draw, the plain list takes its place."""

from __future__ import annotations

from oh_tui.commands import plain
from oh_tui.commands.framework.command import FILTER, PLAIN, SORT, TO_OPEN, Call, argument, command
from oh_tui.text.problem import Problem


@command("", TO_OPEN, SORT, FILTER, PLAIN, has_json=False)
@command(
    "open",
    argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a zip, an output.jsonl, a folder, or many in one",
    ),
    SORT,
    FILTER,
    PLAIN,
    examples={
        "open run.zip": "a downloaded trajectory",
        "open ~/.openhands/conversations": "what the OpenHands CLI kept",
        "open eval/output.jsonl": "the instances of an evaluation",
        "open -": "a file from standard input",
        "open run.zip --at 58": "at step 58, or at the event with this id",
        "open runs/ --sort cost": "the most expensive first",
        "open run.zip --plain": "its steps as lines, without the explorer",
    },
    has_json=False,
)
async def run(call: Call) -> int:
    if call.args.sort or call.args.filter:
        raise Problem(
            "--sort and --filter are for the explorer, not for the plain list",
            "oh-tui conversations 'is:failed' --sort cost prints a list",
        )
    return await plain.show_plain(call)

"""The words that open the explorer; where it cannot draw, the plain list takes its place."""

from __future__ import annotations

import argparse

from oh_tui.commands.shared.frame import Call, Command, explorer_arguments


async def _run(call: Call) -> int:
    from oh_tui.commands.plain import show_plain  # what prints is not for those who see a screen

    return await show_plain(call)


def _open_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a zip, a folder, or many in one")


COMMANDS = {
    "": Command("[ID|PATH]", explorer_arguments, _run, (), has_json=False),
    "open": Command(
        "PATH...",
        _open_arguments,
        _run,
        (
            ("open run.zip", "a downloaded trajectory"),
            ("open ~/.openhands/conversations", "what the OpenHands CLI kept"),
            ("open run.zip --at 58", "at step 58, or at the event with this id"),
        ),
        has_json=False,
    ),
}

"""Blocks of the terminal: its calls and results."""

from __future__ import annotations

from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, field, number_text, text_field
from oh_tui.trajectory.model.event_kinds import STILL_RUNNING
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.usual_fields import USUAL_NUMBERS
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import Block, Code, Command, Note, output_blocks


def terminal_call(action: Body) -> list[Block]:
    command = safe(take.text(action, "command"))
    blocks: list[Block] = [Command(command)] if command else []
    if take.flag(action, "is_input"):
        blocks.append(Note("typed into the command that runs"))
    if take.flag(action, "reset"):
        blocks.append(Note("with a new shell"))
    timeout = take.number(action, "timeout")
    if timeout is not None:
        blocks.append(Note(f"waits at most {number_text(timeout)} s"))
    return blocks


def python_call(action: Body) -> list[Block]:
    """The code of a cell, which runs in an interpreter that stays open."""
    code = safe(take.text(action, "code"))
    return [Code(code.removesuffix("\n"), "cell.py")] if code else []


def terminal_result(event: Event, body: Body, observation: Body, action: object) -> list[Block]:
    raw = take.result_text(body)
    command = text_field(action, "command") or text_field(observation, "command")
    blocks = output_blocks(raw, command) or [Note("no output")]
    take.flag(observation, "timeout")
    take.flag(observation, "error")
    code = event.exit_code
    if code is not None and not event.still_running and code != STILL_RUNNING:
        for inside in (observation, field(observation, "metadata")):
            if field(inside, "exit_code") == code:
                take.value(inside, "exit_code")
    if not event.failed:
        take.text(observation, "metadata", "working_dir")
    take.usual(field(observation, "metadata"), "suffix")
    blocks += _shell(field(observation, "metadata"))
    if bodies.CLIPPED in raw:
        kept = safe_line(take.text(observation, "full_output_save_dir"))
        where = f"; whole in {kept}" if kept else ""
        blocks.append(Note(f"cut by the tool{where}"))
    return blocks


def _shell(metadata: object) -> list[Block]:
    """The user, host and interpreter of a command, on one line."""
    user, host = (safe_line(take.text(metadata, name)) for name in ("username", "hostname"))
    pid = take.number(metadata, "pid")
    facts = (
        "@".join(filter(None, (user, host))),
        "" if pid is None or pid == USUAL_NUMBERS["pid"][0] else f"pid {number_text(pid)}",
        safe_line(take.text(metadata, "py_interpreter_path")),
    )
    line = " · ".join(filter(None, facts))
    return [Note(f"shell {line}")] if line else []

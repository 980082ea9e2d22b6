"""`oh-tui status --say`: what needs one, in sentences for a screen reader or a voice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from oh_tui.batch.reports.wall import Tile
from oh_tui.catalog.names import title
from oh_tui.catalog.needy import GROUPS, Needy
from oh_tui.catalog.run_status import updated
from oh_tui.text.human import spelled

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")

_HEADS = {
    "waiting": ("waits for your yes", "wait for your yes"),
    "failed": ("failed", "failed"),
    "running": ("is at work", "are at work"),
}

_STATES = {
    "stuck": "is stuck",
    "error": "failed",
    "sandbox failed": "has a sandbox that failed",
    "silent": "should run, but nothing was heard of it for long",
}
"""Said of a run in this state; of others that they are in it."""


def sentences(rows: Sequence[Needy], tiles: Sequence[Tile], now: float) -> Iterator[str]:
    """How many wait, failed and run, and then each of them; tiles are known of some that wait."""
    if not rows:
        yield "Nothing waits for you, nothing failed, and nothing is at work."
    known = {tile.row.conversation.id: tile for tile in tiles}
    for group in GROUPS:
        members = [row for row in rows if row.group == group]
        if members:
            count = len(members)
            number = _NUMBERS[count] if count < len(_NUMBERS) else f"{count}"
            verb = _HEADS[group][count > 1]
            yield f"{number} {'run' if count == 1 else 'runs'} {verb}."
        yield from (f"{_name(row)} {_state(row, known, now)}." for row in members)


def _name(row: Needy) -> str:
    """Without the marks that would end the sentence."""
    server = row.conversation.server
    return title(row.conversation).rstrip(".?!:; ") + (f" on {server}" if server else "")


def _state(row: Needy, known: Mapping[str, Tile], now: float) -> str:
    if row.group == "waiting":
        tile = known.get(row.conversation.id)
        since = f" for {spelled(now - tile.heard)}" if tile and tile.heard else ""
        call = tile.call if tile and tile.heard else ""
        wants = f"run {call[2:]}" if call.startswith("$ ") else call and f"do this: {call}"
        return f"has waited{since}: " + (
            f"it wants to {wants}" if wants else "what it wants is not known"
        )
    said = _STATES.get(row.word) or f"is {row.word}"
    changed = updated(row.conversation)
    is_over = row.group == "failed" and changed
    return said + (f" and last changed {spelled(now - changed)} ago" if is_over else "")

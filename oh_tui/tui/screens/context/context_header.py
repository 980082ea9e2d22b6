"""What is said above the messages of a context, and of the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.text.human import compact, percent, plural
from oh_tui.trajectory.context.answers import Answer
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.search.step_attributes import NEARLY_FULL
from oh_tui.tui.state.context_rows import Page
from oh_tui.tui.widgets.drawing import Piece


def of_answer(page: Page) -> list[Piece]:
    """Tokens and messages."""
    answer = page.wanted.answer
    facts: list[Piece] = [("tokens not known", "dim")]
    if usage := answer.usage:
        of = f" of {compact(answer.window).replace('.0', '')}" if answer.window else ""
        full = answer.fill
        share = f", {percent(full)}" if full is not None else ""
        hue = "warn" if full is not None and full > NEARLY_FULL else ""
        facts = [(f"{compact(usage.prompt)}{of} tokens{share}", hue)]
        if usage.cache_read:  # 0 may mean that nobody tells
            facts.append((f"{compact(usage.cache_read)} cached", "dim"))
    facts.append((plural(len(page.context.messages), "message"), ""))
    if not page.context.rules.is_sdk:
        facts.append(("as the file has them", "dim"))
    return facts


def title(page: Page) -> str:
    """What the list shows."""
    first = page.wanted.first
    if first is None:
        return "Messages"
    return f"Difference from step {first.step:,} to {page.wanted.answer.step:,}"


def of_messages(page: Page, marked: Answer | None) -> list[Piece]:
    """How many messages are new, and how many are gone."""
    if page.wanted.first is not None:
        counts = f"{page.came:,} came", f"{page.went:,} went"
        return [*((count, "") for count in counts), (f"{page.same:,} the same", "dim")]
    since = f" since step {page.before.step:,}" if page.before else ""
    facts: list[Piece] = [(f"{page.new:,} new{since}", "")]
    if page.forgotten:
        shown = "shown" if page.wanted.forgotten else "hidden"
        facts.append((f"{plural(page.forgotten, 'event')} forgotten, {shown} (x)", "dim"))
    if marked:
        facts.append((f"step {marked.step:,} marked", "mark"))
    return facts


def of_fill(page: Page, glyphs: Glyphs) -> tuple[Piece, ...]:
    """The last condensation before the answer."""
    if not page.condensed:
        return ()
    said = f"condensed at {page.condensed:,}: {plural(page.forgotten, 'event')} forgotten"
    return (f"{glyphs.condensed} ", "warn"), (said, "dim")

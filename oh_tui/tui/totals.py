"""The header: what is open, the totals of all loaded conversations; the title of the window too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.names import short_servers
from oh_tui.catalog.run_status import AT_WORK, RunStatus
from oh_tui.text.human import cost_words, plural, without
from oh_tui.trajectory.glyphs import Glyphs, label_mark
from oh_tui.trajectory.model.recorded import Label
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, joined

if TYPE_CHECKING:
    from oh_tui.tui.session import Session


_FILTERS = {
    "waits": "is:waiting",
    "wait": "is:waiting",
    "failed": "is:failed",
    "running": "is:running",
    "silent": "is:silent",
    "errors": "is:error",
    **{one.value: f"is:{one.value}" for one in Label},
}
"""Word of a count -> what lists exactly those counted."""


def location(session: Session) -> tuple[Piece, ...]:
    """What is open or being opened. What follows a server's name may be left out."""
    settings = session.settings
    source, label = session.source, settings.label if settings.server else ""
    if source:
        label = short_servers(source.label) if source.members else source.label
    name, mark, about = label.partition(": " if ": " in label else "  ")
    parts = (name, mark + about) if source and source.agents else (label,)
    pieces: list[Piece] = [(part, "dim") for part in parts if part]
    away = session.hearing.away.items()
    pieces += [(f"  {one} away since {lost.at}", "warn") for one, lost in away]
    if settings.read_only:
        pieces.append(("  read-only", "warn"))
    return tuple(pieces)


def first_waiting(session: Session) -> str:
    """The title of the first conversation that waits for the user, as it stands in the list."""
    sums = session.loaded.sums()
    if sums.labels or not sums.counts.waiting or session.hearing.lost():
        return ""
    rows = (row for row in session.loaded.rows if row.status is RunStatus.WAITING)
    return title_of(next(rows).conversation)


def totals(session: Session, glyphs: Glyphs) -> tuple[tuple[Piece, ...], str]:
    """The facts of the header and the title, without those that are zero."""
    sums = session.loaded.sums()
    counts, labels = sums.counts, sums.labels
    facts: list[Piece] = []
    title = ["oh-tui"]
    for label in (Label.RESOLVED, Label.UNRESOLVED, Label.ERROR, Label.NONE):
        glyph, hue = label_mark(glyphs, label) or ("", "dim")
        if count := labels[label]:
            words = "error" if count == 1 else "errors"
            words = words if label is Label.ERROR else label.value
            facts.append((f"{glyph} {count:,} {words}".strip(), hue))
            if glyph:
                title.append(f"{glyph}{count}")
    if labels:  # they count more than what the agents said
        counts = counts._replace(failed=0)
    total = max(session.total or 0, len(session.loaded.rows))
    money = cost_words(total, *sums.costs).removeprefix(", ")
    for count, glyph, words, hue in (
        (counts.waiting, glyphs.waiting, "waits" if counts.waiting == 1 else "wait", "warn"),
        (counts.failed, glyphs.error, "failed", "bad"),
        (counts.running, glyphs.running, "running", "good"),
    ):
        if count:
            for_you = " for you" if glyph == glyphs.waiting else ""
            facts.append((f"{glyph} {count:,} {words}{for_you}", hue))
            title.append(f"{glyph}{count}")
        if words == "failed":  # what runs has less need of one than the money
            facts.append((money, ""))
    if counts.silent:
        facts.append((f"{counts.silent:,} of them silent", "warn"))
    lost = session.hearing.lost()
    at_work = (one for one in session.loaded.rows if one.status in AT_WORK)
    if session.hearing.losses and not lost:
        count = sum(session.hearing.lost(one.conversation) is not None for one in at_work)
        facts += [(f"{count:,} of them not answering", "warn")] if count else []
    last = plural(total, "conversation"), *without(sums.costs.estimates)
    facts += ((text, "dim") for text in last)
    if lost:
        facts = [(lost.as_of, "warn"), *((text, "dim") for text, _ in facts)]
    return joined(facts, glyphs.dot), " ".join(title)


def filter_for(fact: str) -> str | None:
    """The filter that lists what a fact of the header counts; "" lists all, None is no count."""
    words = fact.partition(":")[0].split()  # a title may follow
    if any(word.startswith("conversation") for word in words):
        return ""
    return next((_FILTERS[word] for word in words if word in _FILTERS), None)

"""The lines above the timeline: how the run ended and why, its totals, its tags and the note."""

from __future__ import annotations

from collections.abc import Mapping

from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.catalog import silence as silent_runs
from oh_tui.catalog.tags import of_people, tag_words
from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.sources.budget import Budget, Spending
from oh_tui.text.human import compact, dollars, duration, percent, plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.glyphs import label_mark, verdict_mark
from oh_tui.trajectory.search.step_attributes import NEARLY_FULL
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.widgets.drawing import Drawn, Piece, cut, fit, shorten, whole_pieces

GAP = "   "

_NAMED = 3
"""How many sub-agents that failed are named."""

_SPENDING = {None: "", Spending.NEAR: "warn", Spending.OVER: "bad"}

NOT_TOLD = "these events do not say how it ended"


class Summary(Drawn):
    """Shows a study; `short` leaves out the second line."""

    study: reactive[Study | None] = reactive(None, always_update=True)
    short: reactive[bool] = reactive(False)
    sandbox: reactive[str] = reactive("")
    """The state of the sandbox by the record of the conversation; "" for a file."""
    silence: reactive[silent_runs.Silence | None] = reactive(None)
    """Since when nothing comes of a silent run, in words."""
    as_of: reactive[str] = reactive("")
    """When the server was last heard, in words; "" for one that answers."""
    budget: reactive[float | None] = reactive(None)
    """US dollars that the run may cost; None for no budget."""
    broken: reactive[int] = reactive(0)
    """How many rules of high severity the run breaks; 0 for none, or not known."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._now = 0.0
        """The current time, in seconds since 1970."""
        self._spans = ("", "")
        """The words for the active and the waiting time that are shown."""

    def watch_short(self, short: bool) -> None:
        self.styles.height = 1 if short else 2

    def tick(self, now: float) -> None:
        """What counts up counts; a line is drawn when its words change."""
        self._now = now
        if self.study is not None and spans(self.study, now) != self._spans:
            line = 0 if self.short else 1
            self.refresh(Region(0, line, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.study is None:
            return self.strip([], width)
        self._spans = spans(self.study, self._now)
        return self.strip(self._verdict(width) if y == 0 else self._totals(width), width)

    def _verdict(self, width: int) -> list[Piece]:
        assert self.study is not None
        run = self.study.trajectory
        verdict = silent_runs.judged(self.study.verdict, run, self.sandbox, self.silence)
        glyph, hue = verdict_mark(self.glyphs, verdict.word)
        word = verdict.word
        if self.as_of and run.live:
            word, hue = f"{word} {self.as_of}", "dim"
        rules = f"  {self.glyphs.error} {plural(self.broken, 'rule')} broken (C)"
        broken = ((rules, "bad"),) if self.broken else ()
        if verdict.cut_off:
            return [(f" {self.glyphs.failed} {verdict.cause}", "warn"), *broken]
        label = self.study.trajectory.recorded.label
        marked = label_mark(self.glyphs, label)
        said: tuple[Piece, ...] = ((f", {label.words}", marked[1]),) if label and marked else ()
        if verdict.undone:  # beside the word, where no long sentence cuts it off
            said = (*said, (f", {verdict.undone}", "warn"))
        warned = (
            *broken,
            *_failed_words(self.study, f"{self.glyphs.failed} "),
            *full_words(self.study),
        )
        if not verdict.word:
            return [(f" {glyph} {verdict.cause or NOT_TOLD}", "dim"), *said, *warned]
        came_to = " "
        if self.short:  # there is no second line
            cost = _cost_words(self.study, self.budget)
            came_to = f"  {'  '.join(filter(None, (self._spans[0], cost)))} "
        room = max(0, width - 5 - len(word) - total_width(said) - len(came_to))
        warned = tuple(whole_pieces(warned, room // 2))
        told = verdict.cause.removesuffix(f" ({verdict.undone})")
        cause = fit(told, room - total_width(warned), self.glyphs.more)
        return [
            (" ", ""), (f"{glyph} {word}", hue), *said, ("  ", ""), (cause, ""),
            *warned, (came_to, "dim"),
        ]  # fmt: skip

    def _totals(self, width: int) -> list[Piece]:
        """The most important first; those that do not fit are left out."""
        assert self.study is not None
        facts = totals(self.study, self._spans, self.budget)
        told = tuple(piece for fact in facts for piece in (fact, (GAP, "")))
        return [(" ", ""), *whole_pieces(told, width - 1)]


def _cost_words(study: Study, limit: float | None) -> str:
    """As `$4.28 of $5.00`; "" when no price is known."""
    cost = study.sub_runs.cost().words
    if of_all := study.part_of_cost:
        return of_all if limit is None else f"{of_all}, budget {dollars(limit)}"
    return f"{cost} of {dollars(limit)}" if cost and limit is not None else cost


def _failed_words(study: Study, sign: str) -> tuple[Piece, ...]:
    failed = [run.path.rstrip(".") for run in study.sub_runs.failed]
    if not failed:
        return ()
    named = f"{', '.join(failed[:_NAMED])}{', ...' if len(failed) > _NAMED else ''}"
    noun = "sub-agent" if len(failed) == 1 else f"{len(failed):,} sub-agents:"
    return ((f"  {sign}{noun} {named} failed", "warn"),)


def full_words(study: Study) -> tuple[Piece, ...]:
    fill = study.accounts.fill_now
    if fill is None or fill <= NEARLY_FULL:
        return ()
    return ((f"  context {percent(fill)} full", "warn"),)


def spans(study: Study, now: float) -> tuple[str, str]:
    """The active time of a run and that in which it waited for you, up to now; "" for a time that
    is not worth telling, or not known as older events are missing."""
    active, waited = study.accounts.so_far(now)
    if not study.trajectory.complete or (active < 0.5 and waited < 1):
        return "", ""
    return duration(active), duration(waited) if waited >= 30 else ""


def totals(study: Study, spans: tuple[str, str], limit: float | None = None) -> list[Piece]:
    """Time, cost, tokens, context, plan and changed files of a run, without those that are zero. Of
    a run not read to its beginning, only totals that its last events report. `limit` is its
    budget."""
    accounts, changes, plan = study.accounts, study.changes, study.verdict.plan
    facts: list[Piece] = []
    active, waited = spans
    if active:
        waits = f" + {waited} waiting for you" if waited else ""
        facts.append((f"{active} active{waits}", "dim"))
    spent, below = study.sub_runs.total, study.sub_runs.below
    tokens = spent.tokens
    budget = None if limit is None else Budget(limit, study.whole.sub_runs.total.cost or None)
    if spent.cost:
        by_sub_agents = below.cost and not study.part_of_cost
        part = f", {dollars(below.cost)} of it by sub-agents" if by_sub_agents else ""
        hue = _SPENDING[budget.spending] if budget else ""
        facts.append((_cost_words(study, limit) + part, hue))
    if apart := study.sub_runs.conversations.cost:
        facts.append((f"{dollars(apart)} by its sub-conversations", "dim"))
    elif tokens and not accounts.priced:
        idle = f": {budget.words}" if budget else ""
        facts.append((f"price unknown{idle}", "dim"))
    used: list[Piece] = [(f"{compact(tokens)} tokens", "dim")] if tokens else []
    if budget is None:
        facts += used
    if accounts.context_now and accounts.context_window:
        share = accounts.context_now / accounts.context_window
        facts.append((f"context {share:.0%}", "warn" if share > NEARLY_FULL else "dim"))
    if plan and not study.verdict.undone:
        facts.append((f"plan {plan[0]}/{plan[1]}", "dim"))
    if study.trajectory.complete and changes.headline:
        facts.append((f"{changes.headline} (c)", "dim"))
    # beside a budget dollars tell what it took: tokens are the first to have no room
    return facts if budget is None else [*facts, *used]


MOST_TAGS = 20
"""Tags that are drawn at most."""

LEAST_NOTE = 24
"""Cells that a note keeps beside many tags."""


class AnnotationLine(Drawn):
    """The user's own tags, those of the server, and the note; hidden where there is neither."""

    DEFAULT_CSS = "AnnotationLine { width: 1fr; height: 1; display: none; }"

    tags: reactive[tuple[Piece, ...]] = reactive(())
    note: reactive[str] = reactive("")

    def show(self, kept: RunAnnotations, of_server: Mapping[str, str]) -> None:
        """Tags that a server sets for itself are left out."""
        others = of_people(of_server, kept.tags)
        own = [(f"#{word}", "you") for word in tag_words(kept.tags)]
        self.tags = (*own, *((f"#{word}", "dim") for word in tag_words(others)))[:MOST_TAGS]
        self.note = safe_line(kept.note)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        tags = [piece for tag in self.tags for piece in ((" ", ""), tag)]
        kept = LEAST_NOTE if self.note else 0
        pieces = cut(tags, max(0, width - 1 - kept), self.glyphs.more)
        room = width - total_width(pieces) - 5
        if self.note and room > 0:
            note = shorten(self.note, room, self.glyphs.more)
            pieces += [("  " if pieces else " ", ""), (f"{self.glyphs.note} ", "you"), (note, "")]
        return self.strip(pieces, width)

"""A run as Markdown, to read or to attach to an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from oh_tui.catalog.tags import tag_words
from oh_tui.sharing.found_in_text import listed
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.text.human import duration, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import masked, safe, safe_line
from oh_tui.trajectory.model.steps import decoded
from oh_tui.trajectory.presentation.markdown import event_markdown, step_markdown


def markdown(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The head of the run, its steps, its hidden events, and what was hidden in them."""

    def leaves(text: str, where: str = "") -> str:
        text = masked(text)
        plain = _ESCAPED.sub(r"\1", text)
        sink.take(plain)
        if where:
            sink.hides(where, plain)
        return text

    conversation, study, steps, kept = run.conversation, run.study, run.steps, run.kept
    verdict, accounts = study.verdict, study.accounts
    model = safe_line(conversation.llm_model or "")
    cost = study.sub_runs.cost(conversation.price)
    facts_line = (
        safe_line(conversation.selected_repository or ""),
        f"model {model}" if model else "",
        f"{duration(accounts.active)} of work" if accounts.active >= 0.5 else "",
        cost.words,
        plural(len(study.trajectory), "step"),
        f"{len(steps):,} of them here" if len(steps) < len(study.trajectory) else "",
    )
    yield leaves(f"# {_escaped(run.title)}\n\n")
    if verdict.word:
        yield leaves(f"**{verdict.word}** {_escaped(verdict.cause)}".rstrip() + "\n\n")
    elif verdict.cut_off:
        yield leaves(f"**{verdict.cause}**\n\n")
    yield leaves(_escaped(" · ".join(filter(None, facts_line))) + "\n\n")
    if run.note:
        yield leaves(f"{_escaped(run.note)}\n\n")
    yield leaves(_own_markdown(kept.note, tag_words(kept.tags)), "your note")
    yield leaves(_phases(run))
    yield from map(leaves, _looks(run))
    if steps:
        yield "## Steps\n\n"
    for step in steps:
        sink.at(step.number)
        with decoded(step):
            sink.files(step, diffs=True)
            text = step_markdown(step, study.trajectory.outcome(step))
        head, _, rest = text.partition("\n\n")
        note = kept.step_notes.get(step.event.id, "")
        signs = ["bookmarked"] if step.event.id in kept.bookmarks else []
        if own := _own_markdown(note, signs):
            text = f"{head}\n\n{own}{rest}"
        yield leaves(f"{text}\n", f"step {step.number}")
    sink.at(0)
    if run.others:
        yield f"## {plural(len(run.others), 'hidden event')}\n\n"
    for event in run.others:
        yield leaves(f"{event_markdown(event)}\n", f"event {safe_line(event.id)}")
    yield "## What was hidden\n\n"
    places = [f"- {where}: {listed(found)}\n" for where, found in sink.hidden.items()]
    yield "".join(places) or "Nothing: no known kind of secret was found.\n"


def _looks(run: SharedRun) -> Iterator[str]:
    found, more = run.looks()
    if not found:
        return
    yield "## Worth a look\n\n"
    yield "".join(f"- step {label}: {_escaped(reason.why)}\n" for label, reason in found)
    yield f"- {more:,} more\n\n" if more else "\n"


def _phases(run: SharedRun) -> str:
    rows = "".join(
        f"- {one.steps} **{one.name}** {_escaped(run.phase_words(one))}\n" for one in run.phases
    )
    return f"{rows}\n" if rows else ""


def _own_markdown(note: str, words: list[str]) -> str:
    """Tags or a bookmark, and a note, as a quotation; "" for none."""
    lines = [f"**{_escaped(' '.join(words))}**"] if words else []
    lines += _escaped(safe(note)).splitlines()
    return "".join(f"> {line}\n" for line in lines) + "\n" if lines else ""


_ESCAPED = pattern(r"\\([\\`*_\[\]<>#|~&])")
"""A sign as it is told beside the escape of Markdown."""


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)

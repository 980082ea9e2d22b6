"""A search of many runs, and its hits as JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oh_tui.batch import search_words
from oh_tui.batch.cached_rows import known_misses
from oh_tui.batch.reports.over_runs import runs_of
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.batch.step_search import Hit
from oh_tui.text.redact import safe_line

if TYPE_CHECKING:
    from oh_tui.documents.shapes import many


def search_of(reader: Reader, words: str, *, live: bool = False) -> Search:
    """The search for these words. Raises QueryError."""
    query = search_words.parse(words)
    known = partial(known_misses, reader.settings.library_folder, reader.source)
    job, misses = SearchJob(query.steps), known(query.steps)
    reading = runs_of(reader, job, query.runs, known=misses, live=live)
    return Search(reading, query.steps.each_word, known)


def hit_json(hit: Hit) -> many.HitInRun:
    """A hit, without the run that it is in."""
    document: many.HitInRun = {
        "step": hit.step,
        "event_id": safe_line(hit.event_id),
        "where": hit.where,
        "line": safe_line(hit.line),
    }
    if hit.is_of_sub_agent:
        document["path"] = hit.path
    return document

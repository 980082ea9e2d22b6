"""Lines of OTLP JSON, each a request that a collector takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from oh_tui import __version__
from oh_tui.conversation import bare_id
from oh_tui.sharing.otlp.messages import Messages
from oh_tui.sharing.otlp.span import Span, hash_of
from oh_tui.sharing.otlp.spans import Spans
from oh_tui.sharing.shared_run import SharedRun
from oh_tui.sharing.sink import Sink
from oh_tui.text.display import json_line
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.trajectory import Trajectory

SPANS, CHARS = 500, 10**6
"""About how many spans and characters are in a line: collectors refuse requests of many MB."""

FIRST = 50
"""Events at the start of a run in which its first answer is looked for."""

_ID = pattern("[0-9a-f]{32}")


def _key_of(name: str, run: Trajectory) -> str:
    """What tells a run from all others, and is the same for a longer one: its id, if that is one of
    a server. Evaluations give each run of a task the same name: then its events up to the first
    answer count."""
    if _ID.fullmatch(name):
        return name
    told = hashlib.sha256()
    for event in run.events[:FIRST]:
        told.update(event.original())
        if event.is_answer:
            break
    return told.hexdigest()


def otlp(run: SharedRun, sink: Sink) -> Iterator[str]:
    """The agent first, each span after the one it belongs to; nothing for a run without steps. The
    ids of spans follow from the run as it was read, whatever of it is shared."""
    if not run.steps:
        return
    study, bare = run.study, bare_id(run.name)
    name = bare if _ID.fullmatch(bare) else run.name
    key = _key_of(name, run.read or study.trajectory)
    made = Messages(sink) if run.messages else None
    spans = Spans(key, name, run.conversation, made, sink)
    agent = study.trajectory.recorded.agent
    made_of = spans.of(study, run.steps, run.is_part)
    yield from _lines(hash_of(key, digits=32), agent, made_of, sink)


def _lines(trace: str, agent: str, spans: Iterable[Span], sink: Sink) -> Iterator[str]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": agent}}]}
    scope = {"name": "oh-tui", "version": __version__}
    head = f'{{"resourceSpans": [{{"resource": {sink.json(resource)}, "scopeSpans": [{{"scope": '
    head += f'{json_line(scope)}, "spans": ['
    texts: list[str] = []
    before = chars = 0
    for span in spans:
        text, before = span.json(trace, before, sink)
        if texts and (len(texts) == SPANS or chars + len(text) > CHARS):
            yield f"{head}{', '.join(texts)}]}}]}}]}}\n"
            texts, chars = [], 0
        texts.append(text)
        chars += len(text)
    yield f"{head}{', '.join(texts)}]}}]}}]}}\n"

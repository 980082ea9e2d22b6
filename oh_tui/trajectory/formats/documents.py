"""The table of formats for a run as one JSON text.

Such a text is a row of a JSON lines file, or a file of its own. Both use this table. To add a
format, write its `Document` in a file of its own and add it to `DOCUMENTS`.
"""

from __future__ import annotations

import msgspec

from oh_tui.trajectory.formats import evaluation
from oh_tui.trajectory.formats.document import Converted, Document, Fields, Top, top_of, value_of
from oh_tui.trajectory.formats.foreign.document_formats import ATIF, CHAT, SWE_AGENT, V0
from oh_tui.trajectory.formats.foreign.foreign_run import pack
from oh_tui.trajectory.formats.run_file import HINT, FormatProblem
from oh_tui.trajectory.model.recorded import Label, read_label

DOCUMENTS: tuple[Document, ...] = (evaluation.V1, ATIF, SWE_AGENT, V0, CHAT, evaluation.ROW)
"""The first that recognises a text by its events converts it; the last one needs none."""


def may_be_run(head: bytes) -> bool:
    """Whether a text that begins with these bytes can be a run."""
    return any(document.may_be(head) for document in DOCUMENTS)


def holds_run(text: bytes) -> bool:
    """Whether a whole text is a run."""
    try:
        top = top_of(text)
    except ValueError:
        return False
    return any(document.is_one(top) for document in DOCUMENTS)


def is_event(text: bytes) -> bool:
    """Whether a text is an event of OpenHands, without a run around it."""
    is_object = text.lstrip()[:1] == b"{"  # V0 also has pairs of events
    return is_object and any(one.is_one([msgspec.Raw(text)]) for one in (evaluation.V1, V0))


def read_document(text: bytes, where: str) -> Converted:
    """The run in a text. `where` is what errors call the text. Raises FormatProblem."""
    try:
        top = top_of(text)
    except ValueError as error:
        why = {"nested too deep": "is nested too deep", "too many values": "has too many values"}
        raise FormatProblem(f"{where} {why.get(str(error), 'is not JSON')}") from error
    claims = _claims(top)
    if not claims:
        raise FormatProblem(f"{where} is not in a format that oh-tui reads", HINT)
    try:
        converted = claims[0].convert(text, top)
    except ValueError as error:
        raise FormatProblem(f"{where} cannot be read as {claims[0].name}", HINT) from error
    evaluation.add_row(converted, top)
    if converted.recorded.label is None and (label := _label_in(top)):
        converted.recorded = msgspec.structs.replace(converted.recorded, label=label)
    converted.notes += _also(claims[0], claims)
    return converted


def also_claimed(document: Document, value: object) -> list[str]:
    """A note if other formats claim the decoded object too, besides the `document` that reads
    it."""
    if not isinstance(value, dict):
        return []
    others = {name: each for name, each in value.items() if name != "steps"}
    first = (
        each[: evaluation.FIRST] if isinstance(each, list) else None for each in others.values()
    )
    top = Fields({name: msgspec.Raw(pack(each)) for name, each in zip(others, first, strict=True)})
    return _also(document, [one for one in _claims(top) if one is not evaluation.ROW])


def _claims(top: Top) -> list[Document]:
    """The formats whose events a text has; that of a row without events, if it has none."""
    found = [one for one in DOCUMENTS if one.is_one(top)]
    lacks = {evaluation.ROW}
    if isinstance(top, Fields) and not top.list_at("steps"):
        lacks.add(ATIF)
    return [one for one in found if one not in lacks] or found


def _also(document: Document, claims: list[Document]) -> list[str]:
    others = ", ".join(claim.name for claim in claims if claim is not document)
    return [f"read as {document.name}; it may be {others} as well"] if others else []


def _label_in(top: Top) -> Label | None:
    for path in (("resolved",), ("report", "resolved"), ("test_result", "report", "resolved")):
        if label := read_label(value_of(top, *path)):
            return label
    return None

"""What of a conversation matches a filter word, for rules: `took 2h17m, the limit is 2h`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.conversation_order import took
from oh_tui.catalog.file_conversation import label_of
from oh_tui.catalog.triage import WORDS
from oh_tui.text.human import dollars, duration
from oh_tui.text.redact import safe_line

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.analysis.search.step_filter import Term

LONGEST = 80
"""Characters of a text."""

LABELS = ("resolved", "unresolved", "unlabelled")
"""Values of `is:` that the label of an evaluation answers."""


def cost_told(one: Conversation, term: Term) -> str:
    limit = dollars(term.value.number).removesuffix(".00")
    return (one.told_cost.words or dollars(0.0)) + _beyond(term, limit)


def took_told(one: Conversation, term: Term) -> str:
    limit = duration(term.value.number).removesuffix("00s").removesuffix("00m")
    return f"took {duration(took(one) or 0.0)}{_beyond(term, limit)}"


def outcome_told(one: Conversation, status: str, term: Term) -> str:
    label = label_of(one)
    if term.value in LABELS:
        return f"it is {label.value}" if label else ""
    return f"it is {status}" if status and term.value in WORDS else ""


def text_told(name: str, text: str | None) -> str:
    return f"{name} {safe_line(text or 'none', LONGEST)}"


def _beyond(term: Term, limit: str) -> str:
    """The bound that a value is beyond."""
    if term.value.sign == "=":
        return ""
    is_most = (term.value.sign in (">", ">=")) is not term.negated
    return f", the {'limit' if is_most else 'least'} is {limit}"

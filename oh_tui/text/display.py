"""Foreign texts as they stand in lists, which are drawn often, and in JSON that leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from oh_tui.text.redact import held, redact_json, safe_line


def json_line(document: object, hide: Callable[[object], Any] = redact_json) -> str:
    """A document on one line, without secrets: all JSON of commands is made here or by
    `print_json`. NaN and infinity, which a server may send, become null; a document that is nested
    too deep becomes a remark."""
    document = hide(document)
    try:
        return json.dumps(document, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(document), parse_constant=lambda _: None))
    except RecursionError:
        return json.dumps({"kind": "(cannot read)", "text": "nested too deep"})


LONGEST = 1_000
"""Characters of a text that are read."""


def cached_line(text: str | None) -> str:
    """As `safe_line`, for texts that lists draw again and again, such as titles."""
    return _line(text[:LONGEST], held()) if text else ""


@lru_cache(8192)
def _line(text: str, held: tuple[str, ...]) -> str:
    """`held` are the keys that are redacted."""
    return safe_line(text)

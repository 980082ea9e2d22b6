"""JSON that leaves this machine: a document on one line, without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oh_tui.text.redact import redact_json


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

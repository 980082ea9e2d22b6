"""Answers of automation servers, as measured on openhands-automation 1.26.0 and 1.13.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def sample(name: str, version: str = "1.26.0") -> Any:
    """The answer in a file of this folder."""
    return json.loads((Path(__file__).parent / version / f"{name}.json").read_text("utf-8"))

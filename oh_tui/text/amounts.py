"""Amounts as people type them: spans, US dollars, shares; and as JSON has them."""

from __future__ import annotations

import math

from oh_tui.text.patterns import pattern

BUDGET = (0.01, 1_000_000.0)
"""The least and the most US dollars that a budget can be."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = pattern(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:ms|[smhd])){1,5}")
_PART = pattern(r"([0-9.]+)(ms|[smhd])")
_NUMBER = pattern(r"[0-9]{1,9}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}")
_DOLLARS = pattern(r"[0-9]{0,9}\.?[0-9]{1,9}")
_SHARE = pattern(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?")


def seconds_of(text: str) -> float | None:
    """`5s`, `300ms`, `1m30s`, `2h` or a number of seconds, in seconds; None for other text."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _SPAN.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def dollars_of(text: str) -> float | None:
    """`$1.50` or `1.5`; None for other text."""
    text = text.removeprefix("$")
    return float(text) if _DOLLARS.fullmatch(text) else None


def is_budget(amount: float) -> bool:
    """Whether US dollars can be a budget; no for nan and infinity."""
    least, most = BUDGET
    return least <= amount <= most


def share_of(text: str) -> float | None:
    """`80%` or `80`, as 0.8; None for other text."""
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else None


def number(value: float | None, digits: int = 6) -> float | None:
    """A rounded number that JSON can hold; None for NaN and infinity."""
    if value is None or not math.isfinite(value):
        return None
    return round(value, digits)

"""How much a colour stands out from what is behind it, as WCAG 2 counts it."""

from __future__ import annotations

from rich.color_triplet import ColorTriplet

LEAST = 4.5
"""Contrast that text has with what is behind it, at least."""


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """From 1 for the same to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

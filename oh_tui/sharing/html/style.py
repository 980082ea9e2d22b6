"""The style and the script of the page, and the policy that allows these two and nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from oh_tui.trajectory.glyphs import COLOURS, HUES

_DARK, _LIGHT = 0, 1
"""Columns of COLOURS."""

_ATTRIBUTES = {
    "bold": "font-weight:600",
    "italic": "font-style:italic",
    "underline": "text-decoration:underline",
    "strike": "text-decoration:line-through",
}


@cache
def style() -> str:
    """The explorer's colours and hues as variables and classes, then the layout."""
    dark, light = (
        "".join(
            f"--{name}:{values[column]};" for name, values in COLOURS.items() if name != "found"
        )
        for column in (_DARK, _LIGHT)
    )
    hues = "".join(f".h-{hue}{{{_rules(words)}}}\n" for hue, words in HUES.items())
    on_hues = "".join(
        f".rev.h-{hue}{{background:var(--{words});color:var(--paper)}}\n"
        for hue, words in HUES.items()
        if words in COLOURS
    )
    return (
        f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{{light}}}}}\n{hues}{_read('page.css')}{on_hues}"
    )


@cache
def script() -> str:
    """Search, folding and keys; the page is whole without it."""
    return _read("page.js")


def policy() -> str:
    """A Content-Security-Policy under which nothing is loaded, sent or run but `script`."""
    return (
        f"default-src 'none'; style-src {_hash(style())}; script-src {_hash(script())}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _rules(words: str) -> str:
    """A hue of the explorer, such as "bold red" or "on added", in CSS."""
    rules: list[str] = []
    is_ground = False
    for word in words.split():
        if word == "on":
            is_ground = True
        elif word in _ATTRIBUTES:
            rules.append(_ATTRIBUTES[word])
        elif word in COLOURS and word != "found":
            rules.append(f"{'background' if is_ground else 'color'}:var(--{word})")
    return ";".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")

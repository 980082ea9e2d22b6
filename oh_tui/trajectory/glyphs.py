"""Glyphs and colours: a hue for each actor, red and amber only for trouble, two forms of glyphs."""

from __future__ import annotations

import msgspec

from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.steps import Outcome

COLOURS = {
    "ink": ("#d4dae0", "#1f262d", "default"),
    "paper": ("#11161b", "#fcfcfa", "default"),
    "panel": ("#1a2128", "#eef0f2", "default"),
    "lit": ("#232e38", "#dde8f3", "default"),
    "line": ("#3b4650", "#c3cad1", "bright_black"),
    "bar": ("#2b353f", "#cfd5da", "default"),
    "grey": ("#8b96a2", "#5d6772", "bright_black"),
    "pale": ("#a9b3bd", "#4c5660", "default"),
    "blue": ("#7aa7ff", "#2459c4", "bright_blue"),
    "violet": ("#c39bf0", "#7a3fc9", "magenta"),
    "cyan": ("#5ec4d4", "#00707f", "cyan"),
    "green": ("#8fcf7f", "#297318", "green"),
    "amber": ("#f0b64a", "#8a5b00", "yellow"),
    "red": ("#ff6f6f", "#c02626", "red"),
    "added": ("#15281c", "#e3f4e0", "default"),
    "removed": ("#331b1f", "#fbe4e4", "default"),
    "found": ("#11161b on #f0b64a", "#1f262d on #ffd97a", "reverse"),
}
"""Our name of a colour -> what it is in each palette; ansi's dark blue is hard to read on black."""

HUES = {
    "dim": "grey",
    "rule": "line",
    "cursor": "on lit",
    "cursor-blurred": "on panel",
    "mark": "blue",
    "marked": "bold blue",
    "selected": "bold reverse",
    "title": "bold",
    "letter": "underline",
    "key": "bold",
    "you": "blue",
    "llm": "violet",
    "terminal": "cyan",
    "edit": "green",
    "read": "pale",
    "web": "blue",
    "bad": "red",
    "warn": "amber",
    "good": "green",
    "hit": "found",
    # of text in Call and Result
    "add": "on added",
    "del": "on removed",
    "add-sign": "bold green",
    "del-sign": "bold red",
    "hunk": "cyan",
    "number": "grey",
    "label": "grey",
    "heading": "bold",
    "note": "grey",
    "failure": "red",
    "prompt": "bold cyan",
    "command": "cyan",
    "comment": "italic grey",
    "keyword": "violet",
    "string": "green",
    "literal": "blue",
    "name": "cyan",
    "variable": "blue",
    "code": "cyan",
    "link": "underline blue",
    "quote": "italic",
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strike": "strike",
    "gone": "strike grey",
    "find": "found",
    "selection": "paper on blue",
}
"""Hue -> its style, in our names of colours and attributes of text."""

FAMILY_HUES = {
    "you": "you",
    "agent": "llm",
    "terminal": "terminal",
    "edit": "edit",
    "read": "read",
    "web": "web",
    "mcp": "web",
    "plan": "llm",
    "think": "llm",
    "task": "llm",
    "skill": "llm",
    "condensed": "llm",
    "error": "bad",
}
"""Family of a step -> hue; other families are plain."""


class Glyphs(msgspec.Struct, frozen=True):
    """One character each, single width, in common fonts."""

    running: str = "●"
    starting: str = "○"
    waiting: str = "◆"
    error: str = "✗"
    failed: str = "!"
    rejected: str = "–"
    finished: str = "✓"
    unknown: str = "·"
    paused: str = "║"
    no_result: str = "▒"
    levels: str = "▁▂▃▄▅▆▇█"
    """Shares of time, eight of them."""
    cut: str = "┊"
    selected: str = "▼"
    falling: str = "▼"
    """Sorted, the largest first."""
    rising: str = "▲"
    user: str = "▲"
    loop: str = "∞"
    condensed: str = "≈"
    parted: str = "≠"
    """Its result is another than in the record."""
    cursor: str = "▌"
    first: str = "┌"
    middle: str = "│"
    last: str = "└"
    rule: str = "─"
    heavy: str = "━"
    divider: str = "│"
    dot: str = "·"
    more: str = "…"
    """In place of what was cut of a text for lack of room."""
    marked: str = "+"
    found: str = "/"
    bookmark: str = "★"
    note: str = "¶"
    tag: str = "#"
    sub_agents: str = "▸"
    forgotten: str = "╎"
    """It is forgotten: no longer in the context."""
    branch: str = "⑂"
    phase: str = "╷"
    """A phase begins."""


UNICODE = Glyphs()
ASCII = Glyphs(
    running="*", starting="o", waiting="?", error="x", failed="!", rejected="-", finished="+",
    unknown=".", paused="=", no_result="/", levels=".:-=+*%#", cut="|", selected="v", user="^",
    falling="v", rising="^",
    loop="@", condensed="_", cursor=">", first="/", middle="|", last="\\", rule="-", heavy="=",
    divider="|", dot="|", more="~", marked="#", bookmark="'", note=";", tag="%",
    sub_agents=")", forgotten='"', branch="Y", phase="{", parted="&",
)  # fmt: skip

IN_ASCII = {
    ord(sign): ascii
    for name in Glyphs.__struct_fields__
    for sign, ascii in zip(getattr(UNICODE, name), getattr(ASCII, name), strict=True)
    if not sign.isascii()  # in a text, `+` stays one
}
"""Sign -> the one in its place."""

_STATES = {
    "waiting": ("waiting", "warn"),
    "stuck": ("error", "bad"),
    "error": ("error", "bad"),
    "running": ("running", "good"),
    "silent": ("running", "warn"),
    "starting": ("starting", "good"),
    "idle": ("starting", "dim"),
    "finished": ("finished", "dim"),
    "stopped": ("paused", "dim"),
    "paused": ("paused", "dim"),  # a sandbox
    "cut off": ("failed", "warn"),
}
_VERDICTS = _STATES | {
    "finished": ("finished", "good"),
    "stopped": ("paused", "warn"),
    "saved": ("running", "dim"),
    "unfinished": ("paused", "warn"),
}
_OUTCOMES = {
    Outcome.COMMAND_FAILED: ("failed", "warn"),
    Outcome.ERROR: ("error", "bad"),
    Outcome.REJECTED: ("rejected", "dim"),
    Outcome.WAITING: ("waiting", "warn"),
    Outcome.RUNNING: ("running", "good"),
    Outcome.NO_RESULT: ("no_result", "dim"),
}
"""Name of the glyph, and hue."""

_LABELS = {
    Label.RESOLVED: ("finished", "good"),
    Label.UNRESOLVED: ("error", "bad"),
    Label.ERROR: ("failed", "warn"),
}

_RULES = {
    "broken": ("error", "bad"), "holds": ("finished", "good"),
    "nothing to check": ("rejected", "dim"),
}  # fmt: skip

_STRIP = {
    "error": ("error", "bad"),
    "loop": ("loop", "bad"),
    "waiting": ("waiting", "warn"),
    "paused": ("paused", "dim"),
    "user": ("user", "you"),
    "condensed": ("condensed", "dim"),
    "failed": ("failed", "warn"),
    "rejected": ("rejected", "dim"),
}


def outcome_mark(glyphs: Glyphs, outcome: Outcome) -> tuple[str, str]:
    """Glyph and hue of how a step ended; ("", "") when all is well."""
    return _mark(glyphs, _OUTCOMES.get(outcome)) or ("", "")


def label_mark(glyphs: Glyphs, label: Label | None) -> tuple[str, str] | None:
    """Of what an evaluation says; None where it says nothing."""
    return _mark(glyphs, _LABELS.get(label) if label else None)


def rule_mark(glyphs: Glyphs, state: str) -> tuple[str, str]:
    """Of what a rule finds in a run."""
    return _mark(glyphs, _RULES.get(state)) or (glyphs.unknown, "dim")


def verdict_mark(glyphs: Glyphs, word: str) -> tuple[str, str]:
    """Of how a run ended, by the word of its verdict."""
    return _mark(glyphs, _VERDICTS.get(word)) or (glyphs.unknown, "dim")


def status_mark(glyphs: Glyphs, status: str) -> tuple[str, str]:
    """Of the state of an agent (a `Stand`) or of a sandbox, in either case."""
    return _mark(glyphs, _STATES.get(status.lower())) or (glyphs.unknown, "dim")


def strip_mark(glyphs: Glyphs, mark: str) -> tuple[str, str]:
    """Of the strongest mark of a column of the strip; (" ", "") without one."""
    return _mark(glyphs, _STRIP.get(mark)) or (" ", "")


def _mark(glyphs: Glyphs, found: tuple[str, str] | None) -> tuple[str, str] | None:
    return (getattr(glyphs, found[0]), found[1]) if found else None

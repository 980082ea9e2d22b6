"""Colours and glyphs: one hue for each actor, red and amber for trouble only, twice each glyph."""

from __future__ import annotations

from functools import cache

import msgspec
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from oh_tui.trajectory.model.steps import Outcome

DARK = Theme(
    name="oh-dark",
    dark=True,
    primary="#7aa7ff",
    secondary="#5ec4d4",
    accent="#c39bf0",
    foreground="#d4dae0",
    background="#11161b",
    surface="#11161b",
    panel="#1a2128",
    success="#8fcf7f",
    warning="#f0b64a",
    error="#ff6f6f",
    variables={"footer-background": "#1a2128", "scrollbar": "#2b353f"},
)
LIGHT = Theme(
    name="oh-light",
    dark=False,
    primary="#2459c4",
    secondary="#00707f",
    accent="#7a3fc9",
    foreground="#1f262d",
    background="#fcfcfa",
    surface="#fcfcfa",
    panel="#eef0f2",
    success="#2c7a1d",
    warning="#8f5f00",
    error="#c02626",
    variables={"footer-background": "#eef0f2", "scrollbar": "#cfd5da"},
)

THEMES = ("oh-dark", "oh-light", "ansi", *BUILTIN_THEMES)
"""The names a theme can be chosen by: ours, the colours of the terminal, Textual's own."""

HUES: dict[str, dict[str, str]] = {
    # the names after "hit" are those of text in Call and Result
    "oh-dark": {
        "dim": "#7d8894",
        "rule": "#3b4650",
        "cursor": "on #232e38",
        "cursor-blurred": "on #1a2128",
        "mark": "#7aa7ff",
        "marked": "bold #7aa7ff",
        "selected": "bold reverse",
        "title": "bold",
        "key": "bold",
        "you": "#7aa7ff",
        "llm": "#c39bf0",
        "terminal": "#5ec4d4",
        "edit": "#8fcf7f",
        "read": "#a3adb7",
        "web": "#7aa7ff",
        "bad": "#ff6f6f",
        "warn": "#f0b64a",
        "good": "#8fcf7f",
        "hit": "#11161b on #f0b64a",
        "add": "on #15281c",
        "del": "on #331b1f",
        "add-sign": "bold #8fcf7f",
        "del-sign": "bold #ff6f6f",
        "hunk": "#5ec4d4",
        "number": "#7d8894",
        "label": "#7d8894",
        "heading": "bold",
        "note": "#7d8894",
        "failure": "#ff6f6f",
        "prompt": "bold #5ec4d4",
        "command": "#5ec4d4",
        "comment": "italic #7d8894",
        "keyword": "#c39bf0",
        "string": "#8fcf7f",
        "literal": "#7aa7ff",
        "name": "#5ec4d4",
        "variable": "#7aa7ff",
        "code": "#5ec4d4",
        "link": "underline #7aa7ff",
        "quote": "italic",
        "bold": "bold",
        "italic": "italic",
        "underline": "underline",
        "strike": "strike",
        "find": "#11161b on #f0b64a",
        "selection": "#11161b on #7aa7ff",
    },
    "oh-light": {
        "dim": "#6a7480",
        "rule": "#c3cad1",
        "cursor": "on #dde8f3",
        "cursor-blurred": "on #eef0f2",
        "mark": "#2459c4",
        "marked": "bold #2459c4",
        "selected": "bold reverse",
        "title": "bold",
        "key": "bold",
        "you": "#2459c4",
        "llm": "#7a3fc9",
        "terminal": "#00707f",
        "edit": "#2c7a1d",
        "read": "#59636e",
        "web": "#2459c4",
        "bad": "#c02626",
        "warn": "#8f5f00",
        "good": "#2c7a1d",
        "hit": "#1f262d on #ffd97a",
        "add": "on #e3f4e0",
        "del": "on #fbe4e4",
        "add-sign": "bold #2c7a1d",
        "del-sign": "bold #c02626",
        "hunk": "#00707f",
        "number": "#6a7480",
        "label": "#6a7480",
        "heading": "bold",
        "note": "#6a7480",
        "failure": "#c02626",
        "prompt": "bold #00707f",
        "command": "#00707f",
        "comment": "italic #6a7480",
        "keyword": "#7a3fc9",
        "string": "#2c7a1d",
        "literal": "#2459c4",
        "name": "#00707f",
        "variable": "#2459c4",
        "code": "#00707f",
        "link": "underline #2459c4",
        "quote": "italic",
        "bold": "bold",
        "italic": "italic",
        "underline": "underline",
        "strike": "strike",
        "find": "#1f262d on #ffd97a",
        "selection": "#fcfcfa on #2459c4",
    },
    "ansi": {
        "dim": "bright_black",
        "rule": "bright_black",
        "cursor": "reverse",
        "cursor-blurred": "bold",
        "mark": "blue",
        "marked": "bold blue",
        "selected": "bold reverse",
        "title": "bold",
        "key": "bold",
        "you": "blue",
        "llm": "magenta",
        "terminal": "cyan",
        "edit": "green",
        "read": "default",
        "web": "blue",
        "bad": "red",
        "warn": "yellow",
        "good": "green",
        "hit": "reverse",
        "add": "",
        "del": "",
        "add-sign": "bold green",
        "del-sign": "bold red",
        "hunk": "cyan",
        "number": "bright_black",
        "label": "bright_black",
        "heading": "bold",
        "note": "bright_black",
        "failure": "red",
        "prompt": "bold cyan",
        "command": "cyan",
        "comment": "italic bright_black",
        "keyword": "magenta",
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
        "find": "reverse",
        "selection": "reverse",
    },
}

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
"""Family of a step -> hue; families not named stay plain."""


@cache
def style(theme: str, name: str) -> Style:
    """The style of a hue under a theme; other themes than ours get the dark or light hues by
    their own names (`hues_of`)."""
    return Style.parse(HUES[theme][name]) if name else Style()


def hues_of(theme: Theme) -> str:
    """Which of our sets of hues suits a theme."""
    if theme.name in HUES:
        return theme.name
    if theme.ansi:
        return "ansi"
    return "oh-dark" if theme.dark else "oh-light"


def selection_variables(theme: Theme) -> dict[str, str]:
    """CSS variables for the text selected with the mouse in Textual's own widgets. Their default
    foreground is transparent: text and ground have one colour in every theme. Empty for the ansi
    themes, where a selection is in reverse."""
    look = style(hues_of(theme), "selection")
    if look.color is None or look.bgcolor is None:
        return {}
    return {
        "screen-selection-foreground": look.color.name,
        "screen-selection-background": look.bgcolor.name,
    }


def theme_name(name: str) -> str:
    """Textual's name of a theme that is one of THEMES."""
    return "ansi-dark" if name == "ansi" else name


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
    user: str = "▲"
    loop: str = "∞"
    condensed: str = "≈"
    cursor: str = "▌"
    first: str = "┌"
    middle: str = "│"
    last: str = "└"
    rule: str = "─"
    heavy: str = "━"
    divider: str = "│"
    dot: str = "·"
    more: str = "…"
    marked: str = "+"


UNICODE = Glyphs()
ASCII = Glyphs(
    running="*",
    starting="o",
    waiting="?",
    error="x",
    failed="!",
    rejected="-",
    finished="+",
    unknown=".",
    paused="=",
    no_result="/",
    levels=".:-=+*%#",
    cut=":",
    selected="v",
    user="^",
    loop="@",
    condensed="~",
    cursor=">",
    first="/",
    middle="|",
    last="\\",
    rule="-",
    heavy="=",
    divider="|",
    dot="-",
    more="~",
    marked="#",
)


def outcome_mark(glyphs: Glyphs, outcome: Outcome) -> tuple[str, str]:
    """Glyph and hue of how a step ended; ("", "") when all is well."""
    return {
        Outcome.OK: ("", ""),
        Outcome.COMMAND_FAILED: (glyphs.failed, "warn"),
        Outcome.ERROR: (glyphs.error, "bad"),
        Outcome.REJECTED: (glyphs.rejected, "dim"),
        Outcome.WAITING: (glyphs.waiting, "warn"),
        Outcome.RUNNING: (glyphs.running, "good"),
        Outcome.NO_RESULT: (glyphs.no_result, "dim"),
    }[outcome]


def verdict_mark(glyphs: Glyphs, word: str) -> tuple[str, str]:
    """Glyph and hue of how a run stands, by the word of its verdict."""
    return {
        "running": (glyphs.running, "good"),
        "waiting": (glyphs.waiting, "warn"),
        "finished": (glyphs.finished, "good"),
        "error": (glyphs.error, "bad"),
        "stuck": (glyphs.error, "bad"),
        "paused": (glyphs.paused, "warn"),
        "saved": (glyphs.running, "dim"),
    }.get(word, (glyphs.unknown, "dim"))


def status_mark(
    glyphs: Glyphs, sandbox_status: str | None, execution_status: str | None
) -> tuple[str, str]:
    """Glyph and hue of how a conversation's agent stands. Without a running sandbox the server
    tells no outcome, so a finished run and one cut off look the same: not known."""
    if execution_status is None:
        if sandbox_status == "STARTING":
            return glyphs.starting, "good"
        if sandbox_status == "ERROR":
            return glyphs.error, "bad"
        return glyphs.unknown, "dim"
    return {
        "running": (glyphs.running, "good"),
        "waiting_for_confirmation": (glyphs.waiting, "warn"),
        "finished": (glyphs.finished, "dim"),
        "error": (glyphs.error, "bad"),
        "stuck": (glyphs.error, "bad"),
        "paused": (glyphs.paused, "dim"),
    }.get(execution_status, (glyphs.unknown, "dim"))


def sandbox_mark(glyphs: Glyphs, status: str | None) -> tuple[str, str]:
    """Glyph and hue of a sandbox's state."""
    return {
        "RUNNING": (glyphs.running, "good"),
        "STARTING": (glyphs.starting, "good"),
        "PAUSED": (glyphs.paused, "dim"),
        "ERROR": (glyphs.error, "bad"),
    }.get(status or "", (glyphs.unknown, "dim"))

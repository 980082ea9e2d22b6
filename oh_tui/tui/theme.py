"""Colours and glyphs: a hue for each actor, red and amber only for trouble, two forms of glyphs."""

from __future__ import annotations

from functools import cache

import msgspec
from rich.style import Style
from textual.theme import Theme

from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui import other_themes

_COLOURS = {
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
"""Our name of a colour -> what it is in each palette; ansi has the colours of the terminal, whose
dark blue can hardly be read on black."""

PALETTES = {
    palette: {name: values[column] for name, values in _COLOURS.items()}
    for column, palette in enumerate(("oh-dark", "oh-light", "ansi"))
}

HUES = {
    "dim": "grey",
    "rule": "line",
    "cursor": "on lit",
    "cursor-blurred": "on panel",
    "mark": "blue",
    "marked": "bold blue",
    "selected": "bold reverse",
    "title": "bold",
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
"""Hue -> its style, in our names of colours and attributes of rich."""

_ANSI_HUES = {
    "cursor": "reverse",
    "cursor-blurred": "bold",
    "add": "",
    "del": "",
    "selection": "reverse",
}
"""Hues that depend on the background, which is unknown in a terminal's own colours."""


def _theme(name: str, *, dark: bool) -> Theme:
    colours = PALETTES[name]
    return Theme(
        name=name,
        dark=dark,
        primary=colours["blue"],
        secondary=colours["cyan"],
        accent=colours["violet"],
        foreground=colours["ink"],
        background=colours["paper"],
        surface=colours["paper"],
        panel=colours["panel"],
        success=colours["green"],
        warning=colours["amber"],
        error=colours["red"],
    )


DARK = _theme("oh-dark", dark=True)
LIGHT = _theme("oh-light", dark=False)

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


@cache
def style(palette: str, hue: str) -> Style:
    """The style of a hue in one of the palettes; "" is plain text."""
    if not hue:
        return Style()
    words = HUES[hue] if palette != "ansi" else _ANSI_HUES.get(hue, HUES[hue])
    colours = PALETTES[palette]
    return Style.parse(" ".join(colours.get(word, word) for word in words.split()))


def palette_of(theme: Theme) -> str:
    """The palette of a theme: its own, for themes that are not ours one made from ours."""
    if theme.ansi:
        return "ansi"
    if theme.name not in PALETTES:
        colours = theme.to_color_system().generate()
        ours = PALETTES["oh-dark" if theme.dark else "oh-light"]
        PALETTES[theme.name] = other_themes.suited(
            ours, colours["background"], colours["foreground"]
        )
    return theme.name


_VARIABLES = {
    "foreground": "ink",
    "background": "paper",
    "panel": "panel",
    "footer-background": "panel",
    "scrollbar": "bar",
    "text-disabled": "grey",
}
"""CSS variable -> our name of its colour."""


def corrected_variables(theme: Theme, variables: dict[str, str]) -> dict[str, str]:
    """CSS variables that are others than Textual's: those of selected text, and on ansi themes all
    that are dark blue; on others the grounds of bars and fields and the text of empty fields."""
    if not theme.ansi:
        colours = PALETTES[palette_of(theme)]
        own = {name: colours[ours] for name, ours in _VARIABLES.items()}
        return variables | selection_variables(theme) | own
    blue = {name: "ansi_bright_blue" for name, value in variables.items() if value == "ansi_blue"}
    quiet = dict.fromkeys(("scrollbar", "scrollbar-hover"), "ansi_bright_black")
    return variables | blue | quiet


def selection_variables(theme: Theme) -> dict[str, str]:
    """CSS variables for text selected with the mouse in Textual's own widgets: by default its
    foreground is transparent, so that text and background have the same colour. Empty for ansi
    themes, which show a selection in reverse."""
    look = style(palette_of(theme), "selection")
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
    shaded: str = "▓"
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
    cursor: str = "▌"
    first: str = "┌"
    middle: str = "│"
    last: str = "└"
    rule: str = "─"
    heavy: str = "━"
    divider: str = "│"
    dot: str = "·"
    more: str = "…"
    """In place of the end of a text that was cut for lack of room."""
    before: str = "…"
    """In place of its beginning."""
    marked: str = "+"
    found: str = "/"
    bookmark: str = "★"
    note: str = "¶"
    tag: str = "#"
    sub_agents: str = "▸"
    forgotten: str = "╎"
    """The model no longer sees it."""
    branch: str = "⑂"


UNICODE = Glyphs()
ASCII = Glyphs(
    running="*", starting="o", waiting="?", error="x", failed="!", rejected="-", finished="+",
    unknown=".", paused="=", no_result="/", levels=".:-=+*%#", cut=":", selected="v", user="^",
    falling="v", rising="^", shaded="x",
    loop="@", condensed="~", cursor=">", first="/", middle="|", last="\\", rule="-", heavy="=",
    divider="|", dot="|", more=">", before="<", marked="#", bookmark="'", note=";", tag="%",
    sub_agents=">", forgotten=":", branch="Y",
)  # fmt: skip

_STATES = {
    "waiting": ("waiting", "warn"),
    "stuck": ("error", "bad"),
    "error": ("error", "bad"),
    "running": ("running", "good"),
    "silent": ("running", "warn"),
    "starting": ("starting", "good"),
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

_UNKNOWN = ("unknown", "dim")


def outcome_mark(glyphs: Glyphs, outcome: Outcome) -> tuple[str, str]:
    """Glyph and hue of how a step ended; ("", "") when all is well."""
    if outcome in (Outcome.OK, Outcome.WITH_RESULT):
        return "", ""
    glyph, hue = _OUTCOMES[outcome]
    return getattr(glyphs, glyph), hue


def label_mark(glyphs: Glyphs, label: Label | None) -> tuple[str, str] | None:
    """Glyph and hue of what an evaluation says; None where it says nothing."""
    if label not in _LABELS:
        return None
    glyph, hue = _LABELS[label]
    return getattr(glyphs, glyph), hue


def verdict_mark(glyphs: Glyphs, word: str) -> tuple[str, str]:
    """Glyph and hue of how a run ended, by the word of its verdict."""
    glyph, hue = _VERDICTS.get(word, _UNKNOWN)
    return getattr(glyphs, glyph), hue


def status_mark(glyphs: Glyphs, status: str) -> tuple[str, str]:
    """Glyph and hue of the state of an agent (a `Stand`) or of a sandbox, in either case."""
    glyph, hue = _STATES.get(status.lower(), _UNKNOWN)
    return getattr(glyphs, glyph), hue

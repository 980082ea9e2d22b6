"""The help: first the keys that matter where one is and the signs on that screen, below all other
keys, words and signs, each once; typing searches it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any, ClassVar

import msgspec
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from oh_tui.catalog.attributes import filter_help
from oh_tui.trajectory.glyphs import UNICODE, Glyphs
from oh_tui.trajectory.search.step_filter import FILTER_HELP
from oh_tui.tui.keys import COPY_KEYS, MORE, Hint, Ids, Key, Keymap, help_groups
from oh_tui.tui.platform.base_app import ClosesOnce
from oh_tui.tui.theme import palette_of, style
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Divider, Drawn, Facts, Rule, glyphs_of, spelled

WIDEST, NARROW = 156, 100
"""Columns of the help, and of a screen below which it stands in one column."""

LONGEST = 40
"""Maximum length of the search text."""


class Entry(msgspec.Struct, frozen=True):
    """A key, word or sign, and its meaning; a sign has its colour on the screen."""

    name: str
    meaning: str
    hue: str = "key"
    at: str = ""
    """The title of the help of the only view that has the sign, MAIN for the main screen."""
    seen: str = ""
    """The pattern by which it is known where it is drawn, if not by its name and colour."""
    also: str = ""
    """Words that a search finds it by, besides those that are shown."""


MAIN = "main"

STATES = ("good", "warn", "bad", "dim")
"""Hues of one sign: how urgent it is."""


class Section(msgspec.Struct, frozen=True):
    title: str
    entries: Sequence[Entry]


class HelpScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    HelpScreen { align: center top; background: $background; }
    HelpScreen > #help { width: 156; max-width: 100%; height: 1fr; padding: 0 1; }
    HelpScreen Horizontal {
        layout: grid; grid-size: 2; grid-columns: 1fr 1fr; grid-rows: auto; grid-gutter: 0 2;
        height: auto;
    }
    HelpScreen.-narrow Horizontal { grid-size: 1; grid-columns: 1fr; }
    HelpScreen:ansi > .screen--selection {
        color: ansi_default; background: ansi_default; text-style: reverse;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1", "dismiss", "close")]

    def __init__(
        self, keymap: Keymap, here: Section, below: Screen[Any], idle: Ids = frozenset()
    ) -> None:
        """`here` are the keys that matter where it is opened, on the screen `below`; `idle` those
        that do nothing on this server or these files."""
        super().__init__()
        self._keymap = keymap
        self._idle = idle
        self._here = here
        self._at = getattr(below, "HELP_TITLE", MAIN)
        self._drawn = drawn(below)
        self._wanted = ""
        self.rule = Rule()
        self.left = Static(id="help-left", markup=False)
        self.right = Static(id="help-right", markup=False)
        self.others = Static("All others: type to find one\n", id="help-others", markup=False)
        self.more_left = Static(id="help-more-left", markup=False)
        self.more_right = Static(id="help-more-right", markup=False)
        self.page = VerticalScroll(
            Horizontal(self.left, self.right),
            self.others,
            Horizontal(self.more_left, self.more_right),
            id="help",
        )
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.page, self.footer)

    def on_mount(self) -> None:
        self.footer.hints = (Hint("type", "to search", ""), Hint("↑ ↓ PgUp PgDn", "scroll", ""))
        self.footer.always = (Hint("esc", "close", "dismiss"),)
        self.page.focus()

    def on_resize(self, event: events.Resize) -> None:
        self._show()

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace":
            self._wanted = self._wanted[:-1]
        elif event.key == "ctrl+u":
            self._wanted = ""
        elif event.is_printable and event.character:
            self._wanted = (self._wanted + event.character).lstrip()[:LONGEST]
        else:
            return
        event.stop()
        event.prevent_default()
        self.page.scroll_home(animate=False)
        self._show()

    def _show(self) -> None:
        width = self.size.width
        narrow = width < NARROW or bool(self._wanted)
        self.set_class(narrow, "-narrow")
        inside = min(width, WIDEST) - 5
        column = inside if narrow else (inside - 2) // 2
        glyphs = glyphs_of(self.app)
        looks = palette_of(self.app.current_theme)
        here = legend(signs(glyphs), self._at, self._drawn, looks)
        here_signs = Section("Signs here", here)
        others = Section("Other signs", [one for one in signs(glyphs) if one not in here])
        more_left, more_right = sections(self._here, others, self._keymap, glyphs, self._idle)
        left, right = ([_spelled(one, glyphs)] for one in (self._here, here_signs))
        if self._wanted:
            left = found(self._wanted, (*left, *right, *more_left, *more_right))
            right = more_left = more_right = []
        parts = (self.left, left), (self.right, right)
        for part, told in (*parts, (self.more_left, more_left), (self.more_right, more_right)):
            brief = part is self.left and narrow and not self._wanted
            part.update(written(told, column, looks, brief=brief))
        self.others.display = not self._wanted
        rule = self.rule
        rule.title = (("Help", "title"),)
        rule.facts = (("type sign for the signs here", "dim"),) if narrow else ()
        if self._wanted:
            count = sum(len(section.entries) for section in left)
            rule.title = (("Help", "title"), (f"  {self._wanted}", "mark"))
            rule.facts = ((f"{count} found" if count else "nothing found", "dim"),)


def drawn(screen: Screen[Any]) -> list[Segment]:
    """What rows and rules of a screen draw, each in one style, without what calls and results say,
    without lines and dots, and without the footer, whose keys look like signs."""
    seen = (one for one in screen.query("*") if isinstance(one, Drawn) and one.region.area)
    parts = (one for one in seen if not isinstance(one, (BodyView, Divider, Footer)))
    return [
        segment
        for one in parts
        for y in range(one.size.height)
        for segment in one.render_line(y)
        if segment.text != f" {one.glyphs.dot} "
        and not (
            isinstance(one, Facts) and set(segment.text) <= {one.glyphs.rule, one.glyphs.heavy}
        )
    ]


def legend(
    entries: Sequence[Entry], at: str, segments: Sequence[Segment], palette: str
) -> list[Entry]:
    """The entries of the signs on the screen; where a view has its own meaning, only that one."""
    own = [name for one in entries if one.at == at != MAIN for name in one.name.split()]
    return [
        one
        for one in entries
        if one.at == at or not (one.at or one.name in own)
        if on_screen(one, segments, palette)
    ]


def on_screen(entry: Entry, segments: Iterable[Segment], palette: str) -> bool:
    """Whether a sign of the legend is drawn, alone or before words, and in its colour; a row in
    reverse has none, and a sign of ASCII may be text there."""
    if entry.seen:
        return any(re.search(entry.seen, one.text) for one in segments)
    sign = re.compile("|".join(rf"\s*[{re.escape(name)}]+(?!\S)" for name in entry.name.split()))
    hues = STATES if entry.hue in STATES else (entry.hue,)
    colours = {style(palette, hue).color for hue in hues}
    any_colour = entry.at not in ("", MAIN)
    return any(
        any_colour or look.color in colours or (look.reverse and not text.isascii())
        for text, look, _ in segments
        if look and sign.match(text)
    )


def sections(
    here: Section, others: Section, keymap: Keymap, glyphs: Glyphs, idle: Ids = frozenset()
) -> tuple[list[Section], list[Section]]:
    """Both columns of what is not on the first page, which has `here`."""
    keys = {title: key_section(title, keys) for title, keys in help_groups(keymap, idle)}
    of_steps = Section("Filter (&) of steps", [Entry(*pair) for pair in FILTER_HELP])
    of_list = Section("Filter (&) of conversations", [Entry(*p) for p in filter_help()])
    left = (keys["Moving"], keys["The program"], without_key(idle), of_list, of_steps)
    right = (keys["Looking"], keys["Acting"], MOUSE, others)
    told = {(one.name, one.meaning) for one in here.entries}
    both = [
        Section(one.title, [e for e in one.entries if (e.name, e.meaning) not in told])
        for one in (*left, *right)
    ]
    both = [_spelled(one, glyphs) for one in both]
    return both[: len(left)], both[len(left) :]


def _spelled(section: Section, glyphs: Glyphs) -> Section:
    entries = [
        msgspec.structs.replace(
            entry, name=spelled(entry.name, glyphs), meaning=spelled(entry.meaning, glyphs)
        )
        for entry in section.entries
    ]
    return Section(section.title, entries)


def without_key(idle: Ids) -> Section:
    return Section(
        "Without a key, in the palette",
        [
            *(Entry(label, meaning) for label, meaning, _ in MORE if label not in idle),
            Entry("theme", "other colours; the next start has them too"),
            Entry("server", "another server of the settings file"),
        ],
    )


MOUSE = Section(
    "Mouse",
    [
        Entry("drag ctrl+c", "select text of call or result, and copy it"),
        Entry(
            "click",
            "go to a row, twice opens it; a column's name sorts, a count of the header lists",
        ),
    ],
)


ALSO_COPIED = (
    ("f", "the line that / found"),
    ("p", "the path of the last download"),
)
"""Second keys after `y` that are offered when there is such a thing."""


def key_section(title: str, keys: Iterable[Key]) -> Section:
    entries: list[Entry] = []
    for key in keys:
        entries.append(Entry(key.shown, key.help, also=key.label))
        if key.id == "copy":
            parts = [*((letter, meaning) for letter, _, meaning in COPY_KEYS), *ALSO_COPIED]
            entries += [Entry(f"{key.shown} {one}", what, also=key.label) for one, what in parts]
    return Section(title, entries)


def signs(glyphs: Glyphs) -> list[Entry]:
    """The legend: every sign on the screen, in its colour."""
    return [
        Entry(glyphs.running, "running", "good"),
        Entry(glyphs.starting, "starting", "good"),
        Entry(glyphs.waiting, "waits for you", "warn"),
        Entry(glyphs.error, "error, failed or stuck run", "bad"),
        Entry(glyphs.failed, "command exit not 0; a run that was cut off", "warn"),
        Entry(glyphs.loop, "in a loop: steps that repeat each other", "bad"),
        Entry(glyphs.paused, "stopped", "dim"),
        Entry(glyphs.finished, "finished; in green not opened yet", "good"),
        Entry(glyphs.unknown, "outcome not known: the server does not say", "dim"),
        Entry(glyphs.rejected, "call rejected, or blocked by a hook", "dim"),
        Entry(glyphs.no_result, "call without result", "dim"),
        Entry(glyphs.user, "you wrote", "you"),
        Entry(glyphs.condensed, "condensed: events forgotten, a summary in their place", "dim"),
        Entry(glyphs.parted, "replayed: another result than in the record", "warn"),
        Entry(glyphs.forgotten, "forgotten at the step under the cursor", "dim"),
        Entry(glyphs.branch, "has branches: somebody went back in it; in lists a fork", "mark"),
        Entry(
            f"{glyphs.first} {glyphs.middle} {glyphs.last}",
            "calls made at once, by one answer of the model; in lists sub-conversations",
            "dim",
        ),
        Entry(glyphs.levels, "strip: share of the time in which the model answered", "llm", MAIN),
        Entry(glyphs.levels, "strip: share of the time in which tools ran", "terminal", MAIN),
        Entry(glyphs.cut, "strip: idle time cut out", "dim", MAIN),
        Entry(
            glyphs.phase,
            "strip: a phase begins ({ })",
            "dim",
            MAIN,
            seen=rf"[\d ][{glyphs.phase}]+(?![^\d\s])",
        ),
        Entry(glyphs.selected, "strip: the step under the cursor", "mark", MAIN),
        Entry(
            f"{glyphs.falling} {glyphs.rising}",
            "sorted by it: largest, smallest first",
            "mark",
            seen=rf"\w [{glyphs.falling}{glyphs.rising}]\s*$",
        ),
        Entry(glyphs.cursor, "the cursor", "mark"),
        Entry(glyphs.marked, "marked with space", "marked"),
        Entry(glyphs.sub_agents, "started sub-agents: → opens them, ← closes", "mark"),
        Entry(glyphs.bookmark, "bookmarked with b; in the lists a run with a bookmark", "you"),
        Entry(glyphs.note, "has a note of yours", "you"),
        Entry(glyphs.tag, "a run with a tag of yours", "you"),
        Entry(glyphs.found, "contains the text of /, in the row or in call and result", "hit"),
        Entry("$0.14+", "at least: the cost of a part is not known", "dim", seen=r"\$[\d.,]+\+"),
        Entry("~$0.10", "an estimate: the agent's program made it up", "dim", seen=r"~\$"),
        Entry("~13:29", "a time as written: its zone is unknown", "dim", seen=r"~\d+:"),
        Entry(
            glyphs.more,
            "a text was cut here for lack of room",
            "dim",
            seen=rf"[{glyphs.more}{UNICODE.more}]\s*$",
        ),
        Entry(glyphs.levels[-1], "in T: share of the time or money", "llm", "Where it went"),
        Entry(
            "= ~ < >", "in =: same in both, changed, only A, only B", "mark", "In the comparison"
        ),
        Entry(
            f"{glyphs.rule} {glyphs.levels[-1]} {glyphs.no_result}",
            "in B: runs that finished, that failed, others",
            "good",
            "On the board",
        ),
        Entry(
            f"{glyphs.finished} {glyphs.error} {glyphs.unknown} {glyphs.rejected}",
            "in C: a rule that holds, is broken, is not known, has nothing to check",
            "mark",
            "In the rules of a run",
        ),
        Entry(
            glyphs.levels,
            "in B: by day or week; the lowest is 0, a gap is not known",
            "llm",
            "On the board",
        ),
        Entry(
            f"{glyphs.finished} {glyphs.failed} {glyphs.rejected} {glyphs.unknown}",
            "a run that finished, that did not wholly, was skipped, does not tell",
            "mark",
            "In the runs of an automation",
        ),
        Entry("M A D", "in c: by git modified, added, deleted", "number", "In the changed files"),
        Entry("$", "a command, in the colour of commands", "terminal"),
        Entry("edit", "file changes; reads are pale, the web is blue", "edit", seen=r"^edit\b"),
        Entry("+2 -1", "lines added and removed", "add-sign", seen=r"\+\d"),
    ]


def found(wanted: str, among: Iterable[Section]) -> list[Section]:
    words = wanted.lower().split()
    kept: list[Section] = []
    for section in among:
        entries = [
            entry
            for entry in section.entries
            if all(
                word in f"{section.title} {entry.name} {entry.meaning} {entry.also}".lower()
                for word in words
            )
        ]
        if entries:
            kept.append(Section(section.title, entries))
    return kept


def written(sections: Iterable[Section], width: int, palette: str, *, brief: bool = False) -> Text:
    """In `brief` a long meaning has only what stands before its `;`."""
    text = Text()
    for section in sections:
        names = 16 if any(len(entry.name) > 11 for entry in section.entries) else 12
        text.append(f"{section.title}\n", "bold")
        for entry in section.entries:
            meaning = entry.meaning
            if brief and len(meaning) > width - names - 2:
                meaning = meaning.partition(";")[0]
            lines = wrap(meaning, max(16, width - names - 2)) or [""]
            gap = max(1, names - len(entry.name))
            text.append("  ").append(entry.name, style(palette, entry.hue))
            text.append(f"{'':{gap}}{lines[0]}\n")
            for line in lines[1:]:  # below itself, not below the key
                text.append(f"  {'':<{names}}{line}\n")
        text.append("\n")
    return text

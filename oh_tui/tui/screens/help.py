"""The help: the keys of the current pane, all other keys, and the legend; typing searches it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import ClassVar

import msgspec
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oh_tui.catalog.attributes import filter_help
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.search.step_filter import FILTER_HELP
from oh_tui.tui.keys import COPY_KEYS, MORE, Hint, Ids, Key, Keymap, help_groups
from oh_tui.tui.platform.base_app import ClosesOnce
from oh_tui.tui.theme import palette_of, style
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Rule, glyphs_of, spelled

WIDEST, NARROW = 156, 100
"""Columns of the help, and of a screen below which it stands in one column."""

LONGEST = 40
"""Maximum length of the search text."""


class Entry(msgspec.Struct, frozen=True):
    """A key, word or sign, and its meaning; a sign has its colour on the screen."""

    name: str
    meaning: str
    hue: str = "key"
    also: str = ""
    """Words that a search finds it by, besides those that are shown."""


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
    HelpScreen Static { height: auto; }
    HelpScreen:ansi > .screen--selection {
        color: ansi_default; background: ansi_default; text-style: reverse;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1", "dismiss", "close")]

    def __init__(self, keymap: Keymap, here: Section, idle: Ids = frozenset()) -> None:
        super().__init__()
        self._keymap = keymap
        self._idle = idle
        """Keys and commands that do nothing on this server or these files."""
        self._here = here
        """The keys of the pane from which the help was opened."""
        self._wanted = ""
        self.rule = Rule()
        self.left = Static(id="help-left", markup=False)
        self.right = Static(id="help-right", markup=False)
        self.page = VerticalScroll(Horizontal(self.left, self.right), id="help")
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.page, self.footer)

    def on_mount(self) -> None:
        self.footer.hints = (Hint("type", "to search", ""), Hint("↑ ↓ PgUp PgDn", "scroll", ""))
        self.footer.always = (Hint("esc", "close", "dismiss"),)
        self.page.focus()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < NARROW, "-narrow")
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
        narrow = width < NARROW
        inside = min(width, WIDEST) - 5
        column = inside if narrow else (inside - 2) // 2
        glyphs = glyphs_of(self.app)
        left, right = sections(self._here, self._keymap, glyphs, self._idle)
        if self._wanted:
            left, right = found(self._wanted, (*left, *right)), ()
            column = inside if narrow else column
        looks = palette_of(self.app.current_theme)
        self.left.update(written(left, column, looks))
        self.right.update(written(right, column, looks))
        rule = self.rule
        rule.title = (("Help", "title"),)
        rule.facts = ()
        if self._wanted:
            count = sum(len(section.entries) for section in left)
            rule.title = (("Help", "title"), (f"  {self._wanted}", "mark"))
            rule.facts = ((f"{count} found" if count else "nothing found", "dim"),)


def sections(
    here: Section, keymap: Keymap, glyphs: Glyphs, idle: Ids = frozenset()
) -> tuple[Sequence[Section], Sequence[Section]]:
    """Both columns: the first begins with the current pane, the second ends with the signs."""
    keys = {title: key_section(title, keys) for title, keys in help_groups(keymap, idle)}
    of_steps = Section("Filter (&) of steps", [Entry(*pair) for pair in FILTER_HELP])
    of_list = Section("Filter (&) of conversations", [Entry(*p) for p in filter_help()])
    left = (here, keys["Moving"], keys["The program"], of_list, of_steps)
    right = (keys["Looking"], keys["Acting"], without_key(idle), MOUSE, signs(glyphs))
    return [_spelled(one, glyphs) for one in left], [_spelled(one, glyphs) for one in right]


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


def signs(glyphs: Glyphs) -> Section:
    """The legend: every sign on the screen, in its colour."""
    levels = f"{glyphs.levels[0]}{glyphs.levels[4]}{glyphs.levels[-1]}"
    cut = "a text was cut here for lack of room"
    if glyphs.before != glyphs.more:
        cut += f"; {glyphs.before} its beginning"
    return Section(
        "Signs",
        [
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
            Entry(glyphs.forgotten, "forgotten at the step under the cursor", "dim"),
            Entry(
                glyphs.branch,
                "the run has branches: somebody went back in it; in lists a fork",
                "mark",
            ),
            Entry(
                f"{glyphs.first} {glyphs.middle} {glyphs.last}",
                "calls made at once, by one answer of the model; in lists sub-conversations",
                "dim",
            ),
            Entry(levels, "strip: share of the time in which the model answered", "llm"),
            Entry(levels, "strip: share of the time in which tools ran", "terminal"),
            Entry(glyphs.cut, "strip: idle time cut out", "dim"),
            Entry(glyphs.phase, "strip: a phase begins ({ })", "dim"),
            Entry(glyphs.selected, "strip: the step under the cursor", ""),
            Entry(
                f"{glyphs.falling} {glyphs.rising}", "sorted by it: largest, smallest first", "mark"
            ),
            Entry(glyphs.cursor, "the cursor", "mark"),
            Entry(glyphs.marked, "marked with space", "marked"),
            Entry(glyphs.sub_agents, "started sub-agents: → opens them, ← closes", "mark"),
            Entry(glyphs.bookmark, "bookmarked with b; in the lists a run with a bookmark", "you"),
            Entry(glyphs.note, "has a note of yours", "you"),
            Entry(glyphs.tag, "in the lists: a run with a tag of yours", "you"),
            Entry(glyphs.found, "contains the text of /, in the row or in call and result", "hit"),
            Entry("$0.14+", "at least: the cost of a part is not known", "dim"),
            Entry("~$0.10", "an estimate: the agent's program made it up", "dim"),
            Entry("~13:29", "a time as written: its zone is unknown", "dim"),
            Entry(glyphs.more, cut, "dim"),
            Entry(f"{levels[-1]}{levels[-1]}", "in T: share of the time, or of the money", "llm"),
            Entry("= ~ < >", "in =: the same in both, changed, only in A, only in B", "mark"),
            Entry(
                f"{glyphs.rule} {levels[-1]} {glyphs.no_result}",
                "in B: runs that finished, that failed, others",
                "good",
            ),
            Entry(levels, "in B: by day or week; the lowest is 0, a gap is not known", "llm"),
            Entry("M A D", "in c: what git says, modified, added, deleted", "number"),
            Entry("$", "a command, in the colour of commands", "terminal"),
            Entry("edit", "file changes; reads are pale, the web is blue", "edit"),
            Entry("+ -", "lines added and removed", "add-sign"),
        ],
    )


def found(wanted: str, among: Iterable[Section]) -> Sequence[Section]:
    words = wanted.lower().split()
    kept: list[Section] = []
    for section in among:
        entries = [
            entry
            for entry in section.entries
            if all(word in f"{entry.name} {entry.meaning} {entry.also}".lower() for word in words)
        ]
        if entries:
            kept.append(Section(section.title, entries))
    return kept


def written(sections: Iterable[Section], width: int, palette: str) -> Text:
    text = Text()
    for section in sections:
        names = 16 if any(len(entry.name) > 11 for entry in section.entries) else 12
        text.append(f"{section.title}\n", "bold")
        for entry in section.entries:
            _add(text, entry, width, names, style(palette, entry.hue))
        text.append("\n")
    return text


def _add(text: Text, entry: Entry, width: int, names: int, look: Style) -> None:
    """One line; a long meaning goes on below itself, not below the key."""
    lines = wrap(entry.meaning, max(16, width - names - 2)) or [""]
    gap = max(1, names - len(entry.name))
    text.append("  ").append(entry.name, look).append(f"{'':{gap}}{lines[0]}\n")
    for line in lines[1:]:
        text.append(f"  {'':<{names}}{line}\n")

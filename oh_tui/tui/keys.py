"""The one table of keys, from which bindings, footer, help and palette are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from textual.binding import Binding, BindingType

from oh_tui.catalog.attributes import ORDERS
from oh_tui.settings.config import THEMES, ExplorerNames
from oh_tui.settings.keyboard import shown_keys

PLACES = frozenset({"sandboxes", "automations"})
LISTS = PLACES | {"conversations"}
RUN = frozenset({"timeline", "detail"})
ALL = LISTS | RUN | {"wall"}


class Key(msgspec.Struct, frozen=True):
    """One thing a key does. `id` is stable, for rebinding; `keys` are Textual's names; `action` is
    one of the pane or screen that has the key, or of a controller: `sandboxes.pause` is
    `action_pause` of `Controllers.sandboxes`. `shown` is how the keys are written for people;
    `panes` are those whose footer names it."""

    id: str
    keys: str
    action: str
    shown: str
    label: str
    """Two words or less, for the footer and the palette."""
    help: str
    group: str
    panes: frozenset[str] = frozenset()
    also: str = ""
    """Other words that people type for it in the palette."""

    def binding(self) -> Binding:
        return Binding(self.keys, self.action, self.label, id=self.id, show=False)


class Hint(msgspec.Struct, frozen=True):
    """A key and what it does, as the footer shows it; without an action it cannot be clicked."""

    key: str
    label: str
    action: str


HELP = Hint("?", "all keys", "app.help_here")
HELP_IN_FIELD = Hint("F1", "all keys", "app.help_here")
"""At the right end of the footer of every view; in a field `?` is a letter."""

_MOVE = "Moving"
_LOOK = "Looking"
_ACT = "Acting"
_APP = "The program"

MOVE_KEYS = (
    Key("move.down", "j,down", "move(1)", "j ↓", "down", "one row down", _MOVE),
    Key("move.up", "k,up", "move(-1)", "k ↑", "up", "one row up", _MOVE),
    Key("move.page_down", "pagedown", "page(1)", "PgDn", "page down", "one page down", _MOVE),
    Key("move.page_up", "pageup", "page(-1)", "PgUp", "page up", "one page up", _MOVE),
    Key("move.half_down", "ctrl+d", "page(0.5)", "ctrl+d", "half down", "half a page down", _MOVE),
    Key("move.half_up", "ctrl+u", "page(-0.5)", "ctrl+u", "half up", "half a page up", _MOVE),
    Key("move.top", "g,home", "top", "g Home", "first", "to the first row", _MOVE),
    Key("move.end", "G,end", "end", "G End", "last", "to the last row", _MOVE),
    Key(
        "open",
        "enter",
        "open",
        "enter",
        "open",
        "open a run, of a sub-agent too, or read a step whole",
        _MOVE,
        ALL,
    ),
)
"""Of every pane with rows or lines."""

FOLD_KEYS = (
    Key("sub_agents.open", "right", "unfold", "→", "sub-agents", "open the sub-agents that a step started, below it", _LOOK),
    Key("sub_agents.close", "left", "fold", "←", "close sub-agents", "close them", _LOOK),
)  # fmt: skip

SCREEN_KEYS = (
    Key("answer", "a", "agents.answer", "a", "answer", "answer the call that waits: approve or reject", _ACT, ALL - PLACES, also="confirm allow deny accept"),
    Key("pane.1", "1", "navigation.pane('conversations')", "1", "conversations", "go to the conversations", _MOVE),
    Key("pane.2", "2", "navigation.pane('sandboxes')", "2", "sandboxes", "go to the sandboxes; again: to the automations", _MOVE),
    Key("pane.3", "3", "navigation.pane('timeline')", "3", "timeline", "go to the timeline", _MOVE),
    Key("pane.4", "4", "navigation.pane('detail')", "4", "result", "go to call and result", _MOVE),
    Key("pane.next", "tab", "navigation.next_pane(1)", "tab", "next pane", "the next pane: from the lists to the run", _MOVE),
    Key("pane.previous", "shift+tab", "navigation.next_pane(-1)", "shift+tab", "previous pane", "the previous pane: the other way round", _MOVE),
    Key("back", "escape", "navigation.back", "esc", "back", "back, one thing at a time: question, find, filter; never quits", _MOVE, frozenset({"detail", "conversations", "wall"})),
    Key("place.back", "alt+left", "way_back.go(-1)", "alt+←", "where you were", "back to before a jump, a find or another run", _MOVE, also="history return undo jump previous"),
    Key("place.forward", "alt+right", "way_back.go(1)", "alt+→", "forth again", "forth again, after going back", _MOVE, also="history redo"),
    Key("step.previous", "left_square_bracket", "steps.move(-1)", "[", "previous step", "the previous step, from anywhere", _MOVE),
    Key("step.next", "right_square_bracket", "steps.move(1)", "]", "next step", "the next step, from anywhere", _MOVE),
    Key("result.down", "J", "steps.scroll_result(1)", "J", "result down", "scroll the result, the cursor stays", _MOVE),
    Key("result.up", "K", "steps.scroll_result(-1)", "K", "result up", "scroll the result back", _MOVE),
    Key("error.next", "e", "steps.next_error(1)", "e", "next error", "the next error or failed command", _LOOK, RUN),
    Key("error.previous", "E", "steps.next_error(-1)", "E", "previous error", "the previous error or failed command", _LOOK),
    Key("user.next", "u", "steps.next_user(1)", "u", "your message", "your next message", _LOOK),
    Key("user.previous", "U", "steps.next_user(-1)", "U", "previous message", "your previous message", _LOOK),
    Key("phase.next", "right_curly_bracket", "steps.next_phase(1)", "}", "next phase", "the next phase: what the run did then, such as edit or debug", _LOOK, also="section chapter"),
    Key("phase.previous", "left_curly_bracket", "steps.next_phase(-1)", "{", "previous phase", "the start of the phase, or the previous phase", _LOOK),
    Key("bookmark", "b", "annotations.bookmark", "b", "bookmark", "bookmark the step; again: remove the bookmark", _LOOK),
    Key("bookmark.next", "apostrophe", "annotations.next_bookmark", "'", "next bookmark", "the next bookmark; after the last the first", _LOOK),
    Key("note", "semicolon", "annotations.note", ";", "note", "write a note on the step; in the lists on the run", _LOOK, also="comment annotate"),
    Key("tag", "number_sign", "annotations.tag", "#", "tag", "tag the run: bug kind:flaky; -bug removes it", _LOOK, also="label"),
    Key("undo", "backspace", "annotations.undo", "backspace", "undo", "take back your last tag, note, bookmark or mark", _LOOK, also="revert back remove"),
    Key("find", "slash", "find.ask", "/", "find", "find text in the rows, hiding none", _LOOK, RUN | {"conversations"}, also="search"),
    Key("find.next", "n", "find.next(1)", "n", "next hit", "the next hit of what / found", _LOOK),
    Key("find.previous", "N", "find.next(-1)", "N", "previous hit", "the previous hit of what / found", _LOOK),
    Key("search.all", "asterisk", "search_all.search", "*", "search all runs", "search all runs: IndexError is:failed repo:dates", _LOOK, also="grep everywhere"),
    Key("board", "B", "board.board", "B", "board", "sums over all runs, or those of the filter; failures, rules, sets of runs", _LOOK, also="stats statistics dashboard totals"),
    Key("wall", "W", "wall.open", "W", "wall", "up to six that wait or run, side by side; a m P act on one", _LOOK, also="tiles dashboard monitor many live"),
    Key("filter", "ampersand", "listing.filter", "&", "filter", "show only rows that match: words, is:failed", _LOOK, RUN | {"conversations"}, also="narrow hide"),
    Key("sort", "s", "listing.sort", "s", "sort", "sort the rows: newest, most expensive, longest; a click on a column's name does too", _LOOK, frozenset({"conversations", "timeline"}), also="order"),
    Key("select", "v", "steps.select", "v", "select", "select a range of steps, to copy or to show alone", _LOOK),
    Key("goto", "colon", "goto.ask", ":", "go to", "go to a step, +5 or -3 steps, 60%, a time or an id", _LOOK, also="jump"),
    Key("changes", "c", "reports.changes", "c", "changed files", "the files that the run read and changed", _LOOK, RUN, also="diff patch git"),
    Key("where", "T", "reports.costs", "T", "where it went", "where time and money went", _LOOK, frozenset({"timeline"}), also="cost money price tokens duration"),
    Key("blame", "at", "reports.blame", "@", "blame line", "which step wrote a line that the result names", _LOOK, also="traceback who wrote line file"),
    Key("compare", "equals_sign", "comparisons.open", "=", "compare", "compare two to eight marked runs; without a mark a fork with its origin", _LOOK, frozenset({"conversations"}), also="diff versus"),
    Key("hidden", "x", "view.hidden", "x", "hidden", "show or hide the other events; what is gone", _LOOK, frozenset({"sandboxes"}), also="gone"),
    Key("time", "t", "view.time", "t", "time", "elapsed, clock, UTC", _LOOK),
    Key("wrap", "w", "view.wrap", "w", "wrap", "wrap or cut long lines in call and result", _LOOK, frozenset({"detail"}), also="lines"),
    Key("json", "R", "view.json", "R", "JSON", "the step as raw JSON and back", _LOOK, frozenset({"detail"}), also="raw source"),
    Key("zoom", "z", "navigation.zoom", "z", "zoom", "the pane on the whole screen and back", _LOOK, also="fullscreen maximize"),
    Key("divider.left", "less_than_sign", "view.divider(-2)", "<", "narrower lists", "the divider to the left; the mouse drags it too", _LOOK),
    Key("divider.right", "greater_than_sign", "view.divider(2)", ">", "wider lists", "the divider to the right", _LOOK),
    Key("columns", "vertical_line", "view.columns", "|", "columns", "choose the columns of the list or the timeline", _LOOK, also="fields"),
    Key("load.all", "L", "older.load_all", "L", "read all", "read all events of a long run; says the cost first", _LOOK, frozenset({"timeline"})),
    Key("follow", "f", "steps.follow", "f", "follow", "follow the newest step of a live run, or stop", _LOOK, frozenset({"timeline"}), also="live tail"),
    Key("message", "m", "composer.write", "m", "message", "write to the agent", _ACT, ALL - PLACES, also="send reply chat write prompt"),
    Key("agent.stop", "P", "agents.stop_or_continue", "P", "stop agent", "stop the agent, or let it go on; stop an automation's run and its agent", _ACT, ALL - {"sandboxes"}, also="cancel abort interrupt kill resume continue"),
    Key("budget", "dollar_sign", "budgets.set", "$", "budget", "what the run may cost; over it oh-tui asks, then stops the agent", _ACT, also="cost limit money spend"),
    Key("ask", "A", "agent_setups.ask", "A", "ask agent", "ask the agent about its run; one call of its model, leaves no trace in the run", _ACT, also="question btw why"),
    Key("fork", "F", "forks.fork", "F", "fork", "fork the run at the step, to go on from there; on a message of yours before it, to say another thing", _ACT, frozenset({"timeline"}), also="duplicate clone copy rewind edit message checkpoint"),
    Key("sandbox.pause", "p", "sandboxes.pause", "p", "pause sandbox", "pause the sandbox, or resume it when paused; switch an automation off, or on again", _ACT, ALL, also="suspend sleep stop resume wake"),
    Key("context", "V", "reports.context", "V", "context", "what the model saw when it made the step", _LOOK, frozenset({"timeline"}), also="messages prompt window tokens memory condensed forgotten"),
    Key("files", "H", "reports.files_then", "H", "files as of step", "the files as they were after the step", _LOOK, frozenset({"timeline"}), also="checkout history version past time blame"),
    Key("rules", "C", "rules.rules", "C", "rules", "which rules the run holds, which it breaks; by which steps", _LOOK, frozenset({"timeline"}), also="check audit policy broken violations"),
    Key("start", "ctrl+n", "new_conversations.open", "ctrl+n", "new conversation", "start a conversation", _ACT, also="create task"),
    Key("shell", "exclamation_mark", "workspaces.shell", "!", "shell", "run a command where the agent works", _ACT, also="terminal command bash exec"),
    Key("open.page", "o", "web_pages.open", "o", "web page", "open the conversation in the browser", _ACT, also="url link website"),
    Key("open.pull", "O", "web_pages.open_pull_request", "O", "pull request", "open its pull request in the browser", _ACT, also="PR github"),
    Key("download", "d", "downloads.download", "d", "download", "download the trajectory as a zip", _ACT, ALL - PLACES, also="export save zip"),
    Key("share", "S", "reports.share", "S", "share", "share the run: a file for others; what leaves with it, what is to stay", _ACT, frozenset({"timeline"}), also="export html markdown publish send recording cast"),
    Key("mark", "space", "conversations.mark", "space", "mark", "mark a conversation; = d p act on all marked, other keys on one", _ACT, frozenset({"conversations"}), also="check multiple"),
    Key("copy", "y", "clipboard.copy", "y", "copy", "copy; one more key says what", _ACT, RUN, also="clipboard yank"),
    Key("pager", "f3", "external_programs.page", "F3", "pager", "show call or result in $PAGER", _LOOK),
    Key("editor", "f4", "external_programs.edit", "F4", "editor", "open a copy of call or result in $EDITOR", _LOOK, also="vim external"),
    Key("images", "i", "images.save", "i", "images", "save the images of the step, and open them", _ACT, also="picture"),
    Key("refresh", "r", "navigation.refresh", "r", "refresh", "read lists and run again, in new order", _ACT, LISTS, also="reload update"),
    Key("help", "question_mark,f1", "help", "? F1", "all keys", "the help: keys and signs of where you are; in a text field F1", _APP, ALL),
    Key("palette", "ctrl+p,f2", "app.command_palette", "ctrl+p F2", "palette", "every command and conversation, by name", _APP),
    Key("quit", "q", "navigation.close_or_quit", "q", "quit", "close this view; in the main view quit", _APP, ALL, also="exit leave"),
)  # fmt: skip
"""Of the main screen, whichever pane has the focus."""

ALL_KEYS = (*MOVE_KEYS, *SCREEN_KEYS, *FOLD_KEYS)

FOLD: list[BindingType] = [key.binding() for key in FOLD_KEYS]
MOVE: list[BindingType] = [key.binding() for key in MOVE_KEYS]
BINDINGS: list[BindingType] = [key.binding() for key in SCREEN_KEYS]

MORE = (
    (
        "start anew",
        "start a conversation like this one; its repository, branch, model and first message",
        "new_conversations.like",
    ),
    ("replay this run", "run it again with the recorded answers, no model", "replays.run"),
    ("switch profile", "another model for the agent, from a list", "agent_setups.switch"),
    ("agent setup", "profile, when it asks, condense its context", "agent_setups.open"),
    ("failures", "what failed again and again, and what helped", "failures.open"),
    ("sets", "sets of runs against each other, task by task", "sets.open"),
    ("attempts", "tries of one task: what passes, what changed", "attempts.open"),
    ("drop an attempt", "drop one with its worktree; says first what is lost", "attempts.drop"),
    ("rename", "give the conversation another title; on its server", "titles.rename"),
    ("copy context", "copy what the model saw at the step, as JSON", "clipboard.context"),
    ("branches", "show another branch of the run; where somebody went back", "branches.choose"),
    ("get a file", "get a file from where the agent works", "workspaces.get"),
    ("run automation now", "start a run of it, which costs money", "automations.run"),
    ("its automation", "open the automation that made it", "automations.of_conversation"),
    ("put a file", "put a local file where the agent works", "workspaces.put"),
)
"""Commands of the palette alone, without a key: label, help, action."""

ALSO = {
    "switch profile": "model llm change",
    "agent setup": "model profile llm policy confirm compact",
    "start anew": "again repeat retry",
    "replay this run": "again rerun reproduce record",
    "failures": "errors",
    "attempts": "group best of n tries accept verify",
    "drop an attempt": "discard worktree",
    "sets": "grid evaluation benchmark settings attempts",
    "rename": "title name",
    "copy context": "messages prompt",
    "get a file": "download fetch",
    "put a file": "upload",
}
"""Label of such a command -> other words that people type for it."""

CANNOT = (
    (
        "delete remove archive",
        "oh-tui deletes no conversation but an attempt, and no sandbox on a server",
    ),
    ("screenshot", "oh-tui makes none of itself: images saves those of the step"),
)
"""What people look for in the palette and the program does not do: words, why not."""

COPY_KEYS = (
    ("c", "command", "the command or the arguments of the call"),
    ("o", "output", "the result as text"),
    ("m", "Markdown", "call and result as Markdown"),
    ("j", "JSON", "call and result as JSON, keys hidden"),
    ("i", "id", "the id of the conversation"),
    ("l", "link", "the web address of the conversation"),
)
"""The second keys after `y`."""


def known() -> ExplorerNames:
    """The ids that a settings file can use."""
    return ExplorerNames({key.id: key.keys for key in ALL_KEYS}, THEMES, tuple(ORDERS))


def of_panes(key: Key) -> bool:
    """Whether a key moves in the panes of the main screen, or changes what they show."""
    return key.group == _MOVE or key.action.partition(".")[0] in ("steps", "find", "view")


Keymap = Mapping[str, str]
"""Id of an action -> the keys it has instead, by Textual's names, with commas between."""

Ids = Collection[str]
"""Ids of keys, and labels of commands without one."""


def bound(keys: tuple[Key, ...], keymap: Keymap) -> list[Key]:
    """Keys of a table as they are after rebinding."""
    return [
        msgspec.structs.replace(key, keys=keymap[key.id], shown=shown_keys(keymap[key.id]))
        if key.id in keymap
        else key
        for key in keys
    ]


def help_groups(keymap: Keymap, idle: Ids = frozenset()) -> list[tuple[str, list[Key]]]:
    """The keys by group, in the order of the table. `idle` are those that do nothing here."""
    groups: dict[str, list[Key]] = {}
    for key in bound(ALL_KEYS, keymap):
        if key.id not in idle:
            groups.setdefault(key.group, []).append(key)
    return list(groups.items())


PANE_NAMES = {
    "conversations": "In the conversations",
    "sandboxes": "In the sandboxes",
    "automations": "In the automations",
    "timeline": "In the timeline",
    "detail": "In call and result",
    "wall": "In the wall",
}


BASICS = (
    *("move.down", "open", "back", "pane.next", "find", "search.all", "board", "palette", "quit"),
    *("filter", "start", "goto", "sort", "zoom"),
)
"""Keys that matter everywhere on the main screen; the last ones where there is room."""

FIRST_PAGE = 20
"""Keys on the first page of the help."""

_BACK = {"move.down": "move.up", "error.next": "error.previous"}
"""Id of a key there -> of the one that goes the other way."""


def keys_here(
    pane: str, keymap: Keymap, here: Collection[str]
) -> tuple[str, list[tuple[str, str]]]:
    """The title of a pane in the help, and the keys that matter in it with what they do: those
    with the ids `here`, which do something now, the most important first, and the basic ones."""
    keys = {key.id: key for key in bound(ALL_KEYS, keymap)}
    own = [name for name in here if name not in BASICS][: FIRST_PAGE - BASICS.index("filter")]
    shown = [keys[name] for name in (*own, *BASICS)][:FIRST_PAGE]
    backs = (keys.get(_BACK.get(key.id, "")) for key in shown)
    return PANE_NAMES[pane], [
        (f"{key.shown.split()[0]} {back.shown.split()[0]}", f"{key.help}, {back.label}")
        if back
        else (key.shown, key.help)
        for key, back in zip(shown, backs, strict=True)
    ]


SELECTING = {"copy": "copy", "filter": "show alone", "back": "drop it"}
"""Id of a key -> what it does while a range of steps is selected."""


def selection_hints(keymap: Keymap) -> tuple[Hint, ...]:
    keys = {key.id: key for key in bound(ALL_KEYS, keymap)}
    first = {name: key.shown.split()[0] for name, key in keys.items()}
    ends = Hint(f"{first['move.down']} {first['move.up']}", "move the end", "")
    others = (Hint(first[name], label, keys[name].action) for name, label in SELECTING.items())
    return ends, *others


LEAST_HINTS = 4
"""Keys that the footer names at least, besides those at its right end."""

_SPARE = ("pane.next", "back", "palette")
"""Keys that it names where there are too few others."""


_ROOM = {"conversations": ("filter", "search.all")}
"""Pane -> keys that stand last, where there is room after all others."""


def footer_hints(
    pane: str,
    labels: dict[str, str | None],
    keymap: Keymap,
    *,
    first: tuple[str, ...] = (),
    rows: bool = True,
) -> tuple[tuple[Hint, ...], tuple[Hint, ...]]:
    """What the footer shows for a pane, and what stays at its right end. `labels` replaces the
    label of a key by id; None leaves the key out: it has nothing to do here. The keys `first` stand
    before the others, whichever pane has the focus; without `rows` nothing can be searched."""
    hints: list[Hint] = []
    always: list[Hint] = []
    matter: list[Hint] = []
    spare: list[Hint] = []
    last: list[Hint] = []
    for key in bound(ALL_KEYS, keymap):
        label = labels.get(key.id, key.label)
        is_named = pane in key.panes or key.id in first
        if rows and key.id in _ROOM.get(pane, ()) and (label is None or not is_named):
            last.append(Hint(key.shown.split()[0], key.label, key.action))
            continue
        if label is None or not (is_named or key.id in _SPARE):
            continue
        hint = Hint(key.shown.split()[0], label, key.action)
        where = matter if key.id in first else always if key.id in ("help", "quit") else hints
        (where if is_named else spare).append(hint)
    named = (*matter, *hints)
    spare = spare[: max(0, LEAST_HINTS - len(named))]
    return (*named, *spare, *last), tuple(always)

"""What each key does at once; what takes longer or asks first is in `controllers`.

A binding names a function here: `do('step', 1)` runs `step(screen, 1)`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oh_tui.trajectory.analysis.query import parse
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.timeline import TIMES

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

NEEDS_RUN = frozenset(
    {"step", "scroll_result", "next_error", "next_user", "select", "follow", "load_all"}
    | {"pager", "editor", "images"}
)
"""Actions on a run at its place: from a list they wait until the run under the cursor is there."""

SHOWS_RUN = frozenset({"json", "refresh", "copy", "filter", "goto"})
"""Actions that are about the run under the cursor, and wait for it themselves if they have to."""

TROUBLE = ("error", "failed", "waiting", "loop")
"""The marks of the strip at which `e` stops."""


def pane(screen: MainScreen, name: str) -> None:
    if name == "sandboxes" and not screen.arrangement.sandboxes:
        screen.tell("these are files: there is no sandbox")
    else:
        screen.focus_pane(name)


def next_pane(screen: MainScreen, by: int) -> None:
    session = screen.session
    panes = screen.arrangement.visible()
    at = panes.index(session.pane) if session.pane in panes else 0
    screen.focus_pane(panes[(at + by) % len(panes)])


def back(screen: MainScreen) -> None:
    """One level back; never quits."""
    session = screen.session
    if _stop_nearest(screen) or screen.clear_news():
        return
    if screen.timeline.range_from is not None:
        screen.timeline.range_from = None
    elif screen.session.marks and session.pane == "conversations":
        screen.mark(frozenset())
        screen.tell_keys()
    elif session.find_text:
        screen.search.set_find("")
    elif screen.arrangement.zoom != "detail" and screen.timeline.filtered is not None:
        screen.search.clear_filter()
    elif screen.arrangement.zoom or not screen.sub_conversations.leave():
        close(screen)


def _stop_nearest(screen: MainScreen) -> bool:
    """What can be stopped is stopped, the nearest first; False when nothing was."""
    if screen.refuse():
        return True
    if screen.preparations.drop():
        return True
    if screen.agents.stop_waiting():
        return True
    if screen.sandboxes.stop_batch():
        return True
    if screen.search.stop_filter():
        return True
    for group in ("download", "find", "copy"):
        if screen.at_work(group):
            screen.cancel(group)
            if group == "copy":
                screen.tell("nothing was copied")
            return True
    return screen.run.stop()


def close(screen: MainScreen) -> None:
    """Out of a zoom, else one pane towards the conversations."""
    session = screen.session
    zoomed = screen.arrangement.zoom
    if zoomed:
        screen.arrangement = replace(screen.arrangement, zoom="")
        screen.focus_pane("timeline" if zoomed == "detail" else zoomed)
    elif session.pane == "detail":
        screen.focus_pane("timeline")
    elif session.pane != "conversations":
        screen.focus_pane("conversations")


def step(screen: MainScreen, by: int) -> None:
    screen.timeline.action_move(by)


def scroll_result(screen: MainScreen, by: int) -> None:
    screen.run_view.result_view.scroll_lines(by)


def next_error(screen: MainScreen, by: int) -> None:
    timeline = screen.timeline
    if not (timeline.walk_marked(by, TROUBLE) if timeline.study else
            timeline.walk(by, timeline.failed)):  # fmt: skip
        where = "after" if by > 0 else "before"
        older = screen.search.unread() if by < 0 else ""
        screen.tell(f"no error {where} this one{older}")


def next_user(screen: MainScreen, by: int) -> None:
    found = screen.timeline.walk(
        by, lambda s: s.event.kind == "MessageEvent" and s.event.source == "user"
    )
    if not found:
        where = "after" if by > 0 else "before"
        screen.tell(f"no message of yours {where} this one")


def find(screen: MainScreen) -> None:
    screen.work_on("ask", screen.search.find)


def find_next(screen: MainScreen, by: int) -> None:
    screen.search.find_again(by)


def filter(screen: MainScreen) -> None:
    """Ask for the words of a filter; a range that is selected is one already."""
    selected = screen.timeline.range
    if selected and screen.timeline.trajectory is screen.session.trajectory:
        screen.timeline.range_from = None
        screen.search.set_filter(parse(f"step:{selected[0]}-{selected[1]}"))
    else:
        screen.work_on("ask", screen.search.ask_filter)


def goto(screen: MainScreen) -> None:
    screen.work_on("ask", screen.goto.ask)


def select(screen: MainScreen) -> None:
    """Begin a range of steps at the cursor, or give it up."""
    timeline = screen.timeline
    if timeline.range_from is not None:
        timeline.range_from = None
    elif timeline.current and timeline.current[0]:
        if screen.session.pane not in ("timeline", "detail"):
            screen.focus_pane("timeline")
        timeline.range_from = timeline.current[0].number
    else:
        screen.tell("there is no step to select")


def where(screen: MainScreen) -> None:
    screen.reports.show_costs()


def changes(screen: MainScreen) -> None:
    screen.work_on("view", screen.reports.show_changes, instead=True)


def hidden(screen: MainScreen) -> None:
    if screen.session.pane in ("conversations", "sandboxes"):
        screen.session.show_gone = not screen.session.show_gone
        screen.show_lists()
        screen.tell_keys()
    elif screen.timeline.filtered is not None:
        screen.tell("a filter shows steps only: esc shows all, then x")
    else:
        screen.timeline.show_events = not screen.timeline.show_events


def time(screen: MainScreen) -> None:
    timeline = screen.timeline
    timeline.time = TIMES[(TIMES.index(timeline.time) + 1) % len(TIMES)]
    words = {"elapsed": "since the run began", "clock": "local clock", "UTC": "clock in UTC"}
    screen.tell(f"time: {words[timeline.time]}")


def wrap(screen: MainScreen) -> None:
    views = list(screen.query(BodyView))
    for view in views:
        view.wrap = not view.wrap
    screen.tell("long lines wrap" if views[0].wrap else "long lines are cut: ← → scroll")


def json(screen: MainScreen) -> None:
    screen.run_view.as_json = not screen.run_view.as_json


def zoom(screen: MainScreen) -> None:
    pane_now = screen.session.pane
    zoomed = "" if screen.arrangement.zoom else pane_now
    screen.arrangement = replace(screen.arrangement, zoom=zoomed)
    screen.focus_pane(pane_now)


def follow(screen: MainScreen) -> None:
    session = screen.session
    if not screen.run.is_followed:
        screen.tell("nothing to follow: this run is over")
        return
    session.follow = not session.follow
    screen.tell_following()
    if session.follow:
        screen.timeline.action_end()
    told = "following the newest step" if session.follow else "not following any more: f follows"
    screen.tell(told)


def _begin(
    screen: MainScreen, group: str, do: Callable[..., Coroutine[Any, Any, None]], *words: object
) -> None:
    """Begin an action, but not once more while it still reads what it asks about."""
    if not screen.preparations.prepares(do.__name__):
        screen.work_on(group, do, *words)


def pause(screen: MainScreen) -> None:
    _begin(screen, "write", screen.sandboxes.pause)


def answer(screen: MainScreen) -> None:
    _begin(screen, "write", screen.agents.answer)


def message(screen: MainScreen) -> None:
    _begin(screen, "write", screen.composer.compose)


def stop_or_go_on(screen: MainScreen) -> None:
    _begin(screen, "write", screen.agents.stop_or_continue)


def mark(screen: MainScreen) -> None:
    """Mark the conversation under the cursor for `d` and `p`, or unmark it, and go on."""
    session = screen.session
    if session.pane == "conversations" and (row := screen.sidebar.list.row):
        screen.mark(session.marks ^ {row.id})
        screen.sidebar.list.action_move(1)


def load_all(screen: MainScreen) -> None:
    _begin(screen, "ask", screen.older.load_all)


def download(screen: MainScreen) -> None:
    screen.work_on("download", screen.downloads.download)


def start(screen: MainScreen) -> None:
    screen.new_conversations.open_form()


def shell(screen: MainScreen) -> None:
    _begin(screen, "ask", screen.shells.open)


def open_page(screen: MainScreen) -> None:
    screen.work_on("ask", screen.web_pages.open_conversation)


def open_pull(screen: MainScreen) -> None:
    screen.work_on("ask", screen.web_pages.open_pull_request)


def get(screen: MainScreen) -> None:
    _begin(screen, "download", screen.files.get)


def put(screen: MainScreen) -> None:
    _begin(screen, "download", screen.files.put)


def copy(screen: MainScreen) -> None:
    if screen.preparations.active:  # `a y` is meant for the question of `a`
        screen.tell("y came before the question")
        return
    screen.work_on("ask", screen.clipboard.copy)


def pager(screen: MainScreen) -> None:
    screen.external_programs.page()


def editor(screen: MainScreen) -> None:
    screen.external_programs.edit()


def images(screen: MainScreen) -> None:
    screen.work_on("ask", screen.images.save)


def refresh(screen: MainScreen) -> None:
    screen.tell("reading again")
    if screen.session.unopened:
        screen.conversations.open(screen.session.unopened)
        return
    screen.conversations.schedule.ask(sort=True)
    screen.run.read_again()


def show_help(screen: MainScreen) -> None:
    from oh_tui.tui.screens.help import HelpScreen

    screen.app.push_screen(HelpScreen(screen.session.settings.config.keys))


def palette(screen: MainScreen) -> None:
    screen.app.action_command_palette()


def close_or_quit(screen: MainScreen) -> None:
    """Close a zoom or the run view of a narrow screen, whatever is being read or told there; at
    the top, quit."""
    session = screen.session
    arrangement = screen.arrangement
    if arrangement.zoom:
        close(screen)
    elif arrangement.narrow and arrangement.view == "run" and not arrangement.too_small:
        screen.focus_pane("conversations")
    elif session.writing_words or session.drafts:
        screen.work_on("ask", screen.servers.quit)
    else:
        screen.app.exit(0)


ACTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        pane, next_pane, back, step, scroll_result, next_error, next_user, find, find_next, filter,
        goto, select, where, changes, hidden, time, wrap, json, zoom, follow, pause, mark, download,
        load_all, answer, message, stop_or_go_on,
        start, shell, open_page, open_pull, get, put, copy, pager, editor, images, refresh,
        show_help, palette, close_or_quit,
    )
}  # fmt: skip
"""The names that bindings use."""


def act(screen: MainScreen, name: str, *arguments: str | int) -> None:
    """Do what a key is bound to, on what is under the cursor now."""
    do = ACTIONS[name]
    if name in NEEDS_RUN:
        screen.target.act(partial(do, screen, *arguments))
        return
    if name in SHOWS_RUN:
        screen.target.show_target()
    do(screen, *arguments)

"""Views of a run that take the whole screen: the files it changed, where time and money went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.problem import Problem
from oh_tui.trajectory.study import Study
from oh_tui.tui import finding
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.tui.changes_screen import ChangesScreen
    from oh_tui.tui.main_screen import MainScreen


def studied(screen: MainScreen) -> Study | None:
    """What is told of the run shown; says so when nothing is yet."""
    study = screen.run_view.study
    if study is None or study.trajectory is not screen.timeline.trajectory:
        screen.footer.tell("this run is not read yet: enter reads it")
        return None
    return study


def where(screen: MainScreen) -> None:
    """Where it went; a step chosen there is gone to."""
    study = studied(screen)
    if study:
        from oh_tui.tui.where import WhereScreen

        title = title_of(screen.current) if screen.current else ""
        if not study.trajectory.complete:
            title += f" · {screen.run_view.progress or 'older events are not read'}"
        view = WhereScreen(study.trajectory, study.accounts, title)
        screen.app.push_screen(view, screen.jump)


async def changes(screen: MainScreen) -> None:
    """The files; from there one limits the timeline to a file or goes to a step of it. With a
    running sandbox git is asked too, while the view stands."""
    study = studied(screen)
    if study is None:
        return
    from oh_tui.tui.changes_screen import ChangesScreen

    title = title_of(screen.current) if screen.current else ""
    view = ChangesScreen(study.changes, title)
    screen.work_on("git", _ask_git, screen, view, instead=True)
    chosen = await screen.app.push_screen_wait(view)
    if chosen is None:
        return
    if chosen[0] == "step":
        screen.focus_pane("timeline")
        screen.jump(chosen[1])
    else:
        screen.focus_pane("timeline")
        from oh_tui.trajectory.query import parse, quoted

        finding.set_filter(screen, parse(f"path:{quoted(chosen[1])}"))


async def _ask_git(screen: MainScreen, view: ChangesScreen) -> None:
    if screen.source and screen.current:
        try:
            view.set_git(await screen.source.git_changes(screen.current))
        except Problem as problem:
            view.set_git(None, problem.sentence)


def grown(screen: MainScreen) -> None:
    """The run took in more events: a view of its files takes them in too."""
    top = screen.app.screen
    if top is screen:
        return
    from oh_tui.tui.changes_screen import ChangesScreen

    if isinstance(top, ChangesScreen):
        top.grown()

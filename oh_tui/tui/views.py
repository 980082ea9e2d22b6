"""Views of a run that take the whole screen: the files it changed, where time and money went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.problem import Problem
from oh_tui.tui.target import show_target, study_of, until_shown
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.tui.changes_screen import ChangesScreen
    from oh_tui.tui.main_screen import MainScreen
    from oh_tui.tui.where import WhereScreen


def where(screen: MainScreen) -> None:
    """Where it went; a step chosen there is gone to."""
    session = screen.session
    conversation = show_target(screen, wanted=True)
    if conversation is None:
        screen.tell(session.no_target)
        return
    from oh_tui.tui.where import WhereScreen

    def chosen(number: int | None) -> None:
        if session.is_open(conversation):
            screen.jump(number)

    view = WhereScreen(title_of(conversation))
    if study := study_of(screen, conversation):  # it is there in the first frame
        view.show_study(study, screen.run_view.progress)
    screen.app.push_screen(view, chosen)
    screen.work_on("study", _show_study, screen, view, conversation, instead=True)


async def changes(screen: MainScreen) -> None:
    """The files; from there one limits the timeline to a file or goes to a step of it. With a
    running sandbox git is asked too, while the view stands."""
    session = screen.session
    conversation = show_target(screen, wanted=True)
    if conversation is None:
        screen.tell(session.no_target)
        return
    from oh_tui.tui.changes_screen import ChangesScreen

    view = ChangesScreen(title_of(conversation))
    if study := study_of(screen, conversation):  # it is there in the first frame
        view.show_study(study, screen.run_view.progress)
    screen.work_on("git", _ask_git, screen, view, conversation, instead=True)
    screen.work_on("study", _show_study, screen, view, conversation, instead=True)
    chosen = await screen.app.push_screen_wait(view)
    if chosen is None or not session.is_open(conversation):
        return
    screen.focus_pane("timeline")
    if chosen[0] == "step":
        screen.jump(chosen[1])
    else:
        from oh_tui.trajectory.query import parse, quoted

        screen.search.set_filter(parse(f"path:{quoted(chosen[1])}"))


async def _show_study(
    screen: MainScreen, view: WhereScreen | ChangesScreen, conversation: Conversation
) -> None:
    """What is told of the run, as soon as it is there, and of more of it as that comes."""
    session = screen.session
    while study := await until_shown(screen, conversation):
        if study is not view.study:
            view.show_study(study, screen.run_view.progress)
        if session.reader is None:
            return
        await session.run_news.wait()
    view.fail(screen.timeline.empty[:1] or ("this run could not be read",))


async def _ask_git(screen: MainScreen, view: ChangesScreen, conversation: Conversation) -> None:
    session = screen.session
    if session.source:
        sandboxes = session.source.sandboxes
        try:
            view.set_git(await sandboxes.git_changes(conversation) if sandboxes else None)
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

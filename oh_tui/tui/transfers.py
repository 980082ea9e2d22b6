"""Files in and out of the sandbox, and the way into it that the shell takes too."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.suggester import Suggester

from oh_tui.human import size
from oh_tui.problem import Problem
from oh_tui.sources.workspace import Workspace, complete_path, local_path, local_size
from oh_tui.text import clean_line
from oh_tui.trajectory.blocks import Failure
from oh_tui.trajectory.bodies import text_field
from oh_tui.tui.controllers.downloads import saved_words
from oh_tui.tui.remedies import words_of
from oh_tui.tui.widgets.bars import Question

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen


class LocalPaths(Suggester):
    """Completes paths of this machine."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete_path, value)


class KnownPaths(Suggester):
    """Completes paths of the sandbox: those that the run touched, and their folders."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._paths = sorted(paths)

    async def get_suggestion(self, value: str) -> str | None:
        fits = (path for path in self._paths if path.startswith(value) and path != value)
        return next(fits, None) if value else None


async def get(screen: MainScreen) -> None:
    """A file of the sandbox into the download folder."""
    session = screen.session
    conversation = session.target()
    if conversation is None or session.source is None:
        screen.tell(session.no_target)
        return
    with screen.reporting():
        workspace = await screen.sandboxes.workspace(conversation, "Get a file")
        if workspace is None:
            return
        with screen.preparing("asking for the agent's folder"):
            folder = await workspace.whole_folder(read_only=session.settings.read_only)
        typed = _path_of_step(screen) or f"{folder}/"
        suggester = KnownPaths(_known_paths(screen))

        async def fetch(text: str) -> None:
            path = await workspace.path(text, folder)
            name = clean_line(posixpath.basename(path))
            tell = _progress(screen, f"getting {name}")
            try:
                saved = await workspace.get(path, session.settings.download_folder, tell)
            except asyncio.CancelledError:
                screen.tell(f"getting {name} was stopped, nothing was kept")
                raise
            session.saved = saved
            screen.tell(saved_words(saved))

        with session.writing("getting a file"):
            await _ask_until_done(screen, "Get a file of the sandbox", typed, suggester, fetch)


async def put(screen: MainScreen) -> None:
    """A local file into the sandbox; asks before one is replaced there."""
    session = screen.session
    conversation = session.target()
    if session.no_changes:
        screen.tell(session.no_changes)
        return
    if conversation is None:
        screen.tell(session.no_target)
        return
    with screen.reporting():
        workspace = await screen.sandboxes.workspace(conversation, "Put a file")
        if workspace is None:
            return
        with screen.preparing("asking for the agent's folder"):
            folder = await workspace.whole_folder()

        async def choose(text: str) -> None:
            local = await asyncio.to_thread(local_path, text)
            name = clean_line(local.name)
            told = f"Put {name}, {size(local_size(local))}, into the sandbox as"

            async def send(text: str) -> None:
                await _send(screen, workspace, local, await workspace.path(text, folder))

            start = f"{folder or '/tmp'}/{name}"
            known = KnownPaths(_known_paths(screen))
            await _ask_until_done(screen, told, start, known, send)

        with session.writing("putting a file into the sandbox"):
            await _ask_until_done(
                screen, "Put a local file into the sandbox", "", LocalPaths(), choose
            )


async def _send(screen: MainScreen, workspace: Workspace, local: Path, path: str) -> None:
    path, there = await workspace.target(path, local.name)
    if there is not None:
        lines = [[(clean_line(path), "key"), (f"  is there already, {size(there)}", "")]]
        question = Question("Put a file", lines, (("r", "replace it", "replace"),))
        if await screen.ask(question) != "replace":
            raise Problem("Nothing was replaced", "type another path")
    tell = _progress(screen, f"putting {clean_line(local.name)}")
    try:
        sent = await workspace.put(local, path, tell)
    except asyncio.CancelledError:
        screen.tell("putting the file was stopped, the sandbox keeps nothing of it")
        raise
    screen.tell(f"put {size(sent)} at {clean_line(path)}")


async def _ask_until_done(
    screen: MainScreen,
    asks: str,
    value: str,
    suggester: Suggester,
    do: Callable[[str], Awaitable[None]],
) -> None:
    """Ask for a path and do something with it; what goes wrong is told above the line, and the
    text asked for again. Ends when it was done, or with Esc."""
    wrong = ""
    while True:
        typed = await _ask(screen, asks, value, suggester, wrong)
        if typed is None:
            return
        value = typed
        try:
            await do(typed)
        except Problem as problem:
            wrong = words_of(problem)
            screen.tell("", log=False)  # no progress any more
            screen.footer.note(wrong, error=True)
        else:
            return


async def _ask(
    screen: MainScreen, asks: str, value: str, suggester: Suggester, wrong: str
) -> str | None:
    """A path typed below a rule that says for what, and below what was wrong with the last one."""
    await screen.mount_bars()
    line, rule, told = screen.find_input, screen.asked_rule, screen.asked
    line.suggester, line.select_on_focus = suggester, False
    rule.title, rule.facts, rule.display = ((asks, "title"),), (), True
    if wrong:
        told.styles.height = len(wrap(wrong, max(20, screen.size.width - 4)))
        told.show([Failure(wrong)])
        told.display = True
    screen.call_next(line.action_end)
    try:
        return await screen.prompt("", value)
    finally:
        rule.display = told.display = False
        line.suggester, line.select_on_focus = None, True


def _progress(screen: MainScreen, doing: str) -> Callable[[int, int | None], None]:
    def tell(done: int, total: int | None) -> None:
        of = f" of {size(total)}" if total else ""
        screen.tell(f"{doing}, {size(done)}{of} · esc stops", log=False)

    return tell


def _path_of_step(screen: MainScreen) -> str:
    """The file that the step under the cursor is about, "" for none."""
    if screen.session.pane not in ("timeline", "detail") or not screen.timeline.current:
        return ""
    path = text_field(screen.timeline.current[1].body(), "action", "path")
    named = path.startswith("/") and posixpath.basename(path)
    return path if named and path == clean_line(path) else ""


def _known_paths(screen: MainScreen) -> set[str]:
    """The absolute paths that the run is known to have touched, as far as it was looked through."""
    study = screen.run_view.study
    if study is None:
        return set()
    log = study.changes
    paths = {file.path for file in (*log.files, *log.only_read)}
    return {path for path in paths if path.startswith("/") and path == clean_line(path)}

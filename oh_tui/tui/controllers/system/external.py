"""Programs outside: the pager and the editor, on the text of a step, and what opens images after
they are saved. Pager and editor take over the terminal:

app gives the terminal back -> the program has it -> app takes it again and redraws
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.settings.credentials import without_keys
from oh_tui.settings.part_file import cannot_write
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import hide_keys, masked
from oh_tui.trajectory.model.images import EXTENSIONS, Image, images_of
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.block import Block, Code, Diff, Json, Markdown, plain_text
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.desktop import open_file
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

PAGERS = ("less", "more")
EDITORS = ("nano", "vim", "vi")
"""Editors to try when the environment names none."""

MOST = 4_000_000
"""Bytes of a text that the editor may leave."""


class Unreadable(Problem):
    """What the editor left cannot be read."""


class Body(NamedTuple):
    """The text in front of the user, for another program."""

    text: str
    name: str
    """A file name that describes the content, for the editor."""


class ExternalPrograms(Controller):
    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun

    def action_page(self) -> None:
        self._run.act(self.page, opens=True)

    def action_edit(self) -> None:
        self._run.act(self.edit, opens=True)

    def page(self) -> None:
        """Show the focused body, or else the result, in $PAGER."""
        with self._ui.reporting(about="program"):
            body = self._body()
            command = _program(("PAGER",), PAGERS)
            self._hand_over(lambda: _feed(command, body.text), command[0])

    def edit(self) -> None:
        """Open a copy of it in $VISUAL or $EDITOR, and delete the copy afterwards."""
        with self._ui.reporting(about="program"):
            body = self._body()
            with contextlib.suppress(Unreadable):
                if self._edited(body) != body.text.encode("utf-8", "replace"):
                    self._ui.tell("that was a copy: your changes to it were not kept")

    def edited_text(self, text: str) -> str:
        """A text as the user's editor left it. Raises Problem, also for what is no text."""
        data = self._edited(Body(text, "task.md"))
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
        except UnicodeDecodeError:
            raise Problem(
                "What the editor left is not UTF-8 text", "the text is as before"
            ) from None

    def _edited(self, body: Body) -> bytes:
        """A file with this text after the user's editor has ended. Raises Problem."""
        command = _program(("VISUAL", "EDITOR"), EDITORS)
        with tempfile.TemporaryDirectory(prefix="oh-tui-") as folder:
            path = Path(folder, body.name)
            path.write_bytes(body.text.encode("utf-8", "replace"))
            self._hand_over(lambda: _call(command, path), command[0])
            try:
                if path.stat().st_size > MOST:
                    raise Unreadable(f"The text is longer than {MOST:,} bytes", "shorten it")
                return path.read_bytes()
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise Unreadable(f"The file cannot be read any more: {why}") from error

    def _body(self) -> Body:
        if self._bodies.is_making:
            raise Problem("This step is large and still being read", "try again in a moment")
        half, blocks = self._bodies.body_in_focus
        text = plain_text(blocks)
        if not text:
            raise Problem("There is no text here to show")
        current = self._steps.current
        step = f"step-{current[0].number}" if current and current[0] else "event"
        return Body(hide_keys(text) + "\n", f"{step}-{half}{_suffix(blocks)}")

    def _hand_over(self, run: Callable[[], int], name: str) -> None:
        """Hand the terminal to a program until it ends; the app neither draws nor reads."""
        name = clean_line(Path(name).name)
        code, failed = 0, None
        with self._ui.suspend(), _signals_left_to_it():
            # Textual takes the terminal back only if this block does not raise.
            try:
                code = run()
            except OSError as error:
                failed = error
        if failed is not None:
            reason = (failed.strerror or str(failed)).lower()
            raise Problem(f"{name} could not be started: {reason}") from failed
        if code >= 126:  # it did not run
            self._ui.tell(f"{name} ended with exit code {code}", error=True, about="program")


def _suffix(blocks: Sequence[Block]) -> str:
    """The file suffix that gives an editor the language, when all of the text has the same."""
    match blocks[0] if len(blocks) == 1 else None:
        case Code(path=path):
            end = Path(path).suffix
            return end if end[1:].isalnum() and end.isascii() and len(end) < 12 else ".txt"
        case Markdown():
            return ".md"
        case Json():
            return ".json"
        case Diff():
            return ".diff"
        case _:
            return ".txt"


def _program(variables: Sequence[str], others: Sequence[str]) -> list[str]:
    """The command of the first variable that is set, else the first installed program."""
    for name in variables:
        given = os.environ.get(name, "").strip()
        if not given:
            continue
        try:
            words = shlex.split(given)
        except ValueError:
            words = [given]
        if words and shutil.which(words[0]):
            return words
        shown = clean_line(given)
        raise Problem(f"{name} is {shown}, which is not installed here", f"set {name} and restart")
    found = next(filter(shutil.which, others), None)
    if found is None:
        raise Problem(
            f"Neither {' nor '.join(others)} is installed here", f"set {variables[-1]} and restart"
        )
    return [found]


def _call(command: list[str], path: Path) -> int:
    return subprocess.run([*command, str(path)], env=without_keys(os.environ)).returncode


def _feed(command: list[str], text: str) -> int:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=without_keys(os.environ))
    # the user may quit before the end of the text
    with contextlib.suppress(BrokenPipeError):
        process.communicate(text.encode("utf-8", "replace"))
    return process.wait()


@contextlib.contextmanager
def _signals_left_to_it() -> Iterator[None]:
    """ctrl+c and ctrl+\\ are meant for the program. An empty handler is used, since the program
    would inherit an ignored signal. ctrl+z stops both, as the shell expects of one job. Signals
    that end the app wait until the program has ended."""
    late: list[int] = []
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: lambda *_: None,
        signal.SIGQUIT: lambda *_: None,
        signal.SIGTSTP: signal.SIG_DFL,
        signal.SIGTERM: lambda number, _: late.append(number),
        signal.SIGHUP: lambda number, _: late.append(number),
    }
    # otherwise the event loop would receive all of them when it runs again
    wakeup = signal.set_wakeup_fd(-1)
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        for came in late:
            os.kill(os.getpid(), came)


MOST_IMAGES = 20
"""Images saved at once."""


class Images(Controller):
    _steps: Timeline
    _run: TargetRun

    def action_save(self) -> None:
        self._run.act(self._save)

    @in_worker("ask", opens=False)
    async def _save(self) -> None:
        """Save the images of the step into the download folder, and open the first on a desktop."""
        current = self._steps.current
        if current is None:
            raise NotNow("no step is selected")
        step, event = current
        with self._ui.reporting():
            found = await asyncio.to_thread(images_of, step or Step(0, event))
            if not found:
                raise NotNow("this step has no image")
            folder = self._session.settings.download_folder
            saved = await asyncio.to_thread(_save, found, _image_name(step), folder)
            opened = bool(saved.paths) and open_file(saved.paths[0])
            self._ui.tell(_saved_words(saved, opened), error=not saved.paths)


def _image_name(step: Step | None) -> str:
    """Such as step-4-browser-get-state; only digits, letters and hyphens."""
    tool = masked(step.event.tool_name) if step else ""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in tool[:60]).split()
    return "-".join([f"step-{step.number}" if step else "event", *words])


class _Saved(NamedTuple):
    paths: list[Path]
    took: int
    """Their total size in bytes."""
    missing: list[str]
    left: int


def _save(images: Sequence[Image], name: str, folder: Path) -> _Saved:
    paths: list[Path] = []
    missing: list[str] = []
    took = left = 0
    for number, image in enumerate(images):
        if len(paths) == MOST_IMAGES:
            left = len(images) - number
            break
        if image.address:
            missing.append(str(image))
            continue
        data = image.decode()
        if data is None or not image.format:
            broken = ": its data is broken" if image.format else ""
            missing.append(f"a {image}{broken}")
        else:
            paths.append(_write(folder, name, EXTENSIONS[image.format], data))
            took += len(data)
    return _Saved(paths, took, missing, left)


def _write(folder: Path, name: str, extension: str, data: bytes) -> Path:
    """Write a new file completely or not at all; never overwrite one."""
    for number in range(1, 1000):
        path = folder / (f"{name}.{extension}" if number == 1 else f"{name}-{number}.{extension}")
        try:
            with open(path, "xb", opener=_private) as file:
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(folder, error) from error
        return path
    raise Problem(f"{name} and 999 numbered names are taken", "choose another folder")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _saved_words(saved: _Saved, opened: bool) -> str:
    parts = []
    if saved.paths:
        first, many = saved.paths[0], len(saved.paths) > 1
        what = f"{len(saved.paths)} images into {first.parent}" if many else str(first)
        shown = (", the first is opened" if many else ", and opened") if opened else ""
        parts.append(f"saved {what}, {size(saved.took)}{shown}")
    if saved.left:
        parts.append(f"{saved.left:,} more not saved")
    if saved.missing:
        named = "; ".join(shorten(text, 100) for text in saved.missing[:3])
        more = f" and {len(saved.missing) - 3:,} more" if len(saved.missing) > 3 else ""
        parts.append(f"not saved: {named}{more}")
    return clean_line(" · ".join(parts))

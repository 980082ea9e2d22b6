"""Other programs: a body in the pager or the editor, images saved and opened.

app gives the terminal back -> the program has it -> app takes it again and draws anew
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import SuspendNotSupported

from oh_tui.credentials import without_keys
from oh_tui.human import size
from oh_tui.problem import Problem
from oh_tui.sources.saving import cannot_write
from oh_tui.text import clean_line
from oh_tui.trajectory.blocks import Block, Code, Diff, Json, Markdown, plain_text
from oh_tui.trajectory.images import EXTENSIONS, Image, images_of
from oh_tui.trajectory.steps import Step
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

PAGERS = ("less", "more")
EDITORS = ("nano", "vim", "vi")
"""What is tried when the environment names none."""

MOST_IMAGES = 20
"""Images that are saved at once."""

_FAILED = 126
"""Exit codes from here on say that the program was not run."""


class Body(NamedTuple):
    """What the reader looks at, as text for another program."""

    text: str
    name: str
    """A file name that says what it is, for the editor."""


def page(screen: MainScreen) -> None:
    """The body that has the focus, or the result, in $PAGER."""
    with screen.reporting():
        body = _body(screen)
        command = _program(("PAGER",), PAGERS)
        _run(screen, lambda: _feed(command, body.text), command[0])


def edit(screen: MainScreen) -> None:
    """A copy of it in $VISUAL or $EDITOR, which is gone afterwards."""
    with screen.reporting():
        body = _body(screen)
        command = _program(("VISUAL", "EDITOR"), EDITORS)
        with tempfile.TemporaryDirectory(prefix="oh-tui-") as folder:
            path = Path(folder, body.name)
            given = body.text.encode("utf-8", "replace")
            path.write_bytes(given)
            _run(screen, lambda: _call(command, path), command[0])
            with contextlib.suppress(OSError):
                if path.read_bytes() != given:
                    screen.tell("it was a copy: what you changed in it was not kept")


def _body(screen: MainScreen) -> Body:
    view = screen.run_view.result_view
    focused = screen.focused
    if focused is not None and focused.id == "call":
        view = screen.run_view.call_view
    if screen.run_view.is_making:
        raise Problem("This step is large and still being read", "try again in a moment")
    text = plain_text(view.blocks)
    if not text:
        raise Problem("There is no text here to show")
    return Body(text + "\n", _file_name(screen, view.id or "result", view.blocks))


def _file_name(screen: MainScreen, half: str, blocks: Sequence[Block]) -> str:
    current = screen.timeline.current
    step = f"step-{current[0].number}" if current and current[0] else "event"
    return f"{step}-{half}{_suffix(blocks)}"


def _suffix(blocks: Sequence[Block]) -> str:
    """What tells an editor the language, when there is one for all of the text."""
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
    return ".txt"


def _program(variables: Sequence[str], others: Sequence[str]) -> list[str]:
    """The command that the first of these variables names, else the first program there is."""
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


def _run(screen: MainScreen, run: Callable[[], int], name: str) -> None:
    """Give the terminal to a program until it ends. Meanwhile nothing here is drawn or read."""
    name = clean_line(Path(name).name)
    code, failed = 0, None
    try:
        with screen.app.suspend(), _signals_left_to_it():
            # Textual takes the terminal back only when nothing is raised in here
            try:
                code = run()
            except OSError as error:
                failed = error
    except SuspendNotSupported:
        raise Problem("This terminal cannot be given to another program") from None
    if failed is not None:
        reason = (failed.strerror or str(failed)).lower()
        raise Problem(f"{name} could not be started: {reason}") from failed
    if code >= _FAILED:
        screen.tell(f"{name} ended with exit code {code}", error=True)


def _call(command: list[str], path: Path) -> int:
    return subprocess.run([*command, str(path)], env=without_keys(os.environ)).returncode


def _feed(command: list[str], text: str) -> int:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=without_keys(os.environ))
    # the reader may leave before the end of the text
    with contextlib.suppress(BrokenPipeError):
        process.communicate(text.encode("utf-8", "replace"))
    return process.wait()


@contextlib.contextmanager
def _signals_left_to_it() -> Iterator[None]:
    """ctrl+c and ctrl+\\ mean the program: a handler that does nothing is not inherited, as being
    ignored would be. ctrl+z stops both, as the shell expects it of one job. What ends us waits
    until the program has ended."""
    late: list[int] = []
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: lambda *_: None,
        signal.SIGQUIT: lambda *_: None,
        signal.SIGTSTP: signal.SIG_DFL,
        signal.SIGTERM: lambda number, _: late.append(number),
        signal.SIGHUP: lambda number, _: late.append(number),
    }
    # else the event loop would be told of each of them when it comes to run again
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


# Images


async def save_images(screen: MainScreen) -> None:
    """The images of the step into the download folder, at most 20; then the first is shown by the
    desktop if there is one."""
    current = screen.timeline.current
    if current is None:
        screen.tell("no step is selected")
        return
    step, event = current
    with screen.reporting():
        found = await asyncio.to_thread(images_of, step or Step(0, event))
        if not found:
            screen.tell("this step has no image")
            return
        folder = screen.session.settings.download_folder
        saved = await asyncio.to_thread(_save, found, _image_name(step), folder)
        opened = bool(saved.paths) and open_file(saved.paths[0])
        screen.tell(_told(saved, opened), error=not saved.paths)


def _image_name(step: Step | None) -> str:
    """Such as step-4-browser-get-state; made of a number and of letters alone."""
    tool = step.event.tool_name if step else ""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in tool[:60]).split()
    return "-".join([f"step-{step.number}" if step else "event", *words])


class _Saved(NamedTuple):
    paths: list[Path]
    took: int
    """Bytes of all of them."""
    missing: list[str]
    """Images that cannot be saved, and why."""
    left: int
    """Images that were not looked at any more."""


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
    """A new file, whole or not at all; one that is there is never written over."""
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


def open_file(path: Path) -> bool:
    """Show a file with the program that the desktop has for it; False without a desktop."""
    if sys.platform == "darwin":
        opener = "open"
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        opener = "xdg-open"
    else:
        return False
    if not shutil.which(opener):
        return False
    return start_beside([opener, str(path)])


def start_beside(command: Sequence[str]) -> bool:
    """Start a program of the desktop, which lives on without us; False when it cannot be."""
    with contextlib.suppress(OSError):
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=without_keys(os.environ),
            start_new_session=True,
        )
        return True
    return False


def _told(saved: _Saved, opened: bool) -> str:
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

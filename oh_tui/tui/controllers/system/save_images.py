"""`i`: save the images of a step as files and open the first one on the desktop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.settings.part_file import cannot_write
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked
from oh_tui.trajectory.model.images import EXTENSIONS, Image, images_of
from oh_tui.trajectory.model.steps import Step
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.desktop import open_file
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.timeline import Timeline

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
    """Images that cannot be saved, and why."""
    left: int
    """Number of images skipped."""


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

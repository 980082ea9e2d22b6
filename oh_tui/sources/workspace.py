"""The sandbox of a conversation as a place to work in: a shell, and files in and out."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import posixpath
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from oh_tui.api.errors import InvalidRequest, NotFound
from oh_tui.sources.results import PAGE
from oh_tui.sources.saving import part_file_aside, publish
from oh_tui.text.clean import clean, clean_line, safe_line
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.trajectory.model.bodies import field

if TYPE_CHECKING:
    from oh_tui.api import AgentServer, AppServer
    from oh_tui.api.models import BashOutput, CommandResult, Conversation

Progress = Callable[[int, int | None], None]
"""Hears how many bytes went over, and of how many if that is known."""


PWD_TIMEOUT = 10
"""Seconds."""

_REFUSED_NAMES = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""What a file system says to a name that it does not take."""


class Asleep(Refused):
    """The sandbox does not run, and could be resumed."""


async def open_workspace(api: AppServer, conversation: Conversation) -> Workspace:
    """By the state of this moment: one call. Raises Asleep when the sandbox is paused, Refused when
    it does not run for another reason."""
    (now,) = await api.get_conversations([conversation.id])
    if now is None:
        raise Refused("The server no longer has this conversation", Remedy.LIST)
    status = now.sandbox_status
    if status == "PAUSED":
        raise Asleep("The sandbox is paused", Remedy.RESUME)
    if status == "MISSING" or not now.sandbox_id:
        raise Refused("The sandbox is gone", "its history stays readable")
    agent = api.agent_server(now) if status == "RUNNING" else None
    if agent is None:
        state = safe_line(status or "in no known state").lower()
        raise Refused(f"The sandbox does not run, it is {state}", Remedy.WAIT)
    return Workspace(agent)


class Workspace:
    """A sandbox that runs. Nothing is run or written but what is asked for; neither the agent nor
    the events know of it."""

    def __init__(self, agent: AgentServer) -> None:
        self._agent = agent

    async def folder(self) -> str:
        """Where the agent works, an absolute path; "" when that is the sandbox's own folder,
        which has no name (process sandboxes, measured)."""
        workspace = (await self._agent.conversation()).workspace
        folder = clean_line((workspace.working_dir if workspace else None) or "")
        return folder if folder.startswith("/") else ""

    async def whole_folder(self, *, read_only: bool = False) -> str:
        """As `folder`; that of a process sandbox is asked of its shell, and where there is none, or
        no command may be run, taken from the last command of the agent. "" when neither tells it.
        """
        workspace = (await self._agent.conversation()).workspace
        told = clean_line((workspace.working_dir if workspace else None) or "")
        if told.startswith("/"):
            return told
        asks = (self._last_folder,) if read_only else (self._shell_folder, self._last_folder)
        for ask in asks:
            with contextlib.suppress(Problem):
                if found := await ask():
                    return posixpath.normpath(posixpath.join(found, told))
        return ""

    async def _shell_folder(self) -> str:
        return _as_folder((await self.run("pwd", timeout=PWD_TIMEOUT)).stdout)

    async def _last_folder(self) -> str:
        page = await self._agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        folders = (field(e.body(), "observation", "metadata", "working_dir") for e in page.items)
        return next(filter(None, map(_as_folder, folders)), "")

    async def path(self, text: str, folder: str | None = None, *, read_only: bool = False) -> str:
        """A path of the sandbox as it was typed, made absolute: a relative one counts from the
        agent's `folder`, which is asked for as `whole_folder` where it is not given. Raises
        Problem."""
        path = text.strip()
        if not path or "\0" in path:
            raise Problem("That is no path", "say where it is in the sandbox")
        if path.startswith("/"):
            return path
        if folder is None:
            folder = await self.whole_folder(read_only=read_only)
        if not folder:
            raise Problem(
                f"{clean_line(path)} is not absolute, and where the agent works is not known",
                "begin it with /",
            )
        return posixpath.join(folder, path)

    async def run(
        self,
        command: str,
        *,
        cwd: str = "",
        timeout: int,
        progress: Callable[[BashOutput], None] | None = None,
    ) -> CommandResult:
        """Run a command to its end and give all it printed, in /bin/sh. `timeout` is in seconds.
        A command that nobody waits for any more goes on."""
        return await self._agent.sandbox.run_command(
            command, cwd=cwd or None, timeout=timeout, progress=progress
        )

    async def size(self, path: str) -> int | None:
        """The bytes of a file; None when there is no such file. Raises InvalidRequest for a
        folder."""
        try:
            return await self._agent.sandbox.file_size(path) or 0
        except NotFound:
            return None

    async def target(self, path: str, name: str) -> tuple[str, int | None]:
        """Where a file called `name` goes when `path` is asked for, which may be a folder, and the
        bytes of what is there already, None for nothing."""
        if not path.endswith("/"):
            try:
                return path, await self.size(path)
            except InvalidRequest as refused:
                if "not a file" not in refused.detail:
                    raise
        path = posixpath.join(path, name)
        return path, await self.size(path)

    async def get(self, path: str, folder: Path, progress: Progress, name: str = "") -> Path:
        """A file of the sandbox into `folder`; never overwrites, leaves nothing when it fails."""
        target = folder / (name or plain_name(path))
        async with part_file_aside(target) as (file, part):
            received = 0
            async with self._agent.sandbox.download_file(path) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)
                    received += len(piece)
                    progress(received, pieces.size)
            await asyncio.to_thread(_flush, file)
            try:
                return publish(part, target)
            except OSError as error:
                if name or error.errno not in _REFUSED_NAMES:
                    raise
                return publish(part, folder / local_name(path))

    async def put(self, local: Path, path: str, progress: Progress) -> int:
        """A local file into the sandbox, where it replaces what is there; its bytes."""
        size = local_size(local)
        return await self._agent.sandbox.upload_file(
            path, local, progress=lambda sent: progress(sent, size)
        )


def _as_folder(told: object) -> str:
    """An absolute path on one line, or ""."""
    path = told.removesuffix("\n") if isinstance(told, str) else ""
    return path if path.startswith("/") and clean_line(path) == path else ""


def plain_name(path: str) -> str:
    """The name that a file of the sandbox has there, but for what must not reach a terminal."""
    name = posixpath.basename(path)
    return name if name not in ("", ".", "..") and clean(name) == name else local_name(path)


def local_name(path: str) -> str:
    """A file name for a file of the sandbox, harmless on any file system."""
    name = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]", "_", clean_line(posixpath.basename(path)))
    stem, dot, suffix = name.rpartition(".")
    room = 120 - len(suffix)
    if len(name) > 120:
        name = f"{stem[: max(1, room)]}{dot}{suffix[:60]}"
    return name.lstrip("-").rstrip(". ") or "file"


def local_path(text: str) -> Path:
    """A path as it was typed. Raises Problem when it is no file that can be read."""
    text = text.strip()
    if not text or "\0" in text:
        raise Problem("No file was named", Remedy.NAME_FILE)
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # no such user: then ~ is a part of the name
        path = path.expanduser()
    local_size(path)
    return path


def local_size(path: Path) -> int:
    """The bytes of a local file that can be sent, or Problem."""
    shown = clean_line(str(path))
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise Problem(f"{shown} is a folder", "put one file, such as an archive of it")
        if not stat.S_ISREG(about.st_mode):
            raise Problem(f"{shown} is no plain file", "put a copy of what it gives")
        if not os.access(path, os.R_OK):
            raise Problem(f"{shown} may not be read", "check its rights")
    except FileNotFoundError:
        raise Problem(f"There is no file {shown}", "check the path") from None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise Problem(f"{shown} cannot be read: {why}", "check the path and its rights") from None
    return about.st_size


def complete_path(text: str) -> str | None:
    """What a typed local path can be completed to: as far as all matches agree, a folder with a
    slash; None when nothing fits. Hidden files only after a dot."""
    if not text or "\0" in text:
        return None
    head, slash, start = text.rpartition("/")
    try:
        folder = Path(head + slash).expanduser() if slash else Path()
        with os.scandir(folder) as entries:
            found = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(start)
                and (start.startswith(".") or not entry.name.startswith("."))
                and entry.name.isprintable()
            )
    except (OSError, RuntimeError, ValueError):
        return None
    if not found:
        return None
    common = os.path.commonprefix(found)  # noqa: RUF071 names, not paths
    if len(found) > 1 and common == start:
        common = found[0]  # they part here: the first of them, to be typed over
    completed = f"{head}{slash}{common}"
    return completed if completed != text else None


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())

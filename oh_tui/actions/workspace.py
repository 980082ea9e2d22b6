"""Where agents work: a shell, files in and out, and what git says of them."""

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
from typing import IO, NamedTuple

from msgspec.structs import replace

from oh_tui.api import agent_server, models
from oh_tui.api.errors import InvalidRequest, NotFound
from oh_tui.api.models import BashOutput, CommandResult, Workplace
from oh_tui.api.paging import PAGE
from oh_tui.api.server import Server, running_agent
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import part_file_aside, publish
from oh_tui.text.clean import clean, clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import OutOfReach, Problem, Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.clock import seconds

Progress = Callable[[int, int | None], None]
"""Called with the bytes transferred so far and the total, None if unknown."""

_REFUSED_NAMES = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""The errors of a file system for a name that it does not accept."""


class Asleep(OutOfReach):
    """The sandbox is paused and can be resumed."""


class Workspace:
    """A running sandbox. Does only what is asked for; neither the agent nor the events show it."""

    def __init__(self, agent: agent_server.AgentServer, workplace: Workplace) -> None:
        self._agent = agent
        self.workplace = workplace
        """Where it is, in words."""

    async def folder(self) -> str:
        """The absolute path of the agent's folder; "" without a name (process sandboxes)."""
        folder = await self._working_dir()
        return folder if folder.startswith("/") else ""

    async def _working_dir(self) -> str:
        workspace = (await self._agent.conversation()).workspace
        return clean_line((workspace.working_dir if workspace else None) or "")

    async def whole_folder(self, *, read_only: bool = False) -> str:
        """The absolute path of the agent's folder, also in a process sandbox.

        There it comes from the shell, or from the agent's last command if there is no shell or no
        command may be run. "" when neither knows it.
        """
        folder = await self._working_dir()
        if folder.startswith("/"):
            return folder
        for ask in (self._last_folder,) if read_only else (self._shell_folder, self._last_folder):
            with contextlib.suppress(Problem):
                if base := await ask():
                    return posixpath.normpath(posixpath.join(base, folder))
        return ""

    async def _shell_folder(self) -> str:
        return _as_folder((await self.run("pwd", timeout=10)).stdout)

    async def _last_folder(self) -> str:
        page = await self._agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
        folders = (field(e.body(), "observation", "metadata", "working_dir") for e in page.items)
        return next(filter(None, map(_as_folder, folders)), "")

    async def path(self, text: str, folder: str | None = None, *, read_only: bool = False) -> str:
        """The absolute path of a typed one, from `folder` or `whole_folder`. Raises Problem."""
        path = text.strip()
        if not path or "\0" in path:
            raise Problem("That is not a path", f"say where it is {self.workplace.inside}")
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
        begun: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Runs a command in /bin/sh to its end and returns its output; `timeout` is in seconds. The
        command goes on when the caller is cancelled; `begun` gets the id to `stop` it by."""
        return await self._agent.sandbox.run_command(
            command, cwd=cwd or None, timeout=timeout, progress=progress, begun=begun
        )

    async def stop(self, command_id: str) -> bool:
        """Ends a running command. False on a server that cannot, or no longer knows it."""
        try:
            await self._agent.sandbox.stop_bash_command(command_id)
        except NotFound:
            return False
        return True

    async def size(self, path: str) -> int | None:
        """Bytes of a file; None if there is no such file. Raises InvalidRequest for a folder."""
        try:
            return await self._agent.sandbox.file_size(path) or 0
        except NotFound:
            return None

    async def target(self, path: str, name: str) -> tuple[str, int | None]:
        """The path at which `name` is written when sent to `path`, which may be a folder, and the
        size of the file already there; None if there is none."""
        if not path.endswith("/"):
            try:
                return path, await self.size(path)
            except InvalidRequest as refused:
                if "not a file" not in refused.detail:
                    raise
        path = posixpath.join(path, name)
        return path, await self.size(path)

    async def get(self, path: str, folder: Path, progress: Progress, name: str = "") -> Path:
        """Saves a file into `folder`; its path. Overwrites nothing, leaves nothing on failure."""
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
        """Writes a local file into the sandbox, replacing an existing one, and returns its size."""
        size = local_size(local)
        return await self._agent.sandbox.upload_file(
            path, local, progress=lambda sent: progress(sent, size)
        )


def _as_folder(value: object) -> str:
    """The value if it is an absolute path on one line, else ""."""
    path = value.removesuffix("\n") if isinstance(value, str) else ""
    return path if path.startswith("/") and clean_line(path) == path else ""


def plain_name(path: str) -> str:
    """The name of a sandbox file, replaced if it is not safe for a terminal."""
    name = posixpath.basename(path)
    return name if name not in ("", ".", "..") and clean(name) == name else local_name(path)


def local_name(path: str) -> str:
    """A name for a sandbox file that is safe on any file system."""
    name = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]", "_", clean_line(posixpath.basename(path)))
    stem, dot, suffix = name.rpartition(".")
    room = 120 - len(suffix)
    if len(name) > 120:
        name = f"{stem[: max(1, room)]}{dot}{suffix[:60]}"
    return name.lstrip("-").rstrip(". ") or "file"


def local_path(text: str) -> Path:
    """The path that the user typed. Raises Problem unless it is a readable file."""
    text = text.strip()
    if not text or "\0" in text:
        raise Problem("No file was named", Remedy.NAME_FILE)
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # no such user: ~ is part of the name
        path = path.expanduser()
    local_size(path)
    return path


def local_size(path: Path) -> int:
    """The size of a local file in bytes. Raises Problem when it cannot be sent."""
    shown = clean_line(str(path))
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise Problem(f"{shown} is a folder", "put one file, such as an archive of it")
        if not stat.S_ISREG(about.st_mode):
            raise Problem(f"{shown} is not a regular file", "put a copy of what it gives")
        if not os.access(path, os.R_OK):
            raise Problem(f"{shown} may not be read", "check its rights")
    except FileNotFoundError:
        raise Problem(f"There is no file {shown}", "check the path") from None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise Problem(f"{shown} cannot be read: {why}", "check the path and its rights") from None
    return about.st_size


def complete_path(text: str) -> str | None:
    """A typed local path, completed as far as all matches agree; folders get a slash. None if
    nothing matches. Hidden files match only after a dot."""
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
        common = found[0]  # ambiguous: offers the first match, which the user can change
    completed = f"{head}{slash}{common}"
    return completed if completed != text else None


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


class Committed(NamedTuple):
    """A commit, and the files that it changed, with absolute paths."""

    commit: models.GitCommit
    changes: list[models.GitChange]


class Workspaces:
    def __init__(self, api: Server) -> None:
        self._api = api
        self.workplace = api.workplace

    async def open(self, conversation: Conversation) -> Workspace:
        """The shell and files where its agent works, after one call for its current state. Raises
        Asleep if the sandbox is paused, Refused if it is not running for another reason."""
        (now,) = await self._api.get_conversations([conversation.id])
        if now is None:
            raise Refused("The server no longer has this conversation", Remedy.LIST)
        status = now.sandbox_status
        if status == "PAUSED":
            raise Asleep("The sandbox is paused", Remedy.RESUME)
        if status == "MISSING" or not status:
            raise OutOfReach("The sandbox is gone", "the run stays readable")
        agent = self._api.agent_server(now) if status == "RUNNING" else None
        if agent is None:
            state = safe_line(status or "in no known state").lower()
            raise Refused(f"The sandbox does not run, it is {state}", Remedy.WAIT)
        return Workspace(agent, self.workplace)

    async def version(self, conversation: Conversation) -> str:
        """The version of its agent server, in one call; "" unless its sandbox is running."""
        agent = running_agent(self._api, conversation)
        return await agent.version() if agent else ""

    async def git_changes(self, conversation: Conversation) -> list[models.GitChange] | None:
        """The files that git in the sandbox lists as changed, with absolute paths; None unless the
        sandbox is running.

        Takes two calls to the agent server. The repository is the folder that the agent works in,
        where the app server puts it.
        """
        agent = running_agent(self._api, conversation)
        if agent is None:
            return None
        workspace = (await agent.conversation()).workspace
        folder = (workspace.working_dir if workspace else None) or "."
        return _below(folder, await agent.git_changes(folder))

    async def git_text(self, conversation: Conversation, path: str) -> str | None:
        """The text of a file now, as git in the sandbox shows it (see `GitDiff`), in one call; None
        without a repository, and unless the sandbox is running."""
        agent = running_agent(self._api, conversation)
        return (await agent.git_diff(path)).modified if agent else None

    async def commits(self, conversation: Conversation, since: float | None) -> list[Committed]:
        """The commits where the agent works, since its run began (seconds since 1970), newest
        first, at most 20. Empty on servers that cannot list them, and without a time.

        Takes two calls to the agent server, and one per commit. Git's own times count, so commits
        of others are included.
        """
        agent = running_agent(self._api, conversation)
        if agent is None or since is None:
            return []
        workspace = (await agent.conversation()).workspace
        folder = (workspace.working_dir if workspace else None) or "."
        try:
            newest = await agent.git_commits(folder, limit=20)  # each takes a call
        except NotFound:
            return []
        return [
            Committed(one, _below(folder, await agent.commit_changes(folder, one.sha)))
            for one in newest
            if (seconds(one.timestamp) or 0.0) >= since
        ]


def _below(folder: str, changes: list[models.GitChange]) -> list[models.GitChange]:
    return [
        replace(change, path=posixpath.join(folder, _unquoted(change.path))) for change in changes
    ]


def _unquoted(path: str) -> str:
    """The path in git's quotes, where a byte that is not ASCII is written as `\303`, or as `/303`
    by agent server 1.34.0 (measured)."""
    if len(path) < 2 or not path.startswith('"') or not path.endswith('"'):
        return path
    raw = path[1:-1].encode("utf-8", "surrogatepass")
    return _GIT_BYTE.sub(lambda byte: bytes([int(byte[1], 8)]), raw).decode("utf-8", "replace")


_GIT_BYTE = pattern(rb"[\\/]([23][0-7]{2})")

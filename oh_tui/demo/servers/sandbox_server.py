"""The sandboxes' shell and files, as agent server 1.34.0 or another of `AgentVersion` serves them.

Files are in memory and commands simulated: nothing of this machine is read, written
or run.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oh_tui.demo.servers.agent_server import ROOT
from oh_tui.demo.servers.attempts import answered
from oh_tui.demo.servers.disks import HOME, Disks, Output
from oh_tui.demo.servers.http import Query, answer, body, broken, detail, invalid, utc, uuid_or_none
from oh_tui.demo.shell import TIMED_OUT, ShellResult, run_command
from oh_tui.demo.state import Sandbox
from oh_tui.demo.world import AgentVersion, World

PART = 1024 * 1024
"""Characters of a stream in one part of an output."""

DISK = 256 * 1024 * 1024
"""Bytes that the files of one sandbox may have."""


class SandboxServers:
    """The endpoints for commands and files; `sandbox` finds the sandbox of a request."""

    def __init__(self, world: World, disks: Disks, sandbox: Callable[[Request], Sandbox]) -> None:
        self.world = world
        self._disks = disks
        self._sandbox = sandbox

    def routes(self, root: str = ROOT) -> list[Route]:
        api = f"{root}/api"
        return [
            Route(f"{api}/bash/start_bash_command", self.start, methods=["POST"]),
            Route(f"{api}/bash/execute_bash_command", self.execute, methods=["POST"]),
            Route(f"{api}/bash/bash_events/search", self.outputs, methods=["GET"]),
            Route(f"{api}/bash/bash_commands/{{id}}/stop", self.stop, methods=["POST"]),
            Route(f"{api}/file/download", self.download, methods=["GET"]),
            Route(f"{api}/file/upload", self.upload, methods=["POST"]),
        ]

    # the shell ------------------------------------------------------------------------------

    async def start(self, request: Request) -> Response:
        command, _ = await self._begun(request)
        return answer(command)

    async def execute(self, request: Request) -> Response:
        _, output = await self._begun(request)
        await asyncio.sleep(max(0.0, output.over - self.world.clock.ticks()))
        part = output.parts[-1]
        if self.world.agent_version == AgentVersion.NEW:  # the whole, not its last MiB
            part |= {
                name: "".join(one[name] or "" for one in output.parts)
                for name in ("stdout", "stderr")
            }
        return answer(part)

    def _home(self, box: Sandbox) -> str:
        """The working folder of a command that names none."""
        inside = self.world.inside(box)
        own = self.world.has_processes and inside
        return self.world.root(inside[0]) if own else HOME

    async def _begun(self, request: Request) -> tuple[dict[str, object], Output]:
        box = self._sandbox(request)
        payload = await body(request)
        if not isinstance(payload.get("command"), str):
            raise invalid("command", "missing", "Field required")
        timeout, cwd = payload.get("timeout", 300), payload.get("cwd")
        if not isinstance(timeout, int):
            raise invalid("timeout", "int_type", "Input should be a valid integer")
        disk = self._disks.of(box)
        command = {
            "command": payload["command"],
            "cwd": cwd,
            "timeout": timeout,
            "id": uuid4().hex,
            "timestamp": utc(self.world.clock.now()),
            "kind": "BashCommand",
        }
        if cwd and not disk.files.is_folder(cwd):
            why = f"Error executing command: [Errno 2] No such file or directory: '{cwd}'"
            done = ShellResult(stderr=why.encode(), code=TIMED_OUT)
        else:
            line, place = payload["command"], cwd or self._home(box)
            done = answered(line, disk, place, timeout) or run_command(
                line, disk.files, place, timeout
            )
        parts = tuple(self._parts(str(command["id"]), done))
        output = Output(parts, self.world.clock.ticks() + done.seconds)
        disk.outputs[str(command["id"])] = output
        return command, output

    def _parts(self, command: str, done: ShellResult) -> list[dict[str, object]]:
        rest = {
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
        }
        parts: list[dict[str, object]] = []
        ended = self.world.clock.now() + done.seconds

        def add(**more: object) -> None:
            at = datetime.fromtimestamp(ended, UTC) + timedelta(microseconds=len(parts))
            part = {
                "id": uuid4().hex,
                "timestamp": at.isoformat().replace("+00:00", "Z"),
                "command_id": command,
                "order": len(parts),
                "exit_code": None,
                "stdout": None,
                "stderr": None,
                "kind": "BashOutput",
            }
            parts.append(part | more)

        for name in rest:
            while len(rest[name]) > PART:
                add(**{name: rest[name][:PART]})
                rest[name] = rest[name][PART:]
        add(exit_code=done.code, **{name: text or None for name, text in rest.items()})
        return parts

    async def stop(self, request: Request) -> Response:
        """End a command; before 1.58 nothing can."""
        outputs = self._disks.of(self._sandbox(request)).outputs
        wanted = uuid_or_none(request.path_params["id"])
        output = outputs.get(wanted.hex if wanted else "")
        if output is None or self.world.agent_version != AgentVersion.NEW:
            return detail(404, "Not Found")
        now = self.world.clock.ticks()
        if output.over > now:
            last = {**output.parts[-1], "exit_code": -15}
            outputs[last["command_id"]] = Output((*output.parts[:-1], last), now)
        return answer({"success": True})

    async def outputs(self, request: Request) -> Response:
        """Outputs come when the command is over; the real server sends every full MiB earlier."""
        box = self._sandbox(request)
        query = Query(request)
        limit = query.limit(most=None)
        if limit > 100:
            return broken("")
        wanted = uuid_or_none(query.text("command_id__eq") or "")
        output = self._disks.of(box).outputs.get(wanted.hex if wanted else "")
        parts: list[dict[str, Any]] = []
        if output is not None and self.world.clock.ticks() >= output.over:
            parts = list(output.parts)
        names = [_file_name(part) for part in parts]
        page_id = query.text("page_id")
        start = names.index(page_id) if page_id in names else 0
        after = names[start + limit] if start + limit < len(names) else None
        above = int(query.text("order__gt") or -1)
        items = [part for part in parts[start : start + limit] if part["order"] > above]
        return answer({"items": items, "next_page_id": after})

    # files ----------------------------------------------------------------------------------

    async def download(self, request: Request) -> Response:
        files = self._disks.of(self._sandbox(request)).files
        path = posixpath.normpath(Query(request).many("path")[-1])
        if not path.startswith("/"):
            return detail(400, "Path must be absolute")
        if path in files:
            name = "".join(f"%{byte:02X}" for byte in posixpath.basename(path).encode())
            where = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
            return Response(files[path], headers=where, media_type="application/octet-stream")
        if files.is_folder(path):
            return detail(400, "Path is not a file")
        return detail(404, "File not found")

    async def upload(self, request: Request) -> Response:
        files = self._disks.of(self._sandbox(request)).files
        path = posixpath.normpath(Query(request).many("path")[-1])
        data = _file_in(await request.body(), request.headers.get("content-type", ""))
        if data is None:
            raise invalid("file", "missing", "Field required")
        if not path.startswith("/"):
            return detail(400, "Path must be absolute")
        if files.is_folder(path):
            if self.world.agent_version == AgentVersion.NEW:
                return detail(400, "Path is a directory")
            return _failed(f"[Errno 21] Is a directory: '{path}'")
        if path.startswith(("/proc/", "/sys/")):
            return _failed(f"[Errno 2] No such file or directory: '{posixpath.dirname(path)}'")
        if sum(map(len, files.values())) + len(data) > DISK:
            return _failed(f"[Errno 28] No space left on device: '{path}'")
        files[path] = data
        return answer({"success": True})


def _failed(why: str) -> Response:
    return broken(f"500: Failed to upload file: {why}")


def _file_in(data: bytes, content_type: str) -> bytes | None:
    """The field "file" of a form; None when it has none."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    for part in data.split(b"--" + boundary) if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        if re.search(rb'name="file"; *filename=', head):
            return content.removesuffix(b"\r\n")
    return None


def _file_name(part: dict[str, Any]) -> str:
    """The name under which the server keeps a part, which is its page id."""
    when = re.sub(r"\D", "", part["timestamp"])
    return f"{when}_BashOutput_{UUID(part['command_id']).hex}_{part['id']}"

"""The agent server of a sandbox as a whole: its shell, and files in and out.

Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.errors import ApiError, BadAnswer, InvalidRequest, NotFound, ServerError, TimedOut
from oh_tui.api.filters import page_params
from oh_tui.api.http.connections import PATIENT, QUICK, USUAL
from oh_tui.api.http.http_errors import MAYBE_DONE
from oh_tui.api.http.response_body import Pieces
from oh_tui.api.http.transport import Hints, HttpClient, Params
from oh_tui.api.models import IN_SANDBOX, BashCommand, BashOutput, CommandResult, Page, Workplace
from oh_tui.api.paging import Listing
from oh_tui.api.requests import Content, Upload
from oh_tui.text.redact import safe_line

T = TypeVar("T")

TIMEOUT = 300
"""Seconds that a command may take by default, as on the server."""

PARTS = 8
"""Parts of an output in one page. A part is up to 1 MiB characters, which JSON may write in six
times as many bytes."""


class SandboxServer:
    """The agent server of one sandbox. Every method raises the errors of `oh_tui.api.errors`:
    TimedOut when the sandbox is paused (it accepts the connection and stays silent), AuthError
    after a resume that gave it a new key (source)."""

    def __init__(self, http: HttpClient, workplace: Workplace = IN_SANDBOX) -> None:
        self._http = http
        self._place = workplace
        self._old_files = False
        """The server takes the path of a file in the address, not in the query."""

    # the shell, which is not the agent's: /bin/sh in the sandbox's own folder

    async def start_bash_command(
        self, command: str, *, cwd: str | None = None, timeout: int = TIMEOUT
    ) -> BashCommand:
        """Start a command, which runs to its end or `timeout` (seconds) whether or not its output
        is read. Neither the agent nor the events know of it."""
        if not command.strip():
            raise InvalidRequest("There is no command to run", "Type one")
        answer = await self._http.post(
            "/api/bash/start_bash_command",
            "start the command",
            json={"command": command, "timeout": timeout} | ({"cwd": cwd} if cwd else {}),
            timeout=QUICK,
            hints={NotFound: _TOO_OLD},
        )
        return decode.model(answer, BashCommand)

    async def stop_bash_command(self, command_id: str) -> None:
        """End a command and what it started: SIGTERM, after a second SIGKILL. Its exit code is then
        that of the signal, -15 or -9.

        One that is over stays as it is. Raises NotFound for an unknown command, and on servers
        before 1.52, which cannot do it (source; measured, 1.34.0, 1.53.0).
        """
        answer = await self._http.post(
            f"/api/bash/bash_commands/{segment(command_id)}/stop",
            "stop the command",
            repeatable=True,
            timeout=QUICK,
            hints={NotFound: _TOO_OLD},
        )
        decode.require_success(answer, f"It may still run: look {self._place.inside}")

    async def search_bash_events(
        self,
        command_id: str,
        *,
        order__gt: int | None = None,
        page_id: str | None = None,
        limit: int = PARTS,
    ) -> Page[BashOutput]:
        """A page of the parts of a command's output, in the order of their times; with `order__gt`
        only parts with a higher number, which servers before 1.11 ignore (source).

        A running command has no part until it has printed more than 1 MiB. An unknown command has
        none either.
        """
        answer = await self._http.get(
            "/api/bash/bash_events/search",
            "read what the command printed",
            (
                ("command_id__eq", command_id),
                ("kind__eq", "BashOutput"),
                ("order__gt", order__gt),
                *page_params(page_id, limit),
            ),
            USUAL,
        )
        return decode.model_page(answer, BashOutput)

    async def bash_output(
        self, command_id: str, *, timeout: float | None = None
    ) -> AsyncIterator[BashOutput]:
        """The whole output of a command, part by part in order, up to the one with the exit code.

        Each stream is cut anywhere, even within a line, and bytes that are not UTF-8 come as �.
        The server is asked every 0.1 s, later every second. Raises TimedOut when no end is reported
        within `timeout` seconds. May be called again, also after an error, and starts over then.
        """
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        numbers: dict[str, int] = {}
        waiting: list[BashOutput] = []
        wait, over, all_again = 0.1, False, False
        while True:
            after = max(numbers.values(), default=None)
            for part in await self._parts(command_id, None if all_again else after):
                if part.id not in numbers:
                    numbers[part.id] = part.order or 0
                    waiting.append(part)
                    over = over or part.exit_code is not None
            whole = sorted(numbers.values()) == list(range(len(numbers)))
            if over and not whole and not all_again:
                # two streams that grow at once may share a number (source): read all of it again
                all_again = True
                continue
            if over or whole:
                # the part that ends it comes last, whatever its number
                for part in sorted(waiting, key=lambda p: (p.order or 0, p.exit_code is not None)):
                    yield part
                waiting.clear()
            if over:
                return
            if end is not None and loop.time() > end:
                raise TimedOut(
                    f"Could not read what the command printed: {self._http.host} reported no end "
                    "in time",
                    f"It may still run: look {self._place.inside}",
                )
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 1.0)

    async def _parts(self, command_id: str, after: int | None) -> list[BashOutput]:
        parts = Listing(
            lambda cursor: self.search_bash_events(command_id, order__gt=after, page_id=cursor)
        )
        return [part async for part in parts]

    async def run_command(
        self,
        command: str,
        *,
        cwd: str | None = None,
        timeout: int = TIMEOUT,
        progress: Callable[[BashOutput], None] | None = None,
        begun: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run a command to its end and return its output; `progress` gets each part as it comes,
        `begun` the id of the command once it runs.

        The exit code is -1 when the command could not be started or was killed after `timeout`
        seconds. The command goes on when the caller is cancelled or its output cannot be read.
        """
        started = await self.start_bash_command(command, cwd=cwd, timeout=timeout)
        if begun is not None:
            begun(started.id)
        parts = []
        try:
            # the end must be reported soon after its time is up
            async for part in self.bash_output(started.id, timeout=timeout + 20.0):
                parts.append(part)
                if progress is not None:
                    progress(part)
        except ApiError as error:
            error.hint = f"It may still run: look {self._place.inside} before you run it again"
            raise
        codes = [part.exit_code for part in parts if part.exit_code is not None]
        return CommandResult(
            codes[-1],
            "".join(part.stdout or "" for part in parts),
            "".join(part.stderr or "" for part in parts),
        )

    # files

    @contextlib.asynccontextmanager
    async def download_file(self, path: str) -> AsyncIterator[Pieces]:
        """A file of the sandbox in pieces as they arrive; `path` is absolute, `size` the length:

            async with server.download_file("/workspace/notes.txt") as pieces:
                async for piece in pieces: ...

        Raises Unreachable at the end when less than the stated size arrived, NotFound when there is
        no such file, InvalidRequest for a folder or a path that is not absolute.
        """
        doing = f"get {_file_name(path)} from {self._place.name}"
        async with contextlib.AsyncExitStack() as stack:
            yield await self._either_form(
                "download",
                path,
                lambda address, params: stack.enter_async_context(
                    self._http.stream(address, doing, _GET_HINTS, params, follow=False)
                ),
            )

    async def file_size(self, path: str) -> int | None:
        """The length of a file of the sandbox in bytes, None when the server does not say. It
        starts a download and reads nothing of it. Raises as `download_file`."""
        async with self.download_file(path) as pieces:
            return pieces.size

    async def upload_file(
        self, path: str, content: Content, *, progress: Callable[[int], None] | None = None
    ) -> int:
        """Write a file into the sandbox at `path`, which is absolute, and return its bytes.

        An existing file is overwritten, missing folders are created. `progress` gets the number of
        bytes sent so far. When the answer does not say how much arrived (before 1.58, source), the
        server is asked. Raises InvalidRequest for a local file that cannot be read or changes while
        it is sent, ServerError when the sandbox cannot write there, BadAnswer when it did not keep
        everything.
        """
        upload = Upload(content, progress)
        doing = f"put {_file_name(path)} {self._place.inside}"
        answer = await self._either_form(
            "upload",
            path,
            lambda address, params: self._http.post(
                address, doing, body=upload.body, params=params, timeout=PATIENT, hints=_PUT_HINTS
            ),
        )
        decode.require_success(answer, _PUT_HINTS[ServerError])
        kept = decode.field(answer, "file_size")
        if isinstance(kept, bool) or not isinstance(kept, int):
            try:
                kept = await self.file_size(path)
            except NotFound:
                kept = 0
            except ApiError as error:
                error.hint = MAYBE_DONE
                raise
        if kept is not None and kept != upload.sent:
            raise BadAnswer(
                f"Could not {doing}: {self._http.host} kept {kept:,} of {upload.sent:,} bytes",
                _PUT_HINTS[ServerError],
                address=answer.call.address,
            )
        return upload.sent

    async def _either_form(
        self, action: str, path: str, call: Callable[[str, Params], Awaitable[T]]
    ) -> T:
        """Call with the path of the file in the query, or in the address as servers before 1.14
        want it. Later ones take both forms, from 1.20 on only the query (source)."""
        if not self._old_files:
            try:
                return await call(f"/api/file/{action}", (("path", path),))
            except ApiError as error:
                if not _is_older_server(error):
                    raise
                self._old_files = True
        return await call(f"/api/file/{action}/{segment(path)}", ())


def _is_older_server(error: ApiError) -> bool:
    """Whether an older server refused the path in the query: it has no such address, or the address
    takes another method."""
    missing = isinstance(error, NotFound) and error.detail in ("", "Not Found")
    return missing or error.status in (405, 422)


def _file_name(path: str) -> str:
    return safe_line(path.rsplit("/", 1)[-1] or path)[:60] or "a file"


_TOO_OLD = "This agent server may be too old for it"

_GET_HINTS: Hints = {
    NotFound: "Check the path: it is absolute, and counts there, not here",
    InvalidRequest: "A file is wanted, by its absolute path there",
}

_PUT_HINTS: Hints = {
    NotFound: _TOO_OLD,
    InvalidRequest: "Where it goes is an absolute path there",
    ServerError: "Check that it is no folder, may be written, and that there is space left",
}

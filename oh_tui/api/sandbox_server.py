"""What an agent server does for its sandbox as a whole: a shell, and files in and out.

Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator

import httpx

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.bodies import Pieces
from oh_tui.api.connections import CONNECT, PATIENT, QUICK, USUAL
from oh_tui.api.errors import ApiError, BadAnswer, InvalidRequest, NotFound, ServerError, TimedOut
from oh_tui.api.failures import MAYBE_DONE
from oh_tui.api.filters import page_params
from oh_tui.api.models import BashCommand, BashOutput, CommandResult, Page
from oh_tui.api.paging import MOST, without_end
from oh_tui.api.requests import Content, Upload
from oh_tui.api.transport import Hints, Server
from oh_tui.text.clean import safe_line

TIMEOUT = 300
"""Seconds a command may take unless told otherwise; the server's own number."""

CHUNKS = 8
"""Parts of an output in one page: a part is up to 1 MiB characters, which JSON may write with six
times as many bytes."""

GRACE = 20.0
"""Seconds that the end of a command may be told after its time."""


class SandboxServer:
    """The agent server of one sandbox. Every method raises the errors of `oh_tui.api.errors`:
    TimedOut when the sandbox is paused (it takes the connection and stays silent), AuthError after
    a resume that gave it a new key (source)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._old_files = False

    # the shell, which is not the agent's: /bin/sh in the sandbox's own folder

    async def start_bash_command(
        self, command: str, *, cwd: str | None = None, timeout: int = TIMEOUT
    ) -> BashCommand:
        """Start a command, which goes on whether or not anybody reads; `timeout` is in seconds.
        Neither the agent nor the events know of it."""
        answer = await self._server.post(
            "/api/bash/start_bash_command",
            "start the command",
            json=_command(command, cwd, timeout),
            timeout=QUICK,
            hints=_SHELL_HINTS,
        )
        return decode.one(answer, BashCommand)

    async def search_bash_events(
        self,
        command_id: str,
        *,
        order__gt: int | None = None,
        page_id: str | None = None,
        limit: int = CHUNKS,
    ) -> Page[BashOutput]:
        """A page of the parts of a command's output, in the order of their times; with `order__gt`
        only those of a higher number, which servers before 1.11 ignore (source).

        A running command has no part before it has printed more than 1 MiB, and one that is
        unknown has none either.
        """
        answer = await self._server.get(
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
        """The whole output of a command, part by part in order, until the one with its exit code.

        Each stream is cut anywhere, even within a line, and what is not UTF-8 comes as �. Asks
        every 0.1 s, later every second; raises TimedOut when no end was told within `timeout`
        seconds. May be called again, also after an error, and begins anew.
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
                # two streams that grow at once may share a number (source): look at all of it
                all_again = True
                continue
            if over or whole:
                for part in sorted(waiting, key=_place):
                    yield part
                waiting.clear()
            if over:
                return
            if end is not None and loop.time() > end:
                raise TimedOut(
                    f"Could not read what the command printed: {self._server.host} told no end "
                    "of it in time",
                    "It may still run: look in the sandbox",
                )
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 1.0)

    async def run_command(
        self,
        command: str,
        *,
        cwd: str | None = None,
        timeout: int = TIMEOUT,
        progress: Callable[[BashOutput], None] | None = None,
    ) -> CommandResult:
        """Run a command to its end and give all that it printed; `progress` sees each part as it
        comes. The exit code is -1 when it could not be started or was ended after `timeout`
        seconds. When the caller stops waiting, or how it goes on cannot be read, it goes on."""
        started = await self.start_bash_command(command, cwd=cwd, timeout=timeout)
        parts = []
        try:
            async for part in self.bash_output(started.id, timeout=timeout + GRACE):
                parts.append(part)
                if progress is not None:
                    progress(part)
        except ApiError as error:
            error.hint = "It may still run: look in the sandbox before you run it again"
            raise
        codes = [part.exit_code for part in parts if part.exit_code is not None]
        return CommandResult(
            codes[-1],
            "".join(part.stdout or "" for part in parts),
            "".join(part.stderr or "" for part in parts),
        )

    async def execute_bash_command(
        self, command: str, *, cwd: str | None = None, timeout: int = TIMEOUT
    ) -> BashOutput:
        """Run a command and wait for its last part: the whole output only when it is less than
        1 MiB, and of more than that on 1.17.0 any part, without an exit code if it is not the last.
        One connection is kept silent all the time; `run_command` needs neither."""
        answer = await self._server.post(
            "/api/bash/execute_bash_command",
            "run the command",
            json=_command(command, cwd, timeout),
            timeout=httpx.Timeout(timeout + GRACE, connect=CONNECT),
        )
        return decode.one(answer, BashOutput)

    async def _parts(self, command_id: str, after: int | None) -> list[BashOutput]:
        found: list[BashOutput] = []
        page_id, asked = None, set[str]()
        while True:
            page = await self.search_bash_events(command_id, order__gt=after, page_id=page_id)
            found += page.items
            page_id = page.next_page_id
            if page_id is None or page_id in asked:
                return found
            if len(asked) >= MOST:
                raise without_end()
            asked.add(page_id)

    # files

    @contextlib.asynccontextmanager
    async def download_file(self, path: str) -> AsyncIterator[Pieces]:
        """A file of the sandbox, `path` absolute, in pieces as they come; `size` says how much:

            async with server.download_file("/workspace/notes.txt") as pieces:
                async for piece in pieces: ...

        Raises Unreachable at the end when less came than was said, NotFound for no such file,
        InvalidRequest for a folder or a path that is not absolute.
        """
        doing = f"get {_named(path)} from the sandbox"
        async with contextlib.AsyncExitStack() as stack:
            pieces = None
            if not self._old_files:
                with self._older_form():
                    pieces = await stack.enter_async_context(
                        self._server.stream(
                            "/api/file/download",
                            doing,
                            _GET_HINTS,
                            (("path", path),),
                            follow=False,
                        )
                    )
            if pieces is None:
                old = f"/api/file/download/{segment(path)}"
                pieces = await stack.enter_async_context(
                    self._server.stream(old, doing, _GET_HINTS, follow=False)
                )
            yield pieces

    async def file_size(self, path: str) -> int | None:
        """How many bytes a file of the sandbox has, by asking for it and not reading on; None when
        the server does not say. Raises as `download_file`."""
        async with self.download_file(path) as pieces:
            return pieces.size

    async def upload_file(
        self,
        path: str,
        content: Content,
        *,
        size: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Put a file into the sandbox at `path`, absolute, and give its size in bytes.

        A file that is there is overwritten, missing folders are made. `content` is bytes, a local
        path, or a function that gives the pieces, of `size` bytes if that is known. `progress`
        hears how many bytes were sent. When the answer does not tell how much arrived (before
        1.58, source), the server is asked. Raises InvalidRequest for a local file that cannot be
        read or changes meanwhile, ServerError when the sandbox cannot write there, BadAnswer when
        it did not keep everything.
        """
        upload = Upload(content, size, progress)
        doing = f"put {_named(path)} into the sandbox"
        answer = None
        if not self._old_files:
            with self._older_form():
                answer = await self._server.post(
                    "/api/file/upload",
                    doing,
                    body=upload.body,
                    params=(("path", path),),
                    timeout=PATIENT,
                    hints=_PUT_HINTS,
                )
        if answer is None:
            answer = await self._server.post(
                f"/api/file/upload/{segment(path)}",
                doing,
                body=upload.body,
                timeout=PATIENT,
                hints=_PUT_HINTS,
            )
        decode.accepted(answer, _PUT_HINTS[ServerError])
        kept = decode.number(answer, "file_size")
        if kept is None:
            try:
                kept = await self.file_size(path)
            except NotFound:
                kept = 0
            except ApiError as error:
                error.hint = MAYBE_DONE
                raise
        if kept is not None and kept != upload.sent:
            raise BadAnswer(
                f"Could not {doing}: {self._server.host} kept {kept:,} of {upload.sent:,} bytes",
                _PUT_HINTS[ServerError],
                address=answer.call.address,
            )
        return upload.sent

    @contextlib.contextmanager
    def _older_form(self) -> Generator[None, None, None]:
        """Lets the refusals pass with which a server before 1.14 answers a path in the query: it
        has it in the address. Later ones know both forms, from 1.20 only the query (source)."""
        try:
            yield
        except ApiError as error:
            # no such address; what FastAPI makes of it with a slash at its end; another method
            missing = isinstance(error, NotFound) and error.detail in ("", "Not Found")
            if not missing and error.status not in (307, 308, 405, 422):
                raise
            self._old_files = True


def _command(command: str, cwd: str | None, timeout: int) -> dict[str, object]:
    if not command.strip():
        raise InvalidRequest("There is no command to run", "Type one")
    return {"command": command, "timeout": timeout} | ({"cwd": cwd} if cwd else {})


def _place(part: BashOutput) -> tuple[int, bool]:
    """By number, and the one that ends it all last."""
    return part.order or 0, part.exit_code is not None


def _named(path: str) -> str:
    return safe_line(path.rsplit("/", 1)[-1] or path)[:60] or "a file"


_TOO_OLD = "The server of this sandbox may be too old for it"

_SHELL_HINTS: Hints = {NotFound: _TOO_OLD}

_GET_HINTS: Hints = {
    NotFound: "Check the path: it is one of the sandbox, and absolute",
    InvalidRequest: "A file is wanted, by its absolute path in the sandbox",
}

_PUT_HINTS: Hints = {
    NotFound: _TOO_OLD,
    InvalidRequest: "Where it goes is an absolute path in the sandbox",
    ServerError: "Check that it is no folder, may be written, and that there is space left",
}

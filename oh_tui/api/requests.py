"""What is asked of the servers with more than an address: starts, messages, and files as forms."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, TypeAlias

import msgspec

from oh_tui.api.errors import InvalidRequest
from oh_tui.api.transport import Body

PIECE = 256 * 1024
"""Bytes of a file that are read and sent at a time."""

Content: TypeAlias = bytes | Path | Callable[[], AsyncIterator[bytes]]
"""A file to send. The function makes its pieces anew each time: an older server is asked twice."""


class StartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation to start. Without `message` the agent waits for one; with it it begins at
    once, even if the wire's `run` says no (source, agent server 1.34.0): there is no field for it.

    `sandbox_id` puts it into a sandbox that is there, and resumes one that is paused (measured);
    else a new one is made. The server replaces `title` by one of its own after the first message
    (measured). `git_provider` is "github", "gitlab", "bitbucket", "bitbucket_data_center",
    "forgejo", "azure_devops" or "enterprise_sso".
    """

    message: str = ""
    selected_repository: str | None = None
    selected_branch: str | None = None
    git_provider: str | None = None
    title: str | None = None
    llm_model: str | None = None
    sandbox_id: str | None = None
    parent_conversation_id: str | None = None

    def wire(self) -> dict[str, Any]:
        """The body of the call, without what was not given."""
        given = msgspec.structs.asdict(self)
        text = given.pop("message")
        body = {name: value for name, value in given.items() if value}
        if text.strip():
            body["initial_message"] = message(text, run=True)
        return body


def message(text: str, *, run: bool) -> dict[str, Any]:
    """A message of the user. Raises InvalidRequest for one without words: the agent server takes
    even that, and shows the model an empty message (measured)."""
    if not text.strip():
        raise InvalidRequest("A message needs some words", "Write what the agent is to know or do")
    return {"role": "user", "content": [{"type": "text", "text": text}], "run": run}


class Upload:
    """A file as the form that the agent server takes, sent piece by piece.

    Raises InvalidRequest when the file cannot be read, or gives another number of bytes than
    `size`, while it is sent too: the server then has no complete form and keeps nothing of it
    (source).
    """

    def __init__(
        self, content: Content, size: int | None, progress: Callable[[int], None] | None
    ) -> None:
        if isinstance(content, bytes):
            size = len(content)
        elif isinstance(content, Path):
            size = _size(content)
        self.size = size
        self.sent = 0
        self._content = content
        self._progress = progress
        mark = secrets.token_hex(16)
        self._head = (
            f"--{mark}\r\n"
            'Content-Disposition: form-data; name="file"; filename="file"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{mark}--\r\n".encode()
        whole = None if size is None else len(self._head) + size + len(self._tail)
        self.body = Body(self._form, f"multipart/form-data; boundary={mark}", whole)

    async def _form(self) -> AsyncIterator[bytes]:
        self.sent = 0
        yield self._head
        async for piece in self._pieces():
            self.sent += len(piece)
            if self.size is not None and self.sent > self.size:
                raise _changed(self.size)
            yield piece
            if self._progress is not None:
                self._progress(self.sent)
        if self.size is not None and self.sent != self.size:
            raise _changed(self.size)
        yield self._tail

    async def _pieces(self) -> AsyncIterator[bytes]:
        if callable(self._content):
            async for piece in self._content():
                yield piece
        elif isinstance(self._content, bytes):
            for start in range(0, len(self._content), PIECE):
                yield self._content[start : start + PIECE]
        else:
            with _opened(self._content) as file:
                while piece := await asyncio.to_thread(_read, file):
                    yield piece


def _size(path: Path) -> int:
    with _opened(path) as file:
        return os.fstat(file.fileno()).st_size


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(error) from None


def _read(file: IO[bytes]) -> bytes:
    try:
        return file.read(PIECE)
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> InvalidRequest:
    why = error.strerror or type(error).__name__
    return InvalidRequest(f"The file to send cannot be read: {why}", "Check its path and rights")


def _changed(size: int) -> InvalidRequest:
    return InvalidRequest(
        f"The file to send is no longer the {size:,} bytes it was", "Send it again when it is whole"
    )

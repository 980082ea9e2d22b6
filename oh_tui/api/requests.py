"""Request bodies: starting a conversation, messages, and files as forms."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Literal, TypeAlias

import msgspec

from oh_tui.api.errors import InvalidRequest
from oh_tui.api.http.transport import RequestBody
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.text.redact import Secret

PIECE = 256 * 1024
"""Bytes of a file that are read and sent at a time."""

Content: TypeAlias = bytes | Path
"""A file to send: its bytes, or its local path."""


Worktree: TypeAlias = Literal["yes", "head"]
"""From where a git worktree starts: from the server's choice, or from where the folder stands."""

LONGEST_TITLE = 200
"""Characters; an agent server takes no more (source)."""


class StartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation to start.

    Without `message` the agent waits for one. With a message it begins at once, even if the wire's
    `run` is false (source, agent server 1.34.0), which therefore has no field here. `sandbox_id`
    names an existing sandbox, which is resumed if it is paused (measured); otherwise a new one is
    created. The server replaces `title` by its own after the first message (measured).
    `git_provider` is "github", "gitlab", "bitbucket", "bitbucket_data_center", "forgejo",
    "azure_devops" or "enterprise_sso". For a `suggested_task` the server writes the message, so
    there must be none. `agent_type` is "default" or "plan". `secrets` are added to those that the
    server keeps, all of which the agent gets anyway.
    """

    message: str = ""
    selected_repository: str | None = None
    selected_branch: str | None = None
    git_provider: str | None = None
    suggested_task: SuggestedTask | None = None
    title: str | None = None
    llm_model: str | None = None
    agent_type: str | None = None
    secrets: dict[str, Secret] | None = None
    profile: str | None = None
    """The name of a profile that the server keeps."""
    folder: str | None = None
    """Where the agent works on an agent server without an app server."""
    worktree: Worktree | None = None
    """A git worktree that such a server makes of that folder for the agent."""
    sandbox_id: str | None = None
    parent_conversation_id: str | None = None

    def wire(self) -> dict[str, object]:
        """The JSON body for an app server, without empty fields."""
        fields = msgspec.structs.asdict(self)
        text = fields.pop("message")
        own = ("profile", "folder", "worktree")
        body = {name: value for name, value in fields.items() if value and name not in own}
        if self.suggested_task:
            body["suggested_task"] = msgspec.to_builtins(self.suggested_task)
        if self.secrets:
            body["secrets"] = {name: secret.reveal() for name, secret in self.secrets.items()}
        if text.strip():
            body["initial_message"] = message(text, run=True)
        return body


def message(text: str, *, run: bool) -> dict[str, object]:
    """The JSON body of a user message. Raises InvalidRequest for blank text, which the agent server
    accepts and shows to the model as an empty message (measured)."""
    if not text.strip():
        raise InvalidRequest("The message is empty", "Write what the agent is to know or do")
    return {"role": "user", "content": [{"type": "text", "text": text}], "run": run}


class Upload:
    """A file as the form that the agent server takes, sent piece by piece.

    Raises InvalidRequest when the file cannot be read, or changes its size while it is sent: the
    server then has no complete form and keeps nothing of it (source).
    """

    def __init__(self, content: Content, progress: Callable[[int], None] | None) -> None:
        self._content = content
        self._progress = progress
        self.sent = 0
        """Bytes of the file that were sent so far."""
        with _opened(content) as file:
            self._size = file.seek(0, os.SEEK_END)
        boundary = secrets.token_hex(16)
        self._head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="file"; filename="file"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.body = RequestBody(
            self._form,
            f"multipart/form-data; boundary={boundary}",
            len(self._head) + self._size + len(self._tail),
        )

    async def _form(self) -> AsyncIterator[bytes]:
        self.sent = 0
        yield self._head
        with _opened(self._content) as file:
            while piece := await asyncio.to_thread(_read, file):
                self.sent += len(piece)
                if self.sent > self._size:
                    break
                yield piece
                if self._progress is not None:
                    self._progress(self.sent)
        if self.sent != self._size:
            raise InvalidRequest(
                f"The file to send is no longer {self._size:,} bytes long",
                "Send it again when it is whole",
            )
        yield self._tail


def _opened(content: Content) -> IO[bytes]:
    try:
        return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
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

"""Signatures of oh_tui.api.sync, written by scripts/sync_stub.py."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Self, Unpack

from oh_tui.api.asgi import ASGIApp
from oh_tui.api.connections import Watch
from oh_tui.api.filters import ConversationFilters, SortOrder
from oh_tui.api.models import (
    AgentConversation,
    Auth,
    BashCommand,
    BashOutput,
    CommandResult,
    Conversation,
    GitChange,
    Page,
    Sandbox,
    Secret,
    SentMessage,
    StartTask,
    User,
)
from oh_tui.api.requests import Content, StartRequest
from oh_tui.api.sandbox_server import PARTS, TIMEOUT
from oh_tui.api.transport import Limiter, RetryPolicy
from oh_tui.trajectory.model.events import Event

class Pieces(Iterator[bytes]):
    size: int | None
    def __next__(self) -> bytes: ...

class SandboxServer:
    def start_bash_command(
        self, command: str, *, cwd: str | None = None, timeout: int = TIMEOUT
    ) -> BashCommand: ...
    def search_bash_events(
        self,
        command_id: str,
        *,
        order__gt: int | None = None,
        page_id: str | None = None,
        limit: int = PARTS,
    ) -> Page[BashOutput]: ...
    def bash_output(
        self, command_id: str, *, timeout: float | None = None
    ) -> Iterator[BashOutput]: ...
    def run_command(
        self,
        command: str,
        *,
        cwd: str | None = None,
        timeout: int = TIMEOUT,
        progress: Callable[[BashOutput], None] | None = None,
    ) -> CommandResult: ...
    def download_file(self, path: str) -> AbstractContextManager[Pieces]: ...
    def file_size(self, path: str) -> int | None: ...
    def upload_file(
        self, path: str, content: Content, *, progress: Callable[[int], None] | None = None
    ) -> int: ...

class AgentServer:
    sandbox: SandboxServer
    conversation_id: str
    def search_events(
        self, *, sort_order: SortOrder = "TIMESTAMP", page_id: str | None = None, limit: int = 100
    ) -> Page[Event]: ...
    def iter_events(
        self, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100
    ) -> Iterator[Page[Event]]: ...
    def count_events(self) -> int: ...
    def conversation(self) -> AgentConversation: ...
    def version(self) -> str: ...
    def git_changes(self, path: str, *, ref: str | None = None) -> list[GitChange]: ...
    def respond_to_confirmation(self, accept: bool, reason: str = "") -> None: ...
    def approve(self) -> None: ...
    def run(self) -> None: ...
    def pause(self) -> None: ...
    def interrupt(self) -> None: ...
    def send_message(self, text: str, *, run: bool = True) -> None: ...

class SandboxService:
    def search(self, *, page_id: str | None = None, limit: int = 100) -> Page[Sandbox]: ...
    def iter(self) -> Iterator[Page[Sandbox]]: ...
    def get(self, ids: Sequence[str]) -> list[Sandbox | None]: ...
    def pause(self, sandbox_id: str) -> None: ...
    def resume(self, sandbox_id: str) -> None: ...

class StartTasks:
    def begin(self, request: StartRequest) -> StartTask: ...
    def get(self, ids: Sequence[str]) -> list[StartTask | None]: ...

class AppServer:
    base_url: str
    pace: float
    sandboxes: SandboxService
    start_tasks: StartTasks
    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        app: ASGIApp | None = None,
        limiter: Limiter | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None: ...
    def users_me(self) -> User: ...
    def search_conversations(
        self,
        *,
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[ConversationFilters],
    ) -> Page[Conversation]: ...
    def iter_conversations(
        self, *, limit: int = 100, **filters: Unpack[ConversationFilters]
    ) -> Iterator[Page[Conversation]]: ...
    def count_conversations(self) -> int: ...
    def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]: ...
    def download(self, conversation_id: str) -> AbstractContextManager[Iterator[bytes]]: ...
    def send_message(self, conversation_id: str, text: str, *, run: bool = True) -> SentMessage: ...
    def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]: ...
    def count_events(self, conversation_id: str) -> int: ...
    def agent_server(self, conversation: Conversation) -> AgentServer | None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

class OpenHands(AppServer):
    def __init__(self, url: str | None = None, key: str | Secret | None = None) -> None: ...

"""Start tasks: a start's stages over time, and the conversation it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from oh_tui.demo.agent import FILES, work
from oh_tui.demo.catalog import Entry, sandbox_id
from oh_tui.demo.runs.meter import SONNET, Model
from oh_tui.demo.runs.recorder import fixed_uuid
from oh_tui.demo.runs.run import Run
from oh_tui.demo.state import Conversation, Sandbox
from oh_tui.demo.world import World

BOOTS = 4.5
"""Seconds that a new sandbox takes to start."""

WAKES = 1.5

STAGES = (
    ("PREPARING_REPOSITORY", 1.5),
    ("RUNNING_SETUP_SCRIPT", 1.0),
    ("SETTING_UP_GIT_HOOKS", 0.5),
    ("SETTING_UP_SKILLS", 0.5),
    ("STARTING_CONVERSATION", 1.0),
)
"""The stages after the sandbox is up, with their seconds."""

UNKNOWN_REPOSITORY = re.compile(r"/(none|missing|nope|no-such.*)$|^[^/]+$")

NO_PLAN = (
    "Server error '500 Internal Server Error' for url 'http://localhost:8000/api/conversations'"
)
"""The folder of such a sandbox is ".", and the plan needs an absolute one (measured)."""


@dataclass(frozen=True, slots=True)
class Started(Entry):
    asked: str = ""
    folder: str = ""
    """Where that was chosen; else the folder of its repository."""
    files: dict[str, str] = field(default_factory=dict, compare=False)
    """What is there, by path in the folder."""

    def write(self, run: Run) -> None:
        run.root = self.folder or run.root
        if not run.files:
            run.find(self.files or FILES)
        if not self.asked:
            run.full_state()
        else:
            run.user(self.asked)
            work(run, self.asked)


@dataclass(slots=True)
class StartTask:
    """One start task; times in seconds since 1970."""

    number: int
    began: float
    request: dict[str, Any]
    sandbox: Sandbox | None = None
    failure: tuple[str, str] | None = None
    """The stage in which it fails, and the reason."""
    conversation: Conversation | None = None
    waits: float = 0.0
    """Seconds until its sandbox is up."""
    status: str = "WORKING"
    moved: float = field(init=False)

    def __post_init__(self) -> None:
        self.moved = self.began

    @property
    def id(self) -> str:
        """As the app server writes it: 32 hex digits."""
        return fixed_uuid("started task", self.number).hex

    def stages(self) -> Iterator[tuple[str, float]]:
        at = self.began
        for name, seconds in (("WORKING", 0.6), ("WAITING_FOR_SANDBOX", self.waits), *STAGES):
            if seconds:
                yield name, at
            at += seconds
        yield "READY", at


class StartTasks:
    def __init__(self, world: World) -> None:
        self.world = world
        self.starts: list[StartTask] = []

    def begin(self, request: dict[str, Any]) -> StartTask:
        """Ask the server to start a conversation; `request` is the body of the call."""
        world = self.world
        start = StartTask(len(self.starts) + 1, world.clock.now(), request)
        self.starts.append(start)
        wanted, repo = request.get("sandbox_id"), request.get("selected_repository")
        parent = request.get("parent_conversation_id")
        above = world.conversation(parent) if parent else None
        if parent and above is None:
            start.failure = ("WORKING", f"500: Parent conversation not found: {parent}")
        elif wanted or above:
            start.sandbox = above.sandbox if above and not wanted else world.sandbox(wanted or "")
            status = world.status(start.sandbox)
            if start.sandbox is None or status not in ("RUNNING", "STARTING", "PAUSED"):
                start.failure = ("WORKING", f"500: Sandbox not found: {wanted}")
                start.sandbox = None
            elif status != "RUNNING":
                world.resume(start.sandbox.id)
                start.waits = WAKES
        else:
            start.sandbox = world.new_sandbox(f"started {start.number}", BOOTS)
            start.waits = BOOTS
        if request.get("agent_type") == "plan" and world.has_processes and start.failure is None:
            start.failure = ("STARTING_CONVERSATION", NO_PLAN)
        if repo and UNKNOWN_REPOSITORY.search(repo) and start.failure is None:
            start.failure = ("PREPARING_REPOSITORY", "")  # says nothing (measured)
        return start

    def next_id(self) -> str:
        """That of the conversation of the next start."""
        return fixed_uuid("conversation", f"started {len(self.starts) + 1}").hex

    def at_once(
        self, request: dict[str, Any], sandbox: Sandbox, folder: str, files: dict[str, str]
    ) -> Conversation:
        """A conversation in this sandbox, as an agent server starts it."""
        now = self.world.clock.now()
        start = StartTask(len(self.starts) + 1, now, request, sandbox)
        start.status = "READY"
        self.starts.append(start)
        return self._made(start, now, folder, files)

    def find(self, identifier: str) -> StartTask | None:
        wanted = identifier.replace("-", "").lower()
        return next((start for start in self.all() if start.id == wanted), None)

    def all(self) -> list[StartTask]:
        """All of them in their present stage, the newest first."""
        for start in self.starts:
            self._move_on(start)
        return self.starts[::-1]

    def _move_on(self, start: StartTask) -> None:
        now = self.world.clock.now()
        for name, at in start.stages():
            if now < at or start.status in ("READY", "ERROR"):
                return
            start.status, start.moved = name, at
            if start.failure and start.failure[0] == name:
                start.status = "ERROR"
            elif name == "READY":
                start.conversation = self._made(start, at)

    def _made(
        self, start: StartTask, at: float, folder: str = "", files: dict[str, str] | None = None
    ) -> Conversation:
        assert start.sandbox is not None
        request, world = start.request, self.world
        message = request.get("initial_message") or {}
        words = "\n".join(
            part.get("text", "") for part in message.get("content", ()) if part.get("text")
        )
        first = words.strip().partition("\n")[0].split()
        parent = request.get("parent_conversation_id")
        above = world.conversation(parent) if parent else None
        named = request.get("llm_model")
        entry = Started(
            slug=f"started {start.number}",
            title=" ".join(first[:7])[:60] or None,  # whatever it was asked for (measured)
            age=world.clock.start - at,
            sandbox=start.sandbox.slug,
            repo=request.get("selected_repository"),
            branch=request.get("selected_branch") or "main",
            model=Model(named) if named else SONNET,
            trigger="openhands_api",
            parent=above.entry.slug if above else None,
            live=True,
            asked=words,
            folder=folder,
            files=files or {},
        )
        assert start.sandbox.id == sandbox_id(entry.sandbox)
        return world.add(Conversation(entry, at, start.sandbox))

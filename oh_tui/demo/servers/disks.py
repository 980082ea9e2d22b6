"""The disks of the sandboxes: what their runs have found and written, and what visitors change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oh_tui.demo.shell import Files
from oh_tui.demo.state import Conversation, Sandbox
from oh_tui.demo.world import World

HOME = "/workspace"


@dataclass(frozen=True, slots=True)
class Output:
    """The output of a command, and the tick at which it ends."""

    parts: tuple[dict[str, Any], ...]
    over: float


@dataclass(slots=True)
class Disk:
    """The files of one sandbox, and what was run in it."""

    files: Files
    cloned: dict[str, bytes] = field(default_factory=dict)
    """Its repositories as they were cloned."""
    outputs: dict[str, Output] = field(default_factory=dict)
    written: dict[str, float] = field(default_factory=dict)
    """Conversation -> when its agent last wrote what is on the disk."""


class Disks:
    """The disk of each sandbox, made when it is first asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._disks: dict[str, Disk] = {}

    def of(self, box: Sandbox) -> Disk:
        """The disk of a sandbox, with what its agents have written by now."""
        disk = self._disks.get(box.slug)
        if disk is None:
            disk = self._disks[box.slug] = Disk(Files(self.world.clock.now))
            note = b"This file is made up, as everything in the demo.\n"
            disk.files.put(f"{HOME}/notes.txt", note, box.created)
        # the oldest first: it cloned what the others found
        for conversation in sorted(self.world.inside(box), key=lambda one: one.created):
            self._catch_up(disk, conversation)
        return disk

    def _catch_up(self, disk: Disk, conversation: Conversation) -> None:
        entry = conversation.entry
        found, written = self.world.files(conversation)
        began = conversation.created
        if entry.id not in disk.written:
            disk.written[entry.id] = 0.0
            if entry.repo:
                head = f"ref: refs/heads/{entry.branch or 'main'}\n"
                disk.files.put(f"{self.world.root(conversation)}/.git/HEAD", head.encode(), began)
            for path, text in found.items():
                # what is there already was cloned, or another agent wrote it
                if path not in disk.files:
                    disk.cloned.setdefault(path, text.encode())
                    disk.files.put(path, text.encode(), began)
        news = [one for one in written if one[0] > disk.written[entry.id]]
        for at, path, content in news:
            disk.written[entry.id] = at
            if content is not None:
                disk.files.put(path, content.encode(), at)
            else:
                disk.files.pop(path, None)

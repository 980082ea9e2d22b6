"""The disks of the sandboxes: what their runs have found and written, and what visitors change. And
what git tells of a folder there: its files now beside those that were cloned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
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
    commits: dict[str, tuple[str, dict[str, bytes]]] = field(default_factory=dict)
    """Folder -> the newest commit that was made there, and the files of all folders then."""
    written: dict[str, float] = field(default_factory=dict)
    """Conversation -> when its agent last wrote what is on the disk."""


class Disks:
    """The disk of each sandbox, made when it is first asked for."""

    def __init__(self, world: World, printed: Mapping[str, Output] | None = None) -> None:
        """`printed` is what commands printed before, on every disk."""
        self.world = world
        self._printed = printed or {}
        self._disks: dict[str, Disk] = {}

    def of(self, box: Sandbox) -> Disk:
        disk = self._disks.get(box.slug)
        if disk is None:
            disk = self._disks[box.slug] = Disk(Files(self.world.clock.now))
            disk.outputs |= self._printed
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


def git_changes(
    root: str, cloned: Mapping[str, bytes], now: Mapping[str, bytes]
) -> list[dict[str, str]]:
    """Status and path of each changed file below `root`, by path, without those of `.gitignore`."""
    ignored = now.get(f"{root}/.gitignore", b"").decode("utf-8", "replace").split()
    found: list[dict[str, str]] = []
    for full in sorted(cloned.keys() | now.keys()):
        path = full.removeprefix(f"{root}/")
        if path == full or path.startswith(".git/") or cloned.get(full) == now.get(full):
            continue
        if full in cloned:
            found.append({"status": "UPDATED" if full in now else "DELETED", "path": path})
        elif not any(fnmatch(path, f"{line}*") or f"/{line}/" in f"/{path}" for line in ignored):
            found.append({"status": "ADDED", "path": path})
    return found


def git_diff(path: str, cloned: Mapping[str, bytes], now: Mapping[str, bytes]) -> dict[str, str]:
    """The old and the new text of a file, without the last newline; "" for none, or no text."""
    return {"modified": _text(now.get(path, b"")), "original": _text(cloned.get(path, b""))}


def _text(content: bytes) -> str:
    try:
        return "\n".join(content.decode().splitlines())
    except UnicodeDecodeError:
        return ""

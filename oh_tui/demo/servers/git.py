"""What git tells of a folder: its files now beside those that were cloned."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch


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

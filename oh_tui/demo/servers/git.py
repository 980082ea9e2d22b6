"""The changes that git lists in a sandbox: the edits of its runs, plus and minus a few files."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

from oh_tui.demo.runs.events import StoredEvent

BESIDE = {
    "/workspace/dates": {"uv.lock": "UPDATED", "tests/test_weeks_prop.py": ""},
    "/workspace/portal": {"package-lock.json": "UPDATED"},
    "/workspace/shop": {"coverage.xml": "ADDED"},
}
"""By folder, the files that commands changed with their status, "" for one that git ignores."""

_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$", re.MULTILINE)
_PATCH_STATUS = {"Add": "ADDED", "Update": "UPDATED", "Delete": "DELETED"}


def git_changes(root: str, events: list[StoredEvent]) -> list[dict[str, str]]:
    """Status and path of each changed file below `root`, by path."""
    first: dict[str, str | None] = {}
    found: dict[str, str] = {}
    for event in events:
        if event.kind not in ("ActionEvent", "ObservationEvent"):
            continue
        body: dict[str, Any] = json.loads(event.raw)
        seen, action = body.get("observation") or {}, body.get("action") or {}
        for verb, name in _PATCHED.findall(action.get("patch") or ""):
            found[posixpath.join(root, name)] = _PATCH_STATUS[verb]
        if seen.get("new_content") is not None and not seen["is_error"]:
            path, old, new = seen["path"], seen["old_content"], seen["new_content"]
            first.setdefault(path, old)
            found[path] = "ADDED" if first[path] is None else "UPDATED"
            if first[path] == new:
                del found[path]
    below = {
        posixpath.relpath(path, root): status
        for path, status in found.items()
        if path.startswith(f"{root}/")
    }
    below |= BESIDE.get(root, {})
    return [{"status": status, "path": path} for path, status in sorted(below.items()) if status]

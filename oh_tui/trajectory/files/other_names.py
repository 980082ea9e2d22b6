"""Files that another path may reach: links, and what commands moved or copied."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.trajectory.files.versions import EMPTY, Edit
from oh_tui.trajectory.files.writers import Writer


def by_other_names(edits: Sequence[Edit]) -> tuple[list[Writer], dict[str, Edit]]:
    """Edits of files that another path may reach too, by a link: what they find is what that other
    one was left with. They may have written to it. And for each file whose first edit is such the
    edit that left the text."""
    last: dict[str, bytes] = {}
    holders: dict[bytes, dict[str, Edit]] = {}
    found: list[Writer] = []
    twins: dict[str, Edit] = {}
    for edit in edits:
        left = holders.get(edit.old.digest, {})
        others = [path for path in left if path != edit.path]
        if others and edit.old.digest != EMPTY:
            label = edit.part.label(edit.step)
            found.append(Writer(label, edit.step, edit.began, edit.ended, frozenset(others)))
            if edit.path not in last:
                twins[edit.path] = left[others[-1]]
        holders.get(last.get(edit.path, b""), {}).pop(edit.path, None)
        last[edit.path] = edit.new.digest
        if edit.new.digest:
            holders.setdefault(edit.new.digest, {})[edit.path] = edit
    return found, twins

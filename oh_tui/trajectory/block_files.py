"""Results of tools that read and change files: code with its line numbers, diffs, patches."""

from __future__ import annotations

import re
from typing import Any

from oh_tui.patterns import pattern
from oh_tui.text import clean_line
from oh_tui.trajectory.block import (
    Block,
    Code,
    Diff,
    Heading,
    Markdown,
    Note,
    Output,
    Plain,
    content,
    one_line,
    safe,
)
from oh_tui.trajectory.bodies import field, text_field
from oh_tui.trajectory.difference import unified


def proposal(action: Any) -> list[Block]:
    """What a call would have done, for a call that was not carried out."""
    path = one_line(text_field(action, "path") or text_field(action, "file_path"))
    old = text_field(action, "old_str") or text_field(action, "old_string")
    new = text_field(action, "new_str") or text_field(action, "new_string")
    whole = text_field(action, "file_text")
    if not whole and text_field(action, "kind") == "WriteFileAction":
        whole = text_field(action, "content")
    shown: list[Block] = []
    if old or new:
        at = field(action, "insert_line")
        first = at + 1 if isinstance(at, int) and text_field(action, "command") == "insert" else 0
        shown = [Diff(unified(safe(old), safe(new), first=first), path)]
    elif whole:
        shown = [Code(safe(whole).removesuffix("\n"), path)]
    elif text_field(action, "patch"):
        shown = _patch_blocks(safe(text_field(action, "patch")))
    elif text_field(action, "message") or text_field(action, "thought"):
        return [Markdown(safe(text_field(action, "message") or text_field(action, "thought")))]
    return [Heading("what it would do"), *shown] if shown else []


def _change(observation: dict[str, Any]) -> tuple[str, str, str] | None:
    """Path, old and new text of a changed file, an absent old text being ""; None without them."""
    old, new = field(observation, "old_content"), field(observation, "new_content")
    path = text_field(observation, "path") or text_field(observation, "file_path")
    if not isinstance(new, str) or text_field(observation, "command") == "view":
        return None
    return path, safe(old) if isinstance(old, str) else "", safe(new)


def edit_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    path = one_line(text_field(observation, "path") or text_field(observation, "file_path"))
    path = path or one_line(text_field(action, "path") or text_field(action, "file_path"))
    command = text_field(observation, "command") or text_field(action, "command")
    if command == "view":
        return _numbered(content(body), path)
    change = _change(observation)
    if change is not None:
        _, old, new = change
        if not isinstance(field(observation, "old_content"), str):
            return [Code(new.removesuffix("\n"), path)] if new else [Note("an empty file")]
        text = unified(old, new)
        return [Diff(text, path) if text else Note("nothing changed")]
    done: list[Block] = [block for block in proposal(action) if not isinstance(block, Heading)]
    text = content(body)
    if not done:
        return [Plain(text)]
    return [*done, Note(clean_line(text))] if text else done


_NUMBERED = pattern(r" {0,12}(\d{1,9})\t(.*)")


def _numbered(text: str, path: str) -> list[Block]:
    """A view of a file as the editor gives it (`cat -n`), as code with its line numbers; as it
    came when it is none, such as the list of a folder."""
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines[:5]) if _NUMBERED.fullmatch(line)), None)
    if start is None:
        return [Output(text)] if text.strip() else [Note("nothing in it")]
    match = _NUMBERED.fullmatch(lines[start])
    assert match is not None
    first = int(match[1])
    code: list[str] = []
    for line in lines[start:]:
        match = _NUMBERED.fullmatch(line)
        if match is None or int(match[1]) != first + len(code):
            break
        code.append(match[2])
    rest = "\n".join(lines[start + len(code) :]).strip("\n")
    return [Code("\n".join(code), path, first), *([Plain(rest)] if rest else [])]


def read_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    text = safe(text_field(observation, "file_content"))
    if not text:
        return _numbered(content(body), one_line(text_field(observation, "file_path")))
    at = field(observation, "lines_shown")
    first = at[0] if isinstance(at, list) and at and isinstance(at[0], int) else 1
    return [Code(text.removesuffix("\n"), one_line(text_field(observation, "file_path")), first)]


def patch_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    changes = field(observation, "commit", "changes")
    blocks: list[Block] = []
    if isinstance(changes, dict):
        for name, change in changes.items():
            path = one_line(str(name))
            moved = one_line(field(change, "move_path"))
            verb = one_line(field(change, "type")) or "update"
            blocks.append(Heading(f"{verb} {path}" + (f", now {moved}" if moved else "")))
            old, new = text_field(change, "old_content"), text_field(change, "new_content")
            text = unified(safe(old), safe(new))
            blocks.append(Diff(text, path) if text else Note("nothing changed"))
    blocks = blocks or _patch_blocks(safe(text_field(action, "patch")))
    text = content(body)
    return blocks or [Plain(text)]


_PATCH_FILE = pattern(
    r"^(?:\*\*\* (Add|Update|Delete) File: (.+)|diff --git a/.* b/(.*))$", re.MULTILINE
)


def patch_files(patch: str) -> list[tuple[str, str, str]]:
    """The files of a patch: verb, path, lines. Both patch formats; one nameless file otherwise."""
    heads = list(_PATCH_FILE.finditer(patch))
    if not heads:
        text = patch.strip("\n")
        return [("patch", "", text)] if text else []
    ends = [head.start() for head in heads[1:]] + [len(patch)]
    files = []
    for head, end in zip(heads, ends, strict=True):
        text = patch[head.end() : end].strip("\n")
        text = text.removesuffix("*** End Patch").rstrip("\n")
        verb = (head[1] or "update").lower()
        files.append((verb, clean_line(head[2] or head[3] or ""), text))
    return files


def _patch_blocks(patch: str) -> list[Block]:
    blocks: list[Block] = []
    for verb, path, text in patch_files(patch):
        if path:
            blocks.append(Heading(f"{verb} {path}"))
        if text:
            blocks.append(Diff(text, path))
    return blocks

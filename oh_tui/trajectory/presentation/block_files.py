"""Blocks of tools that read and change files: code with line numbers, diffs, patches."""

from __future__ import annotations

import re

from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model.bodies import Body, content_text, field, text_field
from oh_tui.trajectory.model.difference import PATCH_FILE, patch_files, unified
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Code,
    Diff,
    Heading,
    Markdown,
    Note,
    Output,
    Plain,
)


def proposal(action: object) -> list[Block]:
    """What a call that was not run would have done."""
    path = safe_line(text_field(action, "path") or text_field(action, "file_path"))
    old = take.text(action, "old_str") or take.text(action, "old_string")
    new = take.text(action, "new_str") or take.text(action, "new_string")
    whole = ""
    if not old and not new:
        whole = take.text(action, "file_text")
        if not whole and text_field(action, "kind") == "WriteFileAction":
            whole = take.text(action, "content")
    blocks: list[Block] = []
    if old or new:
        line = field(action, "insert_line")
        inserts = isinstance(line, int) and text_field(action, "command") == "insert"
        blocks = _difference(safe(old), safe(new), path, line + 1 if inserts else 0)
    elif whole:
        blocks = [Code(safe(whole).removesuffix("\n"), path)]
    elif patch := take.text(action, "patch"):
        blocks = _patch_blocks(safe(patch))
    elif text := take.text(action, "message") or take.text(action, "thought"):
        return [Markdown(safe(text))]
    return [Heading("what it would do"), *blocks] if blocks else []


def _difference(old: str, new: str, path: str, first: int | None = None) -> list[Block]:
    """The diff of two texts, or the text if they are equal."""
    text = unified(old, new) if first is None else unified(old, new, first=first)
    if text:
        return [Diff(text, path)]
    same: list[Block] = [Code(new.removesuffix("\n"), path)] if new else []
    return [Note("nothing changed"), *same]


_DONE = pattern(
    r"The file (?P<a>[^\n]{1,4000}) has been edited\."
    r"|File created successfully at: (?P<b>[^\n]{1,4000})"
    r"|Last edit to (?P<c>[^\n]{1,4000}) undone successfully\."
    r"|Here's the result of running `cat -n` on a snippet of (?:it|the edited file):(?=\n|$)"
    r"|Here's the result of running `cat -n` on (?:a snippet of )?(?P<d>[^\n]{1,4000}?):(?=\n|$)"
    r"|Review the changes and make sure they are as expected(?: \([^)\n]{1,200}\))?\."
    r"|Edit the file again if necessary\."
)
"""What the editor answers to each change; the diff shows it."""


def _unsaid(text: str, path: str, new: str) -> str:
    """An editor's answer without what the diff shows: that the file was edited, and its lines."""
    shown = set(new.split("\n"))

    def is_about_path(match: re.Match[str]) -> bool:
        return all(named is None or safe_line(named) == path for named in match.groups())

    text = _DONE.sub(lambda match: "" if is_about_path(match) else match[0], text)
    lines = ((line, _NUMBERED.fullmatch(line)) for line in text.split("\n"))
    kept = (line for line, numbered in lines if not numbered or numbered[2] not in shown)
    return "\n".join(kept).strip()


def edit_result(body: Body, observation: Body, action: object) -> list[Block]:
    path = safe_line(text_field(observation, "path") or text_field(observation, "file_path"))
    path = path or safe_line(text_field(action, "path") or text_field(action, "file_path"))
    take.text(observation, "path")
    take.text(observation, "file_path")
    command = text_field(observation, "command") or text_field(action, "command")
    if command == "view":
        take.usual(observation, "command")
        return _numbered(safe(take.result_text(body)), path)
    old, new = field(observation, "old_content"), field(observation, "new_content")
    if isinstance(new, str):
        take.usual(observation, "command")
        new = safe(take.value(observation, "new_content"))
        blocks: list[Block] = [Code(new.removesuffix("\n"), path) if new else Note("an empty file")]
        if isinstance(old, str):
            blocks = _difference(safe(take.value(observation, "old_content")), new, path)
        text = _unsaid(safe(take.result_text(body)), path, new)
        return [*blocks, Plain(text)] if text and not _is_shown(text, path, blocks) else blocks
    done: list[Block] = [block for block in proposal(action) if not isinstance(block, Heading)]
    text = safe(take.result_text(body))
    if not done:
        return [Plain(text)] if text else []
    return [*done, Note(clean_line(text))] if text else done


_HUNK = pattern(r"@@ -[\d,]{1,20} \+[\d,]{1,20} @@|\\ No newline at end of file")


def _is_shown(text: str, path: str, blocks: list[Block]) -> bool:
    """Whether a text is the unified diff that is shown, or the new file as one."""
    if not text.startswith("--- "):
        return False
    shown = {"", "+", f"--- {path}", f"+++ {path}"}
    for block in blocks:
        if isinstance(block, Diff):
            shown.update(block.text.split("\n"))
        elif isinstance(block, Code):
            shown.update(f"+{line}" for line in block.text.split("\n"))
    return all(line in shown or _HUNK.fullmatch(line) for line in text.split("\n"))


_NUMBERED = pattern(r" {0,12}(\d{1,9})\t(.*)")


def _numbered(text: str, path: str) -> list[Block]:
    """A view of a file (`cat -n`) as code with line numbers; any other text as output."""
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


def read_result(body: Body, observation: Body, action: object) -> list[Block]:
    path = safe_line(take.text(observation, "file_path"))
    text = safe(take.text(observation, "file_content"))
    if not text:
        return _numbered(safe(take.result_text(body)), path)
    lines = field(observation, "lines_shown")
    first = lines[0] if isinstance(lines, list) and lines and type(lines[0]) is int else 1
    answer = safe(content_text(body))
    if "".join(answer.split()) in ("", "".join(text.split())) or _shows_lines(text, answer):
        take.result_text(body)
    return [Code(text.removesuffix("\n"), path, first)]


def _shows_lines(text: str, said: str) -> bool:
    """Whether an answer only repeats lines of a text, with or without numbers."""
    lines = set(text.split("\n"))
    return all(
        line in lines or ((match := _NUMBERED.fullmatch(line)) and match[2] in lines)
        for line in said.split("\n")
        if line.strip()
    )


def patch_result(body: Body, observation: Body, action: object) -> list[Block]:
    changes = field(observation, "commit", "changes")
    blocks: list[Block] = []
    if isinstance(changes, dict):
        for name, change in changes.items():
            path = safe_line(str(name))
            moved = safe_line(take.text(change, "move_path"))
            verb = safe_line(take.text(change, "type")) or "update"
            blocks.append(Heading(f"{verb} {path}" + (f", now {moved}" if moved else "")))
            old, new = take.text(change, "old_content"), take.text(change, "new_content")
            blocks += _difference(safe(old), safe(new), path)
    blocks = blocks or _patch_blocks(safe(take.text(action, "patch")))
    text = safe(take.result_text(body))
    return [*blocks, Plain(text)] if text else blocks


def _patch_blocks(patch: str) -> list[Block]:
    first = PATCH_FILE.search(patch)
    before = patch[: first.start()].replace("*** Begin Patch", "").strip() if first else ""
    blocks: list[Block] = [Plain(before)] if before else []
    for verb, path, text in patch_files(patch):
        blocks += [Heading(f"{verb} {path}")] if path else []
        blocks += [Diff(text, path)] if text else []
    return blocks

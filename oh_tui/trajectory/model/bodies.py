"""Readers of decoded events: the text inside, whatever shape the event has. They never raise.

The text is raw: pass it through `clean` and `redact` of oh_tui.text before showing it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.model.events import read_json

Body = dict[str, object]
"""The decoded JSON object of an event, or of a part of it."""

CLIPPED = "<response clipped>"
"""Written by tools where they cut a text; `full_output_save_dir` is set even if nothing is cut."""


def field(body: object, *path: str) -> Any:
    """The value at a path of names; None when the path does not exist."""
    value: Any = body
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_field(body: object, *path: str) -> str:
    """The text at a path of names; "" when it is missing or not a text."""
    value = field(body, *path)
    return value if isinstance(value, str) else ""


def list_field(body: object, *path: str) -> list[Any]:
    """The list at a path of names; [] when it is missing or not a list."""
    value = field(body, *path)
    return value if isinstance(value, list) else []


def blocks_text(blocks: object, image: str = "[image]") -> str:
    """The text of content blocks, joined by newlines, with `image` in place of each image.

    A content block is `{"type": "text", "text": ...}` or `{"type": "image", "image_urls": [...]}`;
    older servers send plain strings, and other agents wrap each block into another one.
    """
    if isinstance(blocks, str):
        return blocks
    if not isinstance(blocks, list):
        return ""
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, dict):
            block = block["content"] if isinstance(block.get("content"), dict) else block
            text = block.get("text")
            if isinstance(text, str):
                texts.append(text)
            elif block.get("type") == "image" and image:
                urls = block.get("image_urls")
                texts += [image] * (len(urls) if isinstance(urls, list) else 1)
    return "\n".join(texts)


def content_text(body: object, image: str = "[image]") -> str:
    """The text of a result: of its observation, its error or the reason of a rejection."""
    observation = field(body, "observation")
    if isinstance(observation, dict):
        return observation_text(observation, image)
    return (
        text_field(body, "error")
        or text_field(body, "rejection_reason")
        or text_field(body, "raw_output")
        or blocks_text(field(body, "content"), image)
    )


def observation_text(observation: Mapping[str, object], image: str = "[image]") -> str:
    """The text of an observation: its `error` if that is a text, then its `content`, which
    pre-releases call `output` or `message`."""
    text = blocks_text(observation.get("content"), image)
    text = text or text_field(observation, "output") or text_field(observation, "message")
    error = text_field(observation, "error")
    return "\n".join(filter(None, (error, text))) if error and error not in text else text


def message_text(body: object) -> str:
    return blocks_text(field(body, "llm_message", "content"))


def thought_text(body: object) -> str:
    """The thought before a call, else the reasoning; "" without either."""
    return blocks_text(field(body, "thought")).strip() or reasoning_text(body).strip()


def reasoning_text(body: object) -> str:
    """The model's reasoning: `reasoning_content`, else its thinking blocks."""
    reasoning = text_field(body, "reasoning_content")
    reasoning = reasoning or text_field(body, "llm_message", "reasoning_content")
    if reasoning:
        return reasoning
    blocks = field(body, "thinking_blocks") or field(body, "llm_message", "thinking_blocks")
    if not isinstance(blocks, list):
        return ""
    return "\n".join(filter(None, (text_field(block, "thinking") for block in blocks)))


def arguments(body: object) -> object:
    """The arguments of a call as the model gave them: decoded, or the text if it is not JSON.

    They are JSON text in `tool_call.arguments` (in old runs `tool_call.function.arguments`), or
    the `raw_input` of an ACP call. None without arguments.
    """
    called = field(body, "tool_call")
    places = (field(called, "arguments"), field(called, "function", "arguments"))
    found = next((value for value in places if value is not None), field(body, "raw_input"))
    return read_json(found, found) if isinstance(found, str) else found


def arguments_text(body: object) -> str:
    """The arguments of a call on one line, for a call that was not parsed into an action.

    Secrets are hidden before the JSON is written: in `\\nsk-…` the n would hide the key.
    """
    found = arguments(body)
    if found is None or isinstance(found, str):
        return found or ""
    try:
        return json.dumps(redact_json(found), ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""


_PROMPT = pattern(r"(?:[\w.@:~/\\\- ()\[\]]{0,120}[$#>%❯]|>)[ \t]+")


def strip_echo(output: str, command: str) -> str:
    """A terminal's output without the command that some shells echo first.

    Removes only the lines of this command at the very start, with a prompt before them or, for a
    command of several words, without. Any other echo stays, as evidence. Expects both texts to be
    cleaned.
    """
    lines = [line.strip() for line in command.strip().splitlines()]
    if not lines or not lines[0] or lines[0] not in output[: len(lines[0]) + 200]:
        return output
    rest = output.lstrip("\r\n")
    for line in lines:
        first, _, after = rest.partition("\n")
        shown = first.strip()
        if shown != line or (len(lines) == 1 and " " not in line):
            prompt = _PROMPT.match(shown)
            if prompt is None or shown[prompt.end() :].strip() != line:
                return output
        rest = after
    return rest


def number_text(value: object) -> str:
    """A number, true, false or null as JSON writes it."""
    try:
        return json.dumps(value)
    except ValueError:
        return "(a number too long to be shown)"

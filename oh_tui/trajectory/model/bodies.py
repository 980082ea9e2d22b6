"""Readers of decoded events: the text inside, whatever shape the event has. They never raise.

They give text as it came: it still has to pass `oh_tui.text.clean.clean` and `redact`.
"""

from __future__ import annotations

import json
from typing import Any

from oh_tui.text.clean import redact_json
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.events import decode_json


def field(body: Any, *path: str) -> Any:
    """What lies at the end of a path of names; None where it breaks off."""
    for name in path:
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


def text_field(body: Any, *path: str) -> str:
    """The text at the end of a path of names; "" when it is missing or no text."""
    value = field(body, *path)
    return value if isinstance(value, str) else ""


def blocks_text(blocks: Any, image: str = "[image]") -> str:
    """The text of content blocks, a newline between blocks, `[image]` (or nothing, if `image` is
    "") for each image.

    A content block is `{"type": "text", "text": ...}` or `{"type": "image", "image_urls": [...]}`;
    plain strings are taken too, as older servers send them.
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
            text = block.get("text")
            if isinstance(text, str):
                texts.append(text)
            elif block.get("type") == "image" and image:
                urls = block.get("image_urls")
                texts += [image] * (len(urls) if isinstance(urls, list) else 1)
    return "\n".join(texts)


def content_text(body: Any, image: str = "[image]") -> str:
    """What a result says: the text of an observation, the error, the reason of a rejection."""
    observation = field(body, "observation")
    if isinstance(observation, dict):
        return observation_text(observation, image)
    return (
        text_field(body, "error")
        or text_field(body, "rejection_reason")
        or blocks_text(field(body, "content"), image)
    )


def observation_text(observation: dict[str, Any], image: str = "[image]") -> str:
    """The text of an observation: its `error` where that is a text, then its `content`. The
    pre-releases have `output` or `message` in place of `content`."""
    said = blocks_text(observation.get("content"), image)
    said = said or text_field(observation, "output") or text_field(observation, "message")
    error = text_field(observation, "error")
    return "\n".join(filter(None, (error, said))) if error and error not in said else said


def message_text(body: Any) -> str:
    """The text of a MessageEvent."""
    return blocks_text(field(body, "llm_message", "content"))


def thought_text(body: Any) -> str:
    """What the model said before a call: its thought, else its reasoning; "" when neither."""
    return blocks_text(field(body, "thought")).strip() or reasoning_text(body).strip()


def reasoning_text(body: Any) -> str:
    """The model's reasoning: `reasoning_content`, else its thinking blocks."""
    reasoning = text_field(body, "reasoning_content")
    reasoning = reasoning or text_field(body, "llm_message", "reasoning_content")
    if reasoning:
        return reasoning
    blocks = field(body, "thinking_blocks") or field(body, "llm_message", "thinking_blocks")
    if not isinstance(blocks, list):
        return ""
    return "\n".join(filter(None, (text_field(block, "thinking") for block in blocks)))


def command_text(body: Any) -> str:
    """The command of a terminal call, or of a terminal result when the call is missing."""
    if text_field(body, "action", "kind") in ("TerminalAction", "ExecuteBashAction"):
        return text_field(body, "action", "command")
    if text_field(body, "observation", "kind") in ("TerminalObservation", "ExecuteBashObservation"):
        return text_field(body, "observation", "command")
    return ""


def arguments(body: Any) -> Any:
    """The arguments of a call as the model gave them: decoded, or the text if it is no JSON.

    They stand in `tool_call.arguments` as JSON text (`tool_call.function.arguments` in old runs);
    an ACP call has `raw_input`. None when there are none.
    """
    given = field(body, "tool_call", "arguments")
    if given is None:
        given = field(body, "tool_call", "function", "arguments")
    if given is None:
        given = field(body, "raw_input")
    if not isinstance(given, str):
        return given
    try:
        return decode_json(given.encode("utf-8", "surrogatepass"))
    except ValueError:
        return given


def arguments_text(body: Any) -> str:
    """The arguments of a call on one line, for a call that was not parsed into an action. Secrets
    are taken out before it is JSON again: in `\\nsk-…` the n would hide the key."""
    given = arguments(body)
    if given is None or isinstance(given, str):
        return given or ""
    try:
        return json.dumps(redact_json(given), ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""


_PROMPT = pattern(r"(?:[\w.@:~/\\\- ()\[\]]{0,120}[$#>%❯]|>)[ \t]+")


def strip_echo(output: str, command: str) -> str:
    """A terminal's output without the echo of this command, as some shells give it first.

    Only the lines of this step's own command at the very start go, with a prompt before them or,
    for a command of more than one word, without; anything else, such as the echo of another
    command, is evidence and stays. Both texts must have passed `clean`.
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

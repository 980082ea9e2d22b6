"""Folders of a run that have other names where it runs again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

Change = Callable[[str], str]


class Folders:
    """Names of folders in the record and their names now, which take each other's place in texts:
    whole ones, so that `/srv` changes `/srv/a`, but neither `/srv-2` nor `/my/srv`."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        there, here = dict(pairs), {new: old for old, new in pairs}
        self.now = _change(there)
        """Changes a text of the record into one of now."""
        self.then = _change(here)
        """Changes a text of now into one of the record."""

    def arguments_now(self, text: str) -> str:
        """Arguments of a call, as JSON text; the same text where no folder is in it."""
        return _in_arguments(text, self.now)

    def arguments_then(self, text: str) -> str:
        """As `arguments_now`, the other way."""
        return _in_arguments(text, self.then)


def read_pair(word: str) -> tuple[str, str]:
    """The two folders of `OLD=NEW`. Raises Problem."""
    old, _, new = word.partition("=")
    old, new = old.rstrip("/"), new.rstrip("/")
    if not (old.startswith("/") and new.startswith("/")):
        raise Problem(
            f"{safe_line(word)} does not name two folders",
            "--map /folder/of/the/record=/folder/now, both from the root on",
        )
    return old, new


def _change(names: Mapping[str, str]) -> Change:
    if not names:
        return lambda text: text
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    places = re.compile(rf"(?<![\w./-])(?:{known})(?![\w-]|\.\w)")
    return lambda text: places.sub(lambda found: names[found[0]], text)


def _in_arguments(text: str, change: Change) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return change(text)
    changed = _each(value, change)
    return text if changed == value else json.dumps(changed, ensure_ascii=False)


def _each(value: Any, change: Change) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(one, change) for one in value]
    if isinstance(value, dict):
        return {name: _each(one, change) for name, one in value.items()}
    return value

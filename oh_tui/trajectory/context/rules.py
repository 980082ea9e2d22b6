"""The rules by which a version of the OpenHands SDK makes messages of events."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import field
from oh_tui.trajectory.model.events import Event

_VERSION = pattern(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")

_LOOKED_AT = 3
"""Messages whose fields are looked at: each of them tells."""


class Rules(NamedTuple):
    """Since version 1.58.2 nothing newer was seen: `NOW` are its rules."""

    name: str
    """Whose they are, in a few words: "SDK 1.31 or newer"."""
    sentence: str
    """Why these were taken."""
    is_certain: bool = True
    """Whether the events or the server tell that the run was written by them."""
    merges_users: bool = True
    """Messages of the user that follow each other are one. Since 1.26.0."""
    keeps_summaries: bool = True
    """Condensations act one after the other, each with its summary. Before 1.10.0 all act at once,
    and the last summary alone is there."""
    first_result_wins: bool = True
    """A second result of a call is left out. Since 1.20.1."""
    whole_loops: bool = True
    """A tool loop that begins with thinking is whole or not there. Since 1.11.5."""
    cuts_all: bool = False
    """All long texts are cut, not those of results alone. Before 1.11.1."""
    output_name: str = "terminal"
    """What the name of a file with a whole output begins with: "bash" before 1.19.1."""
    is_sdk: bool = True
    """False for a run of another program or format: texts are taken as they are."""


def of_version(text: str) -> Rules | None:
    """The rules of a version such as "1.34.0" that the server tells; None for anything else."""
    found = _VERSION.match(text)
    if found is None:
        return None
    version = tuple(int(part or 0) for part in found.groups())
    if version < (1, 0, 0):
        return None
    name = "SDK " + ".".join(map(str, version))
    return _rules(version, name, f"the server says that {name} wrote the run")


def _rules(version: tuple[int, ...], name: str, sentence: str) -> Rules:
    return Rules(
        name,
        sentence,
        merges_users=version >= (1, 26, 0),
        keeps_summaries=version >= (1, 10, 0),
        first_result_wins=version >= (1, 20, 1),
        whole_loops=version >= (1, 11, 5),
        cuts_all=version < (1, 11, 1),
        output_name="terminal" if version >= (1, 19, 1) else "bash",
    )


NOW = Rules(
    "SDK 1.58",
    "the events do not tell which version wrote the run: the rules of 1.58, the newest known, are"
    " taken; before 1.26 messages of the user that follow each other were not joined",
    is_certain=False,
)

_TREE = Rules("SDK 1.31 or newer", "the events name their parents, as they do since SDK 1.31")

_OLD = _rules(
    (1, 9, 1),
    "an SDK before 1.10",
    "the messages have fields that were taken out in SDK 1.10",
)

_BETWEEN = _rules(
    (1, 11, 0),
    "SDK 1.10 to 1.11.0",
    "the texts have a field that was taken out in SDK 1.11.1, and the messages none of those that"
    " were taken out in 1.10",
)


class Writer:
    """Finds out which version of the SDK wrote a growing run."""

    def __init__(self, format: str = "", version: str = "") -> None:
        """`format` is that from which the events were converted, "" for the SDK's own; `version`
        is what the server says."""
        self._told = of_version(version)
        self._format = format
        self._has_parents = False
        self._left = _LOOKED_AT
        self._is_old = self._cuts = False

    def take(self, event: Event) -> None:
        self._has_parents |= bool(event.parent_id)
        if event.kind != "MessageEvent" or not self._left:
            return
        self._left -= 1
        message = field(event.body(), "llm_message")
        if not isinstance(message, dict):
            return
        self._is_old |= isinstance(message.get("cache_enabled"), bool)
        content = message.get("content")
        blocks = content if isinstance(content, list) else ()
        self._cuts |= any(field(block, "enable_truncation") is True for block in blocks)

    @property
    def rules(self) -> Rules:
        if self._format:
            return NOW._replace(
                sentence=f"the file is in {self._format}, which does not tell how messages were"
                f" made: texts are taken as they are",
                is_sdk=False,
            )
        if self._told is not None:
            return self._told
        if self._has_parents:
            return _TREE
        if self._is_old:
            return _OLD
        return _BETWEEN if self._cuts else NOW

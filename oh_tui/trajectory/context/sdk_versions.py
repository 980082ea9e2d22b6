"""The rules by which a version of the OpenHands SDK makes messages of events."""

from __future__ import annotations

from typing import Any, NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.bodies import field, list_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory

_VERSION = pattern(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")

_LOOKED_AT = 3
"""Events of a kind whose fields are looked at: each of them tells."""

Version = tuple[int, int, int]


class SdkBehaviour(NamedTuple):
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


def of_version(text: str) -> SdkBehaviour | None:
    """The rules of a version such as "1.34.0" that the server tells; None for anything else."""
    version = version_of(text)
    if version is None:
        return None
    name = "SDK " + ".".join(map(str, version))
    about = f"the events do not tell which version wrote the run: its server has {name} now"
    return _rules(version, name, about)


def version_of(text: str) -> Version | None:
    """The numbers of a version such as "1.34.0"; None for anything else."""
    found = _VERSION.match(text)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major, minor, patch) if major else None


def _rules(version: Version, name: str, sentence: str) -> SdkBehaviour:
    return SdkBehaviour(
        name,
        sentence,
        merges_users=version >= (1, 26, 0),
        keeps_summaries=version >= (1, 10, 0),
        first_result_wins=version >= (1, 20, 1),
        whole_loops=version >= (1, 11, 5),
        cuts_all=version < (1, 11, 1),
        output_name="terminal" if version >= (1, 19, 1) else "bash",
    )


NOW = SdkBehaviour(
    "SDK 1.58",
    "the events do not tell which version wrote the run: the rules of 1.58, the newest known, are"
    " taken; before 1.26 messages of the user that follow each other were not joined",
    is_certain=False,
)


class _Age(NamedTuple):
    """What events tell of the version that wrote them."""

    rules: SdkBehaviour
    since: Version = (0, 0, 0)
    before: Version = (9999, 0, 0)


_TREE = _Age(
    SdkBehaviour("SDK 1.31 or newer", "the events name their parents, as they do since SDK 1.31"),
    since=(1, 31, 0),
)

_LATE = _Age(
    SdkBehaviour(
        "SDK 1.26.1 or newer", "the results have a field that they did not have in SDK 1.26"
    ),
    since=(1, 26, 1),
)

_OLD = _Age(
    _rules(
        (1, 9, 1),
        "SDK 1.9 or older",
        "the messages have fields that were taken out in SDK 1.10",
    ),
    before=(1, 10, 0),
)

_BETWEEN = _Age(
    _rules(
        (1, 11, 0),
        "SDK 1.10 to 1.11.0",
        "the texts have a field that was taken out in SDK 1.11.1, and the messages none of those"
        " that were taken out in 1.10",
    ),
    since=(1, 10, 0),
    before=(1, 11, 1),
)

_UNTOLD = _Age(NOW)


_FORMATS = {"v0": "OpenHands V0", "atif": "ATIF", "chat": "a list of messages"}
"""Formats by the names that their converters have."""


class Writer:
    """Finds out which version of the SDK wrote a growing run."""

    def __init__(self, format: str = "") -> None:
        """`format` is that from which the events were converted, "" for the SDK's own."""
        self._format = format
        self.told = ""
        """The version that the server says it has: it counts where the events do not contradict
        it, as those of a run that an older one began."""
        self._left = {"MessageEvent": _LOOKED_AT, "ObservationEvent": _LOOKED_AT}
        self._has_parents = self._is_late = self._is_old = self._cuts = False

    def take(self, event: Event) -> None:
        self._has_parents |= bool(event.parent_id)
        if self._left.get(event.kind):
            self._left[event.kind] -= 1
            self._look(event.body())

    def _look(self, body: dict[str, Any]) -> None:
        if "observation" in body:
            self._is_late |= isinstance(body.get("extended_content"), list)
            return
        message = field(body, "llm_message")
        self._is_old |= isinstance(field(message, "cache_enabled"), bool)
        blocks = list_field(message, "content")
        self._cuts |= any(field(block, "enable_truncation") is True for block in blocks)

    @property
    def _age(self) -> _Age:
        if self._has_parents:
            return _TREE
        if self._is_late:
            return _LATE
        if self._is_old:
            return _OLD
        return _BETWEEN if self._cuts else _UNTOLD

    @property
    def rules(self) -> SdkBehaviour:
        if self._format:
            name = _FORMATS.get(self._format, self._format)
            return NOW._replace(
                name=name,
                sentence=f"{name} does not tell how messages were made: their texts and calls are"
                f" taken as they are in it",
                merges_users=False,
                is_sdk=False,
            )
        age, version = self._age, version_of(self.told)
        told = of_version(self.told)
        if told is not None and version is not None and age.since <= version < age.before:
            return told
        return age.rules


def told_version(run: Trajectory) -> str:
    """Such as "SDK 1.31 or newer" or "OpenHands V0"; "" where the events tell no version."""
    writer = Writer(run.recorded.format)
    for event in run.events:
        writer.take(event)
    rules = writer.rules
    is_told = rules.is_certain if rules.is_sdk else run.recorded.format == "v0"
    return rules.name if is_told else ""

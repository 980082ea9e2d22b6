"""The documents of `oh-tui attempts`, and of a start of several."""

from __future__ import annotations

from typing import TypedDict

from oh_tui.documents.shapes.common import Amount, Conversation, Count, Number


class ChangedFile(TypedDict):
    path: str
    letter: str
    """A, M, D or T, as git writes it."""
    added: Count | None
    """Lines; null of a file that is no text."""
    removed: Count | None
    is_test: bool


class Attempt(TypedDict):
    attempt: Number
    passes: bool | None
    """Whether its verify held for its files as they are now, with the tests of its start; null
    where that is not known."""
    exit_code: int | None
    """Of its last verify, maybe of other files."""
    files: list[ChangedFile] | None
    """Since its start commit, committed or not; null where that is not known."""
    same_as: Number | None
    """The first attempt before it with a byte-equal change."""
    branch: str | None
    uncommitted: list[str] | None
    ground_changed: bool
    """The folder itself is not as it was at the start."""
    why: str | None
    """Why its change is not known."""
    steps: Count | None
    seconds: Amount | None
    conversation: Conversation


class Attempts(TypedDict):
    group: str
    verify: str
    """The command."""
    attempts: list[Attempt]


class Group(TypedDict):
    group: str
    attempts: Count
    began: str | None
    verify: str
    title: str
    ids: list[str]


class Groups(TypedDict):
    groups: list[Group]
    """The newest first."""


class Accepted(TypedDict):
    attempt: Number
    commit: str | None
    """Of its branch."""
    patch: str | None
    """The file."""


class Started(TypedDict):
    group: str
    attempts: list[Conversation]

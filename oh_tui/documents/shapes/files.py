"""The documents of changed files."""

from __future__ import annotations

from typing import Literal, TypedDict

from oh_tui.documents.shapes.common import Churn, Count, Number, StepNumber


class GitNow(TypedDict):
    step: StepNumber
    """The step whose edit left the last version."""
    same: bool
    """But for the last newline."""
    diff: str
    """The lines that differ, from that version to git's."""


class ChangedFile(Churn):
    path: str
    sub_agent: str | None
    """The path of the sub-agent that changed it, such as 12; steps are that one's then."""
    reads: Count | None
    edits: Count | None
    added: Count | None
    removed: Count | None
    created: bool | None
    deleted: bool | None
    whole: bool | None
    last_step: Count | None
    steps: list[Count] | None
    git: str | None
    git_now: GitNow | None
    """Git's text of the file now, beside the last version; null where they were not compared: a
    sandbox that does not run, a file that git or the run does not know, beyond the first 20
    files."""
    patch: str | None
    """M, A, D or R in the patch that the run handed in; null if it is not in it."""


class PatchedFile(TypedDict):
    path: str
    letter: str
    """M, A, D or R."""
    added: Count
    removed: Count


class CommittedFile(TypedDict):
    path: str
    letter: str


class Commit(TypedDict):
    sha: str
    subject: str
    time: str | None
    files: list[CommittedFile]


class Changes(Churn):
    changed: Count
    """Files that the run changed itself, without its sub-agents."""
    added: Count
    """Lines, of the run itself."""
    removed: Count
    """Lines, of the run itself."""
    server_files: Count | None
    """The server's own files that git lists beside these, and that are left out here: its log, its
    commands, its events; null where git could not be asked."""
    files: list[ChangedFile]
    only_read: list[str]
    patch: list[PatchedFile] | None
    """The files of the patch that the run handed in, as an evaluation keeps it."""
    note: str
    commits: list[Commit]
    """What was committed where the agent works since the run began, the newest first; empty where
    the server cannot tell."""


class FileAt(TypedDict):
    path: str
    exists: bool | None
    certain: bool
    state: str
    """Such as: as of step 18; 4 commands since may have changed it."""
    since: list[StepNumber]
    """The steps that may have changed it since its last edit."""
    added: Count | None
    """Lines since the run began; null if a text is not known."""
    removed: Count | None
    created: bool
    steps: list[StepNumber]
    """Those that edited it."""


class ChangesAt(TypedDict):
    at: str
    changed: Count
    """Files edited by then."""
    added: Count
    removed: Count
    files: list[FileAt]
    note: str


class BlamedLine(TypedDict):
    line: Number
    step: StepNumber | None
    """The step that wrote it; null for another origin."""
    origin: Literal["edit", "before", "elsewhere"]
    text: str


class Blame(TypedDict):
    path: str
    at: str | None
    """The step that was named; null for the end of the run."""
    certain: bool
    """The file was so."""
    state: str
    lines: list[BlamedLine]


class CheckedOutFile(TypedDict):
    path: str
    name: str | None
    """Below the folder; null if it was not written."""
    certain: bool
    """What is written is what was there."""
    state: str


class Checkout(TypedDict):
    folder: str
    at: str | None
    """The step that was named; null for the end of the run."""
    files: list[CheckedOutFile]


class DownloadedFile(TypedDict):
    id: str
    path: str
    bytes: Count


class Download(TypedDict):
    files: list[DownloadedFile]


class MovedFile(TypedDict):
    id: str
    path: str | None
    """In the sandbox."""
    local: str
    """On this machine."""
    bytes: Count

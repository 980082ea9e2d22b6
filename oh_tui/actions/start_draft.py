"""The draft of a conversation to start: its fields, what they had before, and the request of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from oh_tui.actions.worktrees import WORKTREES
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.api.requests import LONGEST_TITLE, StartRequest
from oh_tui.catalog.links import read_repository
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret, safe, safe_line
from oh_tui.trajectory.findings.sub_agents import first_message
from oh_tui.trajectory.model.trajectory import Trajectory

MODES = ("act", "plan")
"""What an agent does: the task itself, or a plan for it."""


class Draft(msgspec.Struct, frozen=True):
    prompt: str = ""
    repository: str = ""
    branch: str = ""
    title: str = ""
    model: str = ""
    profile: str = ""
    mode: str = ""
    secrets: str = ""
    """Names of variables of this process."""
    folder: str = ""
    worktree: str = ""
    """yes, head or no."""
    times: str = ""
    """How often it is tried, each time in a place of its own."""
    verify: str = ""
    """The command that tells whether an attempt has done its task."""
    task: SuggestedTask | None = None
    """A task of the server, which writes the prompt where there is none."""

    @property
    def count(self) -> int:
        """0 where that is no number."""
        times = self.times.strip() or "1"
        return int(times) if times.isdecimal() and len(times) < 3 else 0

    @property
    def repository_read(self) -> str:
        """The repository as `owner/name`, "" if the field names none."""
        return read_repository(self.repository)[0]


class Invalid(Problem):
    def __init__(self, field: str, sentence: str, hint: str = "") -> None:
        super().__init__(sentence, hint)
        self.field = field


class Choices(msgspec.Struct, frozen=True):
    """Suggestions from earlier conversations, the newest first."""

    repositories: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    branches: dict[str, tuple[str, ...]] = {}
    """Repository -> its branches."""
    providers: dict[str, str] = {}
    """Repository -> its provider, if known."""

    def provider_of(self, repository: str) -> str:
        """The provider of a repository, by default that of the last conversation; "" if unknown."""
        return self.providers.get(repository) or next(iter(self.providers.values()), "")

    def used(self, field: str, draft: Draft) -> Sequence[str]:
        match field:
            case "repository":
                return self.repositories
            case "branch":
                return self.branches.get(draft.repository_read, ())
            case "model":
                return self.models
        return ()


def choices(conversations: Iterable[Conversation]) -> Choices:
    branches: dict[str, dict[str, None]] = {}
    models: dict[str, None] = {}
    providers: dict[str, str] = {}
    for conversation in conversations:
        if model := safe_line(conversation.llm_model or ""):
            models.setdefault(model)
        repository = read_repository(conversation.selected_repository or "")[0]
        if not repository:
            continue
        used = branches.setdefault(repository, {})
        if branch := safe_line(conversation.selected_branch or ""):
            used.setdefault(branch)
        if conversation.git_provider:
            providers.setdefault(repository, conversation.git_provider)
    return Choices(
        tuple(branches),
        tuple(models),
        {repository: tuple(used) for repository, used in branches.items()},
        providers,
    )


def draft_like(conversation: Conversation, trajectory: Trajectory | None) -> Draft:
    """A draft to start anew what was started. Only a whole run tells the first message."""
    is_whole = trajectory is not None and trajectory.complete
    return Draft(
        safe(first_message(trajectory)) if trajectory and is_whole else "",
        read_repository(conversation.selected_repository or "")[0],
        safe_line(conversation.selected_branch or ""),
        model=safe_line(conversation.llm_model or ""),
    )


def has_prompt(task: SuggestedTask) -> bool:
    """Whether the server has a prompt for a task (source, app server 1.11.0)."""
    return task.task_type != "OPEN_PR"


def request_for(
    draft: Draft, known: Choices, environment: Mapping[str, str] = os.environ
) -> StartRequest:
    """The request of a draft. Raises Invalid with the field to correct."""
    # lone surrogates, which a paste may contain, cannot be sent
    prompt = draft.prompt.encode("utf-8", "replace").decode()
    task = None if prompt.strip() else draft.task
    if not prompt.strip() and not (task and has_prompt(task)):
        what = "There is no task" if task is None else "The server has no prompt for this task"
        raise Invalid("prompt", what, "write the task for the agent")
    if "\0" in prompt:
        raise Invalid("prompt", "The prompt holds binary data", "give it as text")
    typed, branch = draft.repository.strip(), draft.branch.strip()
    repository, provider = read_repository(typed)
    if typed and not repository:
        raise Invalid(
            "repository", "That is not a repository", "write owner/name, or the address of its page"
        )
    if task and repository and repository.lower() != task.repo.lower():
        what = f"The task is one of {safe_line(task.repo)}"
        raise Invalid("repository", what, "name that repository, or write the task yourself")
    if branch and not repository:
        raise Invalid(
            "repository", "A branch needs its repository", "name the repository too, or no branch"
        )
    for name, text in (("branch", branch), ("model", draft.model.strip())):
        if any(c.isspace() or not c.isprintable() for c in text):
            raise Invalid(name, f"A {name} has no spaces in its name", "take them out")
    title = clean_line(draft.title)
    if len(title) > LONGEST_TITLE:
        what = f"A title has at most {LONGEST_TITLE} characters, and this one {len(title):,}"
        raise Invalid("title", what, "shorten it")
    folder = draft.folder.strip()
    if not folder.isprintable():
        raise Invalid("folder", "That is not a folder", "write its path on the server")
    if draft.profile.strip() and draft.model.strip():
        raise Invalid("profile", "A profile has a model of its own", "name only one of them")
    if draft.profile.strip() and task:
        raise Invalid(
            "profile", "The server begins its own prompt with its active profile",
            "write the task in your own words, or name no profile",
        )  # fmt: skip
    worktree = draft.worktree.strip().lower()
    if worktree not in ("", "no", *WORKTREES):
        words = f"write no, {', '.join(WORKTREES)}"
        raise Invalid("worktree", "That does not say which worktree to make", words)
    if not draft.count:
        raise Invalid("times", "That is no number of attempts", "write 2 to 12, or nothing")
    if draft.count > 1 and not draft.verify.strip():
        what = "Attempts are told apart by a command that verifies them"
        raise Invalid("verify", what, "such as pytest -q")
    mode = draft.mode.strip().lower()
    if mode not in ("", *MODES):
        raise Invalid("mode", "The mode is not known", f"write {' or '.join(MODES)}")
    return StartRequest(
        message=prompt if task is None else "",
        selected_repository=repository or None,
        selected_branch=branch or None,
        git_provider=provider or known.providers.get(repository) or None,
        suggested_task=task,
        title=title or None,
        llm_model=draft.model.strip() or None,
        agent_type="plan" if mode == "plan" else None,
        secrets=_secrets(draft.secrets, environment) or None,
        profile=draft.profile.strip() or None,
        folder=folder or None,
        worktree=next((one for one in WORKTREES if one == worktree), None),
    )


def _secrets(names: str, environment: Mapping[str, str]) -> dict[str, Secret]:
    """The variables with these names, between spaces or commas."""
    found: dict[str, Secret] = {}
    for name in re.split(r"[\s,]+", names.strip()):
        if not name:
            continue
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name):
            raise Invalid("secrets", "A secret is named by a variable", "as in NPM_TOKEN")
        if not environment.get(name):
            raise Invalid(
                "secrets", f"There is no variable {name} here", "set it before oh-tui is started"
            )
        found[name] = Secret(environment[name])
    return found

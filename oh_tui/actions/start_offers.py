"""What a server offers for a new conversation: suggested tasks, and values for the fields of its
form. What was answered is kept, so that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oh_tui.actions.start_draft import MODES, Draft
from oh_tui.actions.worktrees import Ground, look
from oh_tui.api import app_server, bare_server
from oh_tui.api.errors import NotFound
from oh_tui.api.models import Page, Sandbox
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.catalog.links import is_repository
from oh_tui.conversation import Conversation
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked, safe_line

KINDS = {
    "OPEN_ISSUE": "open issue",
    "FAILING_CHECKS": "failing checks",
    "UNRESOLVED_COMMENTS": "open comments",
    "MERGE_CONFLICTS": "merge conflicts",
    "OPEN_PR": "open pull request",
}
"""Type of a suggested task -> what it is, in words."""


PAGE = 100
"""Rows that are asked for, and the most that are taken of an answer."""

LONGEST = 250
"""Characters of a name."""


class StartOffers:
    """What a server offers. Nothing is asked before `ask` is called."""

    fields: tuple[str, ...] = ()
    """Of the form on this kind of server."""

    def __init__(self) -> None:
        self._asked: set[tuple[str, ...]] = set()
        self.providers: dict[str, str] = {}
        """Repository -> its provider, of those found."""

    async def tasks(self, *, again: bool = False) -> Page[SuggestedTask]:
        """The first 100 tasks that the server suggests. Raises AuthError where it has no token of
        a git provider, Problem where it suggests none at all."""
        raise Problem("An agent server suggests no tasks", "write the task yourself")

    def names(self, field: str, draft: Draft) -> Sequence[str]:
        return ()

    def note(self, field: str, draft: Draft) -> str:
        """What else there is to say about a field; "" for nothing."""
        return ""

    def fits(self, field: str, draft: Draft) -> bool:
        """Whether a field has a meaning for the rest of the draft, as far as is known."""
        return field != "verify" or draft.count != 1

    def stakes(self, draft: Draft) -> str:
        """What a start of this draft does beyond what each does, in sentences."""
        return f"{draft.count} of them begin, each in a place of its own" * (draft.count > 1)

    def opened(self) -> None:
        """A form opens: what may have changed on the server is asked anew."""
        self._asked = {one for one in self._asked if one[0] != "folder"}

    def is_new(self, field: str, draft: Draft) -> bool:
        """Whether the server was not asked yet what fits this field of the draft."""
        question = _question(field, draft)
        # one answer may have told all branches of a repository
        return bool(question) and not {question, question[:2]} & self._asked

    def was_asked(self, field: str, draft: Draft) -> bool:
        return bool(_question(field, draft)) and not self.is_new(field, draft)

    async def ask(self, field: str, draft: Draft, provider: str = "") -> None:
        """Ask what fits a field, if that is new. The `provider` is asked first."""
        if self.is_new(field, draft):
            self._asked.add(await self._find(_question(field, draft), provider))

    async def _find(self, question: tuple[str, ...], provider: str) -> tuple[str, ...]:
        """Gives the question that is answered now, which may be a wider one."""
        return question


class AppServerOffers(StartOffers):
    fields = (
        "repository",
        "branch",
        "title",
        "model",
        "profile",
        "mode",
        "secrets",
        "times",
        "verify",
    )

    def __init__(self, api: app_server.AppServer) -> None:
        super().__init__()
        self._api = api
        self._tasks: Page[SuggestedTask] | None = None
        self._providers: tuple[str, ...] | None = None
        self._branches: dict[str, dict[str, None]] = {}
        self._main: dict[str, str] = {}
        """Repository -> its main branch."""
        self._models: dict[str, str] = {}
        """Profile -> its model."""
        self._active = ""
        self._secrets: tuple[str, ...] = ()

    async def tasks(self, *, again: bool = False) -> Page[SuggestedTask]:
        if self._tasks is None or again:
            page = await self._api.git.suggested_tasks(limit=PAGE)
            usable = [one for one in page.items if is_repository(one.repo)]
            page.unreadable += len(page.items) - len(usable)
            page.items = usable
            self._tasks = page
        return self._tasks

    def names(self, field: str, draft: Draft) -> Sequence[str]:
        match field:
            case "repository":
                return tuple(self.providers)
            case "branch":
                return tuple(self._branches.get(draft.repository_read, ()))
            case "model":
                return tuple(dict.fromkeys(filter(None, self._models.values())))
            case "profile":
                return tuple(self._models)
            case "mode":
                return MODES
        return ()

    def note(self, field: str, draft: Draft) -> str:
        if field == "secrets" and self._secrets:
            return f"the server adds its own: {', '.join(self._secrets)}"
        if field == "profile":
            name = draft.profile.strip() or self._active
            empty = "" if draft.profile.strip() else "empty: "
            model = self._models.get(name)
            return f"{empty}{name} ({model})" if model else ""
        main = self._main.get(draft.repository_read)
        if field == "branch" and main and not draft.branch:
            return f"empty: {main}"
        return ""

    async def _find(self, question: tuple[str, ...], provider: str) -> tuple[str, ...]:
        match question:
            case "repository", typed:
                await self._find_repositories(typed, provider)
            case "branch", repository, typed:
                if await self._find_branches(repository, typed, provider):
                    return question[:2]
            case ("profile",):
                kept = await self._api.llm_profiles()
                named = ((_plain(one.name), _plain(one.model)) for one in kept.profiles[:PAGE])
                self._models = {name: model for name, model in named if name}
                self._active = _plain(kept.active_profile)
            case ("secrets",):
                page = await self._api.search_secrets(limit=PAGE)
                self._secrets = tuple(safe_line(one.name) for one in page.items[:PAGE])
        return question

    async def _find_repositories(self, typed: str, provider: str) -> None:
        """A provider that has none leaves it to the next."""
        for one in await self._order(provider):
            page = await self._api.git.search_repositories(one, typed, limit=PAGE)
            for found in page.items[:PAGE]:
                if is_repository(found.full_name):
                    self.providers.setdefault(found.full_name, found.git_provider or one)
                    self._main[found.full_name] = _plain(found.main_branch)
            if page.items:
                return

    async def _find_branches(self, repository: str, typed: str, provider: str) -> bool:
        """Whether these are all branches of the repository."""
        (one, *_) = await self._order(provider)
        page = await self._api.git.search_branches(one, repository, typed, limit=PAGE)
        names = filter(None, (_plain(found.name) for found in page.items[:PAGE]))
        self._branches.setdefault(repository, {}).update(dict.fromkeys(names))
        return not typed and page.next_page_id is None

    async def _order(self, first: str) -> Sequence[str]:
        if self._providers is None:
            try:
                self._providers = tuple((await self._api.settings()).provider_tokens_set)
            except NotFound:  # nothing is set there
                self._providers = ()
        return tuple(dict.fromkeys(filter(None, (first, *self._providers)))) or ("github",)


class AgentServerOffers(StartOffers):
    fields = ("folder", "worktree", "title", "profile", "times", "verify")

    def __init__(self, api: bare_server.BareAgentServer) -> None:
        super().__init__()
        self._api = api
        self._profiles: tuple[str, ...] = ()
        self._active = ""
        self._grounds: dict[str, Ground] = {}
        """By folder."""

    def _ground(self, draft: Draft) -> Ground | None:
        """None where it was not asked."""
        return None if self.is_new("folder", draft) else self._grounds.get(draft.folder.strip())

    def names(self, field: str, draft: Draft) -> Sequence[str]:
        ground = self._ground(draft)
        if field == "worktree" and ground:
            return ("no", *ground.choices)
        return self._profiles if field == "profile" else ()

    def note(self, field: str, draft: Draft) -> str:
        ground = self._ground(draft)
        if field == "folder" and ground:
            at = f"git stands at {ground.at}"
            return at if ground.choices else f"no worktree: {ground.why_not}"
        return f"empty: {self._active}" if field == "profile" and self._active else ""

    def fits(self, field: str, draft: Draft) -> bool:
        ground = self._ground(draft)
        if field == "worktree":  # attempts have one each
            return bool(ground and ground.choices) and draft.count == 1
        return super().fits(field, draft)

    def stakes(self, draft: Draft) -> str:
        ground, wanted = self._ground(draft), draft.worktree.strip().lower()
        several = super().stakes(draft)
        if ground is None or not ground.choices:
            return several
        wanted = "head" if several else wanted
        told = (ground.words(one) for one in ground.choices if one == wanted)
        return ". ".join(filter(None, (several, *told)))

    async def _find(self, question: tuple[str, ...], provider: str) -> tuple[str, ...]:
        if question[0] == "folder":
            self._grounds[question[1]] = await look(self._api, question[1])
            return question
        found = await self._api.agent_profiles()
        self._profiles = tuple(filter(None, (_plain(one.name) for one in found.profiles[:PAGE])))
        active = (one.name for one in found.profiles if one.id == found.active_agent_profile_id)
        self._active = _plain(next(active, ""))
        return question


def _question(field: str, draft: Draft) -> tuple[str, ...]:
    """What the server is asked for a field of the draft; () for nothing."""
    match field:
        case "repository":
            return "repository", draft.repository.strip().lower()
        case "branch" if repository := draft.repository_read:
            return "branch", repository, draft.branch.strip()
        case "folder" | "worktree":
            return "folder", draft.folder.strip()
        case "model" | "profile":
            return ("profile",)
        case "secrets":
            return ("secrets",)
    return ()


def _plain(name: str | None) -> str:
    """A name that can be typed, shown and sent; "" for any other, and for a secret."""
    if not name or len(name) > LONGEST or not name.isprintable() or " " in name:
        return ""
    return name if masked(name) == name else ""


def kind_of(task: SuggestedTask) -> str:
    """What a task is; one that is not known in the words of the server."""
    kind = task.task_type or ""
    return KINDS.get(kind) or safe_line(kind[:20]).lower().replace("_", " ")


def named(task: SuggestedTask) -> str:
    return f"{safe_line(task.repo[:LONGEST])}#{task.issue_number}"


def grouped(tasks: Iterable[SuggestedTask]) -> list[SuggestedTask]:
    groups: dict[str, list[SuggestedTask]] = {}
    for task in tasks:
        groups.setdefault(task.repo, []).append(task)
    return [task for group in groups.values() for task in group]


def may_pause(sandboxes: Iterable[Sandbox], conversations: Iterable[Conversation]) -> str:
    """Which sandboxes a start may pause, the first to go first; "" where none runs."""
    up = sorted(
        (one for one in sandboxes if one.status == "RUNNING"), key=lambda one: one.created_at or ""
    )
    if not up:
        return ""
    titles: dict[str, str] = {}
    for one in conversations:
        titles.setdefault(one.sandbox_id or "", safe_line((one.title or "")[:LONGEST])[:40])
    names = [titles.get(one.id) or safe_line(one.id) for one in up[:3]]
    return (
        f"{plural(len(up), 'sandbox runs', 'sandboxes run')}; above its limit the server pauses "
        f"the oldest first: {', '.join(names)}"
    )

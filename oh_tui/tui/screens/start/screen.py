"""The form of `ctrl+n`: the task of a new conversation, where and how, and the stages of its start.

The form only asks and shows. A worker of the main screen carries out the start, so that leaving
the form stops nothing. What the server offers for a field is asked in a pause of typing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import var
from textual.widgets import Input

from oh_tui.actions.start_draft import Choices, Draft, Invalid, has_prompt, request_for
from oh_tui.actions.start_offers import StartOffers, kind_of, named
from oh_tui.api.errors import AuthError
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.api.requests import StartRequest
from oh_tui.text.human import clock
from oh_tui.text.problem import Problem
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.start.parts import Field, TaskScreen
from oh_tui.tui.screens.view import KeyLabels, View
from oh_tui.tui.widgets.drawing import Label, Labels, Piece, Rule, hands_of
from oh_tui.tui.widgets.editor import EARLY, Lines

MOST_SHOWN = 20
"""Values that fit, in the line below the fields."""

MOST_TOLD = 6
"""Lines of the message at most."""

PAUSE = 0.4
"""Seconds without a key after which the server is asked what fits."""

HINTS = {
    "repository": "owner/name; empty: an empty folder",
    "branch": "the repository's own main branch",
    "folder": "a path on the server; empty: workspace/project",
    "worktree": "yes; head: from where the folder stands; no: in the folder itself",
    "title": "the server makes its own after the first message",
    "model": "the server's own choice",
    "profile": "the one that is active on the server",
    "mode": "act; or plan: write a plan before anything is changed",
    "times": "once; 2 to 12: attempts, each in a worktree or sandbox of its own",
    "verify": "a command that tells whether an attempt passes, like pytest -q",
    "secrets": "names of variables of this shell, whose values the agent gets",
}
"""Name of a field -> what stands in it while it is empty."""


HAS_COMMITS = "The folder has commits: is the agent to work in a git worktree of its own? yes or no"


class StartScreen(View[None]):
    """The form. It calls `begin` with a request, and then is told stages, and the end."""

    DEFAULT_CSS = """
    StartScreen Horizontal { height: 1; width: 1fr; }
    StartScreen Horizontal Label { width: 14; height: 1; }
    StartScreen Field { width: 1fr; }
    StartScreen Labels { padding: 0 2; }
    """
    HELP_TITLE = "In a new conversation"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start", priority=True),
        Binding("tab", "app.focus_next", "next"),
        Binding("up,down", "app.focus_next", "choose", key_display="↑↓"),
        Binding("ctrl+t", "tasks", "tasks", tooltip="suggested tasks", priority=True),
        Binding("f4", "edit", "editor"),
    ]

    in_field = True

    starting: var[bool] = var(False)

    def __init__(
        self,
        draft: Draft,
        known: Choices,
        where: str,
        begin: Callable[[StartRequest], None],
        *,
        offers: StartOffers,
        stakes: str,
        edit: Callable[[str], str],
    ) -> None:
        """`stakes` is what starting does, then lines about it; `edit` gives the text as the user's
        editor left it."""
        super().__init__()
        self.first = draft
        self.known = known
        self.where = where
        self.begin = begin
        self.offers = offers
        self._stakes = stakes
        self._edit = edit
        self.suggested = draft.task if "repository" in offers.fields else None
        """The suggested task that the fields were filled with."""
        self.left = False
        """The form was left while the start went on."""
        self.finished = False
        self._began = 0.0
        self.stages: list[tuple[str, float]] = []
        """Each stage of the start, and the seconds after which it began."""
        self.message, self.is_wrong = "", False
        """What starting will do, or what is wrong with the fields."""
        self._refusals: dict[str, Problem] = {}
        """Name of a field -> why the server offers nothing for it."""

    def compose(self) -> ComposeResult:
        self.rule = Rule(id="start-rule")
        self.rule.heavy = True
        yield self.rule
        self.text = Lines(
            self.first.prompt, id="start-prompt", compact=True, highlight_cursor_line=False,
            show_cursor=False,
        )  # fmt: skip
        yield self.text
        yield Rule("Where and how, all of it optional", id="how-rule")
        self.fields = {
            name: Field(
                name,
                getattr(self.first, name),
                partial(self._suggested, name),
                HINTS[name],
                len(self.known.used(name, self.first)),
            )
            for name in self.offers.fields
        }
        self.labels = {name: Label((f"  {name}", "dim")) for name in self.fields}
        self.rows = {name: Horizontal(self.labels[name], self.fields[name]) for name in self.fields}
        yield from self.rows.values()
        self.offered, self.stage_lines, self.said = Labels(), Labels(), Labels()
        self.said.most = MOST_TOLD
        yield from (self.offered, self.stage_lines, self.said, self.footer)

    def on_mount(self) -> None:
        self.text.move_cursor(self.text.document.end)
        self._tick = self.set_interval(1.0, self._show_stages, pause=True)
        self.offers.opened()
        self._show_stakes()
        self._show_task()
        self.show_keys()

    @property
    def draft(self) -> Draft:
        filled: dict[str, Any] = {name: field.value for name, field in self.fields.items()}
        draft = Draft(self.text.text, task=self.suggested, **filled)
        hidden = {name: "" for name in filled if not self.offers.fits(name, draft)}
        return msgspec.structs.replace(draft, **hidden)

    def _show_stakes(self) -> None:
        """Show what the start will do, and the fields that have a meaning for it."""
        draft = self.draft
        first, *more = self._stakes.split("\n")
        first = ". ".join(filter(None, (first, self.offers.stakes(draft))))
        self._point_at("", "\n".join((first, *more)))
        for name, row in self.rows.items():
            row.display = self.offers.fits(name, draft)

    def _known(self) -> Choices:
        """With the providers of the repositories that were found."""
        task, found = self.suggested, self.offers.providers
        if task and task.git_provider:
            found = {**found, task.repo: task.git_provider}
        known = self.known.providers  # they come first, and count more
        return msgspec.structs.replace(self.known, providers={**known, **found, **known})

    # What the fields suggest

    def _suggested(self, name: str) -> Sequence[str]:
        """What was used before, then what the server offers."""
        draft = self.draft
        used = self.known.used(name, draft)
        return tuple(dict.fromkeys((*used, *self.offers.names(name, draft))))

    def _look_up(self) -> None:
        """Ask the server what fits the field that has the keys, if it offers anything for it, or
        about the folder, once typing pauses. What was asked before is dropped."""
        self.workers.cancel_group(self, "offers")
        self._show_offered()
        if self.starting:
            return
        focused = self.focused.name if isinstance(self.focused, Field) else None
        # the folder says which other fields there are, and who types fast leaves it at once
        for name in (focused or "", "folder"):
            refused = isinstance(self._refusals.get(name), AuthError)  # as it would be again
            if name in self.fields and not refused and self.offers.is_new(name, self.draft):
                self._ask(name)
                return

    @work(group="offers", exclusive=True)
    async def _ask(self, name: str, *, starts: bool = False) -> None:
        """Ask the server what fits a field; then start, if that waits for the answer."""
        await asyncio.sleep(0.0 if starts else PAUSE)
        field, draft = self.fields[name], self.draft
        self._refusals.pop(name, None)
        self._show_offered(asking=True)
        try:
            provider = self._known().provider_of(draft.repository_read)
            await self.offers.ask(name, draft, provider)
        except Problem as problem:
            self._refusals[name] = problem
        else:
            field.suggest_again()
        if name == "folder" and not self.is_wrong:
            self._show_stakes()
        self._show_offered()
        self.show_keys()
        if starts:
            self.action_start()

    def _show_offered(self, *, asking: bool = False) -> None:
        field = self.focused
        pieces: list[Piece] = []
        refusal: Problem | None = None
        if isinstance(field, Field):
            name, draft = field.name or "", self.draft
            refusal = self._refusals.get(name)
            fitting = field.matches()
            if note := "asking the server" if asking else self.offers.note(name, draft):
                pieces.append((f"{note}   ", "dim"))
            if len(fitting) > 1:
                pieces.append((f"{len(fitting):,} fit: ", "dim"))
            pieces += [(f"{word}  ", "") for word in fitting[:MOST_SHOWN]]
            if not pieces and field.value.strip() and self.offers.was_asked(name, draft):
                pieces.append(("the server finds nothing that fits", "dim"))
        self.offered.most = 2 if refusal else 1
        self.offered.lines = [[(words_of(refusal), "warn")] if refusal else pieces]

    # Suggested tasks

    def action_tasks(self) -> None:
        if self.starting:
            return
        self.app.push_screen(TaskScreen(self.offers, self.where), self._take)

    def _take(self, task: SuggestedTask | None) -> None:
        """Fill the form with a task. The server writes its prompt."""
        if task is None:
            return
        self.suggested = task
        self.fields["repository"].value = task.repo
        self.fields["branch"].value = ""
        self.set_focus(self.text)
        self._show_task()

    def _show_task(self) -> None:
        """The task stays as long as its repository does."""
        task = self.suggested
        if task and "repository" in self.fields and self.fields["repository"].value != task.repo:
            task = self.suggested = None
        self.rule.title = (("New conversation", "title"), (f"  {self.where}", "dim"))
        self.rule.facts, hint = (), "the task for the agent"
        if task:
            own = "  in your own words" if self.text.text.strip() else ""
            self.rule.facts = ((f"{named(task)}  {kind_of(task)}{own}", "mark"),)
            if has_prompt(task):
                hint = "empty: the server writes the prompt for this task"
        self.text.placeholder = hint

    # The editor of the user

    def action_edit(self) -> None:
        if self.starting:
            return
        try:
            self.text.text = self._edit(self.text.text)
        except Problem as problem:
            self._say(words_of(problem), wrong=True)
        self.text.move_cursor(self.text.document.end)

    # The start

    def action_start(self) -> None:
        if self.starting:
            return
        if hands_of(self).in_motion:
            self._say(EARLY, wrong=True)
            return
        try:
            draft = self.draft
            request = request_for(draft, self._known())
        except Invalid as wrong:
            self._point_at(wrong.field, words_of(wrong))
            return
        if "worktree" in self.fields and "folder" not in self._refusals:
            if self.offers.is_new("folder", draft):
                self._say("asking git on the server about the folder")
                self._ask("folder", starts=True)
                return
            if self.offers.fits("worktree", draft) and not draft.worktree.strip():
                self._point_at("worktree", HAS_COMMITS)
                return
        self._show_stakes()
        self.starting = True
        self._began = time.monotonic()
        self._tick.resume()
        self.show_stage("asking the server")
        self._say("")
        self.begin(request)

    def show_stage(self, what: str) -> None:
        if not self.stages or self.stages[-1][0] != what:
            self.stages.append((what, time.monotonic() - self._began))
        self._show_stages()

    def fail(self, problem: Problem) -> None:
        """The start failed; the fields keep what was typed."""
        self.starting = False
        self._tick.pause()
        self.stages.clear()
        self._show_stages()
        self._point_at("", words_of(problem), wrong=True)

    def finish(self) -> None:
        """The conversation runs; the text is not kept as a draft."""
        self.finished = True
        self.dismiss(None)

    def _show_stages(self) -> None:
        lines: list[tuple[Piece, ...]] = []
        sign, hue = (self.rule.glyphs.running, "mark"), ""
        end = time.monotonic() - self._began
        for stage, began in reversed(self.stages):
            took = f"{clock(end - began):>8}"
            lines.insert(0, (sign, (f" {stage:<28}", hue), (took, "dim")))
            sign, hue, end = (self.rule.glyphs.finished, "good"), "dim", began
        self.stage_lines.lines = tuple(lines)

    # Messages

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.message, self.is_wrong = text, wrong
        first, *more = text.split("\n")
        self.said.lines = [[(first, "bad" if wrong else "warn")], *([(one, "")] for one in more)]

    def _point_at(self, field: str, text: str, *, wrong: bool = False) -> None:
        self._say(text, wrong=wrong or bool(field))
        for name, label in self.labels.items():
            label.pieces = ((f"  {name}", "bad" if name == field else "dim"),)
        if field:
            self.set_focus(self.fields.get(field, self.text))

    @on(Lines.Changed)
    @on(Input.Changed)
    def _edited(self) -> None:
        if not self.is_mounted or self.starting:
            return
        self._show_stakes()
        self._show_task()
        self._look_up()

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()

    def watch_starting(self) -> None:
        if self.is_mounted:
            self.text.read_only = self.starting
            for field in self.fields.values():
                field.disabled = self.starting
            if self.starting:
                self.set_focus(self.text)
            self.show_keys()

    def show_keys(self) -> None:
        self.esc = "leave it running" if self.starting else "keep draft"
        super().show_keys()

    def key_labels(self) -> KeyLabels | None:
        field = self.focused
        choose = isinstance(field, Field) and field.known()
        return None if self.starting else {"choose": choose, "tasks": "repository" in self.fields}

    def on_descendant_focus(self) -> None:
        self._look_up()

    def action_back(self) -> None:
        self.leave()

    def leave(self) -> str:
        self.left = True
        return super().leave()

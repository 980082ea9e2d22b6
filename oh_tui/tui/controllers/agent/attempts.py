"""The attempts at one task: verify, compare and accept them in their view, drop one."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.actions.attempt_rows import Attempt, AttemptRow, Row, attempt_of, groups_of, lost_words
from oh_tui.actions.attempts import Attempts, identity
from oh_tui.batch.index_snapshot import IndexSnapshot
from oh_tui.library.library import columns_of
from oh_tui.settings.paths import tilde
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import ListsChanged, ListsWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.screens.acting import OpensView
from oh_tui.tui.screens.attempts import AttemptsScreen
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake, letters

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.controllers.run.reports import Comparisons
    from oh_tui.tui.widgets.drawing import Piece


def attempts_on(source: Source | None) -> Attempts:
    """Raises NotNow where no agents are."""
    if source is None or not (source.agents and source.records and source.workspaces):
        raise NotNow("attempts are conversations on a server")
    return Attempts(source.agents, source.records, source.workspaces)


class AttemptActions(OpensView[AttemptsScreen], Controller):
    _way_back: WayBack
    _comparisons: Comparisons

    def _meant_group(self) -> list[Attempt]:
        """That of the run that a key means, else the one that began last. Raises NotNow."""
        groups, target = groups_of(self._session.conversations), self._session.target()
        if not groups:
            raise NotNow("no conversation of the list is an attempt: ctrl+n starts several")
        meant = attempt_of(target) if target else None
        return groups[meant.group if meant else next(iter(groups))]

    def _on(self, conversation: Conversation) -> Attempts:
        """Those that may be changed. Raises NotNow."""
        if why := self._session.no_change_of(conversation):
            raise NotNow(why)
        return attempts_on(self._session.holder(conversation))

    # The view

    def action_open(self) -> None:
        self.show(self._meant_group()[0].group)

    def show(self, group: str, under: int = 0) -> None:
        """The cursor begins `under` the attempt with this number."""
        self.push(AttemptsScreen(self._ui, group, under))
        self.action_read()

    def action_read(self) -> None:
        if self.view:
            self._ui.work_on("attempts", self._read, self.view, instead=True)

    async def _read(self, view: AttemptsScreen) -> None:
        """Its conversations as they are now, and what each has changed."""
        session, source = self._session, self._session.source
        known = groups_of(session.conversations).get(view.group, [])
        try:
            found = await source.get([one.conversation.id for one in known]) if source else []
            now = [one for one in found if one]
            session.loaded.take(now)
            self._ui.post_message(ListsChanged())
            attempts = groups_of(now).get(view.group, [])
            holder = session.holder(attempts[0].conversation) if attempts else None
            if holder is None:
                raise NotNow("none of these attempts is there any more")
            rows = await attempts_on(holder).rows(attempts)
            view.show(await asyncio.to_thread(self._shown, holder, rows))
        except (Problem, NotNow) as why:
            told = words_of(why) if isinstance(why, Problem) else str(why)
            view.list.empty = told, "r asks again"
            self._ui.tell(told)

    def _shown(self, holder: Source, rows: list[Row]) -> list[AttemptRow]:
        """With what the list and the index know of their runs."""
        runs = [row.attempt.conversation for row in rows]
        with IndexSnapshot(self._session.settings.library_folder, holder) as index:
            found = index.as_now(runs, columns_of("runs", ("steps", "work_s")))
            indexed = [found.get(index.place(run), [(None, None)])[0] for run in runs]
        listed = [self._session.loaded.row(run.id) for run in runs]
        ended = [one.status.value if one else "" for one in listed]
        costs = [one.conversation.cost if one else None for one in listed]
        every = zip(rows, ended, costs, indexed, strict=True)
        return [AttemptRow(row, end, cost, *known) for row, end, cost, known in every]

    def action_open_run(self) -> None:
        if self.row:
            attempt: Attempt = self.row.row.attempt
            self.leave()
            again = partial(self.show, attempt.group, attempt.number)
            self._way_back.open(attempt.conversation, again)

    def action_compare(self) -> None:
        if self.view and not self.view.compared:
            raise NotNow("nothing to compare: space marks one")
        if self.view:
            self._comparisons.compare([one.attempt.conversation for one in self.view.compared])

    @in_worker("verify", opens=False)
    async def action_verify(self) -> None:
        """Run its command, and tell what it printed last, wherever the user is by then."""
        view, one = self.view, self.row
        if view is None or one is None:
            return
        attempt: Attempt = one.row.attempt
        about, name = attempt.conversation.id, f"attempt {attempt.number}: "
        self._ui.tell(f"{name}{safe_line(attempt.verify, 80)} runs")
        with (
            self._ui.reporting(about=f"verify {about}"),
            self._session.writes.doing("verifying an attempt", about),
        ):
            try:
                row = await self._on(attempt.conversation).verify(one.row)
            except Problem as problem:
                raise Problem(f"{name}{problem.sentence}", problem.hint) from problem
            last = row.verified.output.strip().rpartition("\n")[2] if row.verified else ""
            self._ui.tell(f"{name}{row.verify_words}  {safe_line(last, 120)}".strip())
            if view.is_attached:
                rows = view.list.rows
                view.show([now._replace(row=row) if now == one else now for now in rows])
            self._ui.post_message(ListsWanted())

    # Acts

    @in_worker("write")
    async def action_accept(self) -> None:
        if self.row is None:
            return
        row: Row = self.row.row
        attempt, change, number = row.attempt, row.change, row.attempt.number
        attempts = self._on(attempt.conversation)
        if change is None or not change.files:
            raise NotNow(row.why or "it has changed nothing")
        path = self._session.settings.download_folder / f"attempt-{attempt.group}-{number}.patch"
        branch, file = safe_line(change.branch, 80), tilde(path.absolute(), os.environ)
        lines: list[list[Piece]] = [[(f"{change.words}, verify: {row.verify_words}", "")]]
        if change.tests:
            lines.append([(f"It has changed {plural(len(change.tests), 'file')} of tests", "warn")])
        answers = [Answer(f"patch in {file}", "patch", "p")]
        if branch:
            answers.insert(0, Answer(f"commit on {branch}", "commit", "c"))
        question = Question(f"Accept attempt {number}", lines, answers, "neither", Stake.WORK)
        if not (chosen := await self._ui.ask(question)):
            return
        doing = self._session.writes.doing("accepting an attempt", attempt.conversation.id)
        with self._ui.reporting(), doing:
            if chosen == "commit":
                head = await attempts.accept(row, *await identity())
                self._ui.tell(f"attempt {number} is {head[:10]} on {branch}")
            else:
                size = await attempts.patch(row, path)
                self._ui.tell(f"attempt {number}: {plural(size, 'byte')} in {file}")
        self.action_read()

    @in_worker("write")
    async def action_drop(self) -> None:
        """Ask which of the group, and say what of each is lost."""
        group = self._meant_group()
        attempts = self._on(group[0].conversation)
        with self._ui.reporting():
            with self._ui.preparing("asking what each has changed"):
                rows = await attempts.rows(group)
            lost = {str(one.attempt.number): lost_words(one) for one in rows}
            keyed = zip(lost, letters([*lost]), strict=True)
            answers = [Answer(f"drop {name}", name, key) for name, key in keyed]
            lines = [[(f"{name}  ", "key"), (words, "warn")] for name, words in lost.items()]
            title = f"Drop an attempt: {group[0].task}"
            chosen = await self._ui.ask(Question(title, lines, answers, "cancel", Stake.FINAL))
            for one in group:
                if str(one.number) == chosen:
                    (now,) = await attempts.rows([one])
                    if lost_words(now) != lost[chosen]:
                        raise NotNow("nothing was dropped: it has changed since it was shown")
                    with self._session.writes.doing("dropping an attempt", one.conversation.id):
                        await attempts.drop(one)
                    self._ui.tell(f"attempt {chosen} is dropped")
                    self._ui.post_message(ListsWanted())

"""`b`, `'`, `;` and `#`: bookmarks and notes on steps, notes and tags on runs, and taking the last
one back; another title for a conversation, on its server."""

from __future__ import annotations

import time
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from oh_tui.catalog.tags import applied, complete, fits_server, of_people, read_tags, tag_words
from oh_tui.catalog.user_annotations import LONGEST_NOTE, RunAnnotations
from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.keyboard import shown_keys
from oh_tui.text.display import cached_line
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import AnnotationsChanged, ListsChanged, ListsWanted
from oh_tui.tui.remedies import words_of
from oh_tui.tui.state.loaded_runs import beside_words
from oh_tui.tui.state.work import OwnChange
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import editor as editing
from oh_tui.tui.widgets.drawing import shorten
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oh_tui.actions.conversation_records import Records
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.filter import Filter
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.timeline import Timeline


class AnnotationActions(Controller):
    _steps: Timeline
    _run: TargetRun
    _filter: Filter
    _controllers: Controllers

    # Bookmarks

    def action_bookmark(self) -> None:
        if self._in_lists:
            self._ui.tell("b bookmarks a step: enter goes to the steps")
        else:
            self._run.act(self._bookmark)

    def _bookmark(self) -> None:
        conversation, step = self._session.current, self._step()
        if conversation is None:
            return
        kept = self._session.annotations
        before = kept.of(conversation)
        is_new = step.event.id not in before.bookmarks
        with self._ui.reporting(about="bookmark"):
            kept.bookmark(conversation, step.event.id, on=is_new)
            told = f"step {self._name(step)} bookmarked" if is_new else "bookmark removed"
            self._changed(told, conversation, before)

    def _step(self) -> Step:
        """The step under the cursor. Raises NotNow."""
        current = self._steps.current
        if current is None:
            raise NotNow("there is no step here")
        if current[0] is None:
            raise NotNow("this event is not part of a step: x shows steps only")
        return current[0]

    def _name(self, step: Step) -> str:
        """Its number, where that is final."""
        whole = self._steps.trajectory is not None and self._steps.trajectory.complete
        return self._steps.label_of(step) if whole else ""

    def action_next_bookmark(self) -> None:
        self._run.act(self._next_bookmark)

    def _next_bookmark(self) -> None:
        """Go to the next bookmark; after the last one to the first."""
        session, ui, steps = self._session, self._ui, self._steps
        trajectory, conversation = steps.trajectory, session.current
        kept = session.annotations.of(conversation).bookmarks if conversation else ()
        found = [trajectory.step_of(one) for one in kept] if trajectory else []
        numbers = sorted(step.number for step in found if step)
        more = beside_words(session.run.beside(kept)) if session.run else ""
        if not numbers:
            unread = self._filter.unread() if kept else ""
            unread = unread or (f" on this branch, {more}" if more else ": b bookmarks a step")
            ui.tell(f"no bookmark{unread}", remark=True)
            return
        more = f", {more}" if more else ""
        self._controllers.way_back.leave()
        here = steps.step_here
        after = (number for number in numbers if number > here)
        again = (number for number in numbers if number <= here)
        for number in chain(after, again):
            if steps.go_to_step(number):
                if number == here:
                    only = len(numbers) == 1
                    told = "the only bookmark" if only else "the filter hides the other bookmarks"
                    ui.tell(told + more, remark=True)
                elif number < here:
                    ui.tell(f"wrapped to the first bookmark{more}", remark=True)
                return
        ui.tell("the filter hides the bookmarks: esc shows all steps", remark=True)

    # Notes

    def action_note(self) -> None:
        """Write the note on the step under the cursor, in the lists that on the run."""
        if not self._in_lists:
            self._run.act(self._note_step, opens=True)
        elif conversation := self._session.target():
            title = short_title(conversation)
            self._ui.work_on("write", self.write_note, conversation, "", title)
        else:
            self._ui.tell(self._session.no_target)

    def _note_step(self) -> None:
        conversation, step = self._session.current, self._step()
        if conversation:
            what = f"step {self._name(step)}".strip()
            self._ui.work_on("write", self.write_note, conversation, step.event.id, what)

    async def write_note(self, conversation: Conversation, event_id: str, what: str) -> None:
        session, ui = self._session, self._ui
        if ui.focus_editor():
            return
        kept = session.annotations.of(conversation)
        before = kept.step_notes.get(event_id, "") if event_id else kept.note
        place = bare_id(conversation.id), event_id
        text, is_wanted, refused = session.note_drafts.pop(place, before), True, ""
        while is_wanted:
            editor = editing.Editor(
                ((f"Note on {what}", "title"),), ((refused, "warn"),), text=text,
                hint=f"private, on this machine{session.annotations.for_now}", send="save",
            )  # fmt: skip
            with session.writes.doing("writing a note"):
                text, is_wanted = await ui.write_text(editor)
            if not is_wanted:
                break
            try:
                session.annotations.write_note(conversation, text, event_id)
            except Problem as problem:
                refused = words_of(problem)
                continue
            told = "note saved" if text.strip() else "note removed" if before else "no note"
            self._changed(told, conversation, kept)
            return
        if text.strip() and text.strip() != before:
            session.note_drafts[place] = text
            ui.tell("draft kept: ; continues it")

    def add_to_note(self, conversation: Conversation, text: str) -> str:
        """Add a text to the note on a run; says what came of it."""
        kept = self._session.annotations
        before = kept.of(conversation)
        note = f"{before.note}\n\n{text}".strip()
        cut = "" if len(note) <= LONGEST_NOTE else f", cut to {LONGEST_NOTE:,} characters"
        kept.write_note(conversation, note[:LONGEST_NOTE])
        told = f"added to the note on the run{cut}"
        self._changed(told, conversation, before)
        return told

    # Tags

    @in_worker("ask")
    async def action_tag(self) -> None:
        session, conversation = self._session, self._meant()

        before = session.annotations.of(conversation)

        async def take(typed: str) -> dict[str, str | None]:
            nonlocal before
            before = session.annotations.of(conversation)
            if changes := read_tags(typed):
                session.annotations.tag(conversation, changes)
            return changes

        words = " ".join(tag_words(session.annotations.of(conversation).tags))
        title = f"Tag {short_title(conversation)}"
        if words:
            room = max(0, self._ui.columns - len(title) - 8)
            title = f"{title}: {shorten(words, room)}"
        runs = session.annotations.runs.values()
        known = sorted({word for run in runs for word in tag_words(run.tags)})

        async def completed(typed: str) -> str | None:
            return complete(typed, known)

        changes = await self._ui.prompt_until(
            take, "key, key:value, -key removes", "",
            enter="tag", title=title, pane=session.pane, complete=completed,
        )  # fmt: skip
        if not changes:
            return
        words = " ".join(tag_words(session.annotations.of(conversation).tags))
        told = f"tags: {words}" if words else "no tags"
        self._changed(told, conversation, before)
        changes = self._for_server(conversation, changes)
        if changes and not await self._offer(conversation, changes):
            self._tell_kept(told)  # the question stood over it

    # Tags on the server

    def _for_server(
        self, conversation: Conversation, changes: Mapping[str, str | None]
    ) -> dict[str, str | None]:
        """The changes that the conversation's agent server can take, if it runs."""
        session = self._session
        is_up = session.source and session.source.records and conversation.conversation_url
        if not is_up or session.no_change_of(conversation):
            return {}
        held = conversation.tags or {}
        return {
            key: value
            for key, value in changes.items()
            if fits_server(key) and (held.get(key) if value is None else held.get(key) != value)
        }

    async def _offer(self, conversation: Conversation, changes: Mapping[str, str | None]) -> bool:
        """Ask whether to write tags to the agent server too; False for here alone."""
        source = self._session.source
        told = " ".join((*tag_words(applied({}, changes)), *(f"-{k}" for k in _taken(changes))))
        here = f"On this machine{self._session.annotations.for_now}: {told}."
        kept = f"{here} The server can keep tags for everyone."
        lines = [[(kept, "")], [("The conversation then counts as changed now.", "dim")]]
        if conversation.execution_status == "running":
            works = "The agent is working: the tags are written when its step ends."
            lines.append([(works, "dim")])
        answers = (Answer("write it to the server too", "yes"),)
        if not await self._ui.ask(Question("Tags", lines, answers, "only here")):
            return False
        records = source.holder(conversation).records if source else None
        if records is not None and source is self._session.source:
            self._ui.work_on("write", self._write_there, records, conversation, changes)
        return True

    async def _write_there(
        self, records: Records, conversation: Conversation, changes: Mapping[str, str | None]
    ) -> None:
        with self._ui.reporting(), self._session.writes.doing("writing tags", conversation.id):
            held = await records.tag(conversation, changes)
            self._session.own_change = None  # all who use the server have it now
            more = ", whose list may still show it" if any(_taken(changes)) else ""
            self._ui.tell(
                f"tags on the server{more}: {' '.join(tag_words(of_people(held))) or 'none'}"
            )
            self._ui.post_message(ListsWanted())

    # After a change

    @property
    def _in_lists(self) -> bool:
        return not self._session.in_run

    def _changed(self, told: str, conversation: Conversation, before: RunAnnotations) -> None:
        session, after = self._session, self._session.annotations.of(conversation)
        if after != before:
            take_back = partial(self._take_back, conversation, before, after)
            session.own_change = OwnChange(told, take_back)
        self._save(told)

    def _save(self, told: str) -> None:
        self._tell_kept(told)
        self._ui.post_message(AnnotationsChanged())
        self._ui.work_on("keep", self.save_annotations)

    def _tell_kept(self, told: str) -> None:
        key = shown_keys(self._session.settings.config.keys.get("undo", "backspace"))
        undo = f" · {key} takes it back" if self._session.own_change else ""
        self._ui.tell(f"{told}{self._session.annotations.for_now}{undo}")

    def action_undo(self) -> None:
        """Take the last tag, note, bookmark or mark back, once."""
        change, self._session.own_change = self._session.own_change, None
        if change is None:
            raise NotNow("nothing of yours to take back: tags, notes, bookmarks and marks can be")
        with self._ui.reporting(about="undo"):
            change.take_back()
            self._save(f"taken back: {change.what}")

    def _take_back(
        self, conversation: Conversation, before: RunAnnotations, after: RunAnnotations
    ) -> None:
        kept = self._session.annotations
        if kept.of(conversation) != after:
            raise NotNow("it was changed again since: nothing is taken back")
        kept.restore(conversation, before)


def _taken(changes: Mapping[str, str | None]) -> list[str]:
    return [key for key, value in changes.items() if value is None]


class Renaming(Controller):
    @in_worker("write")
    async def action_rename(self) -> None:
        """Ask for a title until the server takes it; one that changed meanwhile is refused."""
        session, ui, source = self._session, self._ui, self._session.source
        conversation = self._meant()
        if source is None or source.records is None:
            what = "what a shared link opens" if source and source.remote else "a file"
            raise NotNow(f"{what} cannot be renamed from here: ; writes a note, # a tag")
        if session.settings.of(conversation.server).read_only:
            raise NotNow(session.no_change_of(conversation))
        records = source.holder(conversation).records
        assert records is not None
        before = cached_line(conversation.title)

        async def take(typed: str) -> Conversation | None:
            if typed.strip() == before:
                return None
            with session.writes.doing("renaming a conversation", conversation.id):
                return await records.rename(conversation, typed)

        hint, title = "the title, for all who see the conversation", "Rename on the server"
        renamed = await ui.prompt_until(
            take, hint, before, enter="rename", title=title, pane=session.pane
        )
        if renamed is None or session.source is not source:
            return
        session.loaded.settled(renamed, time.monotonic())
        ui.post_message(ListsChanged())
        ui.tell(f"renamed: {cached_line(renamed.title)}")

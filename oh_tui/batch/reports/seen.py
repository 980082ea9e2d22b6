"""What explorer and commands saw of conversations, and how a run that was read stands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping

from oh_tui.batch import indexed_outcome
from oh_tui.batch.reports.reader import Reader
from oh_tui.catalog import silence
from oh_tui.catalog.run_status import STATUSES, RunStatus, is_current, reported_status, updated
from oh_tui.catalog.silence import Silence, Standing
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.usage_cache import spent_of, with_spent
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source, last_known_states
from oh_tui.text.human import stamp
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory

ANSWER = 5.0
"""Seconds within which an agent server must tell the end of a run that may be silent."""


class Seen:
    """What explorer and commands saw of the conversations of a source: servers report no
    status of those whose sandbox is away, and only a part of their costs."""

    def __init__(self, reader: Reader) -> None:
        source, settings = reader.source, reader.settings
        self.states = last_known_states(source, settings.last_known_file)
        self._outcomes = indexed_outcome.IndexedOutcomes(settings.library_folder, source)
        self._looked_up: set[str] = set()
        self._source = source
        self._silent_after = 60 * settings.config.silent_after

    @property
    def known(self) -> Mapping[str, LastKnown]:
        return self.states.known

    def of(self, conversation: Conversation) -> LastKnown:
        """What is known of a conversation; asks index and cache once if nobody saw it so."""
        identifier = bare_id(conversation.id)
        known = self.states.get(identifier)
        if identifier not in self._looked_up and indexed_outcome.is_wanted(conversation, known):
            self._looked_up.add(identifier)
            word, spent = self._outcomes(conversation)
            if not is_current(conversation, known):
                self.record(conversation, word)
            if spent:
                self.states.record_spent(identifier, spent)
        return self.states.get(identifier)

    def record(self, conversation: Conversation, word: str = "") -> None:
        """Records the status that the server reports, else this one, which its run has."""
        status = reported_status(conversation) or STATUSES.get(word, RunStatus.UNKNOWN)
        if status not in (RunStatus.UNKNOWN, RunStatus.STARTING, RunStatus.IDLE):
            self.states.record_outcome(bare_id(conversation.id), status, updated(conversation))

    async def find_silent(self, conversations: Iterable[Conversation]) -> None:
        """Looks into the runs that work and whose records have not changed for long, in one call
        each, all at once. One whose server does not answer is not known to be silent."""
        after = self._silent_after
        working = [
            one for one in conversations if silence.may_be(one, _now(self._source, one), after)
        ]
        found = await asyncio.gather(*map(self.end_of, working))
        for one, run in zip(working, found, strict=True):
            self.record(one)  # it would forget the silence of another status
            since = silence.since(run, _now(self._source, one), after) if run else None
            self.states.record_silent(bare_id(one.id), since)

    async def end_of(self, conversation: Conversation) -> Trajectory | None:
        """In one call; None where its server does not tell."""
        with contextlib.suppress(Problem, TimeoutError):
            async with asyncio.timeout(ANSWER):
                return await self._source.runs.peek(conversation)
        return None

    def save(self) -> None:
        self.states.save()


def as_read(reader: Reader, conversation: Conversation, study: Study) -> Conversation:
    """The conversation with what its run took on all branches, which is kept of one on a server.
    That of a file is in its opened file, which has more than its row in the list."""
    source, accounts, sub_runs = reader.source, study.whole.accounts, study.whole.sub_runs
    if isinstance(source, FileSource):
        opened = source.runs.rows.get(conversation.id, conversation)
        return with_spent(opened, spent_of(accounts, sub_runs))
    seen = Seen(reader)
    if (spent := spent_of(accounts)) and conversation.execution_status != "running":
        seen.states.record_spent(bare_id(conversation.id), spent)
    seen.states.record_goal(bare_id(conversation.id), study.verdict.goal_word)
    seen.save()
    return with_spent(conversation, spent)


def standing(reader: Reader, conversation: Conversation, study: Study) -> Standing:
    verdict, run, box = study.verdict, study.trajectory, conversation.sandbox_status
    if isinstance(reader.source, FileSource):
        return Standing(verdict)
    now = _now(reader.source, conversation)
    heard = silence.since(run, now, 60 * reader.settings.config.silent_after)
    if heard is None or conversation.execution_status != "running":
        return Standing(silence.judged(verdict, run, box, None))
    about = silence.sandbox_words(conversation, None, heard)
    helps = f"oh-tui stop {reader.about or 'ID'} stops it"
    silent = Silence(stamp(int(heard)), helps, about)
    return Standing(silence.judged(verdict, run, box, silent), heard)


def _now(source: Source, conversation: Conversation) -> float:
    remote = source.holder(conversation).remote
    return remote.now(silence.clock()) if remote else silence.clock()


def last_known(reader: Reader, conversation: Conversation, now: Standing) -> LastKnown:
    seen = Seen(reader)
    seen.states.record_silent(bare_id(conversation.id), now.silent)
    return seen.of(conversation)

"""Reads one run of a source: the conversation that is meant, and all its events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from functools import partial
from urllib.parse import urlsplit

import msgspec

from oh_tui.actions import starting
from oh_tui.api import errors
from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.reports.seen import Seen
from oh_tui.catalog.file_names import STANDARD_INPUT, given
from oh_tui.catalog.names import SHORTEST, WHOLE, name, read_id, short_id
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources import compared, server
from oh_tui.sources.file_runs import note_of, whole_run
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.results import Loaded, joined
from oh_tui.sources.server_runs import from_zip
from oh_tui.sources.source import Source
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural, rough, size
from oh_tui.text.problem import Problem, Refused, worded
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import in_background, is_wanted, progress, say, show_progress
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.model.branches import Branches, give_parents, lacks_parents, shown
from oh_tui.trajectory.model.trajectory import ALL, SubAgent, Trajectory

WORTH_TELLING = 5.0
"""Seconds above which a command announces how long reading takes."""


def require_id(text: str, base_url: str) -> str:
    """`read_id`, for a text that must be one. Raises Problem, also for an address of another
    server than `base_url`: its conversations are not on ours, and our key must not go there."""
    found = read_id(text)
    if not found:
        raise Problem(
            f"{safe_line(text)!r} is not a conversation id",
            f"give {SHORTEST} or more of its characters 0-9 a-f, or the conversation's web address",
        )
    if "://" in text and _host(text) != _host(base_url):
        theirs = f"{urlsplit(text).scheme}://{_host(text)}"
        raise Problem(
            f"That conversation is on {safe_line(theirs)}, but the server here is "
            f"{base_url or 'the demo'}",
            f"oh-tui --server {clean_line(theirs)} {found}, with the key of that server",
        )
    return found


def one_of(addresses: Iterable[str], text: str) -> str:
    """Which of these servers the web address of a conversation is of; "" for none."""
    return next((one for one in addresses if "://" in text and _host(one) == _host(text)), "")


async def find(source: Source, identifier: str) -> Conversation:
    """The conversation with this id or start of an id (as `read_id` gives them), or the one that
    the start task with this id made: the two ids are easily mixed up.

    Reads the whole list for the start of an id. Raises Problem when several ids begin so, and
    NotFound when none does.
    """
    if len(identifier) == WHOLE:
        (conversation,) = await source.get([identifier])
        return conversation or await _started_as(source, identifier)
    matches: list[Conversation] = []
    async for page in source.pages():
        matches += [c for c in page.items if bare_id(c.id).startswith(identifier)]
    if not matches:
        raise _not_found(source, identifier)
    if len(matches) > 1:
        named = [f"{bare_id(c.id)[:12]} ({safe_line(c.title or 'no title')})" for c in matches[:5]]
        more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
        raise Problem(
            f"{len(matches)} conversations begin with {identifier}", ", ".join(named) + more
        )
    return matches[0]


def _not_found(
    source: Source, identifier: str, hint: str = "oh-tui conversations lists what is there"
) -> Problem:
    # of the demo's label, the name alone
    name = source.label if source.members else source.label.partition(", ")[0].partition(": ")[0]
    where = f"the {name}" if name.endswith("demo") else name
    if source.away:
        where += f"; {', '.join(source.away)} could not be asked"
    return errors.NotFound(f"There is no conversation {identifier} in {where}", hint)


async def _started_as(source: Source, identifier: str) -> Conversation:
    task = None
    with contextlib.suppress(Problem):
        task = await source.sandboxes.started(identifier) if source.sandboxes else None
    own = bare_id((task and task.app_conversation_id) or "")
    (conversation,) = await source.get([own]) if own else (None,)
    if conversation is not None:
        say(f"that is the id of a start; the conversation is {safe_line(own)}")
        return conversation
    if task is not None:
        raise _not_found(source, identifier, starting.what_became(task))
    raise _not_found(source, identifier)


def _host(address: str) -> str:
    return urlsplit(address.strip()).netloc.rpartition("@")[2].lower()


async def chosen(source: Source, identifier: str) -> Conversation:
    """The conversation with this id; without an id the only one there is. Raises Problem."""
    if identifier:
        return await find(source, identifier)
    rows = (await source.newest()).items
    if len(rows) > 1 and isinstance(source, FileSource) and source.is_zip:
        longest = await in_background(source.longest)
        entry, where = source.runs.entries[longest.id].name, given(source.paths[0])
        took = f"took {clean_line(entry)}, the longest; name one as {where}#ID"
        say(f"{where} holds {plural(len(rows), 'run')}; {took}")
        return longest
    if len(rows) != 1:
        names = ", ".join(name(row) for row in rows[:5])
        form = "-#ID" if source.label == STANDARD_INPUT else "PATH#ID"
        raise Problem(
            f"There are {len(rows)} runs in {source.label}, and this command reads one",
            f"name one of them, as {form}: {names}{', ...' if len(rows) > 5 else ''}",
        )
    return rows[0]


async def read_run(
    reader: Reader, conversation: Conversation, *, sub_agents: bool = False, damaged: bool = False
) -> Loaded:
    """The run with all its events. The note says that `sub_agents` are not shown, unless they are.
    A run too long for a download is read page by page, which takes minutes; the progress is shown.
    Raises Problem if no event can be read, unless it may be `damaged`."""
    source = reader.source.holder(conversation)
    if isinstance(source, FileSource):
        run = source.runs.run(conversation)
        read = await in_background(partial(_read_file, run, sub_agents, damaged))
    else:
        reader.about = short_id(conversation)
        read = await _read_server(source, conversation)
        if (wanted := reader.branch) is not None and wanted != ALL:
            await _give_parents(source, conversation, whole(read))
        seen = Seen(reader)
        seen.record(conversation, judge(shown(whole(read))).word)
        seen.save()
        if sub_agents:
            read = await _with_sub_agents(source, conversation, read, {bare_id(conversation.id)})
    return _on_branch(reader, read)


async def _give_parents(source: Source, conversation: Conversation, run: Trajectory) -> None:
    """Says which events follow which where the server does not. Raises Problem without a source."""
    if source.remote and lacks_parents(run.events):
        with progress() as show:
            known = await from_zip.read_parents(
                source.remote.api,
                conversation,
                lambda count: show(f"reading the zip of the run, {size(count)}"),
            )
        give_parents(run.events, known)


def followed(reader: Reader, loaded: Loaded) -> Branches:
    """The run that `read_run` returned, to be extended."""
    run = whole(loaded)
    return Branches(run.branch.run if run.branch else run, reader.branch)


def _on_branch(reader: Reader, read: Loaded) -> Loaded:
    """The run on the wanted branch; says if there are several. Raises Problem without it."""
    wanted, run = reader.branch, whole(read)
    branches = Branches(run, wanted)
    if wanted is not None and wanted > branches.count:
        there = f"it has 1 to {branches.count}, or all"
        raise Problem(
            f"This run has no branch {wanted}",
            there if branches.count > 1 else "nobody went back in it",
        )
    if run.branch:
        say(branch_words(branches.shown))
    return msgspec.structs.replace(read, trajectory=branches.shown)


def branch_words(run: Trajectory) -> str:
    assert run.branch is not None
    number, count = run.branch.number, run.branch.count
    if number == ALL:
        return f"all {count} branches; --branch {run.branch.active} reads the active one alone"
    which = "the active one" if number == run.branch.active else f"{run.branch.active} is active"
    return f"branch {number} of {count}, {which}; --branch N|all reads another, or all"


async def read_compared(
    reader: Reader, source: Source, conversation: Conversation
) -> compared.Compared:
    """Reads a run, which may have more facts than its row in the list. Raises Problem."""
    own = msgspec.structs.replace(reader, opened=source)
    loaded = await read_run(own, conversation, sub_agents=True)
    if isinstance(source, FileSource):
        conversation = source.runs.rows.get(conversation.id, conversation)
    study = Study(whole(loaded))
    return compared.compared(conversation, study, study.verdict, loaded.note)


async def _read_server(source: Source, conversation: Conversation) -> Loaded:
    read: Loaded | None = None
    with progress():
        async for state in source.runs.load(conversation):
            if state.trajectory is not None:
                read = state
            _show(state.loaded, state.total)
        if read is None or read.trajectory is None:
            raise Refused(f"{name(conversation)} gave no events", "try again")
        if not read.trajectory.complete:
            read = await _read_older(source, conversation, read)
    return read


async def _with_sub_agents(
    source: Source, conversation: Conversation, read: Loaded, seen: set[str]
) -> Loaded:
    """The run with its sub-agents: conversations of their own, and those within it."""
    run = whole(read)
    agents = await _sub_conversations(source, conversation, seen)
    if source.remote and from_zip.may_have(run):
        try:
            agents += await source.remote.sub_agents(conversation)
        except Problem as problem:
            note = f"sub-agents cannot be read: {problem.sentence}"
            if helps := worded(problem.hint, short_id(conversation)):
                note += f" ({helps})"
            read = msgspec.structs.replace(read, note="; ".join(filter(None, (read.note, note))))
    run.sub_agents = agents
    return read


async def _sub_conversations(
    source: Source, parent: Conversation, seen: set[str]
) -> list[SubAgent]:
    """The conversations that this one started, with those below them; what cannot be read is said
    of each. None is read twice, should a server name them in a circle."""
    ids = [one for one in map(bare_id, parent.sub_conversation_ids or ()) if one not in seen]
    seen.update(ids)
    agents: list[SubAgent] = []
    found = await source.get(ids) if ids else []
    for identifier, conversation in zip(ids, found, strict=True):
        try:
            if conversation is None:
                raise Problem("the server does not have it")
            read = await _read_server(source, conversation)
        except Problem as problem:
            agents.append(SubAgent(identifier, partial(_unread, problem), is_conversation=True))
            continue
        read = await _with_sub_agents(source, conversation, read, seen)
        agents.append(SubAgent(identifier, partial(_as_read, read), is_conversation=True))
    return agents


def _unread(problem: Problem) -> tuple[Trajectory, str]:
    return Trajectory(), problem.sentence


def _as_read(read: Loaded) -> tuple[Trajectory, str]:
    return whole(read), read.note


async def _read_older(source: Source, conversation: Conversation, read: Loaded) -> Loaded:
    """Reads the events that no download brought; announces how long that takes."""
    assert read.trajectory is not None and source.remote is not None
    cost = await source.runs.cost(conversation, read.trajectory)
    if cost.seconds > WORTH_TELLING:
        show_progress("")
        say(
            f"{plural(cost.events, 'event')} more, which the server sends only page by page: "
            f"{plural(cost.calls, 'call')}, about {rough(cost.seconds)}"
        )
    pages, began = [], time.monotonic()
    here, came = len(read.trajectory.events), 0
    async for page in source.remote.older(conversation, read.trajectory, read.via):
        pages.append(page)
        came += len(page.events)
        rest = (page.total - here - came) * (time.monotonic() - began) / max(1, came)
        _show(here + came, page.total, f", about {rough(rest)} left")
    if not pages or not pages[-1].complete:
        raise Refused(f"Not all older events of {name(conversation)} could be read", "try again")
    whole = joined(read.trajectory, pages)
    return Loaded(pages[-1].via, whole, len(whole.events), len(whole.events), read.note)


def _read_file(run: RunFile, sub_agents: bool, damaged: bool) -> Loaded:
    trajectory = whole_run(run, is_wanted, damaged=damaged)
    note = run.note if sub_agents else note_of(run)
    return Loaded("file", trajectory, len(run), len(run), note, damaged=bool(run.problems))


def with_state(source: Source, conversation: Conversation) -> Conversation:
    """The conversation; for a file with the state of its agent after the last events."""
    return source.with_state(conversation) if isinstance(source, FileSource) else conversation


def on_server(source: Source) -> server.ServerSource | None:
    """The source as a server; None for files."""
    return source if isinstance(source, server.ServerSource) else None


def whole(loaded: Loaded) -> Trajectory:
    """The run that `read_run` returned."""
    assert loaded.trajectory is not None
    return loaded.trajectory


def _show(loaded: int, total: int | None, more: str = "") -> None:
    if total:
        show_progress(f"reading {loaded:,} of {total:,} events{more}")

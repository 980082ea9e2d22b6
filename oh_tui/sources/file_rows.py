"""The row of a run in a file, from what the file and its events say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from oh_tui.catalog.clocks import clock_of_file, first_time
from oh_tui.catalog.file_names import called, given, is_copy
from oh_tui.catalog.run_status import RunStatus
from oh_tui.conversation import Conversation, Metrics, TokenUsage, WholeMetrics, bare_id, fork_of
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.formats.plain_file import stamp_of
from oh_tui.trajectory.formats.run_file import Entry, RunFile, short_name
from oh_tui.trajectory.model import usage_stats
from oh_tui.trajectory.model.clock import zoned
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, TOKENS
from oh_tui.trajectory.model.usage_stats import COMBINED, kinds_in, read_record, record_sums
from oh_tui.trajectory.reading.describe import describe_event

FIRST_EVENTS, LAST_EVENTS = 20, 3
"""Events that are searched for the first message, and for the time of the last event."""

_ID = pattern("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


def name_of(
    path: Path, info: dict[str, object], taken: set[str], number: int = 1, name: str = ""
) -> str:
    """The id of the run. Without an id, or if the id is in `taken`, as for a second copy, it is the
    path; with a `name` in that file, its place there. `taken` has ids without dashes; this one is
    added."""
    place = called(str(path))
    names = [str(info.get("id") or ""), place]
    if name:
        names[1:] = [f"{place}#{name}", f"{place}#{number}"]
    name = next((one for one in names if one and bare_id(one) not in taken), names[-1])
    taken.add(bare_id(name))
    return name


def row_of_entry(name: str, entry: Entry, file_name: str) -> Conversation:
    """A row from what is known about an entry that is not open."""
    info = entry.info
    cost = info.get("cost")
    return Conversation(
        id=name,
        title=_text(info, "title") or entry.name,
        file_name=file_name,
        label=info.get("label"),
        llm_model=_text(info, "llm_model"),
        metrics=WholeMetrics(cost) if isinstance(cost, int | float) else None,
    )


def row_of_run(name: str, run: RunFile, listed: Conversation | None = None) -> Conversation:
    """A row from the `info` of a run, where any field may be missing or wrong, and from its first
    and last events. `listed` is the row from before the run was opened."""
    info, clock = run.info, clock_of_file(run)
    file_name = "" if _ID.fullmatch(run.name) else run.name.removesuffix(".zip")
    last = reversed(list(run.events(max(0, len(run) - LAST_EVENTS))))
    title = _text(info, "title") or (listed.title if listed else _first_message(run))
    metrics, kind = _metrics(run, clock)
    row = Conversation(
        id=name,
        title=title or run.name,
        file_name=file_name if title else "",
        label=run.recorded.label,
        execution_status=RunStatus.CUT_OFF if run.cut_off else None,
        selected_repository=_text(info, "selected_repository"),
        selected_branch=_text(info, "selected_branch"),
        llm_model=_text(info, "llm_model"),
        agent_kind=kind,
        forked_from_conversation_id=_text(info, "forked_from_conversation_id"),
        forked_from_event_id=_text(info, "forked_from_event_id"),
        metrics=metrics,
        created_at=_text(info, "created_at"),
        updated_at=zoned(first_time(last), clock) or _text(info, "updated_at"),
    )
    if listed is None:
        return row
    return msgspec.structs.replace(
        row,
        title=listed.title,
        file_name=listed.file_name,
        apart=listed.apart,
        place=listed.place,
        home=listed.home,
        version=listed.version,
        llm_model=row.llm_model or listed.llm_model,
        metrics=row.metrics or listed.metrics,
        created_at=row.created_at or zoned(first_time(run.events(0, LAST_EVENTS)), clock),
    )


def row_of_sub_agent(
    name: str, run: RunFile, parent: Conversation | None, home: str
) -> Conversation:
    """The row of a run in its parent's file, at `home`; no parent: that is a sub-agent too."""
    title = clean_line(parent.title or "") if parent else ""
    return msgspec.structs.replace(
        row_of_run(name, run),
        file_name=f"sub-agent of {title}" if title else "sub-agent of a sub-agent",
        place=parent.place if parent else "",
        home=home,
    )


def placed(
    row: Conversation, home: str, name: str = "", apart: str = "", version: str = ""
) -> Conversation:
    """The row with the place of its run. `home` is the plain path of the file, `name` the run's
    name if the file has several, `apart` a value of `parts_apart`, `version` one of
    `version_at`."""
    place = f"{home}#{name}" if name else home
    return msgspec.structs.replace(row, place=place, home=home, apart=apart, version=version)


def version_at(path: Path) -> str:
    """Differs once the file, or the entries of the folder, are others. "" if there is nothing."""
    try:
        return stamp_of(path)
    except (OSError, ValueError):
        return ""


def parts_apart(files: Sequence[Path]) -> dict[Path, str]:
    """For files that share their name with others: the part of each path that differs."""
    named: dict[str, list[Path]] = {}
    for file in dict.fromkeys(files):
        named.setdefault(file.name, []).append(file)
    found: dict[Path, str] = {}
    for name, same in named.items():
        paths = [plain_path(one).parts for one in same] if len(same) > 1 else []
        first = _common(paths)
        last = _common([path[first:][::-1] for path in paths])
        for one, path in zip(same, paths, strict=False):
            found[one] = short_name("/".join(path[first : len(path) - last]) or name)
    return found


def _common(paths: Sequence[Sequence[str]]) -> int:
    columns = enumerate(zip(*paths, strict=False))
    shortest = min(map(len, paths), default=0)
    return next((place for place, parts in columns if len(set(parts)) > 1), shortest)


def as_given(sentence: str, path: Path) -> str:
    """The sentence with the file's path as the user gave it, in place of its name."""
    name, shown = short_name(path.name), given(path)
    at = sentence.find(name) if name else -1
    if at < 0 or sentence[:at].endswith("/") or sentence[at + len(name) :].startswith("/"):
        return sentence
    return f"{sentence[:at]}{shown}{sentence[at + len(name) :]}"


def path_at(place: str, name: str) -> Path:
    """The file of a place. `name` is the run's name there if the file has several."""
    return Path(place.removesuffix(f"#{name}") if name else place)


def plain_path(path: Path) -> Path:
    """The whole path. `..` stays only behind a link that leads elsewhere. So a file has one place,
    whatever it was called."""
    whole = path.absolute()
    if ".." not in whole.parts:
        return whole
    plain = Path(os.path.normpath(whole))
    try:
        return plain if plain.samefile(whole) else whole
    except (OSError, ValueError):  # a file is gone, or the place is inside a file
        return whole if os.path.lexists(whole) else plain


def chosen_row(
    found: Iterable[tuple[str, Entry, Conversation]], wanted: str, path: Path
) -> tuple[str, Entry, Conversation]:
    """The run that `PATH#ID` means: the one with this id, else the only one whose id begins with
    it, else the one with this number, from 1. Raises Problem."""
    rows = []
    for one in found:
        if wanted in _names(*one[:2]):
            return one
        rows.append(one)
    begun = [one for one in rows if any(n.startswith(wanted) for n in _names(*one[:2]))]
    if len(begun) == 1:
        return begun[0]
    shown, where = safe_line(wanted[:200]), given(path)
    if not begun and wanted.isdecimal() and 0 < int(wanted[:9]) <= len(rows):
        return rows[int(wanted[:9]) - 1]
    if begun:
        names = ", ".join(short_name(one[1].name or one[0]) for one in begun[:5])
        more = f" and {len(begun) - 5:,} more" if len(begun) > 5 else ""
        raise Problem(f"{len(begun):,} runs in {where} begin with {shown}", names + more)
    count = plural(len(rows), "run")
    raise Problem(
        f"There is no run {shown} in {where}, which has {count}",
        f"oh-tui conversations {where} lists them" if rows and not is_copy(path) else "",
    )


def _names(name: str, entry: Entry) -> set[str]:
    """The ids that name a run. The first of several attempts is both `ID` and `ID@1`."""
    known = {name, bare_id(name), entry.name, str(entry.info.get("id") or "")}
    if entry.name and not entry.name.endswith(f"@{entry.info.get('attempt')}"):
        known.add(f"{entry.name}@{entry.info.get('attempt')}")
    return known - {""}


def _text(info: dict[str, object], key: str) -> str | None:
    value = info.get(key)
    return value if isinstance(value, str) and value else None


def _first_message(run: RunFile) -> str:
    """What the user asked for, on one line; "" if the first events do not show it."""
    for event in run.events(0, FIRST_EVENTS):
        if event.is_by_user:
            return describe_event(event).result
    return ""


def _metrics(run: RunFile, clock: str) -> tuple[Metrics | None, str | None]:
    """The sums from beside the events, or from the last ones; of a fork from all. They may lack a
    part: an app server's record does, and so do sums without a sub-agent that has a file here. With
    the kind of the agent."""
    usages, is_partial, fork = read_record(run.stats), False, fork_of(run.info)
    sums, told, is_acp = record_sums(run.stats), kinds_in(usages), usage_stats.ACP in usages
    if fork or not usages or usages.keys() & {usage_stats.UNNAMED, COMBINED}:
        end = Trajectory(complete=bool(fork), clock=clock)
        end.stats, end.fork = run.stats, fork
        end.extend(run.events(0 if fork else max(0, len(run) - 10)))  # the last stats are there
        accounts = Accounts(end)
        sums, told, is_partial = accounts.total, accounts.reported.tokens, accounts.is_partial
        is_acp = usage_stats.ACP in accounts.usages
    if sums == NO_USAGE and not told:
        return None, None
    within = (one for one in run.sub_agents if not one.is_conversation)
    is_partial |= any(one.usage not in usages for one in within)
    counts = {name: getattr(sums, name) for name in TOKENS}
    usage = TokenUsage(*(n if n or name in told else None for name, n in counts.items()))
    return (Metrics if is_partial else WholeMetrics)(sums.cost, usage), "acp" if is_acp else None

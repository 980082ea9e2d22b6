"""`oh-tui export`: the steps of a run to be passed on, without secrets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from oh_tui.api.models import Conversation
from oh_tui.commands.across_runs import chat, part_files
from oh_tui.commands.framework.acting import require_free
from oh_tui.commands.framework.command import (
    BRANCH,
    STEPS_OF_RUNS,
    Call,
    argument,
    command,
    flag,
    path_of,
)
from oh_tui.commands.framework.json_documents import (
    conversation_id,
    conversation_json,
    step_json,
    verdict_json,
)
from oh_tui.commands.framework.keeping import read_annotations
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import say, say_given_up
from oh_tui.commands.framework.reading import open_run, title, whole
from oh_tui.commands.framework.status import Seen, as_read
from oh_tui.commands.steps import matching, say_unknown
from oh_tui.sources.file_conversation import BELOW
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.json_lines import json_line
from oh_tui.sources.lists.attributes import cost_text
from oh_tui.sources.lists.tags import tag_words
from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations
from oh_tui.sources.saving import part_file, publish_as
from oh_tui.text.clean import clean_line
from oh_tui.text.human import duration, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import HIDDEN, masked, safe, safe_line
from oh_tui.trajectory.analysis.accounting import SUB_AGENT_USAGES, Accounts
from oh_tui.trajectory.analysis.search.step_filter import parse
from oh_tui.trajectory.analysis.study import Study, SubRun, SubRuns
from oh_tui.trajectory.formats.foreign import atif_export
from oh_tui.trajectory.formats.foreign.atif_kept import CONVERSATION, KEPT
from oh_tui.trajectory.formats.foreign.atif_sub_agents import EMBEDDED
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage_stats import Cost
from oh_tui.trajectory.presentation.markdown import event_markdown, step_markdown

_NAMED = pattern(
    r"([A-Za-z][\w.-]{0,60})[\"']?\s{0,4}(?:[:=]|=>)\s{0,4}(?:Bearer |Basic )?[\"']?"
    + re.escape(HIDDEN)
)


@command(
    "export",
    argument(
        "words",
        metavar="ID|PATH",
        nargs="+",
        help="a conversation, or files and folders of some",
    ),
    STEPS_OF_RUNS,
    argument(
        "--to",
        choices=("md", "jsonl", "atif", "chat", "parquet"),
        default="md",
        help="Markdown, JSON lines, ATIF 1.7, or what the model got and answered; md by default; "
        "of many runs jsonl, parquet or chat",
    ),
    argument(
        "-o",
        "--output",
        metavar="FILE|FOLDER",
        default="",
        help="a new file, not stdout; a folder for the tables of many runs",
    ),
    argument(
        "--shard",
        type=lambda text: part_files.shard(text),
        metavar="K/N",
        help="of many runs only share K of N, so that N machines do one each",
    ),
    argument(
        "--every",
        choices=("run", "answer"),
        default="",
        help="with --to chat: the last context of each run, which is the default, or that of each "
        "answer",
    ),
    BRANCH,
    flag("--notes", about="with your bookmarks, notes and tags"),
    examples={
        "export run.zip -o run.md": "to read, or to attach to an issue",
        "export 5f3a is:failed tool:terminal": "the commands that failed",
        "export run.zip --to jsonl": "each step with its events",
        "export run.zip --to atif -o trajectory.json": "for Harbor and other tools",
        "export 5f3a is:bookmarked --notes": "what you bookmarked, and why",
        "export runs/ repo:dates --to parquet -o tables/": "rows of many runs, for other programs",
        "export runs/ --to jsonl -o tables/ --shard 3/64": "one share of 64",
        "export runs/ --to chat -o chat.jsonl": "the last context of each run and its answer",
    },
    epilog="First come the steps, then the hidden events, which belong to no step, both in\n"
    "the order of the run; with a filter the steps alone.\n\n"
    "Known kinds of secrets are hidden; the end lists in which steps. Read it before\n"
    "you share it: a secret that no pattern knows is not found.\n\n"
    "With a folder to write to, --shard or several files: the tables runs, steps, calls\n"
    "and files of docs/tables.md in part files. The words are then those of oh-tui\n"
    "conversations and say which runs. The same command continues an interrupted\n"
    "export; after exit code 2, which says that not all runs could be read, it tries\n"
    "those parts again.\n\n"
    "--to chat makes one file of JSON lines, of one run or of many: id, step, messages,\n"
    "tools, answer, usage, label. The words say which runs, as above. --every answer\n"
    "repeats what contexts share, and tells the size first. Sub-agents are left out.",
)
async def export(call: Call) -> int:
    if call.args.branch is not None and (call.args.to == "chat" or _wants_tables(call)):
        taken = "chat takes the active branch, tables take all of them"
        raise Problem("--branch is for the steps of one run", taken)
    if call.args.to == "chat":
        return await chat.export_chat(call)
    if call.args.every:
        raise Problem("--every is for --to chat", "leave it out")
    if _wants_tables(call):
        return await part_files.export_tables(call)
    query = parse(call.args.filter)
    is_whole = call.args.to == "atif" and not query.terms
    conversation, loaded = await open_run(call, sub_agents=is_whole)
    study, kept = Study(whole(loaded)), read_annotations(call).of(conversation)
    conversation = as_read(call, conversation, study)
    notes = [loaded.note, study.sub_runs.note if is_whole else ""]
    for note in filter(None, notes):
        say(note)
    steps = list(matching(study, query, kept))
    say_given_up(query.gave_up)
    say_unknown(query.unknown(study))
    if not call.args.notes:  # they are for the user alone
        kept = NOTHING
    others = [] if query.terms else _hidden_events(study.trajectory)
    about = conversation_json(conversation, kept, Seen(call).of(conversation))
    about |= {"id": _id(call, conversation), "source": None}  # no path of this machine leaves
    if call.args.to == "atif":
        pieces = _atif(study, about, steps, others if is_whole else None, loaded.note)
    elif call.args.to == "jsonl" or call.as_json:
        pieces = _json_lines(study, about, steps, others, kept)
    else:
        pieces = map(masked, _markdown(study, conversation, about, steps, others, kept))
    if call.args.output:
        _write(target := path_of(call.args.output), pieces)
        say(f"wrote {plural(len(steps), 'step')} to {clean_line(str(target))}")
    else:
        print_masked(pieces)
    return 0


def _id(call: Call, conversation: Conversation) -> str:
    """Of a file without an id its name: the path that stands for it here is of this machine."""
    source = call.source
    top, *below = conversation.id.split(BELOW)
    entry = source.runs.entries.get(top) if isinstance(source, FileSource) else None
    if entry is None or not isinstance(source, FileSource):
        return conversation_id(conversation)
    own = str(entry.info.get("id") or "") or source.runs.run(source.runs.rows[top]).name
    return conversation_id(msgspec.structs.replace(conversation, id=BELOW.join((own, *below))))


def _wants_tables(call: Call) -> bool:
    """Whether the words ask for the tables of runs, and not for the steps of one."""
    args = call.args
    if args.to == "parquet" or args.shard is not None or len(args.words) > 1:
        return True
    if args.output and (args.output.endswith("/") or path_of(args.output).is_dir()):
        return True
    return args.to == "jsonl" and any(_holds_several(path) for path in call.paths)


def _holds_several(path: Path) -> bool:
    return path.is_dir() and find_files([path]) != [path]


def _hidden_events(trajectory: Trajectory) -> list[Event]:
    """The events that belong to no step."""
    return [event for event in trajectory.events if trajectory.step_of(event.id) is None]


# Markdown


def _markdown(
    study: Study,
    conversation: Conversation,
    about: dict[str, Any],
    steps: list[Step],
    others: list[Event],
    kept: RunAnnotations,
) -> Iterator[str]:
    verdict, accounts = study.verdict, study.accounts
    facts_line = (
        about["repository"],
        f"model {about['model']}" if about["model"] else "",
        f"{duration(accounts.active)} of work" if accounts.active >= 0.5 else "",
        cost_text(conversation),
        plural(len(study.trajectory), "step"),
        f"{len(steps):,} of them here" if len(steps) < len(study.trajectory) else "",
    )
    yield f"# {_escaped(title(conversation))}\n\n"
    if verdict.word:
        yield f"**{verdict.word}** {_escaped(verdict.cause)}".rstrip() + "\n\n"
    elif verdict.cut_off:
        yield f"**{verdict.cause}**\n\n"
    yield _escaped(" · ".join(filter(None, facts_line))) + "\n\n"
    hidden: dict[str, Counter[str]] = {}
    if own := _own_markdown(kept.note, tag_words(kept.tags)):
        hidden["your note"] = _secrets(own)
        yield own
    for step in steps:
        text = step_markdown(step, study.trajectory.outcome(step))
        head, _, rest = text.partition("\n\n")
        note = kept.step_notes.get(step.event.id, "")
        signs = ["bookmarked"] if step.event.id in kept.bookmarks else []
        if own := _own_markdown(note, signs):
            text = f"{head}\n\n{own}{rest}"
        hidden[f"step {step.number}"] = _secrets(text)
        yield f"{text}\n"
    if others:
        yield f"## {plural(len(others), 'hidden event')}\n\n"
    for event in others:
        text = event_markdown(event)
        hidden[f"event {safe_line(event.id)}"] = _secrets(text)
        yield f"{text}\n"
    yield "## What was hidden\n\n"
    if not any(hidden.values()):
        yield "Nothing: no known kind of secret was found.\n"
    for where, found in hidden.items():
        if found:
            yield f"- {where}: {_listed(found)}\n"


def _own_markdown(note: str, words: list[str]) -> str:
    """Tags or a bookmark, and a note, as a quotation; "" for none."""
    lines = [f"**{_escaped(' '.join(words))}**"] if words else []
    lines += _escaped(safe(note)).splitlines()
    return "".join(f"> {line}\n" for line in lines) + "\n" if lines else ""


def _secrets(text: str) -> Counter[str]:
    """The name before each secret that was hidden, or "a key", and how often."""
    text = text.replace(_escaped(HIDDEN), HIDDEN)
    total = text.count(HIDDEN)
    if not total:  # most texts, and the pattern takes its time
        return Counter()
    found = Counter(name.lower() for name in _NAMED.findall(text))
    found["a key"] += total - found.total()
    return +found


def _listed(found: Counter[str]) -> str:
    return ", ".join(f"{name} ({number})" if number > 1 else name for name, number in found.items())


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)


# JSON lines


def _json_lines(
    study: Study,
    about: dict[str, object],
    steps: list[Step],
    others: list[Event],
    kept: RunAnnotations,
) -> Iterator[str]:
    """The conversation, then each step with its events, then each event that belongs to no step,
    then what was hidden."""
    yield _line({"conversation": about, "verdict": verdict_json(study.verdict)})
    hidden: list[dict[str, object]] = []
    for step in steps:
        events = [json_line(e.body()) for e in (step.event, *step.results)]
        text = f"[{', '.join(events)}]"
        found = _secrets(text)
        if found:
            hidden.append({"step": step.number, "secrets": dict(found)})
        yield f'{{"step": {json_line(step_json(study, step, kept))}, "events": {text}}}\n'
    for event in others:
        text = json_line(event.body())
        found = _secrets(text)
        if found:
            hidden.append({"event": event.id, "secrets": dict(found)})
        yield f'{{"event": {text}}}\n'
    yield _line({"hidden": hidden})


def _line(document: object) -> str:
    return json_line(document) + "\n"


# ATIF


def _atif(
    study: Study, about: dict[str, Any], steps: list[Step], others: list[Event] | None, note: str
) -> Iterator[str]:
    """One document, a step a line; the places of what was hidden stand in its `extra`, what is
    missing in its `notes`. With `others` it is whole, with the runs of sub-agents."""
    session, model = str(about["id"]), str(about["model"] or "")
    top = atif_export.top_of(study.trajectory, session=session, model=model)
    top = _with_note(top, note)
    spent = study.accounts.of
    cost = study.sub_runs.cost(about["cost"], is_partial=about["cost_is_partial"])
    if others is None:
        own, told = study.accounts.total, study.accounts.told.tokens
        made = atif_export.steps_of(study.trajectory, steps, [], spent)
        final = partial(atif_export.final_of, study.trajectory, cost, own, told, {})
        yield from _atif_run(top, made, final)
    else:
        yield from _atif_whole(top, study.accounts, study.sub_runs, cost)
    yield "\n"


def _with_note(top: dict[str, object], note: str) -> dict[str, object]:
    """The fields with what is missing in the run, unless its notes say so."""
    known = top.get("notes") or ""
    if not note or not isinstance(known, str) or note in known:
        return top
    return top | {"notes": f"{known}\n{note}".strip()}


def _atif_whole(
    top: dict[str, object], accounts: Accounts, sub_runs: SubRuns, cost: Cost
) -> Iterator[str]:
    def started(step: Step) -> list[str]:
        return [one.name for one in sub_runs.of(step)]

    run = accounts.trajectory
    steps = atif_export.steps_of(run, run.steps, _hidden_events(run), accounts.of, started)
    others = accounts.others.items()
    apart = {u: used for u, used in others if not u.startswith(SUB_AGENT_USAGES)}
    apart |= sub_runs.without_run
    told = sub_runs.told.tokens
    final = partial(atif_export.final_of, run, cost, sub_runs.own, told, apart)
    yield from _atif_run(top, steps, final, sub_runs.runs)


def _atif_run(
    top: dict[str, object],
    steps: Iterable[dict[str, object]],
    final: Callable[[int], dict[str, object]],
    below: Sequence[SubRun] = (),
) -> Iterator[str]:
    extra = top.pop("extra", None)
    yield json_line(top)[:-1] + ', "steps": [\n'
    hidden: list[dict[str, object]] = []
    number = 0
    for step in steps:
        text = json_line(step)
        found = _secrets(text)
        if found:
            hidden.append({"step_id": step["step_id"], "secrets": dict(found)})
        number += 1
        yield f"{',' if number > 1 else ' '}{text}\n"
    for place, sub in enumerate(below):
        yield f'{"," if place else f"""], "{EMBEDDED}": ["""}\n'
        of_sub = atif_export.top_of(sub.trajectory, session=sub.name, model="")
        of_sub["trajectory_id"] = sub.name
        if sub.needs_id:
            of_sub["extra"] = of_sub.get("extra", {}) | {KEPT: {CONVERSATION: True}}
        of_sub = _with_note(of_sub, sub.note)
        yield from _atif_whole(of_sub, sub.accounts, sub.sub_runs, sub.sub_runs.cost())
    end = {"final_metrics": final(number)}
    extra = dict(extra) if isinstance(extra, dict) else {}
    extra |= {"hidden": hidden} if hidden else {}
    yield "], " + json_line(end | ({"extra": extra} if extra else {}))[1:]


# a file


def _write(target: Path, pieces: Iterable[str]) -> None:
    """The whole file under a name that was free, or nothing."""
    require_free(target)
    try:
        with part_file(target) as (file, part):
            file.writelines(piece.encode() for piece in pieces)
            file.flush()
            publish_as(part, target)
    except Problem as problem:
        raise Problem(problem.sentence, "choose another place") from problem

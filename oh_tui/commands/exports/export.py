"""`oh-tui export`: the steps of a run to be passed on, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from oh_tui.batch.reports.one_run import whole
from oh_tui.batch.reports.seen import Seen, as_read
from oh_tui.catalog.names import conversation_id
from oh_tui.catalog.user_annotations import NOTHING
from oh_tui.commands.across_runs import run_lines
from oh_tui.commands.framework.acting import require_consent, require_free
from oh_tui.commands.framework.command import (
    BRANCH,
    STEPS_OF_RUNS,
    Call,
    argument,
    command,
    flag,
    path_of,
)
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.opening import open_run
from oh_tui.documents.run import conversation_json, step_json, verdict_json
from oh_tui.documents.steps import matching, say_unjudged
from oh_tui.settings.part_file import publish_as
from oh_tui.sharing import left_out
from oh_tui.sharing.formats import FORMATS, write
from oh_tui.sharing.found_in_text import hidden_in
from oh_tui.sharing.html.page import fitting
from oh_tui.sharing.otlp.otlp import protobuf_encoder
from oh_tui.sharing.shared_run import SharedRun, Sink, Write, hidden_events, named
from oh_tui.sharing.what_leaves import told
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.display import json_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.search.step_filter import parse

if TYPE_CHECKING:
    from oh_tui.documents.shapes import common


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
        choices=("md", "html", "jsonl", "atif", "cast", "otlp", "chat", "parquet"),
        default="md",
        help="Markdown, an HTML page, JSON lines, ATIF 1.7, a recording, traces, or what the "
        "model got and answered; md by default; of many runs jsonl, parquet, otlp or chat",
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
        type=lambda text: run_lines.shard(text),
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
    flag("--notes", about="with --to md, html and jsonl: your bookmarks, notes and tags"),
    flag("--messages", about="with --to otlp: what the model got and answered, calls and results"),
    flag("--protobuf", about="with --to otlp -o: protobuf, which Phoenix wants; needs an extra"),
    flag("--whole", about="with --to html, cast and otlp: large texts whole"),
    argument(
        "--without",
        type=lambda text: left_out.parts(text),
        action="extend",
        metavar="WHAT",
        default=[],
        help="leave out results, files, thoughts or images; several with commas",
    ),
    argument(
        "--only",
        type=lambda text: left_out.ranges(text),
        metavar="STEPS",
        help="these steps alone: 40-61, or 3,40-61",
    ),
    flag("--yes", about="write HTML without asking"),
    examples={
        "export run.zip -o run.md": "to read, or to attach to an issue",
        "export run.zip --to html -o run.html": "one page, for people without oh-tui",
        "export 5f3a is:failed tool:terminal": "the commands that failed",
        "export run.zip --to jsonl": "each step with its events",
        "export run.zip --to atif -o trajectory.json": "for Harbor and other tools",
        "export run.zip --to cast -o run.cast": "a recording, for asciinema",
        "export runs/ --to otlp -o traces.jsonl": "for Jaeger, Langfuse and other collectors",
        "export 5f3a is:bookmarked --notes": "what you bookmarked, and why",
        "export run.zip --only 40-61 --without files,images": "a part of it, to be read by others",
        "export runs/ repo:dates --to parquet -o tables/": "rows of many runs, for other programs",
        "export runs/ --to jsonl -o tables/ --shard 3/64": "one share of 64",
        "export runs/ --to chat -o chat.jsonl": "the last context of each run and its answer",
    },
    epilog="First come the steps, then the hidden events, which belong to no step, both in\n"
    "the order of the run; with a filter the steps alone.\n\n"
    "Known kinds of secrets are hidden; the end lists in which steps. What else leaves is\n"
    "told on stderr: whole files, hosts, addresses, user names, and what looks like a\n"
    "secret and is not hidden; of many runs in the end, summed. HTML is written after a yes.\n"
    "Read it before you share it: a secret that no pattern knows is not found.\n\n"
    "--without leaves out texts: what tools answered (results), the texts that the editor\n"
    "read and wrote (files), what the model thought, images. Outcomes, exit codes and\n"
    "numbers stay, and so does what messages and commands quote.\n\n"
    "With a folder to write to, --shard or several files: the tables runs, steps, calls,\n"
    "files and failures of docs/tables.md in part files. The words are then those of oh-tui\n"
    "conversations and say which runs. The same command continues an interrupted\n"
    "export; after exit code 2, which says that not all runs could be read, it tries\n"
    "those parts again.\n\n"
    "--to otlp makes lines of OTLP JSON, each a request for a collector, of one run or of\n"
    "many: docs/sharing.md sends them. Ids are the same each time. --messages adds texts.\n"
    "--protobuf makes one request in all; it needs pip install 'oh-tui[otlp]'.\n\n"
    "--to chat makes one file of JSON lines, of one run or of many: id, step, messages,\n"
    "tools, answer, usage, label. The words say which runs, as above. --every answer\n"
    "repeats what contexts share, and tells the size first. Sub-agents are left out.",
)
async def export(call: Call) -> int:
    for name, formats in _ONLY_FOR.items():
        if getattr(call.args, name) and call.args.to not in formats:
            raise Problem(f"--{name} is for --to {', '.join(formats)}", "leave it out")
    if call.branch is not None and (call.args.to == "chat" or _names_many(call)):
        taken = "chat and otlp take the active branch, tables take all of them"
        raise Problem("--branch is for the steps of one run", taken)
    encode = None
    if call.args.protobuf:
        if not call.args.output:
            raise Problem("Protobuf is not text", "name a file: -o traces.pb")
        encode = protobuf_encoder()
    if call.args.to == "chat":
        return await run_lines.export_chat(call)
    if call.args.to == "otlp" and _names_many(call):
        return await run_lines.export_otlp(call, encode)
    if _names_many(call):
        return await run_lines.export_tables(call)
    query = parse(call.args.filter)
    wanted = FORMATS.get(call.args.to)
    is_whole = wanted is not None and wanted.sub_agents and not query.terms
    conversation, loaded = await open_run(call, sub_agents=is_whole)
    study, kept = Study(whole(loaded)), call.annotations().of(conversation)
    conversation = as_read(call, conversation, study)
    notes = [loaded.note, study.sub_runs.note if is_whole else ""]
    for note in filter(None, notes):
        say(note)
    steps = matching(study, query, kept)
    say_unjudged(query.gave_up, query.unknown(study))
    if not call.args.notes:  # they are for the user alone
        kept = NOTHING
    is_part = bool(query.terms)
    others = [] if is_part else hidden_events(study.trajectory)
    run = SharedRun(
        conversation,
        study,
        steps,
        others,
        kept,
        loaded.note,
        is_part=is_part,
        whole=call.args.whole,
        name=conversation_id(named(call.source, conversation)),
        read=study.trajectory,
        messages=call.args.messages,
    )
    run = left_out.part_of(run, call.args.without, call.args.only)
    if call.args.only and not run.steps:
        say(f"no step is in --only: the run has {plural(len(study.trajectory), 'step')}")
    to = call.args.to
    if to == "html":
        run = fitting(run)
    conversation = run.conversation
    about = conversation_json(conversation, kept, Seen(call).of(conversation))
    about = {**about, "id": run.name, "source": None}  # no path of this machine leaves
    write_it: Write = partial(json_lines, about=about)
    if not (to == "jsonl" or (call.as_json and to == "md")):
        write_it = FORMATS[to].write
    sink = Sink(run)

    def tell() -> None:
        """Before a written file gets its name, or is printed."""
        for line in told(sink.leaves):
            say(line)
        if to == "html":
            stake = f"The page shows {plural(sink.leaves.steps, 'step')} to whoever gets it"
            done_by = "oh-tui export ... --to html --yes"
            require_consent(call, stake, done_by, refused="Nothing was written")

    def publish(part: Path, target: Path) -> None:
        tell()
        publish_as(part, target)

    if call.args.output:
        require_free(path_of(call.args.output))
        made = write_it(run, sink)
        pieces = map(encode, made) if encode else made
        target = write(path_of(call.args.output), pieces, publish)
        say(f"wrote {plural(len(run.steps), 'step')} to {clean_line(str(target))}")
        return 0
    with TemporaryFile("w+", encoding="utf-8", errors="replace", newline="") as file:
        file.writelines(write_it(run, sink))
        tell()
        file.seek(0)
        print_masked(iter(partial(file.read, _PIECE), ""))
    return 0


_PIECE = 2**20
"""Characters that are printed at once."""

_ONLY_FOR = {
    "every": ("chat",),
    "messages": ("otlp",),
    "notes": ("md", "html", "jsonl"),
    "protobuf": ("otlp",),
    "whole": ("html", "cast", "otlp"),
}
"""Options that mean nothing in other formats."""


def _names_many(call: Call) -> bool:
    """Whether the words are of many runs, for tables or traces, and not of the steps of one."""
    args = call.args
    if args.to == "parquet" or args.shard is not None or len(args.words) > 1:
        return True
    if args.output and (args.output.endswith("/") or path_of(args.output).is_dir()):
        return True
    if args.to not in ("jsonl", "otlp"):
        return False
    source = call.source
    is_archive = isinstance(source, FileSource) and source.is_list_of_folders
    return is_archive or any(one.is_dir() and find_files([one]) != [one] for one in call.paths)


def json_lines(run: SharedRun, sink: Sink, about: common.Conversation) -> Iterator[str]:
    """The conversation, then each step with its events, then each event that belongs to no step,
    then what was hidden."""
    verdict = verdict_json(run.study.verdict)
    yield sink.json({"conversation": about, "verdict": verdict}) + "\n"
    hidden: list[dict[str, object]] = []
    for step in run.steps:
        sink.at(step.number)
        sink.files(step)
        sink.take(masked(run.kept.step_notes.get(step.event.id, "")))
        events = [sink.json(e.body()) for e in (step.event, *step.results)]
        text = f"[{', '.join(events)}]"
        found = hidden_in(text)
        if found:
            hidden.append({"step": step.number, "secrets": dict(found)})
        yield f'{{"step": {json_line(step_json(run.study, step, run.kept))}, "events": {text}}}\n'
    sink.at(0)
    for event in run.others:
        text = sink.json(event.body())
        found = hidden_in(text)
        if found:
            hidden.append({"event": event.id, "secrets": dict(found)})
        yield f'{{"event": {text}}}\n'
    yield json_line({"hidden": hidden}) + "\n"

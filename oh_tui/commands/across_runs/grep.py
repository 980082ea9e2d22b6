"""`oh-tui grep`: searches many runs, and prints the lines with a match."""

from __future__ import annotations

from oh_tui.api.errors import OtherKind
from oh_tui.batch.reports.over_runs import PARTIAL, say_rest
from oh_tui.batch.reports.search import hit_json, search_of
from oh_tui.batch.searching import RunHits
from oh_tui.batch.step_search import Hit
from oh_tui.catalog.file_names import called, run_name
from oh_tui.catalog.names import title
from oh_tui.catalog.run_status import updated_text
from oh_tui.commands.framework import filter_argument
from oh_tui.commands.framework.command import LIVE, Call, argument, command, flag
from oh_tui.commands.framework.printing import Hue, between_tabs, fit, print_json_line
from oh_tui.commands.steps import GLYPHS
from oh_tui.conversation import Conversation
from oh_tui.documents.run import line
from oh_tui.documents.steps import say_unjudged
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say, show_progress
from oh_tui.trajectory.model.steps import Outcome

HIT, NONE = 0, 1
"""Exit codes, those of grep; its 2 is PARTIAL."""


@command(
    "grep",
    argument(
        "filter",
        metavar="WORDS",
        help="what to find: 'IndexError tool:terminal is:failed repo:dates'",
    ),
    argument(
        "paths",
        metavar="PATH",
        nargs="*",
        default=(),
        action=filter_argument.Searched,
        help="files and folders with runs; a word before them that is no file is searched for too",
    ),
    (
        flag("-l", "--runs", about="print only the runs with a hit"),
        flag("-c", "--count", about="print how many hits each of them has"),
    ),
    LIVE,
    examples={
        "grep IndexError runs/": "where did this error come up?",
        "grep 'no such file is:failed repo:dates'": "a phrase, in failed steps of some runs",
        "grep 're:/exit (1|2)\\b/ tool:terminal' output.jsonl": "a pattern",
        "grep path:src/dates -l": "which runs touched this file?",
        "grep IndexError runs/ --json | jq -r .run | sort -u": "for a script",
    },
    epilog="Words, all of which a step must match; - negates one:\n"
    "  any words      in what it did and got, without regard to case: a phrase, and each word\n"
    '                 where no step has it; exit AND 1 each word, "in quotes" just as it is\n'
    "  re:/.../       a pattern of Python, within a line\n"
    "  is: tool: path: kind: took: cost: after: before:   as in oh-tui steps: of the step\n"
    "  run.is: run.cost: run.took: run.after:             as in oh-tui conversations: of its run\n"
    "  repo: branch: model: title: tag: pr: fork: changed: of its run\n"
    "  failure:9ed3   by an id of oh-tui failures: of the step; run.failure: of its run\n"
    "  rule:plan-done a rule of oh-tui audit that its run breaks\n\n"
    "Without a PATH it searches the runs of the server that are in the index or kept on this\n"
    "machine, and says how many are not. Prints a line for each step, 12.3 for step 3 of a\n"
    "sub-agent that step 12 started; with --json an object: run, source, title, step, path (of a\n"
    "sub-agent), event_id, where (call, result or row), line.\n\n"
    "Exit codes: 0 something was found, 1 nothing, 2 wrong use, a run that cannot be read, or\n"
    "nothing was found where not all was searched.",
)
async def grep(call: Call) -> int:
    if not call.args.filter.strip():
        raise Problem("An argument is empty", "oh-tui grep --help shows how it is used")
    search = search_of(call, call.args.filter, live=call.args.live)
    if call.style.head and call.style.piped and not call.as_json:
        more = [] if call.args.runs or call.args.count else ["step", "line"]
        print(between_tabs([*(["hits"] if call.args.count else []), "run", "title", *more]))
    try:
        with progress():
            async for one in search.results():
                if one:
                    show_progress("")
                    _print(call, one)
                runs = f"{search.reading.read:,} of {plural(search.reading.runs, 'run')}"
                show_progress(f"{plural(search.hits, 'hit')}, {runs}")
    except OtherKind:
        raise
    except Refused as problem:  # 1 would mean that nothing was found
        raise Problem(problem.sentence, problem.hint) from problem
    code = say_rest(call, search.reading)
    if search.sub_agents:
        say(f"not all searched: the steps of {plural(search.sub_agents, 'sub-agent')}")
    say_unjudged(search.gave_up, search.unknown)
    if not search.hits and call.args.no_files:
        say(call.args.no_files)
    if code == PARTIAL:
        return code
    if search.hits:
        return HIT
    is_left = search.reading.not_here or search.reading.unsure or search.is_partial
    return PARTIAL if is_left else NONE


def _print(call: Call, one: RunHits) -> None:
    run, hits, args, style = one.conversation, one.hits, call.args, call.style
    name, called_so = run_name(run), title(run)
    if call.as_json:
        place = called(run.home) if run.place else call.source.label
        named = {"run": name, "source": safe_line(place), "title": called_so}
        of_run = [{"hits": len(hits)} if args.count else {}]
        for document in of_run if args.count or args.runs else map(hit_json, hits):
            print_json_line(named | document)
        return
    rows = [[name, called_so]]
    if args.count:
        rows = [[str(len(hits)), *rows[0]]]
    elif not args.runs and style.piped:
        rows = [[*rows[0], hit.path, safe_line(hit.line)] for hit in hits]
    elif not args.runs:
        _print_run(call, run, hits)
        return
    for row in rows:
        print(between_tabs(row) if style.piped else fit("  ".join(row), style.room or 0, style))


def _print_run(call: Call, run: Conversation, hits: list[Hit]) -> None:
    style, room = call.style, call.style.room or 0
    facts = [line(run.selected_repository) or "", style.when(updated_text(run))]
    head = "  ".join(filter(None, (title(run), *facts, plural(len(hits), "hit"))))
    print(style.paint(fit(head, room, style), "bold"))
    width = max(4, *(len(hit.path) for hit in hits))
    for hit in hits:
        drawn = GLYPHS.get(hit.outcome)
        mark = style.glyph(*drawn) if drawn else " "
        hue: Hue = "red" if hit.outcome is Outcome.ERROR else "amber"
        text = fit(safe_line(hit.line), room - width - 5, style)
        print(f" {hit.path:>{width}} {style.paint(mark, hue)} {text}")

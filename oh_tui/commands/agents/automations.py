"""`oh-tui automations`: what servers run by themselves, their runs, and how to stop and switch
them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from oh_tui.actions.automations import Automations
from oh_tui.api.automation_models import Automation, AutomationRun, RunPage
from oh_tui.catalog import automations as words
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.acting import require_consent, require_writable
from oh_tui.commands.framework.command import Call, argument, command, flag, number_of
from oh_tui.commands.framework.printing import Style, print_json, print_pairs, print_rows
from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.documents.automations import bounded, listed_json, log_json, run_json
from oh_tui.sources.server import ServerSource
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import duration, marked_cost
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say
from oh_tui.trajectory.glyphs import ASCII, UNICODE

T = TypeVar("T", Automation, AutomationRun)

LIMIT = 20
"""Automations whose last runs are read, and runs of one that are shown."""

MARKS = 8
"""The last runs of an automation that a list tells."""

LOG_LINES = 30

HUES = {"good": "green", "warn": "amber", "bad": "red"}

ACTIONS = ("show", "run", "stop", "enable", "disable")


@command(
    "automations",
    argument("action", metavar="|".join(ACTIONS), nargs="?", choices=ACTIONS),
    argument(
        "of", metavar="ID", nargs="?", default="",
        help="an automation, by its name or the start of its id; of show and stop a run too",
    ),
    argument(
        "--limit", metavar="N", type=number_of("rows", 1, 100), default=LIMIT,
        help=f"read the runs of so many automations, or so many runs of one; {LIMIT} by default",
    ),
    flag("--yes", about="do not ask before run and stop"),
    examples={
        "automations": "when each runs, and how its last runs ended",
        "automations show 'Nightly count'": "its runs, and why they failed",
        "automations show 6ed4": "one run, and what its script printed",
        "automations stop 3174": "stops the run and its agent, which else works on",
    },
    wants="server",
    settings=("read_only",),
    epilog="run begins a run now; newer servers run one that is off too. disable switches its\n"
    "trigger off; runs that are on their way go on.",
)  # fmt: skip
async def automations(call: Call) -> int:
    action, of = call.args.action, call.args.of
    if action and not of:
        raise Problem(f"automations {action} needs the id of one", "oh-tui automations lists them")
    acts = action not in (None, "show")
    if acts:
        require_writable(f"automations {action}", call.settings, by_flag=call.args.read_only)
    if isinstance(call.source, ServerSource):
        await call.source.require_kind()
    if call.source.members:
        await call.source.count()  # finds out their kinds
    held = call.automations
    every = await held.all()
    if held.problems and not every:
        raise next(iter(held.problems.values()))
    if held.problem:
        say(held.problem)
    if action is None:
        return await _list(call, held, every)
    found = None if action == "stop" else _meant(every, of, "automations")
    if found is None and action not in ("show", "stop"):
        raise Problem(f"There is no automation {safe_line(of)}", "oh-tui automations lists them")
    one = found or await _run(call, held, every, of)
    if acts:
        call.on, settings = one.server, call.settings.of(one.server)
        require_writable(f"automations {action}", settings, by_flag=call.args.read_only)
    if isinstance(one, AutomationRun):
        return await (_stop if acts else _show_run)(call, held, one)
    return await {"show": _show, "run": _dispatch}.get(action, _switch)(call, held, one)


def _meant(every: Iterable[T], of: str, what: str) -> T | None:
    """That with this id or name, else with this start of an id. Raises Problem for several."""
    named = [one for one in every if same_id(of, one.id) or of == getattr(one, "name", None)]
    if not named and len(bare_id(of)) >= 3:
        named = [one for one in every if bare_id(one.id).startswith(bare_id(of))]
    if len(named) > 1:
        ids = (safe_line(one.id) + f" on {one.server}" * bool(one.server) for one in named[:5])
        raise Problem(
            f"{len(named)} {what} are meant by {safe_line(of)}", f"such as {', '.join(ids)}"
        )
    return named[0] if named else None


async def _run(
    call: Call, held: Automations, every: Sequence[Automation], of: str
) -> AutomationRun:
    """The run with this start of an id, of the automations that ran last: no server finds one. They
    are asked at once, until one has the whole id."""
    last = sorted(every, key=lambda one: one.last_triggered_at or "", reverse=True)
    asked, runs, problems = last[: call.args.limit], list[AutomationRun](), list[Problem]()
    pages = [asyncio.ensure_future(_page(held, one, 100, problems)) for one in asked]
    try:
        for each in asyncio.as_completed(pages):
            page = await each
            runs += page.runs if page else ()
            if any(same_id(one.id, of) for one in runs):
                break
    finally:
        for to_come in pages:
            to_come.cancel()
        await asyncio.gather(*pages, return_exceptions=True)
    found = _meant(runs, of, "runs")
    if problems and not (found and same_id(found.id, of)):
        raise problems[0]  # what could not be read may have another one with this start
    if found:
        return found
    which = f"the {len(asked)} automations that ran last" if len(asked) < len(last) else "each"
    why = (
        f"There is no automation {safe_line(of)}, and no such run among the last hundred of {which}"
    )
    raise Refused(why, "oh-tui automations show ID lists the runs of one")


async def _page(
    held: Automations, one: Automation, limit: int, problems: list[Problem]
) -> RunPage | None:
    """Its newest runs; None for a problem, which is added to the others."""
    try:
        return await held.runs(one, limit)
    except Problem as problem:
        problems.append(problem)
        return None


# the list


class _Listed(NamedTuple):
    automation: Automation
    page: RunPage | None
    now: float
    """By the clock of its server."""
    loaded: Sequence[Conversation]


def _marks(row: _Listed, style: Style) -> Cell:
    outcomes = [words.outcome(run, row.now) for run in row.page.runs] if row.page else []
    if style.piped:
        return Cell(",".join(one.word for one in outcomes))
    glyphs = ASCII if style.ascii else UNICODE
    hue = outcomes[0].hue if outcomes else ""
    return Cell("".join(one.mark(glyphs)[0] for one in outcomes), HUES.get(hue, hue))


def _starts(row: _Listed, _style: Style) -> Cell:
    if off := words.why_off(row.automation):
        return Cell(off, "dim")
    return Cell(words.trigger_words(row.automation.trigger))


def _shown(identifier: str, style: Style) -> str:
    return safe_line(identifier)[: None if style.piped else 8]


_COLUMNS: tuple[Column[_Listed, Style], ...] = (
    Column("id", lambda row, style: _shown(row.automation.id, style)),
    Column("server", lambda row, _: row.automation.server, goes=2),
    Column("automation", lambda row, _: safe_line(row.automation.name or ""), share=2),
    Column("runs", _starts, share=2),
    Column("last", _marks),
    Column("failed", lambda row, _: words.failed_share(row.page.counts) if row.page else "",
           right=True),
    Column("began", lambda row, style: replace(style, now=row.now).when(
        row.automation.last_triggered_at), right=True),
)  # fmt: skip


async def _list(call: Call, held: Automations, every: Sequence[Automation]) -> int:
    problems: list[Problem] = []
    read = every[: call.args.limit]
    pages = await asyncio.gather(*(_page(held, one, MARKS, problems) for one in read))
    if problems:
        say(problems[0].sentence)
    loaded = (await call.source.newest()).items if every else ()
    rows = [
        _Listed(one, page, held.now(one.server), loaded) for one, page in zip_longest(every, pages)
    ]
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "automations": [listed_json(*row) for row in rows],
                "problems": {name: one.sentence for name, one in held.problems.items()},
            }
        )
        return 0
    print_rows(call.style, _COLUMNS, rows)
    for run in (run for page in pages if page for run in words.working(page.runs, loaded)):
        say(f"the agent of a run that is over works on: oh-tui automations stop {safe_line(run)}")
    if not every:
        say("there are no automations" if held.are_there else "this server runs no automations")
    elif len(every) > len(pages):
        say(f"the last runs of {len(every) - len(pages):,} more are not read: --limit N")
    return 0


# one of them, and one run


class _Run(NamedTuple):
    run: AutomationRun
    conversation: Conversation | None
    outcome: words.Outcome


def _status(row: _Run, _style: Style) -> Cell:
    if words.works_on(row.run, row.conversation):
        return Cell(f"{row.outcome.word}, its agent works on", "red")
    return Cell(row.outcome.word, HUES.get(row.outcome.hue, row.outcome.hue))


def _why(row: _Run, _style: Style) -> str:
    return words.cause(row.run) or words.phase(row.run) * (row.run.status == "RUNNING")


def _led_to(row: _Run, style: Style) -> str:
    return _shown(conversation_id(row.conversation), style) if row.conversation else ""


_RUNS: tuple[Column[_Run, Style], ...] = (
    Column("run", lambda row, style: _shown(row.run.id, style)),
    Column("status", _status),
    Column("by", lambda row, _: safe_line(row.run.trigger_source or ""), goes=1),
    Column("began", lambda row, style: style.when(row.run.created_at), right=True),
    Column("took", lambda row, _: words.took(row.run), right=True, goes=2),
    Column("cost", lambda row, _: marked_cost(row.run.price), right=True),
    Column("conversation", _led_to),
    Column("why", _why, share=1),
)


async def _show(call: Call, held: Automations, one: Automation) -> int:
    page = await held.runs(one, call.args.limit)
    loaded = (await call.source.newest()).items
    style = replace(call.style, now=held.now(one.server))
    rows = [
        _Run(run, words.conversation_of(run, loaded), words.outcome(run, style.now))
        for run in page.runs
    ]
    if call.as_json:
        document = listed_json(one, page, style.now, loaded)
        prompt = bounded(one.prompt) if one.prompt else None
        runs = [run_json(*row) for row in rows]
        print_json({**document, "prompt": prompt, "runs": runs, "total": page.total})
        return 0
    off = words.why_off(one, style.when(one.disabled_at))
    if not style.piped:
        print(style.paint(safe_line(one.name or one.id), "bold"))
    print_pairs(
        style,
        [
            ("id", safe_line(one.id)),
            ("name", safe_line(one.name or "") if style.piped else ""),
            ("server", one.server),
            ("runs", words.trigger_words(one.trigger)),
            ("state", Cell(off, "amber" if words.off_by_itself(one) else "dim")),
            ("model", safe_line(one.model or "")),
            ("may take", duration(one.timeout) if one.timeout and one.timeout > 0 else ""),
            ("tags", ", ".join(map(safe_line, one.tags or ()))),
            ("failed", words.failed_share(page.counts)),
            ("prompt", safe_line(one.prompt or "", 200)),
        ],
    )
    print()
    print_rows(style, _RUNS, rows)
    if page.total and page.total > len(rows):
        say(f"the newest {len(rows)} of {page.total:,} runs")
    return 0


async def _show_run(call: Call, held: Automations, run: AutomationRun) -> int:
    conversation = await held.conversation(run)
    log = await held.log(run, conversation)
    code = log.exit_code if log else None
    style = replace(call.style, now=held.now(run.server))
    row = _Run(run, conversation, words.outcome(run, style.now, script_ended=code is not None))
    if call.as_json:
        print_json({**run_json(*row), "log": log and log_json(log)})
        return 0
    print_pairs(
        style,
        [
            ("run", safe_line(run.id)),
            ("status", _status(row, style)),
            ("last report", words.phase(run)),
            ("why", words.cause(run)),
            ("said", safe_line(run.result.get("message", ""), 1000)),
            ("by", safe_line(run.trigger_source or "")),
            ("began", style.when(run.created_at)),
            ("took", words.took(run)),
            ("cost", marked_cost(run.price)),
            ("conversation", f"{conversation_id(conversation)}  {title(conversation)}"
             if conversation else words.NOT_KNOWN),
            ("script", "" if log is None else "goes on" if code is None else f"exit code {code}"),
        ],
    )  # fmt: skip
    lines = log_json(log)["text"].splitlines() if log else []
    if len(lines) > LOG_LINES and not style.piped:
        say(f"the last {LOG_LINES} of {len(lines):,} lines that its script printed:")
        lines = lines[-LOG_LINES:]
    for line in lines:
        print(line)
    return 0


# acts


async def _dispatch(call: Call, held: Automations, one: Automation) -> int:
    stake = f"This runs {safe_line(one.name or one.id)} now, which may cost money"
    if prompt := safe_line(one.prompt or "", 80).rstrip("."):
        stake += f": {prompt}"
    require_consent(call, stake, "oh-tui automations run ... --yes")
    call.goes_on = "it may still be run: oh-tui automations shows it"
    run = await held.run_now(one)
    call.goes_on = ""
    outcome = words.outcome(run)
    if call.as_json:
        print_json({"run": run_json(run, None, outcome), "stages": [outcome.word]})
    else:
        print(f"{outcome.word}  {safe_line(run.id)}")
    return 0


async def _stop(call: Call, held: Automations, run: AutomationRun) -> int:
    plan = await held.stop_plan(run)
    name = f" of {title(plan.conversation)}" if plan.conversation else ""
    stake = f"This will {plan.words}: {safe_line(run.id)[:8]}{name}"
    require_consent(call, stake, "oh-tui automations stop ... --yes")
    call.goes_on = "it may still be stopped: oh-tui automations show ID shows it"
    stages: list[str] = []
    with progress() as show:
        async for stage in held.stop(plan):
            stages.append(stage)
            show(stage)
    call.goes_on = ""
    if call.as_json:
        now = await held.current(run)
        outcome = words.outcome(now, held.now(run.server))
        print_json({"run": run_json(now, None, outcome), "stages": stages})
    else:
        print(", ".join(stage for stage in stages if not stage.endswith(("ing the run", "now"))))
    return 0


async def _switch(call: Call, held: Automations, one: Automation) -> int:
    after = await held.set_enabled(one, call.args.action == "enable")
    if call.as_json:
        print_json(listed_json(after, None, held.now(one.server)))
    else:
        print(f"{'on' if after.is_on else 'off'}  {safe_line(after.name or after.id)}")
    return 0

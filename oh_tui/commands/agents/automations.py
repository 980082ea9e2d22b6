"""`oh-tui automations`: what servers run by themselves, their runs, and how to stop and switch
them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from oh_tui.actions.automations import Automations, RunLog
from oh_tui.api.automation_models import Automation, AutomationRun, RunPage
from oh_tui.catalog import automations as words
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.acting import require_consent, require_writable
from oh_tui.commands.framework.command import Call, argument, command, flag, number_of
from oh_tui.commands.framework.printing import Style, print_json, print_pairs, print_rows
from oh_tui.conversation import Conversation, bare_id
from oh_tui.documents.automations import bounded, listed_json, log_json, run_json
from oh_tui.sources.server import ServerSource
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import duration, marked_cost
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import progress, say
from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.trajectory.model.clock import seconds

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
        "automations stop 3174": "cancels the run and stops its agent, which else works on",
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
    if action not in (None, "show"):
        require_writable(f"automations {action}", call.settings, by_flag=call.args.read_only)
    if isinstance(call.source, ServerSource):
        await call.source.require_kind()
    if call.source.members:
        await call.source.newest()  # finds out their kinds
    held = call.source.automations
    assert held is not None
    every = await held.all()
    if held.problems and not every:
        raise next(iter(held.problems.values()))
    if held.problem:
        say(held.problem)
    if action is None:
        return await _list(call, held, every)
    found = None if action == "stop" else _called(every, of)
    if action == "show" and found:
        return await _show(call, held, found)
    if action in ("show", "stop"):
        run = await _run(call, held, every, of)
        if action == "show":
            return await _show_run(call, held, run)
        _require_writable(call, run.server)
        return await _stop(call, held, run)
    if found is None:
        raise Problem(f"There is no automation {safe_line(of)}", "oh-tui automations lists them")
    _require_writable(call, found.server)
    if action == "run":
        return await _dispatch(call, held, found)
    return await _switch(call, held, found, enabled=action == "enable")


def _require_writable(call: Call, server: str) -> None:
    """Raises Problem for a server of a list that the settings say is read only."""
    call.on, settings = server, call.settings.of(server)
    require_writable(f"automations {call.args.action}", settings, by_flag=call.args.read_only)


def _called(every: Sequence[Automation], of: str) -> Automation | None:
    named = [one for one in every if of in (one.id, one.name)]
    named = named or [one for one in every if _begins(one.id, of)]
    return _only(named, of, "automations")


def _begins(identifier: str, start: str) -> bool:
    return len(start) >= 3 and bare_id(identifier).startswith(bare_id(start))


def _only(found: Sequence[T], of: str, what: str) -> T | None:
    if len(found) > 1:
        named = ", ".join(safe_line(one.id) for one in found[:5])
        raise Problem(f"{len(found)} {what} are meant by {safe_line(of)}", f"such as {named}")
    return found[0] if found else None


async def _run(
    call: Call, held: Automations, every: Sequence[Automation], of: str
) -> AutomationRun:
    """The run with this start of an id, of the automations that ran last: no server finds one."""
    last = sorted(every, key=lambda one: one.last_triggered_at or "", reverse=True)
    asked = last[: call.args.limit]
    for automation in asked:
        page = await held.runs(automation, 100)
        if found := _only([run for run in page.runs if _begins(run.id, of)], of, "runs"):
            return found
    raise Refused(
        f"There is no automation {safe_line(of)}, and no such run among the last hundred of "
        + (f"the {len(asked)} automations that ran last" if len(asked) < len(last) else "each"),
        "oh-tui automations show ID lists the runs of one",
    )


# the list


class _Listed(NamedTuple):
    automation: Automation
    page: RunPage | None
    now: float
    working: Sequence[str] = ()
    """Runs that are over and whose agents work on."""


def _when(style: Style, now: float, moment: str | None) -> str:
    """An age by the clock of the server, or the time itself."""
    return replace(style, now=now).when(moment)


def _marks(row: _Listed, style: Style) -> Cell:
    outcomes = words.marks(row.page.runs, row.now) if row.page else []
    if style.piped:
        return Cell(",".join(one.word for one in outcomes))
    glyphs = ASCII if style.ascii else UNICODE
    hue = outcomes[0].hue if outcomes else ""
    return Cell("".join(one.mark(glyphs)[0] for one in outcomes), HUES.get(hue, hue))


_COLUMNS: tuple[Column[_Listed, Style], ...] = (
    Column("id", lambda row, style: _shown(row.automation.id, style)),
    Column("server", lambda row, _: row.automation.server, goes=2),
    Column("automation", lambda row, _: safe_line(row.automation.name or ""), share=2),
    Column("runs", lambda row, style: _when_on(row, style), share=2),
    Column("last", _marks),
    Column("failed", lambda row, _: words.failed_share(row.page.counts) if row.page else "",
           right=True),
    Column("began", lambda row, style: _when(style, row.now, row.automation.last_triggered_at),
           right=True),
)  # fmt: skip


def _shown(identifier: str, style: Style) -> str:
    shown = safe_line(identifier)
    return shown if style.piped else shown[:8]


def _when_on(row: _Listed, _style: Style) -> Cell:
    if off := words.why_off(row.automation):
        return Cell(off, "dim")
    return Cell(words.trigger_words(row.automation.trigger))


async def _list(call: Call, held: Automations, every: Sequence[Automation]) -> int:
    read = every[: call.args.limit]
    pages = await asyncio.gather(*(held.runs(one, MARKS) for one in read), return_exceptions=True)
    for told in pages:
        if isinstance(told, BaseException) and not isinstance(told, Problem):
            raise told
    if failed := [one for one in pages if isinstance(one, Problem)]:
        say(failed[0].sentence)
    loaded = (await call.source.newest()).items if read else []
    known = {id(one): page for one, page in zip(read, pages, strict=True)}
    rows = [
        _Listed(one, page, held.now(one.server), [
            run.id for run in (page.runs if page else ())
            if words.works_on(run, words.conversation_of(run, loaded))
        ])
        for one in every
        for told in [known.get(id(one))]
        for page in [told if isinstance(told, RunPage) else None]
    ]  # fmt: skip
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
    for run in (run for row in rows for run in row.working):
        say(f"the agent of a run that is over works on: oh-tui automations stop {safe_line(run)}")
    if not every:
        say("there are no automations" if held.are_there else "this server runs no automations")
    elif len(every) > len(read):
        say(f"the last runs of {len(every) - len(read):,} more are not read: --limit N")
    return 0


# one of them, and one run


class _Run(NamedTuple):
    run: AutomationRun
    conversation: Conversation | None
    now: float
    log: RunLog | None = None

    @property
    def outcome(self) -> words.Outcome:
        ended = self.log is not None and self.log.exit_code is not None
        return words.outcome(self.run, self.now, script_ended=ended)

    @property
    def status(self) -> Cell:
        if words.works_on(self.run, self.conversation):
            return Cell(f"{self.outcome.word}, its agent works on", "red")
        return Cell(self.outcome.word, HUES.get(self.outcome.hue, self.outcome.hue))

    @property
    def took(self) -> str:
        began, ended = (seconds(one or "") for one in (self.run.started_at, self.run.completed_at))
        return duration(ended - began) if began and ended and ended >= began else ""

    @property
    def why(self) -> str:
        return words.cause(self.run) or words.phase(self.run) * (self.run.status == "RUNNING")


_RUNS: tuple[Column[_Run, Style], ...] = (
    Column("run", lambda row, style: _shown(row.run.id, style)),
    Column("status", lambda row, _: row.status),
    Column("by", lambda row, _: safe_line(row.run.trigger_source or ""), goes=1),
    Column("began", lambda row, style: _when(style, row.now, row.run.created_at), right=True),
    Column("took", lambda row, _: row.took, right=True, goes=2),
    Column("cost", lambda row, _: marked_cost(row.run.price), right=True),
    Column("conversation", lambda row, style: (row.conversation is not None and
           _shown(conversation_id(row.conversation), style)) or ""),
    Column("why", lambda row, _: row.why, share=1),
)  # fmt: skip


async def _show(call: Call, held: Automations, one: Automation) -> int:
    page = await held.runs(one, call.args.limit)
    loaded = (await call.source.newest()).items
    now = held.now(one.server)
    rows = [_Run(run, words.conversation_of(run, loaded), now) for run in page.runs]
    if call.as_json:
        runs = [run_json(row.run, row.conversation, row.outcome) for row in rows]
        prompt = bounded(one.prompt) if one.prompt else None
        working = [row.run.id for row in rows if words.works_on(row.run, row.conversation)]
        document = listed_json(one, page, now, working)
        print_json({**document, "prompt": prompt, "runs": runs, "total": page.total})
        return 0
    style = call.style
    off, since = words.why_off(one), _when(style, now, one.disabled_at)
    if not style.piped:
        print(style.paint(safe_line(one.name or one.id), "bold"))
    print_pairs(
        style,
        [
            ("id", safe_line(one.id)),
            ("name", safe_line(one.name or "") if style.piped else ""),
            ("server", one.server),
            ("runs", words.trigger_words(one.trigger)),
            ("state", Cell(f"{off}, since {since}" if off and since else off, "amber")),
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
    row = _Run(run, conversation, held.now(run.server), log)
    if call.as_json:
        print_json({**run_json(run, conversation, row.outcome), "log": log and log_json(log)})
        return 0
    style, code = call.style, None if log is None else log.exit_code
    result = run.result.get("message")
    print_pairs(
        style,
        [
            ("run", safe_line(run.id)),
            ("status", row.status),
            ("phase", words.phase(run)),
            ("why", words.cause(run)),
            ("said", safe_line(result, 1000) if isinstance(result, str) else ""),
            ("by", safe_line(run.trigger_source or "")),
            ("began", _when(style, row.now, run.created_at)),
            ("took", row.took),
            ("cost", marked_cost(run.price)),
            ("conversation", f"{conversation_id(conversation)}  {title(conversation)}"
             if conversation else "none known"),
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
    row = _Run(run, None, held.now(run.server))
    if call.as_json:
        print_json({"run": run_json(run, None, row.outcome), "stages": [row.outcome.word]})
    else:
        print(f"{row.outcome.word}  {safe_line(run.id)}")
    return 0


async def _stop(call: Call, held: Automations, run: AutomationRun) -> int:
    plan = await held.stop_plan(run)
    name = f" of {title(plan.conversation)}" if plan.conversation else ""
    require_consent(
        call,
        f"This will {plan.words}: {safe_line(run.id)[:8]}{name}",
        "oh-tui automations stop ... --yes",
    )
    call.goes_on = "it may still be stopped: oh-tui automations show ID shows it"
    stages: list[str] = []
    with progress() as show:
        async for stage in held.stop(plan):
            stages.append(stage)
            show(stage)
    call.goes_on = ""
    if call.as_json:
        now = _Run(await held.current(run), None, held.now(run.server))
        print_json({"run": run_json(now.run, None, now.outcome), "stages": stages})
    else:
        print(", ".join(stage for stage in stages if not stage.endswith(("ing the run", "now"))))
    return 0


async def _switch(call: Call, held: Automations, one: Automation, *, enabled: bool) -> int:
    after = await held.set_enabled(one, enabled)
    if call.as_json:
        print_json(listed_json(after, None, held.now(one.server)))
    else:
        print(f"{'on' if after.is_on else 'off'}  {safe_line(after.name or after.id)}")
    return 0

"""`oh-tui tail`: the last steps of a run, and with -f those to come, up to a cost."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable

from oh_tui.actions.agent_actions import AgentStage
from oh_tui.batch.reports.one_run import branch_words, chosen, find, followed, read_run
from oh_tui.batch.reports.seen import standing
from oh_tui.commands.framework.acting import budget_word, require_consent, short
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag, number_of
from oh_tui.commands.framework.exit_codes import STOPPED
from oh_tui.commands.framework.printing import Row, Style, between_tabs, laid_out, print_json_line
from oh_tui.commands.steps import COLUMNS, step_row
from oh_tui.conversation import Conversation
from oh_tui.documents.run import step_json
from oh_tui.sources.budget import Budget
from oh_tui.sources.source import Runs
from oh_tui.tables.column import FILL, Cell, fit_columns
from oh_tui.text.human import dollars
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory

LINES = 10
"""Steps that are printed by default."""

_OVER = ("finished", "error", "stuck", "paused", "deleting")
"""States of an agent after which nothing comes by itself."""

_WIDTHS = (4, 7, 5, 5, 2, FILL, FILL, 6)
"""The width of each of `COLUMNS` on a terminal."""

GOES_ON = "on the server the agent works on"
WAITS = "the agent waits for your answer, on the server"


@command(
    "tail",
    *OF_RUN,
    argument(
        "-n",
        "--lines",
        type=number_of("steps", 0, 10**9),
        default=LINES,
        metavar="N",
        help=f"how many; {LINES} by default",
    ),
    flag("-f", "--follow", about="then the steps to come, until the run ends"),
    argument(
        "--stop-at",
        type=budget_word,
        metavar="DOLLARS",
        help="with -f: stop the agent after its step once its run has cost so much",
    ),
    flag("--yes", about="do not ask, for --stop-at"),
    settings=("read_only",),
    examples={
        "tail 5f3a": f"the last {LINES} steps",
        "tail -f 5f3a": "watch a run until it ends",
        "tail -f 5f3a --stop-at 5.00": "and stop it at $5.00, after asking once",
        "tail -f 5f3a -n 0 --json | jq -r .what": "only what is to come, for a script",
    },
    epilog="A step that is running is printed when it begins and again with its result. With\n"
    "--json each step is one line. How the run ended goes to stderr.\n\n"
    "--stop-at goes by the cost that the server tells, and works as long as this command runs.\n"
    "It asks once, at its start. Exit code 4 when it stopped the agent; with --read-only it says\n"
    "that the run has cost so much, and stops nothing.",
)
async def tail(call: Call) -> int:
    conversation = await chosen(call.source, call.identifier)
    limit = _Limit(call, conversation) if call.args.stop_at is not None else None
    if call.args.follow and conversation.execution_status == "running":
        call.goes_on = GOES_ON
    loaded = await read_run(call, conversation)
    if loaded.note:
        say(loaded.note)
    runs, via, branches = call.source.runs, loaded.via, followed(call, loaded)
    printer = _Printer(call, branches.shown)
    if call.args.follow:
        printer.tell_silence(conversation)
    is_limited = limit is not None and not _is_over(runs, conversation, branches.run)
    if limit and is_limited:
        limit.begin(printer.cost)
    if not call.as_json and (call.style.head or not call.style.piped):
        print(_line(call.style, [Cell(column.head or "", "dim") for column in COLUMNS]))
    printer.begin(call.args.lines)
    if not call.args.follow:
        return 0
    if limit and is_limited:
        await limit.look(printer.cost, branches.run)
    while not _is_over(runs, conversation, branches.run):
        again = False
        async with contextlib.aclosing(
            runs.follow(conversation, branches.run, via, _say_silence)
        ) as following:
            call.goes_on = _goes_on(conversation, branches.run)
            async for news in following:
                if news is None:
                    again = True
                    break
                changed = branches.extend(news)
                if changed is None:
                    say(branch_words(branches.shown))
                    printer.go_on(branches.shown)
                else:
                    printer.add(changed)
                call.goes_on = _goes_on(conversation, branches.run)
                if limit:
                    await limit.look(printer.cost, branches.run)
                if _is_over(runs, conversation, branches.run):
                    break
        if not again:
            break
        # its sandbox was paused or moved, or the cursor was lost: read the whole run again
        conversation = await find(call.source, conversation.id.replace("-", ""))
        loaded = await read_run(call, conversation)
        branches, via = followed(call, loaded), loaded.via
        printer.go_on(branches.shown)
    call.goes_on = ""
    printer.end()
    return STOPPED if limit and limit.has_stopped else 0


class _Limit:
    """Stops the agent of a run that has cost what `--stop-at` says."""

    def __init__(self, call: Call, conversation: Conversation) -> None:
        self._call = call
        self._id = conversation.id
        self._short = short(conversation)
        self._limit: float = call.args.stop_at
        self._told = False
        self.has_stopped = False
        if not call.args.follow:
            raise Problem("--stop-at watches a run, for which it needs -f", "add -f")
        if call.source.agents is None:
            raise Problem("These are files: no agent can be stopped", "name a run of a server")

    def begin(self, cost: float | None) -> None:
        """Asks once. Raises Problem without a yes."""
        call, budget = self._call, Budget(self._limit, cost)
        limit = dollars(self._limit)
        if cost is None:
            say(f"its cost is not known: until the server tells one, {limit} stops nothing")
        if call.settings.read_only:
            say(f"read-only: it is said when the run has cost {limit}, and nothing is stopped")
            return
        so_far = f"; it has cost {dollars(cost)} already" if cost and budget.spending else ""
        stake = f"The agent is stopped after its step when its run has cost {limit}{so_far}"
        done_by = f"oh-tui tail -f {self._short} --stop-at {self._limit:g} --yes"
        require_consent(call, stake, done_by)

    async def look(self, cost: float | None, trajectory: Trajectory) -> None:
        """Stops the agent if it has cost so much and works, by what its server says now."""
        budget = Budget(self._limit, cost)
        if not budget.is_over or trajectory.status != "running" or self.has_stopped:
            return
        if not self._told:
            self._told = True
            say(f"the run has cost {budget.words}")
        if self._call.settings.read_only:
            return
        state = await self._call.agents.state(self._id)
        if not state.runs:
            say(f"nothing to stop: {state.in_words}")
            return
        async for step in self._call.agents.stop(state, at_once=False):
            if isinstance(step, AgentStage):
                say(step)
                self._call.goes_on = "the agent was asked to stop, and does so when its step ends"
            else:
                say(step.in_words)
        self.has_stopped = True


def _goes_on(conversation: Conversation, trajectory: Trajectory) -> str:
    if conversation.sandbox_status is None:  # its own program tells
        return ""
    return WAITS if trajectory.status == "waiting_for_confirmation" else GOES_ON


def _say_silence(problem: Problem | None) -> None:
    say(f"{problem.sentence}: trying on" if problem else "the server answers again")


def _is_over(runs: Runs, conversation: Conversation, trajectory: Trajectory) -> bool:
    """Whether nothing more comes by itself. An idle agent is about to start when the last message
    is the user's; one that waits for an answer goes on when it has it."""
    if not runs.may_grow(conversation):
        return True
    status = trajectory.status or conversation.execution_status or ""
    if conversation.sandbox_status is None and status in ("", "running"):
        return not trajectory.live  # nothing writes the files
    if status == "idle":
        last = trajectory.steps[-1].event if trajectory.steps else None
        return last is not None and last.source != "user"
    return status in _OVER


class _Printer:
    """Prints each step once, or twice when its result came later than the call."""

    def __init__(self, call: Call, trajectory: Trajectory) -> None:
        self._call = call
        self._study = Study(trajectory)
        self._printed: dict[str, int] = {}
        """Event id of each printed step -> how many results it had then."""
        self._announced = ""
        """Event id of the step that was last reported as waiting."""

    def begin(self, count: int) -> None:
        steps = self._study.trajectory.steps
        older = steps[: max(0, len(steps) - count)]
        self._printed = {step.event.id: len(step.results) for step in older}
        self._print(steps)

    def go_on(self, trajectory: Trajectory) -> None:
        """Prints what is new in a run that was read again."""
        self._study = Study(trajectory)
        self._print(trajectory.steps)

    def add(self, changed: Iterable[int]) -> None:
        """The trajectory grew; steps with these numbers got a result."""
        self._study.update()
        steps = self._study.trajectory.steps
        first = len(steps)
        while first and steps[first - 1].event.id not in self._printed:
            first -= 1
        self._print([*(steps[number - 1] for number in changed), *steps[first:]])

    @property
    def cost(self) -> float | None:
        """US dollars that the run has cost by what its server tells."""
        return self._study.whole.sub_runs.cost().dollars

    def tell_silence(self, conversation: Conversation) -> None:
        now = standing(self._call, conversation, self._study)
        if now.silent is not None:
            say(now.verdict.cause)

    def end(self) -> None:
        verdict = self._study.verdict
        if verdict.word:
            say(f"{verdict.word}  {verdict.cause}".rstrip())

    def _print(self, steps: Iterable[Step]) -> None:
        trajectory = self._study.trajectory
        for step in steps:
            if self._printed.get(step.event.id) == len(step.results):
                continue
            self._printed[step.event.id] = len(step.results)
            if self._call.as_json:
                print_json_line(step_json(self._study, step))
            else:
                print(_line(self._call.style, step_row(self._call.style, self._study, step)))
            waits = trajectory.outcome(step) is Outcome.WAITING
            if waits and self._call.args.follow and self._announced != step.event.id:
                self._announced = step.event.id
                say(f"waits for you: step {step.number} runs when it is approved")
        sys.stdout.flush()


def _line(style: Style, row: Row) -> str:
    """A row whose columns stand where those of the row before stand."""
    if style.room is None:
        return between_tabs(row)
    widths = list(_WIDTHS)
    if style.times != "relative":
        widths[1] = 20
    return laid_out(style, COLUMNS, fit_columns(COLUMNS, widths, style.room), row)

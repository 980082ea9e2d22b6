"""An automation: what it is, its runs, and what came of the one under the cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.catalog.automations import (
    NOT_KNOWN,
    cause,
    failed_of,
    failed_share,
    is_over,
    off_by_itself,
    outcome,
    phase,
    took,
    trigger_words,
    why_off,
)
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import age, day_time, dollars, duration, plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.glyphs import UNICODE, Glyphs
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.presentation.block import (
    Block,
    Failure,
    Fields,
    Heading,
    Markdown,
    Note,
    output_blocks,
)
from oh_tui.tui.messages import AutomationsWanted
from oh_tui.tui.screens.acting import ActingView
from oh_tui.tui.screens.view import KeyLabels, pair
from oh_tui.tui.state.automations import AutomationRow
from oh_tui.tui.ui import Ui
from oh_tui.tui.widgets.automation_list import name_of, state_of
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Labels, Piece, Rule, joined, wrap_lines
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import Columns, TableList

if TYPE_CHECKING:
    from oh_tui.actions.automations import RunLog
    from oh_tui.api.automation_models import Automation, AutomationRun
    from oh_tui.conversation import Conversation

MOST_PROMPT = 3
"""Lines of the prompt above the runs; one on a low screen."""

LONGEST, LONGEST_LOG = 2_000, 200_000
"""Characters of a prompt that are looked at; of a log that are shown, those at its end."""


class RunRow(NamedTuple):
    run: AutomationRun
    conversation: Conversation | None
    """Where it is loaded."""
    works_on: bool
    """It is over, but its agent works on."""

    @property
    def leads(self) -> bool:
        """Whether enter opens its conversation."""
        return self.conversation is not None or bool(self.run.conversation_id)

    @property
    def can_stop(self) -> bool:
        return self.works_on or not is_over(self.run)


ReadLog: TypeAlias = "Callable[[AutomationRun], Awaitable[RunLog | None]]"


class RunList(TableList[RunRow]):
    now = 0.0
    """By the clock of the server."""

    def columns(self) -> Columns[RunRow]:
        return (
            Column("", lambda row, glyphs: Cell(*_sign(row, self.now, glyphs)), width=1),
            Column("", lambda row, _: outcome(row.run, self.now).word, gap=1),
            Column("began", lambda row, _: _aged(row.run, self.now), right=True, hue="dim"),
            Column("took", self._took, right=True, hue="dim"),
            Column("by", lambda row, _: cached_line(row.run.trigger_source), hue="dim", goes=1),
            Column("cost", _cost, right=True),
            Column("what", _what, width=FILL, share=2),
            Column("conversation", _conversation, share=1, usual_from=110),
        )

    def _took(self, row: RunRow, glyphs: Glyphs) -> str:
        return took(row.run, self.now) or glyphs.rejected

    def key(self, row: RunRow) -> object:
        return row.run.id


class AutomationScreen(ActingView):
    """Call `show` with what is known, again at each change."""

    DEFAULT_CSS = """
    AutomationScreen RunList, AutomationScreen BodyView { height: 1fr; }
    """
    HELP_TITLE = "In the runs of an automation"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "automations.open_run", "open run", tooltip="open its conversation"),
        Binding("P", "automations.stop", "stop run", tooltip="stop the run, and its agent"),
        Binding("p", "automations.switch", "switch off", tooltip="switch it off, or on again"),
        Binding("r", "again", "refresh"),
        *pair("J", "K", "scroll_half", "scroll", "what came of the run, down and up"),
        Binding("w", "wrap", "wrap", show=False, tooltip="wrap or cut long lines"),
        Binding("q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = "#automation-runs"

    def __init__(self, ui: Ui, of: Automation, log: ReadLog, under: str, *, changes: bool) -> None:
        """The cursor begins `under` the run with this id. Without `changes` nothing can be switched
        or stopped."""
        super().__init__(ui)
        self.of, self._read_log = of, log
        self._under, self._changes = under, changes
        self.row: AutomationRow | None = None
        self._logs: dict[str, RunLog | str] = {}
        """By id of a run; in words why there is none."""
        self._reread: set[str] = set()
        """Runs whose scripts may have printed more since."""
        self.rule, self.about = Rule(id="automation-rule"), Labels()
        self.list_rule, self.list = Rule(id="automation-runs-rule"), RunList(id="automation-runs")
        self.run_rule, self.body = Rule(id="automation-run-rule"), BodyView(id="automation-run")
        self.bodies = (self.body,)

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.about, self.list_rule, ColumnHead(self.list), self.list)
        yield from (self.run_rule, self.body, self.footer)

    def show(self, row: AutomationRow, runs: Sequence[RunRow], now: float) -> None:
        if self.row and self.row.page is not row.page:
            logs = self._logs.items()
            self._reread = {i for i, log in logs if isinstance(log, str) or log.exit_code is None}
        self.row, self.list.now = row, now
        found = next((n for n, one in enumerate(runs) if one.run.id == self._under), None)
        self._under = "" if found is not None else self._under
        self.list.show(runs, found, keep_line=found is None)
        if self.is_mounted:
            self.on_resize()

    def on_resize(self) -> None:
        if (row := self.row) is None:
            return
        one, glyphs, page = row.automation, self.rule.glyphs, row.page
        server = f" of {cached_line(one.server)}" if one.server else ""
        sign, _ = state_of(row, self.list.now).mark(glyphs)
        title = (f"{sign} {name_of(row)}", "title"), (f"  automation{server}", "dim")
        self.rule.title, self.rule.heavy = title, True
        on = {True: ("on", "good"), False: ("off", "dim"), None: ("on or off: not known", "dim")}
        works = "an agent works on" if row.working else ""
        self.rule.facts = joined([(works, "warn"), on[one.is_on]], glyphs.dot)
        self.about.lines = self._head(row)
        total = (page.total or len(page.runs)) if page else 0
        self.list_rule.title = ((plural(total, "run") if page else "Runs", "title"),)
        failed = failed_of(page.counts) if page else None
        share = failed_share(page.counts) if page else ""
        half = sum(outcome(run).hue == "warn" for run in row.runs)
        self.list_rule.facts = joined(
            [
                ("as last read" if row.problem and page else "", "warn"),
                (share and f"{share} failed", "warn" if failed and failed[0] else "dim"),
                (f"{half} blocked or in part" if half else "", "warn"),
                (f"the last {len(row.runs)}" if total > len(row.runs) else "", "dim"),
            ],
            glyphs.dot,
        )
        self.list.empty = _nothing(row)
        count = len(row.runs)  # at most half of the lines; the run under the cursor has the rest
        self.run_rule.display = self.body.display = count > 0
        self.list.styles.height = min(count, max(3, self.size.height // 2 - 6)) if count else "1fr"
        self._show_run()

    def _head(self, row: AutomationRow) -> list[list[Piece]]:
        """The first lines of its prompt, what starts it, why it is off."""
        one, room, more = row.automation, max(8, self.size.width - 2), self.rule.glyphs.more
        prompt = safe_line(one.prompt or "", LONGEST) or "its prompt is not known"
        most = MOST_PROMPT if self.size.height > 30 else 1
        lines = wrap_lines([[(prompt, "" if one.prompt else "dim")]], room, most, more)
        timeout = one.timeout if one.timeout and one.timeout > 0 else None
        facts = [
            trigger_words(one.trigger),
            f"model {safe_line(one.model, 60)}" if one.model else "the active model",
            f"at most {duration(timeout)} a run" if timeout else "",
        ]
        told = f" {self.rule.glyphs.dot} ".join(filter(None, facts))
        lines += wrap_lines([[(told, "dim")]], room, 2, more)
        since = seconds(one.disabled_at or "")
        if why := why_off(one, "" if since is None else day_time(since, self.list.now), row.runs):
            lines += wrap_lines([[(why, "bad" if off_by_itself(one) else "")]], room, 3, more)
        return lines

    # The run under the cursor

    @on(RowList.Highlighted, "#automation-runs")
    def _show_run(self) -> None:
        if (here := self.list.current) is None:
            self.show_keys()
            return
        run, now = here.run, self.list.now
        sign, hue = _sign(here, now, self.rule.glyphs)
        began = _began(run)
        when = f"  {day_time(began, now)}" if began is not None else ""
        word = outcome(run, now).word
        self.run_rule.title = ((f"{sign} ", hue), (word, "title"), (when, "dim"))
        is_unread = run.id not in self._logs or run.id in self._reread
        if run.bash_command_id and not here.leads and is_unread:  # nothing else tells what happened
            self._reread.discard(run.id)
            self._logs.setdefault(run.id, "reading it …")
            self._take_log(run)
        shown = blocks(here, self._logs.get(run.id, ""), now)
        if shown != self.body.blocks:
            self.body.show(shown)
        self._show_position()

    @work(group="automation-log")
    async def _take_log(self, run: AutomationRun) -> None:
        try:
            log = await self._read_log(run)
        except Problem as problem:
            self._logs[run.id] = f"it could not be read: {problem.sentence}"
        else:
            self._logs[run.id] = log or "its server tells nothing of it"
        self._show_run()

    @on(BodyView.Scrolled)
    def _show_position(self) -> None:
        self.run_rule.facts = tuple(self.body.position_facts())
        self.show_keys()

    def key_labels(self) -> KeyLabels:
        here, is_on = self.list.current, self.row is not None and self.row.automation.is_on
        stop = "stop agent" if here and here.works_on else "stop run"
        return {
            "open run": here is not None and here.leads,
            "stop run": here is not None and here.can_stop and self._changes and stop,
            "switch off": self._changes and ("switch off" if is_on else "switch on"),
            "scroll": self.run_rule.facts,
        }

    # Keys

    @on(RowList.Opened, "#automation-runs")
    @on(BodyView.Opened)
    async def _open(self) -> None:
        await self.run_action("automations.open_run")

    def action_again(self) -> None:
        self._logs.clear()
        self._ui.post_message(AutomationsWanted(anew=True))


def _nothing(row: AutomationRow) -> tuple[str, ...]:
    if row.problem:
        return f"its runs could not be read: {row.problem}", "r tries again"
    if row.page is None:
        return ("reading its runs …",)
    return "it has not run yet", "ctrl+p: run automation now"


def _sign(row: RunRow, now: float, glyphs: Glyphs) -> Piece:
    return (glyphs.failed, "warn") if row.works_on else outcome(row.run, now).mark(glyphs)


def _what(row: RunRow, _glyphs: Glyphs) -> Cell:
    """What is wrong; else where it is, or what its agent says that it did."""
    if row.works_on:
        return Cell("its agent works on", "warn")
    found = cause(row.run) or row.run.result.get("message", "")
    told = safe_line(found if is_over(row.run) else phase(row.run), 300)
    return Cell(told) if told else Cell(NOT_KNOWN, "dim")


def _conversation(row: RunRow, _glyphs: Glyphs) -> Cell:
    if row.conversation:
        return Cell(title_of(row.conversation))
    return Cell("not in the list" if row.leads else NOT_KNOWN, "dim")


def _cost(row: RunRow, glyphs: Glyphs) -> Cell:
    return Cell(dollars(row.run.price)) if row.run.price else Cell(glyphs.rejected, "dim")


def _began(run: AutomationRun) -> float | None:
    return seconds(run.started_at or run.created_at or "")


def _aged(run: AutomationRun, now: float) -> str:
    began = _began(run)
    return age(began, now) if began is not None else ""


def blocks(row: RunRow, log: RunLog | str, now: float) -> list[Block]:
    """All that is known of a run; each text is safe to show."""
    run, detail, found = row.run, row.run.status_detail, list[Block]()
    text, exited = ("", None) if isinstance(log, str) else (log.text[-LONGEST_LOG:], log.exit_code)
    if row.works_on:
        found.append(Failure("It is over, but its agent works on, which costs money: P stops it."))
    elif outcome(run, now) != outcome(run):
        found.append(Failure("Nothing has been heard of it and its time is over: P stops it."))
    elif exited is not None and not is_over(run):
        found.append(Failure("Its script has ended and nothing more is heard of it: P stops it."))
    code = (detail and detail.code) or ""
    ends = None if is_over(run) else seconds(run.timeout_at or "")
    facts = {
        "conversation": _conversation(row, UNICODE).text,
        "last report": phase(run) * (is_over(run) and run.status != "COMPLETED"),
        "error": "" if code.lstrip("-").isdecimal() else safe_line(code, 80),
        "may run until": "" if ends is None else day_time(ends, now),
    }
    found.append(Fields(tuple(fact for fact in facts.items() if fact[1])))
    if (said := run.result.get("message", "")).strip():
        found += [Heading("its agent says"), Markdown(safe(said))]
    why = ((detail and detail.detail) or run.error_detail or "").strip()
    told = why.removeprefix(f"exit_code={exited}").strip().removeprefix("stderr: ")
    if told not in text:  # what its script printed is told below
        found += [Heading("what went wrong"), Failure(safe(why))]
    if isinstance(log, str):
        return [*found, Heading("what its script printed"), Note(log)] if log else found
    code = "" if exited is None else f", exit code {exited}"
    printed = output_blocks(text) or [Note("nothing")]
    left = [Note("a part of it")] if log.is_cut or len(log.text) > LONGEST_LOG else []
    return [*found, Heading(f"what its script printed{code}"), *printed, *left]

"""The automations in pane 2: their rows, the calls they cost, and what `p` and `P` do there."""

from __future__ import annotations

import json

import pytest
from starlette.responses import Response

from oh_tui.actions.automations import Automations
from oh_tui.api import BareAgentServer
from oh_tui.api.automation_models import Automation
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.servers.automations import BASE, make_canvas
from oh_tui.settings.startup import Settings
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.several import Several
from oh_tui.sources.source import Source
from oh_tui.tui.hints import idle_keys
from oh_tui.tui.screens.automation import AutomationScreen
from tests.api.servers import AT_ONCE
from tests.tui.explorer import NOW, Between, Explorer, explore

SWEEP, FLAKY = "Migrate one module to pydantic 2", "Watch the CI of the storefront"
LIST, RUNS, SWITCH = f"GET {BASE}", f"GET {BASE}/*/runs", f"PATCH {BASE}/*"
CANCEL, INTERRUPT = f"POST {BASE}/runs/*/cancel", "POST /api/conversations/*/interrupt"


class Canvas:
    """A source of the demo of Canvas, with what was asked of it."""

    def __init__(self, *, starts: bool = False, has_automations: bool = True) -> None:
        self.world = world = Demo(NOW).world
        self.between = Between()
        self.app = self.between(make_canvas(world) if has_automations else make_alone(world))
        self.beside_starts(starts)

    def beside_starts(self, starts: bool) -> None:
        """Whether its automation server is still starting."""
        if starts:
            self.between.answer(f"GET {BASE}*", 502, "Bad Gateway")
        else:
            self.between.answers.clear()

    def source(self) -> Source:
        api = BareAgentServer("http://canvas.test", app=self.app, retries=AT_ONCE)
        return AgentServerSource(api, "canvas")


async def there(it: Explorer, name: str = "") -> None:
    """Wait for the automations and their runs; go to one."""
    pane = it.screen.sidebar.automation_list
    await it.until(lambda: pane.rows and all(row.page for row in pane.rows[: pane.size.height]))
    await it.settle()
    it.screen.focus_pane("automations")
    if name:
        pane.move_to([row.automation.name for row in pane.rows].index(name))
    await it.settle()


def lines(it: Explorer) -> list[str]:
    return it.text("#automations").split("\n")


# On the screen


async def test_a_row_tells_how_its_last_runs_ended_and_what_is_wrong() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        rule, rows = it.text("#automations-rule"), lines(it)
        assert "2 Automations" in rule and "1 off by itself" in rule
        assert rows[0].split() == ["▌✗", "Nightly", "depende…", "off", "by", "itself", "✓✗✗✗"]
        sweep = next(row for row in rows if "Migrate" in row)
        assert sweep.startswith(" ! Migr") and "works on" in sweep and "!✓✗" in sweep
        triage = next(row for row in rows if "Triage" in row)
        assert triage.startswith(" !") and triage.endswith("blocked  ✓!!"), "it is not green"
        health = next(row for row in rows if "Health" in row)
        assert health.startswith(" !") and "probably dead" in health
        assert "sandboxes" not in it.screen.arrangement.visible()
        await it.press("z")
        whole = it.text("#automations")
        for told in (
            "every day at 03:00 UTC", "3 of 4 failed", "by itself, after 3 failed runs: Y", "  2h",
            "every 1 January at 03:00 UTC", "off by hand", "an agent works on",
        ):  # fmt: skip
            assert told in whole
        assert "1 off by itself · 1 works on · 6 on · 1 off" in it.text("#automations-rule")


@pytest.mark.parametrize("size", [(160, 48), (120, 36), (80, 24)])
async def test_it_stands_in_each_size_below_the_conversations(size: tuple[int, int]) -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=size) as it:
        await there(it, SWEEP)
        await it.until(lambda: "works on" in it.text("#automations"))
        assert "P stop agent" in it.footer and "p switch off" in it.footer
        assert "enter open" in it.footer
        assert it.screen.sidebar.automation_list.size.height <= 7
        assert it.screen.sidebar.list.size.height > 9


async def test_the_name_comes_first_in_a_narrow_pane() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(120, 36)) as it:
        await there(it)
        for columns, drawn in ((30, "Nightly dependency b… ✓✗✗✗"), (20, "Nightly de… ✓✗✗✗")):
            it.screen._arrange(it.screen.session.arrangement.divided(columns))
            await it.settle()
            assert lines(it)[0] == f"▌✗ {drawn}"


async def test_without_automations_all_is_as_it_was() -> None:
    canvas = Canvas(has_automations=False)
    async with explore(source=canvas.source) as it:
        await it.until(lambda: canvas.between.count(LIST))
        await it.settle()
        assert not it.screen.arrangement.automations
        assert it.text("#automations-rule") == ""
        await it.press("2")
        assert "this is an agent server: there is no sandbox" in it.footer
        await it.press("r", "r")
        assert canvas.between.count(f"{LIST}*") == 1, "asked once"
        assert {"pane.2", "run automation now"} <= idle_keys(it.screen.session.source)


async def test_while_their_server_starts_it_says_so_and_goes_on() -> None:
    canvas = Canvas(starts=True)
    async with explore(source=canvas.source) as it:
        await it.until(lambda: "starting, or away" in " ".join(it.text("#automations").split()))
        assert it.screen.sidebar.conversations, "the list of conversations does not wait"
        await it.press("2")
        assert it.screen.session.pane == "automations"
        await it.press("enter", "p")
        assert "no automation is selected" in it.footer


async def test_a_thousand_cost_the_calls_of_those_in_sight() -> None:
    canvas = Canvas()

    def many(first: int) -> Response:
        rows = [{"id": f"{n:032x}", "name": f"number {n:04}", "enabled": True,
                 "trigger": {"type": "cron", "schedule": "* * * *"},
                 "last_triggered_at": "2026-11-24T15:00:00Z"}
                for n in range(first, first + 100)]  # fmt: skip
        body = {"automations": rows, "total": 1_000}
        return Response(json.dumps(body), media_type="application/json")

    pages = iter(range(10_000))
    canvas.between.answers[LIST] = lambda: many(next(pages) % 10 * 100)
    runs = {"id": "a" * 32, "status": "COMPLETED"}
    body = json.dumps({"runs": [runs], "total": 1, "status_counts": {"COMPLETED": 1}})
    canvas.between.answer(RUNS, 200, body, "application/json")
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        height = it.screen.sidebar.automation_list.size.height
        assert canvas.between.count(LIST) == 10, "a page of a hundred each"
        assert canvas.between.count(RUNS) == height == 7
        assert "1,000 on" in it.text("#automations-rule")
        it.screen.controllers.automations.read()
        await it.settle()
        assert canvas.between.count(LIST) == 20
        assert canvas.between.count(RUNS) == height, "none ran since: none is read again"
        await it.press("G")
        await it.until(lambda: canvas.between.count(RUNS) == 2 * height)
        assert "* * * *" not in lines(it)[-1] and "number 0999" in lines(it)[-1]
        await it.press("r")
        await it.until(lambda: canvas.between.count(RUNS) == 3 * height)


async def test_hostile_names_draw_as_one_line() -> None:
    canvas = Canvas()
    hostile = "\x1b[31mred\x1b]0;title\x07\n[bold]two\u202e lines[/] \x00 sk-ant-" + "a" * 60
    row = {"id": "\x1b[2J", "name": hostile, "trigger": {"type": hostile, "schedule": 7},
           "state": hostile, "disabled_reason": hostile, "enabled": None}  # fmt: skip
    body = json.dumps({"automations": [row, {"id": "b"}, {"name": "no id"}, None], "total": 4})
    canvas.between.answer(LIST, 200, body, "application/json")
    run = {"id": hostile, "status": hostile, "current_phase": hostile, "cost": "x",
           "error_detail": hostile, "run_metadata": {"finish_tool_response": hostile}}  # fmt: skip
    body = json.dumps({"runs": [run, {}, None], "total": -1, "status_counts": {hostile: 3}})
    canvas.between.answer(RUNS, 200, body, "application/json")
    async with explore(source=canvas.source) as it:
        await there(it)
        drawn = it.text("#automations")
        assert "red" in drawn and "without a name" in drawn
        await it.press("enter")
        await it.settle()
        view = it.app.screen
        assert isinstance(view, AutomationScreen)
        drawn += it.text_of(view.list) + view.body.plain_text() + it.text_of(view.rule)
        assert not set("\x1b\x07\u202e\x00") & set(drawn) and "a" * 60 not in drawn


async def test_those_of_several_servers_stand_in_one_list_and_name_theirs() -> None:
    one, other = Canvas(), Canvas(starts=True)
    apis = {
        name: BareAgentServer("http://canvas.test", app=canvas.app, retries=AT_ONCE)
        for name, canvas in (("near", one), ("far", other))
    }

    def source() -> Source:
        made = one.source()
        vars(made)["automations"] = Automations(apis)  # as a source of several servers has it
        return made

    async with explore(source=source, size=(160, 48)) as it:
        await there(it, SWEEP)
        assert "as last read" in it.text("#automations-rule"), "the other server is starting"
        assert all("  near " in row for row in lines(it) if row.strip()), "narrow, too"
        await it.press("z")
        assert all("  near  " in row for row in lines(it) if row.strip())
        await it.press("P")
        assert f"near: {SWEEP}" in it.text("#question")
        await it.press("n")
        other.beside_starts(False)
        await it.press("r")
        await it.until(lambda: len(it.screen.sidebar.automation_list.rows) == 16)
        assert sum("  far  " in row for row in lines(it)) == 8
        rows = it.screen.sidebar.automation_list.rows
        assert [row.automation.server for row in rows] == ["far", "near"] * 8, "in one order"
        assert "as last read" not in it.text("#automations-rule")
        await it.press("g", "j", "enter")
        view = it.app.screen
        assert isinstance(view, AutomationScreen) and view.row
        assert view.row.automation.server in it.text_of(view.rule)


# Keys


async def test_the_cursor_walks_from_sandboxes_into_automations_and_back() -> None:
    async with explore(size=(160, 48)) as it:
        kept = it.screen.session.automations
        kept.take([Automation(id="a", name="A", enabled=True), Automation(id="b", name="B")])
        it.screen.on_automations_changed()
        await it.settle()
        assert "2 Sandboxes" in it.text("#sandboxes-rule")
        assert it.text("#automations-rule").startswith("─ Automations")
        await it.press("2", "G", "j")
        assert it.screen.session.pane == "automations"
        await it.press("j", "j")
        assert it.screen.sidebar.automation_list.cursor == 1
        await it.press("k", "k")
        assert it.screen.session.pane == "sandboxes"
        sandboxes = it.screen.sidebar.sandbox_list
        assert sandboxes.cursor == sandboxes.row_count() - 1
        await it.press("2")
        assert it.screen.session.pane == "automations"
        await it.press("2")
        assert it.screen.session.pane == "sandboxes"
        await it.press("tab")
        assert it.screen.session.pane == "automations"
        await it.press("c", "m", "d")
        assert "an automation is no conversation: enter shows its runs" in it.footer
        kept.take([])
        it.screen.on_automations_changed()
        assert it.screen.session.pane == "conversations", "it is gone"


async def test_p_switches_off_at_once_and_asks_before_it_switches_on() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it, FLAKY)
        await it.press("p")
        await it.until(lambda: "is off; what runs goes on · p undoes it" in it.footer)
        assert it.screen.session.automation.automation.name == FLAKY  # type: ignore[union-attr]
        assert canvas.between.count(SWITCH) == 1
        await it.press("p")
        assert "which costs money" in it.text("#question")
        await it.press("n")
        assert canvas.between.count(SWITCH) == 1
        await it.press("p", "enter")
        await it.until(lambda: f"{FLAKY} is on" in it.footer)
        assert canvas.between.count(SWITCH) == 2


async def test_capital_p_ends_the_agent_of_a_run_that_timed_out() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it, SWEEP)
        await it.press("P")
        asked = it.text("#question")
        assert SWEEP in asked and "Migrate to pydantic 2" in asked
        assert "stop its agent, which works on: the run is over (timed out)" in asked
        await it.press("enter")
        await it.until(lambda: canvas.between.count(INTERRUPT) == 1)
        await it.until(lambda: "works on" not in it.text("#automations"))
        assert canvas.between.count(CANCEL) == 0, "it was over"
        await it.press("P")
        assert "no run of it is under way, and no agent of one works" in it.footer


async def test_capital_p_on_its_conversation_names_the_run_and_ends_both() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        await it.open("Flaky CI on main")
        assert f"automation {FLAKY}" in it.text("#run-rule")
        await it.press("P")
        asked = it.text("#question")
        assert FLAKY in asked and "Flaky CI on main" in asked
        assert "stop the run, its script and its agent" in asked
        assert "stop both" in asked
        await it.press("enter")
        await it.until(lambda: canvas.between.count(INTERRUPT) == 1)
        assert canvas.between.count(CANCEL) == 1
        await it.until(lambda: "its agent is stopped" in it.footer)


async def test_capital_p_stops_the_run_on_the_server_of_the_conversation() -> None:
    near, far = Canvas(), Canvas()  # with the same automations, as of a copied folder
    near.between.answer("GET /api/conversations/search", 200, '{"items": []}', "application/json")
    both = {"near": near, "far": far}
    async with explore(
        source=lambda: Several({name: one.source() for name, one in both.items()}), size=(160, 48)
    ) as it:
        await there(it)
        await it.open("Flaky CI on main")
        await it.press("P")
        assert f"far: {FLAKY}" in it.text("#question")
        await it.press("enter")
        await it.until(lambda: far.between.count(INTERRUPT) == 1)
        assert (near.between.count(CANCEL), far.between.count(CANCEL)) == (0, 1)


async def test_capital_p_on_a_fork_of_its_conversation_stops_that_agent_alone() -> None:
    canvas = Canvas()
    for one in canvas.world.conversations.values():
        if one.entry.title == "Flaky CI on main":
            one.agent_tags |= {"forkedfrom": "0" * 32}
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        await it.open("Flaky CI on main")
        await it.press("P")
        assert "after this step" in it.text("#question")
        assert FLAKY not in it.text("#question")
        await it.press("n")


async def test_where_its_run_cannot_be_read_capital_p_stops_the_agent_alone() -> None:
    canvas = Canvas()
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it)
        canvas.between.answer(RUNS, 502, "Bad Gateway")
        await it.open("Flaky CI on main")
        await it.press("P")
        assert "after this step" in it.text("#question")
        await it.press("n")
        assert canvas.between.count(CANCEL) == 0


async def test_run_now_asks_as_it_costs_and_needs_an_automation() -> None:
    canvas, dispatch = Canvas(), f"POST {BASE}/*/dispatch"
    async with explore(source=canvas.source, size=(160, 48)) as it:
        await there(it, SWEEP)
        await it.screen.run_action("automations.run")
        await it.settle()
        assert "A run starts now, which costs money, its last run $0.42." in it.text("#question")
        assert canvas.between.count(dispatch) == 0
        await it.press("enter")
        await it.until(lambda: "it begins within 10 s" in it.footer)
        assert canvas.between.count(dispatch) == 1
        await it.press("1")
        await it.screen.run_action("automations.run")
        await it.settle()
        assert "no automation is selected: 2 goes to them" in it.footer


async def test_read_only_changes_nothing() -> None:
    canvas = Canvas()
    settings = Settings(read_only=True)
    async with explore(source=canvas.source, size=(160, 48), settings=settings) as it:
        await there(it, SWEEP)
        assert "p switch" not in it.footer and "P stop" not in it.footer
        for key in ("p", "P"):
            await it.press(key)
            assert "read-only" in it.footer
        await it.screen.run_action("automations.run")
        await it.settle()
        assert not canvas.between.count("PATCH *")
        assert not [one for one in canvas.between.asked if "dispatch" in one or "cancel" in one]


async def test_nothing_is_changed_on_a_server_of_several_that_is_read_only() -> None:
    canvas = Canvas()
    api = BareAgentServer("http://canvas.test", app=canvas.app, retries=AT_ONCE)

    def source() -> Source:
        made = canvas.source()
        vars(made)["automations"] = Automations({"near": api})
        return made

    settings = Settings(several=(("near", Settings(read_only=True)),))
    async with explore(source=source, size=(160, 48), settings=settings) as it:
        await there(it, SWEEP)
        for key in ("p", "P"):
            await it.press(key)
            assert "read-only" in it.footer, key
            assert not it.screen.asking.is_asking, key
        await it.screen.run_action("automations.run")
        await it.settle()
        assert "read-only" in it.footer
        await it.press("enter")
        view = it.app.screen
        assert isinstance(view, AutomationScreen)
        await it.settle()
        labels = view.key_labels()
        assert not labels["stop run"] and not labels["switch off"]
        for key in ("p", "P"):
            await it.press(key)
            await it.settle()
        assert not canvas.between.count("PATCH *")
        writes = ("dispatch", "cancel", "interrupt")
        assert not [one for one in canvas.between.asked if one.endswith(writes)]

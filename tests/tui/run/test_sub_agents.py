"""Sub-agents opened in place, below the step that started them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from starlette.responses import Response

from oh_tui.api import BareAgentServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_attributes import StepOrder, StepSorting
from oh_tui.tui.state.opened_sub_agents import OpenedSubAgents
from tests.trajectory import sub_agent_files
from tests.trajectory.made import failure, message, output, shell
from tests.trajectory.sub_agent_files import REPORTED, folder, run_files, worked, zip_of
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, explore


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Explorer]:
    """The explorer on a run with sub-agents, the cursor on its first step."""
    path = zip_of(folder / "run.zip", run_files("0" * 32 + "/", REPORTED))
    async with explore(source=lambda: FileSource([path]), size=(160, 48)) as it:
        await it.press("enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        await it.press("3", "g")
        yield it


def paths(it: Explorer) -> list[str]:
    timeline = it.screen.timeline
    steps = (timeline.row(row)[0] for row in range(timeline.row_count()))
    return [timeline.label_of(step) for step in steps if step]


async def test_right_opens_the_sub_agents_of_a_step_and_left_closes_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        assert paths(it) == ["1", "2", "3", "4"]
        await it.press("right")
        assert paths(it) == ["1", "2", "3", "4"]
        await it.press("j", "right")
        assert paths(it) == ["1", "2", "2.1", "2.2", "2.3", "3", "4"]
        await it.press("j", "j", "j", "right")
        assert paths(it)[2:8] == ["2.1", "2.2", "2.3", "2.3.1", "2.3.2", "2.3.3"]
        await it.press("j", "left")
        assert (paths(it)[4:], it.screen.timeline.cursor) == (["2.3", "3", "4"], 4)
        await it.press("left")
        assert (paths(it), it.screen.timeline.cursor) == (["1", "2", "3", "4"], 1)


async def test_right_and_left_say_why_they_do_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("right")
        assert "this step started no sub-agent" in it.footer
        await it.press("left")
        assert "no sub-agent is open here" in it.footer
        await it.press("j", "right")
        assert "sub-agent is" not in it.footer
        await it.press("right")
        assert "its sub-agents are open" in it.footer
        await it.press("x", "left")
        assert "x shows steps only" in it.footer
        await it.press("x", "s", "c")
        await it.until(lambda: it.screen.timeline.order)
        await it.press("right")
        assert "esc ends the sorting" in it.footer


async def test_right_says_that_a_run_is_missing(tmp_path: Path) -> None:
    files = run_files("0" * 32 + "/", REPORTED)
    alone = {name: data for name, data in files.items() if "/subagents/" not in name}
    path = zip_of(tmp_path / "run.zip", alone)
    async with explore(source=lambda: FileSource([path]), size=(160, 48)) as it:
        await it.press("enter")
        await it.until(lambda: it.screen.run_view.study is not None)
        await it.press("3", "g", "j", "right")
        assert "the run of its sub-agent is not available here" in it.footer


async def test_the_steps_of_two_sub_agents_of_one_step_follow_each_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "j", "right")
        assert paths(it) == ["1", "2", "3", "3.1", "3.2", "3b.1", "3b.2", "4"]


async def test_a_step_with_sub_agents_has_a_sign_and_theirs_are_indented(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right")
        lines = it.text("#timeline").splitlines()
        signed = [line for line in lines if "▸" in line]
        assert len(signed) == 3 and " 2.3 " in signed[1]
        (command,) = [line for line in lines if " 2.2 " in line]
        (last,) = [line for line in lines if " 4 " in line]
        assert command.index("$") == last.index("$") + 2
        assert "1 sub-agent without a step" in it.text("#timeline-rule")


async def test_the_detail_and_a_copy_are_of_the_step_of_the_sub_agent(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j")
        assert "Check it." in it.text("#result") + it.text("#call")
        assert it.screen.timeline.step_here == 2
        await it.press("b")
        assert "step 2.1 bookmarked" in it.footer


async def test_keys_that_walk_pass_over_the_steps_of_sub_agents(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j", "j", "j", "right")
        await it.press("j", "j", "j", "U")
        assert it.screen.timeline.cursor == 0
        await it.press("x")
        assert it.screen.timeline.show_events
        await it.press("x", "G")
        assert paths(it)[-1] == "4"


async def test_a_study_that_comes_while_events_are_shown_leaves_the_cursor(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "x", "g", "j", "j", "j")
        timeline = it.screen.timeline
        assert timeline.show_events and timeline.cursor == 3
        timeline.study = timeline.study
        assert timeline.cursor == 3
        await it.press("x")
        assert paths(it)[2] == "2.1"


async def test_enter_goes_into_the_run_of_a_sub_agent_and_esc_comes_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j", "j", "j")
        assert it.screen.timeline.cursor == 4
        assert "enter go into sub-agent" in it.footer
        await it.press("enter")
        await it.until(lambda: paths(it) == ["1", "2", "3"])
        assert "Go deep.  sub-agent of a sub-agent" in it.text("#run-rule")
        assert "LLMError" in it.text("#summary")
        assert it.footer.split("  ")[0].strip() == "esc leave sub-agent"
        assert "enter read whole" in it.footer
        it.screen.preview()  # as when the list is drawn again
        await it.settle()
        assert paths(it) == ["1", "2", "3"]
        await it.press("escape")
        await it.until(lambda: len(paths(it)) == 7 and it.screen.timeline.cursor == 4)
        assert it.screen.session.pane == "timeline"
        await it.press("k", "k", "k", "enter")
        await it.until(lambda: paths(it) == ["1", "2", "3"])
        assert "Check it.  sub-agent of Do it." in it.text("#run-rule")
        await it.press("G", "enter")
        await it.until(lambda: "Go deep." in it.text("#run-rule"))
        await it.press("escape")
        await it.until(lambda: "Check it." in it.text("#run-rule") and paths(it)[2:] == ["3"])
        await it.until(lambda: it.screen.timeline.cursor == 2)
        await it.press("escape")
        await it.until(lambda: len(paths(it)) == 7 and it.screen.timeline.cursor == 1)


async def test_of_two_sub_agents_of_a_step_enter_asks_which(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "j", "enter", "2")
        await it.until(lambda: "Call each.  sub-agent of Do it." in it.text("#run-rule"))
        await it.press("escape")
        await it.until(lambda: paths(it) == ["1", "2", "3", "4"])
        assert it.screen.timeline.cursor == 2


async def test_a_filter_keeps_what_is_opened_and_another_order_hides_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right")
        it.screen.timeline.filtered = (2, 4)
        await it.settle()
        assert paths(it) == ["2", "2.1", "2.2", "2.3", "4"]
        it.screen.timeline.filtered = None
        it.screen.timeline.order = StepSorting(StepOrder.COST)
        await it.settle()
        assert sorted(paths(it)) == ["1", "2", "3", "4"]
        it.screen.timeline.order = None
        await it.settle()
        assert paths(it) == ["1", "2", "2.1", "2.2", "2.3", "3", "4"]


async def test_an_opened_sub_agent_has_a_lane_in_the_strip(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        before = it.text("#strip").splitlines()
        await it.press("j", "right")
        assert len(it.text("#strip").splitlines()) == len(before) + 1
        lane = it.text("#strip").splitlines()[-1]
        assert lane.startswith(" 2 ") and len(lane.split()) > 1
        await it.press("j", "j", "j", "right")
        deep = it.text("#strip").splitlines()[-1]
        assert deep.startswith(" 2.3 ") and "✗" in deep
        await it.press("k", "k", "k", "left")
        assert len(it.text("#strip").splitlines()) == len(before)


async def test_of_many_lanes_those_around_the_cursor_are_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j", "j", "j", "right", "G", "k", "right")
        names = [line.split()[0] for line in it.text("#strip").splitlines()[4:]]
        assert names == ["2", "2.3", "3"]
        await it.press("G", "k")
        names = [line.split()[0] for line in it.text("#strip").splitlines()[4:]]
        assert names == ["2.3", "3", "3b"]
        await it.pilot.resize_terminal(100, 24)
        await it.until(lambda: len(it.text("#strip").splitlines()) == 4)
        assert it.text("#strip").splitlines()[-1].startswith(" 3b ")


async def test_the_rule_of_the_call_has_the_number_and_what_the_sub_agents_cost(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as it:
        await it.press("j")
        assert "+$0.35 by sub-agents" in it.text("#call-rule")
        await it.press("right", "j", "j", "j")
        assert "step 2.3 · task" in it.text("#call-rule")
        assert "$0.10" in it.text("#call-rule")


async def test_find_counts_the_hits_in_closed_sub_agents(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("slash")
        await it.type("$ ls")
        await it.press("enter")
        await it.until(lambda: "1 of 1 hit, 4 in closed sub-agents" in it.text("#timeline-rule"))
        await it.press("g", "j", "right")
        await it.until(lambda: "2 hits, 3 in closed sub-agents" in it.text("#timeline-rule"))
        await it.press("n")
        assert it.screen.timeline.label_of(it.screen.timeline.row(3)[0]) == "2.2"  # type: ignore
        await it.until(lambda: "1 of 2 hits, 3 in closed" in it.text("#timeline-rule"))


async def test_find_opens_the_sub_agents_to_the_only_hit(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("slash")
        await it.type("no such model")
        await it.until(lambda: "no hit, 1 in closed sub-agents" in it.text("#timeline-rule"))
        assert paths(it) == ["1", "2", "3", "4"]
        await it.press("enter")
        assert paths(it)[2:8] == ["2.1", "2.2", "2.3", "2.3.1", "2.3.2", "2.3.3"]
        assert it.screen.timeline.cursor == 7 and "step 2.3.3" in it.footer
        await it.until(lambda: "1 of 1" in it.text("#timeline-rule"))
        await it.press("escape", "slash")
        await it.type("not anywhere")
        await it.press("enter")
        assert "no step contains" in it.footer


async def test_the_summary_has_the_cost_of_all_and_who_failed(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        verdict, totals = it.text("#summary").splitlines()
        assert "! sub-agent 2.3 failed" in verdict
        assert "$1.13, $0.38 of it by sub-agents" in totals


async def test_an_update_of_the_run_leaves_the_cursor_in_the_sub_agent(tmp_path: Path) -> None:
    async with opened(tmp_path) as it:
        await it.press("j", "right", "j", "j")
        it.screen.run_view.study = it.screen.run_view.study
        await it.settle()
        assert it.screen.timeline.cursor == 3


def test_nothing_is_shown_below_a_step_that_is_gone() -> None:
    run, opened = Trajectory(), OpenedSubAgents()
    run.extend([output("a"), failure("a", "no")])
    study = Study(run)
    opened.open("2")
    assert list(opened.shown(study)) == [2]
    run.extend([shell("a")])  # both were steps until their call came
    study.update()
    assert len(run) == 1 and not opened.shown(study)


# conversations of a server

PARENT, CHILD = "Audit the public endpoints", "021779258ed25a2aa59f49689a6cd36f"


async def at_the_start(it: Explorer) -> str:
    """Opens a conversation, and goes to the step that started another; its number."""
    await it.open(PARENT)
    study = it.screen.run_view.study
    assert study is not None
    (number,) = (s.number for s in study.trajectory.steps if "StartChild" in s.event.part)
    it.screen.jump(number)
    await it.settle()
    return str(number)


async def test_a_sub_conversation_is_read_when_it_is_opened(tmp_path: Path) -> None:
    between = Between()
    async with explore(size=(160, 48), wrap=between) as it:
        number = await at_the_start(it)
        before = paths(it)
        assert "▸" in it.text("#timeline") and not between.count(f"*{CHILD}/*")
        await it.press("right")
        opened = [path for path in paths(it) if path not in before]
        assert opened[0] == f"{number}.1" and len(opened) > 3
        assert f" {number} " in it.text("#timeline").splitlines()[it.screen.timeline.cursor]
        await it.press("j")
        assert "/v1/export" in it.text("#call") + it.text("#result")
        asked = len(between.asked)
        await it.press("left")
        assert paths(it) == before
        await it.press("right")
        assert len(paths(it)) > len(before)
        assert not [call for call in between.asked[asked:] if CHILD in call]
        (run,) = it.screen.timeline.sub_runs_here
        run.trajectory.live, run.trajectory.status = True, "running"
        await it.press("left", "right")
        assert [call for call in between.asked[asked:] if CHILD in call]
        assert it.screen.timeline.sub_runs_here != [run] and len(paths(it)) > len(before)


async def test_esc_stops_the_reading_of_a_sub_conversation() -> None:
    between = Between()
    async with explore(size=(160, 48), wrap=between) as it:
        await at_the_start(it)
        before = paths(it)
        held = between.hold(f"*{CHILD}/*")
        await it.send("right")
        await it.until(lambda: "esc stops" in it.footer)
        await it.press("escape")
        held.set()
        await it.until(lambda: "stopped: the sub-agents stay closed" in it.footer)
        assert paths(it) == before


async def test_a_sub_conversation_that_cannot_be_read_says_so() -> None:
    between = Between()
    async with explore(size=(160, 48), wrap=between) as it:
        await at_the_start(it)
        before = paths(it)
        between.answer(f"*{CHILD}/*", 500)
        await it.press("right")
        await it.until(lambda: "500" in it.footer)
        assert paths(it) == before


def download_with_sub_agent() -> Response:
    """The download of a run whose sub-agent has the prompt of the demo's task."""
    prompt = "Check that each `--help` names the same options as before."
    files = folder("x/", [message("m", "Do it.")])
    files |= folder("x/subagents/7c1e/", worked("t", prompt, 3), "7c1e")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return Response(file.getvalue(), media_type="application/zip")


async def test_an_agent_server_gives_the_sub_agents_of_tasks_in_its_download() -> None:
    """Joined by the prompt, as the demo's task has it."""
    between = Between()
    app = between(make_alone(Demo(NOW, "everything").world))
    api = BareAgentServer("http://demo.invalid", app=app, retries=AT_ONCE)
    async with explore(source=lambda: AgentServerSource(api, "here"), size=(160, 48)) as it:
        await it.open("Port the CLI to click")
        await it.until(lambda: it.screen.run_view.study is not None)
        steps = it.screen.run_view.study.trajectory.steps  # type: ignore[union-attr]
        (number,) = (step.number for step in steps if step.event.part == "TaskAction")
        it.screen.jump(number)
        await it.settle()
        before = paths(it)
        await it.press("right")
        await it.until(lambda: "keeps no steps of this sub-agent" in it.footer)
        between.answers["GET /api/file/download-trajectory/*"] = download_with_sub_agent
        await it.press("escape", "right")
        await it.until(lambda: len(paths(it)) == len(before) + 2)
        assert f"{number}.2" in paths(it)
        await it.press("enter")
        assert it.screen.session.arrangement.zoom == "detail"


async def test_those_in_a_paused_sandbox_are_read_once_it_runs() -> None:
    between = Between()
    between.answers["GET *download-trajectory/*"] = download_with_sub_agent
    async with explore(size=(160, 48), wrap=between) as it:
        await it.open("Port the CLI to click")
        await it.until(lambda: it.screen.run_view.study is not None)
        steps = it.screen.run_view.study.trajectory.steps  # type: ignore[union-attr]
        (number,) = (step.number for step in steps if step.event.part == "TaskAction")
        it.screen.jump(number)
        await it.settle()
        before = paths(it)
        await it.press("right")
        await it.until(lambda: "are in the sandbox, which is paused: p resumes it" in it.footer)
        assert paths(it) == before
        await it.press("escape", "p")
        await it.until(lambda: "Resume sandbox" in it.text("#question"))
        await it.press("enter")
        await it.until(lambda: "sandbox running again" in it.footer)
        await it.settle()
        await it.press("3", "right")
        await it.until(lambda: len(paths(it)) == len(before) + 2)


async def test_steps_of_sub_agents_have_what_they_are_worth_a_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sub_agent_files, "shell", partial(shell, command="sudo ls"))
    async with opened(tmp_path) as it:
        await it.press("j", "right", "vertical_line", "w", "escape")
        rows = it.text("#timeline").split("\n")
        marked = [row.split()[0] for row in rows if " sudo " in row and "$" in row]
        assert marked == ["2.2", "4"]
        assert all(row.count("sudo") == 2 for row in rows if "$ sudo" in row)

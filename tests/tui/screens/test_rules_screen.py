"""`C`: which rules a run holds and breaks, and by which steps; the verdict line counts them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.batch.rules import rule
from oh_tui.batch.rules.rule import findings
from oh_tui.tui.screens.rules import RulesScreen
from tests.tui.explorer import Explorer, case, explore

WEEKS = "Parse ISO week dates"


async def asked(explorer: Explorer) -> RulesScreen:
    await explorer.press("C")
    return await shown(explorer)


async def shown(explorer: Explorer) -> RulesScreen:
    view = explorer.app.screen
    assert isinstance(view, RulesScreen)
    await explorer.until(lambda: view.found)
    await explorer.settle()
    return view


def lines(explorer: Explorer, view: RulesScreen) -> list[str]:
    return explorer.text_of(view.list).rstrip().split("\n")


async def test_enter_goes_to_each_step_that_breaks_a_rule_and_esc_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "oh-tui" / "rules.toml"
    file.parent.mkdir()
    limit = 'name = "within-limits"\nwhy = "Why not"\nseverity = "medium"\nrun = "took:>6m"\n'
    file.write_text(f"[[rule]]\n{limit}")
    async with explore() as explorer:
        await explorer.open(WEEKS)
        await explorer.press("g")
        view = await asked(explorer)
        assert "✗ 5 broken · ✓ 6 hold · – 1 nothing to check" in explorer.text_of(view.rule)
        rows = lines(explorer, view)
        assert len(rows) == 12
        assert rows[0].split() == ["▌✗", "medium", "tests-not-bent", "step", "40"]
        assert "steps 58-61" in rows[1]
        assert rows[-2].split()[:4] == ["✓", "low", "context-nearly-full", "Above"]
        assert rows[-1].split() == ["–", "high", "tested-before-commit", "nothing", "to", "check"]
        told = explorer.text_of(view.body)
        assert "may have been bent to pass" in told
        assert "step 40  edit dates/tests/test_weeks_prop.py" in told
        assert "edit  /workspace/dates/tests/test_weeks_prop.py" in told
        assert "comes from" not in told  # it comes after the step
        await explorer.press("j")
        assert "the loop about to begin" not in told
        assert "a loop about to begin" in explorer.text_of(view.body)
        for number in ("58", "59"):
            with case(number):
                await explorer.press("enter")
                assert explorer.app.screen is explorer.screen
                assert explorer.screen.timeline.step_here == int(number)
                await explorer.press("escape")
                view = await shown(explorer)
                assert lines(explorer, view)[1].startswith("▌✗ medium  same-call-in-a-row")
        with case("a rule of the whole run has no step to go to"):
            await explorer.press("j", "j", "enter")
            assert explorer.app.screen is view
            assert "the run as a whole breaks it" in explorer.text_of(view.footer)
            assert "worked 6m19s, the limit is 6m" in lines(explorer, view)[3]
            assert "worked 6m19s, the limit is 6m" in explorer.text_of(view.body)
        with case("esc closes, and then leads where it always does"):
            await explorer.press("escape", "escape")
            assert not isinstance(explorer.app.screen, RulesScreen)
            await explorer.press("escape")
            assert explorer.screen.session.pane == "conversations"


async def test_the_verdict_line_counts_broken_rules_of_high_severity() -> None:
    async with explore() as explorer:
        await explorer.open("Cache the docker layers")
        await explorer.until(lambda: "✗ 1 rule broken (C)" in explorer.text("#summary"))
        await explorer.open(WEEKS)
        assert "rule" not in explorer.text("#summary")
        await explorer.open("Cache the docker layers")
        assert "✗ 1 rule broken (C)" in explorer.text("#summary")
        view = await asked(explorer)
        assert lines(explorer, view)[0].startswith("▌✗ high    tested-before-commit")


async def test_what_is_not_known_is_told_with_what_is_missing() -> None:
    async with explore() as explorer:
        await explorer.open("Add OAuth login")
        view = await asked(explorer)
        assert "not known: the run is not over" in lines(explorer, view)[0]
        await explorer.press("enter")
        assert "no step breaks it" in explorer.text_of(view.footer)


async def test_faults_of_the_file_are_told_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "oh-tui" / "rules.toml"
    file.parent.mkdir()
    never = '[[rule]]\nname = "never-ls"\nwhy = "Why not"\nsteps = "tool:terminal"\nnever = true\n'
    file.write_text(never.replace("tool:terminal", "tool:terminal is:odd"))
    async with explore() as explorer:
        await explorer.open(WEEKS)
        view = await asked(explorer)
        told = " ".join(explorer.text_of(view.faults).split())
        assert str(file) in told and "line 4" in told
        assert "C asks again; until then these are the rules of oh-tui alone." in told
        assert len(lines(explorer, view)) == 12
        assert explorer.text_of(view.faults).split("\n")[2].startswith("line 4: steps: ")
        file.write_text(never)
        await explorer.press("escape")
        view = await asked(explorer)
        assert not view.faults.display
        assert len(lines(explorer, view)) == 13
        await explorer.press("g", *"jjj")
        assert "never-ls" in explorer.text_of(view.rule_rule)
        assert str(file) in view.body.plain_text()  # below the steps


async def test_a_long_run_is_asked_aside_with_progress_until_esc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    def endless(*words: object, watch: Callable[[int], None]) -> None:
        try:
            while True:
                watch(23)
        finally:
            ended.set()

    async with explore() as explorer:
        await explorer.open(WEEKS)
        await explorer.settle()
        explorer.screen.controllers.rules._found = None
        monkeypatch.setattr(rule, "findings", lambda *words: endless(watch=words[-1]))
        await explorer.send("C")
        view = explorer.app.screen
        assert isinstance(view, RulesScreen)
        await explorer.until(lambda: "step 23 of 61" in explorer.text_of(view.list))
        await explorer.send("escape")
        assert explorer.app.screen is explorer.screen
        await explorer.until(ended.is_set)
        monkeypatch.setattr(rule, "findings", findings)
        assert len(lines(explorer, await asked(explorer))) == 12


async def test_a_run_that_was_read_while_its_rules_were_asked_is_waited_for_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slowly(*words: object) -> object:
        time.sleep(0.3)
        return findings(*words)  # type: ignore[arg-type]

    async with explore() as explorer:
        await explorer.open(WEEKS)
        session, rules = explorer.screen.session, explorer.screen.controllers.rules
        monkeypatch.setattr(rule, "findings", slowly)
        rules._found, session.reader = None, "reader"
        explorer.key("C")
        await explorer.until(lambda: isinstance(explorer.app.screen, RulesScreen))
        await explorer.until(lambda: rules._found)
        session.reader = None
        session.run_news.ring()
        await explorer.until(lambda: not explorer.screen.ui.at_work("rules"), 10)
        assert isinstance(explorer.app.screen, RulesScreen)


async def test_rules_of_a_repository_count_only_once_they_were_agreed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".oh-tui").mkdir()
    file = tmp_path / ".oh-tui" / "rules.toml"
    file.write_text('[[rule]]\nname = "ours"\nwhy = "It is ours."\nrun = "is:failed"\n')
    monkeypatch.chdir(tmp_path)
    async with explore() as explorer:
        await explorer.open(WEEKS)
        with case("no"):
            await explorer.press("C")
            await explorer.until(lambda: explorer.screen.asking.is_asking)
            await explorer.settle()
            assert "It is ours." in explorer.text_of(explorer.screen.asking.asked)
            await explorer.press("escape")
            await explorer.until(lambda: isinstance(explorer.app.screen, RulesScreen))
            view = await shown(explorer)
            assert "Nobody here agreed" in explorer.text_of(view.faults)
            assert len(lines(explorer, view)) == 12
            await explorer.press("escape")
        for answer, names in (("enter", 13), (None, 13)):
            with case(str(answer)):
                await explorer.press("C")
                if answer:
                    await explorer.until(lambda: explorer.screen.asking.is_asking)
                    await explorer.settle()
                    await explorer.press(answer)
                await explorer.until(lambda: isinstance(explorer.app.screen, RulesScreen))
                view = await shown(explorer)
                assert len(lines(explorer, view)) == names
                await explorer.press("escape")
        with case("changed"):
            file.write_text(file.read_text() + "severity = 'high'\n")
            await explorer.press("C")
            await explorer.until(lambda: explorer.screen.asking.is_asking)
            await explorer.press("escape")

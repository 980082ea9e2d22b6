"""A sentence that is typed or pasted into what asks does nothing, however slow the server and
however quick the hands. Its acts are counted at the server.

The clock is made: keys carry the times at which they are said to be typed, and the server answers
when as many keys were typed as fit into the time it takes.
"""

from __future__ import annotations

import ast
import asyncio
import fnmatch
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.keys import _character_to_key

import oh_tui
from oh_tui.batch.rules import agreed
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.tui.screens.view import LineScreen
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake
from tests.terminal.terminal import first_of
from tests.trajectory.branched import two, write_run
from tests.trajectory.context.made import user
from tests.tui.acting.asking.questions import FLAKY, GONE, OAUTH, TABLE, Asks, ask
from tests.tui.explorer import Between, Explorer, case, explore

LETTERS = "no: SPHINX OF BLACK QUARTZ, JUDGE MY VOW sphinx of black quartz judge my vow"
ENDS = ("y", "try", "stop", "of", "if")
SENTENCES = [f"{LETTERS} 0123456789 $ ! # / ?&*; {end}" for end in ENDS]
SPEEDS = (0.02, 0.08, 0.13, 0.25)
LOCAL, SLOW = 0.05, 1.2
"""Seconds that the server takes until the question is there."""


async def typed(it: Explorer, text: str, speed: float, between: Between, takes: float) -> None:
    """The text and an enter, right after the key that asks; the server answers `takes` seconds
    after that key."""
    held = [between.hold("GET *"), between.hold("POST *")] if takes else []
    opens = int(takes / speed) if speed else len(text) * (takes > LOCAL)
    for number, character in enumerate(f"{text}\r" if text else ""):
        if number == opens:
            release(between, held)
        key = "enter" if character == "\r" else _character_to_key(character)
        it.input(events.Key(key, character), after=speed)
        for _ in range(4 if speed < 0.1 else 12):
            await asyncio.sleep(0)
    release(between, held)
    await it.settle()


def release(between: Between, held: list) -> None:  # type: ignore[type-arg]
    between.held.clear()
    for event in held:
        event.set()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts the explorer in a repository that has rules of its own."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".oh-tui").mkdir()
    rule = '[[rule]]\nname = "ours"\nwhy = "It is ours."\nrun = "is:failed"\n'
    (tmp_path / ".oh-tui" / "rules.toml").write_text(rule)
    monkeypatch.chdir(tmp_path)


def never(settings: Settings) -> Source:
    raise AssertionError("it goes to another server")


def acts(between: Between) -> list[str]:
    return [one for one in between.asked if not one.startswith("GET ")]


async def leave(it: Explorer) -> None:
    """Back to the lists, whatever is open."""
    for _ in range(12):
        await it.until(lambda: not it.screen.ui.preparations.active)
        asking = it.screen.asking
        if len(it.app.screen_stack) == 1 and not asking.is_asking and asking.editor is None:
            break
        await it.press("escape")
    it.demo.world.agent_version = AgentVersion.USUAL
    it.screen.session.writes._under_way.clear()
    it.screen.session.keep_marks(frozenset())
    it.screen.session.drafts.clear()
    it.screen.session.shells.clear()
    it.screen.session.questions.clear()
    it.screen.session.draft = None
    it.screen.session.listing.set_query(None)
    it.screen.session.annotations = Annotations(None)
    it.screen.session.arrangement = it.screen.session.arrangement.showing("conversations")
    it.screen.show_lists()
    it.screen.footer.clear()
    await it.settle()


async def asks_and_types(
    it: Explorer,
    between: Between,
    asks: Asks,
    text: str,
    speed: float,
    takes: float,
    *,
    bracketed: bool = False,
) -> None:
    await ask(it, asks)
    before, source = len(acts(between)), it.screen.session.source
    if asks.action:
        await it.screen.run_action(asks.action)
    else:
        it.key(asks.keys[-1])
        await it.pilot.pause(0)
    if bracketed:
        it.input(events.Paste(f"{text}\n"), after=0.1)
        await typed(it, "", 0.1, between, takes)
    else:
        await typed(it, text, speed, between, takes)
    done = acts(between)[before:]
    allowed = [one for act in asks.acts for one in fnmatch.filter(done, act)[:1]]
    assert sorted(done) == sorted(allowed), f"{done} by {text[-12:]!r} at {speed} s a key"
    assert it.screen.session.source is source, "it stays at its server"
    assert agreed.not_agreed(os.environ, agreed.of_repository(agreed.here())), "no rules count"
    if bracketed:
        await leave(it)
        return
    if asks.made_by == "agents.answer" and it.screen.asking.editor:
        assert it.screen.asking.editor.text == f"{text[1:]}\n", "the reason is whole"
    if asks.made_by == "compose._write":
        assert it.screen.asking.editor and it.screen.asking.editor.text == f"{text}\n"
    await leave(it)


SHOWN = {name: asks for name, asks in TABLE.items() if asks.shown}


PARTS = 4
"""The table is taken in as many parts: `make test` types into each thing that asks once, at one
speed over one network, and `make test-slow` at all speeds over both."""


def rounds() -> Iterator[Any]:
    for speed, takes, part in itertools.product(SPEEDS, (LOCAL, SLOW), range(PARTS)):
        is_usual = SPEEDS.index(speed) == part and takes == (LOCAL, SLOW)[part % 2]
        marks = () if is_usual else (pytest.mark.slow,)
        yield pytest.param(speed, takes, part, marks=marks)


@pytest.mark.slow_but(1)
@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(("speed", "takes", "part"), rounds())
async def test_a_sentence_typed_does_nothing(speed: float, takes: float, part: int) -> None:
    between = Between()
    async with explore(wrap=between, connect=never) as it:
        for number, (name, asks) in enumerate(SHOWN.items()):
            if number % PARTS == part:
                text = SENTENCES[number % len(ENDS)]
                with case(name):
                    await asks_and_types(it, between, asks, text, speed, takes)


@pytest.mark.slow_but(1)
@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("bracketed", [True, False], ids=["bracketed", "raw"])
@pytest.mark.parametrize("takes", [LOCAL, SLOW], ids=["local", "slow"])
@pytest.mark.parametrize("part", first_of(range(PARTS)))
async def test_a_sentence_pasted_with_its_line_end_does_nothing(
    takes: float, bracketed: bool, part: int
) -> None:
    between = Between()
    async with explore(wrap=between, connect=never) as it:
        for number, (name, asks) in enumerate(SHOWN.items()):
            if number % PARTS == part:
                text = SENTENCES[number % len(ENDS)]
                with case(name):
                    await asks_and_types(it, between, asks, text, 0.0, takes, bracketed=bracketed)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("opens", ["", "o"], ids=["no key", "open"])
@pytest.mark.parametrize("speed", SPEEDS)
async def test_without_a_key_a_sentence_opens_no_source_and_quits_not(
    opens: str, speed: float
) -> None:
    for text in (*SENTENCES, "quit or demo: do"):
        async with explore(has_key=False) as it:
            if opens:
                await it.press(opens)
            await typed(it, text, speed, Between(), 0.0)
            assert it.app.return_value is None and it.app.is_running
            assert opens or it.screen.session.source is None


async def test_a_sentence_shows_no_other_branch_of_many(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two(), *(user(f"m{n}", parent_id="u") for n in range(10)))
    async with explore(source=lambda: FileSource([run])) as it:
        await it.press("enter")
        for text in SENTENCES:
            await it.screen.run_action("branches.choose")
            await typed(it, text, 0.13, Between(), 0.0)
            assert "the branches are 1 to 12" in it.footer
            assert "12 branches" in it.text("#timeline-rule")


# What goes on after an ignored key, a refusal and a no


async def test_after_a_refusal_a_sentence_opens_nothing_and_says_so() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        for key in "FPpAm":
            with case(key):
                await ask(it, Asks("", (key,), GONE))
                it.key(key)
                await it.settle()
                await typed(it, "The sentence that I had begun: TCw q", 0.13, between, 0.0)
                assert len(it.app.screen_stack) == 1 and not it.screen.asking.is_asking
                assert f"ignored 37 keys typed right after {key}" in it.footer
                assert "gone" in it.footer, "why nothing opened"
                await it.press("escape")
        await it.press("T")
        await it.until(lambda: len(it.app.screen_stack) == 2)
        assert acts(between) == []


async def test_arrows_and_esc_act_at_once_after_a_refusal_and_letters_after_a_rest() -> None:
    async with explore() as it:
        await ask(it, Asks("", ("F",), GONE))
        place = it.screen.sidebar.list.cursor
        it.key("F")
        await it.settle()
        it.key("j", after=0.3)
        it.key("down", after=0.1)
        await it.settle()
        assert it.screen.sidebar.list.cursor == place + 1
        it.key("j", after=0.6)
        await it.settle()
        assert it.screen.sidebar.list.cursor == place + 1, "0.6 s are no rest"
        it.key("j", after=0.75)
        it.key("j", after=0.05)
        await it.settle()
        assert it.screen.sidebar.list.cursor == place + 3


async def test_after_a_no_by_its_letter_a_sentence_does_nothing_and_after_esc_keys_act() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask(it, Asks("", ("p",), FLAKY))
        await it.press("p")
        it.key("n")
        await typed(it, "o T C w F", 0.13, between, 0.0)
        assert len(it.app.screen_stack) == 1 and not it.screen.asking.is_asking
        assert "ignored 10 keys typed right after n" in it.footer
        await it.press("p")
        it.key("escape")
        it.key("T", after=0.05)
        await it.until(lambda: len(it.app.screen_stack) == 2)
        assert acts(between) == []


async def test_a_reason_is_rejected_with_whole_and_no_part_of_a_sentence_is_a_reason() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask(it, Asks("", ("a",), OAUTH))
        it.key("a")
        await typed(it, "x not so", 0.13, between, SLOW)
        assert it.screen.asking.editor is None and not it.screen.asking.is_asking
        await it.press("escape")
        it.key("a")
        await typed(it, "no force, try", 0.13, between, SLOW)
        editor = it.screen.asking.editor
        assert editor and editor.text == "o force, try\n"
        it.key("ctrl+s", after=0.2)
        await it.settle()
        assert acts(between) == [] and "ctrl+s came too early" in it.text("EditorKeys")
        await it.send("ctrl+s")
        await it.until(lambda: "rejected" in it.footer)
        assert [one.rpartition("/")[2] for one in acts(between)] == ["respond_to_confirmation"]


async def test_a_question_that_no_key_asked_for_waits_for_hands_that_type() -> None:
    async with explore() as it:
        for key, after in (("enter", 0.3), ("enter", 0.3)):
            it.key("down")
            await it.settle()
            given = it.screen.run_worker(
                it.screen.asking.ask(Question("Over", [], [Answer("stop", "s")], stake=Stake.WORK)),
                group="ask",
            )
            await it.until(lambda: it.screen.asking.question_bar.is_seen)
            it.key(key, after=after)
            await it.settle()
            assert not given.is_finished and "Ignored 1 key" in it.text("#question")
            await it.press("enter")
            assert await given.wait() == "s"


async def test_a_question_has_no_mark_of_the_one_before() -> None:
    async with explore() as it:
        await ask(it, Asks("", ("a",), OAUTH))
        await it.press("a")
        await it.until(lambda: "risk HIGH" in it.text("#asked-rule"))
        await it.press("escape", "dollar_sign")
        assert "Budget" in it.text("#asked-rule") and "risk" not in it.text("#asked-rule")
        await it.type("abc")
        await it.press("enter")
        await it.until(lambda: it.screen.asking.asked.display)
        await it.settle()
        assert "risk" not in it.text("#asked-rule")
        await it.press("escape", "number_sign")
        assert "risk" not in it.text("#asked-rule")
        await it.press("escape")


# The keys that the bar shows


@pytest.mark.parametrize("stake", Stake, ids=lambda stake: stake.name)
async def test_whoever_is_calm_answers_with_the_keys_that_the_bar_shows(stake: Stake) -> None:
    answers = [Answer("the first", "1"), Answer("the second", "2", "f")]
    question = Question("?", [], answers, stake=stake)
    async with explore() as it:
        for label, value in (("the first", "1"), ("the second", "2"), ("no", "")):
            keys = next(keys for keys, said in question.hints if said == label)
            for way in keys.split(" or "):
                with case(f"{label}: {way}"):
                    given = it.screen.run_worker(it.screen.asking.ask(question), group="ask")
                    await it.until(lambda: it.screen.asking.question_bar.is_seen)
                    assert f"{keys}  {label}" in it.text("#question")
                    await it.press(
                        *("escape" if key == "esc" else key for key in way.split(", then "))
                    )
                    assert await given.wait() == value


async def test_any_other_key_takes_a_yes_back() -> None:
    question = Question("?", [], [Answer("push", "1")], stake=Stake.FINAL)
    async with explore() as it:
        given = it.screen.run_worker(it.screen.asking.ask(question), group="ask")
        await it.until(lambda: it.screen.asking.question_bar.is_seen)
        for other in ("y", "x", "j", "space"):
            with case(other):
                await it.press("y")
                assert "enter  push   esc  no   any other key  takes that back" in it.text(
                    "#question"
                )
                await it.press(other)
                assert "y, then enter  push" in it.text("#question")
                await it.press("enter")
                assert not given.is_finished
        await it.press("escape")
        assert await given.wait() == ""


stakes = st.sampled_from(Stake)
keys = st.sampled_from("abcdfkmrsx129")


@given(
    st.lists(st.tuples(keys, st.none() | stakes), max_size=4, unique_by=lambda one: one[0]), stakes
)
def test_no_letter_alone_answers_where_something_is_at_stake(
    letters: list[tuple[str, Stake | None]], stake: Stake
) -> None:
    answers = [Answer("yes", "yes"), *(Answer(key, key, key, own) for key, own in letters)]
    question = Question("?", [], answers, stake=stake)
    for way, answer in question.ways.items():
        at_stake = stake if answer.stake is None else answer.stake
        assert at_stake is Stake.NOTHING or way[-1] == "enter"
        assert at_stake is not Stake.FINAL or way[-2:] == ("y", "enter")
        assert not any(way[:n] in question.ways for n in range(1, len(way)))


# The table


def made_by() -> Iterator[str]:
    """The functions of controllers that make what asks; what a function within one makes, that one
    makes."""
    folder = Path(oh_tui.__file__).parent / "tui" / "controllers"
    asking = {"Question", "prompt", "prompt_until", "Editor"}
    for file in sorted(folder.rglob("*.py")):
        nodes = ast.walk(ast.parse(file.read_text()))
        owners = (one.body for one in nodes if isinstance(one, ast.Module | ast.ClassDef))
        for function in itertools.chain.from_iterable(owners):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            names = {
                str(getattr(node.func, "attr", getattr(node.func, "id", "")))
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
            }  # fmt: skip
            if names & (asking | FORMS):
                yield f"{file.stem}.{function.name}"


FORMS = {"AskScreen", "ShareScreen", "ShellScreen", "StartScreen"}
"""Views that send or write something."""


def test_the_table_has_all_that_asks() -> None:
    assert set(made_by()) == {asks.made_by for asks in TABLE.values()}
    assert {one.__name__ for one in LineScreen.__subclasses__()} <= FORMS


@contextmanager
def _stakes_seen(it: Explorer) -> Iterator[list[Stake]]:
    seen: list[Stake] = []
    bar = it.screen.asking.question_bar
    watch = type(bar).watch_question

    def watched(self: object, question: Question | None) -> None:
        if question is not None:
            seen.append(question.stake)
        watch(bar, question)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(bar), "watch_question", watched)
        yield seen


@pytest.mark.slow
@pytest.mark.usefixtures("repository")
async def test_the_stakes_of_the_table_are_those_of_the_questions() -> None:
    async with explore(connect=never) as it:
        await it.screen.asking.be_there()
        for name, asks in SHOWN.items():
            if asks.stake is None:
                continue
            with case(name), _stakes_seen(it) as seen:
                await ask(it, asks)
                if asks.action:
                    await it.screen.run_action(asks.action)
                else:
                    await it.press(asks.keys[-1])
                await it.until(lambda: it.screen.asking.question_bar.question)
                assert seen[-1] == asks.stake
                await leave(it)

"""Words in a row mean their phrase first, wherever they are typed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from oh_tui.catalog import conversation_query
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.search.step_filter import NO_PHRASE, parse
from oh_tui.tui.screens.search import SearchScreen
from tests.commands.mcp.using import Tools, use
from tests.hostile.test_json import said_by
from tests.trajectory.made import output, result, shell
from tests.tui.explorer import explore


def completed(of: str, text: str, code: int) -> dict[str, object]:
    suffix = f"\n[The command completed with exit code {code}.]"
    content = [{"type": "text", "text": text}]
    return {
        "kind": "TerminalObservation",
        "content": content,
        "exit_code": code,
        "metadata": {"exit_code": code, "suffix": suffix},
    }


EVENTS = (
    shell("a", "ls"), result("a", completed("a", "1 file", 0)),
    shell("b", "make all"), result("b", completed("b", "all: bad", 1)),
    shell("c", "pytest"), output("c", "1 passed, no exit"),
    shell("d", "cat README"), output("d", "to leave: exit\n1 more"),
)  # fmt: skip

FOUND = {
    "exit 1": ([2, 4], False),
    "exit AND 1": ([2, 3, 4], False),
    '"exit" "1"': ([2, 3, 4], False),
    "passed exit": ([3], True),
    "tool:terminal passed exit -bad": ([3], True),
    "exit code": ([], False),
    "nothing here": ([], False),
}
"""Words, the steps that match, and whether that is by each word where no step has the phrase."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, event in enumerate(EVENTS):
            archive.writestr(f"event_{number:06}_{number:032x}.json", event.raw())
        archive.writestr("meta.json", json.dumps({"id": "5" * 32, "title": "Fix the date parser"}))
    return path


@pytest.mark.parametrize("words", FOUND)
def test_commands_and_tools_mean_the_phrase_first(words: str, run: Path) -> None:
    numbers, by_word = FOUND[words]
    code, out, err = said_by("grep", words, run, "--json")
    assert [json.loads(line)["step"] for line in out.splitlines()] == numbers
    assert (code == 0, NO_PHRASE in err) == (bool(numbers), by_word)
    _, out, err = said_by("steps", run, words, "--json")
    assert [step["index"] for step in json.loads(out)["steps"]] == numbers
    assert (NO_PHRASE in err) is by_word

    async def work(tools: Tools) -> None:
        for tool, of, name in (("search", "hits", "step"), ("steps", "steps", "index")):
            told = await tools(tool, words=words)
            assert [one[name] for one in told[of]] == numbers
            assert any(NO_PHRASE in one for one in told.get("remarks", ())) is by_word

    use(work, run)


@pytest.mark.parametrize("words", ["exit 1", "passed exit"])
async def test_the_keys_of_the_explorer_mean_the_phrase_first(words: str, run: Path) -> None:
    numbers, by_word = FOUND[words]
    async with explore(source=lambda: FileSource([run]), open_id="5" * 32) as it:
        steps = it.screen.timeline
        await it.until(steps.row_count)
        await it.press("ampersand")
        await it.type(words)
        await it.press("enter")
        await it.until(lambda: steps.filtered and list(steps.filtered) == numbers)
        await it.until(lambda: (NO_PHRASE in it.screen.run_view.filter_note) is by_word)
        await it.press("escape", "slash")
        await it.type(words)
        await it.press("enter")
        finding = it.screen.session.finding
        assert finding is not None
        await it.until(lambda: [n for n in range(1, 5) if finding.is_hit(n - 1)] == numbers)
        await it.until(lambda: finding.is_counted)
        assert (NO_PHRASE in finding.words(0)) is by_word
        await it.until(lambda: steps.find_text == ("passed" if by_word else words))
        await it.press("escape", "asterisk")
        await it.type(words)
        await it.press("enter")
        view = it.app.screen
        assert isinstance(view, SearchScreen)
        await it.until(lambda: view.found.ended and not view.found.is_running)
        assert [hit.step for run in view.found.found for hit in run.hits] == numbers
        assert (NO_PHRASE in it.text_of(view.rule)) is by_word
        shown = words if not by_word else "passed"
        await it.until(lambda: shown in it.text_of(view.step_rule) + it.text_of(view.step))


LISTED = pytest.mark.parametrize(
    ("words", "count", "by_word"),
    [("date parser", 1, False), ("parser fix", 1, True), ("parser lexer", 0, False)],
)


@LISTED
def test_runs_are_chosen_by_the_phrase_first(
    words: str, count: int, by_word: bool, run: Path
) -> None:
    for command, of in (("conversations", "conversations"), ("stats", "groups")):
        _, out, err = said_by(command, run, words, "--json")
        assert len(json.loads(out)[of]) == count
        assert (NO_PHRASE in err) is by_word


@LISTED
async def test_a_list_is_narrowed_by_the_phrase_first(
    words: str, count: int, by_word: bool, run: Path
) -> None:
    async with explore(source=lambda: FileSource([run])) as it:
        await it.until(lambda: it.screen.session.listed)
        await it.press("ampersand")
        await it.type(words)
        await it.press("enter")
        await it.until(lambda: len(it.screen.session.listed) == count)
        await it.until(lambda: (NO_PHRASE in it.footer) is by_word)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("exit 1", ["exit 1"]),
        (" exit\t 1 ", ["exit 1"]),
        ("tool:x exit 1 is:failed no file", ["exit 1", "no file"]),
        ("git commit --amend -all", ["git commit --amend"]),
        ("http://x/y is gone", ["http://x/y is gone"]),
        ('exit "1" x', []),
        ("exit -a 1", []),
        ("exit AND 1", []),
        ("a b AND c d", ["a b", "c d"]),
        ("AND", []),
        ("this AND", ["this AND"]),
        ("re:/a b/ c d", ["c d"]),
    ],
)
def test_what_is_a_phrase(text: str, phrases: list[str]) -> None:
    told = [term for term in parse(text).terms if term.words]
    assert [term.value.text for term in told] == [phrase.lower() for phrase in phrases]
    each_word = parse(text).each_word
    assert (each_word is not None) is bool(phrases)
    assert each_word is None or each_word.each_word is None


def test_the_rest_of_a_query_stays_with_each_word() -> None:
    query = conversation_query.parse("is:failed fix parser -docs")
    assert query.each_word
    told = [(term.field, term.negated) for term in query.each_word.terms]
    assert told == [("is", False), ("", False), ("", False), ("", True)]

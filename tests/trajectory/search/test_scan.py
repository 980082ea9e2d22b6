"""Searching text in bodies: what is found, what is not, and that it can be interrupted."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.clean import clean
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe
from oh_tui.trajectory.search.scan import (
    Breathing,
    Needle,
    finish,
    needle,
    outward,
    said_by_step,
    scan,
    wrap_around,
)
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, event, failure, message, output, result, shell


def run(*events: Event) -> Trajectory:
    trajectory = Trajectory()
    trajectory.extend(events)
    return trajectory


def contains(step: Step, trajectory: Trajectory, text: str) -> bool:
    """Whether a step says a text, in its row or in a body of its events."""
    return bool(finish(said_by_step(step, trajectory).holds(needle(text))))


def found(text: str, *events: Event) -> list[int]:
    """Numbers of the steps that say a text."""
    trajectory = run(*events)
    return [step.number for step in trajectory.steps if contains(step, trajectory, text)]


def edit(id: str, old: str, new: str) -> tuple[Event, Event]:
    action = {"kind": "FileEditorAction", "command": "str_replace", "path": "/workspace/a.py"}
    seen = {
        "kind": "FileEditorObservation",
        "command": "str_replace",
        "path": "/workspace/a.py",
        "old_content": old,
        "new_content": new,
        "content": [{"type": "text", "text": "edited"}],
    }
    return call(id, action, tool="file_editor"), result(id, seen, tool="file_editor")


def test_finds_in_commands_outputs_messages_and_errors() -> None:
    events = [
        message("m", "Please mend the Frobnicator\nand its wheel"),
        shell("a", "make frob", thought=[{"type": "text", "text": "First the gizmo"}]),
        output("a", "line one\nThe GIZMO turned\nlast"),
        call("b", None, tool="nonesuch"),
        failure("b", "Tool 'nonesuch' not found: gizmos"),
        event("ConversationErrorEvent", "x", code="Odd", detail="gizmo fell"),
    ]
    assert found("frobnicator", *events) == [1]
    assert found("gizmo", *events) == [2, 3, 4]
    assert found("turned", *events) == [2]
    assert found("Make Frob", *events) == [2]
    assert found("frobnicator and its", *events) == [1], "over the end of a line"


def test_ids_keys_and_pictures_are_not_looked_at() -> None:
    picture = "gizmo" + "Pic7ure/" * 40
    seen = {"kind": "BrowserObservation", "screenshot_data": picture, "content": []}
    events = [
        shell("gizmo-id", "ls", llm_response_id="gizmo-answer"),
        output("gizmo-id", "a"),
        call("b", {"kind": "BrowserNavigateAction", "url": "http://x"}, tool="browser"),
        result("b", seen, tool="browser"),
    ]
    assert found("gizmo", *events) == []
    assert found("exit_code", *events) == []


def test_a_listing_without_dots_and_spaces_is_found() -> None:
    names = "\n".join(f"{name}{n}" for n in range(40) for name in ("Makefile", "src/Main"))
    assert found("src/Main7", shell("a", "ls"), output("a", names)) == [1]


def test_a_word_that_says_nothing_in_one_place_is_found_in_another() -> None:
    checks = [{"name": "build", "status": "failed"}, {"role": "assistant"}]
    ci = result("a", {"kind": "CiObservation", "checks": checks})
    assert found("failed", message("m", "go"), shell("a", "ci"), ci) == [2]
    assert found("assistant", message("m", "go"), shell("a", "ci"), ci) == [2]
    assert found("user", message("m", "go"), shell("a", "ls")) == []


def test_of_a_changed_file_only_the_change_is_looked_at() -> None:
    lines = [f"line {n}" for n in range(40)]
    old = "\n".join(["far away", *lines, "before"])
    new = "\n".join(["far away", *lines, "after"])
    assert found("after", *edit("a", old, new)) == [1]
    assert found("line 39", *edit("a", old, new)) == [1], "beside the change"
    assert found("far away", *edit("a", old, new)) == []


def test_words_of_ours_in_rows_are_found() -> None:
    events = [shell("a", "false"), output("a", "", 1), shell("b", "sleep 9")]
    assert found("exit 1", *events) == [1]
    assert found("no result", *events) == [2]
    assert found("$ sleep", *events) == [2]


def test_the_arguments_of_a_call_that_could_not_be_read_are_found() -> None:
    broken = {"id": "c", "name": "t", "arguments": json.dumps({"command": 'say "caf\u00e9"\nnow'})}
    assert found('say "café"', call("a", None, tool_call=broken)) == [1]


def test_what_is_hidden_is_not_found() -> None:
    token = "ghp_" + "a1b2c3d4e5" * 3
    events = [shell("a", "env"), output("a", f"TOKEN={token}\nHOME=/root")]
    assert found(token, *events) == []
    assert found("/root", *events) == [1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("FA\x1b[31mIL\x1b[0mED tests", "failed tests"),
        ("FA\x1b[2KIL\x1b]0;title\x07ED", "failed"),
        ("fo\bo fo\fo", "foo foo"),
        ("zero\u200bwidth and soft\u00adhyphen", "softhyphen"),
        ('say "hi" to C:\\new\\folder', '"hi" to c:\\new\\f'),
        ("un/slashed", "un/slashed"),
        ("naïve café ÄRGER", "Café ärger"),
        ("tab\tbetween", "tab\tbetween"),
        ("\u212aelvin and \u0130stanbul", "kelvin and i"),
        ("\U0001f600 smile", "\U0001f600"),
        ("12 apples", "12"),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_however_it_is_written_in_json(text: str, wanted: str, ascii_only: bool) -> None:
    made = shell("a", "ls"), output("a", text)
    again = [parse_event(json.dumps(e.body(), ensure_ascii=ascii_only).encode()) for e in made]
    assert found(wanted, *again) == [1]
    assert found(wanted + "x", *again) == []


def test_escaped_letters_and_slashes() -> None:
    raw = output("a", "HERE").raw().replace(b"HERE", rb"\u0068ello a\/b \u001b[1mbo\u001B[0mld")
    events = [shell("a", "ls"), parse_event(raw)]
    for wanted in ("hello", "a/b", "bold", "hello a/b bold"):
        assert found(wanted, *events) == [1]


def test_text_that_is_no_json() -> None:
    events = [
        parse_event(b"\x1b[1mgiz\x1b[0mmo, no JSON"),
        parse_event(b'{"kind": 3, "a": "gizmo"}'),
    ]
    assert found("gizmo", *events) == [1, 2]


_TEXTS = st.text(
    st.characters(codec="utf-8") | st.sampled_from('\x1b[0m31;\\"/\b\f\u200bİK'), max_size=40
)


@given(_TEXTS, st.booleans(), st.data())
def test_every_part_of_what_is_shown_is_found(
    text: str, ascii_only: bool, data: st.DataObject
) -> None:
    """The search in the JSON never misses text that is shown."""
    shown = clean(text)
    start = data.draw(st.integers(0, len(shown)))
    part = shown[start : data.draw(st.integers(start, len(shown)))]
    raw = json.dumps({"id": "x", "kind": "Odd", "text": text}, ensure_ascii=ascii_only)
    odd = parse_event(raw.encode("utf-8", "surrogatepass"))
    said = said_by_step(Step(1, odd), Trajectory())
    # lower case before or after the cut may differ for a final sigma
    if part.lower() in shown.lower():
        assert finish(said.holds(needle(part)))


@given(st.lists(_TEXTS, min_size=1, max_size=3), _TEXTS, st.booleans(), st.data())
def test_the_json_rules_out_only_what_all_texts_lack(
    texts: list[str], other: str, ascii_only: bool, data: st.DataObject
) -> None:
    """What a search finds that looks into every text, and nothing else."""
    made = [shell("a", texts[0]), *(output("a", text) for text in texts)]
    jsons = [json.dumps(one.body(), ensure_ascii=ascii_only) for one in made]
    events = [parse_event(each.encode("utf-8", "surrogatepass")) for each in jsons]
    trajectory = run(*events)
    shown = clean(data.draw(st.sampled_from([*texts, "".join(texts)])))
    start = data.draw(st.integers(0, len(shown)))
    part = shown[start : data.draw(st.integers(start, len(shown)))]
    for wanted in (part, part.upper(), other):
        everywhere = Needle(wanted.lower(), frozenset(), frozenset())
        for step in trajectory.steps:
            in_all = finish(said_by_step(step, trajectory).holds(everywhere))
            assert contains(step, trajectory, wanted) is in_all


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "observation", "content", "kind", "command", "path", "text"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(
    ["id", "kind", "action", "observation", "tool_call", "error", "old_content", "thought"]
), _JSON, max_size=6), max_size=4), st.text(max_size=4))  # fmt: skip
def test_never_raises_and_finds_a_part_where_the_whole_is(
    bodies: list[dict[str, object]], wanted: str
) -> None:
    for kind in ("ActionEvent", "ObservationEvent", "MessageEvent", "Other"):
        raws = [json.dumps(body | {"kind": kind}).encode() for body in bodies]
        whole = found(wanted, *map(parse_event, raws))
        assert set(whole) <= set(found(wanted[1:], *map(parse_event, raws)))


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", SLUGS)
def test_every_word_of_every_row_is_found(slug: str) -> None:
    """Words that rows add must be in the list of such words; otherwise find would miss them."""
    trajectory = demo_run(slug)
    for step in trajectory.steps:
        row = describe(step, trajectory.outcome(step))
        for word in set(re.findall(r"[A-Za-z]+", f"{row.what} {row.result}")):
            assert contains(step, trajectory, word), f"is {word!r} one of `_OURS`? {row}"


def test_a_body_of_many_megabytes_is_looked_at_in_pieces() -> None:
    text = "word " * 2_000_000 + "gizmo" + " word" * 100
    trajectory = run(shell("a", "ls"), output("a", text))
    step = trajectory.steps[0]
    assert contains(step, trajectory, "gizmo")
    assert not contains(step, trajectory, "gizmos")
    breaths = list(
        scan([0], lambda n: said_by_step(step, trajectory).holds(needle("word gizmo w")), 0.0)
    )
    assert breaths[-1] == 0
    assert len(breaths) > 20


def test_a_long_body_is_not_looked_at_whole_before_the_first_breath() -> None:
    step = (trajectory := run(shell("a", "ls"), output("a", "word " * 2_000_000))).steps[0]
    breaths = list(scan([0], lambda n: said_by_step(step, trajectory).holds(needle("gizmo")), 0.0))
    pieces = len(trajectory.events[1].raw()) / 2**19
    assert len(breaths) > 1.9 * pieces  # for letters that JSON escapes, and for the text


@pytest.mark.parametrize("shift", range(-8, 3))
def test_an_escaped_letter_where_two_pieces_meet(shift: int) -> None:
    raw = output("a", "0 gizmo").raw().replace(b"gizmo", b"\\u0067izmo")
    before = raw.index(b"\\u0067") - 1
    raw = raw.replace(b"0 ", b"0" * (2**19 + shift - before) + b" ")
    assert raw.index(b"\\u0067") == 2**19 + shift
    assert found("gizmo", shell("a", "ls"), parse_event(raw + b" " * 2**19)) == [1]


def test_scan_breathes_and_tells_what_passes() -> None:
    def test(number: int) -> Breathing:
        if number == 3:
            time.sleep(0.004)
        return number % 4 == 2
        yield

    told = list(scan(range(8), test))
    assert [n for n in told if n is not None] == [2, 6]
    assert None in told


def test_orders() -> None:
    assert list(wrap_around(2, 4, 1)) == [2, 3, 0, 1]
    assert list(wrap_around(2, 4, -1)) == [2, 1, 0, 3]
    assert list(outward(2, 5)) == [2, 1, 3, 0, 4]
    assert list(outward(0, 3)) == [0, 1, 2]
    assert list(wrap_around(0, 0, 1)) == list(outward(0, 0)) == []
    assert list(outward(9, 3)) == [2, 1, 0]


def test_the_first_rest_may_come_later_than_the_others() -> None:
    """First hits nearby are found before anything else gets its turn."""

    def test(number: int) -> Breathing:
        yield from ()
        return False

    def rests(first: float) -> int:
        return sum(found is None for found in scan(iter(range(100)), test, 0.0, first=first))

    assert rests(0.0) >= 99, "after each one"
    assert rests(60.0) == 0, "after none: all of them take less than a minute"

"""The HTML page of a run, without a browser."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from itertools import chain

import pytest

from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.sharing.html import page as html_page
from oh_tui.sharing.html.head import changed_files_html
from oh_tui.sharing.html.page import page, policy
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.shared_run import Sink
from oh_tui.text.redact import hide_keys
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from tests.demo_runs import SLUGS, demo_run
from tests.hostile import kinds
from tests.hostile.texts import CORPUS
from tests.sharing.reader import Reader, read, shared, text_by, written
from tests.trajectory.edited import A, edit
from tests.trajectory.made import call, event, failure, message, output, result, shell
from tests.trajectory.sub_agent_files import task

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)><style>*{display:none}</style>",
    "</pre></details></body><link rel=stylesheet href=//evil.invalid>",
    "[x](javascript:alert(1)) [y](data:text/html,z) ![z](https://evil.invalid/z.png) <b>w</b>",
    "[a](https://evil.invalid/\"onclick=alert(1)) <https://a'b.invalid> &#60;script&#62;",
    "| a | b |\n|:-:|--:|\n| <i> | `</code>` |\n",
    '```"><script>\n</pre>\n```',
    *CORPUS.values(),
)


def test_a_call_stands_with_its_result_under_the_number_of_its_step() -> None:
    found = read([message("m", "Please"), shell("a", "ls -l"), output("a", "total 0", 1)])
    assert {"step-1", "step-2", "event-m", "event-a", "event-r-a"} <= set(found.ids)
    assert "ls -l" in found.text and "total 0" in found.text and "exit 1" in found.text


def test_errors_the_answer_and_the_last_step_are_open() -> None:
    found = read(
        [
            *(message("m", "Please"), shell("a"), failure("a", "no such tool")),
            *(shell("b"), output("b"), message("d", "Done", "agent"), shell("c"), output("c")),
        ]
    )
    assert found.opened == ["step-2", "step-4", "step-5"]


def test_phases_are_an_index_and_stand_above_their_steps() -> None:
    events = demo_run("week-dates").events
    document = text_by(page, shared(events))
    assert document.count('<a href="#step-8">debug</a>') == 1
    assert "edited parse.py 4 times until 44 tests passed" in document
    assert document.count('<p class="phase">') == 11
    text = text_by(markdown, shared(events))
    assert "- 8-15 **debug** 44 s · $0.11 · edited parse.py 4 times until 44 tests passed" in text


def test_of_chosen_steps_only_whole_phases_are_told() -> None:
    part = replace(shared(demo_run("week-dates").events), is_part=True)
    part.steps = part.steps[6:20]
    text = text_by(markdown, part)
    assert re.findall(r"^- (\S+) \*\*", text, re.MULTILINE) == ["7", "8-15"]
    assert text_by(page, part).count('<p class="phase">') == 2


def test_what_the_user_asked_is_an_index() -> None:
    found = read([message("m", "First"), shell("a"), output("a"), message("n", "Then")])
    assert {"#step-1", "#step-3"} <= set(found.links)


def test_what_is_worth_a_look_is_listed_with_its_steps() -> None:
    found = read([shell("a", "sudo ls"), output("a"), shell("b", "ls"), output("b")])
    assert "Worth a look" in found.text and "runs a command with sudo" in found.text
    assert found.links.count("#step-1") > read([shell("b", "ls")]).links.count("#step-1")
    assert "Worth a look" not in read([shell("b", "ls"), output("b")]).text


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_stays_text_in_every_field_of_every_kind(text: str) -> None:
    events = [parse_event(json.dumps(each).encode()) for each in kinds.run(lambda: text)]
    for number, each in enumerate(events):
        each.id = f"{each.id}{number}"
    found = read(events, title=text)
    assert not found.images
    assert all(link.startswith(("#", "https://")) for link in found.links)


def test_a_page_loads_nothing_and_runs_only_its_own_script() -> None:
    assert "default-src 'none'" in policy() and "unsafe" not in policy()
    html = written([message("m", "![x](https://evil.invalid/x.png)")])
    assert html.count("<script>") == html.count("<style>") == 1
    assert "[image] x (" in Reader(html).text


def test_a_link_of_a_text_leads_to_https_only() -> None:
    found = read(
        [message("m", "[a](https://a.invalid/?b=1&c) [b](javascript:x) [d](http://d.invalid)")]
    )
    outside = [link for link in found.links if not link.startswith("#")]
    assert outside == ["https://a.invalid/?b=1&c"]
    assert "d (http://d.invalid)" in found.text


def test_an_entity_does_not_bring_back_what_was_hidden() -> None:
    hidden = "&#103;hp_" + "PlantedGithub0002abcdefghijklmnop"
    html = written([message("m", f"key {hidden} and &#x202e;gnp")])
    text = Reader(html).text
    assert "ghp_" not in text and "[hidden]" in text and "\u202e" not in text


def test_an_image_is_in_the_page_and_what_only_claims_to_be_one_is_not() -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(90)).decode()
    svg = "data:image/svg+xml;base64," + base64.b64encode(b"<svg onload=x>" * 9).decode()
    for source, count in ((f"data:image/x;base64,{png}", 1), (svg, 0), ("https://a.invalid", 0)):
        content = [{"type": "image", "image_urls": [source]}]
        body = event("MessageEvent", "m", source="user", llm_message={"content": content})
        found = read([body])
        assert found.images == [f"data:image/png;base64,{png}"] * count


def test_terminal_colours_and_diffs_are_classes() -> None:
    edit = {"kind": "FileEditorAction", "command": "str_replace", "path": "/a.py"}
    changed = {"kind": "FileEditorObservation", "command": "str_replace", "path": "/a.py",
               "prev_exist": True, "old_content": "x = 1\n", "new_content": "x = 2\n"}  # fmt: skip
    html = written(
        [
            *(shell("a"), output("a", "\x1b[1;31mno\x1b[0m \x1b[38:2::0:255:0myes\x1b[m", 1)),
            *(call("b", edit, tool="file_editor"), result("b", changed, tool="file_editor")),
        ]
    )
    assert '<i class="h-bad h-bold">no</i> <i class="h-good">yes</i>' in html
    assert '<b class="h-del">-x = 1</b><b class="h-add">+x = 2</b>' in html


def test_a_long_output_is_cut_with_how_much_is_missing() -> None:
    lines = [f"line {number}" for number in range(10_000)]
    events = [shell("a"), output("a", "\n".join(lines))]
    found = read(events)
    assert "line 0\n" in found.text and "line 9999" in found.text
    assert "line 5000\n" not in found.text
    missing = re.search(r">([\d,]+) lines, \d+ kB, left out here", written(events))
    shown = len(re.findall(r"line \d+", found.text))
    assert (
        missing and int(missing[1].replace(",", "")) + shown == 10_001
    )  # the row tells the last one
    assert "line 5000\n" in read(events, whole=True).text


def test_a_text_without_line_ends_is_cut_too() -> None:
    found = read([shell("a"), output("a", "x" * 1_000_000)])
    assert "972 kB, left out here" in found.text and len(found.text) < 60_000


def test_of_a_long_run_begin_end_errors_and_turns_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(html_page, "MOST", 10)
    monkeypatch.setattr(html_page, "_ENDS", 3)
    events = [each for n in range(50) for each in (shell(f"s{n}"), output(f"s{n}"))]
    events[60:62] = [message("m", "Now the rest")]
    found = read(events)
    steps = [name for name in found.ids if name.startswith("step-")]
    assert steps == [f"step-{number}" for number in (1, 2, 3, 31, 48, 49, 50)]
    assert "7 of 50 steps are in this page" in found.text
    assert "steps 4 to 30 are left out here" in found.text
    assert "--whole writes all" in found.text and "--only 40-61 other steps" in found.text
    assert len(read(events, whole=True).opened) == 1 and "is cut" not in written(events, whole=True)


def test_of_many_hidden_events_the_first_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_page, "_OTHERS", 2)
    events = [event("ConversationStateUpdateEvent", f"e{n}", key="x") for n in range(5)]
    names = [name for name in read(events).ids if name.startswith("event-e")]
    text = read(events).text
    assert len(names) == 2 and "This page is cut" in text and "3 hidden events left out" in text
    assert "event-e4" in read(events, whole=True).ids


def test_a_run_without_steps_is_a_page_that_says_so() -> None:
    assert "no steps" in read([]).text


def test_of_every_demo_run_the_page_is_sound_and_its_keys_are_hidden_before() -> None:
    for slug in SLUGS[:12]:
        html = written(demo_run(slug).events)
        Reader(html)
        assert hide_keys(html) == html


def test_the_steps_of_a_sub_agent_stand_below_the_step_that_started_it() -> None:
    def below() -> tuple[Trajectory, str]:
        run = Trajectory()
        run.extend([message("p", "Look"), shell("x", "grep -r week"), output("x", "found")])
        return run, ""

    run = shared([message("m", "Please"), shell("a"), output("a"), shell("b"), output("b")])
    run.study.trajectory.sub_agents = [SubAgent("s1", below, started_by="a")]
    found = Reader(text_by(page, run))
    names = [name for name in found.ids if name.startswith("step-")]
    assert names == ["step-1", "step-2", "step-2.1", "step-2.2", "step-3"]
    assert "sub-agent 2 · 2 steps" in found.text and "grep -r week" in found.text


def sub_agent(name: str, *events: Event, started_by: str = "") -> SubAgent:
    below = Trajectory()
    below.extend(events)
    return SubAgent(name, lambda: (below, ""), started_by=started_by)


def test_files_of_sub_agents_stand_with_their_step_and_a_link_if_it_is_in_the_page() -> None:
    run = shared([*edit("1", A, "a\n", "b\n"), *task("t", "go", 0, 1), shell("b"), output("b")])
    below = edit("2", A, "b\n", "c\n"), edit("3", f"{A}b", "old\n", "new\n")
    run.study.trajectory.sub_agents = [sub_agent("task_t", *chain(*below))]
    html = text_by(page, run)
    found = Reader(html)
    assert "sub-agents changed 2 files in the same folder" in found.text
    assert html.count("by sub-agent 2") == 2 and "+new" in found.text
    assert {"#step-1", "#step-2.1", "#step-2.2"} <= set(found.links)
    there = "".join(changed_files_html(run.study, Sink(run), {1, 3}))
    assert 'href="#step-1"' in there and 'href="#step-2.' not in there and "2.1" in there


def test_the_files_of_a_patch_are_listed_with_its_lines() -> None:
    secret = f"sk-ant-api03-{'a1B2' * 12}"
    run = shared([shell("a"), output("a")])
    lines = f"@@ -1 +1 @@\n-x\n+{secret}\n"
    run.study.trajectory.recorded = Recorded(
        patch=f"diff --git a/<b>.py b/<b>.py\n--- a/<b>.py\n+++ b/<b>.py\n{lines}"
    )
    html = text_by(page, run)
    text = Reader(html).text
    assert "the patch that it handed in changes 1 file +1 -1" in text
    assert "<b>.py" in text and "changed in the patch, outside the editor" in text
    assert '<b class="h-del">-x</b>' in html and secret not in html
    assert "<b>.py" in text[text.index("What was hidden") :]
    assert "Changed files" not in Reader(text_by(page, replace(run, is_part=True))).text


def test_the_version_is_told_where_the_events_tell_it() -> None:
    plain, child = message("m", "Please"), event("PauseEvent", "p", source="user", parent_id="m")
    assert "Version" not in read([plain]).text
    assert "SDK 1.31 or newer" in read([plain, child]).text
    run = shared([plain])
    run.study.trajectory.recorded = Recorded(format="v0")
    assert "OpenHands V0" in Reader(text_by(page, run)).text
    run.study.trajectory.recorded = Recorded(format="atif")
    assert "Version" not in Reader(text_by(page, run)).text


def test_what_the_user_keeps_is_there_if_it_is_to_be_written() -> None:
    run = shared([message("m", "Please"), shell("a"), output("a")])
    kept = RunAnnotations({"bug": ""}, "Read <b>this</b>", ("a",), {"a": "Look here"})
    text = Reader(text_by(page, replace(run, kept=kept))).text
    assert all(word in text for word in ("bug", "Read <b>this</b>", "★", "Look here"))
    assert "Look here" not in Reader(text_by(page, run)).text

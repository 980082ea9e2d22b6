"""What each kind of rule asks, and when a run does not tell."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

import pytest

from oh_tui.batch.rules.rule import findings
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.batch.rules.rules_file import parse_rules
from oh_tui.conversation import Conversation, Metrics, WholeMetrics
from oh_tui.text import regex
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.steps import Step, decoded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules import answers as answers_module
from oh_tui.trajectory.rules.answers import answers
from oh_tui.trajectory.rules.question import MOST_STEPS, Answer, Question, State
from tests.trajectory.made import call, event, message, output, result, shell
from tests.trajectory.planted_rules import Bill, run_of

OF_RUN = Conversation(id="x")

HOLDS, BROKEN, UNKNOWN, NOTHING = State


def asked(words: str, run: Trajectory) -> Answer:
    """The answer of a run to a rule about steps, in TOML."""
    (rule,) = parse_rules(f'[[rule]]\nname = "a"\nwhy = "b"\n{words}\n').rules
    assert isinstance(rule.asks, Question)
    (answer,) = answers([rule.asks], Study(run))
    return answer


def test_counts() -> None:
    run = run_of(["list-a", "list-b", "list-a"])
    for words, state, steps in (
        ("never = true", BROKEN, (2, 4)),
        ("at_most = 1", BROKEN, (2, 4)),
        ("at_most = 2", HOLDS, ()),
        ("at_least = 2", HOLDS, ()),
        ("at_least = 3", BROKEN, (2, 4)),
    ):
        found = asked(f'steps = "re:/ls a/"\n{words}', run)
        assert (found.state, found.steps) == (state, steps), words
    assert asked('steps = "does:push"\nat_least = 1', run) == Answer(BROKEN)


def test_without_a_step_that_a_rule_is_about_there_is_nothing_to_check() -> None:
    def states(*deeds: str, is_whole: bool = True) -> dict[str, State]:
        run = run_of(deeds)
        run.complete = is_whole
        return {one.rule: one.state for one in findings(builtin_rules(), Study(run), OF_RUN)}

    found = states("edit", "pass")
    assert found["tested-before-commit"] is found["plan-done"] is NOTHING
    assert found["tests-after-last-edit"] is found["no-installs"] is HOLDS
    assert states("commit")["tested-before-commit"] is BROKEN
    assert states("list-a")["tests-after-last-edit"] is NOTHING
    assert states("plan-done")["plan-done"] is HOLDS
    assert states("program")["tests-after-last-edit"] is UNKNOWN, "the program may have edited"
    assert states("edit", is_whole=False)["tested-before-commit"] is UNKNOWN


RAN = [
    ("list-a", 'steps = "re:/ls a/"\nnever = true', BROKEN),
    ("list-a", 'steps = "re:/ls a/"\nat_most = 1', BROKEN),
    ("list-a", 'steps = "re:/ls a/"\nat_least = 1', HOLDS),
    ("list-a", 'steps = "re:/ls a/"\nrepeated = 2', BROKEN),
    ("list-a", 'steps = "re:/ls a/"\nafter = "does:test"', BROKEN),
]


@pytest.mark.parametrize(("deed", "words", "whole"), RAN)
def test_a_fork_is_judged_by_its_own_steps(deed: str, words: str, whole: State) -> None:
    run = run_of([deed, deed, "list-b"])
    assert asked(words, run).state is whole
    run.fork = Fork(run.events[4].id)  # with the second deed and its result
    assert len(run.steps) == 4 and Study(run).accounts.taken[0] == 3
    own = BROKEN if whole is HOLDS else HOLDS
    if "repeated" in words or "after" in words:
        own = NOTHING
    assert asked(words, run).state is own, "what its origin did is its origin's"
    run = run_of(["list-b", deed, deed])
    run.fork = Fork(run.events[2].id)
    found = asked(words, run)
    assert found.state is whole and not {1, 2} & set(found.steps)


def test_what_its_origin_did_counts_before_a_step_of_a_fork() -> None:
    words = 'steps = "does:commit"\nbefore = "does:test"'
    run = run_of(["pass", "commit"])
    run.fork = Fork(run.events[2].id)
    assert Study(run).accounts.taken[0] == 2 and asked(words, run).state is HOLDS


def test_a_fork_without_steps_of_its_own_is_not_known() -> None:
    run = run_of(["list-a"])
    run.fork = Fork(run.events[-1].id)
    assert asked('steps = "re:/ls a/"\nnever = true', run).lacks == "the fork has no steps"


def test_what_is_listed_is_bounded_and_counted() -> None:
    found = asked('steps = "does:look"\nnever = true', run_of(["list-a"] * 250))
    assert found.steps == tuple(range(2, 2 + MOST_STEPS)) and found.total == 250


def test_one_command_may_do_both() -> None:
    run = Trajectory()
    run.extend([shell("a", "pytest -q && git push"), output("a", "3 passed in 0.1s")])
    assert asked('steps = "does:push"\nbefore = "does:test"', run).state is HOLDS
    assert asked('steps = "does:test"\nafter = "does:push"', run).state is HOLDS
    assert asked('steps = "does:push"\nnever_after = "does:test"', run).state is HOLDS


def test_repetition_in_a_row_and_at_all() -> None:
    run = run_of(["list-a", "list-b", "list-a", "list-a"])
    for words, state, steps in (
        ("repeated = 3", BROKEN, (2, 4, 5)),
        ("repeated = 4", HOLDS, ()),
        ("repeated = 2\nin_a_row = true", BROKEN, (4, 5)),
        ("repeated = 3\nin_a_row = true", HOLDS, ()),
    ):
        found = asked(f'steps = "does:look"\n{words}', run)
        assert (found.state, found.steps) == (state, steps), words


@pytest.mark.parametrize(
    "lines, steps",
    [
        ([None, None, None], (2, 3, 4)),
        ([(1, 50), (51, 100), (101, 150)], ()),
        ([(1, 50), (40, -1), None], (2, 3, 4)),
        ([(1, 50), (40, 60), (50, 50), (61, 90)], (2, 3, 4)),
        ([(1, 10), (5, 20), (15, 30), (25, 40)], ()),
        ([(1, 9), (1, 9), (20, 29), (1, 9), (20, 29), (20, 29)], (2, 3, 4, 5, 6, 7)),
    ],
)
def test_reading_other_lines_of_a_file_is_not_reading_it_again(
    lines: list[tuple[int, int] | None], steps: tuple[int, ...]
) -> None:
    editor, gemini = Trajectory(), Trajectory()
    editor.extend([message("task", "Make it work")])
    gemini.extend([message("task", "Make it work")])
    for n, span in enumerate(lines):
        action = {"kind": "FileEditorAction", "command": "view", "path": "/w/a.py"}
        seen = {"kind": "FileEditorObservation", "command": "view", "path": "/w/a.py"}
        asks: dict[str, Any] = {"view_range": list(span)} if span else {}
        editor.extend([call(f"{n}", action | asks, tool="file_editor")])
        editor.extend([result(f"{n}", seen, tool="file_editor")])
        action = {"kind": "ReadFileAction", "file_path": "/w/a.py"}
        asks = {"offset": span[0]} if span else {}
        asks |= {"limit": span[1] - span[0] + 1} if span and span[1] > 0 else {}
        gemini.extend([call(f"{n}", action | asks, tool="read_file")])
        gemini.extend([result(f"{n}", {"kind": "ReadFileObservation"}, tool="read_file")])
    for run in (editor, gemini):
        found = asked('steps = "does:look"\nrepeated = 3\nsame = "file"', run)
        assert (found.state, found.steps) == (BROKEN if steps else HOLDS, steps)


def test_a_list_of_questions_matches_one_of_them() -> None:
    run = run_of(["push", "commit", "list-a"])
    found = asked('steps = ["does:push", "does:commit"]\nnever = true', run)
    assert found.steps == (2, 3)
    assert asked('steps = "does:look"\nafter = ["does:push", "does:look"]', run).state is HOLDS


LACKING = {
    'steps = "took:>5s"\nnever = true': "the duration of 1 step is not known",
    'steps = "cost:>1"\nnever = true': "the cost of 1 step is not known",
    'steps = "context:>80%"\nnever = true': "the context fill of 1 step is not known",
    'steps = "after:13:30"\nnever = true': "the time of 1 step is not known",
    'steps = "is:failed"\nnever = true': "the outcome of 1 step is not known",
    'steps = "does:push"\nnever = true': "the purpose of 1 step is not known",
    'steps = "writes:outside"\nnever = true': "the place of what is written of 1 step is not known",
    'steps = "tests:failed"\nnever = true': "the result of the tests of 1 step is not known",
}


@pytest.mark.parametrize("words", LACKING)
def test_a_run_without_what_a_rule_asks_never_passes(words: str) -> None:
    run = Trajectory()
    run.extend(
        [
            call("a", {"kind": "DeployAction"}, tool="deploy", timestamp=None),
            result(
                "a",
                {"kind": "DeployObservation"},
                tool="deploy",
                timestamp=None,
                oh_tui_untold=True,
            ),
        ]
    )
    found = asked(words, run)
    assert (found.state, found.lacks) == (UNKNOWN, LACKING[words])


def test_what_is_not_known_decides_nothing_where_the_rest_does() -> None:
    deploys = call("d", {"kind": "DeployAction"}, tool="deploy")
    done = result("d", {"kind": "DeployObservation"}, tool="deploy")
    run = Trajectory()
    run.extend([deploys, done, shell("a", "git push"), output("a")])
    assert asked('steps = "does:push"\nnever = true', run).steps == (2,)
    assert asked('steps = "does:push"\nat_least = 1', run).state is HOLDS
    assert asked('steps = "does:push tool:terminal"\nat_least = 2', run).state is BROKEN
    assert asked('steps = "does:push"\nat_least = 2', run).state is UNKNOWN
    assert asked('steps = "does:push"\nafter = "does:look"', run).state is BROKEN
    assert asked('steps = "does:push"\nafter = "does:install"', run).state is BROKEN
    run.extend([call("e", {"kind": "DeployAction"}, tool="deploy")])
    assert asked('steps = "does:push"\nafter = "does:install"', run).state is UNKNOWN


def test_an_event_that_cannot_be_read_may_be_anything() -> None:
    run = Trajectory()
    run.extend([shell("a", "ls"), output("a"), parse_event(b'{"kind": ')])
    found = asked('steps = "does:push"\nnever = true', run)
    assert (found.state, found.lacks) == (UNKNOWN, "the content of 1 step is not known")


def test_without_steps_or_calls_nothing_holds() -> None:
    never = 'steps = "does:push"\nnever = true'
    assert asked(never, Trajectory()).lacks == "the run has no steps"
    run = Trajectory()
    run.extend([message("m", "hello")])
    assert asked(never, run).lacks == "the run has no calls"
    assert asked('steps = "hello"\nnever = true', run).state is BROKEN


EDGES = {
    'steps = "does:edit"\nafter = "does:test"': (BROKEN, UNKNOWN, UNKNOWN, BROKEN),
    'steps = "does:test"\nat_least = 1': (BROKEN, UNKNOWN, UNKNOWN, UNKNOWN),
    'steps = "does:edit"\nat_least = 1': (HOLDS, HOLDS, HOLDS, HOLDS),
    'steps = "does:edit"\nnever = true': (BROKEN, BROKEN, BROKEN, BROKEN),
    'steps = "does:push"\nnever = true': (HOLDS, HOLDS, UNKNOWN, UNKNOWN),
    'steps = "does:edit"\nbefore = "does:test"': (BROKEN, BROKEN, BROKEN, UNKNOWN),
    'steps = "does:look"\nafter = "does:edit"': (HOLDS, HOLDS, UNKNOWN, UNKNOWN),
}
"""A rule -> its answer for a whole run, one that goes on, one cut off, one without its start."""


@pytest.mark.parametrize("words", EDGES)
def test_what_missing_steps_may_change_is_not_known(words: str) -> None:
    whole, going, cut, late = (run_of(["list-a", "edit"], live=n == 1) for n in range(4))
    cut.cut_off, late.complete = "The file is cut off.", False
    states = tuple(asked(words, run).state for run in (whole, going, cut, late))
    assert states == EDGES[words]


@pytest.mark.parametrize(
    ("status", "state"), [("finished", BROKEN), ("stuck", BROKEN), ("running", UNKNOWN)]
)
def test_a_file_of_a_run_that_was_not_over_may_lack_what_a_rule_wants(
    status: str, state: State
) -> None:
    run = run_of(["edit"])
    run.status = status
    assert asked('steps = "does:edit"\nafter = "does:test"', run).state is state


def test_edits_that_nobody_recorded_are_not_known() -> None:
    """A run that edits by programs alone."""
    after = 'steps = "writes:workspace"\nafter = "does:test"'
    assert asked(after, run_of(["program"])).state is UNKNOWN
    assert asked(after, run_of(["program", "pass"])).state is HOLDS
    assert asked(after, run_of(["edit", "pass", "program"])).state is HOLDS
    assert asked(after, run_of(["list-a"])).state is NOTHING


def test_a_clock_that_went_back_is_no_duration() -> None:
    run = Trajectory()
    run.extend([shell("a", "ls", second=30), output("a", second=5)])
    assert asked('steps = "took:>5s"\nnever = true', run).state is UNKNOWN


def test_a_pattern_without_end_is_given_up_and_not_known() -> None:
    run = Trajectory()
    run.extend([shell("a", "ls"), output("a", "a" * 50 + "!")])
    assert asked('steps = "re:/(a|aa)+$/"\nnever = true', run).state is UNKNOWN


def test_patterns_share_one_budget_of_time_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "\n".join(
        f'[[rule]]\nname = "a{n}"\nwhy = "b"\nsteps = "re:/(a|aa)+[b{n}]$/"\nnever = true'
        for n in range(100)
    )
    asks = [rule.asks for rule in parse_rules(rules).rules]
    questions = [one for one in asks if isinstance(one, Question)]
    run = Trajectory()
    for n in range(10):
        run.extend([shell(f"a{n}", "ls"), output(f"a{n}", "a" * 60 + "!")])
    monkeypatch.setattr(regex, "IN_ALL", 0.1)
    began = time.thread_time()
    found = answers(questions, Study(run))
    assert time.thread_time() - began < 1.5, "one second for each would be 10 s"
    assert {one.state for one in found} == {UNKNOWN} and len(found) == 100
    short = Trajectory()
    short.extend([shell("a", "ls"), output("a", "b1")])
    assert answers(questions[:1], Study(short))[0].state is not UNKNOWN, "each run has its own"


ERRORS = (
    *("Datei nicht gefunden", "fichier introuvable", "файл не найден", "找不到文件"),
    *("ファイルが見つかりません", "파일을 찾을 수 없습니다", "الملف غير موجود"),
    *("δεν βρέθηκε το αρχείο", "फ़ाइल नहीं मिली", "dosya bulunamadı"),
)


def test_errors_in_any_language_with_colours_and_on_one_long_line() -> None:
    run = Trajectory()
    for n, text in enumerate(ERRORS):
        run.extend([shell(f"c{n}", f"do {n}"), output(f"c{n}", f"\x1b[31m{text}\x1b[0m", 1)])
    run.extend([shell("long", "do"), output("long", "x" * 1_000_000 + " " + ERRORS[0], 1)])
    for n, text in enumerate(ERRORS):
        found = asked(f'steps = "is:failed \\"{text}\\""\nnever = true', run)
        assert found.steps == ((1, 11) if n == 0 else (n + 1,)), text
    assert asked('steps = "secret:output"\nnever = true', run).state is HOLDS


def test_a_condensation_that_forgets_something_else() -> None:
    run = run_of(["forget-other"])
    assert asked('steps = "forgets:task"\nnever = true', run).state is HOLDS
    run = Trajectory()
    gone = event("Condensation", "c", forgotten_event_ids=["m1"])
    run.extend([message("m1", "hi", "agent"), message("m2", "task"), shell("a"), gone])
    assert asked('steps = "forgets:task"\nnever = true', run).state is HOLDS


def test_a_thousand_rules_take_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[int] = []

    def counted(step: Step) -> AbstractContextManager[None]:
        passed.append(step.number)
        return decoded(step)

    monkeypatch.setattr(answers_module, "decoded", counted)
    rules = parse_rules(
        "".join(
            f'[[rule]]\nname="r{n}"\nwhy="b"\nsteps="does:look word{n}"\nat_most={n}\n'
            for n in range(1_000)
        )
    ).rules
    run = run_of(["list-a", "pass"] * 10)
    found = answers([one.asks for one in rules if isinstance(one.asks, Question)], Study(run))
    assert len(found) == 1_000 and {one.state for one in found} == {HOLDS}
    assert passed == [step.number for step in run.steps]


# rules about the whole run


def of_run(words: str, conversation: Conversation, run: Trajectory | None = None) -> Answer:
    rules = parse_rules(f'[[rule]]\nname = "a"\nwhy = "b"\nrun = {words}\n').rules
    run = run or run_of(["list-a"], Bill([None], None, None))
    (found,) = findings(rules, Study(run), conversation)
    return found.answer


def test_a_run_with_its_row() -> None:
    paid = Conversation(id="x", metrics=WholeMetrics(2.0), llm_model="gpt")
    assert of_run('"cost:>1"', paid).state is BROKEN
    assert of_run('"cost:>3"', paid).state is HOLDS
    assert of_run('"cost:>1 model:claude"', paid).state is HOLDS
    assert of_run('["cost:>3", "model:gpt"]', paid).state is BROKEN
    assert of_run('["cost:>3", "took:>1h"]', paid).lacks == (
        "what took: asks is not known of the run"
    )
    partly = Conversation(id="x", metrics=Metrics(2.0))
    assert of_run('"cost:>1"', partly).state is BROKEN
    assert of_run('"cost:>3"', partly).state is UNKNOWN
    nothing = Conversation(id="x")
    for words in ('"cost:>1"', '"-cost:>1"', '"took:<1h"', '"model:x"', '"is:resolved"'):
        assert of_run(words, nothing).state is UNKNOWN, words


def test_a_limit_of_time_is_for_the_agents_own() -> None:
    waited, began = Trajectory(), "2026-03-01T10:00:00"
    waited.extend(
        [
            message("task", "Make it work", timestamp=began),
            message("answer", "Which one?", "agent", timestamp="2026-03-01T10:10:00"),
            message("more", "The first", timestamp="2026-03-01T14:00:00"),
            message("done", "Done", "agent", timestamp="2026-03-01T14:05:00"),
        ]
    )
    row = Conversation(id="x", created_at=f"{began}Z", updated_at="2026-03-01T14:05:00Z")
    for one in (row, OF_RUN, Conversation(id="x", home="x")):
        assert of_run('"took:>2h"', one, waited).state is HOLDS
        found = of_run('"took:>14m"', one, waited)
        assert found.because == "worked 15m00s, the limit is 14m"


def test_a_file_is_as_its_events_tell() -> None:
    row = Conversation(id="x", home="x")
    run = run_of(["list-a", "list-b"])
    assert of_run('"took:>2h"', row, run).state is HOLDS
    run.cut_off = "The file is cut off."
    assert of_run('"took:>2h"', row, run).state is UNKNOWN


DELEGATES = {
    "a task": (
        call("s", {"kind": "TaskAction", "prompt": "Fix it"}, tool="task"),
        result("s", {"kind": "TaskObservation"}, tool="task"),
    ),
    "a task of another agent": (
        event("ACPToolCallEvent", "s", tool_call_id="s", tool_kind="think", title="Fix it",
              raw_input={"prompt": "Fix it", "subagent_type": "coder"}),
        event("ACPToolCallEvent", "t", tool_call_id="s", tool_kind="think", status="completed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DELEGATES)
def test_what_a_sub_agent_did_is_not_known(case: str) -> None:
    def states(*events: Event) -> dict[str, Answer]:
        run = Trajectory()
        run.extend(events)
        return {one.rule: one.answer for one in findings(builtin_rules(), Study(run), OF_RUN)}

    tested = shell("b", "pytest -q"), output("b", "1 passed in 0.1s")
    pushed = shell("c", "git push"), output("c")
    found = states(*tested, *DELEGATES[case], *pushed)
    not_known = {name for name, answer in found.items() if answer.state is UNKNOWN}
    assert not_known > {
        "tests-after-last-edit", "tested-before-commit", "tests-not-bent", "no-installs",
        "no-secret-in-output", "stays-in-workspace",
    }  # fmt: skip
    assert (
        found["tests-after-last-edit"].lacks == "the work of the sub-agent of 1 step is not known"
    )
    assert found["plan-done"].state is NOTHING
    alone = states(*tested, *DELEGATES[case])
    assert alone["tested-before-commit"].state is UNKNOWN  # it may have edited and committed
    edited = shell("d", "echo 1 > a.py"), output("d")
    assert states(*DELEGATES[case], *edited)["tests-after-last-edit"].state is BROKEN
    again = states(*DELEGATES[case], *edited, *tested, *pushed)
    assert again["tests-after-last-edit"].state is HOLDS  # after all that it may have done
    assert again["tested-before-commit"].state is UNKNOWN  # it may have committed


def test_a_thought_of_another_agent_is_none() -> None:
    run = Trajectory()
    told: dict[str, Any] = {"title": "Update the plan", "raw_input": {"todos": []}}
    run.extend([event("ACPToolCallEvent", "s", tool_call_id="s", tool_kind="think", **told)])
    assert asked('steps = "does:push"\nnever = true', run).state is HOLDS


def _plan(id: str, *statuses: object, command: str = "plan") -> list[Event]:
    tasks = [{"title": "a"} | ({} if one == "" else {"status": one}) for one in statuses]
    action = {"kind": "TaskTrackerAction", "command": command, "task_list": tasks}
    seen = {**action, "kind": "TaskTrackerObservation"}
    return [call(id, action, tool="task_tracker"), result(id, seen, tool="task_tracker")]


@pytest.mark.parametrize(
    ("events", "state", "told"),
    [
        (_plan("a", "done", "todo"), BROKEN, (1, 2)),
        (_plan("a", "done", ""), BROKEN, (1, 2)),
        (_plan("a", "done", "done"), HOLDS, (2, 2)),
        (_plan("a", "done", "todo", command="view"), BROKEN, (1, 2)),
        (_plan("a", "done", None), UNKNOWN, None),
        (_plan("a", "todo", None), BROKEN, None),
        (_plan("a", "done", "todo")[:1], UNKNOWN, None),
        ([*_plan("a", "done", "todo"), *_plan("b")], HOLDS, None),
        ([*_plan("a", "done"), *_plan("b", "todo")[:1]], UNKNOWN, (1, 1)),
        ([*_plan("a", "done"), *_plan("b", None)[:1]], UNKNOWN, (1, 1)),
    ],
)
def test_rules_and_verdict_read_plans_alike(
    events: list[Event], state: State, told: tuple[int, int] | None
) -> None:
    run = Trajectory()
    run.extend(events)
    (rule,) = (one for one in builtin_rules() if one.name == "plan-done")
    assert isinstance(rule.asks, Question)
    (answer,) = answers([rule.asks], Study(run))
    assert (answer.state, judge(run).plan) == (state, told)
    assert bool(answer.lacks) is (state is UNKNOWN)

"""Steps that are worth a look, each beside a near miss."""

from __future__ import annotations

import pytest

from oh_tui.text.redact import hold, hold_these
from oh_tui.trajectory.findings.review_hints.hint import Hint
from oh_tui.trajectory.findings.review_hints.hints import kind_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.bodies import CLIPPED
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.change_rows import rows
from oh_tui.trajectory.reading.test_files import is_test
from oh_tui.trajectory.search.step_filter import QueryError, parse
from tests.trajectory.edited import A, edit, patch, run
from tests.trajectory.made import call, event, message, output, shell

Events = tuple[Event, ...]

TEST = "/workspace/project/tests/test_a.py"


def looks(*events: Event) -> dict[int, list[str]]:
    """The names of the reasons, by step."""
    return {
        step.number: [str(reason.hint) for reason in reasons]
        for step, reasons in Study(run(*events)).review_hints
    }


def why(*events: Event) -> list[str]:
    return [one.why for _, reasons in Study(run(*events)).review_hints for one in reasons]


def ran(id: str, command: str, code: int = 0, text: str = "") -> Events:
    return shell(id, command), output(id, text, code)


def lines(count: int, word: str = "line") -> str:
    return "".join(f"{word} {n}\n" for n in range(count))


FAILED = ran("t", "pytest", 1, "1 failed, 2 passed in 0.1s")
PASSED = ran("u", "pytest", 0, "3 passed in 0.1s")

CASES: dict[str, tuple[str, Events, Events]] = {
    "a large diff": (
        "large-diff",
        edit("1", A, "", lines(201)),
        edit("1", A, "", lines(200)),
    ),
    "lines taken out count too": (
        "large-diff",
        edit("1", A, lines(150, "old"), lines(60, "new")),
        edit("1", A, lines(150, "old"), lines(160, "old")),
    ),
    "a test edited after it failed": (
        "test-edit",
        (*FAILED, *edit("1", TEST, "a\n", "b\n")),
        (*FAILED, *PASSED, *edit("1", TEST, "a\n", "b\n")),
    ),
    "code edited after a test failed": (
        "test-edit",
        (*FAILED, *edit("1", A, "a\n", "b\n"), *ran("2", "sed -i s/1/2/ tests/test_a.py")),
        (*FAILED, *edit("1", A, "a\n", "b\n")),
    ),
    "the same line for the third time": (
        "rewrite",
        (
            *edit("1", A, "a\nb\n", "1\nb\n"),
            *edit("2", A, "1\nb\n", "2\nb\n"),
            *edit("3", A, "2\nb\n", "3\nb\n"),
        ),
        (
            *edit("1", A, "a\nb\n", "1\nb\n"),
            *edit("2", A, "1\nb\n", "1\n2\n"),
            *edit("3", A, "1\n2\n", "3\n2\n"),
        ),
    ),
    "a file deleted by a command": (
        "delete",
        ran("1", "rm -f src/a.py"),
        ran("1", "rm -rf /tmp/build"),
    ),
    "a file deleted by a patch": (
        "delete",
        patch("1", "*** Begin Patch\n*** Delete File: a.py\n*** End Patch"),
        patch("1", "*** Begin Patch\n*** Delete File: a.py\n*** End Patch", is_error=True),
    ),
    "a file moved": ("move", ran("1", "git mv a.py b.py"), ran("1", "git add a.py b.py")),
    "config": (
        "config",
        edit("1", "/workspace/project/pyproject.toml", "a\n", "b\n"),
        edit("1", "/workspace/project/docs/pyproject.md", "a\n", "b\n"),
    ),
    "CI": (
        "ci",
        ran("1", "sed -i s/a/b/ .github/workflows/test.yml"),
        ran("1", "cat .github/workflows/test.yml"),
    ),
    "a lock": (
        "lock",
        edit("1", "/workspace/project/uv.lock", "a\n", "b\n"),
        edit("1", "/workspace/project/lock.py", "a\n", "b\n"),
    ),
    "a push by force": (
        "force",
        ran("1", "git push --force-with-lease origin x"),
        ran("1", "git push origin x"),
    ),
    "sudo": ("sudo", ran("1", "sudo apt-get update"), ran("1", "grep sudo README.md")),
    "a retry": (
        "retry",
        (*ran("1", "python a.py", 1), *ran("2", "cat a.py"), *ran("3", "python a.py", 1)),
        (
            *ran("1", "python a.py", 1),
            *edit("2", A, "a\n", "b\n"),
            *ran("3", "python a.py", 1),
        ),
    ),
    "a retry without the user": (
        "retry",
        (*ran("1", "python a.py", 1), *ran("3", "python a.py", 1)),
        (*ran("1", "python a.py", 1), message("2", "try again"), *ran("3", "python a.py", 1)),
    ),
    "a retry without a command that may have done a part": (
        "retry",
        (*ran("1", "python a.py", 1), *ran("2", "grep x a.py", 1), *ran("3", "python a.py", 1)),
        (
            *ran("1", "python a.py", 1),
            *ran("2", "sed -i s/a/b/ a.py && pytest", 1),
            *ran("3", "python a.py", 1),
        ),
    ),
    "a failure cut": (
        "cut-error",
        ran("1", "make", 2, f"a\n{CLIPPED}<NOTE>Due to ...</NOTE>\nb"),
        ran("1", "make", 0, f"a\n{CLIPPED}<NOTE>Due to ...</NOTE>\nb"),
    ),
    "cut beside an error": (
        "cut-error",
        ran("1", "make | tee x", 0, f"a\nx.c:3: error: no\nb\n{CLIPPED}<NOTE>.</NOTE>\nb\nc"),
        ran("1", "make | tee x", 0, "a\nx.c:3: error: no\nb\nb\nc"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_worth_a_look_and_a_near_miss_is_not(name: str) -> None:
    look, has, has_not = CASES[name]
    found = looks(*has)
    last = max(found, default=0)
    assert look in found.get(last, []), found
    assert last == len(run(*has).steps)
    assert not any(look in one for one in looks(*has_not).values())


def test_each_look_has_a_case() -> None:
    assert {look for look, *_ in CASES.values()} == set(Hint)


def test_a_reason_tells_its_fact() -> None:
    assert why(*edit("1", A, "", lines(250))) == ["changes 250 lines of src/a.py, over 200"]
    assert why(*ran("1", "rm a b c d e", 1)) == [
        "deletes a, b, c and 2 more; the command failed",
    ]
    assert why(*ran("1", "git mv a.py b.py")) == ["moves a.py to b.py"]
    assert why(*ran("1", "python a.py", 1), *ran("3", "python a.py", 1)) == [
        "the call of step 1 again, which failed; no work between",
    ]
    assert why(*FAILED, *edit("1", TEST, "a\n", "b\n")) == [
        "edits tests/test_a.py after tests failed in step 1"
    ]
    assert why(*ran("1", "make | cat", 0, f"x.c:3: error: no\nb\n{CLIPPED}<NOTE>.</NOTE>\nb")) == [
        "its output is cut beside an error: x.c:3: error: no"
    ]


def test_a_reason_names_its_files_for_the_list_of_changed_ones() -> None:
    study = Study(run(*edit("1", "/workspace/project/tox.ini", "a\n", "b\n")))
    key = study.changes.files[0].path
    ((_, reasons),) = study.review_hints
    assert [study.changes.key(path) for path in reasons[0].paths] == [key]
    (row,) = rows(study.changes, None)
    assert row._replace(looks=((1, reasons[0]),)).remark("") == "config"


def test_a_rejected_call_did_nothing_and_one_that_waits_says_so() -> None:
    no = event("UserRejectObservation", "no", action_id="1", tool_call_id="call-1")
    assert looks(shell("1", "sudo rm a.py"), no) == {}
    assert why(shell("1", "git push -f")) == ["pushes by force; it has no result"]


def test_texts_of_a_run_are_clean_and_hide_secrets() -> None:
    hold("hunter22hunter22")
    try:
        (told,) = why(*ran("1", "rm 'a\x1b[31m\nhunter22hunter22'"))
    finally:
        hold_these(())
    assert told.isprintable()
    assert "hunter22" not in told
    key = "ghp_" + "x1Y2" * 9
    (told,) = why(*ran("1", "x | y", 0, f"q\nerror: {key}\n{CLIPPED}<NOTE></NOTE>\nq\nq"))
    assert key not in told and "error:" in told


def test_it_is_the_same_when_the_run_grows_event_by_event() -> None:
    events = [one for _, has, has_not in CASES.values() for one in (*has, *has_not)]
    events = [
        call_again(one, number) for number, one in enumerate(events)
    ]  # the cases use the same ids
    whole = run(*events)
    grown = Trajectory(live=True)
    study = Study(grown)
    for one in events:
        grown.extend([one])
        study.update()
        list(study.review_hints)
    assert [(step.number, reasons) for step, reasons in study.review_hints] == [
        (step.number, reasons) for step, reasons in Study(whole).review_hints
    ]


def call_again(one: Event, number: int) -> Event:
    """The event under another id; a result stands right behind its call."""
    body = one.body()
    of = number - 1 if one.kind == "ObservationEvent" else number
    fields = {name: value for name, value in body.items() if name not in ("id", "kind")}
    fields |= {"tool_call_id": f"call-{of}", "llm_response_id": f"answer-{of}"}
    if one.kind == "ObservationEvent":
        fields["action_id"] = f"e{of}"
    fields.pop("timestamp")
    return event(one.kind, f"e{number}", number, **fields)


def test_a_result_that_comes_late_counts() -> None:
    first, late = ran("1", "python a.py", 1)
    others = [one for n in range(400) for one in ran(f"x{n}", "ls")]
    again = ran("2", "python a.py", 1)
    grown = Trajectory(live=True)
    grown.extend([first, *others, *again])
    study = Study(grown)
    assert [reasons[0].hint for _, reasons in study.review_hints] == []
    grown.extend([late])
    study.update()
    assert [reasons[0].hint for _, reasons in study.review_hints] == ["retry"]


def test_what_is_known_reads_nothing_and_holds_as_the_run_grows() -> None:
    grown = run(*ran("1", "sudo ls"), shell("2", "sudo make"), live=True)
    study = Study(grown)
    first, second = grown.steps
    assert study.known_hints(first) == () and "review_hints" not in vars(study)
    assert not study.review_hints.update(-1)
    assert study.known_hints(first) == () and study.review_hints.progress == (0, 2)
    assert study.review_hints.update(60)
    assert study.review_hints.progress == (2, 2)
    assert [one.hint for one in study.known_hints(first)] == ["sudo"]
    assert [one.why for one in study.known_hints(second)] == [
        "runs a command with sudo; it has no result"
    ]
    grown.extend([output("2"), *ran("3", "sudo make install")])
    study.update()
    assert [one.hint for one in study.known_hints(first)] == ["sudo"]
    assert study.known_hints(grown.steps[2]) == ()
    assert study.review_hints.update(60)
    assert [one.why for one in study.known_hints(second)] == ["runs a command with sudo"]
    assert [one.hint for one in study.known_hints(grown.steps[2])] == ["sudo"]


def test_nothing_is_known_of_steps_with_new_numbers() -> None:
    grown = run(output("1"), *ran("2", "ls"), *ran("3", "sudo ls"), live=True)
    study, (_, _, step) = Study(grown), grown.steps
    assert study.review_hints.update(60) and study.known_hints(step)
    grown.extend([shell("1")])  # the result is no step of its own any more
    assert step.number == 2
    assert [study.known_hints(one) for one in grown.steps] == [(), (), ()]
    assert study.review_hints.update(60)
    assert [len(study.known_hints(one)) for one in grown.steps] == [0, 1, 0]


def test_the_word_finds_them() -> None:
    study = Study(run(*ran("1", "sudo rm a.py"), *ran("2", "ls")))

    def found(words: str) -> list[int]:
        query = parse(words)
        assert query.needs_study
        steps = study.trajectory.steps
        return [step.number for step in steps if query.matches(step, study.trajectory, study)]

    assert found("look:any") == found("look:sudo") == found("look:del") == [1]
    assert found("-look:any") == [2]
    assert found("look:force") == []
    with pytest.raises(QueryError):
        parse("look:nothing")


@pytest.mark.parametrize(
    ("path", "kind"),
    {
        "Dockerfile": "config",
        "a/Dockerfile.dev": "config",
        ".env": "config",
        "a/.env.local": "config",
        "requirements-dev.txt": "config",
        ".github/workflows/x.yml": "ci",
        "/workspace/p/.github/workflows/x.yml": "ci",
        "Jenkinsfile": "ci",
        "a/package-lock.json": "lock",
        "Cargo.lock": "lock",
        "go.sum": "lock",
        "src/config.py": None,
        "environment.py": None,
        "github/workflows.py": None,
    }.items(),
)
def test_kinds_of_files(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("path", "is_one"),
    {
        "tests/a.py": True,
        "test_a.py": True,
        "a_test.go": True,
        "src/a.test.ts": True,
        "src/ATest.java": True,
        "conftest.py": True,
        "src/contest.py": False,
        "testing.md": False,
        "docs/spec/x.yaml": False,
        "spec/models/user.rb": True,
        "spec/support/helper.ts": True,
        "specs/api/openapi.json": False,
        "latest/a.py": False,
    }.items(),
)
def test_names_of_tests(path: str, is_one: bool) -> None:
    assert is_test(path) is is_one


def test_a_call_without_arguments_is_not_worth_a_look() -> None:
    assert looks(call("1", None)) == {}

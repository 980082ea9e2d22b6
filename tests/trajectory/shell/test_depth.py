"""What lies too deep within a command is not read: it may write, and may not be undone."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.changes.blame import blame
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.intents import acts_of, purposes_of_exit
from oh_tui.trajectory.reading.lasting import cannot_be_undone
from oh_tui.trajectory.shell.commands import WRAPPERS, effect, program_of
from oh_tui.trajectory.shell.purpose import Purpose
from tests.trajectory.edited import A, edit, run
from tests.trajectory.made import output, shell

DEEP = {
    name: " ".join((name, *sorted(row.after)[:1], *"5" * row.own)) for name, row in WRAPPERS.items()
} | {
    "find": "find . -exec", "runner of a module": "python -m uv run", "substitution": "echo $(",
    "quoted substitution": 'echo "$(', "both": "timeout 5 cat $(",
}  # fmt: skip
FLAT = {
    "shell": "bash -c", "shell in find": "find . -exec sh -c", "module": "python -m",
    "subshell": "(", "group": "{", "negation": "!", "assignment": "A=1", "condition": "if",
    "backticks": "`", "brace": "${a:-", "array": "a=(",
}  # fmt: skip


@pytest.mark.parametrize("times", [12, 1_000])
@pytest.mark.parametrize("case", DEEP)
def test_what_lies_too_deep_may_do_anything(case: str, times: int) -> None:
    for inner in ("ls", "git push"):
        command = f"{DEEP[case]} " * times + inner
        assert effect(command).writes
        assert Purpose.RUN in {act.purpose for act in acts_of(command)}
        assert purposes_of_exit(command) != {Purpose.LOOK}
        assert program_of(command)
        assert cannot_be_undone(Step(1, shell("1", command)))


@pytest.mark.parametrize("case", DEEP)
def test_what_lies_less_deep_is_read(case: str) -> None:
    closed = ' )"' * 3 if "quoted" in case else " )" * 3 if "$(" in DEEP[case] else ""
    command = f"{DEEP[case]} " * 3 + "git push" + closed
    assert {act.purpose for act in acts_of(command)} & {Purpose.PUSH, Purpose.RUN}


@pytest.mark.parametrize("case", FLAT)
def test_what_repeats_is_read_however_long(case: str) -> None:
    command = f"{FLAT[case]} " * 1_000 + "git push"
    assert isinstance(effect(command).writes, bool)
    assert list(acts_of(command)) == list(acts_of(command))
    assert isinstance(program_of(command), str)


@pytest.mark.parametrize("case", ["timeout", "xargs", "find", "substitution"])
def test_a_file_may_have_been_written_by_what_lies_too_deep(case: str) -> None:
    nested = f"{DEEP[case]} " * 1_000 + "ls"
    study = Study(run(*edit("1", A, None, "x\n", "create"), shell("2", nested), output("2")))
    (state,), (file,) = study.files.at(2), study.files.files
    assert not state.certain
    assert [line.version.label for line in blame(study.files, file, state).lines] == [1]

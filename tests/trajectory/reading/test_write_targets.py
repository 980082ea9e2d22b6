"""Where steps write."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import parse
from tests.trajectory.edited import edit, patch
from tests.trajectory.made import result, shell

WORK = "/workspace/app"

COMMANDS = {
    "rm -rf build": "workspace",
    "echo x > /workspace/other/y": "workspace",
    "rm /etc/passwd": "outside",
    "rm -rf /": "outside",
    "rm -rf ~/.ssh": "outside",
    "echo x >> $HOME/.bashrc": "outside",
    "echo x > $FILE": "?",
    "mv a.py ../../../b.py": "workspace outside",
    "cp a.py /usr/local/bin/a": "outside",
    "echo x > /tmp/x": "temporary",
    "pytest > /dev/null 2>&1": "",
    "cd /etc && rm hosts": "outside",
    "cd src && rm ../a.py": "workspace",
    "cd src; cd /etc; rm hosts": "?",
    "(cd /etc && rm hosts)": "?",
    "git commit -m 'cd and cd' && rm a.py": "workspace",
    "rm -rf $DIR": "?",
    "sed -i s/a/b/ tests/test_a.py": "workspace tests",
    "echo x >> /tmp/tests/test_a.py": "temporary",
    "git checkout -- a.py": "workspace",
    "ls /etc": "",
}
"""A command -> where it writes, `?` for what is not known."""


def written(command: str, *, tells: bool) -> str:
    run = Trajectory()
    place = "/etc" if command.startswith("cd /etc") else WORK
    place = f"{WORK}/src" if command.startswith("cd src &&") else place
    metadata = {"working_dir": place} if tells else {}
    first = {"kind": "TerminalObservation", "metadata": {"working_dir": WORK}}
    run.extend([shell("a", "ls"), result("a", first)])
    run.extend([shell("b", command), result("b", {**first, "metadata": metadata})])
    study = Study(run)
    names = ("workspace", "outside", "temporary", "tests")
    found = [
        name for name in names if parse(f"writes:{name}").matches(run.steps[1], run, study)
    ]  # fmt: skip
    return " ".join(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_where_a_command_writes(command: str) -> None:
    wanted = COMMANDS[command].replace("?", "")
    assert written(command, tells=True) == wanted
    assert written(command, tells=False) == wanted


def test_a_folder_that_the_shell_puts_in_is_not_known_unless_it_is_told() -> None:
    assert written('cd "$X" && rm hosts', tells=True) == "workspace"
    assert written('cd "$X" && rm hosts', tells=False) == ""


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (f"{WORK}/src/a.py", "workspace"),
        (f"{WORK}/../../etc/a", "outside"),
        ("src/a.py", "workspace"),
        (f"{WORK}/tests/test_a.py", "tests"),
        (f"{WORK}/src/a.test.ts", "tests"),
        ("/home/me/.bashrc", "outside"),
        ("/private/tmp/a", "temporary"),
    ],
)
def test_where_an_editor_writes(path: str, where: str) -> None:
    run = Trajectory()
    told = {"kind": "TerminalObservation", "metadata": {"working_dir": WORK}}
    run.extend([shell("a", "ls"), result("a", told), *edit("b", path, "a", "b")])
    assert parse(f"writes:{where}").matches(run.steps[1], run, Study(run))


def test_a_patch_writes_each_of_its_files() -> None:
    run = Trajectory()
    changes = "*** Update File: src/a.py\n@@\n-a\n+b\n*** Delete File: tests/test_b.py\n"
    run.extend(patch("a", f"*** Begin Patch\n{changes}*** End Patch"))
    study = Study(run)
    for name in ("workspace", "tests"):
        assert parse(f"writes:{name}").matches(run.steps[0], run, study)


def test_without_a_workspace_absolute_paths_are_not_placed() -> None:
    run = Trajectory()
    run.extend([*edit("a", "/srv/app/a.py", "a", "b"), *edit("b", "/workspace/a.py", "a", "b")])
    study = Study(run)
    assert study.workspace == ""
    assert not parse("writes:outside").matches(run.steps[0], run, study)
    assert parse("writes:workspace").matches(run.steps[1], run, study)


def test_the_workspace_is_that_of_the_first_command_that_stays() -> None:
    run = Trajectory()
    told = {"kind": "TerminalObservation", "metadata": {"working_dir": "/srv/app/src"}}
    run.extend([shell("a", "cd src && ls"), result("a", told)])
    assert Study(run).workspace == ""
    told = {"kind": "TerminalObservation", "metadata": {"working_dir": "/srv/app"}}
    run.extend([shell("b", "ls"), result("b", told)])
    assert Study(run).workspace == "/srv/app"

"""Clones of a revision by a shell: which words name one, and that no word is a command."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from oh_tui.actions.replay_plan import Revision, clone, read_revision
from oh_tui.api.models import CommandResult
from oh_tui.text.problem import Problem


class Shell:
    """As the server runs a line."""

    async def run_command(self, line: str, *, timeout: int) -> CommandResult:
        done = subprocess.run(  # noqa: ASYNC221
            ["/bin/sh", "-c", line], capture_output=True, text=True, check=False
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    return subprocess.check_output(["git", "-C", str(folder), *own, *words], text=True).strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a b; $(touch pwned)"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number in range(2):
        (folder / "a.txt").write_text(f"{number}\n")
        git(folder, "add", "a.txt")
        git(folder, "commit", "-qm", str(number))
    git(folder, "branch", "old", "HEAD~1")
    return folder


@pytest.mark.parametrize(("name", "text"), [("main", "1\n"), ("old", "0\n"), ("", "0\n")])
async def test_a_new_folder_has_the_files_of_the_revision(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shell: Any = Shell()
    place = tmp_path / "new 'place' `touch pwned`"
    name = name or git(repository, "rev-parse", "HEAD~1")
    await clone(shell, Revision(str(repository), name), str(place))
    assert (place / "a.txt").read_text() == text
    assert not list(tmp_path.rglob("pwned"))
    with pytest.raises(Problem, match="not an empty directory"):
        await clone(shell, Revision(str(repository), name), str(place))
    assert (place / "a.txt").read_text() == text


async def test_what_is_not_there_is_refused_with_the_reason_of_git(
    repository: Path, tmp_path: Path
) -> None:
    shell: Any = Shell()
    with pytest.raises(Problem, match=r"There is no workspace at gone: .*gone"):
        await clone(shell, Revision(str(repository), "gone"), str(tmp_path / "one"))
    with pytest.raises(Problem, match="There is no workspace at main: "):
        await clone(shell, Revision(str(tmp_path / "nothing"), "main"), str(tmp_path / "two"))


def test_a_word_names_a_repository_and_a_revision() -> None:
    known = {
        "https://a.example/b/c.git@v1.0": ("https://a.example/b/c.git", "v1.0"),
        "https://me@a.example/b@main": ("https://me@a.example/b", "main"),
        "git@a.example:b/c.git@fix/it": ("git@a.example:b/c.git", "fix/it"),
        "/srv/b@0123abc": ("/srv/b", "0123abc"),
    }
    for word, found in known.items():
        assert read_revision(word) == found
    for word in (
        "", "@", "main", "https://a.example/b", "https://me@a.example/b", "git@a.example:b",
        "--upload-pack=x@main", "ext::sh -c x@main", "/srv/b@-f", "/srv/b@", "/srv/b c@main",
        "https://a.example/b@a b", "-o/x@main",
    ):  # fmt: skip
        with pytest.raises(Problem):
            read_revision(word)

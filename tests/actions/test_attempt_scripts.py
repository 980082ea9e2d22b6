"""What git is asked about attempts, by a real git and a real shell."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from oh_tui.actions.attempt_scripts import (
    ACCEPT,
    GROUND,
    LOOK,
    PATCH,
    VERIFY,
    Change,
    FileChange,
    filled,
    read_change,
)

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
ME = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *ME, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sh(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


def look(folder: Path, base: str, ground: str = "") -> Change:
    done = sh(folder, filled(LOOK, base=base, folder=ground))
    assert done.returncode == 0, done.stderr
    return read_change(done.stdout)


def state(folder: Path) -> tuple[str, str, int]:
    """What no look may change: status, the index, and how many objects there are."""
    status = git(folder, "--no-optional-locks", "status", "--porcelain")
    index = folder / git(folder, "rev-parse", "--git-path", "index")
    objects = folder / git(folder, "rev-parse", "--git-path", "objects")
    return status, index.read_bytes().hex(), sum(1 for _ in objects.rglob("*"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "a repo"
    (repo / "tests").mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (repo / "tests/test_calc.py").write_text("from calc import add\nassert add(3, 4) == 7\n")
    (repo / ".gitignore").write_text("*.log\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "first")
    return repo


@pytest.fixture
def base(repo: Path) -> str:
    return git(repo, "rev-parse", "HEAD")


def worktree(repo: Path, name: str) -> Path:
    path = repo.parent / name
    git(repo, "worktree", "add", "-q", "-b", f"openhands/{name}", str(path), "HEAD")
    return path


FIXED = "def add(a, b):\n    return a + b\n"


def test_a_change_is_told_whole_and_nothing_is_changed_by_it(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    (place / "tests/test_calc.py").unlink()
    (place / "tests/test_more.py").write_text("x = 1\ny = 2\n")
    (place / "bild\n1.bin").write_bytes(b"\0\1")
    (place / "noise.log").write_text("ignored\n")
    before, ground = state(place), state(repo)
    change = look(place, base)
    assert {one.path: (one.letter, one.added, one.removed) for one in change.files} == {
        "calc.py": ("M", 1, 1),
        "bild\n1.bin": ("A", None, None),
        "tests/test_calc.py": ("D", 0, 2),
        "tests/test_more.py": ("A", 2, 0),
    }
    assert (change.branch, change.head, change.ground) == ("openhands/one", base, "")
    assert (change.added, change.removed) == (3, 3)
    assert {one.path for one in change.tests} == {"tests/test_calc.py", "tests/test_more.py"}
    assert set(change.uncommitted) == {one.path for one in change.files}
    assert state(place) == before and state(repo) == ground


def test_nothing_changed_is_told_so(repo: Path, base: str) -> None:
    change = look(worktree(repo, "one"), base)
    assert change.tree == change.was and not change.files and not change.uncommitted


def test_equal_changes_are_equal_committed_or_not(repo: Path, base: str) -> None:
    places = [worktree(repo, name) for name in ("one", "two", "three")]
    for place in places:
        (place / "calc.py").write_text(FIXED)
    git(places[1], "commit", "-q", "-am", "fix")
    (places[2] / "calc.py").write_text(FIXED.replace("+", " + "))
    one, two, three = (look(place, base) for place in places)
    assert one.tree == two.tree != three.tree
    assert one.files == two.files
    assert (one.uncommitted, two.uncommitted) == (("calc.py",), ())


def test_a_file_written_within_the_second_of_the_checkout_is_seen(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    about = (place / "calc.py").stat()
    (place / "calc.py").write_text("def add(a, b):\n    return a + b\n")
    os.utime(place / "calc.py", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert [one.path for one in look(place, base).files] == ["calc.py"]


def test_the_folder_itself_is_watched(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (repo / "notes.txt").write_text("mine\n")

    def stands() -> str:
        *_, told = sh(repo, filled(GROUND)).stdout.strip().split("\n")
        return told

    before = stands()
    assert sh(repo, filled(GROUND)).stdout.split("\n")[:2] == [str(repo), base]
    assert look(place, base, str(repo)).ground == before
    (place / "calc.py").write_text(FIXED)
    assert look(place, base, str(repo)).ground == before
    (repo / "calc.py").write_text(FIXED)
    assert look(place, base, str(repo)).ground == stands() != before


def verify(place: Path, base: str, command: str) -> tuple[int, str]:
    change = look(place, base)
    values = {"restore": change.restore or ":", "command": command, "want": change.tree}
    done = sh(place, filled(VERIFY, base=base, **values))
    assert done.returncode == 0, done.stderr
    code, _, output = done.stdout.partition("\n")
    return int(code), output


def test_files_that_changed_since_they_were_shown_are_not_verified(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    want = look(place, base).tree
    (place / "calc.py").write_text(FIXED)
    done = sh(place, filled(VERIFY, base=base, restore=":", command="true", want=want))
    assert done.returncode and "it has changed since it was shown" in done.stderr


def test_a_command_that_prints_without_end_is_ended(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    few = VERIFY.replace("8388608", "64")
    assert few != VERIFY
    want = look(place, base).tree
    script = filled(VERIFY, base=base, restore=":", command="yes", want=want)
    done = sh(place, script.replace(VERIFY, few))
    assert done.stdout.split("\n")[:2] == ["153", "y"] and len(done.stdout) < 5000


TESTS = "PYTHONPATH=. python3 tests/test_calc.py"


def test_verifying_has_the_tests_of_the_start_in_a_copy(repo: Path, base: str) -> None:
    honest, sly, wrong = (worktree(repo, name) for name in ("one", "two", "three"))
    (honest / "calc.py").write_text(FIXED)
    (sly / "tests/test_calc.py").write_text("print('fine')\n")
    (wrong / "tests/test_calc.py").unlink()
    assert sh(sly, TESTS).returncode == 0
    before = [state(one) for one in (honest, sly, wrong)]
    assert verify(honest, base, TESTS)[0] == 0
    assert verify(sly, base, TESTS)[0] == 1
    code, output = verify(wrong, base, TESTS)
    assert code == 1 and "AssertionError" in output
    assert [state(one) for one in (honest, sly, wrong)] == before


def test_what_a_verify_writes_and_commits_stays_in_the_copy(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    (place / "noise.log").write_text("ignored, but there\n")
    before = state(place)
    git(repo, "config", "user.name", "x")
    git(repo, "config", "user.email", "x")
    command = "cat noise.log && rm calc.py && git -c user.name=a -c user.email=a commit -qam x"
    code, output = verify(place, base, command)
    assert code == 0 and "ignored, but there" in output
    assert state(place) == before and (place / "calc.py").read_text() == FIXED
    assert git(repo, "rev-parse", "openhands/one") == base


def test_tests_that_an_attempt_adds_do_not_count(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "conftest.py").write_text("collect_ignore = ['tests']\n")
    (place / "tests/a b'c.test.js").write_text("x\n")
    assert verify(place, base, "ls . tests")[1].split() == [
        ".:", "calc.py", "tests", "tests:", "test_calc.py",
    ]  # fmt: skip


def accept(place: Path, shown: Change, message: str = "Fix it") -> subprocess.CompletedProcess[str]:
    values = {"want": shown.tree, "branch": shown.branch, "at": shown.head, "base": shown.was}
    me = {"name": "Ada L.", "email": "ada@example.org"}
    return sh(place, filled(ACCEPT, **values, **me, message=message))


def test_accepting_commits_everything_as_the_person(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    (place / "new.txt").write_text("new\n")
    done = accept(place, look(place, base), "It's `fixed`\n\n$(touch oops)")
    assert done.returncode == 0, done.stderr
    assert git(repo, "rev-parse", "openhands/one") == done.stdout.strip()
    told = git(repo, "log", "-1", "--format=%an %ae %cn|%B", "openhands/one")
    assert told == "Ada L. ada@example.org Ada L.|It's `fixed`\n\n$(touch oops)"
    assert git(place, "status", "--porcelain") == "" and not (place / "oops").exists()
    assert not look(place, base).uncommitted
    again = accept(place, look(place, base))
    assert again.stdout == done.stdout, "nothing is left to commit"


def test_what_cannot_be_accepted_stays_as_it_was(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    shown = look(place, base)
    (place / "calc.py").write_text("other\n")
    before = state(place)[:2]
    done = accept(place, shown)
    assert done.returncode and "it has changed since it was shown" in done.stderr
    assert state(place)[:2] == before and git(place, "rev-parse", "HEAD") == base
    git(place, "checkout", "-q", "--detach")
    detached = state(place)[:2]
    done = accept(place, look(place, base))
    assert done.returncode and "it stands on no branch" in done.stderr
    assert state(place)[:2] == detached


def test_a_patch_brings_the_change_elsewhere(repo: Path, base: str, tmp_path: Path) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    git(place, "commit", "-q", "-am", "a part")
    (place / "b.bin").write_bytes(bytes(range(256)) * 9)
    change = look(place, base)
    before = state(place)
    done = sh(place, filled(PATCH, base=base, want=change.tree))
    assert done.returncode == 0, done.stderr
    assert state(place) == before
    size, _, text = done.stdout.partition("\n")
    (tmp_path / "a.patch").write_bytes(base64.b64decode(text))
    assert int(size) == (tmp_path / "a.patch").stat().st_size
    other = worktree(repo, "other")
    git(other, "apply", str(tmp_path / "a.patch"))
    assert look(other, base).tree == change.tree


def test_only_the_branch_that_was_shown_gets_the_commit(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    shown = look(place, base)
    git(place, "checkout", "-q", "-b", "precious")
    done = accept(place, shown)
    assert done.returncode and "its branch has moved" in done.stderr
    assert git(repo, "rev-parse", "precious") == base
    git(place, "checkout", "-q", "openhands/one")
    git(place, "commit", "-q", "--allow-empty", "-m", "meanwhile")
    assert "its branch has moved" in accept(place, shown).stderr


def test_a_merge_that_is_not_done_is_not_committed(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    for folder, text in ((place, FIXED), (repo, "other\n")):
        (folder / "calc.py").write_text(text)
        git(folder, "commit", "-q", "-am", "mine")
    sh(place, "git -c user.name=a -c user.email=a merge main")
    done = accept(place, look(place, base))
    assert done.returncode and "a merge is not done" in done.stderr
    assert "MERGE_HEAD" in git(place, "rev-parse", "--symbolic", "MERGE_HEAD")


def test_no_hook_runs_and_touched_files_stay_as_they_are(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    git(repo, "config", "core.splitIndex", "true")
    git(repo, "config", "core.fsmonitor", str(repo.parent / "hook"))
    for name in ("reference-transaction", "post-index-change", "post-checkout", "../../../hook"):
        hook = repo / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch '{repo.parent}/ran'\n")
        hook.chmod(0o755)
    os.utime(repo / "tests/test_calc.py", (1, 1))
    kept = (repo / ".git/index").read_bytes(), sorted(repo.rglob("*"))
    shown = look(place, base, str(repo))
    assert ((repo / ".git/index").read_bytes(), sorted(repo.rglob("*"))) == kept
    assert verify(place, base, "true")[0] == 0
    done = accept(place, shown)
    assert done.returncode == 0, done.stderr
    assert not (repo.parent / "ran").exists()


def test_a_touched_file_is_no_change_of_the_folder(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    before = look(place, base, str(repo)).ground
    os.utime(repo / "calc.py", (1, 1))
    assert look(place, base, str(repo)).ground == before
    (repo / "calc.py").write_text(FIXED)
    assert look(place, base, str(repo)).ground != before


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_to_overlook_is_seen(repo: Path, base: str, flag: str) -> None:
    place = worktree(repo, "one")
    git(place, "update-index", flag, "tests/test_calc.py")
    (place / "tests/test_calc.py").write_text("print('fine')\n")
    assert [one.path for one in look(place, base).tests] == ["tests/test_calc.py"]
    assert verify(place, base, TESTS)[0] == 1


def test_a_sparse_worktree_lacks_nothing(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    git(place, "sparse-checkout", "set", "--no-cone", "calc.py")
    assert not (place / "tests").exists() and not look(place, base).files
    git(place, "sparse-checkout", "disable")
    (place / "tests/new.py").write_text("x\n")
    assert [one.path for one in look(place, base).files] == ["tests/new.py"]


def test_changes_within_a_repository_inside_are_not_told_as_none(repo: Path, base: str) -> None:
    place = worktree(repo, "one")
    inner = place / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a").write_text("a\n")
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "a")
    script = filled(LOOK, base=base, folder="")
    told = "a repository inside it holds its own changes: inner"
    assert told in sh(place, script).stderr
    git(place, "add", "inner")
    git(place, "commit", "-q", "-m", "a part of it")
    base = git(place, "rev-parse", "HEAD")
    assert not look(place, base).files
    (inner / "a").write_text("b\n")
    assert told in sh(place, filled(LOOK, base=base, folder="")).stderr


@pytest.mark.parametrize("key", ["diff.noprefix", "diff.mnemonicPrefix", "diff.context"])
def test_a_patch_applies_whatever_diff_is_set_to(repo: Path, base: str, key: str) -> None:
    git(repo, "config", key, "0" if key == "diff.context" else "true")
    place = worktree(repo, "one")
    (place / "calc.py").write_text(FIXED)
    done = sh(place, filled(PATCH, base=base, want=look(place, base).tree))
    patch = base64.b64decode(done.stdout.partition("\n")[2]).decode()
    assert "--- a/calc.py\n+++ b/calc.py\n" in patch and "\n def add(a, b):\n" in patch


def test_tests_are_given_back_by_their_names_alone(repo: Path) -> None:
    (repo / "tests/:(top)a").write_text("x\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "odd")
    base = git(repo, "rev-parse", "HEAD")
    place = worktree(repo, "one")
    (place / "tests/:(top)a").unlink()
    assert verify(place, base, "ls tests")[1].split() == [":(top)a", "test_calc.py"]


@pytest.mark.parametrize("printed", ["", "a", "a\0b\0c", "a\0b\0c\0d\0e\0nonsense\0\0"])
def test_other_answers_are_no_change(printed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_change(printed)


def test_the_line_that_restores_quotes_what_it_names() -> None:
    files = (FileChange("tests/$(rm -rf ~)", "A"), FileChange("tests/a b", "D"))
    change = Change("a", "b", files=(*files, FileChange("c.py", "M")))
    assert change.restore == (
        "rm -- 'tests/$(rm -rf ~)' && git checkout -q \"$base\" -- 'tests/a b'"
    )
    assert not Change("a", "b", files=(FileChange("c.py", "M"),)).restore

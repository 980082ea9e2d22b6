"""Writing files as they were: nothing leaves the folder, nothing is written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oh_tui.sources.checkout import Written, check_out, prepare, summary
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from tests.trajectory.edited import edit, patch, run

ROOT = "/workspace/project"


def written(folder: Path, *paths: str, step: int | None = None) -> list[Written]:
    """The files of a run that edits these, as they were after a step or at the end."""
    events = [e for n, path in enumerate(paths) for e in edit(str(n), path, f"was {n}", f"{n}")]
    files = Study(run(*events)).files
    prepare(folder)
    return list(check_out(files.at(step), files.root, folder, str))


def on_disk(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_each_file_is_written_as_it_was(tmp_path: Path) -> None:
    found = written(tmp_path / "out", f"{ROOT}/a b/c.py", "/etc/x", step=1)
    assert on_disk(tmp_path / "out") == {"a b/c.py": "0", "_outside/etc/x": "was 1"}
    assert summary(found) == "2 files written, 1 of them certain"


def test_files_that_were_not_there_or_are_not_known_are_not_written(tmp_path: Path) -> None:
    events = [
        *edit("1", f"{ROOT}/new", None, "x", "create"),
        *edit("2", f"{ROOT}/parts", None, None, old_str="a", new_str="b"),
        *patch("3", "", {"changes": {"new": {"type": "delete", "old_content": "x"}}}),
    ]
    files = Study(run(*events)).files
    prepare(tmp_path / "out")
    found = list(check_out(files.at(), files.root, tmp_path / "out", str))
    assert {one.state.path.rpartition("/")[2]: one.why_not for one in found} == {
        "new": "not there then",
        "parts": "its text is not known",
    }
    assert summary(found) == "0 files written, none of them certain; 2 not written"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


HOSTILE = (
    "../up", "../../../../etc/passwd", "/../../x", "a/../../b", "C:\\Windows\\x", "..\\x",
    "nul\0byte", "x" * 300, "d/" * 2100 + "f", "a" * 5000, ".git/hooks/pre-commit", ".GIT/config",
    "sub/.g\u200cit/config", "git~1/config", "-rf", "~/x", "$HOME/x", "line\nbreak", "\x1b[2J",
    "\ud800", "", ".", "/",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE, ids=[repr(path)[:24] for path in HOSTILE])
def test_hostile_paths_stay_in_the_folder(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "up" / "out"
    written(folder, path, f"{ROOT}/{path}")
    assert names(tmp_path) == ["up"]
    assert names(tmp_path / "up") == ["out"]
    assert not [name for name in on_disk(folder) if ".git" in name.lower().replace("\u200c", "")]


def test_two_names_for_one_file_are_written_once(tmp_path: Path) -> None:
    given = ("A.py", "a.py", "\u0065\u0301", "\u00e9", "dir", "dir/x", "Dir/y", "other/z", "OTHER")
    found = written(tmp_path / "out", *(f"{ROOT}/{name}" for name in given))
    refused = [one.state.path.removeprefix(f"{ROOT}/") for one in found if one.why_not]
    assert len(refused) == 4
    assert len(on_disk(tmp_path / "out")) == 5


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Problem, match="not empty"):
        prepare(tmp_path)
    with pytest.raises(Problem, match="cannot be written to"):
        prepare(tmp_path / "mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(Problem):
        prepare(tmp_path / "link")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(Problem):
        prepare(tmp_path / "link")


def test_a_link_that_comes_up_meanwhile_is_not_followed(tmp_path: Path) -> None:
    out, away = tmp_path / "out", tmp_path / "away"
    away.mkdir()
    files = Study(run(*edit("1", f"{ROOT}/sub/a", "x", "y"))).files
    prepare(out)
    (out / "sub").symlink_to(away)
    (found,) = check_out(files.at(), files.root, out, str)
    assert found.why_not
    assert names(away) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.lists(st.text(st.sampled_from("./aA\\~\0é"), max_size=8), max_size=6))
def test_any_paths_stay_in_the_folder(
    paths: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    above = tmp_path_factory.mktemp("above")
    found = written(above / "out", *(f"{ROOT}/{path}" for path in paths), *paths)
    assert names(above) == ["out"]
    assert set(on_disk(above / "out")) == {one.name for one in found if one.name}

"""The face for scripts: runs in files, opened in one import, which changes nothing else."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli, runs
from oh_tui.api.errors import Problem
from oh_tui.trajectory.model.steps import Outcome
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.trajectory.edited import A, edit
from tests.trajectory.formats.test_tar_runs import conversation, tar
from tests.trajectory.sub_agent_files import REPORTED, folder, run_files, zip_of


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (path,) = write_outputs(tmp_path / "runs", 3, Maker(events=20))
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    cli.main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_run_tells_what_why_and_steps_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/", REPORTED))
    run = runs.open(path)
    why, steps = printed(capsys, "why", str(path)), printed(capsys, "steps", str(path))
    told = why["conversation"]
    assert (run.verdict.word, run.verdict.cause) == (
        why["verdict"]["word"],
        why["verdict"]["cause"],
    )
    assert (run.cost.dollars, run.cost.is_partial) == (told["cost"], told["cost_is_partial"])
    assert run.time.worked == pytest.approx(told["work_seconds"], abs=1e-3)
    assert run.time.began is not None and run.time.ended is not None and run.time.waited == 0
    assert [step.number for step in run.steps] == [step["index"] for step in steps["steps"]]
    assert [str(run.trajectory.outcome(step)) for step in run.steps] == [
        step["outcome"] for step in steps["steps"]
    ]
    assert len(run.events) == why["counts"]["events"]
    (row,) = run.to_rows().runs
    assert (row.run, row.source, row.cost) == (run.id, str(path), run.cost.dollars)
    assert len(run.to_rows(run="r").steps) > len(run.steps), "those of sub-agents too"
    assert run.to_rows(run="r", source="s").runs[0].source == "s"
    assert (run.note, repr(run)) == ("", f"<Run {run.id}>")


def test_files_are_told_as_they_were(tmp_path: Path) -> None:
    events = [*edit("1", A, "a\n", "b\n"), *edit("2", A, "b\n", "b\nc\n")]
    run = runs.open(zip_of(tmp_path / "run.zip", folder("", events)))
    (state,) = run.files.at(1)
    assert (state.path, state.text(), state.certain) == (A, "b\n", True)
    assert sum(one.last - one.first + 1 for one in run.phases) == len(run.steps)
    lines = run.blame("a.py").lines
    assert [(line.text, line.origin, line.step) for line in lines] == [
        ("b", "edit", 1),
        ("c", "edit", 2),
    ]
    assert [line.text for line in run.blame(A, 1).lines] == ["b"]
    with pytest.raises(Problem, match=r"changed z\.py"):
        run.blame("z.py")
    with pytest.raises(Problem, match="no step x"):
        run.files.at("x")


def test_a_step_has_what_the_model_saw_when_it_made_it(output: Path) -> None:
    run = next(runs.open_all(output))
    step = next(step for step in run.steps if step.is_call and step.number > 3)
    context = run.context(step.number)
    assert context.answer.step <= step.number
    assert {message["role"] for message in context.dump()} >= {"user", "assistant", "tool"}
    with pytest.raises(Problem, match="No answer of the model made step 99999") as wrong:
        run.context(99_999)
    assert (
        wrong.value.hint
        == f"the nearest step that one made is {run.study.contexts.answers[-1].step}"
    )


def test_a_folder_a_string_and_one_run_of_many_are_places_too(output: Path) -> None:
    names = [run.id for run in runs.open_all(output)]
    assert len(names) == 3
    assert [run.id for run in runs.open_all(str(output.parent.parent))] == names
    one = runs.open(f"{output}#{names[1]}")
    assert one.id == names[1] and one.conversation.llm_model
    first, second = one.changes.files
    assert first.shown < second.shown and first.added and first.steps


def test_what_is_no_single_run_is_a_problem(output: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There are 3 runs in ") as several:
        runs.open(output)
    assert "PATH#ID" in several.value.hint
    (tmp_path / "notes.txt").write_text("no run")
    for place in (tmp_path / "nothing.zip", tmp_path / "notes.txt", f"{output}#nothing"):
        with pytest.raises(runs.Problem) as wrong:
            runs.open(place)
        assert wrong.value.sentence and "\n" not in wrong.value.sentence
        with pytest.raises(Problem):
            list(runs.open_all(place))


def test_a_bad_file_among_others_is_told_when_these_are_through(tmp_path: Path) -> None:
    good = write_zip(tmp_path / "a.zip", Maker(events=20), 1)
    (tmp_path / "b.zip").write_bytes(b"no zip")
    shutil.copy(good, tmp_path / "c.zip")
    coming = runs.open_all(tmp_path)
    assert len(next(coming).steps) == len(next(coming).steps) > 0
    with pytest.raises(Problem, match=r"b\.zip"):
        next(coming)


def test_of_a_cut_file_what_there_is_is_read_and_the_rest_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", Maker(events=20), 1)
    path.write_bytes(path.read_bytes()[:-4_000])
    run = runs.open(path)
    assert run.steps and run.verdict.cut_off and not run.verdict.word and run.note


def test_steps_hold_what_was_called_and_what_came_of_it(output: Path) -> None:
    run = next(runs.open_all(output))
    calls = [step for step in run.steps if step.is_call]
    assert calls and all(step.result for step in calls)
    assert {run.trajectory.outcome(step) for step in calls} <= set(Outcome)
    assert calls[0].event.body()["kind"] == "ActionEvent"


@pytest.mark.parametrize("imported", ["oh_tui", "oh_tui.runs", "oh_tui.api, oh_tui.api.sync"])
def test_importing_changes_nothing_in_the_program(imported: str) -> None:
    """No module is passed off as another or kept from being loaded; signals, environment, warnings,
    logs, hooks and what runs at the end stay as they were. What the standard library enters for
    itself, as `concurrent.futures` does, is there before."""
    code = f"""
import atexit, builtins, gc, locale, logging, os, signal, sys, threading, warnings
import anyio, concurrent.futures.process, httpx, json, multiprocessing, msgspec, random

def state():
    return (
        list(sys.meta_path), list(sys.path_hooks), list(sys.path), sys.excepthook,
        sys.unraisablehook, sys.displayhook, sys.breakpointhook, threading.excepthook,
        list(warnings.filters), logging.root.handlers[:], logging.root.level,
        sorted(logging.root.manager.loggerDict) and logging.raiseExceptions,
        [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        dict(os.environ), os.getcwd(), locale.setlocale(locale.LC_ALL), vars(builtins).keys(),
        gc.isenabled(), gc.get_threshold(), gc.callbacks[:], sys.getrecursionlimit(),
        sys.getswitchinterval(), threading.active_count(), threading.stack_size(),
        sys.get_int_max_str_digits(), atexit._ncallbacks(), sys.gettrace(), sys.getprofile(),
        sys.get_asyncgen_hooks(), multiprocessing.get_start_method(allow_none=True),
        random.getstate(), sys.stdin, sys.stdout, sys.stderr,
    )

before, there = state(), dict(sys.modules)
import {imported}
for then, now in zip(before, state(), strict=True):
    assert then == now, (then, now)
assert all(sys.modules[name] is module for name, module in there.items())
assert not [name for name, module in sys.modules.items() if module is None]
assert not {{"textual", "starlette"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    fresh = f"import {imported}, sys; assert sys.modules.get('httpx._main', 1)"
    subprocess.run([sys.executable, "-c", fresh], check=True)


def test_what_is_missing_is_told_for_a_program(tmp_path: Path) -> None:
    whole = gzip.compress(tar(conversation("a/", 5) | conversation("b/", 9)))
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    going = runs.open_all(path)
    assert next(going).id == "a"
    with pytest.raises(Problem) as told:
        list(going)
    assert told.value.sentence == (
        f"Not all of {path} could be read: {path} is cut off: the end of the packed data is missing"
    )

"""Deferred modules: executed once, by the first user, and with their own errors."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import subprocess
import sys
import threading
import traceback
import typing
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oh_tui import lazy

ROOT = Path(lazy.__file__).parent

SAMPLE = {
    "__init__": "from sample import log\nlog.LINES.append('package')",
    "log": "LINES = []",
    "point": """
from __future__ import annotations
import msgspec
from sample import log
log.LINES.append("point")
class Point(msgspec.Struct):
    x: int
    other: Point | None = None
def fail():
    raise ValueError
""",
    "slow": """
import time
from sample import log
log.LINES.append("begin")
time.sleep(0.05)
VALUE = 1
log.LINES.append("end")
""",
    "missing": "import nothing_of_this_name",
    "mistaken": "import sys\nsys.no_such_attribute",
    "circle": "from sample import back\nback.ask()\nVALUE = 1",
    "back": "from sample import circle\ndef ask():\n    assert not hasattr(circle, 'VALUE')",
}


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the modules of a package told when they were executed."""
    folder = tmp_path / "sample"
    folder.mkdir()
    for name, text in SAMPLE.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "data.txt").write_text("data")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(lazy, "LAZY", frozenset({"sample"}))
    lazy.install()
    found: list[str] = importlib.import_module("sample.log").LINES
    found.clear()
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == "sample"]:
        del sys.modules[name]


def sample(name: str) -> Any:
    return importlib.import_module(f"sample.{name}")


def test_a_module_is_executed_once_when_it_is_first_used(lines: list[str]) -> None:
    point = sample("point")
    assert lines == []
    assert sample("point") is point and point.__name__ == "sample.point" and lines == []
    assert point.Point(1).x == 1
    assert point.Point is sample("point").Point and lines == ["point"]
    assert type(point) is type(sys)


def test_a_name_of_a_module_executes_it(lines: list[str]) -> None:
    exec("from sample.point import Point")
    assert lines == ["point"]
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec("from sample.point import Nothing")


def test_a_package_is_executed_before_what_is_in_it(lines: list[str]) -> None:
    for name in ("sample", "sample.log"):
        del sys.modules[name]
    assert sample("point").Point
    assert sample("log").LINES == ["package", "point"]


def test_what_is_set_before_it_is_executed_stays(lines: list[str]) -> None:
    slow = sample("slow")
    slow.VALUE = 2
    assert (lines, slow.VALUE) == (["begin", "end"], 2)


def test_two_threads_execute_it_once_and_see_it_whole(lines: list[str]) -> None:
    slow = sample("slow")
    together, seen = threading.Barrier(8), []

    def use() -> None:
        together.wait()
        seen.append(slow.VALUE)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, lines) == ([1] * 8, ["begin", "end"])


def test_an_error_is_the_same_each_time(lines: list[str]) -> None:
    missing = sample("missing")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
            missing.anything  # noqa: B018
        with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
            exec("from sample.missing import anything")


def test_a_lack_inside_a_module_is_not_taken_for_the_lack_of_what_is_asked(
    lines: list[str],
) -> None:
    mistaken = sample("mistaken")
    with pytest.raises(ImportError, match=r"sample\.mistaken fails: .*no_such_attribute"):
        hasattr(mistaken, "anything")


def test_who_comes_back_to_a_module_sees_what_is_there(lines: list[str]) -> None:
    assert sample("circle").VALUE == 1


def test_what_reads_modules_and_types_works(lines: list[str]) -> None:
    point = sample("point")
    assert "class Point" in inspect.getsource(point)
    assert resources.files("sample").joinpath("data.txt").read_text() == "data"
    assert typing.get_type_hints(point.Point)["other"] == point.Point | None
    decoded = msgspec.json.decode(b'{"x":1,"other":{"x":2}}', type=point.Point)
    assert pickle.loads(pickle.dumps(decoded)) == decoded
    with pytest.raises(ValueError) as raised:
        point.fail()
    assert "raise ValueError" in "".join(traceback.format_exception(raised.value))
    assert "Point" in dir(importlib.reload(point))


@pytest.mark.parametrize(
    "name", ["oh_tui.text", "oh_tui.text.clean", "rich.text", "textual.css.parse"]
)
def test_a_file_of_a_simple_package_is_found_as_python_finds_it(name: str) -> None:
    package = importlib.import_module(name.rpartition(".")[0])
    path = list(package.__path__)
    found, usual = lazy.simple_spec(name, path), PathFinder.find_spec(name, path)
    assert found and usual
    for what in ("name", "origin", "cached", "has_location", "submodule_search_locations"):
        assert getattr(found, what) == getattr(usual, what)
    assert type(found.loader) is type(usual.loader)
    assert lazy.simple_spec(f"{name}_of_no_such_name", path) is None


def test_the_version_executes_next_to_nothing() -> None:
    code = (
        "import sys; from oh_tui import lazy; from oh_tui.__main__ import main; "
        "sys.argv = ['oh-tui', '--version']; main(); print(*lazy.executed())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    executed = set(done.stdout.split())
    own = {name for name in executed if name.startswith("oh_tui.")}
    assert not executed & {"textual", "httpx", "asyncio", "json", "difflib", "subprocess"}
    assert not own & {"oh_tui.tui.app", "oh_tui.demo", "oh_tui.sources.file_source"}
    assert len(own) < 44


def test_a_zip_executes_no_other_format(tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("event_000000_x.json", '{"id": "x", "kind": "MessageEvent"}')
    code = (
        "import sys; from oh_tui import lazy; from oh_tui.__main__ import main; "
        f"sys.argv = ['oh-tui', 'count', {str(path)!r}]; main(); print(*lazy.executed())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    executed = set(done.stdout.split())
    assert "oh_tui.trajectory.formats.zip.archive" in executed
    for name in ("json_lines", "documents", "beside", "harbor", "foreign.made"):
        assert f"oh_tui.trajectory.formats.{name}" not in executed


INSIDE = {
    ("__main__.py", "oh_tui"): "what cli imports waits only once that is installed",
}
"""The imports inside of functions that are not made lazy by `oh_tui.lazy`, and why."""


def _imports_inside(tree: ast.AST, *, inside: bool = False) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if inside and isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif inside and isinstance(node, ast.ImportFrom):
            yield node.module or ""
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports_inside(node, inside=inside or is_function)


def test_imports_stand_at_the_top_of_files() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.rglob("*.py")
        for name in _imports_inside(ast.parse(path.read_text()))
    }
    assert found == set(INSIDE)


def test_a_package_is_found_before_a_file_that_an_older_version_left(tmp_path: Path) -> None:
    package = tmp_path / "cli" / "__init__.py"
    package.parent.mkdir()
    for file in (package, tmp_path / "cli.py"):
        file.write_text("")
    for find in (lazy.simple_spec, PathFinder.find_spec):
        found = find("oh_tui.cli", [str(tmp_path)])
        assert found and found.origin == str(package)
        assert found.submodule_search_locations == [str(package.parent)]

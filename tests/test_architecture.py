"""The layers: allowed imports, and the modules that a command really loads."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

import oh_tui

ROOT = Path(oh_tui.__file__).parent.parent

LOADED = """
import json, sys
from oh_tui import lazy
from oh_tui.__main__ import main
main()
print(json.dumps(sorted(lazy.executed())))
"""


def loaded_by(*words: str | Path) -> set[str]:
    """The modules that a process has executed after oh-tui has run with these words."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_folder_holds_more_than_a_look_takes_in() -> None:
    """A folder with more files than this is sorted into rooms."""
    packages = (Path(oh_tui.__file__).parent, ROOT / "tests")
    files = Counter(file.parent for folder in packages for file in folder.rglob("*.py"))
    assert {str(folder): count for folder, count in files.items() if count > 24} == {}


def test_the_index_is_filled_by_the_one_pass_over_many_runs() -> None:
    """It has neither processes nor threads of its own."""
    folder = Path(oh_tui.__file__).parent / "batch"
    own = ("ThreadPoolExecutor", "ProcessPoolExecutor", "import threading", "multiprocessing")
    files = {file.name: file.read_text() for file in folder.glob("*.py") if file.stem != "pool"}
    assert [name for name, text in files.items() if any(word in text for word in own)] == []
    pools = {name for name, text in files.items() if "Pool[" in text}
    assert pools == {"run_batch.py", "background_indexing.py"}


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.zip"
    event = {"kind": "MessageEvent", "id": "m1", "source": "user"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("event_000000_m1.json", json.dumps(event))
    return path


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["check", "FILE"], ["open", "FILE"]])
def test_commands_that_need_no_server_and_no_screen_load_neither(
    words: list[str], run_file: Path
) -> None:
    loaded = loaded_by(*(run_file if word == "FILE" else word for word in words))
    assert "oh_tui.cli" in loaded
    assert not loaded & {"textual", "rich", "httpx", "starlette", "oh_tui.demo"}


def test_the_demo_is_loaded_when_it_is_asked_for_and_the_screen_is_not() -> None:
    loaded = loaded_by("--demo")
    assert "oh_tui.demo" in loaded
    assert "textual" not in loaded


def test_no_module_but_the_command_line_needs_the_demo() -> None:
    names = [
        module.name
        for module in pkgutil.walk_packages(oh_tui.__path__, "oh_tui.")
        if not module.name.startswith(("oh_tui.demo", "oh_tui.cli", "oh_tui.__main__"))
    ]
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    code += "print([name for name in sys.modules if name.startswith('oh_tui.demo')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(names) > 20
    assert done.stdout.strip() == "[]"

"""The wheel contains the data files that oh-tui reads, and runs where nothing else is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.terminal.terminal import Terminal

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `hatch build -t wheel` makes it."""
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="run make setup-dev")
    folder = str(tmp_path_factory.mktemp("dist"))
    (path,) = wheel.WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])
    return Path(path)


def test_the_wheel_holds_every_data_file(built: Path) -> None:
    with ZipFile(built) as archive:
        held = {name for name in archive.namelist() if name.startswith("oh_tui/")}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.joinpath("oh_tui").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted == held
    for name in ("demo/scenarios/showcase/week-dates.toml", "demo/catalog.json", "tui/app.tcss"):
        assert f"oh_tui/{name}" in held


@pytest.mark.slow
def test_uvx_runs_it_from_the_file(built: Path, tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("there is no uv, of which uvx is a part")
    told = [uv, "cache", "dir"]
    cache = subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()
    outer = {name: value for name, value in os.environ.items() if not name.startswith("OH_TUI")}
    outer |= {"UV_CACHE_DIR": cache, "UV_PYTHON_DOWNLOADS": "never", "HOME": str(tmp_path)}
    uvx = [uv, "tool", "run", "--python", sys.executable, "--from", str(built), "oh-tui", "--demo"]
    command = [*uvx, "conversations", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=outer, cwd=tmp_path)
    if "Failed to fetch" in done.stderr or "Could not connect" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["conversations"]
    assert len(listed) > 30 and {"id", "status", "cost"} <= listed[0].keys()
    own: dict[str, Any] = outer | {"TERM": "xterm-256color", "TMPDIR": str(tmp_path)}
    with Terminal(*uvx, home=tmp_path, **own) as terminal:
        terminal.wait_for("3 running", 180)
        terminal.press("q")
        assert terminal.ends() == 0 and terminal.is_restored()

"""The wheel contains the data files that oh-tui reads."""

from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_every_data_file(tmp_path: Path) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="run make setup-dev")
    (path,) = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(path) as archive:
        held = {name for name in archive.namelist() if name.startswith("oh_tui/")}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.joinpath("oh_tui").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted == held
    for name in ("demo/scenarios/showcase/week-dates.toml", "demo/catalog.json", "tui/app.tcss"):
        assert f"oh_tui/{name}" in held

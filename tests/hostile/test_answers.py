"""A server that answers with arbitrary JSON: the explorer and the commands report what they can and
never crash."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from oh_tui.api import AppServer
from oh_tui.cli import opening
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.sources.server import ServerSource
from tests.hostile.server import changed
from tests.hostile.test_json import ALL, no_constant, places, said_by, with_shape
from tests.tui.explorer import AT_ONCE, explore

IDS = {entry.slug: entry.id.replace("-", "") for entry in ENTRIES}
DATES, OAUTH, FLAKY = IDS["week-dates"], IDS["oauth"], IDS["flaky-ci"]

COMMANDS = (
    *("whoami", "status", "conversations --all", "sandboxes --all", f"show {DATES}"),
    *(f"why {OAUTH}", f"steps {OAUTH}", f"check {OAUTH}", f"count {OAUTH} --all"),
    *(f"changes {OAUTH}", f"tail {OAUTH} -n 3", f"exec {DATES} -- ls", f"approve {OAUTH}"),
    *(f"stop {FLAKY} --now", f"pause {DATES} --yes", f"resume {IDS['click']} --yes"),
    *(f"ask {DATES} why --yes", f"agent {DATES}", f"agent {DATES} --profile fast"),
    f"fork {DATES} --yes",
    *("start hello --yes", f"send {DATES} hello", f"continue {DATES} --yes"),
)


SEEDS = [2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 13))]


def spoiling(seed: int, often: float) -> Callable[[str, Any], Any]:
    """Puts one shape or another at some places of an answer, or in place of it."""
    chance = random.Random(seed)
    shapes = itertools.cycle([shape for name, shape in ALL.items() if name != "deep"])

    def spoil(call: str, value: Any) -> Any:
        if not isinstance(value, dict | list) or chance.random() < often / 8:
            return next(shapes)
        found = list(places(value))
        # what lies in a place that was changed is gone with it: the last ones go first
        for path in reversed(found):
            if chance.random() < often:
                value = _put(value, path, next(shapes))
        return value if isinstance(value, bytes) else json.dumps(value).encode()

    return spoil


def _put(value: Any, path: tuple[Any, ...], shape: bytes) -> Any:
    try:
        return json.loads(with_shape(value, path, shape))
    except ValueError:  # too many digits for Python
        return value


@pytest.mark.parametrize("seed", SEEDS)
def test_commands_on_such_a_server(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo(shows="everything")
    demo.rate_limited = False
    app = changed(demo.app, spoiling(seed, 0.03 * (seed % 4 + 1)))
    monkeypatch.setattr(
        opening,
        "demo_source",
        lambda log=None: ServerSource(
            AppServer(demo.base_url, app=app, retries=AT_ONCE), "demo", demo.opening
        ),
    )
    for line in COMMANDS:
        for more in ([], ["--json"]):
            code, out, err = said_by("--demo", *more, *line.split())
            # `exec` ends as its command did, which here may have any exit code
            assert code in (range(256) if line.startswith("exec") else range(4)), (line, err)
            assert "bug in oh-tui" not in err, (line, err)
            if more and code == 0 and not line.startswith(("tail", "exec")):
                json.loads(out, parse_constant=no_constant)


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_explorer_on_such_a_server(seed: int) -> None:
    spoil = spoiling(seed, 0.03 * (seed % 4 + 1))
    async with explore(wrap=lambda app: changed(app, spoil)) as it:
        for key in (
            *("j", "j", "enter", "3", "k", "k", "R", "R", "c", "escape", "T", "escape", "x", "1"),
            *("j", "enter", "a", "escape", "m", "escape", "p", "escape", "P", "escape", "2", "j"),
            *("A", "w", "enter", "escape", "escape", "escape"),
            *("p", "escape", "1", "j", "enter", "r", "y", "j", "escape", "f", "escape"),
        ):
            await it.press(key)
            assert it.app.is_running and not it.app.crashed, key

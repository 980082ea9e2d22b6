"""Fixtures for every test: nothing of this machine affects a result."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiolimiter import AsyncLimiter
from hypothesis import HealthCheck, settings

from oh_tui.sources import canvas

# A property test tries the same examples each time, and however slowly the machine makes them; more
# of them in `make test-slow`.
settings.register_profile(
    "fixed",
    max_examples=int(os.environ.get("EXAMPLES", "20")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# `make fuzz` tries others; what fails is kept in .hypothesis and tried first the next time.
settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz" if "FUZZ_EXAMPLES" in os.environ else "fixed")

# A signal that is ignored, as in the background or under nohup, would be ignored by all that tests
# start; one that is handled is not.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    *((number, lambda *_: None) for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

AMBIENT = ("OPENHANDS_", "OH_TUI_", "XDG_", "TEXTUAL")
"""What the names of variables begin with that steer oh-tui or what it is built on."""

SINGLE = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM")


_numbers = itertools.count(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as processors, and one: a third of the time a test waits, for a timer, a
    terminal or a program. More only read all tests once more, in 4 s each."""
    return (os.cpu_count() or 1) * 3 // 2 + 1


@pytest.hookimpl(tryfirst=True)  # before items are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen = Counter[str]()
    for item in items:
        if mark := item.get_closest_marker("slow_but"):
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if seen[name] > mark.args[0]:
                item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Thousands of tests are there to stay: the collector passes them over, and comes rarely to
    what each app leaves behind (with Python's own settings a fifth of the time went there)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of tests need none of the pace that we keep: an index of forty runs would wait for
    half a minute. Where the pace itself counts, a fixture of this name leaves it be."""

    async def at_once(limiter: AsyncLimiter, amount: float = 1) -> None: ...

    monkeypatch.setattr(AsyncLimiter, "acquire", at_once)


@pytest.fixture(autouse=True)
def no_canvas_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What listens on a port of Agent Canvas on this machine is not asked."""
    monkeypatch.setattr(canvas, "PORTS", ())


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The test runs in three zones; one of them has half an hour."""
    yield from _in_zone(str(request.param), monkeypatch)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    yield from _in_zone("America/New_York", monkeypatch)


def _in_zone(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    yield name
    monkeypatch.delenv("TZ")
    time.tzset()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all empty homes; `mktemp` for each would read it through every time."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def no_ambient_configuration(monkeypatch: pytest.MonkeyPatch, homes: Path) -> None:
    """An empty home and an environment that says nothing; processes started inherit both."""
    for name in list(os.environ):
        if name == "TEXTUAL_SNAPSHOT_TEMPDIR":  # of the plugin that keeps snapshots
            continue
        if name.startswith(AMBIENT) or name in SINGLE:
            monkeypatch.delenv(name)
    home = homes / str(next(_numbers))
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TERM", "xterm-256color")

"""Files at https addresses: fetched once, with breaks, lies and redirects on the way."""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.api.http.connections import Connections
from oh_tui.commands.framework import web
from oh_tui.sources import web_copies
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.web_copies import WebCopy
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies, locked_dirs
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, lines, row, write

ADDRESS = "https://files.test/eval/results.tar.gz?token=secret"
DATA = bytes(range(256)) * 4000

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Host:
    """Serves DATA. `breaks` are the places at which answers stop, one after the other."""

    def __init__(self, *breaks: int, version: str = '"one"') -> None:
        self.breaks, self.version = list(breaks), version
        self.data, self.told = DATA, len(DATA)
        self.redirects: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        assert "authorization" not in headers and "range" not in headers
        if self.redirects:
            target = self.redirects.pop(0).encode()
            await send(_start(302, {b"location": target}))
            await send({"type": "http.response.body", "body": b""})
            return
        told = {b"content-length": str(self.told).encode(), b"etag": self.version.encode()}
        await send(_start(200, told))
        end = self.breaks.pop(0) if self.breaks else len(self.data)
        for place in range(0, end, 100_000):
            piece = self.data[place : min(end, place + 100_000)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _start(status: int, headers: dict[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers.items())}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of copies."""
    monkeypatch.setenv(copies.PLACE, str(tmp_path / "copies"))
    return tmp_path / "copies"


async def fetch(
    host: Host, agrees: bool = True, *, address: str = ADDRESS
) -> tuple[Path, list[Any]]:
    told: list[Any] = []

    def agree(*words: Any) -> None:
        told.append(words)
        if not agrees:
            raise Problem("no")

    connections = Connections(host)  # type: ignore[arg-type]
    try:
        copy = WebCopy(address)
        return await copy.fetch(connections, agree, lambda *place: told.append(place)), told
    finally:
        await connections.aclose()


async def test_a_file_is_fetched_after_a_yes_and_once(tmp_path: Path) -> None:
    host = Host()
    path, told = await fetch(host)
    assert path.read_bytes() == DATA and path.name == "results.tar.gz"
    assert told[0] == ("results.tar.gz", len(DATA))
    assert told[1:] == [
        (min(n, len(DATA)), len(DATA)) for n in range(100_000, 1_100_000, 100_000)
    ] + [(len(DATA), len(DATA))]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert await fetch(host) == (path, [])
    host.version, host.data, host.told = '"two"', b"new", 3
    assert (await fetch(host))[0].read_bytes() == b"new"


async def test_a_copy_that_lacks_its_end_is_cut_off(tmp_path: Path) -> None:
    """Nobody writes to it, however young it is."""
    host = Host()
    host.data = lines([row("a-1", history(1)), row("a-2", history(1))])[:-300]
    host.told = len(host.data)
    address = "https://files.test/output.jsonl"
    path, _ = await fetch(host, address=address)
    source = FileSource([path])
    assert [one.id for one in (await source.newest()).items] == ["a-1"]
    assert source.problems == [f"{path}, row 2 is cut off"]
    assert not source.remarks and not source.changes


async def test_a_no_fetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no"):
        await fetch(Host(), agrees=False)
    assert not list(tmp_path.rglob("results*"))


async def test_a_break_leaves_nothing_and_names_what_can_go_on(cache: Path) -> None:
    host = Host(300_000)
    with pytest.raises(Problem, match=r"from files.test broke off after 300 kB of 1.0 MB") as told:
        await fetch(host)
    assert "curl -LO -C -" in told.value.hint and not list(cache.rglob("results*"))
    path, _ = await fetch(host)
    assert path.read_bytes() == DATA


async def test_what_another_downloads_is_not_downloaded_twice() -> None:
    path, _ = await fetch(Host())
    with (
        locked_dirs.locked(path.parents[1]),
        pytest.raises(Problem, match="Another oh-tui downloads results"),
    ):
        await fetch(Host())


async def test_more_than_was_told_is_refused_and_not_kept(tmp_path: Path) -> None:
    host = Host()
    host.told = 500_000
    with pytest.raises(Problem, match=r"files.test sends more than the 500 kB that it told"):
        await fetch(host)
    assert not list(tmp_path.rglob("results*"))


async def test_redirects_lead_to_https_alone(tmp_path: Path) -> None:
    host = Host()
    host.redirects = ["https://other.test/x", "/y"]
    path, _ = await fetch(host)
    assert path.read_bytes() == DATA
    for target in ("http://other.test/x", "file:///etc/passwd"):
        host.redirects = [target]
        with pytest.raises(Problem, match="redirects to an address that is not https"):
            await fetch(host)
    host.redirects = ["https://other.test/x"] * 9
    with pytest.raises(Problem, match="redirects more than 5 times"):
        await fetch(host)


async def test_bounds_of_size_and_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_copies, "LARGEST", 500_000)
    with pytest.raises(Problem, match=r"results.tar.gz has 1.0 MB, more than oh-tui fetches"):
        await fetch(Host())
    monkeypatch.setattr(web_copies, "LARGEST", 2**70)
    monkeypatch.setattr(web_copies, "SPARE", 2**62)
    with pytest.raises(Problem, match=r"free for results.tar.gz"):
        await fetch(Host())


@pytest.mark.parametrize("words", [("why",), ("show",), ("steps",), ("conversations",), ("check",)])
def test_commands_take_the_address_of_a_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Nothing listens there: that it was asked is enough."""
    for place in ("https://127.0.0.1:1/x.zip", "https://127.0.0.1:1/a/x.jsonl.gz?t=1#row"):
        done = oh_tui(*words, place, "--yes", XDG_CACHE_HOME=str(tmp_path))
        assert "Could not download the file: nothing listens at 127.0.0.1" in done.stderr
    done = oh_tui(*words, "https://127.0.0.1:1/x.zip", XDG_CACHE_HOME=str(tmp_path))
    assert "nothing listens" in done.stderr


def test_a_command_reads_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = write(tmp_path / "output.jsonl", [row("a-1", history(1)), row("b-1", history(2))])
    asked: list[tuple[str, bool]] = []

    def local_copy(address: str, settings: Any, *, yes: bool) -> Path:
        asked.append((address, yes))
        return output

    monkeypatch.setattr(web, "local_copy", local_copy)
    place = "https://files.test/output.jsonl"
    for words, count in (
        (("show", f"{place}#b-1", "--json"), 1),
        (("compare", f"{place}#a-1", f"{place}#b-1", "--yes", "--json"), 1),
    ):
        asked.clear()
        assert cli.main(list(words)) == 0
        assert asked == [(place, "--yes" in words)] * count


async def test_the_question_says_what_the_cache_cannot_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr(web, "ask", ask)
    web._agree(10**9, "x.zip", 2 * 10**6)
    web._agree(10**6, "x.zip", 2 * 10**6)
    web._agree(0, "x.zip", 2 * 10**6)
    assert asked == [
        "Download x.zip (2.0 MB) to the cache?",
        "Download x.zip (2.0 MB; the cache may hold 1.0 MB, so it is removed a day after it was"
        " last opened) to the cache?",
        "Download x.zip (2.0 MB)?",
    ]
    monkeypatch.setattr(web, "ask", lambda question: None)
    with pytest.raises(Problem, match="asks before it downloads") as told:
        web._agree(10**9, "x.zip", None)
    assert told.value.hint == "--yes downloads it"


def test_the_command_asks_and_takes_https_alone(tmp_path: Path) -> None:
    done = oh_tui("open", "http://files.test/x.zip", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode and "is not an https address" in done.stderr
    done = oh_tui("open", "https://127.0.0.1:1/x.zip#1", XDG_CACHE_HOME=str(tmp_path))
    assert (
        done.returncode
        and "Could not download the file: nothing listens at 127.0.0.1" in done.stderr
    )

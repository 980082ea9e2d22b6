"""Files at https addresses: fetched to the cache, with breaks, lies and redirects on the way."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui import cli
from oh_tui.api.http.connections import Connections
from oh_tui.commands.shared import web
from oh_tui.sources import web_copies
from oh_tui.sources.cache_limit import make_room
from oh_tui.sources.files import FileSource
from oh_tui.sources.web_copies import WebCopy
from oh_tui.text.problem import Problem
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, lines, row, write

ADDRESS = "https://files.test/eval/results.tar.gz?token=secret"
DATA = bytes(range(256)) * 4000

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Host:
    """Serves DATA. `breaks` are the places at which answers stop, one after the other."""

    def __init__(self, *breaks: int, version: str = '"one"', ranges: bool = True) -> None:
        self.breaks, self.version, self.ranges = list(breaks), version, ranges
        self.data, self.told = DATA, len(DATA)
        self.redirects: list[str] = []
        self.asked: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        assert "authorization" not in headers
        self.asked.append(headers.get("range", ""))
        if self.redirects:
            target = self.redirects.pop(0).encode()
            await send(_start(302, {b"location": target}))
            await send({"type": "http.response.body", "body": b""})
            return
        start, status = 0, 200
        told = {b"content-length": str(self.told).encode(), b"etag": self.version.encode()}
        if self.ranges and "range" in headers and headers.get("if-range") == self.version:
            start, status = int(headers["range"][6:-1]), 206
            if start >= len(self.data):
                await send(_start(416, {}))
                await send({"type": "http.response.body", "body": b""})
                return
            told[b"content-length"] = str(self.told - start).encode()
            told[b"content-range"] = f"bytes {start}-{self.told - 1}/{self.told}".encode()
        await send(_start(status, told))
        end = self.breaks.pop(0) if self.breaks else len(self.data)
        for place in range(start, end, 100_000):
            piece = self.data[place : min(end, place + 100_000)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _start(status: int, headers: dict[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers.items())}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_copies, "WAIT", 0)


async def fetch(
    host: Host, cache: Path, agrees: bool = True, *, address: str = ADDRESS, limit: int = 2**40
) -> tuple[Path, list[Any]]:
    told: list[Any] = []

    def agree(*words: Any) -> None:
        told.append(words)
        if not agrees:
            raise Problem("no")

    connections = Connections(host)  # type: ignore[arg-type]
    try:
        copy = WebCopy(cache, address, limit)
        return await copy.fetch(connections, agree, lambda *place: told.append(place)), told
    finally:
        await connections.aclose()


async def test_a_file_is_fetched_after_a_yes_and_once(tmp_path: Path) -> None:
    host = Host()
    path, told = await fetch(host, tmp_path)
    assert path.read_bytes() == DATA and path.name == "results.tar.gz"
    assert told[0] == ("results.tar.gz", len(DATA), 0)
    assert told[1:] == [
        (min(n, len(DATA)), len(DATA)) for n in range(100_000, 1_100_000, 100_000)
    ] + [(len(DATA), len(DATA))]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert await fetch(host, tmp_path) == (path, [])
    host.version, host.data, host.told = '"two"', b"new", 3
    assert (await fetch(host, tmp_path))[0].read_bytes() == b"new"


async def test_a_copy_that_lacks_its_end_is_cut_off(tmp_path: Path) -> None:
    """Nobody writes to it, however young it is; nor to one that a former version left writable."""
    host = Host()
    host.data = lines([row("a-1", history(1)), row("a-2", history(1))])[:-300]
    host.told = len(host.data)
    address = "https://files.test/output.jsonl"
    path, _ = await fetch(host, tmp_path, address=address)
    for _ in range(2):
        source = FileSource([path])
        assert [one.id for one in (await source.newest()).items] == ["a-1"]
        assert source.problems == [f"{path}, row 2 is cut off"]
        assert not source.remarks and not source.changes
        path.chmod(0o600)
        assert await fetch(host, tmp_path, address=address) == (path, [])


async def test_a_no_fetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no"):
        await fetch(Host(), tmp_path, agrees=False)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_break_is_gone_on_from(tmp_path: Path, ranges: bool) -> None:
    host = Host(300_000, 700_000, ranges=ranges)
    path, told = await fetch(host, tmp_path)
    assert path.read_bytes() == DATA
    assert host.asked == ["", "bytes=300000-", "bytes=700000-"]
    assert len([one for one in told if len(one) == 3]) == 1  # one question


async def test_a_later_run_goes_on_and_says_what_is_there(tmp_path: Path) -> None:
    host = Host(300_000, 300_000, 300_000, 300_000)
    with pytest.raises(Problem, match=r"from files.test broke off after 300 kB of 1.0 MB"):
        await fetch(host, tmp_path)
    path, told = await fetch(host, tmp_path)
    assert told[0] == ("results.tar.gz", len(DATA), 300_000)
    assert path.read_bytes() == DATA


async def test_another_version_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(Problem):
        await fetch(Host(*[300_000] * 4), tmp_path)
    host = Host(version='"two"')
    host.data = DATA[::-1]
    path, told = await fetch(host, tmp_path)
    assert path.read_bytes() == DATA[::-1] and told[0][2] == 0


async def test_more_than_was_told_is_refused_and_not_kept(tmp_path: Path) -> None:
    host = Host()
    host.told = 500_000
    with pytest.raises(Problem, match=r"files.test sends more than the 500 kB that it told"):
        await fetch(host, tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]


async def test_a_part_that_is_too_long_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(Problem):
        await fetch(Host(*[300_000] * 4), tmp_path)
    host = Host()
    host.data, host.told = DATA[:200_000], 200_000
    path, _ = await fetch(host, tmp_path)
    assert path.read_bytes() == DATA[:200_000]


async def test_redirects_lead_to_https_alone(tmp_path: Path) -> None:
    host = Host()
    host.redirects = ["https://other.test/x", "/y"]
    path, _ = await fetch(host, tmp_path)
    assert path.read_bytes() == DATA
    for target in ("http://other.test/x", "file:///etc/passwd"):
        host.redirects = [target]
        with pytest.raises(Problem, match="redirects to an address that is not https"):
            await fetch(host, tmp_path / "b")
    host.redirects = ["https://other.test/x"] * 9
    with pytest.raises(Problem, match="redirects more than 5 times"):
        await fetch(host, tmp_path / "c")


async def test_bounds_of_size_and_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_copies, "LARGEST", 500_000)
    with pytest.raises(Problem, match=r"results.tar.gz has 1.0 MB, more than oh-tui fetches"):
        await fetch(Host(), tmp_path)
    monkeypatch.setattr(web_copies, "LARGEST", 2**70)
    monkeypatch.setattr(web_copies, "SPARE", 2**62)
    with pytest.raises(Problem, match=r"free for results.tar.gz"):
        await fetch(Host(), tmp_path)


def address(number: int) -> str:
    return f"https://files.test/{number}.zip"


def kept(cache: Path) -> list[str]:
    """The names of what is whole in the cache."""
    return sorted(path.name for path in cache.rglob("*.zip"))


async def test_downloads_keep_to_the_limit_of_the_cache(tmp_path: Path) -> None:
    limit = 3 * len(DATA) + 1000
    for number in range(3):
        path, _ = await fetch(Host(), tmp_path, address=address(number), limit=limit)
        os.utime(path, (number + 1, number + 1))
        os.utime(path.parent / "version", (1, 1))
        os.utime(path.parent / "lock", (1, 1))
    await fetch(Host(), tmp_path, address=address(0), limit=limit)  # is used again
    await fetch(Host(), tmp_path, address=address(3), limit=limit)
    assert kept(tmp_path) == ["0.zip", "2.zip", "3.zip"]
    small = len(DATA) // 2
    await fetch(Host(), tmp_path, address=address(4), limit=small)
    assert kept(tmp_path) == ["0.zip", "2.zip", "3.zip", "4.zip"], "it removes nothing for itself"
    make_room(tmp_path, 10, len(DATA) * 2)
    assert kept(tmp_path) == ["4.zip"]


async def test_a_file_above_the_limit_goes_before_others(tmp_path: Path) -> None:
    host = Host()
    host.data, host.told = DATA * 3, len(DATA) * 3
    for number, one in enumerate((Host(), host)):
        await fetch(one, tmp_path, address=address(number), limit=len(DATA) * 2)
    assert kept(tmp_path) == ["0.zip", "1.zip"]
    make_room(tmp_path, 10, len(DATA) * 2)
    assert kept(tmp_path) == ["0.zip"]


async def test_what_a_server_tells_removes_nothing(tmp_path: Path) -> None:
    await fetch(Host(), tmp_path, address=address(0))
    for told in (len(DATA) * 2, len(DATA) * 1000):
        host = Host()
        host.data, host.told = DATA[:300_000], told
        with pytest.raises(Problem, match="broke off"):
            await fetch(host, tmp_path, address=address(1), limit=len(DATA) * 2)
        assert "0.zip" in kept(tmp_path)


async def test_others_make_room_while_a_file_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_copies, "ROOM", 200_000)
    await fetch(Host(), tmp_path, address=address(0))
    seen: list[bool] = []
    connections = Connections(Host())  # type: ignore[arg-type]
    copy = WebCopy(tmp_path, address(1), len(DATA) + 500_000)
    await copy.fetch(
        connections, lambda *_: None, lambda *_: seen.append("0.zip" in kept(tmp_path))
    )
    await connections.aclose()
    assert seen.index(False) == 5, "once 600 kB have come"


async def test_runs_and_downloads_share_the_limit(tmp_path: Path) -> None:
    runs = tmp_path / "runs" / "server"
    runs.mkdir(parents=True)
    for number in range(3):
        run = runs / f"run-{number}.zip"
        run.write_bytes(bytes(1000))
        os.utime(run, (number, number))
    other = tmp_path / "other.zip"
    other.write_bytes(b"x")
    (runs / "link.zip").symlink_to(other)
    await fetch(Host(), tmp_path, address=address(1), limit=len(DATA) + 2500)
    assert kept(tmp_path) == ["1.zip", "link.zip", "other.zip", "run-1.zip", "run-2.zip"]
    make_room(tmp_path, len(DATA) + 1000, len(DATA) + 2500)
    assert kept(tmp_path) == ["other.zip"], "a link is removed, and not what it leads to"


async def test_what_another_fetches_is_not_removed(tmp_path: Path) -> None:
    path, _ = await fetch(Host(), tmp_path, address=address(1))
    with (path.parent / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_room(tmp_path, 10, 10)
        assert path.exists()
    make_room(tmp_path, 10, 10)
    assert not path.parent.exists()


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
    web._agree(10**9, "x.zip", 2 * 10**6, 0)
    web._agree(10**6, "x.zip", 2 * 10**6, 1000)
    assert asked == [
        "Download x.zip (2.0 MB) to the cache?",
        "Download x.zip (2.0 MB, 1 kB of it are here; the cache may hold 1.0 MB: the next"
        " download removes it) to the cache?",
    ]
    monkeypatch.setattr(web, "ask", lambda question: None)
    with pytest.raises(Problem, match="asks before it downloads") as told:
        web._agree(10**9, "x.zip", None, 0)
    assert told.value.hint == "--yes downloads it"


def test_the_command_asks_and_takes_https_alone(tmp_path: Path) -> None:
    done = oh_tui("open", "http://files.test/x.zip", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode and "is no https address" in done.stderr
    done = oh_tui("open", "https://127.0.0.1:1/x.zip#1", XDG_CACHE_HOME=str(tmp_path))
    assert (
        done.returncode
        and "Could not download the file: nothing listens at 127.0.0.1" in done.stderr
    )

"""`oh-tui index` as used by people and scripts."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.library.library import Library
from oh_tui.sources.file_source import FileSource
from scripts.many_runs import Maker, write_outputs
from tests.commands import schemas
from tests.commands.conftest import IDS, Served, serve
from tests.library.made import known_runs
from tests.processes import oh_tui
from tests.trajectory.formats.test_tar_runs import conversation, tar

MAKER = Maker(seed=4, events=12)
RUNS = 4


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "cache" / "oh-tui"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_outputs(tmp_path / "runs", RUNS, MAKER)
    return tmp_path / "runs"


def told(*words: str | Path, **environment: str) -> str:
    done = oh_tui("index", *words, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*words: str | Path, **environment: str) -> str:
    done = oh_tui(*words, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr


def as_json(*words: str | Path, **environment: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told(*words, "--json", **environment))
    schemas.check("index", document)
    return document


def test_a_folder_is_indexed_once_and_by_no_words_again(runs: Path) -> None:
    assert told(runs) == "4 runs indexed; 4 runs in all\n"
    assert told() == "0 runs indexed; 4 runs in all\n"
    found = as_json("--status")["library"]
    assert (found["runs"], found["gone"], found["places"]) == (4, 0, 1)
    assert found["has_texts"] in (True, False)
    status = told("--status")
    assert status.startswith("runs\t4\n")
    (runs / "part-000" / "output.jsonl").unlink()
    assert told() == "0 runs indexed; 4 runs in all\n1 file can no longer be read\n"
    assert "4, 4 can no longer be read" in told("--status")
    assert as_json()["indexed"] == 0


def test_what_is_forgotten_by_folder_is_gone(runs: Path, cache: Path) -> None:
    told(runs)
    assert told("--forget", f"{runs}/../runs/part-000/") == "4 runs forgotten\n"
    assert as_json("--status")["library"]["runs"] == 0
    assert "is indexed" in refused("index", "--forget", runs)


def test_what_another_reads_leaves_the_file_later(runs: Path, cache: Path) -> None:
    told(runs)
    with contextlib.closing(
        sqlite3.connect(cache / "library" / "runs.db", isolation_level=None)
    ) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM runs").fetchone()
        done = oh_tui("index", "--forget", runs)
    assert done.stdout == "4 runs forgotten\n"
    assert "another oh-tui reads it" in done.stderr
    assert "Nothing of it" not in refused("index", "--forget", runs)
    with Library(cache) as library:
        assert not library.is_untidy()


@pytest.mark.parametrize("link", [False, True])
def test_what_was_indexed_is_forgotten_by_the_same_words(
    runs: Path, cache: Path, link: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a link before `..` leads elsewhere."""
    (runs / "empty").mkdir()
    (runs.parent / "link").symlink_to(runs / "empty")
    monkeypatch.chdir(runs.parent if link else runs / "empty")
    file = Path("link" if link else "", "..", "part-000", "output.jsonl")
    assert told(file) == "4 runs indexed; 4 runs in all\n"
    (row, *_) = FileSource([file]).conversations()
    with Library(cache) as library:
        assert known_runs(library, "place = ?", row.place)
    assert told("--forget", file) == "4 runs forgotten\n"


def test_the_runs_of_the_cli_are_indexed_by_no_words(tmp_path: Path) -> None:
    own = tmp_path / "home" / ".openhands" / "conversations"
    write_outputs(own, RUNS, MAKER)
    assert told() == "4 runs indexed; 4 runs in all\n"


def test_the_cache_shows_it_and_clears_it(runs: Path, cache: Path) -> None:
    told(runs)
    shown = oh_tui("cache").stdout
    assert re.search(r"(?m)^library\t[1-3]\t[\d.]+ [kM]?B\t20", shown)
    assert oh_tui("cache", "clear", "library").returncode == 0
    assert not (cache / "library").exists()
    assert told("--status") == "nothing is indexed yet\n"
    assert as_json("--status") == {"library": None, "why": "nothing is indexed yet"}


def test_an_index_of_another_version_is_made_anew_once_with_all_runs(
    runs: Path, cache: Path
) -> None:
    told(runs)
    with contextlib.closing(sqlite3.connect(cache / "library" / "runs.db")) as database:
        database.execute("PRAGMA user_version = 7")
    done = oh_tui("index")
    assert done.stderr == ("oh-tui: the index is made anew: another version of oh-tui made it\n")
    assert done.stdout == "4 runs indexed; 4 runs in all\n"
    assert told() == "0 runs indexed; 4 runs in all\n"


@pytest.mark.parametrize("words", ["the folder", "none"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"no database",
        lambda data: data[:16_384] + b"\xff" * (len(data) - 16_384),
        lambda data: data[: len(data) // 2],
        lambda data: data[:-16_384] + bytes(16_384),
        lambda data: data.replace(b"CREATE TABLE homes", b"CREATE TABLE gnomes"[:18]),
    ],
    ids=["other", "rest", "cut", "last page", "table"],
)
def test_a_damaged_index_is_made_anew_with_all_runs(
    runs: Path, cache: Path, damage: Callable[[bytes], bytes], words: str
) -> None:
    told(runs)
    file = cache / "library" / "runs.db"
    file.write_bytes(damage(file.read_bytes()))
    done = oh_tui("index", *([runs] if words == "the folder" else []))
    assert done.stderr.splitlines()[0] == "oh-tui: the index is made anew: it was damaged"
    if done.returncode:  # nothing tells what was in it
        assert words == "none" and "name files or folders" in done.stderr
    else:
        assert done.stdout == "4 runs indexed; 4 runs in all\n"
    assert told(runs).endswith("; 4 runs in all\n")


@pytest.mark.parametrize("off", [{"OH_TUI_CACHE": "off"}, {}])
def test_without_a_library_nothing_is_written(runs: Path, cache: Path, off: dict[str, str]) -> None:
    told = refused("index", runs, **off) if off else refused("--no-library", "index", runs)
    assert "There is no index of runs" in told
    assert not cache.exists()


def test_wrong_use(runs: Path) -> None:
    assert "Nothing is indexed yet" in refused("index")
    assert "There is no file or folder" in refused("index", runs / "no")
    assert "leave --demo out" in refused("--demo", "index")
    assert "leave one out" in refused("index", runs, "--server", "x.example")
    assert "no address" in refused("index", "--server", "local")
    assert "no key" in refused("index", "--server", "https://app.all-hands.dev")


def test_a_key_of_the_user_is_left_out(runs: Path, cache: Path) -> None:
    key = MAKER.made(2).rare
    done = oh_tui("index", runs, OPENHANDS_API_KEY=key)
    assert done.stdout == "3 runs indexed; 3 runs in all\n"
    assert "it contains one of your keys" in done.stderr
    assert key not in done.stderr
    assert told(runs) == "0 runs indexed; 3 runs in all\n"


# a server


@pytest.fixture
def server() -> Iterator[Served]:
    with serve() as one:
        yield one


@pytest.mark.slow
def test_runs_of_an_agent_server_that_are_over_are_taken_in_until_they_go_on(cache: Path) -> None:
    """No sandbox stops there, so the state of the run says whether it is over."""
    keyed = {"OPENHANDS_API_KEY": "made-up-key"}
    with serve("agent") as server:
        words = ("index", "--server", server.url)
        sums = ("stats", "--server", server.url, "--json")
        asked = oh_tui(*words, **keyed).stderr
        done = oh_tui(*words, "--yes", "--json", **keyed)
        before = oh_tui(*sums, **keyed)
        sent = oh_tui("send", IDS["csv-bom"], "Go on", "--server", server.url, "--yes", **keyed)
        after = oh_tui(*sums, **keyed)
    indexed = json.loads(done.stdout)["indexed"]
    assert indexed > 10
    assert f"{indexed} runs, {3 * indexed} calls or more" in asked
    assert "may still go on" in done.stderr
    assert sent.returncode == 0, sent.stderr
    counted = [
        sum(group["runs"] for group in json.loads(each.stdout)["groups"])
        for each in (before, after)
    ]
    assert counted == [indexed, indexed - 1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["agent", "plain"])
def test_grep_searches_what_stats_counts(kind: str, cache: Path) -> None:
    """Whether or not this machine keeps the runs that are in the index."""
    keyed = {"OPENHANDS_API_KEY": "made-up-key"}
    with serve(kind) as server:
        at = ("--server", server.url, "--json")
        done = json.loads(oh_tui("index", "--yes", *at, **keyed).stdout)
        shutil.rmtree(cache / "runs", ignore_errors=True)
        counted = oh_tui("stats", *at, **keyed)
        found = [oh_tui("grep", words, "-l", *at, **keyed) for words in ("-nosuchword", "pytest")]
        live = [
            oh_tui(*words, "--live", *at, **keyed) for words in (("stats",), ("grep", "pytest"))
        ]
        whole = json.loads(oh_tui("index", "--live", "--yes", *at, **keyed).stdout)
        still = json.loads(oh_tui("stats", *at, **keyed).stdout)
    sums = json.loads(counted.stdout)
    schemas.check("stats", sums)
    assert sums["total"]["runs"] == done["indexed"] > 10
    with Library(cache) as library:
        with_steps = known_runs(library, "steps > 0 AND fingerprint != ''") or []
    assert len(found[0].stdout.splitlines()) == len(with_steps) >= done["indexed"] - 1
    assert found[1].returncode == 0 and found[1].stdout
    assert done["going_on"] == sums["left_out"]["going_on"] > 0
    for each in (counted, *found):
        assert f"{done['going_on']} runs that may still go on; --live" in each.stderr
    together = json.loads(live[0].stdout)
    assert together["total"]["runs"] == done["indexed"] + done["going_on"]
    assert together["left_out"]["going_on"] == 0 and "may still go on" not in live[1].stderr
    assert len(live[1].stdout.splitlines()) > len(found[1].stdout.splitlines())
    # what goes on is in the index as it stood, and is never taken for what it is now
    assert (whole["indexed"], whole["going_on"]) == (done["going_on"], 0)
    assert still["left_out"]["going_on"] == done["going_on"]


@pytest.mark.slow
def test_what_is_over_on_a_server_is_read_after_a_yes(server: Served, cache: Path) -> None:
    words = ("index", "--server", server.url)
    keyed = {"OPENHANDS_API_KEY": "made-up-key"}
    asked = oh_tui(*words, **keyed).stderr
    cost = re.search(r"(\d+) runs, about (\d+) calls, (.+)\n", asked)
    assert cost is not None, asked
    done = oh_tui(*words, "--yes", "--json", **keyed)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    schemas.check("index", document)
    assert document["indexed"] + len(document["left_out"]) == int(cost[1])
    assert "may still go on" in done.stderr
    again = json.loads(oh_tui(*words, "--yes", "--json", **keyed).stdout)
    assert (again["indexed"], again["unchanged"]) == (0, document["indexed"])
    with Library(cache) as library:
        place = f"{server.url}#{IDS['csv-bom']}"
        (known,) = known_runs(library, "place = ?", place) or []
        assert known.row.run == IDS["csv-bom"]
        assert known.row.source == known.home == server.url
        candidates = library.candidates("passed in")
        assert candidates is None or place in candidates
    assert b"made-up-key" not in b"".join(p.read_bytes() for p in (cache / "library").iterdir())
    assert told("--forget", server.url).endswith("runs forgotten\n")


def test_a_run_that_a_server_lists_again_is_no_longer_gone(server: Served, cache: Path) -> None:
    words, keyed = ("--server", server.url), {"OPENHANDS_API_KEY": "made-up-key"}
    assert oh_tui("index", *words, "--yes", **keyed).returncode == 0
    place = f"{server.url}#{IDS['csv-bom']}"
    with Library(cache, writes=True) as library:
        library.mark_places_gone([place])
    done = oh_tui("stats", *words, **keyed)
    assert done.returncode == 0, done.stderr
    assert json.loads(oh_tui("index", *words, "--yes", "--json", **keyed).stdout)["indexed"] == 1
    with Library(cache) as library:
        (known,) = known_runs(library, "place = ?", place) or []
    assert not known.is_gone


def test_a_download_enters_it(served: Served, tmp_path: Path) -> None:
    environment = {"OPENHANDS_API_KEY": "any"}
    words = ("download", IDS["coverage"], "--server", served.url, "-o", tmp_path / "run.zip")
    for before, count in (("--no-library",), 0), ((), 1):
        done = oh_tui(*before, *words, **environment)
        assert done.returncode == 0, done.stderr
        library = as_json("--status")["library"]
        assert (library["runs"] if library else 0) == count
        (tmp_path / "run.zip").unlink()


def test_what_is_cut_off_is_told_and_no_success(tmp_path: Path, cache: Path) -> None:
    whole = gzip.compress(tar(conversation("a/", 5) | conversation("b/", 9)))
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    told = f"{path} is cut off: the end of the packed data is missing; what comes before is shown"
    done = oh_tui("index", str(path))
    assert done.returncode == 2 and done.stderr == f"oh-tui: {told}\n"
    assert done.stdout.startswith("2 runs indexed")
    oh_tui("index", "--forget", str(path))
    done = oh_tui("index", str(path), "--json")
    document = json.loads(done.stdout)
    schemas.check("index", document)
    assert (done.returncode, document["damage"], document["left_out"]) == (2, [told], [])


def test_a_run_that_cannot_be_read_is_no_success(tmp_path: Path, cache: Path, runs: Path) -> None:
    (runs / "broken.zip").write_bytes(b"nothing")
    assert oh_tui("index", str(runs)).returncode == 2
    assert oh_tui("stats", str(runs)).returncode == 2
    (runs / "broken.zip").unlink()
    assert oh_tui("index", str(runs)).returncode == 0
    assert oh_tui("stats", str(runs)).returncode == 0

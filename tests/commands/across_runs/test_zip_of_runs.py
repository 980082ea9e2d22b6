"""A zip or tar of several runs is a list, as the folder of the same runs is."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.formats import unpack
from oh_tui.trajectory.formats.table import open_runs
from tests.commands.mcp.using import Tools, use
from tests.processes import oh_tui
from tests.trajectory.evaluation_files import history, row
from tests.tui.explorer import explore

RUNS = {"one": 2, "two": 5, "three": 1}
LONGEST = "two"


def written(home: Path, calls: int, number: int) -> None:
    (home / "events").mkdir(parents=True)
    events = history(calls, failed=[1])
    for place, event in enumerate(events):
        event = event | {"timestamp": f"2026-03-0{number}" + event["timestamp"][10:]}
        path = home / "events" / f"event-{place:05}-{event['id']}.json"
        path.write_text(json.dumps(event))
    state = {"id": f"{number:032x}", "agent": {"llm": {"model": "some/model"}}}
    (home / "base_state.json").write_text(json.dumps(state))
    (home / "meta.json").write_text(json.dumps({"id": f"{number:032x}", "title": home.name}))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, one with a sub-agent that has more events than its parent."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "runs"
    for number, (name, calls) in enumerate(RUNS.items(), 1):
        written(home / name, calls, number)
    written(home / "three" / "subagents" / "deep", 9, 4)
    (home / "readme.txt").write_text("no run")
    return home


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def with_folder_above(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def in_folder(folder: Path) -> Path:
    inside = folder.parent / "inside"
    inside.mkdir()
    shutil.move(zipped(folder), inside)
    return inside


def in_tar(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "gztar", folder))


def in_zip(folder: Path) -> Path:
    zipped(folder)
    path = folder.parent / "outer.zip"
    with zipfile.ZipFile(path, "w") as outer:
        outer.write(folder.with_suffix(".zip"), "inner.zip")
    return path


PACKINGS: list[Callable[[Path], Path]] = [zipped, with_folder_above, in_folder, in_tar, in_zip]
packed = pytest.mark.parametrize("pack", PACKINGS, ids=lambda one: one.__name__)

COMMANDS = (
    ("conversations", "PATH", "--json"),
    ("conversations", "PATH", "is:finished", "--sort", "cost", "--json"),
    ("stats", "PATH", "--by", "model,cause", "--json"),
    ("failures", "PATH", "--json"),
    ("audit", "PATH", "--json"),
    ("grep", "echo", "PATH", "--json"),
    ("export", "PATH", "--to", "chat"),
    ("export", "PATH", "--to", "otlp", "-o", "OUT/otlp.jsonl"),
    ("export", "PATH", "--to", "jsonl", "-o", "OUT/tables"),
    ("index", "PATH"),
    ("query", "select run, title, steps, model, verdict, note from runs order by 1", "--json"),
    ("query", "select run, step, tool, outcome from steps order by 1, 2", "--json"),
)


def without_paths(value: Any) -> Any:
    """JSON without what names the place of a run."""
    if isinstance(value, dict):
        apart = {"source", "file", "apart", "compare", "path"}
        return {name: without_paths(each) for name, each in value.items() if name not in apart}
    if isinstance(value, list):
        return list(map(without_paths, value))
    if isinstance(value, str) and ("/" in value or "#" in value):
        return value.rpartition("/")[2].rpartition("#")[2]
    return value


def told(path: Path, words: tuple[str, ...], out: Path) -> list[Any]:
    """What a command tells of the runs at a path, in its documents and files."""
    out.mkdir(exist_ok=True)
    given = {"PATH": str(path)}
    found = oh_tui(*(given.get(one, one).replace("OUT", str(out)) for one in words))
    assert found.returncode in (0, 1), found.stderr
    texts = [found.stdout] if words[0] != "index" else []
    texts += [one.read_text() for one in sorted(out.rglob("*.jsonl")) if words[0] == "export"]
    documents: list[Any] = []
    for text in texts:
        try:
            documents.append(json.loads(text))
        except ValueError:
            documents += map(json.loads, text.splitlines())
    return [without_paths(one) for one in documents]


@pytest.mark.slow_but(1)
@packed
def test_all_commands_tell_the_same_of_it(
    folder: Path, tmp_path: Path, pack: Callable[[Path], Path]
) -> None:
    before = [told(folder, words, tmp_path / "out-a") for words in COMMANDS]
    oh_tui("index", "--forget", folder)
    path = pack(folder)
    after = [told(path, words, tmp_path / "out-b") for words in COMMANDS]
    for words, one, other in zip(COMMANDS, before, after, strict=True):
        assert sorted(map(repr, one)) == sorted(map(repr, other)), words
    listed = after[0][0]["conversations"]
    assert {one["id"] for one in listed} == {f"{n:032x}" for n in (1, 2, 3)}


def test_the_list_is_in_the_order_of_the_folder(folder: Path) -> None:
    sources = [FileSource([path]) for path in (folder, zipped(folder))]
    a, b = [[row.id for row in source.conversations()] for source in sources]
    assert a == b and len(a) == 3


@packed
def test_each_run_can_be_named(folder: Path, pack: Callable[[Path], Path]) -> None:
    path = pack(folder)
    path = next(path.iterdir()) if path.is_dir() else path
    for number, name in enumerate(RUNS, 1):
        for word in (f"{number:032x}", f"{number:032x}"[:32]):
            found = json.loads(oh_tui("why", f"{path}#{word}", "--json").stdout)
            assert found["conversation"]["id"] == f"{number:032x}"
            assert found["conversation"]["title"] == name
    assert json.loads(oh_tui("why", f"{path}#one", "--json").stdout)["counts"]["calls"] == 3
    assert oh_tui("why", f"{path}#deep").returncode == 2


@pytest.mark.parametrize("words", [("why",), ("steps",), ("show",), ("changes",), ("events",)])
def test_a_command_over_one_run_takes_the_longest_and_says_so(
    folder: Path, words: tuple[str, ...]
) -> None:
    path = zipped(folder)
    found, same = oh_tui(*words, path), oh_tui(*words, f"{path}#{LONGEST}")
    assert (found.stdout, found.returncode) == (same.stdout, 0)
    assert f"{path} holds 3 runs; took two, the longest; name one as {path}#ID" in found.stderr
    assert "holds 3 runs" not in same.stderr


def test_a_zip_of_one_run_is_no_list(folder: Path) -> None:
    for name in ("one", "two"):
        shutil.rmtree(folder / name)
    path = zipped(folder)
    found = json.loads(oh_tui("why", path, "--json").stdout)
    assert found["counts"]["calls"] == 2, "its own, not those of its sub-agent"
    assert "holds" not in oh_tui("steps", path).stderr
    (entry,) = open_runs(path).entries()
    assert not entry.name and entry.opened


def test_other_files_with_runs_are_in_the_list(folder: Path) -> None:
    rows = "".join(json.dumps(row(name, history(1))) + "\n" for name in ("x", "y"))
    (folder / "output.jsonl").write_text(rows)
    assert len(FileSource([zipped(folder)]).conversations()) == 5
    for name in RUNS:
        shutil.rmtree(folder / name)
    assert [one.id for one in FileSource([zipped(folder)]).conversations()] == ["x", "y"]


def test_a_damaged_file_in_it_is_told_and_the_others_are_read(folder: Path) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path) as archive:
        found = next(one for one in archive.infolist() if "two/events/event-00003" in one.filename)
    data, at = bytearray(path.read_bytes()), found.header_offset + 30 + len(found.filename)
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)
    source = FileSource([path])
    assert len(source.conversations()) == 3
    assert any("damaged" in one for one in source.problems)


def test_a_zip_that_is_cut_off_lists_what_it_has(folder: Path) -> None:
    path = zipped(folder)
    path.write_bytes(path.read_bytes()[:-6000])
    source = FileSource([path])
    assert len(source.conversations()) >= 2
    assert any("cut off" in one for one in source.problems)


def test_hostile_names_and_bombs_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../../out.json", "/abs.json", "a/../../b.json"):
            archive.writestr(name, "{}")
    source = FileSource([path])
    assert len(source.conversations()) == 3
    assert any("escaping name" in one for one in source.problems)
    assert any("absolute name" in one for one in source.problems)
    assert not list(tmp_path.rglob("out.json"))
    monkeypatch.setattr(unpack, "RATIO_FREE", 2**16)
    monkeypatch.setattr(unpack, "RATIO_LIMIT", 2)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one/big.json", b" " * 2**20)
    source = FileSource([path])
    assert len(source.conversations()) == 3
    assert any("unpacks from so little" in one for one in source.problems)


def test_a_client_and_the_explorer_list_them(folder: Path) -> None:
    async def ask(tools: Tools) -> None:
        rows = await tools.rows("find_runs", "conversations")
        assert {one["title"] for one in rows} == set(RUNS)
        assert (await tools("stats"))["total"]["runs"] == 3

    use(ask, zipped(folder))


async def test_the_explorer_lists_them(folder: Path) -> None:
    path = zipped(folder)
    async with explore(source=lambda: FileSource([path]), size=(160, 30)) as it:
        await it.until(lambda: len(it.screen.session.listed) == len(RUNS))
        assert {row.conversation.title for row in it.screen.session.listed} == set(RUNS)

"""Keys in every text of every format, names and ids too: none is in anything that leaves."""

from __future__ import annotations

import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import oh_tui.commands
from oh_tui.text.clean import clean
from tests.commands.mcp.using import Tools, use
from tests.hostile.kinds import run, write_zip
from tests.hostile.test_json import said_by
from tests.hostile.test_terminal import SIZE, Looker
from tests.terminal.terminal import OH_TUI, Terminal, first_of
from tests.trajectory import evaluation_files
from tests.trajectory.foreign import test_atif, test_chat, test_folders, test_v0_golden

OURS = "planted.key-of-ours.0042"
"""Has no shape that is known: it is a key since the environment says so."""

KEYS = {
    OURS: "{}",
    "sk-ant-api03-PlantedAnthropic0001": "{}",
    "ghp_PlantedGithub0002abcdefghijklmnop": "{}",
    "AKIAPLANTEDAWS00003X": "{}",
    "glpat-PlantedGitlab0004xyz": "{}",
    "PlantedPassword0005": "password={}",
    "PlantedHeader0006abcdef": "Authorization: Bearer {}",
    "PlantedInAddress0007": "https://me:{}@host.invalid/x",
}

SPLITS = ("", "", "\r", "\x1b[1m", "\u200b", "\b", " \r")
"""What stands in the middle of a key; in every second text nothing does."""

OWN = frozenset(
    {
        *(
            "kind",
            "type",
            "role",
            "source",
            "timestamp",
            "created_at",
            "schema_version",
            "is_error",
        ),
        *("observation", "is_error", "agent_state", "security_risk", "recall_type", "exit_status"),
        *("started_at", "finished_at", "key", "execution_status", "function"),
    }
)
"""Fields that decide how a file is read."""

IDS = frozenset({"id", "tool_call_id", "source_call_id", "action_id", "llm_response_id"})
"""Fields that join one thing to another: they get the same key each time."""

NAMES = frozenset({"action", "function_name", "name", "tool_name"})
"""Fields from which names of kinds are made; also planted with nothing but a key."""


class Planter:
    """Puts the next key into each text it meets, and into a name of each object."""

    def __init__(self, *, whole_names: bool) -> None:
        self._next = itertools.cycle(KEYS.items()).__next__
        self._splits = itertools.cycle(SPLITS).__next__
        self._whole_names = whole_names

    def key(self) -> str:
        key, form = self._next()
        middle = len(key) // 2
        return form.format(key[:middle] + self._splits() + key[middle:])

    def plant(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            planted = {field: self.plant(inner, field) for field, inner in value.items()}
            if name not in ("arguments", "usage", "metrics"):
                planted |= {self.key(): self.key(), "extra_notes": {self.key(): [self.key()]}}
            return planted
        if isinstance(value, list):
            return [self.plant(inner, name) for inner in value]
        if not isinstance(value, str) or name in OWN:
            return value
        if name in IDS:
            return f"{value}-{OURS}" if value else value
        if name in NAMES:
            return list(KEYS)[zlib.crc32(value.encode()) % 5] if self._whole_names else value
        if name == "arguments" and value.startswith("{"):
            return json.dumps(self.plant(json.loads(value)))
        return f"{value} {self.key()}"


Make = Callable[[Path, Planter], Path]


def a_zip(folder: Path, planter: Planter) -> Path:
    events = (planter.plant(event) for event in run(lambda: "said"))
    about = planter.plant({"title": "of a zip", "llm_model": "m", "selected_repository": "a/b"})
    return write_zip(folder / "run.zip", events, id="ab" * 16, **about)


def atif(folder: Path, planter: Planter) -> Path:
    document = test_atif.made()
    extra = {"OPENHANDS_API_KEY": OURS, "note": "x", "list": [["y"]]}
    document["final_metrics"]["extra"] = dict(extra)
    document["extra"] = dict(extra)
    for step in document["steps"]:
        step["extra"] = dict(extra)
        step.get("metrics", {}).update(extra=dict(extra))
    return written(folder / "trajectory.json", planter.plant(document))


def harbor(folder: Path, planter: Planter) -> Path:
    job = test_folders.a_job(folder)
    for path in job.rglob("*.json"):
        written(path, planter.plant(json.loads(path.read_text())))
    return job


def chat(folder: Path, planter: Planter) -> Path:
    return written(folder / "chat.json", planter.plant({"messages": test_chat.made()}))


def v0(folder: Path, planter: Planter) -> Path:
    history = test_v0_golden.whole_run().events
    row = evaluation_files.row("acme-1", history, error="it broke")
    return written(folder / "output.jsonl", planter.plant(row))


def v1(folder: Path, planter: Planter) -> Path:
    row = evaluation_files.row("acme-1", evaluation_files.history(4, failed=(2,)), error="it broke")
    return written(folder / "output.jsonl", planter.plant(row))


def parquet(folder: Path, planter: Planter) -> Path:
    arrow = pytest.importorskip("pyarrow")
    path = folder / "train.parquet"
    row = {"instance_id": "acme-1", "trajectory": json.dumps(planter.plant(test_chat.made()))}
    about = planter.plant({"repo": "acme/dates", "exit_status": "submit"})
    table = arrow.Table.from_pylist([row | about])
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    return path


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value) + "\n")
    return path


FORMATS: dict[str, Make] = {
    "zip": a_zip, "ATIF": atif, "Harbor": harbor, "chat": chat, "V0": v0, "V1": v1,
    "Parquet": parquet,
}  # fmt: skip


def check(where: str, data: bytes) -> None:
    """In any writing: as it is, with something unseen in it, in other capitals, as a name of a
    kind. A part of a key is looked for: what masks the rest of one is not enough."""
    texts = [data.decode("utf-8", "replace")]
    texts.append(re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), texts[0]))
    texts[1] = texts[1].replace("\\r", "\r").replace("\\b", "\b")
    texts += [clean(text) for text in texts]
    texts.append(clean(re.sub(" ?\r(?!\n)", "", texts[1])))
    for text in texts:
        plain = re.sub(r"[^a-z0-9]", "", text.lower())
        for key in KEYS:
            assert key not in text, f"{key} is in {where}"
            assert re.sub(r"[^a-z0-9]", "", key.lower()) not in plain, f"{key} is in {where}"


def commands(path: Path, folder: Path) -> Iterator[tuple[str | Path, ...]]:
    of_run = ("show", "why", "steps", "tail", "context", "changes", "count", "check")
    for name in (*of_run, "conversations", "stats", "failures", "audit"):
        yield name, path
        yield name, path, "--json"
    for name in ("stats", "failures"):
        yield name, path, "--csv"
    yield "audit", path, "--junit"
    yield "events", path
    for form in ("md", "html", "jsonl", "atif", "cast", "otlp", "chat"):
        yield "export", path, "--to", form, "--yes"
        yield "export", path, "--to", form, "--yes", "-o", folder / f"out.{form}"
    yield "export", path, "--to", "otlp", "--messages", "--whole"
    yield "export", path, "--to", "chat", "--every", "answer"
    for form in ("jsonl", "parquet"):
        yield "export", path, "--to", form, "-o", f"{folder / form}/"
    yield "index", path
    for sql in ("select * from runs", "select * from steps", "select * from files"):
        yield "query", sql
        yield "query", sql, "--json"
        yield "query", sql, "--csv"
    for words in ("planted", "0001", "re:/[Pp]lanted/"):
        yield "grep", words, path
        yield "grep", words, path, "--json"
    yield "compare", path, path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENHANDS_API_KEY", OURS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "home").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "whole_names",
    [pytest.param(False, id="texts", marks=pytest.mark.slow), pytest.param(True, id="names")],
)
@pytest.mark.parametrize("name", FORMATS)
def test_no_key_leaves(name: str, whole_names: bool, home: Path) -> None:
    path = FORMATS[name](home / "in", Planter(whole_names=whole_names))
    one = path / "fix-dates__a" if name == "Harbor" else path
    said = 0
    for words in commands(one, home / "out"):
        _, out, err = said_by(*words)
        assert "bug in oh-tui" not in err, (words, err)
        check(" ".join(map(str, words)), f"{out}\n{err}".encode())
        said += len(out)
    assert said > 5_000
    seen = 0
    for file in (*(home / "out").rglob("*"), *(home / "cache").rglob("*")):
        if file.is_file():
            seen += 1
            check(file.name, file.name.encode())
            check(str(file), unpacked(file.read_bytes()))
    assert seen >= 4


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", FORMATS)
def test_no_key_is_told_to_another_agent(name: str, home: Path) -> None:
    path = FORMATS[name](home / "in", Planter(whole_names=True))
    one = path / "fix-dates__a" if name == "Harbor" else path

    async def work(tools: Tools) -> None:
        listed = await tools.rows("find_runs", "conversations")
        for id in (row["id"] for row in listed):
            await tools("why", run=id)
            for step in await tools.rows("steps", "steps", run=id):
                if "path" not in step:
                    await tools.pages("step", run=id, step=step["index"])
            await tools.any("context", run=id)
            for file in (await tools("changes", run=id))["files"]:
                await tools.any("file_at", run=id, path=file["path"])
                await tools.any("blame", run=id, path=file["path"])
            await tools("compare", a=id, b=id)
        await tools("search", words="planted")
        await tools("stats", by=["model", "repo", "cause"])
        await tools.rows("failures", "failures")
        await tools("audit")
        for given in (form.format(key) for key, form in KEYS.items()):
            await tools.refused("why", run=given)
            await tools.refused("steps", words=f"is:{given}")
            await tools.refused(given)
        check("what was told", "\n".join(tools.texts).encode())
        cursors = re.findall(r'"cursor":"([^"]+)"', "".join(tools.texts))
        assert all(re.fullmatch(r"\d+\.[0-9a-f]{16}", one) for one in cursors)
        assert len("".join(tools.texts)) > 10_000

    use(work, one)


def unpacked(data: bytes) -> bytes:
    """With what is packed in the parts of the index and of Parquet."""
    found = [data]
    for start in re.finditer(rb"x\x9c", data):
        with_rest = zlib.decompressobj()
        try:
            found.append(with_rest.decompress(data[start.start() :]))
        except zlib.error:
            continue
    if data[:4] == b"PAR1":
        import io

        table = pytest.importorskip("pyarrow.parquet").read_table(io.BytesIO(data))
        found.append(json.dumps(table.to_pylist(), default=str).encode())
    return b"\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", first_of(FORMATS))
def test_no_key_is_drawn_or_copied(name: str, home: Path) -> None:
    path = FORMATS[name](home / "in", Planter(whole_names=True))
    given: dict[str, Any] = {"OPENHANDS_API_KEY": OURS}
    with Terminal(OH_TUI, "open", path, size=SIZE, home=home / "home", **given) as terminal:
        it = Looker(terminal)
        terminal.wait_for("1 Conversations")
        terminal.settle()
        it.press("2", "3", "j", "y", "j", "j", "y", "o", "y", "m", "R", "j", "j", "k", "1", "T")
        it.press(
            "esc",
            "c",
            "esc",
            "e",
            "B",
            "f",
            "b",
            "y",
            "esc",
            "esc",
            "v",
            "esc",
            "ctrl+p",
            "esc",
            "/",
        )
        it.type("planted")
        it.press("enter", "n", "esc", "w", "x", "esc", "i", "esc", "y", "i")
        it.rest()
        it.quit()
        check("the terminal", bytes(terminal.drawn))
        check("the screen", it.grid.text.replace("\n", "").encode())
        for text in it.grid.copied:
            check("the clipboard", text.encode())


def test_commands_make_json_in_one_place() -> None:
    """Which masks it, as that of the answers to other agents does. What a store of this machine
    holds is no output."""
    makes = re.compile(r"json\.dumps\(|json\.encode\(|sys\.stdout\.write")
    found = [
        f"{path.name}: {line.strip()}"
        for path in Path(oh_tui.commands.__file__).parent.rglob("*.py")
        if path.name not in ("printing.py", "answers.py", "wire.py")
        for line in path.read_text().splitlines()
        if makes.search(line) and line.strip() != "return msgspec.json.encode(held)"
    ]
    assert not found

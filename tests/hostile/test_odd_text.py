"""Texts that are hard to encode or to show, in every format: each output of them is well formed."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given

from oh_tui.text.clean import well_formed
from oh_tui.text.redact import redact_json
from oh_tui.trajectory.model.events import decode_json
from tests.commands.mcp.using import Tools, use
from tests.hostile.secrets import test_planted
from tests.hostile.secrets.test_planted import IDS, NAMES, OWN, commands
from tests.hostile.test_json import said_by
from tests.hostile.texts import HOSTILE
from tests.trajectory.foreign import test_chat

ODD = (
    "\ud800", "a\udfffb", "x \ud83d", "\ud83d\ude00", "\udc80\udcff", "NUL \0",
    "C1 \x9b31m\x85\x90", "bidi \u202e\u2066", "\x1b[2J", "\u2028", "\ufffe",
)  # fmt: skip

UNSHOWN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

LINES = ("jsonl", "cast", "otlp", "chat")
"""Formats with JSON on each line."""


class Planter(test_planted.Planter):
    """Puts the next odd text into each text."""

    def __init__(self) -> None:
        super().__init__(whole_names=False)
        self._odd = itertools.cycle(ODD)

    def key(self) -> str:
        return next(self._odd)

    def plant(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str) and name in IDS:
            return f"{value}-\ud800"
        return (
            value if isinstance(value, str) and name in NAMES | OWN else super().plant(value, name)
        )


def parquet(folder: Path, planter: Planter) -> Path:
    arrow = pytest.importorskip("pyarrow")
    path = folder / "train.parquet"
    row = {"instance_id": "a", "trajectory": json.dumps(planter.plant(test_chat.made()))}
    with path.open("wb") as file:  # it takes no path that is not UTF-8
        pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist([row]), file)
    return path


FORMATS: dict[str, Any] = test_planted.FORMATS | {"Parquet": parquet}


@pytest.fixture
def odd(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a format, in a folder whose name is not UTF-8."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / os.fsdecode(b"in-\xff\xc2\x9b31m")
    folder.mkdir()
    (tmp_path / "out").mkdir()
    path: Path = FORMATS[request.param](folder, Planter())
    return path / "fix-dates__a" if request.param == "Harbor" else path


def check(words: tuple[str | Path, ...], text: str) -> None:
    about, form = (
        " ".join(map(ascii, words)),
        words[words.index("--to") + 1] if "--to" in words else "",
    )
    text.encode()
    if "--junit" in words:
        ElementTree.fromstring(text)
    if (
        form in LINES
        or words[0] == "events"
        or ("--json" in words and words[0] in ("grep", "tail"))
    ):
        for line in filter(None, text.splitlines()):
            msgspec.json.decode(line)
    elif "--json" in words or form == "atif":
        msgspec.json.decode(text)
    else:
        found = UNSHOWN.search(text)
        assert not found, (about, text[max(0, found.start() - 50) :][:99])


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("odd", FORMATS, indirect=True)
def test_each_output_is_well_formed(odd: Path, tmp_path: Path) -> None:
    for words in commands(odd, tmp_path / "out"):
        _, out, err = said_by(*words)
        assert "bug in oh-tui" not in err, (words, err)
        if out:
            check(words, out)
        check(("said",), err)
    for path in (tmp_path / "out").iterdir():
        if path.is_file():
            check(("export", "--to", path.suffix[1:]), path.read_text("utf-8"))


@pytest.mark.parametrize("odd", FORMATS, indirect=True)
def test_each_answer_to_an_agent_is_well_formed(odd: Path) -> None:
    async def work(tools: Tools) -> None:
        runs = [row["id"] for row in await tools.rows("find_runs", "conversations")]
        if len(runs) == 1:
            runs = [""]  # an id that is a path cannot be said where that is not UTF-8
        for id in runs:
            await tools("why", run=id)
            for step in await tools.rows("steps", "steps", run=id):
                if "path" not in step:
                    await tools.pages("step", run=id, step=step["index"])
            await tools.any("changes", run=id)
            await tools.refused("why", run=f"{id}\ud800\x9b31m")
        await tools("search", words="said")
        assert not UNSHOWN.search("".join(tools.texts))
        for id in runs:
            await tools.any("context", run=id)
        assert "".join(tools.texts).encode()

    use(work, odd)


@given(HOSTILE)
def test_what_is_read_and_what_is_written_is_well_formed(text: str) -> None:
    whole = well_formed(text)
    assert whole.encode().decode() == whole == well_formed(whole)
    told = {text: [text]}
    for data in (
        json.dumps(told).encode(),
        json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ):
        assert decode_json(data) == {whole: [whole]}
    written = json.dumps(redact_json(told))
    msgspec.json.decode(written)

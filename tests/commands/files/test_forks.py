"""Forks in files: what an agent server keeps beside the events says what they were made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import schemas
from tests.processes import oh_tui
from tests.trajectory.branched import two, write_run
from tests.trajectory.context.made import said, user

ORIGIN, FORK = "a" * 32, "b" * 32


def dashed(id: str) -> str:
    return f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:]}"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run and its fork after the answer `a`, its step 2."""
    folder, events = tmp_path / "runs", two()
    whole = write_run(folder / ORIGIN, *events[:9])
    whole.joinpath("meta.json").write_text(json.dumps({"id": dashed(ORIGIN), "title": "Origin"}))
    taken = [one for one in events[:4] if one.kind != "ConversationStateUpdateEvent"]
    more = user("x", parent_id="a"), said("y", parent_id="x")
    meta = {
        "id": dashed(FORK),
        "title": "Fork",
        "forked_from_conversation_id": dashed(ORIGIN),
        "forked_from_event_id": "a",
    }
    write_run(folder / FORK, *taken, *more).joinpath("meta.json").write_text(json.dumps(meta))
    return folder


def listed(*words: str | Path) -> dict[str, dict[str, Any]]:
    done = oh_tui("conversations", *words, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    for one in document["conversations"]:
        schemas.check("conversation", one)
    return {one["title"]: one for one in document["conversations"]}


def test_a_list_names_what_a_fork_was_made_of_and_only_there(runs: Path) -> None:
    found = listed(runs)
    assert (found["Fork"]["forked_from"], found["Fork"]["forked_from_event"]) == (ORIGIN, "a")
    assert not {"forked_from", "forked_from_event"} & set(found["Origin"])


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        (["fork:any"], {"Fork"}),
        ([f"fork:{ORIGIN[:4]}"], {"Fork"}),
        ([f"fork:{dashed(ORIGIN).upper()}"], {"Fork"}),
        (["fork:bbbb"], set()),
        (["-fork:any"], {"Origin"}),
        (["--sort", "fork"], {"Fork", "Origin"}),
    ],
)
def test_forks_are_found_and_sorted(runs: Path, words: list[str], titles: set[str]) -> None:
    assert set(listed(runs, *words)) == titles


def test_show_and_the_tables_have_it(runs: Path, tmp_path: Path) -> None:
    assert ORIGIN in oh_tui("show", runs / FORK).stdout
    out = tmp_path / "tables"
    assert oh_tui("export", runs, "--to", "jsonl", "-o", f"{out}/").returncode == 0
    rows = [
        json.loads(line) for file in out.glob("runs*") for line in file.read_text().splitlines()
    ]
    assert {row["title"]: row["forked_from"] for row in rows} == {"Fork": ORIGIN, "Origin": ""}


@pytest.mark.parametrize("names", [(ORIGIN, FORK), (FORK, ORIGIN)])
def test_a_comparison_says_where_the_fork_was_made(runs: Path, names: tuple[str, str]) -> None:
    places = [runs / name for name in names]
    done = oh_tui("compare", *places, "--json")
    document = json.loads(done.stdout)
    schemas.check("compare", document)
    origin = "ab"[names.index(ORIGIN)]
    assert document["fork"] == {"of": origin, "step": 2}
    fork = "BA"[names.index(ORIGIN)]
    assert f"{fork} is a fork of {origin.upper()} at step 2; " in oh_tui("compare", *places).stdout


def test_hostile_words_in_it_stay_words(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two()[:9])
    meta: dict[str, object] = {
        "id": "1" * 32,
        "title": "t",
        "forked_from_conversation_id": "\x1b[31m\n[b]x",
        "forked_from_event_id": "\x1b]0;x\x07" * 1000,
    }
    run.joinpath("meta.json").write_text(json.dumps(meta))
    places: list[list[str | Path]] = [
        ["conversations", run],
        ["show", run],
        ["show", run, "--json"],
    ]
    for words in places:
        assert "\x1b" not in oh_tui(*words).stdout
    meta |= {"forked_from_conversation_id": 7, "forked_from_event_id": ["a"]}
    run.joinpath("meta.json").write_text(json.dumps(meta))
    assert "forked_from" not in listed(run)["t"]


def test_sums_group_runs_by_what_they_were_forked_from(runs: Path) -> None:
    done = oh_tui("stats", runs, "--by", "fork", "--json")
    groups = json.loads(done.stdout)["groups"]
    assert [(one["names"], one["runs"]) for one in groups] == [
        ({"fork": ""}, 1), ({"fork": ORIGIN}, 1),
    ]  # fmt: skip
    assert "none known" in oh_tui("stats", runs, "--by", "fork").stdout

"""Bookmarks, notes and tags: their file, its bounds, and that a faulty one does no harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oh_tui.catalog import user_annotations
from oh_tui.catalog.user_annotations import (
    NOTHING,
    Annotations,
    RunAnnotations,
    run_name,
)
from oh_tui.conversation import Conversation
from oh_tui.settings import paths
from oh_tui.settings.private_store import aside
from oh_tui.settings.startup import read_settings
from oh_tui.text.problem import Problem

RUN, OTHER = Conversation(id="5f3a" * 8), Conversation(id="77e1" * 8)

WHOLE = RunAnnotations(
    {"bug": "", "kind": "flaky"}, "look again", ("e1", "e2"), {"e2": "here"}, 5.0
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "oh-tui" / "annotations.json"


def filled(file: Path | None = None) -> Annotations:
    kept = Annotations(file)
    kept.tag(RUN, {"bug": "", "kind": "flaky", "old": None})
    kept.write_note(RUN, "  look again\n")
    kept.bookmark(RUN, "e1", on=True)
    kept.bookmark(RUN, "e2", on=True)
    kept.write_note(RUN, "here", "e2")
    kept.set_budget(RUN, 5.0)
    return kept


def test_what_was_kept_is_there_in_the_next_session(file: Path) -> None:
    assert filled(file).save()
    again = Annotations(file)
    assert again.of(RUN) == WHOLE
    assert again.of(Conversation(id="5F3A5F3A-5f3a-5f3a-5f3a-5f3a5f3a5f3a")) == WHOLE
    assert again.of(OTHER) == NOTHING


def test_what_another_program_wrote_since_is_not_restored_away(file: Path) -> None:
    kept = filled(file)
    before = kept.of(RUN)
    kept.tag(RUN, {"later": "", "kind": "slow"})
    kept.save()
    other = Annotations(file)
    other.write_note(RUN, "theirs")
    other.write_note(RUN, "theirs too", "e2")
    other.tag(RUN, {"bug": None})
    other.bookmark(RUN, "e1", on=False)
    other.save()
    kept.restore(RUN, before)
    assert kept.save()
    told = Annotations(file).of(RUN)
    assert told == RunAnnotations({"kind": "flaky"}, "theirs", ("e2",), {"e2": "theirs too"}, 5.0)


def test_what_is_taken_off_is_gone_and_a_run_with_nothing_left_too(file: Path) -> None:
    kept = filled(file)
    kept.save()
    kept.bookmark(RUN, "e1", on=False)
    kept.write_note(RUN, "", "e2")
    kept.set_budget(RUN, None)
    assert kept.of(RUN) == RunAnnotations(WHOLE.tags, WHOLE.note, ("e2",))
    kept.bookmark(RUN, "e2", on=False)
    kept.write_note(RUN, " \n ")
    kept.tag(RUN, {"bug": None, "kind": None})
    assert kept.of(RUN) == NOTHING and not kept.runs
    kept.save()
    assert json.loads(file.read_text()) == {"version": 1, "runs": {}}


def test_nothing_is_written_where_nothing_changed(file: Path) -> None:
    kept = Annotations(file)
    kept.bookmark(RUN, "e1", on=False)
    kept.tag(RUN, {})
    assert kept.save() and not file.parent.exists()


def test_without_a_file_it_lasts_for_the_session(tmp_path: Path) -> None:
    kept = filled()
    assert kept.of(RUN) == WHOLE and not kept.lasts
    assert kept.take_changes() == [] and kept.save()


def test_a_run_without_an_id_of_its_own_is_known_by_its_place(file: Path, tmp_path: Path) -> None:
    def row(path: str, name: str = "") -> Conversation:
        return Conversation(id=name or path, place=f"{path}#{name}" if name else path)

    kept = Annotations(file)
    kept.write_note(row("/runs/a.zip"), "mine")
    kept.write_note(row("/runs/gpt.jsonl", "django-1"), "of one model")
    assert kept.of(row("/runs/a.zip")).note == "mine"
    assert kept.of(row("/runs/gpt.jsonl", "django-1")).note == "of one model"
    assert kept.of(row("/runs/claude.jsonl", "django-1")) == NOTHING
    assert run_name(Conversation(id=RUN.id, place="/runs/b.zip")) == RUN.id


GOOD = {"version": 1, "runs": {RUN.id: {"note": "mine", "bookmarks": ["e1"]}}}


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(GOOD | {"version": 2}).encode(),
        json.dumps({"runs": {}}).encode(),
        json.dumps({"version": 1, "runs": 7}).encode(),
        b" " * (user_annotations.LARGEST + 1),
    ],
)
def test_a_broken_or_newer_file_is_put_aside(file: Path, broken: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(json.dumps(GOOD).encode())
    assert Annotations(file).of(RUN).note == "mine"
    file.write_bytes(broken)
    kept = Annotations(file)
    assert not kept.runs
    kept.tag(RUN, {"bug": ""})
    assert kept.save()
    assert Annotations(file).of(RUN) == RunAnnotations({"bug": ""})
    assert aside(file).read_bytes() == broken, "what the user wrote is not thrown away"


@pytest.mark.parametrize(
    "odd",
    [
        '{"note": null}',
        '{"tags": []}',
        '{"bookmarks": "e1"}',
        '{"budget": "5"}',
        "[]",
        "null",
        "7",
        '"x"',
    ],
)
def test_one_odd_entry_is_left_out_and_the_others_stay(file: Path, odd: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(
        f'{{"version": 1, "runs": {{"{OTHER.id}": {odd}, "{RUN.id}": {{"note": "a"}}}}}}'
    )
    assert dict(Annotations(file).runs) == {RUN.id: RunAnnotations(note="a")}


def test_texts_of_an_edited_file_are_made_harmless(file: Path) -> None:
    file.parent.mkdir(parents=True)
    odd = {
        "tags": {"Bug\x1b[2J": "", "kind": "a\nb\x1b]0;x\x07", "x" * 99: "", "big": "y" * 9_999},
        "note": "one\x1b[31m\r\ntwo" + "z" * 9_999,
        "bookmarks": ["e1", "e1", "", "w" * 999],
        "step_notes": {"": "none", "e1": "\u202eback"},
        "budget": -5,
    }
    file.write_text(json.dumps({"version": 1, "runs": {RUN.id: odd}}))
    read = Annotations(file).of(RUN)
    assert read.tags == {"kind": "a b", "big": "y" * 256}
    assert read.note.startswith("one\ntwo") and len(read.note) == user_annotations.LONGEST_NOTE
    assert (read.bookmarks, read.step_notes) == (("e1",), {"e1": "back"})
    assert read.budget is None


def test_two_programs_keep_what_the_other_kept_of_the_same_run(file: Path) -> None:
    one, other = Annotations(file), Annotations(file)
    one.bookmark(RUN, "e1", on=True)
    one.tag(RUN, {"bug": ""})
    other.bookmark(RUN, "e2", on=True)
    other.tag(RUN, {"bug": "bad"})
    one.save()
    other.save()
    assert Annotations(file).of(RUN) == RunAnnotations({"bug": "bad"}, "", ("e1", "e2"))
    one.write_note(RUN, "unsaved")
    one.read_again()
    assert one.of(RUN) == RunAnnotations({"bug": "bad"}, "unsaved", ("e1", "e2"))


def test_nothing_is_kept_beyond_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = filled()
    with pytest.raises(Problem, match="at most 4,000 characters, and this one 4,001"):
        kept.write_note(RUN, "x" * 4_001)
    with pytest.raises(Problem, match="at most 50 tags"):
        kept.tag(RUN, {f"t{n}": "" for n in range(50)})
    for identifier in ("", "x" * 999):
        with pytest.raises(Problem, match="no id"):
            kept.bookmark(RUN, identifier, on=True)
    monkeypatch.setattr(user_annotations, "MOST_STEPS", 2)
    with pytest.raises(Problem, match="at most 2 bookmarks"):
        kept.bookmark(RUN, "e3", on=True)
    kept.write_note(RUN, "b", "e1")
    with pytest.raises(Problem, match="at most 2 notes on steps"):
        kept.write_note(RUN, "c", "e3")
    kept.write_note(RUN, "", "e1")
    monkeypatch.setattr(user_annotations, "MOST_RUNS", 1)
    with pytest.raises(Problem, match="no more are kept"):
        kept.write_note(OTHER, "one too many")
    monkeypatch.setattr(user_annotations, "LARGEST", 1_000)
    with pytest.raises(Problem, match="together are too long"):
        kept.write_note(RUN, "x" * 2_000)
    assert kept.of(RUN) == WHOLE and kept.of(OTHER) == NOTHING, "nothing of it was taken"


def test_no_state_names_no_file(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    for local in (False, True):
        settings = read_settings(home, local=local)
        assert settings.annotations_file == paths.state_file(home, "annotations")
        assert read_settings(home, local=local, no_state=True).annotations_file is None

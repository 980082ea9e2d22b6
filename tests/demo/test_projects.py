"""One story for each repository: its files in the runs, in the shell, and in git."""

from __future__ import annotations

import re
import tomllib
from itertools import groupby
from typing import Any

import pytest

from oh_tui.demo import Demo
from oh_tui.demo.catalog import BOXES, ENTRIES, SETS, Entry
from oh_tui.demo.runs.player import PROJECTS, load_scenario
from oh_tui.demo.runs.run import Run
from oh_tui.demo.servers.disks import Disk, Disks, git_changes
from oh_tui.demo.shell import Files, run_command
from oh_tui.demo.state import write_run
from tests.demo.wire import agent, at_rest, connect, talk

CLONED = tomllib.loads(PROJECTS.read_text("utf-8"))
UP = {box.slug for box in BOXES}
SHOWN = [entry for entry in SETS["showcase"] if entry.repo]


def ran(entry: Entry) -> Run:
    return write_run(entry, 1_773_071_370.0 - entry.age)[2]


def repositories() -> list[tuple[str, list[Entry]]]:
    """The entries of each repository, the oldest first."""
    by_repo = sorted(SHOWN, key=lambda entry: (str(entry.repo), -entry.age))
    return [(str(repo), list(some)) for repo, some in groupby(by_repo, lambda each: each.repo)]


def steps(slug: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = load_scenario(f"showcase/{slug}").get("step", [])
    return [call for step in steps for call in step.get("call", [step])]


def disk_of(demo: Demo, slug: str) -> Disk:
    return Disks(demo.world).of(demo.world.sandboxes[slug])


def test_each_repository_with_a_sandbox_has_a_project() -> None:
    assert CLONED.keys() == {entry.repo for entry in SHOWN if entry.sandbox in UP}


@pytest.mark.parametrize(
    ("repo", "entries"), repositories(), ids=[one[0] for one in repositories()]
)
def test_a_run_finds_what_was_cloned_or_what_an_earlier_run_left(
    repo: str, entries: list[Entry]
) -> None:
    known: dict[str, set[str]] = {}
    for entry in entries:
        run = ran(entry)
        assert run.root == f"/workspace/{repo.partition('/')[2]}"
        for path, text in run.original.items():
            assert text in known.get(path, {text}), f"{entry.slug} finds another {path}"
            known.setdefault(path, set()).add(text)
        for _, path, content in run.written:
            known.setdefault(path, set()).add(content or "")


@pytest.mark.parametrize(
    ("slug", "number", "command", "out"),
    [
        (entry.slug, number, step["shell"], step["out"])
        for entry in SHOWN
        if entry.repo in CLONED and not entry.slug.startswith(("coverage", "fuzzing"))
        for number, step in enumerate(steps(entry.slug))
        if step.get("shell", "").startswith("ls ")
    ],
)
def test_what_ls_says_in_a_run_is_what_is_there(
    slug: str, number: int, command: str, out: str
) -> None:
    run = ran(next(entry for entry in ENTRIES if entry.slug == slug))
    files = Files(lambda: 0.0)
    for path, text in run.original.items():
        files[f"{run.root}/{path}"] = text.encode()
    files[f"{run.root}/.git/HEAD"] = b""
    # a terminal puts several names on a line
    listing = re.split(r" && wc| \| ", command)[0]
    said = run_command(listing, files, run.root).stdout.decode().split()
    assert said
    assert said == out.split()[: len(said)]


def test_the_shell_of_a_live_run_has_what_its_agent_has_written_so_far() -> None:
    demo = at_rest()
    box = demo.world.sandboxes["storefront-ci"]
    disks = Disks(demo.world)
    voucher = "/workspace/storefront/src/voucher.ts"
    before = disks.of(box).files[voucher]
    assert b"Math.round(" in before
    assert git_changes("/workspace/storefront", disks.of(box).cloned, disks.of(box).files) == []
    disks.of(box).files["/workspace/storefront/mine.txt"] = b"mine\n"
    demo.advance(2_000)
    disk = disks.of(box)
    assert b"Math.floor(" in disk.files[voucher]
    assert git_changes("/workspace/storefront", disk.cloned, disk.files) == [
        {"status": "ADDED", "path": "mine.txt"},
        {"status": "UPDATED", "path": "src/voucher.ts"},
        {"status": "ADDED", "path": "test/voucher.test.ts"},
    ]


def test_git_lists_what_moved_and_not_what_it_ignores() -> None:
    demo = at_rest()
    books, dates = disk_of(demo, "books"), disk_of(demo, "dates")
    listed = git_changes("/workspace/books", books.cloned, books.files)
    assert {"status": "ADDED", "path": "books/ledger.py"} in listed
    assert "/workspace/dates/tests/test_weeks_prop.py" in dates.files
    names = {one["path"] for one in git_changes("/workspace/dates", dates.cloned, dates.files)}
    assert "uv.lock" in names
    assert "tests/test_weeks_prop.py" not in names
    intranet = disk_of(demo, "intranet")
    removed = git_changes("/workspace/intranet", intranet.cloned, intranet.files)
    assert {"status": "DELETED", "path": "intranet/settings.py"} in removed


async def test_what_an_agent_wrote_stays_new_to_git_when_its_run_is_forked() -> None:
    async with connect(at_rest()) as client:
        run, headers = await agent(client, "week-dates")
        changes = f"{run.partition('/api/')[0]}/api/git/changes"
        about = {"path": "/workspace/dates"}
        before = (await client.get(changes, params=about, headers=headers)).json()
        assert {"status": "ADDED", "path": "tests/test_weeks.py"} in before
        assert (await client.post(f"{run}/fork", json={}, headers=headers)).status_code == 201
        assert (await client.get(changes, params=about, headers=headers)).json() == before


def test_conversations_of_one_sandbox_work_in_the_same_folder() -> None:
    demo = at_rest()
    for first, second in (("docker-cache", "docker-followup"), ("pydantic", "pydantic-notes")):
        assert demo.world.root(talk(demo, first)) == demo.world.root(talk(demo, second))


def test_dates_of_files_are_those_of_their_edits() -> None:
    demo = at_rest()
    disk = disk_of(demo, "dates")
    parse = disk.files.changed("/workspace/dates/src/dates/parse.py")
    licence = disk.files.changed("/workspace/dates/LICENSE")
    assert licence == talk(demo, "week-dates").created
    assert parse > licence + 600
    shop = disk_of(demo, "shop")
    cloned = shop.files.changed("/workspace/shop/requirements.txt")
    assert cloned == talk(demo, "docker-cache").created
    assert shop.files.changed("/workspace/shop/Dockerfile") > cloned


def test_the_notes_count_what_the_other_conversation_has_there() -> None:
    run = ran(next(entry for entry in ENTRIES if entry.slug == "pydantic"))
    lines = [
        line
        for path, text in run.original.items()
        if path.startswith("app/") and path.endswith(".py")
        for line in text.splitlines()
        if "pydantic" in line
    ]
    said = next(one["out"] for one in steps("pydantic-notes") if "shell" in one)
    assert said == f"{len(lines)}\n"

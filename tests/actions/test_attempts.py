"""Attempts on the demo's servers, over the true client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.actions import attempts
from oh_tui.actions.attempt_rows import (
    MOST,
    Attempt,
    Row,
    Verified,
    attempt_of,
    groups_of,
    lost_words,
)
from oh_tui.actions.attempt_scripts import Change, FileChange, leading_into
from oh_tui.actions.attempts import Attempts, Wanted
from oh_tui.api.app_server import AppServer
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.requests import StartRequest
from oh_tui.conversation import Conversation
from oh_tui.demo import BASE_URL, Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem, Refused
from tests.api.servers import AT_ONCE
from tests.demo.wire import NOW
from tests.tui.explorer import Between

FOLDER = "/workspace/dates"


def of(source: Source) -> Attempts:
    assert source.agents and source.records and source.workspaces
    return Attempts(source.agents, source.records, source.workspaces)


def wanted(text: str = "Fix the dates", *, times: int = 3, **more: object) -> Wanted:
    request = StartRequest(message=text, folder=FOLDER)
    return Wanted(request, times, str(more.pop("verify", "true")), **more)  # type: ignore[arg-type]


@pytest.fixture
def demo() -> Demo:
    demo = Demo(NOW)  # its clock stands still
    demo.world.agent_version = AgentVersion.NEW
    return demo


@pytest.fixture
def between() -> Between:
    return Between()


@pytest.fixture
async def many(demo: Demo, between: Between) -> AsyncIterator[Attempts]:
    app = between(make_alone(demo.world))
    async with BareAgentServer(BASE_URL, app=app, retries=AT_ONCE) as api:
        yield of(AgentServerSource(api, "test"))


async def begun(many: Attempts, want: Wanted) -> list[Attempt]:
    plan = await many.plan(want)
    return [one async for one in many.start(plan) if isinstance(one, Attempt)]


async def put(many: Attempts, attempt: Attempt, path: str, text: str) -> None:
    done = await many._run(attempt, f"printf '{text}' > {path}", 10)
    assert not done.exit_code, done


async def test_each_attempt_has_its_own_place_and_is_told(many: Attempts, between: Between) -> None:
    made = await begun(many, wanted())
    assert [one.number for one in made] == [1, 2, 3] and len({one.group for one in made}) == 1
    assert len({one.conversation.folder for one in made}) == 3
    assert all(one.conversation.worktree and one.folder == FOLDER for one in made)
    assert all(one.conversation.title == f"Fix the dates #{one.number}" for one in made)
    posts = [one for one in between.asked if one.endswith("/events")]
    last_start = max(n for n, one in enumerate(between.asked) if one == "POST /api/conversations")
    assert len(posts) == 3 and between.asked.index(posts[0]) > last_start, "places come first"
    calls = len(between.asked)
    rows = await many.rows(made)
    assert not any(one.startswith(("PATCH", "DELETE")) for one in between.asked[calls:])
    assert len(between.asked) - calls <= 15, "a few calls for each"
    assert [one.verify_words for one in rows] == ["not run"] * 3
    assert not any(one.ground_has_changed for one in rows)


async def test_equal_changes_are_named_and_verifies_count_for_their_files(many: Attempts) -> None:
    made = await begun(many, wanted(verify="cat new.txt"))
    for one, text in zip(made, ("a", "b", "a"), strict=True):
        await put(many, one, "new.txt", text)
        await put(many, one, "tests/test_new.py", text)
    rows = await many.rows(made)
    assert [one.same_as for one in rows] == [None, None, 1]
    assert {"new.txt", "tests/test_new.py"} <= set(
        rows[0].change.uncommitted if rows[0].change else ()
    )
    verified = await many.verify(rows[0])
    assert (verified.passes, verified.verify_words) == (True, "OK")
    assert verified.verified and verified.verified.output == "a"
    kept = await many.rows([one for one in [attempt_of(await now(many, made[0]))] if one])
    assert kept[0].verify_words == "OK"
    await put(many, made[0], "new.txt", "changed")
    kept = await many.rows([kept[0].attempt])
    assert (kept[0].passes, kept[0].verify_words) == (None, "not run since its last change")


async def now(many: Attempts, attempt: Attempt) -> Conversation:
    (found,) = await many._agents.api.get_conversations([attempt.conversation.id])
    assert found is not None
    return found


async def test_one_is_accepted_as_it_was_shown(many: Attempts, tmp_path: Path) -> None:
    (one,) = await begun(many, wanted(times=1))
    await put(many, one, "new.txt", "a")
    (shown,) = await many.rows([one])
    assert "lost with it: new.txt" in lost_words(shown)
    await put(many, one, "new.txt", "b")
    with pytest.raises(Refused, match="Nothing was committed: it has changed since it was shown"):
        await many.accept(shown, "Ada", "ada@x.org")
    with pytest.raises(Refused, match="There is no patch: it has changed"):
        await many.patch(shown, tmp_path / "a.patch")
    assert not [*tmp_path.iterdir()]
    (shown,) = await many.rows([one])
    assert await many.patch(shown, tmp_path / "a.patch") == (tmp_path / "a.patch").stat().st_size
    assert b"+b" in (tmp_path / "a.patch").read_bytes()
    with pytest.raises(Problem, match="is there already"):
        await many.patch(shown, tmp_path / "a.patch")
    commit = await many.accept(shown, "Ada", "ada@x.org")
    (after,) = await many.rows([one])
    assert after.change and after.change.head == commit and not after.change.uncommitted
    assert lost_words(after) == "All that it changed is committed, but for what git ignores"
    await many.drop(one)
    with pytest.raises(Refused, match="no longer has this conversation"):
        await many.look(one)
    (gone,) = await many.rows([one])
    assert gone.change is None and "is not known" in lost_words(gone)


@pytest.mark.parametrize(
    ("want", "why"),
    [
        (wanted(f"Fix {FOLDER}/src/a.py, please"), f"The task names {FOLDER}/src/a.py,? ?.*leads"),
        (wanted(verify=f"cd {FOLDER} && true"), "The command that verifies names"),
        (wanted(prepare=f"cp x {FOLDER}/"), "The command that prepares names"),
        (wanted(times=MOST + 1), "That makes 13 attempts"),
        (wanted(times=7, profiles=("default", "careful")), "That makes 14 attempts"),
        (wanted(verify=""), "The command that verifies has one line"),
        (wanted(verify="a\nb"), "The command that verifies has one line"),
        (wanted("  "), "There is no task"),
        (Wanted(StartRequest(message="x", folder="/workspace/none"), 2, "true"), "No worktree"),
    ],
)
async def test_what_cannot_be_apart_is_refused_before_anything_is_made(
    many: Attempts, between: Between, want: Wanted, why: str
) -> None:
    with pytest.raises(Problem, match=why):
        await many.plan(want)
    assert not between.count("POST /api/conversations")


async def test_a_server_without_worktrees_from_the_head_is_refused(
    many: Attempts, demo: Demo
) -> None:
    demo.world.agent_version = AgentVersion.CANVAS
    with pytest.raises(Problem, match="starts no worktree from"):
        await many.plan(wanted())


async def test_no_agent_begins_where_a_place_is_not_its_own(
    many: Attempts,
) -> None:
    plan = await many.plan(wanted())
    made = Conversation("1", folder=FOLDER)
    with pytest.raises(Refused, match="Attempt 1 works in /workspace/dates, which is not its own"):
        attempts._require_own(made, plan, [])
    own = f"/x/conversation-worktrees/{'0' * 8}-0000-0000-0000-{'0' * 12}/dates"
    attempts._require_own(Conversation("1", folder=own), plan, [])
    with pytest.raises(Refused, match="Attempt 2 works in"):
        attempts._require_own(
            Conversation("2", folder=own), plan, [Attempt(Conversation("1", folder=own), "g", 1)]
        )


async def test_a_preparation_that_fails_lets_no_agent_begin(
    many: Attempts, between: Between
) -> None:
    with pytest.raises(
        Refused, match="Attempt 1 could not be prepared, so no agent began: sh: 1: no"
    ):
        await begun(many, wanted(prepare="nosuchtool"))
    assert not [one for one in between.asked if one.endswith("/events")]


async def test_the_profiles_have_as_many_attempts_each(many: Attempts) -> None:
    want = wanted(times=2, profiles=("default", "careful"))
    assert want.each == ("default", "default", "careful", "careful")
    assert len(await begun(many, want)) == 4


async def test_an_app_server_gives_each_a_sandbox_of_its_own() -> None:
    demo = Demo()
    demo.rate_limited = False
    async with AppServer(BASE_URL, app=demo.app, retries=AT_ONCE) as api:
        many = of(ServerSource(api, "test"))
        with pytest.raises(Problem, match="there is no repository"):
            await many.plan(Wanted(StartRequest(message="Fix it"), 2, "true"))
        request = StartRequest(message="Fix it", selected_repository="acme/dates")
        made = await begun(many, Wanted(request, 2, "true"))
        assert len({one.conversation.sandbox_id for one in made}) == 2
        assert all(one.base and not one.folder for one in made)
        rows = await many.rows(made)
        assert [one.why for one in rows] == ["", ""] and all(one.change for one in rows)


def tagged(number: int, group: str = "g", **more: object) -> Conversation:
    tags = {"group": group, "attempt": str(number), "verify": "true", "attemptbase": "a b /c d"}
    return Conversation(f"{group}{number}", tags=tags, **more)  # type: ignore[arg-type]


def test_attempts_are_known_by_their_tags() -> None:
    one = attempt_of(tagged(2))
    assert one and (one.number, one.base, one.ground, one.folder) == (2, "a", "b", "/c d")
    for none in (
        Conversation("1"),
        tagged(0),
        tagged(MOST + 1),
        Conversation("1", tags={"group": "g", "attempt": "first"}),
        tagged(1, forked_from_conversation_id="x"),
        tagged(1, parent_conversation_id="x"),
    ):
        assert attempt_of(none) is None
    some = [tagged(2, "old", created_at="2026-01-01"), tagged(1, "new", created_at="2026-02-01")]
    found = groups_of([*some, tagged(1, "old", created_at="2026-01-02")])
    assert [*found] == ["new", "old"] and [one.number for one in found["old"]] == [1, 2]


def test_what_tags_say_of_a_verify_is_read_with_care() -> None:
    def read(text: str) -> Verified | None:
        one = attempt_of(Conversation("1", tags=dict(tagged(1).tags or {}, attemptverified=text)))
        return one.verified if one else None

    assert read("0 abc") == Verified(0, "abc")
    assert [read(text) for text in ("", "0", "x abc", "OK")] == [None] * 4
    row = Row(attempt_of(tagged(1)) or pytest.fail(), verified=Verified(0, "abc"))
    assert row.passes is None, "its files are not known"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /srv/repo.", "/srv/repo."),
        ("see `/srv/repo/src/a.py`", "/srv/repo/src/a.py"),
        ("see (/srv/x/../repo/a)", "/srv/x/../repo/a"),
        ("see //srv/repo", "//srv/repo"),
        ("cd ~/repo/src", "~/repo/src"),
        ('PATH="/srv/repo/bin:$PATH"', "/srv/repo/bin"),
        ("in file:///srv/repo/a", "///srv/repo/a"),
        ("at /srv/repo/a.py:12: x", "/srv/repo/a.py"),
        ("PATH=/bin:/srv/repo", "/srv/repo"),
        ("see /srv/repository/a and src/srv/repo, ./srv/repo", ""),
        ("https://example.org/srv/repo is its page", ""),
        ("/srv and ~ are above it", ""),
    ],
)
def test_paths_into_the_folder_are_found_in_a_text(text: str, found: str) -> None:
    assert leading_into(text, {"/srv/repo", "relative"}, "/srv") == found


def test_lost_work_is_named_and_counted() -> None:
    files = tuple(f"a{n}.py" for n in range(9))
    own = f"/x/conversation-worktrees/{'0' * 8}-0000-0000-0000-{'0' * 12}/dates"
    attempt, boxed = attempt_of(tagged(1, folder=own)), attempt_of(tagged(1))
    assert attempt and boxed
    change = Change("t", "w", files=tuple(FileChange(one, "M") for one in files), uncommitted=files)
    assert lost_words(Row(attempt, change)).endswith("a0.py, a1.py, a2.py and 6 more")
    assert lost_words(Row(boxed, change)).startswith("Its sandbox may go with it")
    working = replace(boxed.conversation, execution_status="running")
    at_work = Row(replace(boxed, conversation=working), change)
    assert lost_words(at_work).startswith("Its agent is at work. Its sandbox")

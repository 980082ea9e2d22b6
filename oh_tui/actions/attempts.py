"""Attempts: one task started several times, each in a place of its own, and what became of each.

What they are is kept as tags of their conversations. Facts without another source are measured on
agent server 1.58.2.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import posixpath
import secrets
from collections.abc import AsyncGenerator, Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from oh_tui.actions import worktrees
from oh_tui.actions.agent_actions import Agents, present
from oh_tui.actions.attempt_scripts import (
    ACCEPT,
    GROUND,
    LOOK,
    PATCH,
    VERIFY,
    Change,
    filled,
    read_change,
)
from oh_tui.actions.conversation_records import Records
from oh_tui.actions.starting import stage_of
from oh_tui.actions.workspace import Workspaces
from oh_tui.api.bare_server import FOLDER, BareAgentServer
from oh_tui.api.models import CommandResult, StartTask
from oh_tui.api.requests import StartRequest
from oh_tui.catalog.tags import (
    ATTEMPT,
    ATTEMPT_BASE,
    ATTEMPT_VERIFIED,
    GROUP,
    LONGEST_VALUE,
    VERIFY_BY,
)
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import part_file_aside, publish_as, taken
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line

MOST = 12
"""Attempts of one group."""

GIT_TAKES, COMMAND_TAKES = 120, 1800
"""Seconds that git, and a command of the user, may take."""

_PATH = pattern(r"(?:(?<![\w.~:/-])|(?<=:)(?!//[^/]))~?/[^\s\"'`<>|;:&,(){}\[\]]{1,4096}")


class Attempt(msgspec.Struct, frozen=True):
    conversation: Conversation
    group: str
    number: int
    verify: str = ""
    """The command that tells whether it has done its task."""
    base: str = ""
    """The commit that it started from."""
    ground: str = ""
    """How the folder stood, of which it is a worktree; see `Change.ground`."""
    folder: str = ""
    """That folder."""

    @property
    def task(self) -> str:
        """The title of its conversation, as far as all attempts share it."""
        title = safe_line(self.conversation.title or "").removesuffix(f" #{self.number}")
        return title or f"Attempt {self.number}"

    @property
    def verified(self) -> Verified | None:
        """What its tags keep of the last time that it was verified."""
        code, _, tree = (self.conversation.tags or {}).get(ATTEMPT_VERIFIED, "").partition(" ")
        return Verified(int(code), tree) if code.lstrip("-").isdecimal() and tree else None


class Verified(msgspec.Struct, frozen=True):
    code: int
    tree: str
    """Of the files that were verified."""
    output: str = ""
    """The end of what the command printed, where it was run just now."""


class Row(msgspec.Struct, frozen=True):
    """An attempt in the table of its group."""

    attempt: Attempt
    change: Change | None = None
    why: str = ""
    """Why its change is not known."""
    same_as: int | None = None
    """The first attempt before it with a byte-equal change."""
    verified: Verified | None = None

    @property
    def passes(self) -> bool | None:
        """Whether the command held for its files as they are; None where that is not known."""
        told, now = self.verified, self.change
        return told.code == 0 if told and now and told.tree == now.tree else None

    @property
    def verify_words(self) -> str:
        if not self.attempt.verify:
            return "no command"
        if self.verified is None:
            return "not run"
        if self.passes is None:
            return "not run since its last change"
        return "OK" if self.passes else f"exit {self.verified.code}"

    @property
    def ground_has_changed(self) -> bool:
        """Whether the folder itself is not as it was: an attempt has left its worktree, or somebody
        works there."""
        now = self.change.ground if self.change else ""
        return bool(now and self.attempt.ground and now != self.attempt.ground)


class Wanted(msgspec.Struct, frozen=True):
    request: StartRequest
    times: int
    """With each profile."""
    verify: str
    prepare: str = ""
    """A command that runs in the place of each before its agent begins."""
    profiles: tuple[str, ...] = ()

    @property
    def each(self) -> tuple[str | None, ...]:
        """The profile of each attempt."""
        return tuple(one for one in self.profiles or (None,) for _ in range(self.times))


class Plan(msgspec.Struct, frozen=True):
    wanted: Wanted
    ground: worktrees.Ground | None = None
    """None for sandboxes of their own."""
    top: str = ""
    """The folder itself, of which there will be worktrees."""
    stands: str = ""
    """How it stands."""

    @property
    def words(self) -> str:
        if self.ground is None:
            return "Each works in a sandbox of its own"
        return f"Each works in a worktree of its own. {self.ground.words('head')}"


def attempt_of(conversation: Conversation) -> Attempt | None:
    """None for a conversation that is none; a fork has only the tags of one."""
    tags = conversation.tags or {}
    group, number = tags.get(GROUP, ""), tags.get(ATTEMPT, "")
    if not group or not number.isdecimal() or not 0 < int(number[:4]) <= MOST:
        return None
    if conversation.origin or conversation.parent_conversation_id:
        return None
    base, ground, folder = (*tags.get(ATTEMPT_BASE, "").split(" ", 2), "", "", "")[:3]
    return Attempt(conversation, group, int(number), tags.get(VERIFY_BY, ""), base, ground, folder)


def groups_of(conversations: Iterable[Conversation]) -> dict[str, list[Attempt]]:
    """Group -> its attempts by number; the group that began last first."""
    found: dict[str, list[Attempt]] = {}
    for one in filter(None, map(attempt_of, conversations)):
        found.setdefault(one.group, []).append(one)

    def began(group: str) -> str:
        return max(one.conversation.created_at or "" for one in found[group])

    ordered = sorted(found, key=began, reverse=True)
    return {group: sorted(found[group], key=lambda one: one.number) for group in ordered}


class Attempts:
    def __init__(self, agents: Agents, records: Records, workspaces: Workspaces) -> None:
        self._agents, self._records, self._workspaces = agents, records, workspaces

    # starting

    async def plan(self, wanted: Wanted) -> Plan:
        """Raises Problem where each attempt cannot have a place of its own. Starts nothing."""
        request, count = wanted.request, len(wanted.each)
        if not 0 < count <= MOST:
            raise Problem(f"That makes {count:,} attempts", f"{MOST} are the most")
        if not request.message.strip():
            raise Problem("There is no task", "write it in your own words")
        if not 0 < len(wanted.verify) <= LONGEST_VALUE or not wanted.verify.isprintable():
            what = f"The command that verifies has one line of 1 to {LONGEST_VALUE} characters"
            raise Problem(what, "put a longer one into a script of the repository")
        api = self._agents.api
        if not isinstance(api, BareAgentServer):
            if not request.selected_repository:
                raise Problem(
                    "Git tells what attempts change, and there is no repository", "name one"
                )
            return Plan(wanted)
        folder = request.folder or FOLDER
        ground = await worktrees.look(api, folder)
        ground.require("head")
        told = await api.sandbox.run_command(filled(GROUND), cwd=folder, timeout=GIT_TAKES)
        try:
            top, head, real, home, stands = _out(told).split("\n")
        except ValueError:
            raise _not_told(told) from None
        if ground.commit is None or ground.commit.sha != head:
            raise Refused("The folder has another commit by now", Remedy.REFRESH)
        for what, text in (
            ("task", request.message),
            ("command that verifies", wanted.verify),
            ("command that prepares", wanted.prepare),
        ):
            if path := leading_into(text, {top, real, posixpath.normpath(folder)}, home):
                raise Problem(
                    f"The {what} names {safe_line(path, 80)}, which leads each attempt out of its "
                    "worktree into the folder itself",
                    "write paths relative to the repository",
                )
        return Plan(wanted, ground, top, stands)

    async def start(self, plan: Plan) -> AsyncGenerator[str | Attempt, None]:
        """Makes the place of every attempt, then lets their agents begin. Yields what it does, in
        words, and each attempt whose agent has begun.

        Raises Refused before any agent begins where a place is not the attempt's own; the
        conversations made until then are left, with nothing to do.
        """
        wanted, group = plan.wanted, secrets.token_hex(4)
        made: list[Attempt] = []
        title = wanted.request.title or safe_line(wanted.request.message.strip().split("\n")[0], 80)
        for number, profile in enumerate(wanted.each, 1):
            async for step in self._agents.start(
                replace(
                    wanted.request,
                    message="",
                    title=f"{title} #{number}",
                    profile=profile,
                    worktree="head" if plan.ground else None,
                )
            ):
                if isinstance(step, StartTask):
                    yield f"attempt {number}: {stage_of(step.status)}"
                    continue
                self._require_own(step, plan, made)
                one = Attempt(
                    step, group, number, wanted.verify, ground=plan.stands, folder=plan.top
                )
                made.append(one)
                if wanted.prepare:
                    yield f"attempt {number}: preparing"
                made[-1] = await self._prepared(one, wanted.prepare)
        if plan.top:
            api = self._agents.api
            assert isinstance(api, BareAgentServer)
            now = await api.sandbox.run_command(filled(GROUND), cwd=plan.top, timeout=GIT_TAKES)
            if not _out(now).endswith(f"\n{plan.stands}"):
                raise Refused(
                    "The folder itself has changed while the attempts were made, so no agent began",
                    "see what --prepare does there, or leave the folder alone meanwhile",
                )
        for one in made:
            await self._agents.api.send_message(one.conversation.id, wanted.request.message)
            yield one

    def _require_own(self, made: Conversation, plan: Plan, before: Sequence[Attempt]) -> None:
        place = made.folder if plan.ground else made.sandbox_id
        others = {
            one.conversation.folder if plan.ground else one.conversation.sandbox_id
            for one in before
        }
        if place and place not in others and (plan.ground is None or made.worktree):
            return
        raise Refused(
            f"Attempt {len(before) + 1} works in {safe_line(place or 'an unknown place', 120)}, "
            "which is not its own, so no agent began",
            "the conversations that were made wait without a task",
        )

    async def _prepared(self, attempt: Attempt, prepare: str) -> Attempt:
        """The attempt with its tags, after the command that prepares it."""
        told = await self._run(attempt, "git rev-parse HEAD", GIT_TAKES)
        base = _out(told)
        if prepare:
            done = await self._run(attempt, prepare, COMMAND_TAKES)
            if done.exit_code:
                raise Refused(
                    f"Attempt {attempt.number} could not be prepared, so no agent began: "
                    f"{_last(done) or f'exit code {done.exit_code}'}",
                    "the conversations that were made wait without a task",
                )
        kept = " ".join(filter(None, (base, attempt.ground, attempt.folder)))
        if len(kept) > LONGEST_VALUE:
            kept = base  # the folder is not looked at later then
        tags = {
            GROUP: attempt.group, ATTEMPT: str(attempt.number), VERIFY_BY: attempt.verify,
            ATTEMPT_BASE: kept,
        }  # fmt: skip
        held = await self._records.tag(attempt.conversation, tags)
        found = attempt_of(replace(attempt.conversation, tags=dict(held)))
        assert found is not None
        return found

    # what became of them

    async def rows(self, attempts: Sequence[Attempt]) -> list[Row]:
        """The table, in a few calls for each attempt. Changes nothing."""
        rows: list[Row] = []
        for one, told in zip(
            attempts,
            await asyncio.gather(*map(self.look, attempts), return_exceptions=True),
            strict=True,
        ):
            if isinstance(told, Problem):
                rows.append(Row(one, why=told.sentence, verified=one.verified))
            elif isinstance(told, BaseException):
                raise told
            else:
                rows.append(Row(one, told, same_as=_same(told, rows), verified=one.verified))
        return rows

    async def look(self, attempt: Attempt) -> Change:
        """What it has changed. Raises Problem where that cannot be told now."""
        if not attempt.base:
            raise Refused("Its start commit is not known", Remedy.LOOK_FIRST)
        script = filled(LOOK, base=attempt.base, folder=attempt.folder)
        told = await self._run(attempt, script, GIT_TAKES)
        if told.exit_code:
            raise _not_told(told)
        try:
            return read_change(told.stdout)
        except (ValueError, StopIteration):
            raise _not_told(told) from None

    async def verify(self, row: Row) -> Row:
        """Runs its command in a copy of its files, in which the tests are as in the start commit.
        Keeps the exit code in its tags. Raises Problem where it cannot be run."""
        attempt, change = row.attempt, row.change
        now = await present(self._agents.api, attempt.conversation.id)
        if now.execution_status == "running":
            raise Refused(f"Attempt {attempt.number} is still at work", Remedy.WAIT)
        if not attempt.verify or change is None:
            raise Refused(row.why or "It has no command that verifies it", Remedy.LOOK_FIRST)
        script = filled(
            VERIFY, base=attempt.base, restore=change.restore or ":", command=attempt.verify
        )
        told = await self._run(attempt, script, COMMAND_TAKES)
        code, _, output = told.stdout.partition("\n")
        if told.exit_code or not code.isdecimal():
            raise Refused(
                f"It could not be verified: {_last(told) or 'no answer'}", Remedy.LOOK_FIRST
            )
        verified = Verified(int(code), change.tree, output)
        await self._records.tag(attempt.conversation, {ATTEMPT_VERIFIED: f"{code} {change.tree}"})
        return replace(row, verified=verified)

    # what is done with one

    async def accept(self, row: Row, message: str, name: str, email: str) -> str:
        """Commits what is not committed to its branch, as this person, and returns the id of its
        newest commit. No hook runs. Refused, with the worktree as it was, if its files are not as
        they were shown."""
        if row.change is None:
            raise Refused(row.why, Remedy.LOOK_FIRST)
        script = filled(ACCEPT, want=row.change.tree, name=name, email=email, message=message)
        told = await self._run(row.attempt, script, GIT_TAKES)
        if told.exit_code:
            raise Refused(f"Nothing was committed: {_last(told) or 'git failed'}", Remedy.REFRESH)
        return safe_line(_out(told), 64)

    async def patch(self, row: Row, path: Path) -> int:
        """Writes its change since the start commit into a new file, and returns its bytes."""
        if row.change is None:
            raise Refused(row.why, Remedy.LOOK_FIRST)
        script = filled(PATCH, base=row.attempt.base, want=row.change.tree)
        told = await self._run(row.attempt, script, GIT_TAKES)
        try:
            data = base64.b64decode(told.stdout)
        except binascii.Error:
            data = b""
        if told.exit_code or not data:
            why = _last(told) or ("it has changed nothing" if not told.exit_code else "git failed")
            raise Refused(f"There is no patch: {why}", Remedy.REFRESH)
        async with part_file_aside(path) as (file, part):
            file.write(data)
            file.flush()
            try:
                publish_as(part, path)
            except FileExistsError:
                raise taken(path) from None
        return len(data)

    async def drop(self, attempt: Attempt) -> None:
        """Deletes its conversation, and with it its worktree and all that is not committed there:
        see `lost_words`."""
        await self._agents.api.delete_conversation(attempt.conversation.id)

    async def _run(self, attempt: Attempt, command: str, seconds: int) -> CommandResult:
        workspace = await self._workspaces.open(attempt.conversation)
        folder = await workspace.folder()
        told = await workspace.run(command, cwd=folder, timeout=seconds)
        if told.exit_code == -1:
            raise Refused(
                f"It did not end within {seconds} s: {_last(told)}".rstrip(": "), Remedy.WAIT
            )
        return told


def lost_words(row: Row) -> str:
    """What goes with an attempt that is dropped."""
    if row.change is None:
        return f"What it has not committed goes with it, and is not known: {row.why}"
    if not (lost := row.change.uncommitted):
        return "All that it changed is committed"
    named = ", ".join(safe_line(one, 60) for one in lost[: worktrees.MOST_NAMED])
    more = len(lost) - worktrees.MOST_NAMED
    return f"Not committed, and lost with it: {named}{f' and {more:,} more' if more > 0 else ''}"


def leading_into(text: str, folders: Iterable[str], home: str) -> str:
    """The first absolute path in a text that leads into one of the folders; "" for none."""
    for found in _PATH.finditer(text):
        path = f"{home}{found[0][1:]}" if found[0].startswith("~") else found[0]
        path = posixpath.normpath(path.rstrip(".:!?")).replace("//", "/", 1)
        for one in folders:
            if one.startswith("/") and f"{path}/".startswith(f"{one.rstrip('/')}/"):
                return found[0]
    return ""


def _same(change: Change, before: Iterable[Row]) -> int | None:
    if change.tree == change.was:
        return None
    key = (change.was, change.tree)
    return next(
        (r.attempt.number for r in before if r.change and (r.change.was, r.change.tree) == key),
        None,
    )


async def identity() -> tuple[str, str]:
    """Name and address of the person, by git on this machine. Raises Problem without them."""
    found: list[str] = []
    for name in ("user.name", "user.email"):
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "config", "--get", name,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            found.append((await process.communicate())[0].decode("utf-8", "replace").strip())
        except OSError:
            found.append("")
    if not all(found):
        raise Problem(
            "Git here does not know who you are", "git config --global user.name and user.email"
        )
    return found[0], found[1]


def _out(told: CommandResult) -> str:
    return told.stdout.rstrip("\n") if not told.exit_code else ""


def _last(told: CommandResult) -> str:
    """The last line that a command printed."""
    lines = (told.stderr.strip() or told.stdout.strip()).splitlines()
    return safe_line(lines[-1], 200) if lines else ""


def _not_told(told: CommandResult) -> Refused:
    return Refused(f"Git there did not tell: {_last(told) or 'no answer'}", Remedy.LOOK_FIRST)
